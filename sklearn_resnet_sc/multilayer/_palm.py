"""Sparse codes of all layers by proximal alternating linearised minimisation (PALM).

J. Bolte, S. Sabach, M. Teboulle, "Proximal alternating linearized minimization for nonconvex and
nonsmooth problems", Math. Programming 146 (2014), for the problem of `_joint`:
``F = 1/2 sum_i max(0, ||g_{i-1} - g_i C_i|| - epsilon_i)^2``, a count for every layer. Half the
squared distance from a ball, whatever its radius, has a gradient with Lipschitz constant 1; that
of F in ``g_i`` has ``||C_i||_2^2 + 1`` (the deepest layer ``||C_L||_2^2``). A gradient step
shorter than its inverse, of which the largest entries remain, never raises F.

A sweep takes one such step in every layer, first layer first, for a block of signals at once; then
the codes become the best of their supports (`_joint_refit`), without which sweeps by the hundred
would do no more. A sweep of steps four times as long goes first, and counts where F falls: fewer
codes are at rest for longer steps. What is at rest for both is.
"""

from typing import NamedTuple

import numpy as np

from .._jit import kernel
from ..coding import Status
from ._joint_blocks import finish, rounding_of, solve_blocks
from ._joint_refit import Refit, make_refit, refit_codes
from ._joint_system import inner_kernel

_BLOCK = 256  # signals
_SHORTER = 0.99  # than the inverse of the Lipschitz constant: strictly, for points to converge
_REACH = 4.0  # of the sweep that goes first
_NO_STEPS, _STEPS = np.int64(0), np.int64(60)  # of Newton
_DONE, _MAX_ITER = int(Status.DONE), int(Status.MAX_ITER)


class Codes(NamedTuple):
    """Codes of a block as lists of atoms, those of layer 1 first."""

    members: np.ndarray  # (n_rows, capacity)
    values: np.ndarray  # (n_rows, capacity) float64
    count: np.ndarray  # (n_rows,)


class Sweeps(NamedTuple):
    """Scratch of one thread; a row for each signal not yet at rest, the first rows in use."""

    old: Codes  # the best of their supports
    new: Codes  # as a sweep makes them
    residual: np.ndarray  # (_BLOCK, n_rows of the system) of all layers
    value: np.ndarray  # (_BLOCK,) F of the old codes
    reach: np.ndarray  # (_BLOCK,) multiple of the steps
    n_iter: np.ndarray  # (_BLOCK,) sweeps so far
    signal: np.ndarray  # (_BLOCK,) number of the signal
    image: np.ndarray  # (largest layer,)
    refit: Refit


def make_sweeps(system, n_rows, capacity):
    """Scratch for so many signals, with at most so many atoms."""

    def codes():
        return Codes(
            np.empty((n_rows, capacity), np.int64),
            np.empty((n_rows, capacity)),
            np.empty(n_rows, np.int64),
        )

    dtype, n_layers = system.dictionaries.dtype, system.limits.size
    return Sweeps(
        old=codes(),
        new=codes(),
        residual=np.empty((n_rows, system.row[-1]), dtype),
        value=np.empty(n_rows),
        reach=np.empty(n_rows),
        n_iter=np.empty(n_rows, np.int64),
        signal=np.empty(n_rows, np.int64),
        image=np.empty(np.diff(system.first).max(), dtype),
        refit=make_refit(int(system.row[-1]), n_layers, capacity),
    )


@inner_kernel
def _add_atom(system, atom, value, residual, row):
    """Let the code of an atom grow: the residual of its layer shrinks, the next one grows."""
    layer = system.layer[atom]
    place, begin = atom - system.first[layer], system.row[layer]
    width = system.row[layer + 1] - begin
    at = system.at[layer] + place * width
    for j in range(width):
        residual[row, begin + j] -= value * system.dictionaries[at + j]
    if layer + 2 < system.first.size:
        residual[row, system.row[layer + 1] + place] += value


@inner_kernel
def _weight(system, layer, residual, row):
    """What a residual is multiplied by in the gradient of its distance from the ball."""
    limit = system.limits[layer]
    if limit == 0:
        return 1.0
    square = 0.0
    for j in range(system.row[layer], system.row[layer + 1]):
        square += np.float64(residual[row, j]) * residual[row, j]
    norm = np.sqrt(square)
    return 1.0 - limit / norm if norm > limit else 0.0


@inner_kernel
def _largest(image, n_atoms, most, chosen, begin):
    """Places of the largest entries that are not zero, largest first; returns how many."""
    count = 0
    least = image.dtype.type(0)
    for j in range(n_atoms):
        size = abs(image[j])
        if size > least:
            u = min(count, most - 1)
            while u > 0 and abs(image[chosen[begin + u - 1]]) < size:
                chosen[begin + u] = chosen[begin + u - 1]
                u -= 1
            chosen[begin + u] = j
            count = min(count + 1, most)
            if count == most:
                least = abs(image[chosen[begin + most - 1]])
    return count


@kernel
def _step_and_threshold(system, layer, n_rows, step, pulls, sweeps):
    """New codes of a layer; ``pulls`` are inner products of its atoms with its residual."""
    residual, image, old, new = sweeps.residual, sweeps.image, sweeps.old, sweeps.new
    first, n_atoms = system.first[layer], system.first[layer + 1] - system.first[layer]
    number = image.dtype.type
    for row in range(n_rows):
        length = step * sweeps.reach[row]
        own = number(length * _weight(system, layer, residual, row))
        for j in range(n_atoms):
            image[j] = own * pulls[row, j]
        if layer + 1 < system.limits.size:
            below = system.row[layer + 1]
            other = number(length * _weight(system, layer + 1, residual, row))
            for j in range(n_atoms):
                image[j] -= other * residual[row, below + j]
        for u in range(old.count[row]):
            atom = old.members[row, u]
            if system.layer[atom] == layer:
                value = number(old.values[row, u])
                image[atom - first] += value
                _add_atom(system, atom, -value, residual, row)
        begin = new.count[row] if layer else 0
        most = system.budget[system.group[layer]]
        chosen = new.members[row]
        count = begin + _largest(image, n_atoms, most, chosen, begin)
        for u in range(begin, count):
            value = image[chosen[u]]
            chosen[u] += first
            new.values[row, u] = value
            _add_atom(system, chosen[u], value, residual, row)
        new.count[row] = count


@inner_kernel
def _copy(codes, row, to, to_row):
    to.count[to_row] = codes.count[row]
    for u in range(codes.count[row]):
        to.members[to_row, u] = codes.members[row, u]
        to.values[to_row, u] = codes.values[row, u]


@inner_kernel
def _refit(system, signal, codes, row, max_iter, enough, sweeps, to_row):
    """Codes the best of their supports, or as they are; their residuals in ``to_row``."""
    value = refit_codes(
        system,
        signal,
        codes.members[row],
        codes.count[row],
        codes.values[row],
        sweeps.refit,
        max_iter,
        enough,
    )
    for j in range(sweeps.residual.shape[1]):
        sweeps.residual[to_row, j] = sweeps.refit.residual[j]
    return value


@kernel
def _begin(system, signals, starts, start, sweeps, found):
    """The best codes of the supports to start from; returns how many signals there are."""
    n_rows = np.int64(0)
    for i in range(signals.shape[0]):
        if found.least[i] == 0:
            continue
        count = 0
        for place in range(starts.indptr[start, i], starts.indptr[start, i + 1]):
            sweeps.old.members[n_rows, count] = starts.indices[place]
            sweeps.old.values[n_rows, count] = 0.0
            count += 1
        sweeps.old.count[n_rows] = count
        _, enough = rounding_of(signals[i])
        sweeps.value[n_rows] = _refit(
            system, signals[i], sweeps.old, n_rows, _STEPS, enough, sweeps, n_rows
        )
        sweeps.reach[n_rows], sweeps.n_iter[n_rows], sweeps.signal[n_rows] = _REACH, 0, i
        n_rows += 1
    return n_rows


@kernel
def _settle(system, signals, n_rows, max_iter, sweeps, found):
    """Refit after a sweep; signals at rest end. Returns how many go on."""
    old, new, left = sweeps.old, sweeps.new, np.int64(0)
    for row in range(n_rows):
        i = sweeps.signal[row]
        _, enough = rounding_of(signals[i])
        sweeps.n_iter[row] += 1
        value = _refit(system, signals[i], new, row, _STEPS, enough, sweeps, left)
        better, reach = value < sweeps.value[row] * (1 - 1e-9), sweeps.reach[row]
        if better:
            sweeps.value[row] = value
            _copy(new, row, old, row)
        ended = sweeps.value[row] <= enough or (not better and reach == 1)
        late = not ended and sweeps.n_iter[row] >= max_iter
        if ended or late:
            found.n_iter[i] += sweeps.n_iter[row]
            status = _MAX_ITER if late else _DONE
            members, values, count = old.members[row], old.values[row], old.count[row]
            finish(system, signals[i], members, values, count, sweeps.refit, status, found, i)
            continue
        _copy(old, row, old, left)
        if not better:
            _refit(system, signals[i], old, left, _NO_STEPS, enough, sweeps, left)
        sweeps.reach[left] = _REACH if better else 1.0
        sweeps.value[left], sweeps.signal[left] = sweeps.value[row], i
        sweeps.n_iter[left] = sweeps.n_iter[row]
        left += 1
    return left


def make_sweep(stack, system, sweeps):
    """A function that takes one step in every layer, for the first rows of the scratch."""
    lipschitz = np.square(stack.spectral_norms)
    lipschitz[:-1] += 1
    steps = _SHORTER / lipschitz
    pulls = [np.empty((len(sweeps.signal), k), stack.dtype) for k in stack.n_components]

    def sweep(n_rows):
        for layer, (matrix, step) in enumerate(zip(stack.dictionaries, steps, strict=True)):
            residual = sweeps.residual[:n_rows, system.row[layer] : system.row[layer + 1]]
            np.dot(residual, matrix.T, out=pulls[layer][:n_rows])
            _step_and_threshold(system, layer, n_rows, step, pulls[layer], sweeps)

    return sweep


def solve_palm(X, stack, demands, *, max_iter=100, n_jobs=None, verbose=0):
    """Codes of all layers at once at which no proximal gradient step lowers F.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries of the synthesis model.
    demands : Demands
        Counts of every layer, and tolerances. F measures the distance of the residuals of all
        layers from their tolerances, and is plain least squares where there are none.
    max_iter : int, default=100
        Most sweeps from each start; a signal ends earlier where it is at rest, or F is 0.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    list of LayerCodes
        Codes of each layer, the best that any start of `start_supports` led to. ``n_iter`` counts
        the sweeps from all starts; a status says whether the codes are at rest, and within the
        tolerances.
    """

    def make_solver(system, capacity):
        sweeps = make_sweeps(system, _BLOCK, capacity)
        sweep = make_sweep(stack, system, sweeps)

        def solve(signals, starts, found):
            for start in range(len(starts.indptr)):
                n_rows = _begin(system, signals, starts, start, sweeps, found)
                while n_rows:
                    sweep(n_rows)
                    n_rows = _settle(system, signals, n_rows, max_iter, sweeps, found)

        return solve

    options = {"block": _BLOCK, "n_jobs": n_jobs, "verbose": verbose}
    return solve_blocks(X, stack, demands, make_solver, **options)
