"""Matching pursuit (Mallat, Zhang 1993), from the Gram matrix.

At every step the atom of largest absolute correlation ``c_j`` with the residual
has ``c_j / ||d_j||^2`` added to its code: the residual is projected off it. The
same atom may be chosen again and again.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import rounding, sort_code
from ._records import Status
from ._supports import (
    residual_correlations,
    residual_energy,
    shortest_length2,
    start_from,
    strongest_atom,
)

_TOL_NOT_REACHED = int(Status.TOL_NOT_REACHED)
_MAX_ITER = int(Status.MAX_ITER)


@kernel
def mp(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    n_components = gram.shape[0]
    capacity = request.n_nonzero
    noise = rounding(gram)
    noise2 = noise * noise
    shortest2 = shortest_length2(gram)
    initial = np.empty(n_components, gram.dtype)
    keys = np.empty(capacity, gram.dtype)
    position = np.full(n_components, -1, np.int32)  # of an atom in the list of those chosen

    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        indices, values = codes.indices[i], codes.values[i]
        residual2 = norm2
        count = start_from(signals, i, request.positive, keys, indices, values)
        if count > 0:
            initial[:] = correlations
            residual_correlations(initial, gram, indices, count, values, correlations)
            residual2 = residual_energy(norm2, initial, correlations, indices, count, values)
        for u in range(count):
            position[indices[u]] = u
        status = 0
        n_iter = 0
        while residual2 > tol:
            atom = strongest_atom(correlations, gram, noise2 * norm2, shortest2, request.positive)
            if atom < 0:  # orthogonal to every atom: nothing left to explain
                if residual2 > noise * norm2 and tol >= 0:
                    status = _TOL_NOT_REACHED
                break
            if position[atom] < 0 and count == capacity:
                break
            if n_iter == request.max_iter:
                status = _MAX_ITER
                break
            if position[atom] < 0:
                position[atom] = count
                indices[count] = atom
                values[count] = 0
                count += 1
            correlation = correlations[atom]
            step = correlation / gram[atom, atom]
            values[position[atom]] += step
            residual2 -= correlation * step
            row = gram[atom]
            for j in range(n_components):
                correlations[j] -= step * row[j]
            n_iter += 1

        for u in range(count):
            position[indices[u]] = -1
        sort_code(indices, values, count)
        codes.count[i] = count
        codes.n_iter[i] = n_iter
        codes.status[i] = status
