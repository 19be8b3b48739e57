"""Signals as learning takes them: only those that count, their weights, in units of about one."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import _check_sample_weight

from ._stack import scale_of


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


@dataclass(frozen=True)
class TrainingSignals:
    """Signals that count, multiplied by a power of two.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        The signals times the scale; of the first batch, or the only one, the largest entry is
        about one.
    weight : ndarray of shape (n_samples,)
        Weights, of mean one.
    total : float
        Sum of the weights as they were given.
    scale : float
        The scale.
    """

    X: np.ndarray
    weight: np.ndarray
    total: float
    scale: float

    @classmethod
    def of(cls, X, sample_weight, scale=None):
        """From signals and weights as given; with the scale of earlier signals, if any."""
        X, weight, total = weighted_signals(X, sample_weight)
        scale = scale_of(X) if scale is None else X.dtype.type(scale)
        return cls(X * scale, weight, total, float(scale))

    @property
    def energy(self):
        """Weighted mean of squared lengths."""
        norm2 = np.einsum("ij,ij->i", self.X, self.X, dtype=np.float64)
        return float(np.average(norm2, weights=self.weight))
