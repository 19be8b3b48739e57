"""The theorems on shortcut + residual, A1 to A8, on random and degenerate matrices."""

import json
import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from sklearn_resnet_sc import theory

from .strategies import (
    dictionaries,
    eighths,
    exact_rank,
    law,
    rounding,
    seeds,
    square_matrices,
)

EPS = np.finfo(np.float64).eps


def sum_of(residual):
    """I + R in float64, without loss."""
    return np.eye(len(residual)) + residual.astype(np.float64)


@law
@given(eighths())
def test_certain_rank_is_the_exact_rank(residual):
    # A1 and A2 against rational arithmetic: I + R is exact in eighths.
    bounds = theory.residual_bounds("identity", residual)
    exact = exact_rank(np.eye(len(residual)) + residual)
    assert bounds.rank_lower <= exact
    if bounds.rank_guaranteed:
        assert exact == len(residual)


@law
@given(eighths())
def test_rank_of_sum_at_least_n_minus_rank(residual):
    # A2, and our sharper form is never below it.
    n = len(residual)
    assert exact_rank(np.eye(n) + residual) >= n - exact_rank(residual)
    assert theory.residual_bounds("identity", residual).rank_lower >= n - exact_rank(residual)


@given(st.integers(1, 40), st.data())
def test_rank_bound_is_sharp(n, data):
    # A2: minus a projection of rank r leaves exactly n - r.
    r = data.draw(st.integers(0, n))
    residual = -np.diag(np.arange(n) < r).astype(float)
    bounds = theory.residual_bounds("identity", residual)
    assert bounds.rank_lower == n - r == exact_rank(np.eye(n) + residual)
    assert bounds.rank_guaranteed == (r == 0)


@law
@given(square_matrices())
def test_numerical_range_bounds_the_smallest_singular_value(residual):
    # A1: ||(I + R) x|| >= x^T (I + R) x >= 1 + lambda_min.
    bounds = theory.residual_bounds("identity", residual)
    smallest = np.linalg.svd(sum_of(residual), compute_uv=False)[-1]
    scale = bounds.sigma_upper * rounding(sum_of(residual))
    assert smallest >= bounds.numerical_range_lower - scale
    assert bounds.numerical_range_lower >= 1 - bounds.residual_norm - scale


@law
@given(square_matrices())
def test_weyl_contains_every_singular_value(residual):
    # A3, index by index as in Horn and Johnson.
    bounds = theory.residual_bounds("identity", residual)
    sigma = np.linalg.svd(sum_of(residual), compute_uv=False)
    sigma_r = np.linalg.svd(residual.astype(np.float64), compute_uv=False)
    slack = rounding(sum_of(residual)) * bounds.sigma_upper
    assert (sigma >= bounds.sigma_intervals[:, 0] - slack).all()
    assert (sigma <= bounds.sigma_intervals[:, 1] + slack).all()
    np.testing.assert_allclose(bounds.sigma_intervals[:, 1], 1 + sigma_r, atol=slack)
    assert (bounds.sigma_intervals[:, 0] >= 1 - sigma_r[::-1] - slack).all()
    assert (np.abs(sigma - 1) <= bounds.residual_norm + slack).all()


@law
@given(square_matrices(max_norm=0.999))
def test_conditioning_and_participation_below_one(residual):
    # A4 and A5, in the closed forms of rho.
    n = len(residual)
    rho = np.linalg.norm(residual.astype(np.float64), 2)
    bounds = theory.residual_bounds("identity", residual)
    total = sum_of(residual)
    assert bounds.rank_guaranteed
    kappa = (1 + rho) / (1 - rho)
    relative = rounding(total) * kappa
    np.testing.assert_allclose(bounds.condition_number_bound, kappa, rtol=relative)
    assert theory.condition_number(total) <= kappa * (1 + relative)
    ratio = n * ((1 - rho**2) / (1 + rho**2)) ** 2
    np.testing.assert_allclose(bounds.participation_ratio_bound, ratio, rtol=2 * relative)
    assert theory.participation_ratio(total) >= ratio * (1 - rounding(total))


@law
@given(square_matrices())
def test_energy_identity(residual):
    # A5: ||I + R||_F^2 = n + 2 tr R + ||R||_F^2.
    wide = residual.astype(np.float64)
    energy = len(wide) + 2 * np.trace(wide) + (wide**2).sum()
    got = theory.residual_bounds("identity", residual).energy
    assert abs(got - energy) <= rounding(wide) * (len(wide) + (wide**2).sum())


@law
@given(eighths())
def test_structural_sparsity_identity(residual):
    # A6 exactly.
    diagonal = np.diag(residual)
    expected = np.count_nonzero(residual) + (diagonal == 0).sum() - (diagonal == -1).sum()
    assert theory.residual_bounds("identity", residual).n_nonzero_entries == expected


@law
@given(square_matrices(max_norm=0.999))
def test_coherence_bound_of_wielandt(residual):
    # A7: mu(I + R) <= 2 rho / (1 + rho^2); our bound is the better of A7 and A8.
    rho = np.linalg.norm(residual.astype(np.float64), 2)
    bounds = theory.residual_bounds("identity", residual)
    mu = theory.mutual_coherence(sum_of(residual))
    slack = rounding(sum_of(residual))
    assert mu <= bounds.coherence_bound + slack
    assert bounds.coherence_bound <= 2 * rho / (1 + rho**2) + slack
    if rho > 1e-6:
        limit = (1 + rho) ** 2 / (4 * rho)
        assert bounds.n_nonzero >= min(len(residual), math.ceil(limit * (1 - 1e-9)) - 1)


@law
@given(st.floats(0.5, 0.999))
def test_coherence_bound_of_wielandt_is_attained(rho):
    residual = np.array([[0, rho], [rho, 0]])
    bounds = theory.residual_bounds("identity", residual)
    mu = theory.mutual_coherence(sum_of(residual))
    assert abs(mu - 2 * rho / (1 + rho**2)) <= 4 * EPS
    if rho > math.sqrt(0.5):  # below, the angles of A8 know more
        assert bounds.coherence_theorem == "A7"
    assert mu <= bounds.coherence_bound + 4 * EPS


@st.composite
def shortcut_and_residual(draw):
    """Any shape and atom lengths; the residual below sigma_min, as far as there is one."""
    shortcut = draw(dictionaries())
    rng = np.random.default_rng(draw(seeds))
    residual = rng.standard_normal(shortcut.shape)
    if draw(st.booleans()):  # one direction takes it all
        residual = np.outer(residual[:, 0], residual[0])
    left, sigma, right = np.linalg.svd(shortcut.astype(np.float64), full_matrices=False)
    if draw(st.booleans()):  # the worst: along the smallest singular direction of P
        residual = -np.outer(left[:, -1], right[-1])
    rho = draw(st.floats(0, 0.99))
    residual *= rho * sigma[-1] / max(np.linalg.norm(residual, 2), 1e-300)
    return shortcut, residual.astype(shortcut.dtype)


@law
@given(shortcut_and_residual())
def test_any_shortcut(pair):
    # A8: singular values, rank, condition number, participation ratio, coherence.
    shortcut, residual = pair
    bounds = theory.residual_bounds(shortcut, residual)
    total = shortcut.astype(np.float64) + residual.astype(np.float64)
    sigma = np.linalg.svd(total, compute_uv=False)
    sigma_p = np.linalg.svd(shortcut.astype(np.float64), compute_uv=False)
    slack = rounding(total) * bounds.sigma_upper
    size = bounds.residual_norm
    assert (np.abs(sigma - sigma_p) <= size + slack).all()
    assert (sigma >= bounds.sigma_intervals[:, 0] - slack).all()
    assert (sigma <= bounds.sigma_intervals[:, 1] + slack).all()
    assert (bounds.sigma_intervals[:, 0] >= sigma_p - size - slack).all()
    assert (bounds.sigma_intervals[:, 1] <= sigma_p + size + slack).all()
    assert theory.numerical_rank(total) >= bounds.rank_lower
    if bounds.rank_guaranteed:
        kappa = bounds.condition_number_bound
        assert sigma[0] / sigma[-1] <= kappa * (1 + rounding(total) * kappa)
        expected = (sigma_p[0] + size) / (sigma_p[-1] - size)
        np.testing.assert_allclose(kappa, expected, rtol=rounding(total) * kappa)
        ratio = bounds.participation_ratio_bound
        assert theory.participation_ratio(total) >= ratio * (1 - rounding(total))
    elif bounds.relative_norm < 0.99:
        # Only rounding may stand between rho < 1 and a certificate.
        assert sigma_p[-1] <= 1000 * slack
    if total.any(axis=1).all():
        assert theory.mutual_coherence(total) <= bounds.coherence_bound + rounding(total)


@law
@given(st.floats(0.1, math.pi / 2), st.floats(0.01, 0.95), st.floats(0.1, 10))
def test_angle_bound_is_attained(angle, share, length):
    # A8: two atoms turned towards each other, each by arcsin(delta), in their plane.
    turn = share * angle / 2
    directions = np.array([[1, 0], [math.cos(angle), math.sin(angle)]])
    turned = np.array([turn, angle - turn])
    turned = math.cos(turn) * np.column_stack([np.cos(turned), np.sin(turned)])
    shortcut = length * directions
    residual = length * (turned - directions)
    bounds = theory.residual_bounds(shortcut, residual)
    mu = theory.mutual_coherence(shortcut + residual)
    assert abs(mu - math.cos(angle - 2 * turn)) <= 16 * EPS
    # delta comes from differences of numbers near 1.
    assert bounds.coherence_bound <= mu + 64 * EPS
    assert mu <= bounds.coherence_bound + 64 * EPS


@law
@given(shortcut_and_residual())
def test_certificate_of_unit_atoms(pair):
    shortcut, residual = pair
    total = shortcut.astype(np.float64) + residual.astype(np.float64)
    lengths = np.linalg.norm(total, axis=1)
    assume(lengths.min() > 1e-3 * lengths.max())
    certificate = theory.residual_certificate(shortcut, residual)
    bound = certificate.components_condition_number_bound
    components = total / lengths[:, None]
    if certificate.certified:
        # To the accuracy of the smallest singular value.
        slack = 1 + rounding(total) * bound
        assert np.linalg.cond(components) <= bound * slack
        expected = certificate.bounds.condition_number_bound * lengths.max() / lengths.min()
        np.testing.assert_allclose(bound, expected, rtol=rounding(total))
    else:
        assert bound == math.inf
    mu = theory.mutual_coherence(components)
    assert abs(certificate.coherence - mu) <= rounding(residual)
    json.dumps(certificate.to_dict(), allow_nan=False)
