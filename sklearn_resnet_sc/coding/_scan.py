"""Searches over a row of correlations, written so that they compile to vector code.

The order of non-negative floats is the order of their bits read as integers,
and an integer maximum may be taken in any order: so the compiler vectorises
it, which it may not do for floats. Ties go to the lowest index.
"""

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


@kernel
def abs_argmax(row):
    """Index of the entry of largest absolute value."""
    best = _bits(abs(row[0]))
    for j in range(row.size):
        best = max(best, _bits(abs(row[j])))
    size = _index_like(row[0], row.size)
    where = size
    for j in range(row.size):
        candidate = _index_like(row[0], j) if _bits(abs(row[j])) == best else size
        where = min(where, candidate)
    return where


@kernel
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
