"""`DictionaryLearning` with every update: the promises that all keep, refusals, recovery."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from benchmarks.recovery import Recovery, main, recover
from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
)
from sklearn_resnet_sc.datasets import make_planted_dictionary_signals
from sklearn_resnet_sc.learning._updates import UPDATES

GREEDY = ("mod", "ksvd", "aksvd", "rls")


@pytest.fixture(scope="module")
def X():
    return make_planted_dictionary_signals(300, 8, 12, 2, snr=20, random_state=0)[0]


def learner(update, n_components=12, **options):
    defaults = {
        "fit_algorithm": "omp",
        "fit_n_nonzero_coefs": 2,
        "dict_init": "data",
        "max_iter": 8,
        "random_state": 1,
    }
    return DictionaryLearning(n_components, dictionary_update=update, **(defaults | options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("update", GREEDY)
def test_unit_atoms_in_the_precision_of_the_data(X, update, dtype):
    model = learner(update).fit(X.astype(dtype))
    assert model.components_.dtype == dtype
    lengths = np.linalg.norm(model.components_.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)
    assert len(model.error_) == model.n_iter_
    assert min(model.error_) < 0.9 * model.error_[0]


@pytest.mark.parametrize("update", ["ksvd", "aksvd", "rls"])  # mod: at the codes before it
def test_the_error_is_that_of_the_codes_after_the_update(X, update):
    model = learner(update, max_iter=1, tol=0, transform_n_nonzero_coefs=2).fit(X)
    squares = np.sum((X - model.transform(X) @ model.components_) ** 2)
    np.testing.assert_allclose(model.error_, [0.5 * squares])


@pytest.mark.parametrize("update", GREEDY)
def test_threads_scale_and_repetition_change_nothing(X, update):
    one = learner(update, n_jobs=1).fit(X).components_
    np.testing.assert_array_equal(learner(update, n_jobs=2).fit(X).components_, one)
    for scale in (2.0**-300, 2.0**300):
        np.testing.assert_array_equal(learner(update).fit(scale * X).components_, one)


@pytest.mark.parametrize("update", GREEDY)
def test_finds_planted_atoms_where_there_is_no_noise(update):
    X, dictionary, _ = make_planted_dictionary_signals(800, 16, 20, 2, random_state=0)
    model = learner(update, 20, max_iter=40, tol=0).fit(X)
    found = (np.abs(dictionary @ model.components_.T) > 0.99).any(axis=1).sum()
    assert found >= 16


@pytest.mark.parametrize("update", GREEDY)
@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).standard_normal((5, 8)),
        np.ones((20, 8)),
        np.zeros((20, 8)),
        np.random.default_rng(0).standard_normal((40, 8)) * (np.arange(8) != 3),
        np.random.default_rng(0).standard_normal((40, 1)),
    ],
    ids=["few signals", "equal signals", "zeros", "a feature of zeros", "one feature"],
)
@pytest.mark.parametrize("dict_init", ["data", "svd"])
@pytest.mark.filterwarnings("ignore:.*signals stopped early")
def test_degenerate_signals(update, X, dict_init):
    model = learner(update, dict_init=dict_init, fit_n_nonzero_coefs=1).fit(X)
    assert np.isfinite(model.components_).all()
    assert np.isfinite(model.error_).all()
    assert np.linalg.norm(model.components_, axis=1).max() <= 1 + 1e-12


# Not rls: the order of the signals depends on how many there are.
@pytest.mark.parametrize("update", ["mod", "ksvd", "aksvd"])
def test_weights_of_zero_are_no_signals(X, update):
    weight = (np.arange(len(X)) < 200) * 1.0
    weighted = learner(update).fit(X, sample_weight=weight).components_
    np.testing.assert_allclose(weighted, learner(update).fit(X[:200]).components_, atol=1e-9)


LEARNERS = {
    "alternating": DictionaryLearning(max_iter=5, alpha=1e-3, tol=0),
    "recursive": DictionaryLearning(max_iter=5, tol=0, alpha=1e-3, dictionary_update="rls"),
    "batches": MiniBatchDictionaryLearning(max_iter=3, alpha=1e-3, batch_size=50, tol=0),
    "residual": ResidualDictionaryLearning(max_iter=5, fit_alpha=1e-3, tol=0),
}


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_one_warning_for_all_codings_of_a_fit(X, name, method):
    # Recursive least squares is for greedy pursuits.
    algorithm = "iht" if name == "recursive" else "fista"
    model = clone(LEARNERS[name]).set_params(fit_algorithm=algorithm, transform_max_iter=2)
    if not hasattr(model, method):
        return
    message = r"^Of all codings .* signals stopped at max_iter"
    with pytest.warns(ConvergenceWarning, match=message) as caught:
        getattr(model, method)(X)
    assert [each.filename for each in caught] == [__file__]  # the line of the user
    assert model.components_.shape == (len(model.components_), 8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(model).set_params(transform_max_iter=1000, transform_gap_tol=1e-3).fit(X)


@pytest.mark.parametrize("update", ["ksvd", "aksvd"])
def test_updates_that_change_codes_refuse_positive_ones(X, update):
    with pytest.raises(
        ValueError, match=rf"'{update}' changes codes .* one of \['bcd', 'mod', 'rls'"
    ):
        learner(update, positive_code=True).fit(X)


@pytest.mark.parametrize("update", GREEDY)
def test_refusals_of_positive_atoms_and_of_streams(X, update):
    with pytest.raises(ValueError, match=f"'{update}' cannot keep atoms positive"):
        learner(update, positive_dict=True).fit(X)
    if UPDATES[update].needs_codes:
        with pytest.raises(ValueError, match="dictionary_update"):
            MiniBatchDictionaryLearning(dictionary_update=update).fit(X)


def test_which_updates_replace_and_which_respect_a_bound():
    assert {name for name, row in UPDATES.items() if row.replaces} == {"mod", "ksvd", "aksvd"}
    assert {name for name, row in UPDATES.items() if row.respects_bound} == {"mod"}
    assert {name for name, row in UPDATES.items() if not row.unit} == {"bcd"}


@pytest.mark.parametrize("update", ["ksvd", "aksvd", "mod"])
def test_recovery_of_planted_dictionaries(update):
    # Aharon et al. (2006), two trials and 40 iterations; the whole is in benchmarks/recovery.py.
    result = recover(update, 20.0, range(2), n_iter=40)
    assert result.mean >= 40
    assert update in str(result)


def test_the_report_of_the_recovery_experiment(capsys):
    results = main(["aksvd", "--n-trials", "2", "--n-iter", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [result.snr for result in results] == [10, 20, 30, None]
    assert lines == [str(result) for result in results]
    assert all("MISSED" in line for line in lines)  # two iterations are not enough
    assert Recovery("mod", 10.0, (41, 43, 42), 1.0).enough
    assert not Recovery("mod", 20.0, (41, 43, 42), 1.0).enough
    with pytest.raises(SystemExit):
        main(["newton"])
