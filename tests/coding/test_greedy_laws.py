"""What no greedy pursuit may depend on, and what it does with degenerate input."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.coding import Status

from .oracles import PURSUITS, gaussian_problem

both_signs = pytest.mark.parametrize("positive", [False, True])
every_pursuit = pytest.mark.parametrize("name", PURSUITS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@st.composite
def problems(draw):
    """Signals, atoms of any length, a number of atoms, a generator."""
    n_components, n_features = draw(st.integers(2, 24)), draw(st.integers(2, 16))
    seed = draw(st.integers(0, 2**32 - 1))
    X, dictionary = gaussian_problem(4, n_components, n_features, seed, draw(st.booleans()))
    # As many atoms as features reach every signal, whichever the last one is: a tie for OLS.
    count = draw(st.integers(1, min(6, n_components, n_features - 1)))
    return X, dictionary, count, np.random.default_rng(seed)


def assert_same_code(name, X, dictionary, code, expected):
    """Equal to rounding; iterations that stop at a tolerance, in what they reach."""
    if name == "iht":
        left, expected_left = (np.linalg.norm(X - c @ dictionary, axis=1) for c in (code, expected))
        np.testing.assert_allclose(left, expected_left, rtol=1e-5, atol=1e-5)
        return
    np.testing.assert_array_equal(code != 0, expected != 0)
    np.testing.assert_allclose(code, expected, rtol=1e-6, atol=1e-8)


@both_signs
@every_pursuit
@settings(max_examples=25)
@given(case=problems())
def test_equivariance(name, positive, case):
    X, dictionary, count, rng = case

    def encode(X, dictionary):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            return sparse_encode(
                X, dictionary, n_nonzero_coefs=count, positive=positive, **PURSUITS[name]
            )

    n_components, n_features = dictionary.shape
    code = encode(X, dictionary)
    assert np.count_nonzero(code, axis=1).max() <= count
    assert (code >= 0).all() or not positive
    # Powers of two change no bits, nor does the sign of a signal.
    np.testing.assert_array_equal(encode(0.25 * X, dictionary), 0.25 * code)
    if not positive:
        np.testing.assert_array_equal(encode(-X, dictionary), -code)
    atoms = 4.0 if name == "hard_threshold" else 0.25
    np.testing.assert_array_equal(encode(X, 4 * dictionary), atoms * code)
    order = rng.permutation(n_components)
    assert_same_code(name, X, dictionary, encode(X, dictionary[order]), code[:, order])
    if not positive:
        signs = rng.choice([-1.0, 1.0], n_components)
        flipped = encode(X, signs[:, None] * dictionary)
        assert_same_code(name, X, dictionary, flipped * signs, code)
    rotation = np.linalg.qr(rng.standard_normal((n_features, n_features)))[0]
    assert_same_code(name, X, dictionary, encode(X @ rotation, dictionary @ rotation), code)
    rows = rng.permutation(len(X))
    assert_same_code(name, X[rows], dictionary, encode(X[rows], dictionary), code[rows])
    assert_same_code(name, X[:1], dictionary, encode(X[:1], dictionary), code[:1])


@both_signs
@both_dtypes
@every_pursuit
def test_threads_chunks_and_rows(name, dtype, positive):
    X, dictionary = gaussian_problem(700, 600, 32, seed=1, dtype=dtype)  # many blocks
    options = {"n_nonzero_coefs": 4, "positive": positive, "max_iter": 30, **PURSUITS[name]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        code = sparse_encode(X, dictionary, n_jobs=1, **options)
        assert code.dtype == dtype
        for n_jobs in (2, 3, -1):
            again = sparse_encode(X, dictionary, n_jobs=n_jobs, **options)
            np.testing.assert_array_equal(again, code)
            again = sparse_encode(X, dictionary, n_jobs=n_jobs, sparse_output=True, **options)
            assert again.has_sorted_indices
            np.testing.assert_array_equal(again.toarray(), code)
        gram, cov = dictionary @ dictionary.T, dictionary @ X.T
        given = sparse_encode(X, dictionary, gram=gram, cov=cov, **options)
        parts = np.vstack([sparse_encode(part, dictionary, **options) for part in (X[:5], X[5:])])
        alone = np.vstack([sparse_encode(x[None], dictionary, **options) for x in X[:20]])
    for other, rows in ((given, slice(None)), (parts, slice(None)), (alone, slice(0, 20))):
        if dtype == np.float64 and name != "iht":
            np.testing.assert_array_equal(other != 0, code[rows] != 0)
            np.testing.assert_allclose(other, code[rows], atol=1e-9)
        else:  # a near tie in single precision may fall either way, once in hundreds
            same = np.isclose(other, code[rows], atol=1e-3).all(axis=1)
            assert same.mean() > 0.98


def _degenerate(kind, dtype):
    """A dictionary with something wrong, and the atoms that must not be used."""
    rng = np.random.default_rng(5)
    X, dictionary = gaussian_problem(30, 12, 6, seed=5)
    never = []
    if kind == "zero atoms":
        dictionary[[0, 7]] = 0
        never = [0, 7]
    elif kind == "all zero":
        dictionary[:] = 0
        never = range(12)
    elif kind == "duplicates":
        dictionary[6:] = dictionary[:6]
    elif kind == "opposites":
        dictionary[6:] = -2 * dictionary[:6]
    elif kind == "nearly dependent":
        dictionary[6:] = dictionary[:6] + 10 * np.finfo(dtype).eps * rng.standard_normal((6, 6))
    elif kind == "rank one":
        dictionary = np.outer(rng.standard_normal(12), dictionary[0])
    elif kind == "lengths":
        dictionary *= 10.0 ** np.linspace(-3, 3, 12)[:, None]
    elif kind == "one atom":
        dictionary = dictionary[:1]
    elif kind == "one feature":
        X, dictionary = X[:, :1], dictionary[:, :1]
    X[3] = 0
    X[4] = dictionary[0]
    return X.astype(dtype), dictionary.astype(dtype), list(never)


@both_signs
@both_dtypes
@every_pursuit
@pytest.mark.parametrize(
    "kind",
    [
        "zero atoms",
        "all zero",
        "duplicates",
        "opposites",
        "nearly dependent",
        "rank one",
        "lengths",
        "one atom",
        "one feature",
    ],
)
def test_degenerate_dictionaries(kind, name, dtype, positive):
    X, dictionary, never = _degenerate(kind, dtype)
    for count in (1, 3, 6):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="n_nonzero_coefs=")
            code, diagnostics = sparse_encode(
                X,
                dictionary,
                n_nonzero_coefs=count,
                positive=positive,
                return_diagnostics=True,
                **PURSUITS[name],
            )
        assert np.isfinite(code).all()
        assert (code[:, never] == 0).all()
        assert (code[3] == 0).all()
        assert np.count_nonzero(code, axis=1).max() <= count
        assert (code >= 0).all() or not positive
        np.testing.assert_array_equal(diagnostics.n_nonzero >= np.count_nonzero(code, axis=1), True)
        if name == "hard_threshold":
            continue
        residual2 = np.sum((X.astype(float) - code.astype(float) @ dictionary) ** 2, axis=1)
        energy = np.sum(X.astype(float) ** 2, axis=1)
        assert (residual2 <= energy * (1 + 1e3 * np.finfo(dtype).eps)).all()


@both_signs
@every_pursuit
def test_ties_go_to_the_first_atom(name, positive):
    X = np.ones((2, 6))
    options = {"n_nonzero_coefs": 2, "positive": positive, **PURSUITS[name]}
    np.testing.assert_array_equal(sparse_encode(X, np.eye(6), **options), [[1, 1, 0, 0, 0, 0]] * 2)
    twice = np.vstack([np.eye(6)[::2], np.eye(6)[::2]])
    code = sparse_encode(X, twice, **{**options, "n_nonzero_coefs": 1})
    np.testing.assert_array_equal(code, [[1, 0, 0, 0, 0, 0]] * 2)


@both_signs
@every_pursuit
@pytest.mark.parametrize(
    ("signal_exponent", "atom_exponent"), [(660, 0), (-660, 0), (0, 660), (0, -660), (660, 300)]
)
def test_extreme_scales(name, positive, signal_exponent, atom_exponent):
    # 2^660 is about 1e199; powers of two scale floats exactly.
    X, dictionary = gaussian_problem(12, 20, 10, seed=6)
    options = {"n_nonzero_coefs": 3, "positive": positive, **PURSUITS[name]}
    signal, atom = 2.0**signal_exponent, 2.0**atom_exponent
    expected = sparse_encode(X, dictionary, **options)
    factor = signal * atom if name == "hard_threshold" else signal / atom
    code = sparse_encode(X * signal, dictionary * atom, **options)
    np.testing.assert_allclose(code, expected * factor, rtol=1e-12)
    mixed = X.copy()
    mixed[::2] *= signal
    code = sparse_encode(mixed, dictionary * atom, **options)
    np.testing.assert_allclose(code[::2], expected[::2] * factor, rtol=1e-12)
    np.testing.assert_allclose(code[1::2], expected[1::2] * (factor / signal), rtol=1e-12)


@both_signs
@pytest.mark.parametrize("algorithm", ["mp", "omp", "ols"])
def test_unreachable_tolerance_is_one_counted_warning(algorithm, positive):
    # Signals 10 to 39 lie in the span of too few atoms plus one direction without atoms.
    rng = np.random.default_rng(7)
    dictionary = np.hstack([np.eye(5), np.zeros((5, 1))])
    for atoms in (dictionary, np.vstack([dictionary, dictionary[:3] + dictionary[1:4]])):
        if algorithm == "mp" and positive and len(atoms) > 5:
            continue  # it cannot take back what it gave to an atom: unreachable, too
        X = np.abs(rng.standard_normal((40, 6)))
        X[:10, 5] = 0
        X[10:, 5] = 1
        options = {"algorithm": algorithm, "tol": 1e-6, "positive": positive}
        with pytest.warns(ConvergenceWarning, match=r"^30 of 40 signals cannot") as caught:
            sparse_encode(X, atoms, **options)
        assert len(caught) == 1
        _, diagnostics = sparse_encode(X, atoms, return_diagnostics=True, **options)
        np.testing.assert_array_equal(diagnostics.status == Status.TOL_NOT_REACHED, X[:, 5] == 1)
        np.testing.assert_allclose(diagnostics.residual_norm2[10:], 1, atol=1e-5)
        assert (diagnostics.residual_norm2[:10] <= 1e-6).all()
    # A number of atoms that is reached first is what was asked for: no warning.
    code = sparse_encode(
        X, dictionary, algorithm=algorithm, tol=1e-6, n_nonzero_coefs=2, positive=positive
    )
    assert (np.count_nonzero(code, axis=1) <= 2).all()


@every_pursuit
def test_bad_signals_are_found_wherever_they_are(name):
    X, dictionary = gaussian_problem(3000, 20, 10, seed=8)
    for bad in (np.nan, np.inf, -np.inf):
        broken = X.copy()
        broken[2345, 6] = bad
        with pytest.raises(ValueError, match=r"X contains NaN or infinity.*row 2345"):
            sparse_encode(broken, dictionary, n_nonzero_coefs=2, n_jobs=2, **PURSUITS[name])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sparse_encode(X[:5], dictionary, n_nonzero_coefs=21, **PURSUITS[name])
    messages = [str(w.message) for w in caught if not issubclass(w.category, ConvergenceWarning)]
    assert len(messages) == 1
    assert "n_nonzero_coefs=21 is more than the 20 atoms" in messages[0]
