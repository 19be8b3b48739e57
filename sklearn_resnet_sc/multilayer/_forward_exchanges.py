"""Exchanges of units of the forward problem, the most promising first, until none helps.

What an exchange would change is estimated from the quadratic model at the
present values, with the other units fixed for a unit that comes in, and free
for one that goes; what is tried is solved exactly.
"""

import numpy as np

from ._forward_active import copy_active, exchange, exclude, helper, include
from ._forward_starts import N_ADDS, N_DROPS, largest_left
from ._forward_supports import measure, newton_system, onward_product, settle, solve_factored

GAIN = 1e-6  # of the objective, relative, that makes supports better
_TRIES = 40  # exchanges of a support


@helper()
def _rethreshold(chain, active, search):
    """The best support of the deepest layer for the codes before it; whether it is another one."""
    layer = chain.limits.size - 1
    first, end = chain.begins[layer], chain.begins[layer + 1]
    if not chain.counted[layer] or chain.counts[layer] == end - first:
        return False
    wanted, taken = search.there, search.marked
    for j in range(first, end):
        place = active.where[j]
        wanted[j] = (active.values[place] if place >= 0 else 0.0) - search.scratch.residual[j]
        taken[j] = False
    for _ in range(chain.counts[layer]):
        unit = largest_left(wanted, taken, first, end)
        if unit < 0:
            break
        taken[unit] = True
    changed = False
    for j in range(first, end):
        if active.where[j] >= 0 and not taken[j]:
            exclude(chain, active, j)
            changed = True
    for j in range(first, end):
        if taken[j] and active.where[j] < 0:
            include(chain, active, j, wanted[j])
            changed = True
    return changed


@helper()
def _settle_all(chain, offset, active, search, target):
    """Settle, with the deepest support following; returns how often."""
    for n_solved in range(1, 6):
        objective = settle(chain, offset, active, search.scratch, target)
        if objective == 0 or objective > 2 * target:
            return n_solved
        if not _rethreshold(chain, active, search):
            return n_solved
        measure(chain, offset, active, search.scratch)
    settle(chain, offset, active, search.scratch, target)
    return 6


@helper()
def _estimate(chain, active, search):
    """By the quadratic model at the active set: what each unit would gain, and cost to lose."""
    scratch = search.scratch
    last = chain.limits.size - 1
    if not newton_system(chain, active, scratch):
        return False
    count = active.count[0]
    for u in range(count):
        scratch.trial[:count] = 0
        scratch.trial[u] = 1
        solve_factored(scratch.hessian, count, scratch.trial)
        search.losses[u] = active.values[u] ** 2 / (2 * scratch.trial[u])
    for unit in range(chain.layer.size):
        if active.where[unit] >= 0:
            search.gains[unit] = 0
            continue
        layer = chain.layer[unit]
        own = scratch.residual[unit]
        gradient = scratch.slopes[layer] * own
        curvature = scratch.slopes[layer] + scratch.bends[layer] * own**2
        if layer < last:
            onward = onward_product(chain, scratch.residual, unit)
            square = chain.grams[chain.gram_at[unit] + unit - chain.begins[layer]]
            gradient -= scratch.slopes[layer + 1] * onward
            curvature += scratch.slopes[layer + 1] * square
            curvature += scratch.bends[layer + 1] * onward**2
        search.first[unit] = -gradient / curvature if curvature > 0 else 0.0
        search.gains[unit] = gradient**2 / (2 * curvature) if curvature > 0 else 0.0
    return True


@helper()
def _list_exchanges(chain, active, search):
    """Pairs of a unit to take in and one to drop, of one layer; returns how many."""
    n_pairs = 0
    adds, drops = search.best_adds, search.best_drops
    for layer in range(chain.limits.size):
        first, end = chain.begins[layer], chain.begins[layer + 1]
        search.marked[first:end] = False
        n_adds, n_drops = 0, 0
        while n_adds < N_ADDS:
            best, unit = -1.0, -1
            for j in range(first, end):
                if active.where[j] < 0 and not search.marked[j] and search.gains[j] > best:
                    best, unit = search.gains[j], j
            if unit < 0:
                break
            search.marked[unit] = True
            adds[n_adds] = unit
            n_adds += 1
        while n_drops < N_DROPS:
            best, unit = np.inf, -1
            for j in range(first, end):
                place = active.where[j]
                if place >= 0 and not search.marked[j] and search.losses[place] < best:
                    best, unit = search.losses[place], j
            if unit < 0:
                break
            search.marked[unit] = True
            drops[n_drops] = unit
            n_drops += 1
        for a in range(n_adds):
            if active.sizes[layer] < chain.counts[layer]:
                search.adds[n_pairs], search.drops[n_pairs] = adds[a], -1
                search.scores[n_pairs] = search.gains[adds[a]]
                n_pairs += 1
            for d in range(n_drops):
                search.adds[n_pairs], search.drops[n_pairs] = adds[a], drops[d]
                loss = search.losses[active.where[drops[d]]]
                search.scores[n_pairs] = search.gains[adds[a]] - loss
                n_pairs += 1
    return n_pairs


@helper()
def descend(chain, offset, search, budget):
    """Exchange units of the current set until none of those tried helps; returns what it took."""
    current, trial = search.current, search.trial
    n_solved = _settle_all(chain, offset, current, search, np.inf)
    while current.objective[0] > 0 and n_solved < budget:
        measure(chain, offset, current, search.scratch)
        if not _estimate(chain, current, search):
            break
        n_pairs = _list_exchanges(chain, current, search)
        target = current.objective[0] * (1 - GAIN)
        better = False
        for _ in range(min(n_pairs, _TRIES)):
            pair = 0
            for u in range(1, n_pairs):
                if search.scores[u] > search.scores[pair]:
                    pair = u
            search.scores[pair] = -np.inf
            add, drop = search.adds[pair], search.drops[pair]
            copy_active(current, trial)
            exchange(chain, trial, add, drop, search.first[add])
            n_solved += _settle_all(chain, offset, trial, search, target)
            if trial.objective[0] < target:
                copy_active(trial, current)
                better = True
                break
            if n_solved >= budget:
                break
        if not better:
            break
    return n_solved
