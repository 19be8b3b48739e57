"""MiniBatchDictionaryLearning and dict_learning_online: streams, sums, stopping, odd data."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.decomposition as theirs
from hypothesis import given
from scipy import sparse

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    dict_learning_online,
    sparse_encode,
)
from sklearn_resnet_sc.learning._online import FadingSums, fading
from sklearn_resnet_sc.learning._statistics import TrainingSet


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).standard_normal((600, 16))


def learner(**options):
    defaults = {
        "n_components": 20,
        "alpha": 0.3,
        "batch_size": 60,
        "max_iter": 3,
        "tol": 0,
        "max_no_improvement": None,
        "dict_init": "dct",
        "transform_algorithm": "lasso_lars",
        "random_state": 0,
    }
    return MiniBatchDictionaryLearning(**{**defaults, **options})


def objective(X, components, alpha):
    code = sparse_encode(X, components, alpha=alpha)
    return 0.5 * np.sum((X - code @ components) ** 2) + alpha * np.abs(code).sum()


@pytest.mark.parametrize("fit_algorithm", ["lars", "cd"])
def test_the_first_step_is_that_of_scikit_learn(X, fit_algorithm):
    # Later ones differ: old codes fade faster here.
    options = {
        "n_components": 20,
        "alpha": 0.3,
        "dict_init": np.ascontiguousarray(X[:20] / np.linalg.norm(X[:20], axis=1, keepdims=True)),
        "fit_algorithm": fit_algorithm,
    }
    ours = MiniBatchDictionaryLearning(transform_gap_tol=1e-14, **options).partial_fit(X[500:])
    reference = theirs.MiniBatchDictionaryLearning(**options).partial_fit(X[500:])
    tol = 1e-9 if fit_algorithm == "lars" else 5e-3
    np.testing.assert_allclose(ours.components_, reference.components_, atol=tol)


def test_a_better_dictionary_than_scikit_learn_in_as_many_steps(natural_patches):
    X = natural_patches[:1000] / np.linalg.norm(natural_patches[:1000], axis=1, keepdims=True)
    options = {
        "n_components": 50,
        "alpha": 0.2,
        "batch_size": 95,
        "max_iter": 8,
        "tol": 0,
        "max_no_improvement": None,
        "dict_init": X[:50],
        "random_state": 0,
    }
    ours = MiniBatchDictionaryLearning(**options).fit(X[50:])
    reference = theirs.MiniBatchDictionaryLearning(fit_algorithm="cd", **options).fit(X[50:])
    assert ours.n_steps_ == reference.n_steps_ == 80
    assert objective(X, ours.components_, 0.2) < objective(X, reference.components_, 0.2)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("update", ["bcd", "mod"])
def test_batches_one_by_one_are_one_pass(X, shuffle, update):
    whole = learner(max_iter=1, shuffle=shuffle, dictionary_update=update).fit(X[:570])
    parts = learner(dictionary_update=update)
    order = np.random.RandomState(0).permutation(570) if shuffle else np.arange(570)
    for first in range(0, 570, 60):  # the last batch is shorter
        parts.partial_fit(X[:570][order[first : first + 60]])
    np.testing.assert_array_equal(whole.components_, parts.components_)
    assert whole.n_steps_ == parts.n_steps_ == 10
    assert whole.n_iter_ == 1


def sums_over(X, code, sizes):
    sums = FadingSums(code.shape[1], X.shape[1])
    for first, last in zip(np.cumsum([0, *sizes[:-1]]), np.cumsum(sizes), strict=True):
        batch = TrainingSet(X[first:last])
        statistics = batch.statistics(
            sparse.csr_array(code[first:last]), np.zeros((code.shape[1], X.shape[1]))
        )
        sums.add(statistics, np.zeros(code.shape[1]), batch.scale, batch.n_samples)
    return sums.gram / sums.scale**2, sums.cross / sums.scale**2


@pytest.mark.parametrize("sizes", [[600], [1, 599], [60] * 10, [7, 400, 3, 150, 40]])
def test_a_signal_counts_by_its_place_whatever_its_batch(X, sizes):
    # Up to two signals per atom: in proportion to the number of signals when its batch ends.
    code = np.random.default_rng(1).standard_normal((600, 300))
    gram, cross = sums_over(X, code, sizes)
    share = np.repeat(np.cumsum(sizes), sizes)[:, None] / 600
    np.testing.assert_allclose(gram, code.T @ (share * code), atol=1e-10)
    np.testing.assert_allclose(cross, code.T @ (share * X), atol=1e-10)


@given(st.integers(0, 10**7), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**4))
def test_shares_multiply_and_fall_with_the_root_of_the_number_of_signals(n, first, second, k):
    both = fading(n, first, k) * fading(n + first, second, k)
    np.testing.assert_allclose(both, fading(n, first + second, k), rtol=1e-9, atol=1e-300)
    # The rate of forgetting, from its definition: n / sqrt(2 k n) signals, at least one.
    if n >= 1000:
        rate = -np.log(fading(n, 1, k)) * (n + 0.5)
        np.testing.assert_allclose(rate, max(np.sqrt((n + 0.5) / (2 * k)), 1), rtol=1e-2)


def test_what_is_old_fades_alike_in_small_and_large_batches(X):
    code = np.random.default_rng(1).standard_normal((600, 2))
    small, large = (sums_over(X, code, [size] * (600 // size))[0] for size in (2, 4))
    np.testing.assert_allclose(small, large, rtol=0.1)
    assert np.linalg.norm(small) < 0.3 * np.linalg.norm(code.T @ code)


def test_batches_of_very_different_scale(X):
    code = np.random.default_rng(1).standard_normal((600, 120))
    factor = np.where(np.arange(600) < 300, 1e-100, 1e100)[:, None]
    gram, _ = sums_over(factor * X, factor * code, [300, 300])
    np.testing.assert_allclose(gram / 1e200, code[300:].T @ code[300:], atol=1e-10)


def test_the_order_within_a_batch_does_not_matter(X):
    one, two = (learner().partial_fit(signals) for signals in (X, X[::-1]))
    np.testing.assert_allclose(one.components_, two.components_, atol=1e-10)


def test_going_on_after_fit(X):
    both = learner().fit(X).partial_fit(X[:50])
    restored = pickle.loads(pickle.dumps(learner().fit(X))).partial_fit(X[:50])
    np.testing.assert_array_equal(both.components_, restored.components_)
    assert both.n_steps_ == restored.n_steps_ == 31


@pytest.mark.parametrize("update", ["bcd", "mod"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_signals_without_weight_are_no_signals(X, shuffle, update):
    # Whole batches of them, too: with as few signals, two batches of sixty.
    weight = np.repeat([0.0, 1.0, 0.0], [300, 90, 210])
    options = {"shuffle": shuffle, "dictionary_update": update, "dict_init": "data"}
    weighted = learner(**options).fit(X, sample_weight=weight)
    expected = learner(**options).fit(X[300:390])
    np.testing.assert_array_equal(weighted.components_, expected.components_)
    assert weighted.n_steps_ == expected.n_steps_ == 6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_map(tmp_path, dtype):
    X = np.random.default_rng(0).standard_normal((5000, 16)).astype(dtype)
    X.tofile(tmp_path / "signals")
    mapped = np.memmap(tmp_path / "signals", dtype, "r", shape=X.shape)
    for shuffle in (False, True):
        options = {"shuffle": shuffle, "batch_size": 500, "max_iter": 2}
        one, two = (learner(**options).fit(data) for data in (X, mapped))
        np.testing.assert_array_equal(one.components_, two.components_)
        assert one.components_.dtype == dtype


def test_holds_one_batch_at_a_time(tmp_path):
    import tracemalloc

    shape = (200_000, 16)
    signals = np.memmap(tmp_path / "signals", np.float32, "w+", shape=shape)
    signals[:] = np.random.default_rng(0).standard_normal(shape, np.float32)
    estimator = learner(shuffle=False, batch_size=2000, max_iter=1, fit_algorithm="threshold")
    estimator.partial_fit(signals[:2000])  # compiled and imported
    tracemalloc.start()
    try:
        estimator.fit(signals)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < signals.nbytes / 4


def test_stops_where_atoms_hardly_move(X):
    stopped = learner(max_iter=500, tol=1e-3).fit(X)
    assert stopped.stop_reason_ == "tol"
    assert stopped.n_steps_ < 5000


def test_stops_without_improvement(X):
    stopped = learner(max_iter=500, max_no_improvement=3).fit(X)
    assert stopped.stop_reason_ == "no_improvement"
    assert stopped.n_iter_ == -(-stopped.n_steps_ // 10)


def test_interrupt_keeps_what_was_learned(X):
    def interrupt(progress):
        if progress["iteration"] == 7:
            raise KeyboardInterrupt

    stopped = learner(callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(X)
    assert stopped.stop_reason_ == "interrupted"
    assert stopped.n_steps_ == len(stopped.error_) == 7
    reference = learner(shuffle=True)
    order = np.random.RandomState(0).permutation(600)
    for first in range(0, 420, 60):
        reference.partial_fit(X[order[first : first + 60]])
    np.testing.assert_array_equal(stopped.components_, reference.components_)


def test_batch_means_fall(X):
    error = learner(max_iter=10).fit(X).error_
    assert len(error) == 100
    assert np.mean(error[-10:]) < 0.97 * np.mean(error[:10])


@pytest.mark.parametrize("first", ["zero", "one signal"])
def test_odd_first_batch(X, first):
    batch = np.zeros((5, 16)) if first == "zero" else X[:1]
    estimator = learner(dict_init=None).partial_fit(batch)
    for start in range(0, 600, 60):
        estimator.partial_fit(X[start : start + 60])
    np.testing.assert_allclose(np.linalg.norm(estimator.components_, axis=1), 1, rtol=1e-6)
    reference = learner(max_iter=1, shuffle=False).fit(X)
    assert objective(X, estimator.components_, 0.3) < 1.1 * objective(X, reference.components_, 0.3)


def test_an_all_zero_batch_changes_nothing(X):
    estimator = learner().fit(X)
    before = estimator.components_
    after = estimator.partial_fit(np.zeros((60, 16))).components_
    assert np.abs(after - before).max() < 0.2
    assert np.isfinite(after).all()


def test_function(X):
    options = {"n_components": 20, "alpha": 0.3, "max_iter": 3, "batch_size": 60, "random_state": 0}
    code, dictionary = dict_learning_online(X, **options)
    np.testing.assert_array_equal(dictionary, dict_learning_online(X, return_code=False, **options))
    np.testing.assert_allclose(code, sparse_encode(X, dictionary, alpha=0.3), atol=1e-12)


def test_near_what_all_signals_at_once_give(X):
    online = learner(max_iter=60).fit(X).components_
    batch = DictionaryLearning(20, alpha=0.3, dict_init="dct", max_iter=60).fit(X).components_
    assert objective(X, online, 0.3) < 1.02 * objective(X, batch, 0.3)


def test_objectives_of_batches_are_in_the_units_of_the_data(X):
    loud = np.where(np.arange(600) < 300, 1.0, 100.0)[:, None] * X
    history = []
    estimator = learner(
        shuffle=False,
        max_iter=1,
        callback=lambda progress: history.append(progress["dictionary"].components),
    ).fit(loud)
    for number in (1, 8):
        batch = loud[60 * number : 60 * number + 60]
        expected = objective(batch, history[number - 1], 0.3) / 60
        np.testing.assert_allclose(estimator.error_[number], expected, rtol=1e-9)
