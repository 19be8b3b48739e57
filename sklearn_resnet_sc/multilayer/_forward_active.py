"""A chain of forward layers as kernels see it, and the sets of its units that are in use.

Units of all layers are counted through.
"""

from functools import partial
from typing import NamedTuple

import numpy as np

from .._jit import kernel

# Called from kernels alone: without entries from Python, which unpack dozens of arrays, these
# compile in half the time.
helper = partial(kernel, counts_references=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


class Chain(NamedTuple):
    """What the kernels know of a stack and of what is asked."""

    matrices: np.ndarray  # C_2, ..., C_L one after the other, row-major
    grams: np.ndarray  # C_2 C_2^T, ..., C_L C_L^T one after the other, float64
    begins: np.ndarray  # (n_layers + 1,) first unit of each layer
    layer: np.ndarray  # (n_units,) layer of each unit
    matrix_at: np.ndarray  # (n_units,) where the row of a unit in the next matrix begins
    gram_at: np.ndarray  # (n_units,) where its row of the Gram matrix begins
    counts: np.ndarray  # (n_layers,) most units
    counted: np.ndarray  # (n_layers,) whether so many were asked for
    asked: np.ndarray  # (n_layers,) whether a limit was asked for
    limits: np.ndarray  # (n_layers,) epsilon
    weights: np.ndarray  # (n_layers,) w_i
    rounding: np.ndarray  # (n_layers,) of a length, relative to what it is a difference of
    some_free: bool  # whether a layer has no count
    mixed: bool  # whether some layers have a limit and others none


class Active(NamedTuple):
    """Units in use, in no order, and their values; `count` and `objective` have one entry."""

    units: np.ndarray
    values: np.ndarray
    where: np.ndarray  # (n_units,) place in the list, or -1
    sizes: np.ndarray  # (n_layers,) how many of each layer
    count: np.ndarray
    objective: np.ndarray


def new_active(n_units, n_layers, capacity):
    """An empty active set."""
    return Active(
        np.empty(capacity, np.int64),
        np.zeros(capacity),
        np.full(n_units, -1, np.int64),
        np.zeros(n_layers, np.int64),
        np.zeros(1, np.int64),
        np.full(1, np.inf),
    )


@helper()
def assign(target, source):
    """Make the beginning of `target` equal to `source`."""
    for j in range(source.size):
        target[j] = source[j]


@helper()
def include(chain, active, unit, value):
    """Take a unit into the set."""
    place = active.count[0]
    active.units[place], active.values[place] = unit, value
    active.where[unit] = place
    active.sizes[chain.layer[unit]] += 1
    active.count[0] = place + 1


@helper()
def exclude(chain, active, unit):
    """Drop a unit; the last of the list takes its place."""
    place, last = active.where[unit], active.count[0] - 1
    moved = active.units[last]
    active.units[place], active.values[place] = moved, active.values[last]
    active.where[moved] = place
    active.where[unit] = -1
    active.sizes[chain.layer[unit]] -= 1
    active.count[0] = last


@helper()
def exchange(chain, active, add, drop, value):
    if drop >= 0:
        exclude(chain, active, drop)
    include(chain, active, add, value)


@helper()
def clear(active):
    """Drop all units."""
    for u in range(active.count[0]):
        active.where[active.units[u]] = -1
    active.sizes[:] = 0
    active.count[0] = 0


@helper()
def copy_active(source, target):
    """Make one set equal to another."""
    for u in range(target.count[0]):
        target.where[target.units[u]] = -1
    for u in range(source.count[0]):
        unit = source.units[u]
        target.units[u], target.values[u], target.where[unit] = unit, source.values[u], u
    assign(target.sizes, source.sizes)
    target.count[0] = source.count[0]
    target.objective[0] = source.objective[0]
