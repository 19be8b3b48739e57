"""Layered thresholding and basis pursuit, run in noise, find what was certified."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso

from sklearn_resnet_sc import theory

from .strategies import law, seeds


@st.composite
def problems(draw):
    """A stack of unit atoms near to orthogonal ones, an exact chain of codes, noise."""
    rng = np.random.default_rng(draw(seeds))
    n_layers, n = draw(st.integers(1, 3)), draw(st.integers(4, 36))
    spread = draw(st.sampled_from([0.0, 0.01, 0.05]))
    stack, size = [], n
    for _ in range(n_layers):
        more = draw(st.integers(0, 2))
        atoms = np.eye(size)[rng.permutation(size)]
        # Some atoms join two, so that layers differ; the support above stays small.
        atoms = np.vstack([atoms, rng.standard_normal((more, size))])
        atoms = atoms + spread * rng.standard_normal(atoms.shape) * (rng.random(atoms.shape) < 0.2)
        stack.append(atoms / np.linalg.norm(atoms, axis=1, keepdims=True))
        size += more
    code = np.zeros((3, size))
    for row in code:
        s = rng.integers(0, 3)
        row[rng.permutation(n)[:s]] = rng.choice([-1, 1], s) * rng.uniform(1, 1.5, s)
    codes = [code]
    for dictionary in stack[:0:-1]:
        codes.append(codes[-1] @ dictionary)
    noise = draw(st.floats(0, 0.2))
    error = rng.standard_normal((3, n))
    error *= noise / np.linalg.norm(error, axis=1, keepdims=True)
    return stack, codes[::-1], noise, error


@law
@given(problems(), st.sampled_from(["soft", "hard"]), st.booleans())
def test_layered_thresholding(problem, kind, fixed):
    stack, codes, noise, error = problem
    thresholds = 0.4 if fixed else None
    bound = theory.layered_thresholding_bound(stack, codes, noise, kind=kind, thresholds=thresholds)
    assert (bound.certified == np.isfinite(bound.error)).all()
    state = codes[0] @ stack[0] + error
    for i, dictionary in enumerate(stack):
        state = state @ dictionary.T
        level = bound.parameter[i][:, None]
        with np.errstate(invalid="ignore"):
            kept = np.abs(state) > level
            shrunk = state - np.sign(state) * level if kind == "soft" else state
        state = np.where(kept, shrunk, 0)
        sure = bound.certified[i]
        if i:
            assert (sure <= bound.certified[i - 1]).all()
        np.testing.assert_array_equal(state[sure] != 0, codes[i][sure] != 0)
        distance = np.linalg.norm(state - codes[i], axis=1)
        assert (distance <= bound.error[i] * (1 + 1e-9) + 1e-12)[sure].all()
        largest = np.abs(state - codes[i]).max(axis=1)
        assert (largest <= bound.max_error[i] * (1 + 1e-9) + 1e-12)[sure].all()


@law
@given(problems())
def test_theorem_of_thresholding_is_contained(problem):
    # Papyan, Romano, Elad: s < (1 + min/(mu max))/2 - eps/(mu max) for the first layer.
    stack, codes, noise, _ = problem
    bound = theory.layered_thresholding_bound(stack, codes, noise, kind="hard")
    mu = theory.mutual_coherence(stack[0]) * (1 + 1e-9) + 1e-9
    for i, code in enumerate(np.abs(codes[0])):
        if not code.any():
            continue
        s, least, most = np.count_nonzero(code), code[code > 0].min(), code.max()
        if s < (1 + least / (mu * most)) / 2 - (noise + 1e-9) / (mu * most):
            assert bound.certified[0, i]
            theorem = math.sqrt(s) * (noise + mu * (s - 1) * most)
            assert bound.error[0, i] <= theorem * (1 + 1e-6) + 1e-9


def test_thresholding_just_past_the_condition():
    # Products -mu inside and mu to the third atom: for mu = 1/3 all correlations are equal.
    for mu, holds in ((1 / 3 - 1e-3, True), (1 / 3 + 1e-3, False)):
        atoms = np.linalg.cholesky([[1, -mu, mu], [-mu, 1, mu], [mu, mu, 1]])
        bound = theory.layered_thresholding_bound(atoms, [[1.0, 1.0, 0.0]], 0.0)
        assert bound.certified[0, 0] == holds


@given(st.floats(0.01, 0.4), st.integers(1, 5))
def test_hard_thresholding_error_is_attained_by_orthogonal_atoms(noise, n_layers):
    bound = theory.layered_thresholding_bound(
        [np.eye(4)] * n_layers, [[[1.0, 0, 0, 0]]] * n_layers, noise, kind="hard"
    )
    # Noise along the one atom in use is passed on as it is.
    np.testing.assert_allclose(bound.error, noise, rtol=1e-9)


def lasso(atoms, signal, alpha):
    model = Lasso(alpha / len(signal), fit_intercept=False, tol=1e-14, max_iter=10**6)
    return model.fit(atoms.T, signal).coef_


@law
@given(problems(), st.booleans())
def test_layered_basis_pursuit(problem, fixed):
    stack, codes, noise, error = problem
    noise, error = noise + 1e-3, error + 1e-3 / math.sqrt(error.shape[1]) * np.ones(error.shape)
    alpha = 1.0 if fixed else None
    bound = theory.layered_basis_pursuit_bound(stack, codes, noise, alpha=alpha)
    state = codes[0] @ stack[0] + error
    for i, dictionary in enumerate(stack):
        found = np.zeros(codes[i].shape)
        for j in np.flatnonzero(bound.certified[i]):
            found[j] = lasso(dictionary, state[j], bound.parameter[i, j])
            assert not ((np.abs(found[j]) > 1e-8) & (codes[i][j] == 0)).any()
            distance = np.abs(found[j] - codes[i][j])
            assert distance.max() <= bound.max_error[i, j] * (1 + 1e-6) + 1e-8
            assert np.linalg.norm(distance) <= bound.error[i, j] * (1 + 1e-6) + 1e-8
        state = found


@law
@given(problems())
def test_theorem_of_basis_pursuit_is_contained(problem):
    # s < (1 + 1/mu)/3 in every layer: errors of at most 7.5^i prod sqrt(s_j) eps.
    stack, codes, noise, _ = problem
    noise += 1e-3
    bound = theory.layered_basis_pursuit_bound(stack, codes, noise)
    for j in range(3):
        limit = noise
        for i, (dictionary, code) in enumerate(zip(stack, codes, strict=True)):
            s = np.count_nonzero(code[j])
            mu = theory.mutual_coherence(dictionary)
            if s == 0 or 3 * s * mu * (1 + 1e-9) >= 1 + mu - 1e-9:
                break
            limit *= 7.5 * math.sqrt(s)
            assert bound.certified[i, j]
            # What an exact chain leaves between layers is rounding.
            assert bound.error[i, j] <= limit * (1 + 1e-9) + 1e-9


def test_no_noise_is_basis_pursuit_itself():
    bound = theory.layered_basis_pursuit_bound([np.eye(3)], [[1.0, 0, 2.0]], 0.0)
    assert bound.certified[0, 0] and bound.error[0, 0] == 0


@pytest.mark.parametrize(
    "function", [theory.layered_thresholding_bound, theory.layered_basis_pursuit_bound]
)
def test_atoms_must_be_of_unit_length(function):
    with pytest.raises(ValueError, match=r"dictionaries\[1\] must have atoms of unit length"):
        function([np.eye(2), np.diag([1, 2])], [np.eye(2), np.eye(2)], 0.1)
