"""Claims on I + D as printed in the paper, refuted by the smallest counterexamples.

"ResNet through Deep Multi-Layer Sparse Coding", sections 1.4 and 1.5. Each test shows
that the printed claim fails and that the corrected statement covers the same matrix.
"""

import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory


def rank(matrix):
    return theory.numerical_rank(matrix)


def plus_identity(matrix):
    matrix = np.asarray(matrix, dtype=float)
    return np.eye(len(matrix)) + matrix


def test_a1_full_rank_is_not_inherited():
    # "rank(D) = n => rank(I + D) = n".
    d = -np.eye(3)
    assert rank(d) == 3 and rank(plus_identity(d)) == 0
    assert not theory.residual_bounds("identity", d).rank_guaranteed


@pytest.mark.parametrize(("diagonal", "after"), [((-1, 0), 1), ((-1, -1, 0), 1)])
def test_a2_rank_need_not_rise(diagonal, after):
    # "0 < rank(D) < n => rank(I + D) > rank(D)", and even ">=".
    d = np.diag(np.array(diagonal, dtype=float))
    before, n = -sum(diagonal), len(diagonal)
    assert 0 < rank(d) == before < n
    assert rank(plus_identity(d)) == after <= before
    assert theory.residual_bounds("identity", d).rank_lower == n - before == after


def test_a2_number_of_zero_eigenvalues_may_rise():
    d = np.diag([-1.0, -1, 0])
    zeros = [np.count_nonzero(np.linalg.eigvals(m) == 0) for m in (d, plus_identity(d))]
    assert zeros == [1, 2]


@pytest.mark.parametrize("d", [np.diag([-1.0, 0]), np.array([[0, 2.0], [0, 0]])])
def test_a3_lower_half_pairs_the_wrong_indices(d):
    # "1 - sigma_i(D) <= sigma_i(I + D) <= 1 + sigma_i(D)".
    sigma_d = theory.singular_spectrum(d)
    sigma = theory.singular_spectrum(plus_identity(d))
    assert (1 - sigma_d > sigma + 1e-3).any()
    assert (sigma <= 1 + sigma_d + 1e-15).all()
    intervals = theory.residual_bounds("identity", d).sigma_intervals
    assert (sigma >= intervals[:, 0] - 1e-15).all()


def test_a4_condition_number_may_become_infinite():
    # "kappa(D) >> kappa(I + D)".
    d = np.diag([1.0, -1])
    assert theory.condition_number(d) == 1
    assert theory.condition_number(plus_identity(d)) == math.inf
    assert theory.residual_bounds("identity", d).condition_number_bound == math.inf


def test_a5_energy_may_spread():
    # "I + D concentrates energy in fewer dimensions".
    d = np.diag([0.1, 0])
    assert theory.participation_ratio(d) == 1
    assert theory.participation_ratio(plus_identity(d)) > 1.9
    assert theory.effective_rank(plus_identity(d)) > 1.9
    # Nor does it always spread: eps Q has all n directions, as I + D nearly has.
    q = 0.1 * np.array([[0, 1.0], [1, 0]])
    assert theory.participation_ratio(q) == pytest.approx(2)
    assert theory.participation_ratio(plus_identity(q)) < 2


def test_a6_structure_may_fill():
    # "D_resnet has a higher structural sparsity".
    d = np.zeros((3, 3))
    assert np.count_nonzero(plus_identity(d)) == 3 > np.count_nonzero(d)
    assert theory.residual_bounds("identity", d).n_nonzero_entries == 3


def test_c2_misprint_admits_no_code():
    # "lambda < 1 / (1 + mu)" leaves only sparsity 0; the theorem leaves more.
    mu = 0.2
    assert 1 / (1 + mu) < 1
    assert theory.sparsity_from_coherence(mu, 10) == 2
