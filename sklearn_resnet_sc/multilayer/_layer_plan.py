"""From parameters to layers: how many atoms each has, of which kind, given or from a fit before."""

from numbers import Integral

import numpy as np

from ._atom_sets import Atoms, PlainAtoms, SkipAtoms
from ._demands import per_layer
from ._stack import Stack


def layer_sizes(n_components, n_features):
    """Atoms of each layer.

    Raises
    ------
    ValueError
        If there is no layer, or one has no number of atoms; the layer is named.
    """
    if n_components is None:
        return (n_features, n_features)
    if isinstance(n_components, Integral):
        return (int(n_components),)
    sizes = tuple(n_components)
    if not sizes:
        raise ValueError("n_components must have one entry a layer; got none.")
    for layer, size in enumerate(sizes, 1):
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"n_components[{layer - 1}] (layer {layer}) must be an integer of at least 1; "
                f"got {size!r}."
            )
    return tuple(int(size) for size in sizes)


def atom_sets(sizes, X, *, residual, residual_bound, atom_nonzero):
    """Which atoms each layer may have.

    Parameters
    ----------
    sizes : tuple of int
        Atoms of each layer.
    X : ndarray of shape (n_samples, n_features)
        Signals, of which the width and precision count.
    residual : bool
        Whether square layers have a skip.
    residual_bound : float or None
        Largest spectral norm of what is learned beside it.
    atom_nonzero : int, sequence of int or None
        Most nonzeros of the atoms of other layers but the first.

    Returns
    -------
    list of PlainAtoms or SkipAtoms
        One a layer.

    Raises
    ------
    ValueError
        If `atom_nonzero` is not valid; the layer is named.
    """
    inner = _inner_counts(atom_nonzero, len(sizes))
    sets = []
    for layer, (size, width) in enumerate(zip(sizes, (X.shape[1], *sizes), strict=False)):
        if residual and size == width:
            sets.append(SkipAtoms(X.dtype, residual_bound))
        else:
            sets.append(PlainAtoms(X.dtype, inner[layer - 1] if layer else None))
    return sets


def _inner_counts(atom_nonzero, n_layers):
    if n_layers == 1:
        return []
    counts = []
    for layer, (count, _) in enumerate(per_layer(atom_nonzero, n_layers - 1, "atom_nonzero"), 2):
        if count is not None and (not isinstance(count, Integral) or count < 1):
            raise ValueError(
                f"atom_nonzero of layer {layer} must be an integer of at least 1 or None; "
                f"got {count!r}."
            )
        counts.append(count)
    return counts


def carried_over(atoms, sets, n_features, sizes):
    """Atoms of an earlier fit, if any, in the sets of this one; None where they do not fit."""
    widths = (n_features, *sizes)
    if atoms is None or len(atoms) != len(sets):
        return None
    carried = []
    for layer, allowed, size, width in zip(atoms, sets, sizes, widths, strict=False):
        skips = isinstance(allowed, SkipAtoms)
        if layer.components.shape != (size, width) or skips != (layer.residual is not None):
            return None
        if skips:
            carried.append(allowed.assemble(layer.residual.astype(np.float64)))
        else:
            carried.append(allowed.nearest(layer.components))
    return carried


def given_atoms(coder, X):
    """Atoms of the dictionaries that are a parameter of `MultiLayerSparseCoder`.

    Raises
    ------
    ValueError
        If they do not chain, are not for the signals, or contradict another parameter.
    """
    stack = Stack.check(coder.dictionaries, dtype=X.dtype)
    if X.shape[1] != stack.n_features:
        raise ValueError(
            f"dictionaries[0] (layer 1) is for signals of {stack.n_features} features; "
            f"X has {X.shape[1]}."
        )
    if coder.residual:
        raise ValueError("residual=True is for dictionaries that are learned; some are given.")
    wanted, sizes = coder.n_components, stack.n_components
    if wanted is not None and layer_sizes(wanted, X.shape[1]) != sizes:
        raise ValueError(
            f"n_components must be None or that of dictionaries, {sizes}; got {wanted!r}."
        )
    return [Atoms(matrix) for matrix in stack.dictionaries]
