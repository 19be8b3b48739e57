"""Where learning starts and goes on from: units, signs, interrupts, what must not change."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
    dict_learning,
    dict_learning_online,
)
from sklearn_resnet_sc.learning import _pursuit

SIGNALS = np.random.default_rng(0).standard_normal((300, 10))
SIGNALS.setflags(write=False)
GREEDY = {"fit_algorithm": "omp", "fit_n_nonzero_coefs": 2, "tol": 0, "random_state": 0}
BATCHES = {**GREEDY, "max_no_improvement": None, "batch_size": 64}


@pytest.mark.parametrize("dict_init", ["svd", "data"])
@pytest.mark.parametrize(
    "learner",
    [
        DictionaryLearning(12, max_iter=8, **GREEDY),
        DictionaryLearning(12, max_iter=8, dictionary_update="mod", **GREEDY),
        MiniBatchDictionaryLearning(12, max_iter=3, **BATCHES),
        MiniBatchDictionaryLearning(12, max_iter=3, dictionary_update="mod", **BATCHES),
    ],
    ids=["bcd", "mod", "batches, bcd", "batches, mod"],
)
def test_greedy_learning_knows_no_units(learner, dict_init):
    # Powers of two change no bits, so that all is the same to the bit but where squares of data
    # leave the floating point range: in histories, which are in units of the data.
    learner.set_params(dict_init=dict_init)
    one = clone(learner).fit(SIGNALS)
    with np.errstate(over="ignore"):
        for exponent in (-600, -10, 10, 600):
            other = clone(learner).fit(np.ldexp(SIGNALS, exponent))
            np.testing.assert_allclose(other.components_, one.components_, atol=1e-9)
            assert other.n_iter_ == one.n_iter_


@pytest.mark.parametrize("learner", [DictionaryLearning, MiniBatchDictionaryLearning])
def test_penalised_learning_of_signals_beyond_all_squares(learner):
    # Warnings are errors here.
    options = {"max_iter": 4, "tol": 0, "random_state": 0, "transform_algorithm": "lasso_lars"}
    one = learner(12, alpha=0.3, dict_init="data", **options).fit(SIGNALS)
    for exponent in (-600, 600):
        signals = np.ldexp(SIGNALS, exponent)
        other = learner(12, alpha=0.3 * 2.0**exponent, **options)
        # Singular directions have the lengths of the data, as in scikit-learn: another start.
        assert other.fit(signals).score(signals) > 0.9 * one.score(SIGNALS)
        other.set_params(dict_init="data").fit(signals)
        np.testing.assert_allclose(other.components_, one.components_, atol=1e-6)


def test_the_rule_for_stopping_knows_no_units():
    options = {"tol": 1e-3, "max_no_improvement": 5, "max_iter": 50, "dict_init": "data"}
    learner = MiniBatchDictionaryLearning(12, **{**BATCHES, **options})
    with np.errstate(over="ignore"):
        steps = {
            clone(learner).fit(np.ldexp(SIGNALS, exponent)).n_steps_ for exponent in (-600, 0, 600)
        }
    assert len(steps) == 1
    assert steps.pop() < 50 * 5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "learner",
    [
        DictionaryLearning(12, max_iter=4, dictionary_update="mod", **GREEDY),
        DictionaryLearning(12, max_iter=4, dictionary_update="rls", **GREEDY),
        MiniBatchDictionaryLearning(12, max_iter=4, **BATCHES),
        ResidualDictionaryLearning(shortcut=None, max_iter=4, **GREEDY),
    ],
    ids=["all at once", "recursive", "batches", "residual"],
)
def test_what_a_signal_without_weight_holds_is_of_no_concern(learner, dtype):
    X = np.concatenate([SIGNALS, np.full((1, 10), 1e30)]).astype(dtype)
    weight = np.append(np.ones(300), 0.0)
    weighted = clone(learner).fit(X, sample_weight=weight)
    alone = clone(learner).fit(X[:300])
    np.testing.assert_array_equal(weighted.components_, alone.components_)
    if hasattr(learner, "partial_fit"):
        weighted.partial_fit(X, sample_weight=weight)
        np.testing.assert_array_equal(weighted.components_, alone.partial_fit(X[:300]).components_)


def test_codes_to_begin_with_of_signals_without_weight_are_left_out():
    options = {"alpha": 0.3, "fit_algorithm": "cd", "max_iter": 3, "dict_init": "data"}
    codes = np.random.default_rng(1).standard_normal((300, 12))
    weight = np.repeat([1.0, 0.0], 150)
    learner = DictionaryLearning(12, random_state=0, **options)
    weighted = clone(learner).set_params(code_init=codes).fit(SIGNALS, sample_weight=weight)
    alone = clone(learner).set_params(code_init=codes[:150]).fit(SIGNALS[:150])
    np.testing.assert_array_equal(weighted.components_, alone.components_)


def test_atoms_are_positive_whatever_they_were_to_begin_with():
    X = np.abs(SIGNALS)
    first = DictionaryLearning(10, alpha=0.1, max_iter=5).fit(X)
    assert first.components_.min() < 0
    options = {"alpha": 0.1, "positive_dict": True}
    begun = DictionaryLearning(10, max_iter=5, dict_init=first.components_, **options).fit(X)
    assert begun.components_.min() >= 0
    first.set_params(warm_start=True, **options).fit(X)
    assert first.components_.min() >= 0


@pytest.mark.parametrize("update", ["bcd", "mod"])
@pytest.mark.parametrize("n_codings", [0, 1])
def test_an_early_interrupt_leaves_a_dictionary(update, n_codings, monkeypatch):
    calls, code_signals = [], _pursuit.code_signals

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) > n_codings:
            raise KeyboardInterrupt
        return code_signals(*arguments, **options)

    monkeypatch.setattr(_pursuit, "code_signals", interrupted)
    for learner in (
        DictionaryLearning(20, dictionary_update=update),
        MiniBatchDictionaryLearning(20, dictionary_update=update, random_state=0),
    ):
        calls.clear()
        with pytest.raises(KeyboardInterrupt):
            learner.fit(SIGNALS)
        assert learner.stop_reason_ == "interrupted"
        lengths = np.linalg.norm(learner.components_, axis=1)
        assert lengths.max() <= 1 + 1e-12
        if update == "mod":
            np.testing.assert_allclose(lengths, 1, atol=1e-12)


@pytest.mark.parametrize("update", ["mod", "ksvd", "aksvd", "rls"])
@pytest.mark.parametrize("n_samples", [1, 3])
def test_atoms_have_unit_length_however_few_signals_there_are(update, n_samples):
    options = {**GREEDY, "fit_n_nonzero_coefs": 1, "max_iter": 3}
    model = DictionaryLearning(12, dictionary_update=update, **options).fit(SIGNALS[:n_samples])
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1, atol=1e-12)


def test_batches_go_on_with_the_parameters_that_they_began_with():
    model = ResidualDictionaryLearning(residual_bound=0.9).partial_fit(SIGNALS[:100])
    for name, value in {
        "residual_bound": 0.1,
        "shortcut": "dct",
        "n_components": 5,
    }.items():
        changed = clone(model).partial_fit(SIGNALS[:100]).set_params(**{name: value})
        with pytest.raises(ValueError, match=rf"partial_fit goes on with {name}=.*got {name}="):
            changed.partial_fit(SIGNALS[100:])
    model.set_params(n_components=10).partial_fit(SIGNALS[100:])  # as many as there are
    batches = MiniBatchDictionaryLearning(5).fit(SIGNALS).set_params(n_components=6)
    with pytest.raises(ValueError, match=r"partial_fit goes on with n_components=5; got .*=6"):
        batches.partial_fit(SIGNALS)


@pytest.mark.parametrize("learner", [DictionaryLearning(), MiniBatchDictionaryLearning()])
def test_warm_starts(learner):
    learner.set_params(n_components=12, alpha=0.3, max_iter=5, tol=0, random_state=0)
    learner.set_params(dict_init="data")
    cold = learner.fit(SIGNALS).error_
    again = learner.set_params(warm_start=True).fit(SIGNALS).error_
    assert again[0] < cold[0]
    for options, X in (({"n_components": 8}, SIGNALS), ({}, SIGNALS[:, :7])):
        with pytest.raises(ValueError, match=r"warm_start=True goes on .* shape \(12, 10\)"):
            clone(learner).fit(SIGNALS).set_params(**options).fit(X)


@pytest.mark.parametrize(
    "learner",
    [
        DictionaryLearning(12, alpha=0.3, tol=0, max_iter=200),
        ResidualDictionaryLearning(fit_n_nonzero_coefs=2, tol=0, max_iter=200),
    ],
)
def test_learning_ends_where_atoms_come_to_rest(learner):
    atoms = []
    learner.set_params(change_tol=1e-3, callback=lambda now: atoms.append(now["dictionary"]))
    n_iter = learner.fit(SIGNALS).n_iter_
    assert learner.stop_reason_ == "tol"
    assert n_iter < 200
    before = clone(learner).set_params(change_tol=0.0, callback=None, max_iter=n_iter - 1)
    after = clone(before).set_params(max_iter=n_iter)
    # The best dictionaries may be earlier ones; they are the last two where the objective falls.
    change = after.fit(SIGNALS).components_ - before.fit(SIGNALS).components_
    assert np.linalg.norm(change) <= 1e-3 * len(change)


def test_the_penalised_objective_of_a_residual_dictionary_never_rises():
    X = np.random.default_rng(1).standard_normal((200, 16)) * np.arange(1.0, 17)
    for ridge, bound in ((0.0, 0.9), (1.0, 0.9), (1.0, None)):
        seen = []
        ResidualDictionaryLearning(
            fit_algorithm="lasso_lars",
            fit_alpha=20.0,
            ridge=ridge,
            residual_bound=bound,
            tol=0,
            max_iter=25,
            callback=lambda now, seen=seen: seen.append(now["objective"][-1]),
        ).fit(X)
        assert (np.diff(seen) <= 1e-10 * seen[0]).all()


@pytest.mark.parametrize("update", ["ksvd", "aksvd", "rls"])
def test_updates_without_regard_to_a_penalty_are_refused_with_one(update):
    with pytest.raises(ValueError, match=rf"'{update}' is for greedy .*'omp'.* \['bcd', 'mod'\]"):
        DictionaryLearning(dictionary_update=update).fit(SIGNALS)


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.5, np.nan])
def test_factors_of_forgetting_outside_of_their_interval(factor):
    learner = DictionaryLearning(dictionary_update="rls", forgetting=lambda i: factor, **GREEDY)
    with pytest.raises(ValueError, match=r"forgetting must give factors in \(0, 1\]; got"):
        learner.fit(SIGNALS)


@pytest.mark.parametrize("function", [dict_learning, dict_learning_online])
def test_functions_name_their_own_parameter(function):
    with pytest.raises(ValueError, match=r"The 'method' parameter of dict_learning"):
        function(SIGNALS, 5, alpha=1, method="newton")
