"""Exchanges with longest residuals: how promising ones are worked out, and what they leave.

The tableau weighs exchanges by the convex bound ``F(z) <= 1/2 ||y - u - z A||^2``, where ``u`` is
the projection of the present residuals on the balls; the most promising are worked out exactly.
The tableau's correlations are those with the residuals less ``u``: where its codes are the best of
the support they are zero on it, as those of least squares are.
"""

import numpy as np

from ._joint_refit import refit_codes
from ._joint_system import inner_kernel, pulls

_TRIAL_STEPS = np.int64(3)  # of Newton, for each exchange that is worked out
_STEPS = np.int64(60)


@inner_kernel
def propose(tableau, count, place, atom, members, values):
    """A support after an exchange, and its codes as the tableau sees them.

    ``place = -1`` for no member to leave, ``atom = -1`` for none to join. Members are in the
    order in which `leave` and `join` put them. Returns how many they are.
    """
    inverse, codes = tableau.inverse, tableau.codes
    ratio, value = 0.0, 0.0
    if place >= 0:
        ratio = tableau.values[place] / inverse[place, place]
    if atom >= 0:
        correlation = np.float64(tableau.correlations[atom])
        distance = np.float64(tableau.distances[atom])
        if place >= 0:
            correlation += ratio * codes[place, atom]
            distance += codes[place, atom] ** 2 / inverse[place, place]
        value = correlation / distance
    for u in range(count):
        members[u] = tableau.members[u]
        values[u] = tableau.values[u]
        if place >= 0:
            values[u] -= ratio * inverse[u, place]
        if atom >= 0:
            share = codes[u, atom]
            if place >= 0:
                share -= inverse[u, place] / inverse[place, place] * codes[place, atom]
            values[u] -= share * value
    if place >= 0:
        count -= 1
        members[place], values[place] = members[count], values[count]
    if atom >= 0:
        members[count], values[count] = atom, value
        count += 1
    return count


@inner_kernel
def try_moves(system, search, signal, count, moves, n_moves, enough):
    """Work out moves until one reaches F = 0; returns the best and its F."""
    chosen, least = 0, np.inf
    members, values = search.members, search.values
    for m in range(n_moves):
        size = propose(search.tableau, count, moves.place[m], moves.atom[m], members, values)
        after = refit_codes(
            system, signal, members, size, values, search.refit, _TRIAL_STEPS, enough
        )
        moves.after[m] = after
        if after < least:
            chosen, least = m, after
        if after <= enough:
            break
    return chosen, least


@inner_kernel
def settle(system, search, signal, count, enough):
    """The best codes of the present support, and correlations with the weighted residuals.

    Returns F.
    """
    tableau = search.tableau
    value = refit_codes(
        system, signal, tableau.members, count, tableau.values, search.refit, _STEPS, enough
    )
    pulls(system, search.refit.weights, search.refit.residual, search.weighted)
    for j in range(search.weighted.size):
        tableau.correlations[j] = search.weighted[j]
    for u in range(count):
        tableau.correlations[tableau.members[u]] = 0
    return value
