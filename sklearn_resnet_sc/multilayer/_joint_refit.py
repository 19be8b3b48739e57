"""The best codes on given supports: least squares, or the distance from the balls.

``F = 1/2 sum_i max(0, ||r_i|| - epsilon_i)^2`` is convex in the codes of fixed supports; with
``w_i = max(0, 1 - epsilon_i / ||r_i||)`` its gradient in the residuals is ``w_i r_i``, and its
second derivative ``w_i I + (1 - w_i) r_i r_i^T / ||r_i||^2`` where ``w_i > 0``. Damped Newton
steps (Levenberg, Marquardt) lower it; with all ``epsilon_i = 0`` the first step is least squares.
All of it is in double precision: the numbers of one support only.
"""

from typing import NamedTuple

import numpy as np

from ._joint_system import gram_entry, inner_kernel, inner_with_layer, subtract_atom

_FLAT = 1e-12  # damping at which Newton's step is taken as it is
_ROUNDING = 1e-28  # squared relative size of what counts as nothing


class Refit(NamedTuple):
    """Scratch of the codes of one support."""

    residual: np.ndarray  # (n_rows,)
    new_residual: np.ndarray
    weights: np.ndarray  # (n_layers,)
    damped: np.ndarray  # (n_layers,)
    norms: np.ndarray  # (n_layers,)
    slopes: np.ndarray  # (n_layers, capacity), of the length of each residual
    gradient: np.ndarray  # (capacity,)
    step: np.ndarray
    trial: np.ndarray
    hessian: np.ndarray  # (capacity, capacity)


def make_refit(n_rows, n_layers, capacity):
    """Scratch for supports of at most so many atoms."""
    return Refit(
        np.empty(n_rows),
        np.empty(n_rows),
        np.empty(n_layers),
        np.empty(n_layers),
        np.empty(n_layers),
        np.empty((n_layers, capacity)),
        np.empty(capacity),
        np.empty(capacity),
        np.empty(capacity),
        np.empty((capacity, capacity)),
    )


@inner_kernel
def _excess(system, signal, members, count, values, residual, norms):
    """Residuals of all layers, their lengths, and F."""
    for j in range(residual.size):
        residual[j] = 0.0
    for j in range(signal.size):
        residual[j] = signal[j]
    for u in range(count):
        subtract_atom(system, members[u], values[u], residual)
    total = 0.0
    for layer in range(norms.size):
        squares = 0.0
        for j in range(system.row[layer], system.row[layer + 1]):
            squares += residual[j] * residual[j]
        norms[layer] = np.sqrt(squares)
        over = max(norms[layer] - system.limits[layer], 0.0)
        total += 0.5 * over * over
    return total


@inner_kernel
def _solve(matrix, count, right):
    """Solve by Cholesky in place, ``right`` too; False where the matrix is not definite."""
    for u in range(count):
        diagonal = matrix[u, u]
        for v in range(u):
            total = matrix[u, v]
            for k in range(v):
                total -= matrix[u, k] * matrix[v, k]
            total *= matrix[v, v]
            matrix[u, v] = total
            diagonal -= total * total
        if not diagonal > 1e-15 * matrix[u, u]:
            return False
        matrix[u, u] = 1.0 / np.sqrt(diagonal)
        total = right[u]
        for v in range(u):
            total -= matrix[u, v] * right[v]
        right[u] = total * matrix[u, u]
    for u in range(count - 1, -1, -1):
        total = right[u]
        for v in range(u + 1, count):
            total -= matrix[v, u] * right[v]
        right[u] = total * matrix[u, u]
    return True


@inner_kernel
def _derivatives(system, members, count, refit):
    """Weights of the layers, slopes of their lengths and of F itself."""
    n_layers = refit.norms.size
    for layer in range(n_layers):
        norm, limit = refit.norms[layer], system.limits[layer]
        refit.weights[layer] = 1.0 - limit / norm if norm > limit else 0.0
    for u in range(count):
        own = system.layer[members[u]]
        total = 0.0
        for layer in range(own, min(own + 2, n_layers)):
            slope = 0.0
            if refit.weights[layer] > 0:
                slope = inner_with_layer(system, members[u], layer, refit.residual)
                total += refit.weights[layer] * slope
                slope /= refit.norms[layer]
            refit.slopes[layer, u] = slope
        refit.gradient[u] = total


@inner_kernel
def _fill_hessian(system, members, count, refit, damping):
    n_layers = refit.norms.size
    for layer in range(n_layers):
        refit.damped[layer] = refit.weights[layer] + damping
    for u in range(count):
        own = system.layer[members[u]]
        for v in range(u + 1):
            entry = gram_entry(system, members[u], members[v], refit.damped)
            other = system.layer[members[v]]
            for layer in range(max(own, other), min(min(own, other) + 2, n_layers)):
                weight = refit.weights[layer]
                if 0 < weight < 1:
                    entry += (1.0 - weight) * refit.slopes[layer, u] * refit.slopes[layer, v]
            refit.hessian[u, v] = entry
        refit.step[u] = refit.gradient[u]


@inner_kernel
def refit_codes(system, signal, members, count, values, refit, max_iter, enough):
    """Lower F on a support from the codes in ``values``; until it is ``enough`` or at rest.

    Leaves residuals, their lengths and weights of the final codes in ``refit``.

    Returns
    -------
    float
        F.
    """
    present = _excess(system, signal, members, count, values, refit.residual, refit.norms)
    _derivatives(system, members, count, refit)
    damping = 0.0 if system.squares else 1e-3
    for _ in range(max_iter):
        if not present > enough:
            break
        _fill_hessian(system, members, count, refit, damping)
        moved = _solve(refit.hessian, count, refit.step)
        if moved:
            for u in range(count):
                refit.trial[u] = values[u] + refit.step[u]
            new = _excess(
                system, signal, members, count, refit.trial, refit.new_residual, refit.norms
            )
            moved = new < present
        if not moved:
            # Nothing is left to gain where even a short step gains nothing.
            if damping > 1e3 or (system.squares and damping > 0):
                break
            damping = max(10.0 * damping, 1e-9)
            continue
        gain = present - new
        present = new
        for u in range(count):
            values[u] = refit.trial[u]
        for j in range(refit.residual.size):
            refit.residual[j] = refit.new_residual[j]
        _derivatives(system, members, count, refit)
        if gain <= 1e-13 * present and damping <= 1e-6:
            break
        damping = 0.0 if system.squares else max(0.1 * damping, _FLAT)
    if count:
        present = _excess(system, signal, members, count, values, refit.residual, refit.norms)
        _derivatives(system, members, count, refit)
    return present
