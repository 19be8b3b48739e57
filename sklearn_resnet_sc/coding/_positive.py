"""Greedy pursuits under codes that are not negative.

Orthogonal matching pursuit (Bruckstein, Elad, Zibulevsky 2008) and orthogonal
least squares (Nguyen, Soussen, Idier, Djermoune 2019) with positive codes. Only
atoms of positive correlation with the residual may join, and the code is the
non-negative least squares solution on the support: atoms whose code reaches
zero leave it. Without a limit on the atoms, the first is the algorithm of
Lawson and Hanson.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import orthogonal_part, rounding, sort_code
from ._records import Status
from ._scan import argmax
from ._supports import (
    explained_energy,
    nonnegative_least_squares,
    residual_correlations,
    shortest_length2,
    strongest_atom,
)

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)


@kernel
def positive_omp(atoms, signals, request, codes):
    """Code every signal of a block: the atom of largest correlation joins."""
    gram = atoms.gram
    n_components = gram.shape[0]
    capacity = request.n_nonzero
    noise = rounding(gram)
    noise2 = noise * noise
    shortest2 = shortest_length2(gram)
    initial = np.empty(n_components, gram.dtype)
    candidates = np.empty(capacity, np.int32)
    new = np.empty(capacity, gram.dtype)
    projections = np.empty(capacity, gram.dtype)
    factor = np.empty((capacity, capacity), gram.dtype)

    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        members, values = codes.indices[i], codes.values[i]
        initial[:] = correlations
        residual2 = norm2
        status = 0
        count = 0
        n_iter = 0
        while count < capacity and residual2 > tol:
            atom = strongest_atom(correlations, gram, noise2 * norm2, shortest2, True)
            if atom < 0:  # nothing left that a positive code could explain
                if residual2 > noise * norm2 and tol >= 0:
                    status = _TOL_NOT_REACHED
                break
            if n_iter == request.max_iter:
                status = _MAX_ITER
                break
            n_iter += 1
            candidates[0] = atom
            count = nonnegative_least_squares(
                gram, initial, noise2 * norm2, candidates, 1,
                members, count, factor, projections, values, new,
            )  # fmt: skip
            energy = norm2 - explained_energy(projections, count)
            if not energy < residual2:
                # The atom depends on those chosen, to rounding: look for another one.
                correlations[atom] = 0
                continue
            residual2 = energy
            if count < capacity and residual2 > tol:
                residual_correlations(initial, gram, members, count, values, correlations)
                for u in range(count):
                    correlations[members[u]] = 0

        if count == n_components and residual2 > max(tol, noise * norm2) and tol >= 0:
            status = _TOL_NOT_REACHED
        sort_code(members, values, count)
        codes.count[i] = count
        codes.n_iter[i] = n_iter
        codes.status[i] = status


@kernel
def _basis(gram, members, count, n_kept, factor, basis_rows, distances2):
    """Orthonormalised Gram rows of a support, and the squared distances of all atoms to it.

    The first ``n_kept`` rows are there already, and the distances to them.
    """
    if n_kept == 0:
        for j in range(distances2.size):
            distances2[j] = gram[j, j]
    for t in range(n_kept, count):
        orthogonal_part(gram[members[t]], basis_rows, t, factor[t])
        row = basis_rows[t]
        scale = factor[t, t]
        for j in range(distances2.size):
            entry = scale * row[j]
            row[j] = entry
            distances2[j] -= entry * entry


@kernel
def positive_ols(atoms, signals, request, codes):
    """Code every signal of a block: the atom joins that leaves the smallest residual.

    Squared correlation over squared distance to the support is what an atom
    takes off the residual if no code turns negative, and a bound on it if some
    do: candidates are tried in its order until none can be better.
    """
    gram = atoms.gram
    n_components = gram.shape[0]
    capacity = request.n_nonzero
    zero = gram.dtype.type(0)
    noise = rounding(gram)
    noise2 = noise * noise
    initial = np.empty(n_components, gram.dtype)
    distances2 = np.empty(n_components, gram.dtype)
    decreases = np.empty(n_components, gram.dtype)
    basis_rows = np.empty((capacity, n_components), gram.dtype)
    candidates = np.empty(capacity, np.int32)
    new = np.empty(capacity, gram.dtype)
    # The support so far, the one on trial, and the best one tried: they take turns.
    members = np.empty((3, capacity), np.int32)
    values = np.empty((3, capacity), gram.dtype)
    projections = np.empty((3, capacity), gram.dtype)
    factors = np.empty((3, capacity, capacity), gram.dtype)

    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        initial[:] = correlations
        residual2 = norm2
        status = 0
        now, trial, best = 0, 1, 2
        count = 0
        n_iter = 0
        _basis(gram, members[now], 0, 0, factors[now], basis_rows, distances2)
        while count < capacity and residual2 > tol:
            if n_iter == request.max_iter:
                status = _MAX_ITER
                break
            n_iter += 1
            for j in range(n_components):
                correlation = correlations[j]
                distance2 = distances2[j]
                eligible = correlation > zero and distance2 > noise * gram[j, j]
                decreases[j] = correlation * correlation / distance2 if eligible else zero
            explained = explained_energy(projections[now], count)
            best_decrease = noise2 * norm2
            best_count = -1
            while True:
                atom = argmax(decreases)
                if not decreases[atom] > best_decrease:
                    break
                decreases[atom] = zero
                for u in range(count):
                    members[trial, u] = members[now, u]
                    values[trial, u] = values[now, u]
                    projections[trial, u] = projections[now, u]
                    for v in range(u + 1):
                        factors[trial, u, v] = factors[now, u, v]
                candidates[0] = atom
                size = nonnegative_least_squares(
                    gram, initial, noise2 * norm2, candidates, 1,
                    members[trial], count, factors[trial], projections[trial], values[trial], new,
                )  # fmt: skip
                decrease = explained_energy(projections[trial], size) - explained
                if decrease > best_decrease:
                    best_decrease = decrease
                    best_count = size
                    trial, best = best, trial
                if size > count:  # no code turned negative: the bound is attained
                    break
            if best_count < 0:  # nothing left that a positive code could explain
                if residual2 > noise * norm2 and tol >= 0:
                    status = _TOL_NOT_REACHED
                break
            n_kept = count if best_count > count else 0
            now, best = best, now
            count = best_count
            residual2 = norm2 - explained_energy(projections[now], count)
            if count < capacity and residual2 > tol:
                _basis(gram, members[now], count, n_kept, factors[now], basis_rows, distances2)
                residual_correlations(initial, gram, members[now], count, values[now], correlations)
                for u in range(count):
                    correlations[members[now, u]] = zero

        if count == n_components and residual2 > max(tol, noise * norm2) and tol >= 0:
            status = _TOL_NOT_REACHED
        indices = codes.indices[i]
        indices[:count] = members[now, :count]
        codes.values[i, :count] = values[now, :count]
        sort_code(indices, codes.values[i], count)
        codes.count[i] = count
        codes.n_iter[i] = n_iter
        codes.status[i] = status
