"""`MiniBatchDictionaryLearning`: an update after every batch, and batches are forgotten."""

import copy
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ._dictionary import Dictionary
from ._driver import alternate
from ._drop_in import DropInLearner
from ._online import FadingSums, StoppingRule, Stream, batches_of
from ._signals import validate_signals
from ._singular import randomized_singular_atoms
from ._statistics import TrainingSet
from ._updates import UPDATES

_START_ROWS = 20_000  # signals that the first atoms are made from


class MiniBatchDictionaryLearning(DropInLearner):
    """Learn a dictionary from batches of signals, one after the other.

    Solves the problem of :class:`DictionaryLearning` for signals that are many or never end:
    every batch is coded once and added to sums that the atoms are updated
    from. So `fit` holds one batch at a time, and X may be a memory map far larger
    than memory (already in random order then, with ``shuffle=False``, so that
    it is read in sequence).

    Parameters, attributes and their meaning are those of
    :class:`sklearn.decomposition.MiniBatchDictionaryLearning`, and some more.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms. ``None`` means n_features.

    alpha : float, default=1
        Penalty of the l1 pursuits, or threshold.

    max_iter : int, default=1000
        Most passes over the signals in `fit`; 0 gives the atoms to begin with.

    fit_algorithm : {"lars", "cd"} or any other of `transform_algorithm`, default="lars"
        The pursuit that codes the training signals. ``"lars"`` is ``"lasso_lars"`` and ``"cd"``
        is ``"lasso_cd"``, as in scikit-learn; least angle regression itself does not learn.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    batch_size : int, default=256
        Signals in a batch.

    shuffle : bool, default=True
        Whether `fit` takes signals in random order.

    dict_init : array-like of shape (n_components, n_features), \
            {"svd", "data", "dct"}, default=None
        Atoms to begin with, for greedy pursuits scaled to unit length; missing ones are zero and
        are replaced when it turns out that they are not used. ``"svd"``, which ``None`` means:
        singular directions of the signals. ``"data"``: training signals. Either looks at no
        more than 20 000 signals. ``"dct"``: cosines.

    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "fista", "omp", "ols", "mp", \
            "cosamp", "iht", "hard_threshold", "threshold"}, default="omp"
        The pursuit of `transform`; see :func:`~sklearn_resnet_sc.coding.sparse_encode`.

    transform_n_nonzero_coefs : int, default=None
        Atoms per signal, for greedy pursuits. ``None`` means ``n_features / 10``, or no limit
        where a tolerance is given.

    transform_alpha : float or array-like of shape (n_components,), default=None
        Penalty of l1 pursuits or threshold; ``None`` means `alpha`. For ``"omp"`` the squared
        residual to reach, and ``None`` means none.

    verbose : bool, default=False
        Whether to show a progress bar.

    split_sign : bool, default=False
        Whether to return positive and negative parts as separate features.

    random_state : int, RandomState instance or None, default=None
        For the order of the signals and the atoms to begin with.

    positive_code : bool, default=False
        Whether codes must not be negative.

    positive_dict : bool, default=False
        Whether atoms must not have negative entries.

    transform_max_iter : int, default=1000
        Most iterations of iterative pursuits, in `fit` too.

    callback : callable, default=None
        Called after every update with a dict: ``iteration`` (from 1), ``dictionary`` (its
        ``components``), ``coded`` (its ``code``), and the histories ``error`` and ``objective``,
        means over the signals of a batch.

    tol : float, default=1e-3
        Stop where an update changes the dictionary by less, in the Frobenius norm over the
        number of atoms. 0: never for this reason.

    max_no_improvement : int, default=10
        Stop after so many batches in a row that do not improve a running mean of the
        objective. ``None``: never for this reason.

    dictionary_update : {"bcd", "mod"}, default="bcd"
        How atoms are updated, see :class:`DictionaryLearning`.

    fit_n_nonzero_coefs : int, default=None
        Atoms per training signal, for greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where `fit_tol` is given. More than
        n_components is clipped, with a warning.

    fit_tol : float, default=None
        Squared residual to reach in training, for greedy pursuits.

    replace_atoms : bool or "auto", default="auto"
        Whether atoms hardly used or nearly equal to others are replaced by the signals of the
        batch represented worst. Atoms without any use always are. ``"auto"``: not for ``"bcd"``.

    max_coherence : float, default=None
        Largest mutual coherence of the atoms (the largest absolute cosine between two), in (0, 1],
        and no less than the Welch bound. Every update stays within it. Where it cannot be
        reached, one warning says what was. ``None`` and 1: no limit. Not with
        `positive_dict`.

    missing : {"error", "mask"}, default="error"
        What NaN in signals means. ``"mask"``: a feature that was not observed. Codes, errors
        and scores are then those of the features that were, in `fit`, `transform` and `score`;
        updates take the others as the codes say they are, which never raises the error of
        those observed. A feature that no signal shows stays as the first atoms have it, zero with
        ``"svd"`` and ``"data"``.

    warm_start : bool, default=False
        Whether `fit` begins with the atoms of the fit before.

    transform_tol : float, default=None
        Squared residual ``||x - a C||_2^2`` to reach.

    transform_gap_tol : float, default=1e-6
        Relative duality gap at which iterative l1 pursuits stop, in `fit` too. Larger than the
        1e-8 of :func:`~sklearn_resnet_sc.coding.sparse_encode`, which would be wasted on atoms
        that still change.

    sparse_output : bool, default=False
        Whether `transform` returns CSR.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The atoms.

    error_ : list of float
        Mean objective of each batch of `fit`, before the update that it led to; where entries are
        missing, over those observed.

    n_iter_ : int
        Number of passes over the signals, a part of one counted as one. Only from `fit`.

    n_steps_ : int
        Number of batches processed.

    stop_reason_ : {"tol", "no_improvement", "max_iter", "interrupted"}
        Why `fit` ended. After a KeyboardInterrupt, which is raised on, every attribute is
        that of the last batch.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    DictionaryLearning : All signals are coded before every update.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
    and sparse coding", JMLR 11 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import MiniBatchDictionaryLearning
    >>> X = np.random.default_rng(0).standard_normal((1000, 8))
    >>> learner = MiniBatchDictionaryLearning(
    ...     12, alpha=0.5, max_iter=5, max_no_improvement=None, random_state=0
    ... ).fit(X)
    >>> learner.components_.shape
    (12, 8)
    >>> before = learner.n_steps_
    >>> learner.partial_fit(X[:100]).n_steps_ - before
    1
    """

    _parameter_constraints: ClassVar[dict] = {
        **DropInLearner._parameter_constraints,
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "warm_start": ["boolean"],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "dictionary_update": [
            StrOptions({row.name for row in UPDATES.values() if not row.needs_codes})
        ],
    }

    def __init__(
        self,
        n_components=None,
        *,
        alpha=1,
        max_iter=1_000,
        fit_algorithm="lars",
        n_jobs=None,
        batch_size=256,
        shuffle=True,
        dict_init=None,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        verbose=False,
        split_sign=False,
        random_state=None,
        positive_code=False,
        positive_dict=False,
        transform_max_iter=1000,
        callback=None,
        tol=1e-3,
        max_no_improvement=10,
        dictionary_update="bcd",
        fit_n_nonzero_coefs=None,
        fit_tol=None,
        replace_atoms="auto",
        max_coherence=None,
        missing="error",
        warm_start=False,
        transform_tol=None,
        transform_gap_tol=1e-6,
        sparse_output=False,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.fit_algorithm = fit_algorithm
        self.n_jobs = n_jobs
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.dict_init = dict_init
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.verbose = verbose
        self.split_sign = split_sign
        self.random_state = random_state
        self.positive_code = positive_code
        self.positive_dict = positive_dict
        self.transform_max_iter = transform_max_iter
        self.callback = callback
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.dictionary_update = dictionary_update
        self.fit_n_nonzero_coefs = fit_n_nonzero_coefs
        self.fit_tol = fit_tol
        self.replace_atoms = replace_atoms
        self.max_coherence = max_coherence
        self.missing = missing
        self.warm_start = warm_start
        self.transform_tol = transform_tol
        self.transform_gap_tol = transform_gap_tol
        self.sparse_output = sparse_output

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the dictionary from signals.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training signals. Never copied as a whole if float32 or float64 and no weight is zero.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the signals in the objective; not negative.

        Returns
        -------
        MiniBatchDictionaryLearning
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or shape is not valid, X holds infinity, or NaN without
            ``missing="mask"`` or nothing but NaN with it, or all weights are zero.
        KeyboardInterrupt
            If interrupted, after what was learned has been stored.
        """
        X = validate_signals(self, X)
        weight = self._check_weight(sample_weight, X)
        random_state = check_random_state(self.random_state)
        start = self._first_dictionary(X, weight, random_state)
        order = _signals_with_weight(weight)
        n_samples = len(X) if order is None else len(order)
        if self.shuffle:
            order = random_state.permutation(n_samples if order is None else order)
        batch_size = min(self.batch_size, n_samples)
        n_batches = -(-n_samples // batch_size)
        sums = FadingSums(*start.components.shape)
        pursuit = self._pursuit(len(start.components))
        stream = self._stream(pursuit, sums, batches_of(X, weight, order, batch_size), X.dtype)
        start = stream.space.within(start)
        rule = StoppingRule(
            self.tol, self.max_no_improvement, batch_size, n_samples, len(start.components)
        )
        course = alternate(
            start,
            stream.code,
            stream.update,
            max_iter=self.max_iter * n_batches,
            settled=lambda course: rule(stream),
            stream=True,
            verbose=self.verbose,
            callback=self.callback,
        )
        best = course.best
        if course.interrupt is not None and not stream.space.holds(best.components):
            best = stream.space.nearest(best, random_state)
        self.components_ = best.components
        self.error_ = course.objective
        self.n_steps_ = sums.n_steps
        self.n_iter_ = -(-course.n_iter // n_batches)
        self.stop_reason_ = course.stop_reason
        self._sums = sums
        self._begun_with = {"n_components": len(self.components_)}
        self._conclude(pursuit, stream.space.cap, course.interrupt)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Update the dictionary from one batch, after all that came before.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch; batches may differ in size.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the signals in the objective; not negative.

        Returns
        -------
        MiniBatchDictionaryLearning
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or shape is not valid, X holds infinity, or NaN without
            ``missing="mask"`` or nothing but NaN with it, or all weights are zero.
        """
        first = not hasattr(self, "components_")
        X = validate_signals(self, X, reset=first)
        X, weight = self._with_weight(X, sample_weight)
        n_components = X.shape[1] if self.n_components is None else self.n_components
        if first:
            start = self._first_dictionary(X, weight, check_random_state(self.random_state))
            sums = FadingSums(*start.components.shape)
        else:
            self._refuse_changes(n_components=n_components)
            # A copy, of which every step replaces all: an interrupt leaves all as it was.
            sums, components = copy.copy(self._sums), self.components_
            X = X.astype(components.dtype, copy=False)
            start = Dictionary(components, components, np.ones(len(components), X.dtype))
        pursuit = self._pursuit(len(start.components))
        stream = self._stream(pursuit, sums, iter([(X, weight)]), X.dtype)
        if not first and stream.space.cap is not None:
            stream.space.cap.settle_for(start.components)
        start = stream.space.within(start)
        self.components_ = stream.update(start, stream.code(start)).components
        self._sums, self.n_steps_ = sums, sums.n_steps
        self._begun_with = {"n_components": n_components}
        self._conclude(pursuit, stream.space.cap)
        return self

    def _first_dictionary(self, X, weight, random_state):
        n_components = X.shape[1] if self.n_components is None else self.n_components
        earlier = self._earlier_atoms(n_components, X.shape[1])
        # Every second, third, ... signal, so that not all of a large file is read for this.
        # Where the atoms do not come from signals, one tells what there is to know of them.
        init = self.dict_init
        looks = init is None or (isinstance(init, str) and init != "dct")
        order = _signals_with_weight(weight)
        n_samples = len(X) if order is None else len(order)
        rows = slice(None, None, -(-n_samples // _START_ROWS)) if looks else slice(1)
        if order is not None:
            rows = order[rows]
        training_set = TrainingSet(X[rows], None if weight is None else weight[rows])
        gain = np.sqrt(n_samples / training_set.n_samples)
        return self._start(
            training_set,
            n_components,
            lambda count: gain * randomized_singular_atoms(training_set, count, random_state),
            earlier,
        )

    def _stream(self, pursuit, sums, batches, dtype):
        update, replaces = self._update()
        return Stream(
            sums,
            batches,
            self._space(update, dtype, sums.cross.shape),
            update,
            pursuit,
            replaces=replaces,
            n_jobs=self.n_jobs,
        )


def _signals_with_weight(weight):
    """Which signals count, or None: all."""
    return None if weight is None or weight.all() else np.flatnonzero(weight)
