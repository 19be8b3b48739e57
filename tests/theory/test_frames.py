"""Frame bounds and dictionary properties: tight frames, orthonormal bases, known gaps."""

import json
import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory


def overcomplete_dct(n, m, phase):
    """Separable cosines, `m` per axis on `n` points, as unit atoms."""
    axis = np.cos((np.arange(n) + phase) * np.arange(m)[:, None] * np.pi / m)
    atoms = np.kron(axis, axis)
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def test_half_sample_dct_is_tight():
    # 64 x 256: A = B = 4, mu_mse = .125, beta_mse = 82.82 degrees.
    properties = theory.dictionary_properties(overcomplete_dct(8, 16, 0.5), max_order=3)
    bounds = properties.frame_bounds
    assert bounds.lower == pytest.approx(4, rel=1e-13) == bounds.upper
    assert properties.mu_mse == pytest.approx(0.125, rel=1e-13)
    assert round(properties.beta_mse, 2) == 82.82
    assert round(properties.welch, 4) == 0.1085
    assert properties.babel.shape == (4,)
    other = theory.frame_bounds(overcomplete_dct(8, 16, 0))
    assert other.upper > 1.5 * other.lower


def test_orthonormal_basis():
    n = 8
    properties = theory.dictionary_properties(np.eye(n))
    assert properties.frame_bounds == theory.FrameBounds(1.0, 1.0)
    assert (properties.mu, properties.mu_avg, properties.rank) == (0, 0, n)
    assert properties.beta == properties.beta_avg == 90
    assert properties.mu_mse == pytest.approx(1 / math.sqrt(n))
    # The furthest direction is (1, ..., 1) / sqrt(n); the search comes near from below.
    gap = math.degrees(math.acos(1 / math.sqrt(n)))
    assert gap - 0.1 < properties.beta_gap <= gap + 1e-9


def test_gap_in_the_plane():
    # Lines at 0, 60 and 100 degrees: the widest gap is from 100 to 180.
    angles = np.radians([0, 60, 100])
    dictionary = np.column_stack([np.cos(angles), np.sin(angles)])
    assert theory.dictionary_properties(dictionary).beta_gap == pytest.approx(40, abs=0.01)
    assert theory.dictionary_properties(dictionary).beta_gap <= 40 + 1e-9
    # Only directions of the span count: a third dimension changes nothing.
    flat = np.column_stack([dictionary, np.zeros(3)])
    assert theory.dictionary_properties(flat).beta_gap == pytest.approx(40, abs=0.01)
    assert theory.dictionary_properties(flat).rank == 2


def test_random_state():
    dictionary = np.random.default_rng(0).standard_normal((40, 8))

    def gap(state):
        return theory.dictionary_properties(dictionary, random_state=state).beta_gap

    assert gap(1) == gap(1) == gap(np.random.default_rng(1))
    assert gap(np.random.RandomState(3)) == gap(np.random.RandomState(3))


def test_rank_deficient_frame():
    # A is the smallest eigenvalue that is not zero.
    dictionary = np.array([[1.0, 0, 0], [0, 2.0, 0], [0, 2.0, 0]])
    bounds = theory.frame_bounds(dictionary)
    assert (bounds.lower, bounds.upper) == pytest.approx((1, 8))


def test_properties_belong_to_directions():
    dictionary = np.random.default_rng(0).standard_normal((9, 4))
    lengths = np.logspace(-200, 200, 9)[:, None]
    one, other = (theory.dictionary_properties(d) for d in (dictionary, dictionary * lengths))
    assert other.mu == pytest.approx(one.mu)
    assert other.frame_bounds.upper == pytest.approx(one.frame_bounds.upper)


def test_frame_bounds_out_of_range():
    assert theory.frame_bounds(1e200 * np.eye(2)) == theory.FrameBounds(math.inf, math.inf)
    assert theory.frame_bounds(1e-200 * np.eye(2)) == theory.FrameBounds(0.0, 0.0)
    assert theory.frame_bounds(1e200 * np.eye(2)).to_dict() == {"lower": None, "upper": None}


def test_sentence_and_json():
    properties = theory.dictionary_properties(np.eye(4))
    text = str(properties)
    assert text.startswith("4 unit atoms in 4 dimensions, of rank 4, have frame bounds A = 1")
    assert "a lower estimate" in text
    fields = json.loads(json.dumps(properties.to_dict(), allow_nan=False))
    assert fields["frame_bounds"] == {"lower": 1.0, "upper": 1.0}
    assert fields["babel"] == [0, 0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        properties.babel[0] = 1
    assert "frame bounds A and B" in str(properties.frame_bounds)
