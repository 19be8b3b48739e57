"""Codes seen atom by atom: which signals use an atom, and what a new atom makes of their codes."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._jit import kernel
from ._missing import read_signal
from ._prefetch import prefetch_signal


@dataclass(frozen=True)
class Entries:
    """The entries of sparse codes, by signal and by atom; values in units of scaled signals.

    Attributes
    ----------
    pointers, indices, values : ndarray
        CSR of the codes, no entry zero.
    starts : ndarray of shape (n_components + 1,)
        Where the entries of each atom begin in `order` and `signals`.
    order : ndarray of shape (n_entries,)
        Numbers of the entries, those of one atom together.
    signals : ndarray of shape (n_entries,)
        The signals they belong to.
    """

    pointers: np.ndarray
    indices: np.ndarray
    values: np.ndarray
    starts: np.ndarray
    order: np.ndarray
    signals: np.ndarray

    @classmethod
    def of(cls, code, scale):
        """From CSR, whose values are copied."""
        code = sparse.csr_array(code, copy=False)
        if not code.data.all():
            code = code.copy()
            code.eliminate_zeros()
        numbers = sparse.csr_array(
            (np.arange(code.nnz), code.indices, code.indptr), shape=code.shape
        ).tocsc()
        return cls(
            pointers=code.indptr,
            indices=code.indices,
            values=code.data * code.dtype.type(scale),
            starts=numbers.indptr,
            order=numbers.data,
            signals=numbers.indices,
        )


@kernel(counts_references=False, fastmath={"contract", "reassoc"})
def dot(a, b):
    """Inner product in float64; the compiler may add in any order, so several at a time."""
    total = 0.0
    for f in range(a.size):
        total += np.float64(a[f]) * b[f]
    return total


@kernel
def recode(source, pointers, indices, values, order, signals, j, atoms, cosines):
    """The best codes of one unit atom, all others held fixed; `order` and `signals` are its own.

    `cosines` is scratch for the inner products of all atoms with this one.
    """
    atom = atoms[j]
    for k in range(atoms.shape[0]):
        cosines[k] = dot(atoms[k], atom)
    cosines[j] = 0.0  # its own part is what is sought
    for e in range(order.size):
        i = signals[e]
        prefetch_signal(source.X, signals, e)
        if source.masked:
            read_signal(source, i, pointers, indices)
            value = dot(source.signal, atom)
        else:
            value = source.scale * dot(source.X[i], atom)
        for q in range(pointers[i], pointers[i + 1]):
            value -= values[q] * cosines[indices[q]]
        values[order[e]] = value
