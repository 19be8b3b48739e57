"""K-SVD: atom by atom, the best rank-one fit of the errors that an atom is to explain.

M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing
overcomplete dictionaries for sparse representation", IEEE TSP 54 (2006).
"""

import numpy as np
from scipy.linalg import eigh

from .._jit import kernel
from ._entries import Entries, dot, recode
from ._missing import Source, read_signal
from ._prefetch import prefetch_signal

_ROWS = 1024  # errors held at a time
_MOST_POWERS = 50  # steps of the power iteration, which costs about as much as `eigh` then
_STILL = 1e-14  # change of a unit vector that is rounding


def ksvd(space, dictionary, coded, training_set):
    """Minimise over one atom with its codes after the other, supports held fixed.

    The errors of the signals that use an atom, without its part, are fitted by
    their first singular vectors, so the objective never rises. Atoms come in the order
    of their numbers, each with the changes of those before it.

    Parameters
    ----------
    space : DictionarySet
        Precision of the dictionary.
    dictionary : Dictionary
        The present one.
    coded : Coded
        Codes of the training set.
    training_set : TrainingSet
        The signals.

    Returns
    -------
    dictionary : Dictionary
        The new one. Atoms without use are as before.
    gap : float
        0.
    """
    atoms, _ = ksvd_pass(dictionary, coded, training_set)
    return space.assemble(atoms.astype(space.dtype)), 0.0


def ksvd_pass(dictionary, coded, training_set):
    """The new atoms, float64, and the new values of the codes (of scaled signals)."""
    atoms = dictionary.components.astype(np.float64)
    weight = training_set.weight
    entries = Entries.of(coded.code, training_set.scale)
    source = Source.of(training_set, entries, atoms)
    n_atoms, n_features = atoms.shape
    cosines = np.empty(n_atoms)
    scratch = np.empty((max(_ROWS, n_features), n_features))
    codes = entries.pointers, entries.indices, entries.values
    for j in range(n_atoms):
        own = slice(entries.starts[j], entries.starts[j + 1])
        order, signals = entries.order[own], entries.signals[own]
        if not order.size:
            continue
        few = order.size <= n_features
        moment = None
        for first in range(0, order.size, len(scratch)):
            some = signals[first : first + len(scratch)]
            errors = scratch[: some.size]
            _errors_without(source, weight, *codes, some, j, atoms, errors)
            product = errors @ errors.T if few else errors.T @ errors
            moment = product if moment is None else moment + product
        vector = errors @ atoms[j] if few else atoms[j].copy()
        if not _leading_vector(moment, vector):
            energy = np.trace(moment)
            if not energy > 0 or not np.isfinite(energy):
                continue
            last = [len(moment) - 1, len(moment) - 1]
            vectors = eigh(moment, subset_by_index=last, overwrite_a=True, check_finite=False)[1]
            vector = vectors[:, 0]
        direction = errors.T @ vector if few else vector
        _take(source, *codes, order, signals, j, direction, atoms, cosines)
    return atoms, entries.values


@kernel
def _errors_without(source, weight, pointers, indices, values, signals, j, atoms, errors):
    """What is left of some signals without the part of one atom, times the roots of weights."""
    for e in range(signals.size):
        i = signals[e]
        prefetch_signal(source.X, signals, e)
        root = np.sqrt(weight[i])
        error = errors[e]
        if source.masked:
            read_signal(source, i, pointers, indices)
            _fill(error, root, source.signal)
        else:
            _fill(error, root * source.scale, source.X[i])
        for q in range(pointers[i], pointers[i + 1]):
            if indices[q] != j:
                _subtract(error, root * values[q], atoms[indices[q]])


@kernel(counts_references=False)
def _fill(error, factor, signal):
    for f in range(error.size):
        error[f] = factor * signal[f]


@kernel(counts_references=False)
def _subtract(error, factor, atom):
    for f in range(error.size):
        error[f] -= factor * atom[f]


@kernel
def _take(source, pointers, indices, values, order, signals, j, direction, atoms, cosines):
    """Turn an atom to a direction, with the sign that is nearer to it as it was, and recode."""
    length = np.sqrt(dot(direction, direction))
    if not length > 0:
        return
    if dot(direction, atoms[j]) < 0:
        length = -length
    for f in range(direction.size):
        atoms[j, f] = direction[f] / length
    recode(source, pointers, indices, values, order, signals, j, atoms, cosines)


@kernel
def _leading_vector(moment, vector):
    """Power iteration from `vector`, in place; whether it ended at the leading eigenvector.

    Never raises what is left unexplained, as a moment has no negative eigenvalue. An
    eigenvalue whose square is more than half of the sum of all squares, which is the squared
    Frobenius norm, is the largest.
    """
    n = vector.size
    following = np.empty(n)
    total = 0.0
    for f in range(n):
        total += dot(moment[f], moment[f])
    length = np.sqrt(dot(vector, vector))
    if not length > 0:
        return False
    for f in range(n):
        vector[f] /= length
    for _ in range(_MOST_POWERS):
        for f in range(n):
            following[f] = dot(moment[f], vector)
        length = np.sqrt(dot(following, following))
        if not length > 0 or not length < np.inf:
            return False
        change = 0.0
        for f in range(n):
            value = following[f] / length
            change += (value - vector[f]) ** 2
            vector[f] = value
        if change <= n * _STILL**2:
            return 2 * length * length > total
    return False
