"""The greedy pursuits as their papers define them, one signal at a time, in signal space.

Slow and plain: every least squares problem is solved from scratch by LAPACK
(`numpy.linalg.lstsq`) or by `scipy.optimize.nnls`.
"""

import numpy as np
from scipy.optimize import nnls

# Every greedy pursuit, with the options that make it another algorithm.
PURSUITS = {
    "mp": {"algorithm": "mp"},
    "omp": {"algorithm": "omp"},
    "ols": {"algorithm": "ols"},
    "cosamp": {"algorithm": "cosamp"},
    "cosamp, polished": {"algorithm": "cosamp", "polish": True},
    "iht": {"algorithm": "iht"},
    "iht, polished": {"algorithm": "iht", "polish": True},
    "hard_threshold": {"algorithm": "hard_threshold"},
}


def gaussian_problem(n_samples, n_components, n_features, seed=0, unit=True, dtype=np.float64):
    """Signals and atoms without structure: ties and exact dependence do not occur."""
    rng = np.random.default_rng(seed)
    dictionary = rng.standard_normal((n_components, n_features))
    if unit:
        dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return rng.standard_normal((n_samples, n_features)).astype(dtype), dictionary.astype(dtype)


def planted_problem(dictionary, n_samples, sparsity, seed=0, positive=False):
    """Codes with `sparsity` nonzeros of size 1 to 2, and their signals."""
    rng = np.random.default_rng(seed)
    code = np.zeros((n_samples, dictionary.shape[0]))
    for row in code:
        support = rng.choice(row.size, sparsity, replace=False)
        sign = 1 if positive else rng.choice([-1, 1], sparsity)
        row[support] = sign * rng.uniform(1, 2, sparsity)
    return code, code @ dictionary


def fit(x, dictionary, support, positive=False):
    """Least squares code on a support."""
    code = np.zeros(dictionary.shape[0])
    support = list(support)
    if support and positive:
        code[support] = nnls(dictionary[support].T, x)[0]
    elif support:
        code[support] = np.linalg.lstsq(dictionary[support].T, x, rcond=None)[0]
    return code


def largest(values, count, positive=False):
    """Indices of the largest absolute (or positive) values, zeros left out."""
    keys = values if positive else np.abs(values)
    order = np.argsort(-keys, kind="stable")[:count]
    return [j for j in order if keys[j] > 0]


def _residual2(x, dictionary, code):
    return float(np.sum((x - code @ dictionary) ** 2))


def mp(x, dictionary, count, positive=False, max_iter=1000, tol=-1.0):
    code = np.zeros(dictionary.shape[0])
    for _ in range(max_iter):
        residual = x - code @ dictionary
        correlations = dictionary @ residual
        atom = int(np.argmax(correlations if positive else np.abs(correlations)))
        full = code[atom] == 0 and np.count_nonzero(code) == count
        if residual @ residual <= tol or full or (positive and correlations[atom] <= 0):
            break
        code[atom] += correlations[atom] / np.sum(dictionary[atom] ** 2)
    return code


def omp(x, dictionary, count, positive=False, tol=-1.0):
    code = np.zeros(dictionary.shape[0])
    while np.count_nonzero(code) < count and _residual2(x, dictionary, code) > tol:
        correlations = dictionary @ (x - code @ dictionary)
        correlations[code != 0] = 0
        atom = int(np.argmax(correlations if positive else np.abs(correlations)))
        if correlations[atom] == 0 or (positive and correlations[atom] <= 1e-10):
            break
        code = fit(x, dictionary, [*np.flatnonzero(code), atom], positive)
    return code


def ols(x, dictionary, count, positive=False, tol=-1.0):
    code = np.zeros(dictionary.shape[0])
    while np.count_nonzero(code) < count and _residual2(x, dictionary, code) > tol:
        support = np.flatnonzero(code)
        trials = [
            fit(x, dictionary, [*support, atom], positive)
            for atom in range(len(code))
            if code[atom] == 0
        ]
        best = min(trials, key=lambda trial: _residual2(x, dictionary, trial))
        if _residual2(x, dictionary, best) >= _residual2(x, dictionary, code) - 1e-12:
            break
        code = best
    return code


def cosamp(x, dictionary, count, positive=False, polish=False):
    best = np.zeros(dictionary.shape[0])
    while True:
        proxy = dictionary @ (x - best @ dictionary)
        support = np.flatnonzero(best)
        n_joined = min(2 * count, min(dictionary.shape) - support.size)
        union = np.union1d(largest(proxy, n_joined, positive), support).astype(int)
        code = fit(x, dictionary, union, positive)
        kept = largest(code, count, positive)
        pruned = np.zeros_like(code)
        pruned[kept] = code[kept]
        if polish:
            pruned = fit(x, dictionary, kept, positive)
        if not _residual2(x, dictionary, pruned) < _residual2(x, dictionary, best) - 1e-13:
            return best
        best = pruned


def iht(x, dictionary, count, positive=False, polish=False, max_iter=1000):
    code = np.zeros(dictionary.shape[0])
    step = 0
    for _ in range(max_iter):
        gradient = dictionary @ (x - code @ dictionary)

        def best_step(support, gradient=gradient):
            slope = np.sum(gradient[support] ** 2)
            curvature = np.sum((gradient[support] @ dictionary[support]) ** 2)
            return slope / curvature if slope**2 > 1e-28 * curvature * (x @ x) else 0

        support = np.flatnonzero(code)
        own = not polish and best_step(support) > 0
        if own:
            step = best_step(support)
        elif polish or step == 0:
            step = best_step(largest(gradient, count, positive))
        if not step > 0:
            break
        while True:
            moved = code + step * gradient
            kept = largest(moved, count, positive)
            new = np.zeros_like(code)
            new[kept] = moved[kept]
            change = new - code
            same = own and set(kept) == set(np.flatnonzero(code))
            if same or step * np.sum((change @ dictionary) ** 2) <= 0.99 * (change @ change):
                break
            step /= 2
        if polish:
            new = fit(x, dictionary, kept, positive)
        decrease = _residual2(x, dictionary, code) - _residual2(x, dictionary, new)
        if not decrease > 1e-14 * _residual2(x, dictionary, new) + 1e-28:
            break
        code = new
    return code


def hard_threshold(x, dictionary, count, positive=False):
    correlations = dictionary @ x
    code = np.zeros_like(correlations)
    kept = largest(correlations, count, positive)
    code[kept] = correlations[kept]
    return code
