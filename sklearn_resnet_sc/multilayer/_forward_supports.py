"""The forward problem on fixed supports, a convex one, by damped Newton steps.

With ``r_i = t_i - t_{i-1} C_i`` the objective is
``F = 1/2 sum_i w_i max(0, ||r_i|| - epsilon_i)^2``: half the squared distance of
all residuals from their balls, and least squares where every ``epsilon_i`` is 0.
It is convex and once differentiable; away from the spheres its Hessian is that
of weighted least squares plus one direction per layer.
"""

from typing import NamedTuple

import numpy as np

from ._forward_active import assign, helper

_MAX_NEWTON = 40
_RESTS = 1e-13  # decrease that the next step promises, relative to F
_DAMPING = 1e-11  # of the Hessian, relative to its largest entry


class Scratch(NamedTuple):
    """Arrays that one thread uses again for every signal."""

    residual: np.ndarray  # (n_units,)
    change: np.ndarray  # (n_units,)
    beyond: np.ndarray  # (n_layers,) whether a residual is too long, rounding apart
    slopes: np.ndarray  # (n_layers,) first factor of the gradient
    bends: np.ndarray  # (n_layers,) second factor of the Hessian
    own: np.ndarray  # (capacity,) residual at a unit
    onward: np.ndarray  # (capacity,) inner product of its row with the next residual
    step: np.ndarray  # (capacity,)
    hessian: np.ndarray  # (capacity, capacity), its lower half turned into the factor
    trial: np.ndarray  # (capacity,)


def new_scratch(n_units, n_layers, capacity):
    """Room for one thread."""
    return Scratch(
        *(np.empty(n_units) for _ in range(2)),
        np.zeros(n_layers, bool),
        *(np.empty(n_layers) for _ in range(2)),
        *(np.empty(capacity) for _ in range(3)),
        np.empty((capacity, capacity)),
        np.empty(capacity),
    )


@helper()
def propagate(chain, units, count, values, out):
    """Add ``t_i - t_{i-1} C_i`` of values on units to all layers."""
    last = chain.begins.size - 2
    for u in range(count):
        unit, value = units[u], values[u]
        out[unit] += value
        layer = chain.layer[unit]
        if layer < last and value != 0:
            first, end = chain.begins[layer + 1], chain.begins[layer + 2]
            row = chain.matrices[chain.matrix_at[unit] : chain.matrix_at[unit] + end - first]
            below = out[first:end]
            for j in range(row.size):
                below[j] -= value * row[j]


@helper(fastmath={"contract", "reassoc"})
def _inner(first, second):
    """Inner product; terms may be added in any order, so that the sum vectorises."""
    total = 0.0
    for j in range(first.size):
        total += first[j] * second[j]
    return total


@helper()
def onward_product(chain, residual, unit):
    """Inner product of a unit's row of the next matrix with the next residual."""
    layer = chain.layer[unit]
    if layer == chain.begins.size - 2:
        return 0.0
    first, end = chain.begins[layer + 1], chain.begins[layer + 2]
    row = chain.matrices[chain.matrix_at[unit] : chain.matrix_at[unit] + end - first]
    return _inner(row, residual[first:end])


@helper()
def measure(chain, offset, active, scratch):
    """Residuals, and what is too long in them; returns ``F``, 0 where only rounding is.

    The residuals are those of the values plus an `offset`: ``-x C_1`` and zeros.
    """
    residual = scratch.residual
    assign(residual, offset)
    propagate(chain, active.units, active.count[0], active.values, residual)
    total, beyond = 0.0, False
    for layer in range(chain.limits.size):
        limit, weight = chain.limits[layer], chain.weights[layer]
        norm2, own2, source2 = 0.0, 0.0, 0.0
        for j in range(chain.begins[layer], chain.begins[layer + 1]):
            place = active.where[j]
            own = active.values[place] if place >= 0 else 0.0
            norm2 += residual[j] ** 2
            own2 += own**2
            source2 += (own - residual[j]) ** 2
        length = np.sqrt(norm2)
        excess = max(0.0, length - limit)
        rounding = chain.rounding[layer] * (np.sqrt(own2) + np.sqrt(source2))
        scratch.beyond[layer] = excess > rounding
        beyond |= scratch.beyond[layer]
        scratch.slopes[layer] = weight * excess / length if excess > 0 else 0.0
        scratch.bends[layer] = weight * limit / length**3 if excess > 0 else 0.0
        total += 0.5 * weight * excess**2
    active.objective[0] = total if beyond else 0.0
    return active.objective[0]


@helper()
def _assemble(chain, active, scratch):
    """Lower half of the Hessian, and its largest diagonal entry."""
    count, largest = active.count[0], 0.0
    last = chain.limits.size - 1
    own, onward, hessian = scratch.own, scratch.onward, scratch.hessian
    for u in range(count):
        unit = active.units[u]
        layer = chain.layer[unit]
        for v in range(u + 1):
            other = active.units[v]
            between = chain.layer[other] - layer
            entry = 0.0
            if between == 0:
                entry = scratch.bends[layer] * own[u] * own[v]
                if layer < last:
                    inner = chain.grams[chain.gram_at[unit] + other - chain.begins[layer]]
                    entry += scratch.slopes[layer + 1] * inner
                    entry += scratch.bends[layer + 1] * onward[u] * onward[v]
            elif between == 1:
                entry = chain.matrices[chain.matrix_at[unit] + other - chain.begins[layer + 1]]
                entry = -scratch.slopes[layer + 1] * entry
                entry -= scratch.bends[layer + 1] * onward[u] * own[v]
            elif between == -1:
                entry = chain.matrices[chain.matrix_at[other] + unit - chain.begins[layer]]
                entry = -scratch.slopes[layer] * entry
                entry -= scratch.bends[layer] * onward[v] * own[u]
            hessian[u, v] = entry
        hessian[u, u] += scratch.slopes[layer]
        largest = max(largest, hessian[u, u])
    return largest


@helper()
def _factorise(matrix, count, smallest):
    """Cholesky factor in place; what is not positive enough is raised to `smallest`."""
    for u in range(count):
        for v in range(u):
            total = matrix[u, v] - _inner(matrix[u, :v], matrix[v, :v])
            matrix[u, v] = total / matrix[v, v]
        pivot = matrix[u, u] + smallest - _inner(matrix[u, :u], matrix[u, :u])
        matrix[u, u] = np.sqrt(max(pivot, smallest))


@helper()
def solve_factored(factor, count, vector):
    """Solve with a Cholesky factor, in place."""
    for u in range(count):
        vector[u] = (vector[u] - _inner(factor[u, :u], vector[:u])) / factor[u, u]
    for u in range(count - 1, -1, -1):
        vector[u] /= factor[u, u]
        for v in range(u):
            vector[v] -= factor[u, v] * vector[u]


@helper()
def newton_system(chain, active, scratch):
    """Gradient (into `step`, negative) and the factor of the damped Hessian at what was measured.

    Returns whether there is any curvature.
    """
    for u in range(active.count[0]):
        unit = active.units[u]
        layer = chain.layer[unit]
        scratch.own[u] = scratch.residual[unit]
        scratch.onward[u] = onward_product(chain, scratch.residual, unit)
        scratch.step[u] = -scratch.slopes[layer] * scratch.own[u]
        if layer < chain.limits.size - 1:
            scratch.step[u] += scratch.slopes[layer + 1] * scratch.onward[u]
    largest = _assemble(chain, active, scratch)
    if largest > 0:
        _factorise(scratch.hessian, active.count[0], _DAMPING * largest)
    return largest > 0


@helper()
def _slope(chain, scratch, length):
    """Derivative of ``F`` along the step, at a length of it."""
    total = 0.0
    for layer in range(chain.limits.size):
        first, end = chain.begins[layer], chain.begins[layer + 1]
        norm2, way = 0.0, 0.0
        for j in range(first, end):
            there = scratch.residual[j] + length * scratch.change[j]
            norm2 += there**2
            way += there * scratch.change[j]
        norm = np.sqrt(norm2)
        if norm > chain.limits[layer]:
            total += chain.weights[layer] * (1 - chain.limits[layer] / norm) * way
    return total


@helper()
def _line_search(chain, scratch, slope):
    """A length of the step where ``F``, convex along it, is near its least value."""
    low, slope_low = 0.0, slope
    high = 1.0
    slope_high = _slope(chain, scratch, high)
    if slope_high <= -0.1 * slope:
        return high
    for _ in range(30):
        middle = low + (high - low) * max(0.1, min(0.9, slope_low / (slope_low - slope_high)))
        slope_middle = _slope(chain, scratch, middle)
        if abs(slope_middle) <= -0.1 * slope:
            return middle
        if slope_middle < 0:
            low, slope_low = middle, slope_middle
        else:
            high, slope_high = middle, slope_middle
    return low


@helper()
def settle(chain, offset, active, scratch, target):
    """Minimise ``F`` over the values of an active set, starting from those it has.

    Given up as soon as a Newton step promises to stay well above `target`. Returns ``F``.
    """
    objective = measure(chain, offset, active, scratch)
    for _ in range(_MAX_NEWTON):
        if objective == 0:
            return objective
        if not newton_system(chain, active, scratch):
            return objective
        count, step = active.count[0], scratch.step
        assign(scratch.trial, step[:count])
        solve_factored(scratch.hessian, count, step)
        slope = -_inner(scratch.trial[:count], step[:count])
        # Where F is a quadratic the step lowers it by half the slope.
        if -slope <= _RESTS * objective or objective + 1.5 * slope > target:
            return objective
        scratch.change[:] = 0
        propagate(chain, active.units, count, step, scratch.change)
        length = _line_search(chain, scratch, slope)
        for u in range(count):
            active.values[u] += length * step[u]
        following = measure(chain, offset, active, scratch)
        if not following < objective:
            for u in range(count):
                active.values[u] -= length * step[u]
            return measure(chain, offset, active, scratch)
        objective = following
    return objective
