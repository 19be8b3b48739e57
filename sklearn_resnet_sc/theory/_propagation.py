"""How an error of the input grows from layer to layer."""

import math
from dataclasses import dataclass, field

import numpy as np

from ._checks import check_count, check_matrix, check_nonnegative
from ._isometry import upper_isometry
from ._layers import as_layers, check_per_layer, check_stack, spectral_norm
from ._statement import Statement, frozen_array, number


@dataclass(frozen=True)
class ErrorPropagation(Statement):
    """How far the layers of two inputs can be apart.

    Attributes
    ----------
    noise : float
        Distance of the inputs, epsilon_0.
    by_norms : ndarray
        ``eps_0^2 prod ||D_i||_2^2`` up to each layer; for residual layers
        ``eps_0^2 prod (1 + L_i)^2``.
    by_coherence : ndarray
        ``||D_1||_2^2 eps_0^2 prod (1 + (2 s_i - 1) mu(D_{i+1}))`` up to each layer, with the
        Babel function, the length of the atoms, and no factor above ``||D_{i+1}||_2^2``;
        infinite where no sparsity is given.
    squared_error : ndarray
        The smaller of the two.
    """

    noise: float
    by_norms: np.ndarray = field(compare=False)
    by_coherence: np.ndarray = field(compare=False)
    squared_error: np.ndarray = field(compare=False)

    def __str__(self):
        last = len(self.squared_error)
        sparse = (
            f", by coherence {number(float(self.by_coherence[-1]))}"
            if self.by_coherence[-1] < math.inf
            else ""
        )
        return (
            f"Inputs at most {number(self.noise)} apart have a squared distance of at most "
            f"{number(float(self.squared_error[-1]))} in layer {last} (by the norms "
            f"{number(float(self.by_norms[-1]))}{sparse})."
        )


def error_propagation_bound(dictionaries, noise, *, n_nonzero=None, residual=False):
    """Bound the growth of an input error through layers ``T_i = sigma(T_{i-1} D_i)``.

    For any non-expansive sigma (soft thresholding, rectification, none)
    ``||Delta_l|| <= eps_0 prod ||D_i||_2``. Where T_i has at most s_i non-zeros for both
    inputs, ``||D_{i+1}||_2^2`` may be replaced by ``B_i = 1 + (2 s_i - 1) mu(D_{i+1})``:
    ``||Delta_l||^2 <= ||D_1||_2^2 eps_0^2 prod B_i``. Hard thresholding is not non-expansive:
    the bound holds for it only while the supports agree. Residual layers
    ``T_i = T_{i-1} + sigma(T_{i-1} R_i)`` have the factors ``(1 + ||R_i||_2)``.

    Parameters
    ----------
    dictionaries : array-like or sequence of array-like
        The layers ``(size of T_{i-1}, size of T_i)``, atoms as rows, of any length, zero
        too. For residual layers the square matrices R_i.
    noise : float
        Distance epsilon_0 of the two inputs.
    n_nonzero : int or sequence of int, default=None
        Sparsity of T_1, T_2, ... for both inputs; the last layer's is not used.
    residual : bool, default=False
        Whether the layers are residual.

    Returns
    -------
    ErrorPropagation
        Prints as a sentence; `squared_error` holds the best bound for each layer.

    Raises
    ------
    ValueError
        If a dictionary is not a finite real matrix, if shapes form no chain, or if another
        argument is out of range.

    Notes
    -----
    The factor is an *upper* isometry. Reading the lower one, ``1 - (2s-1) mu``, as a factor
    by which the error shrinks contradicts orthogonal layers, which keep it.

    References
    ----------
    R. A. Horn, C. R. Johnson, "Matrix Analysis", 2nd ed. (2013), section 5.6 (norms of
    products) and theorem 6.1.1 (Gershgorin); A. Beck, "First-order methods in
    optimization" (2017), theorem 6.42, for proximal maps being non-expansive. The
    corrected form of section 2.5 of "ResNet through deep multi-layer sparse coding".

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import error_propagation_bound
    >>> error_propagation_bound([np.eye(4), np.eye(4)], 0.5).squared_error.round(9)
    array([0.25, 0.25])
    """
    noise = check_nonnegative(noise, "noise")
    if residual:
        if n_nonzero is not None:
            raise ValueError(f"n_nonzero must be None for residual layers; got {n_nonzero!r}")
        by_norms = _grown(noise, 1 + _residual_norms(dictionaries))
        silent = frozen_array(np.full(len(by_norms), math.inf))
        return ErrorPropagation(noise, by_norms, silent, by_norms)
    stack = check_stack(dictionaries, model="forward")
    norms = np.array([spectral_norm(dictionary) for dictionary in stack])
    sparse = np.full(len(stack), math.inf)
    sparse[0] = norms[0]
    if n_nonzero is not None:
        counts = check_per_layer(
            n_nonzero,
            len(stack),
            "n_nonzero",
            lambda v, name, i: check_count(v, name, high=stack[i].shape[1]),
        )
        for i in range(1, len(stack)):
            sparse[i] = math.sqrt(upper_isometry(stack[i], 2 * counts[i - 1]))
    by_norms, by_coherence = _grown(noise, norms), _grown(noise, sparse)
    return ErrorPropagation(noise, by_norms, by_coherence, _smaller(by_norms, by_coherence))


def _grown(noise, factors):
    """Squared lengths after each layer; no noise stays none where the factor is certain."""
    with np.errstate(over="ignore", invalid="ignore"):
        factors = np.cumprod(factors)
        lengths = np.where(np.isfinite(factors), noise, math.inf) if noise == 0 else noise * factors
        return frozen_array(np.square(lengths))


def _smaller(first, second):
    return frozen_array(np.minimum(first, second))


def _residual_norms(matrices):
    matrices = as_layers(matrices, "dictionaries")
    matrices = [check_matrix(m, f"dictionaries[{i}]") for i, m in enumerate(matrices)]
    size = matrices[0].shape[0]
    for i, matrix in enumerate(matrices):
        if matrix.shape != (size, size):
            raise ValueError(
                f"dictionaries[{i}] must be square for a residual layer, and of one size in all "
                f"layers, here ({size}, {size}); got shape {matrix.shape}"
            )
    return np.array([spectral_norm(matrix) for matrix in matrices])


@dataclass(frozen=True)
class BiLipschitz(Statement):
    """How much a stack of residual blocks can shrink or stretch distances.

    Attributes
    ----------
    lower, upper : float or ndarray
        ``lower ||x - y|| <= ||F(x) - F(y)|| <= upper ||x - y||``; lower is 0 where
        some block has a Lipschitz constant of 1 or more.
    """

    lower: float | np.ndarray
    upper: float | np.ndarray

    @property
    def invertible(self):
        """Whether the stack is certainly invertible (for arrays: each of them)."""
        return self.lower > 0

    def __str__(self):
        if np.ndim(self.lower):
            count = int(np.count_nonzero(self.lower > 0))
            return f"{count} of {np.size(self.lower)} stacks of residual blocks are invertible."
        stretch = f"stretches distances at most {number(self.upper)} times"
        if not self.invertible:
            return (
                f"The stack {stretch}. Invertibility is not certified: a block has a Lipschitz "
                f"constant of 1 or more."
            )
        return f"The stack is invertible: it {stretch} and keeps {number(self.lower)} of them."


def bilipschitz_bound(lipschitz):
    """Bounds for a stack of residual blocks ``h -> h + f_i(h)`` with ``Lip(f_i) = L_i``.

    ``prod (1 - L_i) ||x - y|| <= ||F(x) - F(y)|| <= prod (1 + L_i) ||x - y||``, the left
    side where all ``L_i < 1``. This is in what sense skip connections make a stack
    stable. For ``f(h) = sigma(h R)`` with a non-expansive sigma, ``L <= ||R||_2``.

    Parameters
    ----------
    lipschitz : array-like of shape (..., n_blocks)
        Lipschitz constants of one stack, or of many in the leading dimensions.

    Returns
    -------
    BiLipschitz
        Prints as a sentence.

    Raises
    ------
    ValueError
        If there is no block, or a constant is negative or not finite.

    References
    ----------
    J. Behrmann, W. Grathwohl, R. T. Q. Chen, D. Duvenaud, J.-H. Jacobsen, "Invertible
    residual networks", ICML (2019), theorem 1 and lemma 2.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import bilipschitz_bound
    >>> bilipschitz_bound([0.5, 0.5])
    BiLipschitz(lower=0.25, upper=2.25)
    """
    constants = np.asarray(lipschitz)
    if constants.dtype.kind not in "biuf" or constants.ndim == 0 or constants.size == 0:
        raise ValueError(
            f"lipschitz must hold a real number for each block; got shape {constants.shape} and "
            f"dtype {constants.dtype}"
        )
    constants = constants.astype(np.float64)
    if not np.isfinite(constants).all() or constants.min() < 0:
        raise ValueError(
            f"lipschitz must be finite and at least 0; got {float(constants.min())!r} to "
            f"{float(constants.max())!r}"
        )
    lower = np.maximum(1 - constants, 0).prod(axis=-1)
    with np.errstate(over="ignore"):
        upper = (1 + constants).prod(axis=-1)
    if lower.ndim:
        return BiLipschitz(lower=frozen_array(lower), upper=frozen_array(upper))
    return BiLipschitz(lower=float(lower), upper=float(upper))
