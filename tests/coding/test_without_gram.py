"""Dictionaries whose Gram matrix does not fit in scikit-learn's working_memory."""

import numpy as np
import pytest
from sklearn import config_context

from sklearn_resnet_sc import sparse_encode


def problem(n_samples, n_components, n_features, dtype, seed=0):
    rng = np.random.default_rng(seed)
    dictionary = rng.standard_normal((n_components, n_features))
    dictionary *= rng.uniform(0.2, 3, (n_components, 1))  # atoms of any length
    dictionary[5] = dictionary[4]
    dictionary[6] = 0
    X = rng.standard_normal((n_samples, n_features))
    X[3] = 0
    return X.astype(dtype), dictionary.astype(dtype)


@pytest.mark.parametrize("algorithm", ["omp", "ols"])
@pytest.mark.parametrize(
    "options", [{"n_nonzero_coefs": 6}, {"tol": 4.0}, {"n_nonzero_coefs": 4, "tol": 4.0}], ids=str
)
def test_equals_the_gram_domain(algorithm, options):
    X, dictionary = problem(150, 90, 20, np.float64)
    options = {"algorithm": algorithm, "return_diagnostics": True, **options}
    expected, by_gram = sparse_encode(X, dictionary, **options)
    with config_context(working_memory=0):
        code, without = sparse_encode(X, dictionary, n_jobs=2, **options)
    np.testing.assert_allclose(code, expected, atol=1e-10)
    np.testing.assert_array_equal(without.status, by_gram.status)
    np.testing.assert_array_equal(without.n_iter, by_gram.n_iter)


def test_wide_and_narrow_atoms_of_a_large_dictionary():
    # 40000 atoms: the Gram matrix would take 6.4 GB in float32.
    X, dictionary = problem(40, 40_000, 16, np.float32)
    dictionary /= np.maximum(np.linalg.norm(dictionary, axis=1, keepdims=True), 1e-6)
    code, diagnostics = sparse_encode(
        X,
        dictionary,
        algorithm="omp",
        n_nonzero_coefs=4,
        sparse_output=True,
        return_diagnostics=True,
    )
    assert code.dtype == np.float32
    # Definition: the first atom is the best correlated, the residual orthogonal to the support.
    best = np.abs(X @ dictionary.T).argmax(axis=1)
    for i in np.setdiff1d(np.arange(40), [3]):
        support = code[[i]].indices
        assert best[i] in support and support.size == 4
        residual = X[i] - code[[i]].toarray()[0] @ dictionary
        assert np.abs(dictionary[support] @ residual).max() < 1e-5
        np.testing.assert_allclose(diagnostics.residual_norm2[i], residual @ residual, rtol=1e-3)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        ("lasso_lars", {"alpha": 0.4}),
        ("lasso_lars", {"tol": 9.0}),
        ("lasso_lars", {"alpha": "per atom"}),
        ("lasso_cd", {"alpha": 0.4}),
        ("lasso_cd", {"alpha": "per atom"}),
        ("fista", {"alpha": 0.4}),
    ],
    ids=str,
)
def test_lasso_equals_the_gram_domain(algorithm, options, positive):
    X, dictionary = problem(100, 300, 20, np.float64)
    dictionary = np.delete(dictionary, 5, axis=0)  # a twin atom makes the lasso ambiguous
    options = {"algorithm": algorithm, "positive": positive, "gap_tol": 1e-12, **options}
    if options.get("alpha") == "per atom":
        options["alpha"] = np.random.default_rng(1).uniform(0.2, 2, 299)
    options["max_iter"] = 20_000
    expected = sparse_encode(X, dictionary, **options)
    with config_context(working_memory=0):
        code = sparse_encode(X, dictionary, n_jobs=2, **options)
    np.testing.assert_allclose(code, expected, atol=1e-8 if algorithm == "lasso_lars" else 1e-4)


@pytest.mark.parametrize("options", [{"algorithm": "iht"}, {"algorithm": "omp", "positive": True}])
def test_what_needs_a_gram_matrix_says_so(options):
    X, dictionary = problem(10, 2000, 16, np.float64)
    with (
        config_context(working_memory=1),
        pytest.raises(ValueError, match=r"Gram matrix of 2000 atoms, 31 MiB.* allows 1\."),
    ):
        sparse_encode(X, dictionary, **options)
