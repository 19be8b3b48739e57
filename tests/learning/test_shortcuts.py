"""Shortcuts: against scipy's DCT, scikit-learn's PCA, and what must hold by definition."""

import numpy as np
import pytest
from scipy.fft import dct, dctn
from sklearn.decomposition import PCA

from sklearn_resnet_sc.learning import ResidualDictionaryLearning, dct_dictionary
from sklearn_resnet_sc.learning._shortcuts import principal_directions


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_square_one_axis_dct_is_scipys(size):
    # Neither 2, 3 nor 10 is a square number; 1 is, and the two definitions agree there.
    np.testing.assert_allclose(
        dct_dictionary(size, size), dct(np.eye(size), norm="ortho", axis=0), atol=1e-14
    )


def test_square_patch_dct_is_scipys_of_two_axes():
    patch = np.random.default_rng(0).standard_normal((5, 5))
    np.testing.assert_allclose(
        dct_dictionary(25, 25) @ patch.ravel(), dctn(patch, norm="ortho").ravel(), atol=1e-13
    )


@pytest.mark.parametrize("shape", [(16, 4), (64, 16), (256, 64), (6, 3)])
def test_twice_overcomplete_dct_is_a_tight_frame(shape):
    frame = dct_dictionary(*shape)
    np.testing.assert_allclose(frame.T @ frame, shape[0] / shape[1] * np.eye(shape[1]), atol=1e-12)


@pytest.mark.parametrize("n_features", [1, 2, 5, 9, 16])
@pytest.mark.parametrize("n_components", [1, 2, 4, 7, 16, 23, 36])
def test_dct_atoms_have_unit_length_and_full_rank(n_components, n_features):
    atoms = dct_dictionary(n_components, n_features)
    assert atoms.shape == (n_components, n_features)
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=1), 1)
    assert np.linalg.svd(atoms, compute_uv=False)[-1] > 0.05
    if n_components <= n_features:
        np.testing.assert_allclose(atoms @ atoms.T, np.eye(n_components), atol=1e-13)


def test_fewer_atoms_are_those_of_lowest_frequency():
    # A constant and a linear ramp are smooth: 4 of 36 cosines hold nearly all of them.
    rows, columns = np.mgrid[:6, :6]
    patch = (1.0 + rows + 2 * columns).ravel()
    codes = dct_dictionary(4, 36) @ patch
    assert codes @ codes > 0.98 * patch @ patch


@pytest.mark.parametrize("number", [0, -3, 2.0, "4", None])
def test_dct_dictionary_refuses_what_is_no_count(number):
    with pytest.raises(ValueError, match="n_components must be a positive integer"):
        dct_dictionary(number, 4)
    with pytest.raises(ValueError, match="n_features must be a positive integer"):
        dct_dictionary(4, number)


@pytest.mark.parametrize("seed", range(3))
def test_directions_beyond_the_rank_depend_on_the_span_only(seed):
    # Rounding must not choose them: scaled, rotated inside the span, the same.
    rng = np.random.default_rng(seed)
    X, mixed = rng.standard_normal((4, 9)), rng.standard_normal((4, 4))
    found, other = (principal_directions(X.T @ X, 9) for X in (X, mixed @ X))
    np.testing.assert_allclose(found @ found.T, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(found[4:] @ X.T, 0, atol=1e-12)
    np.testing.assert_allclose(found[4:], other[4:], atol=1e-10)
    np.testing.assert_allclose(np.abs(principal_directions(np.zeros((3, 3)), 2)).sum(axis=1), 1)


@pytest.mark.parametrize("n_components", [3, 8])
def test_pca_shortcut_is_scikit_learns(n_components):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 8)) * np.arange(1, 9) + 5
    shortcut = ResidualDictionaryLearning(n_components, shortcut="pca", max_iter=1).fit(X).shortcut_
    directions = PCA(n_components).fit(X).components_
    np.testing.assert_allclose(np.abs(np.sum(shortcut * directions, axis=1)), 1, atol=1e-10)
    largest = np.abs(shortcut).argmax(axis=1)
    assert (shortcut[np.arange(n_components), largest] > 0).all()


def test_pca_shortcut_of_weighted_signals_is_that_of_repeated_ones():
    X = np.random.default_rng(0).standard_normal((30, 5))
    weight = np.arange(30) % 4
    weighted = ResidualDictionaryLearning(shortcut="pca").fit(X, sample_weight=weight)
    repeated = ResidualDictionaryLearning(shortcut="pca").fit(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.shortcut_, repeated.shortcut_, atol=1e-12)


def test_pca_shortcut_is_orthonormal_beyond_the_rank_of_the_data():
    X = np.zeros((4, 6))
    X[:, 0] = [1, 2, 3, 4]
    shortcut = ResidualDictionaryLearning(shortcut="pca").fit(X).shortcut_
    np.testing.assert_allclose(shortcut @ shortcut.T, np.eye(6), atol=1e-12)


def test_identity_shortcut_is_padded_with_zeros():
    X = np.random.default_rng(0).standard_normal((20, 5))
    learner = ResidualDictionaryLearning(3, max_iter=1).fit(X)
    np.testing.assert_array_equal(learner.shortcut_, np.eye(3, 5))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_array_shortcut_is_used_as_it_is_and_not_shared(dtype):
    rng = np.random.default_rng(0)
    shortcut = rng.standard_normal((9, 4))
    shortcut /= np.linalg.norm(shortcut, axis=1, keepdims=True)
    before = shortcut.copy()
    learner = ResidualDictionaryLearning(shortcut=shortcut)
    learner.fit(rng.standard_normal((50, 4)).astype(dtype))
    np.testing.assert_array_equal(learner.shortcut_, shortcut.astype(dtype))
    assert not np.shares_memory(learner.shortcut_, shortcut)
    np.testing.assert_array_equal(shortcut, before)


REFUSED = {
    "zero": (np.diag([1.0, 1, 1, 0]), "atoms of unit length; atom 3 has length 0"),
    "long": (np.diag([1.0, 2, 1, 1]), "atoms of unit length; atom 1 has length 2"),
    "deficient": (np.eye(4)[[0, 1, 2, 2]], "full rank"),
    "shape": (np.eye(4, 3), r"shape \(n_components, n_features\)"),
    "name": ("wavelet", "shortcut"),
    "nan": (np.full((4, 4), np.nan), "shortcut contains NaN"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_shortcuts_that_cannot_serve_are_refused_by_name(case):
    shortcut, message = REFUSED[case]
    X = np.random.default_rng(0).standard_normal((10, 4))
    with pytest.raises(ValueError, match=message):
        ResidualDictionaryLearning(shortcut=shortcut).fit(X)


@pytest.mark.parametrize("shortcut", ["identity", "pca"])
def test_orthonormal_shortcuts_have_at_most_as_many_atoms_as_features(shortcut):
    X = np.random.default_rng(0).standard_normal((10, 4))
    with pytest.raises(ValueError, match="at most n_features = 4 atoms; got n_components=5"):
        ResidualDictionaryLearning(5, shortcut=shortcut).fit(X)
