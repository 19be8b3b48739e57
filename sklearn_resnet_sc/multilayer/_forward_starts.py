"""Where the search for supports of the forward problem starts: thresholding, noise and chance."""

from typing import NamedTuple

import numpy as np

from ._forward_active import Active, clear, exchange, helper, include, new_active
from ._forward_supports import Scratch, new_scratch

N_ADDS, N_DROPS = 12, 8  # per layer, that exchanges are made of


class Search(NamedTuple):
    """Active sets and lists that one thread uses again for every signal."""

    best: Active
    current: Active
    trial: Active
    scratch: Scratch
    offset: np.ndarray  # (n_units,) what the signal makes of each unit, with a minus
    shifted: np.ndarray  # (n_units,) the same, where residuals are held to their limits
    there: np.ndarray  # (n_units,) what the layers before make of each unit
    gains: np.ndarray  # (n_units,)
    first: np.ndarray  # (n_units,) value with which a unit begins
    losses: np.ndarray  # (capacity,)
    marked: np.ndarray  # (n_units,) bool
    best_adds: np.ndarray  # (N_ADDS,) of one layer
    best_drops: np.ndarray  # (N_DROPS,)
    adds: np.ndarray  # (n_candidates,) unit to take in
    drops: np.ndarray  # (n_candidates,) unit to drop, or -1
    scores: np.ndarray  # (n_candidates,)
    random: np.ndarray  # (1,) uint64, state of the generator


def new_search(n_units, n_layers, capacity):
    """Room for one thread."""
    n_candidates = n_layers * N_ADDS * (N_DROPS + 1)
    return Search(
        *(new_active(n_units, n_layers, capacity) for _ in range(3)),
        new_scratch(n_units, n_layers, capacity),
        *(np.empty(n_units) for _ in range(5)),
        np.empty(capacity),
        np.zeros(n_units, bool),
        np.empty(N_ADDS, np.int64),
        np.empty(N_DROPS, np.int64),
        *(np.empty(n_candidates, np.int64) for _ in range(2)),
        np.empty(n_candidates),
        np.zeros(1, np.uint64),
    )


@helper()
def uniform(state):
    """A number in [0, 1), by Marsaglia's xorshift: the same sequence for every signal."""
    x = state[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    state[0] = x
    return float(x >> np.uint64(11)) * 2.0**-53


@helper()
def largest_left(values, taken, first, end):
    """The largest absolute value among units not taken yet; -1 where only zeros are left."""
    best, unit = 0.0, -1
    for j in range(first, end):
        if not taken[j] and abs(values[j]) > best:
            best, unit = abs(values[j]), j
    return unit


@helper()
def start_forward(chain, offset, noise, active, search):
    """Supports by thresholding from layer to layer, with noise added before each selection.

    Noise is relative to the limit of a layer or, where there is none, to what is cut off.
    """
    clear(active)
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
            search.gains[j] = there[j] + spread * (uniform(search.random) - 0.5)
            left += there[j] ** 2
        while active.sizes[layer] < chain.counts[layer]:
            if not chain.counted[layer] and left <= chain.limits[layer] ** 2:
                break
            unit = largest_left(search.gains, taken, first, end)
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


@helper()
def kick(chain, active, search, n_exchanges):
    """Exchange units at random."""
    for _ in range(n_exchanges):
        layer = int(uniform(search.random) * chain.limits.size)
        first, end = chain.begins[layer], chain.begins[layer + 1]
        size = active.sizes[layer]
        if size == 0 or size == end - first:
            continue
        out = int(uniform(search.random) * size)
        into = int(uniform(search.random) * (end - first - size))
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
        exchange(chain, active, add, drop, 0.0)
