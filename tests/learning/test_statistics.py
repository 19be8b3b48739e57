"""Sums over signals, against dense NumPy."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc.learning._statistics import TrainingSet


def signals_and_codes(n_samples=700, n_features=5, n_components=7, dtype=np.float64):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n_samples, n_features)).astype(dtype)
    code = rng.standard_normal((n_samples, n_components)).astype(dtype)
    code[rng.random(code.shape) < 0.6] = 0
    return X, code, rng.standard_normal((n_components, n_features)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("weighted", [True, False])
def test_sums_are_those_of_dense_arithmetic(dtype, order, weighted):
    X, code, components = signals_and_codes(dtype=dtype)
    weight = np.random.default_rng(1).random(len(X)) if weighted else np.ones(len(X))
    data = TrainingSet(np.asarray(X, order=order), weight if weighted else None)
    found = data.statistics(sparse.csr_array(code), components)
    X, code = (np.float64(data.scale) * array.astype(np.float64) for array in (X, code))
    error = X - code @ components.astype(np.float64)
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    close = {"rtol": rtol, "atol": rtol * len(X)}
    np.testing.assert_allclose(found.gram, (code.T * weight) @ code, **close)
    np.testing.assert_allclose(found.cross, (code.T * weight) @ X, **close)
    np.testing.assert_allclose(found.usage, weight @ (code != 0), rtol=1e-12)
    np.testing.assert_allclose(found.residual_norm2, np.sum(error**2, axis=1), rtol=100 * rtol)
    assert found.error == pytest.approx(weight @ np.sum(error**2, axis=1) / weight.sum(), rel=rtol)
    assert found.energy == pytest.approx(weight @ np.sum(X**2, axis=1), rel=rtol)
    assert found.gram.dtype == found.cross.dtype == np.float64


def test_the_same_bits_for_any_number_of_threads():
    X, code, components = signals_and_codes(n_samples=20000)
    one, two = (
        TrainingSet(X, n_jobs=n_jobs).statistics(sparse.csr_array(code), components)
        for n_jobs in (1, 3)
    )
    for name in ("gram", "cross", "usage", "residual_norm2"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_the_order_of_signals_does_not_matter():
    X, code, components = signals_and_codes(n_samples=9000)
    order = np.random.default_rng(2).permutation(len(X))
    one = TrainingSet(X).statistics(sparse.csr_array(code), components)
    two = TrainingSet(X[order]).statistics(sparse.csr_array(code[order]), components)
    np.testing.assert_allclose(one.gram, two.gram, atol=1e-9)
    np.testing.assert_allclose(one.cross, two.cross, atol=1e-9)


@pytest.mark.parametrize("factor", [1e-200, 1e200, 2.0**-600])
def test_scale_does_not_matter(factor):
    X, code, components = signals_and_codes()
    one = TrainingSet(X).statistics(sparse.csr_array(code), components)
    data = TrainingSet(X * factor)
    two = data.statistics(sparse.csr_array(code * factor), components)
    ratio = float(data.scale) * factor / float(TrainingSet(X).scale)  # of the two units
    np.testing.assert_allclose(two.gram, ratio**2 * one.gram, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(two.cross, ratio**2 * one.cross, rtol=1e-10, atol=1e-10)


def test_covariance_is_numpys():
    X = signals_and_codes()[0]
    weight = np.random.default_rng(1).random(len(X))
    np.testing.assert_allclose(
        TrainingSet(X, weight).covariance() / TrainingSet(X).scale ** 2,
        np.cov(X.T, aweights=weight, ddof=0),
        atol=1e-13,
    )


def test_signals_of_nothing_but_zeros():
    data = TrainingSet(np.zeros((4, 3)))
    found = data.statistics(sparse.csr_array((4, 2)), np.eye(2, 3))
    assert found.error == found.energy == 0
    assert not found.gram.any()
