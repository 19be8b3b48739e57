"""OMP, basis pursuit and the lasso in noise find what they are certified to find."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, orthogonal_mp

from sklearn_resnet_sc import theory

from .strategies import law, seeds


def incoherent(rng, n_blocks, coupling, *, lengths=False):
    """Orthogonal planes of two atoms each, mixed: coherence is `coupling`, or a little more."""
    n = 2 * n_blocks
    block = np.array([[1, 0], [coupling, math.sqrt(1 - coupling**2)]])
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    atoms = np.kron(np.eye(n_blocks), block) @ basis
    if lengths:
        atoms *= rng.uniform(0.9, 1.1, (n, 1))
    return atoms


@st.composite
def problems(draw):
    """Dictionary, code of s atoms, and noise of a direction that may be the worst one."""
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.sampled_from(["planes", "lengths", "spikes and Hadamard", "orthogonal"]))
    if kind == "orthogonal":
        n = draw(st.integers(1, 40))
        atoms = np.linalg.qr(rng.standard_normal((n, n)))[0]
    elif kind == "spikes and Hadamard":
        hadamard = np.array([[1.0]])
        for _ in range(draw(st.integers(2, 5))):
            hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
        atoms = np.vstack([np.eye(len(hadamard)), hadamard / math.sqrt(len(hadamard))])
    else:
        atoms = incoherent(
            rng, draw(st.integers(1, 20)), draw(st.floats(0, 0.4)), lengths=kind == "lengths"
        )
    k, n = atoms.shape
    s = draw(st.integers(1, min(4, k)))
    code = np.zeros(k)
    support = rng.permutation(k)[:s]
    code[support] = rng.choice([-1, 1], s) * rng.uniform(1, draw(st.floats(1, 5)), s)
    direction = rng.standard_normal(n)
    if draw(st.booleans()):  # towards a wrong atom, away from a right one
        wrong = rng.integers(k)
        right = support[0]
        direction = atoms[wrong] * rng.choice([-1, 1]) - atoms[right] * np.sign(code[right])
    length = np.linalg.norm(direction)
    return atoms, code, direction / length if length > 0 else np.eye(n)[0]


@law
@given(problems(), st.floats(0, 1))
def test_omp_finds_the_certified_support(problem, share):
    atoms, code, direction = problem
    s, least = np.count_nonzero(code), np.abs(code[code != 0]).min()
    # The largest noise that is certified, and a share of it.
    lowest = theory.omp_guarantee(atoms, s, 0.0, least)
    assume(lowest.certified)
    needed = theory.omp_guarantee(atoms, s, 1.0, least)
    noise = share * 0.999 * lowest.condition / (lowest.condition - needed.condition)
    guarantee = theory.omp_guarantee(atoms, s, noise, least)
    assert guarantee.certified and guarantee.support == "equal"
    found = np.atleast_1d(
        orthogonal_mp(atoms.T, code @ atoms + noise * direction, n_nonzero_coefs=s)
    )
    np.testing.assert_array_equal(found != 0, code != 0)
    distance = np.linalg.norm(found - code)
    assert distance**2 <= guarantee.squared_error * (1 + 1e-9) + 1e-24
    assert np.abs(found - code).max() <= guarantee.max_error * (1 + 1e-9) + 1e-12


def test_omp_fails_just_past_sparsity_by_coherence():
    # (2s - 1) mu = 1: three atoms, two of them with product -mu, the third with mu to both.
    for mu, holds in ((1 / 3 - 1e-3, True), (1 / 3 + 1e-3, False)):
        gram = np.array([[1, -mu, mu], [-mu, 1, mu], [mu, mu, 1]])
        atoms = np.linalg.cholesky(gram)
        assert theory.omp_guarantee(atoms, 2, 0.0, 1.0).certified == holds
        found = orthogonal_mp(atoms.T, np.array([1.0, 1.0, 0.0]) @ atoms, n_nonzero_coefs=1)
        assert (found[2] == 0) == holds


def test_omp_noise_is_within_sqrt2_of_the_truth_for_orthogonal_atoms():
    # eps < |a|/2 is asked; noise along (d_2 - d_1) first fails at |a| / sqrt(2).
    atoms, largest = np.eye(2), 1 / math.sqrt(2)
    assert theory.omp_guarantee(atoms, 1, 0.4999, 1.0).certified
    assert not theory.omp_guarantee(atoms, 1, 0.5001, 1.0).certified
    direction = np.array([-1, 1]) / math.sqrt(2)
    for noise, right in ((largest - 1e-6, True), (largest + 1e-6, False)):
        found = orthogonal_mp(atoms, np.array([1.0, 0]) + noise * direction, n_nonzero_coefs=1)
        assert (found[0] != 0) == right


@law
@given(problems(), st.floats(0, 2), st.floats(0.01, 3))
def test_basis_pursuit_is_as_near_as_certified(problem, noise, share):
    # A minimiser of the lasso is one of basis pursuit whose tolerance is its own residual.
    atoms, code, direction = problem
    signal = code @ atoms + noise * direction
    alpha = share * max(noise, 0.1)
    found = lasso(atoms, signal, alpha)
    tolerance = float(np.linalg.norm(signal - found @ atoms))
    assume(tolerance >= noise)
    guarantee = theory.basis_pursuit_guarantee(
        atoms, np.count_nonzero(code), noise, tolerance=tolerance
    )
    assert ((found - code) ** 2).sum() <= guarantee.squared_error * (1 + 1e-9)


def lasso(atoms, signal, alpha):
    """By scikit-learn's coordinate descent, to rounding; its homotopy is wrong at ties."""
    model = Lasso(alpha / len(signal), fit_intercept=False, tol=1e-14, max_iter=10**6)
    return model.fit(atoms.T, signal).coef_


@law
@given(problems(), st.floats(0, 1), st.floats(1.01, 5))
def test_lasso_is_as_near_as_certified(problem, noise, excess):
    atoms, code, direction = problem
    s = np.count_nonzero(code)
    one = theory.lasso_guarantee(atoms, s, 0.0, 1.0)
    assume(one.certified)
    # condition = alpha (1 - leak) - l_max noise: the least weight, and some excess.
    least = (one.condition - theory.lasso_guarantee(atoms, s, 1.0, 1.0).condition) / one.condition
    alpha = excess * least * noise + 1e-3
    guarantee = theory.lasso_guarantee(atoms, s, noise, alpha)
    assert guarantee.certified and guarantee.support == "contained"
    found = lasso(atoms, code @ atoms + noise * direction, alpha)
    large = np.abs(found) > 1e-9
    assert not (large & (code == 0)).any()
    assert np.abs(found - code).max() <= guarantee.max_error * (1 + 1e-6) + 1e-9
    assert ((found - code) ** 2).sum() <= guarantee.squared_error * (1 + 1e-6) + 1e-9
    # What is larger than the error is found.
    assert large[np.abs(code) > guarantee.max_error * (1 + 1e-6) + 1e-8].all()


@given(st.floats(0.01, 1), st.floats(0.01, 1))
def test_lasso_error_is_attained_by_orthogonal_atoms(noise, excess):
    alpha = noise + excess
    guarantee = theory.lasso_guarantee(np.eye(3), 1, noise, alpha)
    found = lasso(np.eye(3), np.array([9.0 - noise, 0, 0]), alpha)
    assert abs(found[0] - 9) == pytest.approx(guarantee.max_error, rel=1e-9)
    assert (found[0] - 9) ** 2 == pytest.approx(guarantee.squared_error, rel=1e-9)


@given(st.integers(1, 6), st.floats(0.001, 0.999))
def test_constant_of_layered_basis_pursuit_is_contained(s, share):
    # s < (1 + 1/mu)/3 and alpha = 4 eps: certified, with at most 7.5 eps (Papyan et al.).
    mu = share / (3 * s - 1)
    k = 2 * s + 1
    atoms = np.linalg.cholesky((1 - mu) * np.eye(k) + mu)
    guarantee = theory.lasso_guarantee(atoms, s, 1.0, 4.0)
    assert guarantee.certified and guarantee.max_error <= 7.5
