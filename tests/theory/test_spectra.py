"""Spectral numbers in closed form, in batches, at any scale."""

import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory

FUNCTIONS = [
    theory.singular_spectrum,
    theory.numerical_rank,
    theory.effective_rank,
    theory.participation_ratio,
    theory.condition_number,
]


def test_closed_forms():
    matrix = np.array([[0, 2.0, 0], [1, 0, 0]])
    np.testing.assert_allclose(theory.singular_spectrum(matrix), [2, 1], rtol=1e-15)
    assert theory.numerical_rank(matrix) == 2
    assert theory.condition_number(matrix) == pytest.approx(2)
    assert theory.participation_ratio(matrix) == pytest.approx(25 / 17)
    # Roy and Vetterli: exp of the entropy of (2/3, 1/3).
    entropy = math.log(3) - 2 / 3 * math.log(2)
    assert theory.effective_rank(matrix) == pytest.approx(math.exp(entropy))


@pytest.mark.parametrize("n", [1, 5])
def test_equal_singular_values(n):
    matrix = 3 * np.eye(n + 2, n)[::-1]
    for function in (theory.numerical_rank, theory.effective_rank, theory.participation_ratio):
        assert function(matrix) == pytest.approx(n)
    assert theory.condition_number(matrix) == 1


def test_zero_matrix():
    assert theory.numerical_rank(np.zeros((3, 2))) == 0
    assert theory.effective_rank(np.zeros((3, 2))) == 0
    assert theory.participation_ratio(np.zeros((3, 2))) == 0
    assert theory.condition_number(np.zeros((3, 2))) == math.inf


def test_rank_deficient():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((9, 3)) @ rng.standard_normal((3, 6))
    assert theory.numerical_rank(matrix) == 3
    assert theory.condition_number(matrix) == math.inf
    # float32 data are only as good as their rounding.
    assert theory.numerical_rank(matrix.astype(np.float32)) == 3
    assert theory.numerical_rank(matrix.astype(np.float32).astype(np.float64)) == 6


def test_rtol():
    matrix = np.diag([1, 1e-3])
    assert theory.numerical_rank(matrix) == 2
    assert theory.numerical_rank(matrix, rtol=1e-2) == 1
    assert theory.condition_number(matrix) == pytest.approx(1000)
    assert theory.condition_number(matrix, rtol=1e-2) == math.inf


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches(function, dtype):
    batch = np.random.default_rng(0).standard_normal((2, 3, 5, 4)).astype(dtype)
    batch[1, 2, 1] = batch[1, 2, 0] = 0
    batch[0, 0, :] = 0
    batch[0, 1] *= 2.0**60
    one_by_one = np.array([[function(matrix) for matrix in row] for row in batch])
    # One decomposition each in both cases; sums may differ in the last bit.
    np.testing.assert_allclose(function(batch), one_by_one, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e200, 1e300])
def test_scale(function, scale):
    matrix = np.random.default_rng(0).standard_normal((4, 3))
    factor = scale if function is theory.singular_spectrum else 1
    np.testing.assert_allclose(function(matrix * scale), function(matrix) * factor, rtol=1e-14)


@pytest.mark.parametrize("function", FUNCTIONS[1:])
def test_one_matrix_gives_a_python_number(function):
    assert type(function(np.eye(2))) in (int, float)


def test_precision_is_kept():
    assert theory.singular_spectrum(np.eye(2, dtype=np.float32)).dtype == np.float32
    assert theory.singular_spectrum(np.eye(2, dtype=np.int32)).dtype == np.float64
