"""From lists of atoms to the arrays users see, and back to signals."""

from .._jit import kernel


@kernel
def rescale(codes, scales, atom_scale):
    """Undo the scales of signals and atoms."""
    for i in range(codes.count.size):
        for u in range(codes.count[i]):
            codes.values[i, u] = codes.values[i, u] / scales[i] * atom_scale


@kernel
def scatter(codes, dense):
    """Write the codes of a block into rows of zeros."""
    for i in range(codes.count.size):
        for u in range(codes.count[i]):
            dense[i, codes.indices[i, u]] = codes.values[i, u]


@kernel
def pack(codes, indices, values):
    """Write the codes of a block one after the other, as CSR does."""
    position = 0
    for i in range(codes.count.size):
        for u in range(codes.count[i]):
            indices[position] = codes.indices[i, u]
            values[position] = codes.values[i, u]
            position += 1


@kernel(fastmath={"contract", "reassoc"})
def residual_norm2(signals, components, codes, residual, norm2):
    """Squared length of ``x - a C`` for every signal, summed in the signals' own space.

    Unlike the running value inside a pursuit this has no cancellation. Squares may be added in
    any order, so that the sum vectorises.
    """
    for i in range(codes.count.size):
        for f in range(residual.size):
            residual[f] = signals[i, f]
        for u in range(codes.count[i]):
            value = codes.values[i, u]
            atom = components[codes.indices[i, u]]
            for f in range(residual.size):
                residual[f] -= value * atom[f]
        total = residual[0] * residual[0]
        for f in range(1, residual.size):
            total += residual[f] * residual[f]
        norm2[i] = total


@kernel(fastmath={"contract", "reassoc"})
def squared_lengths(signals, norm2):
    """Squared lengths of rows, likewise."""
    for i in range(signals.shape[0]):
        total = signals.dtype.type(0)
        for f in range(signals.shape[1]):
            total += signals[i, f] * signals[i, f]
        norm2[i] = total
