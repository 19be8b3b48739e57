"""sklearn_resnet_sc with its fista solver, to a relative duality gap of 1e-6."""

from . import ours

name = "ours, fista"
note = "sparse_encode by fista, to gap_tol=1e-6"
installed, limit, codes = ours.installed, ours.limit, ours.codes


def supports(task):
    return task.pursuit == "lasso" and task.tol is None


def prepare(task, X, dictionary, n_threads):
    return ours.prepare(task, X, dictionary, n_threads, algorithm="fista")
