"""Atoms that do little work are replaced from the signals represented worst."""

import numpy as np

_UNUSED = 1e-10  # squared codes of an atom, over those of the atom used most, that count as none
_TIMES = 3  # an atom used by at most so many signals is hardly used ...
_SHARE = 0.1  # ... unless the average atom is used by less than ten times that
_TWIN = 0.99  # cosine from which two atoms are one


def unused_atoms(gram):
    """Whether the codes (their Gram matrix) make no use of an atom."""
    energy = np.diag(gram)
    return energy <= _UNUSED * energy.max(initial=0)


def idle_atoms(components, usage, mean_weight):
    """Atoms that are hardly used or nearly equal to one that is used more.

    Parameters
    ----------
    components : ndarray of shape (n_components, n_features)
        Unit atoms.
    usage : ndarray of shape (n_components,)
        Weight of the signals that use each atom.
    mean_weight : float
        Weight of one signal.

    Returns
    -------
    ndarray of int
        Which atoms; the least used first.
    """
    order = np.argsort(usage, kind="stable")
    hardly = usage <= min(_TIMES * mean_weight, _SHARE * usage.mean())
    rank = np.empty(len(usage), int)
    rank[order] = np.arange(len(usage))
    cosines = np.abs(components.astype(np.float64) @ components.T)
    twin = ((cosines > _TWIN) & (rank[:, None] < rank)).any(axis=1)
    return order[(hardly | twin)[order]]


def worst_signals(training_set, statistics, count, *, known=None):
    """Directions of the signals with the largest errors, no two alike.

    Parameters
    ----------
    training_set : TrainingSet
        The signals.
    statistics : Statistics
        Of the present codes.
    count : int
        How many to return at most.
    known : ndarray of shape (n_atoms, n_features), default=None
        Unit atoms that none is to be alike, either.

    Returns
    -------
    ndarray of shape (n_directions, n_features)
        Unit signals.
    """
    error = np.where(training_set.weight > 0, statistics.residual_norm2, 0.0)
    rounding = (32 * np.finfo(training_set.X.dtype).eps) ** 2
    candidates = np.flatnonzero(error > rounding * statistics.energy / training_set.total_weight)
    order = candidates[np.argsort(-error[candidates], kind="stable")]
    chosen = np.empty((0, training_set.n_features)) if known is None else known
    n_known = len(chosen)
    # Worst signals are often neighbours: look at more of them than are needed.
    for first in range(0, min(order.size, 16 * count), count):
        if len(chosen) == n_known + count:
            break
        for signal in training_set.signals(order[first : first + count]):
            unit = signal / np.linalg.norm(signal)
            if not (np.abs(chosen @ unit) > _TWIN).any():
                chosen = np.vstack([chosen, unit])
            if len(chosen) == n_known + count:
                break
    return chosen[n_known:]


def replace_atoms(space, dictionary, atoms, directions):
    """Point atoms at new directions, as far as the bound on the residual allows.

    Without a bound an atom becomes its direction. With one, the row of the
    residual takes the atom ``p`` of the shortcut to the nearest point to p of the ray that is
    the closest to the direction among those within reach; the whole residual is
    then clipped, which the next update, where the atom takes part, makes the
    best of.

    Parameters
    ----------
    space : DictionarySet
        What the shortcut and the limit are.
    dictionary : Dictionary
        The present one.
    atoms : ndarray of int
        Which atoms, at least as many as directions.
    directions : ndarray of shape (n_directions, n_features)
        Unit vectors.

    Returns
    -------
    Dictionary
        The new one.
    """
    if not len(directions):
        return dictionary
    residual = dictionary.residual.astype(np.float64)
    for atom, direction in zip(atoms, directions, strict=False):
        if space.shortcut is None:
            residual[atom] = direction
            continue
        shortcut = space.shortcut[atom].astype(np.float64)
        if space.limit is None:
            residual[atom] = direction - shortcut
        else:
            residual[atom] = _toward(shortcut, direction, space.limit)
    return space.assemble(space.fit(residual))


def _toward(shortcut, direction, limit):
    """The row of length at most `limit` that turns a unit atom closest to a direction."""
    cosine = shortcut @ direction
    if cosine < 0:
        cosine, direction = -cosine, -direction
    across = direction - cosine * shortcut
    sine = np.linalg.norm(across)
    if sine == 0:
        return np.zeros_like(shortcut)
    angle = min(np.arctan2(sine, cosine), np.arcsin(min(limit, 1 - 1e-6)))
    ray = np.cos(angle) * shortcut + np.sin(angle) / sine * across
    return np.cos(angle) * ray - shortcut
