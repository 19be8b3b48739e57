"""Dictionaries to begin with: the first learned from the signals, the next from its codes."""

from dataclasses import dataclass

import numpy as np

from ..coding import sparse_encode
from ..learning import MiniBatchDictionaryLearning, ResidualDictionaryLearning
from ._atom_sets import SkipAtoms
from ._demands import Demands
from ._joint_learning import learn_jointly
from ._learning_problems import LayeredCoding
from ._strategies import PENALISED

_GAP = 1e-4  # relative duality gap of the codes of lassos: enough to learn from
_MAX_ITER = 1000
_WIDE = 256  # atoms from which bounded least squares are not solved to their optimum
# Pursuits that ResidualDictionaryLearning learns with; in place of others, OMP.
_BESIDE_SKIP = ("omp", "ols", "lasso_lars", "lasso_cd", "fista", "threshold")


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


def learn_layer_by_layer(
    X, sizes, sets, pursuits, *, n_passes, random_state, n_jobs=None, verbose=0
):
    """Learn each dictionary from the codes in the one before.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
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
        If there was one, dictionaries not yet learned are what learning starts from.
    """
    atoms, interrupt, target = [], None, X
    common = {"random_state": random_state, "n_jobs": n_jobs, "verbose": verbose}
    for layer, (size, allowed, pursuit) in enumerate(zip(sizes, sets, pursuits, strict=True), 1):
        passes = n_passes if interrupt is None else 0
        learn = _learn_beside_skip if isinstance(allowed, SkipAtoms) else _learn_plain
        learned, failure = learn(target, size, allowed, pursuit, passes, common)
        atoms.append(learned)
        interrupt = interrupt or failure
        if layer < len(sizes):
            target = _encode(target, learned.components, pursuit, n_jobs)
    return atoms, interrupt


def _learn_plain(target, size, allowed, pursuit, n_passes, common):
    by_count = pursuit.n_nonzero_coefs is not None
    learner = MiniBatchDictionaryLearning(
        size,
        alpha=1 if pursuit.alpha is None else pursuit.alpha,
        max_iter=n_passes,
        fit_algorithm=pursuit.algorithm,
        fit_n_nonzero_coefs=pursuit.n_nonzero_coefs if by_count else None,
        dict_init="data",
        positive_code=pursuit.positive,
        max_no_improvement=None,
        transform_gap_tol=_GAP,
        **common,
    )
    interrupt = _fit(learner, target)
    return allowed.nearest(learner.components_), interrupt


def _learn_beside_skip(target, size, allowed, pursuit, n_passes, common):
    start = allowed.assemble(np.zeros((size, size)))
    if n_passes == 0:
        return start, None
    if size > _WIDE:
        return _descend_beside_skip(target, start, allowed, pursuit, n_passes, common)
    learner = ResidualDictionaryLearning(
        size,
        residual_bound=allowed.bound,
        fit_algorithm=pursuit.algorithm if pursuit.algorithm in _BESIDE_SKIP else "omp",
        fit_n_nonzero_coefs=pursuit.n_nonzero_coefs,
        fit_alpha=pursuit.alpha,
        max_iter=n_passes,
        transform_gap_tol=_GAP,
        **common,
    )
    interrupt = _fit(learner, target)
    return allowed.assemble(learner.residual_.astype(np.float64)), interrupt


def _descend_beside_skip(target, start, allowed, pursuit, n_passes, common):
    """Gradient steps in place of optima, each of which takes minutes where atoms are many."""
    options = {
        "pursuit": pursuit.algorithm,
        "positive": pursuit.positive,
        "max_iter": _MAX_ITER,
        "gap_tol": _GAP,
        "n_jobs": common["n_jobs"],
    }
    problem = LayeredCoding(
        target,
        [allowed],
        Demands((pursuit.n_nonzero_coefs,), (None,)),
        None if pursuit.alpha is None else (pursuit.alpha,),
        options,
        penalised=pursuit.algorithm in PENALISED,
    )
    learned = learn_jointly(problem, [start], max_iter=n_passes, tol=0.0, verbose=common["verbose"])
    return learned.atoms[0], learned.interrupt


def _fit(learner, target):
    """Fit; an interrupt that comes after something was learned is returned."""
    try:
        learner.fit(target)
    except KeyboardInterrupt as interrupt:
        if not hasattr(learner, "components_"):
            raise
        return interrupt
    return None


def _encode(target, components, pursuit, n_jobs):
    """Codes of a layer, dense, which is what learners take."""
    return sparse_encode(
        target,
        components,
        algorithm=pursuit.algorithm,
        n_nonzero_coefs=pursuit.n_nonzero_coefs,
        alpha=pursuit.alpha,
        gap_tol=_GAP,
        positive=pursuit.positive,
        n_jobs=n_jobs,
        check_input=False,
    )
