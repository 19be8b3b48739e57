"""Supports to start from: codes of one layer of the stack, carried up the chain and on down it."""

import numpy as np
from scipy import sparse

from .._jit import kernel
from ..coding import sparse_encode


def start_supports(X, stack, demands, n_jobs=None):
    """Supports of all layers together, one CSR matrix of shape (n_samples, n_atoms) a start.

    For every layer: orthogonal least squares in the effective dictionary of that layer, from
    there up the chain ``g_{i-1} = g_i C_i`` (thresholded to what is asked of each layer), and on
    down by orthogonal least squares in each dictionary. The first start is so the layered
    pursuit, the last the projection of Sulam et al. (2018). One more begins with nothing.
    """
    starts = []
    for deepest in range(len(stack)):
        longest = demands.epsilon[0]
        if longest is None:
            longest = demands.epsilon[deepest]
        codes = [_code(X, stack.effective[deepest], demands.n_nonzero[deepest], longest, n_jobs)]
        for layer in range(deepest, 0, -1):
            above = sparse.csr_array(codes[0] @ stack.dictionaries[layer])
            count, limit = demands.n_nonzero[layer - 1], demands.limits[layer]
            codes.insert(0, _threshold(above, count, limit))
        for layer in range(deepest + 1, len(stack)):
            codes.append(
                _code(
                    codes[-1],
                    stack.dictionaries[layer],
                    demands.n_nonzero[layer],
                    demands.epsilon[layer],
                    n_jobs,
                )
            )
        starts.append(sparse.hstack([sparse.csr_array(code) for code in codes], format="csr"))
    starts.append(sparse.csr_array(starts[0].shape, dtype=starts[0].dtype))
    return starts


def _code(X, dictionary, count, longest, n_jobs):
    """Codes of so many atoms, or where that is not asked, of as many as reach the tolerance."""
    codes, _ = sparse_encode(
        X,
        dictionary,
        algorithm="ols",
        n_nonzero_coefs=count,
        tol=None if count is not None else longest**2,
        n_jobs=n_jobs,
        check_input=False,
        sparse_output=True,
        return_diagnostics=True,
    )
    return codes


def _threshold(codes, count, limit):
    """The largest entries of each row: so many, or all but a rest no longer than the limit."""
    codes.sum_duplicates()
    rows = np.repeat(np.arange(codes.shape[0]), np.diff(codes.indptr))
    sizes = np.abs(codes.data)
    order = np.lexsort((-sizes, rows))
    most = codes.shape[1] if count is None else count
    keep = np.zeros(codes.nnz, dtype=bool)
    # A count leaves no say to the limit.
    _mark_largest(codes.indptr, order, sizes, most, limit if count is None else 0.0, keep)
    codes.data[~keep] = 0
    codes.eliminate_zeros()
    return codes


@kernel
def _mark_largest(indptr, order, sizes, most, limit, keep):
    for i in range(indptr.size - 1):
        rest = 0.0
        for place in range(indptr[i + 1] - 1, indptr[i] - 1, -1):
            size = np.float64(sizes[order[place]])
            rest += size * size
            keep[order[place]] = place - indptr[i] < most and size > 0 and rest > limit * limit
