"""Signals by a known law: the law, from its definition, and refusals."""

import numpy as np
import pytest
from scipy import stats

from sklearn_resnet_sc.datasets import make_ar1_signals, make_planted_dictionary_signals


def test_planted_signals_are_what_they_are_said_to_be():
    X, dictionary, code = make_planted_dictionary_signals(200, 7, 11, 4, random_state=0)
    np.testing.assert_allclose(np.linalg.norm(dictionary, axis=1), 1)
    assert ((code != 0).sum(axis=1) == 4).all()
    np.testing.assert_allclose(X, code @ dictionary, atol=1e-14)


@pytest.mark.parametrize("snr", [-10, 0, 30.5])
def test_noise_has_the_energy_asked_for_and_is_white(snr):
    X, dictionary, code = make_planted_dictionary_signals(20_000, 5, 8, 2, snr=snr, random_state=0)
    clean = code @ dictionary
    noise = X - clean
    ratio = 20 * np.log10(np.linalg.norm(clean) / np.linalg.norm(noise))
    np.testing.assert_allclose(ratio, snr, atol=1e-12)  # decibels
    covariance = np.cov(noise.T) / noise.var()
    np.testing.assert_allclose(covariance, np.eye(5), atol=0.05)


def test_sets_of_atoms_are_equally_likely():
    code = make_planted_dictionary_signals(20_000, 3, 5, 2, random_state=0)[2]
    supports, counts = np.unique(code != 0, axis=0, return_counts=True)
    assert len(supports) == 10
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize(
    ("law", "distribution"),
    [("gaussian", stats.norm), ("uniform", stats.uniform(-1, 2)), ("laplace", stats.laplace)],
)
def test_laws_of_the_coefficients(law, distribution):
    code = make_planted_dictionary_signals(5000, coefficients=law, random_state=0)[2]
    assert stats.kstest(code[code != 0], distribution.cdf).pvalue > 1e-3


def test_signs_and_functions():
    code = make_planted_dictionary_signals(coefficients="signs", random_state=0)[2]
    np.testing.assert_array_equal(np.unique(code), [-1, 0, 1])
    ones = make_planted_dictionary_signals(coefficients=lambda _, shape: np.ones(shape))[2]
    np.testing.assert_array_equal(np.unique(ones), [0, 1])


def test_the_seed_of_a_learner_does_not_give_the_dictionary_away():
    _, dictionary, _ = make_planted_dictionary_signals(random_state=3)
    start = np.random.RandomState(3).standard_normal(dictionary.shape)
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    assert np.abs(np.sum(start * dictionary, axis=1)).max() < 0.9


def test_planted_signals_repeat_and_in_single_precision_are_rounded():
    one, two, single = (
        make_planted_dictionary_signals(snr=10, random_state=5, dtype=dtype)
        for dtype in (np.float64, np.float64, np.float32)
    )
    for first, second, rounded in zip(one, two, single, strict=True):
        np.testing.assert_array_equal(first, second)
        assert rounded.dtype == np.float32
        np.testing.assert_array_equal(first.astype(np.float32), rounded)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "n_samples must be a positive integer; got 0"),
        ({"n_features": 2.0}, "n_features must be a positive integer; got 2.0"),
        ({"n_nonzero_coefs": 51}, "n_nonzero_coefs must be at most n_components=50; got 51"),
        ({"snr": np.inf}, "snr must be a number of decibels or None; got inf"),
        ({"coefficients": "cauchy"}, "coefficients must be one of .* got 'cauchy'"),
    ],
)
def test_planted_signals_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        make_planted_dictionary_signals(**options)


@pytest.mark.parametrize("correlation", [0.95, 0, -0.5])
def test_covariance_of_autoregressive_signals(correlation):
    X = make_ar1_signals(200_000, 6, correlation=correlation, random_state=0)
    lags = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    expected = float(correlation) ** lags / (1 - correlation**2)
    np.testing.assert_allclose(X.T @ X / len(X), expected, atol=0.02 * expected.max())


def test_autoregressive_signals_have_white_innovations():
    X = make_ar1_signals(20_000, random_state=0)
    noise = X[:, 1:] - 0.95 * X[:, :-1]
    assert stats.kstest(noise.ravel(), stats.norm.cdf).pvalue > 1e-3
    np.testing.assert_allclose(np.corrcoef(noise.T), np.eye(15), atol=0.05)
    assert make_ar1_signals(3, 2, dtype=np.float32).dtype == np.float32


@pytest.mark.parametrize("correlation", [1, -1.5, "high", np.nan])
def test_correlations_that_are_none(correlation):
    with pytest.raises(ValueError, match=r"correlation must lie in \(-1, 1\)"):
        make_ar1_signals(correlation=correlation)
