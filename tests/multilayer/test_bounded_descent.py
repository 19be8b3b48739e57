"""Quadratics of a matrix within a bound: laws, and how near to the optimum few steps come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from sklearn_resnet_sc.learning._bounded import solve_bounded
from sklearn_resnet_sc.multilayer._bounded_descent import clip_singular_values, descend_within


def problem(seed, kind):
    """Codes, the signals they are to make with ``I + R``, a bound, and where to begin."""
    rng = np.random.default_rng(seed)
    n, n_samples = rng.integers(1, 24), rng.integers(1, 80)
    codes = rng.standard_normal((n_samples, n))
    if kind == "unequal":
        codes *= 10.0 ** rng.uniform(-3, 0, n)
    if kind == "sparse":
        codes *= rng.random((n_samples, n)) < 0.15
    truth = np.eye(n) + rng.choice([0.3, 1, 5]) * rng.standard_normal((n, n)) / np.sqrt(n)
    X = codes @ truth + 0.1 * rng.standard_normal((n_samples, n))
    bound = float(rng.choice([0.1, 0.5, 0.9]))
    start = clip_singular_values(rng.choice([0, 1]) * rng.standard_normal((n, n)), bound)
    return codes, X, bound, start


KINDS = ["equal", "unequal", "sparse"]


def loss(codes, X, residual):
    return 0.5 * np.sum((X - codes - codes @ residual) ** 2)


def descended(codes, X, bound, start):
    gram = codes.T @ codes
    slope = gram @ start - codes.T @ (X - codes)
    return descend_within(gram, slope, start, bound)


@given(seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(KINDS), bounded=st.booleans())
def test_no_rise_and_within_the_bound(seed, kind, bounded):
    codes, X, bound, start = problem(seed, kind)
    new = descended(codes, X, bound if bounded else None, start)
    assert loss(codes, X, new) <= loss(codes, X, start) * (1 + 1e-12)
    if bounded:
        assert np.linalg.norm(new, 2) <= bound * (1 + 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_few_steps_gain_nearly_all(kind):
    """Of what the optimum gains, which a solver to a duality gap finds."""
    shares = []
    for seed in range(50):
        codes, X, bound, start = problem(seed, kind)
        energy, n = np.sum(X**2), codes.shape[1]
        gram, cross = codes.T @ codes, codes.T @ X
        best = solve_bounded(gram, cross, np.eye(n), bound, start, energy=energy, tol=1e-7)
        begin, least = loss(codes, X, start), loss(codes, X, best.residual)
        if begin - least > 1e-6 * energy:
            reached = loss(codes, X, descended(codes, X, bound, start))
            shares.append((begin - reached) / (begin - least))
    assert len(shares) > 40
    assert min(shares) > 0.75 and np.quantile(shares, 0.1) > 0.95


def test_equal_curvatures_have_a_closed_form():
    """Least squares of an orthonormal basis: the nearest matrix within the bound."""
    rng = np.random.default_rng(0)
    goal, start = rng.standard_normal((2, 12, 12))
    start = clip_singular_values(start, 0.5)
    left, values, right = np.linalg.svd(goal)
    nearest = left @ np.diag(np.minimum(values, 0.5)) @ right
    assert_allclose(clip_singular_values(goal, 0.5), nearest, atol=1e-12)
    new = descend_within(np.eye(12), start - goal, start, 0.5)
    distance = np.linalg.norm(nearest - goal) ** 2
    assert np.linalg.norm(new - goal) ** 2 < distance + 1e-3 * np.linalg.norm(start - goal) ** 2


def test_nothing_to_learn_from():
    start = 0.1 * np.eye(3)
    zeros = np.zeros((3, 3))
    assert descend_within(zeros, zeros, start, 0.5) is start
    assert descend_within(np.eye(3), zeros, start, 0.5) is start
