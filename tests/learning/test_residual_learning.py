"""The estimator: what it promises of every input, and what it refuses."""

import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_resnet_sc.coding import sparse_encode
from sklearn_resnet_sc.learning import ResidualDictionaryLearning
from sklearn_resnet_sc.theory import condition_number

SIGNALS = np.random.default_rng(0).standard_normal((60, 6))
SIGNALS.setflags(write=False)


def assert_promises(learner, dtype):
    """Atoms as defined, of unit length, and within the bound, to rounding."""
    assert (
        learner.components_.dtype == learner.residual_.dtype == learner.atom_norms_.dtype == dtype
    )
    lengths = np.linalg.norm(learner.components_.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)
    if learner.shortcut_ is None:
        np.testing.assert_array_equal(learner.components_, learner.residual_)
        return
    assert learner.shortcut_.dtype == dtype
    total = learner.shortcut_ + learner.residual_
    np.testing.assert_array_equal(learner.components_, total / learner.atom_norms_[:, None])
    if learner.residual_bound_ is not None:
        smallest = np.linalg.svd(learner.shortcut_.astype(np.float64), compute_uv=False)[-1]
        norm = np.linalg.norm(learner.residual_.astype(np.float64), 2)
        assert norm <= learner.residual_bound_ * smallest * (1 + 1e-13)
        assert learner.certificate_.residual_bound_kept


@st.composite
def signals(draw):
    """Signals of all kinds: few, equal, zero, of low rank, very long or short, of any layout."""
    n_samples, n_features = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    dtype = draw(st.sampled_from([np.float64, np.float32, np.int64]))
    X = rng.standard_normal((n_samples, n_features)) * 3
    kind = draw(st.sampled_from(["full", "low rank", "repeated", "constant feature", "zero"]))
    if kind == "low rank":
        X = X[:, :1] @ rng.standard_normal((1, n_features))
    elif kind == "repeated":
        X[:] = X[:1]
    elif kind == "constant feature":
        X[:, -1] = 7
    elif kind == "zero":
        X[:] = 0
    exponent = {np.float64: 200, np.float32: 25, np.int64: 0}[dtype]
    X = X * 10.0 ** draw(st.sampled_from([-exponent, 0, exponent]))
    X = np.asarray(X.astype(dtype), order=draw(st.sampled_from(["C", "F"])))
    X.setflags(write=draw(st.booleans()))
    return X


@settings(max_examples=50)
@given(
    X=signals(),
    shortcut=st.sampled_from(["identity", "dct", "pca", None]),
    bound=st.sampled_from(["auto", None, 0.05, 0.5, 0.99]),
    n_components=st.sampled_from([None, 1, 3, 9]),
    n_nonzero=st.sampled_from([None, 1, 2]),
    algorithm=st.sampled_from(["omp", "ols"]),
)
def test_promises_hold_for_every_input(X, shortcut, bound, n_components, n_nonzero, algorithm):
    most = X.shape[1] if n_components is None else n_components
    assume(shortcut not in ("identity", "pca") or most <= X.shape[1])
    assume(shortcut is not None or not isinstance(bound, float))
    assume(n_nonzero is None or n_nonzero <= most)
    learner = ResidualDictionaryLearning(
        n_components,
        shortcut=shortcut,
        residual_bound=bound,
        fit_algorithm=algorithm,
        fit_n_nonzero_coefs=n_nonzero,
        transform_algorithm=algorithm,
        max_iter=4,
        random_state=0,
    ).fit(X)
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    assert_promises(learner, dtype)
    assert learner.update_gap_ <= 1e-5
    assert len(learner.error_) == len(learner.n_nonzero_) == learner.n_iter_ + 1
    assert not np.isnan(learner.error_).any()
    code = learner.transform(X)
    assert code.dtype == dtype
    assert np.isfinite(code).all()
    assert -1e-5 <= learner.score(X) <= 1


@pytest.mark.parametrize("shortcut", ["identity", "dct", None])
def test_what_is_returned_is_the_best_dictionary_seen(shortcut):
    learner = ResidualDictionaryLearning(
        shortcut=shortcut, fit_n_nonzero_coefs=2, tol=0, max_iter=25, random_state=0
    ).fit(SIGNALS)
    code = sparse_encode(SIGNALS, learner.components_, algorithm="omp", n_nonzero_coefs=2)
    error = np.mean(np.sum((SIGNALS - code @ learner.components_) ** 2, axis=1))
    assert error == pytest.approx(min(learner.error_), rel=1e-10)
    assert min(learner.error_) < 0.8 * learner.error_[0]


def test_a_tolerance_makes_the_number_of_atoms_small():
    learner = ResidualDictionaryLearning(12, shortcut="dct", fit_tol=1.0).fit(SIGNALS)
    code = sparse_encode(SIGNALS, learner.components_, algorithm="omp", tol=1.0)
    assert np.mean(np.sum(code != 0, axis=1)) == pytest.approx(min(learner.n_nonzero_))
    assert min(learner.n_nonzero_) < learner.n_nonzero_[0]


def test_soft_thresholding_learns_too():
    learner = ResidualDictionaryLearning(
        shortcut="dct", fit_algorithm="threshold", fit_alpha=0.3, tol=0, max_iter=10
    ).fit(SIGNALS)
    assert_promises(learner, np.float64)
    assert min(learner.error_) < learner.error_[0]


def test_the_bound_certifies_the_condition_number():
    X = np.random.default_rng(0).standard_normal((400, 5)) @ np.diag([100, 10, 1, 0.1, 0.01])
    options = {"fit_n_nonzero_coefs": 2, "max_iter": 10}
    bounded = ResidualDictionaryLearning(residual_bound=0.8, **options).fit(X)
    assert condition_number(bounded.shortcut_ + bounded.residual_) <= 1.8 / 0.2 * (1 + 1e-12)
    assert "0.8" in str(bounded.certificate_)
    free = ResidualDictionaryLearning(residual_bound=None, **options).fit(X)
    assert free.residual_bound_ is None
    assert condition_number(free.shortcut_ + free.residual_) > 9


@pytest.mark.parametrize("shortcut", ["identity", "pca", None])
def test_warm_start_goes_on(shortcut):
    options = {"shortcut": shortcut, "fit_n_nonzero_coefs": 2, "tol": 0, "random_state": 0}
    learner = ResidualDictionaryLearning(max_iter=4, warm_start=True, **options).fit(SIGNALS)
    first = learner.error_
    assert learner.fit(SIGNALS).error_[0] == pytest.approx(min(first), rel=1e-12)
    assert_promises(learner, np.float64)
    cold = learner.set_params(warm_start=False).fit(SIGNALS).error_
    np.testing.assert_array_equal(cold, first)


def test_warm_start_under_another_bound_precision_and_size():
    learner = ResidualDictionaryLearning(warm_start=True, max_iter=4).fit(SIGNALS)
    learner.set_params(residual_bound=0.2).fit(SIGNALS.astype(np.float32))
    assert_promises(learner, np.float32)
    assert learner.residual_bound_ == 0.2
    learner.set_params(n_components=4)
    with pytest.raises(ValueError, match=r"warm_start=True .* shape \(6, 6\); .* \(4, 6\)"):
        learner.fit(SIGNALS)


def test_auto_bound():
    assert ResidualDictionaryLearning().fit(SIGNALS).residual_bound_ == 0.9
    assert ResidualDictionaryLearning(shortcut=None).fit(SIGNALS).residual_bound_ is None


@pytest.mark.parametrize("bound", [0, 1, 1.5, -0.1, np.nan, np.inf])
def test_bounds_outside_of_the_unit_interval_are_refused(bound):
    with pytest.raises(ValueError, match=r"residual_bound must lie in \(0, 1\).*got"):
        ResidualDictionaryLearning(residual_bound=bound).fit(SIGNALS)


REFUSED = {
    "a bound without a shortcut": (
        {"shortcut": None, "residual_bound": 0.5},
        "residual_bound=0.5 bounds the residual beside a shortcut",
    ),
    "an unknown update": ({"dictionary_update": "gradient"}, "dictionary_update"),
    "an unknown pursuit": ({"fit_algorithm": "guess"}, "fit_algorithm"),
    "a penalty for a count": ({"fit_alpha": 1.0}, "fit_algorithm='omp' takes"),
    "a count for a penalty": (
        {"fit_algorithm": "threshold", "fit_n_nonzero_coefs": 2},
        "fit_algorithm='threshold' takes fit_alpha, not fit_n_nonzero_coefs",
    ),
    "a tolerance for a penalty": (
        {"fit_algorithm": "threshold", "fit_tol": 2.0},
        "fit_algorithm='threshold' takes fit_alpha, not fit_tol",
    ),
    "no atoms": ({"n_components": 0}, "n_components"),
    "no atoms per signal": ({"fit_n_nonzero_coefs": 0}, "fit_n_nonzero_coefs"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_parameter(case):
    parameters, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        ResidualDictionaryLearning(**parameters).fit(SIGNALS)


def test_pickles_and_clones():
    learner = ResidualDictionaryLearning(9, shortcut="dct", verbose=0).fit(SIGNALS)
    copy = pickle.loads(pickle.dumps(learner))
    np.testing.assert_array_equal(copy.transform(SIGNALS), learner.transform(SIGNALS))
    assert str(copy.certificate_) == str(learner.certificate_)
    assert clone(learner).get_params() == learner.get_params()


def test_an_interrupt_leaves_a_fitted_estimator():
    def stop(state):
        if state["iteration"] == 3:
            raise KeyboardInterrupt

    options = {"fit_n_nonzero_coefs": 2, "tol": 0}
    learner = ResidualDictionaryLearning(callback=stop, **options)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(SIGNALS)
    assert (learner.stop_reason_, learner.n_iter_) == ("interrupted", 3)
    assert_promises(learner, np.float64)
    whole = ResidualDictionaryLearning(max_iter=3, **options).fit(SIGNALS)
    assert (whole.stop_reason_, whole.n_iter_) == ("max_iter", 3)
    np.testing.assert_array_equal(learner.components_, whole.components_)
    assert learner.transform(SIGNALS).shape == (60, 6)


def test_callback_and_progress(capsys):
    heard = []
    learner = ResidualDictionaryLearning(
        max_iter=4, tol=0, fit_n_nonzero_coefs=2, verbose=1, callback=heard.append
    ).fit(SIGNALS)
    assert [state["iteration"] for state in heard] == list(range(1, learner.n_iter_ + 1))
    assert heard[-1]["dictionary"].components.shape == (6, 6)
    assert heard[-1]["coded"].error == learner.error_[-1]
    assert "learning" in capsys.readouterr().err


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_pipeline_in_a_grid_search(backend):
    from joblib import parallel_config

    # Digits have features that are constant.
    X, y = load_digits(return_X_y=True, as_frame=True)
    X, y = X[:300], y[:300]
    pipeline = make_pipeline(
        StandardScaler(),
        ResidualDictionaryLearning(max_iter=2, transform_n_nonzero_coefs=10),
        LogisticRegression(max_iter=500),
    ).set_output(transform="pandas")
    with parallel_config(backend=backend):
        search = GridSearchCV(
            pipeline,
            {"residualdictionarylearning__residual_bound": [0.5, 0.9]},
            n_jobs=2,
            cv=2,
            error_score="raise",
        ).fit(X, y)
    assert search.best_score_ > 0.8
    codes = search.best_estimator_[:-1].transform(X)
    assert list(codes.columns[:1]) == ["residualdictionarylearning0"]
    assert codes.index.equals(X.index)
