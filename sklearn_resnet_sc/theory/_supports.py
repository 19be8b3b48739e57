"""Codes by their supports: what many signals share is computed once."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._parallel import run_blocks
from ._layers import as_layers

# Codes whose products with the dictionary are held at a time, by entries of float64.
_ENTRIES = 1 << 18


def check_codes(codes, name, n_components):
    """Codes as CSR, float32 or float64, without stored zeros and with sorted indices."""
    if sparse.issparse(codes):
        if codes.dtype.kind not in "biuf":
            raise ValueError(f"{name} must hold real numbers; got dtype {codes.dtype}")
        matrix = sparse.csr_array(codes, copy=True)
    else:
        dense = np.asarray(codes)
        if dense.dtype.kind not in "biuf" or dense.ndim != 2:
            raise ValueError(
                f"{name} must be a matrix of real numbers with one row a signal; got shape "
                f"{dense.shape} and dtype {dense.dtype}"
            )
        matrix = sparse.csr_array(dense)
    if matrix.dtype != np.float32:
        matrix = matrix.astype(np.float64, copy=False)
    if matrix.shape[0] == 0 or matrix.shape[1] != n_components:
        raise ValueError(
            f"{name} must have at least one row and {n_components} columns, one an atom; got "
            f"shape {matrix.shape}"
        )
    if not np.isfinite(matrix.data).all():
        raise ValueError(f"{name} must be finite; it contains NaN or infinity")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def check_all_codes(codes, stack):
    codes = as_layers(codes, "codes")
    if len(codes) != len(stack):
        raise ValueError(f"codes must hold one matrix a layer, {len(stack)}; got {len(codes)}")
    names = ["codes"] if len(stack) == 1 else [f"codes[{i}]" for i in range(len(stack))]
    codes = [check_codes(c, name, len(d)) for c, name, d in zip(codes, names, stack, strict=True)]
    for name, code in zip(names, codes, strict=True):
        if code.shape[0] != codes[0].shape[0]:
            raise ValueError(
                f"{name} must have as many rows as {names[0]}, {codes[0].shape[0]}; got "
                f"{code.shape[0]}"
            )
    return codes


def row_lengths(matrix):
    """Euclidean length of each row; no square leaves the range of floats."""
    peak = np.abs(matrix).max(axis=1, keepdims=True)
    return peak[:, 0] * np.linalg.norm(matrix / np.where(peak > 0, peak, 1), axis=1)


@dataclass
class SizeGroup:
    """All codes with the same number of non-zeros."""

    n_nonzero: int
    rows: np.ndarray  # (m,) which signals
    atoms: np.ndarray  # (m, n_nonzero) their atoms, ascending
    values: np.ndarray  # (m, n_nonzero) the coefficients, float64


def groups_by_size(codes):
    """Yield the codes of each size; the empty ones are left out."""
    counts = np.diff(codes.indptr)
    for size in np.unique(counts[counts > 0]):
        rows = np.flatnonzero(counts == size)
        place = codes.indptr[rows][:, None] + np.arange(size)
        yield SizeGroup(
            n_nonzero=int(size),
            rows=rows,
            atoms=codes.indices[place],
            values=codes.data[place].astype(np.float64),
        )


def over_blocks(work, count, entries_each, n_jobs):
    """Call ``work(slice)`` for blocks of items so short that a block of arrays stays small.

    The blocks do not depend on `n_jobs`, and nor does what is computed.
    """
    step = max(1, _ENTRIES // max(1, entries_each))
    run_blocks(
        lambda: lambda number: work(slice(number * step, min((number + 1) * step, count))),
        -(-count // step),
        n_jobs=n_jobs,
    )


@dataclass
class SupportGeometry:
    """What is certain of each of several supports of one size."""

    sigma_min: np.ndarray  # certified: 0 where the atoms may be dependent
    exact_recovery: np.ndarray  # max ||D_T^+ d_j||_1 over j outside; infinite if dependent


def support_geometry(atoms, lengths, supports, rtol, n_jobs, *, recovery=True):
    """Smallest singular value and exact recovery coefficient of each row of `supports`."""
    distinct, inverse = np.unique(supports, axis=0, return_inverse=True)
    inverse = inverse.reshape(-1)
    n_supports, size = distinct.shape
    sigma = np.zeros(n_supports)
    leak = np.full(n_supports, math.inf)

    def work(block):
        chosen = distinct[block]
        inside = atoms[chosen]
        gram = inside @ inside.swapaxes(1, 2)
        sigma[block] = _smallest_singular_values(inside, gram, rtol)
        if recovery:
            leak[block] = _recovery_coefficients(atoms, lengths, chosen, inside, gram, sigma[block])

    if size <= atoms.shape[1]:
        over_blocks(work, n_supports, size * (len(atoms) if recovery else atoms.shape[1]), n_jobs)
    return SupportGeometry(sigma_min=sigma[inverse], exact_recovery=leak[inverse])


def _smallest_singular_values(inside, gram, rtol):
    """Lower bounds, by eigenvalues where they are accurate enough and else by an SVD."""
    eigenvalues = np.linalg.eigvalsh(gram)
    largest = eigenvalues[:, -1]
    working = max(inside.shape[1:]) * float(np.finfo(np.float64).eps)
    least = np.sqrt(np.maximum(eigenvalues[:, 0] - 4 * working * largest, 0))
    least -= rtol * np.sqrt(largest)
    # Squaring costs half of the digits, which only supports near to dependent need.
    doubtful = np.flatnonzero(eigenvalues[:, 0] < 1e-4 * largest)
    if doubtful.size:
        sigma = np.linalg.svd(inside[doubtful], compute_uv=False)
        least[doubtful] = sigma[:, -1] - (rtol + working) * sigma[:, 0]
    return np.maximum(least, 0)


def _recovery_coefficients(atoms, lengths, chosen, inside, gram, sigma):
    coefficient = np.full(len(chosen), math.inf)
    regular = np.flatnonzero(sigma > 0)
    if regular.size == 0:
        return coefficient
    chosen, inside, gram = chosen[regular], inside[regular], gram[regular]
    size = chosen.shape[1]
    products = (inside.reshape(-1, inside.shape[2]) @ atoms.T).reshape(len(chosen), size, -1)
    shares = np.linalg.inv(gram) @ products
    sums = np.abs(shares, out=shares).sum(axis=1)
    np.put_along_axis(sums, chosen, 0, axis=1)
    # As uncertain as the inverse: the condition number of the Gram matrix times the precision.
    working = max(inside.shape[1:]) * float(np.finfo(np.float64).eps)
    condition = np.square(lengths[chosen]).sum(axis=1) / np.square(sigma[regular])
    coefficient[regular] = sums.max(axis=1) * (1 + working * condition)
    return coefficient
