"""The forward model by thresholding: ``t_i ~ t_{i-1} C_i`` from ``t_0 = x``, layer after layer.

The largest entries of ``t_{i-1} C_i`` are the code with so many entries that
leaves the shortest residual, given the layer before. Soft thresholds with
positive codes are the forward pass of a ReLU network whose biases are minus
the thresholds.
"""

import numpy as np
from scipy import sparse

from .._jit import kernel
from .._parallel import run_blocks
from ..coding import Status
from ._solution import LayerCodes

_BLOCK = 256  # signals

_NOT_REACHED = int(Status.TOL_NOT_REACHED)


@kernel(counts_references=False)
def _sink(heap, place, size):
    """Let an entry of a heap, whose largest is first, go down to where it belongs."""
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[place] >= heap[child]:
            break
        heap[place], heap[child] = heap[child], heap[place]
        place = child


@kernel(counts_references=False)
def _largest_last(heap, count):
    """Sort as far as the `count` largest: they come last, ascending, and the next is first."""
    for place in range(heap.size // 2 - 1, -1, -1):
        _sink(heap, place, heap.size)
    for size in range(heap.size - 1, heap.size - 1 - min(count, heap.size - 1), -1):
        heap[0], heap[size] = heap[size], heap[0]
        _sink(heap, 0, size)


@kernel(counts_references=False)
def _within(ascending, n_left, lost, allowed, soft):
    """How many entries to keep, and how much to take off each, for a residual within a limit.

    Squares are added from the smallest, so that none is lost in the sum.
    """
    for j in range(ascending.size - n_left, ascending.size):
        n_above = ascending.size - j
        square = ascending[j] ** 2
        if soft and lost + n_above * square > allowed:
            return n_above, np.sqrt(max(allowed - lost, 0.0) / n_above)
        if not soft and lost + square > allowed:
            return n_above, 0.0
        lost += square
    return 0, 0.0


@kernel
def threshold_rows(images, count, limit, alpha, soft, positive, out, status):
    """Threshold every row.

    Entries above `alpha` remain; of these the `count` largest where that is not negative, else,
    where `alpha` is 0 and `limit` is not negative, so many (hard) or so little of each (soft) that
    what is cut off is no longer than `limit`. Ties go to the lowest index. A status is
    written only where a limit is missed.
    """
    n_units = images.shape[1]
    unit = np.finfo(images.dtype).eps
    keys, heap = np.empty(n_units), np.empty(n_units)
    for i in range(images.shape[0]):
        n_left, norm2, lost = 0, 0.0, 0.0
        for j in range(n_units):
            value = float(images[i, j])
            size = value if positive else abs(value)
            keys[j] = size if size > alpha else 0.0
            heap[j] = keys[j]
            norm2 += value * value
            if size > alpha:
                n_left += 1
            else:
                lost += value * value
        allowed = (limit + unit * np.sqrt(norm2)) ** 2
        n_kept, shift = n_left, alpha if soft else 0.0
        if 0 <= count < n_left:
            n_kept = count
            _largest_last(heap, n_kept)
        elif count < 0 and limit >= 0 and alpha == 0:
            _largest_last(heap, n_left)
            n_kept, shift = _within(heap, n_left, lost, allowed, soft)
        level, n_ties = 0.0, 0
        if n_kept < n_left:
            # The largest that goes; of those as large as it, the first stay.
            level = heap[0] if count >= 0 else heap[n_units - 1 - n_kept]
            n_ties = n_kept
            for j in range(n_units):
                n_ties -= keys[j] > level
        cut2 = 0.0
        for j in range(n_units):
            value = float(images[i, j])
            kept = keys[j] > level
            if n_ties > 0 and keys[j] == level:
                kept = True
                n_ties -= 1
            left = max(keys[j] - shift, 0.0) if kept else 0.0
            left = left if value > 0 else -left
            out[i, j] = left
            cut2 += (value - left) ** 2
        if limit >= 0 and cut2 > allowed * (1 + 4 * unit):
            status[i] = _NOT_REACHED


def solve_forward_greedy(
    X,
    stack,
    demands,
    *,
    kind="hard",
    alpha=None,
    positive=False,
    n_jobs=None,
    verbose=0,
):
    """Threshold layer after layer.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries of the forward model.
    demands : Demands
        What is asked of each layer. A layer with a count keeps so many of its largest entries;
        one with a limit alone the fewest that leave no longer a residual.
    kind : {"hard", "soft"}, default="hard"
        Whether what is kept stays as it is, or is shortened by the threshold. Soft with a
        limit alone: the largest threshold that leaves no longer a residual.
    alpha : sequence of float or None, default=None
        Threshold of each layer, None for 0: entries not above it are dropped.
    positive : bool, default=False
        Whether only positive entries are kept.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    list of LayerCodes
        Status ``TOL_NOT_REACHED`` where the residual of the layer is longer than its limit.
    """
    n_samples, n_layers = X.shape[0], len(stack)
    n_blocks = -(-n_samples // _BLOCK)
    status = np.full((n_layers, n_samples), Status.DONE, np.int8)
    blocks = [[None] * n_blocks for _ in range(n_layers)]
    levels = [0.0 if value is None else value for value in alpha or [None] * n_layers]
    counts = [-1 if value is None else value for value in demands.n_nonzero]
    limits = [-1.0 if value is None else value for value in demands.epsilon]

    def make_worker():
        scratch = [np.empty((2, _BLOCK, k), X.dtype) for k in stack.n_components]

        def solve(number):
            rows = slice(number * _BLOCK, min((number + 1) * _BLOCK, n_samples))
            codes = X[rows]
            for layer, matrix in enumerate(stack.dictionaries):
                images, kept = scratch[layer][:, : codes.shape[0]]
                np.dot(codes, matrix, out=images)
                threshold_rows(
                    images,
                    counts[layer],
                    limits[layer],
                    levels[layer],
                    kind == "soft",
                    positive,
                    kept,
                    status[layer, rows],
                )
                blocks[layer][number] = sparse.csr_array(kept)
                codes = kept

        return solve

    run_blocks(make_worker, n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    once = np.ones(n_samples, np.int32)
    return [
        LayerCodes(stack_rows(part, k, X.dtype), once, layer_status)
        for part, k, layer_status in zip(blocks, stack.n_components, status, strict=True)
    ]


def stack_rows(blocks, n_columns, dtype):
    """CSR blocks one below another."""
    if not blocks:
        return sparse.csr_array((0, n_columns), dtype=dtype)
    return sparse.csr_array(sparse.vstack(blocks, format="csr"))
