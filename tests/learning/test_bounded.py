"""The constrained least squares solver: closed forms, brute force, generic solvers, optimality."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import brentq, minimize

from sklearn_resnet_sc.learning._bounded import (
    clip_singular_values,
    keep_within,
    solve_bounded,
)


def by_svd(matrix, limit):
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return (left * np.minimum(values, limit)) @ right


class Problem:
    """Signals, codes and a shortcut at random; popularity of atoms spread by `spread`."""

    def __init__(self, seed, n_samples, n_features, n_components, rho, spread=0.0, noise=1.0):
        rng = np.random.default_rng(seed)
        self.code = rng.standard_normal((n_samples, n_components))
        self.code *= (rng.random(n_components) + 1e-3) ** spread
        self.code[rng.random(self.code.shape) < 0.5] = 0
        self.shortcut = rng.standard_normal((n_components, n_features))
        self.shortcut /= np.linalg.norm(self.shortcut, axis=1, keepdims=True)
        truth = self.shortcut + rng.standard_normal(self.shortcut.shape)
        self.X = self.code @ truth + noise * rng.standard_normal((n_samples, n_features))
        self.limit = rho * np.linalg.svd(self.shortcut, compute_uv=False)[-1]
        self.start = clip_singular_values(rng.standard_normal(self.shortcut.shape), self.limit)
        self.gram, self.cross = self.code.T @ self.code, self.code.T @ self.X
        self.energy = np.sum(self.X**2)

    def objective(self, residual):
        return 0.5 * np.sum((self.X - self.code @ (self.shortcut + residual)) ** 2)

    def gradient(self, residual):
        return self.gram @ (self.shortcut + residual) - self.cross

    def solve(self, **options):
        return solve_bounded(
            self.gram,
            self.cross,
            self.shortcut,
            self.limit,
            self.start,
            energy=self.energy,
            **options,
        )


SHAPES = [(40, 4, 4), (40, 3, 6), (40, 6, 3), (3, 5, 5), (2, 3, 8), (30, 1, 5), (30, 5, 1)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("rho", [0.1, 0.9])
def test_reaches_what_many_steps_of_projected_gradient_reach(shape, rho):
    # The oracle shares no code with the solver: fixed steps, singular values by SVD.
    problem = Problem(0, *shape, rho)
    step = 1 / np.linalg.eigvalsh(problem.gram)[-1]
    reference = problem.start
    for _ in range(5000):
        reference = by_svd(reference - step * problem.gradient(reference), problem.limit)
    solution = problem.solve(tol=1e-9)
    assert solution.converged
    assert np.linalg.norm(solution.residual, 2) <= problem.limit * (1 + 1e-12)
    best = problem.objective(reference)
    assert problem.objective(solution.residual) <= best * (1 + 1e-8) + 1e-9 * problem.energy


@pytest.mark.parametrize("seed", range(5))
def test_two_by_two_agrees_with_a_generic_solver(seed):
    # Every 2 x 2 matrix within the bound is turn(a) diag(limit sin p, limit sin q) turn(b):
    # a smooth function of four angles, minimised by BFGS from several starts.
    problem = Problem(seed, 20, 2, 2, 0.5)

    def turn(angle):
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])

    def value(angles):
        left, first, second, right = angles
        middle = problem.limit * np.diag([np.sin(first), np.sin(second)])
        return problem.objective(turn(left) @ middle @ turn(right)) / problem.energy

    rng = np.random.default_rng(0)
    generic = min(minimize(value, rng.uniform(-3, 3, 4), method="BFGS").fun for _ in range(6))
    found = problem.objective(problem.solve(tol=1e-10).residual) / problem.energy
    assert abs(found - generic) <= 1e-8


@pytest.mark.parametrize("rho", [0.2, 0.9])
def test_one_feature_is_ridge_regression(rho):
    # With one column the bound is on its length: the solution is a ridge solution whose
    # penalty follows from the length (the secular equation).
    problem = Problem(1, 30, 1, 6, rho)
    right = problem.cross - problem.gram @ problem.shortcut

    def ridge(penalty):
        return np.linalg.solve(problem.gram + penalty * np.eye(6), right)

    penalty = brentq(lambda p: np.linalg.norm(ridge(p)) - problem.limit, 0, 1e6, xtol=1e-13)
    np.testing.assert_allclose(problem.solve(tol=1e-13).residual, ridge(penalty), atol=1e-6)


def test_orthonormal_codes_need_one_clip():
    # Then the objective is the squared distance to a matrix: its projection solves it.
    rng = np.random.default_rng(0)
    target = rng.standard_normal((5, 4))
    solution = solve_bounded(
        np.eye(5), target, np.zeros((5, 4)), 0.7, np.zeros((5, 4)), energy=np.sum(target**2),
        tol=1e-12,
    )  # fmt: skip
    np.testing.assert_allclose(solution.residual, by_svd(target, 0.7), atol=1e-6)


@pytest.mark.parametrize("shape", [(60, 5, 5), (60, 4, 7), (60, 7, 4)], ids=str)
def test_first_order_conditions(shape):
    """``grad = -R M`` with M positive semidefinite, zero where singular values are inside."""
    problem = Problem(2, *shape, 0.8)
    residual = problem.solve(tol=1e-13, max_iter=20000).residual
    gradient = problem.gradient(residual)
    multiplier = -residual.T @ gradient / problem.limit**2
    size = np.linalg.norm(gradient)
    np.testing.assert_allclose(multiplier, multiplier.T, atol=1e-4 * size)
    assert np.linalg.eigvalsh((multiplier + multiplier.T) / 2)[0] >= -1e-4 * size
    np.testing.assert_allclose(gradient, -residual @ multiplier, atol=1e-4 * size)


@pytest.mark.parametrize("tol", [1e-2, 1e-5, 1e-8])
def test_the_gap_bounds_the_distance_to_the_optimum(tol):
    problem = Problem(3, 50, 6, 9, 0.9, spread=3)
    optimum = problem.objective(problem.solve(tol=1e-12, max_iter=20000).residual)
    solution = problem.solve(tol=tol)
    value = problem.objective(solution.residual)
    assert solution.gap <= tol
    assert value - optimum <= solution.gap * value * (1 + 1e-6) + 1e-12 * problem.energy


def test_an_inactive_bound_gives_the_least_squares_solution():
    problem = Problem(4, 40, 3, 3, 0.9)
    problem.limit = 1e3
    free = np.linalg.lstsq(problem.code, problem.X)[0] - problem.shortcut
    np.testing.assert_allclose(problem.solve(tol=1e-13).residual, free, atol=1e-5)


def test_atoms_without_use_leave_the_bound_to_others():
    problem = Problem(5, 40, 4, 4, 0.9)
    problem.gram[2], problem.gram[:, 2], problem.cross[2] = 0, 0, 0
    residual = problem.solve(tol=1e-10).residual
    np.testing.assert_allclose(residual[2], 0, atol=1e-12)
    used = [0, 1, 3]
    alone = solve_bounded(
        problem.gram[np.ix_(used, used)], problem.cross[used], problem.shortcut[used],
        problem.limit, problem.start[used], energy=problem.energy, tol=1e-10,
    )  # fmt: skip
    np.testing.assert_allclose(residual[used], alone.residual, atol=1e-3)


def test_no_codes_at_all():
    zeros = np.zeros((3, 2))
    solution = solve_bounded(np.zeros((3, 3)), zeros, np.eye(3, 2), 0.5, zeros, energy=1.0)
    assert solution.converged
    np.testing.assert_array_equal(solution.residual, zeros)


def test_says_when_iterations_ran_out():
    solution = Problem(6, 200, 8, 16, 0.9, spread=4).solve(tol=1e-12, max_iter=1)
    assert not solution.converged
    assert solution.gap > 1e-12
    assert solution.n_iter == 1


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    n_samples=st.integers(1, 40),
    n_features=st.integers(1, 7),
    n_components=st.integers(1, 7),
    rho=st.floats(0.01, 0.99),
    spread=st.sampled_from([0, 2, 8]),
    noise=st.sampled_from([0, 1e-3, 1]),
)
def test_every_problem_is_solved_to_its_gap(
    seed, n_samples, n_features, n_components, rho, spread, noise
):
    problem = Problem(seed, n_samples, n_features, n_components, rho, spread, noise)
    solution = problem.solve()
    assert solution.converged
    assert np.linalg.norm(solution.residual, 2) <= problem.limit * (1 + 1e-9)
    # The gap once more, from the definition: no feasible point is better by more.
    gradient = problem.gradient(solution.residual)
    gap = np.vdot(gradient, solution.residual) + problem.limit * np.linalg.norm(gradient, "nuc")
    value = problem.objective(solution.residual)
    assert gap <= 1.01e-5 * value + 1e-11 * problem.energy
    assert value <= problem.objective(problem.start) * (1 + 1.1e-5) + 1e-11 * problem.energy


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    limit=st.floats(1e-3, 10),
)
def test_clipping_is_that_of_the_singular_value_decomposition(seed, shape, limit):
    matrix = np.random.default_rng(seed).standard_normal(shape)
    np.testing.assert_allclose(
        clip_singular_values(matrix, limit), by_svd(matrix, limit), atol=1e-12 * max(limit, 1)
    )


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    limit=st.floats(1e-3, 10),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_limit_survives_rounding(seed, shape, limit, dtype):
    matrix = np.random.default_rng(seed).standard_normal(shape)
    kept = keep_within(matrix, limit, np.dtype(dtype))
    assert kept.dtype == dtype
    assert np.linalg.norm(kept.astype(np.float64), 2) <= limit * (1 + 1e-14)
    np.testing.assert_allclose(
        kept, by_svd(matrix, limit), atol=40 * np.finfo(dtype).eps * max(limit, 1)
    )
