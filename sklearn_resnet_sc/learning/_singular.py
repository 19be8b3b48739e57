"""Atoms to begin with: the leading singular directions of the signals."""

import numpy as np
from sklearn.utils.extmath import randomized_svd

_ROWS = 2048  # signals that are factorised at a time
_OVERSAMPLING = 10  # of the randomised decomposition


def singular_atoms(training_set, n_components):
    """Right singular vectors of the signals times their singular values; zeros beyond the rank.

    Exact, from a QR factorisation that is updated block by block, so that it holds
    only a few blocks at a time. Signs are as in scikit-learn: the signal with the largest
    entry in the left singular vector has a positive one.

    Parameters
    ----------
    training_set : TrainingSet
        The signals; weighted by the roots of their weights.
    n_components : int
        Number of atoms.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        The atoms, float64, in the units of the data.
    """
    n_features = training_set.n_features
    factor = np.empty((0, n_features))
    for first in range(0, training_set.n_samples, _ROWS):
        parts = [factor]
        for _, signals, weight in training_set.blocks(
            first, min(first + _ROWS, training_set.n_samples)
        ):
            parts.append(signals * np.sqrt(weight)[:, None])
        factor = np.linalg.qr(np.concatenate(parts), mode="r")
    _, values, vectors = np.linalg.svd(factor, full_matrices=False)
    values = _beyond_rounding(values, training_set)[:n_components]
    vectors = vectors[:n_components]
    largest = np.zeros(len(vectors))
    for _, signals, weight in training_set.blocks():
        projections = signals[weight > 0] @ vectors.T
        if len(projections):
            candidates = projections[np.abs(projections).argmax(axis=0), np.arange(len(vectors))]
            larger = np.abs(candidates) > np.abs(largest)
            largest[larger] = candidates[larger]
    signs = np.where(largest < 0, -1.0, 1.0)
    return fit_count((signs * values)[:, None] * vectors / float(training_set.scale), n_components)


def randomized_singular_atoms(training_set, n_components, random_state):
    """The same by a randomised decomposition, where that is less work.

    Parameters
    ----------
    training_set : TrainingSet
        The signals; held in float64 as a whole.
    n_components : int
        Number of atoms.
    random_state : RandomState
        Source of the decomposition.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        The atoms, float64, in the units of the data.
    """
    smallest = min(training_set.n_samples, training_set.n_features)
    if n_components + _OVERSAMPLING >= smallest:
        return singular_atoms(training_set, n_components)
    signals = training_set.signals(slice(None)) * np.sqrt(training_set.weight)[:, None]
    _, values, vectors = randomized_svd(
        signals, n_components, n_oversamples=_OVERSAMPLING, random_state=random_state
    )
    values = _beyond_rounding(values, training_set)
    return values[:, None] * vectors / float(training_set.scale)


def _beyond_rounding(values, training_set):
    """Singular values, those that are rounding set to zero: their directions mean nothing."""
    most = max(training_set.n_samples, training_set.n_features)
    return np.where(values > most * np.finfo(np.float64).eps * values.max(initial=0), values, 0.0)


def fit_count(atoms, n_components):
    """The first `n_components` atoms, filled up with zeros where there are fewer."""
    missing = n_components - len(atoms)
    if missing <= 0:
        return atoms[:n_components]
    return np.concatenate([atoms, np.zeros((missing, atoms.shape[1]), atoms.dtype)])
