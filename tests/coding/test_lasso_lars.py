"""The exact lasso: optimality to rounding, residuals met exactly, and every degenerate case.

Oracles: the optimality (KKT) conditions in float64, all supports and signs by brute force, the
linear program of basis pursuit by SciPy, SPAMS for the smallest l1 norm within a residual.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc.coding import SparseCoder, Status, sparse_encode

# Largest violation of an optimality condition, as a share of the largest correlation.
VIOLATION = {np.float32: 1e-5, np.float64: 1e-12}


def violations(X, dictionary, code, alpha, positive=False):
    """How far each code is from optimal: ``<c_j, r> = alpha_j sign(a_j)``, at most alpha_j off."""
    X, dictionary = np.asarray(X, np.float64), np.asarray(dictionary, np.float64)
    code, alpha = np.asarray(code, np.float64), np.broadcast_to(alpha, (len(dictionary),))
    correlations = (X - code @ dictionary) @ dictionary.T
    size = correlations if positive else np.abs(correlations)
    off = np.where(code != 0, np.abs(correlations - alpha * np.sign(code)), size - alpha)
    scale = np.abs(X @ dictionary.T).max(axis=1)
    return off.max(axis=1) / np.where(scale > 0, scale, 1)


@pytest.fixture(scope="module")
def image_problem(natural_patches):
    """Signals, and atoms that are other patches: correlated and nearly dependent."""
    atoms = natural_patches[500:756]
    atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    return natural_patches[:300], atoms


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("alpha", [60.0, 12.0, 4.0])
@pytest.mark.parametrize("positive", [False, True])
def test_solves_the_lasso_to_rounding_on_image_patches(image_problem, dtype, alpha, positive):
    X, dictionary = (array.astype(dtype) for array in image_problem)
    code, diagnostics = sparse_encode(
        X, dictionary, alpha=alpha, positive=positive, return_diagnostics=True
    )
    assert code.dtype == dtype
    assert violations(X, dictionary, code, alpha, positive).max() <= VIOLATION[dtype]
    assert (diagnostics.status == Status.DONE).all()
    assert diagnostics.gap.max() <= 100 * np.finfo(dtype).eps
    assert (code >= 0).all() or not positive
    assert np.array_equal(diagnostics.n_nonzero, (code != 0).sum(axis=1))


def best_by_brute_force(x, dictionary, alpha, positive):
    """The least lasso objective over every support and every choice of signs."""
    best = 0.5 * x @ x
    for count in range(1, min(dictionary.shape) + 1):
        for support in itertools.combinations(range(len(dictionary)), count):
            atoms = dictionary[list(support)]
            for signs in itertools.product([1] if positive else [-1, 1], repeat=count):
                code = np.linalg.solve(atoms @ atoms.T, atoms @ x - alpha * np.array(signs))
                if (code * signs >= 0).all():
                    residual = x - code @ atoms
                    best = min(best, 0.5 * residual @ residual + alpha * np.abs(code).sum())
    return best


@pytest.mark.parametrize("positive", [False, True])
def test_no_support_and_signs_do_better(positive):
    rng = np.random.default_rng(3)
    for _ in range(20):
        dictionary, x = rng.standard_normal((6, 4)), rng.standard_normal(4)
        alpha = rng.uniform(0.05, 1.0)
        code = sparse_encode([x], dictionary, alpha=alpha, positive=positive)[0]
        residual = x - code @ dictionary
        objective = 0.5 * residual @ residual + alpha * np.abs(code).sum()
        best = best_by_brute_force(x, dictionary, alpha, positive)
        assert objective == pytest.approx(best, rel=1e-12)


@st.composite
def degenerate_problems(draw):
    """Small integers: ties, duplicates, dependence and zeros abound, and all sums are exact."""
    n_components, n_features = draw(st.integers(1, 9)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dictionary = rng.integers(-2, 3, (n_components, n_features))
    X = rng.integers(-4, 5, (3, n_features))
    weights = rng.integers(draw(st.integers(0, 1)), 3, n_components)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return X.astype(dtype), dictionary.astype(dtype), weights * draw(st.sampled_from([0.5, 1.0]))


@settings(max_examples=150)
@given(degenerate_problems(), st.booleans())
def test_is_optimal_where_atoms_tie_repeat_depend_or_cost_nothing(problem, positive):
    X, dictionary, alpha = problem
    code, diagnostics = sparse_encode(
        X, dictionary, alpha=alpha, positive=positive, return_diagnostics=True
    )
    assert (diagnostics.status == Status.DONE).all()
    assert violations(X, dictionary, code, alpha, positive).max() <= VIOLATION[X.dtype.type]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_reaches_the_residual_with_an_optimal_code(image_problem, dtype, positive, weighted):
    X, dictionary = (array.astype(dtype) for array in image_problem)
    weights = np.random.default_rng(0).uniform(0.5, 2, 256) if weighted else np.ones(256)
    tol = 600.0
    code, diagnostics = sparse_encode(
        X,
        dictionary,
        alpha=weights if weighted else None,
        tol=tol,
        positive=positive,
        return_diagnostics=True,
    )
    far = (X.astype(np.float64) ** 2).sum(axis=1) > tol
    assert far.any()
    assert not code[~far].any()
    assert (diagnostics.status == Status.DONE).all()
    rtol = 1e-10 if dtype == np.float64 else 2e-2  # float32: rounding of ||x||^2, up to 1e5 tol
    np.testing.assert_allclose(diagnostics.residual_norm2[far], tol, rtol=rtol)
    # Optimal for some penalty: the one that its own atoms show.
    atoms = dictionary.astype(np.float64)
    correlations = (X - code @ atoms) @ atoms.T / weights
    level = np.abs(correlations).max(axis=1, where=code != 0, initial=0)
    for x, a, at in zip(X[far], code[far], level[far], strict=True):
        assert (
            violations(x[None], dictionary, a[None], at * weights, positive) <= 2 * VIOLATION[dtype]
        )


def test_smallest_l1_norm_within_a_residual_agrees_with_spams(image_problem):
    spams = pytest.importorskip("spams")
    X, dictionary = image_problem
    signals, atoms = np.asfortranarray(X.T), np.asfortranarray(dictionary.T)
    reference = spams.lasso(signals, atoms, lambda1=900.0, mode=1, numThreads=1).T.toarray()
    code = sparse_encode(X, dictionary, tol=900.0)
    norm, expected = np.abs(code).sum(axis=1), np.abs(reference).sum(axis=1)
    np.testing.assert_allclose(norm, expected, rtol=1e-6)


@pytest.mark.parametrize("options", [{"tol": 0.0}, {"alpha": 0.0}])
def test_without_slack_it_is_basis_pursuit(options):
    rng = np.random.default_rng(0)
    dictionary, X = rng.standard_normal((20, 6)), rng.standard_normal((10, 6))
    code = sparse_encode(X, dictionary, **options)
    np.testing.assert_allclose(code @ dictionary, X, atol=1e-12)
    for x, a in zip(X, code, strict=True):
        program = linprog(np.ones(40), A_eq=np.vstack([dictionary, -dictionary]).T, b_eq=x)
        assert np.abs(a).sum() == pytest.approx(program.fun, rel=1e-9)


def test_says_which_signals_cannot_be_represented():
    dictionary = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    X = [[2.0, 0.0, 0.1], [2.0, 1.0, 3.0], [0.1, 0.0, 0.0]]
    with pytest.warns(ConvergenceWarning, match="1 of 3 signals cannot be represented"):
        sparse_encode(X, dictionary, tol=0.25)
    code, diagnostics = sparse_encode(X, dictionary, tol=0.25, return_diagnostics=True)
    assert list(diagnostics.status) == [Status.DONE, Status.TOL_NOT_REACHED, Status.DONE]
    # The first keeps .24 of its .25 for shrinking; the second is its least squares code.
    np.testing.assert_allclose(code, [[2 - 0.24**0.5, 0], [2, 1], [0, 0]], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_atoms_without_penalty_leave_an_orthogonal_residual(image_problem, dtype):
    X, dictionary = (array.astype(dtype) for array in image_problem)
    alpha = np.full(256, 10.0)
    alpha[:5] = 0
    code = sparse_encode(X, dictionary, alpha=alpha)
    assert violations(X, dictionary, code, alpha).max() <= VIOLATION[dtype]


def test_a_gap_below_the_tolerance_is_good_enough():
    # Penalties 1e12 times below the signals leave no room for the last digits of a solver that
    # is exact but for rounding.
    rng = np.random.default_rng(0)
    X, dictionary = (
        1e12 * rng.standard_normal((40, 3)),
        np.linalg.qr(rng.standard_normal((3, 3)))[0],
    )
    dictionary += 0.02 * rng.standard_normal((3, 3))
    for gap_tol, few in ((1e-6, True), (1e-16, False)):
        _, diagnostics = sparse_encode(
            X, dictionary, alpha=0.5, gap_tol=gap_tol, return_diagnostics=True
        )
        assert (diagnostics.status == Status.DONE).all() == few
        assert (diagnostics.gap < 1e-10).all()


def test_stops_at_max_iter_with_a_certified_gap(image_problem):
    X, dictionary = image_problem
    options = {"alpha": 2.0, "max_iter": 5}
    with pytest.warns(ConvergenceWarning, match="stopped at max_iter"):
        sparse_encode(X, dictionary, **options)
    code, diagnostics = sparse_encode(X, dictionary, return_diagnostics=True, **options)
    stopped = diagnostics.status == Status.MAX_ITER
    best = sparse_encode(X, dictionary, alpha=2.0)

    def objective(code):
        return 0.5 * ((X - code @ dictionary) ** 2).sum(axis=1) + 2 * np.abs(code).sum(axis=1)

    excess = 2 * (objective(code) - objective(best)) / (X**2).sum(axis=1)
    assert stopped.any()
    assert (excess[stopped] > 0).all()
    assert (excess <= diagnostics.gap + 1e-12).all()


def test_a_number_for_alpha_beside_tol_is_refused():
    with pytest.raises(ValueError, match=r"takes tol=1.0 or alpha=2.0, not both"):
        sparse_encode(np.eye(2), np.eye(2), alpha=2.0, tol=1.0)


def test_scaled_problems_have_scaled_codes():
    rng = np.random.default_rng(0)
    X, dictionary = rng.standard_normal((5, 8)), rng.standard_normal((20, 8))
    code = sparse_encode(X, dictionary, alpha=0.7)
    for scale in (2.0**-600, 2.0**600):
        scaled = sparse_encode(X * scale, dictionary, alpha=0.7 * scale)
        np.testing.assert_array_equal(scaled, code * scale)


def test_a_signal_alone_and_any_number_of_threads_give_the_same_code(image_problem):
    X, dictionary = image_problem
    code = sparse_encode(X, dictionary, alpha=8.0)
    np.testing.assert_array_equal(sparse_encode(X, dictionary, alpha=8.0, n_jobs=2), code)
    alone = np.vstack([sparse_encode(x[None], dictionary, alpha=8.0) for x in X[:20]])
    np.testing.assert_array_equal(alone != 0, code[:20] != 0)
    np.testing.assert_allclose(alone, code[:20], rtol=1e-9, atol=1e-9)


def test_the_coder_passes_a_residual_on(image_problem):
    X, dictionary = image_problem
    coder = SparseCoder(dictionary, transform_algorithm="lasso_lars", transform_tol=500.0)
    np.testing.assert_array_equal(coder.transform(X), sparse_encode(X, dictionary, tol=500.0))


@pytest.mark.parametrize("exponent", [-900, -480, -100, 100, 480])
def test_weights_of_any_size_give_the_same_codes(exponent):
    # By powers of two nothing is rounded: the problem is the same one in other units.
    rng = np.random.default_rng(0)
    X, dictionary = rng.standard_normal((60, 16)), rng.standard_normal((20, 16))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    expected, own = sparse_encode(X, dictionary, alpha=0.3, return_diagnostics=True)
    scale = 2.0**exponent
    code, ended = sparse_encode(X * scale, dictionary, alpha=0.3 * scale, return_diagnostics=True)
    assert not own.status.any()
    assert not ended.status.any()
    np.testing.assert_allclose(code / scale, expected, atol=1e-12)
