"""All layers of the synthesis model as one sparse least squares problem.

The residuals of all layers, ``r_i = g_{i-1} - g_i C_i``, one below another, are ``y - z A`` with
``y = (x, 0, ..., 0)`` and ``z = (g_1, ..., g_L)``: one row of ``A`` for every atom of every
layer, which holds the atom itself in the block of its layer and, of all but the deepest layer,
-1 at its own place in the block below. ``A`` is never formed: its rows and its Gram matrix (block
tridiagonal) are read off the dictionaries.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel


class System(NamedTuple):
    """A stack and its demands as the kernels see them."""

    dictionaries: np.ndarray  # C_1, ..., C_L one after another, flat
    grams: np.ndarray  # C_i C_i^T, plus the identity in all layers but the last, flat
    first: np.ndarray  # (n_layers + 1,) the atoms of layer i are first[i] to first[i + 1]
    row: np.ndarray  # (n_layers + 1,) so are the entries of its residual
    at: np.ndarray  # (n_layers,) where each dictionary begins in ``dictionaries``
    gram_at: np.ndarray  # (n_layers,) where each Gram matrix begins in ``grams``
    layer: np.ndarray  # (n_atoms,) layer of each atom
    lengths: np.ndarray  # (n_atoms,) squared lengths
    limits: np.ndarray  # (n_layers,) longest residuals, float64; 0 where they are to be short
    squares: bool  # whether all limits are 0: least squares
    group: np.ndarray  # (n_layers,) layers of one group share a number of atoms
    budget: np.ndarray  # (n_groups,) most atoms of each group
    free: int  # the group of the layers whose atoms are not limited, to be few; or -1


def inner_kernel(function):
    """Compile a helper that other kernels alone call: no way in from Python, which takes long."""
    return kernel(function, counts_references=False, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def make_system(stack, demands):
    """Flatten a stack; layers with a count are a group each, all others are one together."""
    sizes = np.array(stack.n_components)
    widths = np.array([matrix.shape[1] for matrix in stack.dictionaries])
    grams, lengths = [], []
    for layer, matrix in enumerate(stack.dictionaries, 1):
        gram = matrix @ matrix.T
        if layer < len(stack):
            gram[np.diag_indices_from(gram)] += 1
        grams.append(gram.ravel())
        lengths.append(gram.diagonal())
    counted = np.array([count is not None for count in demands.n_nonzero])
    group = np.where(counted, np.cumsum(counted) - 1, counted.sum())
    counts = np.array(demands.counts(stack))
    free = sizes[~counted].sum(keepdims=True) if not counted.all() else []
    budget = np.append(counts[counted], free)
    return System(
        dictionaries=np.concatenate([matrix.ravel() for matrix in stack.dictionaries]),
        grams=np.concatenate(grams),
        first=_starts(sizes),
        row=_starts(widths),
        at=_starts(sizes * widths)[:-1],
        gram_at=_starts(sizes * sizes)[:-1],
        layer=np.repeat(np.arange(len(stack)), sizes),
        lengths=np.concatenate(lengths),
        limits=np.array(demands.limits, np.float64),
        squares=not any(demands.limits),
        group=group.astype(np.int64),
        budget=budget.astype(np.int64),
        free=-1 if counted.all() else int(counted.sum()),
    )


def _starts(lengths):
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@inner_kernel
def gram_row(system, atom, out):
    """Inner products of an atom, as a row of ``A``, with all others."""
    layer = system.layer[atom]
    first, last = system.first[layer], system.first[layer + 1]
    size, place = last - first, atom - first
    for j in range(out.size):
        out[j] = 0
    begin = system.gram_at[layer] + place * size
    for j in range(size):
        out[first + j] = system.grams[begin + j]
    if layer > 0:
        above = system.first[layer - 1]
        begin = system.at[layer] + place * (first - above)
        for j in range(first - above):
            out[above + j] = -system.dictionaries[begin + j]
    if layer + 2 < system.first.size:
        begin = system.at[layer + 1] + place
        for j in range(system.first[layer + 2] - last):
            out[last + j] = -system.dictionaries[begin + j * size]


@inner_kernel
def gram_entry(system, atom, other, weights):
    """Inner product of two atoms, the blocks of the residuals weighted (in double precision)."""
    layer, layer_other = system.layer[atom], system.layer[other]
    if layer > layer_other:
        atom, other = other, atom
        layer, layer_other = layer_other, layer
    place, place_other = atom - system.first[layer], other - system.first[layer_other]
    size = system.first[layer + 1] - system.first[layer]
    if layer == layer_other:
        entry = np.float64(system.grams[system.gram_at[layer] + place * size + place_other])
        if place == place_other and layer + 2 < system.first.size:
            return (entry - 1.0) * weights[layer] + weights[layer + 1]
        return entry * weights[layer]
    if layer_other == layer + 1:
        begin = system.at[layer_other] + place_other * size
        return -weights[layer_other] * system.dictionaries[begin + place]
    return 0.0


@inner_kernel
def subtract_atom(system, atom, value, residual):
    """Take ``value`` times an atom off the residuals of all layers."""
    layer = system.layer[atom]
    place, row = atom - system.first[layer], system.row[layer]
    width = system.row[layer + 1] - row
    begin = system.at[layer] + place * width
    for j in range(width):
        residual[row + j] -= value * system.dictionaries[begin + j]
    if layer + 2 < system.first.size:
        residual[system.row[layer + 1] + place] += value


@inner_kernel
def inner_with_layer(system, atom, layer, residual):
    """Inner product of an atom's part in one block with the residual there."""
    own = system.layer[atom]
    place = atom - system.first[own]
    if layer == own + 1:
        return -residual[system.row[layer] + place]
    total = 0.0
    if layer == own:
        row = system.row[layer]
        width = system.row[layer + 1] - row
        begin = system.at[layer] + place * width
        for j in range(width):
            total += system.dictionaries[begin + j] * residual[row + j]
    return total


@inner_kernel
def pulls(system, weights, residual, out):
    """Inner products of all atoms with the weighted residuals: how much each would help."""
    n_layers = weights.size
    for atom in range(out.size):
        own = system.layer[atom]
        total = 0.0
        if weights[own] > 0:
            total += weights[own] * inner_with_layer(system, atom, own, residual)
        if own + 1 < n_layers and weights[own + 1] > 0:
            total += weights[own + 1] * inner_with_layer(system, atom, own + 1, residual)
        out[atom] = total
