"""ML-ISTA and ML-FISTA: the multi-layer lasso by thresholding from layer to layer.

J. Sulam, A. Aberdam, A. Beck, M. Elad, "On multi-layer basis pursuit,
efficient algorithms and convolutional neural networks", IEEE TPAMI 42 (2020).
The objective is ``1/2 ||x - g_L C_L ... C_1||^2 + sum_i l_i ||g_L C_L ... C_{i+1}||_1``. One
iteration goes down the chain from the deepest codes and up again with a
gradient step and a soft threshold at each layer. It approaches a near-fixed
point whose objective is off the optimum by the order of the first layer's step; no rate
is claimed. The step of layer i in terms of the objective is the product ``t_1 ... t_i`` of the
steps of its own and all layers above, and its threshold is ``l_i`` times that. With ``t_i l_i``,
as one also finds it written, the inner layers would solve a problem with other penalties.
"""

from dataclasses import dataclass

import numpy as np

from .._jit import kernel
from .._parallel import run_blocks, single_threaded_blas

_BLOCK = 512  # signals whose codes of all layers stay in a core's cache
_CHECK_EVERY = 10


@dataclass(frozen=True)
class MultiLayerLasso:
    """Codes of every layer and how the iteration ended for each signal.

    Attributes
    ----------
    codes : list of ndarray
        Codes of each layer, first layer first, as thresholded on the last way up.
    objective : ndarray of float64, shape (n_samples,)
        Of the deepest codes alone, from which those of the other layers would follow.
    n_iter : ndarray of int, shape (n_samples,)
        Iterations done.
    converged : ndarray of bool, shape (n_samples,)
        Whether the deepest codes had come to rest within ``tol``.
    """

    codes: list
    objective: np.ndarray
    n_iter: np.ndarray
    converged: np.ndarray

    def rows(self, rows):
        """The part of some signals, which shares memory with the whole."""
        return MultiLayerLasso(
            [layer[rows] for layer in self.codes],
            self.objective[rows],
            self.n_iter[rows],
            self.converged[rows],
        )


@kernel
def _ascend(estimate, gradient, step, threshold, positive, out):
    """Gradient step and soft threshold of a layer."""
    zero = estimate.dtype.type(0)
    for i in range(estimate.shape[0]):
        for j in range(estimate.shape[1]):
            value = estimate[i, j] - step * gradient[i, j]
            above = max(value - threshold, zero)
            below = zero if positive else min(value + threshold, zero)
            out[i, j] = above + below


@kernel
def _extrapolate(new, old, weights, point):
    """Nesterov's point beyond the new codes, which become the old ones; weights move on.

    Momentum begins anew where it points uphill: where the codes went on against the step that was
    taken from the last point (B. O'Donoghue, E. Candes, Found. Comput. Math. 15, 2015).
    """
    for i in range(new.shape[0]):
        uphill = new.dtype.type(0)
        for j in range(new.shape[1]):
            uphill += (point[i, j] - new[i, j]) * (new[i, j] - old[i, j])
        if uphill > 0:
            weights[i] = 1
        following = (1 + np.sqrt(1 + 4 * weights[i] * weights[i])) / 2
        momentum = new.dtype.type((weights[i] - 1) / following)
        weights[i] = following
        for j in range(new.shape[1]):
            point[i, j] = new[i, j] + momentum * (new[i, j] - old[i, j])
            old[i, j] = new[i, j]


class _Worker:
    """One thread's scratch, and the iteration of a block of signals."""

    def __init__(self, stack, gram, penalties, step, positive, momentum, max_iter, tol):
        self.stack, self.gram, self.penalties = stack, gram, penalties
        self.positive, self.momentum = positive, momentum
        self.max_iter, self.tol = max_iter, tol
        dtype = stack.dtype
        steps = 1 / np.square(stack.spectral_norms)
        steps[0] *= step
        self.steps = [dtype.type(value) for value in steps]
        # The step of a layer in terms of the objective is the product of all steps above.
        self.thresholds = [dtype.type(value) for value in np.cumprod(steps) * penalties]
        sizes = (stack.n_features, *stack.n_components)
        self.points, self.codes = ([np.empty((_BLOCK, k), dtype) for k in sizes] for _ in range(2))
        self.gradients = [np.empty((_BLOCK, k), dtype) for k in sizes]
        if gram is not None:  # layer 1 compares correlations, not signals
            self.codes[0] = np.empty((_BLOCK, sizes[1]), dtype)
        self.old = np.empty((_BLOCK, sizes[-1]), dtype)
        self.weights = np.empty(_BLOCK)

    def solve(self, signals, start, out):
        """Code a block; each signal stops when its own deepest codes rest."""
        remaining = np.arange(len(signals))
        size = remaining.size
        if self.gram is None:
            self.codes[0][:size] = signals
        else:
            np.dot(signals, self.stack.dictionaries[0].T, out=self.codes[0][:size])
        self.old[:size] = 0 if start is None else start
        self.points[-1][:size] = self.old[:size]
        self.weights[:size] = 1
        for iteration in range(1, self.max_iter + 1):
            self._down_and_up(size)
            new, old = self.codes[-1][:size], self.old[:size]
            last = iteration == self.max_iter
            if last or iteration % _CHECK_EVERY == 0:
                change = np.abs(new - old).max(axis=1)
                rests = change <= self.tol * np.abs(new).max(axis=1)
                ended = rests | last
                rows = remaining[ended]
                for layer, layer_codes in enumerate(out.codes, 1):
                    layer_codes[rows] = self.codes[layer][:size][ended]
                out.n_iter[rows], out.converged[rows] = iteration, rests[ended]
                remaining = remaining[~ended]
                kept = self.codes[0], self.codes[-1], self.points[-1], self.old, self.weights
                for array in kept:
                    array[: remaining.size] = array[:size][~ended]
                size = remaining.size
                if size == 0:
                    break
                new, old = self.codes[-1][:size], self.old[:size]
            if not self.momentum:
                self.weights[:size] = 1
            _extrapolate(new, old, self.weights[:size], self.points[-1][:size])
        out.objective[:] = lasso_objective(signals, self.stack, self.penalties, out.codes[-1])

    def _down_and_up(self, size):
        points, codes, gradients = (
            [array[:size] for array in arrays]
            for arrays in (self.points, self.codes, self.gradients)
        )
        dictionaries = self.stack.dictionaries
        for layer in range(len(dictionaries), 1, -1):
            np.dot(points[layer], dictionaries[layer - 1], out=points[layer - 1])
        if self.gram is None:
            np.dot(points[1], dictionaries[0], out=points[0])
        else:
            np.dot(points[1], self.gram, out=gradients[1])
            gradients[1] -= codes[0]
        for layer, dictionary in enumerate(dictionaries, 1):
            if layer > 1 or self.gram is None:
                # What came down to the layer below is the image of this layer's estimate.
                residual = points[layer - 1]
                residual -= codes[layer - 1]
                np.dot(residual, dictionary.T, out=gradients[layer])
            step, threshold = self.steps[layer - 1], self.thresholds[layer - 1]
            _ascend(points[layer], gradients[layer], step, threshold, self.positive, codes[layer])


def lasso_objective(X, stack, penalties, deepest):
    """The objective of the multi-layer lasso at the deepest codes, one number a signal."""
    codes = stack.chain(deepest)
    residual = X - codes[0] @ stack.dictionaries[0]
    objective = 0.5 * np.einsum("ij,ij->i", residual, residual, dtype=np.float64)
    for penalty, layer in zip(penalties, codes, strict=True):
        objective += penalty * np.linalg.norm(layer, 1, axis=1)
    return objective


def multi_layer_lasso(
    X,
    stack,
    penalties,
    *,
    start=None,
    momentum=True,
    step=1.0,
    positive=False,
    max_iter=1000,
    tol=1e-6,
    n_jobs=None,
    verbose=0,
):
    """Minimise the multi-layer lasso approximately, for many signals.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries.
    penalties : sequence of float
        The weight ``l_i`` of each layer's l1 norm.
    start : ndarray of shape (n_samples, n_components_L), default=None
        Deepest codes to start from; zeros if None.
    momentum : bool, default=True
        Whether to iterate ML-FISTA, else ML-ISTA.
    step : float, default=1.0
        Step of the first layer as a multiple, at most 1, of ``1 / ||C_1||_2^2``; the smaller,
        the nearer to the optimum, and the slower. Those of the others are ``1 / ||C_i||_2^2``.
    positive : bool, default=False
        Whether codes of every layer must not be negative.
    max_iter : int, default=1000
        Most iterations.
    tol : float, default=1e-6
        A signal stops where no entry of its deepest code changes by more than `tol`
        times the largest; looked at every tenth iteration.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar.

    Returns
    -------
    MultiLayerLasso
        Codes of all layers, objective, iterations and convergence.
    """
    n_samples = X.shape[0]
    result = MultiLayerLasso(
        codes=[np.zeros((n_samples, k), X.dtype) for k in stack.n_components],
        objective=np.empty(n_samples),
        n_iter=np.zeros(n_samples, int),
        converged=np.zeros(n_samples, bool),
    )

    first, gram = stack.dictionaries[0], None
    # One product with the Gram matrix in place of two with the atoms, where it costs less.
    if first.shape[0] < 2 * first.shape[1]:
        with single_threaded_blas():
            gram = first @ first.T

    def make_worker():
        worker = _Worker(stack, gram, penalties, step, positive, momentum, max_iter, tol)

        def solve(number):
            rows = slice(number * _BLOCK, min((number + 1) * _BLOCK, n_samples))
            worker.solve(X[rows], None if start is None else start[rows], result.rows(rows))

        return solve

    run_blocks(
        make_worker, -(-n_samples // _BLOCK), n_jobs=n_jobs, verbose=verbose, description="coding"
    )
    return result
