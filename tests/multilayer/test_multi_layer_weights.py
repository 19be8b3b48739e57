"""`sample_weight` of `MultiLayerSparseCoder`: an integer means as much as so many copies."""

import copy

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_resnet_sc import DeepCodingSolver, MultiLayerSparseCoder
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals

CODERS = [
    MultiLayerSparseCoder((20, 12)),
    MultiLayerSparseCoder((16, 16), algorithm="ml_ista", residual=True, positive_code=True),
    MultiLayerSparseCoder((16, 24), algorithm="layered_omp", n_nonzero_coefs=2, residual=True),
    MultiLayerSparseCoder((20, 12), algorithm="layered_lasso_cd", atom_nonzero=4),
    MultiLayerSparseCoder((8,), algorithm="layered_threshold"),
]


@pytest.fixture(scope="module")
def signals():
    return make_multilayer_sparse_signals(
        80, n_features=16, n_components=(20, 24), n_nonzero_coefs=2, random_state=0
    )[0]


@pytest.fixture(scope="module")
def weight():
    return np.random.default_rng(1).integers(0, 4, 80)


@pytest.fixture(params=CODERS, ids=str)
def coder(request):
    return clone(request.param).set_params(random_state=0, output="concat", max_iter=3)


def dictionaries_equal(one, other):
    for a, b in zip(one.dictionaries_, other.dictionaries_, strict=True):
        assert_allclose(a, b, atol=1e-7)


@pytest.mark.parametrize("unit", [1.0, 2.0**-200, 1e300])
def test_weights_are_copies_and_their_unit_does_not_count(coder, signals, weight, unit):
    copies = clone(coder).fit(signals.repeat(weight, axis=0))
    weighted = clone(coder).fit(signals, sample_weight=weight * unit)
    dictionaries_equal(copies, weighted)
    assert_allclose(weighted.error_, copies.error_, rtol=1e-9)
    assert_allclose(weighted.alpha_ or 0, copies.alpha_ or 0, rtol=1e-12)
    assert_allclose(
        weighted.score(signals, sample_weight=weight * unit),
        copies.score(signals.repeat(weight, axis=0)),
        atol=1e-7,
    )


def test_partial_fit_takes_weights_as_copies(coder, signals, weight):
    rows = [slice(0, 30), slice(30, 80)]
    copies, weighted = clone(coder), clone(coder)
    for batch in rows:
        copies.partial_fit(signals[batch].repeat(weight[batch], axis=0))
        weighted.partial_fit(signals[batch], sample_weight=weight[batch])
    dictionaries_equal(copies, weighted)


def test_a_batch_of_little_weight_moves_little(coder, signals):
    learned = clone(coder).fit(signals[:40])
    moved = []
    for size in (1e-9, 1e9):
        after = copy.deepcopy(learned).partial_fit(signals[40:], sample_weight=np.full(40, size))
        pairs = zip(learned.dictionaries_, after.dictionaries_, strict=True)
        moved.append(max(np.abs(old - new).max() for old, new in pairs))
    assert moved[0] < moved[1]


def test_signals_without_weight_count_for_nothing(coder, signals, weight):
    """Not in the first atoms, either, nor in units, nor where unused atoms are pointed."""
    wild = np.where((weight == 0)[:, None], 1e6, signals)
    assert_array_equal(
        clone(coder).fit(wild, sample_weight=weight).transform(signals),
        clone(coder).fit(signals[weight > 0], sample_weight=weight[weight > 0]).transform(signals),
    )


def test_weights_change_what_is_learned_where_signals_are_many(weight):
    X = make_multilayer_sparse_signals(
        600, n_features=16, n_components=(20, 24), n_nonzero_coefs=2, random_state=0
    )[0]
    first = np.repeat([1.0, 1e-6], 300)
    coder = MultiLayerSparseCoder((4, 3), random_state=0)
    there = clone(coder).fit(X, sample_weight=first)
    elsewhere = clone(coder).fit(X, sample_weight=first[::-1])
    assert there.score(X[:300]) > elsewhere.score(X[:300])
    assert there.score(X[300:]) < elsewhere.score(X[300:])


def test_precision_is_kept(coder, signals, weight):
    fitted = clone(coder).fit(signals.astype(np.float32), sample_weight=weight)
    assert all(dictionary.dtype == np.float32 for dictionary in fitted.dictionaries_)
    assert fitted.transform(signals.astype(np.float32)).dtype == np.float32


def test_scores_are_shares_of_weighted_energy(signals):
    """By the definition, of both estimators."""
    weight = np.random.default_rng(0).uniform(0, 2, 80)
    dictionary = np.random.default_rng(0).standard_normal((20, 16))
    for coder in (
        MultiLayerSparseCoder(dictionaries=[dictionary], algorithm="layered_omp").fit(signals),
        DeepCodingSolver([dictionary], n_nonzero_coefs=2).fit(signals),
    ):
        rebuilt = coder.inverse_transform(coder.transform(signals))
        lost = weight @ np.sum((signals - rebuilt) ** 2, axis=1)
        expected = 1 - lost / (weight @ np.sum(signals**2, axis=1))
        assert_allclose(coder.score(signals, sample_weight=weight), expected)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (np.zeros(80), "zero"),  # scikit-learn's words, or ours where it lets them pass
        (-np.ones(80), "Negative values.*sample_weight"),
        (np.ones(79), r"sample_weight.shape == \(79,\)"),
        (np.full(80, np.nan), "sample_weight contains NaN"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_transform", "score"])
def test_wrong_weights_are_refused(signals, wrong, message, method):
    coder = MultiLayerSparseCoder((5, 3), max_iter=0)
    if method == "score":
        coder.fit(signals)
    with pytest.raises(ValueError, match=message):
        getattr(coder, method)(signals, sample_weight=wrong)


def test_weights_are_routed(signals, weight):
    coder = MultiLayerSparseCoder((5, 3), random_state=0)
    expected = clone(coder).fit(signals, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=True):
        asking = clone(coder).set_fit_request(sample_weight=True)
        asking.set_score_request(sample_weight=True)
        scaler = StandardScaler(with_mean=False, with_std=False).set_fit_request(
            sample_weight=False
        )
        pipeline = make_pipeline(scaler, asking)
        pipeline.fit(signals, sample_weight=weight)
        assert_array_equal(pipeline[-1].transform(signals), expected.transform(signals))
        assert pipeline.score(signals, sample_weight=weight) == expected.score(
            signals, sample_weight=weight
        )
        codes = make_pipeline(scaler, asking).fit_transform(signals, sample_weight=weight)
        assert_array_equal(codes, expected.transform(signals))
    codes = clone(coder).fit_transform(signals, sample_weight=weight)
    assert_array_equal(codes, expected.transform(signals))
