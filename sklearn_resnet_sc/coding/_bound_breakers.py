"""Which correlations exceed their bounds: found with few branches."""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from .._jit import kernel


@intrinsic
def _trailing_zeros(typingctx, word):
    """Number of zero bits below the lowest one bit of a word that is not zero."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), generate


@kernel(counts_references=False)
def bound_breakers(scratch, level, noise, mirror):
    """Atoms whose correlation exceeds its bound, and by how much.

    First every atom gets a flag, a byte of 0 or 1, in a loop over vectors; then the flags are
    read eight at a time, as words, where a one bit tells the atom by its place.

    Returns
    -------
    int
        How many; they are in `found` of the scratch, in `excess` by how much.
    """
    current, weights, lengths = scratch.current, scratch.weights, scratch.lengths
    flags, words, found, excess = scratch.flags, scratch.words, scratch.found, scratch.excess
    for j in range(current.size):
        value = current[j]
        opposite = mirror * value
        size = value if value > opposite else opposite
        flags[j] = size > level * weights[j] + noise * lengths[j]
    count = 0
    for begin in range(words.size):
        word = words[begin]
        while word != 0:
            j = 8 * begin + _trailing_zeros(word) // 8  # the lowest byte comes first
            word &= word - np.uint64(1)
            found[count] = j
            excess[count] = max(current[j], mirror * current[j]) - level * weights[j]
            count += 1
    return count
