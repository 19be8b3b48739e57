"""Least squares on a support, from the Gram matrix: plain and with codes that are not negative.

A support is a list of atoms ``members``; ``factor`` is the Cholesky factor of
its Gram matrix, lower triangular, with the *reciprocals* of its diagonal on
the diagonal, and ``projections`` are the signal's inner products with the
orthonormal basis that belongs to it: their squares add up to the energy that
the support explains. ``initial`` holds the correlations of all atoms with the
signal itself.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import rounding, solve_codes
from ._largest import select_largest
from ._scan import abs_argmax, argmax


@kernel
def shortest_length2(gram):
    """Squared length of the shortest atom that is not zero."""
    shortest = gram.dtype.type(np.inf)
    for j in range(gram.shape[0]):
        if gram[j, j] > 0:
            shortest = min(shortest, gram[j, j])
    return shortest


@kernel
def strongest_atom(correlations, gram, noise, shortest2, positive):
    """The atom of largest correlation with the residual, or -1 if all are rounding noise.

    ``noise`` is the squared correlation that counts as noise for an atom of
    unit length, and ``shortest2`` the squared length of the shortest atom. A
    long atom whose noise hides the shorter ones is set to zero.
    """
    while True:
        atom = argmax(correlations) if positive else abs_argmax(correlations)
        correlation = correlations[atom]
        correlation2 = correlation * correlation
        if not correlation2 > noise * shortest2 or (positive and correlation < 0):
            return -1
        if correlation2 > noise * gram[atom, atom]:
            return atom
        correlations[atom] = 0


@kernel
def residual_correlations(initial, gram, members, count, values, correlations):
    """Correlations of all atoms with the residual of a code; four Gram rows at a time."""
    size = initial.size
    for j in range(size):
        correlations[j] = initial[j]
    u = 0
    while u + 4 <= count:
        a, row_a = values[u], gram[members[u]]
        b, row_b = values[u + 1], gram[members[u + 1]]
        c, row_c = values[u + 2], gram[members[u + 2]]
        d, row_d = values[u + 3], gram[members[u + 3]]
        for j in range(size):
            correlations[j] -= a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
        u += 4
    while u < count:
        a, row_a = values[u], gram[members[u]]
        for j in range(size):
            correlations[j] -= a * row_a[j]
        u += 1


@kernel
def residual_energy(norm2, initial, correlations, members, count, values):
    """Squared residual of a code, from the correlations with signal and residual."""
    energy = norm2
    for u in range(count):
        atom = members[u]
        energy -= values[u] * (initial[atom] + correlations[atom])
    return max(energy, initial.dtype.type(0))


@kernel
def start_from(signals, i, positive, keys, members, values):
    """The largest entries of the code to start from; returns how many."""
    if signals.start.size == 0:
        return 0
    count = select_largest(signals.start[i], members.size, positive, keys, members)
    for u in range(count):
        values[u] = signals.start[i, members[u]]
    return count


@kernel
def append_member(gram, initial, members, count, factor, projections):
    """Extend the factor and the projections by ``members[count]``.

    Returns
    -------
    bool
        False if the atom depends on those before it, to rounding.
    """
    atom = members[count]
    gram_row = gram[atom]
    along = factor[count]
    distance2 = gram_row[atom]
    projection = initial[atom]
    for u in range(count):
        total = gram_row[members[u]]
        for v in range(u):
            total -= along[v] * factor[u, v]
        total *= factor[u, u]
        along[u] = total
        distance2 -= total * total
        projection -= total * projections[u]
    if not distance2 > rounding(gram) * gram_row[atom]:
        return False
    scale = gram.dtype.type(1) / np.sqrt(distance2)
    along[count] = scale
    projections[count] = projection * scale
    return True


@kernel
def least_squares(gram, initial, members, count, factor, projections, values):
    """Codes of a support; atoms that depend on earlier ones are struck off ``members``.

    Returns
    -------
    int
        How many atoms are left.
    """
    kept = 0
    for u in range(count):
        members[kept] = members[u]
        if append_member(gram, initial, members, kept, factor, projections):
            kept += 1
    solve_codes(factor, projections, kept, values)
    return kept


@kernel
def explained_energy(projections, count):
    """Sum of the squared projections."""
    total = projections.dtype.type(0)
    for u in range(count):
        total += projections[u] * projections[u]
    return total


@kernel
def _entering(gram, initial, candidates, n_candidates, members, count, values, noise):
    """Position of the candidate that correlates most with the residual, or -1."""
    best = gram.dtype.type(0)
    where = -1
    for p in range(n_candidates):
        atom = candidates[p]
        correlation = initial[atom]
        for u in range(count):
            correlation -= values[u] * gram[atom, members[u]]
        if correlation > best and correlation * correlation > noise * gram[atom, atom]:
            best = correlation
            where = p
    return where


@kernel
def nonnegative_least_squares(
    gram, initial, noise, candidates, n_candidates, members, count, factor, projections, values, new
):
    """Let ``candidates`` join a support under codes that are not negative (Lawson, Hanson 1974).

    On entry ``values`` is the least squares code on ``members``, all positive,
    and ``factor`` and ``projections`` belong to it; so they do on return, where
    no candidate could improve the code any more. An atom whose code would turn
    negative leaves at zero and becomes a candidate itself. ``candidates`` has
    room for all atoms concerned, ``new`` for the codes of as many.

    Returns
    -------
    int
        How many atoms are left in ``members``.
    """
    zero = gram.dtype.type(0)
    # In exact arithmetic every round lowers the residual; rounding must not go in circles.
    for _ in range(3 * (n_candidates + count)):
        where = _entering(gram, initial, candidates, n_candidates, members, count, values, noise)
        if where < 0:
            break
        members[count] = candidates[where]
        n_candidates -= 1
        candidates[where] = candidates[n_candidates]
        if not append_member(gram, initial, members, count, factor, projections):
            continue
        values[count] = zero
        count += 1
        solve_codes(factor, projections, count, new)
        if not new[count - 1] > zero:  # its correlation was rounding noise
            count -= 1
            continue
        while count > 0:
            # Go towards the new code until the first atoms reach zero.
            step = gram.dtype.type(2)
            blocking = -1
            for u in range(count):
                if not new[u] > zero and values[u] / (values[u] - new[u]) < step:
                    step = values[u] / (values[u] - new[u])
                    blocking = u
            if blocking < 0:
                break
            kept = 0
            first = count
            for u in range(count):
                value = values[u] + step * (new[u] - values[u])
                if u == blocking or not value > zero:
                    first = min(first, u)
                    candidates[n_candidates] = members[u]
                    n_candidates += 1
                else:
                    members[kept] = members[u]
                    values[kept] = value
                    kept += 1
            count = kept
            for u in range(first, count):
                append_member(gram, initial, members, u, factor, projections)
            solve_codes(factor, projections, count, new)
        for u in range(count):
            values[u] = new[u]
    return count
