"""`MultiLayerSparseCoder` as a scikit-learn estimator."""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_resnet_sc import DeepCodingSolver, MultiLayerSparseCoder
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._stack_coding import ALGORITHMS as EVERY

ALGORITHMS = ["ml_fista", "ml_ista", "layered_omp", "layered_lasso_cd", "layered_threshold"]


@parametrize_with_checks(
    [
        MultiLayerSparseCoder(max_iter=2),
        MultiLayerSparseCoder((5, 3), algorithm="layered_omp", output="concat", max_iter=2),
        MultiLayerSparseCoder(residual=True, algorithm="layered_lasso_cd", max_iter=2),
    ]
)
def test_common_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def planted():
    return make_multilayer_sparse_signals(
        300, n_features=16, n_components=(20, 24), n_nonzero_coefs=2, random_state=0
    )


def coder(n_components=(16, 10), **options):
    return MultiLayerSparseCoder(
        n_components, **{"random_state": 0, "max_iter": 2, "n_passes": 2, **options}
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_precision_output_and_fit_transform(planted, algorithm, dtype):
    X = planted[0].astype(dtype)
    fitted = coder(algorithm=algorithm, output="concat").fit(X)
    codes = fitted.transform(X)
    assert codes.dtype == dtype and codes.shape == (300, 26)
    assert all(dictionary.dtype == dtype for dictionary in fitted.dictionaries_)
    assert_array_equal(clone(fitted).fit_transform(X), codes)
    assert_array_equal(clone(fitted).set_params(n_jobs=2).fit(X).transform(X), codes)
    assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(X), codes)
    assert_array_equal(fitted.set_params(output=0).transform(X), codes[:, :16])
    assert_array_equal(fitted.set_params(output="last").transform(X), codes[:, 16:])
    as_csr = fitted.set_params(output="concat", sparse_output=True).transform(X)
    assert sparse.issparse(as_csr) and as_csr.format == "csr"
    assert_array_equal(as_csr.toarray(), codes)


@pytest.mark.parametrize(
    ("algorithm", "strategy", "pursuit", "demand"),
    [
        ("ml_fista", "joint", "ml_fista", {"alpha": [0.2, 0.1]}),
        ("layered_lasso_lars", "layered", "lasso_lars", {"alpha": [0.2, 0.1]}),
        ("layered_omp", "layered", "omp", {"n_nonzero_coefs": [6, 2]}),
    ],
)
def test_given_dictionaries_are_coded_as_by_the_solver(
    planted, algorithm, strategy, pursuit, demand
):
    X, dictionaries, _ = planted
    fitted = MultiLayerSparseCoder(
        dictionaries=dictionaries,
        algorithm=algorithm,
        scale_alpha=False,
        transform_tol=1e-6,
        output="concat",
        **demand,
    ).fit(X)
    solver = DeepCodingSolver(
        dictionaries,
        strategy=strategy,
        pursuit=pursuit,
        transform_max_iter=100,
        output="concat",
        **demand,
    )
    with nullcontext() if pursuit != "ml_fista" else pytest.warns(ConvergenceWarning):
        expected = solver.fit_transform(X)
    assert_allclose(fitted.transform(X), expected, atol=1e-5)
    assert fitted.n_components_ == (20, 24)
    assert not hasattr(fitted, "error_")


@pytest.mark.parametrize("algorithm", ["ml_fista", "layered_lasso_cd"])
def test_alpha_is_a_share_of_the_length_of_signals(planted, algorithm):
    X = planted[0]
    fitted = coder(algorithm=algorithm, alpha=[0.1, 0.02]).fit(X)
    length = np.sqrt(np.mean(np.sum(X**2, axis=1)))
    assert_allclose(fitted.alpha_, [0.1 * length, 0.02 * length])
    for unit in (2.0**-300, 2.0**300):
        scaled = clone(fitted).fit(X * unit)
        assert_allclose(scaled.transform(X * unit), fitted.transform(X) * unit, rtol=1e-12)
        assert_allclose(scaled.dictionaries_[1], fitted.dictionaries_[1])
    absolute = coder(algorithm=algorithm, alpha=fitted.alpha_, scale_alpha=False).fit(X)
    assert_allclose(absolute.transform(X), fitted.transform(X), atol=1e-12)


def test_counts_are_kept_and_default_to_a_tenth(planted):
    X = planted[0]
    fitted = coder((20, 12), algorithm="layered_omp", output="concat").fit(X)
    assert fitted.n_nonzero_coefs_ == (1, 2) and fitted.alpha_ is None
    fitted = coder((20, 12), algorithm="layered_omp", n_nonzero_coefs=[4, 3], output=0).fit(X)
    assert (np.count_nonzero(fitted.transform(X), axis=1) <= 4).all()
    with pytest.warns(UserWarning, match="layer 2: 15 to 12"):
        coder((20, 12), algorithm="layered_omp", n_nonzero_coefs=15).fit(X)


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("algorithm", sorted(EVERY))
def test_every_algorithm_learns_and_keeps_codes_positive(planted, algorithm, residual):
    options = {"algorithm": algorithm, "residual": residual, "output": "concat"}
    signed = coder(**options).fit(planted[0])
    positive = coder(positive_code=True, **options).fit(planted[0])
    for learner in (signed, positive):
        assert learner.error_[-1] < learner.error_[0]
    codes = positive.transform(planted[0])
    assert codes.min() >= 0 and codes[:, 16:].max() > 0
    assert signed.transform(planted[0]).min() < 0


def test_names_and_frames(planted):
    fitted = coder((5, 3), output="concat").set_output(transform="pandas").fit(planted[0])
    frame = fitted.transform(planted[0])
    assert list(frame.columns[[0, 4, 5]]) == [
        "multilayersparsecoder_layer1_0",
        "multilayersparsecoder_layer1_4",
        "multilayersparsecoder_layer2_0",
    ]


def test_grid_search_over_depth_width_and_alpha():
    X, y = load_digits(return_X_y=True)
    pipeline = make_pipeline(
        StandardScaler(),
        coder(algorithm="layered_lasso_cd", output="concat", max_iter=1),
        LogisticRegression(max_iter=1000, tol=1e-2),
    )
    search = GridSearchCV(
        pipeline,
        {
            "multilayersparsecoder__n_components": [8, (24, 12), (16, 12, 8)],
            "multilayersparsecoder__alpha": [0.05, 0.2],
        },
        cv=2,
        error_score="raise",
    ).fit(X[:300], y[:300])
    assert search.best_score_ > 0.7  # one in ten by chance


def test_warm_start_goes_on(planted):
    X = planted[0]
    fitted = coder(warm_start=True).fit(X)
    before, dictionaries = fitted.error_, fitted.dictionaries_
    fitted.set_params(max_iter=0).fit(X)
    assert_allclose(fitted.dictionaries_[1], dictionaries[1], atol=1e-15)
    fitted.set_params(max_iter=3).fit(X)
    assert fitted.error_[-1] < before[-1]
    fitted.set_params(n_components=(16, 9)).fit(X)  # another shape begins anew
    assert fitted.n_components_ == (16, 9)


@pytest.mark.parametrize("algorithm", ["ml_fista", "layered_omp"])
def test_partial_fit_learns(algorithm):
    X, _, _ = make_multilayer_sparse_signals(
        2000, n_features=16, n_components=(16, 12), n_nonzero_coefs=2, random_state=0
    )
    learner = coder(
        (16, 12), algorithm=algorithm, residual=True, output=0, n_nonzero_coefs=None
    ).partial_fit(X[:100])
    first, steps = learner.score(X), learner.n_steps_
    for begin in range(100, 2000, 200):
        learner.partial_fit(X[begin : begin + 200])
        assert np.linalg.norm(learner.residuals_[0], 2) <= 0.9 + 1e-12
    assert learner.score(X) > first
    assert learner.n_steps_ == steps + 10
    with pytest.raises(ValueError, match="16 features"):
        learner.partial_fit(X[:, :5])


def test_partial_fit_after_fit_moves_little_where_signals_are_those_of_fit(planted):
    X = planted[0]
    fitted = coder(algorithm="layered_lasso_cd", max_iter=20).fit(X)
    before = fitted.score(X)
    assert fitted.partial_fit(X[:10]).n_steps_ == 1
    assert abs(fitted.score(X) - before) < 0.01


def test_transform_goes_by_present_options(planted):
    X = planted[0]
    fitted = coder().fit(X)
    coarse = fitted.set_params(transform_max_iter=1).transform(X)
    fine = fitted.set_params(transform_max_iter=1000).transform(X)
    assert np.abs(coarse - fine).max() > 1e-3
    signals = fitted.set_params(n_components=(3, 2)).partial_fit(X[:50]).transform(X)
    assert signals.shape == (300, 10)  # partial_fit goes on with what there is


def test_certificates(planted):
    fitted = coder((16, 16, 8), residual=True, residual_bound=0.5).fit(planted[0])
    assert [residual is None for residual in fitted.residuals_] == [False, False, True]
    for residual, dictionary in zip(fitted.residuals_[:2], fitted.dictionaries_[:2], strict=True):
        total = np.eye(16) + residual
        assert np.linalg.cond(total) <= 3 + 1e-9  # (1 + .5) / (1 - .5)
        total /= np.linalg.norm(total, axis=1, keepdims=True)
        assert_allclose(dictionary, total, atol=1e-14)
    assert "3" in str(fitted.certificates_[0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": (4, 0)}, r"n_components\[1\] \(layer 2\).*got 0"),
        ({"n_components": ()}, "n_components must have one entry a layer; got none"),
        ({"alpha": [0.1]}, "alpha must have one entry a layer, 2; got 1"),
        ({"alpha": [0.1, -1]}, r"alpha\[1\] \(layer 2\).*got -1"),
        ({"n_nonzero_coefs": 2}, "'ml_fista' takes alpha, not n_nonzero_coefs"),
        (
            {"algorithm": "layered_omp", "n_nonzero_coefs": [2, 0]},
            r"n_nonzero_coefs\[1\] \(layer 2\).*got 0",
        ),
        ({"atom_nonzero": [0]}, "atom_nonzero of layer 2.*got 0"),
        ({"atom_nonzero": [2, 2]}, "atom_nonzero must have one entry a layer, 1; got 2"),
        ({"residual_bound": 1.5}, "residual_bound.*1.5"),
        ({"output": 2}, "output must be.*got 2"),
        ({"algorithm": "omp"}, "algorithm.*'omp'"),
        ({"dictionaries": [np.eye(16), np.eye(3)]}, r"dictionaries\[1\] \(layer 2\)"),
        ({"dictionaries": [np.eye(4)], "n_components": None}, r"layer 1.*4 features; X has 16"),
        ({"dictionaries": [np.eye(16)]}, r"n_components must be None or.*\(16,\)"),
        ({"dictionaries": [np.eye(16)], "n_components": None, "residual": True}, "residual=True"),
    ],
)
def test_bad_parameters_are_named(planted, options, message):
    with pytest.raises(ValueError, match=message):
        MultiLayerSparseCoder(**{"n_components": (4, 3), **options}).fit(planted[0])


def test_nothing_to_learn_from():
    zeros = np.zeros((5, 4))
    for algorithm in ALGORITHMS:
        fitted = MultiLayerSparseCoder((3, 2), algorithm=algorithm).fit(zeros)
        assert not fitted.transform(zeros).any()
        assert fitted.score(zeros) == 1


def test_every_layer_needs_a_weight():
    X = np.random.default_rng(0).standard_normal((20, 6))
    with pytest.raises(ValueError, match="needs alpha in every layer; layer 1 has None"):
        MultiLayerSparseCoder((8, 9), alpha=(None, 1)).fit(X)
