"""Dictionary learning as functions, with scikit-learn's signatures."""

from numbers import Integral

from sklearn.utils._param_validation import Interval, validate_params

from ._dictionary_learning import DictionaryLearning
from ._mini_batch import MiniBatchDictionaryLearning
from ._pursuit import SHORT_NAMES


@validate_params(
    {
        "X": ["array-like"],
        "return_n_iter": ["boolean"],
        "method": DictionaryLearning._parameter_constraints["fit_algorithm"],
        "method_max_iter": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def dict_learning(
    X,
    n_components,
    *,
    alpha,
    max_iter=100,
    tol=1e-8,
    method="lars",
    n_jobs=None,
    dict_init=None,
    code_init=None,
    callback=None,
    verbose=False,
    random_state=None,
    return_n_iter=False,
    positive_dict=False,
    positive_code=False,
    method_max_iter=1000,
):
    """Learn a dictionary, and codes of the signals in it.

    Minimises ``1/2 ||X - A C||_F^2 + alpha ||A||_1`` over codes A and a dictionary C with
    atoms of length at most one; see :class:`DictionaryLearning`, of which this is a short form.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Signals.
    n_components : int or None
        Number of atoms; ``None`` means n_features.
    alpha : float
        Penalty.
    max_iter : int, default=100
        Most updates.
    tol : float, default=1e-8
        Stop where an iteration gains less than `tol` times the objective.
    method : {"lars", "cd"} or an algorithm of `sparse_encode`, default="lars"
        How signals are coded.
    n_jobs : int, default=None
        Number of threads.
    dict_init : array-like of shape (n_components, n_features) or {"svd", "data", "dct"}, \
            default=None
        Atoms to begin with, see :class:`DictionaryLearning`; ``None`` means ``"svd"``, singular
        directions of X.
    code_init : array-like of shape (n_samples, n_components), default=None
        Codes to begin with, where the method iterates.
    callback : callable, default=None
        Called after the first update, the sixth, and so on, see :class:`DictionaryLearning`.
    verbose : bool, default=False
        Whether to show a progress bar.
    random_state : int, RandomState instance or None, default=None
        For ``dict_init="data"``.
    return_n_iter : bool, default=False
        Whether to return the number of updates, too.
    positive_dict : bool, default=False
        Whether atoms must not have negative entries.
    positive_code : bool, default=False
        Whether codes must not be negative.
    method_max_iter : int, default=1000
        Most iterations of an iterative method for one signal.

    Returns
    -------
    code : ndarray of shape (n_samples, n_components)
        Codes of X in `dictionary`.
    dictionary : ndarray of shape (n_components, n_features)
        The atoms.
    errors : list of float
        The objective after each update, at the codes before it.
    n_iter : int
        Number of updates. Only if `return_n_iter` is True.

    Raises
    ------
    ValueError
        If a parameter or shape is not valid, or X holds NaN or infinity.

    See Also
    --------
    dict_learning_online : From batches of signals.
    DictionaryLearning : The same as an estimator.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
    and sparse coding", JMLR 11 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import dict_learning
    >>> X = np.random.default_rng(0).standard_normal((100, 8))
    >>> code, dictionary, errors = dict_learning(X, 12, alpha=0.5, max_iter=10)
    >>> code.shape, dictionary.shape, len(errors)
    ((100, 12), (12, 8), 10)
    """
    learner = DictionaryLearning(
        n_components,
        alpha=alpha,
        max_iter=max_iter,
        tol=tol,
        fit_algorithm=method,
        n_jobs=n_jobs,
        dict_init=dict_init,
        code_init=code_init,
        callback=callback,
        verbose=verbose,
        random_state=random_state,
        positive_code=positive_code,
        positive_dict=positive_dict,
        transform_max_iter=method_max_iter,
    )
    code = learner._fit_codes(X).toarray()
    if return_n_iter:
        return code, learner.components_, learner.error_, learner.n_iter_
    return code, learner.components_, learner.error_


@validate_params(
    {
        "X": ["array-like"],
        "return_code": ["boolean"],
        "method": DictionaryLearning._parameter_constraints["fit_algorithm"],
        "method_max_iter": [Interval(Integral, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=False,
)
def dict_learning_online(
    X,
    n_components=2,
    *,
    alpha=1,
    max_iter=100,
    return_code=True,
    dict_init=None,
    callback=None,
    batch_size=256,
    verbose=False,
    shuffle=True,
    n_jobs=None,
    method="lars",
    random_state=None,
    positive_dict=False,
    positive_code=False,
    method_max_iter=1000,
    tol=1e-3,
    max_no_improvement=10,
):
    """Learn a dictionary from batches of signals, and codes of the signals in it.

    Minimises ``1/2 ||X - A C||_F^2 + alpha ||A||_1`` over codes A and a dictionary C with
    atoms of length at most one; see :class:`MiniBatchDictionaryLearning`, of which this is
    a short form.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Signals.
    n_components : int or None, default=2
        Number of atoms; ``None`` means n_features.
    alpha : float, default=1
        Penalty.
    max_iter : int, default=100
        Most passes over the signals.
    return_code : bool, default=True
        Whether to return codes, too.
    dict_init : array-like of shape (n_components, n_features) or {"svd", "data", "dct"}, \
            default=None
        Atoms to begin with, see :class:`DictionaryLearning`; ``None`` means ``"svd"``, singular
        directions of X.
    callback : callable, default=None
        Called after every update, see :class:`MiniBatchDictionaryLearning`.
    batch_size : int, default=256
        Signals in a batch.
    verbose : bool, default=False
        Whether to show a progress bar.
    shuffle : bool, default=True
        Whether to take signals in random order.
    n_jobs : int, default=None
        Number of threads.
    method : {"lars", "cd"} or an algorithm of `sparse_encode`, default="lars"
        How signals are coded.
    random_state : int, RandomState instance or None, default=None
        For the order of the signals and the atoms to begin with.
    positive_dict : bool, default=False
        Whether atoms must not have negative entries.
    positive_code : bool, default=False
        Whether codes must not be negative.
    method_max_iter : int, default=1000
        Most iterations of an iterative method for one signal.
    tol : float, default=1e-3
        Stop where an update changes the dictionary by less, see
        :class:`MiniBatchDictionaryLearning`.
    max_no_improvement : int, default=10
        Stop after so many batches without improvement; ``None``: never for this reason.

    Returns
    -------
    code : ndarray of shape (n_samples, n_components)
        Codes of X in `dictionary`. Only if `return_code` is True.
    dictionary : ndarray of shape (n_components, n_features)
        The atoms.

    Raises
    ------
    ValueError
        If a parameter or shape is not valid, or X holds NaN or infinity.

    See Also
    --------
    dict_learning : From all signals at once.
    MiniBatchDictionaryLearning : The same as an estimator.

    References
    ----------
    J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix factorization
    and sparse coding", JMLR 11 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc import dict_learning_online
    >>> X = np.random.default_rng(0).standard_normal((100, 8))
    >>> code, dictionary = dict_learning_online(X, 12, alpha=0.5, random_state=0)
    >>> code.shape, dictionary.shape
    ((100, 12), (12, 8))
    """
    learner = MiniBatchDictionaryLearning(
        n_components,
        alpha=alpha,
        max_iter=max_iter,
        n_jobs=n_jobs,
        fit_algorithm=method,
        batch_size=batch_size,
        shuffle=shuffle,
        dict_init=dict_init,
        random_state=random_state,
        transform_algorithm=SHORT_NAMES.get(method, method),
        positive_code=positive_code,
        positive_dict=positive_dict,
        transform_max_iter=method_max_iter,
        verbose=verbose,
        callback=callback,
        tol=tol,
        max_no_improvement=max_no_improvement,
    )
    learner.set_output(transform="default").fit(X)
    if not return_code:
        return learner.components_
    return learner.transform(X), learner.components_
