"""The lasso by accelerated proximal gradient (FISTA; Beck, Teboulle 2009), from the Gram matrix.

The momentum is dropped where it points uphill (the gradient scheme of O'Donoghue, Candes 2015).
The step is the longest that a working set of atoms allows, found by backtracking: the Gram matrix
of few atoms has smaller eigenvalues than that of all. Correlations with the residual are linear in
the code, so those at the extrapolated point and the test of the step cost no further product.
"""

import numpy as np

from .._jit import kernel
from ._duality import atom_lengths, inverse_bounds, reachable_gap, relative_gap
from ._records import Status
from ._working_set import (
    admit,
    examine,
    find_breakers,
    find_start,
    make_working_set,
    next_level,
    padded,
    take_code,
    take_correlations,
    take_start,
)

_MAX_ITER = int(Status.MAX_ITER)
_STEPS_PER_LEVEL = 8  # above the penalty itself, where nothing need be exact
_MOST_STEPS = 64  # before all atoms are looked at again
_STEPS_PER_GAP = 8  # from one look at the gap among the members to the next
_SHORTER = 1.5  # factor on the curvature where a step proves too long


@kernel(counts_references=False, fastmath={"contract", "reassoc"})
def _compare(new, new_slopes, point, point_slopes, code, length):
    """What a step is judged by; sums are taken in parts.

    Returns
    -------
    rise : float
        Squared length, in the Gram matrix, of the step from the point to the new code.
    distance2 : float
        Its plain squared length.
    uphill : float
        Positive where the momentum points against the step.
    """
    rise = distance2 = uphill = new[0] - new[0]
    for v in range(length):
        move = new[v] - point[v]
        rise += move * (point_slopes[v] - new_slopes[v])
        distance2 += move * move
        uphill -= move * (new[v] - code[v])
    return rise, distance2, uphill


@kernel(counts_references=False)
def _largest_row_sum(gram, size):
    """A bound on the largest eigenvalue of the Gram matrix of the members (Gershgorin)."""
    largest = gram[0, 0]
    for u in range(size):
        row = gram[u]
        total = abs(row[0])
        for v in range(1, size):
            total += abs(row[v])
        largest = max(largest, total)
    return largest


@kernel(counts_references=False)
def _correlations_of(work, size, code, out):
    """Correlations of the members with the residual of a code."""
    initial, gram, support = work.initial, work.gram, work.support
    length = padded(size)
    count = 0
    for u in range(size):
        if code[u] != 0:
            support[count] = u
            count += 1
    for v in range(length):
        out[v] = initial[v]
    t = 0
    while t + 4 <= count:
        p, q, r, s = support[t], support[t + 1], support[t + 2], support[t + 3]
        a, b, c, d = code[p], code[q], code[r], code[s]
        row_a, row_b, row_c, row_d = gram[p], gram[q], gram[r], gram[s]
        for v in range(length):
            out[v] -= a * row_a[v] + b * row_b[v] + c * row_c[v] + d * row_d[v]
        t += 4
    while t < count:
        a, row_a = code[support[t]], gram[support[t]]
        for v in range(length):
            out[v] -= a * row_a[v]
        t += 1


@kernel(counts_references=False)
def _members_gap(work, size, norm2, inverse, positive):
    """Relative duality gap, were there no atoms but the members."""
    explained = aligned = penalties = largest = norm2 - norm2
    for u in range(size):
        value, slope = work.values[u], work.correlations[u]
        explained += value * work.initial[u]
        aligned += value * slope
        penalties += abs(value) * work.bounds[u]
        over = slope if positive else abs(slope)
        largest = max(largest, over * inverse[work.members[u]])
    return relative_gap(norm2, explained, aligned, penalties, largest)


@kernel(counts_references=False)
def _proximal_step(work, length, level, positive, curvature, point, slopes, code):
    """``code = prox(point + slopes / curvature)``: soft thresholding after a gradient step."""
    bounds = work.bounds
    zero = code.dtype.type(0)
    step = code.dtype.type(1) / curvature
    scaled = step * level
    for v in range(length):
        target = point[v] + step * slopes[v]
        bound = scaled * bounds[v]
        lowest = zero if positive else min(target + bound, zero)
        code[v] = max(target - bound, zero) + lowest


@kernel(counts_references=False)
def _accelerate(work, size, level, positive, most, stop, momentum, curvature, scratch):
    """Minimise among the members.

    Parameters
    ----------
    stop : tuple of (float, float, ndarray)
        Relative gap to stop at, squared length of the signal, inverse bounds.
    momentum : float
        Where the last call left it, or 1 to begin anew.
    curvature : float
        Inverse of the step's length to begin with.

    Returns
    -------
    n_iter : int
        Steps taken, `most` at most.
    momentum, curvature : float
        Where they are now.
    """
    code, slopes = work.values, work.correlations
    new, new_slopes = scratch[0], scratch[1]
    past, past_slopes = scratch[2], scratch[3]
    point, point_slopes = scratch[4], scratch[5]
    gap_tol, norm2, inverse = stop
    one = code.dtype.type(1)
    half = code.dtype.type(0.5)
    noise = code.dtype.type(64 * np.finfo(code.dtype).eps) * np.sqrt(norm2)
    steepest = _largest_row_sum(work.gram, size)
    length = padded(size)
    n_iter = 0
    while n_iter < most:
        if momentum == one:
            for v in range(length):
                past[v] = code[v]
                past_slopes[v] = slopes[v]
        following = half + np.sqrt(half * half + momentum * momentum)
        weight = (momentum - one) / following
        for v in range(length):
            point[v] = code[v] + weight * (code[v] - past[v])
            point_slopes[v] = slopes[v] + weight * (slopes[v] - past_slopes[v])
        while True:
            _proximal_step(work, length, level, positive, curvature, point, point_slopes, new)
            _correlations_of(work, size, new, new_slopes)
            rise, distance2, uphill = _compare(new, new_slopes, point, point_slopes, code, length)
            slack = noise * np.sqrt(distance2)
            if curvature >= steepest or rise <= curvature * distance2 + slack:
                break
            curvature = min(code.dtype.type(_SHORTER) * curvature, steepest)
        momentum = one if uphill > 0 else following
        for v in range(length):
            past[v] = code[v]
            past_slopes[v] = slopes[v]
            code[v] = new[v]
            slopes[v] = new_slopes[v]
        n_iter += 1
        if level > one or n_iter % _STEPS_PER_GAP != 0:
            continue
        if _members_gap(work, size, norm2, inverse, positive) <= half * gap_tol:
            break
    return n_iter, momentum, curvature


@kernel
def fista(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram, weights, positive = atoms.gram, request.weights, request.positive
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    gap_tol = reachable_gap(request.gap_tol, gram)
    lengths = atom_lengths(gram)
    inverse = np.empty_like(lengths)
    work = make_working_set(gram)
    scratch = np.zeros((6, work.values.size), gram.dtype)

    for i in range(signals.norm2.size):
        correlations, norm2 = signals.correlations[i], signals.norm2[i]
        penalty = signals.penalty[i]
        inverse_bounds(penalty, weights, lengths, norm2, inverse)
        n_found = find_start(work, signals.start, i, gram, positive)
        size = admit(work, 0, n_found, gram, correlations, weights, penalty)
        take_start(work, size, signals.start, i)
        level = momentum = one
        curvature = zero
        n_iter = status = 0
        while True:
            gap, largest = examine(work, size, gram, correlations, inverse, norm2, positive)
            if gap <= gap_tol:
                break
            if n_iter >= request.max_iter:
                status = _MAX_ITER
                break
            if n_iter == 0 and size == 0:
                level = largest
            if level > one:
                momentum = one
            level = next_level(level, gram)
            n_found = find_breakers(work, level)
            if n_found > 0:
                momentum = one
            size = admit(work, size, n_found, gram, correlations, weights, penalty)
            take_correlations(work, size)
            for u in range(size):
                curvature = max(curvature, work.gram[u, u])
            most = min(request.max_iter - n_iter, _MOST_STEPS if level == one else _STEPS_PER_LEVEL)
            stop = (gap_tol, norm2, inverse)
            steps, momentum, curvature = _accelerate(
                work, size, level, positive, most, stop, momentum, curvature, scratch
            )
            n_iter += steps

        codes.count[i] = take_code(work, size, codes.indices[i], codes.values[i])
        codes.n_iter[i] = n_iter
        codes.gap[i] = gap
        codes.status[i] = status
