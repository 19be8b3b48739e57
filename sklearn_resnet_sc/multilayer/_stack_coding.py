"""How a stack is coded: a multi-layer or a layered pursuit with its weights or counts."""

from dataclasses import dataclass, replace

import numpy as np

from ..coding import SparseCodingMixin
from ._demands import Demands, check_counts
from ._layered import solve_layered
from ._layerwise import LayerPursuit
from ._learning_problems import JointLasso, LayeredCoding
from ._ml_fista import multi_layer_lasso
from ._strategies import PENALISED, check_alpha, needs_alpha

_JOINT = ("ml_fista", "ml_ista")
_PREFIX = "layered_"
_PURSUITS = SparseCodingMixin._parameter_constraints["transform_algorithm"][0].options

_LEARNED_WITH = {
    _PREFIX + "threshold": _PREFIX + "lasso_cd",
    _PREFIX + "hard_threshold": _PREFIX + "omp",
    # The learners of one layer know this name as that of a lasso.
    _PREFIX + "lars": _PREFIX + "omp",
}

ALGORITHMS = {*_JOINT, *(_PREFIX + name for name in _PURSUITS)}


@dataclass(frozen=True)
class StackCoding:
    """An algorithm with its options.

    Attributes
    ----------
    algorithm : str
        One of `ALGORITHMS`.
    alpha : tuple of float or None
        Weights or thresholds, one a layer.
    n_nonzero : tuple of int or None
        Most atoms, one a layer.
    positive : bool
        Whether codes must not be negative.
    max_iter : int
        Most iterations.
    tol : float
        Where iterations stop.
    n_jobs : int or None
        Threads.
    """

    algorithm: str
    alpha: tuple | None
    n_nonzero: tuple | None
    positive: bool
    max_iter: int
    tol: float
    n_jobs: int | None

    @classmethod
    def plan(cls, coder, data, sizes):
        """What the parameters of a `MultiLayerSparseCoder` ask for, in the units of the data.

        Parameters
        ----------
        coder : MultiLayerSparseCoder
            Has the parameters.
        data : TrainingSignals
            Signals that tell the scale of `alpha`.
        sizes : tuple of int
            Atoms of each layer.

        Raises
        ------
        ValueError
            If a parameter is not valid, or does not go with the algorithm.
        """
        alpha = counts = None
        if not needs_alpha(coder.algorithm.removeprefix(_PREFIX)):
            counts = coder.n_nonzero_coefs
            if counts is None:
                above = (data.X.shape[1], *sizes)
                counts = [
                    min(max(width // 10, 1), size)
                    for width, size in zip(above, sizes, strict=False)
                ]
            counts = check_counts(counts, sizes)
        elif coder.n_nonzero_coefs is not None:
            raise ValueError(
                f"algorithm={coder.algorithm!r} takes alpha, not n_nonzero_coefs; "
                f"got n_nonzero_coefs={coder.n_nonzero_coefs!r}."
            )
        else:
            unit = np.sqrt(data.energy) if coder.scale_alpha else data.scale
            weights = check_alpha(coder.alpha, len(sizes))
            if None in weights:
                raise ValueError(
                    f"algorithm={coder.algorithm!r} needs alpha in every layer; layer "
                    f"{weights.index(None) + 1} has None."
                )
            alpha = tuple(value * float(unit) for value in weights)
        return cls(coder.algorithm, alpha, counts, **_options(coder))

    def as_now(self, coder):
        """The same with the options that a fitted coder has now, which `transform` goes by."""
        return replace(self, **_options(coder))

    def scaled(self, factor):
        """The same for signals multiplied by a factor."""
        if self.alpha is None:
            return self
        return replace(self, alpha=tuple(value * factor for value in self.alpha))

    def codes(self, X, stack, verbose=0):
        """Codes of every layer, dense or CSR; the largest entry of X is about 1."""
        if self.algorithm in _JOINT:
            options = self._joint_options() | {"verbose": verbose}
            return multi_layer_lasso(X, stack, self.alpha, **options).codes
        options = self._layered_options() | {"verbose": verbose}
        demands, alpha = self._demands(len(stack)), self.alpha
        return [layer.codes for layer in solve_layered(X, stack, demands, alpha=alpha, **options)]

    def for_learning(self):
        """The same, but that thresholds are replaced by the pursuits that they begin."""
        return replace(self, algorithm=_LEARNED_WITH.get(self.algorithm, self.algorithm))

    def problem(self, X, weight, sets):
        """What joint learning makes small."""
        if self.algorithm in _JOINT:
            return JointLasso(X, weight, sets, self.alpha, self._joint_options())
        penalised = self.algorithm.removeprefix(_PREFIX) in PENALISED
        return LayeredCoding(
            X,
            weight,
            sets,
            self._demands(len(sets)),
            self.alpha,
            self._layered_options(),
            penalised=penalised,
        )

    def pursuits(self, n_layers):
        """How each layer is coded while it is learned alone."""
        joint = self.algorithm in _JOINT
        algorithm = "lasso_cd" if joint else self.algorithm.removeprefix(_PREFIX)
        return [
            LayerPursuit(
                algorithm,
                None if self.alpha is None else self.alpha[layer],
                None if self.n_nonzero is None else self.n_nonzero[layer],
                self.positive,
            )
            for layer in range(n_layers)
        ]

    def _demands(self, n_layers):
        none = (None,) * n_layers
        return Demands(self.n_nonzero or none, none)

    def _joint_options(self):
        return {
            "momentum": self.algorithm == "ml_fista",
            "positive": self.positive,
            "max_iter": self.max_iter,
            "tol": self.tol,
            "n_jobs": self.n_jobs,
        }

    def _layered_options(self):
        return {
            "pursuit": self.algorithm.removeprefix(_PREFIX),
            "positive": self.positive,
            "max_iter": self.max_iter,
            "gap_tol": self.tol,
            "n_jobs": self.n_jobs,
        }


def _options(coder):
    return {
        "positive": bool(coder.positive_code),
        "max_iter": int(coder.transform_max_iter),
        "tol": float(coder.transform_tol),
        "n_jobs": coder.n_jobs,
    }
