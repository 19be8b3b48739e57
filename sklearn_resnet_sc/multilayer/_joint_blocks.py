"""Around the solvers of the joint l0 problem: starts, blocks of signals over threads, results."""

import itertools
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._parallel import run_blocks
from ..coding import Status
from ._joint_refit import refit_codes
from ._joint_starts import start_supports
from ._joint_system import inner_kernel, make_system
from ._solution import LayerCodes

_LAST_STEPS = np.int64(100)  # of Newton
_DONE = int(Status.DONE)


class Supports(NamedTuple):
    """Atoms to start from; those of start ``s``, signal ``i`` begin at ``indptr[s, i]``."""

    indptr: np.ndarray  # (n_starts, n_signals + 1)
    indices: np.ndarray


class Found(NamedTuple):
    """The best codes met of a block as lists of atoms, and how each signal ended."""

    members: np.ndarray  # (n_signals, capacity)
    values: np.ndarray  # (n_signals, capacity) float64
    count: np.ndarray  # (n_signals,)
    least: np.ndarray  # (n_signals,) F; infinite at first
    n_iter: np.ndarray
    status: np.ndarray


@inner_kernel
def rounding_of(signal):
    """Squared residual that counts as rounding, and F that counts as 0."""
    norm2 = 0.0
    for j in range(signal.size):
        norm2 += np.float64(signal[j]) * signal[j]
    unit = 16 * np.float64(np.finfo(signal.dtype).eps)
    noise = unit * unit * norm2
    return noise, max(0.5e-20 * norm2, 0.5 * noise)


@inner_kernel
def finish(system, signal, members, values, count, refit, status, found, i):
    """The best codes of a support, noted as those of signal ``i`` where none met are better."""
    noise, enough = rounding_of(signal)
    value = 0.0
    # Twice: without what is only rounding the codes are those of the others alone.
    for _ in range(2):
        value = refit_codes(system, signal, members, count, values, refit, _LAST_STEPS, 0.0)
        kept = 0
        for u in range(count):
            if values[u] * values[u] * system.lengths[members[u]] > noise:
                members[kept], values[kept] = members[u], values[u]
                kept += 1
        count = kept
    value = value if value > enough else 0.0
    if value < found.least[i] or (value == found.least[i] and count < found.count[i]):
        found.least[i], found.count[i] = value, count
        found.status[i] = status if value > 0 else _DONE
        for u in range(count):
            found.members[i, u] = members[u]
            found.values[i, u] = values[u]


def solve_blocks(X, stack, demands, make_solver, *, block, n_jobs, verbose):
    """Codes of all layers by a solver that works from several starts.

    Parameters
    ----------
    X, stack, demands
        As in `solve_joint`.
    make_solver : callable
        Called once on each thread with the `System` and the most atoms of a signal; returns a
        function of signals, the `Supports` to start from, and the `Found` to fill.
    block : int
        Signals at a time.
    n_jobs, verbose
        As in `run_blocks`.

    Returns
    -------
    list of LayerCodes
        Codes of each layer. A status is `TOL_NOT_REACHED` where F is not 0 although tolerances
        are given, and the solver did not end before its time.
    """
    system = make_system(stack, demands)
    starts = start_supports(X, stack, demands, n_jobs)
    n_samples, n_atoms = X.shape[0], system.layer.size
    capacity = int(min(system.budget.sum(), n_atoms))
    indices = np.concatenate([start.indices for start in starts]).astype(np.int64)
    shifts = np.cumsum([0, *(start.nnz for start in starts)])
    indptr = np.array([start.indptr + shift for start, shift in zip(starts, shifts, strict=False)])
    indptr = indptr.astype(np.int64)
    asked = not system.squares or system.free >= 0
    n_blocks = -(-n_samples // block)
    packed = [None] * n_blocks

    def make_worker():
        solver = make_solver(system, capacity)
        found = Found(
            np.empty((block, capacity), np.int64),
            np.empty((block, capacity)),
            np.empty(block, np.int64),
            np.empty(block),
            np.empty(block, np.int64),
            np.empty(block, np.int8),
        )

        def solve(number):
            rows = slice(number * block, min((number + 1) * block, n_samples))
            signals = np.ascontiguousarray(X[rows])
            supports = np.ascontiguousarray(indptr[:, rows.start : rows.stop + 1])
            found.count[:] = found.n_iter[:] = 0
            found.least[:] = np.inf
            solver(signals, Supports(supports, indices), found)
            if asked:
                missed = (found.least > 0) & (found.status == Status.DONE)
                found.status[missed] = Status.TOL_NOT_REACHED
            packed[number] = _pack(found, len(signals), n_atoms, X.dtype)

        return solve

    run_blocks(make_worker, n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    codes = sparse.vstack([part[0] for part in packed], format="csr")
    n_iter, status = (np.concatenate([part[i] for part in packed]) for i in (1, 2))
    return [
        LayerCodes(sparse.csr_array(codes[:, begin:end]), n_iter, status)
        for begin, end in itertools.pairwise(system.first)
    ]


def _pack(found, n_signals, n_atoms, dtype):
    """A block as CSR over the atoms of all layers, rounds and statuses."""
    count = found.count[:n_signals]
    inside = np.arange(found.members.shape[1]) < count[:, None]
    rows = np.repeat(np.arange(n_signals), count)
    values = found.values[:n_signals][inside].astype(dtype)
    codes = sparse.csr_array(
        (values, (rows, found.members[:n_signals][inside])), shape=(n_signals, n_atoms)
    )
    codes.eliminate_zeros()
    n_iter = found.n_iter[:n_signals].astype(np.int32)
    return codes, n_iter, found.status[:n_signals].copy()
