"""scikit-learn in one process; its BLAS has all threads."""

from scipy.sparse import csr_matrix
from sklearn.decomposition import sparse_encode

name = "scikit-learn"
note = "sklearn.decomposition.sparse_encode on part of the signals, scaled per signal"


def installed():
    return True


def supports(task):
    # With a tolerance it ignores the count.
    return task.pursuit in ("omp", "lasso") and task.tol is None


def limit(task):
    return 4_000 if task.pursuit == "omp" else 500


def prepare(task, X, dictionary, n_threads, n_jobs=None, algorithm=None):
    if algorithm is None:
        algorithm = "lasso_lars" if task.pursuit == "lasso" else task.pursuit
    return lambda: sparse_encode(
        X,
        dictionary,
        algorithm=algorithm,
        n_nonzero_coefs=task.n_nonzero_coefs,
        alpha=task.alpha,
        n_jobs=n_jobs,
        max_iter=20_000,
    )


def codes(result):
    return csr_matrix(result)
