"""celer: one lasso a signal, which is the interface it has; on few signals, compared per signal."""

from importlib.util import find_spec

import numpy as np
from scipy.sparse import csr_matrix

name = "celer"
note = "celer.Lasso fitted to one signal after the other"


def installed():
    return find_spec("celer") is not None


def supports(task):
    return task.pursuit == "lasso" and task.tol is None and task.dtype == "float64"


def limit(task):
    return 200


def prepare(task, X, dictionary, n_threads):
    import celer

    design = np.asfortranarray(dictionary.T)
    # Its objective is divided by the number of features.
    model = celer.Lasso(alpha=task.alpha / X.shape[1], fit_intercept=False, tol=1e-6)
    return lambda: np.array([model.fit(design, signal).coef_.copy() for signal in X])


def codes(result):
    return csr_matrix(result)
