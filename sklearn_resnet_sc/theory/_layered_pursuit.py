"""Layered thresholding and layered basis pursuit: when they find the codes, and how closely."""

import math
from dataclasses import dataclass, field

import numpy as np

from ._checks import check_nonnegative, rounding, unit_atoms
from ._coherence import babel
from ._layers import check_per_layer, check_stack
from ._pursuit import CoherenceMargins, lasso_errors
from ._statement import Statement, frozen_array, number
from ._supports import check_all_codes, row_lengths


@dataclass(frozen=True, eq=False)
class LayeredPursuit(Statement):
    """What a layered pursuit is certain to find, signal by signal.

    Arrays have shape (n_layers, n_samples). A layer counts only where all layers
    before it are certified too.

    Attributes
    ----------
    pursuit : str
        "layered hard thresholding", "layered soft thresholding" or
        "layered basis pursuit".
    certified : ndarray of bool
        The support found is the right one (thresholding), or contained in it (basis
        pursuit).
    error : ndarray
        Bound on the length of the error of the code; infinite where not certified.
    max_error : ndarray
        Bound on the error of a single coefficient: larger ones are found for certain.
    parameter : ndarray
        The thresholds, or the weights of the l1 norm; nan where not certified.
    """

    pursuit: str
    certified: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    max_error: np.ndarray = field(repr=False)
    parameter: np.ndarray = field(repr=False)

    def __str__(self):
        name = self.pursuit[0].upper() + self.pursuit[1:]
        lines = []
        for i, certified in enumerate(self.certified):
            count = int(np.count_nonzero(certified))
            if count == 0:
                lines.append(f"Layer {i + 1}: {self.pursuit} is not certified for any code.")
                continue
            errors = self.error[i][certified]
            lines.append(
                f"{name} is certified in layer {i + 1} for {count} of {len(certified)} codes, with "
                f"errors of at most {number(float(np.median(errors)))} in the median, "
                f"{number(float(errors.max()))} at worst."
            )
        return "\n".join(lines)


def _check_unit(stack):
    for i, dictionary in enumerate(stack):
        _, lengths = unit_atoms(dictionary)
        worst = float(lengths[np.abs(lengths - 1).argmax()])
        if abs(worst - 1) > max(1e-9, 8 * rounding(dictionary)):
            raise ValueError(
                f"dictionaries[{i}] must have atoms of unit length for layered pursuits; one has "
                f"length {worst:.6g}"
            )


class _Chain:
    """The certificates of the layers so far."""

    def __init__(self, n_layers, n_signals, noise):
        shape = (n_layers, n_signals)
        self.certified = np.zeros(shape, dtype=bool)
        self.error, self.max_error = np.full(shape, math.inf), np.full(shape, math.inf)
        self.parameter = np.full(shape, math.nan)
        self.reached = np.ones(n_signals, dtype=bool)
        self.noise = np.full(n_signals, noise)

    def add(self, layer, certified, error, max_error, parameter):
        self.reached &= certified
        for whole, values in (
            (self.error, error),
            (self.max_error, max_error),
            (self.parameter, parameter),
        ):
            whole[layer, self.reached] = values[self.reached]
        self.certified[layer] = self.reached
        self.noise = self.error[layer].copy()

    def result(self, pursuit):
        arrays = (self.certified, self.error, self.max_error, self.parameter)
        return LayeredPursuit(pursuit, *map(frozen_array, arrays))


def _given_layer(stack, codes, layer):
    """What the codes of a layer are to explain: the codes above, or their own image."""
    image = codes[layer].astype(np.float64) @ stack[layer].astype(np.float64)
    if layer == 0:
        return image, np.zeros(len(image))
    above = codes[layer - 1].toarray().astype(np.float64)
    return above, row_lengths(above - image)


def layered_thresholding_bound(dictionaries, codes, noise, *, kind="soft", thresholds=None):
    """Whether thresholding layer after layer finds the supports of these codes.

    The signal is ``x = g_1 D_1 + e`` with ``||e|| <= noise`` and ``g_{i-1} ~ g_i D_i``; layer i
    thresholds ``g_{i-1} D_i^T``. With epsilon the error of the layer above (and what the
    given codes leave of it), the support is right if the threshold lies strictly between
    ``max_{j outside} |<d_j, g_{i-1}>| + eps`` and ``min_{j inside} |<d_j, g_{i-1}>| - eps``, with
    the right signs. These are measured on the codes; the theorem's
    ``s < (1 + |g_min|/(mu |g_max|))/2 - eps/(mu |g_max|)`` bounds them by the coherence. The
    error is then ``||(g_{i-1} D_i^T)_T - g_i|| + sqrt(1 + mu_1(s-1)) eps``, and ``sqrt(s)`` times
    the threshold more for soft thresholding.

    Parameters
    ----------
    dictionaries : array-like or sequence of array-like
        The stack from the signal on, with unit atoms as rows.
    codes : array-like or sparse matrix, or a sequence of them
        The codes that are looked for, ``(n_samples, n_components)``, one matrix a layer.
    noise : float
        Bound on ``||e||_2``.
    kind : {"soft", "hard"}, default="soft"
        Which thresholding.
    thresholds : float or sequence of float, default=None
        One a layer; by default, for each signal, the middle of the interval for hard
        thresholding and its lower end (moved up by a thousandth) for soft thresholding.

    Returns
    -------
    LayeredPursuit
        Prints as sentences.

    Raises
    ------
    ValueError
        If a matrix is not finite and real, atoms are not of unit length, shapes do not
        fit, or another argument is out of range.

    Notes
    -----
    Orthogonal layers attain the error. Without noise the condition of one layer is
    attained at ``(2s-1) mu = 1``, where three atoms correlate alike.

    References
    ----------
    V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via
    convolutional sparse coding", JMLR 18 (2017), theorems 8 and 9 (with one stripe).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import layered_thresholding_bound
    >>> bound = layered_thresholding_bound(np.eye(3), [[1.0, -2.0, 0.0]], 0.1, kind="hard")
    >>> bound.certified, bound.error.round(9)
    (array([[ True]]), array([[0.1]]))
    """
    if kind not in ("soft", "hard"):
        raise ValueError(f'kind must be "soft" or "hard"; got {kind!r}')
    stack = check_stack(dictionaries)
    _check_unit(stack)
    codes = check_all_codes(codes, stack)
    noise = check_nonnegative(noise, "noise")
    thresholds = check_per_layer(thresholds, len(stack), "thresholds", _optional)
    chain = _Chain(len(stack), codes[0].shape[0], noise)
    for i, dictionary in enumerate(stack):
        above, left = _given_layer(stack, codes, i)
        given = codes[i].toarray().astype(np.float64)
        counts = np.diff(codes[i].indptr)
        epsilon = np.where(chain.reached, chain.noise, 0) + left
        products = above @ dictionary.T.astype(np.float64)
        inside = given != 0
        slack = rounding(above) * row_lengths(above)
        # Along the sign of the code: a product of the wrong sign is negative.
        along = np.where(inside, products * np.sign(given), math.inf).min(axis=1)
        across = np.where(inside, 0, np.abs(products)).max(axis=1)
        low, high = across + epsilon + slack, along - epsilon - slack
        # Nothing bounds the threshold from above where the code is empty.
        room = np.where(counts > 0, high, 2 * low) - low
        if thresholds[i] is None:
            threshold = low + (0.5 if kind == "hard" else 1e-3) * room
        else:
            threshold = np.full(len(given), thresholds[i])
        # An empty code needs a threshold that nothing passes, and then has no error.
        certified = np.where(counts > 0, low < threshold, low <= threshold) & (threshold < high)
        most = int(counts.max())
        values = babel(dictionary, min(max(most - 1, 0), len(dictionary) - 1))
        shared = values[np.maximum(counts - 1, 0)] + rounding(dictionary) * counts
        wrong = np.where(inside, products - given, 0)
        shift = threshold if kind == "soft" else np.zeros(len(given))
        error = row_lengths(wrong) + np.sqrt(np.minimum(1 + shared, counts)) * epsilon
        error = np.where(counts > 0, error + np.sqrt(counts) * shift + slack, 0)
        largest = np.where(counts > 0, np.abs(wrong).max(axis=1) + epsilon + shift + slack, 0)
        chain.add(i, certified, error, np.minimum(largest, error), threshold)
    return chain.result(f"layered {kind} thresholding")


def layered_basis_pursuit_bound(dictionaries, codes, noise, *, alpha=None):
    """Whether basis pursuit layer after layer finds these codes, and how closely.

    Layer i minimises ``0.5 ||g - b D_i||^2 + alpha_i ||b||_1`` for the code g found above. With
    epsilon the error of the layer above (and what the given codes leave of it), the
    theorem asks for ``s < (1 + 1/mu)/3`` and ``alpha = 4 eps``, and gives ``7.5 sqrt(s) eps``;
    here its sharper form, see `lasso_guarantee`, is used for the sparsity of each code.

    Parameters
    ----------
    dictionaries : array-like or sequence of array-like
        The stack from the signal on, with unit atoms as rows.
    codes : array-like or sparse matrix, or a sequence of them
        The codes that are looked for, ``(n_samples, n_components)``, one matrix a layer.
    noise : float
        Bound on the length of the noise.
    alpha : float or sequence of float, default=None
        Weight of the l1 norm, one a layer; by default 4 epsilon for each signal.

    Returns
    -------
    LayeredPursuit
        Prints as sentences.

    Raises
    ------
    ValueError
        If a matrix is not finite and real, atoms are not of unit length, shapes do not
        fit, or another argument is out of range.

    Notes
    -----
    Orthogonal layers attain the error, ``5 eps`` a layer with the default weight.

    References
    ----------
    V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via
    convolutional sparse coding", JMLR 18 (2017), theorem 12 (with one stripe).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import layered_basis_pursuit_bound
    >>> bound = layered_basis_pursuit_bound(np.eye(3), [[1.0, -2.0, 0.0]], 0.1)
    >>> bound.certified, bound.max_error.round(9)
    (array([[ True]]), array([[0.5]]))
    """
    stack = check_stack(dictionaries)
    _check_unit(stack)
    codes = check_all_codes(codes, stack)
    noise = check_nonnegative(noise, "noise")
    alpha = check_per_layer(alpha, len(stack), "alpha", _optional)
    chain = _Chain(len(stack), codes[0].shape[0], noise)
    for i, dictionary in enumerate(stack):
        _, left = _given_layer(stack, codes, i)
        epsilon = np.where(chain.reached, chain.noise, 0) + left
        counts = np.diff(codes[i].indptr)
        weight = 4 * epsilon if alpha[i] is None else np.full(len(counts), alpha[i])
        certified = np.zeros(len(counts), dtype=bool)
        error, largest = np.full(len(counts), math.inf), np.full(len(counts), math.inf)
        # Nothing is found in noise that no correlation with lifts over the weight.
        empty = counts == 0
        certified[empty] = weight[empty] > epsilon[empty] * (1 + rounding(dictionary))
        error[empty] = largest[empty] = 0
        for size in np.unique(counts[counts > 0]):
            chosen = np.flatnonzero((counts == size) & chain.reached)
            margins = CoherenceMargins(dictionary, int(size))
            condition, squared, most = lasso_errors(
                margins, int(size), epsilon[chosen], weight[chosen]
            )
            certified[chosen] = condition > 0
            if alpha[i] is None and margins.leak < 1:
                # Without noise, basis pursuit itself, the limit of a vanishing weight.
                certified[chosen] |= epsilon[chosen] == 0
            error[chosen], largest[chosen] = np.sqrt(squared), most
        chain.add(i, certified, error, largest, weight)
    return chain.result("layered basis pursuit")


def _optional(value, name, layer):
    return None if value is None else check_nonnegative(value, name)
