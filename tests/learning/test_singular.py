"""Atoms to begin with: against scikit-learn's decomposition and dense arithmetic."""

import numpy as np
import pytest
from scipy import linalg
from sklearn.utils.extmath import randomized_svd, svd_flip

from sklearn_resnet_sc import MiniBatchDictionaryLearning
from sklearn_resnet_sc.learning._singular import (
    fit_count,
    randomized_singular_atoms,
    singular_atoms,
)
from sklearn_resnet_sc.learning._statistics import TrainingSet


def signals(n_samples, n_features, dtype=np.float64):
    rng = np.random.default_rng(0)
    decay = np.logspace(0, -3, n_features)
    return (rng.standard_normal((n_samples, n_features)) * decay).astype(dtype)


def start_of_scikit_learn(X):
    left, values, right = linalg.svd(X.astype(np.float64), full_matrices=False)
    return values[:, None] * svd_flip(left, right)[1]


@pytest.mark.parametrize("shape", [(5000, 12), (300, 12), (7, 12)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_in_scikit_learn_block_by_block(shape, dtype):
    X = signals(*shape, dtype)
    expected = start_of_scikit_learn(X)
    found = singular_atoms(TrainingSet(X), 12)
    rank = min(shape)
    np.testing.assert_allclose(found[:rank], expected, atol=1e-10 * np.abs(expected).max())
    assert not found[rank:].any()
    np.testing.assert_array_equal(singular_atoms(TrainingSet(X), 4), found[:4])


@pytest.mark.parametrize("repeats", [1, 7])
def test_no_directions_of_rounding_errors_beyond_the_rank(repeats):
    # Repeated signals have more rows than rank; the rest is zero, not 1e-15 in any direction.
    X = np.repeat(np.random.default_rng(0).standard_normal((5, 60)), repeats, axis=0)
    data = TrainingSet(X)
    assert np.count_nonzero(singular_atoms(data, 60).any(axis=1)) == 5
    random_state = np.random.RandomState(0)
    found = randomized_singular_atoms(data, 8 if repeats > 1 else 60, random_state)
    assert np.count_nonzero(found.any(axis=1)) == 5


def test_weights_are_repetitions():
    X = signals(400, 9)
    weight = np.random.default_rng(1).integers(0, 3, 400).astype(float)
    repeated = np.repeat(X, weight.astype(int), axis=0)
    np.testing.assert_allclose(
        singular_atoms(TrainingSet(X, weight), 9),
        singular_atoms(TrainingSet(repeated), 9),
        atol=1e-10,
    )


def test_randomised_like_that_of_scikit_learn():
    X = signals(400, 60)
    found = randomized_singular_atoms(TrainingSet(X), 10, np.random.RandomState(0))
    _, values, right = randomized_svd(X, 10, random_state=np.random.RandomState(0))
    np.testing.assert_allclose(found, values[:, None] * right, atol=1e-9)


def test_exact_where_randomised_is_more_work():
    X = signals(400, 15)
    np.testing.assert_array_equal(
        randomized_singular_atoms(TrainingSet(X), 10, None), singular_atoms(TrainingSet(X), 10)
    )


def test_many_signals_begin_like_a_part_of_them():
    X = signals(50_000, 6)
    start = MiniBatchDictionaryLearning(6, max_iter=0, random_state=0).fit(X).components_
    expected = start_of_scikit_learn(X)
    np.testing.assert_allclose(
        np.linalg.norm(start, axis=1), np.linalg.norm(expected, axis=1), rtol=0.05
    )
    cosines = np.sum(start * expected, axis=1) / np.prod(
        [np.linalg.norm(atoms, axis=1) for atoms in (start, expected)], axis=0
    )
    assert (np.abs(cosines) > 0.99).all()


def test_counts():
    atoms = np.ones((3, 2))
    assert fit_count(atoms, 2).shape == (2, 2)
    np.testing.assert_array_equal(fit_count(atoms, 5), np.r_[atoms, np.zeros((2, 2))])
