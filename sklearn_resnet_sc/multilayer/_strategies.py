"""The table of solvers: for each model and strategy, which pursuits there are and who computes."""

from numbers import Real

import numpy as np

from ..coding import SparseCodingMixin, Status
from ._demands import per_layer
from ._solution import LayerCodes

_CODING = SparseCodingMixin._parameter_constraints["transform_algorithm"][0].options
_GREEDY = {"omp", "ols"}
MULTI_LAYER_LASSO = {"ml_ista", "ml_fista"}
PENALISED = {"lasso_lars", "lasso_cd", "fista"}  # of one layer
# Pursuits with a weight of the l1 norm, or a threshold, in place of counts.
_BY_ALPHA = {*PENALISED, "threshold", *MULTI_LAYER_LASSO}

PURSUITS = {
    ("synthesis", "layered"): _CODING,
    ("synthesis", "projection"): _GREEDY,
    ("synthesis", "joint"): _GREEDY | {"palm"} | MULTI_LAYER_LASSO,
    ("forward", "layered"): {"omp", "hard_threshold", "threshold"},
    ("forward", "joint"): {"omp", "hard_threshold"},
}


def check_pursuit(model, strategy, pursuit, positive):
    """Whether there is a solver for these.

    Raises
    ------
    ValueError
        If not; the message names what there is.
    """
    if (model, strategy) not in PURSUITS:
        able = sorted(name for other, name in PURSUITS if other == model)
        raise ValueError(f"model={model!r} has no strategy={strategy!r}; it must be one of {able}.")
    able = PURSUITS[model, strategy]
    if pursuit not in able:
        raise ValueError(
            f"pursuit must be one of {sorted(able)} with model={model!r} and "
            f"strategy={strategy!r}; got {pursuit!r}."
        )
    if positive and strategy != "layered" and pursuit not in MULTI_LAYER_LASSO:
        raise ValueError(
            f"positive_code=True is not supported by strategy={strategy!r} with "
            f"pursuit={pursuit!r}; use strategy='layered', or 'ml_fista' in the synthesis model."
        )


def fill_alpha(pursuit, alpha, demands):
    """Weights with 1 where a pursuit needs one and nothing else tells how sparse codes are to be.

    Raises
    ------
    ValueError
        If counts or tolerances stand in place of a weight that the multi-layer lasso needs; the
        layer is named.
    """
    filled = []
    bounds = zip(alpha, demands.n_nonzero, demands.epsilon, strict=True)
    for layer, (value, count, epsilon) in enumerate(bounds, 1):
        if value is None and pursuit in MULTI_LAYER_LASSO and not count is epsilon is None:
            raise ValueError(
                f"pursuit={pursuit!r} goes by alpha alone and needs it in every layer; layer "
                f"{layer} has n_nonzero_coefs={count} and alpha=None."
            )
        filled.append(1.0 if value is count is epsilon is None else value)
    return filled


def check_demands(pursuit, demands):
    """Whether a pursuit can go by what is asked of every layer.

    Raises
    ------
    ValueError
        If PALM lacks a number of atoms, of which it keeps the largest; the layer is named.
    """
    if pursuit == "palm" and None in demands.n_nonzero:
        raise ValueError(
            f"pursuit='palm' needs n_nonzero_coefs in every layer; layer "
            f"{demands.n_nonzero.index(None) + 1} has none. Of a joint solver, pursuit='omp' "
            f"takes a tolerance alone."
        )


def needs_alpha(pursuit):
    """Whether a pursuit takes alpha where nothing else tells how sparse codes are to be."""
    return pursuit in _BY_ALPHA


def check_alpha(alpha, n_layers):
    """Weights or thresholds of each layer; None stays None.

    Raises
    ------
    ValueError
        If one is negative or not finite, or there is not one a layer; the layer is named.
    """
    values = []
    for value, name in per_layer(alpha, n_layers, "alpha"):
        if value is not None and not (isinstance(value, Real) and 0 <= value < np.inf):
            raise ValueError(f"{name} must be a finite number, at least 0; got {value!r}.")
        values.append(None if value is None else float(value))
    return values


def solve(X, stack, demands, *, strategy, pursuit, alpha, positive, max_iter, n_jobs, verbose):
    """Codes of every layer by the solver of a strategy; arguments are checked.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals in the precision of the stack, the largest entry about 1.
    stack : Stack
        Dictionaries.
    demands : Demands
        What is asked of each layer.
    strategy, pursuit : str
        Keys of `PURSUITS`.
    alpha : list of float or None
        One a layer.
    positive : bool
        Whether codes must not be negative.
    max_iter : int or None
        Most iterations of iterative solvers; None leaves it to the solver.
    n_jobs, verbose : int or None
        As in `run_blocks`.

    Returns
    -------
    list of LayerCodes
        First layer first.
    """
    # Solvers and their kernels are loaded when they are first wanted.
    common = {"n_jobs": n_jobs, "verbose": verbose}
    if stack.model == "forward" and strategy == "layered":
        from ._forward_greedy import solve_forward_greedy

        common.update(kind="soft" if pursuit == "threshold" else "hard", positive=positive)
        return solve_forward_greedy(X, stack, demands, alpha=alpha, **common)
    if strategy == "projection":
        from ._projection import solve_projection

        return solve_projection(X, stack, demands, pursuit=pursuit, **common)
    if max_iter is not None:
        common["max_iter"] = int(max_iter)
    if stack.model == "forward":
        from ._forward import solve_forward_joint

        return solve_forward_joint(X, stack, demands, **common)
    if strategy == "layered":
        from ._layered import solve_layered

        common.update(pursuit=pursuit, positive=positive)
        return solve_layered(X, stack, demands, alpha=alpha, **common)
    if pursuit in _GREEDY:
        from ._joint import solve_joint

        return solve_joint(X, stack, demands, **common)
    if pursuit == "palm":
        from ._palm import solve_palm

        return solve_palm(X, stack, demands, **common)
    from ._ml_fista import multi_layer_lasso

    common.update(momentum=pursuit == "ml_fista", positive=positive)
    result = multi_layer_lasso(X, stack, alpha, **common)
    status = np.where(result.converged, Status.DONE, Status.MAX_ITER)
    return [LayerCodes.from_dense(codes, result.n_iter, status) for codes in result.codes]
