"""RLS-DLA: the dictionary follows every signal by a step of recursive least squares.

K. Skretting, K. Engan, "Recursive least squares dictionary learning algorithm",
IEEE TSP 58 (2010).
"""

import numpy as np

from .._jit import kernel

_BATCH = 16  # signals coded in the same dictionary
_LARGEST = 1e8  # growth of an atom's variance at which nothing more about it is forgotten


class RecursiveLeastSquares:
    """The step ``(space, dictionary, coded, training_set)``; remembers from one call to the next.

    A call is one pass over the signals in random order. A few at a time are coded in
    the present dictionary, and each of them then changes it: the dictionary is that which fits
    all signals seen so far, older ones counting less, at the codes they had. Atoms
    are scaled to unit length after each batch, and the inverse of the codes' Gram matrix with them.

    Parameters
    ----------
    encode : callable
        Codes in CSR from signals and components.
    forgetting : callable
        The factor before the i-th signal.
    random_state : RandomState
        For the order of the signals.
    """

    def __init__(self, encode, forgetting, random_state):
        self._encode, self._forgetting, self._random_state = encode, forgetting, random_state
        self.inverse = self._atoms = None
        self.n_seen = 0

    def __call__(self, space, dictionary, coded, training_set):
        """The next dictionary, and 0."""
        atoms = dictionary.components.astype(np.float64)
        # Each atom begins as if one signal of average length had used it.
        energy = training_set.energy
        variance = training_set.total_weight / energy if energy > 0 else 1.0
        self._begin(atoms, variance)
        X, scale = training_set.X, training_set.X.dtype.type(training_set.scale)
        order = self._random_state.permutation(len(X))
        components = np.ascontiguousarray(dictionary.components)
        for first in range(0, len(X), _BATCH):
            rows = order[first : first + _BATCH]
            code = self._encode(X[rows], components, training_set.n_jobs)
            factors = np.array([self._forgetting(self.n_seen + i) for i in range(len(rows))])
            outside = factors[~((factors > 0) & (factors <= 1))]
            if outside.size:
                raise ValueError(f"forgetting must give factors in (0, 1]; got {outside[0]}")
            recursive_least_squares(
                X[rows] * scale, training_set.weight[rows], factors,
                code.indptr, code.indices, code.data * scale,
                atoms, self.inverse, _LARGEST * variance,
            )  # fmt: skip
            self.n_seen += len(rows)
            _normalise(atoms, self.inverse)
            components = atoms.astype(space.dtype)
        self._atoms = atoms
        return space.assemble(components), 0.0

    def _begin(self, atoms, variance):
        """Forget what is known of atoms that others have changed meanwhile."""
        if self.inverse is None:
            self.inverse = variance * np.eye(len(atoms))
            return
        rounding = 1e-3
        replaced = np.abs(atoms - self._atoms).max(axis=1) > rounding
        self.inverse[replaced] = 0
        self.inverse[:, replaced] = 0
        self.inverse[replaced, replaced] = variance
        atoms[~replaced] = self._atoms[~replaced]


def _normalise(atoms, inverse):
    lengths = np.linalg.norm(atoms, axis=1)
    lengths[lengths == 0] = 1
    atoms /= lengths[:, None]
    inverse /= np.outer(lengths, lengths)


@kernel
def recursive_least_squares(
    signals, weight, factors, pointers, indices, values, atoms, inverse, largest
):
    """Change atoms and the inverse Gram matrix of the codes, in place, signal by signal."""
    n_atoms, n_features = atoms.shape
    gain = np.empty(n_atoms)
    growth = np.empty(n_atoms)
    residual = np.empty(n_features)
    for i in range(weight.size):
        if not weight[i] > 0:
            continue
        if factors[i] < 1:
            # Forgetting about an atom that is not used would let its variance grow for ever.
            for k in range(n_atoms):
                growth[k] = 1 / np.sqrt(factors[i]) if inverse[k, k] < largest else 1.0
            for k in range(n_atoms):
                for m in range(n_atoms):
                    inverse[k, m] *= growth[k] * growth[m]
        for f in range(n_features):
            residual[f] = signals[i, f]
        gain[:] = 0
        for p in range(pointers[i], pointers[i + 1]):
            k = indices[p]
            value = values[p]
            for f in range(n_features):
                residual[f] -= value * atoms[k, f]
            for m in range(n_atoms):
                gain[m] += value * inverse[k, m]
        for f in range(n_features):
            if np.isnan(residual[f]):  # a missing entry says nothing
                residual[f] = 0
        total = 1 / weight[i]
        for p in range(pointers[i], pointers[i + 1]):
            total += values[p] * gain[indices[p]]
        for k in range(n_atoms):
            step = gain[k] / total
            if step != 0:
                for f in range(n_features):
                    atoms[k, f] += step * residual[f]
                # One half and its mirror image: left to itself, asymmetry would grow for ever.
                for m in range(k + 1):
                    inverse[k, m] -= step * gain[m]
                    inverse[m, k] = inverse[k, m]
