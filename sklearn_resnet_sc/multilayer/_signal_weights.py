"""Weights of signals: those that count for nothing are left out, the others have mean one."""

import numpy as np
from sklearn.utils.validation import _check_sample_weight


def weighted_signals(X, sample_weight):
    """Signals that count, and their weights.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    sample_weight : array-like of shape (n_samples,) or None
        Weights; None means one each.

    Returns
    -------
    X : ndarray of shape (n_counting, n_features)
        Signals of positive weight.
    weight : ndarray of shape (n_counting,)
        Their weights over the mean of these, in the precision of X.
    total : float
        Sum of the weights as given.

    Raises
    ------
    ValueError
        If there is not one finite weight a signal, one is negative, or all are zero.
    """
    if sample_weight is None:
        return X, np.ones(len(X), X.dtype), float(len(X))
    weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    counts = weight > 0
    if not counts.any():
        raise ValueError("sample_weight must have a positive entry; all are zero")
    if not counts.all():
        X, weight = X[counts], weight[counts]
    largest = weight.max()
    relative = weight / largest
    mean = relative.mean()
    return X, (relative / mean).astype(X.dtype), float(mean * largest * len(X))
