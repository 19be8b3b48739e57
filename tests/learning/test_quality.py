"""What is learned is good: a planted dictionary is found, real patches are represented well."""

import numpy as np
import pytest

from sklearn_resnet_sc.datasets import (
    extract_patches,
    load_sample_images,
    make_planted_dictionary_signals,
)
from sklearn_resnet_sc.learning import ResidualDictionaryLearning, match_atoms


def test_a_planted_dictionary_is_found():
    # The experiment of Aharon, Elad and Bruckstein (2006): 50 atoms of 20 features, 3 a signal.
    # K-SVD is reported to find 46 of 50 on average; three trials scatter by a few.
    found = []
    for seed in range(3):
        X, truth, _ = make_planted_dictionary_signals(snr=20, random_state=seed)
        learner = ResidualDictionaryLearning(
            50, shortcut=None, fit_n_nonzero_coefs=3, max_iter=80, tol=0, random_state=seed
        ).fit(X)
        found.append(match_atoms(learner.components_, truth).n_close())
    assert np.mean(found) >= 42


def test_a_planted_residual_dictionary_is_found():
    # The truth lies within the bound, so the bound must not keep it from being found.
    rng = np.random.default_rng(0)
    residual = rng.standard_normal((16, 16))
    truth = np.eye(16) + 0.6 * residual / np.linalg.norm(residual, 2)
    truth /= np.linalg.norm(truth, axis=1, keepdims=True)
    code = np.zeros((1500, 16))
    for row in code:
        row[rng.choice(16, 2, replace=False)] = rng.standard_normal(2)
    X = code @ truth
    noise = rng.standard_normal(X.shape)  # at 20 dB
    X += 0.1 * np.linalg.norm(X) / np.linalg.norm(noise) * noise
    learner = ResidualDictionaryLearning(
        residual_bound=0.9, fit_n_nonzero_coefs=2, max_iter=50, tol=0
    ).fit(X)
    assert match_atoms(learner.components_, truth).n_close() == 16


@pytest.fixture(scope="module")
def patches():
    """Training and held-out 8 x 8 patches of different images, mean removed, peak 255."""
    images = load_sample_images()
    held_out = images.pop("camera")
    options = {"patch_size": (8, 8), "random_state": 0}
    train = extract_patches(images, n_patches=5000, **options)
    return train, extract_patches(held_out, n_patches=1500, **options)


def psnr(patches, dtype=np.float64, **parameters):
    """Of held-out patches at five atoms each."""
    train, test = (part.astype(dtype) for part in patches)
    learner = ResidualDictionaryLearning(
        fit_n_nonzero_coefs=5, transform_n_nonzero_coefs=5, max_iter=15, random_state=0,
        **parameters,
    ).fit(train)  # fmt: skip
    error = test - learner.transform(test) @ learner.components_
    return 10 * np.log10(255**2 / np.mean(error**2))


def test_what_the_bound_costs_on_real_patches(patches):
    # Measured on 11 held-out images in turn, 20000 training patches: identity 1.0 to 1.3 dB
    # below the plain dictionary on most, DCT 0.6 to 0.9, four times overcomplete DCT 0.1 to 0.3.
    plain = psnr(patches, shortcut=None)
    assert plain > 30
    assert psnr(patches, shortcut="identity") > plain - 1.2
    assert psnr(patches, shortcut="dct") > plain - 0.9
    plain = psnr(patches, shortcut=None, n_components=256)
    assert psnr(patches, shortcut="dct", n_components=256) > plain - 0.3


def test_single_precision_learns_as_well(patches):
    single = psnr(patches, dtype=np.float32, shortcut="dct")
    assert single == pytest.approx(psnr(patches, shortcut="dct"), abs=0.1)
