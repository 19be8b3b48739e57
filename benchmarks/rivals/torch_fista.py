"""FISTA for all signals at once in torch, a fixed number of steps; its gap is checked like all."""

from importlib.util import find_spec

import numpy as np
from scipy.sparse import csr_matrix

name = "torch FISTA"
note = "two matrix products and a soft threshold a step, in blocks of 4096 signals"
STEPS = 400


def installed():
    return find_spec("torch") is not None


def supports(task):
    return task.pursuit == "lasso" and task.tol is None


def limit(task):
    return 8_192


def prepare(task, X, dictionary, n_threads):
    import torch

    torch.set_num_threads(n_threads)
    signals, atoms = torch.from_numpy(X), torch.from_numpy(dictionary)
    step = 1.0 / float(np.linalg.norm(dictionary, 2)) ** 2

    def solve():
        with torch.no_grad():
            return torch.cat([block(part) for part in signals.split(4096)]).numpy()

    def block(part):
        code = point = torch.zeros(len(part), len(atoms), dtype=part.dtype)
        weight = 1.0
        for _ in range(STEPS):
            gradient = (point @ atoms - part) @ atoms.T
            new = torch.nn.functional.softshrink(point - step * gradient, step * task.alpha)
            following = (1 + (1 + 4 * weight**2) ** 0.5) / 2
            point = new + (weight - 1) / following * (new - code)
            code, weight = new, following
        return code

    return solve


def codes(result):
    return csr_matrix(result)
