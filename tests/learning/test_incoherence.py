"""The cap on coherence: the parts that keep it."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sklearn_resnet_sc.learning._capped_descent import descend_within
from sklearn_resnet_sc.learning._incoherence import (
    CoherenceCap,
    apart,
    coherence,
    make_cap,
    warn_missed,
)


def unit_rows(shape, seed=0):
    rows = np.random.default_rng(seed).standard_normal(shape)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_nothing_is_asked_of_the_atoms():
    assert make_cap(None, 4, 2) is None
    assert make_cap(1, 4, 2) is None
    assert make_cap(0.999, 4, 2).cap == 0.999


def test_less_than_the_welch_bound_is_refused():
    with pytest.raises(
        ValueError, match=r"at least the Welch bound, 0\.108465 for 256 atoms in 64"
    ):
        make_cap(0.1, 256, 64)
    assert make_cap(1e-9, 8, 8).cap == 1e-9


def test_a_pair_turns_by_equal_angles_in_its_plane_and_others_stay():
    units = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0, 0, 1]])
    moved = apart(units, 0.5)
    assert moved[0] @ moved[1] == pytest.approx(0.5)
    np.testing.assert_array_equal(moved[2], units[2])
    np.testing.assert_allclose(moved[:2].sum(axis=0) @ [0.6, -1.8, 0], 0, atol=1e-12)
    assert moved[0] @ units[0] == pytest.approx(moved[1] @ units[1])


def test_equiangular_lines_are_found():
    """Six diagonals of an icosahedron attain the Welch bound (van Lint, Seidel 1966)."""
    moved = apart(unit_rows((6, 3)), np.sqrt(0.2))
    assert coherence(moved) == pytest.approx(np.sqrt(0.2), rel=1e-6)


def test_a_cap_that_cannot_be_reached_is_relaxed_once_and_told():
    cap = CoherenceCap(0.66)  # ten lines in a plane: cos(18 degrees) = 0.951 at best
    moved = cap.enforce(unit_rows((10, 2)))
    assert cap.reached == pytest.approx(np.cos(np.pi / 10), rel=5e-3)
    assert cap.enforce(moved) is moved
    with pytest.warns(ConvergenceWarning, match=r"max_coherence=0\.66 was not reached.* 0\.95"):
        warn_missed(cap, moved)
    warn_missed(CoherenceCap(0.96), moved)
    warn_missed(None, moved)


def test_atoms_learned_before_need_not_become_better():
    cap = CoherenceCap(0.66)
    atoms = unit_rows((10, 2))
    cap.settle_for(atoms)
    assert cap.enforce(atoms) is atoms


def test_one_atom_is_placed_where_no_angle_within_the_cap_is_better():
    """Brute force over the angles of a plane."""
    others = np.array([[1.0, 0.0], [np.cos(1.2), np.sin(1.2)]])
    angles = np.linspace(0, np.pi, 200001)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    free = circle[np.abs(circle @ others.T).max(axis=1) <= 0.9]
    for angle in np.linspace(0, np.pi, 25):
        target = 0.7 * np.array([np.cos(angle), np.sin(angle)])
        start = np.vstack([free[0], others])
        gram, cross = np.diag([1.0, 0, 0]), np.vstack([target, 0 * others])
        found = descend_within(gram, cross, start, 0.9)
        best = max(0.0, np.abs(free @ target).max())
        assert found[0] @ target == pytest.approx(best**2, rel=1e-5)
        np.testing.assert_array_equal(found[1:], others)


def test_more_passes_approach_a_point_where_none_gains():
    rng = np.random.default_rng(0)
    X, code = rng.standard_normal((200, 6)), rng.standard_normal((200, 9))
    gram, cross = code.T @ code, code.T @ X
    start = apart(unit_rows((9, 6)), 0.4)

    def error(atoms):
        return np.sum((X - code @ atoms) ** 2)

    errors = [error(descend_within(gram, cross, start, 0.4, n_passes=n)) for n in (0, 1, 10, 100)]
    assert errors == sorted(errors, reverse=True)
    after = error(descend_within(gram, cross, start, 0.4, n_passes=101))
    assert errors[0] > 1.05 * errors[-1]
    assert after == pytest.approx(errors[-1], rel=1e-6)
