"""PALM against its definition in NumPy, against brute force, and the laws of its theorem."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sklearn_resnet_sc import DeepCodingSolver
from sklearn_resnet_sc.coding import Status
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._joint import solve_joint
from sklearn_resnet_sc.multilayer._joint_system import make_system
from sklearn_resnet_sc.multilayer._palm import make_sweep, make_sweeps, solve_palm
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution
from sklearn_resnet_sc.multilayer._stack import Stack

from .brute_force import best_value
from .test_joint import FAMILIES, instances, random_stack, value_of


def solve(X, dictionaries, counts, epsilon, solver=solve_palm, **options):
    X = np.atleast_2d(X)
    stack, demands = Stack(tuple(dictionaries)), Demands(counts, epsilon)
    return DeepCodingSolution.assess(X, stack, demands, solver(X, stack, demands, **options))


def residuals(x, dictionaries, codes):
    above = [x, *codes[:-1]]
    return [a - b @ matrix for a, b, matrix in zip(above, codes, dictionaries, strict=True)]


def distance(x, dictionaries, codes, limits):
    """F of one signal."""
    norms = [np.linalg.norm(r) for r in residuals(x, dictionaries, codes)]
    return 0.5 * np.sum(np.maximum(np.array(norms) - limits, 0) ** 2)


def sweep_of_definition(x, dictionaries, codes, counts, limits):
    """Layer after layer ``g_i <- H(g_i - step * gradient)``, by residuals computed afresh."""
    codes = [code.copy() for code in codes]
    for layer, matrix in enumerate(dictionaries):
        left = residuals(x, dictionaries, codes)
        norms = [np.linalg.norm(r) for r in left]
        weighted = [
            r * (1 - limit / norm if norm > limit else 0)
            for r, norm, limit in zip(left, norms, limits, strict=True)
        ]
        gradient = -weighted[layer] @ matrix.T
        lipschitz = np.linalg.norm(matrix.astype(float), 2) ** 2
        if layer + 1 < len(dictionaries):
            gradient = gradient + weighted[layer + 1]
            lipschitz += 1
        new = codes[layer] - 0.99 / lipschitz * gradient
        new[np.argsort(-np.abs(new), kind="stable")[counts[layer] :]] = 0
        codes[layer] = new
    return codes


def sweep_of_kernel(x, dictionaries, codes, demands):
    stack = Stack(tuple(dictionaries))
    system = make_system(stack, demands)
    sweeps = make_sweeps(system, 1, int(sum(demands.counts(stack))))
    flat = np.concatenate(codes)
    members = np.flatnonzero(flat)
    sweeps.old.members[0, : members.size] = members
    sweeps.old.values[0, : members.size] = flat[members]
    sweeps.old.count[0], sweeps.reach[0] = members.size, 1.0
    sweeps.residual[0] = np.concatenate(residuals(x, dictionaries, codes))
    make_sweep(stack, system, sweeps)(1)
    count = sweeps.new.count[0]
    flat = np.zeros_like(flat)
    flat[sweeps.new.members[0, :count]] = sweeps.new.values[0, :count]
    codes = np.split(flat, system.first[1:-1])
    return codes, np.split(sweeps.residual[0], system.row[1:-1])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.lists(st.integers(1, 6), min_size=2, max_size=4),
    relative=st.sampled_from([0.0, 0.2, 2.0]),
    exact=st.booleans(),
    lengths=st.sampled_from([1.0, 1e-3, 30.0]),
)
def test_a_sweep_is_as_defined_and_never_raises_the_objective(
    seed, dtype, shape, relative, exact, lengths
):
    # Lemma 2 of Bolte, Sabach and Teboulle (2014), for the Lipschitz constants of the module.
    rng = np.random.default_rng(seed)
    n_features, *sizes = shape
    dictionaries = [(lengths * d).astype(dtype) for d in random_stack(rng, n_features, sizes)]
    counts = tuple(int(rng.integers(1, size + 1)) for size in sizes)
    x = rng.standard_normal(n_features).astype(dtype)
    limits = [relative * float(np.linalg.norm(x)), *(len(sizes) - 1) * [0.3 * relative]]
    if exact:
        limits[-1] = 0.0
    codes = []
    for size, count in zip(sizes, counts, strict=True):
        code = np.zeros(size, dtype)
        code[rng.permutation(size)[:count]] = rng.standard_normal(count)
        codes.append(code)
    demands = Demands(counts, tuple(limits))
    found, left = sweep_of_kernel(x, dictionaries, codes, demands)
    before, after = (distance(x, dictionaries, some, limits) for some in (codes, found))
    unit = np.finfo(dtype).eps
    size2 = 1 + before + sum(float(r @ r) for r in left)
    assert after <= before + 1e2 * unit * size2
    for code, count in zip(found, counts, strict=True):
        assert np.count_nonzero(code) <= count
    for one, other in zip(left, residuals(x, dictionaries, found), strict=True):
        np.testing.assert_allclose(one, other, atol=1e3 * unit * np.sqrt(size2) * (1 + lengths))
    if dtype == np.float64:
        expected = sweep_of_definition(x, dictionaries, codes, counts, limits)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-10 * np.abs(other).max(initial=1))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("relative", [None, (0.3, 0.0, 0.1)])
def test_against_brute_force_and_what_is_at_rest_is(family, relative):
    kind, n_features, sizes, counts = FAMILIES[family]
    n_near = n_start = 0
    n_layers, n_instances = len(sizes), 20
    for x, dictionaries in instances(kind, n_features, sizes, counts, 999, n_instances):
        limits, epsilon = (0.0,) * n_layers, (None,) * n_layers
        if relative is not None:
            limits = epsilon = tuple(np.linalg.norm(x) * np.array(relative[:n_layers]))
        best = best_value(x, dictionaries, counts, limits)
        one = solve(x, dictionaries, counts, epsilon, max_iter=1)
        values = [value_of(one, limits)[0]]
        solution = solve(x, dictionaries, counts, epsilon)
        values.append(value_of(solution, limits)[0])
        assert values[1] >= best * (1 - 1e-6) - 1e-9
        assert values[1] <= values[0] * (1 + 1e-9)
        n_start += values[0] <= 1.05 * best + 1e-18
        n_near += values[1] <= 1.05 * best + 1e-18
        codes = [layer.toarray()[0] for layer in solution.codes]
        after = sweep_of_definition(x, dictionaries, codes, counts, limits)
        assert distance(x, dictionaries, after, limits) >= values[1] * (1 - 1e-6) - 1e-12
        status = solution.layers[0].status[0]
        far = relative is not None and values[1] > 1e-18
        assert status == (Status.TOL_NOT_REACHED if far else Status.DONE)
    # Fixed points are many: on the hardest family one in five is the optimum.
    assert n_near >= max(n_start, 0.15 * n_instances)


def test_more_sweeps_never_raise_the_objective_and_who_is_cut_off_is_told():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        60, 16, (24, 32), 3, atom_nonzero=2, snr=15, random_state=5
    )
    for epsilon in ((None, None), (0.2, 0.05)):
        limits = [value or 0.0 for value in epsilon]
        before = np.full(60, np.inf)
        for max_iter in (1, 2, 3, 5, 8, 100):
            solution = solve(X, dictionaries, (6, 3), epsilon, max_iter=max_iter)
            value, status = value_of(solution, limits), solution.layers[0].status
            assert (value <= before * (1 + 1e-9)).all()
            before = value
            cut_off = np.mean(status == Status.MAX_ITER)
            assert cut_off > 0.5 if max_iter == 1 else cut_off == 0 or max_iter < 100


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("epsilon", [(None, None), (0.0, 0.0)])
def test_planted_codes_are_found_exactly(dtype, epsilon):
    X, dictionaries, codes = make_multilayer_sparse_signals(
        60, 64, (128, 256), 4, atom_nonzero=3, random_state=1, dtype=dtype
    )
    solution = solve(X, dictionaries, (12, 4), epsilon)
    assert solution.feasible.mean() >= 0.95
    for layer, truth in zip(solution.layers, codes, strict=True):
        assert layer.codes.dtype == dtype
        found = layer.codes.toarray()
        right = np.abs(found - truth).max(axis=1) < 200 * np.finfo(dtype).eps
        assert right[solution.feasible].mean() >= 0.98
        same = ((found != 0) == (truth != 0)).all(axis=1)
        assert same[solution.feasible].mean() >= 0.98


def test_under_noise_near_what_exchanges_find():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        80, 64, (128, 256), 4, atom_nonzero=3, snr=20, random_state=2
    )
    palm, exchanges = (
        value_of(solve(X, dictionaries, (12, 4), (None, None), solver), (0.0, 0.0))
        for solver in (solve_palm, solve_joint)
    )
    assert np.median(palm) <= 1.02 * np.median(exchanges)
    assert np.mean(palm <= 1.05 * exchanges) >= 0.8


def test_same_bits_for_any_threads_and_same_support_for_any_batch():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        600, 16, (24, 32), 3, atom_nonzero=2, snr=20, random_state=3
    )
    for epsilon in ((None, None), (0.3, 0.05)):
        one = solve(X, dictionaries, (6, 3), epsilon, n_jobs=1)
        two = solve(X, dictionaries, (6, 3), epsilon, n_jobs=2)
        part = solve(X[250:263], dictionaries, (6, 3), epsilon)
        for a, b, c in zip(one.codes, two.codes, part.codes, strict=True):
            assert (a != b).nnz == 0
            np.testing.assert_array_equal(c.toarray() != 0, a[250:263].toarray() != 0)
            np.testing.assert_allclose(c.toarray(), a[250:263].toarray(), atol=1e-9)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from([np.float32, np.float64]),
    shape=st.tuples(*[st.integers(1, 6)] * 3),
    relative=st.sampled_from([None, 0.0, 0.2]),
    kind=st.sampled_from(["plain", "zero", "duplicates"]),
)
def test_laws(seed, dtype, shape, relative, kind):
    """Counts are kept, F is at most that of no codes, and nothing is coded by nothing."""
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
    solution = solve(X, dictionaries, counts, (relative, relative))
    limits = [relative or 0.0] * 2
    zero = 0.5 * np.maximum(np.linalg.norm(X, axis=1) - limits[0], 0) ** 2
    rounding = 1e3 * np.finfo(dtype).eps
    assert (value_of(solution, limits) <= zero * (1 + rounding) + rounding**2).all()
    for layer, count in zip(solution.layers, counts, strict=True):
        assert layer.codes.dtype == dtype
        assert np.isfinite(layer.codes.data).all()
        assert (layer.codes.data != 0).all()
        assert (layer.n_nonzero <= count).all()
    if kind == "zero":
        assert all(layer.n_nonzero[1] == 0 for layer in solution.layers)


def test_a_layer_without_a_count_is_refused_by_name():
    X, dictionaries, _ = make_multilayer_sparse_signals(
        3, 16, (24, 32), 3, atom_nonzero=2, random_state=3
    )
    solver = DeepCodingSolver(
        dictionaries, n_nonzero_coefs=(6, None), tol=0.1, strategy="joint", pursuit="palm"
    )
    with pytest.raises(ValueError, match="needs n_nonzero_coefs in every layer; layer 2 has none"):
        solver.fit(X)
