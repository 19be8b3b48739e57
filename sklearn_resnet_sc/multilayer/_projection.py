"""Codes of the deepest layer in the product of the dictionaries, and those above from them.

J. Sulam, V. Papyan, Y. Romano, M. Elad, "Multilayer convolutional sparse modeling: pursuit and
dictionary learning", IEEE Trans. Signal Processing 66 (2018), algorithm 1: the signal is
projected on the model, so that codes of all layers agree exactly.
"""

import numpy as np
from scipy import sparse

from .._parallel import run_blocks, single_threaded_blas
from ..coding import Status
from ._greedy_chain import Chain, make_scratch, pursue
from ._solution import LayerCodes
from ._stack import row_norms

_BLOCK = 256  # signals whose codes of all layers are dense at a time


def solve_projection(X, stack, demands, *, pursuit="omp", n_jobs=None, verbose=0):
    """Code signals in the effective dictionary ``C_L ... C_1``, and follow the chain up.

    Atoms of the effective dictionary, which differ in length, are compared at unit length. They
    join one by one as in orthogonal matching pursuit (or orthogonal least squares), among those
    only that leave every layer above within its count: the codes follow exactly,
    ``g_{i-1} = g_i C_i``, and only the signal has a residual. Sulam et al. stop at the first
    atom that does not fit; here the next best one that does is taken. The path ends where the
    residual is within the tolerance of layer 1, at the count of layer L, or where no atom fits
    any more.

    Where it ends short of the demands and atoms had been refused, a second path takes any atom,
    and layers above with too many codes keep the largest: their residuals are what was
    removed, which a positive tolerance may allow. Of all codes met on both paths those are
    returned that make ``sum_i max(0, ||r_i|| - epsilon_i)^2`` least, with an `epsilon_i` of 0
    where no tolerance is given; the first of them, so with the fewest atoms.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries of the synthesis model.
    demands : Demands
        Counts and tolerances.
    pursuit : {"omp", "ols"}, default="omp"
        Whether the atom of largest correlation with the residual joins, or the one that
        leaves the shortest residual.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    list of LayerCodes
        One a layer, first layer first. The status is `TOL_NOT_REACHED` in a layer whose
        residual is longer than asked for.

    Raises
    ------
    ValueError
        If the pursuit is unknown.

    Notes
    -----
    Holds the Gram matrix of the effective dictionary.
    """
    if pursuit not in ("omp", "ols"):
        raise ValueError(f'pursuit must be "omp" or "ols"; got {pursuit!r}.')
    chain = _make_chain(stack, demands)
    capacity = int(min(chain.counts[-1], *chain.atoms.shape))
    n_samples, n_layers = X.shape[0], len(stack)
    n_blocks = -(-n_samples // _BLOCK)
    parts = [[None] * n_blocks for _ in range(n_layers)]
    left = np.empty((n_samples, n_layers))
    n_iter = np.empty(n_samples, np.int32)

    def make_worker():
        scratch = make_scratch(chain, capacity)
        dense = np.empty((_BLOCK, chain.offsets[-1]), X.dtype)

        def solve(number):
            rows = slice(number * _BLOCK, min((number + 1) * _BLOCK, n_samples))
            signals = _own(X[rows])
            codes = dense[: len(signals)]
            pursue(
                chain,
                scratch,
                signals,
                signals @ chain.atoms.T,
                row_norms(signals) ** 2,
                pursuit == "ols",
                codes,
                left[rows],
                n_iter[rows],
            )
            for layer in range(n_layers):
                here = slice(chain.offsets[layer], chain.offsets[layer + 1])
                parts[layer][number] = sparse.csr_array(codes[:, here])

        return solve

    run_blocks(make_worker, n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    found = []
    for layer in range(n_layers):
        asked = demands.epsilon[layer] is not None
        missed = asked & (left[:, layer] > 0)
        status = np.where(missed, Status.TOL_NOT_REACHED, Status.DONE).astype(np.int8)
        codes = sparse.vstack(parts[layer], format="csr")
        found.append(LayerCodes(codes, n_iter.copy(), status))
    return found


def _make_chain(stack, demands):
    """The stack and the demands for the kernel."""
    effective = stack.effective[-1]
    lengths = row_norms(effective).astype(stack.dtype)
    atoms = np.ascontiguousarray(effective / np.where(lengths > 0, lengths, 1)[:, None])
    with single_threaded_blas():
        gram = atoms @ atoms.T
    inner = [sparse.csr_array(dictionary) for dictionary in stack.dictionaries[1:]]
    rows = np.concatenate([[0], *(np.diff(matrix.indptr) for matrix in inner)])
    touched_ptr, touched = _touched(inner, demands.counts(stack), stack)
    offsets = np.concatenate([[0], np.cumsum(stack.n_components)])
    return Chain(
        first=_own(stack.dictionaries[0]),
        atoms=atoms,
        gram=gram,
        lengths=lengths,
        indptr=np.cumsum(rows, dtype=np.int64),
        indices=np.concatenate([[], *(matrix.indices for matrix in inner)]).astype(np.int64),
        data=np.concatenate([[], *(matrix.data for matrix in inner)]).astype(stack.dtype),
        offsets=offsets,
        counts=np.array(demands.counts(stack), np.int64),
        limits=np.array(demands.limits, np.float64),
        touched_ptr=touched_ptr,
        touched=touched,
        layer_of=np.repeat(np.arange(len(stack)), stack.n_components),
    )


def _own(matrix):
    """Contiguous and writeable: one kind of array, one compilation."""
    return np.require(matrix, requirements=["C", "W"])


def _touched(inner, counts, stack):
    """For each atom of the deepest layer, the codes above that it makes nonzero, as CSR.

    Only those of layers in which as many atoms as are allowed may make too many. An entry of a
    product of dictionaries that cancels to rounding makes none.
    """
    n_deepest = stack.n_components[-1]
    rounding = 4 * np.finfo(stack.dtype).eps
    product = magnitude = None
    patterns = []
    for layer in range(len(stack) - 1, 0, -1):
        matrix = inner[layer - 1]
        product = matrix if product is None else product @ matrix
        magnitude = abs(matrix) if magnitude is None else magnitude @ abs(matrix)
        pattern = sparse.csr_array((abs(product) - rounding * magnitude) > 0)
        most = np.sort(np.diff(pattern.indptr))[::-1][: counts[-1]].sum()
        if most <= counts[layer - 1]:
            pattern = sparse.csr_array(pattern.shape, dtype=bool)
        patterns.insert(0, pattern)
    if not patterns:
        return np.zeros(n_deepest + 1, np.int64), np.zeros(0, np.int64)
    whole = sparse.hstack(patterns, format="csr")
    return whole.indptr.astype(np.int64), whole.indices.astype(np.int64)
