"""Weighted sums over signals, of parts that do not depend on the number of threads."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._parallel import run_blocks

_ROWS = 1024  # signals whose codes of all layers are dense at a time
_MOST_PARTS = 8  # partial sums; fixed, so that sums do not depend on the number of threads
_POWER = 3  # of a signal's number, in proportion to which it counts in `FadingSums`


def layer_sums(X, codes, weight, n_jobs=None):
    """Of each layer the Gram matrix of its codes and their products with the layer above.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    codes : sequence of {ndarray, CSR} of shape (n_samples, n_components_i)
        Codes of some layers, from the first.
    weight : ndarray of shape (n_samples,)
        Weights, W their diagonal matrix.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    list of (ndarray, ndarray)
        ``codes_i.T @ W @ codes_i`` and ``codes_i.T @ W @ codes_{i-1}``, float64.
    """

    def add(rows):
        factors = weight[rows, None]
        sums, above = [], factors * X[rows]
        for layer in codes:
            code = layer[rows]
            weighted = factors * dense(code)
            sums.append((code.T @ weighted).astype(np.float64))
            sums.append((code.T @ above).astype(np.float64))
            above = weighted
        return sums

    sums = sum_over_rows(add, len(X), n_jobs)
    return list(zip(sums[::2], sums[1::2], strict=True))


def sum_over_rows(add, n_samples, n_jobs):
    """Sums over signals of the arrays that `add` returns for some of them, a slice of rows."""
    n_parts = max(1, min(_MOST_PARTS, n_samples // _ROWS))
    edges = np.linspace(0, n_samples, n_parts + 1).astype(int)
    parts = [None] * n_parts

    def make_worker():
        def sum_part(part):
            total, end = None, edges[part + 1]
            for first in range(edges[part], end, _ROWS):
                terms = add(slice(first, min(first + _ROWS, end)))
                if total is None:
                    total = terms
                else:
                    for array, term in zip(total, terms, strict=True):
                        array += term
            parts[part] = total

        return sum_part

    run_blocks(make_worker, n_parts, n_jobs=n_jobs)
    return [sum(arrays[1:], arrays[0]) for arrays in zip(*parts, strict=True)]


def dense(rows):
    """An ndarray of a matrix of either kind."""
    return rows.toarray() if sparse.issparse(rows) else rows


@dataclass(frozen=True)
class FadingSums:
    """What is remembered of signals that were learned from in batches; old ones count less.

    Attributes
    ----------
    scale : float
        What signals were multiplied by.
    sums : list of (ndarray, ndarray)
        As of `layer_sums`; empty where no signals have been seen.
    weight : float
        Of all signals seen.
    n_steps : int
        Number of batches added.
    """

    scale: float
    sums: list
    weight: float
    n_steps: int = 0

    @classmethod
    def of(cls, data, codes, n_jobs=None):
        """Sums over `TrainingSignals`, in the weights as given; without codes of no signals."""
        unit = data.total / len(data.X)
        sums = layer_sums(data.X, codes, data.weight, n_jobs)
        sums = [(unit * gram, unit * cross) for gram, cross in sums]
        return cls(data.scale, sums, data.total if sums else 0.0)

    def after(self, earlier):
        """These sums with earlier ones, in the same units, added; None where there are none."""
        if earlier is None:
            return replace(self, n_steps=1)
        sums, weight = self.sums, earlier.weight + self.weight
        if earlier.sums:
            kept = (earlier.weight / weight) ** _POWER
            sums = [
                (kept * old_gram + gram, kept * old_cross + cross)
                for (old_gram, old_cross), (gram, cross) in zip(earlier.sums, sums, strict=True)
            ]
        return replace(self, sums=sums, weight=weight, n_steps=earlier.n_steps + 1)
