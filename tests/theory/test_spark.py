"""Spark, uniqueness by it and restricted isometry: known dictionaries."""

import json

import numpy as np
import pytest

from sklearn_resnet_sc import theory

HADAMARD = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_spikes_and_hadamard(dtype):
    # The picket fence: sqrt(n) spikes equal sqrt(n) of the other basis, so spark = 2 sqrt(n).
    small = np.vstack([np.eye(4), HADAMARD]).astype(dtype)
    large = np.vstack([np.eye(16), np.kron(HADAMARD, HADAMARD)]).astype(dtype)
    assert theory.spark(small).lower == theory.spark(small).upper == 4
    found = theory.spark(large)
    assert found.exact and found.lower == 8
    # mu = 1/4 is strict at 1 + 1/mu = 5: coherence says 5, and 2 atoms; the spark says 3.
    assert found.by_coherence == 5
    bound = theory.uniqueness_bound(large)
    assert (bound.by_spark, bound.n_nonzero) == (2, 2)
    known = theory.uniqueness_bound(large, spark=found)
    assert (known.spark_lower, known.by_spark, known.n_nonzero) == (8, 3, 3)
    assert str(known).startswith("A code of at most 3 atoms is the sparsest of its signal and the")
    # s + t < 8.
    assert [known.unique_among(s) for s in (1, 2, 3, 4)] == [6, 5, 4, 0]


def test_sentence_and_plain_values():
    found = theory.spark(np.vstack([np.eye(4), HADAMARD]))
    assert str(found) == (
        "The spark is 4: a code of at most 1 atom is the sparsest of its signal and the only one "
        "so sparse."
    )
    assert json.loads(json.dumps(found.to_dict()))["lower"] == 4
    dictionary = np.random.default_rng(0).standard_normal((24, 12))
    cut = theory.spark(dictionary, max_visited=30)
    assert not cut.exact and cut.upper == 13 and "The spark lies in [" in str(cut)


def test_generic_dictionary_has_full_spark():
    dictionary = np.random.default_rng(0).standard_normal((12, 6))
    assert theory.spark(dictionary).lower == 7
    tight = dictionary.copy()
    tight[11] = tight[2] - 3 * tight[5] + 1e-3 * tight[7]
    found = theory.spark(tight)
    assert found.lower == 4 and found.dependent_atoms == (2, 5, 7, 11)


@pytest.mark.parametrize("max_visited", [-1, 1.5, None])
def test_budget(max_visited):
    with pytest.raises(ValueError, match="max_visited must be an integer of at least 0; got"):
        theory.spark(np.eye(2), max_visited=max_visited)


@pytest.mark.parametrize("spark", [1, 2.5, "3"])
def test_known_spark(spark):
    with pytest.raises(ValueError, match="spark must be an integer of at least 2; got"):
        theory.uniqueness_bound(np.eye(2), spark=spark)


def test_isometry_of_a_tight_frame():
    dictionary = np.vstack([np.eye(4), HADAMARD])
    found = theory.restricted_isometry(dictionary, 2)
    assert found.exact and found.constant == pytest.approx(0.5)
    assert "the restricted isometry constant is 0.5" in str(found)
    # Any four atoms: the spark is 4, so some code vanishes; A = B = 2 above.
    four = theory.restricted_isometry(dictionary, 4, max_supports=3)
    assert (four.lower, four.exact) == (0, False)
    assert four.upper == pytest.approx(2)
    assert "by Gershgorin's theorem and the singular values" in str(four)


def test_isometry_keeps_lengths():
    found = theory.restricted_isometry(np.diag([0.1, 1, 3]), 2, max_supports=1)
    assert found.lower == pytest.approx(0.01) and found.upper == pytest.approx(9)
    assert theory.restricted_isometry(np.diag([1e-200, 1.0]), 1).upper == pytest.approx(1)


@pytest.mark.parametrize("n_nonzero", [0, 4, 1.0])
def test_isometry_order(n_nonzero):
    with pytest.raises(ValueError, match=r"n_nonzero must be an integer in \[1, 3\]; got"):
        theory.restricted_isometry(np.eye(3), n_nonzero)
