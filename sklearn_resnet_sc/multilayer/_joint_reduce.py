"""Fewer atoms: take them out one by one while all residuals stay in their balls."""

import numpy as np

from ._joint_balls import settle, try_moves
from ._joint_search import copy_support, search_exchanges
from ._joint_system import inner_kernel
from ._joint_tableau import leave, note_move, rebuild

_NONE, _NO = np.int64(-1), np.bool_(False)


@inner_kernel
def _cheapest(system, tableau, count, moves):
    """The members of the layers without a count that are worth least."""
    n_moves = np.int64(0)
    for place in range(count):
        if system.group[system.layer[tableau.members[place]]] == system.free:
            worth = tableau.values[place] ** 2 / tableau.inverse[place, place]
            if n_moves < moves.after.size or worth < moves.after[n_moves - 1]:
                n_moves = note_move(moves, n_moves, place, _NONE, worth)
    return n_moves


@inner_kernel
def reduce_atoms(system, search, signal, count, correlations, norm2, enough, max_iter, turn):
    """Make the support in ``search.best_members``, whose F is 0, smaller.

    An atom leaves where F stays 0; where none does, exchanges among so many atoms look for
    another support, and the reduction ends where they find none.

    Returns
    -------
    count, rounds
        Size of the support now in ``search.best_members``, rounds of exchanges taken.
    """
    tableau, most = search.tableau, system.budget[system.free]
    best_members, best_values = search.best_members, search.best_values
    members, values = search.fewest_members, search.fewest_values
    rounds, fewest = 0, count
    copy_support(best_members, best_values, members, values, fewest)
    while True:
        copy_support(members, values, tableau.members, tableau.values, fewest)
        count, _ = rebuild(system, tableau, fewest, correlations)
        settle(system, search, signal, count, enough)
        value = 0.0
        while value <= enough and tableau.used[system.free] > 0:
            n_moves = _cheapest(system, tableau, count, search.leaving)
            chosen, value = try_moves(
                system, search, signal, count, search.leaving, n_moves, enough
            )
            leave(system, tableau, count, search.leaving.place[chosen])
            count -= 1
            if value <= enough:
                settle(system, search, signal, count, enough)
                copy_support(tableau.members, tableau.values, members, values, count)
                fewest = count
        if value <= enough:
            break
        # One atom less than what is known to do: exchanges are to make up for it.
        system.budget[system.free] = tableau.used[system.free]
        count, value, now = search_exchanges(
            system, search, signal, count, correlations, norm2, _NO, enough, max_iter, turn
        )
        rounds += now
        if value > enough:
            break
        copy_support(best_members, best_values, members, values, count)
        fewest = count
    system.budget[system.free] = most
    copy_support(members, values, best_members, best_values, fewest)
    return fewest, rounds
