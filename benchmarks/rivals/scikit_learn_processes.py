"""scikit-learn with ``n_jobs`` processes; they are started before the time is taken."""

from . import scikit_learn
from .scikit_learn import codes, installed, supports

__all__ = ["codes", "installed", "limit", "name", "note", "prepare", "supports"]

name = "scikit-learn, n_jobs"
note = f"{scikit_learn.note}; as many processes as threads, started beforehand"


def limit(task):
    return 20_000  # enough that handing out the work is a small part


def prepare(task, X, dictionary, n_threads):
    return scikit_learn.prepare(task, X, dictionary, n_threads, n_jobs=n_threads)
