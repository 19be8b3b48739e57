"""What joint learning makes small: the multi-layer lasso, or the residuals between layers."""

import numpy as np
from scipy import sparse

from ._atom_sets import stack_of
from ._layer_sums import dense, layer_sums, sum_over_rows
from ._layered import solve_layered
from ._ml_fista import lasso_objective, multi_layer_lasso

_HALVINGS = 8
_WARM_SHARE = 4  # of the iterations from nothing, what codes to begin with need
_TWIN = 0.99  # cosine from which two directions are one
_LOOK = 16  # so many signals for each direction wanted: the worst are often neighbours


class _Problem:
    """What both have: signals with weights of mean one, and sets of atoms."""

    def __init__(self, X, weight, sets, n_jobs):
        self.X, self.weight, self.sets, self._n_jobs = X, weight, sets, n_jobs

    def mean(self, losses):
        """Weighted mean over signals."""
        return float(np.average(losses, weights=self.weight))

    def _sums(self, codes):
        return layer_sums(self.X, codes, self.weight, self._n_jobs)

    def _over_signals(self, measure):
        """Losses of every signal from what measures those of some, a slice of rows."""
        losses = np.empty(len(self.X))

        def fill(rows):
            losses[rows] = measure(rows)
            return []

        sum_over_rows(fill, len(self.X), self._n_jobs)
        return losses

    def _settle(self, old, new, codes, layers, losses):
        """New atoms, unless they cost more, with those without use renewed; and what they cost."""
        new_losses = self.losses(new, codes)
        if self.mean(new_losses) > self.mean(losses):
            new, new_losses = old, losses
        return _renew(self.sets, new, self.X, layers, new_losses), new_losses


class JointLasso(_Problem):
    """The multi-layer lasso, as a function of the deepest codes and of all dictionaries.

    Its objective is ``1/2 ||x - g_L C_L ... C_1||^2 + sum_i l_i ||g_L C_L ... C_{i+1}||_1``,
    a weighted mean over signals. The first dictionary is updated by its least squares problem, the
    others by a gradient step that is halved until the objective falls.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    weight : ndarray of shape (n_samples,)
        Their weights, of mean one.
    sets : list of PlainAtoms or SkipAtoms
        Which atoms each layer may have.
    penalties : sequence of float
        The weights ``l_i``.
    options : dict
        Of `multi_layer_lasso`.
    """

    def __init__(self, X, weight, sets, penalties, options):
        super().__init__(X, weight, sets, options["n_jobs"])
        self.penalties, self._options = penalties, options
        self._size = 1.0

    def code(self, atoms, codes=None):
        """Deepest codes and objective of every signal, not larger than at the codes given."""
        options = self._options
        if codes is not None:
            options = options | {"max_iter": -(-options["max_iter"] // _WARM_SHARE)}
        result = multi_layer_lasso(self.X, stack_of(atoms), self.penalties, start=codes, **options)
        deepest, losses = result.codes[-1], result.objective
        if codes is not None:
            before = self.losses(atoms, codes)
            worse = ~(losses <= before)
            deepest[worse], losses[worse] = codes[worse], before[worse]
        return deepest, losses

    def losses(self, atoms, deepest):
        """The objective of every signal."""
        stack = stack_of(atoms)
        return self._over_signals(
            lambda rows: lasso_objective(self.X[rows], stack, self.penalties, deepest[rows])
        )

    def layers(self, atoms, deepest):
        """Codes of all layers that follow from the deepest."""
        return stack_of(atoms).chain(deepest)

    def update(self, atoms, deepest, losses):
        """All dictionaries, and what they cost each signal at the codes given."""
        if len(atoms) > 1:
            atoms, losses = self._update_inner(atoms, deepest, losses)
        layers = self.layers(atoms, deepest)
        gram, cross = self._sums(layers[:1])[0]
        new = [self.sets[0].descend(atoms[0], gram, cross), *atoms[1:]]
        return self._settle(atoms, new, deepest, layers, losses)

    def _update_inner(self, atoms, deepest, losses):
        gradients, curvatures = self._gradients(atoms, deepest)
        inner = list(zip(self.sets[1:], atoms[1:], gradients, curvatures, strict=True))
        for _ in range(_HALVINGS):
            steps = [s.step(a, gradient, bend, self._size) for s, a, gradient, bend in inner]
            new = [atoms[0], *steps]
            new_losses = self.losses(new, deepest)
            if self.mean(new_losses) < self.mean(losses):
                self._size = min(2 * self._size, 1.0)
                return new, new_losses
            self._size /= 2
        self._size *= 2**_HALVINGS // 2  # most of the way back, for other codes
        return atoms, losses

    def _gradients(self, atoms, deepest):
        """Derivatives of the objective by the inner dictionaries, and curvatures of atoms."""
        stack = stack_of(atoms)

        def add(rows):
            codes, factors = stack.chain(deepest[rows]), self.weight[rows, None]
            back = factors * (codes[0] @ stack.dictionaries[0] - self.X[rows])
            sums = []
            for above, code, dictionary, penalty in zip(
                codes, codes[1:], stack.dictionaries, self.penalties, strict=False
            ):
                back = back @ dictionary.T
                back += factors * back.dtype.type(penalty) * np.sign(above)
                sums.append((code.T @ back).astype(np.float64))
                sums.append(np.einsum("ij,ij->j", factors * code, code, dtype=np.float64))
            return sums

        sums = sum_over_rows(add, len(self.X), self._n_jobs)
        norms = [np.linalg.norm(product.astype(np.float64), 2) for product in stack.effective]
        curvatures = [usage * norm**2 for usage, norm in zip(sums[1::2], norms[:-1], strict=True)]
        return sums[::2], curvatures


class LayeredCoding(_Problem):
    """The residuals of all layers, ``sum_i 1/2 ||g_{i-1} - g_i C_i||^2 + l_i ||g_i||_1``.

    A weighted mean over signals; what `solve_layered` makes small from layer to layer. Pursuits
    without a penalty have ``l_i = 0``. Dictionaries are updated by their least squares problems,
    one a layer.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals.
    weight : ndarray of shape (n_samples,)
        Their weights, of mean one.
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

    def __init__(self, X, weight, sets, demands, alpha, options, *, penalised):
        super().__init__(X, weight, sets, options["n_jobs"])
        self._demands, self._alpha, self._options = demands, alpha, options
        self.penalties = alpha if penalised else [0.0] * len(sets)

    def code(self, atoms, codes=None):
        """Codes of all layers, and the losses of every signal, not larger than before."""
        found = solve_layered(
            self.X, stack_of(atoms), self._demands, alpha=self._alpha, **self._options
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
        stack = stack_of(atoms)

        def measure(rows):
            losses = 0.0
            for (target, source, dictionary), penalty in zip(
                stack.pairs(self.X, codes), self.penalties, strict=True
            ):
                residual = dense(target[rows]) - source[rows] @ dictionary
                losses += 0.5 * np.einsum("ij,ij->i", residual, residual, dtype=np.float64)
                if penalty:
                    losses += penalty * abs(source[rows]).sum(axis=1)
            return losses

        return self._over_signals(measure)

    def layers(self, atoms, codes):
        """Codes of all layers."""
        return codes

    def update(self, atoms, codes, losses):
        """All dictionaries, and what they cost each signal at the codes given."""
        return self._settle(
            atoms, descend_all(self.sets, atoms, self._sums(codes)), codes, codes, losses
        )


def descend_all(sets, atoms, sums):
    """Every dictionary for its own layer, from the sums of `layer_sums`."""
    return [
        allowed.descend(layer, *both)
        for allowed, layer, both in zip(sets, atoms, sums, strict=True)
    ]


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
    order = np.argsort(-losses, kind="stable")[: _LOOK * count]
    for row in order:
        signal = dense(target[[row]])[0].astype(np.float64)
        length = np.linalg.norm(signal)
        if length > 0 and not (np.abs(chosen @ (signal / length)) > _TWIN).any():
            chosen = np.vstack([chosen, signal / length])
        if len(chosen) == count:
            break
    return chosen
