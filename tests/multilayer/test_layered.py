"""Layer after layer: against `sparse_encode` called by hand, and what each pursuit goes by."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.coding import Status
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._layered import solve_layered
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution
from sklearn_resnet_sc.multilayer._stack import Stack

COUNTS = [9, 3]
PLANS = {
    "omp": {"counts": COUNTS},
    "ols": {"counts": COUNTS},
    "mp": {"counts": COUNTS},
    "lars": {"counts": COUNTS},
    "cosamp": {"counts": COUNTS},
    "iht": {"counts": COUNTS},
    "hard_threshold": {"counts": COUNTS, "alpha": [0.05, 0.02]},
    "threshold": {"alpha": [0.05, 0.02]},
    "lasso_lars": {"alpha": [0.05, 0.02]},
    "lasso_cd": {"alpha": [0.05, 0.02]},
    "fista": {"alpha": [0.05, 0.02]},
}


@pytest.fixture(scope="module")
def planted():
    return make_multilayer_sparse_signals(300, 32, (48, 64), 3, snr=30, random_state=0)


def ask(stack, counts=None, tol=None):
    return Demands.check(stack, counts, tol, required=False)


def solve(planted, counts=None, tol=None, dtype=np.float64, **options):
    stack = Stack.check(planted[1]).astype(dtype)
    X = planted[0].astype(dtype)
    demands = ask(stack, counts, tol)
    return X, stack, demands, solve_layered(X, stack, demands, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("pursuit", PLANS)
def test_a_layer_is_coded_in_the_next_dictionary(planted, pursuit, positive, dtype):
    plan = PLANS[pursuit]
    _, stack, _, found = solve(
        planted, plan.get("counts"), dtype=dtype, pursuit=pursuit, positive=positive,
        alpha=plan.get("alpha"),
    )  # fmt: skip
    target = planted[0].astype(dtype)
    for i, layer in enumerate(found):
        options = {"algorithm": pursuit, "positive": positive, "return_diagnostics": True}
        if "counts" in plan:
            options["n_nonzero_coefs"] = plan["counts"][i]
        if "alpha" in plan:
            options["alpha"] = plan["alpha"][i]
        expected, ended = sparse_encode(target, stack.dictionaries[i], **options)
        assert isinstance(layer.codes, sparse.csr_array)
        assert layer.codes.dtype == dtype
        assert (layer.codes.data != 0).all()
        np.testing.assert_array_equal(layer.codes.toarray(), expected)
        np.testing.assert_array_equal(layer.n_iter, ended.n_iter)
        np.testing.assert_array_equal(layer.status, ended.status)
        target = layer.codes.toarray()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pursuit", ["omp", "ols", "lasso_lars", "lars"])
@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6, 1e-9])
def test_tolerances_are_reached_in_any_precision(planted, pursuit, tol, dtype):
    # Atoms that span every residual: OMP and the error-constrained lasso reach any tolerance.
    rng = np.random.default_rng(0)
    stack = Stack.check([rng.standard_normal((40, 8)), rng.standard_normal((60, 40))]).astype(dtype)
    X = rng.standard_normal((50, 8)).astype(dtype)
    demands = ask(stack, tol=tol)
    solution = DeepCodingSolution.assess(
        X, stack, demands, solve_layered(X, stack, demands, pursuit=pursuit)
    )
    if dtype == np.float64 or tol > 1e-5:
        assert solution.feasible.all()
        return
    # float32 may not know the residual so well, the lasso only to some units of ||x||^2.
    unit, first = np.finfo(dtype).eps, solution.layers[0].residual_norm
    lengths = np.linalg.norm(X, axis=1)
    if pursuit == "lasso_lars":
        assert (first**2 <= tol + 4096 * unit * lengths**2).all()
    else:
        assert (first <= np.sqrt(tol) + 256 * unit * lengths).all()


def test_no_atom_too_many_where_the_residual_is_lost_to_rounding():
    # float32 follows ||r||^2 = 1e-6 by subtraction from ||x||^2 = 3 to half of its value: atoms
    # beyond the three planted ones would be added to reach it. The residual itself is short.
    rng = np.random.default_rng(0)
    stack = Stack.check([np.vstack([np.eye(32), np.full((1, 32), 32**-0.5)]).astype(np.float32)])
    codes = np.zeros((200, 33), np.float32)
    codes[:, [1, 5, 9]] = rng.uniform(0.9, 1.1, (200, 3))
    noise = rng.standard_normal((200, 32))
    noise *= 1e-3 / np.linalg.norm(noise, axis=1, keepdims=True)
    X = (codes @ stack.dictionaries[0] + noise).astype(np.float32)
    found = solve_layered(X, stack, ask(stack, tol=1.02e-6), pursuit="omp")[0]
    np.testing.assert_array_equal(found.codes.toarray() != 0, codes != 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tolerance_of_zero_is_reached_to_rounding(dtype):
    rng = np.random.default_rng(0)
    stack = Stack.check([rng.standard_normal((30, 10)), rng.standard_normal((30, 30))])
    stack = stack.astype(dtype)
    X = rng.standard_normal((40, 10)).astype(dtype)
    demands = ask(stack, tol=0)
    found = solve_layered(X, stack, demands, pursuit="omp")
    norms, _ = stack.residual_norms(X, [layer.codes for layer in found])
    assert norms.max() < 1e3 * np.finfo(dtype).eps * np.linalg.norm(X, axis=1).max()
    assert all((layer.status == Status.DONE).all() for layer in found)


def test_what_cannot_be_reached_is_said_without_a_warning():
    stack = Stack.check([np.eye(4)[:3], np.eye(3)])
    X = np.array([[1.0, 0, 0, 0], [1.0, 0, 0, 1.0]])
    for tol in (0, 1e-4):
        for pursuit in ("omp", "ols", "lasso_lars"):
            first, second = solve_layered(X, stack, ask(stack, tol=tol), pursuit=pursuit)
            np.testing.assert_array_equal(first.status, [Status.DONE, Status.TOL_NOT_REACHED])
            assert (second.status == Status.DONE).all()


@pytest.mark.parametrize("plan", [{"counts": COUNTS}, {"tol": [1e-2, 1e-3]}, {"tol": [1e-2, 1e-7]}])
def test_the_same_bits_for_any_threads_and_the_same_support_alone(planted, plan):
    X, stack, demands, one = solve(planted, **plan, dtype=np.float32)
    two = solve_layered(X, stack, demands, n_jobs=2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.codes.toarray(), b.codes.toarray())
    for i in (0, 17):
        alone = solve_layered(X[[i]], stack, demands)
        for a, b in zip(one, alone, strict=True):
            np.testing.assert_array_equal(a.codes[[i]].toarray() != 0, b.codes.toarray() != 0)


@pytest.mark.parametrize(
    ("plan", "options", "message"),
    [
        ({"counts": 3}, {"pursuit": "best"}, "pursuit must be one of .*; got 'best'"),
        ({"counts": 3}, {"alpha": 0.1}, "pursuit='omp' goes by n_nonzero_coefs or tol"),
        ({"counts": [3, None]}, {}, "pursuit='omp' needs n_nonzero_coefs or tol in layer 2"),
        ({"tol": 1.0}, {"pursuit": "iht"}, "pursuit='iht' needs n_nonzero_coefs in layer 1"),
        ({"counts": 3}, {"pursuit": "lasso_lars"}, "needs alpha or tol in layer 1"),
        ({"tol": 1.0}, {"pursuit": "fista"}, "pursuit='fista' needs alpha in layer 1"),
        ({}, {"pursuit": "fista", "alpha": [0.1, -1.0]}, r"alpha\[1\] \(layer 2\) must be a fin"),
        ({}, {"pursuit": "fista", "alpha": [0.1]}, "alpha must have one entry a layer, 2; got 1"),
    ],
)
def test_what_a_pursuit_does_not_go_by_is_refused(planted, plan, options, message):
    with pytest.raises(ValueError, match=message):
        solve(planted, **plan, **options)


def test_alpha_of_none_is_the_demand_of_that_layer(planted):
    # The penalty in the first layer, the tolerance in the second.
    _, stack, _, found = solve(planted, tol=[1.0, 1e-3], pursuit="lasso_lars", alpha=[0.05, None])
    first = sparse_encode(planted[0], stack.dictionaries[0], alpha=0.05)
    options = {"tol": 1e-3, "return_diagnostics": True}
    second = sparse_encode(first, stack.dictionaries[1], **options)[0]
    np.testing.assert_array_equal(found[0].codes.toarray(), first)
    np.testing.assert_allclose(found[1].codes.toarray(), second, atol=1e-5)
