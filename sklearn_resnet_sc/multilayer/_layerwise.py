"""Dictionaries to begin with: the first learned from the signals, the next from its codes."""

from dataclasses import dataclass

import numpy as np

from ..coding import sparse_encode
from ..learning import DictionaryLearning, MiniBatchDictionaryLearning
from ._atom_sets import SkipAtoms
from ._demands import Demands
from ._joint_learning import learn_jointly
from ._learning_problems import LayeredCoding
from ._strategies import PENALISED

_GAP = 1e-4  # relative duality gap of the codes of lassos: enough to learn from
_MAX_ITER = 1000
_BATCH = 256  # signals; fewer are learned from all at once
_FEW = 4096  # signals that give the layers an interrupt left out what learning starts from


@dataclass(frozen=True)
class LayerPursuit:
    """How one layer is coded while it is learned alone.

    Attributes
    ----------
    algorithm : str
        A pursuit of one layer.
    alpha : float or None
        Penalty or threshold.
    n_nonzero_coefs : int or None
        Most atoms, of greedy pursuits.
    positive : bool
        Whether codes must not be negative.
    """

    algorithm: str
    alpha: float | None
    n_nonzero_coefs: int | None
    positive: bool


@dataclass(frozen=True)
class _Learner:
    """What is the same for all layers.

    Attributes
    ----------
    weight : ndarray of shape (n_samples,)
        Weights of the signals.
    n_passes : int
        Passes over the signals.
    common : dict
        ``random_state``, ``n_jobs`` and ``verbose`` of the learners.
    """

    weight: np.ndarray
    n_passes: int
    common: dict

    def learn(self, target, size, allowed, pursuit):
        """Atoms of a layer, and the KeyboardInterrupt that ended learning, or None."""
        if isinstance(allowed, SkipAtoms):
            return self._beside_skip(target, size, allowed, pursuit)
        return self._plain(target, size, allowed, pursuit)

    def _plain(self, target, size, allowed, pursuit):
        options = {
            "alpha": 1 if pursuit.alpha is None else pursuit.alpha,
            "max_iter": self.n_passes,
            "fit_algorithm": pursuit.algorithm,
            "fit_n_nonzero_coefs": pursuit.n_nonzero_coefs,
            "dict_init": "data",
            "positive_code": pursuit.positive,
            "transform_gap_tol": _GAP,
            **self.common,
        }
        if len(target) > _BATCH:
            learner = MiniBatchDictionaryLearning(
                size, batch_size=_BATCH, max_no_improvement=None, **options
            )
        else:
            learner = DictionaryLearning(size, **options)
        interrupt = None
        try:
            learner.fit(target, sample_weight=self.weight)
        except KeyboardInterrupt as error:
            if not hasattr(learner, "components_"):
                raise
            interrupt = error
        return allowed.nearest(learner.components_), interrupt

    def _beside_skip(self, target, size, allowed, pursuit):
        start = allowed.assemble(np.zeros((size, size)))
        if self.n_passes == 0:
            return start, None
        options = {
            "pursuit": pursuit.algorithm,
            "positive": pursuit.positive,
            "max_iter": _MAX_ITER,
            "gap_tol": _GAP,
            "n_jobs": self.common["n_jobs"],
        }
        problem = LayeredCoding(
            target,
            self.weight,
            [allowed],
            Demands((pursuit.n_nonzero_coefs,), (None,)),
            None if pursuit.alpha is None else (pursuit.alpha,),
            options,
            penalised=pursuit.algorithm in PENALISED,
        )
        learned = learn_jointly(
            problem, [start], max_iter=self.n_passes, tol=0.0, verbose=self.common["verbose"]
        )
        return learned.atoms[0], learned.interrupt

    def encode(self, target, components, pursuit):
        """Codes of a layer, dense, which is what learners take."""
        return sparse_encode(
            target,
            components,
            algorithm=pursuit.algorithm,
            n_nonzero_coefs=pursuit.n_nonzero_coefs,
            alpha=pursuit.alpha,
            gap_tol=_GAP,
            positive=pursuit.positive,
            n_jobs=self.common["n_jobs"],
            check_input=False,
        )


def learn_layer_by_layer(
    X, weight, sizes, sets, pursuits, *, n_passes, random_state, n_jobs=None, verbose=0
):
    """Learn each dictionary from the codes in the one before.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    weight : ndarray of shape (n_samples,)
        Their weights, of mean one.
    sizes : sequence of int
        Atoms of each layer.
    sets : list of PlainAtoms or SkipAtoms
        Which atoms each layer may have.
    pursuits : list of LayerPursuit
        How each layer is coded.
    n_passes : int
        Passes over the signals, for each layer; 0 keeps what learning starts from.
    random_state : RandomState
        Of the learners.
    n_jobs, verbose
        Threads and progress bars.

    Returns
    -------
    atoms : list of Atoms
        One a layer.
    interrupt : KeyboardInterrupt or None
        If there was one, dictionaries not yet learned are what learning starts from, as far as
        some of the signals tell.
    """
    layers = list(zip(sizes, sets, pursuits, strict=True))
    common = {"random_state": random_state, "n_jobs": n_jobs, "verbose": verbose}
    atoms = []
    try:
        _complete(atoms, X, layers, _Learner(weight, n_passes, common))
    except KeyboardInterrupt as interrupt:
        few = slice(None, None, -(-len(X) // _FEW))
        _complete(atoms, X[few], layers, _Learner(weight[few], 0, common))
        return atoms, interrupt
    return atoms, None


def _complete(atoms, X, layers, learner):
    """Learn the layers that there are no atoms of, and add these to the list."""
    target = X
    for layer, (size, allowed, pursuit) in enumerate(layers):
        if layer == len(atoms):
            learned, interrupt = learner.learn(target, size, allowed, pursuit)
            atoms.append(learned)
            if interrupt is not None:
                raise interrupt
        if layer + 1 < len(layers):
            target = learner.encode(target, atoms[layer].components, pursuit)
