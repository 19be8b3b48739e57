"""When a sparse code is the only one, and when a pursuit finds it."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_count, check_dictionary, check_nonnegative, rounding, unit_atoms
from ._coherence import babel, mutual_coherence
from ._spectra import default_rtol, rank_of, scaled_spectrum
from ._statement import Statement, number, plural


def sparsity_from_coherence(coherence, n_components):
    """Largest s with ``s < (1 + 1/coherence) / 2``, strictly.

    A code with at most s non-zeros is then the sparsest of its signal, and the only
    one so sparse. It is found by orthogonal matching pursuit and by basis pursuit.

    Parameters
    ----------
    coherence : float
        Mutual coherence, in [0, 1]. A value within rounding of a boundary, such as
        1/3, is taken to lie on it, where the strict inequality fails.
    n_components : int
        Number of atoms, which no sparsity exceeds: the answer for coherence 0.

    Returns
    -------
    int
        0 where nothing is certified.

    Raises
    ------
    ValueError
        If `coherence` is not in [0, 1] or `n_components` is not a positive integer.

    References
    ----------
    D. L. Donoho, M. Elad, "Optimally sparse representation in general (nonorthogonal)
    dictionaries via l1 minimization", PNAS 100 (2003).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import sparsity_from_coherence
    >>> [sparsity_from_coherence(mu, 10) for mu in (1.0, 0.4, 1 / 3, 0.3, 0.0)]
    [0, 1, 1, 2, 10]
    """
    coherence = check_nonnegative(coherence, "coherence", high=1)
    n_components = check_count(n_components, "n_components")
    # s < (1 + 1/mu)/2 is (2s - 1) mu < 1, which needs no division by a small mu.
    limit = 1 - 4 * np.finfo(np.float64).eps
    if (2 * n_components - 1) * coherence < limit:
        return n_components
    n_nonzero = math.ceil((1 + 1 / coherence) / 2)
    while (2 * n_nonzero - 1) * coherence >= limit:
        n_nonzero -= 1
    return n_nonzero


@dataclass(frozen=True)
class UniquenessBound(Statement):
    """How sparse a code must be to be the only one so sparse.

    Attributes
    ----------
    n_components, n_features : int
        Size of the dictionary.
    coherence : float
        Its mutual coherence.
    by_coherence : int
        Largest s with ``s < (1 + 1/coherence) / 2``; 0 certifies nothing.
    by_babel : int
        Largest s with ``mu_1(s-1) + mu_1(s) < 1``, at least `by_coherence`.
    independent : bool
        Whether the atoms are linearly independent: then every code is unique,
        whatever its sparsity.
    """

    n_components: int
    n_features: int
    coherence: float
    by_coherence: int
    by_babel: int
    independent: bool

    @property
    def n_nonzero(self):
        """Largest certified sparsity; 0 where nothing is certified."""
        return self.n_components if self.independent else max(self.by_coherence, self.by_babel)

    def __str__(self):
        if self.by_babel:
            found = (
                f"A code of at most {plural(self.by_babel, 'atom')} is the sparsest of its signal, "
                f"the only one so sparse, and found by OMP and basis pursuit "
                f"(coherence {number(self.coherence)} certifies {self.by_coherence}, the Babel "
                f"function {self.by_babel})."
            )
        else:
            found = (
                f"Uniqueness by coherence is not certified for any sparsity "
                f"(mu = {number(self.coherence)})."
            )
        if not self.independent:
            return found
        square = self.n_components == self.n_features
        shape = "The dictionary is square and invertible" if square else "The atoms are independent"
        return f"{shape}: every code is unique, whatever mu says. {found}"


def uniqueness_bound(dictionary):
    """Sparsity below which a code is unique, by coherence and by the Babel function.

    Two codes of one signal that both have at most s non-zeros are equal when
    ``s < (1 + 1/mu)/2``, or when ``mu_1(s-1) + mu_1(s) < 1``, which reaches at
    least as far; both also make orthogonal matching pursuit and basis pursuit find
    the code. The signal must be represented exactly: with an error allowed there is
    a continuum of codes, see `stability_bound`. A square invertible dictionary
    has unique codes whatever mu says.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length (pursuits: of unit length).

    Returns
    -------
    UniquenessBound
        Prints as a sentence; `n_nonzero` is the largest certified sparsity.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix, or has a zero atom.

    Notes
    -----
    Both inequalities are strict. The measured inner products are enlarged by the
    rounding of their precision first, so that a coherence of 1/3 certifies 1 atom,
    however it was rounded.

    References
    ----------
    D. L. Donoho, M. Elad, PNAS 100 (2003), theorem 2 and corollary;
    J. A. Tropp, "Greed is good", IEEE Trans. Information Theory 50 (2004), theorem 3.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import uniqueness_bound
    >>> uniqueness_bound(np.vstack([np.eye(16), np.ones((1, 16))])).n_nonzero
    2
    >>> uniqueness_bound(np.eye(3)).n_nonzero
    3
    """
    dictionary = check_dictionary(dictionary)
    n_components, n_features = dictionary.shape
    margin = rounding(dictionary)
    coherence = mutual_coherence(dictionary)
    by_coherence = sparsity_from_coherence(min(1.0, coherence + margin), n_components)
    unit, _ = unit_atoms(dictionary)
    sigma, _ = scaled_spectrum(unit)
    return UniquenessBound(
        n_components=n_components,
        n_features=n_features,
        coherence=coherence,
        by_coherence=by_coherence,
        by_babel=max(by_coherence, _sparsity_from_babel(unit, margin)),
        independent=bool(rank_of(sigma, default_rtol(unit)) == n_components),
    )


def _sparsity_from_babel(unit, margin):
    """Largest s with ``mu_1(s-1) + mu_1(s) < 1``; grows the order only as needed."""
    n_components = len(unit)
    order = 64
    while True:
        order = min(order, n_components - 1)
        values = babel(unit, order)
        # At s = n_components no atom is left outside; the function stays where it is.
        if order == n_components - 1:
            values = np.append(values, values[-1])
        size = np.arange(1, len(values))
        passed = values[:-1] + values[1:] + (2 * size - 1) * margin < 1
        n_passed = len(passed) if passed.all() else int(passed.argmin())
        if n_passed < len(passed) or order == n_components - 1:
            return n_passed
        order *= 4


@dataclass(frozen=True)
class ExactRecovery(Statement):
    """Tropp's exact recovery condition for one support.

    Attributes
    ----------
    coefficient : float
        ``max_{j not in T} ||D_T^+ d_j||_1``; infinite where the atoms of the
        support are linearly dependent.
    n_nonzero : int
        Size of the support T.
    """

    coefficient: float
    n_nonzero: int

    @property
    def holds(self):
        """Whether the coefficient is below 1."""
        return self.coefficient < 1

    def __str__(self):
        if self.holds:
            return (
                f"The exact recovery condition holds for this support of "
                f"{plural(self.n_nonzero, 'atom')} ({number(self.coefficient)} < 1): OMP and basis "
                f"pursuit find every code on it."
            )
        return (
            f"Not certified: the exact recovery condition fails for this support of "
            f"{plural(self.n_nonzero, 'atom')} ({number(self.coefficient)} >= 1)."
        )


def exact_recovery_condition(dictionary, support):
    """Exact recovery condition: ``max_{j not in T} ||D_T^+ d_j||_1 < 1``.

    Where it holds, orthogonal matching pursuit in as many steps as atoms in T, and
    basis pursuit, find every code whose support is T. Atoms are taken as they are:
    for other lengths than one the statement is about the pursuit that compares raw
    correlations, and the l1 norm of raw coefficients.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.
    support : array-like of int, or of bool with shape (n_components,)
        Indices of the atoms in use, T, or a mask of them. May be empty: there is nothing to
        find then.

    Returns
    -------
    ExactRecovery
        With `coefficient`, and `holds`.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if the
        support is not a set of atom indices.

    References
    ----------
    J. A. Tropp, "Greed is good", IEEE Trans. Information Theory 50 (2004),
    theorems 3.1 and 3.3.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import exact_recovery_condition
    >>> condition = exact_recovery_condition([[1, 0], [0, 1], [0.6, 0.8]], [0])
    >>> round(condition.coefficient, 12), condition.holds
    (0.6, True)
    """
    dictionary = check_dictionary(dictionary)
    n_components = len(dictionary)
    chosen = _check_support(support, n_components)
    n_nonzero = int(np.count_nonzero(chosen))
    if n_nonzero in (0, n_components):
        dependent = n_nonzero and _dependent(unit_atoms(dictionary)[0])
        return ExactRecovery(coefficient=math.inf if dependent else 0.0, n_nonzero=n_nonzero)
    unit, lengths = unit_atoms(dictionary)
    inside, outside = unit[chosen], unit[~chosen]
    if _dependent(inside):
        return ExactRecovery(coefficient=math.inf, n_nonzero=n_nonzero)
    basis, triangle = np.linalg.qr(inside.T)
    coefficients = np.abs(np.linalg.solve(triangle, basis.T @ outside.T)).astype(np.float64)
    # Back to the lengths as given; lengths of very different scales may overflow to infinity.
    with np.errstate(over="ignore"):
        ratio = lengths[~chosen] / lengths[chosen, None]
        coefficients *= np.minimum(ratio, np.finfo(np.float64).max)
        largest = float(coefficients.sum(axis=0).max())
    return ExactRecovery(coefficient=largest, n_nonzero=n_nonzero)


def _dependent(unit):
    if len(unit) > unit.shape[1]:
        return True
    sigma, _ = scaled_spectrum(unit)
    return rank_of(sigma, default_rtol(unit)) < len(unit)


def _check_support(support, n_components):
    """The support as a boolean mask."""
    support = np.asarray(support)
    if support.dtype == bool:
        if support.shape != (n_components,):
            raise ValueError(
                f"support as a mask must have shape ({n_components},); got {support.shape}"
            )
        return support
    if support.size == 0:
        return np.zeros(n_components, dtype=bool)
    if support.dtype.kind not in "iu" or support.ndim != 1:
        raise ValueError(
            f"support must be a list of atom indices or a boolean mask; got dtype "
            f"{support.dtype} and shape {support.shape}"
        )
    if support.min() < 0 or support.max() >= n_components:
        raise ValueError(f"support must lie in [0, {n_components - 1}]; got {support.tolist()}")
    chosen = np.zeros(n_components, dtype=bool)
    chosen[support] = True
    if np.count_nonzero(chosen) != support.size:
        raise ValueError(f"support must not name an atom twice; got {support.tolist()}")
    return chosen
