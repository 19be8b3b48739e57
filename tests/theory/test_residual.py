"""Residual bounds: closed forms, preconditions at their edge, refusals, sentences."""

import json
import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory


def with_norm(shape, norm, seed=0):
    matrix = np.random.default_rng(seed).standard_normal(shape)
    return matrix * (norm / np.linalg.norm(matrix, 2))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_identity_closed_forms(dtype):
    rho, n = 0.5, 6
    residual = with_norm((n, n), rho).astype(dtype)
    bounds = theory.residual_bounds("identity", residual)
    rel = 1e-14 if dtype is np.float64 else 1e-6
    assert bounds.relative_norm == bounds.residual_norm == pytest.approx(rho, rel=rel)
    assert (bounds.sigma_lower, bounds.sigma_upper) == pytest.approx((0.5, 1.5), rel=rel)
    assert bounds.condition_number_bound == pytest.approx(3, rel=rel)
    assert bounds.participation_ratio_bound == pytest.approx(n * (0.75 / 1.25) ** 2, rel=rel)
    assert bounds.coherence_bound <= 0.8 + 1e-6
    assert bounds.rank_guaranteed and bounds.rank_lower == n
    assert bounds.identity and bounds.n_nonzero_entries == n * n


def test_what_rho_certifies():
    # rho = .9 certifies one atom by coherence; two need rho < 3 - 2 sqrt(2) = .1716.
    swap = np.array([[0, 1.0], [1, 0]])
    certified = {}
    for rho in (0.9, 0.172, 0.171):
        mu = 2 * rho / (1 + rho**2)
        certified[rho] = theory.sparsity_from_coherence(mu, 10)
        bounds = theory.residual_bounds("identity", rho * swap)
        assert bounds.coherence_bound <= mu + 1e-15
    assert certified == {0.9: 1, 0.172: 1, 0.171: 2}


def test_norm_of_one_is_not_below_one():
    residual = -np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    for scale in (1, 1 - 1e-16):  # the second is not distinguished from 1 by any decomposition
        bounds = theory.residual_bounds(np.eye(5)[::-1].copy(), scale * residual)
        assert not bounds.rank_guaranteed
        assert bounds.condition_number_bound == math.inf
        assert bounds.participation_ratio_bound == 0
        assert bounds.coherence_bound == 1 and bounds.coherence_theorem is None
        assert bounds.n_nonzero == 0
    assert theory.residual_bounds("identity", (1 - 1e-9) * residual).rank_guaranteed


def test_numerical_range_beyond_rho_one():
    # A large skew part cannot make I + R singular.
    residual = np.array([[0, 5.0], [-5, 0]])
    bounds = theory.residual_bounds("identity", residual)
    assert bounds.relative_norm == pytest.approx(5)
    assert bounds.rank_guaranteed and bounds.numerical_range_lower == pytest.approx(1)
    assert bounds.sigma_lower == pytest.approx(1) and bounds.sigma_upper == pytest.approx(6)
    assert bounds.condition_number_bound == pytest.approx(6)
    assert "A1, lambda_min((R + R^T)/2) > -1" in str(bounds)
    # An array that is the identity is the identity; another basis is not.
    assert theory.residual_bounds(np.eye(2), residual) == bounds
    other = theory.residual_bounds(np.eye(2)[::-1].copy(), residual)
    assert not other.rank_guaranteed and other.numerical_range_lower is None


@pytest.mark.parametrize("key", ["A1", "A2", "A2a", "A2b", "A3", "A4", "A6"])
def test_bounds_cover_the_counterexamples(key):
    # What refutes the paper's claim is within the corrected bounds.
    residual = theory.claims()[key].counterexample["D"]
    bounds = theory.residual_bounds("identity", residual)
    total = np.eye(len(residual)) + residual
    sigma = theory.singular_spectrum(total)
    assert theory.numerical_rank(total) >= bounds.rank_lower
    assert (sigma >= bounds.sigma_intervals[:, 0] - 1e-15).all()
    assert (sigma <= bounds.sigma_intervals[:, 1] + 1e-15).all()
    assert bounds.n_nonzero_entries == np.count_nonzero(total)
    if theory.condition_number(total) == math.inf:
        assert not bounds.rank_guaranteed and bounds.condition_number_bound == math.inf


def test_padded_identity():
    # Fewer atoms than features: A3 and A7 as they stand.
    residual = with_norm((3, 7), 0.5)
    bounds = theory.residual_bounds("identity", residual)
    assert bounds.identity and bounds.condition_number_bound == pytest.approx(3)
    assert bounds.coherence_bound <= 0.8 + 1e-14
    assert "linearly independent" in str(bounds)


def test_tight_frame():
    # Four unit atoms in the plane, sigma = sqrt(2): kappa as for the identity, but no A7.
    angles = np.arange(4) * np.pi / 4
    frame = np.column_stack([np.cos(angles), np.sin(angles)])
    residual = with_norm((4, 2), 0.5 * math.sqrt(2))
    bounds = theory.residual_bounds(frame, residual)
    assert bounds.relative_norm == pytest.approx(0.5)
    assert bounds.condition_number_bound == pytest.approx(3)
    assert bounds.n_nonzero_entries is None
    assert "linearly independent" not in str(bounds)
    # arccos(mu) is 45 degrees, and atoms that move by half their length can meet.
    assert bounds.coherence_theorem is None and "coherence is not certified" in str(bounds)
    small = theory.residual_bounds(frame, 1e-3 * residual)
    assert small.coherence_theorem == "A8" and small.n_nonzero == 1


def test_wielandt_needs_independent_atoms():
    # Two atoms on a line: kappa is 1, the coherence nevertheless 1.
    bounds = theory.residual_bounds(np.ones((2, 1)), np.zeros((2, 1)))
    assert bounds.condition_number_bound == 1
    assert bounds.coherence_bound == 1 and bounds.coherence_theorem is None


def test_rank_deficient_shortcut_is_not_certified():
    shortcut = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]]) * 1.0
    bounds = theory.residual_bounds(shortcut, 1e-3 * np.eye(3))
    assert bounds.relative_norm == math.inf and not bounds.rank_guaranteed
    assert bounds.rank_lower == 2
    assert "the shortcut is not of full rank" in str(bounds)
    assert "Full rank is not certified; the rank is at least 2" in str(bounds)
    zero = theory.residual_bounds(shortcut, np.zeros((3, 3)))
    assert not zero.rank_guaranteed


def test_zero_residual():
    bounds = theory.residual_bounds("identity", np.zeros((3, 3)))
    assert (bounds.condition_number_bound, bounds.coherence_bound, bounds.n_nonzero) == (1, 0, 3)
    assert bounds.participation_ratio_bound == 3 and bounds.energy == 3


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scale(scale):
    shortcut, residual = np.linalg.qr(with_norm((5, 5), 1))[0], with_norm((5, 5), 0.5, seed=1)
    one = theory.residual_bounds(shortcut, residual)
    other = theory.residual_bounds(scale * shortcut, scale * residual)
    for name in ("relative_norm", "condition_number_bound", "coherence_bound"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-13)
    assert other.sigma_upper == pytest.approx(scale * one.sigma_upper, rel=1e-13)
    huge = theory.residual_bounds(shortcut / 1e200, 1e200 * residual)
    assert huge.relative_norm == math.inf and not huge.rank_guaranteed
    assert theory.residual_bounds("identity", residual / 1e300).coherence_bound < 1e-15


def test_refusals():
    with pytest.raises(ValueError, match=r"one shape; got \(2, 2\) and \(2, 3\)"):
        theory.residual_bounds(np.eye(2), np.ones((2, 3)))
    with pytest.raises(
        ValueError, match="needs n_components <= n_features; the residual has 3 > 2"
    ):
        theory.residual_bounds("identity", np.ones((3, 2)))
    with pytest.raises(ValueError, match="shortcut must be \"identity\" or an array; got 'dct'"):
        theory.residual_bounds("dct", np.eye(2))


def test_sentences_and_json():
    bounds = theory.residual_bounds("identity", np.array([[0, 0.75], [0.75, 0]]))
    assert str(bounds) == (
        "Shortcut plus residual, I + R, 2 atoms in 2 dimensions: "
        "||R||_2 = 0.75 = 0.75 sigma_min(shortcut).\n"
        "Full rank 2 is certain (A1, rho < 1).\n"
        "Singular values lie in [0.25, 1.75] (A3, Weyl).\n"
        "The condition number is at most 7 (A4), "
        "the participation ratio at least 0.1568 of 2 (A5, Kantorovich).\n"
        "The coherence is at most 0.96 (A7, Wielandt), "
        "which makes codes of at most 1 atom unique.\n"
        "The atoms are linearly independent: every code is unique, whatever mu says."
    )
    fields = json.loads(json.dumps(bounds.to_dict(), allow_nan=False))
    assert fields["sigma_intervals"] == pytest.approx(np.array([[0.25, 1.75]] * 2))
    with pytest.raises(ValueError, match="read-only"):
        bounds.sigma_intervals[0] = 0
