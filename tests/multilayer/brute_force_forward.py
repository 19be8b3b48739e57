"""The forward problem by brute force: the convex problem on every choice of supports.

For supports ``S_1, ..., S_L`` of the sizes allowed, ``F = 1/2 sum_i max(0, ||r_i|| - eps_i)^2``
with ``r_i = t_i - t_{i-1} C_i`` is a convex function of the values on them. All choices are
solved at once by damped Newton steps with matrices from LAPACK, in the full space and without
any of the package's code. What is found is an upper bound of the optimum; a point of the dual,

    maximise sum_i <y_i, -b_i> - 1/2 ||y_i||^2 - eps_i ||y_i||  subject to  sum_i A_i^T y_i = 0,

made from the residuals, is a lower bound, so that both verdicts carry a proof.
"""

from itertools import combinations, pairwise, product

import numpy as np


def all_supports(sizes, counts):
    """Every choice of supports, as an array (n_choices, sum of counts) of units counted through."""
    begins = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    layers = [
        [tuple(begin + np.array(choice)) for choice in combinations(range(size), count)]
        for begin, size, count in zip(begins, sizes, counts, strict=True)
    ]
    return np.array([sum(choice, ()) for choice in product(*layers)], dtype=int)


def linear_map(x, dictionaries):
    """Matrices ``A`` and ``b`` with ``r = A t - b`` for all units of all layers at once."""
    sizes = [matrix.shape[1] for matrix in dictionaries]
    begins = np.concatenate([[0], np.cumsum(sizes)])
    matrix = np.eye(begins[-1])
    for layer in range(1, len(sizes)):
        above = slice(begins[layer - 1], begins[layer])
        matrix[begins[layer] : begins[layer + 1], above] = -dictionaries[layer].T
    target = np.zeros(begins[-1])
    target[: sizes[0]] = x @ dictionaries[0]
    return matrix, target, begins


class BruteForce:
    """Bounds of the least ``F`` over all supports, and the best chain."""

    def __init__(self, x, dictionaries, counts, epsilon, max_iter=200):
        x = np.asarray(x, float)
        dictionaries = [np.asarray(matrix, float) for matrix in dictionaries]
        full, self._target, self._begins = linear_map(x, dictionaries)
        sizes = [matrix.shape[1] for matrix in dictionaries]
        supports = all_supports(sizes, counts)
        self._epsilon = np.asarray(epsilon, float)
        self._maps = full[:, supports].transpose(1, 0, 2)  # (choices, units, values)
        values, objective, lower = self._solve(max_iter)
        best = int(objective.argmin())
        self.upper, self.lower = float(objective[best]), float(lower.min())
        self.codes = np.zeros(len(full))
        self.codes[supports[best]] = values[best]

    @property
    def feasible(self):
        """True, False, or None where the two bounds leave it open."""
        if self.upper < 1e-24:
            return True
        return False if self.lower > 1e-12 else None

    @property
    def violation(self):
        """Least length of the vector of violations."""
        return np.sqrt(2 * self.upper)

    def _parts(self, residual):
        """Of residuals (choices, units): lengths per layer, and what exceeds epsilon of each."""
        begins = self._begins
        lengths = np.stack(
            [np.linalg.norm(residual[:, u:v], axis=1) for u, v in pairwise(begins)], axis=1
        )
        return lengths, np.maximum(lengths - self._epsilon, 0)

    def _spread(self, per_layer):
        return np.repeat(per_layer, np.diff(self._begins), axis=1)

    def _solve(self, max_iter):
        maps, target = self._maps, self._target
        n_choices, _, n_values = maps.shape
        values = np.linalg.solve(
            maps.transpose(0, 2, 1) @ maps + 1e-12 * np.eye(n_values),
            (maps.transpose(0, 2, 1) @ target)[..., None],
        )[..., 0]
        active = np.arange(n_choices)
        objective = np.full(n_choices, np.inf)
        for _ in range(max_iter):
            part = maps[active]
            residual = np.einsum("cuv,cv->cu", part, values[active]) - target
            lengths, excess = self._parts(residual)
            objective[active] = 0.5 * (excess**2).sum(axis=1)
            safe = np.where(lengths > 0, lengths, 1)
            weights = excess / safe
            on = excess > 0
            gradient = np.einsum("cuv,cu->cv", part, self._spread(weights) * residual)
            hessian = part.transpose(0, 2, 1) @ (self._spread(weights)[..., None] * part)
            begins = self._begins
            for layer, (u, v) in enumerate(pairwise(begins)):
                way = np.einsum("cuv,cu->cv", part[:, u:v], residual[:, u:v] / safe[:, [layer]])
                bend = np.where(on[:, layer], 1 - weights[:, layer], 0)
                hessian += bend[:, None, None] * way[:, :, None] * way[:, None, :]
            scale = np.trace(hessian, axis1=1, axis2=2) / n_values + 1e-300
            hessian += (1e-10 * scale)[:, None, None] * np.eye(n_values)
            step = -np.linalg.solve(hessian, gradient[..., None])[..., 0]
            slope = np.einsum("cv,cv->c", gradient, step)
            # Backtracking, all choices side by side.
            change = np.einsum("cuv,cv->cu", part, step)
            length = np.ones(len(active))
            for _ in range(40):
                _, moved = self._parts(residual + length[:, None] * change)
                worse = 0.5 * (moved**2).sum(axis=1) > objective[active] + 1e-4 * length * slope
                if not worse.any():
                    break
                length[worse] /= 2
            better = ~worse
            values[active[better]] += length[better, None] * step[better]
            ended = (objective[active] < 1e-28) | (-slope <= 1e-12 * objective[active]) | worse
            active = active[~ended]
            if not active.size:
                break
        residual = np.einsum("cuv,cv->cu", maps, values) - target
        lengths, excess = self._parts(residual)
        objective = 0.5 * (excess**2).sum(axis=1)
        return values, objective, self._dual(residual, lengths, excess)

    def _dual(self, residual, lengths, excess):
        """Lower bounds: the dual at what exceeds the balls, made orthogonal to all maps."""
        point = self._spread(excess / np.where(lengths > 0, lengths, 1)) * residual
        basis = np.linalg.qr(self._maps)[0]
        for _ in range(2):
            point = point - np.einsum("cuv,cv->cu", basis, np.einsum("cuv,cu->cv", basis, point))
        size = self._parts(point)[0]
        gain = -(point @ self._target)  # <y, r> = <y, -b>, as y is orthogonal to the maps
        return gain - 0.5 * (size**2).sum(axis=1) - (size * self._epsilon).sum(axis=1)
