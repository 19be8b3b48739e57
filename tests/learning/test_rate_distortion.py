"""Error against sparsity: the definition by whole matrices, and the sparsity of planted signals."""

import numpy as np
import pytest
from sklearn.decomposition import sparse_encode as reference_encode
from sklearn.exceptions import NotFittedError

from sklearn_resnet_sc import DictionaryLearning, SparseCoder, rate_distortion
from sklearn_resnet_sc.datasets import make_planted_dictionary_signals


def planted(n_nonzero=3, snr=20, n_samples=300, n_features=40, **options):
    return make_planted_dictionary_signals(
        n_samples, n_features, n_features, n_nonzero, snr=snr, random_state=0, **options
    )


@pytest.mark.parametrize("snr", [10, 20, 40])
@pytest.mark.parametrize("n_nonzero", [1, 3])
def test_proposes_the_sparsity_of_planted_signals(n_nonzero, snr):
    # With so many features orthogonal matching pursuit makes no mistakes.
    X, dictionary, _ = planted(n_nonzero, snr, n_features=80, coefficients="signs")
    curve = rate_distortion(SparseCoder(dictionary), X, range(1, 8), random_state=0)
    assert curve.proposed == n_nonzero
    assert f"{n_nonzero} atoms per signal" in str(curve)


def test_distortion_is_that_of_scikit_learn_and_falls():
    X, dictionary, _ = planted()
    curve = rate_distortion(SparseCoder(dictionary), X, [4, 1, 2, 4])
    np.testing.assert_array_equal(curve.budgets, [1, 2, 4])
    for budget, mean, error in zip(
        curve.budgets, curve.distortion, curve.distortion_error, strict=True
    ):
        code = reference_encode(X, dictionary, algorithm="omp", n_nonzero_coefs=int(budget))
        norm2 = ((X - code @ dictionary) ** 2).sum(axis=1)
        np.testing.assert_allclose(mean, norm2.mean())
        np.testing.assert_allclose(error, norm2.std(ddof=1) / np.sqrt(len(X)))
    assert (np.diff(curve.distortion) < 0).all()


def test_each_group_of_features_is_predicted_from_the_others():
    X, dictionary, _ = planted(n_samples=30)
    curve = rate_distortion(SparseCoder(dictionary), X, [2], n_groups=4, random_state=3)
    groups = np.array_split(np.random.RandomState(3).permutation(40), 4)
    norm2 = np.zeros(30)
    for hidden in groups:
        seen = np.setdiff1d(range(40), hidden)
        part = dictionary[:, seen]
        lengths = np.linalg.norm(part, axis=1)
        code = reference_encode(
            X[:, seen], part / lengths[:, None], algorithm="omp", n_nonzero_coefs=2
        )
        norm2 += ((X - code / lengths @ dictionary)[:, hidden] ** 2).sum(axis=1)
    np.testing.assert_allclose(curve.prediction, norm2.mean())
    np.testing.assert_allclose(curve.prediction_error, norm2.std(ddof=1) / np.sqrt(30))


def test_of_what_was_learned():
    X = planted(n_samples=1000)[0]
    learner = DictionaryLearning(
        40, dictionary_update="aksvd", fit_algorithm="omp", fit_n_nonzero_coefs=3, max_iter=30
    )
    with pytest.raises(NotFittedError):
        rate_distortion(learner, X, [1])
    learner.fit(X[:800].astype(np.float32))
    curve = rate_distortion(learner, X[800:], range(1, 7), random_state=0)
    assert curve.proposed == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budgets": [0, 1]}, "budgets must be integers from 1 to 32"),
        ({"budgets": [33]}, "budgets must be integers from 1 to 32"),
        ({"budgets": [1.5]}, "budgets must be integers from 1 to 32"),
        ({"budgets": []}, "budgets must be integers from 1 to 32"),
        ({"n_groups": 1}, "n_groups must be an integer from 2 to the 40 features; got 1"),
        ({"X": np.ones((2, 3))}, r"as many features as the atoms, 40; got shape \(2, 3\)"),
    ],
)
def test_what_is_refused(arguments, message):
    X, dictionary, _ = planted(n_samples=5)
    with pytest.raises(ValueError, match=message):
        rate_distortion(SparseCoder(dictionary), **{"X": X, "budgets": [1], **arguments})


def test_knows_no_units():
    X, dictionary, _ = planted(coefficients="signs")
    one = rate_distortion(SparseCoder(dictionary), X, range(1, 6), random_state=0)
    for exponent in (-600, 600):
        with np.errstate(over="ignore"):
            other = rate_distortion(
                SparseCoder(dictionary), np.ldexp(X, exponent), range(1, 6), random_state=0
            )
        assert other.proposed == one.proposed < 5


def test_codes_are_those_of_the_estimator():
    X, dictionary, _ = planted()
    coder = SparseCoder(dictionary, transform_n_nonzero_coefs=2, positive_code=True)
    curve = rate_distortion(coder, X, 2)
    norm2 = ((X - coder.transform(X) @ dictionary) ** 2).sum(axis=1)
    assert curve.distortion[0] == pytest.approx(norm2.mean())


def test_features_that_were_not_observed():
    X, dictionary, _ = planted()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    coder = SparseCoder(dictionary, transform_n_nonzero_coefs=2, missing="mask")
    curve = rate_distortion(coder, X, [2, 3])
    norm2 = np.nansum((X - coder.transform(X) @ dictionary) ** 2, axis=1)
    assert curve.distortion[0] == pytest.approx(norm2.mean())
    with pytest.raises(ValueError, match="NaN"):
        rate_distortion(coder.set_params(missing="error"), X, [2])
