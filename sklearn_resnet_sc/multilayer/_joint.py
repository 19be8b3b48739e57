"""Sparse codes of all layers at once: the l0 problem of the synthesis model.

Minimised is ``F = 1/2 sum_i max(0, ||g_{i-1} - g_i C_i|| - epsilon_i)^2`` under the counts. All
layers together are one sparse coding problem with a count for every part of the atoms
(`_joint_system`). Its supports are searched by exchanges of single atoms, in whatever layer helps
most (`_joint_search`, `_joint_balls`), the codes of every layer being the best of their supports
(`_joint_refit`); from the layered pursuit, the projection and others (`_joint_starts`). Layers
with a tolerance alone end with few atoms (`_joint_reduce`).
"""

import itertools
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .._jit import kernel
from .._parallel import run_blocks
from ..coding import Status
from ._joint_balls import search_balls
from ._joint_reduce import reduce_atoms
from ._joint_refit import refit_codes
from ._joint_search import make_search, search_least_squares
from ._joint_starts import start_supports
from ._joint_system import inner_kernel, make_system
from ._solution import LayerCodes

_BLOCK = 64
_LAST_STEPS = np.int64(100)  # of Newton
_DONE, _TOL_NOT_REACHED = int(Status.DONE), int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)


@inner_kernel
def _correlate(system, signal, correlations):
    """Inner products of all atoms with the signal, and its squared length."""
    norm2 = 0.0
    for j in range(signal.size):
        norm2 += np.float64(signal[j]) * signal[j]
    for atom in range(correlations.size):
        total = signal.dtype.type(0)
        if system.layer[atom] == 0:
            begin = atom * signal.size
            for j in range(signal.size):
                total += system.dictionaries[begin + j] * signal[j]
        correlations[atom] = total
    return norm2


@inner_kernel
def _improve(system, search, signal, count, correlations, norm2, enough, max_iter, turn):
    """From the support in the tableau to the best one near it; returns size, F and rounds."""
    rounds = 0
    exact = system.limits.max() == 0
    # With tolerances, short residuals are a step on the way of two of the starts: from all of
    # them it would often lead to the same support.
    if system.free < 0 and (exact or turn == 0 or count == 0):
        count, value, rounds = search_least_squares(
            system, search, count, correlations, norm2, max_iter, turn
        )
        if exact:
            return count, 0.5 * value, rounds
        for u in range(count):
            search.tableau.members[u] = search.best_members[u]
    count, value, more = search_balls(
        system, search, signal, count, correlations, enough, max_iter, turn
    )
    rounds = max(rounds, more)
    if system.free >= 0 and value <= enough:
        count, more = reduce_atoms(
            system, search, signal, count, correlations, enough, max_iter, turn
        )
        rounds += more
    return count, value, rounds


@inner_kernel
def _drop_rounding(search, count, noise):
    """Strike atoms off the best support whose part in the residuals is rounding."""
    kept = 0
    for u in range(count):
        atom, value = search.best_members[u], search.best_values[u]
        if value * value * search.tableau.lengths[atom] > noise:
            search.best_members[kept], search.best_values[kept] = atom, value
            kept += 1
    return kept


@kernel
def _solve_block(system, search, signals, indptr, indices, max_iter, correlations, found):
    """The best codes that any start leads to, for a block of signals."""
    rounding = 16 * np.finfo(signals.dtype).eps
    asked = system.limits.max() > 0 or system.free >= 0
    for i in range(signals.shape[0]):
        signal = signals[i]
        norm2 = _correlate(system, signal, correlations)
        noise = rounding * rounding * norm2
        enough = max(0.5e-20 * norm2, 0.5 * noise)
        least = np.inf
        found.n_iter[i] = found.count[i] = 0
        for start in range(indptr.shape[0]):
            count = np.int64(0)
            for place in range(indptr[start, i], indptr[start, i + 1]):
                search.tableau.members[count] = indices[place]
                count += 1
            count, value, rounds = _improve(
                system, search, signal, count, correlations, norm2, enough, max_iter, start
            )
            found.n_iter[i] += rounds
            members, values = search.best_members, search.best_values
            # Twice: without what is only rounding the codes are those of the others alone.
            for _ in range(2):
                value = refit_codes(
                    system, signal, members, count, values, search.refit, _LAST_STEPS, 0.0
                )
                count = _drop_rounding(search, count, noise)
            value = value if value > enough else 0.0
            if value < least or (value == least and count < found.count[i]):
                least = value
                found.count[i] = count
                for u in range(count):
                    found.members[i, u] = members[u]
                    found.values[i, u] = values[u]
                found.status[i] = _DONE
                if rounds >= max_iter and value > 0:
                    found.status[i] = _MAX_ITER
            if least == 0 and system.free < 0:
                break
        if asked and least > 0 and found.status[i] == _DONE:
            found.status[i] = _TOL_NOT_REACHED


class _Found(NamedTuple):
    """Codes of a block as lists of atoms, and how each signal ended."""

    members: np.ndarray  # (n_signals, capacity)
    values: np.ndarray  # (n_signals, capacity) float64
    count: np.ndarray  # (n_signals,)
    n_iter: np.ndarray
    status: np.ndarray


def solve_joint(X, stack, demands, *, max_iter=100, n_jobs=None, verbose=0):
    """Codes of all layers at once that make F small under the counts.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries of the synthesis model.
    demands : Demands
        Counts and tolerances. F measures the distance of the residuals of all layers from their
        tolerances, and is plain least squares where there are none. Layers with a tolerance and
        no count get few atoms.
    max_iter : int, default=100
        Most rounds of exchanges from each start; the search ends earlier where many rounds in
        turn find nothing better, or F is 0.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    list of LayerCodes
        Codes of each layer. ``n_iter`` counts the rounds from all starts; a status says whether
        tolerances were reached, or whether the search would have gone on.

    Notes
    -----
    The problem is NP-hard already for one layer; what is returned is the best of several local
    searches. On tiny problems that is mostly the optimum, as the tests report.
    """
    system = make_system(stack, demands)
    starts = start_supports(X, stack, demands, n_jobs)
    n_samples, n_atoms = X.shape[0], system.layer.size
    capacity = int(min(system.budget.sum(), n_atoms))
    indices = np.concatenate([start.indices for start in starts]).astype(np.int64)
    shifts = np.cumsum([0, *(start.nnz for start in starts)])
    indptr = np.array([start.indptr + shift for start, shift in zip(starts, shifts, strict=False)])
    indptr = indptr.astype(np.int64)
    n_blocks = -(-n_samples // _BLOCK)
    packed = [None] * n_blocks

    def make_worker():
        own = system._replace(budget=system.budget.copy())  # a kernel changes it meanwhile
        search = make_search(own, capacity)
        correlations = np.empty(n_atoms, X.dtype)
        found = _Found(
            np.empty((_BLOCK, capacity), np.int64),
            np.empty((_BLOCK, capacity)),
            *np.empty((2, _BLOCK), np.int64),
            np.empty(_BLOCK, np.int8),
        )

        def solve(number):
            rows = slice(number * _BLOCK, min((number + 1) * _BLOCK, n_samples))
            signals = np.ascontiguousarray(X[rows])
            starts_here = np.ascontiguousarray(indptr[:, rows.start : rows.stop + 1])
            _solve_block(own, search, signals, starts_here, indices, max_iter, correlations, found)
            packed[number] = _pack(found, len(signals), n_atoms, X.dtype)

        return solve

    run_blocks(make_worker, n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    codes = sparse.vstack([block[0] for block in packed], format="csr")
    n_iter, status = (np.concatenate([block[i] for block in packed]) for i in (1, 2))
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
