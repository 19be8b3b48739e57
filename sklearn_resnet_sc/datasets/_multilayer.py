"""Signals with sparse codes in many layers, made from the deepest layer up."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from ._synthetic import LAWS, add_noise, check_count, check_snr, law_of


def make_multilayer_sparse_signals(
    n_samples=1000,
    n_features=64,
    n_components=(128, 256),
    n_nonzero_coefs=4,
    *,
    atom_nonzero=3,
    snr=None,
    coefficients="gaussian",
    random_state=None,
    dtype=np.float64,
):
    """Signals whose codes are sparse in every layer, with the dictionaries and codes.

    The synthesis model ``x = g_1 C_1``, ``g_{i-1} = g_i C_i`` holds exactly. A random dense
    ``C_2`` would make dense codes of layer 1, so that no signal fits the model; here atoms of
    the inner dictionaries ``C_2, ..., C_L`` have few nonzeros, and a code of `s` atoms has at
    most ``s * atom_nonzero`` in the layer above.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of signals.
    n_features : int, default=64
        Length of a signal.
    n_components : sequence of int, default=(128, 256)
        Atoms of each layer, from the signal on.
    n_nonzero_coefs : int, default=4
        Atoms of each signal in the deepest layer, any set of them equally likely.
    atom_nonzero : int or sequence of int, default=3
        Nonzeros of each atom of ``C_2, ..., C_L``: one number, or one for each of them.
    snr : float, default=None
        Signal-to-noise ratio in decibels, exact for the signals as a whole; the noise is
        white and Gaussian. ``None``: no noise.
    coefficients : {"gaussian", "uniform", "laplace", "signs"} or callable, default="gaussian"
        Law of the deepest codes, as in :func:`make_planted_dictionary_signals`.
    random_state : int, RandomState instance or None, default=None
        Source of all that is random.
    dtype : {np.float32, np.float64}, default=np.float64
        Precision of what is returned; the same numbers, rounded.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The signals.
    dictionaries : list of ndarray
        ``C_1`` (n_components_1, n_features), ``C_2`` (n_components_2, n_components_1) and so
        on. Atoms have unit length; those of ``C_1`` are random directions, those of the
        others have `atom_nonzero` Gaussian entries.
    codes : list of ndarray
        Codes of every layer, of shape (n_samples, n_components_i).

    Raises
    ------
    ValueError
        If a number or the law is not valid.

    References
    ----------
    J. Sulam, V. Papyan, Y. Romano, M. Elad, "Multilayer convolutional sparse modeling:
    pursuit and dictionary learning", IEEE Trans. Signal Processing 66 (2018), section II.C, on
    why inner dictionaries must be sparse.

    Examples
    --------
    >>> from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
    >>> X, dictionaries, codes = make_multilayer_sparse_signals(n_samples=5, random_state=0)
    >>> [dictionary.shape for dictionary in dictionaries]
    [(128, 64), (256, 128)]
    >>> bool(abs(codes[0] - codes[1] @ dictionaries[1]).max() < 1e-12)
    True
    >>> int((codes[0] != 0).sum(axis=1).max()) <= 4 * 3
    True
    """
    check_count("n_samples", n_samples)
    check_count("n_features", n_features)
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise ValueError(f"dtype must be a floating point type; got {dtype}")
    sizes = [n_components] if isinstance(n_components, Integral) else n_components
    if np.ndim(sizes) != 1 or not len(sizes):
        raise ValueError(f"n_components must have one entry a layer; got {n_components!r}")
    sizes = list(sizes)
    for layer, size in enumerate(sizes, 1):
        check_count(f"n_components[{layer - 1}] (layer {layer})", size)
    check_count("n_nonzero_coefs", n_nonzero_coefs)
    if n_nonzero_coefs > sizes[-1]:
        raise ValueError(
            f"n_nonzero_coefs must be at most the {sizes[-1]} atoms of the deepest layer; "
            f"got {n_nonzero_coefs}"
        )
    check_snr(snr)
    coefficients = law_of(coefficients)
    inner = _inner_counts(atom_nonzero, sizes)
    random_state = check_random_state(random_state)
    deepest = np.zeros((n_samples, sizes[-1]))
    _fill(deepest, n_nonzero_coefs, coefficients, random_state)
    dictionaries = []
    for layer, size in enumerate(sizes):
        width = sizes[layer - 1] if layer else n_features
        dictionary = np.zeros((size, width))
        _fill(dictionary, inner[layer - 1] if layer else width, LAWS["gaussian"], random_state)
        dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
        dictionaries.append(dictionary)
    codes = [deepest]
    for dictionary in dictionaries[:0:-1]:
        codes.insert(0, codes[0] @ dictionary)
    X = codes[0] @ dictionaries[0]
    add_noise(X, snr, random_state)
    return (
        X.astype(dtype),
        [dictionary.astype(dtype) for dictionary in dictionaries],
        [code.astype(dtype) for code in codes],
    )


def _inner_counts(atom_nonzero, sizes):
    """Nonzeros of an atom of each dictionary but the first."""
    n_inner = len(sizes) - 1
    if isinstance(atom_nonzero, Integral):
        atom_nonzero = [atom_nonzero] * n_inner
    if np.ndim(atom_nonzero) != 1 or len(atom_nonzero) != n_inner:
        raise ValueError(
            f"atom_nonzero must be a number or have one entry for each of the {n_inner} inner "
            f"dictionaries; got {atom_nonzero!r}"
        )
    counts = list(atom_nonzero)
    for i, count in enumerate(counts):
        name = f"atom_nonzero[{i}] (layer {i + 2})"
        check_count(name, count)
        if count > sizes[i]:
            raise ValueError(f"{name} must be at most the {sizes[i]} atoms above; got {count}")
    return counts


def _fill(matrix, count, law, random_state):
    """So many entries of each row, any set of them equally likely, by a law."""
    places = random_state.random_sample(matrix.shape).argsort(axis=1)[:, :count]
    np.put_along_axis(matrix, places, law(random_state, places.shape), axis=1)
