"""The least squares problem that an update solves: of raw codes, with penalty and ridge."""

from dataclasses import replace

import numpy as np
from scipy import sparse


def raw_sums(dictionary, statistics):
    """Gram matrix and products with the signals of raw codes, ``code / lengths``.

    Parameters
    ----------
    dictionary : Dictionary
        What the codes are for.
    statistics : Statistics
        Sums over signals and codes for unit atoms.

    Returns
    -------
    gram : ndarray of shape (n_components, n_components)
    cross : ndarray of shape (n_components, n_features)
    """
    lengths = dictionary.lengths.astype(np.float64)
    return statistics.gram / lengths / lengths[:, None], statistics.cross / lengths[:, None]


def objective_change(gram, cross, atoms, change):
    """By how much ``1/2 ||X - A D||_F^2`` changes with D, free of cancellation."""
    return float(np.vdot(gram @ (atoms + 0.5 * change) - cross, change))


def penalty_on_lengths(space, pursuit):
    """alpha where penalised codes follow the lengths of their atoms, else None.

    Parameters
    ----------
    space : DictionarySet
        Where atoms may be shorter than one, codes are held fixed and lengths cost nothing.
    pursuit : Pursuit
        How signals are coded.

    Returns
    -------
    float or None
        The penalty.
    """
    return None if space.ball else pursuit.penalty


def length_costs(coded, training_set, penalty):
    """What the penalty asks of each atom for its length, ``penalty ||a_j||_1``.

    Parameters
    ----------
    coded : Coded
        Codes of the training set.
    training_set : TrainingSet
        Signals and weights.
    penalty : float or None
        alpha; None where codes are not penalised, see `penalty_on_lengths`.

    Returns
    -------
    ndarray of shape (n_components,)
        In units of scaled signals.
    """
    if penalty is None:
        return np.zeros(coded.code.shape[1])
    code, scale = sparse.csr_array(coded.code), float(training_set.scale)
    sizes = abs(code).astype(np.float64).T @ training_set.weight
    return sizes * scale * (penalty * scale)


def with_costs(statistics, costs):
    """Sums whose least squares problem stands for the penalised one.

    Let B be the raw codes and T the atoms before they are scaled to unit length. Codes grow
    with the lengths of atoms, so what is to become small is
    ``1/2 ||X - B T||^2 + sum_j v_j ||t_j||`` with ``v_j = penalty ||b_j||_1``. Each length lies
    below a parabola that touches it at the present length l_j,
    ``||t_j|| <= ||t_j||^2 / (2 l_j) + l_j / 2``. With parabolas the problem is least squares
    again, with ``v_j / l_j`` on the diagonal of the Gram matrix, and what does not raise this
    one does not raise the penalised one. (In codes for unit atoms the diagonal is
    ``penalty ||a_j||_1``.)

    Parameters
    ----------
    statistics : Statistics
        Sums over signals and codes for unit atoms.
    costs : ndarray of shape (n_components,)
        The diagonal, see `length_costs`.

    Returns
    -------
    Statistics
        The same with another Gram matrix.
    """
    if not costs.any():
        return statistics
    return replace(statistics, gram=statistics.gram + np.diag(costs))


def with_ridge(space, dictionary, statistics, ridge):
    """Sums whose least squares problem has the ridge ``strength / 2 ||R||_F^2`` in it.

    It is that of further signals: the atoms of the shortcut, each coded by its own atom with the
    root of the strength.

    Parameters
    ----------
    space : DictionarySet
        What the shortcut is.
    dictionary : Dictionary
        What the codes are for.
    statistics : Statistics
        Sums over signals and codes for unit atoms.
    ridge : float
        As `ridge_strength` takes it.

    Returns
    -------
    Statistics
        The sums for all.
    """
    if ridge == 0:
        return statistics
    strength = ridge_strength(ridge, statistics.energy, len(statistics.gram))
    lengths = dictionary.lengths.astype(np.float64)
    shortcut = space.shortcut.astype(np.float64)
    return replace(
        statistics,
        gram=statistics.gram + np.diag(strength * lengths**2),
        cross=statistics.cross + strength * lengths[:, None] * shortcut,
        energy=statistics.energy + strength * np.vdot(shortcut, shortcut),
    )


def ridge_strength(ridge, energy, n_components):
    """The factor on ``1/2 ||R||_F^2`` beside the squared errors of all signals.

    Such that a ridge of one weighs the mean squared length of the rows of R as much as the
    squared error over the energy of the signals: the same number means the same whatever the
    size and number of signals and the number of atoms.
    """
    return ridge * energy / n_components
