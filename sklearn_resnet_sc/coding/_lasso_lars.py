"""The lasso, solved exactly: a homotopy in steps that jump over its breakpoints.

The homotopy (Osborne, Presnell, Turlach 2000; Efron, Hastie, Johnstone, Tibshirani 2004) lowers
the penalty from where the code is zero and lets atoms join and leave at every breakpoint, which
costs all correlations each time. Only the solution at the penalty asked for is wanted, though. So
the penalty falls by a constant factor at a time; atoms in use follow it exactly, leaving where
they vanish; then the atoms that broke their bound join one by one, the worst first, each followed
by the exact solution among the atoms in use (as in the feature-sign search of Lee, Battle, Raina,
Ng 2007). Every such step lowers the objective. At the end no bound is broken: the solution.

Where a squared residual is asked for, ``||r||^2`` is a quadratic of the penalty as long as the
support stays, so the penalty is found by solving quadratics: Newton's method, exact in the end.
"""

import numpy as np

from .._jit import kernel
from ._active_gram import (
    current_correlation,
    equations,
    make_room,
    rebuild,
    refine,
    residual_correlations,
    squared_distance,
)
from ._active_set import clear, insert, make_active_set, settle
from ._duality import relative_gap
from ._gram_rows import rounding, sort_code
from ._records import Status
from ._scan import argmax

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)
_SHRINK = 0.7  # of the level, from one look at all correlations to the next
_MOST_JOINING = 16  # atoms that join between two looks
# Squared distance to the atoms in use, as a share, of a nearly dependent atom: the distance of
# others is known well enough from the inverse. At least so many square roots of the roundoff.
_NEAR, _NEAR_ROOTS = 1e-3, 64
_MOST_REFINEMENTS = 4
_SPOILT = 256  # error of the equations, in units of noise, at which the inverse is thrown away
_MOST_GUESSES = 40  # of the level at which a residual is reached, before the support is settled


@kernel
def _bound_breakers(current, level, weights, noise, lengths, mirror, flags, words, found, excess):
    """Atoms whose correlation exceeds its bound, and by how much; returns how many."""
    for j in range(current.size):
        value = current[j]
        opposite = mirror * value
        size = value if value > opposite else opposite
        flags[j] = size > level * weights[j] + noise * lengths[j]
    count = 0
    for word in range(words.size):
        if words[word] != 0:
            for j in range(8 * word, min(8 * word + 8, current.size)):
                if flags[j] != 0:
                    found[count] = j
                    excess[count] = max(current[j], mirror * current[j]) - level * weights[j]
                    count += 1
    return count


@kernel
def _join(
    active, count, most, gram, start, level, weights, noise, lengths, mirror, found, excess, n_found
):
    """Let the worst breakers of their bounds join one by one, each followed by the solution.

    Returns
    -------
    count : int
        Atoms in use.
    n_changes : int
        How many joined or left.
    """
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    noise2 = rounding(gram)
    near = gram.dtype.type(max(_NEAR, _NEAR_ROOTS * np.sqrt(np.finfo(gram.dtype).eps)))
    n_changes = 0
    for _ in range(min(n_found, _MOST_JOINING)):
        worst = 0
        for q in range(1, n_found):
            if excess[q] > excess[worst]:
                worst = q
        atom = found[worst]
        n_found -= 1
        found[worst], excess[worst] = found[n_found], excess[n_found]
        row = gram[atom]
        length2 = row[atom]
        correlation = current_correlation(active, count, row, start[atom])
        over = max(correlation, mirror * correlation) - level * weights[atom]
        if not over > noise * lengths[atom]:
            continue
        sign = one if correlation > zero else -one
        distance2 = squared_distance(active, count, length2)
        size = zero
        if count == most or distance2 < near * length2:
            before = count
            count, size, distance2 = make_room(
                active, count, most, gram, sign, over, length2, noise2
            )
            n_changes += before - count
            if not distance2 > noise2 * length2 or count == most:
                count, n_left = settle(active, count, level, mirror == zero)
                n_changes += n_left
                continue
        insert(active, count, atom, sign, start[atom], weights[atom], distance2)
        active.sizes[count] = size
        count, n_left = settle(active, count + 1, level, mirror == zero)
        n_changes += 1 + n_left
    return count, n_changes


@kernel
def _root_level(active, count, norm2, tol, noise2):
    """The level at which the squared residual is `tol` with the atoms in use; 0 for none."""
    least = norm2
    slope = norm2 - norm2
    for u in range(count):
        least -= active.base[u] * active.initial[u]
        slope += active.slope[u] * active.weights[u]
    if slope > 0 and tol - least > noise2 * norm2:
        return np.sqrt((tol - least) / slope)
    return norm2 - norm2


@kernel
def lasso_lars(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    weights = request.weights
    max_iter = request.max_iter
    n_components = gram.shape[0]
    most = min(n_components, atoms.components.shape[1])
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    epsilon8 = gram.dtype.type(8 * np.finfo(gram.dtype).eps)
    tiny = gram.dtype.type(32) * rounding(gram)
    spoilt = gram.dtype.type(_SPOILT)
    mirror = zero if request.positive else -one  # so that max(c, mirror * c) is what counts
    active = make_active_set(most, gram)
    lengths = np.empty(n_components, gram.dtype)
    inverse_weights = np.empty(n_components, gram.dtype)
    for j in range(n_components):
        lengths[j] = np.sqrt(max(gram[j, j], zero))
        inverse_weights[j] = one / weights[j] if weights[j] > zero else zero
    current = np.empty(n_components, gram.dtype)
    ratios = np.empty(n_components, gram.dtype)
    words = np.zeros((n_components + 7) // 8, np.uint64)
    flags = words.view(np.uint8)
    found = np.empty(n_components, np.int64)
    excess = np.empty(n_components, gram.dtype)

    for i in range(signals.norm2.size):
        start = signals.correlations[i]
        norm2, tol = signals.norm2[i], signals.tol[i]
        constrained = tol >= zero
        noise = epsilon8 * np.sqrt(norm2)
        for j in range(n_components):
            value = start[j]
            opposite = mirror * value
            ratios[j] = (value if value > opposite else opposite) * inverse_weights[j]
            current[j] = value
        top = max(ratios[argmax(ratios)], zero)
        goal = zero if constrained else signals.penalty[i]
        aim = max(goal, tiny * top)
        level = max(top, aim)
        final = level <= aim
        shrink = gram.dtype.type(_SHRINK)
        low, high = zero, level
        count = np.int64(0)  # not the literal, for which helpers would be compiled again
        n_iter = n_refined = n_spoilt = n_rounds = n_found = 0
        status = 0
        patience = 100 + 4 * most
        searching = not (constrained and tol >= norm2)
        closing = False
        while searching:
            n_rounds += 1
            if not final:
                lower = max(shrink * level, aim)
                root = _root_level(active, count, norm2, tol, epsilon8) if constrained else zero
                level = max(lower, root)
                final = level == aim or root >= lower
            count, n_left = settle(active, count, level, request.positive)
            n_iter += n_left
            residual_correlations(active, count, active.sizes, gram, start, current)
            off = equations(active, count, level, current)
            if not off <= spoilt * noise and n_spoilt < _MOST_REFINEMENTS:
                n_spoilt += 1
                count = rebuild(active, count, gram, start)
                continue
            if closing:
                break
            n_found = _bound_breakers(
                current, level, weights, noise, lengths, mirror, flags, words, found, excess
            )
            n_changes = 0
            if n_iter > patience:  # atoms that depend on each other may turn in circles
                noise += noise
                patience += most
            if n_found > 0:
                if n_iter >= max_iter:
                    status = _MAX_ITER
                    break
                count, n_changes = _join(
                    active,
                    count,
                    most,
                    gram,
                    start,
                    level,
                    weights,
                    noise,
                    lengths,
                    mirror,
                    found,
                    excess,
                    n_found,
                )
                n_iter += n_changes
                shrink = gram.dtype.type(_SHRINK)
            else:
                shrink = max(shrink * shrink, tiny)  # nothing happens here: take a longer step
            if not final:
                continue
            if constrained and n_rounds < (_MOST_GUESSES if n_changes > 0 else 3 * _MOST_GUESSES):
                root = _root_level(active, count, norm2, tol, epsilon8)
                if root <= zero and level > aim:
                    final = False
                    continue
                if root > zero and abs(root - level) > epsilon8 * level:
                    if n_changes == 0 and root < level:
                        high = min(high, level)
                    elif n_changes == 0:
                        low = max(low, level)
                    level = root
                    if not (low < root and root < high):
                        level = (low + high) / gram.dtype.type(2)
                    continue
            if n_changes > 0:
                continue
            if off > noise and n_refined < _MOST_REFINEMENTS:
                n_refined += 1
                refine(active, count)
            elif goal < aim and level == aim:
                # Rounding cannot tell lower levels from zero: the support stays.
                level = _root_level(active, count, norm2, tol, epsilon8) if constrained else goal
                closing = True
            else:
                searching = False

        indices, values = codes.indices[i], codes.values[i]
        explained = aligned = penalties = zero
        if status == _MAX_ITER and not constrained:
            level = goal
        n_nonzero = 0
        for u in range(count):
            size = active.sizes[u]
            bound = level * active.weights[u]
            explained += size * active.initial[u]
            aligned += size * (active.target[u] + bound)
            penalties += size * bound
            if size != zero:
                indices[n_nonzero] = active.atoms[u]
                values[n_nonzero] = size * active.signs[u]
                n_nonzero += 1
        largest = one
        if n_found > 0 and level > zero:
            for j in range(n_components):
                size = max(current[j], mirror * current[j])
                ratios[j] = size / (level * weights[j] + noise * lengths[j] + tiny * tiny)
            largest = max(one, ratios[argmax(ratios)])
        residual2 = max(norm2 - explained - aligned, zero)
        gap = relative_gap(norm2, explained, aligned, penalties, largest)
        if norm2 > zero:  # the dual at zero: the better bound where the signal is explained exactly
            gap = min(gap, (residual2 + penalties + penalties) / norm2)
        if gap > gram.dtype.type(64) * rounding(gram):
            status = _MAX_ITER
        elif constrained and residual2 - tol > rounding(gram) * norm2:
            status = _TOL_NOT_REACHED
        sort_code(indices, values, n_nonzero)
        codes.count[i] = n_nonzero
        codes.n_iter[i] = n_iter
        codes.gap[i] = gap
        codes.status[i] = status
        clear(active, count)
