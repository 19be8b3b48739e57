"""Ctrl-C while `MultiLayerSparseCoder` learns: what was learned is kept, and the signal goes on."""

import pytest
from numpy.testing import assert_array_equal

from sklearn_resnet_sc import MultiLayerSparseCoder
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer import _layerwise, _multi_layer_sparse_coder


@pytest.fixture(scope="module")
def X():
    return make_multilayer_sparse_signals(
        300, n_features=16, n_components=(20, 24), n_nonzero_coefs=2, random_state=0
    )[0]


def coder(n_components=(16, 10, 6), **options):
    return MultiLayerSparseCoder(
        n_components, **{"random_state": 0, "max_iter": 2, "n_passes": 2, **options}
    )


def interrupted(learner, X):
    """The learner after a fit that was interrupted; everything is there."""
    with pytest.raises(KeyboardInterrupt):
        learner.fit(X)
    assert learner.stop_reason_ == "interrupted"
    assert learner.n_components_ == tuple(learner.n_components)
    assert learner.transform(X).shape == (len(X), learner.n_components[-1])
    return learner


def calls_until(monkeypatch, owner, name, number, *, before):
    """Interrupt the call with this number (from 1) of a function, before or after its work."""
    calls, original = [], getattr(owner, name)

    def replacement(*args, **options):
        calls.append(args)
        if before and len(calls) == number:
            raise KeyboardInterrupt
        result = original(*args, **options)
        if len(calls) == number:
            raise KeyboardInterrupt
        return result

    monkeypatch.setattr(owner, name, replacement)
    return calls


def test_in_joint_learning(X):
    errors = []

    def stop(progress):
        errors[:] = progress["error"]
        if progress["iteration"] == 2:
            raise KeyboardInterrupt

    learner = coder(max_iter=10, callback=stop)
    with pytest.raises(KeyboardInterrupt):
        learner.fit(X)
    assert learner.stop_reason_ == "interrupted" and learner.n_iter_ == 2
    assert len(learner.error_) == 3
    whole = coder(max_iter=2, tol=0).fit(X)
    for kept, dictionary in zip(learner.dictionaries_, whole.dictionaries_, strict=True):
        assert_array_equal(kept, dictionary)
    # Its signals count as seen, as they do after a fit that was not interrupted.
    for one, other in zip(
        learner.partial_fit(X).dictionaries_, whole.partial_fit(X).dictionaries_, strict=True
    ):
        assert_array_equal(one, other)


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("before", [True, False])
def test_while_a_layer_is_learned_alone(X, layer, before, monkeypatch):
    """Layers before are those of a whole fit; later ones are what learning starts from."""
    whole = coder(max_iter=0).fit(X).dictionaries_
    learners = calls_until(
        monkeypatch, _layerwise.MiniBatchDictionaryLearning, "fit", layer, before=before
    )
    learner = interrupted(coder(), X)
    n_done = layer - before
    for number in range(n_done):
        assert_array_equal(learner.dictionaries_[number], whole[number])
    passes = [arguments[0].max_iter for arguments in learners]
    n_left = 3 - n_done
    assert passes == [2] * layer + [0] * n_left
    assert learner.n_iter_ == 0 and learner.error_ == []


@pytest.mark.parametrize("number", [1, 2])
def test_while_codes_go_to_the_next_layer(X, number, monkeypatch):
    whole = coder(max_iter=0).fit(X).dictionaries_
    calls_until(monkeypatch, _layerwise, "sparse_encode", number, before=True)
    learner = interrupted(coder(), X)
    for layer in range(number):
        assert_array_equal(learner.dictionaries_[layer], whole[layer])


def test_beside_a_skip(X, monkeypatch):
    calls_until(monkeypatch, _layerwise.LayeredCoding, "update", 2, before=True)
    learner = interrupted(coder((16, 16), residual=True, algorithm="layered_lasso_cd"), X)
    assert learner.residuals_[0].any() and not learner.residuals_[1].any()


def test_few_signals_tell_the_layers_not_reached(X, monkeypatch):
    """So that an interrupt does not wait for all signals to be coded."""
    monkeypatch.setattr(_layerwise, "_FEW", 100)
    calls = calls_until(monkeypatch, _layerwise, "sparse_encode", 1, before=True)
    interrupted(coder(), X)
    assert [len(arguments[0]) for arguments in calls] == [300, 100, 100]


def test_a_batch_that_is_interrupted_changes_nothing(X, monkeypatch):
    learner = coder()
    with monkeypatch.context() as patches, pytest.raises(KeyboardInterrupt):
        calls_until(patches, _layerwise, "sparse_encode", 1, before=True)
        learner.partial_fit(X)
    assert not hasattr(learner, "dictionaries_")
    learner.partial_fit(X[:100])
    before, steps = learner.dictionaries_, learner.n_steps_
    with monkeypatch.context() as patches, pytest.raises(KeyboardInterrupt):
        calls_until(patches, _multi_layer_sparse_coder, "descend_all", 1, before=False)
        learner.partial_fit(X[100:])
    assert learner.n_steps_ == steps
    for one, other in zip(learner.dictionaries_, before, strict=True):
        assert one is other
