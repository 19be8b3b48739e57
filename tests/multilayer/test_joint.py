"""Joint l0 coding against brute force over all supports, and against planted codes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from sklearn_resnet_sc.coding import Status
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._joint import solve_joint
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution
from sklearn_resnet_sc.multilayer._stack import Stack

from .brute_force import (
    all_supports,
    bases,
    best_value,
    distance_values,
    fewest_atoms,
    joint_matrix,
)


def unit_rows(matrix):
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def random_stack(rng, n_features, sizes):
    widths = (n_features, *sizes[:-1])
    return [unit_rows(rng.standard_normal(shape)) for shape in zip(sizes, widths, strict=True)]


def planted_signal(rng, dictionaries, counts):
    """Few atoms of the deepest layer, thresholded to the counts on the way up, and some noise."""
    code = np.zeros(len(dictionaries[-1]))
    code[rng.permutation(code.size)[: counts[-1]]] = rng.standard_normal(counts[-1])
    for layer in range(len(dictionaries) - 1, 0, -1):
        code = code @ dictionaries[layer]
        code[np.argsort(-np.abs(code))[counts[layer - 1] :]] = 0
    signal = code @ dictionaries[0]
    return signal + 0.05 * rng.standard_normal(signal.size)


def instances(kind, n_features, sizes, counts, seed, n_instances):
    rng = np.random.default_rng(seed)
    for _ in range(n_instances):
        dictionaries = random_stack(rng, n_features, sizes)
        if kind == "planted":
            x = planted_signal(rng, dictionaries, counts)
        else:
            x = rng.standard_normal(n_features)
        yield x / np.abs(x).max(), dictionaries


def solve(X, dictionaries, counts, epsilon, **options):
    X = np.atleast_2d(X)
    stack, demands = Stack(tuple(dictionaries)), Demands(counts, epsilon)
    return DeepCodingSolution.assess(X, stack, demands, solve_joint(X, stack, demands, **options))


def value_of(solution, limits):
    """F of every signal."""
    norms = np.array([layer.residual_norm for layer in solution.layers])
    return 0.5 * np.sum(np.maximum(norms - np.array(limits)[:, None], 0) ** 2, axis=0)


FAMILIES = {  # kind, features, atoms, counts
    "random": ("random", 4, (6, 8), (3, 2)),
    "square": ("random", 5, (7, 7), (3, 3)),
    "planted": ("planted", 4, (6, 8), (3, 2)),
    "larger planted": ("planted", 6, (7, 9), (4, 3)),
    "three layers": ("random", 4, (5, 6, 6), (3, 2, 2)),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("relative", [None, (0.1, 0.1, 0.1), (0.3, 0.0, 0.1)])
def test_optimum_of_brute_force_over_supports(family, relative):
    kind, n_features, sizes, counts = FAMILIES[family]
    n_instances = {"larger planted": 80, "three layers": 60}.get(family, 200)
    n_near = n_feasible = n_found = 0
    for x, dictionaries in instances(kind, n_features, sizes, counts, 12345, n_instances):
        n_layers = len(sizes)
        limits, epsilon = (0.0,) * n_layers, (None,) * n_layers
        if relative is not None:
            limits = epsilon = tuple(np.linalg.norm(x) * np.array(relative[:n_layers]))
        solution = solve(x, dictionaries, counts, epsilon)
        best = best_value(x, dictionaries, counts, limits)
        found = value_of(solution, limits)[0]
        # Neither may be better than the optimum: that would be an error of the other. Where
        # balls barely touch, the first-order method of brute force comes no nearer than 1e-9.
        assert found >= best * (1 - 1e-6) - 1e-9
        n_near += found <= 1.05 * best + 1e-18
        claimed = relative is not None and bool(solution.feasible[0])
        if claimed:
            assert best <= 1e-9
        if relative is not None and best <= 1e-18:
            n_feasible += 1
            n_found += claimed
    assert n_near >= 0.95 * n_instances
    assert n_found >= 0.95 * n_feasible


@pytest.mark.parametrize(
    "family",
    [
        ("random", 3, (4, 5), 0.3),
        ("random", 4, (5, 6), 0.4),
        ("planted", 4, (5, 6), 0.2),
        ("planted", 3, (4, 4, 5), 0.3),
    ],
)
def test_tolerances_alone_take_few_atoms(family):
    kind, n_features, sizes, relative = family
    excess = []
    for x, dictionaries in instances(kind, n_features, sizes, (2,) * len(sizes), 54321, 25):
        limits = (relative * np.linalg.norm(x),) * len(sizes)
        solution = solve(x, dictionaries, (None,) * len(sizes), limits)
        fewest = fewest_atoms(x, dictionaries, limits, most=7)
        if fewest is not None:
            assert solution.feasible[0]
            excess.append(sum(layer.n_nonzero[0] for layer in solution.layers) - fewest)
    assert len(excess) >= 20
    assert min(excess) >= 0
    assert np.mean(np.array(excess) <= 1) >= 0.95
    assert np.mean(np.array(excess) == 0) >= 0.8


def test_brute_force_against_a_generic_solver():
    # SciPy's BFGS on F, which is convex and differentiable, for single supports.
    rng = np.random.default_rng(7)
    limits = (0.4, 0.1)
    for _ in range(5):
        dictionaries = random_stack(rng, 4, (6, 8))
        matrix, _, rows = joint_matrix(dictionaries)
        target = np.concatenate([rng.standard_normal(4), np.zeros(6)])
        supports = all_supports((6, 8), (3, 2))[::50]
        found = distance_values(target, bases(matrix, supports), rows, limits)
        for support, value in zip(supports, found, strict=True):
            columns = matrix[:, support]

            def distance(code, columns=columns, target=target, rows=rows):
                residual = target - columns @ code
                norms = [np.linalg.norm(residual[part]) for part in rows]
                return 0.5 * np.sum(np.maximum(np.array(norms) - limits, 0) ** 2)

            expected = minimize(distance, np.zeros(5), options={"gtol": 1e-10}).fun
            assert abs(expected - value) <= 1e-9


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("epsilon", [(None, None), (0.0, 0.0)])
def test_planted_codes_are_found_exactly(dtype, epsilon):
    X, dictionaries, codes = make_multilayer_sparse_signals(
        60, 64, (128, 256), 4, atom_nonzero=3, random_state=1, dtype=dtype
    )
    solution = solve(X, dictionaries, (12, 4), epsilon)
    assert solution.feasible.all()
    for layer, truth in zip(solution.layers, codes, strict=True):
        assert layer.codes.dtype == dtype
        np.testing.assert_array_equal(layer.support.toarray(), truth != 0)
        np.testing.assert_allclose(layer.codes.toarray(), truth, atol=200 * np.finfo(dtype).eps)
        assert (layer.status == Status.DONE).all()


def test_planted_codes_under_noise_are_no_better_than_those_found():
    X, dictionaries, codes = make_multilayer_sparse_signals(
        60, 64, (128, 256), 4, atom_nonzero=3, snr=30, random_state=2
    )
    solution = solve(X, dictionaries, (12, 4), (None, None))
    truth = np.einsum("ij,ij->i", *(2 * [X - codes[0] @ dictionaries[0]])) / 2
    assert np.mean(value_of(solution, (0.0, 0.0)) <= truth) >= 0.95
    agreed = solution.layers[1].codes.toarray().astype(bool) == (codes[1] != 0)
    assert np.mean(agreed.all(axis=1)) >= 0.8


def test_same_bits_for_any_threads_and_same_support_for_any_batch():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        150, 16, (24, 32), 3, atom_nonzero=2, snr=20, random_state=3
    )
    for epsilon in ((None, None), (0.3, 0.05)):
        one = solve(X, dictionaries, (6, 3), epsilon, n_jobs=1)
        two = solve(X, dictionaries, (6, 3), epsilon, n_jobs=2)
        part = solve(X[67:80], dictionaries, (6, 3), epsilon)
        for a, b, c in zip(one.codes, two.codes, part.codes, strict=True):
            assert (a != b).nnz == 0
            np.testing.assert_array_equal(c.toarray() != 0, a[67:80].toarray() != 0)
            np.testing.assert_allclose(c.toarray(), a[67:80].toarray(), atol=1e-9)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    relative=st.sampled_from([None, 0.0, 0.2]),
    counted=st.booleans(),
    kind=st.sampled_from(["plain", "zero", "duplicates"]),
)
def test_laws(seed, dtype, shape, relative, counted, kind):
    """Counts are kept, F is at most that of no codes, and F = 0 is what feasible means."""
    rng = np.random.default_rng(seed)
    n_features, *sizes = shape
    dictionaries = random_stack(rng, n_features, sizes)
    X = rng.standard_normal((3, n_features))
    if kind == "duplicates":
        dictionaries = [np.repeat(matrix[:1], len(matrix), axis=0) for matrix in dictionaries]
    if kind == "zero":
        X[1] = 0
    X /= np.abs(X).max()
    X, dictionaries = X.astype(dtype), [matrix.astype(dtype) for matrix in dictionaries]
    counts = tuple(int(rng.integers(1, size + 1)) for size in sizes)
    if not counted and relative is not None:
        counts = (None, None)
    epsilon = (relative, relative)
    solution = solve(X, dictionaries, counts, epsilon)
    limits = [relative or 0.0] * 2
    zero = 0.5 * np.maximum(np.linalg.norm(X, axis=1) - limits[0], 0) ** 2
    rounding = 1e3 * np.finfo(dtype).eps
    assert (value_of(solution, limits) <= zero * (1 + rounding) + rounding**2).all()
    for layer, count, size in zip(solution.layers, counts, sizes, strict=True):
        assert layer.codes.dtype == dtype
        assert np.isfinite(layer.codes.data).all()
        assert (layer.codes.data != 0).all()
        assert (layer.n_nonzero <= (size if count is None else count)).all()
    if kind == "zero":
        assert all(layer.n_nonzero[1] == 0 for layer in solution.layers)
