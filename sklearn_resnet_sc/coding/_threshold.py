"""Soft thresholding of the correlations: one step of iterative thresholding from zero.

The solution of the lasso where the atoms are orthonormal.
"""

from .._jit import kernel


@kernel
def threshold(atoms, signals, request, codes):
    """Code every signal of a block."""
    weights = request.weights
    zero = weights.dtype.type(0)
    for i in range(signals.norm2.size):
        correlations = signals.correlations[i]
        penalty = signals.penalty[i]
        indices, values = codes.indices[i], codes.values[i]
        count = 0
        for j in range(weights.size):
            correlation = correlations[j]
            excess = abs(correlation) - penalty * weights[j]
            if excess > zero and (correlation > zero or not request.positive):
                indices[count] = j
                values[count] = excess if correlation > zero else -excess
                count += 1
        codes.count[i] = count
        codes.n_iter[i] = 1
        codes.status[i] = 0
