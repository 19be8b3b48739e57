"""What `DictionaryLearning` and `MiniBatchDictionaryLearning` share: scikit-learn's parameters."""

from numbers import Real
from typing import ClassVar

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ._dictionary import Dictionary, DictionarySet, unit_atoms
from ._incoherence import make_cap
from ._initial import atoms_from_data
from ._learner import DictionaryLearner
from ._pursuit import PENALISED, make_pursuit
from ._shortcuts import dct_dictionary
from ._singular import fit_count
from ._updates import UPDATES, refuse_penalty, refuse_signs, require


class DropInLearner(DictionaryLearner):
    """Atoms that nothing holds together, from parameters as scikit-learn has them."""

    _parameter_constraints: ClassVar[dict] = {
        **DictionaryLearner._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "dict_init": ["array-like", StrOptions({"svd", "data", "dct"}), None],
        "positive_dict": ["boolean"],
        "replace_atoms": ["boolean", StrOptions({"auto"})],
    }

    @property
    def _coding_alpha(self):
        # What the dictionary was learned with; it means nothing to a greedy pursuit.
        if self.transform_alpha is None and self.transform_algorithm in (*PENALISED, "threshold"):
            return self.alpha
        return self.transform_alpha

    def _update(self):
        """The row of the table, and whether it is to replace more than unused atoms."""
        update = UPDATES[self.dictionary_update]
        if self.positive_dict:
            reason = "cannot keep atoms positive; with positive_dict=True"
            require(UPDATES, update.name, lambda row: row.respects_sign, reason)
        if self.positive_code:
            refuse_signs(UPDATES, update.name)
        if self._penalised:
            refuse_penalty(UPDATES, update.name, self.fit_algorithm)
        replaces = update.replaces if self.replace_atoms == "auto" else self.replace_atoms
        return update, replaces

    def _space(self, update, dtype, shape):
        cap = make_cap(self.max_coherence, *shape)
        if cap is not None and self.positive_dict:
            raise ValueError(
                f"max_coherence={self.max_coherence!r} turns atoms with no regard to the signs of "
                "their entries; with positive_dict=True it must be None"
            )
        return DictionarySet(
            shortcut=None,
            limit=None,
            dtype=np.dtype(dtype),
            ball=not update.unit,
            positive=bool(self.positive_dict),
            cap=cap,
        )

    def _pursuit(self, n_components):
        """How training signals are coded."""
        return make_pursuit(self, n_components, "alpha", positive=self.positive_code)

    def _start(self, training_set, n_components, singular, init=None):
        """The dictionary to begin with, as it is given: atoms of any length.

        But for greedy pursuits, which compare correlations, of unit length.
        """
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
        if not self._penalised:
            atoms = unit_atoms(atoms)
        atoms = np.array(atoms, dtype=dtype, order="C")
        return Dictionary(atoms, atoms, np.ones(n_components, dtype))
