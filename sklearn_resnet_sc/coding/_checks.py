"""Checks of arrays that more than one entry point makes."""

import numpy as np
from sklearn.utils import check_array


def check_dictionary(dictionary):
    """A dictionary as a finite float array with at least one atom.

    Raises
    ------
    ValueError
        If it is not a finite matrix, or has no atoms.
    """
    dictionary = check_array(
        dictionary,
        dtype=[np.float64, np.float32],
        input_name="dictionary",
        ensure_min_samples=0,
        ensure_min_features=0,
    )
    if dictionary.size == 0:
        raise ValueError(
            "dictionary must have at least one atom and one feature, shape "
            f"(n_components, n_features); got shape {dictionary.shape}."
        )
    return dictionary


def check_matrix(name, matrix, shape, dtype, meaning):
    """An array given beside the dictionary, of the shape that its meaning demands.

    Raises
    ------
    ValueError
        If it is not finite or its shape differs.
    """
    matrix = check_array(matrix, dtype=dtype, input_name=name)
    if matrix.shape != shape:
        raise ValueError(f"{name} must have shape {meaning} = {shape}; got {matrix.shape}.")
    return matrix
