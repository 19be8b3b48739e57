"""What the driver hands to a kernel, and what a kernel hands back.

Named tuples of arrays, which Numba passes as they are. All arrays of one call
share one dtype; a kernel codes every signal of a block.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np


class Atoms(NamedTuple):
    """A dictionary, ready for coding."""

    components: np.ndarray  # (n_components, n_features)
    gram: np.ndarray  # (n_components, n_components), inner products of the atoms


class Signals(NamedTuple):
    """A block of signals as a kernel sees them: what they share with the atoms, and bounds."""

    correlations: np.ndarray  # (n_signals, n_components), overwritten by the kernel
    norm2: np.ndarray  # (n_signals,), squared lengths
    tol: np.ndarray  # (n_signals,), squared residual to reach; negative for none
    penalty: np.ndarray  # (n_signals,), factor on the weights
    start: np.ndarray  # (n_signals, n_components) codes to start from, or (0, 0) for zeros


class Request(NamedTuple):
    """What to compute, the same for every signal."""

    n_nonzero: int  # at most so many atoms
    weights: np.ndarray  # (n_components,), the l1 penalty or threshold of each atom
    positive: bool
    max_iter: int
    gap_tol: float  # relative duality gap at which an iterative l1 solver stops
    polish: bool  # whether to solve least squares on each support that a thresholding visits


class Codes(NamedTuple):
    """Codes of a block as lists of atoms, and how each signal ended."""

    indices: np.ndarray  # (n_signals, capacity) int32, ascending
    values: np.ndarray  # (n_signals, capacity)
    count: np.ndarray  # (n_signals,) int32
    gap: np.ndarray  # (n_signals,), duality gap; NaN where there is none
    n_iter: np.ndarray  # (n_signals,) int32
    status: np.ndarray  # (n_signals,) int8


class Status(IntEnum):
    """How the coding of one signal ended."""

    DONE = 0
    TOL_NOT_REACHED = 1
    DEPENDENT_ATOMS = 2
    MAX_ITER = 3

    @property
    def message(self):
        """The words of the warning, after "37 of 5000 signals"."""
        return _MESSAGES[self]


_MESSAGES = {
    Status.DONE: "were coded as asked",
    Status.TOL_NOT_REACHED: (
        "cannot be represented within tol by the atoms allowed; their best codes are returned"
    ),
    Status.DEPENDENT_ATOMS: (
        "stopped early because the next atom depends linearly on those chosen, to rounding"
    ),
    Status.MAX_ITER: "stopped at max_iter; raise it, or the tolerance",
}
