"""The exact solution of the lasso at one penalty, from the solution at a higher one.

The homotopy (Osborne, Presnell, Turlach 2000; Efron, Hastie, Johnstone, Tibshirani 2004) lowers
the penalty from where the code is zero and lets atoms join and leave at every breakpoint, which
costs all correlations each time. Only the solution at the penalty asked for is wanted, though. So
the penalty falls by a constant factor at a time; atoms in use follow it exactly, leaving where
they vanish; then the atoms that broke their bound join one by one, the worst first, each followed
by the exact solution among the atoms in use (as in the feature-sign search of Lee, Battle, Raina,
Ng 2007). Every such step lowers the objective. At the end no bound is broken: the solution.

Where a squared residual is asked for, ``||r||^2`` is a quadratic of the penalty as long as the
support stays, so the penalty is found by solving quadratics: Newton's method, exact in the end.

The *level* is the factor on the weights of the atoms: the penalty of atom j is ``level *
weights[j]``.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel
from ._active_gram import (
    current_correlation,
    equations,
    make_room,
    rebuild,
    refine,
    residual_correlations,
    squared_distance,
)
from ._active_set import (
    BASE,
    INITIAL,
    SIZES,
    SLOPE,
    WEIGHTS,
    ActiveSet,
    insert,
    make_active_set,
    settle,
)
from ._bound_breakers import bound_breakers
from ._gram_rows import rounding
from ._records import Status
from ._scan import argmax

_MAX_ITER = int(Status.MAX_ITER)
_SHRINK = 0.7  # of the level, from one look at all correlations to the next
_MOST_JOINING = 16  # atoms that join between two looks
# Squared distance to the atoms in use, as a share, of a nearly dependent atom: the distance of
# others is known well enough from the inverse. At least so many square roots of the roundoff.
_NEAR, _NEAR_ROOTS = 1e-3, 64
_MOST_REFINEMENTS = 4
_SPOILT = 256  # error of the equations, in units of noise, at which the inverse is thrown away
_MOST_GUESSES = 30  # rounds in which the level may change before the support has settled


class Scratch(NamedTuple):
    """What the search for one signal writes to, and what it knows of the atoms."""

    active: ActiveSet
    most: int  # atoms that can be independent
    longest: float  # length of the longest atom
    current: np.ndarray  # (n_components,), correlations with the residual, 0 for atoms in use
    found: np.ndarray  # (n_components,) int64, atoms that break their bound
    excess: np.ndarray  # (n_components,), by how much
    flags: np.ndarray  # (n_components,) uint8, padded: whether an atom breaks its bound
    words: np.ndarray  # the same, eight at a time
    stiff: np.ndarray  # (1,) bool, whether the inverse is too rough for distances to be trusted
    lengths: np.ndarray  # (n_components,), of the atoms
    inverse_weights: np.ndarray  # (n_components,), 0 for atoms without penalty
    weights: np.ndarray  # (n_components,)


@kernel
def make_scratch(atoms, weights):
    """Scratch for every signal of a block.

    Where no atom has a penalty, all get the same: the codes wanted are the limit of small ones.
    """
    gram = atoms.gram
    n_components = gram.shape[0]
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    rows = np.empty((4, n_components), gram.dtype)
    lengths, inverse_weights = rows[0], rows[1]
    if not weights.any():
        weights = np.ones(n_components, gram.dtype)
    for j in range(n_components):
        lengths[j] = np.sqrt(max(gram[j, j], zero))
        inverse_weights[j] = one / weights[j] if weights[j] > zero else zero
    words = np.zeros((n_components + 7) // 8, np.uint64)
    most = min(n_components, atoms.components.shape[1])
    return Scratch(
        make_active_set(most, gram),
        most,
        lengths.max(),
        rows[2],
        np.empty(n_components, np.int64),
        rows[3],
        words.view(np.uint8),
        words,
        np.zeros(1, np.bool_),
        lengths,
        inverse_weights,
        weights,
    )


@kernel(counts_references=False)
def highest_level(start, mirror, scratch):
    """The level from which on no penalised atom is in use."""
    ratios, inverse_weights = scratch.excess, scratch.inverse_weights
    for j in range(start.size):
        value = start[j]
        opposite = mirror * value
        ratios[j] = (value if value > opposite else opposite) * inverse_weights[j]
    return max(ratios[argmax(ratios)], start.dtype.type(0))


@kernel(counts_references=False)
def _join(scratch, count, n_found, gram, start, level, noise, mirror):
    """Let the worst breakers of their bounds join one by one, each followed by the solution.

    Returns
    -------
    count : int
        Atoms in use.
    n_changes : int
        How many joined or left.
    """
    active, weights, lengths = scratch.active, scratch.weights, scratch.lengths
    found, excess, most = scratch.found, scratch.excess, scratch.most
    zero, one = gram.dtype.type(0), gram.dtype.type(1)
    noise2 = rounding(gram)
    near = gram.dtype.type(max(_NEAR, _NEAR_ROOTS * np.sqrt(np.finfo(gram.dtype).eps)))
    n_changes = 0
    for _ in range(min(n_found, _MOST_JOINING)):
        worst = argmax(excess[:n_found])
        atom = found[worst]
        n_found -= 1
        found[worst], excess[worst] = found[n_found], excess[n_found]
        row = gram[atom]
        length2 = row[atom]
        correlation = current_correlation(active, count, row, start[atom])
        over = max(correlation, mirror * correlation) - level * weights[atom]
        if not over > noise * lengths[atom]:
            continue
        sign = one if correlation > zero else -one
        distance2 = squared_distance(active, count, length2)
        size = zero
        if scratch.stiff[0] or count == most or distance2 < near * length2:
            before = count
            count, size, distance2 = make_room(
                active, count, most, gram, sign, weights[atom], over, length2, noise2
            )
            n_changes += before - count
            if not distance2 > noise2 * length2 or count == most:
                count, n_left = settle(active, count, level, mirror == zero)
                n_changes += n_left
                continue
        if distance2 < near * near * length2:
            scratch.stiff[0] = True
        insert(active, count, atom, sign, start[atom], weights[atom], distance2)
        active.rows[SIZES, count] = size
        count, n_left = settle(active, count + 1, level, mirror == zero)
        n_changes += 1 + n_left
    return count, n_changes


@kernel(counts_references=False)
def _root_level(active, count, norm2, tol, noise2):
    """The level at which the squared residual is `tol` with the atoms in use; 0 for none."""
    least = norm2
    slope = norm2 - norm2
    for u in range(count):
        least -= active.rows[BASE, u] * active.rows[INITIAL, u]
        slope += active.rows[SLOPE, u] * active.rows[WEIGHTS, u]
    if slope > 0 and tol - least > noise2 * norm2:
        return np.sqrt((tol - least) / slope)
    return norm2 - norm2


@kernel(counts_references=False)
def solve(gram, start, norm2, tol, goal, max_iter, mirror, scratch, count, level):
    """Go from the solution at `level` to that at `goal`, or to where the residual is `tol`.

    Parameters
    ----------
    gram : array of shape (n_components, n_components)
    start : array of shape (n_components,)
        Correlations of all atoms with the signal.
    norm2, tol : float
        Squared length of the signal, and squared residual to reach; negative for none.
    goal : float
        Level to reach; 0 with a `tol`.
    max_iter : int
        Most atoms that join or leave.
    mirror : float
        -1, or 0 for codes that are not negative: ``max(c, mirror * c)`` is what counts of a
        correlation.
    scratch : Scratch
    count : int
        Atoms in use at `level`.
    level : float

    Returns
    -------
    count : int
        Atoms in use at the end.
    level : float
        The level reached.
    n_iter, status : int
    n_found : int
        Atoms that still break their bound.
    """
    active, current = scratch.active, scratch.current
    scratch.stiff[0] = False
    zero = gram.dtype.type(0)
    most = scratch.most
    epsilon8 = gram.dtype.type(8 * np.finfo(gram.dtype).eps)
    tiny = gram.dtype.type(32) * rounding(gram)
    spoilt = gram.dtype.type(_SPOILT)
    positive = mirror == zero
    constrained = tol >= zero
    noise = epsilon8 * np.sqrt(norm2)
    noise_off = noise * scratch.longest
    aim = max(goal, tiny * level)
    final = level <= aim
    shrink = gram.dtype.type(_SHRINK)
    low, high = zero, level
    n_iter = n_refined = n_spoilt = n_rounds = n_found = 0
    status = 0
    patience = 100 + 4 * most
    searching = not (constrained and tol >= norm2)
    closing = False
    while searching:
        n_rounds += 1
        if not final:
            lower = max(shrink * level, aim)
            root = _root_level(active, count, norm2, tol, epsilon8) if constrained else zero
            level = max(lower, root)
            final = level == aim or root >= lower
        count, n_left = settle(active, count, level, positive)
        n_iter += n_left
        residual_correlations(active, count, active.rows[SIZES], gram, start, current)
        off = equations(active, count, level, current)
        if not off <= spoilt * noise_off and n_spoilt < _MOST_REFINEMENTS:
            n_spoilt += 1
            count = rebuild(active, count, gram, start)
            continue
        if closing:
            break
        n_found = bound_breakers(scratch, level, noise, mirror)
        n_changes = 0
        if n_iter > patience:  # atoms that depend on each other may turn in circles
            noise += noise
            patience += most
        if n_found > 0:
            if n_iter >= max_iter:
                status = _MAX_ITER
                break
            count, n_changes = _join(scratch, count, n_found, gram, start, level, noise, mirror)
            n_iter += n_changes
            shrink = gram.dtype.type(_SHRINK)
        else:
            shrink = max(shrink * shrink, tiny)  # nothing happens here: take a longer step
        if not final:
            continue
        if constrained:
            settled = n_changes == 0
            root = _root_level(active, count, norm2, tol, epsilon8)
            reached = abs(root - level) <= epsilon8 * level
            if settled and not reached:
                if root < level:
                    high = level
                else:
                    low = level
            inside = low < root and root < high
            if not reached and (settled or (inside and n_rounds < _MOST_GUESSES)):
                lower = np.sqrt(low * high) if low > zero else gram.dtype.type(_SHRINK) * level
                trial = max(root if inside else lower, aim)
                if abs(trial - level) > epsilon8 * level:
                    level = trial
                    continue
        if n_changes > 0:
            continue
        if off > noise_off and n_refined < _MOST_REFINEMENTS:
            n_refined += 1
            refine(active, count)
        elif goal < aim and level == aim:
            # Rounding cannot tell lower levels from zero: the support stays.
            level = _root_level(active, count, norm2, tol, epsilon8) if constrained else goal
            closing = True
        else:
            searching = False

    return count, level, n_iter, status, n_found
