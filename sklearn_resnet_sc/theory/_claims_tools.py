"""Predicates on instances, and how they read numbers: exactly up to rounding."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from ._checks import check_dictionary, check_matrix, unit_atoms
from ._coherence import mutual_coherence
from ._spectra import singular_spectrum
from ._statement import frozen_array

EPS = float(np.finfo(np.float64).eps)
# Squares and products of a few such entries can be represented.
_LARGEST = 1e50

# What the arrays of an instance are. Letters are sizes, equal letters equal sizes; "L" is
# the number of layers. Dictionaries hold atoms as rows, W is a matrix as the paper has it.
MATRICES = {"D", "W"}
CHAINS = {"dictionaries", "layers"}
VECTORS_OF_LAYERS = {"layer_codes", "other_layer_codes"}
NAMES = {"activation"}


@dataclass(frozen=True)
class Predicate:
    """A statement that an instance satisfies or not.

    Calling it with an instance, a mapping of names to arrays, returns False where the
    statement is violated by more than rounding explains, and True otherwise: also
    where its conditions are not met, see `applies`.

    Attributes
    ----------
    function : callable
        Takes the arrays by name; returns True, False, or None where the conditions
        are not met.
    shapes : Mapping
        Name of each array and its shape in letters.
    """

    function: Callable = field(repr=False)
    shapes: Mapping

    def __call__(self, instance):
        return self._value(instance) is not False

    def applies(self, instance):
        """Whether the statement says anything about this instance.

        Parameters
        ----------
        instance : mapping of str to array-like
            The arrays, by name.

        Returns
        -------
        bool
            False where a condition is not met, or is met by no more than rounding.
        """
        return self._value(instance) is not None

    def _value(self, instance):
        # NumPy's booleans are not False; these are.
        value = self.function(**checked_instance(instance, self.shapes))
        return None if value is None else bool(value)


def checked_instance(instance, shapes):
    """The arrays of an instance as float64, their names and shapes checked."""
    if not isinstance(instance, Mapping) or set(instance) != set(shapes):
        got = sorted(instance) if isinstance(instance, Mapping) else instance
        raise ValueError(f"instance must be a mapping with keys {sorted(shapes)}; got {got}")
    sizes = {}
    return {name: _checked(name, instance[name], shapes[name], sizes) for name in shapes}


def _checked(name, value, shape, sizes):
    if name in NAMES:
        return value
    if name in CHAINS:
        matrices = [_array(f"{name}[{i}]", matrix, 2) for i, matrix in enumerate(value)]
        if not matrices:
            raise ValueError(f"instance: {name} must hold at least one matrix")
        _bind(name, ("L", *shape), (len(matrices), *_ends(name, matrices)), sizes)
        return matrices
    if name in VECTORS_OF_LAYERS:
        vectors = [_array(f"{name}[{i}]", vector, 1) for i, vector in enumerate(value)]
        _bind(name, ("L",), (len(vectors),), sizes)
        return vectors
    array = _array(name, value, len(shape))
    _bind(name, shape, array.shape, sizes)
    return array if shape else float(array)


def _array(name, value, ndim):
    array = check_matrix(np.atleast_2d(np.asarray(value)), f"instance: {name}").astype(np.float64)
    if np.ndim(value) != ndim:
        raise ValueError(f"instance: {name} must have {ndim} dimensions; got {np.ndim(value)}")
    if np.abs(array).max() > _LARGEST:
        raise ValueError(f"instance: {name} must have entries of at most {_LARGEST:g} in size")
    if "dictionar" in name:
        check_dictionary(array, f"instance: {name}")
    return array.reshape(np.shape(value))


def _ends(name, matrices):
    """Sizes on both ends of a chain: each matrix maps its rows' space to its columns'."""
    for i, (first, second) in enumerate(pairwise(matrices)):
        if first.shape[1] != second.shape[0]:
            raise ValueError(
                f"instance: {name}[{i}] has {first.shape[1]} columns, but {name}[{i + 1}] has "
                f"{second.shape[0]} rows"
            )
    return matrices[0].shape[0], matrices[-1].shape[1]


def _bind(name, letters, shape, sizes):
    for letter, size in zip(letters, shape, strict=True):
        if sizes.setdefault(letter, size) != size:
            raise ValueError(
                f"instance: {name} must have shape ({', '.join(letters)}) with "
                f"{letter} = {sizes[letter]}; got {size} there"
            )


def frozen_instance(**arrays):
    """An instance to be stored: read-only arrays in a read-only mapping."""
    return MappingProxyType({name: _frozen(name, value) for name, value in arrays.items()})


def _frozen(name, value):
    if name in NAMES:
        return value
    if name in CHAINS | VECTORS_OF_LAYERS:
        return tuple(frozen_array(np.asarray(item, dtype=np.float64)) for item in value)
    return frozen_array(np.asarray(value, dtype=np.float64))


def norm(array):
    """Spectral norm of a matrix, Euclidean norm of a vector."""
    return float(singular_spectrum(array)[0] if array.ndim == 2 else np.linalg.norm(array))


def rounding(*sizes):
    """Relative rounding of computations with arrays of these sizes: a small multiple of EPS."""
    return 16 * max(sizes) * EPS


def plus_identity(matrix):
    return np.eye(len(matrix)) + matrix


def spectra_of(matrix):
    """Singular values of D and of I + D, and what rounding may do to either."""
    linear = singular_spectrum(matrix)
    slack = rounding(len(matrix)) * (1 + linear[0])
    return linear, singular_spectrum(plus_identity(matrix)), slack


def rank(sigma, slack):
    return int(np.count_nonzero(sigma > slack))


def n_nonzero(code):
    return int(np.count_nonzero(code))


def unit_lengths(dictionary):
    """Whether all atoms have length 1, to rounding."""
    return bool(np.abs(unit_atoms(dictionary)[1] - 1).max() <= rounding(*dictionary.shape))


def isometry(dictionary, sparsity):
    """``(1 - (s-1) mu) min ||d||^2`` and ``(1 + (s-1) mu) max ||d||^2`` for s-sparse codes.

    By Gershgorin; mu is widened by its rounding. Sparsity 0 counts as 1.
    """
    lengths = unit_atoms(dictionary)[1]
    order = max(min(sparsity, len(dictionary)) - 1, 0)
    mu = min(1.0, mutual_coherence(dictionary) + rounding(dictionary.shape[1])) if order else 0.0
    lower = (1 - order * mu) * lengths.min() ** 2
    return float(lower), float((1 + order * mu) * lengths.max() ** 2)


def uniqueness_limit(dictionary):
    """``(1 + 1/mu) / 2``, infinite for orthogonal atoms, lowered by what rounding may hide."""
    mu = mutual_coherence(dictionary)
    mu = mu + rounding(dictionary.shape[1]) if mu else 0.0
    return (1 + 1 / mu) / 2 if mu else math.inf


def forward_chain(signal, dictionaries):
    """``T_0 = X`` and ``T_i = D_i T_{i-1}``; a code is a row, so ``T_{i-1} @ dictionary``."""
    codes = [signal]
    for dictionary in dictionaries:
        codes.append(codes[-1] @ dictionary)
    return codes


def chain_rounding(signal, dictionaries):
    """Rounding of the end of a forward chain."""
    scale = math.prod(norm(dictionary) for dictionary in dictionaries) * norm(signal)
    sizes = [size for dictionary in dictionaries for size in dictionary.shape]
    return len(dictionaries) * rounding(*sizes) * scale
