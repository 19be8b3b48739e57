"""MOD: the dictionary that fits signals best at given codes, free or with a bounded residual.

K. Engan, S. O. Aase, J. H. Husoy, "Method of optimal directions for frame
design", ICASSP 1999; the iteration is also known as ILS-DLA.
"""

import numpy as np

from ._bounded import solve_bounded
from ._capped_descent import descend_within
from ._surrogate import objective_change, raw_sums

_PASSES = 3  # over the atoms, where coherence is capped


def mod(space, dictionary, statistics):
    """Solve the least squares problem of the atoms, codes held fixed.

    With a shortcut P the codes held fixed are the raw ones,
    ``code / lengths``: minimise ``||X - (code / lengths) (P + R)||_F^2`` over R,
    under ``||R||_2 <= limit`` where there is a limit. Where coherence is capped there is no
    solution at once: some passes over the atoms, none of which raises the objective.

    Parameters
    ----------
    space : DictionarySet
        What the shortcut and the limit are.
    dictionary : Dictionary
        The present one; its residual is the start, and what the result must not
        be worse than.
    statistics : Statistics
        Sums over signals and codes.

    Returns
    -------
    dictionary : Dictionary
        The new one. Its atoms may have other lengths: codes for it are the
        raw codes times its lengths.
    gap : float
        How far the objective may be from the optimum, over the objective.
    """
    gram, cross = raw_sums(dictionary, statistics)
    shortcut = 0.0 if space.shortcut is None else space.shortcut.astype(np.float64)
    old = dictionary.residual.astype(np.float64)
    if space.cap is not None:
        gap = 0.0
        goal = space.cap.goal(space.dtype)
        new = descend_within(gram, cross, old, goal, n_passes=_PASSES)
    elif space.limit is None:
        gap = 0.0
        new = old + _free_change(gram, cross, shortcut + old)
        vanished = np.linalg.norm(shortcut + new, axis=1) < 1e-12
        new[vanished] = old[vanished]  # an atom of length zero would have no direction
    else:
        solution = solve_bounded(gram, cross, shortcut, space.limit, old, energy=statistics.energy)
        new, gap = solution.residual, solution.gap
    new = space.fit(new)
    if objective_change(gram, cross, shortcut + old, new.astype(np.float64) - old) > 0:
        return dictionary, gap  # nothing left to gain beyond rounding
    return space.assemble(new), gap


def _free_change(gram, cross, atoms):
    """The smallest change of the atoms that solves the normal equations.

    Smallest where the solution is not unique: atoms without use, and
    directions about which the codes say nothing, stay as they are. Scaling to a
    unit diagonal keeps rarely used atoms clear of the cut-off.
    """
    use = np.sqrt(np.diag(gram))
    inverse = np.divide(1.0, use, out=np.zeros_like(use), where=use > 0)
    values, vectors = np.linalg.eigh(inverse[:, None] * gram * inverse)
    kept = values > len(values) * np.finfo(np.float64).eps * max(values[-1], 0)
    if not kept.any():
        return np.zeros_like(atoms)
    vectors = vectors[:, kept]
    right = inverse[:, None] * (cross - gram @ atoms)
    return inverse[:, None] * (vectors @ ((vectors.T @ right) / values[kept][:, None]))
