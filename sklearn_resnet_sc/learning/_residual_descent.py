"""Block coordinate descent over the rows of a residual, free or within a bound on the whole."""

import numpy as np

from ._bounded import clip_singular_values
from ._capped_descent import descend_within
from ._surrogate import objective_change, raw_sums
from ._unused import unused_atoms

_VANISHED = 1e-12  # length below which an atom would have no direction
_ROUNDING = 1e-12  # of the room left in a direction that counts as none


def residual_bcd(space, dictionary, statistics):
    """Minimise over one row of the residual after the other, raw codes held fixed.

    Without a bound the minimiser over a row is that of least squares. With one, the rows that
    keep ``||R||_2 <= limit`` beside the others S form an ellipsoid,
    ``r' (limit^2 I - S' S)^-1 r <= 1``, and since the objective is a multiple of the squared
    distance to the free minimiser, the minimiser is the nearest point of that
    ellipsoid. Where no row alone can gain, all together may: a projected gradient step of the whole
    residual comes last, so that only an optimum is left as it is. Neither raises the objective.

    Parameters
    ----------
    space : DictionarySet
        What the shortcut and the limit are.
    dictionary : Dictionary
        The present one.
    statistics : Statistics
        Sums over signals and codes.

    Returns
    -------
    dictionary : Dictionary
        The new one. Atoms without use are as before; under a bound, those of the shortcut.
    gap : float
        0.
    """
    gram, cross = raw_sums(dictionary, statistics)
    old = dictionary.residual.astype(np.float64)
    plain = space.shortcut is None
    shortcut = np.zeros_like(old) if plain else space.shortcut.astype(np.float64)
    unused = unused_atoms(gram)
    new = old.copy()
    if space.cap is not None:
        new = descend_within(gram, cross, old, space.cap.goal(space.dtype))
    elif space.limit is None:
        _descend_freely(gram, cross - gram @ shortcut, new, np.flatnonzero(~unused), shortcut)
    else:
        new[unused] = 0
        _descend_within(gram, cross - gram @ shortcut, new, np.flatnonzero(~unused), space.limit)
    new = space.fit(new)
    if objective_change(gram, cross, shortcut + old, new.astype(np.float64) - old) > 0:
        return dictionary, 0.0  # nothing left to gain beyond rounding
    return space.assemble(new), 0.0


def _descend_freely(gram, target, residual, rows, shortcut):
    """One pass over the rows, in place."""
    for j in rows:
        row = residual[j] + (target[j] - gram[j] @ residual) / gram[j, j]
        if np.linalg.norm(shortcut[j] + row) > _VANISHED:
            residual[j] = row


def _descend_within(gram, target, residual, rows, limit):
    """One pass over the rows, then a step of all, in place."""
    squares = residual.T @ residual
    identity = limit**2 * np.eye(residual.shape[1])
    for j in rows:
        row = residual[j]
        free = row + (target[j] - gram[j] @ residual) / gram[j, j]
        squares -= np.outer(row, row)
        residual[j] = nearest_in_ellipsoid(free, identity - squares)
        squares += np.outer(residual[j], residual[j])
    steepest = np.linalg.eigvalsh(gram)[-1]
    if steepest > 0:
        step = (target - gram @ residual) / steepest
        residual[:] = clip_singular_values(residual + step, limit)


def nearest_in_ellipsoid(point, shape):
    """The point nearest to another of those with ``r' shape^-1 r <= 1``.

    Parameters
    ----------
    point : ndarray of shape (n,)
        Where from.
    shape : ndarray of shape (n, n)
        Symmetric, not negative to rounding; flat in directions in which it is zero.

    Returns
    -------
    ndarray of shape (n,)
        The nearest point.
    """
    values, vectors = np.linalg.eigh(shape)
    values = np.where(values > _ROUNDING * max(values[-1], 0), values, 0)
    point = vectors.T @ point
    flat = values == 0
    values, inner = values[~flat], point[~flat]
    if not values.size:
        return np.zeros(len(point))
    scaled = inner**2 / values
    if scaled.sum() > 1:
        inner = inner * values / (values + _multiplier(inner, values))
    nearest = np.zeros(len(point))
    nearest[~flat] = inner
    return vectors @ nearest


def _multiplier(point, values):
    """The t > 0 at which ``sum point^2 values / (values + t)^2`` is one.

    By Newton's method for the inverse of the root of the sum, which is concave in t and almost
    straight: from zero it rises to the solution and passes it by rounding only.
    """
    multiplier = 0.0
    for _ in range(50):
        shrunk = values + multiplier
        parts = point**2 * values / shrunk**2
        total = parts.sum()
        step = total * (np.sqrt(total) - 1) / (parts / shrunk).sum()
        if not step > 1e-15 * multiplier:
            break
        multiplier += step
    return multiplier
