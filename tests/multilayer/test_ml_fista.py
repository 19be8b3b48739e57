"""ML-ISTA and ML-FISTA: against a generic convex solver, and against the iteration written out."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.multilayer._ml_fista import lasso_objective, multi_layer_lasso
from sklearn_resnet_sc.multilayer._stack import Stack


def random_stack(shape, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    dictionaries = [rng.standard_normal(pair[::-1]) for pair in pairwise(shape)]
    return Stack.check(
        [C / np.linalg.norm(C, axis=1, keepdims=True) for C in dictionaries], dtype=dtype
    )


def generic_optimum(x, stack, penalties):
    """Least objective by SciPy's SLSQP: bounds u on absolute values make it a smooth problem."""
    images = stack.chain(np.eye(stack.n_components[-1]))
    stacked = np.hstack(images)
    weights = np.repeat(penalties, stack.n_components)
    n, m = stacked.shape
    D = stack.effective[-1]

    def objective(z):
        return 0.5 * np.sum((x - z[:n] @ D) ** 2) + weights @ z[n:]

    def gradient(z):
        return np.concatenate([-(x - z[:n] @ D) @ D.T, weights])

    sides = np.vstack([np.hstack([-stacked.T, np.eye(m)]), np.hstack([stacked.T, np.eye(m)])])
    start = np.concatenate([np.zeros(n), np.full(m, 1e-3)])
    bounds = {"type": "ineq", "fun": lambda z: sides @ z, "jac": lambda z: sides}
    options = {"maxiter": 1000, "ftol": 1e-14}
    return minimize(
        objective, start, jac=gradient, constraints=bounds, method="SLSQP", options=options
    ).fun


@pytest.mark.parametrize("shape", [(5, 6, 7), (5, 4, 6), (6, 6, 6, 6)])
def test_objective_comes_near_a_generic_solvers_in_proportion_to_the_step(shape):
    penalties = [0.1] * (len(shape) - 1)
    for seed in range(3):
        stack = random_stack(shape, seed)
        x = np.random.default_rng(100 + seed).standard_normal(shape[0])
        optimum = generic_optimum(x, stack, penalties)
        gaps = [
            multi_layer_lasso(
                x[None], stack, penalties, step=step, max_iter=20_000, tol=1e-11
            ).objective[0]
            - optimum
            for step in (1.0, 0.1, 0.01)
        ]
        assert min(gaps) > -1e-8 * optimum
        assert gaps[0] < 0.05 * optimum
        assert gaps[1] < gaps[0] + 1e-8
        assert gaps[2] < 0.4 * gaps[1] + 1e-8


def test_one_layer_is_the_lasso():
    stack = random_stack((8, 12))
    X = np.random.default_rng(1).standard_normal((20, 8))
    found = multi_layer_lasso(X, stack, [0.3], max_iter=20_000, tol=1e-12)
    expected = sparse_encode(X, stack.dictionaries[0], algorithm="lasso_lars", alpha=0.3)
    assert found.converged.all()
    np.testing.assert_allclose(found.codes[0], expected, atol=1e-7)


def plain_iteration(x, dictionaries, penalties, n_iter):
    """ML-ISTA of one signal as its definition reads, each layer's prox at its accumulated step."""
    deepest = np.zeros(len(dictionaries[-1]))
    for _ in range(n_iter):
        guesses = [deepest]
        for C in dictionaries[::-1]:
            guesses.insert(0, guesses[0] @ C)
        layer, step = x, 1.0
        for C, below, guess, penalty in zip(
            dictionaries, guesses[:-1], guesses[1:], penalties, strict=True
        ):
            own = 1 / np.linalg.norm(C, 2) ** 2
            step *= own
            moved = guess - own * (below - layer) @ C.T
            layer = np.sign(moved) * np.maximum(np.abs(moved) - step * penalty, 0)
        deepest = layer
    return deepest


def test_every_iteration_is_the_one_written_out():
    stack = random_stack((5, 7, 6, 9))
    x = np.random.default_rng(2).standard_normal(5)
    for n_iter in (1, 2, 7, 25):
        found = multi_layer_lasso(
            x[None], stack, [0.05, 0.02, 0.1], momentum=False, max_iter=n_iter, tol=0
        )
        expected = plain_iteration(x, stack.dictionaries, [0.05, 0.02, 0.1], n_iter)
        np.testing.assert_allclose(found.codes[-1][0], expected, atol=1e-13)
        assert found.n_iter[0] == n_iter


def test_momentum_reaches_the_same_objective_sooner():
    stack = random_stack((10, 15, 20))
    X = np.random.default_rng(3).standard_normal((30, 10))
    slow, fast = (
        multi_layer_lasso(X, stack, [0.1, 0.1], momentum=momentum, max_iter=50_000, tol=1e-10)
        for momentum in (False, True)
    )
    np.testing.assert_allclose(fast.objective, slow.objective, rtol=1e-6)
    assert fast.n_iter.sum() < 0.7 * slow.n_iter.sum()
    expected = lasso_objective(X, stack, [0.1, 0.1], fast.codes[-1])
    np.testing.assert_allclose(fast.objective, expected)


def test_who_does_not_come_to_rest_is_said_so():
    stack = random_stack((10, 15, 20))
    X = np.random.default_rng(3).standard_normal((3, 10))
    X[1] = 0
    found = multi_layer_lasso(X, stack, [1e-3, 1e-3], max_iter=10)
    assert found.converged.tolist() == [False, True, False]
    assert not found.codes[-1][1].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_and_batches_do_not_matter(dtype):
    stack = random_stack((12, 20, 16), dtype=dtype)
    X = np.random.default_rng(4).standard_normal((600, 12)).astype(dtype)
    one, two = (multi_layer_lasso(X, stack, [0.1, 0.05], n_jobs=n) for n in (1, 2))
    for first, second in zip(one.codes, two.codes, strict=True):
        assert first.dtype == dtype
        np.testing.assert_array_equal(first, second)
    alone = multi_layer_lasso(X[300:301], stack, [0.1, 0.05])
    # Rounding differs with the size of a block, and may end the iteration at another look.
    expected = one.codes[-1][300]
    tolerance = 100 * np.finfo(dtype).eps * np.abs(expected).max()
    np.testing.assert_allclose(alone.codes[-1][0], expected, rtol=0, atol=tolerance)


def test_positive_codes_and_warm_starts():
    stack = random_stack((6, 9, 8))
    X = np.random.default_rng(5).standard_normal((10, 6))
    found = multi_layer_lasso(X, stack, [0.1, 0.1], positive=True, max_iter=5000, tol=1e-12)
    assert min(codes.min() for codes in found.codes) >= 0
    again = multi_layer_lasso(
        X, stack, [0.1, 0.1], positive=True, start=found.codes[-1], max_iter=5000, tol=1e-8
    )
    assert again.n_iter.max() == 10  # the first look
    np.testing.assert_allclose(again.codes[-1], found.codes[-1], atol=1e-7)
