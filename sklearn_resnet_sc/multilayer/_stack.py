"""A stack of dictionaries that chain, and what codes of all its layers leave unexplained."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

_BLOCK = 1024  # signals whose residuals are dense at a time


@dataclass(frozen=True)
class Stack:
    """Dictionaries of many layers, in one of two orientations.

    Synthesis: ``x ~ g_1 C_1``, ``g_{i-1} ~ g_i C_i``, where the rows of ``C_i`` of shape
    (n_components_i, n_components_{i-1}) are the atoms that make the layer above.
    Forward: ``t_i ~ t_{i-1} C_i`` with ``t_0 = x``, ``C_i`` of shape
    (n_components_{i-1}, n_components_i).

    Attributes
    ----------
    dictionaries : tuple of ndarray
        ``C_1`` to ``C_L``, contiguous, of one dtype.
    model : {"synthesis", "forward"}
        The orientation.
    """

    dictionaries: tuple
    model: str = "synthesis"

    @classmethod
    def check(cls, dictionaries, *, model="synthesis", dtype=None):
        """A stack from array-likes.

        Raises
        ------
        ValueError
            If there is none, one is not a finite matrix, is empty or (synthesis) has a
            zero atom, or two do not chain; the layer is named, counted from 1.
        """
        if isinstance(dictionaries, Stack):
            dictionaries, model = dictionaries.dictionaries, dictionaries.model
        if isinstance(dictionaries, np.ndarray) and dictionaries.ndim == 2:
            dictionaries = [dictionaries]
        dictionaries = list(dictionaries)
        if not dictionaries:
            raise ValueError("dictionaries must hold at least one dictionary; got none.")
        checked = []
        for layer, dictionary in enumerate(dictionaries, 1):
            dictionary = _check_matrix(dictionary, _name(layer), dtype)
            if model == "synthesis" and not dictionary.any(axis=1).all():
                atom = int(np.flatnonzero(~dictionary.any(axis=1))[0])
                raise ValueError(f"{_name(layer)} has a zero atom, in row {atom}; remove it.")
            if checked:
                _check_chain(dictionary, checked[-1], layer, model)
            checked.append(dictionary)
        common = np.result_type(*checked)
        return cls(tuple(np.ascontiguousarray(matrix, common) for matrix in checked), model)

    def astype(self, dtype):
        """The same stack in another precision."""
        if self.dictionaries[0].dtype == dtype:
            return self
        return Stack(tuple(matrix.astype(dtype) for matrix in self.dictionaries), self.model)

    def __len__(self):
        return len(self.dictionaries)

    @property
    def dtype(self):
        """Precision of all dictionaries."""
        return self.dictionaries[0].dtype

    @property
    def n_features(self):
        """Number of features of a signal."""
        return self.dictionaries[0].shape[1 if self.model == "synthesis" else 0]

    @property
    def n_components(self):
        """Number of codes of each layer."""
        axis = 0 if self.model == "synthesis" else 1
        return tuple(matrix.shape[axis] for matrix in self.dictionaries)

    @cached_property
    def effective(self):
        """Products of the dictionaries from the first to each layer.

        Synthesis: ``C_i ... C_1``, whose rows are the signals that single codes of layer i
        make. Forward: ``C_1 ... C_i``.
        """
        products = [self.dictionaries[0]]
        for matrix in self.dictionaries[1:]:
            above = products[-1]
            products.append(matrix @ above if self.model == "synthesis" else above @ matrix)
        return tuple(products)

    @cached_property
    def spectral_norms(self):
        """Largest singular value of each dictionary, computed in float64."""
        return tuple(
            float(np.linalg.norm(matrix.astype(np.float64), 2)) for matrix in self.dictionaries
        )

    def chain(self, codes):
        """Codes of every layer that follow exactly from those at one end; first layer first.

        Synthesis: from the deepest, ``g_{i-1} = g_i C_i``. Forward: from the signals,
        ``t_i = t_{i-1} C_i``.
        """
        if self.model == "forward":
            layers = []
            for matrix in self.dictionaries:
                codes = codes @ matrix
                layers.append(codes)
            return layers
        layers = [codes]
        for matrix in reversed(self.dictionaries[1:]):
            layers.append(layers[-1] @ matrix)
        return layers[::-1]

    def pairs(self, X, codes):
        """Of each layer what is to be equal, ``(target, source, dictionary)``: target ~ source C.

        Synthesis: the codes above and those of the layer; forward: those of the layer and the
        codes before.
        """
        above = [X, *codes[:-1]]
        if self.model == "synthesis":
            return list(zip(above, codes, self.dictionaries, strict=True))
        return list(zip(codes, above, self.dictionaries, strict=True))

    def residual_norms(self, X, codes):
        """Lengths of ``target - source C`` and how far rounding may move them.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Signals.
        codes : sequence of {ndarray, CSR} of shape (n_samples, n_components_i)
            Codes of every layer.

        Returns
        -------
        norms, rounding : ndarray of float64, shape (n_layers, n_samples)
            Lengths, and the error that arithmetic in the precision of the stack may make in
            them; what is smaller than `rounding` counts as zero.
        """
        n_samples = X.shape[0]
        norms, rounding = np.empty((2, len(self), n_samples))
        unit = float(np.finfo(self.dtype).eps)
        for layer, (target, source, matrix) in enumerate(self.pairs(X, codes)):
            wide = matrix.astype(np.float64)
            factor = 8 * unit * np.sqrt(matrix.shape[0])
            for first in range(0, n_samples, _BLOCK):
                rows = slice(first, min(first + _BLOCK, n_samples))
                above, below = _dense(target[rows]), _dense(source[rows])
                norms[layer, rows] = row_norms(above - below @ wide)
                size = row_norms(above) + self.spectral_norms[layer] * row_norms(below)
                rounding[layer, rows] = factor * size
        return norms, rounding


def row_norms(matrix):
    """Euclidean lengths of the rows, where squares would over- or underflow, too."""
    largest = np.abs(matrix).max(axis=1, initial=0)
    scale = np.where(largest > 0, largest, 1)
    scaled = matrix / scale[:, None]
    return np.sqrt(np.einsum("ij,ij->i", scaled, scaled)) * scale


def scale_of(X):
    """A power of two that makes the largest entry of X about one; it changes no bits."""
    largest = max(float(X.max(initial=0)), -float(X.min(initial=0)))
    limit = -np.finfo(X.dtype).minexp - 1
    exponent = -math.frexp(largest)[1] if largest else 0
    return X.dtype.type(math.ldexp(1.0, int(np.clip(exponent, -limit, limit))))


def _dense(rows):
    rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
    return rows.astype(np.float64, copy=False)


def _name(layer):
    return f"dictionaries[{layer - 1}] (layer {layer})"


def _check_matrix(matrix, name, dtype):
    shape = np.shape(matrix)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(f"{name} must be a matrix with at least one atom; got shape {shape}.")
    if np.iscomplexobj(matrix):
        raise ValueError(f"{name} must be real; it is complex.")
    return check_array(matrix, dtype=dtype or [np.float64, np.float32], input_name=name)


def _check_chain(matrix, above, layer, model):
    if model == "synthesis":
        axis, wanted, what = 1, above.shape[0], f"features as layer {layer - 1} has atoms"
    else:
        axis, wanted, what = 0, above.shape[1], f"rows as layer {layer - 1} has columns"
    if matrix.shape[axis] != wanted:
        raise ValueError(
            f"{_name(layer)} must have as many {what}, {wanted}; got shape {matrix.shape}."
        )
