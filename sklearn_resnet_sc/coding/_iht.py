"""Iterative hard thresholding, normalised (Blumensath, Davies 2010), from the Gram matrix.

An iteration goes a step along the gradient and keeps the ``s`` largest codes.
The step is the best one for the present support (the last one where the
gradient vanishes there); where the support changes it is halved until the
residual is sure to fall. With ``polish`` the code is then
the least squares solution on the new support: hard thresholding pursuit
(Foucart 2011), which ends after finitely many iterations.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import rounding, sort_code
from ._largest import select_largest
from ._records import Status
from ._supports import (
    explained_energy,
    least_squares,
    nonnegative_least_squares,
    residual_correlations,
    residual_energy,
    start_from,
)

_MAX_ITER = int(Status.MAX_ITER)
# Blumensath and Davies' c: how much of the largest step that is sure to lower the residual.
_SAFETY = 0.99


@kernel
def _curvature(gram, members, count, values):
    """Squared length of the signal that a code makes."""
    total = gram.dtype.type(0)
    for u in range(count):
        row = gram[members[u]]
        inner = gram.dtype.type(0)
        for v in range(count):
            inner += values[v] * row[members[v]]
        total += values[u] * inner
    return total


@kernel
def _best_step(gram, correlations, members, count, values, noise):
    """Step along the gradient on a support that lowers the residual most.

    0 if it would lower its square by no more than ``noise``.
    """
    slope = gram.dtype.type(0)
    for u in range(count):
        values[u] = correlations[members[u]]
        slope += values[u] * values[u]
    curvature = _curvature(gram, members, count, values)
    return slope / curvature if slope * slope > noise * curvature else gram.dtype.type(0)


@kernel
def _difference(old, n_old, old_values, new, n_new, new_values, members, values):
    """``new - old`` of two codes, atoms ascending; returns on how many atoms they are."""
    u, v, count = 0, 0, 0
    while u < n_old or v < n_new:
        if v == n_new or (u < n_old and old[u] < new[v]):
            members[count], values[count] = old[u], -old_values[u]
            u += 1
        elif u == n_old or new[v] < old[u]:
            members[count], values[count] = new[v], new_values[v]
            v += 1
        else:
            members[count], values[count] = new[v], new_values[v] - old_values[u]
            u += 1
            v += 1
        count += 1
    return count


@kernel
def iht(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    n_components = gram.shape[0]
    sparsity = request.n_nonzero
    zero = gram.dtype.type(0)
    half = gram.dtype.type(0.5)
    safety = gram.dtype.type(_SAFETY)
    noise = rounding(gram)
    noise2 = noise * noise
    initial = np.empty(n_components, gram.dtype)
    moved = np.empty(n_components, gram.dtype)
    keys = np.empty(sparsity + 1, gram.dtype)
    next_members = np.empty(sparsity + 1, np.int32)
    next_values = np.empty(sparsity + 1, gram.dtype)
    move_members = np.empty(2 * sparsity, np.int32)
    move_values = np.empty(2 * sparsity, gram.dtype)
    candidates = np.empty(sparsity, np.int32)
    projections = np.empty(sparsity + 1, gram.dtype)
    factor = np.empty((sparsity + 1, sparsity + 1), gram.dtype)

    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        members, values = codes.indices[i], codes.values[i]
        initial[:] = correlations
        residual2 = norm2
        count = start_from(signals, i, request.positive, keys, members, values)
        if count > 0:
            residual_correlations(initial, gram, members, count, values, correlations)
            residual2 = residual_energy(norm2, initial, correlations, members, count, values)
        status = 0
        n_iter = 0
        step = zero
        while residual2 > tol:
            if n_iter == request.max_iter:
                status = _MAX_ITER
                break
            n_iter += 1
            best_step = zero
            if not request.polish:
                best_step = _best_step(
                    gram, correlations, members, count, move_values, noise2 * norm2
                )
            exact = best_step > zero
            if exact:
                step = best_step
            elif request.polish or step == zero:  # a support that has no gradient, or none yet
                n_next = select_largest(
                    correlations, sparsity, request.positive, keys, next_members
                )
                step = _best_step(gram, correlations, next_members, n_next, move_values, zero)
            if not step > zero:
                break

            while True:
                for j in range(n_components):
                    moved[j] = step * correlations[j]
                for u in range(count):
                    moved[members[u]] += values[u]
                n_next = select_largest(moved, sparsity, request.positive, keys, next_members)
                for u in range(n_next):
                    next_values[u] = moved[next_members[u]]
                n_move = _difference(
                    members, count, values, next_members, n_next, next_values,
                    move_members, move_values,
                )  # fmt: skip
                curvature = _curvature(gram, move_members, n_move, move_values)
                length2, slope = zero, zero
                for u in range(n_move):
                    length2 += move_values[u] * move_values[u]
                    slope += move_values[u] * correlations[move_members[u]]
                same = n_move == count and n_move == n_next
                if (exact and same) or step * curvature <= safety * length2:
                    break
                step *= half

            decrease = slope + slope - curvature
            energy = max(residual2 - decrease, zero)
            if request.polish:
                if request.positive:
                    candidates[:n_next] = next_members[:n_next]
                    n_next = nonnegative_least_squares(
                        gram, initial, noise2 * norm2, candidates, n_next,
                        next_members, 0, factor, projections, next_values, keys,
                    )  # fmt: skip
                    sort_code(next_members, next_values, n_next)
                else:
                    n_next = least_squares(
                        gram, initial, next_members, n_next, factor, projections, next_values
                    )
                energy = max(norm2 - explained_energy(projections, n_next), zero)
                decrease = residual2 - energy
            if not decrease > zero:
                break
            count = n_next
            members[:count] = next_members[:count]
            values[:count] = next_values[:count]
            residual2 = energy
            if not decrease > noise * residual2 + noise2 * norm2:
                break
            residual_correlations(initial, gram, members, count, values, correlations)

        codes.count[i] = count
        codes.n_iter[i] = n_iter
        codes.status[i] = status
