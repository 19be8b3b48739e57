"""MOD: least squares at fixed raw codes, free and under a bound."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse

from sklearn_resnet_sc.learning._dictionary import DictionarySet
from sklearn_resnet_sc.learning._mod import mod
from sklearn_resnet_sc.learning._statistics import TrainingSet


def case(seed, n_samples, n_features, n_components, *, rho=None, plain=False, dtype=np.float64):
    """A dictionary set, a dictionary in it, and signals with codes for it."""
    rng = np.random.default_rng(seed)
    shortcut = rng.standard_normal((n_components, n_features))
    shortcut /= np.linalg.norm(shortcut, axis=1, keepdims=True)
    residual = 0.3 * rng.standard_normal(shortcut.shape)
    shortcut = shortcut.astype(dtype)
    limit = None
    if plain:
        shortcut, residual = None, residual + 0.1
    elif rho is not None:
        limit = rho * np.linalg.svd(shortcut.astype(np.float64), compute_uv=False)[-1]
    space = DictionarySet(shortcut, limit, np.dtype(dtype))
    dictionary = space.assemble(space.fit(residual))
    code = rng.standard_normal((n_samples, n_components)) * (rng.random(n_components) < 0.8)
    code[rng.random(code.shape) < 0.5] = 0
    X = (code @ rng.standard_normal(dictionary.components.shape)).astype(dtype)
    X += rng.standard_normal(X.shape).astype(dtype)
    return space, dictionary, X, code.astype(dtype)


def update(space, dictionary, X, code):
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), dictionary.components)
    return mod(space, dictionary, statistics)


def raw_objective(space, X, raw, dictionary):
    atoms = dictionary.residual.astype(np.float64)
    if space.shortcut is not None:
        atoms = space.shortcut.astype(np.float64) + atoms
    return 0.5 * np.sum((X.astype(np.float64) - raw @ atoms) ** 2)


def test_plain_update_points_atoms_as_numpys_least_squares():
    space, dictionary, X, code = case(0, 100, 6, 9, plain=True)
    new, gap = update(space, dictionary, X, code)
    used = np.any(code != 0, axis=0)
    expected = np.linalg.lstsq(code[:, used], X)[0]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(new.components[used], expected, atol=1e-10)
    assert gap == 0


def test_free_update_beside_a_shortcut_reaches_the_least_squares_objective():
    space, dictionary, X, code = case(1, 100, 6, 9)
    raw = code / dictionary.lengths
    new, _ = update(space, dictionary, X, code)
    expected = 0.5 * np.sum((X - raw @ np.linalg.lstsq(raw, X)[0]) ** 2)
    assert raw_objective(space, X, raw, new) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("plain", [True, False])
def test_atoms_without_use_stay(plain):
    space, dictionary, X, code = case(2, 50, 4, 6, plain=plain)
    code[:, 3] = 0
    new, _ = update(space, dictionary, X, code)
    np.testing.assert_allclose(new.components[3], dictionary.components[3], atol=1e-12)


def test_what_codes_do_not_determine_changes_least():
    # Two atoms always used alike: only their sum matters; both move by the same vector.
    space, dictionary, X, code = case(3, 60, 4, 5)
    code[:, 1] = code[:, 0] / dictionary.lengths[0] * dictionary.lengths[1]
    code[:, 0:2] += 0.1 * dictionary.lengths[0:2]
    new, _ = update(space, dictionary, X, code)
    change = new.residual - dictionary.residual
    np.testing.assert_allclose(change[0], change[1], atol=1e-8)
    assert np.abs(change[0]).max() > 1e-3


def test_solving_beats_clipping_the_free_solution():
    # Clipping knows nothing of codes: of correlated ones, and of atoms used unequally.
    rng = np.random.default_rng(4)
    code = rng.standard_normal((200, 8)) @ rng.standard_normal((8, 8))
    X = code @ (np.eye(8) + rng.standard_normal((8, 8)))
    space = DictionarySet(np.eye(8), 0.9, np.dtype(np.float64))
    dictionary = space.assemble(np.zeros((8, 8)))
    free = DictionarySet(space.shortcut, None, space.dtype)
    clipped = space.assemble(space.fit(update(free, dictionary, X, code)[0].residual))
    solved, gap = update(space, dictionary, X, code)
    assert gap <= 1e-5
    assert raw_objective(space, X, code, solved) < 0.95 * raw_objective(space, X, code, clipped)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 10**6),
    n_samples=st.integers(1, 40),
    n_features=st.integers(1, 8),
    n_components=st.integers(1, 8),
    rho=st.one_of(st.none(), st.floats(0.05, 0.95)),
    plain=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    repeat=st.booleans(),
)
def test_laws_of_the_update(seed, n_samples, n_features, n_components, rho, plain, dtype, repeat):
    """Unit atoms, the bound, and an objective at fixed raw codes that never rises."""
    space, dictionary, X, code = case(
        seed, n_samples, n_features, n_components, rho=rho, plain=plain, dtype=dtype
    )
    if repeat:  # from an optimum there is nothing to gain, and nothing must be lost
        dictionary, _ = update(space, dictionary, X, code)
    new, _ = update(space, dictionary, X, code)
    eps = np.finfo(dtype).eps
    assert new.components.dtype == new.residual.dtype == new.lengths.dtype == dtype
    lengths = np.linalg.norm(new.components.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * eps)
    if space.limit is not None:
        norm = np.linalg.norm(new.residual.astype(np.float64), 2)
        assert norm <= space.limit * (1 + 1e-14)
    if not plain:
        np.testing.assert_array_equal(
            new.components, (space.shortcut + new.residual) / new.lengths[:, None]
        )
        raw = code.astype(np.float64) / dictionary.lengths
        before = raw_objective(space, X, raw, dictionary)
        rounding = 1e-13 * np.sum(X.astype(np.float64) ** 2)
        assert raw_objective(space, X, raw, new) <= before + rounding
