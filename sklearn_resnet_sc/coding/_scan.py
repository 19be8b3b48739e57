"""Searches over a row of correlations, written so that they compile to vector code.

The order of non-negative floats is the order of their bits read as integers,
and an integer maximum may be taken in any order: so the compiler vectorises
it, which it may not do for floats. Ties go to the lowest index.
"""

import numpy as np
from numba import types
from numba.extending import intrinsic

from .._jit import kernel

_INTEGER = {types.float32: types.int32, types.float64: types.int64}


@intrinsic
def _bits(typingctx, value):
    """The bits of a float as a signed integer of the same width."""
    if value not in _INTEGER:
        return None
    integer = _INTEGER[value]

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(integer))

    return integer(value), generate


@intrinsic
def _index_like(typingctx, value, index):
    """An index as an integer as wide as ``value``, so that both fill vectors alike."""
    if value not in _INTEGER:
        return None
    integer = _INTEGER[value]

    def generate(context, builder, signature, arguments):
        return context.cast(builder, arguments[1], index, integer)

    return integer(value, index), generate


@kernel(counts_references=False)
def largest_magnitude(row):
    """The largest absolute value of a row, as bits."""
    best = _bits(abs(row[0]))
    for j in range(row.size):
        best = max(best, _bits(abs(row[j])))
    return best


@kernel(counts_references=False)
def find_magnitude(row, magnitude):
    """Index of the first entry whose absolute value has the given bits."""
    size = _index_like(row[0], row.size)
    where = size
    for j in range(row.size):
        candidate = _index_like(row[0], j) if _bits(abs(row[j])) == magnitude else size
        where = min(where, candidate)
    return where


@kernel(counts_references=False)
def abs_argmax(row):
    """Index of the entry of largest absolute value."""
    return find_magnitude(row, largest_magnitude(row))


@kernel(counts_references=False)
def argmax(row):
    """Index of the largest entry if any is positive, otherwise of some entry that is not.

    Negative floats are negative integers, so positive entries keep their order
    and lie above all others.
    """
    best = _bits(row[0])
    for j in range(row.size):
        best = max(best, _bits(row[j]))
    size = _index_like(row[0], row.size)
    where = size
    for j in range(row.size):
        candidate = _index_like(row[0], j) if _bits(row[j]) == best else size
        where = min(where, candidate)
    return where


@kernel(counts_references=False)
def update_correlations(row, scale, projection, correlations):
    """Scale a basis row and take its part off the correlations; the largest magnitude left."""
    largest = _bits(row[0] - row[0])
    for j in range(row.size):
        entry = scale * row[j]
        row[j] = entry
        correlation = correlations[j] - projection * entry
        correlations[j] = correlation
        largest = max(largest, _bits(abs(correlation)))
    return largest


@kernel(counts_references=False)
def update_distances(row, scale, projection, correlations, distances2, floors):
    """The same, and the squared distances of atoms to the span; atoms within it become zero."""
    zero = row[0] - row[0]
    largest = _bits(zero)
    for j in range(row.size):
        entry = scale * row[j]
        row[j] = entry
        correlation = correlations[j] - projection * entry
        distance2 = distances2[j] - entry * entry
        inside = distance2 <= floors[j]
        correlation = zero if inside else correlation
        correlations[j] = correlation
        distances2[j] = zero if inside else distance2
        largest = max(largest, _bits(abs(correlation)))
    return largest


@kernel(counts_references=False)
def best_ratio(correlations, distances2, atom):
    """The atom of largest ``correlation^2 / distance2``, and that ratio.

    Dinkelbach's iteration: with the ratio of the present atom as ``ratio``, an
    atom is better exactly if ``correlation^2 - ratio distance2`` is positive. It begins at
    an atom given, usually the right one, and one scan then confirms it.
    """
    four_units = correlations.dtype.type(4 * np.finfo(correlations.dtype).eps)
    size = _index_like(correlations[0], correlations.size)
    ratio = correlations[atom] * correlations[atom] / distances2[atom]
    while True:
        excess = _bits(ratio - ratio)
        for j in range(correlations.size):
            value = correlations[j] * correlations[j] - ratio * distances2[j]
            excess = max(excess, _bits(value))
        if excess <= _bits(four_units * ratio * distances2[atom]):
            return atom, ratio
        where = size
        for j in range(correlations.size):
            value = correlations[j] * correlations[j] - ratio * distances2[j]
            candidate = _index_like(value, j) if _bits(value) == excess else size
            where = min(where, candidate)
        atom = where
        ratio = correlations[atom] * correlations[atom] / distances2[atom]
