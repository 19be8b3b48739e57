"""The forward model jointly: ``t_i ~ t_{i-1} C_i`` from ``t_0 = x``, with sparse ``t_i``.

Thresholding layer after layer need not find a chain that meets all demands
where there is one: a code that is not the nearest to its own layer may let the
next be sparse. Here the residual of one layer is traded against that of
another.
"""

import numpy as np
from scipy import sparse

from .._parallel import run_blocks
from ._forward_active import Chain
from ._forward_greedy import stack_rows
from ._forward_search import BESIDE, search_block
from ._forward_starts import new_search
from ._solution import LayerCodes

_BLOCK = 16  # of signals that take milliseconds


def solve_forward_joint(X, stack, demands, *, max_iter=200, n_jobs=None, verbose=0):
    """Search for a chain that meets all demands, or comes as near to it as can be found.

    ``F = 1/2 sum_i max(0, ||t_i - t_{i-1} C_i|| - epsilon_i)^2``, least squares where no limits
    are asked for, is minimised over the values on fixed supports to machine accuracy, and
    over supports by exchanges of one unit for another, from the greedy chain, chains that
    are greedy after noise of the size of the limits, and random exchanges of the best
    so far. Where some layers have a limit and others none, limits come first, and then
    short residuals of the others. Layers without a count get few units: those that can go
    are taken away one by one.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack, the largest entry about 1.
    stack : Stack
        Dictionaries of the forward model.
    demands : Demands
        What is asked of each layer.
    max_iter : int, default=200
        Supports for which values are solved for, of each signal; the search ends a little
        after that, or when twelve starts in a row have found nothing better.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    list of LayerCodes
        ``n_iter`` counts the supports. Status: ``DONE`` where all limits are met,
        ``MAX_ITER`` and ``TOL_NOT_REACHED`` where they are not.
    """
    n_samples = X.shape[0]
    chain = _make_chain(stack, demands)
    n_units = int(chain.begins[-1])
    n_blocks = -(-n_samples // _BLOCK)
    blocks = [None] * n_blocks
    n_iter, status = np.zeros(n_samples, np.int32), np.zeros(n_samples, np.int8)

    def make_worker():
        own = chain._replace(weights=chain.weights.copy())  # which the kernel changes on its way
        search = new_search(n_units, len(stack), int(chain.counts.sum()))
        codes = np.empty((_BLOCK, n_units), X.dtype)

        def solve(number):
            rows = slice(number * _BLOCK, min((number + 1) * _BLOCK, n_samples))
            images = X[rows] @ stack.dictionaries[0]
            part = codes[: images.shape[0]]
            search_block(own, images, search, max_iter, part, n_iter[rows], status[rows])
            blocks[number] = sparse.csr_array(part)

        return solve

    run_blocks(make_worker, n_blocks, n_jobs=n_jobs, verbose=verbose, description="coding")
    codes = sparse.csc_array(stack_rows(blocks, n_units, X.dtype))
    return [
        LayerCodes(sparse.csr_array(codes[:, first:end]), n_iter, status)
        for first, end in zip(chain.begins[:-1], chain.begins[1:], strict=True)
    ]


def _make_chain(stack, demands):
    """A stack and its demands as the kernels see them."""
    sizes = np.array(stack.n_components)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    dtype = stack.dtype
    inner = stack.dictionaries[1:]
    matrix_at, gram_at = np.zeros((2, begins[-1]), np.int64)
    matrix_end = gram_end = 0
    for layer, matrix in enumerate(inner):
        k, width = matrix.shape
        units = slice(begins[layer], begins[layer + 1])
        matrix_at[units] = matrix_end + width * np.arange(k)
        gram_at[units] = gram_end + k * np.arange(k)
        matrix_end += k * width
        gram_end += k * k
    counted = np.array([count is not None for count in demands.n_nonzero])
    asked = np.array([value is not None for value in demands.epsilon])
    n_rows = np.array([matrix.shape[0] for matrix in stack.dictionaries])
    # In float64 whatever the stack: a Gram matrix rounded to float32 has negative eigenvalues far
    # below the damping of the Newton steps.
    wide = [matrix.astype(np.float64) for matrix in inner]
    return Chain(
        matrices=np.concatenate([np.empty(0, dtype), *(m.ravel() for m in inner)]),
        grams=np.concatenate([np.empty(0), *((m @ m.T).ravel() for m in wide)]),
        begins=begins,
        layer=np.repeat(np.arange(len(sizes)), sizes),
        matrix_at=matrix_at,
        gram_at=gram_at,
        counts=np.array(demands.counts(stack)),
        counted=counted,
        asked=asked,
        limits=np.array(demands.limits, np.float64),
        weights=np.where(asked | ~asked.any(), 1.0, BESIDE),
        rounding=float(np.finfo(dtype).eps) * np.sqrt(n_rows),
        some_free=not bool(counted.all()),
        mixed=bool(asked.any() and not asked.all()),
    )
