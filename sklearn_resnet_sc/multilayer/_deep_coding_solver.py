"""`DeepCodingSolver`: codes of many layers in dictionaries that are given, with certificates."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from .._warn import warn_user
from ..coding import Status
from ..theory import certify, layered_stability_bound
from ._demands import Demands
from ._output import OUTPUT_CONSTRAINT, LayeredOutputMixin
from ._solution import DeepCodingSolution, LayerCodes
from ._stack import Stack, scale_of
from ._strategies import (
    MULTI_LAYER_LASSO,
    PENALISED,
    PURSUITS,
    check_alpha,
    check_demands,
    check_pursuit,
    fill_alpha,
    needs_alpha,
    solve,
)

_BY_EITHER = "hard_threshold", "layered"  # takes alpha or n_nonzero_coefs
_ALL_PURSUITS = set().union(*PURSUITS.values())


class DeepCodingSolver(LayeredOutputMixin, BaseEstimator):
    """Codes of every layer of a stack of dictionaries: the deep coding problem.

    Given ``C_1, ..., C_L``, find codes with at most ``n_nonzero_coefs[i]`` atoms in layer i
    and squared residuals of at most ``tol[i]`` between neighbouring layers:

    - ``model="synthesis"``: ``x ~ g_1 C_1``, ``g_{i-1} ~ g_i C_i``, where `C_i` has shape
      (n_components_i, n_components_{i-1}) and its rows are atoms;
    - ``model="forward"``: ``t_1 ~ x C_1``, ``t_i ~ t_{i-1} C_i``, where `C_i` has shape
      (n_components_{i-1}, n_components_i): a network's layers read as a chain.

    Parameters
    ----------
    dictionaries : sequence of array-like
        ``C_1, ..., C_L``, from the signal on. Atoms may have any length; in the synthesis model
        but zero.

    n_nonzero_coefs : int or sequence of int, default=None
        Most atoms per signal, one number for all layers or one a layer (None in a sequence: not
        limited). More than a layer has are clipped, with one warning.

    tol : float or sequence of float, default=None
        Squared residual ``||g_{i-1} - g_i C_i||_2^2`` (forward ``||t_i - t_{i-1} C_i||_2^2``)
        allowed, the square of the epsilon of the literature; one number for all layers or one a
        layer. 0 asks for an exact chain, None for as small a residual as can be.

    model : {"synthesis", "forward"}, default="synthesis"
        Which way the chain runs.

    strategy : {"layered", "projection", "joint"}, default="layered"
        How layers are coded:

        - ``"layered"``: one after the other, each given the one before.
        - ``"projection"`` (synthesis): the deepest layer in the product of all
          dictionaries; the others follow exactly and are repaired where they are not
          sparse enough.
        - ``"joint"``: all layers at once, trading the residual of one against that
          of another.

    pursuit : str, default="omp"
        The synthesis model's ``"layered"`` takes any algorithm of
        :func:`~sklearn_resnet_sc.coding.sparse_encode`; ``"projection"`` takes ``"omp"``
        or ``"ols"``. ``"joint"``: ``"omp"`` or ``"ols"`` search the supports of all layers
        for the problem as stated above, by exchanges of atoms from several starts with the best
        codes on every support; ``"palm"`` takes proximal gradient steps in one layer after the
        other from the same starts, in less time and not as far down, and needs
        `n_nonzero_coefs` in every layer; ``"ml_ista"`` and ``"ml_fista"`` minimise the
        multi-layer lasso
        ``0.5 ||x - g_L C_L ... C_1||_2^2 + sum_i alpha_i ||g_L C_L ... C_{i+1}||_1``,
        up to a distance that grows with the step. In the forward model ``"omp"`` and
        ``"hard_threshold"`` both keep the largest entries, ``"threshold"`` (layered
        only) thresholds softly at `alpha`.

    alpha : float or sequence of float, default=None
        Weight of the l1 norm, or threshold, one for all layers or one a layer, for
        pursuits that take one; None means 1 where neither `n_nonzero_coefs` nor `tol` is given.

    positive_code : bool, default=False
        Whether codes must not be negative, for pursuits that support it.

    output : {"last", "concat"} or int, default="last"
        What `transform` returns: codes of the deepest layer, of all layers side by side, or
        of the layer with this index, 0 the first.

    transform_max_iter : int, default=None
        Most iterations of iterative solvers; ``None`` leaves it to the solver: 1000 of layered
        pursuits and the multi-layer lasso, 200 rounds of the joint searches, 100 sweeps of PALM,
        both from each start. `transform` warns of the number of signals that end there, `solve`
        tells which.

    sparse_output : bool, default=False
        Whether `transform` returns CSR.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    verbose : int, default=0
        Whether to show a progress bar.

    Attributes
    ----------
    n_layers_ : int
        Number of layers.

    n_components_ : tuple of int
        Codes of each layer.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    MultiLayerSparseCoder : Learns the dictionaries, too.
    sklearn_resnet_sc.theory.certify : The certificates alone.

    Notes
    -----
    Both problems are NP-hard. "Not feasible" in a result means that the solver found no
    feasible codes, not that there are none; what is called feasible is so, by its measured
    residuals, to rounding.

    References
    ----------
    V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via
    convolutional sparse coding", JMLR 18 (2017) (layered pursuits); J. Sulam, V. Papyan,
    Y. Romano, M. Elad, IEEE Trans. Signal Processing 66 (2018) (projection);
    J. Sulam, A. Aberdam, A. Beck, M. Elad, IEEE TPAMI 42 (2020) (ML-ISTA, ML-FISTA);
    F. Glover, "Tabu search", ORSA Journal on Computing 1 (1989) (the exchanges of the joint
    search); J. Bolte, S. Sabach, M. Teboulle, Math. Programming 146 (2014) (PALM).

    Examples
    --------
    >>> from sklearn_resnet_sc import DeepCodingSolver
    >>> from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
    >>> X, dictionaries, codes = make_multilayer_sparse_signals(
    ...     100, n_features=30, n_components=(40, 50), n_nonzero_coefs=2, random_state=0
    ... )
    >>> solver = DeepCodingSolver(dictionaries, n_nonzero_coefs=(6, 2), strategy="projection")
    >>> solution = solver.solve(X)
    >>> [layer.codes.shape for layer in solution.layers]
    [(100, 40), (100, 50)]
    """

    _parameter_constraints: ClassVar[dict] = {
        "dictionaries": ["array-like", list, tuple],
        "n_nonzero_coefs": [Integral, "array-like", None],
        "tol": [Real, "array-like", None],
        "model": [StrOptions({"synthesis", "forward"})],
        "strategy": [StrOptions({"layered", "projection", "joint"})],
        "pursuit": [StrOptions(_ALL_PURSUITS)],
        "alpha": [Real, "array-like", None],
        "positive_code": ["boolean"],
        "output": OUTPUT_CONSTRAINT,
        "transform_max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "sparse_output": ["boolean"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        dictionaries,
        *,
        n_nonzero_coefs=None,
        tol=None,
        model="synthesis",
        strategy="layered",
        pursuit="omp",
        alpha=None,
        positive_code=False,
        output="last",
        transform_max_iter=None,
        sparse_output=False,
        n_jobs=None,
        verbose=0,
    ):
        self.dictionaries = dictionaries
        self.n_nonzero_coefs = n_nonzero_coefs
        self.tol = tol
        self.model = model
        self.strategy = strategy
        self.pursuit = pursuit
        self.alpha = alpha
        self.positive_code = positive_code
        self.output = output
        self.transform_max_iter = transform_max_iter
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs
        self.verbose = verbose

    @property
    def _stack(self):
        return Stack.check(self.dictionaries, model=self.model)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check parameters and signals; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Signals.
        y : None
            Not used, present for API consistency.

        Returns
        -------
        DeepCodingSolver
            The estimator itself.

        Raises
        ------
        ValueError
            If dictionaries do not chain, or a parameter is not valid; the layer is named.
        """
        X = self._check_signals(X, reset=True)
        stack = self._checked_stack(X)
        self._plan(stack, warn=False)  # which `transform` does
        self._check_output(len(stack))
        self.n_layers_, self.n_components_ = len(stack), stack.n_components
        return self

    def _checked_stack(self, X):
        """The stack, once there is a solver for it and signals are as wide."""
        check_pursuit(self.model, self.strategy, self.pursuit, self.positive_code)
        stack = self._stack
        _check_width(X, stack)
        return stack

    def _plan(self, stack, *, warn=True):
        """Checked demands and weights."""
        alpha = check_alpha(self.alpha, len(stack))
        by_alpha = needs_alpha(self.pursuit)
        demands = Demands.check(
            stack, self.n_nonzero_coefs, self.tol, required=not by_alpha, warn=warn
        )
        check_demands(self.pursuit, demands)
        if by_alpha:
            alpha = fill_alpha(self.pursuit, alpha, demands)
        elif self.alpha is not None and (self.pursuit, self.strategy) != _BY_EITHER:
            raise ValueError(
                f"pursuit={self.pursuit!r} takes n_nonzero_coefs and tol, not alpha; "
                f"got alpha={self.alpha!r}."
            )
        return demands, alpha

    def solve(self, X):
        """Codes of all layers, and how near they come to what was asked.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Signals.

        Returns
        -------
        DeepCodingSolution
            Per layer codes, residuals, supports, which signals are feasible, and how each
            ended; of ``"ml_ista"`` and ``"ml_fista"`` the objective. Prints as sentences.
        """
        X = self._check_signals(X)
        found = self._find(X)
        stack = self._stack.astype(X.dtype)
        demands, alpha = self._plan(stack, warn=False)
        objective = None
        if self.pursuit in MULTI_LAYER_LASSO:
            objective = _lasso_objective(X, stack, alpha, found[-1].codes)
        return DeepCodingSolution.assess(X, stack, demands, found, objective)

    def _find(self, X):
        """What the solver finds, in the units of the signals."""
        self._validate_params()  # nobody need have called `fit`
        stack = self._checked_stack(X).astype(X.dtype)
        demands, alpha = self._plan(stack)
        scale = scale_of(X)
        factor = float(scale)
        found = solve(
            X * scale,
            stack,
            demands.scaled(factor),
            strategy=self.strategy,
            pursuit=self.pursuit,
            alpha=[None if value is None else value * factor for value in alpha],
            positive=bool(self.positive_code),
            max_iter=self.transform_max_iter,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )
        back = 1 / scale
        return [LayerCodes(layer.codes * back, layer.n_iter, layer.status) for layer in found]

    def _codes(self, X):
        """Codes of every layer; a warning says how many signals did not end by themselves."""
        found = self._find(X)
        ended = np.logical_or.reduce([layer.status == Status.MAX_ITER for layer in found])
        if n_ended := np.count_nonzero(ended):
            warn_user(
                f"{n_ended} of {len(X)} signals stopped at transform_max_iter; raise it, or see "
                "what `solve` tells of each.",
                ConvergenceWarning,
            )
        return [layer.codes for layer in found]

    def certify(self, X, *, noise=None, solution=None):
        """Say which theorem makes the codes of each layer unique and stable, or that none does.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Signals.
        noise : float or array-like of shape (n_samples,), default=None
            Synthesis: how far from its signal a competing code may be; None means ``sqrt(tol)`` of
            the first layer, or without one as far as the code found. Forward: how far both
            inputs may be from a common one; None means 0.
        solution : DeepCodingSolution, default=None
            What `solve` returned for X, to spare solving again.

        Returns
        -------
        CodeCertificate or LayeredStability
            Of the synthesis model the certificate of every signal and layer, see
            :func:`~sklearn_resnet_sc.theory.certify`: competitors have as many atoms as asked
            for, or as the code found, and residuals of ``sqrt(tol)``, or as long as those
            found. Codes are unique only where these are zero. Of the forward model the bound on the
            distance of any two feasible chains, for the largest numbers of atoms found, see
            :func:`~sklearn_resnet_sc.theory.layered_stability_bound`.
        """
        if solution is None:
            solution = self.solve(X)
        X = self._check_signals(X)
        stack = self._stack
        demands, alpha = self._plan(stack, warn=False)
        slack = [
            layer.residual_norm if asked is None else np.full(len(X), asked)
            for asked, layer in zip(demands.epsilon, solution.layers, strict=True)
        ]
        if noise is not None and np.ndim(noise) and np.shape(noise) != (len(X),):
            raise ValueError(
                f"noise must be a number or have one entry a signal, shape ({len(X)},); got shape "
                f"{np.shape(noise)}."
            )
        if self.model == "forward":
            most = [max(1, int(layer.n_nonzero.max(initial=0))) for layer in solution.layers]
            return layered_stability_bound(
                stack.dictionaries,
                [
                    found if asked is None else asked
                    for asked, found in zip(demands.n_nonzero, most, strict=True)
                ],
                0.0 if noise is None else float(np.max(noise)),
                slack=[float(np.max(value)) for value in slack],
                model="forward",
            )
        noise = slack[0] if noise is None else noise
        solves_lasso = self.strategy == "layered" and self.pursuit in PENALISED
        weights = [value or None for value in alpha] if solves_lasso else None
        return certify(
            stack.dictionaries,
            solution.codes,
            signals=X,
            noise=noise,
            slack=slack,
            alpha=weights,
            n_nonzero=list(demands.n_nonzero),
            n_jobs=self.n_jobs,
        )

    def __sklearn_is_fitted__(self):
        """There is nothing to fit."""
        return True

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def _lasso_objective(X, stack, alpha, deepest):
    """The objective of the multi-layer lasso, by numbers whose squares are safe."""
    from ._ml_fista import lasso_objective  # its kernels are loaded when they are first wanted

    scale = scale_of(X)
    factor = float(scale)
    weights = [value * factor for value in alpha]
    with np.errstate(over="ignore"):  # infinity is right beyond the floating point range
        return lasso_objective(X * scale, stack, weights, deepest * scale) / factor / factor


def _check_width(X, stack):
    if X.shape[1] != stack.n_features:
        raise ValueError(
            f"dictionaries[0] (layer 1) is for signals of {stack.n_features} features; "
            f"X has {X.shape[1]}."
        )
