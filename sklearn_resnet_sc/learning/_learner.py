"""What `DictionaryLearning` and `MiniBatchDictionaryLearning` share."""

import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight

from ..coding import SparseCodingMixin
from ._dictionary import Dictionary, DictionarySet
from ._initial import atoms_from_data
from ._pursuit import Pursuit
from ._shortcuts import dct_dictionary
from ._singular import fit_count
from ._updates import UPDATES, require

_SHORT_NAMES = {"lars": "lasso_lars", "cd": "lasso_cd"}  # of scikit-learn
_PENALISED = ("lasso_lars", "lasso_cd", "fista")
_THRESHOLDS = ("threshold", "hard_threshold")

_PURSUITS = SparseCodingMixin._parameter_constraints["transform_algorithm"][0].options


class DictionaryLearner(SparseCodingMixin, BaseEstimator):
    """Parameters, their checks, and the way from them to the parts that learn."""

    _parameter_constraints: ClassVar[dict] = {
        **SparseCodingMixin._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_algorithm": [StrOptions(set(_SHORT_NAMES) | _PURSUITS)],
        "fit_n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "fit_tol": [Interval(Real, 0, None, closed="left"), None],
        "dict_init": ["array-like", StrOptions({"svd", "data", "dct"}), None],
        "callback": [callable, None],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "positive_dict": ["boolean"],
        "replace_atoms": ["boolean", StrOptions({"auto"})],
    }

    @property
    def _coding_alpha(self):
        # What the dictionary was learned with; it means nothing to a greedy pursuit.
        if self.transform_alpha is None and self.transform_algorithm in (*_PENALISED, "threshold"):
            return self.alpha
        return self.transform_alpha

    def _check_weight(self, sample_weight, X):
        if sample_weight is None:
            return None
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.sum() > 0:
            raise ValueError("sample_weight must have a positive entry; all are zero")
        return weight

    def _update(self):
        """The row of the table, and whether it is to replace more than unused atoms."""
        update = UPDATES[self.dictionary_update]
        if self.positive_dict:
            reason = "cannot keep atoms positive; with positive_dict=True"
            require(UPDATES, update.name, lambda row: row.respects_sign, reason)
        if self.positive_code:
            reason = "changes codes to values of any sign; with positive_code=True"
            require(UPDATES, update.name, lambda row: not row.changes_codes, reason)
        replaces = update.replaces if self.replace_atoms == "auto" else self.replace_atoms
        return update, replaces

    def _space(self, update, dtype):
        return DictionarySet(
            shortcut=None,
            limit=None,
            dtype=np.dtype(dtype),
            ball=not update.unit,
            positive=bool(self.positive_dict),
        )

    def _pursuit(self, n_components):
        """How training signals are coded."""
        algorithm = _SHORT_NAMES.get(self.fit_algorithm, self.fit_algorithm)
        penalised, thresholds = algorithm in _PENALISED, algorithm in _THRESHOLDS
        n_nonzero = self.fit_n_nonzero_coefs
        refused = {"fit_tol": penalised or thresholds}
        refused["fit_n_nonzero_coefs"] = penalised or algorithm == "threshold"
        for name, unwanted in refused.items():
            if unwanted and getattr(self, name) is not None:
                raise ValueError(
                    f"fit_algorithm={self.fit_algorithm!r} takes alpha, not {name}; "
                    f"got {name}={getattr(self, name)!r}"
                )
        if n_nonzero is not None and n_nonzero > n_components:
            warnings.warn(
                f"fit_n_nonzero_coefs={n_nonzero} is more than the {n_components} atoms of the "
                f"dictionary; using {n_components}.",
                UserWarning,
                stacklevel=4,
            )
            n_nonzero = n_components
        by_count = algorithm == "hard_threshold" and n_nonzero is not None
        takes_alpha = penalised or (thresholds and not by_count)
        options = {
            "algorithm": algorithm,
            "n_nonzero_coefs": n_nonzero,
            "tol": self.fit_tol,
            "alpha": self.alpha if takes_alpha else None,
            "positive": self.positive_code,
            "gap_tol": self.transform_gap_tol,
            "max_iter": self.transform_max_iter,
        }
        return Pursuit(options, penalty=float(self.alpha) if penalised else None)

    def _start(self, training_set, n_components, singular, init=None):
        """The dictionary to begin with, as it is given: atoms of any length."""
        n_features, dtype = training_set.n_features, training_set.X.dtype
        init = self.dict_init if init is None else init
        if init is None or (isinstance(init, str) and init == "svd"):
            atoms = singular(n_components)
        elif isinstance(init, str) and init == "data":
            random_state = check_random_state(self.random_state)
            atoms = atoms_from_data(training_set, n_components, random_state)
        elif isinstance(init, str):
            atoms = dct_dictionary(n_components, n_features)
        else:
            atoms = check_array(init, dtype=dtype, input_name="dict_init")
            if atoms.shape[1] != n_features:
                raise ValueError(
                    f"dict_init must have as many features as X, {n_features}; "
                    f"got shape {atoms.shape}"
                )
            atoms = fit_count(atoms, n_components)
        atoms = np.array(atoms, dtype=dtype, order="C")
        return Dictionary(atoms, atoms, np.ones(n_components, dtype))
