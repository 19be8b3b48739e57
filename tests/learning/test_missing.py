"""Signals with missing entries: sums, first atoms, updates."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc.learning._aksvd import aksvd_pass
from sklearn_resnet_sc.learning._dictionary import Dictionary
from sklearn_resnet_sc.learning._ksvd import ksvd_pass
from sklearn_resnet_sc.learning._missing import check_observed
from sklearn_resnet_sc.learning._rls import recursive_least_squares
from sklearn_resnet_sc.learning._statistics import TrainingSet


@pytest.fixture
def instance():
    """Signals, weights, which entries are missing, codes with four atoms each, unit atoms."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((600, 10))
    code = np.zeros((600, 15))
    np.put_along_axis(code, rng.random(code.shape).argsort(axis=1)[:, :4], 1.0, axis=1)
    code *= rng.standard_normal(code.shape)
    atoms = rng.standard_normal((15, 10))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    return SimpleNamespace(
        X=X, weight=rng.random(600), missing=rng.random(X.shape) < 0.3, code=code, atoms=atoms
    )


def masked(instance, value=np.nan):
    return np.where(instance.missing, value, instance.X)


def test_means_and_covariance_are_those_of_what_was_observed(instance):
    X = masked(instance)
    data = TrainingSet(X, instance.weight)
    weight = instance.weight[:, None] * ~instance.missing
    means = np.nansum(X * weight, axis=0) / weight.sum(axis=0)
    np.testing.assert_allclose(data._means, means * data.scale)
    centred = np.where(instance.missing, 0, X - means)
    weighted = centred * instance.weight[:, None]
    both = weight.T @ ~instance.missing
    expected = weighted.T @ centred / both * data.scale**2
    np.testing.assert_allclose(data.covariance(), expected, atol=1e-14)
    np.testing.assert_allclose(
        data.signals([3, 1]), np.where(instance.missing, means, X)[[3, 1]] * data.scale
    )


def test_before_codes_are_known_missing_entries_are_means_then_what_codes_say(instance):
    X = masked(instance)
    data = TrainingSet(X)
    blocks = np.concatenate([signals.copy() for _, signals, _ in data.blocks()]) / data.scale
    means = np.broadcast_to(np.nanmean(X, axis=0), X.shape)
    np.testing.assert_allclose(blocks[instance.missing], means[instance.missing])
    data.statistics(sparse.csr_array(instance.code), instance.atoms)
    said = instance.code @ instance.atoms
    blocks = np.concatenate([signals.copy() for _, signals, _ in data.blocks()]) / data.scale
    np.testing.assert_allclose(blocks[instance.missing], said[instance.missing])
    np.testing.assert_array_equal(blocks[~instance.missing], X[~instance.missing])
    np.testing.assert_allclose(data.signals([5])[0] / data.scale, blocks[5])


def test_the_same_bits_for_any_number_of_threads(instance):
    X, code = np.tile(masked(instance), (30, 1)), sparse.csr_array(np.tile(instance.code, (30, 1)))
    one, two = (TrainingSet(X, n_jobs=n).statistics(code, instance.atoms) for n in (1, 3))
    np.testing.assert_array_equal(one.cross, two.cross)
    assert one.energy == two.energy


@pytest.mark.parametrize("one_pass", [ksvd_pass, aksvd_pass])
def test_a_pass_is_that_over_filled_signals(instance, one_pass):
    """K-SVD of signals with holes is that of the same signals, filled in beforehand."""
    code = sparse.csr_matrix(instance.code)
    dictionary = Dictionary(instance.atoms, instance.atoms, np.ones(15))
    said = instance.code @ instance.atoms
    results = []
    for X in (masked(instance), masked(instance, said)):
        data = TrainingSet(X)
        statistics = data.statistics(code, instance.atoms)
        coded = SimpleNamespace(code=code, statistics=statistics)
        atoms, values = one_pass(dictionary, coded, data)
        results.append((atoms, values / data.scale))
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_recursive_least_squares_takes_missing_entries_as_represented(instance):
    """A step for a signal with a hole is that for the signal filled in by its code."""
    code = sparse.csr_array(instance.code[:1])
    said = instance.code[:1] @ instance.atoms
    results = []
    for filling in (np.nan, said):
        atoms, inverse = instance.atoms.copy(), np.eye(15)
        recursive_least_squares(
            masked(instance, filling)[:1], np.ones(1), np.ones(1),
            code.indptr, code.indices, code.data, atoms, inverse, 1e8,
        )  # fmt: skip
        results.append(atoms)
    np.testing.assert_allclose(*results, atol=1e-14)
    assert (results[0] != instance.atoms).any()


def test_signals_of_which_nothing_was_observed():
    X = np.full((3, 4), np.nan)
    with pytest.raises(ValueError, match="an entry that was observed; all 12 are NaN"):
        check_observed(X)
    check_observed(np.array([[np.nan, -1.0]]))
    found = TrainingSet(X).statistics(sparse.csr_array((3, 2)), np.eye(2, 4))
    assert found.error == found.energy == 0
