"""Orthogonal least squares (Chen, Billings, Luo 1989), or order recursive matching pursuit.

At every step the atom joins the support that leaves the smallest least squares
residual. With ``c_j`` an atom's correlation with the residual and ``d_j`` its
squared distance to the span of the support, the residual falls by
``c_j^2 / d_j``: both are kept up to date from the orthonormalised Gram rows.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import orthogonal_part, rounding, solve_codes, sort_code, squared_distance
from ._records import Status
from ._scan import best_ratio, find_magnitude, largest_magnitude, update_distances

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)


@kernel
def ols(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    capacity, n_components, dtype = request.n_nonzero, gram.shape[0], gram.dtype
    basis_rows = np.empty((capacity, n_components), dtype)
    factor = np.empty((capacity, capacity), dtype)
    projections = np.empty(capacity, dtype)
    lengths2 = np.empty(n_components, dtype)
    floors = np.empty(n_components, dtype)
    for j in range(n_components):
        lengths2[j] = gram[j, j]
        # Below this squared distance an atom counts as dependent on the support.
        floors[j] = max(rounding(gram) * lengths2[j], np.finfo(dtype).tiny)
    distances2 = np.empty(n_components, dtype)
    _pursue(
        atoms, signals, request, codes,
        basis_rows, factor, projections, lengths2, floors, distances2,
    )  # fmt: skip


@kernel(counts_references=False)
def _pursue(
    atoms, signals, request, codes, basis_rows, factor, projections, lengths2, floors, distances2
):
    gram = atoms.gram
    capacity = request.n_nonzero
    one = gram.dtype.type(1)
    noise = rounding(gram)
    noise2 = noise * noise
    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        indices = codes.indices[i]
        residual2 = norm2
        status = 0
        n_chosen = 0
        for j in range(lengths2.size):
            distances2[j] = lengths2[j]
        largest = largest_magnitude(correlations)
        while n_chosen < capacity and residual2 > tol:
            atom = find_magnitude(correlations, largest)
            decrease = correlations[atom] * correlations[atom]
            if decrease > 0:
                atom, decrease = best_ratio(correlations, distances2, atom)
            # No atom takes anything off the residual: nothing left to explain.
            if not decrease > noise2 * norm2:
                if residual2 > noise * norm2 and tol >= 0:
                    status = _TOL_NOT_REACHED
                break
            distance2 = squared_distance(gram, basis_rows, n_chosen, atom, factor)
            scale = one / np.sqrt(max(distance2, floors[atom]))
            factor[n_chosen, n_chosen] = scale
            projection = correlations[atom] * scale
            projections[n_chosen] = projection
            indices[n_chosen] = atom
            residual2 -= projection * projection
            n_chosen += 1
            if n_chosen < capacity and residual2 > tol:
                row = n_chosen - 1
                orthogonal_part(gram[atom], basis_rows, row, factor[row])
                # Rounding may leave the chosen atom a trace above its floor.
                distances2[atom] = 0
                largest = update_distances(
                    basis_rows[row], scale, projection, correlations, distances2, floors
                )

        if n_chosen == gram.shape[0] and residual2 > max(tol, noise * norm2) and tol >= 0:
            status = _TOL_NOT_REACHED  # with every atom there is
        values = codes.values[i]
        solve_codes(factor, projections, n_chosen, values)
        sort_code(indices, values, n_chosen)
        codes.count[i] = n_chosen
        codes.n_iter[i] = n_chosen
        codes.status[i] = status
