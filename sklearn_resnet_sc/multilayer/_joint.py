"""Sparse codes of all layers at once: the l0 problem of the synthesis model.

Minimised is ``F = 1/2 sum_i max(0, ||g_{i-1} - g_i C_i|| - epsilon_i)^2`` under the counts. All
layers together are one sparse coding problem with a count for every part of the atoms
(`_joint_system`). Its supports are searched by exchanges of single atoms, in whatever layer helps
most (`_joint_search`, `_joint_balls`), the codes of every layer being the best of their supports
(`_joint_refit`); from the layered pursuit, the projection and others (`_joint_starts`). Layers
with a tolerance alone end with few atoms (`_joint_reduce`).
"""

import numpy as np

from .._jit import kernel
from ..coding import Status
from ._joint_blocks import finish, rounding_of, solve_blocks
from ._joint_reduce import reduce_atoms
from ._joint_search import make_search, search_exchanges
from ._joint_system import inner_kernel

_BLOCK = 64
_DONE, _MAX_ITER = int(Status.DONE), int(Status.MAX_ITER)


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
    """From the support in the tableau to the best one near it; returns size and rounds."""
    rounds, value = 0, 0.0
    # With tolerances, short residuals are a step on the way of two of the starts: from all of
    # them it would often lead to the same support.
    squares = system.free < 0 and (system.squares or turn == 0 or count == 0)
    while True:
        count, value, more = search_exchanges(
            system, search, signal, count, correlations, norm2, squares, enough, max_iter, turn
        )
        rounds = max(rounds, more)
        if system.squares or not squares:
            break
        squares = False
        for u in range(count):
            search.tableau.members[u] = search.best_members[u]
    if system.free >= 0 and value <= enough:
        count, more = reduce_atoms(
            system, search, signal, count, correlations, norm2, enough, max_iter, turn
        )
        rounds += more
    return count, rounds


@kernel
def _solve_block(system, search, signals, starts, max_iter, correlations, found):
    """The best codes that any start leads to, for a block of signals."""
    for i in range(signals.shape[0]):
        signal = signals[i]
        norm2 = _correlate(system, signal, correlations)
        _, enough = rounding_of(signal)
        for start in range(starts.indptr.shape[0]):
            count = np.int64(0)
            for place in range(starts.indptr[start, i], starts.indptr[start, i + 1]):
                search.tableau.members[count] = starts.indices[place]
                count += 1
            count, rounds = _improve(
                system, search, signal, count, correlations, norm2, enough, max_iter, start
            )
            found.n_iter[i] += rounds
            status = _MAX_ITER if rounds >= max_iter else _DONE
            members, values = search.best_members, search.best_values
            finish(system, signal, members, values, count, search.refit, status, found, i)
            if found.least[i] == 0 and system.free < 0:
                break


def solve_joint(X, stack, demands, *, max_iter=200, n_jobs=None, verbose=0):
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
    max_iter : int, default=200
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

    def make_solver(system, capacity):
        own = system._replace(budget=system.budget.copy())  # a kernel changes it meanwhile
        search = make_search(own, capacity)
        correlations = np.empty(system.layer.size, X.dtype)

        def solve(signals, starts, found):
            _solve_block(own, search, signals, starts, max_iter, correlations, found)

        return solve

    options = {"block": _BLOCK, "n_jobs": n_jobs, "verbose": verbose}
    return solve_blocks(X, stack, demands, make_solver, **options)
