"""Stability and error propagation through stacks of dictionaries."""

import math
from dataclasses import dataclass, field

import numpy as np

from ._checks import check_count, check_dictionary, check_matrix, check_nonnegative
from ._isometry import isometry_table, upper_isometry
from ._spectra import default_rtol, singular_spectrum
from ._statement import Statement, frozen_array, number, plural


def as_layers(matrices, name):
    """A list of matrices, one a layer; a matrix alone is the only layer."""
    if isinstance(matrices, list | tuple):
        if not matrices:
            raise ValueError(f"{name} must hold at least one matrix; it is empty")
        if np.ndim(matrices[0]) >= 2:
            return list(matrices)
    return [matrices]


def check_stack(dictionaries, *, model="synthesis"):
    """A list of dictionaries whose shapes form a chain; one matrix is a stack of one.

    Synthesis: ``x ~ g_1 D_1``, ``g_{i-1} ~ g_i D_i``, so that the atoms of `D_i` have as many
    entries as `D_{i-1}` has atoms. Forward: ``T_i ~ T_{i-1} D_i``, the other way round; there a
    zero row is an input without effect.
    """
    check = check_dictionary if model == "synthesis" else check_matrix
    dictionaries = as_layers(dictionaries, "dictionaries")
    stack = []
    for i, dictionary in enumerate(dictionaries):
        name = "dictionary" if len(dictionaries) == 1 else f"dictionaries[{i}]"
        dictionary = check(dictionary, name)
        if stack:
            above = stack[-1].shape
            wanted, axis = (above[0], 1) if model == "synthesis" else (above[1], 0)
            if dictionary.shape[axis] != wanted:
                count = "features" if axis else "components"
                what = "components" if axis else "features"
                raise ValueError(
                    f"{name} must have as many {count} as dictionaries[{i - 1}] has {what}, "
                    f"{wanted}; got shape {dictionary.shape}"
                )
        stack.append(dictionary)
    return stack


def check_per_layer(value, n_layers, name, check):
    """One value for each layer; a single one serves all of them."""
    # Entries may be arrays of other shapes than one another: NumPy is not asked.
    several = isinstance(value, list | tuple | range) or getattr(value, "ndim", 0) > 0
    values = list(value) if several else [value] * n_layers
    if len(values) != n_layers:
        raise ValueError(f"{name} must have one entry a layer, {n_layers}; got {len(values)}")
    return [check(entry, name, layer) for layer, entry in enumerate(values)]


def effective_dictionaries(stack):
    """``D_i ... D_1`` (rows are atoms) for every layer; None from where an atom vanishes."""
    effective = [stack[0]]
    for dictionary in stack[1:]:
        above = effective[-1]
        product = None if above is None else dictionary @ above
        if product is not None:
            product = check_matrix(product, "the product of the dictionaries")
            if not product.any(axis=1).all():
                product = None
        effective.append(product)
    return effective


def spectral_norm(matrix):
    """Largest singular value, moved up by its rounding."""
    return float(singular_spectrum(matrix)[0]) * (1 + default_rtol(matrix))


@dataclass(frozen=True)
class LayeredStability(Statement):
    """How far apart two multi-layer codes of one signal can be.

    All arrays hold squared distances, one a layer, infinite where not certified.

    Attributes
    ----------
    model : str
        "synthesis" or "forward".
    n_nonzero : tuple of int
        Sparsity of both codes, layer by layer.
    noise : float
        Distance of both from the signal at the first layer.
    slack : tuple of float
        Distance allowed between layers, the first entry unused in the synthesis model.
    by_layers : ndarray
        Layer after layer with the factor 4 of the single-layer theorem each time.
    by_exact_chain : ndarray
        The factor 4 in the first layer only, since layers agree up to the slack.
    by_effective : ndarray
        Each layer directly against the signal, by the product of the dictionaries.
    by_projection : ndarray
        From the deepest layer back up, by the upper isometry.
    squared_error : ndarray
        The best of them, also in combination.
    """

    model: str
    n_nonzero: tuple
    noise: float
    slack: tuple
    by_layers: np.ndarray = field(compare=False)
    by_exact_chain: np.ndarray = field(compare=False)
    by_effective: np.ndarray = field(compare=False)
    by_projection: np.ndarray = field(compare=False)
    squared_error: np.ndarray = field(compare=False)

    @property
    def certified(self):
        """Whether the best bound is finite in every layer."""
        return bool(np.isfinite(self.squared_error).all())

    def __str__(self):
        lines = []
        forms = {
            "layer by layer": self.by_layers,
            "by the exact chain": self.by_exact_chain,
            "by the product of dictionaries": self.by_effective,
            "from the deepest layer": self.by_projection,
        }
        for i, best in enumerate(self.squared_error):
            s = plural(self.n_nonzero[i], "atom")
            if best == math.inf:
                lines.append(f"Layer {i + 1}: stability is not certified for codes of {s}.")
                continue
            each = ", ".join(
                f"{name} {number(values[i])}"
                for name, values in forms.items()
                if values[i] < math.inf
            )
            source = f" ({each})" if each else ""
            lines.append(
                f"Layer {i + 1}: the squared distance of two codes of at most {s} is at most "
                f"{number(best)}{source}."
            )
        return "\n".join(lines)


def layered_stability_bound(dictionaries, n_nonzero, noise, *, slack=0.0, model="synthesis"):
    """Bound the distance of two multi-layer codes of one signal, layer by layer.

    Both codes have at most s_i atoms in layer i. In the synthesis model, ``x ~ g_1 D_1`` to
    within `noise` and ``g_{i-1} ~ g_i D_i`` to within `slack`; with `A_i` a lower isometry of
    `D_i` for 2 s_i atoms (for unit atoms at least ``1 - (2 s_i - 1) mu_i``):

    - layer by layer, ``||Delta_i||^2 <= 4 ||Delta_{i-1}||^2 / A_i`` from
      ``||Delta_0|| = noise``, where each chain may be as far from the layer above as the
      two are from each other;
    - by the exact chain, ``||Delta_i|| <= (||Delta_{i-1}|| + 2 slack_i) / sqrt(A_i)`` from
      ``||Delta_0|| = 2 noise``;
    - by the product ``D_i ... D_1``, whose atoms are not of unit length:
      ``||Delta_i||^2 <= (2 noise + 2 sum_j ||D_{j-1} ... D_1|| slack_j)^2 / A(D_i ... D_1)``;
    - from the deepest layer, ``||Delta_{i-1}|| <= sqrt(B_i) ||Delta_i|| + 2 slack_i``, `B_i` the
      upper isometry.

    In the forward model, ``T_i ~ T_{i-1} D_i`` to within `slack` and
    ``||Delta_i|| <= sqrt(B_i) ||Delta_{i-1}|| + 2 slack_i``, from ``||Delta_0|| = 2 noise``.

    Parameters
    ----------
    dictionaries : array-like or sequence of array-like
        The stack from the signal on, each with atoms as rows, of any length.
    n_nonzero : int or sequence of int
        Sparsity of both codes, one for all layers or one a layer.
    noise : float
        Distance epsilon of both from the signal; in the forward model, of both inputs
        from a common one.
    slack : float or sequence of float, default=0.0
        Distance allowed between layers: one for all, or one a layer, of which the
        synthesis model does not use the first.
    model : {"synthesis", "forward"}, default="synthesis"
        Which way the chain of dictionaries runs.

    Returns
    -------
    LayeredStability
        Prints as sentences; `squared_error` is the best bound a layer.

    Raises
    ------
    ValueError
        If a dictionary is not a finite real matrix or (synthesis) has a zero atom, if shapes
        form no chain, or if another argument is out of range.

    Notes
    -----
    Orthogonal layers attain the exact chain, ``2 noise`` in every layer, where the form
    layer by layer says ``2^i noise`` in layer i.

    References
    ----------
    V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via
    convolutional sparse coding", JMLR 18 (2017), theorem 5 (layer by layer);
    J. Sulam, V. Papyan, Y. Romano, M. Elad, "Multilayer convolutional sparse
    modeling: pursuit and dictionary learning", IEEE Trans. Signal Processing 66
    (2018), theorems 4 and 6 (product of the dictionaries, projection).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import layered_stability_bound
    >>> bound = layered_stability_bound([np.eye(4), np.eye(4)], n_nonzero=2, noise=0.5)
    >>> bound.by_layers.round(9), bound.squared_error.round(9)
    (array([1., 4.]), array([1., 1.]))
    """
    if model not in ("synthesis", "forward"):
        raise ValueError(f'model must be "synthesis" or "forward"; got {model!r}')
    stack = check_stack(dictionaries, model=model)
    sizes = [d.shape[0 if model == "synthesis" else 1] for d in stack]
    counts = check_per_layer(
        n_nonzero, len(stack), "n_nonzero", lambda v, name, i: check_count(v, name, high=sizes[i])
    )
    noise = check_nonnegative(noise, "noise")
    slack = check_per_layer(slack, len(stack), "slack", lambda v, name, _: _slack(v, name))
    if model == "forward":
        forms = _forward(stack, counts, noise, slack)
    else:
        forms = _synthesis(stack, counts, noise, slack)
    with np.errstate(over="ignore"):
        forms = {name: frozen_array(np.square(values)) for name, values in forms.items()}
    return LayeredStability(
        model=model, n_nonzero=tuple(counts), noise=noise, slack=tuple(slack), **forms
    )


def _slack(value, name):
    return check_nonnegative(value, name)


def _divide(length, isometry):
    return length / math.sqrt(isometry) if isometry > 0 else math.inf


def _synthesis(stack, counts, noise, slack):
    """Distances, not squared, by every form."""
    n_layers = len(stack)
    tables = [isometry_table(d, 2 * s) for d, s in zip(stack, counts, strict=True)]
    lower = [float(table[0][-1]) for table in tables]
    upper = [float(table[1][-1]) for table in tables]
    layers, chain, effective = (np.full(n_layers, math.inf) for _ in range(3))
    product, distance, reach = effective_dictionaries(stack), 2 * noise, 2 * noise
    for i in range(n_layers):
        layers[i] = _divide(2 * (layers[i - 1] if i else noise), lower[i])
        chain[i] = _divide(distance + (2 * slack[i] if i else 0), lower[i])
        distance = chain[i]
        if product[i] is not None:
            if slack[i] and i:
                reach += 2 * slack[i] * spectral_norm(product[i - 1])
            isometry = isometry_table(product[i], 2 * counts[i])[0][-1] if i else lower[i]
            effective[i] = _divide(reach, float(isometry))
    if any(slack[1:]):
        # Its step takes the chains to be no further from the layer above than they are apart.
        layers[1:] = math.inf
    best = np.minimum(np.minimum(layers, chain), effective)
    for i in range(1, n_layers):
        best[i] = min(best[i], _divide(best[i - 1] + 2 * slack[i], lower[i]))
    projection = np.full(n_layers, math.inf)
    projection[-1] = effective[-1]
    for i in range(n_layers - 1, 0, -1):
        projection[i - 1] = math.sqrt(upper[i]) * projection[i] + 2 * slack[i]
        best[i - 1] = min(best[i - 1], math.sqrt(upper[i]) * best[i] + 2 * slack[i])
    best = np.minimum(best, projection)
    return {
        "by_layers": layers,
        "by_exact_chain": chain,
        "by_effective": effective,
        "by_projection": projection,
        "squared_error": best,
    }


def _forward(stack, counts, noise, slack):
    chain, distance = np.empty(len(stack)), 2 * noise
    for i, dictionary in enumerate(stack):
        factor = spectral_norm(dictionary)
        if i:
            factor = min(factor, math.sqrt(upper_isometry(dictionary, 2 * counts[i - 1])))
        distance = chain[i] = factor * distance + 2 * slack[i]
    silent = np.full(len(stack), math.inf)
    return {
        "by_layers": silent,
        "by_exact_chain": chain,
        "by_effective": silent,
        "by_projection": silent,
        "squared_error": chain,
    }
