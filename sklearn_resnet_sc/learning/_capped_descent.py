"""Block coordinate descent over atoms whose mutual coherence must not exceed a cap.

Let t be the free minimiser over one atom, the others held fixed, and N their directions.
The atom within the cap that is nearest to t points where ``<t, e>`` is largest, over
``||e|| <= 1`` and ``|N e| <= cap``. That is a convex problem; its dual is the square-root
lasso (A. Belloni, V. Chernozhukov, L. Wang, Biometrika 98, 2011)::

    min ||t - N' b||_2 + cap ||b||_1
     b

and e is the residual of its solution, scaled to length one. Solved by coordinate
descent. So no step needs a projection afterwards, and none raises the objective.
"""

import numpy as np

from .._jit import kernel
from ._unused import unused_atoms

_PRECISION = 1e-8  # of the solution, over the length of t
_MOST_SWEEPS = 1000
_MOST_ROUNDS = 50
_ROOM = 1e-7  # by which solutions keep away from the cap, so that rounding does not reach it


def descend_within(gram, cross, atoms, cap, *, longest=np.inf, n_passes=1):
    """Minimise ``1/2 ||X - A D||^2`` over one atom after the other, within a cap on coherence.

    Parameters
    ----------
    gram : ndarray of shape (n_components, n_components)
        ``A' A`` of codes held fixed.
    cross : ndarray of shape (n_components, n_features)
        ``A' X``.
    atoms : ndarray of shape (n_components, n_features)
        The atoms to begin with; float64.
    cap : float
        Largest coherence. An atom that is beyond it does not come closer to others.
    longest : float, default=inf
        Largest length of an atom.
    n_passes : int, default=1
        How often every atom has its turn.

    Returns
    -------
    ndarray of shape (n_components, n_features)
        The new atoms. Those without use are as before.
    """
    atoms = atoms.copy()
    lengths = np.linalg.norm(atoms, axis=1)
    units = np.divide(atoms, lengths[:, None], out=np.zeros_like(atoms), where=lengths[:, None] > 0)
    use = np.where(unused_atoms(gram), 0.0, np.diag(gram))
    for _ in range(n_passes):
        _pass(gram, cross, use, atoms, units, cap, longest)
    return atoms


@kernel
def _pass(gram, cross, use, atoms, units, cap, longest):
    """One pass over the atoms and their directions, in place."""
    n_atoms, n_features = atoms.shape
    cosines = units @ units.T
    target, direction = np.empty(n_features), np.empty(n_features)
    for j in range(n_atoms):
        if not use[j] > 0:
            continue
        for f in range(n_features):
            target[f] = atoms[j, f] + cross[j, f] / use[j]
        for i in range(n_atoms):
            factor = gram[j, i] / use[j]
            if factor != 0:
                for f in range(n_features):
                    target[f] -= factor * atoms[i, f]
        closest, before = 0.0, 0.0
        for i in range(n_atoms):
            if i != j:
                closest = max(closest, abs(cosines[j, i]))
        for f in range(n_features):
            before += target[f] * units[j, f]
        # Of an atom beyond the cap, what it has is the cap.
        limit = max(cap, closest)
        if limit >= 1:
            direction[:] = target
            found = True
        else:
            found = _point(target, units, cosines, j, limit * (1 - _ROOM), direction)
        length = np.sqrt(np.sum(direction * direction))
        gain = 0.0
        if found and length > 0:
            direction /= length
            new = units @ direction
            new[j] = 0
            if limit >= 1 or np.abs(new).max() <= limit:
                gain = np.sum(direction * target)
        if not gain >= abs(before):
            # The old direction, then, or its opposite, at its best length.
            gain = abs(before)
            sign = 1.0 if before > 0 else -1.0
            direction[:] = sign * units[j]
            new = sign * cosines[j]
        if gain > 0:
            new[j] = 1
            cosines[j], cosines[:, j] = new, new
            size = min(gain, longest)
            for f in range(n_features):
                units[j, f] = direction[f]
                atoms[j, f] = size * direction[f]


@kernel
def _point(target, units, cosines, j, cap, residual):
    """Residual of the square-root lasso of `target` on all directions but the j-th.

    False where nothing is left: then no vector within the cap points to the target.
    """
    n_atoms = units.shape[0]
    residual[:] = target
    norm2 = energy = np.sum(target * target)
    if not energy > 0:
        return False
    weights = np.zeros(n_atoms)
    correlations = units @ target
    active, n_active = np.empty(n_atoms, np.int64), 0
    is_active = np.zeros(n_atoms, np.bool_)
    is_active[j] = True
    slope = cap / np.sqrt(1 - cap * cap)
    for _ in range(_MOST_ROUNDS):
        before = n_active
        limit = cap * np.sqrt(norm2)
        for i in range(n_atoms):
            if not is_active[i] and abs(correlations[i]) > limit:
                is_active[i] = True
                active[n_active] = i
                n_active += 1
        if n_active == before:
            break
        for _ in range(_MOST_SWEEPS):
            largest = 0.0
            for q in range(n_active):
                i = active[q]
                # Along one coordinate ||r|| is a hyperbola: its minimum with the penalty.
                centre = correlations[i] + weights[i]
                rest = np.sqrt(max(norm2 - correlations[i] ** 2, 0.0))
                weight = max(abs(centre) - slope * rest, 0.0)
                change = (weight if centre > 0 else -weight) - weights[i]
                if change != 0:
                    weights[i] += change
                    norm2 += change * (change - 2 * correlations[i])
                    for m in range(n_atoms):
                        correlations[m] -= change * cosines[i, m]
                    largest = max(largest, abs(change))
            if not norm2 > 1e-12 * energy:
                return False
            if largest <= _PRECISION * np.sqrt(energy):
                break
    for q in range(n_active):
        i = active[q]
        for f in range(target.size):
            residual[f] -= weights[i] * units[i, f]
    return True
