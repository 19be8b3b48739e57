"""Uniqueness and exact recovery: strict inequalities at their boundaries, known dictionaries."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from sklearn_resnet_sc import theory


@pytest.mark.parametrize("n_nonzero", range(1, 200))
def test_strict_at_the_boundary(n_nonzero):
    # mu = 1 / (2s - 1) is where s < (1 + 1/mu)/2 just fails for s.
    mu = 1 / (2 * n_nonzero - 1)
    assert theory.sparsity_from_coherence(mu, 1000) == n_nonzero - 1
    for near in (math.nextafter(mu, 0), min(1.0, math.nextafter(mu, 1))):
        assert theory.sparsity_from_coherence(near, 1000) == n_nonzero - 1
    assert theory.sparsity_from_coherence(mu * (1 - 1e-12), 1000) == n_nonzero


def test_against_rational_arithmetic():
    for mu in np.random.default_rng(0).uniform(0.001, 1, 300):
        limit = (1 + 1 / Fraction(mu)) / 2
        assert theory.sparsity_from_coherence(mu, 10_000) == math.ceil(limit) - 1


@pytest.mark.parametrize("mu", [0, 0.0, 5e-324, 1e-300])
def test_coherence_zero_certifies_all(mu):
    assert theory.sparsity_from_coherence(mu, 12) == 12


def simplex(n):
    """n + 1 unit atoms in n dimensions with all products -1/n."""
    vertices = np.eye(n + 1) - 1 / (n + 1)
    return vertices @ np.linalg.svd(vertices)[2][:n].T


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 9])
def test_simplex_at_the_boundary(n, dtype):
    # spark = n + 1, so codes with s non-zeros are unique exactly for 2s < n + 1;
    # mu = 1/n, however rounded, says the same.
    bound = theory.uniqueness_bound(simplex(n).astype(dtype))
    assert bound.by_coherence == bound.by_babel == math.ceil((n + 1) / 2) - 1
    assert not bound.independent and bound.n_nonzero == bound.by_babel


def test_boundary_survives_rounding_of_float32():
    # Two atoms at cosine 1/3, which is measured now above, now below.
    measured = []
    for length in np.linspace(0.5, 2, 100):
        dictionary = np.array([[1, 0], [length / 3, math.sqrt(8) * length / 3]], dtype=np.float32)
        bound = theory.uniqueness_bound(dictionary)
        assert bound.by_coherence == 1
        measured.append(bound.coherence)
    assert min(measured) < 1 / 3 - 1e-8 and max(measured) > 1 / 3 + 1e-8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_orthogonal(dtype):
    basis = np.linalg.qr(np.random.default_rng(0).standard_normal((30, 30)))[0]
    bound = theory.uniqueness_bound(basis.astype(dtype))
    assert bound.by_coherence == bound.by_babel == bound.n_nonzero == 30


def test_square_invertible_whatever_mu_says():
    dictionary = np.array([[1, 0], [1, 1e-3]])
    bound = theory.uniqueness_bound(dictionary)
    assert bound.coherence > 0.999
    assert (bound.by_coherence, bound.independent, bound.n_nonzero) == (1, True, 2)
    assert str(bound).startswith("The dictionary is square and invertible: every code is unique")
    fewer = theory.uniqueness_bound(np.column_stack([dictionary, [0, 0]]))
    assert str(fewer).startswith("The atoms are independent: every code is unique")


@pytest.mark.parametrize("n_planes", [3, 40])
def test_babel_reaches_further(n_planes):
    # Orthogonal planes with two atoms at cosine .4 in each; 40 need orders beyond the first 64.
    c = 0.4
    block = np.array([[1, 0], [c, math.sqrt(1 - c**2)]])
    bound = theory.uniqueness_bound(np.kron(np.eye(n_planes), block))
    # (2s-1) .4 < 1 gives 1; mu_1(s-1) + mu_1(s) = .8 < 1 for every s from 2 on.
    assert (bound.by_coherence, bound.by_babel) == (1, 2 * n_planes)


def test_large_order_is_found():
    # An orthonormal basis of 300 and a duplicate-free extra atom of small products.
    n = 300
    extra = np.ones((1, n)) / math.sqrt(n)
    bound = theory.uniqueness_bound(np.vstack([np.eye(n), extra]))
    # The extra atom shares s / sqrt(n) with s others: s - 1 + s < sqrt(300) = 17.3.
    assert bound.by_babel == bound.by_coherence == 9


def test_not_certified_is_said():
    bound = theory.uniqueness_bound([[1, 0], [2, 0], [0, 1]])
    assert bound.n_nonzero == 0
    assert "not certified for any sparsity (mu = 1)" in str(bound)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scale(scale):
    dictionary = simplex(5)
    bound = theory.uniqueness_bound(scale * dictionary)
    assert bound.coherence == pytest.approx(0.2) and bound.n_nonzero == 2
    condition = theory.exact_recovery_condition(scale * dictionary, [0, 1])
    assert condition.coefficient == pytest.approx(
        theory.exact_recovery_condition(dictionary, [0, 1]).coefficient
    )


def test_exact_recovery_closed_form():
    dictionary = np.array([[1, 0, 0], [0, 1, 0], [0.6, 0.64, 0.48]])
    condition = theory.exact_recovery_condition(dictionary, [1, 0])
    assert condition.coefficient == pytest.approx(1.24)
    assert not condition.holds and "Not certified" in str(condition)
    mask = theory.exact_recovery_condition(dictionary, [True, False, False])
    assert mask.coefficient == pytest.approx(0.6)
    assert mask.holds and "OMP and basis pursuit find every code" in str(mask)
    assert mask.to_dict() == {"coefficient": mask.coefficient, "n_nonzero": 1}


def test_exact_recovery_uses_raw_lengths():
    dictionary = np.array([[1, 0], [0, 1], [1.2, 1.6]])
    assert theory.exact_recovery_condition(dictionary, [0]).coefficient == pytest.approx(1.2)


def test_exact_recovery_degenerate_supports():
    dictionary = np.array([[1, 0], [2, 0], [0, 1]])
    assert theory.exact_recovery_condition(dictionary, [0, 1]).coefficient == math.inf
    assert theory.exact_recovery_condition(dictionary, [0, 1, 2]).coefficient == math.inf
    assert theory.exact_recovery_condition(np.eye(3), [0, 1, 2]).coefficient == 0
    lengths = np.array([[1e-200], [1.0], [1e200]])
    apart = theory.exact_recovery_condition(lengths * [[1, 0], [0, 1], [0.6, 0.8]], [0, 1])
    assert not apart.holds
    assert json.dumps(apart.to_dict(), allow_nan=False)
