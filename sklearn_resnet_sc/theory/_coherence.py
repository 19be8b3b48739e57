"""How alike the atoms of a dictionary are: coherence, the Babel function, Welch's bound."""

import math

import numpy as np

from ._checks import check_count, check_dictionary, unit_atoms

# Rows of the Gram matrix held at a time: 256 x 16384 in float32 are 16 MiB.
_BLOCK = 256


def largest_correlations(unit):
    """For each unit atom, the largest absolute inner product with another one."""
    n_components = len(unit)
    largest = np.zeros(n_components, dtype=unit.dtype)
    for start in range(0, n_components, _BLOCK):
        stop = min(start + _BLOCK, n_components)
        # The Gram matrix is symmetric: each block meets only the atoms from its own on.
        gram = np.abs(unit[start:stop] @ unit[start:].T)
        rows = np.arange(stop - start)
        gram[rows, rows] = 0
        np.maximum(largest[start:stop], gram.max(axis=1), out=largest[start:stop])
        np.maximum(largest[start:], gram.max(axis=0), out=largest[start:])
    # Rounding may lift the product of two parallel atoms over 1.
    return np.minimum(largest, 1, out=largest)


def mutual_coherence(dictionary):
    """Largest absolute cosine between two different atoms.

    ``mu = max_{i != j} |<d_i, d_j>| / (||d_i|| ||d_j||)``; atoms of any length
    are allowed. The Gram matrix is visited in blocks and never held, in the
    precision of the dictionary.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.

    Returns
    -------
    float
        Between 0 and 1; 0 for a single atom.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix, or has a zero atom.

    References
    ----------
    D. L. Donoho, X. Huo, "Uncertainty principles and ideal atomic decomposition",
    IEEE Trans. Information Theory 47 (2001).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import mutual_coherence
    >>> mutual_coherence([[1, 0], [0, 2], [3, 4]])
    0.8
    """
    unit, _ = unit_atoms(check_dictionary(dictionary))
    return float(largest_correlations(unit).max())


def average_coherence(dictionary):
    """Mean over the atoms of the absolute cosine with their nearest other atom.

    ``mu_avg = mean_j max_{i != j} |<d_i, d_j>| / (||d_i|| ||d_j||)``.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length.

    Returns
    -------
    float
        Between 0 and the mutual coherence.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix, or has a zero atom.

    References
    ----------
    K. Skretting, K. Engan, "Learned dictionaries for sparse image representation:
    properties and results", Proc. SPIE 8138 (2011).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import average_coherence
    >>> round(average_coherence([[1, 0], [0, 2], [3, 4]]), 12)
    0.733333333333
    """
    unit, _ = unit_atoms(check_dictionary(dictionary))
    return float(largest_correlations(unit).mean(dtype=np.float64))


def babel(dictionary, max_order=None):
    """Babel function: the most that one atom can share with `m` others together.

    ``mu_1(m) = max_{|T| = m} max_{j not in T} sum_{i in T} |<d_i, d_j>|`` for unit
    atoms; atoms of other lengths are normalised first. ``mu_1(1)`` is the mutual
    coherence and ``mu_1(m) <= m mu``.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.
    max_order : int, default=None
        Largest order wanted, at most (and by default) ``n_components - 1``. A small
        order is cheaper for a large dictionary.

    Returns
    -------
    ndarray of shape (max_order + 1,)
        ``values[m]`` is ``mu_1(m)``, with ``mu_1(0) = 0``; float64.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `max_order` is not an integer in ``[0, n_components - 1]``.

    References
    ----------
    J. A. Tropp, "Greed is good: algorithmic results for sparse approximation",
    IEEE Trans. Information Theory 50 (2004), section II-D.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import babel
    >>> babel([[1, 0], [0, 2], [3, 4]])
    array([0. , 0.8, 1.4])
    """
    unit, _ = unit_atoms(check_dictionary(dictionary))
    n_components = len(unit)
    if max_order is None:
        max_order = n_components - 1
    max_order = check_count(max_order, "max_order", low=0, high=n_components - 1)
    values = np.zeros(max_order + 1)
    if max_order == 0:
        return values
    for start in range(0, n_components, _BLOCK):
        gram = np.abs(unit[start : start + _BLOCK] @ unit.T)
        rows = np.arange(len(gram))
        gram[rows, start + rows] = 0
        np.minimum(gram, 1, out=gram)
        gram.partition(n_components - max_order, axis=1)
        top = np.sort(gram[:, n_components - max_order :], axis=1)[:, ::-1]
        sums = np.cumsum(top, axis=1, dtype=np.float64)
        np.maximum(values[1:], sums.max(axis=0), out=values[1:])
    return values


def welch_bound(n_components, n_features):
    """Smallest mutual coherence that any dictionary of this size can have.

    ``mu >= sqrt((k - n) / (n (k - 1)))`` for k atoms in n dimensions, and 0 where
    ``k <= n``. Equiangular tight frames attain it.

    Parameters
    ----------
    n_components : int
        Number of atoms, k.
    n_features : int
        Number of dimensions, n.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If a size is not a positive integer.

    References
    ----------
    L. R. Welch, "Lower bounds on the maximum cross correlation of signals",
    IEEE Trans. Information Theory 20 (1974).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import welch_bound
    >>> round(welch_bound(256, 64), 4)
    0.1085
    """
    n_components = check_count(n_components, "n_components")
    n_features = check_count(n_features, "n_features")
    if n_components <= n_features:
        return 0.0
    return math.sqrt((n_components - n_features) / (n_features * (n_components - 1)))
