"""A cap on the mutual coherence: directions are moved apart until no two are too close.

Pair by pair, the closest first, as in B. Mailhé, D. Barchiesi, M. Plumbley, "INK-SVD: learning
incoherent dictionaries for sparse representations", ICASSP 2012. Where that takes too long,
by projections of the Gram matrix in turn: J. Tropp, I. Dhillon, R. Heath, T.
Strohmer, "Designing structured tight frames via an alternating projection method", IEEE Trans.
Information Theory 51 (2005); D. Barchiesi, M. Plumbley, "Learning incoherent dictionaries for
sparse approximation using iterative projections and rotations", IEEE TSP 61 (2013).
"""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .._jit import kernel
from .._warn import warn_user
from ..theory import welch_bound

_PAIRS_PER_ATOM = 40  # pairs moved apart before projections take over
_FEWEST_PAIRS = 200
_MOST_PROJECTIONS = 1000
_MOST_HALVINGS = 6
_CLOSE = 0.05  # to a cap that was not reached
_PATIENCE = 40  # projections that must bring something ...
_GAIN = 0.02  # ... this part of what is left
_ROUNDING, _BEYOND = 1e-9, 1e-2  # turns beyond the cap, over the angle that there is to spare
_OVERSHOOT = 1e-3  # projections approach what they aim at, and never get there


class CoherenceCap:
    """The cap, and what of it could be kept.

    Parameters
    ----------
    cap : float
        In (0, 1); for directions of atoms.

    Attributes
    ----------
    reached : float
        The cap in force: `cap`, or where that could not be reached the coherence that was.
    """

    def __init__(self, cap):
        self.cap = self.reached = float(cap)

    def settle_for(self, components):
        """Take the coherence of atoms that were learned before as reached."""
        self.reached = max(self.cap, coherence(components))

    def goal(self, dtype):
        """What to aim at so that the cap holds after rounding, about a unit in the last place."""
        return max(self.reached - 4 * np.finfo(dtype).eps, 0.5 * self.reached)

    def enforce(self, components):
        """Atoms of the same lengths within the cap; the same array where they are so already.

        Atoms of length zero have no direction and stay as they are.
        """
        if coherence(components) <= self.reached:
            return components
        lengths = np.linalg.norm(components.astype(np.float64), axis=1)
        directed = lengths > 0
        units = components[directed].astype(np.float64) / lengths[directed, None]
        moved = apart(units, self.goal(components.dtype))
        result = components.copy()
        result[directed] = lengths[directed, None] * moved
        self.reached = max(self.reached, coherence(result))
        return result


def coherence(components):
    """Largest absolute cosine between two atoms; atoms of length zero are passed over."""
    atoms = components.astype(np.float64)
    lengths = np.linalg.norm(atoms, axis=1)
    atoms = atoms[lengths > 0] / lengths[lengths > 0, None]
    cosines = np.abs(atoms @ atoms.T)
    np.fill_diagonal(cosines, 0)
    return float(cosines.max(initial=0))


def make_cap(max_coherence, n_components, n_features):
    """The cap that a parameter asks for.

    Parameters
    ----------
    max_coherence : float or None
        In (0, 1]; None and 1 ask for nothing.
    n_components, n_features : int
        Size of the dictionary.

    Returns
    -------
    CoherenceCap or None
        None where there is nothing to keep.

    Raises
    ------
    ValueError
        If no dictionary of this size is so incoherent.
    """
    if max_coherence is None or max_coherence == 1:
        return None
    if max_coherence < (least := welch_bound(n_components, n_features)):
        raise ValueError(
            f"max_coherence must be at least the Welch bound, {least:.6g} for {n_components} atoms "
            f"in {n_features} dimensions, below which no dictionary is; got {max_coherence!r}"
        )
    return CoherenceCap(max_coherence)


def warn_missed(cap, components):
    """One warning where atoms are more coherent than they were to be."""
    if cap is not None and (reached := coherence(components)) > cap.cap * (1 + 1e-6):
        n_components, n_features = components.shape
        warn_user(
            f"max_coherence={cap.cap:.6g} was not reached: the atoms have coherence "
            f"{reached:.6g}. The Welch bound, {welch_bound(n_components, n_features):.6g} for "
            f"{n_components} atoms in {n_features} dimensions, is attained by few sizes; allow "
            "more coherence or use fewer atoms.",
            ConvergenceWarning,
        )


def apart(units, cap):
    """Unit vectors near those given of which no two have a larger cosine than `cap`.

    Parameters
    ----------
    units : ndarray of shape (n_vectors, n_features)
        Unit vectors, float64.
    cap : float
        Largest absolute cosine.

    Returns
    -------
    ndarray of shape (n_vectors, n_features)
        Unit vectors; as incoherent as could be where `cap` was not reached.
    """
    best = _try(units, cap)
    # Where the cap is far out of reach less may be more: find out what is not.
    low, high = cap, coherence(best)
    for _ in range(_MOST_HALVINGS):
        if high - low <= _CLOSE:
            break
        middle = (low + high) / 2
        moved = _try(units, middle)
        if (reached := coherence(moved)) < high:
            best, high = moved, reached
        if reached > middle:
            low = middle
    return best


def _try(units, cap):
    """One attempt; the most incoherent vectors that it saw."""
    moved = units.copy()
    gram = moved @ moved.T
    n_pairs = _PAIRS_PER_ATOM * len(moved) + _FEWEST_PAIRS
    # Equal vectors have no direction to part in; any will do, but not the same for all.
    directions = np.random.default_rng(0).standard_normal(moved.shape)
    if _part_pairs(moved, gram, cap, n_pairs, directions):
        return moved
    return _project(moved, cap)


@kernel
def _part_pairs(units, gram, cap, n_pairs, directions):
    """Turn the closest pair apart, both by the same angle, in place; whether none is left."""
    n, n_features = units.shape
    largest, partner = np.zeros(n), np.zeros(n, np.int64)
    for i in range(n):
        _find_partner(gram, i, largest, partner)
    across = np.empty(n_features)
    angle = np.arccos(cap)
    spare = min(angle, np.pi / 2 - angle)
    for step in range(n_pairs):
        i = largest.argmax()
        if not largest[i] > cap:
            return True
        j = partner[i]
        # At first no further than to the cap, so that as little as can be is changed.
        beyond = _ROUNDING if step < n_pairs // 2 else _BEYOND
        half = (angle + beyond * spare) / 2
        cosine, sine = np.cos(half), np.sin(half)
        sign = 1.0 if gram[i, j] > 0 else -1.0
        # The two along the bisector and across it.
        along = units[i] + sign * units[j]
        along /= np.sqrt(np.sum(along * along))
        across[:] = units[i] - sign * units[j]
        if np.sum(across * across) < 1e-20:
            across[:] = directions[i]
        across -= np.sum(across * along) * along
        length = np.sqrt(np.sum(across * across))
        if not length > 0:
            return False  # one dimension
        for f in range(n_features):
            units[i, f] = cosine * along[f] + sine * across[f] / length
            units[j, f] = sign * (cosine * along[f] - sine * across[f] / length)
        for r in (i, j):
            for m in range(n):
                total = 0.0
                for f in range(n_features):
                    total += units[r, f] * units[m, f]
                gram[r, m] = gram[m, r] = total
        for m in range(n):
            if m in (i, j) or partner[m] in (i, j):
                _find_partner(gram, m, largest, partner)
            else:
                for r in (i, j):
                    if abs(gram[m, r]) > largest[m]:
                        largest[m], partner[m] = abs(gram[m, r]), r
    return not largest.max() > cap


@kernel
def _find_partner(gram, i, largest, partner):
    largest[i] = -1.0
    for m in range(gram.shape[0]):
        if m != i and abs(gram[i, m]) > largest[i]:
            largest[i], partner[i] = abs(gram[i, m]), m


def _project(units, cap):
    """Between matrices with small cosines and Gram matrices of so few dimensions, in turn."""
    n_features = units.shape[1]
    goal = cap * (1 - _OVERSHOOT)
    gram = units @ units.T
    best, least = units, coherence(units)
    checked = least
    for step in range(_MOST_PROJECTIONS):
        near = np.clip(gram, -goal, goal)
        np.fill_diagonal(near, 1)
        values, vectors = np.linalg.eigh(near)
        vectors = vectors[:, -n_features:]
        new = vectors * np.sqrt(np.maximum(values[-n_features:], 0))
        lengths = np.linalg.norm(new, axis=1)
        if not lengths.all():
            break
        new /= lengths[:, None]
        gram = new @ new.T
        if (reached := coherence(new)) < least:
            best, least = new, reached
        if least <= cap:
            break
        if step % _PATIENCE == _PATIENCE - 1:
            if checked - least < _GAIN * (checked - cap):
                break
            checked = least
    # A Gram matrix knows nothing of rotations: turn back to where the vectors were.
    turned = np.zeros(units.shape)
    turned[:, : best.shape[1]] = best
    left, _, right = np.linalg.svd(turned.T @ units)
    return turned @ (left @ right)
