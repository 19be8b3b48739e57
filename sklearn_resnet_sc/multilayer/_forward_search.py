"""The search for the chain of every signal: exchanges of units, from several starts."""

import numpy as np

from .._jit import kernel
from ..coding import Status
from ._forward_active import assign, copy_active, exclude, helper
from ._forward_exchanges import GAIN, descend
from ._forward_starts import kick, start_forward, uniform
from ._forward_supports import measure, settle

_DONE, _NOT_REACHED, _MAX_ITER = (
    int(status) for status in (Status.DONE, Status.TOL_NOT_REACHED, Status.MAX_ITER)
)
_PATIENCE = 12  # starts in a row that find nothing better
_FEASIBLE_STARTS = 4  # where units are to be few: the first feasible chain is not the last
_MULTIPLIER_STEPS = 3
_NOTHING = 1e-30  # values relative to the signal that count as zero
# Weight of the residuals of layers without a limit, where others have one.
BESIDE = 1e-6


@helper()
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


@helper()
def _free_units(chain, active):
    total = 0
    for layer in range(chain.limits.size):
        if not chain.counted[layer]:
            total += active.sizes[layer]
    return total


@helper()
def _hold_limits(chain, offset, search):
    """Bring the residuals that were asked for within their limits, the others weighing little.

    Hestenes's method of multipliers: what is too long is added to the residual that is to be
    short. Then, without the other residuals, the way that is left. Supports stay.
    """
    best, shifted, scratch = search.best, search.shifted, search.scratch
    assign(shifted, offset)
    for _ in range(_MULTIPLIER_STEPS):
        measure(chain, shifted, best, scratch)
        for layer in range(chain.limits.size):
            if chain.asked[layer]:
                for j in range(chain.begins[layer], chain.begins[layer + 1]):
                    shifted[j] = offset[j] + scratch.slopes[layer] * scratch.residual[j]
        settle(chain, shifted, best, scratch, np.inf)
    for layer in range(chain.limits.size):
        chain.weights[layer] = 1 if chain.asked[layer] else 0
    settle(chain, offset, best, scratch, np.inf)
    for layer in range(chain.limits.size):
        chain.weights[layer] = 1 if chain.asked[layer] else BESIDE
    # Where zero alone is within the limits, steps come as near to it as they like.
    largest = 0.0
    for j in range(offset.size):
        largest = max(largest, abs(offset[j]))
    for u in range(best.count[0]):
        if abs(best.values[u]) <= _NOTHING * largest:
            best.values[u] = 0


@helper()
def _too_long(chain, scratch):
    """Whether a residual is that was not to be."""
    found = False
    for layer in range(chain.limits.size):
        found |= chain.asked[layer] and scratch.beyond[layer]
    return found


@kernel
def search_block(chain, images, search, budget, codes, n_iter, status):
    """Chains of a block of signals, from their images ``x C_1``."""
    best, current, offset = search.best, search.current, search.offset
    offset[:] = 0
    codes[:] = 0
    for i in range(images.shape[0]):
        for j in range(images.shape[1]):
            offset[j] = -images[i, j]
        # The same starts for every signal.
        search.random[0] = np.uint64(88172645463325252)
        n_solved, n_starts, n_idle = 0, 0, 0
        while n_solved < budget and n_idle < _PATIENCE:
            if n_starts == 0:
                start_forward(chain, offset, 0.0, current, search)
            elif n_starts % 2:
                start_forward(chain, offset, 0.5 + uniform(search.random), current, search)
            else:
                copy_active(best, current)
                kick(chain, current, search, 1 + n_starts // 2 % 3)
            n_solved += descend(chain, offset, search, budget - n_solved)
            feasible = current.objective[0] == 0
            if feasible and chain.some_free:
                n_solved += _prune(chain, offset, search, budget - n_solved)
            n_idle += 1
            if (
                n_starts == 0
                or current.objective[0] < best.objective[0] * (1 - GAIN)
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
        n_iter[i], status[i] = n_solved, _DONE
        if _too_long(chain, search.scratch):
            status[i] = _MAX_ITER if n_solved >= budget else _NOT_REACHED
        for u in range(best.count[0]):
            codes[i, best.units[u]] = best.values[u]
