"""The one driver: blocks of signals -> correlations by BLAS -> a kernel -> packed codes."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn import get_config

from .._parallel import run_blocks
from ._diagnostics import message_of
from ._masked import MaskedWorker
from ._packing import pack, rescale, residual_norm2, scatter
from ._records import Codes, Signals, Status


@dataclass
class Outcome:
    """What became of each signal; arrays of shape (n_samples,)."""

    count: np.ndarray
    n_iter: np.ndarray
    status: np.ndarray
    gap: np.ndarray
    residual_norm2: np.ndarray | None

    @property
    def message(self):
        """What a warning would say; empty if nothing."""
        return message_of(self)

    @classmethod
    def empty(cls, n_samples, dtype, with_residuals):
        """Outcomes to be filled block by block."""
        return cls(
            count=np.zeros(n_samples, np.int32),
            n_iter=np.zeros(n_samples, np.int32),
            status=np.zeros(n_samples, np.int8),
            gap=np.empty(n_samples, dtype),
            residual_norm2=np.empty(n_samples, dtype) if with_residuals else None,
        )

    def put(self, rows, codes, residuals):
        """Fill in one block."""
        self.count[rows] = codes.count
        self.n_iter[rows] = codes.n_iter
        self.status[rows] = codes.status
        self.gap[rows] = codes.gap
        if self.residual_norm2 is not None:
            self.residual_norm2[rows] = residuals


class _Worker:
    """One thread's scratch, and the way of one block through it."""

    def __init__(self, problem, with_residuals):
        self.problem = problem
        length, dtype, capacity = problem.block_length, problem.dtype, problem.request.n_nonzero
        self.correlations = np.empty((length, problem.n_components), dtype)
        self.tol = np.empty(length, dtype)
        self.penalty = np.empty(length, dtype)
        self.codes = Codes(
            indices=np.empty((length, capacity), np.int32),
            values=np.empty((length, capacity), dtype),
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
        block, norm2, scale = problem.read(rows)
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
        with np.errstate(over="ignore"):
            penalty /= problem.weight_scale
        if scale is not None:
            # For signals far below their bounds any large number serves; finite, because a
            # weight may be zero.
            with np.errstate(over="ignore"):
                penalty *= scale
                np.minimum(penalty, np.finfo(penalty.dtype).max, out=penalty)
                if problem.tol > 0:
                    tol *= scale
                    tol *= scale
        codes = Codes(*(array[:n_rows] for array in self.codes))
        codes.gap[:] = np.nan
        signals = Signals(correlations, norm2, tol, penalty, problem.start(rows, scale))
        if problem.without_gram:
            pursue = problem.algorithm.without_gram
            pursue(problem.atoms, block, signals, problem.request, codes)
        else:
            kernel = problem.algorithm.kernel_for(problem.request.positive)
            kernel(problem.atoms, signals, problem.request, codes)

        residuals = None
        if self.residual is not None:
            residuals = np.empty(n_rows, problem.dtype)
            residual_norm2(block, problem.atoms.components, codes, self.residual, residuals)
        atom_scale = problem.atom_scale
        if problem.algorithm.codes_are_correlations:  # they grow with the atoms
            atom_scale = 1 / atom_scale
        if scale is not None:
            rescale(codes, scale, atom_scale)
            if residuals is not None:
                # Infinity is right for the square of a residual beyond the floating point range.
                with np.errstate(over="ignore"):
                    residuals = residuals / scale / scale
        elif atom_scale != 1:
            rescale(codes, np.ones(n_rows, problem.dtype), atom_scale)
        return codes, residuals


def encode(problem, *, sparse_output, with_residuals, n_jobs, verbose):
    """Code all signals of a problem.

    Returns
    -------
    code : ndarray or CSR of shape (n_samples, n_components)
    outcome : Outcome
    """
    n_samples, n_components = problem.n_samples, problem.n_components
    outcome = Outcome.empty(n_samples, problem.dtype, with_residuals)
    dense = None if sparse_output else np.zeros((n_samples, n_components), problem.dtype)
    packed = [None] * problem.n_blocks

    def make_worker():
        worker = _Worker(problem, with_residuals)
        if problem.missing:
            worker = MaskedWorker(worker, lambda part: _Worker(part, with_residuals))

        def code_block(number):
            rows = problem.rows(number)
            codes, residuals = worker(rows)
            outcome.put(rows, codes, residuals)
            if dense is not None:
                scatter(codes, dense[rows])
                return
            size = int(codes.count.sum())
            packed[number] = np.empty(size, np.int32), np.empty(size, problem.dtype)
            pack(codes, *packed[number])

        return code_block

    run_blocks(make_worker, problem.n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    if problem.tol < 0:
        # A solver that is exact to rounding may miss that by a little and be good enough.
        good = (outcome.status == Status.MAX_ITER) & (outcome.gap <= problem.request.gap_tol)
        outcome.status[good] = Status.DONE
    if dense is not None:
        return dense, outcome
    return _csr(packed, outcome.count, n_components), outcome


def _csr(packed, count, n_components):
    """Join the packed blocks; the container follows scikit-learn's configuration."""
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
