"""Does a code do what its pursuit is defined to do? Decided before anything is timed.

The definition is replayed in float64 with dense least squares, for each library alike, so that
two that differ in a tie both pass, and one that computes something else does not.
"""

import numpy as np

# How far a chosen atom may lie under the best one, relatively, and still count as a tie.
TIE = {"float64": 1e-7, "float32": 5e-3}
# Largest distance of a residual from that of least squares, relative to the signal.
CLOSE = {"float64": 1e-7, "float32": 1e-3}

# Largest relative duality gap of a lasso solution that is compared. Some rivals cannot be asked for
# less; ours is asked for 1e-6.
GAP = {"float64": 1e-2, "float32": 1e-2}


def step_scores(signal, dictionary, chosen, pursuit):
    """What a greedy step compares, for every atom, once `chosen` are taken; and the residual.

    OMP: the correlation with the residual. OLS: that correlation over the length of the part of
    the atom that is orthogonal to the chosen ones, so that the residual falls most.
    """
    basis, _ = np.linalg.qr(dictionary[chosen].T)
    residual = signal - basis @ (basis.T @ signal)
    values = np.abs(dictionary @ residual)
    if pursuit == "ols":
        lengths = np.linalg.norm(dictionary - (dictionary @ basis) @ basis.T, axis=1)
        values = np.divide(values, lengths, out=np.zeros_like(values), where=lengths > 1e-6)
    values[chosen] = 0.0
    return values, residual


def replay(signal, dictionary, support, pursuit):
    """Take the atoms of `support` in the best order that the pursuit allows.

    Returns
    -------
    shortfall : float
        Largest relative distance of a chosen score from the best one at its step; 0 where the
        pursuit can have chosen just these atoms.
    squared_norms : list of float
        Squared residual norm before the first step and after each.
    residual : ndarray
        The last residual: that of least squares on the support.
    """
    chosen, left, shortfall, squared_norms = [], list(support), 0.0, []
    while True:
        values, residual = step_scores(signal, dictionary, chosen, pursuit)
        squared_norms.append(residual @ residual)
        if not left:
            return shortfall, squared_norms, residual
        best = max(left, key=values.__getitem__)
        if values.max() > 0:
            shortfall = max(shortfall, 1.0 - values[best] / values.max())
        chosen.append(best)
        left.remove(best)


def check_lasso(task, X, dictionary, code):
    """Raise ValueError unless `code` solves the lasso, by the duality gap of each signal.

    The error-constrained lasso is checked as the lasso whose penalty is the largest correlation
    that its residual leaves, and for its tolerance.
    """
    code = code.toarray().astype(np.float64)
    residual = X - code @ dictionary
    correlation = np.abs(residual @ dictionary.T).max(axis=1)
    norm2 = np.einsum("ij,ij->i", residual, residual)
    alpha = np.full(len(X), task.alpha) if task.tol is None else correlation
    scale = np.minimum(1.0, alpha / np.maximum(correlation, 1e-300))
    primal = 0.5 * norm2 + alpha * np.abs(code).sum(axis=1)
    dual = scale * np.einsum("ij,ij->i", X, residual) - 0.5 * scale**2 * norm2
    gap = ((primal - dual) / (0.5 * np.einsum("ij,ij->i", X, X))).max()
    if gap > GAP[task.dtype]:
        raise ValueError(f"{task}: a relative duality gap of {gap:.1e}")
    if task.tol is not None and norm2.max() > task.tol * (1 + 10 * GAP[task.dtype]):
        raise ValueError(f"{task}: a squared residual of {norm2.max():.6g}")


def check_codes(task, X, dictionary, code):
    """Raise ValueError unless every row of the CSR matrix `code` is what the task asks for."""
    X, dictionary = X.astype(np.float64), dictionary.astype(np.float64)
    if task.pursuit == "lasso":
        return check_lasso(task, X, dictionary, code)
    tie, close = TIE[task.dtype], CLOSE[task.dtype]
    for i, signal in enumerate(X):
        row = code[i : i + 1].toarray()[0].astype(np.float64)
        support = np.flatnonzero(row)
        shortfall, squared_norms, least = replay(signal, dictionary, support, task.pursuit)
        if shortfall > tie:
            raise ValueError(f"{task}: signal {i} has an atom {shortfall:.1e} from the best one")
        distance = np.linalg.norm(signal - row @ dictionary - least) / np.linalg.norm(signal)
        if distance > close:
            raise ValueError(f"{task}: signal {i} is {distance:.1e} away from least squares")
        if support.size > task.n_nonzero_coefs:
            raise ValueError(f"{task}: signal {i} has {support.size} atoms")
        if task.tol is None:
            if support.size < task.n_nonzero_coefs:
                raise ValueError(f"{task}: signal {i} has only {support.size} atoms")
        else:
            if support.size < task.n_nonzero_coefs and squared_norms[-1] > task.tol * (1 + close):
                raise ValueError(f"{task}: signal {i} stopped above the tolerance")
            # One atom for a signal that needs none is let pass: dictlearn always takes one.
            if support.size > 1 and squared_norms[-2] < task.tol * (1 - close):
                raise ValueError(f"{task}: signal {i} went on below the tolerance")


def n_different_supports(code, other):
    """In how many rows of two CSR matrices the non-zero positions differ."""
    differ = (code != 0) != (other != 0)
    return int(np.count_nonzero(np.diff(differ.tocsr().indptr)))
