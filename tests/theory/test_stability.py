"""The stability bound: its formula, its tightness, where it is silent."""

import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory

THREE = np.array([[1, 0], [0, 1], [0.6, 0.8]])  # mu = .8


def test_formula():
    bound = theory.stability_bound(THREE, 1, 0.5)
    assert bound.coherence == pytest.approx(0.8)
    assert bound.by_coherence == pytest.approx(4 * 0.25 / (1 - 0.8))
    assert bound.by_spectrum == math.inf
    assert bound.squared_error == bound.by_coherence
    assert "(by coherence mu = 0.8)" in str(bound)


def test_atom_lengths_enter():
    # Without the shortest atom, 4 eps^2 would be refuted by diag(.1, 1).
    dictionary = np.diag([0.1, 1])
    first, second = np.array([1.0, 0]), np.array([-1.0, 0])
    noise = np.linalg.norm(first @ dictionary)  # both are this far from the signal 0
    distance = ((first - second) ** 2).sum()
    assert distance > 4 * noise**2
    bound = theory.stability_bound(dictionary, 1, noise)
    assert bound.by_coherence == pytest.approx(distance)
    assert bound.by_spectrum == pytest.approx(distance)
    assert bound.min_atom_length == 0.1


def test_attained_by_two_atoms():
    # Codes on one atom each, differing along the smaller singular vector.
    mu = 0.8
    dictionary = np.array([[1, 0], [mu, math.sqrt(1 - mu**2)]])
    first, second = np.array([1.0, 0]), np.array([0, 1.0])
    noise = np.linalg.norm((first - second) @ dictionary) / 2
    bound = theory.stability_bound(dictionary, 1, noise)
    assert bound.squared_error == pytest.approx(2)


def test_boundary_is_not_certified():
    # (2s - 1) mu = 1 for the simplex of 4 atoms and s = 2: two different codes of one signal.
    vertices = np.eye(4) - 1 / 4
    simplex = vertices @ np.linalg.svd(vertices)[2][:3].T
    bound = theory.stability_bound(simplex, 2, 0.0)
    assert not bound.certified and bound.squared_error == math.inf
    assert "not certified" in str(bound) and "linearly dependent" in str(bound)
    assert theory.stability_bound(simplex, 1, 0.0).squared_error == 0
    assert bound.to_dict()["by_coherence"] is None


def test_boundary_survives_rounding_of_float32():
    # mu = 1/3 and s = 2, measured now above, now below: never certified by coherence.
    for length in np.linspace(0.5, 2, 100):
        dictionary = np.array([[1, 0], [length / 3, math.sqrt(8) * length / 3]], dtype=np.float32)
        assert theory.stability_bound(dictionary, 2, 1.0).by_coherence == math.inf


def test_independent_atoms_for_any_sparsity():
    dictionary = np.array([[1, 0], [0.8, 0.6]])
    bound = theory.stability_bound(dictionary, 2, 1.0)
    assert bound.by_coherence == math.inf
    # Gram eigenvalues are 1 -+ .8.
    assert bound.squared_error == pytest.approx(4 / 0.2)
    assert "by the smallest singular value" in str(bound)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scale(scale):
    bound = theory.stability_bound(scale * THREE, 1, 0.5 * scale)
    assert bound.squared_error == pytest.approx(5)


def test_float32():
    bound = theory.stability_bound(THREE.astype(np.float32), 1, 0.5)
    assert bound.squared_error == pytest.approx(5, rel=1e-5)
    assert type(bound.squared_error) is float
