"""Codes of every layer, how near they come to what was asked, and how the solver ended."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import sparse

from ..coding import Status

_REASONS = {
    Status.DONE: "done",
    Status.TOL_NOT_REACHED: "tol_not_reached",
    Status.DEPENDENT_ATOMS: "dependent_atoms",
    Status.MAX_ITER: "max_iter",
}


@dataclass(frozen=True)
class LayerCodes:
    """What a solver hands back of one layer.

    Attributes
    ----------
    codes : {ndarray, CSR} of shape (n_samples, n_components)
        Codes, in the precision of the signals; CSR without stored zeros.
    n_iter : ndarray of int, shape (n_samples,)
        Iterations of each signal.
    status : ndarray of int8, shape (n_samples,)
        A `Status` of each signal: how the iteration ended, not whether demands are met.
    """

    codes: object
    n_iter: np.ndarray
    status: np.ndarray

    @classmethod
    def from_dense(cls, codes, n_iter, status=Status.DONE):
        """From a dense array; one number of iterations or status may stand for all signals."""
        n_samples = codes.shape[0]
        return cls(
            codes,
            np.broadcast_to(np.asarray(n_iter, np.int32), n_samples).copy(),
            np.broadcast_to(np.asarray(status, np.int8), n_samples).copy(),
        )


@dataclass(frozen=True, eq=False)
class LayerSolution:
    """One layer of a `DeepCodingSolution`; arrays have an entry per signal.

    Attributes
    ----------
    layer : int
        Number of the layer, from 1.
    codes : CSR of shape (n_samples, n_components)
        Codes.
    residual_norm : ndarray of shape (n_samples,)
        Length of the residual: synthesis ``||g_{i-1} - g_i C_i||_2``, forward
        ``||t_i - t_{i-1} C_i||_2``.
    violation : ndarray of shape (n_samples,)
        By how much the residual is longer than ``sqrt(tol)``; 0 where it is not, or where
        rounding explains it.
    n_excess : ndarray of int, shape (n_samples,)
        How many atoms the code has more than asked for.
    feasible : ndarray of bool, shape (n_samples,)
        Whether the layer has no more atoms and no longer a residual than asked for. Where no
        ``tol`` is given no residual is too long.
    n_iter : ndarray of int, shape (n_samples,)
        Iterations.
    status : ndarray of int8, shape (n_samples,)
        How they ended, a :class:`~sklearn_resnet_sc.coding.Status`.
    """

    layer: int
    codes: sparse.csr_array = field(repr=False)
    residual_norm: np.ndarray = field(repr=False)
    violation: np.ndarray = field(repr=False)
    n_excess: np.ndarray = field(repr=False)
    feasible: np.ndarray = field(repr=False)
    n_iter: np.ndarray = field(repr=False)
    status: np.ndarray = field(repr=False)

    @cached_property
    def n_nonzero(self):
        """Atoms of each signal."""
        return np.diff(self.codes.indptr)

    @property
    def support(self):
        """Which atoms each signal uses, a boolean CSR of shape (n_samples, n_components)."""
        ones = np.ones(self.codes.nnz, dtype=bool)
        return sparse.csr_array((ones, self.codes.indices, self.codes.indptr), self.codes.shape)

    @property
    def stop_reason(self):
        """How the iteration of each signal ended, in a word."""
        return np.array([_REASONS[Status(status)] for status in self.status])

    def __str__(self):
        n_samples, too_many = len(self.feasible), int(self.n_excess.max(initial=0))
        atoms = f", at most {too_many} atoms too many" if too_many else ""
        return (
            f"Layer {self.layer}: {int(self.feasible.sum())} of {n_samples} signals feasible, "
            f"{self.n_nonzero.mean():.4g} atoms and a residual of "
            f"{self.residual_norm.mean():.4g} in the mean, largest violation "
            f"{self.violation.max(initial=0):.4g}{atoms}."
        )


@dataclass(frozen=True, eq=False)
class DeepCodingSolution:
    """Codes of all layers, and which signals have codes as asked.

    Attributes
    ----------
    layers : tuple of LayerSolution
        First layer first.
    objective : ndarray of float64, shape (n_samples,), or None
        The multi-layer lasso at the deepest codes, which ``"ml_ista"`` and ``"ml_fista"`` make
        small; None of other pursuits.
    """

    layers: tuple
    objective: np.ndarray | None = None

    @classmethod
    def assess(cls, X, stack, demands, found, objective=None):
        """Measure what a solver found; whether codes are feasible is decided here alone.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
            Signals.
        stack : Stack
            Dictionaries.
        demands : Demands
            What was asked.
        found : sequence of LayerCodes
            The solver's codes.
        objective : ndarray of shape (n_samples,), default=None
            What it has made small, if it tells.
        """
        codes = [sparse.csr_array(layer.codes) for layer in found]
        norms, rounding = stack.residual_norms(X, codes)
        excess = demands.excess(norms, rounding)
        counts = demands.counts(stack)
        layers = []
        for i, layer in enumerate(found):
            n_excess = np.maximum(np.diff(codes[i].indptr) - counts[i], 0)
            layers.append(
                LayerSolution(
                    layer=i + 1,
                    codes=codes[i],
                    residual_norm=norms[i],
                    violation=excess[i],
                    n_excess=n_excess,
                    feasible=(n_excess == 0) & (excess[i] == 0),
                    n_iter=layer.n_iter,
                    status=layer.status,
                )
            )
        return cls(tuple(layers), objective)

    @property
    def codes(self):
        """Codes of every layer, first layer first."""
        return [layer.codes for layer in self.layers]

    @property
    def feasible(self):
        """Signals that are feasible in every layer."""
        return np.logical_and.reduce([layer.feasible for layer in self.layers])

    @property
    def violation(self):
        """Length of the vector of the violations of all layers, for each signal.

        Of residuals; by how many atoms a layer has too many, its ``n_excess`` tells.
        """
        return np.sqrt(np.sum([layer.violation**2 for layer in self.layers], axis=0))

    def to_frame(self):
        """Return a pandas data frame with a row per signal and layer.

        Returns
        -------
        pandas.DataFrame
            Columns ``signal, layer, n_nonzero, residual_norm, violation, n_excess, feasible,
            n_iter, stop_reason``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        import pandas as pd

        frames = [
            pd.DataFrame(
                {
                    "signal": np.arange(len(layer.feasible)),
                    "layer": layer.layer,
                    "n_nonzero": layer.n_nonzero,
                    "residual_norm": layer.residual_norm,
                    "violation": layer.violation,
                    "n_excess": layer.n_excess,
                    "feasible": layer.feasible,
                    "n_iter": layer.n_iter,
                    "stop_reason": layer.stop_reason,
                }
            )
            for layer in self.layers
        ]
        return pd.concat(frames, ignore_index=True)

    def __str__(self):
        n_feasible, n_samples = int(self.feasible.sum()), len(self.feasible)
        first = f"{n_feasible} of {n_samples} signals have codes as asked in all layers."
        lines = [first, *map(str, self.layers)]
        if self.objective is not None:
            lines.append(
                f"Objective of the multi-layer lasso: {self.objective.mean():.6g} in the mean."
            )
        return "\n".join(lines)
