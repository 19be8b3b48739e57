"""Certificates of codes that were found, by signal and layer."""

import math

import numpy as np

from ._checks import check_count, check_matrix, check_nonnegative
from ._code_certificates import CodeCertificate
from ._layer_codes import LayerCodes
from ._layers import check_per_layer, check_stack, effective_dictionaries, spectral_norm
from ._spark import check_spark
from ._spectra import default_rtol
from ._supports import check_all_codes, row_lengths


def certify(
    dictionaries,
    codes,
    *,
    signals=None,
    noise=0.0,
    slack=0.0,
    alpha=None,
    n_nonzero=None,
    spark=None,
    n_jobs=None,
):
    """Say of each code which theorem makes it unique, stable and found, or that none does.

    For a dictionary, or a stack in the synthesis orientation ``x ~ g_1 D_1``,
    ``g_{i-1} ~ g_i D_i``. Theorems about all supports (coherence, Babel function, spark)
    are followed by what can be said of the actual support and signal: the smallest
    singular value of its atoms, the exact recovery condition, the margins of the pursuit.
    Everything is computed once a distinct support, in batches.

    Parameters
    ----------
    dictionaries : array-like or sequence of array-like
        One dictionary ``(n_components, n_features)`` with atoms as rows, of any length, or a
        stack of them from the signal on.
    codes : array-like or sparse matrix of shape (n_samples, n_components), or a sequence
        The codes; for a stack one matrix a layer.
    signals : array-like of shape (n_samples, n_features), default=None
        The signals. Needed for the certificates of pursuits; without them the codes are
        taken to be within `noise` of theirs.
    noise : float or array-like of shape (n_samples,), default=0.0
        How far from its signal a competing code may be.
    slack : float or sequence, default=0.0
        For a stack, how far a competitor may be between layers, one a layer, each a number or an
        array of shape (n_samples,); the first is not used.
    alpha : float or sequence of float, default=None
        Weight of the l1 norm where the codes solve the lasso
        ``0.5 ||x - a D||^2 + alpha ||a||_1``, one a layer for a stack. Otherwise they are
        taken for greedy ones.
    n_nonzero : int or sequence of int, default=None
        Competitors are all codes of at most so many atoms, one a layer; by default, of at most
        as many as each code has.
    spark : int, Spark or a sequence of them, default=None
        A lower bound on the spark that is known, one a layer, as from `spark`.

    n_jobs : int, default=None
        Number of threads, with joblib's meaning.

    Returns
    -------
    CodeCertificate
        Prints as sentences; `describe` speaks of one signal, `to_frame` makes a table.

    Raises
    ------
    ValueError
        If a matrix is not finite and real, a dictionary has a zero atom, shapes do not
        fit, or another argument is out of range.

    Notes
    -----
    Uniqueness is about codes that represent the same thing exactly; with noise there is a
    continuum of codes and the error radius takes over. The lasso's and greedy margins
    certify the support found in the *given* signal, not that of an unknown true code. The
    lasso's radius is attained: just beyond it, noise in some direction changes support or
    signs. The greedy one is within ``sqrt(2)`` of the truth for orthogonal atoms.
    Computed in float64, block by block; what counts as a dependent support is decided in
    the precision of the dictionary.

    References
    ----------
    D. L. Donoho, M. Elad, PNAS 100 (2003), theorem 2; J. A. Tropp, "Greed is good", IEEE
    Trans. Information Theory 50 (2004); V. Papyan, Y. Romano, M. Elad, JMLR 18 (2017),
    theorems 4 and 5; J.-J. Fuchs, "On sparse representations in arbitrary redundant
    bases", IEEE Trans. Information Theory 50 (2004), theorem 1 for the lasso; T. T. Cai,
    L. Wang, "Orthogonal matching pursuit for sparse signal recovery with noise", IEEE
    Trans. Information Theory 57 (2011), theorem 1 for the noise that recovery bears.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import certify
    >>> dictionary = np.vstack([np.eye(16), np.ones((1, 16)) / 4])
    >>> codes = np.zeros((2, 17))
    >>> codes[0, [1, 16]], codes[1, :3] = 1, 2
    >>> certificate = certify(dictionary, codes, noise=0.1)
    >>> certificate.layers[0].unique
    array([ True, False])
    >>> print(certificate.describe(0))
    Layer 1, signal 0, 2 atoms: the only code for what it represents among all of at most 2
    atoms (by coherence).
    Any other code as sparse within 0.1 of the signal is within 0.4 of this one.
    Any code on the same support is within 0.2309 of this one.
    Every code as sparse has the same support while both are within 0.25 of the layer above.
    The exact recovery condition holds (0.3333).
    """
    stack = check_stack(dictionaries)
    codes = check_all_codes(codes, stack)
    n_signals = codes[0].shape[0]
    signals = _check_signals(signals, n_signals, stack[0].shape[1])
    noise = _check_noise(noise, n_signals)
    n_layers = len(stack)
    slack = check_per_layer(
        slack, n_layers, "slack", lambda v, name, _: _check_noise(v, n_signals, name)
    )
    alpha = check_per_layer(alpha, n_layers, "alpha", _check_alpha)
    wanted = check_per_layer(n_nonzero, n_layers, "n_nonzero", _check_optional(stack))
    spark = check_per_layer(spark, n_layers, "spark", _check_spark)

    products = effective_dictionaries(stack)
    layers, state = [], _State(n_signals)
    for i, dictionary in enumerate(stack):
        above = signals if i == 0 else codes[i - 1]
        own = LayerCodes(dictionary, codes[i], wanted[i], spark[i], n_jobs)
        distance = own.distance_from(above)
        state.allow(slack[i] if i else noise, distance, above, dictionary)
        between = (noise if distance is None else distance) + (slack[i] if i else noise)
        through = None
        if i and products[i] is not None:
            through = LayerCodes(products[i], codes[i], wanted[i], None, n_jobs, recovery=False)
            reach = through.distance_from(signals)
            if reach is None:
                # The codes are within noise, and leave what the layers leave between them.
                reach = noise + state.left + spectral_norm(products[i - 1]) * distance
            state.left = state.left + spectral_norm(products[i - 1]) * distance
            state.allowed += slack[i] * spectral_norm(products[i - 1])
            reach = reach + noise + state.allowed
        state.step(own, through, between, reach if through else None)
        layers.append(own.certificate(i + 1, state, distance, above, alpha[i]))
    return CodeCertificate(layers=tuple(layers), n_signals=n_signals)


class _State:
    """What the layers so far leave to the next one."""

    def __init__(self, n_signals):
        self.radius = np.zeros(n_signals)
        self.radius_on_support = np.zeros(n_signals)
        self.unique = np.ones(n_signals, dtype=bool)
        self.left = np.zeros(n_signals)
        self.allowed = 0.0
        self.between = np.zeros(n_signals)
        self.exact = np.ones(n_signals, dtype=bool)

    def allow(self, between, distance, above, dictionary):
        """What competitors may leave of the layer above; with that or a residual there are many."""
        self.between = between
        left = between if distance is None else np.maximum(between, distance)
        size = 0.0
        if above is not None:
            size = row_lengths(above if isinstance(above, np.ndarray) else above.toarray())
        self.exact = self.exact & (left <= default_rtol(dictionary) * size)

    def step(self, own, through, between, reach):
        self.radius = _divide(self.radius + between, own.isometry)
        self.radius_on_support = _divide(self.radius_on_support + between, own.sigma_min)
        self.unique = self.unique & own.unique
        if through is not None:
            self.radius = np.minimum(self.radius, _divide(reach, through.isometry))
            self.radius_on_support = np.minimum(
                self.radius_on_support, _divide(reach, through.sigma_min)
            )
            self.unique |= through.unique
        self.unique &= self.exact


def _divide(distance, strength):
    """Distance over strength; infinite where there is no strength, 0 for zero codes."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return np.where(strength > 0, distance / np.where(strength > 0, strength, 1), math.inf)


def _check_signals(signals, n_signals, n_features):
    if signals is None:
        return None
    signals = check_matrix(signals, "signals")
    if signals.shape != (n_signals, n_features):
        raise ValueError(
            f"signals must have shape ({n_signals}, {n_features}), as codes and dictionary have; "
            f"got {signals.shape}"
        )
    return signals.astype(np.float64, copy=False)


def _check_noise(noise, n_signals, name="noise"):
    if np.ndim(noise) == 0:
        return np.full(n_signals, check_nonnegative(noise, name))
    noise = np.asarray(noise)
    if noise.dtype.kind not in "iuf" or noise.shape != (n_signals,):
        raise ValueError(
            f"{name} must be a number or have one entry a signal, shape ({n_signals},); got shape "
            f"{noise.shape}"
        )
    if not np.isfinite(noise).all() or noise.min() < 0:
        raise ValueError(
            f"{name} must be finite and at least 0; got {float(noise.min())!r} to "
            f"{float(noise.max())!r}"
        )
    return noise.astype(np.float64)


def _check_alpha(value, name, layer):
    if value is None:
        return None
    value = check_nonnegative(value, name)
    if value == 0:
        raise ValueError(f"{name} must be positive or None; got 0")
    return value


def _check_optional(stack):
    return lambda value, name, i: (
        None if value is None else check_count(value, name, high=len(stack[i]))
    )


def _check_spark(value, name, layer):
    return None if value is None else check_spark(value, name)
