"""The search for supports of the forward problem: exchanges of units, from several starts."""

from typing import NamedTuple

import numpy as np

from .._jit import kernel
from ..coding import Status
from ._forward_supports import (
    Active,
    Scratch,
    assign,
    copy_active,
    exclude,
    include,
    measure,
    new_active,
    new_scratch,
    newton_system,
    onward_product,
    settle,
    solve_factored,
)

_DONE, _NOT_REACHED, _MAX_ITER = (
    int(status) for status in (Status.DONE, Status.TOL_NOT_REACHED, Status.MAX_ITER)
)
_ADDS, _DROPS = 12, 8  # per layer, that exchanges are made of
_TRIES = 40  # exchanges of a support that are tried, the most promising first
_PATIENCE = 12  # starts in a row that find nothing better
_FEASIBLE_STARTS = 4  # where units are to be few: the first feasible chain is not the last
_MULTIPLIER_STEPS = 5
_GAIN = 1e-6  # relative, that makes an exchange worth it


class Search(NamedTuple):
    """Active sets and lists that one thread uses again for every signal."""

    best: Active
    current: Active
    trial: Active
    scratch: Scratch
    offset: np.ndarray  # (n_units,) with which residuals are held to their limits
    there: np.ndarray  # (n_units,) what the layers before make of each unit
    gains: np.ndarray  # (n_units,)
    first: np.ndarray  # (n_units,) value with which a unit begins
    losses: np.ndarray  # (capacity,)
    marked: np.ndarray  # (n_units,) bool
    best_adds: np.ndarray  # (_ADDS,) of one layer
    best_drops: np.ndarray  # (_DROPS,)
    adds: np.ndarray  # (n_candidates,) unit to take in
    drops: np.ndarray  # (n_candidates,) unit to drop, or -1
    scores: np.ndarray  # (n_candidates,)
    random: np.ndarray  # (1,) uint64, state of the generator


def new_search(n_units, n_layers, capacity):
    """Room for one thread."""
    n_candidates = n_layers * _ADDS * (_DROPS + 1)
    return Search(
        *(new_active(n_units, n_layers, capacity) for _ in range(3)),
        new_scratch(n_units, n_layers, capacity),
        *(np.empty(n_units) for _ in range(4)),
        np.empty(capacity),
        np.zeros(n_units, bool),
        np.empty(_ADDS, np.int64),
        np.empty(_DROPS, np.int64),
        *(np.empty(n_candidates, np.int64) for _ in range(2)),
        np.empty(n_candidates),
        np.zeros(1, np.uint64),
    )


@kernel(counts_references=False)
def _uniform(state):
    """A number in [0, 1), by Marsaglia's xorshift: the same sequence for every signal."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return float(x >> np.uint64(11)) * 2.0**-53


@kernel(counts_references=False)
def _clear(active):
    for u in range(active.count[0]):
        active.where[active.units[u]] = -1
    active.sizes[:] = 0
    active.count[0] = 0


@kernel(counts_references=False)
def _largest_left(values, taken, first, end):
    """The largest absolute value among units not taken yet; -1 where only zeros are left."""
    best, unit = 0.0, -1
    for j in range(first, end):
        if not taken[j] and abs(values[j]) > best:
            best, unit = abs(values[j]), j
    return unit


@kernel(counts_references=False)
def start_forward(chain, offset, noise, active, search):
    """Supports by thresholding from layer to layer, with noise added before each selection.

    Noise is relative to the limit of a layer or, where there is none, to what is cut off.
    """
    _clear(active)
    there, taken = search.there, search.marked
    for j in range(offset.size):
        there[j] = -offset[j]
    taken[:] = False
    n_layers = chain.limits.size
    for layer in range(n_layers):
        first, end = chain.begins[layer], chain.begins[layer + 1]
        spread = 0.0
        if noise > 0:
            spread = chain.limits[layer]
            if spread == 0:
                for j in range(first, end):
                    spread += there[j] ** 2
                spread = np.sqrt(spread) / 2
            spread *= noise * np.sqrt(12.0 / (end - first))
        left = 0.0
        for j in range(first, end):
            search.gains[j] = there[j] + spread * (_uniform(search.random) - 0.5)
            left += there[j] ** 2
        while active.sizes[layer] < chain.counts[layer]:
            if not chain.counted[layer] and left <= chain.limits[layer] ** 2:
                break
            unit = _largest_left(search.gains, taken, first, end)
            if unit < 0:
                break
            taken[unit] = True
            include(chain, active, unit, there[unit])
            left -= there[unit] ** 2
        if layer < n_layers - 1:
            for u in range(active.count[0]):
                unit = active.units[u]
                if chain.layer[unit] == layer:
                    value = active.values[u]
                    begin = chain.matrix_at[unit]
                    for j in range(end, chain.begins[layer + 2]):
                        there[j] += value * chain.matrices[begin + j - end]


@kernel(counts_references=False)
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
        unit = _largest_left(wanted, taken, first, end)
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


@kernel(counts_references=False)
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


@kernel(counts_references=False)
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


@kernel(counts_references=False)
def _list_exchanges(chain, active, search):
    """Pairs of a unit to take in and one to drop, of one layer; returns how many."""
    n_pairs = 0
    adds, drops = search.best_adds, search.best_drops
    for layer in range(chain.limits.size):
        first, end = chain.begins[layer], chain.begins[layer + 1]
        search.marked[first:end] = False
        n_adds, n_drops = 0, 0
        while n_adds < _ADDS:
            best, unit = -1.0, -1
            for j in range(first, end):
                if active.where[j] < 0 and not search.marked[j] and search.gains[j] > best:
                    best, unit = search.gains[j], j
            if unit < 0:
                break
            search.marked[unit] = True
            adds[n_adds] = unit
            n_adds += 1
        while n_drops < _DROPS:
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


@kernel(counts_references=False)
def _exchange(chain, active, add, drop, value):
    if drop >= 0:
        exclude(chain, active, drop)
    include(chain, active, add, value)


@kernel(counts_references=False)
def descend(chain, offset, search, budget):
    """Exchange units of the current set until none of those tried helps; returns what it took."""
    current, trial = search.current, search.trial
    n_solved = _settle_all(chain, offset, current, search, np.inf)
    while current.objective[0] > 0 and n_solved < budget:
        measure(chain, offset, current, search.scratch)
        if not _estimate(chain, current, search):
            break
        n_pairs = _list_exchanges(chain, current, search)
        target = current.objective[0] * (1 - _GAIN)
        better = False
        for _ in range(min(n_pairs, _TRIES)):
            pair = 0
            for u in range(1, n_pairs):
                if search.scores[u] > search.scores[pair]:
                    pair = u
            search.scores[pair] = -np.inf
            add, drop = search.adds[pair], search.drops[pair]
            copy_active(current, trial)
            _exchange(chain, trial, add, drop, search.first[add])
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


@kernel(counts_references=False)
def _kick(chain, active, search, n_exchanges):
    """Exchange units at random."""
    for _ in range(n_exchanges):
        layer = int(_uniform(search.random) * chain.limits.size)
        first, end = chain.begins[layer], chain.begins[layer + 1]
        size = active.sizes[layer]
        if size == 0 or size == end - first:
            continue
        out = int(_uniform(search.random) * size)
        into = int(_uniform(search.random) * (end - first - size))
        drop, add = -1, -1
        for j in range(first, end):
            if active.where[j] >= 0:
                if out == 0:
                    drop = j
                out -= 1
            else:
                if into == 0:
                    add = j
                into -= 1
        _exchange(chain, active, add, drop, 0.0)


@kernel(counts_references=False)
def _prune(chain, offset, search, budget):
    """Drop units of layers without a count while the chain stays feasible."""
    current, trial = search.current, search.trial
    n_solved = 0
    search.marked[:] = False
    while n_solved < budget:
        best, unit = np.inf, -1
        for u in range(current.count[0]):
            candidate = current.units[u]
            free = not chain.counted[chain.layer[candidate]] and not search.marked[candidate]
            if free and abs(current.values[u]) < best:
                best, unit = abs(current.values[u]), candidate
        if unit < 0:
            break
        copy_active(current, trial)
        exclude(chain, trial, unit)
        n_solved += 1
        search.marked[unit] = True
        if settle(chain, offset, trial, search.scratch, 0.0) == 0:
            copy_active(trial, current)
    return n_solved


@kernel(counts_references=False)
def _free_units(chain, active):
    total = 0
    for layer in range(chain.limits.size):
        if not chain.counted[layer]:
            total += active.sizes[layer]
    return total


@kernel(counts_references=False)
def _hold_limits(chain, offset, search):
    """Bring the residuals that were asked for within their limits, the others weighing little.

    Hestenes's method of multipliers: what is too long is added to the residual that is to be
    short, until nothing is. Supports stay.
    """
    best, shifted = search.best, search.offset
    assign(shifted, offset)
    for _ in range(_MULTIPLIER_STEPS):
        measure(chain, shifted, best, search.scratch)
        for layer in range(chain.limits.size):
            if chain.asked[layer]:
                for j in range(chain.begins[layer], chain.begins[layer + 1]):
                    shifted[j] += search.scratch.slopes[layer] * search.scratch.residual[j]
        settle(chain, shifted, best, search.scratch, np.inf)


@kernel(counts_references=False)
def _too_long(chain, scratch):
    """Whether a residual is that was not to be."""
    found = False
    for layer in range(chain.limits.size):
        found |= chain.asked[layer] and scratch.beyond[layer]
    return found


@kernel(counts_references=False)
def search_chain(chain, offset, search, budget):
    """The best chain of one signal, in ``search.best``; returns solved problems and a status."""
    search.random[0] = np.uint64(88172645463325252)
    best, current = search.best, search.current
    n_solved, n_starts, n_idle = 0, 0, 0
    while n_solved < budget and n_idle < _PATIENCE:
        if n_starts == 0:
            start_forward(chain, offset, 0.0, current, search)
        elif n_starts % 2:
            start_forward(chain, offset, 0.5 + _uniform(search.random), current, search)
        else:
            copy_active(best, current)
            _kick(chain, current, search, 1 + n_starts // 2 % 3)
        n_solved += descend(chain, offset, search, budget - n_solved)
        feasible = current.objective[0] == 0
        if feasible and chain.some_free:
            n_solved += _prune(chain, offset, search, budget - n_solved)
        n_idle += 1
        if (
            n_starts == 0
            or current.objective[0] < best.objective[0] * (1 - _GAIN)
            or (feasible and _free_units(chain, current) < _free_units(chain, best))
        ):
            copy_active(current, best)
            n_idle = 0
        n_starts += 1
        if best.objective[0] == 0 and (not chain.some_free or n_starts > _FEASIBLE_STARTS):
            break
    if chain.mixed:
        _hold_limits(chain, offset, search)
    measure(chain, offset, best, search.scratch)
    if not _too_long(chain, search.scratch):
        return n_solved, _DONE
    return n_solved, _MAX_ITER if n_solved >= budget else _NOT_REACHED
