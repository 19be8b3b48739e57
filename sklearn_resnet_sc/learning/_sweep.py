"""One sweep of learning: code all signals, update all atoms, replace the idle ones."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from .._parallel import single_threaded_blas
from ._statistics import Statistics
from ._unused import idle_atoms, replace_atoms, worst_signals


@dataclass(frozen=True)
class Coded:
    """Codes of the training signals and what the driver and an update want to know of them."""

    code: Any  # CSR of shape (n_samples, n_components)
    statistics: Statistics
    error: float  # mean squared error per signal, in the units of the data
    n_nonzero: float  # mean number of atoms per signal
    objective: float  # what learning makes small
    loss: Any = None  # (n_samples,), where it is not the squared error that tells a bad code


def surrogate(coded, training_set, penalty):
    """Sums whose least squares problem stands for the penalised one.

    Let B be the raw codes and T the atoms before they are scaled to unit length. Codes grow
    with the lengths of atoms, so what is to become small is
    ``1/2 ||X - B T||^2 + sum_j v_j ||t_j||`` with ``v_j = penalty ||b_j||_1``. Each length lies
    below a parabola that touches it at the present length l_j,
    ``||t_j|| <= ||t_j||^2 / (2 l_j) + l_j / 2``. With parabolas the problem is least squares
    again, with ``v_j / l_j`` on the diagonal of the Gram matrix, and what does not raise this
    one does not raise the penalised one. (In codes for unit atoms the diagonal is
    ``penalty ||a_j||_1``.)

    Parameters
    ----------
    coded : Coded
        Codes of the training set.
    training_set : TrainingSet
        Signals and weights.
    penalty : float or None
        alpha; None where codes are not penalised.

    Returns
    -------
    Statistics
        Those of `coded`, with another Gram matrix.
    """
    statistics = coded.statistics
    if penalty is None:
        return statistics
    code, scale = sparse.csr_array(coded.code), float(training_set.scale)
    sizes = abs(code).astype(np.float64).T @ training_set.weight
    diagonal = np.diag(sizes * scale * (penalty * scale))
    return replace(statistics, gram=statistics.gram + diagonal)


class Sweep:
    """What the driver calls, bound to signals and options.

    Parameters
    ----------
    training_set : TrainingSet
        Signals and weights.
    space : DictionarySet
        Which dictionaries may be learned.
    update : callable
        A dictionary update, see `mod`.
    pursuit : Pursuit
        How signals are coded, and what that makes small.
    """

    def __init__(self, training_set, space, update, pursuit):
        self.training_set, self.space, self._update = training_set, space, update
        self.pursuit, self._codes = pursuit, None
        self.mean_weight = training_set.total_weight / np.count_nonzero(training_set.weight)
        self.largest_gap = 0.0
        self.replacing = True
        self.before_replacement = np.inf

    def code(self, dictionary):
        """Codes of all signals in a dictionary."""
        coded = self.pursuit.code(self.training_set, dictionary, self._codes)
        if self.pursuit.warm:
            self._codes = coded.code
        return coded

    def update(self, dictionary, coded):
        """The next dictionary."""
        # Threads of the BLAS cost more than they bring on matrices of this size.
        with single_threaded_blas():
            sums = surrogate(coded, self.training_set, self.pursuit.penalty)
            dictionary, gap = self._update(self.space, dictionary, sums)
            self.largest_gap = max(self.largest_gap, gap)
            return self._replace_idle(dictionary, coded)

    def _replace_idle(self, dictionary, coded):
        # Where signals are few a replacement may harm more than it helps; then leave it.
        self.replacing &= coded.objective <= self.before_replacement
        self.before_replacement = np.inf
        if not self.replacing:
            return dictionary
        idle = idle_atoms(dictionary.components, coded.statistics.usage, self.mean_weight)
        if not idle.size:
            return dictionary
        self.before_replacement = coded.objective
        directions = worst_coded(coded, self.training_set, idle.size)
        return replace_atoms(self.space, dictionary, idle, directions)


def worst_coded(coded, training_set, count):
    """Directions of the signals with the largest losses, see `worst_signals`."""
    statistics = coded.statistics
    if coded.loss is not None:
        statistics = replace(statistics, residual_norm2=coded.loss)
    return worst_signals(training_set, statistics, count)
