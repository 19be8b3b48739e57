"""Orthonormalised Gram rows: what greedy pursuits grow instead of a triangular factor.

Let ``S`` be the atoms chosen so far, ``q_1, ..., q_t`` the orthonormal basis of
their span that Gram-Schmidt gives, in the order of choice. Row ``t`` of
``basis_rows`` holds the inner products of ``q_t`` with *every* atom. Then the
correlations of all atoms with the residual lose ``z_t * basis_rows[t]`` at step
``t``, and the Cholesky factor of the chosen atoms is read off the columns of
``basis_rows``: no triangular system is solved on the way.
"""

import numpy as np

from .._jit import kernel


@kernel(counts_references=False)
def squared_distance(gram, basis_rows, n_chosen, atom, factor):
    """Squared distance of an atom to the span of those chosen; fills its row of ``factor``."""
    distance2 = gram[atom, atom]
    for u in range(n_chosen):
        along = basis_rows[u, atom]
        factor[n_chosen, u] = along
        distance2 -= along * along
    return distance2


@kernel(counts_references=False)
def orthogonal_part(gram_row, basis_rows, n_chosen, along):
    """Fill row ``n_chosen`` with a Gram row less its part along the rows before, unscaled.

    Up to four rows are taken off at a time. A loop that may read and write the
    same row through two names would not be vectorised, hence the cases.
    """
    row = basis_rows[n_chosen]
    size = row.size
    u = n_chosen % 4
    if n_chosen == 0:
        for j in range(size):
            row[j] = gram_row[j]
    elif u == 1:
        a, row_a = along[0], basis_rows[0]
        for j in range(size):
            row[j] = gram_row[j] - a * row_a[j]
    elif u == 2:
        a, row_a = along[0], basis_rows[0]
        b, row_b = along[1], basis_rows[1]
        for j in range(size):
            row[j] = gram_row[j] - a * row_a[j] - b * row_b[j]
    elif u == 3:
        a, row_a = along[0], basis_rows[0]
        b, row_b = along[1], basis_rows[1]
        c, row_c = along[2], basis_rows[2]
        for j in range(size):
            row[j] = gram_row[j] - a * row_a[j] - b * row_b[j] - c * row_c[j]
    else:
        u = 4
        a, row_a = along[0], basis_rows[0]
        b, row_b = along[1], basis_rows[1]
        c, row_c = along[2], basis_rows[2]
        d, row_d = along[3], basis_rows[3]
        for j in range(size):
            row[j] = gram_row[j] - a * row_a[j] - b * row_b[j] - c * row_c[j] - d * row_d[j]
    while u < n_chosen:
        a, row_a = along[u], basis_rows[u]
        b, row_b = along[u + 1], basis_rows[u + 1]
        c, row_c = along[u + 2], basis_rows[u + 2]
        d, row_d = along[u + 3], basis_rows[u + 3]
        for j in range(size):
            row[j] -= a * row_a[j] + b * row_b[j] + c * row_c[j] + d * row_d[j]
        u += 4


@kernel(counts_references=False)
def solve_codes(factor, projections, n_chosen, values):
    """Codes of the chosen atoms from the projections on the orthonormal basis.

    ``factor`` is the Cholesky factor of the chosen atoms' Gram matrix, lower
    triangular, with the *reciprocals* of its diagonal on the diagonal.
    """
    for u in range(n_chosen - 1, -1, -1):
        total = projections[u]
        for v in range(u + 1, n_chosen):
            total -= factor[v, u] * values[v]
        values[u] = total * factor[u, u]


@kernel(counts_references=False)
def sort_code(indices, values, count):
    """Insertion sort by atom: codes are short, and CSR rows are ascending."""
    for u in range(1, count):
        index, value = indices[u], values[u]
        v = u - 1
        while v >= 0 and indices[v] > index:
            indices[v + 1] = indices[v]
            values[v + 1] = values[v]
            v -= 1
        indices[v + 1] = index
        values[v + 1] = value


@kernel(counts_references=False)
def rounding(array):
    """Unit roundoff of an array's dtype times 64: below it, inner products are noise."""
    return array.dtype.type(64 * np.finfo(array.dtype).eps)
