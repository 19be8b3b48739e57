"""Paths of the lasso against single solutions, and the penalty above which codes vanish."""

import numpy as np
import pytest

from sklearn_resnet_sc.coding import alpha_max, lasso_path, sparse_encode


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    return rng.standard_normal((40, 12)), rng.standard_normal((30, 12))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("positive", [False, True])
def test_each_step_is_the_code_at_its_penalty(problem, dtype, positive):
    X, dictionary = (array.astype(dtype) for array in problem)
    weights = np.random.default_rng(1).uniform(0.5, 2, 30)
    alphas, codes = lasso_path(X, dictionary, n_alphas=12, weights=weights, positive=positive)
    assert (np.diff(alphas) < 0).all()
    assert alphas.dtype == dtype
    assert alphas[-1] == pytest.approx(1e-3 * alphas[0], rel=1e-5)
    for alpha, code in zip(alphas, codes, strict=True):
        expected = sparse_encode(X, dictionary, alpha=alpha * weights, positive=positive)
        assert code.dtype == dtype
        tolerance = 1e-2 if dtype == np.float32 else 1e-9
        np.testing.assert_allclose(code.toarray(), expected, atol=tolerance)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("weights", [None, np.linspace(0.5, 2, 30)])
def test_codes_vanish_at_alpha_max_and_not_below(problem, positive, weights):
    X, dictionary = problem
    highest = alpha_max(X, dictionary, weights=weights, positive=positive)
    weights = np.ones(30) if weights is None else weights
    for x, alpha in zip(X, highest, strict=True):
        above = sparse_encode([x], dictionary, alpha=alpha * weights, positive=positive)
        below = sparse_encode(
            [x], dictionary, alpha=(1 - 1e-9) * alpha * weights, positive=positive
        )
        assert np.abs(above).max() <= 1e-12
        assert np.count_nonzero(below) == 1


def test_path_is_the_same_for_any_number_of_threads_and_order_of_penalties(problem):
    X, dictionary = problem
    X = np.tile(X, (40, 1))  # several blocks
    alphas, codes = lasso_path(X, dictionary, alphas=[0.1, 1.0, 0.0, 3.0])
    assert list(alphas) == [3.0, 1.0, 0.1, 0.0]
    again = lasso_path(X, dictionary, alphas=alphas, n_jobs=2)[1]
    for code, other in zip(codes, again, strict=True):
        np.testing.assert_array_equal(code.toarray(), other.toarray())
        np.testing.assert_array_equal(code[:40].toarray(), code[-40:].toarray())
    np.testing.assert_allclose(codes[-1] @ dictionary, X, atol=1e-10)


def test_path_of_signals_and_atoms_far_from_unit_scale(problem):
    X, dictionary = problem
    expected = lasso_path(X, dictionary, alphas=[0.5])[1][0].toarray()
    scaled = lasso_path(X * 2.0**600, dictionary * 2.0**-100, alphas=[0.5 * 2.0**500])[1][0]
    np.testing.assert_array_equal(scaled.toarray(), expected * 2.0**700)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alphas": [-1.0]}, "alphas must be finite and not negative"),
        ({"alphas": []}, "alphas must be a list of penalties"),
        ({"weights": np.ones(3)}, "weights must have shape"),
        ({"weights": np.zeros(30)}, "alpha_max needs positive weights"),
        ({"weights": -np.ones(30)}, "weights must be finite and not negative"),
    ],
)
def test_refusals_name_the_parameter(problem, options, message):
    with pytest.raises(ValueError, match=message):
        lasso_path(*problem, **options)
