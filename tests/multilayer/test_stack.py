"""Stacks, demands and solutions: what they refuse, and what they measure, from definitions."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._solution import DeepCodingSolution, LayerCodes
from sklearn_resnet_sc.multilayer._stack import Stack, row_norms


@pytest.fixture(scope="module")
def planted():
    return make_multilayer_sparse_signals(30, 12, (16, 20, 24), 2, random_state=0)


@pytest.mark.parametrize(
    ("dictionaries", "message"),
    [
        ([], "at least one dictionary; got none"),
        ([np.eye(3), np.ones((4, 2))], r"dictionaries\[1\] \(layer 2\) must have as many features"),
        ([np.eye(3), np.ones((0, 3))], r"dictionaries\[1\] \(layer 2\) .* at least one atom"),
        ([np.ones(3)], r"dictionaries\[0\] \(layer 1\) must be a matrix"),
        ([np.eye(3), np.diag([1.0, 0, 1])], r"layer 2\) has a zero atom, in row 1"),
        ([np.diag([1.0, np.nan])], r"dictionaries\[0\] \(layer 1\) contains NaN"),
    ],
)
def test_a_stack_that_is_none_is_refused_with_its_layer(dictionaries, message):
    with pytest.raises(ValueError, match=message):
        Stack.check(dictionaries)


def test_a_forward_stack_chains_the_other_way():
    stack = Stack.check([np.ones((3, 4)), np.ones((4, 2))], model="forward")
    assert (stack.n_features, stack.n_components) == (3, (4, 2))
    with pytest.raises(ValueError, match=r"layer 2\) must have as many rows as layer 1"):
        Stack.check([np.ones((3, 4)), np.ones((3, 2))], model="forward")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_planted_chain_has_no_residuals_to_rounding(planted, dtype):
    X, dictionaries, codes = planted
    stack = Stack.check(dictionaries).astype(dtype)
    X, codes = X.astype(dtype), [layer.astype(dtype) for layer in codes]
    norms, rounding = stack.residual_norms(X, codes)
    assert (norms <= rounding).all()
    assert rounding.max() < 300 * np.finfo(dtype).eps * np.linalg.norm(X, axis=1).max()
    for layer, other in zip(stack.chain(codes[-1]), codes, strict=True):
        np.testing.assert_allclose(layer, other, atol=20 * np.finfo(dtype).eps)
    np.testing.assert_allclose(codes[-1] @ stack.effective[-1], X, atol=50 * np.finfo(dtype).eps)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_lengths_of_any_size(scale):
    rows = np.array([[3.0, 4.0], [0.0, 0.0]]) * scale
    np.testing.assert_allclose(row_norms(rows), [5 * scale, 0])


@pytest.mark.parametrize(
    ("counts", "tol", "message"),
    [
        (None, None, "both are None"),
        ([1, 2], None, "n_nonzero_coefs must have one entry a layer, 3; got 2"),
        (None, [1.0] * 4, "tol must have one entry a layer, 3; got 4"),
        ([1, 0, 2], None, r"n_nonzero_coefs\[1\] \(layer 2\) must be an integer of at least 1"),
        (None, [0, 1, -1.0], r"tol\[2\] \(layer 3\) must be a finite number, at least 0; got -1.0"),
        ([1, None, 2], None, "layer 2 has neither n_nonzero_coefs nor tol"),
        (2.5, None, "n_nonzero_coefs must be an integer"),
        (None, np.inf, "tol must be a finite number"),
    ],
)
def test_demands_that_are_none_are_refused_with_their_layer(planted, counts, tol, message):
    with pytest.raises(ValueError, match=message):
        Demands.check(Stack.check(planted[1]), counts, tol)


def test_counts_above_the_atoms_are_clipped_with_one_warning(planted):
    stack = Stack.check(planted[1])
    with pytest.warns(UserWarning, match="layer 1: 100 to 16, layer 3: 25 to 24") as caught:
        demands = Demands.check(stack, [100, 5, 25], None)
    assert len(caught) == 1
    assert demands.n_nonzero == (16, 5, 24)


def test_a_solution_is_measured_and_not_believed(planted):
    X, dictionaries, codes = planted
    stack = Stack.check(dictionaries)
    codes = [layer.copy() for layer in codes]
    codes[1][4] *= 1.5  # no longer what layer 3 makes, nor what layer 1 is made of
    codes[2][7, :5] += 1e-3  # more atoms than allowed, and a small residual
    found = [LayerCodes.from_dense(layer, 1) for layer in codes]
    with pytest.warns(UserWarning, match="clipped"):
        demands = Demands.check(stack, [18, 6, 2], [0, 0, 1.0])
    solution = DeepCodingSolution.assess(X, stack, demands, found)
    # By the definition, signal after signal.
    above = [X, codes[0], codes[1]]
    lengths = [
        np.linalg.norm(a - g @ C, axis=1)
        for a, g, C in zip(above, codes, dictionaries, strict=True)
    ]
    for layer, expected in zip(solution.layers, lengths, strict=True):
        np.testing.assert_allclose(layer.residual_norm, expected, atol=1e-14)
    wrong = np.zeros((3, 30), bool)
    wrong[1, 4] = wrong[2, 7] = True
    wrong[2, 4] = lengths[2][4] > 1
    np.testing.assert_array_equal([~layer.feasible for layer in solution.layers], wrong)
    np.testing.assert_array_equal(solution.feasible, ~wrong.any(axis=0))
    expected = np.hypot(lengths[1][4], max(lengths[2][4] - 1, 0))
    np.testing.assert_allclose(solution.violation[4], expected)
    assert solution.violation[7] == 0
    frame = solution.to_frame()
    assert len(frame) == 90
    assert not frame.query("layer == 3 and signal == 7")["feasible"].item()
    assert str(solution).startswith("28 of 30 signals")


def test_supports_and_reasons():
    layer = LayerCodes(sparse.csr_array([[0, 2.0], [0, 0]]), np.ones(2, int), np.array([0, 3]))
    demands = Demands((1,), (None,))
    stack = Stack.check([np.eye(2)])
    solution = DeepCodingSolution.assess(np.zeros((2, 2)), stack, demands, [layer]).layers[0]
    np.testing.assert_array_equal(solution.support.toarray(), [[False, True], [False, False]])
    assert solution.stop_reason.tolist() == ["done", "max_iter"]
    assert solution.n_nonzero.tolist() == [1, 0]
