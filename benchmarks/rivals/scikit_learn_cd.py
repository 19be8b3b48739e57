"""scikit-learn's coordinate descent, at its own tolerance."""

from . import scikit_learn

name = "scikit-learn, lasso_cd"
note = "sklearn.decomposition.sparse_encode(algorithm='lasso_cd') on part of the signals"
installed, codes = scikit_learn.installed, scikit_learn.codes


def supports(task):
    return task.pursuit == "lasso" and task.tol is None


def limit(task):
    return 2_000


def prepare(task, X, dictionary, n_threads):
    return scikit_learn.prepare(task, X, dictionary, n_threads, algorithm="lasso_cd")
