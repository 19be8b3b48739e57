"""The relative duality gap of the lasso: where every iterative l1 solver stops.

For one signal ``x`` the lasso minimises ``P(a) = ||x - a C||^2 / 2 + sum_j lambda_j |a_j|``.
Its dual maximises ``D(theta) = (||x||^2 - ||x - theta||^2) / 2`` over the ``theta`` with
``|<c_j, theta>| <= lambda_j`` for every atom (``<c_j, theta> <= lambda_j`` where codes must not
be negative). Any code gives a feasible point: its residual ``r``, scaled by ``s``, where ``s`` is
the best multiple that the constraints allow. The *relative duality gap* is

    (P(a) - D(s r)) / (||x||^2 / 2).

It bounds how far the objective is above its least value, as a share of the objective of the zero
code. That scale is known beforehand, does not move with the iterates, and never vanishes, as the
least value itself does where a signal is explained exactly. scikit-learn stops at
``P - D <= tol ||x||^2``: its ``tol`` is half this gap.

A weight of zero would leave ``s = 0``, and a bound that is met exactly is broken by rounding; so
every ``lambda_j`` is widened by what rounding makes of ``<c_j, r>``.
"""

import numpy as np

from .._jit import kernel
from ._scan import abs_argmax


@kernel
def atom_lengths(gram):
    """Lengths of all atoms."""
    lengths = np.empty(gram.shape[0], gram.dtype)
    for j in range(lengths.size):
        lengths[j] = np.sqrt(max(gram[j, j], gram.dtype.type(0)))
    return lengths


@kernel(counts_references=False)
def inverse_bounds(penalty, weights, lengths, norm2, inverse):
    """Reciprocals of the bounds on ``|<c_j, r>|``, rounding allowed for; 0 for zero atoms."""
    zero = inverse.dtype.type(0)
    one = inverse.dtype.type(1)
    tiny = inverse.dtype.type(np.finfo(inverse.dtype).tiny)
    noise = inverse.dtype.type(8 * np.finfo(inverse.dtype).eps) * np.sqrt(norm2)
    least = inverse.dtype.type(8) * noise
    for j in range(inverse.size):
        bound = max(penalty * weights[j], least * lengths[j]) + noise * lengths[j] + tiny
        inverse[j] = one / bound if lengths[j] > 0 else zero


@kernel
def reachable_gap(gap_tol, array):
    """The relative gap to stop at: `gap_tol`, or what the precision can tell from zero."""
    return max(array.dtype.type(gap_tol), array.dtype.type(8 * np.finfo(array.dtype).eps))


@kernel(counts_references=False)
def bound_ratios(correlations, inverse, positive, ratios):
    """How near each atom is to its bound, as ``|<c_j, r>| / lambda_j``; returns the largest."""
    if positive:
        zero = ratios.dtype.type(0)
        for j in range(ratios.size):
            ratios[j] = max(correlations[j], zero) * inverse[j]
    else:
        for j in range(ratios.size):
            ratios[j] = abs(correlations[j]) * inverse[j]
    return ratios[abs_argmax(ratios)]


@kernel
def relative_gap(norm2, explained, aligned, penalties, largest_ratio):
    """Relative duality gap of a code, from inner products with the signal and the residual.

    Parameters
    ----------
    norm2 : float
        ``||x||^2``.
    explained : float
        ``<x, a C>``.
    aligned : float
        ``<r, a C>``.
    penalties : float
        ``sum_j lambda_j |a_j|``.
    largest_ratio : float
        Largest ``|<c_j, r>| / lambda_j``, as `bound_ratios` returns it.
    """
    zero = norm2 - norm2
    if not norm2 > zero:
        return zero
    residual2 = max(norm2 - explained - aligned, zero)
    if not residual2 > zero:
        return (penalties + penalties) / norm2
    # The best multiple of the residual without constraints, then the largest allowed.
    multiple = (norm2 - explained) / residual2
    if multiple * largest_ratio > 1:
        multiple = 1 / largest_ratio
    multiple = max(multiple, zero)
    dual = multiple * ((norm2 - explained) + (norm2 - explained) - multiple * residual2)
    return max((residual2 + penalties + penalties - dual) / norm2, zero)
