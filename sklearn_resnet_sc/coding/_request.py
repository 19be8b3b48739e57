"""From what a caller asks for to a problem that the driver can solve; refusals by name."""

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from .._warn import warn_user
from ._algorithms import ALGORITHMS
from ._checks import check_dictionary, check_matrix
from ._problem import Problem
from ._records import Request


def _choose_dtype(X):
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def _count_limit(algorithm, n_nonzero_coefs, tol, alpha, n_features, n_components):
    """The most atoms a code may have."""
    if algorithm.bound == "penalty":
        return n_components
    most = min(n_features, n_components) if algorithm.independent else n_components
    if n_nonzero_coefs is None:
        if tol is not None and algorithm.needs_count:
            raise ValueError(
                f"algorithm={algorithm.name!r} needs n_nonzero_coefs beside tol: it works with "
                "so many atoms at a time, and tol only ends it early."
            )
        if tol is not None or (algorithm.bound == "either" and alpha is not None):
            return most
        return min(max(n_features // 10, 1), n_components)
    if n_nonzero_coefs > n_components:
        warn_user(
            f"n_nonzero_coefs={n_nonzero_coefs} is more than the {n_components} atoms of the "
            f"dictionary; using {n_components}.",
            UserWarning,
        )
    return min(n_nonzero_coefs, most)


def _weights(algorithm, alpha, n_components, dtype):
    if algorithm.bound == "count":
        return np.zeros(0, dtype)
    if alpha is None:
        alpha = 1.0 if algorithm.bound == "penalty" else 0.0
    alpha = np.asarray(alpha, dtype=dtype)
    if alpha.ndim and not algorithm.supports_weights:
        raise ValueError(f"algorithm={algorithm.name!r} takes one alpha, not one per atom.")
    if alpha.ndim and alpha.shape != (n_components,):
        raise ValueError(
            f"alpha must be one number or one per atom, shape ({n_components},); "
            f"got shape {alpha.shape}."
        )
    if not (np.isfinite(alpha).all() and (alpha >= 0).all()):
        raise ValueError(f"alpha must be finite and not negative; got {alpha}.")
    return np.full(n_components, alpha) if alpha.ndim == 0 else np.ascontiguousarray(alpha)


def _check_masked(X, gram, cov):
    if sparse.issparse(X):
        raise ValueError('missing="mask" needs a dense X; got a sparse one.')
    for name, matrix in (("gram", gram), ("cov", cov)):
        if matrix is not None:
            raise ValueError(
                f'{name} speaks of all features and cannot be used with missing="mask"; '
                f"leave {name}=None."
            )


def make_problem(
    X,
    dictionary,
    *,
    algorithm,
    n_nonzero_coefs,
    alpha,
    tol,
    gap_tol,
    positive,
    max_iter,
    n_jobs,
    missing,
    gram=None,
    cov=None,
    init=None,
    check_input=False,
    polish=False,
):
    """The problem that `sparse_encode` is asked to solve; parameters are those of it.

    Returns
    -------
    Problem
        With everything checked but that signals are finite, which is seen as they are read.

    Raises
    ------
    ValueError
        If shapes do not fit, or the algorithm does not support an option.
    """
    algorithm = ALGORITHMS[algorithm]
    if check_input:
        X = check_array(
            X,
            accept_sparse="csr",
            dtype="numeric",
            ensure_all_finite=False,
            input_name="X",
        )
        dictionary = check_dictionary(dictionary)
    dtype = _choose_dtype(X)
    n_samples, n_features = X.shape
    n_components = dictionary.shape[0]
    if dictionary.shape[1] != n_features:
        raise ValueError(
            "Dictionary and X have different numbers of features: "
            f"dictionary.shape: {dictionary.shape} X.shape: {X.shape}"
        )
    if positive and not algorithm.supports_positive:
        raise ValueError(f"Positive constraint not supported for '{algorithm.name}' coding method.")
    if tol is not None and not algorithm.supports_tol:
        raise ValueError(f"algorithm={algorithm.name!r} does not support tol; got tol={tol}.")
    one_alpha = alpha is not None and np.ndim(alpha) == 0
    if tol is not None and algorithm.bound == "penalty" and one_alpha:
        raise ValueError(
            f"algorithm={algorithm.name!r} takes tol={tol} or alpha={alpha}, not both; one alpha "
            "per atom may weight the atoms."
        )
    if alpha is not None and algorithm.bound == "count" and algorithm.name not in ("omp", "lars"):
        raise ValueError(
            f"algorithm={algorithm.name!r} takes n_nonzero_coefs and tol, not alpha; "
            f"got alpha={alpha!r}."
        )
    if algorithm.name == "omp" and tol is None and alpha is not None:
        tol = float(alpha)
    if missing == "mask":
        _check_masked(X, gram, cov)
    if gram is not None:
        shape = (n_components, n_components)
        gram = check_matrix("gram", gram, shape, dtype, "(n_components, n_components)")
    if cov is not None:
        shape = (n_components, n_samples)
        cov = check_matrix("cov", cov, shape, dtype, "(n_components, n_samples)")
    if init is not None and algorithm.supports_init:
        shape = (n_samples, n_components)
        init = check_matrix("init", init, shape, dtype, "(n_samples, n_components)")
    elif init is not None:
        init = None  # as in scikit-learn: only solvers that iterate start from somewhere
    if polish and not algorithm.supports_polish:
        raise ValueError(f"algorithm={algorithm.name!r} does not support polish=True.")
    request = Request(
        n_nonzero=_count_limit(algorithm, n_nonzero_coefs, tol, alpha, n_features, n_components),
        weights=_weights(algorithm, alpha, n_components, dtype),
        positive=bool(positive),
        max_iter=int(max_iter),
        gap_tol=float(gap_tol),
        polish=bool(polish),
    )
    return Problem(
        X,
        dictionary.astype(dtype, copy=False),
        algorithm=algorithm,
        request=request,
        tol=-1.0 if tol is None else float(tol),
        gram=gram,
        cov=cov,
        init=init,
        missing=missing == "mask",
        n_jobs=n_jobs,
    )
