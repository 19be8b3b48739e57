"""DictionaryLearning and dict_learning: scikit-learn's results, options, interrupts, odd data."""

import numpy as np
import pytest
import sklearn.decomposition as theirs
from sklearn.base import clone

from sklearn_resnet_sc import DictionaryLearning, dict_learning, sparse_encode

PURSUITS = {
    "lars": {},
    "cd": {},
    "lasso_lars": {},
    "lasso_cd": {},
    "fista": {},
    "omp": {"fit_n_nonzero_coefs": 3},
    "ols": {"fit_tol": 2.0},
    "mp": {"fit_n_nonzero_coefs": 3},
    "cosamp": {"fit_n_nonzero_coefs": 2},
    "iht": {"fit_n_nonzero_coefs": 3},
    "hard_threshold": {"fit_n_nonzero_coefs": 3},
    "threshold": {},
}


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((300, 16))


@pytest.mark.parametrize("fit_algorithm", ["lars", "cd"])
@pytest.mark.parametrize("n_components", [7, 16])
def test_scikit_learn_learns_the_same(X, fit_algorithm, n_components):
    # From singular directions, all of which are used: no atom is replaced.
    options = {"alpha": 0.3, "max_iter": 8, "fit_algorithm": fit_algorithm}
    ours = DictionaryLearning(n_components, transform_gap_tol=1e-14, **options).fit(X)
    reference = theirs.DictionaryLearning(n_components, **options).fit(X)
    # Their coordinate descent stops at a gap of 1e-4.
    tol = 1e-9 if fit_algorithm == "lars" else 5e-3
    np.testing.assert_allclose(ours.components_, reference.components_, atol=tol)
    np.testing.assert_allclose(ours.error_, reference.error_, rtol=tol)
    assert ours.n_iter_ == reference.n_iter_ == len(ours.error_)


def test_the_functions_agree_too(X):
    options = {"alpha": 0.3, "max_iter": 8, "return_n_iter": True}
    code, dictionary, errors, n_iter = dict_learning(X, 10, **options)
    _, expected, expected_errors, expected_n_iter = theirs.dict_learning(X, 10, **options)
    np.testing.assert_allclose(dictionary, expected, atol=1e-9)
    np.testing.assert_allclose(errors, expected_errors, rtol=1e-9)
    assert n_iter == expected_n_iter
    # Unlike theirs, the codes are those of the dictionary returned.
    np.testing.assert_allclose(code, sparse_encode(X, dictionary, alpha=0.3), atol=1e-9)


@pytest.mark.parametrize("fit_algorithm", PURSUITS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_pursuit_learns(X, fit_algorithm, dtype):
    learner = DictionaryLearning(
        20,
        alpha=0.5,
        max_iter=15,
        fit_algorithm=fit_algorithm,
        dict_init="data",
        random_state=0,
        transform_algorithm="ols",
        transform_n_nonzero_coefs=3,
        **PURSUITS[fit_algorithm],
    )
    start = clone(learner).set_params(max_iter=0).fit(X.astype(dtype))
    learner.fit(X.astype(dtype))
    assert learner.components_.dtype == learner.transform(X.astype(dtype)).dtype == dtype
    assert learner.score(X.astype(dtype)) > start.score(X.astype(dtype)) + 0.02
    assert np.linalg.norm(learner.components_, axis=1).max() <= 1 + 1e-6


def test_the_penalised_objective_falls_all_the_way(X):
    error = DictionaryLearning(16, alpha=0.5, max_iter=40, tol=0).fit(X).error_
    assert len(error) == 40
    assert (np.diff(error) <= 1e-12 * error[0]).all()


@pytest.mark.parametrize("update", ["bcd", "mod"])
def test_lengths_of_atoms(X, update):
    learner = DictionaryLearning(20, alpha=0.5, max_iter=5, dictionary_update=update).fit(X)
    lengths = np.linalg.norm(learner.components_, axis=1)
    assert lengths.max() <= 1 + 1e-12
    if update == "mod":
        np.testing.assert_allclose(lengths, 1, rtol=1e-12)


@pytest.mark.parametrize("fit_algorithm", ["cd", "fista"])
def test_codes_to_begin_with_change_nothing_but_the_time(X, fit_algorithm):
    options = {
        "alpha": 0.5,
        "max_iter": 1,
        "fit_algorithm": fit_algorithm,
        "dict_init": "dct",
        "transform_gap_tol": 1e-12,
    }
    cold = DictionaryLearning(20, **options).fit(X)
    codes = np.random.default_rng(1).standard_normal((len(X), 20))
    warm = DictionaryLearning(20, code_init=codes, **options).fit(X)
    np.testing.assert_allclose(warm.components_, cold.components_, atol=1e-5)


@pytest.mark.parametrize("fit_algorithm", ["lars", "cd"])
@pytest.mark.parametrize("positive_dict", [False, True])
def test_positive(fit_algorithm, positive_dict):
    X = np.abs(np.random.default_rng(0).standard_normal((100, 8)))
    learner = DictionaryLearning(
        10,
        alpha=0.2,
        max_iter=10,
        fit_algorithm=fit_algorithm,
        transform_algorithm="lasso_lars",
        positive_code=True,
        positive_dict=positive_dict,
    ).fit(X)
    assert (learner.transform(X) >= 0).all()
    assert not (positive_dict and (learner.components_ < 0).any())
    assert learner.score(X) > 0.8


@pytest.mark.parametrize("count", [3, 20, 40])
def test_an_array_to_begin_with(X, count):
    atoms = np.random.default_rng(3).standard_normal((count, 16))
    start = DictionaryLearning(20, dict_init=atoms, max_iter=0).fit(X)
    np.testing.assert_array_equal(start.components_[: min(count, 20)], atoms[:20])
    assert start.components_.shape == (20, 16)
    assert not start.components_[count:].any()
    assert start.n_iter_ == 0
    assert start.error_ == []
    learner = DictionaryLearning(20, dict_init=atoms, alpha=0.5, max_iter=5).fit(X)
    np.testing.assert_allclose(np.linalg.norm(learner.components_, axis=1), 1, rtol=1e-9)


def test_warm_start_goes_on(X):
    learner = DictionaryLearning(20, alpha=0.5, max_iter=5, warm_start=True).fit(X)
    first = learner.error_
    assert learner.fit(X).error_[0] <= first[-1]


def test_interrupt_keeps_what_was_learned(X):
    def interrupt(progress):
        if progress["iteration"] == 6:
            raise KeyboardInterrupt

    learner = DictionaryLearning(20, alpha=0.5, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(X)
    assert learner.stop_reason_ == "interrupted"
    assert learner.n_iter_ == len(learner.error_) == 6
    reference = DictionaryLearning(20, alpha=0.5, max_iter=6).fit(X)
    np.testing.assert_array_equal(learner.components_, reference.components_)


def test_callback_every_five_updates(X):
    seen = []
    DictionaryLearning(
        20, alpha=0.5, max_iter=12, tol=0, callback=lambda progress: seen.append(dict(progress))
    ).fit(X)
    assert [progress["iteration"] for progress in seen] == [1, 6, 11]
    assert seen[0]["dictionary"].components.shape == (20, 16)


def test_alpha_of_fit_is_for_penalised_pursuits_only(X):
    learner = DictionaryLearning(20, alpha=0.5, max_iter=3).fit(X)
    components = learner.components_
    np.testing.assert_array_equal(
        learner.transform(X), sparse_encode(X, components, algorithm="omp")
    )
    learner.set_params(transform_algorithm="lasso_lars")
    np.testing.assert_array_equal(learner.transform(X), sparse_encode(X, components, alpha=0.5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fit_tol": 1.0}, "fit_algorithm='lars' takes alpha, not fit_tol; got fit_tol=1.0"),
        ({"dict_init": np.ones((4, 3))}, r"as many features as X, 16; got shape \(4, 3\)"),
        ({"code_init": np.ones((4, 3))}, r"for each of the 300 signals; got shape \(4, 3\)"),
        (
            {"dictionary_update": "mod", "positive_dict": True},
            r"'mod' cannot keep atoms positive; .* one of \['bcd'\]",
        ),
    ],
)
def test_refusals(X, options, message):
    with pytest.raises(ValueError, match=message):
        DictionaryLearning(4, **options).fit(X)


def test_with_a_tolerance_the_number_of_atoms_is_the_objective(X):
    learner = DictionaryLearning(
        20, fit_algorithm="omp", fit_tol=4.0, max_iter=5, dict_init="data", random_state=0
    ).fit(X)
    start = clone(learner).set_params(max_iter=0).fit(X).components_
    code = sparse_encode(X, start, algorithm="omp", tol=4.0)
    np.testing.assert_allclose(learner.error_[0], np.count_nonzero(code))
