"""What every learner of dictionaries shares."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

from ..coding import SparseCodingMixin
from ._incoherence import warn_missed
from ._pursuit import PENALISED, SHORT_NAMES

_PURSUITS = SparseCodingMixin._parameter_constraints["transform_algorithm"][0].options


class DictionaryLearner(SparseCodingMixin, BaseEstimator):
    """Parameters that all have, and their checks."""

    _parameter_constraints: ClassVar[dict] = {
        **SparseCodingMixin._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_algorithm": [StrOptions(set(SHORT_NAMES) | _PURSUITS)],
        "fit_n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "fit_tol": [Interval(Real, 0, None, closed="left"), None],
        "callback": [callable, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "max_coherence": [Interval(Real, 0, 1, closed="right"), None],
        "missing": [StrOptions({"error", "mask"})],
    }

    @property
    def _penalised(self):
        """Whether training signals are coded by an l1 pursuit."""
        return SHORT_NAMES.get(self.fit_algorithm, self.fit_algorithm) in PENALISED

    def _check_weight(self, sample_weight, X):
        if sample_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.sum() > 0:
            raise ValueError("sample_weight must have a positive entry; all are zero")
        return weight

    def _with_weight(self, X, sample_weight):
        """Signals and weights (or None); those without weight are left out, whatever they hold."""
        weight = self._check_weight(sample_weight, X)
        if weight is not None and not weight.all():
            X, weight = X[weight > 0], weight[weight > 0]
        return X, weight

    def _earlier_atoms(self, n_components, n_features):
        """Atoms of the fit before where `fit` is to go on with them, else None.

        Raises
        ------
        ValueError
            If they are of another number or size than now asked for.
        """
        if not self.warm_start or not hasattr(self, "components_"):
            return None
        if self.components_.shape != (n_components, n_features):
            raise ValueError(
                "warm_start=True goes on with the dictionary of the fit before, of shape "
                f"{self.components_.shape}; atoms and features now ask for "
                f"{(n_components, n_features)}"
            )
        return self.components_

    def _refuse_changes(self, **asked):
        """Refuse to go on from batches with parameters that made the present dictionary.

        Raises
        ------
        ValueError
            If one was changed meanwhile; it names it.
        """
        for name, value in asked.items():
            begun = self._begun_with[name]
            if not np.array_equal(np.asarray(value), np.asarray(begun)):
                raise ValueError(
                    f"partial_fit goes on with {name}={begun!r}; got {name}={value!r}, which "
                    "needs a new dictionary: call fit, or partial_fit of a clone"
                )

    def _callback_in(self, unit, every=1):
        """The callback for the driver: hears of objectives in the units of the data."""
        if self.callback is None:
            return None

        def call(progress):
            if (progress["iteration"] - 1) % every == 0:
                objective = [value * unit for value in progress["objective"]]
                self.callback({**progress, "objective": objective})

        return call

    def _conclude(self, pursuit, cap, interrupt=None):
        """What is to be said when all that was learned has been stored."""
        pursuit.endings.warn()
        warn_missed(cap, self.components_)
        if interrupt is not None:
            raise interrupt
