"""Compressive sampling matching pursuit (Needell, Tropp 2009), from the Gram matrix.

An iteration joins the ``2 s`` atoms that correlate most with the residual to
the support, solves least squares on the union, and keeps the ``s`` largest
codes. More atoms than features would leave the least squares problem open, so
no more than that are joined. It halts at the residual asked for, or as soon as
an iteration does not lower the residual; the best code met is the one returned.
"""

import numpy as np

from .._jit import kernel
from ._gram_rows import rounding, sort_code
from ._largest import select_largest
from ._records import Status
from ._supports import (
    least_squares,
    nonnegative_least_squares,
    residual_correlations,
    residual_energy,
    start_from,
)

_MAX_ITER = int(Status.MAX_ITER)


@kernel
def cosamp(atoms, signals, request, codes):
    """Code every signal of a block."""
    gram = atoms.gram
    n_components = gram.shape[0]
    sparsity = request.n_nonzero
    room = min(3 * sparsity, *atoms.components.shape)  # atoms in a union
    noise = rounding(gram)
    noise2 = noise * noise
    initial = np.empty(n_components, gram.dtype)
    keys = np.empty(room, gram.dtype)
    chosen = np.empty(room, np.int32)
    union = np.empty(room, np.int32)
    members = np.empty(room + 1, np.int32)
    values = np.empty(room + 1, gram.dtype)
    new = np.empty(room + 1, gram.dtype)
    projections = np.empty(room + 1, gram.dtype)
    factor = np.empty((room + 1, room + 1), gram.dtype)
    in_support = np.zeros(n_components, np.bool_)

    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        norm2 = signals.norm2[i]
        tol = signals.tol[i]
        best_members, best_values = codes.indices[i], codes.values[i]
        initial[:] = correlations
        residual2 = norm2
        count = start_from(signals, i, request.positive, keys, best_members, best_values)
        if count > 0:
            residual_correlations(initial, gram, best_members, count, best_values, correlations)
            residual2 = residual_energy(
                norm2, initial, correlations, best_members, count, best_values
            )
        status = 0
        n_iter = 0
        while residual2 > tol:
            if n_iter == request.max_iter:
                status = _MAX_ITER
                break
            n_iter += 1
            n_chosen = select_largest(
                correlations, min(2 * sparsity, room - count), request.positive, keys, chosen
            )
            for u in range(count):
                union[u] = best_members[u]
                in_support[best_members[u]] = True
            size = count
            for u in range(n_chosen):
                if not in_support[chosen[u]]:
                    union[size] = chosen[u]
                    size += 1
            for u in range(count):
                in_support[best_members[u]] = False

            if request.positive:
                size = nonnegative_least_squares(
                    gram, initial, noise2 * norm2, union, size,
                    members, 0, factor, projections, values, new,
                )  # fmt: skip
                sort_code(members, values, size)  # ties in what follows go to the first atom
            else:
                members[:size] = union[:size]
                size = least_squares(gram, initial, members, size, factor, projections, values)
            # Prune; both lists shrink in place because the positions kept ascend.
            n_kept = select_largest(values[:size], sparsity, request.positive, keys, chosen)
            for u in range(n_kept):
                members[u] = members[chosen[u]]
                values[u] = values[chosen[u]]
            if request.polish and request.positive:
                union[:n_kept] = members[:n_kept]
                n_kept = nonnegative_least_squares(
                    gram, initial, noise2 * norm2, union, n_kept,
                    members, 0, factor, projections, values, new,
                )  # fmt: skip
            elif request.polish:
                n_kept = least_squares(gram, initial, members, n_kept, factor, projections, values)
            residual_correlations(initial, gram, members, n_kept, values, correlations)
            energy = residual_energy(norm2, initial, correlations, members, n_kept, values)
            if not energy < residual2:
                break
            residual2 = energy
            count = n_kept
            best_members[:count] = members[:count]
            best_values[:count] = values[:count]

        sort_code(best_members, best_values, count)
        codes.count[i] = count
        codes.n_iter[i] = n_iter
        codes.status[i] = status
