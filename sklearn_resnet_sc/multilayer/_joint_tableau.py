"""The tableau of a support: what each atom outside would add, what each inside is worth.

For a support ``S`` of the joint system it holds ``H``, the inverse of the Gram matrix of its
atoms, the codes ``B = H A_S A^T`` of every atom of the system in those of ``S``, and of every
atom its correlation ``c_j`` with the residual and squared distance ``d_j`` from the span of
``S``. An atom that joins lowers the squared residual by ``c_j^2 / d_j``; one that leaves raises it
by ``z_p^2 / H_pp``, and what another that takes its place would then gain is known from the same
numbers, as ``c_j`` becomes ``c_j + z_p B_pj / H_pp`` and ``d_j`` becomes
``d_j + B_pj^2 / H_pp``. So every exchange is weighed exactly by one pass over ``B``.
"""

from typing import NamedTuple

import numpy as np

from ._joint_system import gram_row, inner_kernel


class Tableau(NamedTuple):
    """Scratch of one thread for one support after another."""

    members: np.ndarray  # (capacity,) int64
    values: np.ndarray  # (capacity,) float64 codes
    inverse: np.ndarray  # (capacity, capacity) H
    codes: np.ndarray  # (capacity, n_atoms) B
    rows: np.ndarray  # (capacity, n_atoms) Gram rows of the members
    along: np.ndarray  # (capacity,)
    correlations: np.ndarray  # (n_atoms,)
    distances: np.ndarray  # (n_atoms,)
    lengths: np.ndarray  # (n_atoms,) squared lengths of the atoms
    floors: np.ndarray  # (n_atoms,) squared distances that count as none
    gains: np.ndarray  # (n_atoms,)
    open: np.ndarray  # (n_atoms,) 1 where an atom may join, else 0
    used: np.ndarray  # (n_groups,) int64 members of each group


def make_tableau(system, capacity):
    """Scratch for supports of at most so many atoms."""
    dtype, n_atoms = system.grams.dtype, system.layer.size
    return Tableau(
        members=np.empty(capacity, np.int64),
        values=np.empty(capacity),
        inverse=np.empty((capacity, capacity), dtype),
        codes=np.empty((capacity, n_atoms), dtype),
        rows=np.empty((capacity, n_atoms), dtype),
        along=np.empty(capacity, dtype),
        correlations=np.empty(n_atoms, dtype),
        distances=np.empty(n_atoms, dtype),
        lengths=system.lengths,
        floors=system.lengths * dtype.type(64 * np.finfo(dtype).eps),
        gains=np.empty(n_atoms, dtype),
        open=np.empty(n_atoms, dtype),
        used=np.zeros(system.budget.size, np.int64),
    )


@inner_kernel
def clear(tableau, correlations):
    """Begin with no atom; the correlations are those with the signals."""
    for j in range(correlations.size):
        tableau.correlations[j] = correlations[j]
        tableau.distances[j] = tableau.lengths[j]
        tableau.open[j] = 1
    for g in range(tableau.used.size):
        tableau.used[g] = 0


@inner_kernel
def _axpy(factor, source, target):
    for j in range(target.size):
        target[j] += factor * source[j]


@inner_kernel
def join(system, tableau, count, atom):
    """Let an atom join the ``count`` members; returns by how much the squared residual falls."""
    inverse, codes, along = tableau.inverse, tableau.codes, tableau.along
    distance, correlation = tableau.distances[atom], tableau.correlations[atom]
    value = correlation / distance
    new = codes[count]
    gram_row(system, atom, tableau.rows[count])
    for j in range(new.size):
        new[j] = tableau.rows[count, j]
    for u in range(count):
        along[u] = codes[u, atom]
        _axpy(-along[u], tableau.rows[u], new)
    for j in range(new.size):
        share = new[j]
        new[j] = share / distance
        tableau.distances[j] -= share * new[j]
        tableau.correlations[j] -= share * value
    for u in range(count):
        _axpy(-along[u], new, codes[u])
        tableau.values[u] -= along[u] * value
        for v in range(count):
            inverse[u, v] += along[u] * along[v] / distance
        inverse[u, count] = inverse[count, u] = -along[u] / distance
    inverse[count, count] = 1 / distance
    tableau.members[count] = atom
    tableau.values[count] = value
    tableau.distances[atom] = 0
    tableau.correlations[atom] = 0
    tableau.open[atom] = 0
    tableau.used[system.group[system.layer[atom]]] += 1
    return correlation * value


@inner_kernel
def leave(system, tableau, count, place):
    """Let a member leave, the last take its place; returns by how much the residual grows."""
    inverse, codes = tableau.inverse, tableau.codes
    height, value = inverse[place, place], tableau.values[place]
    row = codes[place]
    ratio = value / height
    for j in range(row.size):
        tableau.distances[j] += row[j] * row[j] / height
        tableau.correlations[j] += row.dtype.type(ratio) * row[j]
    for u in range(count):
        if u != place:
            factor = inverse[u, place] / height
            tableau.along[u] = factor
            _axpy(-factor, row, codes[u])
            tableau.values[u] -= factor * value
    for u in range(count):
        if u != place:
            for v in range(count):
                if v != place:
                    inverse[u, v] -= tableau.along[u] * inverse[place, v]
    atom, last = tableau.members[place], count - 1
    tableau.open[atom] = 1
    tableau.used[system.group[system.layer[atom]]] -= 1
    if place != last:
        tableau.members[place] = tableau.members[last]
        tableau.values[place] = tableau.values[last]
        for j in range(row.size):
            codes[place, j] = codes[last, j]
            tableau.rows[place, j] = tableau.rows[last, j]
        for u in range(last):
            inverse[u, place] = inverse[u, last]
            inverse[place, u] = inverse[last, u]
        inverse[place, place] = inverse[last, last]
    return ratio * value


@inner_kernel
def rebuild(system, tableau, count, correlations):
    """The same support afresh, without the rounding of many exchanges.

    Members that depend on those before are dropped. Returns how many are left and how much they
    take off the squared residual.
    """
    clear(tableau, correlations)
    kept, explained = np.int64(0), 0.0
    for u in range(count):
        atom = tableau.members[u]
        if tableau.distances[atom] > tableau.floors[atom]:
            explained += join(system, tableau, kept, atom)
            kept += 1
    return kept, explained


class Moves(NamedTuple):
    """The best moves, best first: which member leaves (-1: none), which atom joins."""

    place: np.ndarray
    atom: np.ndarray
    after: np.ndarray  # twice F as the tableau sees it


@inner_kernel
def note_move(moves, n_moves, place, atom, after):
    u = n_moves if n_moves < moves.after.size else n_moves - 1
    while u > 0 and moves.after[u - 1] > after:
        moves.place[u] = moves.place[u - 1]
        moves.atom[u] = moves.atom[u - 1]
        moves.after[u] = moves.after[u - 1]
        u -= 1
    moves.place[u], moves.atom[u], moves.after[u] = place, atom, after
    return min(n_moves + 1, moves.after.size)


@inner_kernel
def _weigh(tableau, place, begin, end, gains):
    """What atoms of one layer would gain, once a member has left (-1: none does)."""
    c, d, floors, may = tableau.correlations, tableau.distances, tableau.floors, tableau.open
    zero = gains.dtype.type(0)
    if place < 0:
        for j in range(begin, end):
            gains[j] = c[j] * c[j] / d[j] * may[j] if d[j] > floors[j] else zero
        return
    row = tableau.codes[place]
    scale = gains.dtype.type(1) / tableau.inverse[place, place]
    ratio = gains.dtype.type(tableau.values[place]) * scale
    for j in range(begin, end):
        correlation = c[j] + ratio * row[j]
        distance = d[j] + scale * row[j] * row[j]
        usable = distance > floors[j]
        gains[j] = correlation * correlation / distance * may[j] if usable else zero


@inner_kernel
def best_moves(system, tableau, count, present, free_until, now, moves):
    """Weigh all exchanges and additions; members with ``free_until > now`` stay.

    Returns how many moves were noted.
    """
    n_moves = np.int64(0)
    gains = tableau.gains
    for place in range(-1, count):
        base, group = present, -1
        if place >= 0:
            member = tableau.members[place]
            if free_until[member] > now:
                continue
            group = system.group[system.layer[member]]
            base += tableau.values[place] ** 2 / tableau.inverse[place, place]
        for layer in range(system.group.size):
            own = system.group[layer]
            if (place >= 0 and own != group) or (
                place < 0 and tableau.used[own] >= system.budget[own]
            ):
                continue
            begin, end = system.first[layer], system.first[layer + 1]
            _weigh(tableau, place, begin, end, gains)
            worst = np.inf
            if n_moves == moves.after.size:
                worst = moves.after[n_moves - 1]
            for j in range(begin, end):
                if gains[j] > 0 and base - gains[j] < worst:
                    n_moves = note_move(moves, n_moves, place, j, base - gains[j])
                    if n_moves == moves.after.size:
                        worst = moves.after[n_moves - 1]
    return n_moves
