"""`ResidualDictionaryLearning` with every update: what each can do, and what is refused and why."""

import numpy as np
import pytest

from sklearn_resnet_sc.learning import ResidualDictionaryLearning
from sklearn_resnet_sc.learning._updates import RESIDUAL_UPDATES

ALL = ("mod", "bcd", "ksvd", "aksvd", "rls")
SIGNALS = np.random.default_rng(0).standard_normal((200, 8)) @ np.diag(np.arange(1.0, 9))
SIGNALS.setflags(write=False)


def learner(update, **options):
    defaults = {"fit_n_nonzero_coefs": 2, "max_iter": 10, "random_state": 0}
    return ResidualDictionaryLearning(dictionary_update=update, **(defaults | options))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shortcut", ["identity", "dct", None])
@pytest.mark.parametrize("update", ALL)
def test_without_a_bound_every_update_learns(update, shortcut, dtype):
    model = learner(update, shortcut=shortcut, residual_bound=None).fit(SIGNALS.astype(dtype))
    assert min(model.error_) < 0.75 * model.error_[0]
    assert model.components_.dtype == model.residual_.dtype == dtype
    lengths = np.linalg.norm(model.components_.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)
    total = model.residual_ if shortcut is None else model.shortcut_ + model.residual_
    np.testing.assert_array_equal(model.components_, total / model.atom_norms_[:, None])


@pytest.mark.parametrize("bound", [0.3, 0.9])
def test_under_a_bound_one_atom_after_the_other_learns_almost_as_well(bound):
    options = {"shortcut": "dct", "residual_bound": bound, "max_iter": 30}
    one_by_one = learner("bcd", **options).fit(SIGNALS)
    assert np.linalg.norm(one_by_one.residual_, 2) <= bound * (1 + 1e-13)
    assert one_by_one.certificate_.residual_bound_kept
    assert min(one_by_one.error_) < 1.03 * min(learner("mod", **options).fit(SIGNALS).error_)


@pytest.mark.parametrize("update", ["mod", "bcd"])
@pytest.mark.parametrize("bound", [0.5, None])
def test_batches(update, bound):
    model = learner(update, residual_bound=bound)
    before = model.partial_fit(SIGNALS[:100]).score(SIGNALS)
    for _ in range(4):
        model.partial_fit(SIGNALS)
    assert model.n_steps_ == 5
    assert model.score(SIGNALS) > before


REFUSED = {
    "a bound": ({}, r"cannot keep a bound on the residual; with residual_bound=0.9 it must"),
    "a ridge": ({"residual_bound": None, "ridge": 0.1}, r"cannot weigh a ridge; with ridge=0.1 it"),
    "a penalty": (
        {"residual_bound": None, "fit_algorithm": "lasso_cd", "fit_n_nonzero_coefs": None},
        r"has no regard to the penalty; with fit_algorithm='lasso_cd' it must",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("update", ["ksvd", "aksvd", "rls"])
def test_refusals_say_why_and_what_is_possible(update, case):
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=rf"dictionary_update='{update}' .*{message}") as error:
        learner(update, **options).fit(SIGNALS)
    assert "['bcd', 'mod']" in str(error.value)


@pytest.mark.parametrize("update", ["mod", "bcd", "rls"])
def test_positive_codes_are_learned_from(update):
    options = {"residual_bound": None, "positive_code": True}
    model = learner(update, max_iter=1, **options).fit(SIGNALS)
    # In the identity, where learning starts, the best two positive coefficients are entries.
    kept = np.sort(np.maximum(SIGNALS, 0), axis=1)[:, -2:]
    expected = np.mean((SIGNALS**2).sum(axis=1) - (kept**2).sum(axis=1))
    assert model.error_[0] == pytest.approx(expected, rel=1e-12)
    assert model.transform(SIGNALS).min() == 0


@pytest.mark.parametrize("update", ["ksvd", "aksvd"])
def test_positive_codes_are_refused_where_they_would_not_stay_so(update):
    with pytest.raises(ValueError, match=rf"'{update}' changes codes .* \['bcd', 'mod', 'rls'\]"):
        learner(update, residual_bound=None, positive_code=True).fit(SIGNALS)


def test_a_ridge_needs_a_shortcut():
    with pytest.raises(ValueError, match=r"ridge=0\.5 .* shortcut=None it must be 0"):
        learner("mod", shortcut=None, ridge=0.5).fit(SIGNALS)
    with pytest.raises(ValueError, match="ridge"):
        learner("mod", ridge=-1.0).fit(SIGNALS)


def test_the_table():
    assert set(RESIDUAL_UPDATES) == set(ALL)
    assert all(row.unit for row in RESIDUAL_UPDATES.values())
    able = {name for name, row in RESIDUAL_UPDATES.items() if row.respects_bound}
    assert able == {"mod", "bcd"}
