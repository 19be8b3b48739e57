"""Least angle regression: its defining law, scikit-learn, and the positive lasso."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import sparse_encode as reference_encode
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc.coding import Status, sparse_encode

ROUNDING = {np.float32: 2e-5, np.float64: 1e-11}


def law_broken(X, dictionary, code):
    """How far correlations of the atoms in use stay behind the largest, as a share."""
    X, dictionary = np.asarray(X, np.float64), np.asarray(dictionary, np.float64)
    correlations = np.abs((X - np.asarray(code, np.float64) @ dictionary) @ dictionary.T)
    level = correlations.max(axis=1, keepdims=True)
    behind = np.where(code != 0, level - correlations, 0).max(axis=1)
    return behind / np.abs(X @ dictionary.T).max(axis=1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 4, 12, 40])
def test_atoms_in_use_share_the_largest_correlation(natural_patches, dtype, count):
    atoms = natural_patches[500:756]
    dictionary = (atoms / np.linalg.norm(atoms, axis=1, keepdims=True)).astype(dtype)
    X = natural_patches[:200].astype(dtype)
    code = sparse_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=count)
    assert code.dtype == dtype
    assert ((code != 0).sum(axis=1) == count).all()
    assert law_broken(X, dictionary, code).max() <= ROUNDING[dtype]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_agrees_with_scikit_learn(count):
    rng = np.random.default_rng(0)
    X, dictionary = rng.standard_normal((50, 16)), rng.standard_normal((30, 16))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of paths that it gives up
        expected = reference_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=count)
    code = sparse_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=count)
    # scikit-learn loses its way on some paths: then its codes break the law that defines them.
    right = (law_broken(X, dictionary, expected) < 1e-10) & ((expected != 0).sum(axis=1) == count)
    assert right.mean() > 0.7
    np.testing.assert_allclose(code[right], expected[right], rtol=1e-8, atol=1e-10)


def test_all_atoms_give_least_squares():
    rng = np.random.default_rng(0)
    X, dictionary = rng.standard_normal((10, 12)), rng.standard_normal((5, 12))
    code = sparse_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=5)
    expected = np.linalg.lstsq(dictionary.T, X.T, rcond=None)[0].T
    np.testing.assert_allclose(code, expected, rtol=1e-10)


@pytest.mark.parametrize("positive", [False, True])
def test_ends_where_the_residual_reaches_tol(positive):
    rng = np.random.default_rng(0)
    dictionary = rng.standard_normal((40, 16))
    X = np.abs(rng.standard_normal((20, 40))) @ dictionary
    tol = 0.2 * (X**2).sum(axis=1).min()
    code, diagnostics = sparse_encode(
        X, dictionary, algorithm="lars", tol=tol, positive=positive, return_diagnostics=True
    )
    assert (diagnostics.status == Status.DONE).all()
    np.testing.assert_allclose(diagnostics.residual_norm2, tol, rtol=1e-10)
    if positive:  # the path of the positive lasso: the smallest sum within the residual
        expected = sparse_encode(X, dictionary, tol=tol, positive=True)
        np.testing.assert_allclose(code, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_positive_codes_solve_the_positive_lasso_at_their_level(count):
    rng = np.random.default_rng(1)
    X, dictionary = rng.standard_normal((50, 16)), rng.standard_normal((30, 16))
    code = sparse_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=count, positive=True)
    assert (code >= 0).all()
    assert ((code > 0).sum(axis=1) <= count).all()
    level = ((X - code @ dictionary) @ dictionary.T).max(axis=1)
    for x, a, alpha in zip(X, code, level, strict=True):
        expected = sparse_encode([x], dictionary, alpha=max(alpha, 0), positive=True)[0]
        np.testing.assert_allclose(a, expected, atol=1e-9)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_ties_duplicates_and_zeros_leave_codes_finite_and_lawful(seed, count, positive):
    rng = np.random.default_rng(seed)
    dictionary = rng.integers(-2, 3, (8, 4)).astype(float)
    X = rng.integers(-4, 5, (3, 4)).astype(float)
    X = X[(X @ dictionary.T).any(axis=1)]
    if not len(X):
        return
    code = sparse_encode(X, dictionary, algorithm="lars", n_nonzero_coefs=count, positive=positive)
    assert np.isfinite(code).all()
    assert not positive or (code >= 0).all()
    assert ((code != 0).sum(axis=1) <= count).all()
    if not positive:
        assert law_broken(X, dictionary, code).max() <= 1e-10


def test_says_which_signals_miss_the_tolerance():
    X, dictionary = [[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0]]
    with pytest.warns(ConvergenceWarning, match="1 of 2 signals cannot be represented"):
        code = sparse_encode(X, dictionary, algorithm="lars", tol=0.25)
    np.testing.assert_allclose(code, [[0.5], [1.0]])
