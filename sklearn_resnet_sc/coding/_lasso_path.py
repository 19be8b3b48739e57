"""The lasso at many penalties, for many signals: each path is walked once."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, validate_params

from .._parallel import run_blocks, single_threaded_blas
from ._algorithms import ALGORITHMS
from ._checks import check_dictionary
from ._diagnostics import warn_once
from ._driver import Outcome, _csr
from ._lasso_lars import lasso_levels
from ._packing import pack, rescale
from ._problem import Problem
from ._records import Codes, Request, Signals

_CODES_BYTES = 2**24  # of one thread's codes at all penalties
_ROWS = 1024


def _check(X, dictionary, weights):
    """Signals, dictionary and weights as arrays that fit."""
    X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32], input_name="X")
    dictionary = check_dictionary(dictionary).astype(X.dtype, copy=False)
    if dictionary.shape[1] != X.shape[1]:
        raise ValueError(
            "Dictionary and X have different numbers of features: "
            f"dictionary.shape: {dictionary.shape} X.shape: {X.shape}"
        )
    shape = dictionary.shape[:1]
    weights = np.asarray(np.ones(shape) if weights is None else weights, dtype=X.dtype)
    if weights.shape != shape:
        raise ValueError(f"weights must have shape (n_components,) = {shape}; got {weights.shape}.")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(f"weights must be finite and not negative; got {weights}.")
    return X, dictionary, np.ascontiguousarray(weights)


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "dictionary": ["array-like"],
        "weights": ["array-like", None],
        "positive": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def alpha_max(X, dictionary, *, weights=None, positive=False):
    """The smallest penalty at which the lasso code of a signal is zero.

    ``max_j |<x, c_j>| / weights[j]``, without the absolute value where codes
    must not be negative. The objective is ``0.5 ||x - a C||_2^2 + alpha
    sum_j weights[j] |a_j|``, as in :func:`sparse_encode`.

    Parameters
    ----------
    X : {array-like, CSR} of shape (n_samples, n_features)
        Signals, one a row.

    dictionary : array-like of shape (n_components, n_features)
        Atoms, one a row, of any length.

    weights : array-like of shape (n_components,), default=None
        Weights of the atoms' penalties, all positive; ``None`` means 1.

    positive : bool, default=False
        Whether codes must not be negative.

    Returns
    -------
    ndarray of shape (n_samples,)
        One penalty per signal, in the precision of `X`.

    Raises
    ------
    ValueError
        If shapes do not match, a value is not finite, or a weight is not positive.

    See Also
    --------
    lasso_path : Codes at many penalties.

    References
    ----------
    M. R. Osborne, B. Presnell, B. A. Turlach, "On the LASSO and its dual", J.
    Comput. Graph. Statist. 9 (2000).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.coding import alpha_max
    >>> alpha_max([[1.0, -3.0], [0.0, 0.5]], np.eye(2))
    array([3. , 0.5])
    """
    X, dictionary, weights = _check(X, dictionary, weights)
    if not (weights > 0).all():
        raise ValueError(
            "alpha_max needs positive weights: an atom without penalty is used at every alpha; "
            f"got {weights}."
        )
    highest = np.empty(X.shape[0], X.dtype)
    with single_threaded_blas():
        for begin in range(0, X.shape[0], _ROWS):
            rows = slice(begin, begin + _ROWS)
            ratios = np.asarray(X[rows] @ dictionary.T)
            ratios /= weights
            ratios = np.maximum(ratios, 0) if positive else np.abs(ratios)
            highest[rows] = ratios.max(axis=1)
    return highest


def _descending(alphas, n_alphas, eps, X, dictionary, weights, positive):
    """The penalties to solve for."""
    if alphas is None:
        highest = alpha_max(X, dictionary, weights=weights, positive=positive).max()
        return np.geomspace(highest, eps * highest, n_alphas, dtype=X.dtype)
    alphas = np.atleast_1d(np.asarray(alphas, dtype=X.dtype))
    if alphas.ndim != 1 or alphas.size == 0:
        raise ValueError(f"alphas must be a list of penalties; got shape {alphas.shape}.")
    if not (np.isfinite(alphas).all() and (alphas >= 0).all()):
        raise ValueError(f"alphas must be finite and not negative; got {alphas}.")
    return np.sort(alphas)[::-1].copy()


class _Worker:
    """One thread's scratch, and the way of one block along the path."""

    def __init__(self, problem, alphas):
        self.problem, self.alphas = problem, alphas
        capacity = min(problem.n_components, problem.n_features)
        per_signal = alphas.size * capacity * (4 + problem.dtype.itemsize)
        self.length = min(problem.block_length, max(1, _CODES_BYTES // per_signal))
        size = self.length * alphas.size
        self.codes = Codes(
            indices=np.empty((size, capacity), np.int32),
            values=np.empty((size, capacity), problem.dtype),
            count=np.empty(size, np.int32),
            gap=np.empty(size, problem.dtype),
            n_iter=np.empty(size, np.int32),
            status=np.empty(size, np.int8),
        )

    def __call__(self, rows):
        """Code a slice of signals; yields smaller slices and their codes, alpha by alpha."""
        problem = self.problem
        block, norm2, scale = problem.read(rows)
        scale = np.ones(norm2.size, problem.dtype) if scale is None else scale
        correlations = np.dot(block, problem.atoms.components.T)
        nothing = np.full(norm2.size, -1, problem.dtype)
        for begin in range(0, norm2.size, self.length):
            part = slice(begin, min(begin + self.length, norm2.size))
            size = (part.stop - part.start) * self.alphas.size
            codes = Codes(*(array[:size] for array in self.codes))
            signals = Signals(
                correlations[part],
                norm2[part],
                nothing[part],
                scale[part] * problem.atom_scale / problem.weight_scale,
                np.empty((0, 0), problem.dtype),
            )
            lasso_levels(problem.atoms, signals, problem.request, self.alphas, codes)
            rescale(codes, np.tile(scale[part], self.alphas.size), problem.atom_scale)
            yield slice(rows.start + part.start, rows.start + part.stop), codes


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "dictionary": ["array-like"],
        "alphas": ["array-like", Interval(Real, 0, None, closed="left"), None],
        "n_alphas": [Interval(Integral, 1, None, closed="left")],
        "eps": [Interval(Real, 0, 1, closed="neither")],
        "weights": ["array-like", None],
        "positive": ["boolean"],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=True,
)
def lasso_path(
    X,
    dictionary,
    *,
    alphas=None,
    n_alphas=100,
    eps=1e-3,
    weights=None,
    positive=False,
    max_iter=1000,
    n_jobs=None,
    verbose=0,
):
    """Lasso codes of many signals at many penalties.

    Solves ``min_a 0.5 ||x - a C||_2^2 + alpha sum_j weights[j] |a_j|`` exactly
    for every signal and alpha. The solutions of a signal follow from one
    another, so a path costs little more than its end.

    Parameters
    ----------
    X : {array-like, CSR} of shape (n_samples, n_features)
        Signals, one a row.

    dictionary : array-like of shape (n_components, n_features)
        Atoms, one a row, of any length.

    alphas : float or array-like of shape (n_alphas,), default=None
        Penalties, the same for all signals. ``None`` means `n_alphas` of them
        in geometric progression, from the largest :func:`alpha_max` of all
        signals down to `eps` times that.

    n_alphas : int, default=100
        Number of penalties where `alphas` is None.

    eps : float, default=1e-3
        Smallest penalty as a share of the largest, where `alphas` is None.

    weights : array-like of shape (n_components,), default=None
        Weights of the atoms' penalties, ``None`` means 1; zero for an atom
        without penalty, and then `alphas` must be given.

    positive : bool, default=False
        Whether codes must not be negative.

    max_iter : int, default=1000
        Most atoms that join or leave from one penalty to the next.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    alphas : ndarray of shape (n_alphas,)
        The penalties, descending, in the precision of `X`.

    codes : list of CSR of shape (n_samples, n_components)
        Codes at each penalty, in the precision of `X`.

    Raises
    ------
    ValueError
        If a parameter or shape is not valid, `X` or `dictionary` hold NaN or
        infinity, or the Gram matrix of the dictionary exceeds scikit-learn's
        ``working_memory``.

    See Also
    --------
    sparse_encode : Codes at one penalty, or to a residual.

    References
    ----------
    B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least angle regression",
    Ann. Statist. 32 (2004).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.coding import lasso_path
    >>> alphas, codes = lasso_path([[1.0, -3.0]], np.eye(2), alphas=[0.5, 2.0])
    >>> alphas
    array([2. , 0.5])
    >>> codes[1].toarray()
    array([[ 0.5, -2.5]])
    """
    X, dictionary, weights = _check(X, dictionary, weights)
    alphas = _descending(alphas, n_alphas, eps, X, dictionary, weights, positive)
    n_samples, n_components = X.shape[0], dictionary.shape[0]
    request = Request(
        n_nonzero=n_components,
        weights=weights,
        positive=bool(positive),
        max_iter=int(max_iter),
        gap_tol=0.0,
        polish=False,
    )
    algorithm = ALGORITHMS["lasso_lars"]
    problem = Problem(X, dictionary, algorithm=algorithm, request=request, tol=-1.0, n_jobs=n_jobs)
    if problem.without_gram:
        raise ValueError(
            f"lasso_path needs the Gram matrix of {n_components} atoms, and scikit-learn's "
            "working_memory does not allow it. Raise it by sklearn.set_config(working_memory=...), "
            "or call sparse_encode for each alpha."
        )
    outcome = Outcome.empty(n_samples, X.dtype, False)
    count = np.zeros((alphas.size, n_samples), np.int32)
    packed = [[[] for _ in range(problem.n_blocks)] for _ in alphas]

    def make_worker():
        worker = _Worker(problem, alphas)

        def code_block(number):
            for rows, codes in worker(problem.rows(number)):
                n_rows = rows.stop - rows.start
                by_alpha = (alphas.size, n_rows)
                outcome.status[rows] = codes.status.reshape(by_alpha).max(axis=0)
                outcome.gap[rows] = codes.gap.reshape(by_alpha).max(axis=0)
                count[:, rows] = codes.count.reshape(by_alpha)
                for step in range(alphas.size):
                    own = slice(step * n_rows, (step + 1) * n_rows)
                    here = Codes(*(array[own] for array in codes))
                    size = int(here.count.sum())
                    indices, values = np.empty(size, np.int32), np.empty(size, X.dtype)
                    pack(here, indices, values)
                    packed[step][number].append((indices, values))

        return code_block

    run_blocks(make_worker, problem.n_blocks, n_jobs=n_jobs, verbose=verbose, description="path")
    warn_once(outcome)
    joined = [[part for block in blocks for part in block] for blocks in packed]
    return alphas, [
        _csr(parts, own, n_components) for parts, own in zip(joined, count, strict=True)
    ]
