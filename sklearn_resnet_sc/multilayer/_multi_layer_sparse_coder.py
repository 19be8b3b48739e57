"""`MultiLayerSparseCoder`: a stack of dictionaries learned from signals, and codes in it."""

from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from .._parallel import single_threaded_blas
from ._atom_sets import PlainAtoms, stack_of
from ._joint_learning import Learned, learn_jointly
from ._layer_plan import atom_sets, carried_over, given_atoms, layer_sizes
from ._layer_sums import FadingSums
from ._layerwise import learn_layer_by_layer
from ._learned_stack import LearnedStackMixin
from ._learning_problems import descend_all
from ._output import OUTPUT_CONSTRAINT
from ._stack_coding import ALGORITHMS, StackCoding
from ._training_signals import TrainingSignals


class MultiLayerSparseCoder(LearnedStackMixin, BaseEstimator):
    """Learn a stack of dictionaries, and code signals sparsely in all its layers.

    The synthesis model is ``x ~ g_1 C_1``, ``g_{i-1} ~ g_i C_i``: signals are made of the atoms
    of the first dictionary, their codes of the atoms of the second, and so on. Learning begins
    layer by layer and ends with all layers together: codes and dictionaries are improved in
    turn, and neither raises the objective,

    - of ``"ml_fista"`` and ``"ml_ista"`` the multi-layer lasso
      ``0.5 ||x - g_L C_L ... C_1||_2^2 + sum_i alpha_i ||g_L C_L ... C_{i+1}||_1``;
    - of layered pursuits ``sum_i (0.5 ||g_{i-1} - g_i C_i||_2^2 + alpha_i ||g_i||_1)``, those
      that take a number of atoms without the penalty.

    Parameters
    ----------
    n_components : int or sequence of int, default=None
        Atoms of each layer, from the signal on. An int is one layer; ``None`` means two of
        n_features atoms, or what `dictionaries` have.

    dictionaries : sequence of array-like, default=None
        ``C_1`` of shape (n_components_1, n_features), ``C_2`` of shape (n_components_2,
        n_components_1) and so on. If given, nothing is learned.

    algorithm : str, default="ml_fista"
        How signals are coded, in `fit` and in `transform`: ``"ml_fista"``, ``"ml_ista"``, or
        ``"layered_"`` before the name of a pursuit, as in ``"layered_omp"`` or
        ``"layered_lasso_lars"``, which code one layer after the other; pursuits are those of
        :func:`~sklearn_resnet_sc.coding.sparse_encode`. Thresholds find no codes that rebuild
        signals: for ``"layered_threshold"`` dictionaries are learned with
        ``"layered_lasso_cd"``, for ``"layered_hard_threshold"``, and for ``"layered_lars"``,
        which shrinks codes, with ``"layered_omp"``.

    alpha : float or sequence of float, default=0.05
        Weight of the l1 norm of each layer, or threshold; one for all or one a layer. See
        `scale_alpha`. Not used by pursuits that take a number of atoms.

    scale_alpha : bool, default=True
        Whether `alpha` is a share of the root mean square length of the training signals,
        so that the same number suits data in any unit. If False it is
        absolute, as in :class:`~sklearn_resnet_sc.SparseCoder`.

    n_nonzero_coefs : int or sequence of int, default=None
        Most atoms per signal, one number for all layers or one a layer, for layered pursuits that
        take it; ``None`` means a tenth of what the layer codes, of n_features or
        ``n_components[i - 1]``, and at least one.

    residual : bool, default=False
        Whether every square layer, which has as many atoms as what it codes has
        entries, is learned as ``identity + residual``, see
        :class:`~sklearn_resnet_sc.ResidualDictionaryLearning`. Other layers are plain;
        `residuals_` tells which is which.

    residual_bound : float or None, default=0.9
        The rho in (0, 1) with ``||residual||_2 <= rho``, which certifies the condition number of
        ``identity + residual``; kept by joint learning, too. ``None`` lifts it.

    atom_nonzero : int or sequence of int, default=None
        Most nonzeros of an atom of the second and deeper layers, one number or one for each
        of these; layers with a skip are left as they are. ``None``: any number.

    positive_code : bool, default=False
        Whether codes of every layer must not be negative.

    output : {"last", "concat"} or int, default="last"
        What `transform` returns: codes of the deepest layer, of all layers side by side, or
        of the layer with this index, 0 the first.

    sparse_output : bool, default=False
        Whether `transform` returns CSR.

    n_passes : int, default=5
        Passes over the signals when each layer is learned alone; of layers with a skip, updates.

    max_iter : int, default=5
        Most joint updates of all layers; 0 keeps what was learned layer by layer.

    tol : float, default=1e-4
        Joint learning ends where an update and the coding after it gain at most `tol` times
        the objective.

    transform_max_iter : int, default=100
        Most iterations of iterative pursuits, in joint learning too. ``"ml_fista"`` and
        ``"ml_ista"`` give no warning where they end there.

    transform_tol : float, default=1e-4
        Where iterative pursuits stop: ``"ml_fista"`` and ``"ml_ista"`` where no entry of
        a deepest code changes by more than this times the largest, layered l1 pursuits at
        this relative duality gap.

    warm_start : bool, default=False
        Whether `fit` begins with the dictionaries of the fit before, if there was one.

    callback : callable, default=None
        Called after every joint update with a dict: ``iteration`` (from 1), ``dictionaries`` and
        ``error``, the objectives so far in the units in which the largest entry of the
        signals is about one.

    random_state : int, RandomState instance or None, default=None
        Of the first atoms and the order of the signals.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    verbose : int, default=0
        Whether to show progress bars.

    Attributes
    ----------
    dictionaries_ : list of ndarray
        Dictionaries of all layers; learned ones have unit atoms.

    residuals_ : list of ndarray or None
        For layers with a skip the residual R: the rows of ``identity + R``, scaled to unit
        length, are the atoms. None for other layers.

    alpha_ : tuple of float or None
        The weights used, one a layer, in the units of the signals; None with pursuits that take a
        number of atoms.

    n_nonzero_coefs_ : tuple of int or None
        Most atoms of each layer; None with pursuits that take `alpha`.

    n_components_ : tuple of int
        Atoms of each layer.

    n_layers_ : int
        Number of layers.

    error_ : list of float
        The objective, a weighted mean over training signals, before joint learning and after
        every update; it never rises. Empty if joint learning was not reached. Only from a `fit`
        that learned.

    n_iter_ : int
        Number of joint updates. Only from a `fit` that learned.

    stop_reason_ : {"tol", "max_iter", "interrupted"}
        Why joint learning ended. After a KeyboardInterrupt, which is raised on,
        everything is what had been learned until then; layers not yet reached are as learning
        starts. Only from a `fit` that learned.

    n_steps_ : int
        Number of batches that `partial_fit` has seen.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    DeepCodingSolver : Codes as sparse or as close as asked for, with certificates.
    sklearn_resnet_sc.DictionaryLearning : One layer.

    Notes
    -----
    The first dictionary is updated by block descent over its atoms, each at its optimum on the
    sphere, and with a skip by a convex problem of all atoms, nearly solved; so are all
    dictionaries of layered pursuits. For the multi-layer lasso inner
    dictionaries take a projected gradient step, which is halved until the objective falls.
    Atoms that no code uses are pointed at the signals coded worst, but for those beside a skip.

    References
    ----------
    J. Sulam, V. Papyan, Y. Romano, M. Elad, "Multilayer convolutional sparse modeling: pursuit
    and dictionary learning", IEEE Trans. Signal Processing 66 (2018) (sparse inner
    dictionaries); J. Sulam, A. Aberdam, A. Beck, M. Elad, "On multi-layer basis pursuit,
    efficient algorithms and convolutional neural networks", IEEE TPAMI 42 (2020) (ML-ISTA,
    ML-FISTA, and learning with them).

    Examples
    --------
    >>> from sklearn_resnet_sc import MultiLayerSparseCoder
    >>> from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
    >>> X, _, _ = make_multilayer_sparse_signals(
    ...     300, n_features=16, n_components=(20, 24), n_nonzero_coefs=2, random_state=0
    ... )
    >>> coder = MultiLayerSparseCoder((20, 24), output="concat", random_state=0).fit(X)
    >>> coder.transform(X).shape
    (300, 44)
    >>> coder.get_feature_names_out()[[0, 20]]
    array(['multilayersparsecoder_layer1_0', 'multilayersparsecoder_layer2_0'],
          dtype=object)
    """

    _parameter_constraints: ClassVar[dict] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "dictionaries": ["array-like", list, tuple, None],
        "algorithm": [StrOptions(ALGORITHMS)],
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "scale_alpha": ["boolean"],
        "n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "residual": ["boolean"],
        "residual_bound": [Interval(Real, 0, 1, closed="neither"), None],
        "atom_nonzero": [Interval(Integral, 1, None, closed="left"), "array-like", None],
        "positive_code": ["boolean"],
        "output": OUTPUT_CONSTRAINT,
        "sparse_output": ["boolean"],
        "n_passes": [Interval(Integral, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "transform_max_iter": [Interval(Integral, 1, None, closed="left")],
        "transform_tol": [Interval(Real, 0, None, closed="neither")],
        "warm_start": ["boolean"],
        "callback": [callable, None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components=None,
        *,
        dictionaries=None,
        algorithm="ml_fista",
        alpha=0.05,
        scale_alpha=True,
        n_nonzero_coefs=None,
        residual=False,
        residual_bound=0.9,
        atom_nonzero=None,
        positive_code=False,
        output="last",
        sparse_output=False,
        n_passes=5,
        max_iter=5,
        tol=1e-4,
        transform_max_iter=100,
        transform_tol=1e-4,
        warm_start=False,
        callback=None,
        random_state=None,
        n_jobs=None,
        verbose=0,
    ):
        self.n_components = n_components
        self.dictionaries = dictionaries
        self.algorithm = algorithm
        self.alpha = alpha
        self.scale_alpha = scale_alpha
        self.n_nonzero_coefs = n_nonzero_coefs
        self.residual = residual
        self.residual_bound = residual_bound
        self.atom_nonzero = atom_nonzero
        self.positive_code = positive_code
        self.output = output
        self.sparse_output = sparse_output
        self.n_passes = n_passes
        self.max_iter = max_iter
        self.tol = tol
        self.transform_max_iter = transform_max_iter
        self.transform_tol = transform_tol
        self.warm_start = warm_start
        self.callback = callback
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the dictionaries, unless they are given.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training signals.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the signals in the objective and in the scale of `alpha`; not negative.
            An integer means as much as so many copies, where all copies together are at most
            256 signals and no tie is left to rounding; more are learned from in batches, among
            which copies are spread.

        Returns
        -------
        MultiLayerSparseCoder
            The estimator itself.

        Raises
        ------
        ValueError
            If dictionaries do not chain, a parameter or weight is not valid, or all weights are
            zero; of parameters the layer is named.
        KeyboardInterrupt
            If interrupted, after what was learned has been stored.
        """
        earlier = getattr(self, "_atoms", None) if self.warm_start else None
        data = TrainingSignals.of(self._check_signals(X, reset=True), sample_weight)
        if self.dictionaries is not None:
            self._take_dictionaries(data)
            return self
        sizes, sets, coding = self._plan(data)
        atoms, interrupt = carried_over(earlier, sets, data.X.shape[1], sizes), None
        if atoms is None:
            atoms, interrupt = self._layer_by_layer(data, sizes, sets, coding, self.n_passes)
        learned, layers = Learned(atoms, stop_reason="interrupted", interrupt=interrupt), []
        if interrupt is None:
            problem = coding.for_learning().problem(data.X, data.weight, sets)
            learned = learn_jointly(
                problem,
                atoms,
                max_iter=self.max_iter,
                tol=self.tol,
                verbose=self.verbose,
                callback=self.callback,
            )
            if learned.codes is not None:
                layers = problem.layers(learned.atoms, learned.codes)
        self._keep(learned.atoms, sets, coding, FadingSums.of(data, layers, self.n_jobs))
        self.error_ = [value / data.scale / data.scale for value in learned.error]
        self.n_iter_, self.stop_reason_ = learned.n_iter, learned.stop_reason
        if learned.interrupt is not None:
            raise learned.interrupt
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Update all dictionaries once, from one batch and sums over those before.

        The batch is coded; the codes of every layer are added to sums over all signals seen, in
        which old ones count less, and each dictionary descends the squared residual of its layer
        in these sums. After `fit`, its signals count as seen.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch; batches may differ in size. The first one, where no `fit` came before,
            also gives what learning starts from and the scale of `alpha`.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the signals, not negative; a batch counts by their sum.

        Returns
        -------
        MultiLayerSparseCoder
            The estimator itself.

        Raises
        ------
        ValueError
            As `fit`.
        KeyboardInterrupt
            If interrupted; then the batch has changed nothing.
        """
        seen = getattr(self, "_seen", None)
        X = self._check_signals(X, reset=seen is None)
        if seen is not None:
            X = X.astype(self._stack.dtype, copy=False)
        data = TrainingSignals.of(X, sample_weight, None if seen is None else seen.scale)
        if self.dictionaries is not None:
            if seen is None:
                self._take_dictionaries(data)
            return self
        if seen is None:
            sizes, sets, coding = self._plan(data)
            atoms, interrupt = self._layer_by_layer(data, sizes, sets, coding, 1)
            if interrupt is not None:
                raise interrupt
        else:
            atoms, sets = self._atoms, self._sets
            coding = self._fitted_coding.scaled(seen.scale).as_now(self)
        codes = coding.for_learning().codes(data.X, stack_of(atoms))
        batch = FadingSums.of(data, codes, self.n_jobs)
        seen = batch.after(seen)
        with single_threaded_blas():
            atoms = descend_all(sets, atoms, seen.sums)
        self._keep(atoms, sets, coding, seen)
        return self

    def _plan(self, data):
        """Atoms of each layer, which they may be, and how they are used."""
        sizes = layer_sizes(self.n_components, data.X.shape[1])
        self._check_output(len(sizes))
        bound = {"residual": self.residual, "residual_bound": self.residual_bound}
        sets = atom_sets(sizes, data.X, atom_nonzero=self.atom_nonzero, **bound)
        return sizes, sets, StackCoding.plan(self, data, sizes)

    def _layer_by_layer(self, data, sizes, sets, coding, n_passes):
        return learn_layer_by_layer(
            data.X,
            data.weight,
            sizes,
            sets,
            coding.for_learning().pursuits(len(sizes)),
            n_passes=n_passes,
            random_state=check_random_state(self.random_state),
            n_jobs=self.n_jobs,
            verbose=self.verbose,
        )

    def _take_dictionaries(self, data):
        atoms = given_atoms(self, data.X)
        self._check_output(len(atoms))
        coding = StackCoding.plan(self, data, stack_of(atoms).n_components)
        self._keep(atoms, [PlainAtoms(data.X.dtype)] * len(atoms), coding, FadingSums.of(data, []))
