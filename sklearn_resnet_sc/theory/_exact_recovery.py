"""Tropp's exact recovery condition of one support."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_dictionary, unit_atoms
from ._spectra import default_rtol, rank_of, scaled_spectrum
from ._statement import Statement, number, plural


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
        Indices of the atoms in use, T, or a mask of them; at least one.

    Returns
    -------
    ExactRecovery
        With `coefficient`, and `holds`.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if the
        support is empty or not a set of atom indices.

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
    unit, lengths = unit_atoms(dictionary)
    inside, outside = unit[chosen], unit[~chosen]
    if _dependent(inside):
        return ExactRecovery(coefficient=math.inf, n_nonzero=n_nonzero)
    if n_nonzero == n_components:
        return ExactRecovery(coefficient=0.0, n_nonzero=n_nonzero)
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
    if support.dtype == bool and support.shape != (n_components,):
        raise ValueError(
            f"support as a mask must have shape ({n_components},); got {support.shape}"
        )
    if not (support.any() if support.dtype == bool else support.size):
        raise ValueError("support must name at least one atom; it is empty")
    if support.dtype == bool:
        return support
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
