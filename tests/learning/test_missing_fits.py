"""Learners of signals with missing entries, `missing="mask"`."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
)
from sklearn_resnet_sc.datasets import make_ar1_signals
from sklearn_resnet_sc.learning._updates import UPDATES

GREEDY = {"fit_algorithm": "omp", "fit_n_nonzero_coefs": 2, "transform_n_nonzero_coefs": 2}
LEARNERS = {
    **{
        f"{update}-{init}": DictionaryLearning(
            12, dictionary_update=update, dict_init=init, max_iter=6, random_state=0, **GREEDY
        )
        for update in UPDATES
        for init in ("svd", "data", "dct")
    },
    "lars": DictionaryLearning(12, alpha=0.1, max_iter=6),
    "cd": DictionaryLearning(12, alpha=0.1, fit_algorithm="cd", max_iter=6),
    "mini-batch": MiniBatchDictionaryLearning(
        12, alpha=0.1, batch_size=60, max_iter=3, random_state=0
    ),
    "identity": ResidualDictionaryLearning(8, max_iter=6, **GREEDY),
    "dct": ResidualDictionaryLearning(12, shortcut="dct", max_iter=6, **GREEDY),
    "pca": ResidualDictionaryLearning(8, shortcut="pca", max_iter=6, **GREEDY),
    "plain": ResidualDictionaryLearning(12, shortcut=None, max_iter=6, random_state=0, **GREEDY),
}
every_learner = pytest.mark.parametrize("name", LEARNERS)


def learner(name):
    return clone(LEARNERS[name]).set_params(missing="mask")


@pytest.fixture(scope="module")
def smooth():
    """Smooth signals, and the same with three entries of ten missing."""
    X = make_ar1_signals(240, 8, random_state=0)
    missing = np.random.default_rng(1).random(X.shape) < 0.3
    return X, np.where(missing, np.nan, X), missing


@every_learner
def test_what_is_missing_is_filled_in_better_than_by_means(smooth, name):
    X, masked, missing = smooth
    model = learner(name).fit(masked)
    assert np.isfinite(model.components_).all()
    assert np.isfinite(model.error_).all()
    filled = model.inverse_transform(model.transform(masked))
    means = np.broadcast_to(np.nanmean(masked, axis=0), X.shape)
    assert np.mean((filled - X)[missing] ** 2) < np.mean((means - X)[missing] ** 2)
    observed = masked - filled
    energy = np.nansum(masked**2)
    assert model.score(masked) == pytest.approx(1 - np.nansum(observed**2) / energy)


@every_learner
def test_where_nothing_is_missing_nothing_changes(smooth, name):
    X = smooth[0][:100]
    model, plain = learner(name), clone(LEARNERS[name])
    np.testing.assert_array_equal(model.fit(X).components_, plain.fit(X).components_)


@every_learner
def test_precision_threads_and_scale(smooth, name):
    masked = smooth[1]
    model = learner(name)
    if "alpha" in model.get_params() and "fit_n_nonzero_coefs" in model.get_params():
        model.set_params(alpha=0.1)
    found = model.fit(masked).components_
    np.testing.assert_array_equal(model.set_params(n_jobs=2).fit(masked).components_, found)
    single = masked.astype(np.float32)
    assert model.fit(single).components_.dtype == np.float32
    assert model.transform(single).dtype == np.float32


@every_learner
def test_signals_and_features_of_which_nothing_was_observed(smooth, name):
    masked = smooth[1].copy()
    masked[3], masked[:, 2] = np.nan, np.nan
    model = learner(name).fit(masked)
    assert np.isfinite(model.components_).all()
    assert not model.transform(masked)[3].any()
    if name.endswith(("-svd", "-data")) or name in ("lars", "cd", "mini-batch", "plain"):
        np.testing.assert_allclose(model.components_[:, 2], 0, atol=1e-12)


@every_learner
def test_refusals(smooth, name):
    masked = smooth[1]
    with pytest.raises(ValueError, match="NaN"):
        clone(LEARNERS[name]).fit(masked)
    model = learner(name)
    with pytest.raises(ValueError, match="must have an entry that was observed; all 40 are NaN"):
        model.fit(np.full((5, 8), np.nan))
    infinite = masked.copy()
    infinite[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.fit(infinite)
    assert model.__sklearn_tags__().input_tags.allow_nan
    assert not LEARNERS[name].__sklearn_tags__().input_tags.allow_nan


@pytest.mark.parametrize("name", ["mini-batch", "dct", "plain"])
def test_a_stream_of_batches(smooth, name):
    X, masked, missing = smooth
    model = learner(name)
    for _ in range(4):
        for first in range(0, 240, 60):
            model.partial_fit(masked[first : first + 60])
    filled = model.inverse_transform(model.transform(masked))
    assert np.mean((filled - X)[missing] ** 2) < 0.7 * np.mean(X[missing] ** 2)


@pytest.mark.parametrize("name", ["mod-data", "ksvd-data", "aksvd-data", "bcd-data", "plain"])
def test_weights_are_repetitions_and_zero_is_none(smooth, name):
    masked = smooth[1][:200]
    weight = (np.arange(200) < 150) * 1.0
    model = learner(name)
    found = model.fit(masked, sample_weight=weight).components_
    np.testing.assert_allclose(found, model.fit(masked[:150]).components_, atol=1e-8)


def test_l1_objective_falls_from_update_to_update(smooth):
    """Convex codes, majorised updates: so it must."""
    masked = smooth[1]
    objectives = []

    def record(progress):
        objectives.append(progress["objective"][-1])

    model = learner("cd").set_params(max_iter=40, tol=0, transform_gap_tol=1e-12, callback=record)
    model.fit(masked)
    assert len(objectives) == 8
    assert np.diff(objectives).max() <= 1e-9 * objectives[0]
    code = model.set_params(transform_algorithm="lasso_cd").transform(masked)
    errors = np.nansum((masked - code @ model.components_) ** 2)
    total = 0.5 * errors + 0.1 * np.abs(code).sum()
    assert total <= model.error_[-1] * (1 + 1e-9)


def observed_error(model, masked, code):
    return np.nansum((masked - code @ model.components_) ** 2)


@pytest.mark.parametrize("update", ["bcd", "mod"])
def test_errors_at_the_codes_before_an_update_are_upper_bounds(smooth, update):
    masked = smooth[1]
    model = learner(f"{update}-dct").set_params(max_iter=1, replace_atoms=False)
    code = model.set_params(max_iter=0).fit(masked).transform(masked)
    model.set_params(max_iter=1).fit(masked)
    found = 0.5 * observed_error(model, masked, code)
    assert found <= model.error_[0] * (1 + 1e-12) < 1.5 * found


@pytest.mark.parametrize("update", ["ksvd", "aksvd", "rls"])
def test_errors_at_the_codes_after_an_update_are_those_observed(smooth, update):
    masked = smooth[1]
    model = learner(f"{update}-dct").set_params(max_iter=1, replace_atoms=False).fit(masked)
    found = 0.5 * observed_error(model, masked, model.transform(masked))
    assert model.error_ == [pytest.approx(found)]


def test_errors_of_the_other_learners_are_those_observed(smooth):
    masked = smooth[1]
    residual = learner("dct").fit(masked)
    best = observed_error(residual, masked, residual.transform(masked)) / len(masked)
    assert min(residual.error_) == pytest.approx(best)
    atoms = []
    batches = learner("mini-batch").set_params(
        batch_size=240,
        max_iter=2,
        transform_algorithm="lasso_lars",
        callback=lambda progress: atoms.append(progress["dictionary"].components),
    )
    error = batches.fit(masked).error_[1]
    batches.components_ = atoms[0]
    code = batches.transform(masked)
    found = 0.5 * observed_error(batches, masked, code) + 0.1 * np.abs(code).sum()
    assert error == pytest.approx(found / 240)
