"""Laws of the spark, of uniqueness by it, and of restricted isometry, against brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_resnet_sc import theory

from .strategies import dictionaries, exact_rank, integer_dictionaries, law, rounding, seeds


def brute_force_spark(dictionary):
    """Smallest number of dependent atoms, in rational arithmetic."""
    k = len(dictionary)
    for size in range(1, k + 1):
        for chosen in itertools.combinations(range(k), size):
            if exact_rank(dictionary[list(chosen)]) < size:
                return size
    return k + 1


@law
@given(integer_dictionaries(max_components=8), st.sampled_from([np.float32, np.float64]))
def test_spark_by_brute_force(dictionary, dtype):
    found = theory.spark(dictionary.astype(dtype))
    assert found.exact and found.lower == brute_force_spark(dictionary)
    assert found.by_coherence <= found.lower
    if found.dependent_atoms:
        atoms = dictionary[list(found.dependent_atoms)]
        assert len(atoms) == found.upper and exact_rank(atoms) < len(atoms)
    else:
        assert found.lower == len(dictionary) + 1


@law
@given(integer_dictionaries(max_components=8), st.integers(0, 12))
def test_spark_within_its_interval_when_the_budget_ends(dictionary, budget):
    found = theory.spark(dictionary, max_visited=budget)
    assert found.n_visited <= budget
    assert found.lower <= brute_force_spark(dictionary) <= found.upper


@law
@given(integer_dictionaries(max_components=7), seeds)
def test_spark_of_directions_only(dictionary, seed):
    rng = np.random.default_rng(seed)
    scale = rng.choice([-1, 1], len(dictionary)) * 2.0 ** rng.integers(-30, 30, len(dictionary))
    other = (dictionary * scale[:, None])[rng.permutation(len(dictionary))]
    assert theory.spark(other).lower == theory.spark(dictionary).lower


@law
@given(dictionaries(max_components=8))
def test_spark_of_any_dictionary_is_at_most_the_rank_and_one(dictionary):
    found = theory.spark(dictionary)
    k, n = dictionary.shape
    assert 2 <= found.by_coherence <= found.lower <= found.upper <= k + 1
    if found.lower <= k:
        assert found.upper <= theory.numerical_rank(dictionary) + 1 <= n + 1
        atoms = dictionary[list(found.dependent_atoms)].astype(np.float64)
        sigma = np.linalg.svd(atoms / np.linalg.norm(atoms, axis=1, keepdims=True))[1]
        assert len(atoms) > n or sigma[-1] <= rounding(dictionary) * sigma[0]


@law
@given(integer_dictionaries(max_components=7), st.data())
def test_certified_codes_are_unique_by_brute_force(dictionary, data):
    # Another code b of the same signal differs by a - b in the null space. Codes of the one
    # support alone: T and any t more atoms must be independent for the code to be unique.
    k = len(dictionary)
    spark = brute_force_spark(dictionary)
    bound = theory.uniqueness_bound(dictionary, spark=theory.spark(dictionary))
    assert bound.spark_lower == spark
    s = data.draw(st.integers(1, k))
    among = bound.unique_among(s)
    if among:
        assert among >= s and (bound.independent or s + among < max(spark, 2 * s + 1))
    support = list(data.draw(st.permutations(range(k)))[:s])
    codes = np.zeros((1, k))
    codes[0, support] = 1
    (layer,) = theory.certify(dictionary, codes).layers
    assert layer.spark_lower <= spark
    others = [j for j in range(k) if j not in support]
    if layer.unique[0]:
        more = min(int(layer.unique_among[0]), len(others))
        assert layer.unique_among[0] >= s
        for added in itertools.combinations(others, more):
            chosen = [*support, *added]
            assert exact_rank(dictionary[chosen]) == len(chosen)


@pytest.mark.parametrize("n", range(2, 9))
def test_simplex_is_certified_up_to_its_spark_and_not_beyond(n):
    # n + 1 atoms that sum to zero: spark n + 1. All bounds by coherence attain it, and one atom
    # more there are two codes of one signal, half of the atoms against the other half.
    vertices = np.eye(n + 1) - 1 / (n + 1)
    simplex = vertices @ np.linalg.svd(vertices)[2][:n].T
    found = theory.spark(simplex, max_visited=0)
    assert found.exact and found.lower == found.by_coherence == n + 1
    half = (n + 1) // 2
    codes = np.zeros((2, n + 1))
    codes[0, :half], codes[1, half:] = 1, -1
    np.testing.assert_allclose(codes[0] @ simplex, codes[1] @ simplex, atol=1e-14)
    wanted = (n + 1) - half
    (layer,) = theory.certify(simplex, codes[:1], n_nonzero=wanted).layers
    assert not layer.unique[0]
    if wanted - 1 >= half:
        assert theory.certify(simplex, codes[:1], n_nonzero=wanted - 1).layers[0].unique[0]


def test_weights_of_single_atoms_see_more_than_coherence():
    # Two close atoms in one plane, many orthogonal ones, and one that leans on four of those.
    atoms = np.zeros((9, 8))
    atoms[:7, :7] = np.eye(7)
    atoms[7, [0, 7]] = 0.9, math.sqrt(1 - 0.81)
    atoms[8, 1:5] = 0.5
    (layer,) = theory.certify(atoms, np.eye(9)[[5, 0]]).layers
    assert not theory.uniqueness_bound(atoms).independent
    # mu = .9 certifies two atoms to be independent; atom 5 is orthogonal to all others.
    assert layer.unique_among[0] > 1 and layer.unique_among[0] > layer.unique_among[1]


@law
@given(dictionaries(max_components=8), st.data())
def test_restricted_isometry_by_brute_force(dictionary, data):
    k = len(dictionary)
    s = data.draw(st.integers(1, k))
    limit = data.draw(st.sampled_from([1, 5, 10_000]))
    found = theory.restricted_isometry(dictionary, s, max_supports=limit)
    wide = dictionary.astype(np.float64)
    eigenvalues = np.array(
        [
            np.linalg.eigvalsh(wide[list(chosen)] @ wide[list(chosen)].T)[[0, -1]]
            for chosen in itertools.combinations(range(k), s)
        ]
    )
    least, most = eigenvalues[:, 0].min(), eigenvalues[:, 1].max()
    slack = rounding(dictionary) * s * most
    assert found.lower <= least + 1e-15 * most and found.upper >= most * (1 - 1e-15)
    assert found.attained_lower >= least - slack and found.attained_upper <= most + slack
    assert found.exact == (math.comb(k, s) <= limit)
    if found.exact:
        assert found.lower >= least - slack and found.upper <= most + slack
        assert found.constant >= found.constant_lower - slack


@given(st.integers(2, 12), st.data())
def test_gershgorin_is_attained_by_equal_angles(s, data):
    # s atoms with all products -mu (below) or mu (above): eigenvalues 1 -+ (s - 1) mu.
    mu = data.draw(st.floats(0.001, 0.999)) / (s - 1)
    for sign in (-1, 1):
        gram = (1 - sign * mu) * np.eye(s) + sign * mu
        atoms = np.linalg.cholesky(gram)
        # A copy beside it, so that the bound does not rest on the singular values alone.
        double = np.kron(np.eye(2), atoms)
        isometry = theory.restricted_isometry(double, s, max_supports=1)
        radius = 1e-12 + 1e-14 / (1 - (s - 1) * mu)
        if sign < 0:
            assert isometry.lower == pytest.approx(1 - (s - 1) * mu, abs=radius)
        else:
            assert isometry.upper == pytest.approx(1 + (s - 1) * mu, abs=radius)
