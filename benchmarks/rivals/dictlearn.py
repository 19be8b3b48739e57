"""dictlearn: Batch-OMP, compiled (Numba is here); always float64, one thread, dense codes."""

from importlib.util import find_spec

import numpy as np
from scipy.sparse import csr_matrix

name = "dictlearn"
note = "dictlearn.sparse_encode, compiled; float64 and one thread whatever is asked for"


def installed():
    return find_spec("dictlearn") is not None


def supports(task):
    # It takes a tolerance and a count together, whichever comes first.
    return task.pursuit == "omp"


def limit(task):
    return 20_000


def prepare(task, X, dictionary, n_threads):
    import dictlearn

    signals, atoms = X.astype(np.float64), dictionary.astype(np.float64)
    return lambda: dictlearn.sparse_encode(
        signals, atoms, algorithm="omp", n_nonzero_coefs=task.n_nonzero_coefs, tol=task.tol
    )


def codes(result):
    return csr_matrix(result)
