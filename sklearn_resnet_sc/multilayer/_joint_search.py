"""Exchanges of single atoms: down to a local optimum, and a bounded way beyond it.

The best exchange is made even where it costs something, and what was exchanged may not be
exchanged back for some rounds (tabu search, F. Glover, "Tabu search, part I", ORSA Journal on
Computing 1 (1989)), so that the search leaves local optima; the best support met is kept. An atom
joins without another leaving where its layer has fewer atoms than it may.

Where residuals are only to be short, the tableau weighs every exchange exactly; with longest
residuals the most promising are worked out (`_joint_balls`).
"""

from typing import NamedTuple

import numpy as np

from ._joint_balls import settle, try_moves
from ._joint_refit import Refit, make_refit
from ._joint_system import inner_kernel
from ._joint_tableau import Moves, Tableau, best_moves, join, leave, make_tableau, rebuild

_REBUILD_EVERY = 32
# Exchanges that are worked out exactly, with tolerances: all of them where there are few.
_FEWEST_TRIED, _MOST_TRIED, _TRIED_TIMES_ATOMS = 8, 64, 4096
# Rounds without a better support, with short residuals and with longest ones.
_PATIENCE_SQUARES, _PATIENCE = 30, 60


class Search(NamedTuple):
    """Scratch of one thread."""

    tableau: Tableau
    refit: Refit
    moves: Moves  # exchanges; as many as are worked out
    leaving: Moves  # atoms that may be spared
    free_until: np.ndarray  # (n_atoms,) round from which an atom may leave again
    closed_until: np.ndarray  # (n_atoms,) and join again
    members: np.ndarray  # (capacity,) a support on trial
    values: np.ndarray  # (capacity,) and its codes
    best_members: np.ndarray  # (capacity,) the best support met
    best_values: np.ndarray
    fewest_members: np.ndarray  # (capacity,) of those with F = 0 the smallest
    fewest_values: np.ndarray
    weighted: np.ndarray  # (n_atoms,) correlations with weighted residuals


def make_search(system, capacity):
    """Scratch for supports of at most so many atoms."""
    n_atoms = system.layer.size
    n_tried = min(max(_TRIED_TIMES_ATOMS // n_atoms, _FEWEST_TRIED), _MOST_TRIED)
    n_moves = n_tried if system.limits.any() or system.free >= 0 else 1

    def moves(size):
        return Moves(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size))

    def support():
        return np.empty(capacity, np.int64), np.empty(capacity)

    return Search(
        make_tableau(system, capacity),
        make_refit(int(system.row[-1]), system.limits.size, capacity),
        moves(n_moves),
        moves(_FEWEST_TRIED),
        np.empty(n_atoms, np.int64),
        np.empty(n_atoms, np.int64),
        *support(),
        *support(),
        *support(),
        np.empty(n_atoms),
    )


@inner_kernel
def _open_atoms(search, count, now):
    """Mark the atoms that may join: outside, and not just taken out."""
    may = search.tableau.open
    for j in range(may.size):
        may[j] = 0 if search.closed_until[j] > now else 1
    for u in range(count):
        may[search.tableau.members[u]] = 0


@inner_kernel
def copy_support(members, values, to_members, to_values, count):
    """Copy a support and its codes."""
    for u in range(count):
        to_members[u] = members[u]
        to_values[u] = values[u]


@inner_kernel
def _exchange(system, search, count, place, atom, now, turn):
    """Make a move; returns the new count and the change of the squared residual."""
    change = 0.0
    # Terms of varying length, the same in every run but not from every start: with constant
    # ones the search would go in circles.
    chance = (now * 40503 + (turn + 1) * 7919) % 65536
    if place >= 0:
        search.closed_until[search.tableau.members[place]] = now + 2 + chance % 5
        change += leave(system, search.tableau, count, place)
        count -= 1
    search.free_until[atom] = now + 2 + (chance // 64) % 3
    change -= join(system, search.tableau, count, atom)
    return count + 1, change


@inner_kernel
def _begin(system, search, signal, count, correlations, norm2, squares, enough):
    """The tableau of a support afresh; returns how many members are left, and F."""
    count, explained = rebuild(system, search.tableau, count, correlations)
    present = 0.5 * (norm2 - explained)
    if not squares:
        present = settle(system, search, signal, count, enough)
    return count, present


@inner_kernel
def search_exchanges(
    system, search, signal, count, correlations, norm2, squares, enough, max_iter, turn
):
    """Exchange atoms until F is 0 or nothing better is met; the best is left in ``search``.

    Parameters
    ----------
    signal : ndarray of shape (n_features,)
        The signal.
    count : int
        Size of the support to start from, which is in ``search.tableau.members``.
    correlations : ndarray of shape (n_atoms,)
        Inner products of the atoms and the signal.
    norm2 : float
        Squared length of the signal.
    squares : bool
        Whether residuals are only to be short, whatever the tolerances: the tableau then weighs
        every exchange exactly.
    enough : float
        F that counts as 0.
    max_iter : int
        Most rounds.
    turn : int
        Number of the start.

    Returns
    -------
    count, present, rounds
        Size of the best support, its F, rounds taken.
    """
    tableau, moves = search.tableau, search.moves
    patience = _PATIENCE
    if squares:
        patience = _PATIENCE_SQUARES
        enough = 32 * np.finfo(tableau.floors.dtype).eps * norm2  # as far as the tableau can tell
    for j in range(search.free_until.size):
        search.free_until[j] = search.closed_until[j] = 0
    count, present = _begin(system, search, signal, count, correlations, norm2, squares, enough)
    best, best_count = np.inf, 0
    stale, now = 0, 0
    while True:
        if now == 0 or present < best * (1 - 1e-9):
            best, best_count, stale = present, count, 0
            copy_support(
                tableau.members, tableau.values, search.best_members, search.best_values, count
            )
        else:
            stale += 1
        if best <= enough or stale > patience or now == max_iter:
            return best_count, best, now
        now += 1
        if now % _REBUILD_EVERY == 0:
            count, present = _begin(
                system, search, signal, count, correlations, norm2, squares, enough
            )
        _open_atoms(search, count, now)
        n_moves = best_moves(system, tableau, count, 2 * present, search.free_until, now, moves)
        if n_moves:
            chosen = np.int64(0)
            if not squares:
                chosen, _ = try_moves(system, search, signal, count, moves, n_moves, enough)
            place, atom = moves.place[chosen], moves.atom[chosen]
            count, change = _exchange(system, search, count, place, atom, now, turn)
            if squares:
                present += 0.5 * change
            else:
                present = settle(system, search, signal, count, enough)
