"""How many atoms a signal is worth: error against sparsity on signals not learned from."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted

from ..coding import sparse_encode
from ._missing import largest_entry

_BY_COUNT = ("omp", "ols", "mp", "cosamp", "iht", "hard_threshold")


@dataclass(frozen=True)
class RateDistortion:
    """Errors of signals by their number of atoms, means over signals.

    Attributes
    ----------
    budgets : ndarray of shape (n_budgets,)
        Numbers of atoms per signal, rising.
    distortion : ndarray of shape (n_budgets,)
        Squared error ``||x - a C||_2^2`` of the signals. More atoms always make it smaller.
    distortion_error : ndarray of shape (n_budgets,)
        Its standard error.
    prediction : ndarray of shape (n_budgets,)
        Squared error where each feature is predicted from a code of others. Atoms that describe
        noise make it larger.
    prediction_error : ndarray of shape (n_budgets,)
        Its standard error.
    proposed : int
        The smallest budget whose prediction is at most one standard error worse than the best.
    """

    budgets: np.ndarray
    distortion: np.ndarray
    distortion_error: np.ndarray
    prediction: np.ndarray
    prediction_error: np.ndarray
    proposed: int

    def __str__(self):
        best = self.prediction.argmin()
        return (
            f"{self.proposed} atoms per signal: hidden features are predicted within one standard "
            f"error of the best, which takes {self.budgets[best]}"
        )


def rate_distortion(estimator, X, budgets, *, n_groups=5, random_state=None):
    """Measure the error of signals against the number of atoms, and propose a number.

    The error of signals that are coded falls with every atom, so it cannot say when to stop.
    Features that are hidden from the pursuit can: they are predicted from codes of the
    others, group by group, and once atoms describe noise, predictions become worse. The
    one-standard-error rule then takes the smallest number that is as good as the best.

    Parameters
    ----------
    estimator : object
        Fitted, with `components_`; its ``transform_algorithm`` is used where that takes a number
        of atoms, else orthogonal matching pursuit; its ``positive_code`` and ``missing``, too.
    X : array-like of shape (n_samples, n_features)
        Signals that the estimator has not learned from.
    budgets : int or array-like of int
        Numbers of atoms per signal; each at most the number of atoms, and of features that are
        not hidden.
    n_groups : int, default=5
        Groups that the features are divided into at random; each is hidden once.
    random_state : int, RandomState instance or None, default=None
        For the groups.

    Returns
    -------
    RateDistortion
        The two curves with standard errors over the signals, and the number proposed.

    Raises
    ------
    ValueError
        If a budget or number of groups is not possible, or X has other features than the atoms.
    sklearn.exceptions.NotFittedError
        If the estimator has not been fitted.

    References
    ----------
    The rule: L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees"
    (1984), section 3.4.3. Hiding features as well as signals: A. Owen, P. Perry,
    "Bi-cross-validation of the SVD and the nonnegative matrix factorization", Annals of
    Applied Statistics 3 (2009).

    Examples
    --------
    >>> from sklearn_resnet_sc import SparseCoder
    >>> from sklearn_resnet_sc.datasets import make_planted_dictionary_signals
    >>> from sklearn_resnet_sc.learning import rate_distortion
    >>> X, dictionary, _ = make_planted_dictionary_signals(
    ...     500, 64, 64, 4, snr=20, coefficients="signs", random_state=0
    ... )
    >>> curve = rate_distortion(SparseCoder(dictionary), X, range(1, 9), random_state=0)
    >>> curve.proposed
    4
    """
    components = _atoms(estimator)
    n_components, n_features = components.shape
    missing = getattr(estimator, "missing", "error")
    X = check_array(
        X,
        dtype=[np.float64, np.float32],
        input_name="X",
        ensure_all_finite="allow-nan" if missing == "mask" else True,
    )
    if X.shape[1] != n_features:
        raise ValueError(
            f"X must have as many features as the atoms, {n_features}; got shape {X.shape}"
        )
    components = components.astype(X.dtype, copy=False)
    # By a power of two, so that no square leaves the floating point range before the last step.
    limit = -np.finfo(X.dtype).minexp - 1
    scale = np.ldexp(1.0, int(np.clip(-np.frexp(largest_entry(X))[1], -limit, limit)))
    if not isinstance(n_groups, Integral) or not 2 <= n_groups <= n_features:
        raise ValueError(
            f"n_groups must be an integer from 2 to the {n_features} features; got {n_groups!r}"
        )
    groups = np.array_split(check_random_state(random_state).permutation(n_features), n_groups)
    most = min(n_components, n_features - len(groups[0]))
    budgets = _check_budgets(budgets, most)
    algorithm = getattr(estimator, "transform_algorithm", "omp")
    algorithm = algorithm if algorithm in _BY_COUNT else "omp"
    common = {
        "algorithm": algorithm,
        "positive": bool(getattr(estimator, "positive_code", False)),
        "n_jobs": getattr(estimator, "n_jobs", None),
        "missing": missing,
    }
    distortion, prediction = np.zeros((2, len(budgets), len(X)))
    everything = np.arange(n_features)
    for row, budget in enumerate(budgets):
        options = {**common, "n_nonzero_coefs": int(budget)}
        distortion[row] = _errors(X, scale, components, everything, everything, options)
        for hidden in groups:
            seen = np.setdiff1d(everything, hidden)
            prediction[row] += _errors(X, scale, components, seen, hidden, options)
    best = prediction.mean(axis=1).argmin()
    errors = _standard_error(prediction)
    within = prediction.mean(axis=1) <= prediction[best].mean() + errors[best]
    return RateDistortion(
        budgets=budgets,
        distortion=distortion.mean(axis=1) / scale / scale,
        distortion_error=_standard_error(distortion) / scale / scale,
        prediction=prediction.mean(axis=1) / scale / scale,
        prediction_error=errors / scale / scale,
        proposed=int(budgets[within.argmax()]),
    )


def _atoms(estimator):
    """The dictionary of a learner, or of a coder that needs no fit."""
    if hasattr(estimator, "components_"):
        return estimator.components_
    check_is_fitted(estimator, "dictionary")
    return check_array(estimator.dictionary, dtype=[np.float64, np.float32])


def _check_budgets(budgets, most):
    values = np.unique(np.asarray(budgets))
    if not values.size or values.dtype.kind not in "iu" or not 1 <= values[0] <= values[-1] <= most:
        raise ValueError(
            f"budgets must be integers from 1 to {most}, which is all that the atoms and the "
            f"features not hidden allow; got {budgets!r}"
        )
    return values


def _standard_error(values):
    """That of the means of rows."""
    n = values.shape[1]
    return values.std(axis=1, ddof=min(1, n - 1)) / np.sqrt(n)


def _errors(X, scale, components, seen, wanted, options):
    """Squared errors of some features, per signal, coded from the features that are seen.

    In units of scaled signals; of features that were not observed nothing is predicted.
    """
    atoms = components[:, seen]
    lengths = np.linalg.norm(atoms, axis=1)
    # A pursuit compares correlations: parts of atoms must have equal lengths for that.
    inverse = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    code = sparse_encode(
        np.ascontiguousarray(X[:, seen]), atoms * inverse[:, None], sparse_output=True, **options
    )
    code = code.multiply(inverse).tocsr()
    residual = (X[:, wanted] - code @ components[:, wanted]) * X.dtype.type(scale)
    np.nan_to_num(residual, copy=False, nan=0.0)
    return np.einsum("ij,ij->i", residual, residual, dtype=np.float64)
