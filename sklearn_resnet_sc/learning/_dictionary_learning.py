"""`DictionaryLearning`: all signals are coded before every update."""

from numbers import Real
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from ._alternation import Alternation
from ._driver import alternate
from ._drop_in import DropInLearner
from ._forgetting import KINDS
from ._signals import validate_signals
from ._singular import singular_atoms
from ._statistics import TrainingSet
from ._stopping import settled, settles, stagnant
from ._updates import UPDATES, begin

_CALLBACK_EVERY = 5  # updates, as in scikit-learn


class DictionaryLearning(DropInLearner):
    """Learn a dictionary in which signals have sparse codes.

    Solves, by coding all signals and updating all atoms in turn,::

        min  1/2 ||X - A C||_F^2 + alpha ||A||_1    with ||c_k||_2 <= 1 for every atom
        A, C

    Parameters, attributes and their meaning are those of
    :class:`sklearn.decomposition.DictionaryLearning`, and some more.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms. ``None`` means n_features.

    alpha : float, default=1
        Penalty of the l1 pursuits, or threshold.

    max_iter : int, default=1000
        Most updates; 0 gives the atoms to begin with.

    tol : float, default=1e-8
        Stop where an update and the coding before it gain less than `tol` times the objective.
        Where codes are greedy or the update changes them, the objective may rise meanwhile: stop
        where the best one has gained less per update over the last three; 0 is never, then.

    fit_algorithm : {"lars", "cd"} or any other of `transform_algorithm`, default="lars"
        The pursuit that codes the training signals. ``"lars"`` is ``"lasso_lars"`` and ``"cd"``
        is ``"lasso_cd"``, as in scikit-learn; least angle regression itself does not learn.
        ``"lasso_cd"`` and ``"fista"`` start from the
        codes of the iteration before.

    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "fista", "omp", "ols", "mp", \
            "cosamp", "iht", "hard_threshold", "threshold"}, default="omp"
        The pursuit of `transform`; see :func:`~sklearn_resnet_sc.coding.sparse_encode`.

    transform_n_nonzero_coefs : int, default=None
        Atoms per signal, for greedy pursuits. ``None`` means ``n_features / 10``, or no limit
        where a tolerance is given.

    transform_alpha : float or array-like of shape (n_components,), default=None
        Penalty of l1 pursuits or threshold; ``None`` means `alpha`. For ``"omp"`` the squared
        residual to reach, and ``None`` means none.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    code_init : array-like of shape (n_samples, n_components), default=None
        Codes that the first coding starts from, where the pursuit iterates.

    dict_init : array-like of shape (n_components, n_features), \
            {"svd", "data", "dct"}, default=None
        Atoms to begin with, for greedy pursuits scaled to unit length; missing ones are zero and
        are replaced when it turns out that they are not used. ``"svd"``, which ``None`` means:
        singular directions of the signals. ``"data"``: training signals. ``"dct"``: cosines.

    callback : callable, default=None
        Called after the first update, the sixth, and so on, with a dict: ``iteration``
        (from 1), ``dictionary`` (its ``components``), ``coded`` (its ``code``), and the
        histories ``error`` and ``objective``, means over signals.

    verbose : bool, default=False
        Whether to show a progress bar.

    split_sign : bool, default=False
        Whether to return positive and negative parts as separate features.

    random_state : int, RandomState instance or None, default=None
        For ``dict_init="data"``, and the order of the signals in ``"rls"``.

    positive_code : bool, default=False
        Whether codes must not be negative.

    positive_dict : bool, default=False
        Whether atoms must not have negative entries.

    transform_max_iter : int, default=1000
        Most iterations of iterative pursuits, in `fit` too.

    dictionary_update : {"bcd", "mod", "ksvd", "aksvd", "rls"}, default="bcd"
        How atoms are updated:

        - ``"bcd"``: one after the other, length at most 1.
        - ``"mod"``: least squares in all atoms at once (method of optimal directions, also
          ILS-DLA), then unit length.
        - ``"ksvd"``: one after the other, with its codes, by the best rank-one fit.
        - ``"aksvd"``: likewise, by one step towards it (approximate K-SVD); much faster.
        - ``"rls"``: recursive least squares after every signal (RLS-DLA), see `forgetting`. It
          depends on the order of the signals, so a weight of two is not quite the same as two
          copies.

        The last three are for greedy pursuits, and refused with l1 pursuits, whose penalty they
        do not regard.

    forgetting : str or callable, default="cubic"
        How fast ``"rls"`` forgets: the kind of a :class:`Forgetting`, or any function from the
        number of signals seen to a factor in (0, 1].

    fit_n_nonzero_coefs : int, default=None
        Atoms per training signal, for greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where `fit_tol` is given. More than
        n_components is clipped, with a warning.

    fit_tol : float, default=None
        Squared residual to reach in training, for greedy pursuits. Learning then makes
        the mean number of atoms small.

    replace_atoms : bool or "auto", default="auto"
        Whether atoms hardly used or nearly equal to others are replaced by the signals
        represented worst. Atoms without any use always are. ``"auto"``: not for ``"bcd"``
        and ``"rls"``.

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
        ``"svd"`` and ``"data"``. With ``"bcd"`` and ``"mod"``, whose `error_` is that at the codes
        before an update, it is then an upper bound.

    warm_start : bool, default=False
        Whether to begin with the atoms of the fit before.

    change_tol : float, default=0.0
        Stop, too, where an update moves the atoms by no more than this, in the Frobenius norm over
        the number of atoms. 0: never for this reason.

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
        The objective, a sum over signals (with `fit_tol` the number of atoms), after each
        update, at the codes before it; for ``"ksvd"``, ``"aksvd"`` and ``"rls"`` at the codes
        after it.

    n_iter_ : int
        Number of updates.

    stop_reason_ : {"tol", "max_iter", "interrupted"}
        Why learning ended. After a KeyboardInterrupt, which is raised on,
        `components_` is the best dictionary so far.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    MiniBatchDictionaryLearning : Faster where signals are many.
    ResidualDictionaryLearning : Atoms whose conditioning is certified.

    Notes
    -----
    What a cap on coherence costs: PSNR of held-out 8 x 8 patches of photographs at 5 atoms each,
    128 atoms learned from 6000 patches with ``"mod"`` (the first column: no cap, coherence 0.90)::

        max_coherence    None    0.8    0.6    0.5    0.4    0.3
        PSNR in dB      28.24  28.24  28.21  28.11  28.04  27.65

    Updates from sums keep within the cap atom by atom, each placed where it is best; the others
    are followed by moving the closest pairs apart.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
    and sparse coding", JMLR 11 (2010) (``"bcd"``).

    K. Engan, S. O. Aase, J. H. Husoy, "Method of optimal directions for frame design", ICASSP
    1999 (``"mod"``).

    M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for designing overcomplete
    dictionaries for sparse representation", IEEE TSP 54 (2006) (``"ksvd"``).

    R. Rubinstein, M. Zibulevsky, M. Elad, "Efficient implementation of the K-SVD algorithm using
    batch orthogonal matching pursuit", Technion CS-2008-08 (2008) (``"aksvd"``).

    B. Mailhe, D. Barchiesi, M. Plumbley, "INK-SVD: learning incoherent dictionaries for sparse
    representations", ICASSP 2012 (``max_coherence``).

    K. Skretting, K. Engan, "Recursive least squares dictionary learning algorithm", IEEE TSP 58
    (2010) (``"rls"``).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import DictionaryLearning
    >>> X = np.random.default_rng(0).standard_normal((200, 8))
    >>> learner = DictionaryLearning(
    ...     12, alpha=0.5, max_iter=10, transform_algorithm="lasso_lars"
    ... ).fit(X)
    >>> learner.transform(X).shape
    (200, 12)
    >>> bool(np.linalg.norm(learner.components_, axis=1).max() <= 1 + 1e-12)
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        **DropInLearner._parameter_constraints,
        "code_init": ["array-like", None],
        "dictionary_update": [StrOptions(set(UPDATES))],
        "forgetting": [StrOptions(set(KINDS)), callable],
        "warm_start": ["boolean"],
        "change_tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_components=None,
        *,
        alpha=1,
        max_iter=1000,
        tol=1e-8,
        fit_algorithm="lars",
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        n_jobs=None,
        code_init=None,
        dict_init=None,
        callback=None,
        verbose=False,
        split_sign=False,
        random_state=None,
        positive_code=False,
        positive_dict=False,
        transform_max_iter=1000,
        dictionary_update="bcd",
        forgetting="cubic",
        fit_n_nonzero_coefs=None,
        fit_tol=None,
        replace_atoms="auto",
        max_coherence=None,
        missing="error",
        warm_start=False,
        change_tol=0.0,
        transform_tol=None,
        transform_gap_tol=1e-6,
        sparse_output=False,
    ):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.tol = tol
        self.fit_algorithm = fit_algorithm
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.n_jobs = n_jobs
        self.code_init = code_init
        self.dict_init = dict_init
        self.callback = callback
        self.verbose = verbose
        self.split_sign = split_sign
        self.random_state = random_state
        self.positive_code = positive_code
        self.positive_dict = positive_dict
        self.transform_max_iter = transform_max_iter
        self.dictionary_update = dictionary_update
        self.forgetting = forgetting
        self.fit_n_nonzero_coefs = fit_n_nonzero_coefs
        self.fit_tol = fit_tol
        self.replace_atoms = replace_atoms
        self.max_coherence = max_coherence
        self.missing = missing
        self.warm_start = warm_start
        self.change_tol = change_tol
        self.transform_tol = transform_tol
        self.transform_gap_tol = transform_gap_tol
        self.sparse_output = sparse_output

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
        DictionaryLearning
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or shape is not valid, X holds infinity, or NaN without
            ``missing="mask"`` or nothing but NaN with it, or all weights are zero.
        KeyboardInterrupt
            If interrupted, after what was learned has been stored.
        """
        self._fit_codes(X, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def _fit_codes(self, X, sample_weight=None):
        """Learn, and return the codes of the training signals, CSR."""
        X = validate_signals(self, X)
        n_components = X.shape[1] if self.n_components is None else self.n_components
        earlier = self._earlier_atoms(n_components, X.shape[1])
        training_set = TrainingSet(*self._with_weight(X, sample_weight), n_jobs=self.n_jobs)
        pursuit = self._pursuit(n_components)
        update, replaces = self._update()
        n_signals = max(self.max_iter, 1) * training_set.n_samples
        random_state = check_random_state(self.random_state)
        update = begin(update, pursuit, self.forgetting, n_signals, random_state)
        space = self._space(update, X.dtype, (n_components, X.shape[1]))
        start = self._start(
            training_set,
            n_components,
            lambda count: singular_atoms(training_set, count),
            earlier,
        )
        start = space.within(start)
        init = self._first_codes(X, n_components, sample_weight)
        sides = Alternation(training_set, space, update, pursuit, replaces=replaces, init=init)
        unit = sides.unit
        course = alternate(
            start,
            sides.code,
            sides.update,
            max_iter=self.max_iter,
            settled=lambda course: self._reason_to_stop(course, sides),
            verbose=self.verbose,
            callback=self._callback_in(unit, every=_CALLBACK_EVERY),
        )
        best, coded = course.best, course.coded
        if (course.n_iter or course.interrupt) and not space.holds(best.components):
            best = space.nearest(best, random_state)
            coded = None if course.interrupt is not None else sides.code(best)
        self.components_ = best.components
        self.error_ = [value * training_set.total_weight * unit for value in sides.reached]
        self.n_iter_, self.stop_reason_ = course.n_iter, course.stop_reason
        self._conclude(pursuit, space.cap, course.interrupt)
        return coded.code

    def _reason_to_stop(self, course, sides):
        """scikit-learn's rule; where the objective may rise meanwhile, one with patience."""
        if settles(sides.change, self.change_tol, course.best):
            return "tol"
        if sides.monotone:
            return "tol" if settled(sides.reached, self.tol) else ""
        done = course.objective[-1] == 0 or self.tol > 0
        return "tol" if done and stagnant(course.objective, self.tol) else ""

    def _first_codes(self, X, n_components, sample_weight):
        if self.code_init is None:
            return None
        code = check_array(self.code_init, dtype=X.dtype, input_name="code_init")
        if len(code) != len(X):
            raise ValueError(
                f"code_init must have a row for each of the {len(X)} signals; "
                f"got shape {code.shape}"
            )
        code = sparse.csr_matrix(code[:, :n_components])
        code.resize(len(X), n_components)
        if sample_weight is not None:
            code = code[np.broadcast_to(sample_weight, len(X)) > 0]
        return code
