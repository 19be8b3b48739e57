"""What is asked of the codes of each layer: how many atoms, how close to the layer above."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from .._warn import warn_user


@dataclass(frozen=True)
class Demands:
    """Sparsity and closeness of every layer, the vectors lambda and epsilon of the literature.

    Attributes
    ----------
    n_nonzero : tuple of int or None
        Most atoms of each layer; None where not limited.
    epsilon : tuple of float or None
        Longest residual of each layer (not squared), 0 for an exact chain; None where none
        is asked for, and residuals are to be short.
    """

    n_nonzero: tuple
    epsilon: tuple

    @classmethod
    def check(cls, stack, n_nonzero_coefs, tol, *, required=True, warn=True):
        """Demands from parameters: one value for all layers, or one a layer, None allowed.

        Parameters
        ----------
        stack : Stack
            Dictionaries.
        n_nonzero_coefs : int, sequence of int or None
            Most atoms. More than a layer has are clipped, with one warning.
        tol : float, sequence of float or None
            Squared residual.
        required : bool, default=True
            Whether something must be asked of every layer.
        warn : bool, default=True
            Whether to warn where counts are clipped.

        Raises
        ------
        ValueError
            If a length is wrong, a value out of range, or nothing is asked where something must
            be; the layer is named.
        """
        if required and n_nonzero_coefs is None and tol is None:
            raise ValueError("one of n_nonzero_coefs and tol must be given; both are None.")
        counts = check_counts(n_nonzero_coefs, stack.n_components, warn=warn)
        epsilon = [
            None if value is None else _check_tol(value, name)
            for value, name in per_layer(tol, len(stack), "tol")
        ]
        for layer, (count, longest) in enumerate(zip(counts, epsilon, strict=True), 1):
            if required and count is None and longest is None:
                raise ValueError(
                    f"layer {layer} has neither n_nonzero_coefs nor tol; give one of them."
                )
        return cls(counts, tuple(epsilon))

    def scaled(self, factor):
        """The same demands of signals multiplied by a factor."""
        epsilon = tuple(None if value is None else value * factor for value in self.epsilon)
        return Demands(self.n_nonzero, epsilon)

    @property
    def limits(self):
        """Longest residuals, 0 where none is asked for: what a solver is to come near."""
        return tuple(0.0 if value is None else value for value in self.epsilon)

    def counts(self, stack):
        """Most atoms of each layer as numbers: all of a layer's where not limited."""
        return tuple(
            size if count is None else count
            for count, size in zip(self.n_nonzero, stack.n_components, strict=True)
        )

    def excess(self, norms, rounding):
        """By how much residuals are too long, shape (n_layers, n_samples).

        What rounding explains counts as nothing, and so does every length where none is
        asked for.
        """
        asked = np.array([math.inf if value is None else value for value in self.epsilon])
        excess = norms - asked[:, None]
        return np.where(excess <= rounding, 0.0, excess)  # what is not a number is no 0


def per_layer(value, n_layers, name):
    """One value a layer, from one for all or a sequence; with names for messages."""
    if value is None or np.ndim(value) == 0:
        return [(value, name)] * n_layers
    values = list(value)
    if len(values) != n_layers:
        raise ValueError(f"{name} must have one entry a layer, {n_layers}; got {len(values)}.")
    return [(entry, f"{name}[{i}] (layer {i + 1})") for i, entry in enumerate(values)]


def check_counts(n_nonzero_coefs, sizes, *, warn=True):
    """Most atoms of each layer, None where not limited; at most as many as the layer has.

    Raises
    ------
    ValueError
        If there is not one a layer, or one is no number of atoms; the layer is named.
    """
    counts = [
        None if value is None else _check_count(value, name)
        for value, name in per_layer(n_nonzero_coefs, len(sizes), "n_nonzero_coefs")
    ]
    return _clip(counts, sizes, warn)


def _check_count(value, name):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name} must be an integer of at least 1; got {value!r}.")
    return int(value)


def _check_tol(value, name):
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a finite number, at least 0; got {value!r}.")
    return math.sqrt(value)


def _clip(counts, sizes, warn):
    over = [
        f"layer {layer}: {count} to {size}"
        for layer, (count, size) in enumerate(zip(counts, sizes, strict=True), 1)
        if count is not None and count > size
    ]
    if over and warn:
        warn_user(
            f"n_nonzero_coefs is more than a layer has atoms and was clipped ({', '.join(over)}).",
            UserWarning,
        )
    return tuple(
        None if count is None else min(count, size)
        for count, size in zip(counts, sizes, strict=True)
    )
