"""Signals made by a law that is known: of a planted dictionary, and autoregressive ones."""

from numbers import Integral, Real

import numpy as np
from scipy.linalg import toeplitz
from sklearn.utils import check_random_state

LAWS = {
    "gaussian": lambda random_state, shape: random_state.standard_normal(shape),
    "uniform": lambda random_state, shape: random_state.uniform(-1, 1, shape),
    "laplace": lambda random_state, shape: random_state.laplace(size=shape),
    "signs": lambda random_state, shape: random_state.choice([-1.0, 1.0], shape),
}


def make_planted_dictionary_signals(
    n_samples=1500,
    n_features=20,
    n_components=50,
    n_nonzero_coefs=3,
    *,
    snr=None,
    coefficients="gaussian",
    random_state=None,
    dtype=np.float64,
):
    """Signals that are sparse in a random dictionary, with noise if wanted.

    The defaults are the experiment of Aharon, Elad and Bruckstein: can the dictionary be
    found again from the signals?

    Parameters
    ----------
    n_samples : int, default=1500
        Number of signals.
    n_features : int, default=20
        Length of a signal.
    n_components : int, default=50
        Number of atoms, random directions of unit length.
    n_nonzero_coefs : int, default=3
        Atoms in each signal, any set of them equally likely.
    snr : float, default=None
        Signal-to-noise ratio in decibels, exact for the signals as a whole; the noise is
        white and Gaussian. ``None``: no noise.
    coefficients : {"gaussian", "uniform", "laplace", "signs"} or callable, default="gaussian"
        Law of the coefficients: standard normal, uniform on [-1, 1], Laplace of scale 1, or -1
        and 1. A function takes a RandomState and a shape.
    random_state : int, RandomState instance or None, default=None
        Source of all that is random.
    dtype : {np.float32, np.float64}, default=np.float64
        Precision of what is returned; the same numbers, rounded.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The signals.
    dictionary : ndarray of shape (n_components, n_features)
        The atoms.
    code : ndarray of shape (n_samples, n_components)
        The codes; without noise ``X = code @ dictionary``.

    Raises
    ------
    ValueError
        If a number or the law is not valid.

    References
    ----------
    M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing overcomplete
    dictionaries for sparse representation", IEEE TSP 54 (2006), section V.A.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.datasets import make_planted_dictionary_signals
    >>> X, dictionary, code = make_planted_dictionary_signals(snr=20, random_state=0)
    >>> noise = X - code @ dictionary
    >>> float(round(20 * np.log10(np.linalg.norm(code @ dictionary) / np.linalg.norm(noise)), 9))
    20.0
    """
    for name, value in (
        ("n_samples", n_samples),
        ("n_features", n_features),
        ("n_components", n_components),
        ("n_nonzero_coefs", n_nonzero_coefs),
    ):
        check_count(name, value)
    if n_nonzero_coefs > n_components:
        raise ValueError(
            f"n_nonzero_coefs must be at most n_components={n_components}; got {n_nonzero_coefs}"
        )
    check_snr(snr)
    coefficients = law_of(coefficients)
    random_state = check_random_state(random_state)
    supports = random_state.random_sample((n_samples, n_components)).argsort(axis=1)
    supports = supports[:, :n_nonzero_coefs]
    code = np.zeros((n_samples, n_components))
    np.put_along_axis(code, supports, coefficients(random_state, supports.shape), axis=1)
    # After the codes: a learner with the same seed may begin from normal directions of this shape,
    # and must not find the dictionary in them.
    dictionary = random_state.standard_normal((n_components, n_features))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    X = code @ dictionary
    add_noise(X, snr, random_state)
    return X.astype(dtype), dictionary.astype(dtype), code.astype(dtype)


def make_ar1_signals(
    n_samples=4000, n_features=16, *, correlation=0.95, random_state=None, dtype=np.float64
):
    """Signals of a stationary autoregressive process of order one.

    ``x[t] = correlation * x[t - 1] + noise[t]`` with standard normal noise; every signal
    is a piece of a process of its own, so its covariance is
    ``correlation ** |s - t| / (1 - correlation ** 2)``.

    Parameters
    ----------
    n_samples : int, default=4000
        Number of signals.
    n_features : int, default=16
        Length of a signal.
    correlation : float, default=0.95
        Of neighbours, in (-1, 1).
    random_state : int, RandomState instance or None, default=None
        Source of the noise.
    dtype : {np.float32, np.float64}, default=np.float64
        Precision of what is returned; the same numbers, rounded.

    Returns
    -------
    ndarray of shape (n_samples, n_features)
        The signals.

    Raises
    ------
    ValueError
        If a number is not valid.

    References
    ----------
    The defaults are those of K. Skretting, K. Engan, "Recursive least squares
    dictionary learning algorithm", IEEE TSP 58 (2010), section IV.A.

    Examples
    --------
    >>> from sklearn_resnet_sc.datasets import make_ar1_signals
    >>> X = make_ar1_signals(random_state=0)
    >>> X.shape
    (4000, 16)
    >>> float(((X[:, 1:] * X[:, :-1]).sum() / (X[:, :-1] ** 2).sum()).round(2))
    0.95
    """
    check_count("n_samples", n_samples)
    check_count("n_features", n_features)
    if not isinstance(correlation, Real) or not -1 < correlation < 1:
        raise ValueError(f"correlation must lie in (-1, 1); got {correlation!r}")
    random_state = check_random_state(random_state)
    covariance = toeplitz(correlation ** np.arange(n_features)) / (1 - correlation**2)
    noise = random_state.standard_normal((n_samples, n_features))
    return (noise @ np.linalg.cholesky(covariance).T).astype(dtype)


def check_count(name, value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be a positive integer; got {value!r}")


def check_snr(snr):
    """Refuse what is no number of decibels."""
    if snr is not None and not (isinstance(snr, Real) and np.isfinite(snr)):
        raise ValueError(f"snr must be a number of decibels or None; got {snr!r}")


def law_of(coefficients):
    """The function of a law of coefficients, by its name or as it is."""
    if callable(coefficients):
        return coefficients
    if coefficients not in LAWS:
        raise ValueError(
            f"coefficients must be one of {sorted(LAWS)} or callable; got {coefficients!r}"
        )
    return LAWS[coefficients]


def add_noise(X, snr, random_state):
    """Add white Gaussian noise of exactly so many decibels; none where `snr` is None."""
    if snr is not None:
        noise = random_state.standard_normal(X.shape)
        X += noise * (np.linalg.norm(X) / np.linalg.norm(noise) * 10 ** (-snr / 20))
