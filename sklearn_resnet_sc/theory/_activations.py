"""Activations as pointwise operators: the factor by which each one multiplies its input."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import erf, expit

_SELU_SCALE = 1.0507009873554805
_SELU_SLOPE = 1.7580993408473766  # scale times alpha, the limit of the slope at 0 from below


@dataclass(frozen=True)
class Activation:
    """What the theorems need to know about an activation."""

    function: Callable
    slope_at_zero: float | None  # None where no slope exists, because sigma(0) is not 0
    largest_slope: float  # sup |sigma(z) / z|
    lipschitz: float
    lower: float  # range of its values
    upper: float = math.inf


def _gelu(z):
    return z * ((1 + erf(z / math.sqrt(2))) / 2)


def _elu(z):
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _selu(z):
    return np.where(z > 0, _SELU_SCALE * z, _SELU_SLOPE * np.expm1(np.minimum(z, 0)))


ACTIVATIONS = {
    # At 0 the slope of ReLU is a choice; 0 is the usual one.
    "relu": Activation(lambda z: np.maximum(z, 0), 0.0, 1.0, 1.0, 0.0),
    "leaky_relu": Activation(lambda z: np.where(z > 0, z, 0.01 * z), 0.01, 1.0, 1.0, -math.inf),
    "tanh": Activation(np.tanh, 1.0, 1.0, 1.0, -1.0, 1.0),
    "elu": Activation(_elu, 1.0, 1.0, 1.0, -1.0),
    "selu": Activation(_selu, _SELU_SCALE, _SELU_SLOPE, _SELU_SLOPE, -_SELU_SLOPE),
    "silu": Activation(lambda z: z * expit(z), 0.5, 1.0, 1.0998393195, -0.2784645428),
    "gelu": Activation(
        # The slope is largest at the square root of 2, the value smallest at -0.7518.
        _gelu,
        0.5,
        1.0,
        (1 + math.erf(1)) / 2 + math.exp(-1) / math.sqrt(math.pi),
        -0.1699712075,
    ),
    "sigmoid": Activation(expit, None, math.inf, 0.25, 0.0, 1.0),
}


def check_activation(activation):
    """The entry of the table, or a ValueError that names what there is."""
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}; got {activation!r}")
    return ACTIVATIONS[activation]


def activation_slopes(preactivations, activation):
    """Diagonal of the pointwise activation operator: ``S = diag(sigma(z_i) / z_i)``.

    With it ``sigma(z) = S z``, for this z only: S depends on the input. Where ``z_i``
    is 0 the slope ``sigma'(0)`` is taken (0 for ReLU, the slope of the negative side
    for leaky ReLU and the positive one for SELU).

    Parameters
    ----------
    preactivations : array-like
        The inputs z of the activation, of any shape.
    activation : {"relu", "leaky_relu", "tanh", "elu", "selu", "silu", "gelu"}
        Its name. Leaky ReLU has slope 0.01, ELU alpha 1.

    Returns
    -------
    ndarray
        As `preactivations`, in its precision: entries of S. In {0, 1} for ReLU, at most
        1.7581 for SELU, and in [0, 1] for the others.

    Raises
    ------
    ValueError
        If the activation is unknown, if it is "sigmoid", which has ``sigma(0) = 1/2``
        and so no such S, or if `preactivations` is not finite and real.

    References
    ----------
    Chandra, Pareek, Gopi Krishna, "ResNet through Deep Multi-Layer Sparse Coding: A
    Theoretical Study", section 1.3, where S stands for the adjustment to the activation.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import activation_slopes
    >>> activation_slopes([-2.0, 0.0, 3.0], "relu")
    array([0., 0., 1.])
    >>> activation_slopes([0.0, 1.0], "tanh").round(4)
    array([1.    , 0.7616])
    """
    entry = check_activation(activation)
    if entry.slope_at_zero is None:
        raise ValueError(
            f"activation must satisfy sigma(0) = 0, or there is no S with sigma(z) = S z; "
            f"got {activation!r}, whose value at 0 is {float(entry.function(0.0)):g}"
        )
    z = np.asarray(preactivations)
    if z.dtype.kind not in "biuf" or not np.isfinite(z).all():
        raise ValueError("preactivations must be finite real numbers")
    if z.dtype != np.float32:
        z = z.astype(np.float64, copy=False)
    # Below the smallest normal number the quotient has no digits left.
    tiny = np.abs(z) < np.finfo(z.dtype).tiny
    safe = np.where(tiny, 1, z)
    # Plus 0 makes the slope of a dead unit 0, not -0.
    slopes = np.where(tiny, entry.slope_at_zero, entry.function(safe) / safe) + 0.0
    return slopes.astype(z.dtype, copy=False)
