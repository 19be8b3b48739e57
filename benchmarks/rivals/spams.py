"""SPAMS. What it calls omp selects the atom that lowers the residual most: that is OLS (ORMP)."""

from importlib import metadata

import numpy as np

name = "SPAMS"
note = "spams.omp, which is orthogonal least squares: compared with that alone"


def version():
    return metadata.version("spams-bin")


def supports(task):
    return task.pursuit == "ols"


def limit(task):
    return None


def prepare(task, X, dictionary, n_threads):
    import spams

    # Signals and atoms as columns, in column-major order: a view of rows in row-major order.
    signals, atoms = np.asfortranarray(X.T), np.asfortranarray(dictionary.T)
    return lambda: spams.omp(
        signals, atoms, L=task.n_nonzero_coefs, eps=task.tol, numThreads=n_threads
    )


def codes(result):
    return result.T.tocsr()
