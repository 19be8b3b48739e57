"""sparse_encode: the calls it takes, what it refuses, and how it treats arrays."""

import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import sparse_encode as reference_encode
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc import sparse_encode
from sklearn_resnet_sc.coding import Status


def problem(n_samples=300, n_components=40, n_features=20, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    dictionary = rng.standard_normal((n_components, n_features))
    dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return rng.standard_normal((n_samples, n_features)).astype(dtype), dictionary.astype(dtype)


@pytest.mark.parametrize(
    "options",
    [
        {"algorithm": "omp", "n_nonzero_coefs": 5},
        {"algorithm": "omp"},
        {"algorithm": "threshold", "alpha": 0.5},
        {"algorithm": "threshold"},
        {"algorithm": "threshold", "alpha": 0.5, "positive": True},
    ],
    ids=str,
)
def test_equals_scikit_learn(options):
    X, dictionary = problem()
    expected = reference_encode(X, dictionary, **options)
    np.testing.assert_allclose(sparse_encode(X, dictionary, **options), expected, atol=1e-12)
    gram, cov = dictionary @ dictionary.T, dictionary @ X.T
    code = sparse_encode(X, dictionary, gram=gram, cov=cov, **options)
    np.testing.assert_allclose(code, expected, atol=1e-12)


def test_cov_is_not_overwritten():
    X, dictionary = problem()
    cov = dictionary @ X.T
    kept = cov.copy()
    sparse_encode(X, dictionary, cov=cov, algorithm="omp", copy_cov=False)
    np.testing.assert_array_equal(cov, kept)


def test_alpha_is_the_tolerance_of_omp():
    X, dictionary = problem()
    by_alpha = sparse_encode(X, dictionary, algorithm="omp", alpha=4.0)
    by_tol = sparse_encode(X, dictionary, algorithm="omp", tol=4.0)
    np.testing.assert_array_equal(by_alpha, by_tol)
    assert (np.sum((X - by_tol @ dictionary) ** 2, axis=1) <= 4.0 + 1e-12).all()


@pytest.mark.parametrize("algorithm", ["omp", "ols"])
def test_tolerance_and_count_stop_at_whichever_comes_first(algorithm):
    X, dictionary = problem()
    kind = {"algorithm": algorithm, "return_diagnostics": True}
    code, by_tol = sparse_encode(X, dictionary, tol=6.0, **kind)
    _, both = sparse_encode(X, dictionary, tol=6.0, n_nonzero_coefs=3, **kind)
    np.testing.assert_array_equal(both.n_nonzero, np.minimum(by_tol.n_nonzero, 3))
    residual = np.sum((X - code @ dictionary) ** 2, axis=1)
    np.testing.assert_allclose(by_tol.residual_norm2, residual, rtol=1e-10, atol=1e-13)
    # One atom less would not have been enough.
    one_less = np.array(
        [
            sparse_encode(X[[i]], dictionary, n_nonzero_coefs=int(n) - 1, **kind)[1].residual_norm2
            for i, n in enumerate(by_tol.n_nonzero)
            if n > 1
        ]
    )
    assert (one_less > 6.0).all()


def test_unreachable_tolerance_warns_once_with_counts():
    X = np.zeros((30, 4))
    X[:7, 3] = 1.0  # the last feature is outside the span of the atoms
    X[7:, 0] = 1.0
    options = {"algorithm": "omp", "tol": 1e-6}
    with pytest.warns(ConvergenceWarning, match="7 of 30 signals") as caught:
        sparse_encode(X, np.eye(4)[:3], **options)
    assert len(caught) == 1
    # Who asks for the diagnostics needs no warning.
    code, diagnostics = sparse_encode(X, np.eye(4)[:3], return_diagnostics=True, **options)
    assert diagnostics.message == str(caught[0].message)
    np.testing.assert_array_equal(diagnostics.status[:7], Status.TOL_NOT_REACHED)
    np.testing.assert_array_equal(diagnostics.status[7:], Status.DONE)
    np.testing.assert_array_equal(code[7:, 0], 1.0)


def test_diagnostics_as_a_frame():
    X, dictionary = problem(n_samples=10)
    diagnostics = sparse_encode(X, dictionary, algorithm="omp", return_diagnostics=True)[1]
    assert diagnostics.message == ""
    frame = diagnostics.to_frame()
    assert list(frame.columns) == ["status", "n_iter", "n_nonzero", "residual_norm2", "gap"]
    assert len(frame) == 10


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ["omp", "ols", "threshold"])
def test_same_bits_for_every_n_jobs_and_container(algorithm, dtype):
    X, dictionary = problem(n_samples=2500, dtype=dtype)
    one = sparse_encode(X, dictionary, algorithm=algorithm)
    assert one.dtype == dtype
    for n_jobs in (2, 3, -1):
        many = sparse_encode(X, dictionary, algorithm=algorithm, n_jobs=n_jobs, sparse_output=True)
        assert many.dtype == dtype and many.has_canonical_format
        np.testing.assert_array_equal(many.toarray(), one)


def test_memory_layouts_and_types_of_input(tmp_path):
    X, dictionary = problem()
    expected = sparse_encode(X, dictionary, algorithm="omp")
    np.save(tmp_path / "X.npy", X)
    readonly = X.copy()
    readonly.flags.writeable = False
    for same in (np.asfortranarray(X), readonly, np.load(tmp_path / "X.npy", mmap_mode="r")):
        np.testing.assert_allclose(
            sparse_encode(same, np.asfortranarray(dictionary), algorithm="omp"),
            expected,
            atol=1e-12,
        )
    integers = np.round(3 * X).astype(np.int16)
    np.testing.assert_array_equal(
        sparse_encode(integers, dictionary, algorithm="omp"),
        sparse_encode(integers.astype(float), dictionary, algorithm="omp"),
    )
    np.testing.assert_array_equal(
        sparse_encode(X[:2].tolist(), dictionary.tolist(), algorithm="omp"),
        sparse_encode(X[:2], dictionary, algorithm="omp"),
    )


@pytest.mark.parametrize("algorithm", ["omp", "ols", "threshold"])
@pytest.mark.parametrize("exponent", [-200, 200])
def test_extreme_scales(algorithm, exponent):
    # Powers of two scale floats exactly: the codes are the same bits, scaled.
    X, dictionary = problem()
    factor = 2.0 ** round(exponent * np.log2(10))
    expected = sparse_encode(X, dictionary, algorithm=algorithm, n_nonzero_coefs=3)
    mixed = X.copy()
    mixed[::2] *= factor
    code = sparse_encode(
        mixed[::2],
        dictionary,
        algorithm=algorithm,
        n_nonzero_coefs=3,
        alpha=None if algorithm != "threshold" else factor,
    )
    np.testing.assert_array_equal(code, expected[::2] * factor)
    if algorithm != "threshold":
        code = sparse_encode(mixed, dictionary, algorithm=algorithm, n_nonzero_coefs=3)
        np.testing.assert_array_equal(code[1::2], expected[1::2])
        code = sparse_encode(X, dictionary * factor, algorithm=algorithm, n_nonzero_coefs=3)
        np.testing.assert_allclose(code * factor, expected, rtol=1e-12)


def test_bad_values_deep_in_the_data_are_found():
    X, dictionary = problem(n_samples=3000)
    for bad in (np.nan, np.inf):
        X[2345, 7] = bad
        with pytest.raises(ValueError, match="NaN or infinity, first in row 2345"):
            sparse_encode(X, dictionary, algorithm="omp", n_jobs=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_nonzero_coefs": 0}, "n_nonzero_coefs"),
        ({"n_nonzero_coefs": 2.5}, "n_nonzero_coefs"),
        ({"tol": -1.0}, "tol"),
        ({"algorithm": "lasso"}, "algorithm"),
        ({"algorithm": "threshold", "alpha": -1}, "alpha"),
        ({"algorithm": "threshold", "alpha": np.ones(3)}, r"shape \(40,\); got shape \(3,\)"),
        ({"algorithm": "threshold", "alpha": np.full(40, np.nan)}, "alpha must be finite"),
        ({"algorithm": "threshold", "tol": 1.0}, "'threshold' does not support tol"),
        ({"gram": np.eye(3)}, "gram must have shape"),
        ({"cov": np.ones((40, 2))}, "cov must have shape"),
        ({"polish": True}, "'omp' does not support polish"),
        ({"algorithm": "ols", "alpha": 1.0}, "takes n_nonzero_coefs and tol, not alpha"),
    ],
    ids=str,
)
def test_bad_options_are_refused_by_name(options, message):
    X, dictionary = problem()
    with pytest.raises(ValueError, match=message):
        sparse_encode(X, dictionary, **{"algorithm": "omp", **options})


def test_bad_arrays_are_refused():
    X, dictionary = problem()
    with pytest.raises(ValueError, match="different numbers of features"):
        sparse_encode(X[:, :5], dictionary, algorithm="omp")
    with pytest.raises(ValueError, match="minimum of 1"):
        sparse_encode(X[:0], dictionary, algorithm="omp")
    with pytest.raises(ValueError, match="dictionary"):
        sparse_encode(X, np.full_like(dictionary, np.nan), algorithm="omp")


def test_more_atoms_than_there_are_is_clipped_with_one_warning():
    X, dictionary = problem(n_components=6)
    with pytest.warns(UserWarning, match=r"n_nonzero_coefs=99 .* 6 atoms") as caught:
        clipped = sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=99)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            clipped, sparse_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=6)
        )


def test_threshold_per_atom():
    X, dictionary = problem()
    weights = np.linspace(0, 1, 40)
    correlations = X @ dictionary.T
    expected = np.sign(correlations) * np.maximum(np.abs(correlations) - weights, 0)
    code = sparse_encode(X, dictionary, algorithm="threshold", alpha=weights, sparse_output=True)
    np.testing.assert_allclose(code.toarray(), expected, atol=1e-14)
    assert sparse.issparse(code)


def test_progress_bar_on_request(capsys):
    X, dictionary = problem()
    sparse_encode(X, dictionary, algorithm="omp", verbose=1)
    assert "coding" in capsys.readouterr().err
    sparse_encode(X, dictionary, algorithm="omp")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("algorithm", ["omp", "ols", "threshold"])
@pytest.mark.parametrize("sparse_output", [False, True])
def test_missing_features_by_definition(algorithm, sparse_output):
    # Each signal is coded on its observed features alone.
    X, dictionary = problem(n_samples=60)
    rng = np.random.default_rng(1)
    X[rng.random(X.shape) < 0.3] = np.nan
    X[10:40] = np.where(np.isnan(X[10]), np.nan, rng.standard_normal((30, 20)))
    X[5] = np.nan
    code, diagnostics = sparse_encode(
        X,
        dictionary,
        algorithm=algorithm,
        n_nonzero_coefs=3,
        missing="mask",
        sparse_output=sparse_output,
        return_diagnostics=True,
        n_jobs=2,
    )
    code = code.toarray() if sparse_output else code
    assert not code[5].any() and diagnostics.residual_norm2[5] == 0
    for i in np.setdiff1d(np.arange(60), [5]):
        seen = ~np.isnan(X[i])
        expected = sparse_encode(
            X[[i]][:, seen], dictionary[:, seen], algorithm=algorithm, n_nonzero_coefs=3
        )
        np.testing.assert_allclose(code[[i]], expected, atol=1e-12)
        residual = X[i, seen] - code[i] @ dictionary[:, seen]
        np.testing.assert_allclose(diagnostics.residual_norm2[i], residual @ residual)


def test_missing_features_refuse_what_cannot_be():
    X, dictionary = problem()
    X[3, 4] = np.nan
    options = {"algorithm": "omp", "missing": "mask"}
    with pytest.raises(ValueError, match=r'gram .* cannot be used with missing="mask"'):
        sparse_encode(X, dictionary, gram=dictionary @ dictionary.T, **options)
    with pytest.raises(ValueError, match='missing="mask" needs a dense X'):
        sparse_encode(sparse.csr_matrix(X), dictionary, **options)
    X[7, 1] = np.inf
    with pytest.raises(ValueError, match="infinity, first in row 7"):
        sparse_encode(X, dictionary, **options)


@pytest.mark.parametrize("container", [sparse.csr_matrix, sparse.csr_array, sparse.coo_matrix])
def test_sparse_signals(container):
    X, dictionary = problem()
    X[np.abs(X) < 1] = 0
    code = sparse_encode(container(X), dictionary, algorithm="omp")
    np.testing.assert_array_equal(code, sparse_encode(X, dictionary, algorithm="omp"))
