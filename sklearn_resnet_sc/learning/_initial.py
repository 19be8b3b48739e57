"""Atoms to begin with where there is no shortcut: training signals chosen at random."""

import numpy as np

_TWIN = 0.99  # cosine from which two signals are one


def atoms_from_data(training_set, n_components, random_state):
    """Distinct training signals scaled to unit length; random directions where they run out.

    Parameters
    ----------
    training_set : TrainingSet
        The signals; zero signals and those without weight are passed over.
    n_components : int
        Number of atoms.
    random_state : RandomState
        Source of the choice.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        Unit atoms, float64.
    """
    atoms = np.empty((n_components, training_set.n_features))
    found = 0
    order = random_state.permutation(np.flatnonzero(training_set.weight > 0))
    # Data of many copies of few signals: look at no more than so many.
    for first in range(0, min(order.size, 16 * n_components), n_components):
        for signal in training_set.signals(order[first : first + n_components]):
            length = np.linalg.norm(signal)
            if length == 0 or found == n_components:
                continue
            unit = signal / length
            if not (np.abs(atoms[:found] @ unit) > _TWIN).any():
                atoms[found] = unit
                found += 1
    directions = random_state.standard_normal((n_components - found, training_set.n_features))
    atoms[found:] = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return atoms
