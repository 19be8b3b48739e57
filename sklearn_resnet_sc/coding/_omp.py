"""Orthogonal matching pursuit (Pati, Rezaiifar, Krishnaprasad 1993), from the Gram matrix.

At every step the atom of largest absolute correlation with the residual joins
the support, and the code is the least squares solution on the support.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import orthogonal_part, rounding, solve_codes, sort_code, squared_distance
from ._records import Status
from ._scan import find_magnitude, largest_magnitude, update_correlations
from ._supports import shortest_length2

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_DEPENDENT_ATOMS = int(Status.DEPENDENT_ATOMS)


@kernel
def omp(atoms, signals, request, codes):
    """Code every signal of a block."""
    capacity, n_components, dtype = request.n_nonzero, atoms.gram.shape[0], atoms.gram.dtype
    basis_rows = np.empty((capacity, n_components), dtype)
    factor = np.empty((capacity, capacity), dtype)
    projections = np.empty(capacity, dtype)
    _pursue(atoms, signals, request, codes, basis_rows, factor, projections)


@kernel(counts_references=False)
def _pursue(atoms, signals, request, codes, basis_rows, factor, projections):
    gram = atoms.gram
    capacity = request.n_nonzero
    one = gram.dtype.type(1)
    noise = rounding(gram)
    noise2 = noise * noise
    shortest2 = shortest_length2(gram)
    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        indices = codes.indices[i]
        residual2 = norm2
        status = 0
        n_chosen = 0
        largest = largest_magnitude(correlations)
        while n_chosen < capacity and residual2 > tol:
            atom = find_magnitude(correlations, largest)
            correlation = correlations[atom]
            length2 = gram[atom, atom]
            # The residual is orthogonal to every atom: nothing left to explain.
            if not correlation * correlation > noise2 * norm2 * length2:
                if correlation * correlation > noise2 * norm2 * shortest2:
                    correlations[atom] = 0  # noise of a long atom that may hide shorter ones
                    largest = largest_magnitude(correlations)
                    continue
                if residual2 > noise * norm2 and tol >= 0:
                    status = _TOL_NOT_REACHED
                break
            distance2 = squared_distance(gram, basis_rows, n_chosen, atom, factor)
            if not distance2 > noise * length2:
                status = _DEPENDENT_ATOMS
                break
            scale = one / np.sqrt(distance2)
            factor[n_chosen, n_chosen] = scale
            projection = correlation * scale
            projections[n_chosen] = projection
            indices[n_chosen] = atom
            residual2 -= projection * projection
            n_chosen += 1
            if n_chosen < capacity and residual2 > tol:
                row = n_chosen - 1
                orthogonal_part(gram[atom], basis_rows, row, factor[row])
                largest = update_correlations(basis_rows[row], scale, projection, correlations)

        if n_chosen == gram.shape[0] and residual2 > max(tol, noise * norm2) and tol >= 0:
            status = _TOL_NOT_REACHED  # with every atom there is
        values = codes.values[i]
        solve_codes(factor, projections, n_chosen, values)
        sort_code(indices, values, n_chosen)
        codes.count[i] = n_chosen
        codes.n_iter[i] = n_chosen
        codes.status[i] = status
