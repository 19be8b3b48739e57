"""Learners under a cap on coherence, `max_coherence`."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc import (
    DictionaryLearning,
    MiniBatchDictionaryLearning,
    ResidualDictionaryLearning,
)
from sklearn_resnet_sc.learning._updates import UPDATES
from sklearn_resnet_sc.theory import mutual_coherence

GREEDY = {"fit_algorithm": "omp", "fit_n_nonzero_coefs": 4, "transform_n_nonzero_coefs": 4}
LEARNERS = {
    **{
        f"{update}-{init}": DictionaryLearning(
            96, dictionary_update=update, dict_init=init, max_iter=4, random_state=0, **GREEDY
        )
        for update in UPDATES
        for init in ("svd", "data", "dct")
    },
    "lars": DictionaryLearning(96, alpha=100, max_iter=4),
    "mini-batch": MiniBatchDictionaryLearning(
        96, alpha=100, batch_size=200, max_iter=2, random_state=0
    ),
    "mini-batch-mod": MiniBatchDictionaryLearning(
        96,
        dictionary_update="mod",
        dict_init="data",
        batch_size=200,
        max_iter=2,
        random_state=0,
        **GREEDY,
    ),
    "plain": ResidualDictionaryLearning(96, shortcut=None, max_iter=4, random_state=0, **GREEDY),
    "plain-l1": ResidualDictionaryLearning(
        96,
        shortcut=None,
        dictionary_update="bcd",
        fit_algorithm="lasso_lars",
        fit_alpha=100,
        max_iter=4,
        random_state=0,
    ),
}
every_learner = pytest.mark.parametrize("name", LEARNERS)


def learner(name, **options):
    return clone(LEARNERS[name]).set_params(**options)


def coherence(components):
    return mutual_coherence(components[components.any(axis=1)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_learner
def test_the_cap_holds(natural_patches, name, dtype):
    X = natural_patches[:400].astype(dtype)
    model = learner(name, max_coherence=0.5).fit(X)
    assert model.components_.dtype == dtype
    assert coherence(model.components_) <= 0.5 + 4 * np.finfo(dtype).eps
    free = learner(name).fit(X)
    assert coherence(free.components_) > 0.6
    # Half the coherence for a small part of the energy.
    assert free.score(X) - 0.05 < model.score(X)
    if hasattr(model, "partial_fit") and not name.endswith("svd"):
        model.partial_fit(X[:100])
        assert coherence(model.components_) <= 0.5 + 4 * np.finfo(dtype).eps


@every_learner
def test_a_cap_of_one_changes_nothing(natural_patches, name):
    X = natural_patches[:300]
    with_cap = learner(name, max_coherence=1).fit(X)
    np.testing.assert_array_equal(with_cap.components_, learner(name).fit(X).components_)


@pytest.mark.parametrize("name", ["bcd-svd", "bcd-data", "lars"])
def test_updates_from_sums_gain_at_every_step(natural_patches, name):
    X = natural_patches[:400]
    model = learner(name, max_coherence=0.4, max_iter=1).fit(X)
    atoms = []
    learner(
        name,
        max_coherence=0.4,
        max_iter=1,
        callback=lambda progress: atoms.append(progress["dictionary"].components),
    ).fit(X)
    assert coherence(atoms[0]) <= 0.4
    more = learner(name, max_coherence=0.4, max_iter=12, tol=0).fit(X)
    assert min(more.error_) < model.error_[0]


@every_learner
def test_refusals(natural_patches, name):
    X = natural_patches[:100]
    with pytest.raises(
        ValueError, match=r"at least the Welch bound, 0\.0725476 for 96 atoms in 64"
    ):
        learner(name, max_coherence=0.05).fit(X)
    with pytest.raises(ValueError, match="'max_coherence' parameter"):
        learner(name, max_coherence=1.5).fit(X)


def test_what_cannot_keep_it_says_so(natural_patches):
    X = natural_patches[:100]
    with pytest.raises(
        ValueError, match=r"max_coherence=0\.5 .*positive_dict=True it must be None"
    ):
        DictionaryLearning(max_coherence=0.5, positive_dict=True, fit_algorithm="cd").fit(X)
    with pytest.raises(ValueError, match=r"max_coherence=0\.5 .*or the shortcut None"):
        ResidualDictionaryLearning(max_coherence=0.5).fit(X)


@pytest.mark.parametrize(
    "model",
    [
        DictionaryLearning(10, alpha=0.1, max_iter=5, max_coherence=0.67, dict_init="data"),
        MiniBatchDictionaryLearning(10, alpha=0.1, max_iter=2, max_coherence=0.67),
        ResidualDictionaryLearning(
            10, shortcut=None, max_coherence=0.67, fit_n_nonzero_coefs=1, max_iter=5
        ),
    ],
    ids=lambda model: type(model).__name__,
)
def test_one_warning_where_a_cap_is_out_of_reach(model):
    """Ten lines in a plane have a coherence of cos(18 degrees) = 0.951 at least."""
    X = np.random.default_rng(0).standard_normal((200, 2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.set_params(random_state=0).fit(X)
    about = [each for each in caught if "max_coherence" in str(each.message)]
    assert [each.category for each in about] == [ConvergenceWarning]
    assert about[0].filename == __file__
    assert coherence(model.components_) < 0.97


@pytest.mark.parametrize(
    "X",
    [
        np.random.default_rng(0).standard_normal((5, 8)),
        np.ones((20, 8)),
        np.zeros((20, 8)),
        np.random.default_rng(0).standard_normal((40, 8)) * (np.arange(8) < 3),
    ],
    ids=["few signals", "equal signals", "zeros", "five features of zeros"],
)
@pytest.mark.parametrize("name", ["bcd-svd", "bcd-data", "mod-data", "aksvd-data", "plain"])
@pytest.mark.filterwarnings("ignore:.*signals stopped early")
def test_degenerate_signals(name, X):
    options = {"n_components": 12, "fit_n_nonzero_coefs": 1, "max_coherence": 0.6}
    model = learner(name, **options).fit(X)
    assert np.isfinite(model.components_).all()
    if model.components_.any():
        assert coherence(model.components_) <= 0.6 + 1e-12
