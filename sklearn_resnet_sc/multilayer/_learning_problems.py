"""What joint learning makes small: the multi-layer lasso, or the residuals between layers."""

import numpy as np
from scipy import sparse

from .._parallel import run_blocks
from ._layered import solve_layered
from ._ml_fista import lasso_objective, multi_layer_lasso
from ._stack import Stack

_ROWS = 1024  # signals whose codes of all layers are dense at a time
_MOST_PARTS = 8  # partial sums; fixed, so that sums do not depend on the number of threads
_HALVINGS = 8
_WARM_SHARE = 4  # of the iterations from nothing, what codes to begin with need
_TWIN = 0.99  # cosine from which two directions are one


class JointLasso:
    """The multi-layer lasso, as a function of the deepest codes and of all dictionaries.

    Its objective is ``1/2 ||x - g_L C_L ... C_1||^2 + sum_i l_i ||g_L C_L ... C_{i+1}||_1``,
    summed over signals. The first dictionary is updated by its least squares problem, the
    others by a gradient step that is halved until the objective does not rise.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    sets : list of PlainAtoms or SkipAtoms
        Which atoms each layer may have.
    penalties : sequence of float
        The weights ``l_i``.
    options : dict
        Of `multi_layer_lasso`.
    """

    def __init__(self, X, sets, penalties, options):
        self.X, self.sets, self.penalties, self._options = X, sets, penalties, options
        self._n_jobs = options["n_jobs"]
        self._size = 1.0

    def code(self, atoms, codes=None):
        """Deepest codes and objective of every signal, not larger than at the codes given."""
        options = self._options
        if codes is not None:
            options = options | {"max_iter": -(-options["max_iter"] // _WARM_SHARE)}
        result = multi_layer_lasso(self.X, _stack(atoms), self.penalties, start=codes, **options)
        deepest, losses = result.codes[-1], result.objective
        if codes is not None:
            before = self.losses(atoms, codes)
            worse = ~(losses <= before)
            deepest[worse], losses[worse] = codes[worse], before[worse]
        return deepest, losses

    def losses(self, atoms, deepest):
        """The objective of every signal."""
        stack, losses = _stack(atoms), np.empty(len(self.X))

        def measure(rows):
            losses[rows] = lasso_objective(self.X[rows], stack, self.penalties, deepest[rows])
            return []

        _sum_over_rows(measure, len(self.X), self._n_jobs)
        return losses

    def layers(self, atoms, deepest):
        """Codes of all layers that follow from the deepest."""
        return _stack(atoms).chain(deepest)

    def update(self, atoms, deepest, losses):
        """All dictionaries, and what they cost each signal at the codes given."""
        if len(atoms) > 1:
            atoms, losses = self._update_inner(atoms, deepest, losses)
        layers = self.layers(atoms, deepest)
        gram, cross = layer_sums(self.X, layers[:1], self._n_jobs)[0]
        new = [self.sets[0].descend(atoms[0], gram, cross), *atoms[1:]]
        new_losses = self.losses(new, deepest)
        if new_losses.mean() <= losses.mean():
            atoms, losses = new, new_losses
        return _renew(self.sets, atoms, self.X, layers, losses), losses

    def _update_inner(self, atoms, deepest, losses):
        gradients, curvatures = self._gradients(atoms, deepest)
        inner = list(zip(self.sets[1:], atoms[1:], gradients, curvatures, strict=True))
        for _ in range(_HALVINGS):
            steps = [s.step(a, gradient, bend, self._size) for s, a, gradient, bend in inner]
            new = [atoms[0], *steps]
            new_losses = self.losses(new, deepest)
            if new_losses.mean() < losses.mean():
                self._size = min(2 * self._size, 1.0)
                return new, new_losses
            self._size /= 2
        self._size *= 2**_HALVINGS // 2  # most of the way back, for other codes
        return atoms, losses

    def _gradients(self, atoms, deepest):
        """Derivatives of the objective by the inner dictionaries, and curvatures of atoms."""
        stack = _stack(atoms)

        def add(rows):
            codes = stack.chain(deepest[rows])
            back = codes[0] @ stack.dictionaries[0] - self.X[rows]
            sums = []
            for above, code, dictionary, penalty in zip(
                codes, codes[1:], stack.dictionaries, self.penalties, strict=False
            ):
                back = back @ dictionary.T
                back += back.dtype.type(penalty) * np.sign(above)
                sums.append((code.T @ back).astype(np.float64))
                sums.append(np.einsum("ij,ij->j", code, code, dtype=np.float64))
            return sums

        sums = _sum_over_rows(add, len(self.X), self._n_jobs)
        norms = [np.linalg.norm(product.astype(np.float64), 2) for product in stack.effective]
        curvatures = [usage * norm**2 for usage, norm in zip(sums[1::2], norms[:-1], strict=True)]
        return sums[::2], curvatures


class LayeredCoding:
    """The residuals of all layers, ``sum_i 1/2 ||g_{i-1} - g_i C_i||^2 + l_i ||g_i||_1``.

    What `solve_layered` makes small from layer to layer; pursuits without a penalty have
    ``l_i = 0``. Dictionaries are updated by their least squares problems, one a layer.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    sets : list of PlainAtoms or SkipAtoms
        Which atoms each layer may have.
    demands : Demands
        Of `solve_layered`.
    alpha : sequence of float or None
        Of `solve_layered`.
    options : dict
        Further ones of `solve_layered`.
    penalised : bool
        Whether `alpha` are the weights ``l_i``; if not, these are 0.
    """

    def __init__(self, X, sets, demands, alpha, options, *, penalised):
        self.X, self.sets, self._demands, self._options = X, sets, demands, options
        self._alpha, self._n_jobs = alpha, options["n_jobs"]
        self.penalties = alpha if penalised else [0.0] * len(sets)

    def code(self, atoms, codes=None):
        """Codes of all layers, and the losses of every signal, not larger than before."""
        found = solve_layered(
            self.X, _stack(atoms), self._demands, alpha=self._alpha, **self._options
        )
        new = [layer.codes for layer in found]
        losses = self.losses(atoms, new)
        if codes is not None:
            before = self.losses(atoms, codes)
            worse = ~(losses <= before)
            if worse.any():
                rows = np.arange(len(worse)) + np.where(worse, len(worse), 0)
                new = [
                    sparse.vstack(pair, format="csr")[rows] for pair in zip(new, codes, strict=True)
                ]
                losses = np.where(worse, before, losses)
        return new, losses

    def losses(self, atoms, codes):
        """What the codes of every signal cost."""
        stack, losses = _stack(atoms), np.zeros(len(self.X))

        def measure(rows):
            for (target, source, dictionary), penalty in zip(
                stack.pairs(self.X, codes), self.penalties, strict=True
            ):
                residual = _dense(target[rows]) - source[rows] @ dictionary
                losses[rows] += 0.5 * np.einsum("ij,ij->i", residual, residual, dtype=np.float64)
                if penalty:
                    losses[rows] += penalty * abs(source[rows]).sum(axis=1)
            return []

        _sum_over_rows(measure, len(self.X), self._n_jobs)
        return losses

    def layers(self, atoms, codes):
        """Codes of all layers."""
        return codes

    def update(self, atoms, codes, losses):
        """All dictionaries, and what they cost each signal at the codes given."""
        sums = layer_sums(self.X, codes, self._n_jobs)
        new = [s.descend(a, *both) for s, a, both in zip(self.sets, atoms, sums, strict=True)]
        new_losses = self.losses(new, codes)
        if new_losses.mean() <= losses.mean():
            atoms, losses = new, new_losses
        return _renew(self.sets, atoms, self.X, codes, losses), losses


def layer_sums(X, codes, n_jobs=None):
    """Of each layer the Gram matrix of its codes and their products with the layer above.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    codes : sequence of {ndarray, CSR} of shape (n_samples, n_components_i)
        Codes of some layers, from the first.
    n_jobs : int, default=None
        Number of threads.

    Returns
    -------
    list of (ndarray, ndarray)
        ``codes_i.T @ codes_i`` and ``codes_i.T @ codes_{i-1}``, float64.
    """

    def add(rows):
        sums, above = [], X[rows]
        for layer in codes:
            code = layer[rows]
            dense = _dense(code)
            sums.append((code.T @ dense).astype(np.float64))
            sums.append((code.T @ above).astype(np.float64))
            above = dense
        return sums

    sums = _sum_over_rows(add, len(X), n_jobs)
    return list(zip(sums[::2], sums[1::2], strict=True))


def _renew(sets, atoms, X, codes, losses):
    """Point atoms without any use at what the layer above has of the signals coded worst.

    At the codes given that changes nothing.
    """
    renewed, target = [], X
    for allowed, layer, code in zip(sets, atoms, codes, strict=True):
        size = abs(code).sum(axis=0)
        idle = np.flatnonzero(size == 0)
        if idle.size:
            directions = _worst_directions(target, losses, idle.size)
            layer = allowed.replace(layer, idle, directions)
        renewed.append(layer)
        target = code
    return renewed


def _worst_directions(target, losses, count):
    """Unit vectors along targets of the largest losses, no two alike."""
    chosen = np.empty((0, target.shape[1]))
    order = np.argsort(-losses, kind="stable")[: 4 * count]
    for signal in _dense(target[order]).astype(np.float64):
        length = np.linalg.norm(signal)
        if length > 0 and not (np.abs(chosen @ (signal / length)) > _TWIN).any():
            chosen = np.vstack([chosen, signal / length])
        if len(chosen) == count:
            break
    return chosen


def _sum_over_rows(add, n_samples, n_jobs):
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


def _stack(atoms):
    return Stack(tuple(layer.components for layer in atoms))


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else rows
