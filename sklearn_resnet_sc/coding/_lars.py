"""Least angle regression (Efron, Hastie, Johnstone, Tibshirani 2004), breakpoint by breakpoint.

The code starts at zero and moves so that the correlations of all atoms in use stay equal in
size and fall together, until another atom's correlation is as large: it joins. Codes that must
not be negative follow the positive lasso instead: an atom leaves where its code returns to zero.

With the level the common size of the correlations, every correlation is a straight line
``constant + level * rate`` between two breakpoints, and so are the codes.
"""

import numpy as np

from .._jit import kernel
from ._active_gram import (
    current_correlation,
    equations,
    refine,
    refined_squared_distance,
    residual_correlations,
    squared_distance,
)
from ._active_set import (
    BASE,
    INITIAL,
    SIGNS,
    SIZES,
    SLOPE,
    clear,
    clear_inverse,
    insert,
    make_active_set,
    remove,
)
from ._gram_rows import rounding, sort_code
from ._records import Status
from ._scan import argmax

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)


@kernel
def _joining_levels(constants, rates, joinable, positive, levels):
    """The level, below the present one, at which each atom's correlation meets the common one."""
    zero, one = levels.dtype.type(0), levels.dtype.type(1)
    for j in range(levels.size):
        # An atom whose correlation falls with the common one or faster is never met.
        room = one - rates[j]
        upper = constants[j] / room if room > zero else zero
        levels[j] = upper * joinable[j]
    if not positive:
        for j in range(levels.size):
            room = one + rates[j]
            lower = -constants[j] / room if room > zero else zero
            levels[j] = max(levels[j], lower * joinable[j])


@kernel
def lars(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    capacity = request.n_nonzero
    positive = request.positive
    n_components = gram.shape[0]
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    noise2 = rounding(gram)
    epsilon = gram.dtype.type(np.finfo(gram.dtype).eps)
    active = make_active_set(capacity, gram)
    constants = np.empty(n_components, gram.dtype)
    rates = np.empty(n_components, gram.dtype)
    levels = np.empty(n_components, gram.dtype)
    joinable = np.empty(n_components, gram.dtype)
    nothing = np.zeros(n_components, gram.dtype)

    for i in range(signals.norm2.size):
        start = signals.correlations[i]
        norm2, tol = signals.norm2[i], signals.tol[i]
        count = np.int64(0)
        n_iter = 0
        status = 0
        for j in range(n_components):
            joinable[j] = one if gram[j, j] > zero else zero
            levels[j] = start[j] * joinable[j]
            if not positive:
                levels[j] = abs(levels[j])
        atom = argmax(levels)
        level = max(levels[atom], zero)
        # Below this level correlations are rounding.
        bottom = gram.dtype.type(8) * epsilon * np.sqrt(norm2 * max(gram[atom, atom], zero))
        level_now = level
        residual2 = norm2
        while level > bottom and residual2 > tol:
            if n_iter >= request.max_iter:
                status = _MAX_ITER
                break
            # An atom joins at this level, unless it depends on those in use.
            n_iter += 1
            row = gram[atom]
            for u in range(count):
                active.rows[SIZES, u] = active.rows[BASE, u] - level * active.rows[SLOPE, u]
            correlation = current_correlation(active, count, row, start[atom])
            squared_distance(active, count, row[atom])
            distance2 = refined_squared_distance(active, count, gram, row[atom])
            joinable[atom] = zero
            if distance2 > noise2 * row[atom]:
                sign = one if correlation > zero else -one
                insert(active, count, atom, sign, start[atom], one, distance2)
                count += 1
            level_now = level
            while True:
                # The lines of all correlations, and where the next atom joins.
                residual_correlations(active, count, active.rows[BASE], gram, start, constants)
                residual_correlations(active, count, active.rows[SLOPE], gram, nothing, rates)
                for j in range(n_components):
                    rates[j] = -rates[j]
                _joining_levels(constants, rates, joinable, positive, levels)
                atom = argmax(levels)
                level = min(max(levels[atom], zero), level_now)
                if not level > bottom:
                    level = zero
                # Where codes must not be negative, an atom may leave before that.
                leaving = count
                if positive:
                    for u in range(count):
                        slope = active.rows[SLOPE, u]
                        if slope < zero and active.rows[BASE, u] < level * slope:
                            level = min(active.rows[BASE, u] / slope, level_now)
                            leaving = u
                least = norm2
                slope = zero
                for u in range(count):
                    least -= active.rows[BASE, u] * active.rows[INITIAL, u]
                    slope += active.rows[SLOPE, u]
                residual2 = least + level * level * slope
                if tol > least and slope > zero and residual2 <= tol:
                    level = min(np.sqrt((tol - least) / slope), level_now)
                    residual2 = tol
                    break
                if leaving == count:
                    break
                joinable[active.atoms[leaving]] = one
                remove(active, count, leaving)
                count -= 1
                n_iter += 1
                level_now = level
            if count == capacity:
                break
        residual_correlations(active, count, active.rows[BASE], gram, start, constants)
        residual_correlations(active, count, active.rows[SLOPE], gram, nothing, rates)
        for j in range(n_components):
            constants[j] -= level * rates[j]
        equations(active, count, level, constants)
        refine(active, count)
        if status == 0 and not level > bottom and residual2 - tol > noise2 * norm2 and tol >= zero:
            status = _TOL_NOT_REACHED
        indices, values = codes.indices[i], codes.values[i]
        n_nonzero = 0
        for u in range(count):
            value = active.rows[BASE, u] - level * active.rows[SLOPE, u]
            if value > zero or not positive:  # an atom that joins just here may be below
                indices[n_nonzero] = active.atoms[u]
                values[n_nonzero] = active.rows[SIGNS, u] * value
                n_nonzero += 1
        sort_code(indices, values, n_nonzero)
        codes.count[i] = n_nonzero
        codes.n_iter[i] = n_iter
        codes.status[i] = status
        clear_inverse(active, count)
        clear(active, 0, count)
