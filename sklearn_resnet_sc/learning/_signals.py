"""Training signals as the learners take them."""

import numpy as np
from sklearn.utils.validation import validate_data

from ._missing import check_observed


def validate_signals(estimator, X, *, reset=True):
    """Signals in their own precision, never copied as a whole if that is float32 or float64.

    Parameters
    ----------
    estimator : BaseEstimator
        Whose parameter ``missing`` says whether NaN is a missing entry.
    X : array-like of shape (n_samples, n_features)
        Signals.
    reset : bool, default=True
        Whether they tell the number and names of features, or are to have those known.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The signals.

    Raises
    ------
    ValueError
        If they hold infinity, NaN that is no missing entry, or nothing else than NaN.
    """
    masks = estimator.missing == "mask"
    X = validate_data(
        estimator,
        X,
        dtype=[np.float64, np.float32],
        reset=reset,
        ensure_all_finite="allow-nan" if masks else True,
    )
    if masks:
        check_observed(X)
    return X
