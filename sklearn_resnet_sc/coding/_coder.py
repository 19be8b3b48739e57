"""`SparseCoder`, and what every estimator with a dictionary shares."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import check_array, gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ._algorithms import ALGORITHMS
from ._checks import check_dictionary
from ._encode import sparse_encode

_SCORE_ROWS = 8192


class SparseCodingMixin(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Coding, reconstruction and score of an estimator that has a dictionary.

    The estimator provides the parameters named in `_parameter_constraints`
    below and the dictionary in ``components_``.
    """

    _parameter_constraints: ClassVar[dict] = {
        "transform_algorithm": [StrOptions(set(ALGORITHMS))],
        "transform_n_nonzero_coefs": [Interval(Integral, 1, None, closed="left"), None],
        "transform_alpha": [Interval(Real, 0, None, closed="left"), "array-like", None],
        "transform_tol": [Interval(Real, 0, None, closed="left"), None],
        "transform_gap_tol": [Interval(Real, 0, None, closed="neither")],
        "transform_max_iter": [Interval(Integral, 0, None, closed="left")],
        "split_sign": ["boolean"],
        "n_jobs": [Integral, None],
        "positive_code": ["boolean"],
        "sparse_output": ["boolean"],
    }

    # Parameters of SparseCoder that other estimators need not offer.
    missing = "error"
    transform_polish = False

    @property
    def _dictionary(self):
        check_is_fitted(self)
        return self.components_

    @property
    def _n_features_out(self):
        """Number of transformed output features."""
        return self._dictionary.shape[0] * (2 if self.split_sign else 1)

    @property
    def _coding_alpha(self):
        return self.transform_alpha

    def _encode(self, X):
        """Codes of validated signals, signs not yet split."""
        return sparse_encode(
            X,
            self._dictionary,
            algorithm=self.transform_algorithm,
            n_nonzero_coefs=self.transform_n_nonzero_coefs,
            alpha=self._coding_alpha,
            tol=self.transform_tol,
            gap_tol=self.transform_gap_tol,
            max_iter=self.transform_max_iter,
            n_jobs=self.n_jobs,
            positive=self.positive_code,
            sparse_output=self.sparse_output,
            missing=self.missing,
            polish=self.transform_polish,
            check_input=False,
        )

    def _check_signals(self, X, *, reset, **options):
        """Signals as an array; integers stay as they are until a block of them is coded."""
        if "ensure_all_finite" not in options:
            options["ensure_all_finite"] = "allow-nan" if self.missing == "mask" else True
        accept_sparse = "csr" if self.__sklearn_tags__().input_tags.sparse else False
        return validate_data(
            self, X, reset=reset, dtype="numeric", accept_sparse=accept_sparse, **options
        )

    def transform(self, X):
        """Encode signals as sparse combinations of the atoms.

        Parameters
        ----------
        X : {array-like, CSR} of shape (n_samples, n_features)
            Signals.

        Returns
        -------
        ndarray or CSR of shape (n_samples, n_components)
            Codes; with `split_sign` twice as many columns, first the positive
            parts, then the negative parts.
        """
        dictionary = self._dictionary
        code = self._encode(self._check_signals(X, reset=False, ensure_all_finite=False))
        return _split(code, dictionary.shape[0]) if self.split_sign else code

    def inverse_transform(self, X):
        """Signals from codes: ``code @ components``.

        Parameters
        ----------
        X : {array-like, CSR} of shape (n_samples, n_components)
            Codes, as `transform` returns them.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Signals.
        """
        dictionary = self._dictionary
        code = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        expected = self._n_features_out
        if code.shape[1] != expected:
            raise ValueError(
                "The number of components in the code is different from the number of "
                f"components in the dictionary. Expected {expected}, got {code.shape[1]}."
            )
        if self.split_sign:
            code = code[:, : expected // 2] - code[:, expected // 2 :]
        return np.asarray(code @ dictionary.astype(code.dtype, copy=False))

    def score(self, X, y=None):
        """Share of the signals' energy that their codes explain.

        ``1 - ||X - code @ components||_F^2 / ||X||_F^2``: 1 is perfect, 0 what
        zero codes reach. More atoms per signal raise it: compare dictionaries
        at equal sparsity only.

        Parameters
        ----------
        X : {array-like, CSR} of shape (n_samples, n_features)
            Signals.
        y : None
            Not used, present for API consistency.

        Returns
        -------
        float
            The score; higher is better.
        """
        dictionary = self._dictionary
        X = self._check_signals(X, reset=False)
        code = self._encode(X)
        values = X.data if sparse.issparse(X) else X
        largest = max(float(np.nanmax(values, initial=0)), -float(np.nanmin(values, initial=0)))
        if largest == 0:
            return 1.0
        energy = lost = 0.0
        for rows in gen_batches(X.shape[0], _SCORE_ROWS):
            signals = X[rows].toarray() if sparse.issparse(X) else X[rows]
            signals = signals / code.dtype.type(largest)
            residual = signals - (code[rows] / largest) @ dictionary
            energy += np.nansum(signals**2, dtype=np.float64)
            lost += np.nansum(residual**2, dtype=np.float64)
        return float(1 - lost / energy)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = self.missing == "mask"
        return tags


def _split(code, n_components):
    """Positive parts, then negative parts."""
    if not sparse.issparse(code):
        return np.hstack([np.maximum(code, 0), -np.minimum(code, 0)])
    indices = np.where(code.data < 0, code.indices + n_components, code.indices)
    split = type(code)(
        (np.abs(code.data), indices, code.indptr), shape=(code.shape[0], 2 * n_components)
    )
    split.sort_indices()
    return split


class SparseCoder(SparseCodingMixin, BaseEstimator):
    """Sparse codes of signals in a fixed dictionary, as a transformer.

    Parameters, attributes and meaning are those of
    :class:`sklearn.decomposition.SparseCoder`, and some more.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        Atoms, one a row.

    transform_algorithm : str, default="omp"
        The pursuit, by the name it has in :func:`sparse_encode`.

    transform_n_nonzero_coefs : int, default=None
        Atoms per signal, for greedy pursuits. ``None`` means
        ``n_features / 10``, or no limit where a tolerance is given.

    transform_alpha : float or array-like of shape (n_components,), default=None
        Penalty of the l1 pursuits or threshold; for ``"omp"`` the squared
        residual to reach. ``None`` means 1 for the former, none for the latter.

    split_sign : bool, default=False
        Whether to return positive and negative parts as separate features.

    n_jobs : int, default=None
        Number of threads.

    positive_code : bool, default=False
        Whether codes must not be negative.

    transform_max_iter : int, default=1000
        Most iterations of iterative pursuits.

    transform_tol : float, default=None
        Squared residual ``||x - a C||_2^2`` to reach, for greedy pursuits.

    transform_gap_tol : float, default=1e-8
        Relative duality gap at which iterative l1 pursuits stop.

    sparse_output : bool, default=False
        Whether `transform` returns CSR.

    missing : {"error", "mask"}, default="error"
        What NaN means: an error, or a feature that was not observed.

    transform_polish : bool, default=False
        Whether ``"iht"`` and ``"cosamp"`` solve least squares on every support
        that they visit.

    Attributes
    ----------
    n_components_ : int
        Number of atoms.

    n_features_in_ : int
        Number of features.

    feature_names_in_ : ndarray of shape (``n_features_in_``,)
        Names of features seen during `fit`, where they are all strings.

    See Also
    --------
    sparse_encode : The same as a function, with diagnostics.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import SparseCoder
    >>> coder = SparseCoder(np.eye(3), transform_n_nonzero_coefs=2)
    >>> coder.transform([[1.0, -3.0, 2.0]])
    array([[ 0., -3.,  2.]])
    """

    _parameter_constraints: ClassVar[dict] = {
        **SparseCodingMixin._parameter_constraints,
        "dictionary": ["array-like"],
        "missing": [StrOptions({"error", "mask"})],
        "transform_polish": ["boolean"],
    }

    def __init__(
        self,
        dictionary,
        *,
        transform_algorithm="omp",
        transform_n_nonzero_coefs=None,
        transform_alpha=None,
        split_sign=False,
        n_jobs=None,
        positive_code=False,
        transform_max_iter=1000,
        transform_tol=None,
        transform_gap_tol=1e-8,
        sparse_output=False,
        missing="error",
        transform_polish=False,
    ):
        self.dictionary = dictionary
        self.transform_algorithm = transform_algorithm
        self.transform_n_nonzero_coefs = transform_n_nonzero_coefs
        self.transform_alpha = transform_alpha
        self.split_sign = split_sign
        self.n_jobs = n_jobs
        self.positive_code = positive_code
        self.transform_max_iter = transform_max_iter
        self.transform_tol = transform_tol
        self.transform_gap_tol = transform_gap_tol
        self.sparse_output = sparse_output
        self.missing = missing
        self.transform_polish = transform_polish

    @property
    def _dictionary(self):
        return check_dictionary(self.dictionary)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check parameters and signals; there is nothing to learn.

        Parameters
        ----------
        X : {array-like, CSR} of shape (n_samples, n_features)
            Signals.
        y : None
            Not used, present for API consistency.

        Returns
        -------
        SparseCoder
            The estimator itself.
        """
        X = self._check_signals(X, reset=True)
        dictionary = self._dictionary
        if X.shape[1] != dictionary.shape[1]:
            raise ValueError(
                "Dictionary and X have different numbers of features: "
                f"dictionary.shape: {dictionary.shape} X.shape: {X.shape}"
            )
        self.n_components_ = dictionary.shape[0]
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.sparse = True
        return tags
