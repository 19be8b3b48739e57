"""scikit-learn in one process; its BLAS has all threads."""

from scipy.sparse import csr_matrix
from sklearn.decomposition import sparse_encode

name = "scikit-learn"
note = "sklearn.decomposition.sparse_encode on part of the signals, scaled per signal"


def installed():
    return True


def supports(task):
    # With a tolerance it ignores the count.
    return task.pursuit == "omp" and task.tol is None


def limit(task):
    return 4_000


def prepare(task, X, dictionary, n_threads, n_jobs=None):
    return lambda: sparse_encode(
        X, dictionary, algorithm="omp", n_nonzero_coefs=task.n_nonzero_coefs, n_jobs=n_jobs
    )


def codes(result):
    return csr_matrix(result)
