"""Block coordinate descent over atoms of length at most one: the update of online learning.

J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
and sparse coding", JMLR 11 (2010), algorithm 2.
"""

import numpy as np

from .._jit import kernel
from ._capped_descent import descend_within
from ._unused import unused_atoms

_BLOCK = 32  # atoms whose gradients come from one product of matrices


def bcd(space, dictionary, statistics):
    """Minimise over one atom after the other, codes held fixed.

    The minimiser over one atom of length at most one is the free minimiser,
    its negative entries set to zero where atoms must be positive, scaled to length
    one where it is longer; or where coherence is capped, see `descend_within`. So the objective
    never rises.

    Parameters
    ----------
    space : DictionarySet
        Whether atoms must be positive, and the cap on their coherence.
    dictionary : Dictionary
        The present one.
    statistics : Statistics
        Sums over signals and codes.

    Returns
    -------
    dictionary : Dictionary
        The new one. Atoms without use are as before.
    gap : float
        0.
    """
    gram, cross = statistics.gram, statistics.cross
    atoms = dictionary.components.astype(np.float64)
    if space.cap is not None:
        atoms = descend_within(gram, cross, atoms, space.cap.goal(space.dtype), longest=1.0)
        return space.assemble(space.fit(atoms)), 0.0
    use = np.where(unused_atoms(gram), 0.0, np.diag(gram))
    for first in range(0, len(atoms), _BLOCK):
        rows = slice(first, first + _BLOCK)
        descent = cross[rows] - gram[rows] @ atoms
        _descend(np.ascontiguousarray(gram[rows, rows]), use[rows], descent, atoms[rows],
                 space.positive)  # fmt: skip
    return space.assemble(space.fit(atoms)), 0.0


@kernel
def _descend(gram, use, descent, atoms, positive):
    """One pass over a block of atoms; `descent` is the negative gradient at the outset."""
    n_atoms, n_features = atoms.shape
    change = np.empty(n_features, atoms.dtype)
    for j in range(n_atoms):
        if not use[j] > 0:
            continue
        norm2 = 0.0
        for f in range(n_features):
            value = atoms[j, f] + descent[j, f] / use[j]
            if positive and value < 0:
                value = 0.0
            change[f] = value
            norm2 += value * value
        shrinkage = 1.0 / max(np.sqrt(norm2), 1.0)
        for f in range(n_features):
            value = change[f] * shrinkage
            change[f] = value - atoms[j, f]
            atoms[j, f] = value
        for i in range(j + 1, n_atoms):
            factor = gram[i, j]
            if factor != 0:
                for f in range(n_features):
                    descent[i, f] -= factor * change[f]
