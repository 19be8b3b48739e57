"""The deep coding problem of tiny stacks by trying every support; numpy only.

For given supports the problem is convex: with ``y = (x, 0, ..., 0)`` and the columns of the joint
matrix of :func:`joint_matrix` on the supports, F = 1/2 sum_i max(0, ||r_i|| - epsilon_i)^2 is half
the squared distance from a subspace to a product of balls. All supports are worked on at once.
"""

import itertools

import numpy as np


def joint_matrix(dictionaries):
    """One column for every atom of every layer, and the slices of layers in columns and rows.

    The residuals of all layers, ``g_{i-1} - g_i C_i``, one below another, are ``y - M z``.
    """
    sizes = [len(dictionary) for dictionary in dictionaries]
    widths = [dictionary.shape[1] for dictionary in dictionaries]
    columns, rows = (
        [slice(end - size, end) for size, end in zip(parts, np.cumsum(parts), strict=True)]
        for parts in (sizes, widths)
    )
    matrix = np.zeros((sum(widths), sum(sizes)))
    for layer, dictionary in enumerate(dictionaries):
        matrix[rows[layer], columns[layer]] = dictionary.T
        if layer + 1 < len(dictionaries):
            matrix[rows[layer + 1], columns[layer]] = -np.eye(sizes[layer])
    return matrix, columns, rows


def all_supports(sizes, counts):
    """Every choice of exactly so many atoms of each layer, numbered through the layers."""
    starts = np.concatenate([[0], np.cumsum(sizes)])
    per_layer = [
        list(itertools.combinations(range(start, start + size), count))
        for start, size, count in zip(starts[:-1], sizes, counts, strict=True)
    ]
    chosen = [sum(choice, ()) for choice in itertools.product(*per_layer)]
    return np.array(chosen, dtype=int).reshape(len(chosen), sum(counts))


def bases(matrix, supports):
    """Orthonormal bases of the columns of every support, filled up with zeros."""
    chosen = np.moveaxis(matrix[:, supports], 1, 0)
    left, singular, _ = np.linalg.svd(chosen, full_matrices=False)
    largest = singular.max(axis=1, keepdims=True, initial=1e-300)
    return left * (singular > 1e-12 * largest)[:, None, :]


def least_squares_values(target, basis):
    """Half the squared distance of the target from each subspace."""
    explained = np.einsum("sij,i->sj", basis, target)
    residual = target - np.einsum("sij,sj->si", basis, explained)
    return 0.5 * np.einsum("si,si->s", residual, residual)


def _distance(residual, rows, limits):
    """F of residuals, and its gradient in them."""
    values, gradient = np.zeros(len(residual)), np.empty_like(residual)
    for part, limit in zip(rows, limits, strict=True):
        norms = np.linalg.norm(residual[:, part], axis=1)
        excess = np.maximum(norms - limit, 0)
        values += 0.5 * excess**2
        gradient[:, part] = residual[:, part] * (excess / np.maximum(norms, 1e-300))[:, None]
    return values, gradient


def distance_values(target, basis, rows, limits, max_iter=20000, tol=1e-10):
    """F of every support: Nesterov's method with restarts, whose step 1 the unit bases allow.

    A support is finished where it reaches 0, or where the gradient on it is shorter than ``tol``.
    """
    results = np.empty(len(basis))
    alive = np.arange(len(basis))
    codes = np.einsum("sij,i->sj", basis, target)
    ahead, momentum = codes.copy(), np.ones(len(basis))
    for iteration in range(max_iter):
        residual = target - np.einsum("sij,sj->si", basis, ahead)
        values, pull = _distance(residual, rows, limits)
        gradient = np.einsum("sij,si->sj", basis, pull)
        ended = (np.linalg.norm(gradient, axis=1) <= tol) | (values <= 1e-24)
        if iteration == max_iter - 1:
            ended[:] = True
        results[alive[ended]] = values[ended]
        new = ahead + gradient
        uphill = np.einsum("sj,sj->s", gradient, new - codes) < 0
        following = np.where(uphill, 1.0, (1 + np.sqrt(1 + 4 * momentum**2)) / 2)
        factor = np.where(uphill, 0.0, (momentum - 1) / following)
        ahead, codes = new + factor[:, None] * (new - codes), new
        keep = ~ended
        if not keep.any():
            break
        alive, basis, codes = alive[keep], basis[keep], codes[keep]
        ahead, momentum = ahead[keep], following[keep]
    return results


def best_value(x, dictionaries, counts, limits):
    """The least F of one signal over all supports of so many atoms."""
    matrix, _, rows = joint_matrix(dictionaries)
    target = np.zeros(len(matrix))
    target[rows[0]] = x
    supports = all_supports([len(dictionary) for dictionary in dictionaries], counts)
    basis = bases(matrix, supports)
    if not any(limits):
        return least_squares_values(target, basis).min()
    # Each distance lies between 0 and that of least squares: begin with the closest supports.
    order = np.argsort(least_squares_values(target, basis), kind="stable")
    few = order[:60]
    best = distance_values(target, basis[few], rows, limits).min()
    if best > 1e-20 and len(order) > len(few):
        best = min(best, distance_values(target, basis[order[60:]], rows, limits).min())
    return best


def fewest_atoms(x, dictionaries, limits, most):
    """The least number of atoms of all layers together that reach F = 0; None if over ``most``."""
    sizes = [len(dictionary) for dictionary in dictionaries]
    for total in range(most + 1):
        for counts in itertools.product(*(range(min(size, total) + 1) for size in sizes)):
            if sum(counts) == total and best_value(x, dictionaries, counts, limits) <= 1e-18:
                return total
    return None
