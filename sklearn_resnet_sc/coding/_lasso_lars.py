"""The lasso, or the smallest l1 norm within a residual, solved exactly."""

import numpy as np

from .._jit import kernel
from ._active_set import INITIAL, SIGNED, SIGNS, SIZES, WEIGHTS, clear, clear_inverse
from ._duality import relative_gap
from ._gram_rows import rounding, sort_code
from ._homotopy import highest_level, make_scratch, solve
from ._records import Status
from ._scan import argmax

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)


@kernel(counts_references=False)
def _write(scratch, count, i, codes):
    """Write the atoms in use to row `i` of the codes."""
    active = scratch.active
    indices, values = codes.indices[i], codes.values[i]
    n_nonzero = 0
    for u in range(count):
        if active.rows[SIZES, u] != 0:
            indices[n_nonzero] = active.atoms[u]
            values[n_nonzero] = active.rows[SIZES, u] * active.rows[SIGNS, u]
            n_nonzero += 1
    sort_code(indices, values, n_nonzero)
    codes.count[i] = n_nonzero


@kernel(counts_references=False)
def _certify(scratch, count, level, n_found, norm2, mirror):
    """The relative duality gap, the squared residual, and how well it is known."""
    active, current, excess = scratch.active, scratch.current, scratch.excess
    zero, one = current.dtype.type(0), current.dtype.type(1)
    explained = aligned = penalties = moved = zero
    for u in range(count):
        size = active.rows[SIZES, u]
        bound = level * active.rows[WEIGHTS, u]
        explained += size * active.rows[INITIAL, u]
        moved += abs(size * active.rows[INITIAL, u])
        aligned += size * active.rows[SIGNED, u]
        penalties += size * bound
    largest = one
    if n_found > 0 and level > zero:
        for j in range(current.size):
            size = max(current[j], mirror * current[j])
            bound = level * scratch.weights[j]
            excess[j] = size / bound if bound > zero else zero
        largest = max(one, excess[argmax(excess)])
    residual2 = max(norm2 - explained - aligned, zero)
    gap = relative_gap(norm2, explained, aligned, penalties, largest)
    if norm2 > zero:  # the dual at zero: the better bound where the signal is explained exactly
        gap = min(gap, (residual2 + penalties + penalties) / norm2)
    return gap, residual2, rounding(current) * (norm2 + moved)


@kernel
def lasso_lars(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    mirror = zero if request.positive else -one
    scratch = make_scratch(atoms, request.weights)
    penalised = request.weights.any()
    for i in range(signals.norm2.size):
        start = signals.correlations[i]
        norm2, tol = signals.norm2[i], signals.tol[i]
        goal = signals.penalty[i] if penalised and tol < zero else zero
        top = highest_level(start, mirror, scratch)
        # Not the literal 0, for which helpers would be compiled once more.
        count, level, n_iter, status, n_found = solve(
            gram,
            start,
            norm2,
            tol,
            goal,
            request.max_iter,
            mirror,
            scratch,
            np.int64(0),
            max(top, goal),
        )
        if status == _MAX_ITER and tol < zero:
            level = goal
        gap, residual2, uncertain = _certify(scratch, count, level, n_found, norm2, mirror)
        if gap > gram.dtype.type(64) * rounding(gram):
            status = _MAX_ITER
        elif tol >= zero and level == zero and residual2 - tol > uncertain:
            status = _TOL_NOT_REACHED
        elif tol >= zero and residual2 - tol > gram.dtype.type(16) * uncertain:
            status = _MAX_ITER
        _write(scratch, count, i, codes)
        codes.n_iter[i] = n_iter
        codes.gap[i] = gap
        codes.status[i] = status
        clear_inverse(scratch.active, count)
        clear(scratch.active, 0, count)


@kernel
def lasso_levels(atoms, signals, request, levels, codes):
    """Code every signal of a block at all levels, which descend: first all at the first level."""
    gram = atoms.gram
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    mirror = zero if request.positive else -one
    scratch = make_scratch(atoms, request.weights)
    penalised = request.weights.any()
    for i in range(signals.norm2.size):
        start = signals.correlations[i]
        norm2 = signals.norm2[i]
        level = highest_level(start, mirror, scratch)
        count = np.int64(0)
        for step in range(levels.size):
            goal = signals.penalty[i] * levels[step] if penalised else zero
            level = max(level, goal)
            count, level, n_iter, status, n_found = solve(
                gram, start, norm2, -one, goal, request.max_iter, mirror, scratch, count, level
            )
            row = step * signals.norm2.size + i
            gap, _, _ = _certify(scratch, count, goal, n_found, norm2, mirror)
            if gap > gram.dtype.type(64) * rounding(gram):
                status = _MAX_ITER
            _write(scratch, count, row, codes)
            codes.n_iter[row] = n_iter
            codes.gap[row] = gap
            codes.status[row] = status
        clear_inverse(scratch.active, count)
        clear(scratch.active, 0, count)
