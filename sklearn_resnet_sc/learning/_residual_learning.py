"""`ResidualDictionaryLearning`: from parameters to the parts that do the work, and back."""

import copy
from numbers import Integral, Real
from typing import ClassVar

from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from .._parallel import single_threaded_blas
from ..theory import residual_certificate
from ._alternation import Alternation
from ._dictionary import Dictionary
from ._driver import alternate
from ._forgetting import KINDS
from ._learner import DictionaryLearner
from ._online import FadingSums
from ._pursuit import GREEDY, make_pursuit
from ._residual_space import (
    choose_bound,
    choose_cap,
    choose_update,
    count_atoms,
    first_dictionary,
    learns_from_batches,
    space_of,
)
from ._residual_stream import ResidualStream, add_raw
from ._signals import validate_signals
from ._statistics import TrainingSet
from ._stopping import settles, stagnant
from ._updates import RESIDUAL_UPDATES, begin


class ResidualDictionaryLearning(DictionaryLearner):
    """Learn a dictionary ``shortcut + residual`` whose conditioning is certified.

    The atoms are the rows of
    ``components_ = (shortcut_ + residual_) / atom_norms_[:, None]``: a fixed
    dictionary P of full rank, the shortcut, plus a learned residual R, scaled
    to unit length. While ``||R||_2 <= rho * sigma_min(P)`` with ``rho < 1``, the sum has full
    rank and a condition number of at most
    ``(sigma_max + rho sigma_min) / ((1 - rho) sigma_min)``, whatever the data.
    Without a shortcut it is a plain dictionary with unit atoms.

    Learning alternates between coding the signals and a dictionary update at
    fixed raw codes ``code / atom_norms_``, which is a convex problem and, with ``"mod"``, solved
    to its optimum under the bound. Atoms hardly used, or nearly equal to another
    one, are pointed at the signals represented worst, see `replace_atoms`.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms. ``None`` means that of the shortcut if it is an array,
        else n_features.

    shortcut : {"identity", "dct", "pca"}, array-like or None, default="identity"
        The fixed part:

        - ``"identity"``: unit vectors; at most n_features atoms.
        - ``"dct"``: cosines, see :func:`dct_dictionary`; any number of atoms.
        - ``"pca"``: principal directions of the training signals; at most n_features.
        - array of shape (n_components, n_features): unit atoms, of full rank.
        - ``None``: no fixed part. Learning starts from training signals.

    residual_bound : float, "auto" or None, default="auto"
        The rho in (0, 1) of the bound. ``"auto"`` is 0.9 with a shortcut, none
        without; ``None`` lifts it.

    dictionary_update : {"mod", "bcd", "ksvd", "aksvd", "rls"}, default="mod"
        How atoms are updated:

        - ``"mod"``: least squares in all atoms at once (method of optimal directions), solved
          under the bound where there is one.
        - ``"bcd"``: one atom after the other; under a bound each goes to the best point that
          the others leave it, and a gradient step of all follows.
        - ``"ksvd"``, ``"aksvd"``, ``"rls"``: see :class:`DictionaryLearning`. They find unit
          atoms without regard to a shortcut, so they are refused with a bound or a ridge, and
          with l1 pursuits, whose penalty they do not know.

        `partial_fit` is there with ``"mod"`` and ``"bcd"``.

    ridge : float, default=0.0
        How strongly the residual is drawn to zero: the updates add `ridge` times the mean squared
        length of the rows of the residual to the squared error, taken as a share of the
        energy of the training signals. So the number means the same whatever the size and number
        of signals and the number of atoms: 0.01 is little, 1 is much, and the
        larger, the closer atoms stay to the shortcut. Not without a shortcut.

    forgetting : str or callable, default="cubic"
        How fast ``"rls"`` forgets, see :class:`DictionaryLearning`.

    replace_atoms : bool or "auto", default="auto"
        Whether atoms hardly used or nearly equal to others are replaced by the signals
        represented worst; the objective may rise by it. Atoms without any use are replaced where
        that does not raise it. ``"auto"``: with greedy pursuits, but for ``"rls"``. `partial_fit`
        always replaces.

    max_coherence : float, default=None
        Largest mutual coherence of the atoms (the largest absolute cosine between two), in (0, 1],
        and no less than the Welch bound. Every update stays within it. Where it cannot be
        reached, one warning says what was. ``None`` and 1: no limit. Not beside a
        shortcut.

    missing : {"error", "mask"}, default="error"
        What NaN in signals means. ``"mask"``: a feature that was not observed. Codes, errors
        and scores are then those of the features that were, in `fit`, `transform` and `score`;
        updates take the others as the codes say they are, which never raises the error of
        those observed. A feature that no signal shows stays as the first atoms have it, zero
        without a shortcut.

    fit_algorithm : any of `transform_algorithm` but ``"lars"``, default="omp"
        The pursuit that codes the training signals; see
        :func:`~sklearn_resnet_sc.coding.sparse_encode`. With ``"lasso_lars"``, ``"lasso_cd"``
        and ``"fista"`` learning makes the mean of
        ``0.5 ||x - a C||_2^2 + fit_alpha ||a||_1`` small. As in :class:`DictionaryLearning`,
        ``"lars"`` and ``"cd"`` are short for the first two.

    fit_n_nonzero_coefs : int, default=None
        Atoms per training signal, for greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where `fit_tol` is given. More than
        n_components is clipped, with a warning.

    fit_tol : float, default=None
        Squared residual ``||x - a C||_2^2`` to reach in training, for greedy
        pursuits. Learning then makes the mean number of atoms per signal small
        instead of the error; a signal that misses the tolerance counts as one with all atoms.

    fit_alpha : float, default=None
        Penalty of l1 pursuits, or threshold; ``None`` means 1.

    max_iter : int, default=30
        Most dictionary updates.

    tol : float, default=1e-4
        Stop where the smallest objective has gained less than `tol` times itself per
        update over the last three updates.

    change_tol : float, default=0.0
        Stop, too, where an update moves the atoms by no more than this, in the Frobenius norm over
        the number of atoms. 0: never for this reason.

    transform_algorithm : {"lasso_lars", "lasso_cd", "lars", "fista", "omp", "ols", "mp", \
            "cosamp", "iht", "hard_threshold", "threshold"}, default="omp"
        The pursuit of `transform` and `score`.

    transform_n_nonzero_coefs : int, default=None
        Atoms per signal, for greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where a tolerance is given.

    transform_tol : float, default=None
        Squared residual ``||x - a C||_2^2`` to reach.

    transform_alpha : float or array-like of shape (n_components,), default=None
        Penalty of l1 pursuits or threshold; for ``"omp"`` the squared residual to reach.
        ``None`` means 1 for the former, none for the latter.

    transform_max_iter : int, default=1000
        Most iterations of iterative pursuits, in `fit` too.

    transform_gap_tol : float, default=1e-6
        Relative duality gap at which iterative l1 pursuits stop, in `fit` too. Larger than the
        1e-8 of :func:`~sklearn_resnet_sc.coding.sparse_encode`, which would be wasted on atoms
        that still change.

    positive_code : bool, default=False
        Whether codes must not be negative, in `fit` too. Not with ``"ksvd"`` and ``"aksvd"``, which
        change codes to values of any sign.

    split_sign : bool, default=False
        Whether to return positive and negative parts as separate features.

    sparse_output : bool, default=False
        Whether `transform` returns CSR.

    n_jobs : int, default=None
        Number of threads. Results are the same to the bit for every number.

    warm_start : bool, default=False
        Whether `fit` begins with the residual of the fit before (clipped where the bound has
        become smaller), not with zero or training signals.

    callback : callable, default=None
        Called after every update with a dict: ``iteration`` (from 1), ``dictionary`` (its
        ``components``, ``residual`` and ``lengths``), ``coded`` (``code`` and ``error``),
        and the histories ``error`` and ``objective``, means over signals.

    verbose : int, default=0
        Whether to show a progress bar.

    random_state : int, RandomState instance or None, default=None
        Chooses the training signals to start from where there is no shortcut.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        Unit atoms.

    shortcut_ : ndarray of shape (n_components, n_features) or None
        The fixed part.

    residual_ : ndarray of shape (n_components, n_features)
        The learned part; without a shortcut the same as `components_`.

    atom_norms_ : ndarray of shape (n_components,)
        Lengths of the rows of ``shortcut_ + residual_``.

    residual_bound_ : float or None
        The rho that was kept: ``||residual_||_2 <= rho * sigma_min(shortcut_)``, to rounding.

    certificate_ : ResidualCertificate
        What is certain about ``shortcut_ + residual_`` and about `components_`;
        prints as sentences.

    error_ : list of float
        Weighted mean of the squared error ``||x - a C||_2^2`` per training
        signal, for the dictionary before the first update and after each; where entries are
        missing, over those observed. Only from `fit`.

    n_nonzero_ : list of float
        Weighted mean number of atoms per training signal, likewise. Only from `fit`.

    update_gap_ : float
        Largest duality gap that any update has left, relative to its objective; each
        is at most 1e-5 unless the update ran out of iterations.

    n_iter_ : int
        Number of updates in `fit`. The dictionary kept is the best of all, not always the last.

    n_steps_ : int
        Number of batches processed: by `partial_fit`, and one by an earlier `fit`.

    stop_reason_ : {"tol", "max_iter", "interrupted"}
        Why `fit` ended. After a KeyboardInterrupt, which is raised on,
        every attribute is that of the best dictionary so far.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    sklearn_resnet_sc.coding.SparseCoder : Codes in a dictionary that is given.
    sklearn_resnet_sc.theory.residual_certificate : The certificate alone.

    Notes
    -----
    Signals are not centred. A square plain dictionary learned from image
    patches has a condition number above 1000; with ``rho = 0.9`` that of ``shortcut_ + residual_``
    is at most 19 for an orthonormal shortcut, at the price of a somewhat larger error.

    When to pay that price: where all entries of a code are used. On patches of 64 pixels, with
    64 atoms and ``rho = 0.9``, noise reached full least squares codes some 95 times less (DCT) or
    50 times less (identity) than with a plain dictionary; with 256 atoms, 2.6 times less. Patches
    rebuilt from five atoms did not gain, with noise or without. Sparse codes moved 0.9 times as
    far under noise with the DCT, 1.1 times with the identity.

    With l1 codes every update minimises a least squares problem that lies above the penalised
    one and touches it at the present atoms (lengths of atoms, which codes follow, are replaced by
    parabolas), so that no update raises ``0.5 ||X - code C||_F^2 + fit_alpha ||code||_1``.

    References
    ----------
    K. Engan, S. O. Aase, J. H. Husoy, "Method of optimal directions for frame
    design", ICASSP 1999. The bound is Weyl's inequality for singular values
    (R. Horn, C. Johnson, "Matrix Analysis").

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import ResidualDictionaryLearning
    >>> X = np.random.default_rng(0).standard_normal((500, 16))
    >>> learner = ResidualDictionaryLearning(
    ...     residual_bound=0.5, fit_n_nonzero_coefs=3, transform_n_nonzero_coefs=3
    ... ).fit(X)
    >>> bool(np.linalg.norm(learner.residual_, 2) <= 0.5 + 1e-12)
    True
    >>> codes = learner.transform(X)
    >>> int((codes != 0).sum(axis=1).max())
    3
    """

    _parameter_constraints: ClassVar[dict] = {
        **DictionaryLearner._parameter_constraints,
        "shortcut": [StrOptions({"identity", "dct", "pca"}), "array-like", None],
        "residual_bound": [Real, StrOptions({"auto"}), None],
        "dictionary_update": [StrOptions(set(RESIDUAL_UPDATES))],
        "ridge": [Interval(Real, 0, None, closed="left")],
        "forgetting": [StrOptions(set(KINDS)), callable],
        "fit_alpha": [Interval(Real, 0, None, closed="left"), None],
        "replace_atoms": ["boolean", StrOptions({"auto"})],
        "change_tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components=None,
        *,
        shortcut="identity",
        residual_bound="auto",
        dictionary_update="mod",
        ridge=0.0,
        forgetting="cubic",
        replace_atoms="auto",
        max_coherence=None,
        missing="error",
        fit_algorithm="omp",
        fit_n_nonzero_coefs=None,
        fit_tol=None,
        fit_alpha=None,
        max_iter=30,
        tol=1e-4,
        change_tol=0.0,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_tol=None,
        transform_alpha=None,
        transform_max_iter=1000,
        transform_gap_tol=1e-6,
        positive_code=False,
        split_sign=False,
        sparse_output=False,
        n_jobs=None,
        warm_start=False,
        callback=None,
        verbose=0,
        random_state=None,
    ):
        self.n_components = n_components
        self.shortcut = shortcut
        self.residual_bound = residual_bound
        self.dictionary_update = dictionary_update
        self.ridge = ridge
        self.forgetting = forgetting
        self.replace_atoms = replace_atoms
        self.max_coherence = max_coherence
        self.missing = missing
        self.fit_algorithm = fit_algorithm
        self.fit_n_nonzero_coefs = fit_n_nonzero_coefs
        self.fit_tol = fit_tol
        self.fit_alpha = fit_alpha
        self.max_iter = max_iter
        self.tol = tol
        self.change_tol = change_tol
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_tol = transform_tol
        self.transform_alpha = transform_alpha
        self.transform_max_iter = transform_max_iter
        self.transform_gap_tol = transform_gap_tol
        self.positive_code = positive_code
        self.split_sign = split_sign
        self.sparse_output = sparse_output
        self.n_jobs = n_jobs
        self.warm_start = warm_start
        self.callback = callback
        self.verbose = verbose
        self.random_state = random_state

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
            Weights of the squared errors; not negative. ``None`` means equal weights.

        Returns
        -------
        ResidualDictionaryLearning
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or shape is not valid, X holds infinity, or NaN without
            ``missing="mask"`` or nothing but NaN with it, the shortcut cannot have so many atoms
            or has no full rank, or all weights are zero.
        KeyboardInterrupt
            If interrupted, after what was learned has been stored.
        """
        X = validate_signals(self, X)
        training_set = TrainingSet(*self._with_weight(X, sample_weight), n_jobs=self.n_jobs)
        random_state = check_random_state(self.random_state)
        rho, update, pursuit, n_components = self._parts(X.shape[1])
        earlier = self._earlier_atoms(n_components, X.shape[1])
        cap = choose_cap(self.max_coherence, self.shortcut, (n_components, X.shape[1]))
        space, start = first_dictionary(
            self.shortcut,
            n_components,
            rho,
            training_set,
            random_state,
            cap,
            residual=None if earlier is None else self.residual_,
        )
        n_signals = self.max_iter * training_set.n_samples
        update = begin(update, pursuit, self.forgetting, n_signals, random_state)
        sides = Alternation(
            training_set,
            space,
            update,
            pursuit,
            replaces=self._replaces(update, pursuit),
            ridge=self.ridge,
        )
        course = alternate(
            start,
            sides.code,
            sides.update,
            max_iter=self.max_iter,
            settled=lambda course: self._reason_to_stop(course, sides),
            verbose=self.verbose,
            callback=self._callback_in(sides.unit),
        )
        sums = FadingSums(*start.components.shape)
        if course.coded is not None:
            add_raw(sums, course.coded, training_set, course.best.lengths, pursuit.penalty)
        self._keep(space, course.best, rho, sums, sides.largest_gap)
        self._begun_with = self._asked(rho, n_components)
        self.error_, self.n_nonzero_ = course.error, course.n_nonzero
        self.n_iter_, self.stop_reason_ = course.n_iter, course.stop_reason
        self._conclude(pursuit, space.cap, course.interrupt)
        return self

    @available_if(learns_from_batches)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Update the dictionary from one batch, after all that came before.

        The batch is coded in the present dictionary, its codes are added to sums over
        all signals seen, in which old signals count less, and one update is made from these sums.
        The bound holds after every batch. After `fit`, its signals count as the first batch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The batch. Batches may differ in size: each signal counts, not each batch. The first
            one also gives what learning starts from where that depends on signals:
            ``shortcut="pca"`` or None.
        y : None
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the squared errors; not negative. ``None`` means equal weights.

        Returns
        -------
        ResidualDictionaryLearning
            The estimator itself.

        Raises
        ------
        ValueError
            As `fit`.
        """
        first = not hasattr(self, "components_")
        X = validate_signals(self, X, reset=first)
        X, weight = self._with_weight(X, sample_weight)
        rho, update, pursuit, n_components = self._parts(X.shape[1])
        cap = choose_cap(self.max_coherence, self.shortcut, (n_components, X.shape[1]))
        if first:
            training_set = TrainingSet(X, weight, n_jobs=self.n_jobs)
            random_state = check_random_state(self.random_state)
            space, start = first_dictionary(
                self.shortcut, n_components, rho, training_set, random_state, cap
            )
            sums, gap = FadingSums(*start.components.shape), 0.0
        else:
            self._refuse_changes(**self._asked(rho, n_components))
            X = X.astype(self.components_.dtype, copy=False)
            start = Dictionary(self.components_, self.residual_, self.atom_norms_)
            if cap is not None:
                cap.settle_for(start.components)
            space = space_of(self.shortcut_, rho, X.dtype, cap)
            # A copy, of which every step replaces all: an interrupt leaves all as it was.
            sums, gap = copy.copy(self._sums), self.update_gap_
        stream = ResidualStream(
            sums, iter([(X, weight)]), space, update, pursuit, ridge=self.ridge, n_jobs=self.n_jobs
        )
        with single_threaded_blas():
            new = stream.update(start, stream.code(start))
        self._keep(space, new, rho, sums, max(gap, stream.largest_gap))
        self._begun_with = self._asked(rho, n_components)
        self._conclude(pursuit, space.cap)
        return self

    def _parts(self, n_features):
        """What parameters ask for: the bound, the update, the pursuit, the number of atoms."""
        rho = choose_bound(self.residual_bound, self.shortcut)
        update = choose_update(self, rho)
        if self.fit_algorithm in GREEDY and self.fit_alpha is not None:
            raise ValueError(
                f"fit_algorithm={self.fit_algorithm!r} takes fit_n_nonzero_coefs and fit_tol, not "
                f"fit_alpha; got fit_alpha={self.fit_alpha!r}"
            )
        n_components = count_atoms(self.n_components, self.shortcut, n_features)
        pursuit = make_pursuit(self, n_components, "fit_alpha", positive=self.positive_code)
        return rho, update, pursuit, n_components

    def _asked(self, rho, n_components):
        """The parameters that batches cannot change."""
        return {
            "n_components": n_components,
            "shortcut": self.shortcut,
            "residual_bound": rho,
        }

    def _replaces(self, update, pursuit):
        """Whether hardly used atoms and twins are replaced."""
        if self.replace_atoms == "auto":
            return update.replaces and pursuit.penalty is None
        return self.replace_atoms

    def _reason_to_stop(self, course, sides):
        if stagnant(course.objective, self.tol):
            return "tol"
        return "tol" if settles(sides.change, self.change_tol, course.best) else ""

    def _keep(self, space, dictionary, rho, sums, gap):
        self.shortcut_, self.residual_bound_ = space.shortcut, rho
        self.components_ = dictionary.components
        self.residual_, self.atom_norms_ = dictionary.residual, dictionary.lengths
        self.update_gap_, self.n_steps_ = gap, sums.n_steps
        self._sums = sums
        with single_threaded_blas():
            self.certificate_ = residual_certificate(
                self.shortcut_, self.residual_, residual_bound=rho
            )
