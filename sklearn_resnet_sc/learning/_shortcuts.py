"""Shortcuts: the fixed part P of a dictionary P + R."""

from math import isqrt
from numbers import Integral

import numpy as np
from scipy.linalg import qr
from sklearn.utils import check_array

_NAMES = ("identity", "dct", "pca")


def dct_dictionary(n_components, n_features, *, dtype=np.float64):
    """Dictionary of cosines: atoms ``cos((i + 1/2) j pi / m)``, scaled to unit length.

    Where both numbers are squares the atoms are products of two such cosines,
    one along each axis of a square patch (flattened row by row), of which
    there are ``m = sqrt(n_components)``; otherwise one axis with
    ``m = n_components``. With ``n_components == n_features`` this is the orthonormal DCT-II;
    below, its atoms of lowest frequency, orthonormal too. Above it is
    overcomplete: thanks to the half-sample phase a tight frame where every axis
    has twice as many atoms as samples (64 x 256: frame bounds ``A = B = 4``),
    and of full rank always.

    Parameters
    ----------
    n_components : int
        Number of atoms.
    n_features : int
        Number of features; a square number for patches.
    dtype : {np.float64, np.float32}, default=np.float64
        Precision of the result; computed in float64.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        The dictionary, from low to high frequency (with two axes, the second
        runs fastest).

    Raises
    ------
    ValueError
        If a number is not a positive integer.

    References
    ----------
    M. Aharon, M. Elad, A. Bruckstein, "K-SVD", IEEE Trans. Signal Processing
    54 (2006), use an overcomplete DCT; theirs has no half-sample phase and is
    not tight.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.learning import dct_dictionary
    >>> frame = dct_dictionary(256, 64)
    >>> np.allclose(frame.T @ frame, 4 * np.eye(64))
    True
    """
    for name, value in {"n_components": n_components, "n_features": n_features}.items():
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be a positive integer; got {value!r}")
    side, width = isqrt(n_components), isqrt(n_features)
    if side * side == n_components and width * width == n_features:
        axis = _cosines(side, width)
        atoms = np.kron(axis, axis)
    else:
        atoms = _cosines(n_components, n_features)
    return atoms.astype(dtype, copy=False)


def _cosines(n_components, n_features):
    # Below n_features the lowest frequencies of the complete transform.
    period = max(n_components, n_features)
    time = np.arange(n_features) + 0.5
    atoms = np.cos(np.pi / period * np.outer(np.arange(n_components), time))
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def principal_directions(covariance, n_components):
    """Orthonormal eigenvectors of the largest eigenvalues, as rows.

    Signs are fixed: the entry of largest size, the first of equals, is positive. Where the rank
    is smaller, unit vectors complete the directions, made orthogonal to them and to each other.
    """
    values, vectors = np.linalg.eigh(covariance)
    rounding = len(values) * np.finfo(np.float64).eps * max(values[-1], 0)
    directions = vectors.T[values > rounding][::-1][:n_components]
    if (missing := n_components - len(directions)) > 0:
        rest = np.eye(len(values)) - directions.T @ directions
        directions = np.vstack([directions, qr(rest, pivoting=True)[0].T[:missing]])
    largest = np.argmax(np.abs(directions).round(12), axis=1)
    return directions * np.sign(directions[np.arange(n_components), largest])[:, None]


def make_shortcut(shortcut, n_components, n_features, *, covariance, dtype):
    """The shortcut as a matrix, or None.

    Parameters
    ----------
    shortcut : {"identity", "dct", "pca"}, array-like or None
        As the parameter of `ResidualDictionaryLearning`.
    n_components : int
        Number of atoms.
    n_features : int
        Number of features.
    covariance : callable
        Gives the covariance of the training signals; called for ``"pca"`` only.
    dtype : dtype
        Precision of the result.

    Returns
    -------
    ndarray of shape (n_components, n_features) or None
        Unit atoms, of full rank.
    """
    if shortcut is None:
        return None
    if not isinstance(shortcut, str):
        return _check_shortcut(shortcut, n_components, n_features, dtype)
    if shortcut not in _NAMES:
        raise ValueError(
            f"shortcut must be one of {', '.join(map(repr, _NAMES))}, an array or None; "
            f"got {shortcut!r}"
        )
    if shortcut == "dct":
        return dct_dictionary(n_components, n_features, dtype=dtype)
    if n_components > n_features:
        raise ValueError(
            f"shortcut={shortcut!r} has at most n_features = {n_features} atoms; got "
            f"n_components={n_components}. Use shortcut='dct', an array or None for more."
        )
    if shortcut == "identity":
        return np.eye(n_components, n_features, dtype=dtype)
    return principal_directions(covariance(), n_components).astype(dtype)


def _check_shortcut(shortcut, n_components, n_features, dtype):
    shortcut = check_array(shortcut, dtype=dtype, input_name="shortcut", copy=True)
    if shortcut.shape != (n_components, n_features):
        raise ValueError(
            f"shortcut must have shape (n_components, n_features) = ({n_components}, "
            f"{n_features}); got {shortcut.shape}"
        )
    lengths = np.linalg.norm(shortcut.astype(np.float64), axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > np.sqrt(np.finfo(dtype).eps))
    if wrong.size:
        raise ValueError(
            f"shortcut must have atoms of unit length; atom {wrong[0]} has length "
            f"{lengths[wrong[0]]:.6g} ({wrong.size} of {n_components} are not of unit length). "
            "Divide the atoms by their lengths, and leave out zero atoms."
        )
    spectrum = np.linalg.svd(shortcut.astype(np.float64), compute_uv=False)
    if spectrum[-1] <= max(shortcut.shape) * np.finfo(dtype).eps * spectrum[0]:
        raise ValueError(
            "shortcut must have full rank; its smallest singular value is "
            f"{spectrum[-1]:.3g}, its largest {spectrum[0]:.3g}"
        )
    return shortcut
