"""Signals with missing features: each is coded on the features that were observed.

Signals that miss the same features share one restricted dictionary and its Gram
matrix; a pattern that only one signal has costs one Gram matrix for it alone.
"""

import numpy as np

from ._problem import Problem, refuse_not_finite


def patterns(block):
    """The distinct sets of observed features, and the signals that have each.

    Yields
    ------
    observed : ndarray of bool, shape (n_features,)
    members : ndarray of int
        Rows of `block`.
    """
    observed = ~np.isnan(block)
    packed = np.packbits(observed, axis=1)
    _, first, inverse = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(np.bincount(inverse))[:-1]
    for row, members in zip(first, np.split(order, ends), strict=True):
        yield observed[row], members


class MaskedWorker:
    """One thread's way of a block of signals with missing features.

    Parameters
    ----------
    worker : object
        A worker of the whole problem, whose scratch for codes is used.
    make_worker : callable
        Makes the worker of a problem without missing features.
    """

    def __init__(self, worker, make_worker):
        self.problem, self.codes, self.make_worker = worker.problem, worker.codes, make_worker

    def __call__(self, rows):
        """Code a slice of signals; returns the codes and the squared residuals."""
        problem = self.problem
        block = problem.X[rows]
        infinite = np.isinf(block).any(axis=1)
        if infinite.any():
            refuse_not_finite(rows.start + int(infinite.argmax()))
        codes = type(self.codes)(*(array[: len(block)] for array in self.codes))
        residuals = np.zeros(len(block), problem.dtype)
        for observed, members in patterns(block):
            for array in codes[2:]:
                array[members] = 0
            if not observed.any():
                continue
            part = Problem(
                block[np.ix_(members, observed)],
                problem.components[:, observed],
                algorithm=problem.algorithm,
                request=problem.asked,
                tol=problem.tol,
                init=None if problem.init is None else problem.init[rows][members],
            )
            part.block_length = members.size
            part_codes, part_residuals = self.make_worker(part)(slice(0, members.size))
            for array, part_array in zip(codes, part_codes, strict=True):
                array[members] = part_array
            if part_residuals is not None:
                residuals[members] = part_residuals
        return codes, residuals
