"""Coherence in closed form; blocks against the full Gram matrix."""

import numpy as np
import pytest

from sklearn_resnet_sc import theory
from sklearn_resnet_sc.theory import _coherence


def test_spikes_and_sines():
    # Identity beside the Hadamard basis: all cross products are 1 / sqrt(n).
    hadamard = np.array([[1.0]])
    for _ in range(4):
        hadamard = np.kron(hadamard, [[1, 1], [1, -1]])
    dictionary = np.vstack([np.eye(16), hadamard])  # Hadamard rows have length 4
    assert theory.mutual_coherence(dictionary) == 0.25
    assert theory.average_coherence(dictionary) == 0.25
    expected = 0.25 * np.minimum(np.arange(32), 16)
    np.testing.assert_array_equal(theory.babel(dictionary), expected)


def test_orthonormal_and_parallel():
    assert theory.mutual_coherence(np.eye(5)) == 0
    assert theory.mutual_coherence([[1, 2, 3], [-2, -4, -6]]) == 1
    np.testing.assert_array_equal(theory.babel(np.ones((4, 1))), [0, 1, 2, 3])


def test_one_atom():
    assert theory.mutual_coherence([[3, 4]]) == 0
    assert theory.average_coherence([[3, 4]]) == 0
    np.testing.assert_array_equal(theory.babel([[3, 4]]), [0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks(dtype, monkeypatch):
    dictionary = np.random.default_rng(0).standard_normal((83, 9)).astype(dtype)
    whole = [theory.babel(dictionary), theory.average_coherence(dictionary)]
    monkeypatch.setattr(_coherence, "_BLOCK", 10)
    tolerance = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(theory.babel(dictionary), whole[0], rtol=tolerance)
    np.testing.assert_allclose(theory.babel(dictionary, 5), whole[0][:6], rtol=tolerance)
    np.testing.assert_allclose(theory.average_coherence(dictionary), whole[1], rtol=tolerance)
    np.testing.assert_allclose(theory.mutual_coherence(dictionary), whole[0][1], rtol=tolerance)


def test_gram_is_never_held():
    # 6000 atoms: the full Gram matrix in float32 would take 144 MB, a block 6 MB.
    import tracemalloc

    dictionary = np.random.default_rng(0).standard_normal((6000, 16), dtype=np.float32)
    tracemalloc.start()
    theory.mutual_coherence(dictionary)
    theory.babel(dictionary, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_scale(scale):
    dictionary = np.random.default_rng(0).standard_normal((7, 4))
    mixed = dictionary * np.where(np.arange(7) % 2, scale, 1)[:, None]
    for function in (theory.mutual_coherence, theory.average_coherence):
        assert function(scale * dictionary) == pytest.approx(function(dictionary), rel=1e-14)
        assert function(mixed) == pytest.approx(function(dictionary), rel=1e-14)


def test_welch_values():
    assert theory.welch_bound(256, 64) == pytest.approx(np.sqrt(192 / (64 * 255)), rel=1e-15)
    assert round(theory.welch_bound(256, 64), 4) == 0.1085
    assert theory.welch_bound(64, 64) == theory.welch_bound(1, 5) == 0
    assert theory.welch_bound(7, 1) == 1
