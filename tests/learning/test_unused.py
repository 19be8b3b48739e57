"""Which atoms are replaced, by what, and how far the bound lets them go."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse
from scipy.optimize import minimize

from sklearn_resnet_sc.learning._dictionary import DictionarySet
from sklearn_resnet_sc.learning._initial import atoms_from_data
from sklearn_resnet_sc.learning._statistics import TrainingSet
from sklearn_resnet_sc.learning._unused import (
    _toward,
    idle_atoms,
    replace_atoms,
    worst_signals,
)


def test_hardly_used_atoms_are_idle_the_least_used_first():
    usage = np.array([100.0, 3, 80, 0, 4])
    np.testing.assert_array_equal(idle_atoms(np.eye(5), usage, 1.0), [3, 1])


def test_where_all_are_used_little_only_atoms_without_use_are_idle():
    np.testing.assert_array_equal(idle_atoms(np.eye(4), np.array([3.0, 2, 1, 0]), 1.0), [3])


def test_weights_count_in_units_of_one_signal():
    usage = 1e-3 * np.array([100.0, 3, 80, 0, 4])
    np.testing.assert_array_equal(idle_atoms(np.eye(5), usage, 1e-3), [3, 1])


def test_of_twins_the_less_used_is_idle_whatever_its_sign():
    components = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 1e-3, 0], [0, 0, 1]])
    components /= np.linalg.norm(components, axis=1, keepdims=True)
    assert idle_atoms(components, np.array([50.0, 50, 60, 50]), 1.0).tolist() == [0]
    assert idle_atoms(components, np.array([60.0, 50, 50, 50]), 1.0).tolist() == [2]


def test_worst_signals_are_the_worst_and_no_two_alike():
    X = np.array([[1.0, 0, 0], [5, 0, 0], [-5.5, 0, 0], [0, 3, 0], [0, 0, 4], [0, 0, 2]])
    data = TrainingSet(X)
    nothing = data.statistics(sparse.csr_array((6, 2)), np.eye(2, 3))
    np.testing.assert_allclose(worst_signals(data, nothing, 2), [[-1, 0, 0], [0, 0, 1]], atol=1e-15)
    assert len(worst_signals(data, nothing, 6)) == 3  # there are no more directions


def test_signals_without_weight_or_error_are_not_chosen():
    X = np.array([[9.0, 0], [0, 1], [0, 2], [0, 0]])
    data = TrainingSet(X, np.array([0.0, 1, 1, 1]))
    nothing = data.statistics(sparse.csr_array((4, 1)), np.eye(1, 2))
    np.testing.assert_allclose(worst_signals(data, nothing, 4), [[0, 1]])
    exact = data.statistics(sparse.csr_array(X), np.eye(2))
    assert len(worst_signals(data, exact, 4)) == 0


@pytest.mark.parametrize("limit", [0.3, 0.9, 1.8])
def test_an_atom_turns_as_far_as_the_limit_allows(limit):
    # Brute force over residual rows of the plane of atom and direction, by angle and length.
    shortcut, direction = np.array([1.0, 0, 0]), np.array([0.2, 0.6, 0.8])
    direction /= np.linalg.norm(direction)
    row = _toward(shortcut, direction, limit)
    assert np.linalg.norm(row) <= limit * (1 + 1e-12)

    def cosine(row):
        total = shortcut + row
        return abs(total @ direction) / np.linalg.norm(total)

    def within(row):
        return row * min(1, min(limit, 1 - 1e-6) / np.linalg.norm(row))

    rng = np.random.default_rng(0)
    best = max(
        -minimize(lambda r: -cosine(within(r)), rng.standard_normal(3), method="Nelder-Mead").fun
        for _ in range(8)
    )
    assert cosine(row) >= best - 1e-4


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n_features=st.integers(1, 6),
    n_components=st.integers(1, 6),
    rho=st.floats(0.05, 0.95),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_replaced_atoms_have_unit_length_and_obey_the_bound(
    seed, n_features, n_components, rho, dtype
):
    rng = np.random.default_rng(seed)
    shortcut = rng.standard_normal((n_components, n_features))
    shortcut = (shortcut / np.linalg.norm(shortcut, axis=1, keepdims=True)).astype(dtype)
    limit = rho * np.linalg.svd(shortcut.astype(np.float64), compute_uv=False)[-1]
    space = DictionarySet(shortcut, limit, np.dtype(dtype))
    before = space.assemble(space.fit(rng.standard_normal(shortcut.shape)))
    atoms = rng.permutation(n_components)[: rng.integers(1, n_components + 1)]
    directions = rng.standard_normal((len(atoms), n_features))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    after = replace_atoms(space, before, atoms, directions)
    assert np.linalg.norm(after.residual.astype(np.float64), 2) <= limit * (1 + 1e-14)
    lengths = np.linalg.norm(after.components.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("shortcut", [None, np.eye(3)])
def test_without_a_bound_an_atom_becomes_the_direction(shortcut):
    space = DictionarySet(shortcut, None, np.dtype(np.float64))
    before = space.assemble(np.eye(3) if shortcut is None else np.zeros((3, 3)))
    direction = np.array([[0.6, 0.0, 0.8]])
    after = replace_atoms(space, before, np.array([1]), direction)
    np.testing.assert_allclose(after.components, [[1, 0, 0], [0.6, 0, 0.8], [0, 0, 1]])


def test_starting_atoms_are_distinct_signals():
    X = np.random.default_rng(0).standard_normal((50, 8))
    atoms = atoms_from_data(TrainingSet(X), 20, np.random.RandomState(0))
    cosines = np.abs(atoms @ (X / np.linalg.norm(X, axis=1, keepdims=True)).T)
    np.testing.assert_allclose(cosines.max(axis=1), 1)
    assert np.unique(cosines.argmax(axis=1)).size == 20


def test_starting_atoms_know_nothing_of_order_scale_and_repetition():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((50, 8))
    copies = rng.integers(0, 4, 50)
    weighted = atoms_from_data(TrainingSet(X, copies * 1.0), 9, np.random.RandomState(0))
    repeated = rng.permutation(np.repeat(X, copies, axis=0)) * rng.choice([1, 7])
    found = atoms_from_data(TrainingSet(repeated), 9, np.random.RandomState(0))
    np.testing.assert_allclose(found, weighted, atol=1e-14)


@pytest.mark.parametrize("X", [np.zeros((5, 4)), np.ones((5, 4)), np.ones((1, 4))], ids=str)
def test_starting_atoms_where_signals_run_out(X):
    atoms = atoms_from_data(TrainingSet(X), 6, np.random.RandomState(0))
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1)
    assert np.linalg.matrix_rank(atoms) == 4
