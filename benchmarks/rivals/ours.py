"""sklearn_resnet_sc: codes as CSR, input checked, as any user would call it."""

import sklearn_resnet_sc

name = "ours"
note = "sklearn_resnet_sc.sparse_encode(sparse_output=True), input checks included"


def installed():
    return True


def supports(task):
    return True


def limit(task):
    return None


def prepare(task, X, dictionary, n_threads, algorithm=None):
    if algorithm is None:
        algorithm = "lasso_lars" if task.pursuit == "lasso" else task.pursuit
    return lambda: sklearn_resnet_sc.sparse_encode(
        X,
        dictionary,
        algorithm=algorithm,
        n_nonzero_coefs=task.n_nonzero_coefs,
        tol=task.tol,
        alpha=task.alpha,
        gap_tol=1e-6,
        max_iter=10_000,
        n_jobs=n_threads,
        sparse_output=True,
    )


def codes(result):
    return result
