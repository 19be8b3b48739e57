"""The atoms in use by an exact l1 solver, with the inverse of their Gram matrix.

Every atom is taken with the sign of its code, so that codes are sizes, never negative. Where the
atoms in use keep their signs, the lasso at penalties ``level * weights`` is solved by

    sizes = base - level * slope,    base = inverse @ initial,    slope = inverse @ weights,

where ``initial`` holds the correlations of the atoms with the signal. So between two changes of
the set the solution is a straight line in ``level`` (Osborne, Presnell, Turlach 2000; Efron et al.
2004), and the squared residual is ``||x||^2 - base . initial + level^2 slope . weights``. An atom
joins or leaves by an update of rank one. All arrays are padded by zeros to whole vectors.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel
from ._scan import _bits

_PAD_BYTES = 128  # four of the vectors that compiled loops take at a time


# The rows of `ActiveSet.rows`.
SIGNS = 0  # of the codes
SIZES = 1  # absolute values of the codes
WEIGHTS = 2  # penalties at level one
INITIAL = 3  # correlations with the signal, signed
BASE = 4
SLOPE = 5
TARGET = 6  # scratch: where sizes are going
SIGNED = 7  # scratch: correlations with the residual, signed
PRODUCTS = 8  # scratch: inner products with one more atom
SPAN = 9  # scratch: inverse @ products
OFF = 10  # scratch: by how much the equations of the solution are not met
_N_ROWS = 11


class ActiveSet(NamedTuple):
    """Scratch for one signal; entries beyond the number of atoms in use are zero."""

    atoms: np.ndarray  # (capacity,) int64
    rows: np.ndarray  # (_N_ROWS, capacity), what is known of each atom
    inverse: np.ndarray  # (capacity, capacity)


@kernel(counts_references=False)
def padded_length(array, count):
    """The next multiple of `_PAD_BYTES`, as a number of entries."""
    unit = _PAD_BYTES // array.itemsize
    return (count + unit - 1) // unit * unit


@kernel
def make_active_set(most, like):
    """Empty scratch for `most` atoms."""
    size = padded_length(like, most + 4)
    return ActiveSet(
        np.zeros(size, np.int64),
        np.zeros((_N_ROWS, size), like.dtype),
        np.zeros((size, size), like.dtype),
    )


@kernel(counts_references=False)
def clear_inverse(active, count):
    """Forget the inverse."""
    zero = active.rows.dtype.type(0)
    for u in range(count):
        row = active.inverse[u]
        for v in range(padded_length(row, count)):
            row[v] = zero


@kernel(counts_references=False)
def clear(active, begin, end):
    """Forget atoms, other than in the inverse."""
    zero = active.rows.dtype.type(0)
    for u in range(begin, end):
        active.atoms[u] = 0
        active.rows[SIZES, u] = zero
        active.rows[WEIGHTS, u] = zero
        active.rows[INITIAL, u] = zero
        active.rows[BASE, u] = zero
        active.rows[SLOPE, u] = zero


@kernel(counts_references=False)
def insert(active, count, atom, sign, initial, weight, distance2):
    """Append the atom of `products` and `span`, at size zero."""
    products, span, inverse = active.rows[PRODUCTS], active.rows[SPAN], active.inverse
    base, slope = active.rows[BASE], active.rows[SLOPE]
    scale = span.dtype.type(1) / distance2
    new_base = initial
    new_slope = sign * weight
    for u in range(count):
        new_base -= products[u] * base[u]
        new_slope -= products[u] * slope[u]
    new_base *= scale
    new_slope *= scale
    padded = padded_length(span, count)
    for v in range(padded):
        base[v] -= new_base * span[v]
        slope[v] -= new_slope * span[v]
    signed_scale = sign * scale
    for u in range(count):
        factor = span[u] * scale
        row = inverse[u]
        for v in range(padded):
            row[v] += factor * span[v]
        row[count] = -signed_scale * span[u]
    row = inverse[count]
    for v in range(padded):
        row[v] = -signed_scale * span[v]
    row[count] = scale
    active.atoms[count] = atom
    active.rows[SIGNS, count] = sign
    active.rows[SIZES, count] = span.dtype.type(0)
    active.rows[WEIGHTS, count] = weight
    active.rows[INITIAL, count] = sign * initial
    base[count] = sign * new_base
    slope[count] = sign * new_slope


@kernel(counts_references=False)
def remove(active, count, at):
    """Take one atom out; the last one takes its place."""
    inverse, row = active.inverse, active.rows[SPAN]
    base, slope = active.rows[BASE], active.rows[SLOPE]
    zero = row.dtype.type(0)
    padded = padded_length(row, count)
    scale = row.dtype.type(1) / inverse[at, at]
    leaving = inverse[at]
    for v in range(padded):
        row[v] = leaving[v]
    base_factor = base[at] * scale
    slope_factor = slope[at] * scale
    for v in range(padded):
        base[v] -= base_factor * row[v]
        slope[v] -= slope_factor * row[v]
    last = count - 1
    final = inverse[last]
    for u in range(count):
        factor = row[u] * scale
        other = inverse[u]
        for v in range(padded):
            other[v] -= factor * row[v]
        other[at] = other[last]
        other[last] = zero
    if at != last:
        for v in range(padded):
            leaving[v] = final[v]
    _move(active, last, at)
    for v in range(padded):
        final[v] = zero


@kernel(counts_references=False)
def _move(active, last, at):
    """Move the last entry of every array to `at`."""
    zero = active.rows.dtype.type(0)
    active.atoms[at], active.atoms[last] = active.atoms[last], 0
    active.rows[SIGNS, at] = active.rows[SIGNS, last]
    active.rows[SIZES, at], active.rows[SIZES, last] = active.rows[SIZES, last], zero
    active.rows[WEIGHTS, at], active.rows[WEIGHTS, last] = active.rows[WEIGHTS, last], zero
    active.rows[INITIAL, at], active.rows[INITIAL, last] = active.rows[INITIAL, last], zero
    active.rows[BASE, at], active.rows[BASE, last] = active.rows[BASE, last], zero
    active.rows[SLOPE, at], active.rows[SLOPE, last] = active.rows[SLOPE, last], zero


@kernel(counts_references=False)
def _flip(active, count, at):
    """Turn the sign of an atom whose code may have either at no cost."""
    inverse = active.inverse
    for u in range(count):
        inverse[u, at] = -inverse[u, at]
    row = inverse[at]
    for v in range(count):
        row[v] = -row[v]
    active.rows[SIGNS, at] = -active.rows[SIGNS, at]
    active.rows[SIZES, at] = -active.rows[SIZES, at]
    active.rows[INITIAL, at] = -active.rows[INITIAL, at]
    active.rows[BASE, at] = -active.rows[BASE, at]
    active.rows[SLOPE, at] = -active.rows[SLOPE, at]


@kernel(counts_references=False)
def settle(active, count, level, positive):
    """Go to the solution at a level among the atoms in use; those that reach zero leave.

    Every stretch goes straight to the solution for the present signs and stops where the first
    size would turn negative. From the solution at another level this is its path.

    Returns
    -------
    count : int
        Atoms in use.
    n_left : int
        How many left.
    """
    sizes, target, base, slope = (
        active.rows[SIZES],
        active.rows[TARGET],
        active.rows[BASE],
        active.rows[SLOPE],
    )
    zero = sizes.dtype.type(0)
    n_left = 0
    while True:
        padded = padded_length(sizes, count)
        negative = _bits(zero)
        for v in range(padded):
            target[v] = base[v] - level * slope[v]
            negative |= _bits(target[v])
        leaving = count
        if negative < 0:
            step = sizes.dtype.type(1)
            for u in range(count):
                if target[u] < zero:
                    here = sizes[u] / (sizes[u] - target[u])
                    if here < step or leaving == count:
                        step = here
                        leaving = u
        if leaving == count:
            for v in range(padded):
                sizes[v] = target[v]
            return count, n_left
        for v in range(padded):
            sizes[v] += step * (target[v] - sizes[v])
        sizes[leaving] = zero
        if active.rows[WEIGHTS, leaving] == zero and not positive:
            _flip(active, count, leaving)
        else:
            remove(active, count, leaving)
            count -= 1
            n_left += 1
