"""SPAMS: OLS (ORMP), which it calls omp, and the lasso by LARS."""

from importlib.util import find_spec

import numpy as np

name = "SPAMS"
note = "spams.omp, which is orthogonal least squares; spams.lasso, modes 2 and 1"


def installed():
    return find_spec("spams") is not None


def supports(task):
    return task.pursuit in ("ols", "lasso")


def limit(task):
    return None


def prepare(task, X, dictionary, n_threads):
    import spams

    # Signals and atoms as columns, in column-major order: a view of rows in row-major order.
    signals, atoms = np.asfortranarray(X.T), np.asfortranarray(dictionary.T)
    if task.pursuit == "lasso":
        bound, mode = (task.alpha, 2) if task.tol is None else (task.tol, 1)
        return lambda: spams.lasso(signals, atoms, lambda1=bound, mode=mode, numThreads=n_threads)
    # A tolerance always: without one, SPAMS 2.6.14 returned nothing but zeros in one process of
    # two (seen in float32).
    tol = 0.0 if task.tol is None else task.tol
    return lambda: spams.omp(signals, atoms, L=task.n_nonzero_coefs, eps=tol, numThreads=n_threads)


def codes(result):
    return result.T.tocsr()
