"""Greedy pursuits against their definitions, their laws, scikit-learn and SPAMS."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard
from scipy.optimize import nnls
from sklearn.decomposition import sparse_encode as reference_encode
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc import sparse_encode, theory
from sklearn_resnet_sc.coding import Status

from . import oracles
from .oracles import PURSUITS, gaussian_problem, planted_problem

both_signs = pytest.mark.parametrize("positive", [False, True])
# Two seeds a shape: more features than atoms, fewer, as many; atoms of any length.
SHAPES = [(8, 5), (5, 8), (6, 6), (12, 7)]


@both_signs
@pytest.mark.parametrize("name", PURSUITS)
def test_definition(name, positive):
    options = PURSUITS[name]
    oracle = getattr(oracles, options["algorithm"])
    extra = {"polish": True} if options.get("polish") else {}
    for seed, (n_components, n_features) in enumerate(SHAPES * 2):
        X, dictionary = gaussian_problem(8, n_components, n_features, seed, unit=seed % 2 == 0)
        for count in (1, 2, 4):
            code = sparse_encode(X, dictionary, n_nonzero_coefs=count, positive=positive, **options)
            expected = [oracle(x, dictionary, count, positive=positive, **extra) for x in X]
            # Plain iterations stop at a tolerance, and near a solution not at the same iterate.
            atol = 1e-5 if name == "iht" else 1e-9
            np.testing.assert_allclose(code, expected, atol=atol, err_msg=f"{seed} {count}")


@pytest.mark.parametrize(
    ("algorithm", "positive"),
    [("mp", False), ("omp", False), ("ols", False), ("omp", True), ("ols", True)],
)
def test_definition_with_a_tolerance(algorithm, positive):
    X, dictionary = gaussian_problem(20, 30, 8, seed=1)
    if positive:  # signals that positive codes can reach
        dictionary = np.abs(dictionary)
        X = 0.3 * np.random.default_rng(1).exponential(size=(20, 30)) @ dictionary
    tol = 0.1
    code, diagnostics = sparse_encode(
        X, dictionary, algorithm=algorithm, tol=tol, positive=positive, return_diagnostics=True
    )
    expected = [getattr(oracles, algorithm)(x, dictionary, 30, positive, tol=tol) for x in X]
    np.testing.assert_allclose(code, expected, atol=1e-9)
    residual2 = np.sum((X - code @ dictionary) ** 2, axis=1)
    np.testing.assert_allclose(diagnostics.residual_norm2, residual2, atol=1e-12)
    assert (residual2 <= tol + 1e-12).all()
    assert (diagnostics.status == Status.DONE).all()
    assert np.unique(diagnostics.n_nonzero).size > 1


def test_omp_equals_scikit_learn(natural_patches):
    dictionary = natural_patches[:128] / np.linalg.norm(natural_patches[:128], axis=1)[:, None]
    X = natural_patches[200:500]
    expected = reference_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=6)
    code = sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=6)
    np.testing.assert_allclose(code, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_ols_equals_spams_omp(natural_patches, dtype):
    spams = pytest.importorskip("spams")
    dictionary = natural_patches[:128] / np.linalg.norm(natural_patches[:128], axis=1)[:, None]
    X = natural_patches[200:500].astype(dtype)
    expected = spams.omp(
        np.asfortranarray(X.T),
        np.asfortranarray(dictionary.T.astype(dtype)),
        L=6,
        eps=0,
        numThreads=1,
    ).T.toarray()
    code = sparse_encode(X, dictionary, algorithm="ols", n_nonzero_coefs=6)
    assert code.dtype == dtype
    # In single precision a near tie may fall either way: compare what is left of the signals.
    left, expected_left = (
        np.linalg.norm(X - c.astype(np.float64) @ dictionary, axis=1) for c in (code, expected)
    )
    rtol = 1e-9 if dtype == np.float64 else 1e-3
    same = np.isclose(left, expected_left, rtol=rtol)
    assert same.mean() >= (1 if dtype == np.float64 else 0.99)
    np.testing.assert_allclose(left.sum(), expected_left.sum(), rtol=rtol)


def test_cosamp_and_iht_stop_at_tol_or_max_iter():
    dictionary = gaussian_problem(1, 128, 64, seed=3)[1]
    _, X = planted_problem(dictionary, 40, 5)
    for name in ("cosamp", "cosamp, polished", "iht", "iht, polished"):
        options = {"n_nonzero_coefs": 5, "return_diagnostics": True, **PURSUITS[name]}
        code, far = sparse_encode(X, dictionary, **options)
        assert (far.residual_norm2 < 1e-10).mean() > 0.9
        code, near = sparse_encode(X, dictionary, tol=0.5, **options)
        residual2 = np.sum((X - code @ dictionary) ** 2, axis=1)
        np.testing.assert_array_less(residual2[far.residual_norm2 < 1e-10], 0.5 + 1e-9)
        assert near.n_iter.sum() < far.n_iter.sum()
        _, cut = sparse_encode(X, dictionary, max_iter=1, **options)
        with pytest.warns(ConvergenceWarning, match=r"of 40 signals stopped at max_iter"):
            sparse_encode(X, dictionary, max_iter=1, **{**options, "return_diagnostics": False})
        assert (cut.n_iter == 1).all()
        assert (cut.status[far.n_iter > 2] == Status.MAX_ITER).all()
        with pytest.raises(ValueError, match="needs n_nonzero_coefs"):
            sparse_encode(X, dictionary, tol=0.5, **PURSUITS[name])


def test_max_iter_of_matching_pursuit():
    X, dictionary = gaussian_problem(30, 40, 20, seed=4)
    options = {"algorithm": "mp", "tol": 1e-3, "return_diagnostics": True}
    code, diagnostics = sparse_encode(X, dictionary, **options)
    assert (np.sum((X - code @ dictionary) ** 2, axis=1) <= 1e-3 * (1 + 1e-9)).all()
    assert diagnostics.n_nonzero.max() > 20  # not bounded by the features
    code, diagnostics = sparse_encode(X, dictionary, max_iter=7, **options)
    with pytest.warns(ConvergenceWarning, match="30 of 30 signals stopped at max_iter"):
        sparse_encode(X, dictionary, max_iter=7, algorithm="mp", tol=1e-3)
    assert (diagnostics.n_iter == 7).all()
    expected = [oracles.mp(x, dictionary, 40, max_iter=7) for x in X]
    np.testing.assert_allclose(code, expected, atol=1e-12)


@pytest.mark.parametrize("name", ["mp", "cosamp", "iht", "iht, polished"])
def test_starting_from_a_code(name):
    X, dictionary = gaussian_problem(30, 40, 20, seed=5)
    options = {"n_nonzero_coefs": 4, "return_diagnostics": True, **PURSUITS[name]}
    code, first = sparse_encode(X, dictionary, **options)
    _, second = sparse_encode(X, dictionary, init=code, **options)
    # From where it ended a pursuit does not go far, and never up.
    assert (second.residual_norm2 <= first.residual_norm2 * (1 + 1e-9)).all()
    assert second.n_iter.sum() < first.n_iter.sum() / 2
    # A full code is cut to its largest entries; signs that are not allowed are dropped.
    full = np.random.default_rng(0).standard_normal((30, 40))
    code, _ = sparse_encode(X, dictionary, init=full, positive=True, **options)
    assert (code >= 0).all()
    assert (np.count_nonzero(code, axis=1) <= 4).all()
    # Scales of signals and atoms apply to the start, too.
    tiny = sparse_encode(2.0**-600 * X, dictionary, init=2.0**-600 * full, **options)[0]
    expected = sparse_encode(X, dictionary, init=full, **options)[0]
    np.testing.assert_array_equal(tiny, 2.0**-600 * expected)


# What each pursuit leaves of a signal.


@both_signs
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["mp", "omp", "ols"])
def test_residual_falls_with_every_atom(algorithm, positive, dtype):
    X, dictionary = gaussian_problem(60, 40, 20, seed=6, unit=False, dtype=dtype)
    before = np.sum(X * X, axis=1)
    eps = float(np.finfo(dtype).eps)
    for count in range(1, 16):
        code = sparse_encode(
            X, dictionary, algorithm=algorithm, n_nonzero_coefs=count, positive=positive
        )
        assert code.dtype == dtype
        residual = X - code @ dictionary
        after = np.sum(residual**2, axis=1)
        assert (after <= before + 100 * eps * np.sum(X * X, axis=1)).all()
        before = after
        if algorithm == "mp":
            continue
        # Least squares: orthogonal to the support; non-negative: the same, all codes positive.
        correlations = np.abs(residual @ dictionary.T) / np.linalg.norm(dictionary, axis=1)
        assert (correlations[code != 0]).max() <= 3000 * eps * np.linalg.norm(X, axis=1).max()
        assert (code >= 0).all() or not positive


def test_matching_pursuit_conserves_energy():
    X, dictionary = gaussian_problem(20, 40, 20, seed=7, unit=False)
    residual, explained = X, np.zeros(20)
    for max_iter in range(1, 12):
        with pytest.warns(ConvergenceWarning):
            code = sparse_encode(X, dictionary, algorithm="mp", tol=1e-9, max_iter=max_iter)
        taken = residual - (X - code @ dictionary)
        residual = X - code @ dictionary
        # A step takes the projection on one atom, and energies add up.
        np.testing.assert_allclose(np.sum(taken * residual, axis=1), 0, atol=1e-12)
        explained += np.sum(taken**2, axis=1)
        total = explained + np.sum(residual**2, axis=1)
        np.testing.assert_allclose(total, np.sum(X**2, axis=1), rtol=1e-12)


@both_signs
def test_hard_threshold_is_best_in_an_orthonormal_basis(positive):
    rng = np.random.default_rng(8)
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    X = rng.standard_normal((20, 6))
    for count in range(1, 7):
        code = sparse_encode(
            X, basis, algorithm="hard_threshold", n_nonzero_coefs=count, positive=positive
        )
        for x, row in zip(X, code, strict=True):
            best = min(
                np.linalg.norm(x - oracles.fit(x, basis, support, positive) @ basis)
                for support in itertools.combinations(range(6), count)
            )
            np.testing.assert_allclose(np.linalg.norm(x - row @ basis), best, atol=1e-12)


def test_hard_threshold_above_alpha():
    X, dictionary = gaussian_problem(20, 15, 10, seed=9)
    correlations = X @ dictionary.T
    weights = np.linspace(0.2, 1.5, 15)
    for alpha in (0.7, weights):
        kept = np.where(np.abs(correlations) > alpha, correlations, 0)
        code = sparse_encode(X, dictionary, algorithm="hard_threshold", alpha=alpha)
        np.testing.assert_allclose(code, kept, atol=1e-14)
        code = sparse_encode(
            X, dictionary, algorithm="hard_threshold", alpha=alpha, n_nonzero_coefs=2
        )
        assert np.count_nonzero(code, axis=1).max() == 2
        expected = [oracles.hard_threshold(row, np.eye(15), 2) for row in kept]
        np.testing.assert_allclose(code, expected, atol=1e-14)
    code = sparse_encode(X, dictionary, algorithm="hard_threshold")
    assert (np.count_nonzero(code, axis=1) == 1).all()  # a tenth of the features


def test_positive_omp_without_a_limit_is_nonnegative_least_squares():
    # Lawson and Hanson's algorithm: scipy has it.
    for n_components, n_features in ((30, 12), (12, 30), (15, 15)):
        X, dictionary = gaussian_problem(20, n_components, n_features, seed=10, unit=False)
        for algorithm in ("omp", "ols"):
            code = sparse_encode(
                X, dictionary, algorithm=algorithm, positive=True, n_nonzero_coefs=n_components
            )
            for x, row in zip(X, code, strict=True):
                np.testing.assert_allclose(
                    np.linalg.norm(x - row @ dictionary), nnls(dictionary.T, x)[1], atol=1e-10
                )


def test_atoms_leave_positive_supports():
    # Otherwise nothing here tells the positive pursuits from clipped ones.
    X, dictionary = gaussian_problem(200, 40, 10, seed=11)
    dictionary = np.abs(dictionary)
    for algorithm in ("omp", "ols"):
        _, diagnostics = sparse_encode(
            np.abs(X),
            dictionary,
            algorithm=algorithm,
            positive=True,
            n_nonzero_coefs=8,
            return_diagnostics=True,
        )
        assert (diagnostics.n_iter > diagnostics.n_nonzero).sum() > 20


# Theorems of recovery.


@st.composite
def incoherent_dictionaries(draw):
    """Unit atoms of small coherence, and how many of them Tropp's condition allows."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.sampled_from([16, 32, 64]))
    kind = draw(st.sampled_from(["two bases", "nearly orthogonal"]))
    if kind == "two bases":
        atoms = np.vstack([np.eye(n), hadamard(n)])
    else:
        atoms = np.eye(n) + draw(st.floats(0, 0.5)) / n * rng.standard_normal((n, n))
    atoms = atoms @ np.linalg.qr(rng.standard_normal((n, n)))[0]
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    mu = theory.babel(atoms)
    allowed = int(np.flatnonzero(mu[1:] + mu[:-1] < 1 - 1e-9)[-1]) + 1
    return atoms, draw(st.integers(1, min(allowed, 12))), mu


@settings(max_examples=60)
@given(incoherent_dictionaries(), st.integers(0, 2**32 - 1))
def test_recovery_where_the_babel_condition_holds(case, seed):
    # Tropp 2004 for OMP, Soussen et al. 2013 for OLS: mu_1(s-1) + mu_1(s) < 1.
    dictionary, sparsity, _ = case
    expected, X = planted_problem(dictionary, 5, sparsity, seed)
    for algorithm in ("omp", "ols"):
        code = sparse_encode(X, dictionary, algorithm=algorithm, n_nonzero_coefs=sparsity)
        np.testing.assert_array_equal(code != 0, expected != 0)
        np.testing.assert_allclose(code, expected, atol=1e-9)


@settings(max_examples=60)
@given(incoherent_dictionaries(), st.integers(0, 2**32 - 1))
def test_positive_recovery_where_coherence_allows(case, seed):
    # Nguyen et al. 2019: where s < (1 + 1/mu)/2 codes stay positive, as OMP's and OLS's.
    dictionary, sparsity, mu = case
    assume((2 * sparsity - 1) * mu[1] < 1 - 1e-9)
    expected, X = planted_problem(dictionary, 5, sparsity, seed, positive=True)
    for algorithm in ("omp", "ols"):
        code = sparse_encode(
            X, dictionary, algorithm=algorithm, n_nonzero_coefs=sparsity, positive=True
        )
        np.testing.assert_allclose(code, expected, atol=1e-9)


@settings(max_examples=40)
@given(incoherent_dictionaries(), st.integers(0, 2**32 - 1), st.booleans())
def test_thresholding_recovery_of_nearly_orthonormal_atoms(case, seed, positive):
    # Restricted isometry by Gershgorin: delta_4s <= mu_1(4s - 1) <= 0.1 (Needell, Tropp 2009).
    dictionary, _, mu = case
    allowed = (np.flatnonzero(mu <= 0.1)[-1] + 1) // 4
    assume(allowed >= 1)
    expected, X = planted_problem(dictionary, 5, int(allowed), seed, positive)
    for name in ("cosamp", "cosamp, polished", "iht", "iht, polished"):
        code = sparse_encode(
            X, dictionary, n_nonzero_coefs=int(allowed), positive=positive, **PURSUITS[name]
        )
        np.testing.assert_allclose(code, expected, atol=1e-6)
