"""Approximate K-SVD: one power step per atom in place of a singular value decomposition.

R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD
algorithm using batch orthogonal matching pursuit", Technion CS-2008-08 (2008).
"""

import numpy as np

from .._jit import kernel
from ._entries import Entries, recode
from ._missing import Source
from ._prefetch import prefetch_code


def aksvd(space, dictionary, coded, training_set):
    """Improve one atom and its codes after the other, supports held fixed.

    The best unit atom at fixed codes, then the best codes in that atom: neither raises the
    objective. Atoms come in the order of their numbers, each with the changes of
    those before it, so that the result depends on nothing else.

    Parameters
    ----------
    space : DictionarySet
        Precision of the dictionary.
    dictionary : Dictionary
        The present one.
    coded : Coded
        Codes of the training set and sums over them.
    training_set : TrainingSet
        The signals.

    Returns
    -------
    dictionary : Dictionary
        The new one. Atoms without use are as before.
    gap : float
        0.
    """
    atoms, _ = aksvd_pass(dictionary, coded, training_set)
    return space.assemble(atoms.astype(space.dtype)), 0.0


def aksvd_pass(dictionary, coded, training_set):
    """The new atoms, float64, and the new values of the codes (of scaled signals)."""
    atoms = dictionary.components.astype(np.float64)
    entries = Entries.of(coded.code, training_set.scale)
    _pass(
        Source.of(training_set, entries, atoms), training_set.weight,
        entries.pointers, entries.indices, entries.values,
        entries.starts, entries.order, entries.signals,
        coded.statistics.cross, atoms,
    )  # fmt: skip
    return atoms, entries.values


@kernel
def _pass(
    source, weight, pointers, indices, values, starts, order, signals, cross, atoms
):  # fmt: skip
    n_atoms, n_features = atoms.shape
    shared = np.zeros(n_atoms)  # inner products of the codes of an atom with those of others
    cosines = np.empty(n_atoms)
    for j in range(n_atoms):
        own = slice(starts[j], starts[j + 1])
        if own.stop == own.start:
            continue
        for e in range(own.start, own.stop):
            prefetch_code(pointers, indices, values, signals, e)
            i = signals[e]
            factor = weight[i] * values[order[e]]
            for q in range(pointers[i], pointers[i + 1]):
                shared[indices[q]] += factor * values[q]
        # Codes of this atom are still those of the sums, so `cross` holds for it.
        direction = cross[j].copy()
        energy = shared[j]
        shared[j] = 0.0
        for k in range(n_atoms):
            if shared[k] != 0:
                for f in range(n_features):
                    direction[f] -= shared[k] * atoms[k, f]
                shared[k] = 0.0
        length = np.sqrt(np.sum(direction * direction))
        # Below this the errors are rounding, and have no direction.
        if not length > 1e-14 * energy or not np.isfinite(length):
            continue
        for f in range(n_features):
            atoms[j, f] = direction[f] / length
        recode(source, pointers, indices, values, order[own], signals[own], j, atoms, cosines)
