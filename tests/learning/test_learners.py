"""What all learners promise, whatever their update: precision, threads, weights, odd data, ..."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
    sparse_encode,
)

ALPHA = 0.3
GREEDY = {"fit_algorithm": "omp", "fit_n_nonzero_coefs": 3, "dict_init": "data"}
BATCHES = {"batch_size": 60, "max_iter": 3, "tol": 0, "max_no_improvement": None}
LEARNERS = {
    "all at once": DictionaryLearning(20, alpha=ALPHA, max_iter=10),
    "all at once, greedy": DictionaryLearning(
        20, dictionary_update="aksvd", max_iter=10, random_state=0, **GREEDY
    ),
    "batches": MiniBatchDictionaryLearning(20, alpha=ALPHA, random_state=0, **BATCHES),
    "batches, greedy": MiniBatchDictionaryLearning(
        20, dictionary_update="mod", random_state=0, **BATCHES, **GREEDY
    ),
    "residual": ResidualDictionaryLearning(
        20, shortcut="dct", fit_n_nonzero_coefs=3, max_iter=10, tol=0
    ),
    "residual, penalised": ResidualDictionaryLearning(
        20,
        shortcut=None,
        fit_algorithm="lasso_lars",
        fit_alpha=ALPHA,
        max_iter=10,
        tol=0,
        random_state=0,
    ),
}
PENALISED = ("all at once", "batches", "residual, penalised")
every_learner = pytest.mark.parametrize("name", LEARNERS)


def learner(name, **options):
    options = {"transform_algorithm": "ols", "transform_n_nonzero_coefs": 8, **options}
    return clone(LEARNERS[name]).set_params(**options)


@pytest.fixture(scope="module")
def X():
    signals = np.random.default_rng(0).standard_normal((300, 16))
    signals.setflags(write=False)
    return signals


@every_learner
def test_the_same_bits_for_any_number_of_threads(name):
    X = np.random.default_rng(0).standard_normal((9000, 8))
    options = {"n_components": 12, "max_iter": 2}
    one, three = (learner(name, n_jobs=n_jobs, **options).fit(X) for n_jobs in (1, 3))
    np.testing.assert_array_equal(one.components_, three.components_)
    assert one.error_ == three.error_


@every_learner
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept_and_hardly_matters(X, name, dtype):
    model = learner(name).fit(X.astype(dtype))
    assert model.components_.dtype == model.transform(X.astype(dtype)).dtype == dtype
    assert model.score(X) == pytest.approx(learner(name).fit(X).score(X), abs=0.02)


@every_learner
def test_the_same_seed_gives_the_same_dictionary(X, name):
    one, two = (learner(name).fit(X).components_ for _ in range(2))
    np.testing.assert_array_equal(one, two)
    if "random_state" in repr(LEARNERS[name]):
        other = learner(name, random_state=1).fit(X).components_
        assert np.abs(one - other).max() > 0.1


# Repeated signals are in other batches, and the more there are the sooner old ones are forgotten.
@pytest.mark.parametrize(
    ("name", "method"),
    [(name, "fit") for name in LEARNERS if "batches" not in name]
    + [(name, "partial_fit") for name in LEARNERS if hasattr(LEARNERS[name], "partial_fit")],
)
def test_weights_are_repetitions(X, name, method):
    model = learner(name)
    weight = np.random.default_rng(2).integers(0, 4, len(X))
    weighted = getattr(clone(model), method)(X, sample_weight=weight)
    repeated = getattr(clone(model), method)(np.repeat(X, weight, axis=0))
    np.testing.assert_allclose(weighted.components_, repeated.components_, atol=1e-8)
    if method == "fit":
        np.testing.assert_allclose(weighted.error_, repeated.error_, rtol=1e-8)


@pytest.mark.parametrize("name", [name for name in LEARNERS if name != "all at once, greedy"])
def test_signals_without_weight_are_no_signals(X, name):
    model = learner(name)
    weight = np.repeat([1.0, 0.0, 1.0], [100, 90, 110])
    some = np.flatnonzero(weight)
    weighted = clone(model).fit(X, sample_weight=weight).components_
    np.testing.assert_allclose(weighted, clone(model).fit(X[some]).components_, atol=1e-8)
    if hasattr(model, "partial_fit"):
        one, two = clone(model), clone(model)
        for _ in range(3):
            one.partial_fit(X, sample_weight=weight)
            two.partial_fit(X[some])
        np.testing.assert_allclose(one.components_, two.components_, atol=1e-8)


@every_learner
def test_what_signals_and_weights_must_not_be(X, name):
    with pytest.raises(ValueError, match=r"(?i)sample[_ ]weight"):
        learner(name).fit(X, sample_weight=np.zeros(len(X)))
    for value, message in ((np.nan, "NaN"), (np.inf, "infinity")):
        wrong = X.copy()
        wrong[3, 2] = value
        with pytest.raises(ValueError, match=message):
            learner(name).fit(wrong)


@every_learner
@pytest.mark.parametrize(
    "kind", ["constant", "few", "one", "duplicates", "zero", "1e150", "1e-150"]
)
def test_odd_data(X, name, kind):
    if kind == "constant":
        X = np.column_stack([X[:, :-1], np.ones(len(X))])
    elif kind in ("few", "one"):
        X = X[: {"few": 5, "one": 1}[kind]]
    elif kind == "duplicates":
        X = np.repeat(X[:3], 50, axis=0)
    elif kind == "zero":
        X = np.zeros((10, 16))
    else:
        X = X * float(kind)
    model = learner(name)
    alpha = 0.1 * max(np.abs(X).max(), 1e-300)
    if name in PENALISED:
        model.set_params(**{"fit_alpha" if name.startswith("residual") else "alpha": alpha})
    model.fit(X)
    assert np.isfinite(model.components_).all()
    assert np.linalg.norm(model.components_, axis=1).max() <= 1 + 1e-12
    assert model.score(X) > 0.8


@every_learner
def test_fit_transform_is_fit_and_transform(X, name):
    model = learner(name)
    code = model.fit_transform(X)
    np.testing.assert_array_equal(code, clone(model).fit(X).transform(X))


@every_learner
def test_codes_go_back_to_signals(X, name):
    model = learner(name, transform_n_nonzero_coefs=None, transform_tol=4.0).fit(X)
    model.set_params(sparse_output=True)
    code = model.transform(X)
    assert sparse.issparse(code)
    errors = np.sum((X - model.inverse_transform(code)) ** 2, axis=1)
    assert errors.max() <= 4.0 + 1e-9
    assert model.score(X) == pytest.approx(1 - errors.sum() / np.sum(X**2))
    model.set_params(sparse_output=False)
    np.testing.assert_array_equal(model.transform(X), code.toarray())
    parts = model.set_params(split_sign=True).transform(X)
    assert parts.shape == (300, 40)
    assert parts.min() >= 0
    np.testing.assert_allclose(model.inverse_transform(parts), code @ model.components_)
    assert model.get_feature_names_out()[-1] == f"{type(model).__name__.lower()}39"


@every_learner
def test_pickles_and_clones(X, name):
    model = learner(name).fit(X)
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.transform(X), model.transform(X))
    if hasattr(model, "partial_fit"):
        after = [each.partial_fit(X[:50]).components_ for each in (copy, model)]
        np.testing.assert_array_equal(*after)
    assert clone(model).get_params() == model.get_params()


@every_learner
def test_a_grid_search_by_score(X, name):
    grid = {"transform_n_nonzero_coefs": [1, 4]}
    search = GridSearchCV(learner(name, max_iter=2), grid, cv=2, error_score="raise").fit(X)
    assert search.best_params_["transform_n_nonzero_coefs"] == 4


@pytest.mark.parametrize("name", sorted(set(LEARNERS) - set(PENALISED)))
def test_more_atoms_per_signal_than_atoms_are_clipped_with_one_warning(X, name):
    model = learner(name, n_components=4, fit_n_nonzero_coefs=9, transform_n_nonzero_coefs=2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit_transform(X)
    message = "fit_n_nonzero_coefs=9 is more than the 4 atoms of the dictionary; using 4."
    assert [(str(w.message), w.filename) for w in caught] == [(message, __file__)]


@every_learner
def test_progress_is_shown_where_asked_for(X, name, capsys):
    learner(name, max_iter=2).fit(X)
    assert capsys.readouterr().err == ""
    learner(name, max_iter=2, verbose=True).fit(X)
    assert "learning" in capsys.readouterr().err


@every_learner
@pytest.mark.parametrize("scale", [1e-3, 1e3])
def test_callbacks_hear_of_objectives_in_the_units_of_the_data(X, name, scale):
    # The first one is that of the first atoms; codes of them here, by definition.
    X, heard = scale * X, []
    start = X[:20] / np.linalg.norm(X[:20], axis=1, keepdims=True)
    options = {"shortcut": start} if name.startswith("residual") else {"dict_init": start}
    model = learner(name, max_iter=1, callback=heard.append, **options)
    penalty, n_nonzero = 0.0, 3
    if name in PENALISED:
        penalty, n_nonzero = ALPHA * scale, None
        model.set_params(**{"fit_alpha" if name.startswith("residual") else "alpha": penalty})
    if "batches" in name:
        model.set_params(batch_size=300)
    model.fit(X)
    algorithm = "lasso_lars" if penalty else "omp"
    code = sparse_encode(
        X, start, algorithm=algorithm, alpha=penalty or None, n_nonzero_coefs=n_nonzero
    )
    errors = np.sum((X - code @ start) ** 2)
    expected = (0.5 * errors + penalty * np.abs(code).sum()) / 300
    np.testing.assert_allclose(heard[0]["objective"][0], expected, rtol=1e-9)
    np.testing.assert_allclose(heard[0]["error"][0], errors / 300, rtol=1e-9)
    assert heard[0]["iteration"] == 1
    assert heard[0]["dictionary"].components.shape == (20, 16)
