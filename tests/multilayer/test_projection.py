"""Projection on the model: against OMP in the product of the dictionaries, and brute force."""

import itertools

import numpy as np
import pytest

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.coding import Status
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._projection import solve_projection
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution
from sklearn_resnet_sc.multilayer._stack import Stack


@pytest.fixture(scope="module")
def planted():
    X, dictionaries, codes = make_multilayer_sparse_signals(
        300, 32, (48, 64, 64), 2, atom_nonzero=2, snr=30, random_state=0
    )
    return X, Stack.check(dictionaries), codes


def ask(stack, counts=None, tol=None):
    return Demands.check(stack, counts, tol, required=False)


def solve(X, stack, demands, **options):
    found = solve_projection(X, stack, demands, **options)
    return DeepCodingSolution.assess(X, stack, demands, found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pursuit", ["omp", "ols"])
def test_with_counts_that_do_not_bind_it_is_the_pursuit_of_unit_atoms(planted, pursuit, dtype):
    X, stack = planted[0].astype(dtype), planted[1].astype(dtype)
    effective = stack.effective[-1]
    atoms = effective / np.linalg.norm(effective, axis=1, keepdims=True)
    expected = sparse_encode(X, atoms, algorithm=pursuit, n_nonzero_coefs=2)
    expected /= np.linalg.norm(effective, axis=1)
    solution = solve(X, stack, ask(stack, [8, 4, 2]), pursuit=pursuit)
    deepest = solution.codes[-1].toarray()
    assert deepest.dtype == dtype
    np.testing.assert_array_equal(deepest != 0, expected != 0)
    np.testing.assert_allclose(deepest, expected, atol=1000 * np.finfo(dtype).eps)
    # The chain is exact: layers below the first leave nothing but rounding.
    chain = stack.chain(deepest)
    for found, follows in zip(solution.codes, chain, strict=True):
        np.testing.assert_allclose(found.toarray(), follows, atol=20 * np.finfo(dtype).eps)
    assert solution.feasible.all()


def test_one_layer_is_a_pursuit():
    rng = np.random.default_rng(0)
    stack = Stack.check(rng.standard_normal((20, 10)))
    X = rng.standard_normal((30, 10))
    found = solve_projection(X, stack, ask(stack, 3), pursuit="ols")[0].codes.toarray()
    expected = sparse_encode(X, stack.dictionaries[0], algorithm="ols", n_nonzero_coefs=3)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("counts", [[6, 4, 2], [4, 3, 2], [3, 2, 2], [1, 1, 1]])
def test_counts_of_every_layer_hold(planted, counts, dtype):
    X, stack = planted[0].astype(dtype), planted[1].astype(dtype)
    solution = solve(X, stack, ask(stack, counts))
    for layer, count in zip(solution.layers, counts, strict=True):
        assert layer.n_nonzero.max() <= count
    assert solution.feasible.all()


def test_an_atom_that_does_not_fit_gives_way_to_the_next_one():
    # Atoms of layer 2 of two nonzeros each; the signal is best met by the first and the second,
    # which together need four atoms of layer 1. The first and the third share one: three.
    inner = np.array([[1.0, 1, 0, 0], [0, 0, 1, 1], [0, 1, 1, 0]])
    stack = Stack.check([np.eye(4), inner])
    X = np.array([[2.0, 2, 1, 1]])
    solution = solve(X, stack, ask(stack, [3, 2]))
    np.testing.assert_allclose(solution.codes[1].toarray(), [[5 / 3, 0, 2 / 3]])
    np.testing.assert_allclose(solution.codes[0].toarray(), [[5 / 3, 7 / 3, 2 / 3, 0]])
    assert solution.layers[1].residual_norm[0] < 1e-12
    # Where layer 2 may leave something, all of the signal but one entry is explained instead.
    loose = solve(X, stack, ask(stack, [3, 2], [1.0, 1.0]))
    assert loose.feasible.all()


def test_entries_that_cancel_take_no_place():
    # g_1 = g_2 C_2 = (1, 0): the second entry cancels, and one atom of layer 1 is enough.
    inner = np.array([[1.0, 0.1], [0.3, 0.1], [1.0, -1.0]])
    stack = Stack.check([np.eye(2), inner, np.array([[1.0, 0, 0.1], [1.0, -1.0, 0]])])
    solution = solve(np.array([[2.2, 0.0], [0.7, 0.0]]), stack, ask(stack, [1, 2, 1]))
    assert solution.feasible.all()
    np.testing.assert_allclose(solution.layers[0].residual_norm, 0, atol=1e-12)


def exact_chains(x, stack, counts):
    """Least squared residual over exact chains within the counts, by all supports."""
    first, inner = stack.dictionaries
    best = x @ x
    for size in range(1, counts[1] + 1):
        for support in itertools.combinations(range(len(inner)), size):
            rows = inner[list(support)]
            if (rows != 0).any(axis=0).sum() > counts[0]:
                continue
            atoms = rows @ first
            code = np.linalg.lstsq(atoms.T, x, rcond=None)[0]
            best = min(best, np.sum((x - code @ atoms) ** 2))
    return best


def test_residuals_of_exact_chains_against_brute_force():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        60, 6, (8, 10), 2, atom_nonzero=2, random_state=1
    )
    stack = Stack.check(dictionaries)
    counts = [3, 2]
    best = np.array([exact_chains(x, stack, counts) for x in X])
    for pursuit, least in (("omp", 0.4), ("ols", 0.4)):
        solution = solve(X, stack, ask(stack, counts, [1e6, 0]), pursuit=pursuit)
        assert solution.feasible.all()  # the zero code is, at least
        solution = solve(X, stack, ask(stack, counts), pursuit=pursuit)
        exact = solution.layers[1].residual_norm < 1e-10
        left = solution.layers[0].residual_norm ** 2
        # No exact chain is better than the best of all, and greedy ones are often as good.
        assert (left >= best - 1e-10)[exact].all()
        total = left + solution.layers[1].residual_norm ** 2
        assert np.mean(total <= best * (1 + 1e-9) + 1e-12) >= least


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fewest_atoms_of_the_path_to_the_tolerance(planted, dtype):
    X, stack = planted[0].astype(dtype), planted[1].astype(dtype)
    noise = np.linalg.norm(planted[0] - planted[2][0] @ planted[1].dictionaries[0], axis=1).max()
    demands = ask(stack, tol=[float(noise**2), 0, 0])
    solution = solve(X, stack, demands, pursuit="ols")
    assert solution.feasible.all()
    # One atom fewer of the same path does not do.
    deepest = solution.layers[-1]
    for count in (1, 2):
        rows = np.flatnonzero(deepest.n_nonzero == count + 1)
        assert rows.size
        fewer = solve(X[rows], stack, ask(stack, [48, 64, count]), pursuit="ols")
        assert (fewer.layers[0].residual_norm > noise * (1 - 1e-3)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_noiseless_chains_are_met_to_rounding(dtype):
    X, dictionaries, codes = make_multilayer_sparse_signals(
        200, 64, (64, 64), 2, atom_nonzero=2, random_state=0, dtype=dtype
    )
    stack = Stack.check(dictionaries)
    solution = solve(X, stack, ask(stack, tol=0), pursuit="ols")
    assert solution.feasible.all()
    right = ((solution.codes[1].toarray() != 0) == (codes[1] != 0)).all(axis=1)
    assert right.mean() > 0.9


def test_dense_inner_atoms_need_a_tolerance_or_leave_a_violation():
    rng = np.random.default_rng(0)
    stack = Stack.check([rng.standard_normal((16, 8)), rng.standard_normal((20, 16))])
    X = rng.standard_normal((40, 8))
    counts = [4, 3]
    # No exact chain but the zero code, whose residual is the signal.
    exact = solve(X, stack, ask(stack, counts, [0.5, 0]))
    assert not exact.feasible.any()
    assert (exact.violation <= np.linalg.norm(X, axis=1) - np.sqrt(0.5) + 1e-12).all()
    assert (exact.layers[0].status == Status.TOL_NOT_REACHED).any()
    # A generous tolerance of layer 2 takes what is removed from layer 1.
    loose = solve(X, stack, ask(stack, counts, [np.linalg.norm(X, axis=1).max() ** 2, 1.0]))
    assert loose.feasible.all()


@pytest.mark.parametrize("plan", [{"counts": [4, 3, 2]}, {"tol": [1e-2, 0, 0]}])
def test_the_same_bits_for_any_threads_and_the_same_support_alone(planted, plan):
    X, stack, _ = planted
    X = np.vstack([X, X[::-1]])  # more than one block
    demands = ask(stack, **plan)
    one, two = solve_projection(X, stack, demands), solve_projection(X, stack, demands, n_jobs=2)
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.codes.toarray(), b.codes.toarray())
        np.testing.assert_array_equal(a.n_iter, b.n_iter)
    for i in (0, 299):
        alone = solve_projection(X[[i]], stack, demands)
        for a, b in zip(one, alone, strict=True):
            np.testing.assert_array_equal(a.codes[[i]].toarray() != 0, b.codes.toarray() != 0)
            np.testing.assert_allclose(a.codes[[i]].toarray(), b.codes.toarray(), atol=1e-12)


def test_degenerate_stacks():
    # Duplicate atoms, an effective atom of zero, a zero signal, read-only input.
    inner = np.array([[1.0, -1, 0], [0, 1, 1], [0, 1, 1], [2, 0, 0]])
    stack = Stack.check([np.array([[1.0, 0], [1, 0], [0, 1]]), inner])
    X = np.array([[0.0, 0], [2, 1], [0, 3]])
    X.setflags(write=False)
    demands = ask(stack, [3, 4], [0, 0])
    solution = solve(X, stack, demands)
    assert solution.feasible.all()
    np.testing.assert_array_equal(solution.layers[1].n_nonzero[0], 0)
    assert not solution.codes[1].toarray()[:, 0].any()  # its image is zero


def test_an_unknown_pursuit_is_refused(planted):
    with pytest.raises(ValueError, match=r'pursuit must be "omp" or "ols"; got \'lasso_cd\''):
        solve_projection(planted[0], planted[1], ask(planted[1], 2), pursuit="lasso_cd")
