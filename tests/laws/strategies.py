"""Matrices and dictionaries for the laws: structured, degenerate and random."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

# Everything else (deadline, derandomisation in CI) comes from the profile in use.
law = settings(max_examples=50)

seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from([np.float32, np.float64])


def _gaussian(rng, n):
    return rng.standard_normal((n, n))


def _orthogonal(rng, n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def _low_rank(rng, n):
    inner = rng.integers(1, max(2, n))
    return rng.standard_normal((n, inner)) @ rng.standard_normal((inner, n))


def _minus_projection(rng, n):
    basis = np.linalg.qr(rng.standard_normal((n, rng.integers(1, n + 1))))[0]
    return -basis @ basis.T


def _nilpotent(rng, n):
    return np.triu(rng.standard_normal((n, n)), 1)


def _jordan(rng, n):
    return np.diag(np.ones(n - 1), 1) - np.eye(n)


def _nearly_singular(rng, n):
    sigma = np.logspace(0, -10, n)
    return _orthogonal(rng, n) * sigma @ _orthogonal(rng, n)


def _swap(rng, n):
    return np.eye(n)[::-1].copy()


_KINDS = (
    _gaussian,
    _orthogonal,
    _low_rank,
    _minus_projection,
    _nilpotent,
    _jordan,
    _nearly_singular,
    _swap,
)


@st.composite
def square_matrices(draw, max_norm=None):
    """A square matrix, of spectral norm below `max_norm` if that is given."""
    n = draw(st.integers(1, 40))
    matrix = draw(st.sampled_from(_KINDS))(np.random.default_rng(draw(seeds)), n)
    norm = np.linalg.norm(matrix, 2)
    if max_norm is not None and norm > 0:
        matrix = matrix * (draw(st.floats(0, max_norm)) / norm)
    return matrix.astype(draw(dtypes))


@st.composite
def eighths(draw, n_max=40):
    """Square matrices whose entries are whole eighths: exact in any float.

    Small ones entry by entry; larger ones of low rank, or less the identity on some axes.
    """
    if n_max <= 6 or draw(st.booleans()):
        n = draw(st.integers(1, min(6, n_max)))
        return draw(npst.arrays(np.int64, (n, n), elements=st.integers(-10, 10))) / 8
    n = draw(st.integers(7, n_max))
    rng = np.random.default_rng(draw(seeds))
    inner = rng.integers(0, n + 1)
    matrix = rng.integers(-1, 2, (n, inner)) @ rng.integers(-1, 2, (inner, n)) / 8
    free = rng.integers(0, n + 1)
    if draw(st.booleans()):  # I + D, too, loses its rank
        matrix[free:] = 0
        matrix[free:, free:] = -np.eye(n - free)
    return matrix


@st.composite
def dictionaries(draw, max_components=40, max_features=40, min_components=1):
    """Atoms of several kinds, of unit length or not."""
    k = draw(st.integers(min_components, max_components))
    n = draw(st.integers(1, max_features))
    rng = np.random.default_rng(draw(seeds))
    atoms = rng.standard_normal((k, n))
    kind = draw(st.sampled_from(["gaussian", "orthogonal", "duplicate", "close", "integer"]))
    if kind == "orthogonal":
        atoms = np.linalg.qr(rng.standard_normal((max(k, n), max(k, n))))[0][:k, :n]
    elif kind == "duplicate":
        atoms[-1] = -2 * atoms[0]
    elif kind == "close":
        atoms = atoms[:1] + 1e-3 * atoms
    elif kind == "integer":
        atoms = rng.integers(-2, 3, (k, n)).astype(float)
    atoms[~atoms.any(axis=1)] = 1
    if draw(st.booleans()):
        atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    return atoms.astype(draw(dtypes))


@st.composite
def integer_dictionaries(draw, max_components=6, max_features=5):
    """Dictionaries with exact ranks: entries -1, 0 and 1, many orthogonal pairs."""
    k = draw(st.integers(2, max_components))
    n = draw(st.integers(1, max_features))
    atoms = draw(npst.arrays(np.int64, (k, n), elements=st.integers(-1, 1))).astype(float)
    atoms[~atoms.any(axis=1)] = 1
    return atoms


def exact_rank(matrix):
    """Rank by Bareiss's elimination in whole numbers; entries are whole eighths."""
    rows = [[int(entry) for entry in row] for row in 8 * np.asarray(matrix)]
    rank, before = 0, 1
    for column in range(len(rows[0])):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        top, lead = rows[rank], rows[rank][column]
        for i in range(rank + 1, len(rows)):
            first = rows[i][column]
            # Every entry is a minor of the matrix, so the division leaves no remainder.
            rows[i] = [(lead * a - first * b) // before for a, b in zip(rows[i], top, strict=True)]
        rank, before = rank + 1, lead
    return rank


def rounding(matrix, factor=8):
    """A few times the backward error of a decomposition, relative to the norm."""
    return factor * max(np.shape(matrix)) * float(np.finfo(np.asarray(matrix).dtype).eps)
