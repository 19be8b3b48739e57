"""Greedy codes of the deepest layer, with those of all layers above that follow from them.

The kernel behind `solve_projection`. A path adds atoms to the deepest code one by one, as
orthogonal matching pursuit or orthogonal least squares does in the product of the dictionaries;
after a step the codes above follow along the chain, and what they leave of the demands is
measured. Codes of all layers lie in one vector, first layer first.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel


class Chain(NamedTuple):
    """A stack and what is asked of it, for the kernel."""

    first: np.ndarray  # (n_components_1, n_features), the first dictionary
    atoms: np.ndarray  # (n_components_L, n_features), the effective dictionary, unit atoms
    gram: np.ndarray  # (n_components_L, n_components_L), inner products of these
    lengths: np.ndarray  # (n_components_L,), what they were divided by; 0 for a zero atom
    indptr: np.ndarray  # rows of the dictionaries 2, ..., L below one another, as CSR
    indices: np.ndarray
    data: np.ndarray
    offsets: np.ndarray  # (n_layers + 1,), where the codes of a layer begin in the vector
    counts: np.ndarray  # (n_layers,), most atoms of a layer
    limits: np.ndarray  # (n_layers,) float64, longest residual of a layer
    touched_ptr: np.ndarray  # codes above that an atom makes nonzero, as CSR: only those of
    touched: np.ndarray  # layers whose count may be exceeded
    layer_of: np.ndarray  # the layer of an entry of the vector


class Scratch(NamedTuple):
    """What a thread reuses from signal to signal."""

    correlations: np.ndarray  # (n_components_L,), with the residual
    distances2: np.ndarray  # (n_components_L,), squared, of unit atoms to the span of those chosen
    available: np.ndarray  # (n_components_L,) bool
    basis_rows: np.ndarray  # (capacity, n_components_L), basis vectors against all atoms
    factor: np.ndarray  # (capacity, capacity), lower triangular, reciprocal diagonal
    projections: np.ndarray  # (capacity,)
    members: np.ndarray  # (capacity,) int64, atoms chosen
    values: np.ndarray  # (capacity,)
    correction: np.ndarray  # (capacity,)
    codes: np.ndarray  # (n_codes,), codes of all layers
    sizes: np.ndarray  # (n_codes,), sums of the magnitudes of the terms of a code
    residual: np.ndarray  # (n_features,) float64
    left: np.ndarray  # (n_layers,) float64, by how much a residual is too long
    used: np.ndarray  # (n_codes,) bool, entries of the vector that the atoms chosen touch
    n_used: np.ndarray  # (n_layers,) int64, how many a layer has of them


def make_scratch(chain, capacity):
    """Scratch for codes of at most `capacity` atoms."""
    n_atoms, dtype = chain.atoms.shape[0], chain.atoms.dtype
    n_layers, n_codes = chain.counts.size, chain.offsets[-1]
    return Scratch(
        correlations=np.empty(n_atoms, dtype),
        distances2=np.empty(n_atoms, dtype),
        available=np.empty(n_atoms, np.bool_),
        basis_rows=np.empty((capacity, n_atoms), dtype),
        factor=np.empty((capacity, capacity), dtype),
        projections=np.empty(capacity, dtype),
        members=np.empty(capacity, np.int64),
        values=np.empty(capacity, dtype),
        correction=np.empty(capacity, dtype),
        codes=np.empty(n_codes, dtype),
        sizes=np.empty(n_codes, dtype),
        residual=np.empty(chain.atoms.shape[1], np.float64),
        left=np.empty(n_layers, np.float64),
        used=np.empty(n_codes, np.bool_),
        n_used=np.empty(n_layers, np.int64),
    )


@kernel
def _best_atom(scratch, ols, floor):
    """The atom that takes most off the residual, by correlation or by what is left; or -1."""
    best, atom = scratch.correlations.dtype.type(0), -1
    for j in range(scratch.correlations.size):
        if scratch.available[j] and scratch.distances2[j] > floor:
            score = scratch.correlations[j] * scratch.correlations[j]
            if ols:
                score /= scratch.distances2[j]
            if score > best:
                best, atom = score, j
    return atom


@kernel
def _fits(chain, scratch, atom):
    """Whether no layer above gets too many codes by an atom; if not, the atom is out for good.

    Codes touched only grow in number, so that an atom which does not fit now never will.
    """
    n_used = scratch.n_used
    begin, end = chain.touched_ptr[atom], chain.touched_ptr[atom + 1]
    fits = True
    for p in range(begin, end):
        entry = chain.touched[p]
        if not scratch.used[entry]:
            n_used[chain.layer_of[entry]] += 1
    for layer in range(n_used.size):
        fits = fits and n_used[layer] <= chain.counts[layer]
    for p in range(begin, end):
        entry = chain.touched[p]
        if not scratch.used[entry]:
            if fits:
                scratch.used[entry] = True
            else:
                n_used[chain.layer_of[entry]] -= 1
    return fits


@kernel
def _join(chain, scratch, count, atom):
    """Let an atom join the support; returns what it takes off the squared residual."""
    factor, basis_rows, gram = scratch.factor, scratch.basis_rows, chain.gram
    row, scale = basis_rows[count], 1 / np.sqrt(scratch.distances2[atom])
    for j in range(row.size):
        row[j] = gram[atom, j]
    for u in range(count):
        along = basis_rows[u, atom]
        factor[count, u] = along
        for j in range(row.size):
            row[j] -= along * basis_rows[u, j]
    factor[count, count] = scale
    projection = scratch.correlations[atom] * scale
    scratch.projections[count] = projection
    scratch.members[count] = atom
    scratch.available[atom] = False
    for j in range(row.size):
        row[j] *= scale
        scratch.correlations[j] -= projection * row[j]
        scratch.distances2[j] -= row[j] * row[j]
    return projection * projection


@kernel
def _solve_upper(factor, right, count, values):
    for u in range(count - 1, -1, -1):
        total = right[u]
        for v in range(u + 1, count):
            total -= factor[v, u] * values[v]
        values[u] = total * factor[u, u]


@kernel
def _solve_support(chain, scratch, signal, count):
    """Least squares on the support, and once more on what it leaves: the normal equations
    alone would lose half of the digits."""
    factor, values, correction = scratch.factor, scratch.values, scratch.correction
    residual = scratch.residual
    _solve_upper(factor, scratch.projections, count, values)
    for f in range(signal.size):
        residual[f] = signal[f]
    for u in range(count):
        atom = chain.atoms[scratch.members[u]]
        for f in range(signal.size):
            residual[f] -= values[u] * np.float64(atom[f])
    for u in range(count):
        atom = chain.atoms[scratch.members[u]]
        total = 0.0
        for f in range(signal.size):
            total += atom[f] * residual[f]
        for v in range(u):
            total -= factor[u, v] * correction[v]
        correction[u] = total * factor[u, u]
    _solve_upper(factor, correction, count, correction)
    for u in range(count):
        values[u] += correction[u]


@kernel
def _kth_largest(keys, size, k):
    """The `k`-th largest of the first `size` keys, which are put in another order (Hoare)."""
    low, high = 0, size - 1
    while low < high:
        pivot = keys[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while keys[i] > pivot:
                i += 1
            while keys[j] < pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    return keys[k - 1]


@kernel
def _keep_largest(codes, keys, count):
    """Set all but the `count` largest to zero, earlier ones first; the energy of the others."""
    size = 0
    for j in range(codes.size):
        if codes[j] != 0:
            keys[size] = abs(codes[j])
            size += 1
    if size <= count:
        return 0.0
    least = _kth_largest(keys, size, count)
    ties = count
    for j in range(codes.size):
        if abs(codes[j]) > least:
            ties -= 1
    removed = 0.0
    for j in range(codes.size):
        size_of_code = abs(codes[j])
        if size_of_code == least and ties > 0:
            ties -= 1
        elif size_of_code <= least:
            removed += np.float64(size_of_code) * size_of_code
            codes[j] = 0
    return removed


@kernel
def _climb(chain, scratch, signal, norm2, count):
    """Codes of all layers from the deepest, and half the squared excess of their residuals.

    A code whose terms cancel to rounding is zero. Of a layer with too many codes the largest
    stay: its residual is what was removed.
    """
    codes, sizes, offsets, left = scratch.codes, scratch.sizes, chain.offsets, scratch.left
    n_layers = chain.counts.size
    unit = codes.dtype.type(4 * np.finfo(codes.dtype).eps)
    codes[:] = 0
    sizes[:] = 0
    for u in range(count):
        atom = scratch.members[u]
        codes[offsets[n_layers - 1] + atom] = scratch.values[u] / chain.lengths[atom]
    for layer in range(n_layers - 1, 0, -1):
        above, here, end = offsets[layer - 1], offsets[layer], offsets[layer + 1]
        for entry in range(here, end):
            code = codes[entry]
            if code != 0:
                for p in range(
                    chain.indptr[entry - offsets[1]], chain.indptr[entry - offsets[1] + 1]
                ):
                    term = code * chain.data[p]
                    codes[above + chain.indices[p]] += term
                    sizes[above + chain.indices[p]] += abs(term)
        for entry in range(above, here):
            if abs(codes[entry]) <= unit * sizes[entry]:
                codes[entry] = 0
        # Sizes below are used up: room for the keys of the selection.
        removed = _keep_largest(codes[above:here], sizes[above:here], chain.counts[layer - 1])
        left[layer] = max(np.sqrt(removed) - chain.limits[layer], 0.0)
    residual = scratch.residual
    for f in range(signal.size):
        residual[f] = signal[f]
    for entry in range(offsets[1]):
        code = codes[entry]
        if code != 0:
            for f in range(signal.size):
                residual[f] -= code * np.float64(chain.first[entry, f])
    total = 0.0
    for f in range(signal.size):
        total += residual[f] * residual[f]
    left[0] = np.sqrt(total) - chain.limits[0]
    if left[0] <= unit * np.sqrt(norm2):
        left[0] = 0.0
    measure = 0.0
    for layer in range(n_layers):
        measure += 0.5 * left[layer] * left[layer]
    return measure


@kernel
def _keep_if_better(scratch, measure, best, codes, left):
    if measure < best:
        codes[:] = scratch.codes
        left[:] = scratch.left
        return measure
    return best


@kernel
def pursue(chain, scratch, signals, correlations, norm2, ols, codes, left, n_iter):
    """Codes of every signal of a block.

    Two paths at most: the first takes only atoms that leave every layer above within its
    count, so that the chain is exact. Where that falls short of the demands, the second takes
    any atom, and layers above keep their largest codes. The best codes met are kept.

    Parameters
    ----------
    chain : Chain
    scratch : Scratch
    signals : ndarray of shape (n_signals, n_features)
    correlations : ndarray of shape (n_signals, n_components_L)
        With the unit atoms.
    norm2 : ndarray of shape (n_signals,)
        Squared lengths.
    ols : bool
        Whether atoms are chosen by the residual they leave, not by their correlation with it.
    codes : ndarray of shape (n_signals, n_codes)
        Codes of all layers, written.
    left : ndarray of float64, shape (n_signals, n_layers)
        By how much residuals are too long, written.
    n_iter : ndarray of int32, shape (n_signals,)
        Atoms that joined a support, written.
    """
    noise = chain.gram.dtype.type(64 * np.finfo(chain.gram.dtype).eps)
    capacity = scratch.members.size
    for i in range(norm2.size):
        signal, energy = signals[i], norm2[i]
        n_iter[i] = 0
        best = _keep_if_better(
            scratch, _climb(chain, scratch, signal, energy, 0), np.inf, codes[i], left[i]
        )
        for exact in (True, False):
            if best == 0:
                break
            scratch.correlations[:] = correlations[i]
            scratch.used[:] = False
            scratch.n_used[:] = 0
            for j in range(chain.lengths.size):
                scratch.available[j] = chain.lengths[j] > 0
                scratch.distances2[j] = 1
            refused = False
            residual2, count, measured = np.float64(energy), 0, True
            while count < capacity:
                atom = _best_atom(scratch, ols, noise)
                if atom < 0:
                    break
                correlation = scratch.correlations[atom]
                if not correlation * correlation > noise * noise * energy:
                    break  # rounding alone: nothing left to explain
                if exact and not _fits(chain, scratch, atom):
                    scratch.available[atom] = False
                    refused = True
                    continue
                residual2 -= _join(chain, scratch, count, atom)
                count += 1
                n_iter[i] += 1
                # On the exact path only the residual of the first layer is not zero, and falls.
                near = residual2 <= chain.limits[0] * chain.limits[0] * 1.01 + noise * energy
                measured = near or not exact
                if measured:
                    _solve_support(chain, scratch, signal, count)
                    measure = _climb(chain, scratch, signal, energy, count)
                    best = _keep_if_better(scratch, measure, best, codes[i], left[i])
                    if best == 0:
                        break
            if not measured:
                _solve_support(chain, scratch, signal, count)
                measure = _climb(chain, scratch, signal, energy, count)
                best = _keep_if_better(scratch, measure, best, codes[i], left[i])
            if not refused:
                break
