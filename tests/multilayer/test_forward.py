"""The forward model. Reference: the definition of thresholding, and certified brute force."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

from sklearn_resnet_sc.coding import Status
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._forward import solve_forward_joint
from sklearn_resnet_sc.multilayer._forward_greedy import solve_forward_greedy
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution
from sklearn_resnet_sc.multilayer._stack import Stack

_spec = importlib.util.spec_from_file_location(
    "brute_force_forward", Path(__file__).with_name("brute_force_forward.py")
)
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
BruteForce = _module.BruteForce

# Units from the signal on, counts, residual dictionaries (I + R) or Gaussian ones.
FAMILIES = {
    "two layers": ((4, 6, 6), (3, 2), False),
    "two layers, few": ((4, 5, 6), (2, 2), False),
    "two residual layers": ((5, 6, 6), (3, 3), True),
    "three layers": ((4, 5, 5, 5), (3, 2, 2), False),
    "three residual layers": ((4, 5, 5, 5), (3, 2, 2), True),
}


def dictionaries(rng, sizes, residual=False, dtype=np.float64):
    shapes = list(itertools.pairwise(sizes))
    matrices = [rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in shapes]
    if residual:
        matrices = [np.eye(*m.shape) + 0.5 * m for m in matrices]
    return [m.astype(dtype) for m in matrices]


def greedy_by_definition(x, matrices, counts):
    """Codes, and lengths of residuals, from a full sort."""
    codes, norms = [], []
    for matrix, count in zip(matrices, counts, strict=True):
        image = x @ matrix
        x = np.zeros_like(image)
        kept = np.argsort(-np.abs(image), kind="stable")[:count]
        x[kept] = image[kept]
        codes.append(x)
        norms.append(np.linalg.norm(x - image))
    return codes, np.array(norms)


def assess(solver, X, matrices, demands, **options):
    stack = Stack.check(matrices, model="forward")
    found = solver(X, stack, demands, **options)
    return DeepCodingSolution.assess(X, stack, demands, found)


@pytest.mark.parametrize("family", FAMILIES)
def test_joint_against_brute_force(family):
    """Both verdicts of the reference carry a proof (primal point, dual bound)."""
    sizes, counts, residual = FAMILIES[family]
    rng = np.random.default_rng(0)
    n_feasible = n_greedy = n_joint = n_infeasible = n_near = 0
    for _ in range(60):
        matrices = dictionaries(rng, sizes, residual)
        x = rng.standard_normal(sizes[0])
        norms = greedy_by_definition(x, matrices, counts)[1]
        epsilon = norms * rng.uniform(0.6, 1.4, norms.size)
        reference = BruteForce(x, matrices, counts, epsilon)
        demands = Demands(counts, tuple(epsilon))
        joint = assess(solve_forward_joint, x[None], matrices, demands)
        assert reference.feasible is not None
        if reference.feasible:
            n_feasible += 1
            n_greedy += (norms <= epsilon).all()
            n_joint += bool(joint.feasible[0])
        else:
            n_infeasible += 1
            assert not joint.feasible[0]
            assert joint.violation[0] >= reference.violation * (1 - 1e-6)
            n_near += joint.violation[0] <= 1.05 * reference.violation
            assert joint.layers[0].status[0] != Status.DONE
    assert n_feasible >= 8
    assert n_infeasible >= 8
    assert n_greedy <= 0.75 * n_feasible
    assert n_joint >= 0.95 * n_feasible
    assert n_near >= 0.95 * n_infeasible


@pytest.mark.parametrize("family", ["two layers", "three layers"])
def test_least_squares_against_brute_force(family):
    sizes, counts, residual = FAMILIES[family]
    rng = np.random.default_rng(1)
    near = 0
    for _ in range(20):
        matrices = dictionaries(rng, sizes, residual)
        x = rng.standard_normal(sizes[0])
        reference = BruteForce(x, matrices, counts, np.zeros(len(counts)))
        demands = Demands(counts, (None,) * len(counts))
        solution = assess(solve_forward_joint, x[None], matrices, demands)
        objective = 0.5 * sum(layer.residual_norm[0] ** 2 for layer in solution.layers)
        assert objective >= reference.lower * (1 - 1e-9)
        near += objective <= 1.05 * reference.upper
    assert near >= 19


def test_greedy_misses_what_joint_finds():
    """In numbers: the larger entry of layer 1 spreads over two units of layer 2.

    x = (5, 4), C_1 = I, C_2 = [[1, 1], [1, 0]], one unit a layer. Greedy keeps 5, whose image
    (5, 5) loses 5; 4 instead loses 5 in layer 1 and nothing in layer 2.
    """
    matrices = [np.eye(2), np.array([[1.0, 1.0], [1.0, 0.0]])]
    X, demands = np.array([[5.0, 4.0]]), Demands((1, 1), (5.0, 1.0))
    greedy = assess(solve_forward_greedy, X, matrices, demands)
    assert [layer.residual_norm[0] for layer in greedy.layers] == [4, 5]
    assert not greedy.feasible[0]
    joint = assess(solve_forward_joint, X, matrices, demands)
    assert joint.feasible[0]
    assert joint.codes[0].indices[0] == 1
    assert joint.codes[1].indices[0] == 0


def test_exact_chain():
    """Epsilon 0 in the second layer: its codes are the image, to rounding."""
    matrices = [np.eye(3), np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0]])]
    X, demands = np.array([[3.0, 2.5, 1.0]]), Demands((2, 1), (3.3, 0.0))
    assert not assess(solve_forward_greedy, X, matrices, demands).feasible[0]
    joint = assess(solve_forward_joint, X, matrices, demands)
    assert joint.feasible[0]
    gap = joint.codes[1].toarray() - joint.codes[0].toarray() @ matrices[1]
    assert abs(gap).max() <= 1e-14


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_batches_and_threads(dtype):
    rng = np.random.default_rng(2)
    matrices = dictionaries(rng, (8, 12, 10), dtype=dtype)
    X = rng.standard_normal((70, 8)).astype(dtype)
    stack = Stack.check(matrices, model="forward")
    demands = Demands((5, 3), (1.2, 1.0))
    for solver in (solve_forward_greedy, solve_forward_joint):
        one, two = (solver(X, stack, demands, n_jobs=n_jobs) for n_jobs in (1, 2))
        alone = solver(X[37:38], stack, demands)
        for layer in range(2):
            codes = one[layer].codes
            assert codes.dtype == dtype
            assert (codes.toarray() == two[layer].codes.toarray()).all()
            assert (one[layer].status == two[layer].status).all()
            single = alone[layer].codes.toarray()[0]
            assert ((codes.toarray()[37] != 0) == (single != 0)).all()
            np.testing.assert_allclose(codes.toarray()[37], single, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_greedy_counts(dtype):
    rng = np.random.default_rng(3)
    matrices = dictionaries(rng, (6, 9, 7), dtype=dtype)
    X = rng.standard_normal((300, 6)).astype(dtype)
    solution = assess(solve_forward_greedy, X, matrices, Demands((4, 2), (None, None)))
    for i in range(0, 300, 17):
        codes = greedy_by_definition(X[i], matrices, (4, 2))[0]
        for layer in range(2):
            found = solution.codes[layer].toarray()[i]
            np.testing.assert_allclose(found, codes[layer], atol=1e-5)
            assert ((found != 0) == (codes[layer] != 0)).all()


def test_greedy_by_limit():
    """Fewest entries within the limit; soft, all that the limit allows is taken off."""
    X = np.array([[3.0, -2.0, 1.0, 0.5]])
    matrices = [np.eye(4)]
    hard = assess(solve_forward_greedy, X, matrices, Demands((None,), (1.2,)))
    assert hard.codes[0].toarray().tolist() == [[3, -2, 0, 0]]
    assert hard.feasible[0]
    soft = assess(solve_forward_greedy, X, matrices, Demands((None,), (1.2,)), kind="soft")
    assert soft.layers[0].residual_norm[0] == pytest.approx(1.2)
    assert soft.feasible[0]
    exact = assess(solve_forward_greedy, X, matrices, Demands((None,), (0.0,)))
    assert (exact.codes[0].toarray() == X).all()
    ties = assess(solve_forward_greedy, np.ones((1, 4)), matrices, Demands((2,), (None,)))
    assert ties.codes[0].toarray().tolist() == [[1, 1, 0, 0]]


def test_soft_and_positive_is_a_relu_network():
    rng = np.random.default_rng(4)
    matrices = dictionaries(rng, (6, 9, 7))
    X = rng.standard_normal((50, 6))
    demands = Demands((None, None), (None, None))
    alpha = (0.2, 0.1)
    options = {"kind": "soft", "alpha": alpha, "positive": True}
    solution = assess(solve_forward_greedy, X, matrices, demands, **options)
    expected = X
    for layer in range(2):
        expected = np.maximum(expected @ matrices[layer] - alpha[layer], 0)
        np.testing.assert_allclose(solution.codes[layer].toarray(), expected, atol=1e-14)


def test_layers_without_a_count_get_few_units():
    rng = np.random.default_rng(5)
    n_greedy = n_joint = 0
    for _ in range(10):
        matrices = dictionaries(rng, (4, 5, 5))
        x = rng.standard_normal(4)
        limit = 0.3 * np.linalg.norm(x @ matrices[0])
        demands = Demands((None, None), (limit, limit))
        greedy = assess(solve_forward_greedy, x[None], matrices, demands)
        joint = assess(solve_forward_joint, x[None], matrices, demands)
        assert greedy.feasible[0]
        assert joint.feasible[0]
        greedy_count, joint_count = (
            sum(int(layer.n_nonzero[0]) for layer in solution.layers)
            for solution in (greedy, joint)
        )
        assert joint_count <= greedy_count
        n_greedy, n_joint = n_greedy + greedy_count, n_joint + joint_count
    assert n_joint < n_greedy


@pytest.mark.parametrize("epsilon", [(0.9, None), (None, 0.3), (None, 0.0)])
def test_limits_come_first_where_some_layers_have_none(epsilon):
    """A chain that keeps the limits exists: zero, or the greedy one."""
    rng = np.random.default_rng(6)
    for _ in range(5):
        matrices = dictionaries(rng, (4, 6, 6))
        x = rng.standard_normal(4)
        norms = greedy_by_definition(x, matrices, (3, 2))[1]
        limits = tuple(max(e, norms[0]) if e == 0.9 else e for e in epsilon)
        solution = assess(solve_forward_joint, x[None], matrices, Demands((3, 2), limits))
        assert solution.feasible[0]


def test_zero_and_no_signals():
    matrices = dictionaries(np.random.default_rng(7), (4, 6, 5))
    demands = Demands((2, 2), (0.1, 0.0))
    for solver in (solve_forward_greedy, solve_forward_joint):
        solution = assess(solver, np.zeros((2, 4)), matrices, demands)
        assert solution.feasible.all()
        assert solution.codes[1].nnz == 0
        assert assess(solver, np.zeros((0, 4)), matrices, demands).codes[1].shape == (0, 5)
