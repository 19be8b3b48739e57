"""Laws of coherence, uniqueness, recovery and stability, against brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_resnet_sc import theory

from .strategies import (
    dictionaries,
    exact_rank,
    integer_dictionaries,
    law,
    rounding,
    seeds,
    square_matrices,
)


def unit(dictionary):
    wide = dictionary.astype(np.float64)
    return wide / np.linalg.norm(wide, axis=1, keepdims=True)


def cosines(dictionary):
    gram = np.abs(unit(dictionary) @ unit(dictionary).T)
    np.fill_diagonal(gram, 0)
    return gram


@law
@given(dictionaries())
def test_coherences_by_the_full_gram(dictionary):
    gram, slack = cosines(dictionary), rounding(dictionary)
    mu = theory.mutual_coherence(dictionary)
    average = theory.average_coherence(dictionary)
    assert abs(mu - gram.max()) <= slack
    assert abs(average - gram.max(axis=1).mean()) <= slack
    assert 0 <= average <= mu * (1 + slack) and mu <= 1


@law
@given(dictionaries(), seeds)
def test_coherence_of_directions_only(dictionary, seed):
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], len(dictionary)) * 2.0 ** rng.integers(-20, 20, len(dictionary))
    other = (dictionary * signs[:, None])[rng.permutation(len(dictionary))]
    other = other.astype(dictionary.dtype)
    slack = rounding(dictionary)
    assert abs(theory.mutual_coherence(other) - theory.mutual_coherence(dictionary)) <= slack
    difference = theory.babel(other) - theory.babel(dictionary)
    assert np.abs(difference).max() <= slack * len(dictionary)


@law
@given(dictionaries())
def test_welch(dictionary):
    bound = theory.welch_bound(*dictionary.shape)
    assert theory.mutual_coherence(dictionary) >= bound - rounding(dictionary)


@given(st.integers(1, 40))
def test_welch_is_attained_by_the_simplex(n):
    # n + 1 vertices of a regular simplex in n dimensions: an equiangular tight frame.
    vertices = np.eye(n + 1) - 1 / (n + 1)
    basis = np.linalg.svd(vertices)[2][:n]
    simplex = vertices @ basis.T
    bound = theory.welch_bound(n + 1, n)
    assert bound == pytest.approx(1 / n, rel=1e-15)
    assert abs(theory.mutual_coherence(simplex) - bound) <= rounding(simplex)


@law
@given(dictionaries(max_components=7))
def test_babel_by_brute_force(dictionary):
    gram, values = cosines(dictionary), theory.babel(dictionary)
    k = len(dictionary)
    slack = rounding(dictionary) * k
    assert values.shape == (k,) and values[0] == 0
    for order in range(1, k):
        brute = max(
            gram[j, list(chosen)].sum()
            for chosen in itertools.combinations(range(k), order)
            for j in set(range(k)) - set(chosen)
        )
        assert abs(values[order] - brute) <= slack
    assert (np.diff(values) >= 0).all()
    assert (values <= np.arange(k) * theory.mutual_coherence(dictionary) + slack).all()


@law
@given(dictionaries(), st.data())
def test_babel_to_an_order_is_the_beginning_of_babel(dictionary, data):
    order = data.draw(st.integers(0, len(dictionary) - 1))
    # Products are summed in an order of BLAS's choosing, but the same in both calls.
    np.testing.assert_array_equal(
        theory.babel(dictionary, order), theory.babel(dictionary)[: order + 1]
    )


@law
@given(dictionaries(), st.data())
def test_gershgorin(dictionary, data):
    # Eigenvalues of the Gram matrix of s unit atoms within 1 -+ mu_1(s-1), so 1 -+ (s-1) mu.
    s = data.draw(st.integers(1, len(dictionary)))
    chosen = data.draw(st.permutations(range(len(dictionary))))[:s]
    atoms = unit(dictionary)[chosen]
    eigenvalues = np.linalg.eigvalsh(atoms @ atoms.T)
    slack = rounding(dictionary) * len(dictionary)
    radius = theory.babel(dictionary)[s - 1]
    assert radius <= (s - 1) * theory.mutual_coherence(dictionary) + slack
    assert eigenvalues[0] >= 1 - radius - slack
    assert eigenvalues[-1] <= 1 + radius + slack


@law
@given(integer_dictionaries())
def test_certified_sparsity_is_unique(dictionary):
    # Codes with s non-zeros are unique if and only if any 2s atoms are independent.
    bound = theory.uniqueness_bound(dictionary)
    k = len(dictionary)
    assert bound.by_coherence <= bound.by_babel <= bound.n_nonzero
    assert bound.independent == (exact_rank(dictionary) == k)
    size = min(2 * bound.n_nonzero, k)
    for chosen in itertools.combinations(range(k), size):
        assert size == 0 or exact_rank(dictionary[list(chosen)]) == size


@law
@given(dictionaries(max_components=7))
def test_babel_gives_exact_recovery_of_every_support(dictionary):
    # Tropp's theorem 3.5: mu_1(s-1) + mu_1(s) < 1 implies the condition for all supports.
    atoms = unit(dictionary)
    s = min(theory.uniqueness_bound(atoms).by_babel, len(atoms))
    assume(s > 0)
    for chosen in itertools.combinations(range(len(atoms)), s):
        assert theory.exact_recovery_condition(atoms, list(chosen)).holds


def greedy_code(atoms, signal, n_steps):
    """Orthogonal matching pursuit as it is defined; scikit-learn's stops early on some of these."""
    chosen, code, residual = [], np.zeros(len(atoms)), signal
    for _ in range(n_steps):
        chosen.append(int(np.abs(atoms @ residual).argmax()))
        values = np.linalg.lstsq(atoms[chosen].T, signal, rcond=None)[0]
        residual = signal - values @ atoms[chosen]
    code[chosen] = values
    return code


@law
@given(dictionaries(min_components=2), st.data())
def test_exact_recovery_by_pseudoinverse_and_by_omp(dictionary, data):
    k = len(dictionary)
    s = data.draw(st.integers(1, min(k, dictionary.shape[1])))
    support = sorted(data.draw(st.permutations(range(k)))[:s])
    condition = theory.exact_recovery_condition(dictionary, support)
    wide = dictionary.astype(np.float64)
    inside, outside = wide[support], np.delete(wide, support, axis=0)
    relative = np.linalg.cond(unit(dictionary)[support])
    assume(relative <= 1e3)
    brute = np.abs(np.linalg.pinv(inside.T) @ outside.T).sum(axis=0).max(initial=0)
    slack = rounding(dictionary) * relative * len(support)
    assert condition.coefficient == pytest.approx(brute, rel=slack, abs=slack)
    if condition.coefficient < 0.99:
        code = np.zeros(k)
        code[support] = data.draw(
            st.lists(st.sampled_from([-2.0, -1.0, 1.0, 3.0]), min_size=s, max_size=s)
        )
        np.testing.assert_allclose(greedy_code(wide, code @ wide, s), code, atol=1e-6)


@law
@given(dictionaries(), seeds, st.data())
def test_two_sparse_codes_near_one_signal(dictionary, seed, data):
    # C3, with codes chosen to differ where the dictionary is weakest, so as to hurt most.
    k = len(dictionary)
    s = data.draw(st.integers(1, k))
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(k)[: 2 * s]
    wide = dictionary.astype(np.float64)
    worst = np.linalg.svd(wide[chosen].T)[2][-1] if data.draw(st.booleans()) else None
    difference = rng.standard_normal(len(chosen)) if worst is None else worst
    first, second = np.zeros(k), np.zeros(k)
    first[chosen[:s]], second[chosen[s:]] = difference[:s], -difference[s:]
    signal = (first + second) @ wide / 2
    noise = max(np.linalg.norm(signal - code @ wide) for code in (first, second))
    bound = theory.stability_bound(dictionary, s, noise)
    distance = ((first - second) ** 2).sum()
    # The bound divides by 1 - (2s-1) mu, or by sigma_min: as uncertain as they are small.
    isometry = max(1 - (2 * s - 1) * bound.coherence, rounding(dictionary))
    assert distance <= bound.by_coherence * (1 + rounding(dictionary) * 2 * s / isometry)
    kappa = np.linalg.cond(wide)
    if math.isfinite(bound.by_spectrum):
        assert distance <= bound.by_spectrum * (1 + 2 * rounding(dictionary) * kappa)
    assert bound.squared_error == min(bound.by_coherence, bound.by_spectrum)


@law
@given(square_matrices(), st.integers(-600, 600))
def test_spectral_numbers(matrix, exponent):
    sigma = theory.singular_spectrum(matrix)
    assert sigma.dtype == matrix.dtype
    expected = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    slack = rounding(matrix)
    np.testing.assert_allclose(sigma, expected, rtol=0, atol=slack * max(expected[0], 1e-300))
    rank = theory.numerical_rank(matrix)
    assert 0 <= rank <= len(matrix)
    if rank:
        n = len(matrix)
        for count in (theory.effective_rank(matrix), theory.participation_ratio(matrix)):
            # Values that are rounding add at most about their share to the count.
            assert 1 - slack <= count <= rank + n * n * slack
        kappa = theory.condition_number(matrix)
        assert kappa >= 1 and math.isinf(kappa) == (rank < n)
    if matrix.dtype == np.float64:
        # Powers of two change nothing, at any scale.
        scaled = np.ldexp(matrix, exponent)
        assert theory.effective_rank(scaled) == theory.effective_rank(matrix)
        assert theory.participation_ratio(scaled) == theory.participation_ratio(matrix)
        assert theory.condition_number(scaled) == theory.condition_number(matrix)


@law
@given(dictionaries())
def test_frame_inequality(dictionary):
    # A ||x||^2 <= ||D^T x||^2 <= B ||x||^2 on the span, here for the atoms' own combinations.
    bounds = theory.frame_bounds(dictionary)
    wide = dictionary.astype(np.float64)
    x = np.vstack([wide, wide.sum(axis=0)])
    energy, products = (x**2).sum(axis=1), ((x @ wide.T) ** 2).sum(axis=1)
    slack = rounding(dictionary) * bounds.upper * energy
    assert (products >= bounds.lower * energy - slack).all()
    assert (products <= bounds.upper * energy + slack).all()


@law
@given(dictionaries())
def test_properties_agree(dictionary):
    properties = theory.dictionary_properties(dictionary, n_directions=8)
    slack = rounding(dictionary)
    k = len(dictionary)
    eigenvalues = np.linalg.eigvalsh(unit(dictionary) @ unit(dictionary).T)
    assert abs(properties.frame_bounds.upper - eigenvalues[-1]) <= slack * k
    expected = np.sqrt((eigenvalues**2).sum()) / k
    assert properties.mu_mse == pytest.approx(expected, rel=slack * k)
    assert properties.welch - slack <= properties.mu <= 1
    # The gap is attained: no direction is further from all atoms than arccos(sqrt(A/k)).
    lower = properties.frame_bounds.lower
    assert math.cos(math.radians(properties.beta_gap)) >= math.sqrt(lower / k) - slack * k
