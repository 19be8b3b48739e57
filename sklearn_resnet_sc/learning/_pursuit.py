"""How training signals are coded while a dictionary is learned, and what that makes small."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from .._warn import warn_user
from ..coding import code_signals
from ._statistics import Statistics

SHORT_NAMES = {"lars": "lasso_lars", "cd": "lasso_cd"}  # of scikit-learn
PENALISED = ("lasso_lars", "lasso_cd", "fista")
GREEDY = ("mp", "omp", "ols", "cosamp", "iht")
_THRESHOLDS = ("threshold", "hard_threshold")
_WARM = ("lasso_cd", "fista")  # what comes out sooner from good codes to begin with
_WARM_ROWS = 4096  # codes to begin with are dense: so many signals at a time


@dataclass(frozen=True)
class Coded:
    """Codes of the training signals and what the driver and an update want to know of them."""

    code: Any  # CSR of shape (n_samples, n_components)
    statistics: Statistics
    error: float  # mean squared error per signal, in the units of the data
    n_nonzero: float  # mean number of atoms per signal
    objective: float  # what learning makes small
    loss: Any = None  # (n_samples,), where it is not the squared error that tells a bad code


class Endings:
    """How signals ended, over all codings of one fit; of which there is to be one warning."""

    def __init__(self):
        self.most, self.message = 0, ""

    def add(self, outcome):
        """Remember the coding with the most signals that did not end as asked."""
        if (count := np.count_nonzero(outcome.status)) > self.most:
            self.most, self.message = count, outcome.message

    def warn(self):
        """Warn of that coding; nothing where all signals ended as asked."""
        if self.message:
            message = f"Of all codings while learning, this one was the worst: {self.message}"
            warn_user(message, ConvergenceWarning)


@dataclass(frozen=True)
class Pursuit:
    """A pursuit with its options.

    The objective, a mean over signals, follows from what is given: the
    penalised error ``1/2 ||x - a C||^2 + alpha ||a||_1`` with `penalty`; the number of
    atoms with a tolerance, where a signal that misses it counts as one that uses
    all; otherwise ``1/2 ||x - a C||^2``. Errors are in the units of the training set.

    Attributes
    ----------
    options : dict
        Of `sparse_encode`; ``algorithm``, ``tol`` and ``missing`` among them.
    penalty : float or None
        alpha of the l1 pursuits.
    endings : Endings
        How the signals ended that were coded.
    """

    options: dict
    penalty: float | None = None
    endings: Endings = field(default_factory=Endings)

    @property
    def counts(self):
        """Whether the objective is a number of atoms, not an error."""
        return self.options["tol"] is not None

    @property
    def warm(self):
        """Whether codes to begin with help."""
        return self.options["algorithm"] in _WARM

    def encode(self, training_set, components, init=None):
        """Codes of all signals, CSR."""
        X = training_set.X
        if init is None or not self.warm:
            return self.encode_some(X, components, training_set.n_jobs)
        # Of no use where signals miss features.
        gram = None if training_set.masked else components @ components.T
        parts = []
        for first in range(0, len(X), _WARM_ROWS):
            rows = slice(first, first + _WARM_ROWS)
            start = init[rows].toarray()
            parts.append(
                self.encode_some(X[rows], components, training_set.n_jobs, gram=gram, init=start)
            )
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def encode_some(self, X, components, n_jobs, **start):
        """Codes of some signals, CSR."""
        options = self.options
        if options["missing"] == "mask" and not np.isnan(X.max()):
            options = {**options, "missing": "error"}  # which is faster
        code, outcome = code_signals(X, components, **options, **start, n_jobs=n_jobs)
        self.endings.add(outcome)
        return code

    def code(self, training_set, dictionary, init=None):
        """Codes of all signals, and what the driver and an update want to know of them."""
        components, weight = dictionary.components, training_set.weight
        code = self.encode(training_set, components, init)
        statistics = training_set.statistics(code, components)
        scale, total = float(training_set.scale), training_set.total_weight
        n_nonzero = np.diff(code.indptr)
        loss = None
        if self.counts:
            tol = self.options["tol"] * scale * scale
            rounding = np.sqrt(np.finfo(components.dtype).eps)
            reached = statistics.residual_norm2 <= tol * (1 + rounding)
            objective = float(weight @ np.where(reached, n_nonzero, len(components))) / total
        else:
            objective = 0.5 * statistics.error
            if self.penalty is not None:
                sizes = abs(code) @ np.ones(code.shape[1], code.dtype)
                sizes = sizes.astype(np.float64) * (scale * self.penalty * scale)
                objective += float(weight @ sizes) / total
                loss = statistics.residual_norm2 + 2 * sizes
        return Coded(
            code=code,
            statistics=statistics,
            error=training_set.in_units_of_data(statistics.error),
            n_nonzero=float(statistics.usage.sum()) / total,
            objective=objective,
            loss=loss,
        )


def make_pursuit(learner, n_components, alpha_name, *, positive=False):
    """From the parameters of a learner, refused by name where they do not go together.

    Parameters
    ----------
    learner : DictionaryLearner
        Has the parameters.
    n_components : int
        Number of atoms.
    alpha_name : str
        Which parameter is the penalty or threshold of training codes; None there means 1.
    positive : bool, default=False
        Whether codes must not be negative.

    Returns
    -------
    Pursuit
        How training signals are coded.
    """
    given, alpha = learner.fit_algorithm, getattr(learner, alpha_name)
    algorithm = SHORT_NAMES.get(given, given)
    penalised, thresholds = algorithm in PENALISED, algorithm in _THRESHOLDS
    n_nonzero = learner.fit_n_nonzero_coefs
    refused = {
        "fit_tol": penalised or thresholds,
        "fit_n_nonzero_coefs": penalised or algorithm == "threshold",
    }
    for name, unwanted in refused.items():
        if unwanted and getattr(learner, name) is not None:
            raise ValueError(
                f"fit_algorithm={given!r} takes {alpha_name}, not {name}; "
                f"got {name}={getattr(learner, name)!r}"
            )
    if n_nonzero is not None and n_nonzero > n_components:
        warn_user(
            f"fit_n_nonzero_coefs={n_nonzero} is more than the {n_components} atoms of the "
            f"dictionary; using {n_components}.",
            UserWarning,
        )
        n_nonzero = n_components
    by_count = algorithm == "hard_threshold" and n_nonzero is not None
    takes_alpha = penalised or (thresholds and not by_count)
    alpha = 1.0 if alpha is None else float(alpha)
    options = {
        "algorithm": algorithm,
        "n_nonzero_coefs": n_nonzero,
        "tol": learner.fit_tol,
        "alpha": alpha if takes_alpha else None,
        "positive": positive,
        "gap_tol": learner.transform_gap_tol,
        "max_iter": learner.transform_max_iter,
        "missing": learner.missing,
    }
    return Pursuit(options, penalty=alpha if penalised else None)
