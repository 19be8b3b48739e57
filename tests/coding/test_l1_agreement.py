"""The l1 pursuits solve one convex problem: optimality, agreement, starts and limits.

Every code is judged in float64 and in the signals' own space, by NumPy: the duality gap of the
weighted lasso and its optimality (KKT) conditions are the oracles, and scikit-learn's coordinate
descent at a tight tolerance.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import sparse_encode as reference_encode
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc.coding import Status, sparse_encode
from sklearn_resnet_sc.coding._algorithms import ALGORITHMS

ITERATIVE = ["lasso_cd", "fista"]
SOLVERS = [name for name in ["lasso_cd", "fista", "lasso_lars"] if name in ALGORITHMS]
# Gap asked for, and what rounding may add to it in the dual point of an independent check.
GAP_TOL = {np.float32: 1e-4, np.float64: 1e-9}
SLACK = {np.float32: 1e-4, np.float64: 1e-10}


def objective(X, dictionary, code, weights):
    """``||x - a C||^2 / 2 + sum_j lambda_j |a_j|`` of every signal, in float64."""
    X, dictionary = X.astype(np.float64), dictionary.astype(np.float64)
    code = np.asarray(code, dtype=np.float64)
    residuals = X - code @ dictionary
    return 0.5 * np.sum(residuals**2, axis=1) + np.abs(code) @ weights


def relative_gaps(X, dictionary, code, weights, positive):
    """Duality gap of every signal as a share of ``||x||^2 / 2``, from the definition.

    The dual point is the best multiple of the residual that meets every constraint; constraints
    are widened by rounding, so that atoms without penalty leave a point at all.
    """
    epsilon = np.finfo(X.dtype).eps
    primal = objective(X, dictionary, code, weights)
    X, dictionary = X.astype(np.float64), dictionary.astype(np.float64)
    code = np.asarray(code, dtype=np.float64)
    gaps = np.zeros(len(X))
    lengths = np.linalg.norm(dictionary, axis=1)
    for i, x in enumerate(X):
        residual = x - code[i] @ dictionary
        if not x.any():
            gaps[i] = primal[i]
            continue
        correlations = dictionary @ residual
        correlations = correlations if positive else np.abs(correlations)
        rounding = 16 * epsilon * np.linalg.norm(x) * lengths
        bounds = np.maximum(weights, 8 * rounding) + rounding
        breaking = correlations > 0
        largest = np.min(bounds[breaking] / correlations[breaking], initial=np.inf)
        energy = residual @ residual
        multiple = min(x @ residual / energy, largest) if energy > 0 else 0.0
        dual = 0.5 * (x @ x - np.sum((x - max(multiple, 0.0) * residual) ** 2))
        gaps[i] = (primal[i] - dual) / (0.5 * x @ x)
    return gaps


@st.composite
def lasso_problems(draw):
    """Signals, atoms and penalties: fewer, as many and more atoms than features.

    Some atoms are zero, repeated, opposite or sums of others; some signals are zero or atoms;
    some atoms carry no penalty, and lengths differ.
    """
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    n_features = draw(st.integers(1, 6))
    n_components = draw(st.integers(1, 10))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dictionary = rng.standard_normal((n_components, n_features))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    dictionary *= rng.uniform(0.5, 2.0, (n_components, 1))
    for j in range(1, n_components):
        kind = draw(st.sampled_from(["free", "free", "free", "zero", "same", "opposite", "sum"]))
        if kind == "zero":
            dictionary[j] = 0.0
        elif kind != "free":
            dictionary[j] = {
                "same": dictionary[j - 1],
                "opposite": -dictionary[j - 1],
                "sum": dictionary[:j].sum(axis=0),
            }[kind]
    X = rng.standard_normal((4, n_features))
    X[1] = 0.0
    X[2] = 3.0 * dictionary[0]
    share = draw(st.sampled_from([1.5, 0.5, 0.1, 0.01]))
    weights = np.full(n_components, share * max(np.abs(X @ dictionary.T).max(), 1e-3))
    if draw(st.booleans()):
        weights *= rng.uniform(0.5, 2.0, n_components)
    # Atoms without penalty must be independent for coordinate descent to be quick.
    if draw(st.booleans()):
        weights[0] = 0.0
    return X.astype(dtype), dictionary.astype(dtype), weights.astype(dtype).astype(np.float64)


@pytest.mark.parametrize("algorithm", SOLVERS)
@settings(max_examples=60)
@given(problem=lasso_problems(), positive=st.booleans())
def test_duality_gap_is_reached_and_reported(algorithm, problem, positive):
    X, dictionary, weights = problem
    dtype = X.dtype.type
    code, diagnostics = sparse_encode(
        X,
        dictionary,
        algorithm=algorithm,
        alpha=weights,
        positive=positive,
        gap_tol=GAP_TOL[dtype],
        max_iter=100_000,
        return_diagnostics=True,
    )
    assert code.dtype == X.dtype
    assert np.isfinite(code).all()
    assert not (positive and (code < 0).any())
    assert not code[:, ~dictionary.any(axis=1)].any()
    assert not code[~X.any(axis=1)].any()
    gaps = relative_gaps(X, dictionary, code, weights, positive)
    assert gaps.max() <= GAP_TOL[dtype] + SLACK[dtype]
    assert (diagnostics.status == Status.DONE).all()
    assert diagnostics.gap.max() <= GAP_TOL[dtype]
    np.testing.assert_allclose(diagnostics.gap, gaps, rtol=0, atol=SLACK[dtype])
    np.testing.assert_array_equal(diagnostics.n_nonzero, np.count_nonzero(code, axis=1))


@settings(max_examples=60)
@given(problem=lasso_problems(), positive=st.booleans())
def test_solvers_agree(problem, positive):
    """Objectives within a gap of one another; then fitted signals are within its root.

    The objective is strongly convex in the fitted signal: ``||(a - b) C||^2 / 2`` is at most the
    sum of what both objectives are above the least.
    """
    X, dictionary, weights = problem
    dtype = X.dtype.type
    energy = 0.5 * np.sum(X.astype(np.float64) ** 2, axis=1)
    allowed = (GAP_TOL[dtype] + SLACK[dtype]) * energy
    codes = [
        sparse_encode(
            X,
            dictionary,
            algorithm=algorithm,
            alpha=weights,
            positive=positive,
            gap_tol=GAP_TOL[dtype],
            max_iter=100_000,
        )
        for algorithm in SOLVERS
    ]
    first = objective(X, dictionary, codes[0], weights)
    for code in codes[1:]:
        difference = objective(X, dictionary, code, weights) - first
        assert (np.abs(difference) <= allowed).all()
        moved = (code - codes[0]).astype(np.float64) @ dictionary.astype(np.float64)
        assert (0.5 * np.sum(moved**2, axis=1) <= 2 * allowed).all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("algorithm", SOLVERS)
def test_optimality_conditions_on_patches(natural_patches, algorithm, positive, dtype):
    """On the support ``<c_j, r> = alpha sign(a_j)``; off it ``|<c_j, r>| <= alpha`` (KKT)."""
    X = natural_patches[:60].astype(dtype)
    dictionary = unit_patches(natural_patches, dtype)
    alpha = 20.0
    code = sparse_encode(
        X, dictionary, algorithm=algorithm, alpha=alpha, positive=positive, gap_tol=1e-10,
        max_iter=100_000,
    )  # fmt: skip
    # An error of the objective of g leaves correlations within sqrt(2 g): 2e-5 lengths, squared.
    slack = (2e-5 if dtype == np.float64 else 3e-3) * np.linalg.norm(X, axis=1)[:, None]
    atoms = dictionary.astype(np.float64)
    correlations = (X - code.astype(np.float64) @ atoms) @ atoms.T
    used = code != 0
    assert 2 < used.sum(axis=1).mean() < 40
    assert (np.abs(correlations - alpha * np.sign(code))[used] <= (slack + 0 * code)[used]).all()
    off = correlations if positive else np.abs(correlations)
    assert (off <= alpha + slack).all()


def unit_patches(patches, dtype=np.float64, n_components=128):
    atoms = patches[-n_components:]
    return (atoms / np.linalg.norm(atoms, axis=1, keepdims=True)).astype(dtype)


@pytest.mark.parametrize("positive", [False, True])
def test_lasso_cd_agrees_with_scikit_learn(natural_patches, positive):
    """Never above scikit-learn's objective, and its codes, to the 1e-7 of its older versions."""
    X, dictionary = natural_patches[:50], unit_patches(natural_patches)
    alpha = 10.0
    options = {"algorithm": "lasso_cd", "alpha": alpha, "positive": positive, "max_iter": 100_000}
    code = sparse_encode(X, dictionary, gap_tol=1e-10, **options)
    reference = reference_encode(X, dictionary, **options)
    weights = np.full(len(dictionary), alpha)
    energy = np.sum(X**2, axis=1)
    excess = objective(X, dictionary, code, weights) - objective(X, dictionary, reference, weights)
    assert (excess <= 1e-10 * energy).all()
    assert (excess >= -1e-7 * energy).all()
    moved = (code - reference) @ dictionary
    assert (0.5 * np.sum(moved**2, axis=1) <= 2e-7 * energy).all()


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_more_atoms_than_one_working_set(algorithm):
    """600 atoms in 12 dimensions, codes near least squares: many atoms join and leave."""
    rng = np.random.default_rng(0)
    dictionary = rng.standard_normal((600, 12))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    X = rng.standard_normal((20, 12))
    weights = np.full(600, 1e-2)
    code = sparse_encode(
        X, dictionary, algorithm=algorithm, alpha=1e-2, gap_tol=1e-6, max_iter=100_000
    )
    assert relative_gaps(X, dictionary, code, weights, False).max() <= 1.01e-6
    assert (np.count_nonzero(code, axis=1) <= 60).all()


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_least_squares_without_penalty(algorithm):
    """``alpha=0`` with independent atoms is least squares (LAPACK)."""
    rng = np.random.default_rng(1)
    dictionary, X = rng.standard_normal((4, 9)), rng.standard_normal((10, 9))
    code = sparse_encode(
        X, dictionary, algorithm=algorithm, alpha=0.0, gap_tol=1e-12, max_iter=100_000
    )
    expected = np.linalg.lstsq(dictionary.T, X.T, rcond=None)[0].T
    np.testing.assert_allclose(code, expected, atol=1e-5)


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_start_at_the_solution_needs_no_iterations(natural_patches, algorithm):
    X, dictionary = natural_patches[:20], unit_patches(natural_patches)
    options = {
        "algorithm": algorithm,
        "alpha": 20.0,
        "return_diagnostics": True,
        "max_iter": 10_000,
    }
    code, _ = sparse_encode(X, dictionary, gap_tol=1e-6, **options)
    again, diagnostics = sparse_encode(X, dictionary, gap_tol=1.1e-6, init=code, **options)
    np.testing.assert_array_equal(again, code)
    assert not diagnostics.n_iter.any()


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_any_start_leads_to_the_solution(natural_patches, algorithm, positive):
    """Dense starts of either sign, with a zero atom among the atoms."""
    X, dictionary = natural_patches[:20], unit_patches(natural_patches)
    dictionary[7] = 0.0
    init = 100.0 * np.random.default_rng(0).standard_normal((20, len(dictionary)))
    code = sparse_encode(
        X, dictionary, algorithm=algorithm, alpha=20.0, init=init, positive=positive,
        gap_tol=1e-6, max_iter=100_000,
    )  # fmt: skip
    weights = np.full(len(dictionary), 20.0)
    assert not code[:, 7].any()
    assert relative_gaps(X, dictionary, code, weights, positive).max() <= 1.01e-6


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_no_iterations_return_the_start(natural_patches, algorithm):
    """As in scikit-learn: ``max_iter=0`` gives zeros or `init`, and a warning."""
    X, dictionary = natural_patches[:5], unit_patches(natural_patches)
    options = {"algorithm": algorithm, "alpha": 1.0, "max_iter": 0}
    with pytest.warns(ConvergenceWarning, match=r"^5 of 5 signals stopped at max_iter"):
        code = sparse_encode(X, dictionary, **options)
    assert not code.any()
    init = np.eye(5, len(dictionary))
    with pytest.warns(ConvergenceWarning, match="worst relative dual gap"):
        code = sparse_encode(X, dictionary, init=init, **options)
    np.testing.assert_array_equal(code, init)


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_limit_on_iterations_is_kept(natural_patches, algorithm):
    X, dictionary = natural_patches[:30], unit_patches(natural_patches)
    objectives = []
    for max_iter in [1, 7, 40]:
        code, diagnostics = sparse_encode(
            X, dictionary, algorithm=algorithm, alpha=1.0, max_iter=max_iter,
            gap_tol=1e-12, return_diagnostics=True,
        )  # fmt: skip
        assert "stopped at max_iter" in diagnostics.message
        stopped = diagnostics.status == Status.MAX_ITER
        assert stopped.any()
        assert (diagnostics.n_iter[stopped] == max_iter).all()
        assert (diagnostics.n_iter <= max_iter).all()
        weights = np.ones(len(dictionary))
        gaps = relative_gaps(X, dictionary, code, weights, False)
        np.testing.assert_allclose(diagnostics.gap, gaps, atol=1e-10)
        objectives.append(objective(X, dictionary, code, weights).sum())
    assert objectives[0] > objectives[1] > objectives[2]


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_penalty_above_all_correlations_gives_zero_at_once(algorithm):
    """``alpha >= max_j |<c_j, x>|``: the zero code is optimal (KKT)."""
    rng = np.random.default_rng(2)
    dictionary, X = rng.standard_normal((8, 5)), rng.standard_normal((6, 5))
    alpha = np.abs(X @ dictionary.T).max()
    code, diagnostics = sparse_encode(
        X, dictionary, algorithm=algorithm, alpha=alpha, return_diagnostics=True
    )
    assert not code.any()
    assert not diagnostics.n_iter.any()
    assert not diagnostics.gap.any()


@pytest.mark.parametrize("algorithm", ITERATIVE)
def test_same_code_alone_and_in_a_batch_for_any_scale(natural_patches, algorithm):
    X, dictionary = natural_patches[:40], unit_patches(natural_patches)
    options = {"algorithm": algorithm, "gap_tol": 1e-8, "max_iter": 100_000}
    code = sparse_encode(X, dictionary, alpha=20.0, **options)
    for i in [0, 39]:
        alone = sparse_encode(X[i : i + 1], dictionary, alpha=20.0, **options)[0]
        np.testing.assert_array_equal(alone != 0, code[i] != 0)
        np.testing.assert_allclose(alone, code[i], atol=1e-8 * np.abs(code).max())
    # A power of two changes no bits, however far from one.
    for power in [-400, 400]:
        scale = 2.0**power
        scaled = sparse_encode(scale * X, dictionary, alpha=scale * 20.0, **options)
        np.testing.assert_array_equal(scaled / scale, code)
