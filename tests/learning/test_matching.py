"""Matching of dictionaries: brute force over permutations, and what must not matter."""

from itertools import permutations

import numpy as np
import pytest

from sklearn_resnet_sc import match_atoms


def test_is_the_best_of_all_permutations():
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.standard_normal((2, 5, 3))
        cosines = np.abs(a @ b.T) / np.linalg.norm(a, axis=1)[:, None] / np.linalg.norm(b, axis=1)
        best = min(np.mean(1 - cosines[range(5), order]) for order in permutations(range(5)))
        np.testing.assert_allclose(match_atoms(a, b).distance, best)


@pytest.mark.parametrize("scale", [1, 1e-200, 1e200])
def test_order_signs_and_lengths_do_not_matter(scale):
    rng = np.random.default_rng(0)
    a = rng.standard_normal((30, 10))
    order, signs = rng.permutation(30), rng.choice([-1, 1], 30)
    b = np.empty_like(a)
    b[order] = signs[:, None] * a * rng.uniform(0.1, 9, (30, 1)) * scale
    matching = match_atoms(a, b)
    np.testing.assert_array_equal(matching.indices_b, order)
    np.testing.assert_array_equal(matching.signs, signs)
    assert matching.distance < 1e-14
    assert matching.n_close() == 30


def test_dictionaries_of_different_sizes():
    a = np.eye(4)
    matching = match_atoms(a, a[[2, 0]])
    assert matching.indices_a.tolist() == [0, 2]
    assert matching.indices_b.tolist() == [1, 0]
    assert match_atoms(a[[2, 0]], a).indices_b.tolist() == [2, 0]


def test_close_is_closer_than_the_threshold():
    angles = np.arccos(1 - np.array([0.005, 0.02, 0.5]))
    a = np.kron(np.eye(3), [1, 0])
    b = sum(np.kron(np.eye(3)[[k]].T * np.eye(3)[k], [np.cos(t), np.sin(t)])
            for k, t in enumerate(angles))  # fmt: skip
    matching = match_atoms(a, b)
    np.testing.assert_allclose(matching.distances, [0.005, 0.02, 0.5])
    assert [matching.n_close(t) for t in (0.001, 0.01, 0.1, 1)] == [0, 1, 2, 3]


def test_an_atom_of_zeros_is_far_from_all():
    assert match_atoms(np.zeros((1, 3)), np.eye(3)).distances.tolist() == [1]


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (np.eye(4), r"same number of features; got shapes \(3, 3\) and \(4, 4\)"),
        ([[1, np.nan, 0]], "dictionary_b contains NaN"),
    ],
)
def test_dictionaries_that_do_not_match(b, message):
    with pytest.raises(ValueError, match=message):
        match_atoms(np.eye(3), b)
