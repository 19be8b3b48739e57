"""The atoms that an iterative l1 solver iterates on, with their Gram matrix copied together.

A code has few atoms, so most of a dictionary never matters for a signal. A solver works on the
atoms that do, in arrays that fit the nearest cache and are padded to whole vectors. All others it
looks at only now and then, when it checks the duality gap: those that break their bound join.

The solver comes down to the penalty asked for in a few levels, multiples of it, each begun from
the code of the one before (pathwise optimisation: Friedman, Hastie, Hoefling, Tibshirani 2007).
So few atoms join that must leave again.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel
from ._duality import bound_ratios, relative_gap
from ._gram_rows import sort_code

_LANES = 8  # entries of a padded row come in multiples of this
_NEXT_LEVEL = 0.65


class WorkingSet(NamedTuple):
    """Members of the set and scratch; entries beyond the members' number are of no account."""

    members: np.ndarray  # (n_components,) int32, atoms in order of joining
    inside: np.ndarray  # (n_components,) bool, whether an atom has joined
    support: np.ndarray  # (n_components,) int32, positions of the members in use
    current: np.ndarray  # (n_components,), correlations of all atoms with the residual
    ratios: np.ndarray  # (n_components,), these over their bounds
    gram: np.ndarray  # (capacity, more), inner products of the members; rows padded by zeros
    # Of shape (capacity,) and padded by zeros:
    initial: np.ndarray  # correlations of the members with the signal
    correlations: np.ndarray  # with the residual
    values: np.ndarray  # the code
    bounds: np.ndarray  # the penalties


@kernel
def padded(size):
    """The next multiple of a vector's length."""
    return (size + _LANES - 1) // _LANES * _LANES


@kernel
def make_working_set(gram):
    """An empty set. Pages of its Gram matrix that no member needs are never touched."""
    n_components, dtype = gram.shape[0], gram.dtype
    capacity = padded(n_components)
    return WorkingSet(
        np.empty(n_components, np.int32),
        np.zeros(n_components, np.bool_),
        np.empty(n_components, np.int32),
        np.empty(n_components, dtype),
        np.empty(n_components, dtype),
        np.empty((capacity, capacity + _LANES), dtype),
        np.empty(capacity, dtype),
        np.empty(capacity, dtype),
        np.empty(capacity, dtype),
        np.empty(capacity, dtype),
    )


@kernel(counts_references=False)
def admit(work, size, n_found, gram, correlations, weights, penalty):
    """Let the `n_found` atoms listed in `support` join, with zero codes; returns the new size."""
    members, rows = work.members, work.gram
    for p in range(n_found):
        atom = work.support[p]
        members[size] = atom
        work.inside[atom] = True
        work.initial[size] = correlations[atom]
        work.bounds[size] = penalty * weights[atom]
        work.values[size] = 0
        source = gram[atom]
        row = rows[size]
        size += 1
        for u in range(size):
            product = source[members[u]]
            row[u] = product
            rows[u, size - 1] = product
    for v in range(size, padded(size)):
        for u in range(size):
            rows[u, v] = 0
        work.bounds[v] = 0
        work.initial[v] = 0
        work.correlations[v] = 0
        work.values[v] = 0
    return size


@kernel(counts_references=False)
def find_start(work, start, i, gram, positive):
    """Atoms of a code to start from, to `support`; returns how many.

    Values that the solution cannot have are left out: of zero atoms, and those negative where
    codes must not be.
    """
    count = 0
    if start.shape[0] > 0:
        for j in range(start.shape[1]):
            value = start[i, j]
            if value != 0 and gram[j, j] > 0 and not (positive and value < 0):
                work.support[count] = j
                count += 1
    return count


@kernel(counts_references=False)
def take_start(work, size, start, i):
    """Values of the members from a code to start from."""
    for u in range(size):
        work.values[u] = start[i, work.members[u]]


@kernel(counts_references=False)
def take_correlations(work, size):
    """Correlations of the members from those of all atoms."""
    for u in range(size):
        work.correlations[u] = work.current[work.members[u]]


@kernel(counts_references=False)
def find_breakers(work, level):
    """Atoms outside that break their bounds, times `level`, to `support`; returns how many."""
    ratios, inside, found = work.ratios, work.inside, work.support
    count = 0
    for j in range(ratios.size):
        if ratios[j] > level and not inside[j]:
            found[count] = j
            count += 1
    return count


@kernel(counts_references=False)
def find_support(work, size):
    """Positions of the members in use to `support`; returns how many."""
    values, support = work.values, work.support
    count = 0
    for u in range(size):
        if values[u] != 0:
            support[count] = u
            count += 1
    return count


@kernel(counts_references=False)
def _residual_correlations(work, count, gram, correlations):
    """Correlations of all atoms with the residual, computed anew from the members in use."""
    members, values, support, out = work.members, work.values, work.support, work.current
    for j in range(out.size):
        out[j] = correlations[j]
    u = 0
    while u + 4 <= count:
        p, q, r, s = support[u], support[u + 1], support[u + 2], support[u + 3]
        a, row_a = values[p], gram[members[p]]
        b, row_b = values[q], gram[members[q]]
        c, row_c = values[r], gram[members[r]]
        d, row_d = values[s], gram[members[s]]
        for j in range(out.size):
            out[j] -= a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
        u += 4
    while u < count:
        a, row_a = values[support[u]], gram[members[support[u]]]
        for j in range(out.size):
            out[j] -= a * row_a[j]
        u += 1


@kernel(counts_references=False)
def examine(work, size, gram, correlations, inverse, norm2, positive):
    """Look at all atoms: fills `current` and `ratios`.

    Returns
    -------
    gap : float
        Relative duality gap of the code.
    largest : float
        Largest ratio of a correlation to its bound.
    """
    count = find_support(work, size)
    _residual_correlations(work, count, gram, correlations)
    largest = bound_ratios(work.current, inverse, positive, work.ratios)
    explained = aligned = penalties = norm2 - norm2
    for p in range(count):
        u = work.support[p]
        value = work.values[u]
        explained += value * work.initial[u]
        aligned += value * work.current[work.members[u]]
        penalties += abs(value) * work.bounds[u]
    return relative_gap(norm2, explained, aligned, penalties, largest), largest


@kernel(counts_references=False)
def next_level(level, like):
    """The multiple of the penalty to solve for next, after `level`; the last is 1."""
    return max(like.dtype.type(1), like.dtype.type(_NEXT_LEVEL) * level)


@kernel(counts_references=False)
def take_code(work, size, indices, values):
    """Write the code and empty the set; returns the number of atoms in use."""
    count = find_support(work, size)
    for p in range(count):
        u = work.support[p]
        indices[p] = work.members[u]
        values[p] = work.values[u]
    sort_code(indices, values, count)
    for u in range(size):
        work.inside[work.members[u]] = False
    return count
