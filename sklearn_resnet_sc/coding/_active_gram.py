"""What the atoms in use have to do with the others: all that reads the Gram matrix.

Goes with the record of the atoms in use.
"""

import numpy as np

from .._jit import kernel
from ._active_set import (
    BASE,
    OFF,
    PRODUCTS,
    SIGNED,
    SIGNS,
    SIZES,
    SPAN,
    TARGET,
    WEIGHTS,
    clear,
    clear_inverse,
    insert,
    padded_length,
    remove,
)
from ._gram_rows import rounding


@kernel(counts_references=False)
def residual_correlations(active, count, values, gram, initial, out):
    """Correlations of all atoms with what remains of the signal, eight Gram rows at a time.

    ``out = initial - sum_u values[u] signs[u] gram[atoms[u]]``.
    """
    atoms, signs = active.atoms, active.rows[SIGNS]
    for j in range(out.size):
        out[j] = initial[j]
    u = 0
    while u + 8 <= count:
        a, row_a = values[u] * signs[u], gram[atoms[u]]
        b, row_b = values[u + 1] * signs[u + 1], gram[atoms[u + 1]]
        c, row_c = values[u + 2] * signs[u + 2], gram[atoms[u + 2]]
        d, row_d = values[u + 3] * signs[u + 3], gram[atoms[u + 3]]
        e, row_e = values[u + 4] * signs[u + 4], gram[atoms[u + 4]]
        f, row_f = values[u + 5] * signs[u + 5], gram[atoms[u + 5]]
        g, row_g = values[u + 6] * signs[u + 6], gram[atoms[u + 6]]
        h, row_h = values[u + 7] * signs[u + 7], gram[atoms[u + 7]]
        for j in range(out.size):
            first = a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
            second = e * row_e[j] + f * row_f[j] + g * row_g[j] + h * row_h[j]
            out[j] -= first + second
        u += 8
    # Beyond the atoms in use the coefficients are zero: some of these rows count for nothing.
    while u < count:
        a, row_a = values[u] * signs[u], gram[atoms[u]]
        b, row_b = values[u + 1] * signs[u + 1], gram[atoms[u + 1]]
        c, row_c = values[u + 2] * signs[u + 2], gram[atoms[u + 2]]
        d, row_d = values[u + 3] * signs[u + 3], gram[atoms[u + 3]]
        for j in range(out.size):
            out[j] -= a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
        u += 4


@kernel(counts_references=False)
def current_correlation(active, count, gram_row, initial):
    """Correlation of one more atom with the residual of the code; fills `products`."""
    atoms, signs, sizes, products = (
        active.atoms,
        active.rows[SIGNS],
        active.rows[SIZES],
        active.rows[PRODUCTS],
    )
    for u in range(count):
        product = gram_row[atoms[u]] * signs[u]
        products[u] = product
        initial -= product * sizes[u]
    return initial


@kernel(counts_references=False)
def squared_distance(active, count, length2):
    """Squared distance of the atom of `products` to those in use; fills `span`."""
    products, span, inverse = active.rows[PRODUCTS], active.rows[SPAN], active.inverse
    zero = span.dtype.type(0)
    if count == 0:
        return length2
    for u in range(count, count + 4):
        products[u] = zero
    padded = padded_length(span, count)
    a, b, c, d = products[0], products[1], products[2], products[3]
    row_a, row_b, row_c, row_d = inverse[0], inverse[1], inverse[2], inverse[3]
    for v in range(padded):
        span[v] = a * row_a[v] + b * row_b[v] + c * row_c[v] + d * row_d[v]
    for u in range(4, count, 4):
        a, b, c, d = products[u], products[u + 1], products[u + 2], products[u + 3]
        row_a, row_b, row_c, row_d = inverse[u], inverse[u + 1], inverse[u + 2], inverse[u + 3]
        for v in range(padded):
            span[v] += a * row_a[v] + b * row_b[v] + c * row_c[v] + d * row_d[v]
    for u in range(count):
        length2 -= products[u] * span[u]
    return length2


@kernel(counts_references=False)
def refined_squared_distance(active, count, gram, length2):
    """The squared distance again, and `span`, after a step of iterative refinement.

    What `squared_distance` takes off may be all but rounding of the square itself; here the
    error of `span` enters squared.
    """
    atoms, signs, target = active.atoms, active.rows[SIGNS], active.rows[TARGET]
    products, span, inverse = active.rows[PRODUCTS], active.rows[SPAN], active.inverse
    for u in range(count):
        row = gram[atoms[u]]
        total = products[u]
        for v in range(count):
            total -= signs[u] * signs[v] * row[atoms[v]] * span[v]
        target[u] = total
    for u in range(count):
        length2 -= span[u] * (products[u] + target[u])
    for u in range(count):
        row = inverse[u]
        for v in range(count):
            span[v] += target[u] * row[v]
    return length2


@kernel(counts_references=False)
def make_room(active, count, most, gram, sign, weight, excess, length2, noise2):
    """Let atoms leave whose place a nearly dependent atom takes, before it joins.

    The atom of `products` and `span` grows at the expense of those in use: along ``-span`` their
    correlations stay as they are, and its own falls by ``distance2`` a unit. Where an atom in use
    vanishes before the excess of the correlation is gone, it leaves, and the search goes on. An
    atom that depends on those in use takes a place only where that lowers the penalty.

    Returns
    -------
    count : int
        Atoms in use.
    size : float
        What the new atom has grown to.
    distance2 : float
        Its squared distance to the atoms that are left: at most ``noise2 * length2`` where it
        depends on them still.
    """
    sizes, span, products = active.rows[SIZES], active.rows[SPAN], active.rows[PRODUCTS]
    zero = sizes.dtype.type(0)
    size = zero
    while True:
        distance2 = refined_squared_distance(active, count, gram, length2)
        step = sizes.dtype.type(np.inf)
        if count < most and distance2 > noise2 * length2:
            step = excess / distance2
        else:
            gain = -weight
            for u in range(count):
                gain += sign * span[u] * active.rows[WEIGHTS, u]
            if not gain > noise2:  # what seemed an excess was rounding
                return count, size, zero
        blocking = count
        for u in range(count):
            shrink = sign * span[u]
            if shrink > zero and sizes[u] < step * shrink:
                step = sizes[u] / shrink
                blocking = u
        if blocking == count:
            return count, size, distance2
        for u in range(count):
            sizes[u] = max(sizes[u] - step * sign * span[u], zero)
        size += step
        excess = max(excess - step * distance2, zero)
        remove(active, count, blocking)
        count -= 1
        products[blocking] = products[count]
        squared_distance(active, count, length2)


@kernel(counts_references=False)
def equations(active, count, level, current):
    """How far correlations in use are from their bounds, to the row `OFF`; returns the largest.

    Moves the correlations of the atoms in use out of `current` to `signed`.
    """
    atoms, signs, weights = active.atoms, active.rows[SIGNS], active.rows[WEIGHTS]
    signed, off = active.rows[SIGNED], active.rows[OFF]
    largest = current.dtype.type(0)
    for u in range(count):
        signed[u] = signs[u] * current[atoms[u]]
        off[u] = signed[u] - level * weights[u]
        largest = max(largest, abs(off[u]))
    for u in range(count):
        current[atoms[u]] = 0
    return largest


@kernel(counts_references=False)
def refine(active, count):
    """One step of iterative refinement, after `equations`."""
    base, off = active.rows[BASE], active.rows[OFF]
    for u in range(count):
        row = active.inverse[u]
        for v in range(count):
            base[v] += off[u] * row[v]


@kernel(counts_references=False)
def rebuild(active, count, gram, start):
    """Compute the inverse anew; atoms that prove dependent are dropped. Returns how many stay."""
    zero = gram.dtype.type(0)
    noise2 = rounding(gram)
    clear_inverse(active, count)
    kept = np.int64(0)
    for u in range(count):
        atom, sign = active.atoms[u], active.rows[SIGNS, u]
        size, weight = active.rows[SIZES, u], active.rows[WEIGHTS, u]
        row = gram[atom]
        length2 = row[atom]
        current_correlation(active, kept, row, start[atom])
        distance2 = squared_distance(active, kept, length2)
        if distance2 > noise2 * length2:
            insert(active, kept, atom, sign, start[atom], weight, distance2)
            active.rows[SIZES, kept] = size if size > zero else zero
            kept += 1
    clear(active, kept, count)
    return kept
