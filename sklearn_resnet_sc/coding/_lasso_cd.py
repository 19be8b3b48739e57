"""The lasso by coordinate descent, from the Gram matrix.

Sweeps over a working set of atoms minimise over one code at a time (Fu 1998; Friedman, Hastie,
Tibshirani 2010). Once the signs of the codes stand, what is left is a linear system: one Newton
step on the atoms in use ends at its solution, or where the first code vanishes (after Lee,
Battle, Raina, Ng 2007). Each step lowers the objective, and the end is exact to rounding.
"""

import numpy as np

from .._jit import kernel
from ._duality import atom_lengths, inverse_bounds, reachable_gap
from ._records import Status
from ._working_set import (
    admit,
    examine,
    find_breakers,
    find_start,
    find_support,
    make_working_set,
    next_level,
    padded,
    take_code,
    take_correlations,
    take_start,
)

_MAX_ITER = int(Status.MAX_ITER)
_SWEEPS_PER_LEVEL = 3  # above the penalty itself, where nothing need be exact
_MOST_SWEEPS = 64  # before all atoms are looked at again
_NEWTON_COST = 16  # atoms in use for which factoring costs as much as one more stable sweep
_NEWTON_ATOMS = 512  # atoms that Newton steps in a row may factor, before sweeps go on


@kernel(counts_references=False)
def _sweep(work, size, level, positive):
    """Minimise over each member in turn; returns whether no code changed sign or vanished."""
    values, correlations, gram, bounds = work.values, work.correlations, work.gram, work.bounds
    zero = values.dtype.type(0)
    length = padded(size)
    stable = True
    for u in range(size):
        row = gram[u]
        bound = level * bounds[u]
        old = values[u]
        target = correlations[u] + old * row[u]
        new = zero
        if target > bound:
            new = (target - bound) / row[u]
        elif target < -bound and not positive:
            new = (target + bound) / row[u]
        if new != old:
            values[u] = new
            stable = stable and old * new > zero
            change = new - old
            for v in range(length):
                correlations[v] -= change * row[v]
    return stable


@kernel(counts_references=False)
def _append_to_factor(factor, p, length):
    """Take from row ``p`` its parts along the rows before: one row of a Cholesky factor."""
    row = factor[p]
    t = 0
    while t + 4 <= p:
        row_a, row_b, row_c, row_d = factor[t], factor[t + 1], factor[t + 2], factor[t + 3]
        a, b, c, d = row_a[p], row_b[p], row_c[p], row_d[p]
        for v in range(length):
            row[v] -= a * row_a[v] + b * row_b[v] + c * row_c[v] + d * row_d[v]
        t += 4
    while t < p:
        row_a = factor[t]
        a = row_a[p]
        for v in range(length):
            row[v] -= a * row_a[v]
        t += 1


@kernel(counts_references=False)
def _newton_direction(work, count, factor, step):
    """Where the codes in use should go with their signs held, to `step`.

    Returns
    -------
    count : int
        How many of the codes move: the others come after an atom that depends on those before.
    dependent : bool
        Whether there is such an atom. Then the direction leaves the residual as it is and lowers
        the penalty, and there is no end to it but where a code vanishes.
    """
    values, correlations, gram, bounds = work.values, work.correlations, work.gram, work.bounds
    support = work.support
    zero = values.dtype.type(0)
    one = values.dtype.type(1)
    noise = values.dtype.type(np.finfo(values.dtype).eps ** (2 / 3))
    length = padded(count + 1)
    right = count  # the column of the right hand side
    dependent = False
    for p in range(right):
        u = support[p]
        source = gram[u]
        row = factor[p]
        for q in range(right):
            row[q] = source[support[q]]
        row[right] = correlations[u] - (bounds[u] if values[u] > zero else -bounds[u])
        for q in range(right + 1, length):
            row[q] = zero
        length2 = row[p]
        _append_to_factor(factor, p, length)
        if not row[p] > noise * length2:
            step[p] = one if row[right] > zero else -one
            dependent = True
            count = p + 1
            break
        scale = one / np.sqrt(row[p])
        for v in range(length):
            row[v] *= scale
        step[p] = scale
    for p in range(count - 2 if dependent else count - 1, -1, -1):
        row = factor[p]
        total = zero if dependent else row[right]
        for q in range(p + 1, count):
            total -= row[q] * step[q]
        step[p] *= total
    return count, dependent


@kernel(counts_references=False)
def _newton(work, size, factor, step):
    """Minimise over the codes in use with their signs held; returns whether none gave way."""
    values, correlations, gram, support = work.values, work.correlations, work.gram, work.support
    zero = values.dtype.type(0)
    count = min(find_support(work, size), step.size)
    count, dependent = _newton_direction(work, count, factor, step)
    fraction = values.dtype.type(np.inf if dependent else 1)
    vanishing = -1
    for p in range(count):
        value = values[support[p]]
        if value * step[p] < zero and abs(value) < fraction * abs(step[p]):
            fraction = abs(value) / abs(step[p])
            vanishing = p
    if dependent and vanishing < 0:
        return True
    length = padded(size)
    for p in range(count):
        u = support[p]
        row = gram[u]
        change = -values[u] if p == vanishing else fraction * step[p]
        values[u] = zero if p == vanishing else values[u] + change
        for v in range(length):
            correlations[v] -= change * row[v]
    return vanishing < 0


@kernel(counts_references=False)
def _descend(work, size, level, positive, most, factor, step):
    """Solve among the members; returns the number of sweeps and Newton steps, `most` at most."""
    n_iter = n_stable = n_sweeps = 0
    final = level == 1
    while n_iter < most and n_sweeps < (_MOST_SWEEPS if final else _SWEEPS_PER_LEVEL):
        n_stable = n_stable + 1 if _sweep(work, size, level, positive) else 0
        n_sweeps += 1
        n_iter += 1
        if not final or n_stable < 2:
            continue
        count = find_support(work, size)
        if n_stable < 2 + count // _NEWTON_COST:
            continue
        n_stable = 0
        n_factored = 0
        while n_iter < most and n_factored <= _NEWTON_ATOMS:
            n_iter += 1
            n_factored += count
            if _newton(work, size, factor, step):
                return n_iter
    return n_iter


@kernel
def lasso_cd(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram, weights, positive = atoms.gram, request.weights, request.positive
    one = gram.dtype.type(1)
    gap_tol = reachable_gap(request.gap_tol, gram)
    lengths = atom_lengths(gram)
    inverse = np.empty_like(lengths)
    work = make_working_set(gram)
    # Of more atoms than features some depend on the others: no larger system is solved.
    most_solved = min(gram.shape[0], atoms.components.shape[1] + 1)
    factor = np.zeros((most_solved, padded(most_solved + 1)), gram.dtype)
    step = np.empty(most_solved, gram.dtype)

    for i in range(signals.norm2.size):
        correlations, norm2 = signals.correlations[i], signals.norm2[i]
        penalty = signals.penalty[i]
        inverse_bounds(penalty, weights, lengths, norm2, inverse)
        n_found = find_start(work, signals.start, i, gram, positive)
        size = admit(work, 0, n_found, gram, correlations, weights, penalty)
        take_start(work, size, signals.start, i)
        level = one
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
            level = next_level(level, gram)
            n_found = find_breakers(work, level)
            size = admit(work, size, n_found, gram, correlations, weights, penalty)
            take_correlations(work, size)
            most = request.max_iter - n_iter
            n_iter += _descend(work, size, level, positive, most, factor, step)

        codes.count[i] = take_code(work, size, codes.indices[i], codes.values[i])
        codes.n_iter[i] = n_iter
        codes.gap[i] = gap
        codes.status[i] = status
