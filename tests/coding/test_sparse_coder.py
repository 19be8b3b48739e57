"""SparseCoder as a scikit-learn transformer."""

import pickle
from functools import partial

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import SparseCoder as ReferenceCoder
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import estimator_checks_generator

from sklearn_resnet_sc import SparseCoder

# Each of scikit-learn's common checks brings data of its own width; a coder
# with a fixed dictionary is given one of the widths that they use.
WIDTHS = (2, 3, 10, 4, 5, 20, 1)


def coder_of_width(n_features):
    rng = np.random.RandomState(0)
    dictionary = rng.standard_normal((n_features + 2, n_features))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return SparseCoder(dictionary, transform_n_nonzero_coefs=1)


def name_of(check):
    function = check.func if isinstance(check, partial) else check
    return function.__name__ + str(getattr(check, "keywords", None) or "")


COMMON_CHECKS = [check for _, check in estimator_checks_generator(coder_of_width(3))]


@pytest.mark.parametrize("check", COMMON_CHECKS, ids=name_of)
def test_common_check_passes_under_some_width(check):
    failures = []
    for n_features in WIDTHS:
        try:
            check(coder_of_width(n_features))
            return
        except Exception as failure:
            failures.append(failure)
    raise failures[0]


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X - X.mean(axis=0), y


@pytest.fixture(scope="module")
def dictionary(digits):
    atoms = digits[0][:40]
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


@pytest.mark.parametrize("split_sign", [False, True])
@pytest.mark.parametrize("algorithm", ["omp", "threshold"])
def test_equals_scikit_learn(digits, dictionary, algorithm, split_sign):
    options = {
        "transform_algorithm": algorithm,
        "split_sign": split_sign,
        "transform_n_nonzero_coefs": 4,
    }
    if algorithm == "threshold":
        options["transform_alpha"] = 5.0
    expected = ReferenceCoder(dictionary, **options).transform(digits[0][40:140])
    code = SparseCoder(dictionary, **options).transform(digits[0][40:140])
    np.testing.assert_allclose(code, expected, atol=1e-10)


@pytest.mark.parametrize("split_sign", [False, True])
def test_sparse_output_is_the_same_code(digits, dictionary, split_sign):
    dense = SparseCoder(dictionary, split_sign=split_sign).transform(digits[0])
    coder = SparseCoder(dictionary, split_sign=split_sign, sparse_output=True)
    code = coder.transform(digits[0])
    assert sparse.issparse(code) and code.has_canonical_format
    np.testing.assert_array_equal(code.toarray(), dense)
    np.testing.assert_allclose(coder.inverse_transform(code), coder.inverse_transform(dense))


def test_split_sign_names_every_column(digits, dictionary):
    coder = SparseCoder(dictionary, split_sign=True).set_output(transform="pandas")
    frame = coder.fit_transform(digits[0][:5])
    assert frame.shape == (5, 80)
    assert list(frame.columns) == list(coder.get_feature_names_out())


def test_inverse_transform_undoes_the_split(digits, dictionary):
    whole = SparseCoder(dictionary)
    split = SparseCoder(dictionary, split_sign=True)
    X = digits[0][:20]
    np.testing.assert_allclose(
        split.inverse_transform(split.transform(X)), whole.inverse_transform(whole.transform(X))
    )
    with pytest.raises(ValueError, match="Expected 80, got 40"):
        split.inverse_transform(whole.transform(X))


def test_score_is_the_explained_energy(digits, dictionary):
    X = digits[0][:50]
    coder = SparseCoder(dictionary, transform_n_nonzero_coefs=6)
    residual = X - coder.transform(X) @ dictionary
    expected = 1 - np.sum(residual**2) / np.sum(X**2)
    assert coder.score(X) == pytest.approx(expected, rel=1e-12)
    assert coder.score(1e200 * X) == pytest.approx(expected, rel=1e-12)
    assert coder.score(np.zeros((3, 64))) == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(digits, dictionary, dtype):
    for options in ({}, {"sparse_output": True}, {"split_sign": True}):
        coder = SparseCoder(dictionary, **options)
        code = coder.fit(digits[0].astype(dtype)).transform(digits[0].astype(dtype))
        assert code.dtype == dtype
        assert coder.inverse_transform(code).dtype == dtype


def test_needs_no_fit_clones_and_pickles(digits, dictionary):
    X = digits[0][:10]
    coder = SparseCoder(dictionary.tolist(), transform_n_nonzero_coefs=3)
    code = coder.transform(X)
    np.testing.assert_array_equal(clone(coder).transform(X), code)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(coder.fit(X))).transform(X), code)


def test_bad_dictionaries_are_named(digits):
    X = digits[0][:5]
    for bad, message in (
        (np.full((3, 64), np.nan), "dictionary"),
        (np.zeros((0, 64)), "dictionary must have at least one atom"),
        (np.ones(64), "Expected 2D array"),
    ):
        with pytest.raises(ValueError, match=message):
            SparseCoder(bad).fit(X)
    with pytest.raises(ValueError, match="different numbers of features"):
        SparseCoder(np.eye(3)).fit(X)
    with pytest.raises(ValueError, match="transform_n_nonzero_coefs"):
        SparseCoder(np.eye(64), transform_n_nonzero_coefs=0).fit(X)


def test_grid_search_over_sparsity(digits, dictionary):
    X, y = digits
    pipeline = make_pipeline(SparseCoder(dictionary), LogisticRegression(max_iter=2000))
    grid = {
        "sparsecoder__transform_n_nonzero_coefs": [2, 8],
        "sparsecoder__transform_algorithm": ["omp", "ols"],
    }
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X[:400], y[:400])
    assert search.best_score_ > 0.8


def test_missing_and_sparse_signals(digits, dictionary):
    X = digits[0][:50].copy()
    coder = SparseCoder(dictionary, missing="mask")
    np.testing.assert_allclose(coder.transform(X), SparseCoder(dictionary).transform(X))
    X[::3, 10:20] = np.nan
    assert coder.fit(X).transform(X).shape == (50, 40)
    seen = ~np.isnan(X)
    residual = (X - coder.transform(X) @ dictionary)[seen]
    assert coder.score(X) == pytest.approx(1 - residual @ residual / (X[seen] @ X[seen]))
    with pytest.raises(ValueError, match="NaN"):
        SparseCoder(dictionary).fit(X)
    raw = sparse.csr_matrix(load_digits().data[:50])
    coder = SparseCoder(dictionary, sparse_output=True)
    np.testing.assert_array_equal(
        coder.fit(raw).transform(raw).toarray(), SparseCoder(dictionary).transform(raw.toarray())
    )
    assert coder.score(raw) == pytest.approx(SparseCoder(dictionary).score(raw.toarray()))


def test_polish_reaches_the_pursuit(digits, dictionary):
    X = digits[0][40:60]
    options = {"transform_algorithm": "iht", "transform_n_nonzero_coefs": 4}
    code = SparseCoder(dictionary, transform_polish=True, **options).transform(X)
    for x, a in zip(X, code, strict=True):
        support = np.flatnonzero(a)
        least = np.linalg.lstsq(dictionary[support].T, x)[0]
        np.testing.assert_allclose(a[support], least, atol=1e-10)


def test_boolean_signals(dictionary):
    X = load_digits().data[:20] > 8
    coder = SparseCoder(dictionary)
    np.testing.assert_array_equal(coder.transform(X), coder.transform(X.astype(float)))
    assert coder.score(X) == coder.score(X.astype(float))
