"""One sweep of learning: code all signals, update all atoms, replace the idle ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._parallel import single_threaded_blas
from ..coding import sparse_encode
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
    pursuit : dict
        Options of `sparse_encode`. With ``tol`` among them the objective is the mean
        number of atoms, where a signal that misses the tolerance counts as one
        that uses all; otherwise the mean squared error.
    """

    def __init__(self, training_set, space, update, pursuit):
        self.training_set, self.space, self._update = training_set, space, update
        self.pursuit = pursuit
        self.mean_weight = training_set.total_weight / np.count_nonzero(training_set.weight)
        self.largest_gap = 0.0
        self.replacing = True
        self.before_replacement = np.inf

    def code(self, dictionary):
        """Codes of all signals in a dictionary."""
        data = self.training_set
        code = sparse_encode(
            data.X,
            dictionary.components,
            **self.pursuit,
            n_jobs=data.n_jobs,
            check_input=False,
            sparse_output=True,
        )
        statistics = data.statistics(code, dictionary.components)
        objective = statistics.error
        if self.pursuit["tol"] is not None:
            scale = float(data.scale)
            tol = self.pursuit["tol"] * scale * scale
            rounding = float(np.sqrt(np.finfo(data.X.dtype).eps))
            count = np.where(
                statistics.residual_norm2 <= tol * (1 + rounding),
                np.diff(code.indptr),
                dictionary.components.shape[0],
            )
            objective = float(data.weight @ count) / data.total_weight
        return Coded(
            code=code,
            statistics=statistics,
            error=data.in_units_of_data(statistics.error),
            n_nonzero=float(statistics.usage.sum()) / data.total_weight,
            objective=objective,
        )

    def update(self, dictionary, coded):
        """The next dictionary."""
        # Threads of the BLAS cost more than they bring on matrices of this size.
        with single_threaded_blas():
            dictionary, gap = self._update(self.space, dictionary, coded.statistics)
            self.largest_gap = max(self.largest_gap, gap)
            return self._replace_idle(dictionary, coded)

    def _replace_idle(self, dictionary, coded):
        # Where signals are few a replacement may harm more than it helps; then leave it.
        self.replacing &= coded.objective <= self.before_replacement
        self.before_replacement = np.inf
        if not self.replacing:
            return dictionary
        statistics = coded.statistics
        idle = idle_atoms(dictionary.components, statistics.usage, self.mean_weight)
        if not idle.size:
            return dictionary
        self.before_replacement = coded.objective
        directions = worst_signals(self.training_set, statistics, idle.size)
        return replace_atoms(self.space, dictionary, idle, directions)
