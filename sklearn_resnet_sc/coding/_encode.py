"""`sparse_encode`: validate once, then the driver."""

import warnings
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._algorithms import ALGORITHMS
from ._checks import check_dictionary, check_matrix
from ._diagnostics import CodingDiagnostics, warn_once
from ._driver import encode
from ._problem import Problem
from ._records import Request, Status


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
        warnings.warn(
            f"n_nonzero_coefs={n_nonzero_coefs} is more than the {n_components} atoms of the "
            f"dictionary; using {n_components}.",
            UserWarning,
            stacklevel=4,
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


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "dictionary": ["array-like"],
        "gram": ["array-like", None],
        "cov": ["array-like", None],
        "algorithm": [StrOptions(set(ALGORITHMS))],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like", None],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "gap_tol": [Interval(Real, 0, None, closed="neither")],
        "positive": ["boolean"],
        "copy_cov": ["boolean"],
        "init": ["array-like", None],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "n_jobs": [Integral, None],
        "check_input": ["boolean"],
        "verbose": ["verbose"],
        "sparse_output": ["boolean"],
        "return_diagnostics": ["boolean"],
        "polish": ["boolean"],
        "missing": [StrOptions({"error", "mask"})],
    },
    prefer_skip_nested_validation=True,
)
def sparse_encode(
    X,
    dictionary,
    *,
    gram=None,
    cov=None,
    algorithm="lasso_lars",
    n_nonzero_coefs=None,
    alpha=None,
    tol=None,
    gap_tol=1e-8,
    positive=False,
    copy_cov=True,
    init=None,
    max_iter=1000,
    n_jobs=None,
    check_input=True,
    verbose=0,
    sparse_output=False,
    return_diagnostics=False,
    polish=False,
    missing="error",
):
    """Sparse codes of signals in a given dictionary: ``X ~ code @ dictionary``.

    Takes every call that :func:`sklearn.decomposition.sparse_encode` takes and
    means the same by it.

    Parameters
    ----------
    X : {array-like, CSR} of shape (n_samples, n_features)
        Signals, one a row. Read block by block: a memory-mapped array is
        never held in memory.

    dictionary : array-like of shape (n_components, n_features)
        Atoms, one a row. They may have any length; atoms are chosen by their
        raw correlation with the residual (``"ols"``: by the residual they
        leave), and a zero atom is never chosen.

    gram : array-like of shape (n_components, n_components), default=None
        Inner products of the atoms, ``dictionary @ dictionary.T``.

    cov : array-like of shape (n_components, n_samples), default=None
        Inner products of atoms and signals, ``dictionary @ X.T``.

    algorithm : {"lasso_lars", "lars", "lasso_cd", "fista", "mp", "omp", "ols", "cosamp", "iht", \
            "hard_threshold", "threshold"}, default="lasso_lars"
        The pursuit:

        - ``"lasso_lars"``: the lasso, ``min 0.5 ||x - a C||_2^2 + alpha ||a||_1``,
          solved exactly; with `tol` instead of `alpha` the smallest ``||a||_1``
          with ``||x - a C||_2^2 <= tol``.
        - ``"lars"``: least angle regression, up to `n_nonzero_coefs` atoms or to
          `tol`. With `positive` the path of the positive lasso.
        - ``"lasso_cd"``: the lasso by coordinate descent, to `gap_tol`; may start
          from `init`.
        - ``"fista"``: the lasso by accelerated proximal gradient, to `gap_tol`; may
          start from `init`.
        - ``"mp"``: matching pursuit. One code a step is changed, the same atom
          may be chosen again; ends before an atom too many, or at `max_iter`.
        - ``"omp"``: orthogonal matching pursuit.
        - ``"ols"``: orthogonal least squares, also known as order recursive
          matching pursuit. A little better than ``"omp"`` and a little slower.
        - ``"cosamp"``: compressive sampling matching pursuit. Joins twice as many
          atoms as asked for, solves least squares, keeps the largest codes; ends
          at `tol`, or when the residual no longer falls. Meant for codes with
          fewer nonzeros than a third of the features.
        - ``"iht"``: normalised iterative hard thresholding; with `polish`, hard
          thresholding pursuit.
        - ``"hard_threshold"``: the correlations themselves, where they are larger
          than `alpha`, or the `n_nonzero_coefs` largest, or both.
        - ``"threshold"``: soft thresholding of the correlations at `alpha`.

    n_nonzero_coefs : int, default=None
        Number of atoms per signal, for the greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where `tol` is given. More than
        n_components is clipped, with a warning. ``"cosamp"`` and ``"iht"``
        need it beside `tol`.

    alpha : float or array-like of shape (n_components,), default=None
        Penalty of the lasso, or threshold, one for all or one per atom, zero
        for an atom without penalty; ``None`` means 1, for ``"hard_threshold"``
        none. With `tol` the l1 pursuits take one per atom only, and only their
        ratios matter. For ``"omp"`` a number is read as `tol`.

    tol : float, default=None
        Squared length of the residual, ``||x - a C||_2^2``, to reach. Where
        `n_nonzero_coefs` counts too, a pursuit stops at whichever comes first.

    gap_tol : float, default=1e-8
        Relative duality gap at which iterative l1 solvers stop: how far the
        objective may be above its least value, as a share of ``0.5 ||x||_2^2``,
        the objective of the zero code. Where the precision of `X` cannot tell so
        small a gap from zero, they stop at the smallest that it can.

    positive : bool, default=False
        Whether codes must not be negative. Greedy pursuits then choose among
        positive correlations only, and where they solve least squares on a
        support, they solve it under this constraint: atoms whose code reaches
        zero leave.

    copy_cov : bool, default=True
        Accepted for compatibility; `cov` is never overwritten.

    init : array-like of shape (n_samples, n_components), default=None
        Codes to start from, for iterative solvers; ``"mp"``, ``"cosamp"`` and
        ``"iht"`` start from its `n_nonzero_coefs` largest entries.

    max_iter : int, default=1000
        Most iterations of iterative solvers.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    check_input : bool, default=True
        Whether to convert and check `X` and `dictionary`. If False they must
        be finite float arrays.

    verbose : int, default=0
        Whether to show a progress bar.

    sparse_output : bool, default=False
        Whether to return codes in CSR format, never holding the dense array.

    return_diagnostics : bool, default=False
        Whether to return diagnostics, too. Then there is no warning about signals that did not
        end as asked: the diagnostics tell, in ``message`` in the words of the warning.

    polish : bool, default=False
        Whether ``"iht"`` and ``"cosamp"`` solve the least squares problem on
        every support that they visit.

    missing : {"error", "mask"}, default="error"
        What NaN in `X` means. ``"mask"``: a feature that was not observed;
        each signal is coded on its observed features alone, and its residual
        counted on them. Costs a Gram matrix for every distinct pattern of
        missing features.

    Returns
    -------
    code : ndarray or CSR of shape (n_samples, n_components)
        Codes, in the precision of `X`.

    diagnostics : CodingDiagnostics
        How each signal ended. Only if `return_diagnostics` is True.

    Raises
    ------
    ValueError
        If a parameter or shape is not valid, if `X` or `dictionary` hold NaN or infinity, or
        if the algorithm does not support an option.

    See Also
    --------
    SparseCoder : The same as a transformer.

    Notes
    -----
    Memory: the input, the output, the Gram matrix of the atoms, and per thread
    the correlations of one block of signals. Where the Gram matrix is larger
    than scikit-learn's ``working_memory`` (see :func:`sklearn.set_config`),
    pursuits that can do without it do; the others say so.

    References
    ----------
    Y. C. Pati, R. Rezaiifar, P. S. Krishnaprasad, "Orthogonal matching
    pursuit", Asilomar 1993. S. Chen, S. A. Billings, W. Luo, "Orthogonal least
    squares methods", Int. J. Control 50 (1989). S. Mallat, Z. Zhang, "Matching
    pursuits with time-frequency dictionaries", IEEE Trans. Signal Processing 41
    (1993). D. Needell, J. Tropp, "CoSaMP", Appl. Comput. Harmon. Anal. 26 (2009).
    T. Blumensath, M. Davies, "Normalized iterative hard thresholding", IEEE J.
    Sel. Topics Signal Processing 4 (2010). S. Foucart, "Hard thresholding
    pursuit", SIAM J. Numer. Anal. 49 (2011). A. Bruckstein, M. Elad, M.
    Zibulevsky, "On the uniqueness of nonnegative sparse solutions to
    underdetermined systems of equations", IEEE Trans. Information Theory 54
    (2008). T. Nguyen, C. Soussen, J. Idier, E.-H. Djermoune, "NP-hardness of l0
    minimization problems: revision and extension to the non-negative setting",
    SampTA 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import sparse_encode
    >>> dictionary = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    >>> sparse_encode([[1.2, 1.6], [0.0, -3.0]], dictionary, algorithm="omp", n_nonzero_coefs=1)
    array([[ 0.,  0.,  2.],
           [ 0., -3.,  0.]])
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
    problem = Problem(
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
    code, outcome = encode(
        problem,
        sparse_output=sparse_output,
        with_residuals=return_diagnostics,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    if tol is None:
        # A solver that is exact to rounding may miss that by a little and be good enough.
        good = (outcome.status == Status.MAX_ITER) & (outcome.gap <= gap_tol)
        outcome.status[good] = Status.DONE
    if not return_diagnostics:
        warn_once(outcome)
        return code
    return code, CodingDiagnostics(
        status=outcome.status,
        n_iter=outcome.n_iter,
        n_nonzero=outcome.count,
        residual_norm2=outcome.residual_norm2,
        gap=outcome.gap,
    )
