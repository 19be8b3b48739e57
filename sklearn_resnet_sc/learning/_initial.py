"""Atoms to begin with where there is no shortcut: training signals chosen at random."""

import numpy as np

_TWIN = 0.99  # cosine from which two signals are one
_ROUNDS = 4


def atoms_from_data(training_set, n_components, random_state):
    """Distinct training signals scaled to unit length; random directions where they run out.

    A signal is chosen as the one closest in angle to a random direction. Unlike
    a choice by number this knows nothing of the order of the signals nor of
    how often one is repeated, so that a weight of two means the same as two copies.

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
    for _ in range(_ROUNDS):
        directions = random_state.standard_normal((n_components, training_set.n_features))
        rows = _closest(training_set, directions)
        for signal in training_set.signals(rows[rows >= 0]):
            unit = signal / np.linalg.norm(signal)
            if found < n_components and not (np.abs(atoms[:found] @ unit) > _TWIN).any():
                atoms[found] = unit
                found += 1
        if found == n_components:
            return atoms
    directions = random_state.standard_normal((n_components - found, training_set.n_features))
    atoms[found:] = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return atoms


def _closest(training_set, directions):
    """For each direction the signal at the smallest angle, or -1 where there is none."""
    best = np.zeros(len(directions))
    rows = np.full(len(directions), -1)
    for block, signals, weight in training_set.blocks():
        length = np.linalg.norm(signals, axis=1)
        usable = (weight > 0) & (length > 0)
        units = signals / np.where(usable, length, np.inf)[:, None]
        cosines = np.abs(units @ directions.T)
        nearest = cosines.argmax(axis=0)
        closer = cosines[nearest, np.arange(len(directions))] > best
        best[closer] = cosines[nearest, np.arange(len(directions))][closer]
        rows[closer] = block.start + nearest[closer]
    return rows
