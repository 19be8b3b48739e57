"""A quadratic function of a matrix made small, nearly, where its singular values are bounded."""

import numpy as np

_STEPS = 16  # each with an eigendecomposition
_RELAXATION = 1.6
_ENOUGH = 1e-2  # share of what was gained so far, below which the gain of a step ends them
# The weight between the two parts, for curvatures relative to the largest: a multiple of their
# geometric mean, where small ones, whose directions matter little, count as this.
_WEIGHT, _SMALLEST = 3.0, 1e-3


def clip_singular_values(matrix, bound):
    """The nearest matrix whose singular values do not exceed the bound; None means any do."""
    if bound is None:
        return matrix
    squares, vectors = np.linalg.eigh(matrix.T @ matrix)
    over = squares > bound**2
    if not over.any():
        return matrix
    vectors = vectors[:, over]
    excess = 1 - bound / np.sqrt(squares[over])
    return matrix - (matrix @ (vectors * excess)) @ vectors.T


def descend_within(gram, slope, start, bound):
    """Make ``<slope, R - start> + tr((R - start)' gram (R - start)) / 2`` small over R.

    By Douglas-Rachford splitting (J. Eckstein, D. Bertsekas, Math. Programming 55, 1992) in the
    eigenbasis of the Gram matrix, where the quadratic is met by divisions and the bound, as in any
    basis, by clipping singular values. Codes use atoms unequally, so that the Gram matrix is
    ill-conditioned: on 784 pixels of digits 8 steps left 2% to gain, as many projected
    gradient steps 165%, of the minimum.

    Parameters
    ----------
    gram : ndarray of shape (n, n)
        Symmetric, not negative.
    slope : ndarray of shape (n, m)
        The gradient at the start.
    start : ndarray of shape (n, m)
        Within the bound.
    bound : float or None
        Largest singular value of R.

    Returns
    -------
    ndarray of shape (n, m)
        The best R met, the start where none is better.
    """
    curvature, basis = np.linalg.eigh(gram)
    steepest = curvature[-1]
    if not steepest > 0:
        return start
    curvature = np.maximum(curvature, 0)[:, None] / steepest
    old = basis.T @ start
    linear = curvature * old - basis.T @ slope / steepest

    def value_of(inner):
        return np.vdot(inner, 0.5 * curvature * inner - linear)

    weight = _WEIGHT * float(np.exp(np.log(np.maximum(curvature, _SMALLEST)).mean()))
    state = old + (linear - curvature * old) / weight
    best, first = old, value_of(old)
    least = first
    for _ in range(_STEPS):
        inner = clip_singular_values(state, bound)
        value = value_of(inner)
        gain = least - value
        if gain > 0:
            best, least = inner, value
        if 0 <= gain <= _ENOUGH * (first - least):
            break
        outer = (linear + weight * (2 * inner - state)) / (curvature + weight)
        state = state + _RELAXATION * (outer - inner)
    return start if best is old else basis @ best
