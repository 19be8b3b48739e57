"""Greedy pursuits in dictionaries whose Gram matrix would not fit in memory.

All signals of a block take a step together: one matrix product gives the
correlations of every atom with every residual, and each signal then projects
the atom that it chose off its residual, in the signals' own space. Twice the
arithmetic of the Gram domain at most, and no more memory than the correlations.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import rounding, solve_codes, sort_code
from ._records import Status
from ._scan import abs_argmax

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_DEPENDENT_ATOMS = int(Status.DEPENDENT_ATOMS)


@kernel
def _step(components, length2, unit2, scores, state, signals, codes, active, n_chosen, directions):
    """Let each active signal take the atom of its best score; returns how many go on.

    ``active`` is shortened in place, and row ``u`` of ``directions`` becomes
    the new basis vector of the signal that is then ``active[u]``.
    """
    residuals, basis, factors, projections = state
    n_features = components.shape[1]
    one, zero = components.dtype.type(1), components.dtype.type(0)
    noise = rounding(components)
    n_active = 0
    for u in range(active.size):
        i = active[u]
        residual, factor = residuals[i], factors[i]
        norm2, tol = signals.norm2[i], signals.tol[i]
        residual2 = zero
        for f in range(n_features):
            residual2 += residual[f] * residual[f]
        if residual2 <= tol:
            continue
        while True:
            atom = abs_argmax(scores[u])
            score = scores[u, atom]
            if score == zero or score * score > noise * noise * norm2 * unit2[atom]:
                break
            scores[u, atom] = zero  # noise of a long atom that may hide shorter ones
        if score == zero:
            codes.status[i] = _TOL_NOT_REACHED if tol >= 0 and residual2 > noise * norm2 else 0
            continue
        # Gram-Schmidt twice: once is not enough for nearly dependent atoms.
        direction = basis[i, n_chosen]
        direction[:] = components[atom]
        factor[n_chosen, :n_chosen] = zero
        for _ in range(2):
            for v in range(n_chosen):
                along = zero
                for f in range(n_features):
                    along += direction[f] * basis[i, v, f]
                factor[n_chosen, v] += along
                for f in range(n_features):
                    direction[f] -= along * basis[i, v, f]
        distance2 = zero
        for f in range(n_features):
            distance2 += direction[f] * direction[f]
        if not distance2 > noise * length2[atom]:
            codes.status[i] = _DEPENDENT_ATOMS
            continue
        scale = one / np.sqrt(distance2)
        projection = zero
        for f in range(n_features):
            direction[f] *= scale
            projection += direction[f] * residual[f]
        for f in range(n_features):
            residual[f] -= projection * direction[f]
            directions[n_active, f] = direction[f]
        factor[n_chosen, n_chosen] = scale
        projections[i, n_chosen] = projection
        codes.indices[i, n_chosen] = atom
        codes.count[i] = n_chosen + 1
        active[n_active] = i
        n_active += 1
    return n_active


@kernel
def _finish(state, codes):
    """Codes of the chosen atoms, in ascending order of atoms."""
    _, _, factors, projections = state
    for i in range(codes.count.size):
        count = codes.count[i]
        solve_codes(factors[i], projections[i], count, codes.values[i])
        sort_code(codes.indices[i], codes.values[i], count)
        codes.n_iter[i] = count


@kernel
def _relative(correlations, distances2, floors, scores):
    """Scores of orthogonal least squares: correlation over distance to the span chosen."""
    for u in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            distance2 = distances2[u, j]
            inside = distance2 <= floors[j]
            score = correlations[u, j] / np.sqrt(max(distance2, floors[j]))
            scores[u, j] = 0 if inside else score


def _pursue(atoms, block, signals, request, codes, least_squares):
    components = atoms.components
    n_rows, n_features = block.shape
    capacity, dtype = request.n_nonzero, components.dtype
    length2 = np.einsum("ij,ij->i", components, components)
    floors = np.maximum(64 * np.finfo(dtype).eps * length2, np.finfo(dtype).tiny)
    # What a score is compared with: OLS scores are per unit of distance.
    unit2 = np.ones_like(length2) if least_squares else length2
    state = (
        block.copy(),
        np.empty((n_rows, capacity, n_features), dtype),
        np.zeros((n_rows, capacity, capacity), dtype),
        np.empty((n_rows, capacity), dtype),
    )
    codes.count[:] = 0
    codes.status[:] = 0
    active = np.arange(n_rows)
    scores = signals.correlations
    directions = np.empty((n_rows, n_features), dtype)
    distances2 = np.tile(length2, (n_rows, 1)) if least_squares else None
    for n_chosen in range(capacity):
        if n_chosen:
            np.dot(state[0][active], components.T, out=scores[: active.size])
        if least_squares:
            rows = distances2 if active.size == n_rows else distances2[active]
            _relative(scores[: active.size], rows, floors, scores[: active.size])
        n_active = _step(
            components, length2, unit2, scores, state, signals, codes, active, n_chosen, directions
        )
        active = active[:n_active]
        if n_active == 0:
            break
        if least_squares:
            along = directions[:n_active] @ components.T
            distances2[active] -= along * along
    if capacity == components.shape[0] and active.size:
        residual2 = np.einsum("ij,ij->i", state[0][active], state[0][active])
        noise = 64 * np.finfo(dtype).eps * signals.norm2[active]
        tol = signals.tol[active]
        missed = (tol >= 0) & (residual2 > np.maximum(tol, noise))
        codes.status[active[missed]] = _TOL_NOT_REACHED  # with every atom there is
    _finish(state, codes)


def omp_without_gram(atoms, block, signals, request, codes):
    """Orthogonal matching pursuit of every signal of a block."""
    _pursue(atoms, block, signals, request, codes, least_squares=False)


def ols_without_gram(atoms, block, signals, request, codes):
    """Orthogonal least squares of every signal of a block."""
    _pursue(atoms, block, signals, request, codes, least_squares=True)
