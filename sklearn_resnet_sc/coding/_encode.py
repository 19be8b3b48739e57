"""`sparse_encode`: make the problem, have the driver solve it, say how it ended."""

from numbers import Integral, Real

from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from ._algorithms import ALGORITHMS
from ._diagnostics import CodingDiagnostics, warn_once
from ._driver import encode
from ._request import make_problem


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
        If a parameter or shape is not valid, if `dictionary` holds NaN or infinity, `X` infinity,
        or NaN without ``missing="mask"``, or if the algorithm does not support an option.

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
    problem = make_problem(
        X,
        dictionary,
        algorithm=algorithm,
        n_nonzero_coefs=n_nonzero_coefs,
        alpha=alpha,
        tol=tol,
        gap_tol=gap_tol,
        positive=positive,
        max_iter=max_iter,
        n_jobs=n_jobs,
        missing=missing,
        gram=gram,
        cov=cov,
        init=init,
        check_input=check_input,
        polish=polish,
    )
    code, outcome = encode(
        problem,
        sparse_output=sparse_output,
        with_residuals=return_diagnostics,
        n_jobs=n_jobs,
        verbose=verbose,
    )
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


def code_signals(X, dictionary, *, n_jobs=None, **options):
    """Codes and how the signals ended, without a warning: for callers that have checked X.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Signals, float.
    dictionary : ndarray of shape (n_components, n_features)
        Atoms, float.
    n_jobs : int, default=None
        Number of threads.
    **options
        Of :func:`sparse_encode`; those that `make_problem` has no default for must be given.

    Returns
    -------
    code : CSR of shape (n_samples, n_components)
        Codes.
    outcome : Outcome
        Without residuals, which the caller has its own use for.
    """
    problem = make_problem(X, dictionary, n_jobs=n_jobs, **options)
    return encode(problem, sparse_output=True, with_residuals=False, n_jobs=n_jobs, verbose=0)
