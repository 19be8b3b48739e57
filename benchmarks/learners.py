"""What ``python -m benchmarks.learning`` times: learners, ours and others, from the same atoms."""

import contextlib
import warnings
from dataclasses import dataclass, replace

import numpy as np
from sklearn.exceptions import ConvergenceWarning


@dataclass(frozen=True)
class Setup:
    """What all learners are given; ``n_threads`` is for those that have threads."""

    X: np.ndarray
    start: np.ndarray
    alpha: float
    batch_size: int
    n_threads: int = 1

    def part(self, n_signals):
        """The same with fewer signals."""
        return replace(self, X=self.X[:n_signals])


class Enough(Exception):
    """No more steps are wanted."""


class Recorder:
    """Keeps the dictionary after some steps, with the time until there."""

    def __init__(self, steps, clock):
        self.steps, self.last, self.clock = set(steps), max(steps), clock
        self.points, self.n_steps, self.begin = {}, 0, clock()

    def __call__(self, dictionary):
        self.n_steps += 1
        if self.n_steps in self.steps:
            # A copy takes microseconds where a step takes milliseconds.
            self.points[self.n_steps] = self.clock() - self.begin, dictionary.copy()
        if self.n_steps == self.last:
            raise Enough


def _online_options(setup, steps):
    n_batches = -(-len(setup.X) // setup.batch_size)
    return {
        "n_components": len(setup.start),
        "alpha": setup.alpha,
        "batch_size": setup.batch_size,
        "dict_init": setup.start,
        "max_iter": -(-max(steps) // n_batches),
        "tol": 0.0,
        "max_no_improvement": None,
        "random_state": 0,
    }


def ours(setup, steps, clock):
    """Seconds and atoms after so many steps of `MiniBatchDictionaryLearning`, a dict."""
    from sklearn_resnet_sc import MiniBatchDictionaryLearning

    recorder = Recorder(steps, clock)
    learner = MiniBatchDictionaryLearning(
        n_jobs=setup.n_threads,
        callback=lambda progress: recorder(progress["dictionary"].components),
        **_online_options(setup, steps),
    )
    with contextlib.suppress(Enough):
        learner.fit(setup.X)
    return recorder.points


def scikit_learn(setup, steps, clock, fit_algorithm="lars"):
    """The same of scikit-learn with its defaults, one job among them."""
    from sklearn.decomposition import MiniBatchDictionaryLearning

    recorder = Recorder(steps, clock)
    learner = MiniBatchDictionaryLearning(
        fit_algorithm=fit_algorithm,
        callback=lambda state: recorder(state["dictionary"]),
        **_online_options(setup, steps),
    )
    with contextlib.suppress(Enough), warnings.catch_warnings():
        # In float32 its coordinate descent asks for more than the precision has.
        warnings.simplefilter("ignore", ConvergenceWarning)
        learner.fit(setup.X)
    return recorder.points


def scikit_learn_cd(setup, steps, clock):
    """The same by coordinate descent."""
    return scikit_learn(setup, steps, clock, "cd")


def spams(setup, steps, clock):
    """``spams.trainDL`` with its defaults; it reports nothing on the way: every point is a run."""
    from spams import trainDL

    signals, start = np.asfortranarray(setup.X.T), np.asfortranarray(setup.start.T)
    points = {}
    for n_steps in steps:
        begin = clock()
        atoms = trainDL(
            signals,
            D=start,
            lambda1=setup.alpha,
            batchsize=setup.batch_size,
            iter=n_steps,
            numThreads=setup.n_threads,
            mode=2,
            verbose=False,
        )
        points[n_steps] = clock() - begin, np.ascontiguousarray(atoms.T)
    return points


def our_batch_learning(setup, n_iter):
    """Atoms of `DictionaryLearning` after some iterations, with its defaults."""
    from sklearn_resnet_sc import DictionaryLearning

    return _batch_learning(DictionaryLearning, setup, n_iter, n_jobs=setup.n_threads)


def their_batch_learning(setup, n_iter):
    """The same of scikit-learn."""
    from sklearn.decomposition import DictionaryLearning

    return _batch_learning(DictionaryLearning, setup, n_iter)


def _batch_learning(learner, setup, n_iter, **options):
    return learner(
        len(setup.start),
        alpha=setup.alpha,
        max_iter=n_iter,
        tol=0.0,
        dict_init=setup.start,
        code_init=np.zeros((len(setup.X), len(setup.start)), setup.X.dtype),
        **options,
    ).fit(setup.X).components_  # fmt: skip


def our_sweeps(setup, n_iter, update, n_nonzero):
    """Atoms of `DictionaryLearning` by K-SVD or its approximation, no atom replaced."""
    from sklearn_resnet_sc import DictionaryLearning

    return DictionaryLearning(
        len(setup.start),
        dictionary_update=update,
        fit_algorithm="omp",
        fit_n_nonzero_coefs=n_nonzero,
        max_iter=n_iter,
        tol=0.0,
        dict_init=setup.start,
        replace_atoms=False,
        n_jobs=setup.n_threads,
    ).fit(setup.X).components_  # fmt: skip


def their_sweeps(setup, n_iter, update, n_nonzero):
    """The same of dictlearn, which computes in float64."""
    from dictlearn import DictionaryLearning

    return DictionaryLearning(
        n_components=len(setup.start),
        fit_algorithm=update,
        transform_algorithm="omp",
        n_nonzero_coefs=n_nonzero,
        max_iter=n_iter,
        tol=0.0,
        dict_init=setup.start.astype(np.float64),
    ).fit(setup.X).components_  # fmt: skip


def penalised_error(signals, atoms, alpha):
    """Mean of ``1/2 ||x - a C||^2 + alpha ||a||_1`` over signals, in float64, by exact codes."""
    from sklearn_resnet_sc import sparse_encode

    signals, atoms = signals.astype(np.float64), atoms.astype(np.float64)
    code = sparse_encode(signals, atoms, algorithm="lasso_lars", alpha=alpha)
    error = np.sum((signals - code @ atoms) ** 2)
    return float((0.5 * error + alpha * np.abs(code).sum()) / len(signals))


def greedy_error(signals, atoms, n_nonzero):
    """Mean of ``1/2 ||x - a C||^2`` over signals, in float64, by orthogonal matching pursuit."""
    from sklearn_resnet_sc import sparse_encode

    signals, atoms = signals.astype(np.float64), atoms.astype(np.float64)
    code = sparse_encode(signals, atoms, algorithm="omp", n_nonzero_coefs=n_nonzero)
    return float(0.5 * np.sum((signals - code @ atoms) ** 2) / len(signals))
