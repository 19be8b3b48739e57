"""What every function of this floor asks of its input, said once."""

import math
import numbers

import numpy as np


def check_matrix(matrix, name="matrix", *, batch=False):
    """Return `matrix` as a finite, non-empty, real array of float32 or float64.

    float32 stays float32; integers, booleans and other floats become float64.
    With `batch`, leading dimensions are allowed and each trailing pair is a matrix.
    """
    array = np.asarray(matrix)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be a dense array of real numbers; got dtype {array.dtype}")
    if array.dtype != np.float32:
        array = array.astype(np.float64, copy=False)
    if array.ndim != 2 and not (batch and array.ndim > 2):
        wanted = "at least two dimensions" if batch else "two dimensions"
        raise ValueError(f"{name} must have {wanted}; got shape {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name} must not be empty; got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; it contains NaN or infinity")
    peak = float(np.abs(array).max())
    # Below this limit the Frobenius norm, and so every singular value, can be represented.
    limit = float(np.finfo(array.dtype).max) / array.size
    if peak > limit:
        raise ValueError(
            f"{name} has an entry of size {peak:.3g}, too large for its norms in {array.dtype}; "
            f"scale it below {limit:.3g}"
        )
    return array


def check_dictionary(dictionary, name="dictionary"):
    """As `check_matrix`, and refuse zero atoms: they have no direction."""
    array = check_matrix(dictionary, name)
    zero = np.flatnonzero(~array.any(axis=1))
    if zero.size:
        shown = ", ".join(map(str, zero[:5])) + (", ..." if zero.size > 5 else "")
        raise ValueError(
            f"{name} must have no zero atom; {zero.size} of its {len(array)} rows "
            f"are zero (row {shown})"
        )
    return array


def check_count(value, name, *, low=1, high=None):
    """Return an integer within `[low, high]`."""
    wanted = f"an integer of at least {low}" if high is None else f"an integer in [{low}, {high}]"
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool | np.bool_)
    if not is_integer or value < low or (high is not None and value > high):
        raise ValueError(f"{name} must be {wanted}; got {value!r}")
    return int(value)


def check_nonnegative(value, name, *, high=math.inf):
    """Return a finite float within `[0, high]`."""
    is_real = isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
    if not is_real or not (0 <= value <= high and math.isfinite(value)):
        wanted = "a finite number of at least 0" if high == math.inf else f"in [0, {high}]"
        raise ValueError(f"{name} must be {wanted}; got {value!r}")
    return float(value)


def unit_atoms(dictionary):
    """Unit-length atoms, in the dictionary's precision, and the lengths, in float64.

    Each row is divided by its largest entry first, so that no square overflows
    or vanishes.
    """
    peak = np.abs(dictionary).max(axis=1, keepdims=True)
    unit = dictionary / peak
    norm = np.linalg.norm(unit, axis=1, keepdims=True)
    unit /= norm
    return unit, (peak.astype(np.float64) * norm.astype(np.float64))[:, 0]


def rounding(dictionary):
    """How far rounding may move the inner product of two unit atoms."""
    return dictionary.shape[1] * float(np.finfo(dictionary.dtype).eps)
