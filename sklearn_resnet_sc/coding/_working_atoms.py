"""The lasso in dictionaries whose Gram matrix would not fit in memory: a few atoms at a time.

A block of signals is coded in the atoms most correlated with them. One matrix
product with the whole dictionary then tells whether any other atom violates
the optimality conditions of the full problem; those join, until none does by more
than rounding and what ``gap_tol`` leaves: a millionth of the penalty by default.
"""

from functools import partial

import numpy as np

from ._packing import scatter
from ._records import Atoms, Codes, Status

_JOIN = 64  # atoms that one signal brings along in one round
_MOST_ROUNDS = 100


def _strongest(excess):
    """For each signal the atoms of the largest positive excess; all of them together."""
    if excess.shape[1] > _JOIN:
        atoms = np.argpartition(excess, -_JOIN, axis=1)[:, -_JOIN:]
    else:
        atoms = np.tile(np.arange(excess.shape[1]), (excess.shape[0], 1))
    return np.unique(atoms[np.take_along_axis(excess, atoms, axis=1) > 0])


def _magnitude(correlations, positive):
    return correlations if positive else np.abs(correlations)


def lasso_without_gram(kernel):
    """The way of a lasso kernel through a dictionary without a Gram matrix."""
    return partial(_code, kernel)


def _code(kernel, atoms, block, signals, request, codes):
    components, weights = atoms.components, request.weights
    dtype = components.dtype
    initial = signals.correlations.copy()
    lengths = np.sqrt(np.einsum("ij,ij->i", components, components))
    # Correlations are known no better than this.
    rounding = 64 * np.finfo(dtype).eps * np.sqrt(signals.norm2)[:, None] * lengths
    bounds = signals.penalty[:, None] * weights
    to_tol = signals.tol >= 0  # the error-constrained lasso finds its own penalty
    bounds[to_tol] = 0
    working = _strongest(_magnitude(initial, request.positive) - bounds - rounding)
    if signals.start.size:
        working = np.union1d(working, np.flatnonzero(signals.start.any(axis=0)))
    if working.size == 0:
        working = np.arange(1)
    for _ in range(_MOST_ROUNDS):
        part = _code_in(working, kernel, atoms, initial, signals, request, codes)
        dense = np.zeros((len(block), working.size), dtype)
        scatter(part, dense)
        residual = block - dense @ components[working]
        magnitude = _magnitude(residual @ components.T, request.positive)
        if to_tol.any():
            # At the solution all chosen atoms are as correlated as their weights say.
            reached = np.divide(
                magnitude[:, working],
                weights[working],
                out=np.zeros((len(block), working.size), dtype),
                where=weights[working] > 0,
            ).max(axis=1)
            bounds[to_tol] = reached[to_tol, None] * weights
        excess = magnitude - bounds - rounding - _slack(request, bounds)
        excess[:, working] = 0
        joining = _strongest(excess)
        if joining.size == 0:
            break
        working = np.union1d(working, joining)
    else:
        part.status[(excess > 0).any(axis=1)] = int(Status.MAX_ITER)
    _copy(part, working, codes)


def _slack(request, bounds):
    """What a solver that stops at a duality gap leaves of the optimality conditions."""
    return min(1e-3, np.sqrt(request.gap_tol) * 1e-2) * bounds


def _code_in(working, kernel, atoms, initial, signals, request, codes):
    """Codes in some of the atoms; indices count among those."""
    n_rows, dtype = len(initial), initial.dtype
    components = np.ascontiguousarray(atoms.components[working])
    part = Codes(
        np.empty((n_rows, working.size), np.int32),
        np.empty((n_rows, working.size), dtype),
        *(np.empty_like(array) for array in codes[2:]),
    )
    part.gap[:] = np.nan
    start = np.ascontiguousarray(signals.start[:, working]) if signals.start.size else signals.start
    kernel(
        Atoms(components, components @ components.T),
        signals._replace(
            correlations=np.ascontiguousarray(initial[:, working]),
            start=start,
        ),
        request._replace(
            n_nonzero=working.size, weights=np.ascontiguousarray(request.weights[working])
        ),
        part,
    )
    return part


def _copy(part, working, codes):
    """Codes with indices among all atoms; ascending still, because `working` is."""
    width = min(part.indices.shape[1], codes.indices.shape[1])
    used = np.arange(width) < part.count[:, None]
    codes.indices[:, :width][used] = working[part.indices[:, :width][used]]
    codes.values[:, :width][used] = part.values[:, :width][used]
    for array, part_array in zip(codes[2:], part[2:], strict=True):
        array[:] = part_array
