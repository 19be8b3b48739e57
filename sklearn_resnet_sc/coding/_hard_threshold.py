"""Hard thresholding of the correlations: the largest of them are the code, as they are.

The best code with so many atoms, or the solution of the l0-penalised problem
``0.5 ||x - a C||^2 + 0.5 alpha^2 ||a||_0``, where the atoms are orthonormal.
"""

import numpy as np

from .._jit import kernel
from ._largest import select_largest


@kernel
def hard_threshold(atoms, signals, request, codes):
    """Code every signal of a block."""
    weights = request.weights
    zero = weights.dtype.type(0)
    keys = np.empty(request.n_nonzero, weights.dtype)
    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        penalty = signals.penalty[i]
        for j in range(weights.size):
            correlation = correlations[j]
            correlations[j] = correlation if abs(correlation) > penalty * weights[j] else zero
        indices, values = codes.indices[i], codes.values[i]
        count = select_largest(correlations, request.n_nonzero, request.positive, keys, indices)
        for u in range(count):
            values[u] = correlations[indices[u]]
        codes.count[i] = count
        codes.n_iter[i] = 1
        codes.status[i] = 0
