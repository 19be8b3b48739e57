"""The one driver: blocks of signals -> correlations by BLAS -> a kernel -> packed codes."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._parallel import run_blocks
from ._packing import pack, residual_norm2, scatter
from ._records import Atoms, Codes, Signals

# Correlations of a block should stay in a core's own cache until the kernel reads them.
_BLOCK_BYTES = 2**20
_MIN_BLOCK, _MAX_BLOCK = 16, 512


@dataclass
class Outcome:
    """What became of each signal; arrays of shape (n_samples,)."""

    count: np.ndarray
    n_iter: np.ndarray
    status: np.ndarray
    gap: np.ndarray
    residual_norm2: np.ndarray | None


def block_length(n_components, dtype):
    """Signals per block: a function of the problem alone, never of ``n_jobs``."""
    length = _BLOCK_BYTES // max(1, n_components * np.dtype(dtype).itemsize)
    return int(min(max(length, _MIN_BLOCK), _MAX_BLOCK))


def power_of_two(length):
    """The power of two that brings a length near one; scaling by it changes no bits."""
    limit = -np.finfo(length.dtype).minexp
    return np.ldexp(np.ones_like(length), np.clip(-np.frexp(length)[1], -limit, limit))


class Problem:
    """Signals to code in one dictionary by one algorithm: what all blocks share.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, of any dtype; read block by block.
    components : ndarray of shape (n_components, n_features)
    gram : ndarray of shape (n_components, n_components) or None
    cov : ndarray of shape (n_components, n_samples) or None
    init : ndarray of shape (n_samples, n_components) or None
        Codes to start from.
    algorithm : Algorithm
    request : Request
    tol : float
        Squared residual to reach, negative for none.
    dtype : float32 or float64
    """

    def __init__(self, X, components, gram, cov, init, algorithm, request, tol, dtype):
        self.X, self.cov, self.init, self.dtype = X, cov, init, dtype
        self.algorithm, self.tol = algorithm, tol
        self.n_samples, self.n_features = X.shape
        self.n_components = components.shape[0]
        # A dictionary far from unit scale would over- or underflow when squared.
        length = np.abs(components).max()
        self.atom_scale = dtype.type(1)
        if length > 0 and not 1e-6 < length < 1e6:
            self.atom_scale = power_of_two(length)
            components = components * self.atom_scale
            gram = None if gram is None else gram * self.atom_scale * self.atom_scale
        if gram is None:
            gram = components @ components.T if algorithm.uses_gram else np.empty((0, 0), dtype)
        self.atoms = Atoms(np.ascontiguousarray(components), np.ascontiguousarray(gram))
        self.request = request
        self.capacity = request.n_nonzero
        self.block_length = block_length(self.n_components, dtype)
        self.n_blocks = -(-self.n_samples // self.block_length)

    def rows(self, number):
        """The slice of signals that block ``number`` covers."""
        start = number * self.block_length
        return slice(start, min(start + self.block_length, self.n_samples))


class _Worker:
    """One thread's scratch, and the way of one block through it."""

    def __init__(self, problem, with_residuals):
        self.problem = problem
        length, dtype = problem.block_length, problem.dtype
        self.correlations = np.empty((length, problem.n_components), dtype)
        self.tol = np.empty(length, dtype)
        self.penalty = np.empty(length, dtype)
        self.codes = Codes(
            indices=np.empty((length, problem.capacity), np.int32),
            values=np.empty((length, problem.capacity), dtype),
            count=np.empty(length, np.int32),
            gap=np.empty(length, dtype),
            n_iter=np.empty(length, np.int32),
            status=np.empty(length, np.int8),
        )
        self.residual = np.empty(problem.n_features, dtype) if with_residuals else None

    def __call__(self, rows):
        """Code a slice of signals; returns the codes and the squared residuals, if asked for."""
        problem = self.problem
        n_rows = rows.stop - rows.start
        block, norm2, scale = _read(problem, rows)
        correlations = self.correlations[:n_rows]
        if problem.cov is None:
            np.dot(block, problem.atoms.components.T, out=correlations)
        else:
            correlations[:] = problem.cov[:, rows].T
            correlations *= problem.atom_scale
            if scale is not None:
                correlations *= scale[:, None]
        tol, penalty = self.tol[:n_rows], self.penalty[:n_rows]
        tol[:] = problem.tol
        penalty[:] = problem.atom_scale
        if scale is not None:
            penalty *= scale
            if problem.tol > 0:
                tol *= scale
                tol *= scale
        codes = Codes(*(array[:n_rows] for array in self.codes))
        codes.gap[:] = np.nan
        signals = Signals(correlations, norm2, tol, penalty, self._start(rows, scale))
        problem.algorithm.kernel(problem.atoms, signals, problem.request, codes)

        residuals = None
        if self.residual is not None:
            residuals = np.empty(n_rows, problem.dtype)
            residual_norm2(block, problem.atoms.components, codes, self.residual, residuals)
        if scale is not None:
            codes.values[:] /= scale[:, None]
            codes.gap[:] = codes.gap / scale / scale
            residuals = None if residuals is None else residuals / scale / scale
        if problem.atom_scale != 1:
            codes.values[:] *= problem.atom_scale
        return codes, residuals

    def _start(self, rows, scale):
        problem = self.problem
        if problem.init is None:
            return np.empty((0, 0), problem.dtype)
        start = np.ascontiguousarray(problem.init[rows], dtype=problem.dtype)
        if problem.atom_scale != 1:
            start = start / problem.atom_scale
        return start if scale is None else start * scale[:, None]


def _read(problem, rows):
    """A block of signals, their squared lengths, and their scales (None where all are 1).

    A signal so long or short that its square leaves the floating point range
    is scaled by a power of two, which changes none of its bits.
    """
    block = problem.X[rows].astype(problem.dtype, copy=False)
    norm2 = np.einsum("ij,ij->i", block, block)
    # float32 overflows at 3e38: leave room for squares of squared lengths.
    limit = problem.dtype.type(1e18 if problem.dtype == np.float32 else 1e150)
    odd = ~((norm2 > 1 / limit) & (norm2 < limit))
    if not odd.any():
        return block, norm2, None
    length = np.abs(block[odd]).max(axis=1)
    if not length.any():
        return block, norm2, None
    if not np.isfinite(length).all():
        row = rows.start + int(np.flatnonzero(odd)[~np.isfinite(length)][0])
        raise ValueError(
            f"Input X contains NaN or infinity, first in row {row}. "
            "Remove or impute such samples before coding."
        )
    scale = np.ones(norm2.size, problem.dtype)
    scale[odd] = np.where(length > 0, power_of_two(length), 1)
    block = block * scale[:, None]
    return block, np.einsum("ij,ij->i", block, block), scale


def encode(problem, *, sparse_output, with_residuals, n_jobs, verbose):
    """Code all signals of a problem.

    Returns
    -------
    code : ndarray or CSR of shape (n_samples, n_components)
    outcome : Outcome
    """
    n_samples, n_components = problem.n_samples, problem.n_components
    outcome = Outcome(
        count=np.zeros(n_samples, np.int32),
        n_iter=np.zeros(n_samples, np.int32),
        status=np.zeros(n_samples, np.int8),
        gap=np.empty(n_samples, problem.dtype),
        residual_norm2=np.empty(n_samples, problem.dtype) if with_residuals else None,
    )
    dense = None if sparse_output else np.zeros((n_samples, n_components), problem.dtype)
    packed = [None] * problem.n_blocks

    def make_worker():
        worker = _Worker(problem, with_residuals)

        def code_block(number):
            rows = problem.rows(number)
            codes, residuals = worker(rows)
            outcome.count[rows] = codes.count
            outcome.n_iter[rows] = codes.n_iter
            outcome.status[rows] = codes.status
            outcome.gap[rows] = codes.gap
            if with_residuals:
                outcome.residual_norm2[rows] = residuals
            if dense is not None:
                scatter(codes, dense[rows])
                return
            size = int(codes.count.sum())
            packed[number] = np.empty(size, np.int32), np.empty(size, problem.dtype)
            pack(codes, *packed[number])

        return code_block

    run_blocks(make_worker, problem.n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    if dense is not None:
        return dense, outcome
    return _csr(packed, outcome.count, n_components), outcome


def _csr(packed, count, n_components):
    """Join the packed blocks; the container follows scikit-learn's configuration."""
    from sklearn import get_config

    indptr = np.zeros(count.size + 1, np.int64)
    np.cumsum(count, out=indptr[1:])
    indices = np.concatenate([block[0] for block in packed])
    values = np.concatenate([block[1] for block in packed])
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    else:
        indices = indices.astype(np.int64)
    wanted = get_config().get("sparse_interface", "spmatrix")
    container = sparse.csr_array if wanted == "sparray" else sparse.csr_matrix
    return container((values, indices, indptr), shape=(count.size, n_components))
