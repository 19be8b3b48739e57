"""Block coordinate descent over atoms: scikit-learn's update, and what defines the step."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition._dict_learning import _update_dict

from sklearn_resnet_sc.learning._bcd import bcd
from sklearn_resnet_sc.learning._dictionary import Dictionary, DictionarySet
from sklearn_resnet_sc.learning._statistics import TrainingSet


def problem(n_samples=400, n_features=9, n_components=70, share=0.2, seed=0):
    """More atoms than one block of the update, every one in use."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    code = rng.standard_normal((n_samples, n_components))
    code[rng.random(code.shape) > share] = 0
    atoms = rng.standard_normal((n_components, n_features))
    return X, code, atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def updated(X, code, atoms, *, positive=False, dtype=np.float64):
    X, code, atoms = (array.astype(dtype) for array in (X, code, atoms))
    space = DictionarySet(None, None, np.dtype(dtype), ball=True, positive=positive)
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    return bcd(space, dictionary, statistics)[0].components


@pytest.mark.parametrize("positive", [False, True])
def test_as_in_scikit_learn(positive):
    X, code, atoms = problem()
    expected = atoms.copy()
    _update_dict(expected, X, code, positive=positive)
    np.testing.assert_allclose(
        updated(X, code, atoms, positive=positive), expected, rtol=0, atol=1e-12
    )


def test_single_precision():
    X, code, atoms = problem()
    single = updated(X, code, atoms, dtype=np.float32)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, updated(X, code, atoms), atol=1e-5)


def test_repeated_steps_solve_the_constrained_problem():
    # The optimality condition of the convex problem: no feasible direction from an atom
    # descends, so each atom is the projection of a gradient step from itself.
    X, code, atoms = problem(n_components=6)
    for _ in range(300):
        atoms = updated(X, code, atoms)
    gradient = code.T @ (code @ atoms - X)
    moved = atoms - gradient / len(X)
    projected = moved / np.maximum(np.linalg.norm(moved, axis=1), 1)[:, None]
    np.testing.assert_allclose(projected, atoms, atol=1e-10)


def test_atoms_without_use_stay():
    X, code, atoms = problem()
    code[:, [3, 40]] = 0
    new = updated(X, code, atoms)
    np.testing.assert_allclose(new[[3, 40]], atoms[[3, 40]], rtol=1e-15)
    assert np.abs(new - atoms).max() > 0.1


def test_all_codes_zero():
    X, code, atoms = problem()
    np.testing.assert_allclose(updated(X, 0 * code, atoms), atoms, rtol=1e-15)
