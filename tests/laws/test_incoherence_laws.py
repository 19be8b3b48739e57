"""The cap on coherence: it holds, whatever the atoms, and updates within it only gain."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sklearn_resnet_sc.learning._bcd import bcd
from sklearn_resnet_sc.learning._capped_descent import descend_within
from sklearn_resnet_sc.learning._dictionary import Dictionary, DictionarySet
from sklearn_resnet_sc.learning._incoherence import CoherenceCap, apart, coherence
from sklearn_resnet_sc.learning._mod import mod
from sklearn_resnet_sc.learning._statistics import TrainingSet
from sklearn_resnet_sc.theory import mutual_coherence, welch_bound

from .strategies import dtypes, law, seeds

KINDS = ("gaussian", "equal", "twins", "one plane", "some zero", "axes", "positive")


def directions(rng, kind, n_components, n_features):
    atoms = rng.standard_normal((n_components, n_features))
    if kind == "equal":
        atoms[:] = atoms[0]
    if kind == "twins":
        atoms[1::2] = -atoms[: len(atoms[1::2])]
    if kind == "one plane":
        atoms[:, 2:] = 0
    if kind == "some zero":
        atoms[rng.random(n_components) < 0.3] = 0
    if kind == "axes":
        atoms = np.eye(n_features)[rng.integers(n_features, size=n_components)]
    if kind == "positive":
        atoms = np.abs(atoms)
    lengths = np.linalg.norm(atoms, axis=1, keepdims=True)
    return atoms / np.where(lengths > 0, lengths, 1)


@law
@given(seeds, st.sampled_from(KINDS), dtypes)
def test_atoms_come_within_any_cap_that_some_dictionary_keeps(seed, kind, dtype):
    rng = np.random.default_rng(seed)
    n_features = rng.integers(2, 9)
    n_components = rng.integers(2, 3 * n_features)
    # Another dictionary shows that the cap can be kept, with one part in ten to spare.
    other = coherence(directions(rng, "gaussian", n_components, n_features))
    limit = other + 0.1 * (1 - other)
    atoms = directions(rng, kind, n_components, n_features)
    atoms = (atoms * rng.uniform(0.1, 3, (n_components, 1))).astype(dtype)
    cap = CoherenceCap(limit)
    moved = cap.enforce(atoms)
    assert cap.reached == limit
    assert moved.dtype == dtype
    assert coherence(moved) <= limit
    used = atoms.any(axis=1)
    if used.any():
        assert mutual_coherence(moved[used]) <= limit + 4 * np.finfo(dtype).eps
    lengths = [np.linalg.norm(each.astype(np.float64), axis=1) for each in (moved, atoms)]
    np.testing.assert_allclose(*lengths, rtol=16 * np.finfo(dtype).eps)
    assert cap.enforce(moved) is moved


@law
@given(seeds, st.sampled_from(KINDS), st.floats(0, 1))
def test_what_was_reached_is_told_and_no_less_than_the_welch_bound(seed, kind, share):
    rng = np.random.default_rng(seed)
    n_features, n_components = rng.integers(1, [6, 15])
    least = welch_bound(int(n_components), int(n_features))
    cap = CoherenceCap(max(least + share * (1 - least), 1e-9))
    moved = cap.enforce(directions(rng, kind, n_components, n_features))
    assert cap.reached >= cap.cap
    assert coherence(moved) <= cap.reached
    assert np.isfinite(moved).all()


@law
@given(seeds, st.integers(2, 12), st.floats(0.02, 1))
def test_lines_in_a_plane_come_as_far_apart_as_lines_can(seed, n_components, share):
    """The best is known there: equal angles."""
    best = np.cos(np.pi / n_components)
    limit = best + share * (1 - best) * 0.999
    units = directions(np.random.default_rng(seed), "gaussian", n_components, 2)
    assert coherence(apart(units, limit)) <= limit * (1 + 1e-9)


def instance(seed, kind, dtype):
    """Signals, sparse codes (some atoms idle), atoms within a cap, and the cap."""
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_components = rng.integers([1, 1, 1], [30, 9, 20])
    X = (rng.standard_normal((n_samples, n_features)) * 10.0 ** rng.integers(-9, 9)).astype(dtype)
    code = rng.standard_normal((n_samples, n_components)) * np.abs(X).max()
    code[rng.random(code.shape) > rng.random()] = 0
    code[:, rng.random(n_components) < 0.2] = 0
    atoms = directions(rng, kind, n_components, n_features).astype(dtype)
    least = welch_bound(int(n_components), int(n_features))
    cap = CoherenceCap(max(least + rng.uniform(0.01, 0.99) * (1 - least), 1e-3))
    return X, code.astype(dtype), cap.enforce(atoms), cap


def objective(X, code, atoms):
    X, code, atoms = (each.astype(np.float64) for each in (X, code, atoms))
    return np.sum((X - code @ atoms) ** 2)


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.booleans())
def test_updates_stay_within_the_cap_and_never_raise_the_objective(seed, kind, dtype, ball):
    X, code, atoms, cap = instance(seed, kind, dtype)
    reached = cap.reached
    space = DictionarySet(None, None, np.dtype(dtype), ball=ball, cap=cap)
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    if ball:
        new = bcd(space, dictionary, statistics)[0].components
        lengths = np.linalg.norm(new.astype(np.float64), axis=1)
        assert lengths.max() <= 1 + 4 * np.finfo(dtype).eps
        size = np.sum(X.astype(np.float64) ** 2) + np.sum(np.abs(code.astype(np.float64))) ** 2
        slack = 32 * np.finfo(dtype).eps * size
        assert objective(X, code, new) <= objective(X, code, atoms) + slack
    else:
        new = mod(space, dictionary, statistics)[0].components
    slack = 1 + 4 * np.finfo(dtype).eps
    assert cap.reached <= reached * slack
    assert coherence(new) <= reached * slack


@law
@given(seeds, st.sampled_from(KINDS))
def test_atoms_of_any_length_never_raise_the_objective(seed, kind):
    X, code, atoms, cap = instance(seed, kind, np.float64)
    gram, cross = code.T @ code, code.T @ X
    new = descend_within(gram, cross, atoms, cap.reached, n_passes=2)
    assert coherence(new) <= cap.reached * (1 + 1e-12)
    assert objective(X, code, new) <= objective(X, code, atoms) * (1 + 1e-12)


@law
@given(seeds, st.sampled_from(KINDS))
def test_a_cap_of_one_is_none(seed, kind):
    X, code, atoms, _ = instance(seed, kind, np.float64)
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms)))
    free = bcd(DictionarySet(None, None, np.dtype(float), ball=True), dictionary, statistics)[0]
    found = descend_within(statistics.gram, statistics.cross, atoms, 1.0, longest=1.0)
    np.testing.assert_allclose(found, free.components, atol=1e-9)
