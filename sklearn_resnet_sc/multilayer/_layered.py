"""Layer after layer: the codes of a layer are the signals that the next one codes.

V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via convolutional sparse
coding", JMLR 18 (2017): layered thresholding (section 5) and layered basis pursuit (section 7),
here with any pursuit of one layer. Their theorems say when the codes of every layer are found:
`theory.layered_thresholding_bound`, `theory.layered_basis_pursuit_bound`, and
`theory.omp_guarantee` from layer to layer.
"""

import math
from dataclasses import dataclass
from numbers import Real

import numpy as np
from scipy import sparse

from ..coding import Status, sparse_encode
from ._demands import per_layer
from ._solution import LayerCodes
from ._stack import row_norms


@dataclass(frozen=True)
class _Pursuit:
    """What a pursuit of one layer goes by: all of `needs`, and one at least of `takes`."""

    takes: tuple
    needs: tuple = ()


_GREEDY = _Pursuit(takes=("n_nonzero_coefs", "tol"))
_BY_COUNT = _Pursuit(takes=("n_nonzero_coefs", "tol"), needs=("n_nonzero_coefs",))
_PENALISED = _Pursuit(takes=("alpha",))

PURSUITS = {
    "omp": _GREEDY,
    "ols": _GREEDY,
    "mp": _GREEDY,
    "lars": _GREEDY,
    "cosamp": _BY_COUNT,
    "iht": _BY_COUNT,
    # The penalty, or else the tolerance: never both.
    "lasso_lars": _Pursuit(takes=("alpha", "tol")),
    "lasso_cd": _PENALISED,
    "fista": _PENALISED,
    "threshold": _PENALISED,
    "hard_threshold": _Pursuit(takes=("n_nonzero_coefs", "alpha")),
}

# A greedy pursuit follows the squared residual by subtraction and so does not know it to better
# than a few units of the squared signal. Where that matters, these multiples of the squared
# tolerance are aimed at: one after the other until the residual itself is short enough.
_LOOSER = (1024, 64, 8, 2)  # so as not to code what is within the tolerance already
# Where it is believed to be and is not; 0 is to rounding.
_TIGHTER = (1 - 2**-20, 1 - 2**-10, 15 / 16, 1 / 2, 0.0)


def solve_layered(
    X,
    stack,
    demands,
    *,
    pursuit="omp",
    alpha=None,
    positive=False,
    max_iter=1000,
    gap_tol=1e-8,
    n_jobs=None,
    verbose=0,
):
    """Code signals in the first dictionary, their codes in the second, and so on.

    A pursuit obeys what it can of the demands, and the solution says whether the others are met
    by good fortune. Greedy pursuits and ``"lars"`` stop at the count or at the tolerance,
    whichever comes first. The l1 pursuits take `alpha`, or, ``"lasso_lars"`` alone, the tolerance
    (the least l1 norm within it), and no count: entries are not struck off their codes
    afterwards, for no theorem speaks of what is left then. Soft thresholding takes `alpha`, hard
    thresholding `alpha`, the count or both.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Signals, in the precision of the stack.
    stack : Stack
        Dictionaries of the synthesis model.
    demands : Demands
        Counts and tolerances. A tolerance of 0 is reached to rounding.
    pursuit : str, default="omp"
        Any algorithm of :func:`sklearn_resnet_sc.sparse_encode`, for all layers.
    alpha : float or sequence of float, default=None
        Penalty or threshold of the pursuits that take one, one for all layers or one a layer;
        None where the layer goes by its demands.
    positive : bool, default=False
        Whether codes of every layer must not be negative.
    max_iter : int, default=1000
        Most iterations of a signal in a layer, for iterative pursuits.
    gap_tol : float, default=1e-8
        Relative duality gap of iterative l1 pursuits.
    n_jobs : int, default=None
        Number of threads.
    verbose : int, default=0
        Whether to show a progress bar for each layer.

    Returns
    -------
    list of LayerCodes
        One a layer, first layer first.

    Raises
    ------
    ValueError
        If the pursuit is unknown, takes no `alpha`, or a layer lacks what it needs.
    """
    options = {
        "algorithm": pursuit,
        "positive": positive,
        "max_iter": max_iter,
        "gap_tol": gap_tol,
        "n_jobs": n_jobs,
        "verbose": verbose,
    }
    bounds = check_layered(pursuit, demands, alpha)
    found, target = [], X
    for dictionary, bound in zip(stack.dictionaries, bounds, strict=True):
        layer = _code(target, dictionary, bound, options)
        found.append(layer)
        target = layer.codes
    return found


def check_layered(pursuit, demands, alpha=None):
    """What the pursuit goes by in each layer, as options of `sparse_encode`.

    Raises
    ------
    ValueError
        If the pursuit is unknown, takes no `alpha`, or a layer lacks what it needs.
    """
    if pursuit not in PURSUITS:
        raise ValueError(f"pursuit must be one of {sorted(PURSUITS)}; got {pursuit!r}.")
    takes, needs = PURSUITS[pursuit].takes, PURSUITS[pursuit].needs
    bounds = []
    given = zip(
        per_layer(alpha, len(demands.epsilon), "alpha"),
        demands.n_nonzero,
        demands.epsilon,
        strict=True,
    )
    for number, ((penalty, name), count, epsilon) in enumerate(given, 1):
        if penalty is not None:
            _check_alpha(penalty, name, pursuit, takes)
        bound = {
            "n_nonzero_coefs": count,
            "alpha": penalty,
            "tol": None if epsilon is None else epsilon * epsilon,
        }
        bound = {key: bound[key] for key in takes if bound[key] is not None}
        missing = [key for key in needs if key not in bound]
        if missing or not bound:
            raise ValueError(
                f"pursuit={pursuit!r} needs {_words(missing or takes)} in layer {number}; got none."
            )
        if "alpha" in bound:
            bound.pop("tol", None)
        bounds.append(bound)
    return bounds


def _words(names):
    return " or ".join(names)


def _check_alpha(value, name, pursuit, takes):
    if "alpha" not in takes:
        raise ValueError(f"pursuit={pursuit!r} goes by {_words(takes)}; got {name}={value!r}.")
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a finite number, at least 0, or None; got {value!r}.")


def _code(target, dictionary, bound, options):
    """Codes of one layer, whose residuals are measured where a tolerance is given."""
    code, ended = _encode(target, dictionary, bound, options)
    n_iter, status = ended.n_iter, ended.status
    tol = bound.get("tol", 0.0)
    if tol == 0.0:
        return LayerCodes(code, n_iter, status)
    unit = np.finfo(dictionary.dtype).eps
    lengths = _row_norms(target)
    longest = math.sqrt(tol) + 4 * unit * lengths
    missed = np.sqrt(ended.residual_norm2) > longest
    missed &= ended.n_nonzero < bound.get("n_nonzero_coefs", math.inf)
    missed &= status != Status.TOL_NOT_REACHED
    unsure = tol < 256 * unit * lengths**2
    if _solves_lasso(options):
        unsure[:] = False  # the error-constrained lasso ends at the tolerance itself
    for chosen, shares in ((unsure, _LOOSER), (missed, _TIGHTER)):
        rows = np.flatnonzero(chosen)
        for share in shares:
            if rows.size == 0:
                break
            again, ended = _encode(target[rows], dictionary, {**bound, "tol": tol * share}, options)
            done = (np.sqrt(ended.residual_norm2) <= longest[rows]) | (share == 0.0)
            code = _replace_rows(code, rows[done], again[np.flatnonzero(done)])
            n_iter[rows[done]], status[rows[done]] = ended.n_iter[done], ended.status[done]
            missed[rows[done]] = False
            rows = rows[~done]
    return LayerCodes(code, n_iter, status)


def _capacity(dictionary, bound):
    """The most atoms that a greedy pursuit may use."""
    return min(bound.get("n_nonzero_coefs", dictionary.shape[0]), *dictionary.shape)


def _solves_lasso(options):
    return "alpha" in PURSUITS[options["algorithm"]].takes


def _encode(target, dictionary, bound, options):
    """Codes as CSR, and how the signals ended."""
    to_rounding = bound.get("tol") == 0.0 and not _solves_lasso(options)
    if to_rounding:
        # A residual followed by subtraction may fall below 0 too early: go on without it.
        bound = {"n_nonzero_coefs": _capacity(dictionary, bound)}
    code, ended = sparse_encode(
        target,
        dictionary,
        **bound,
        **options,
        check_input=False,
        sparse_output=True,
        return_diagnostics=True,
    )
    code = sparse.csr_array(code)
    code.eliminate_zeros()
    if to_rounding:
        noise = 64 * np.finfo(dictionary.dtype).eps * _row_norms(target) ** 2
        far = (ended.residual_norm2 > noise) & (ended.n_nonzero < bound["n_nonzero_coefs"])
        ended.status[far & (ended.status == Status.DONE)] = Status.TOL_NOT_REACHED
    return code, ended


def _row_norms(matrix):
    return sparse.linalg.norm(matrix, axis=1) if sparse.issparse(matrix) else row_norms(matrix)


def _replace_rows(matrix, rows, replacement):
    """The matrix with some of its rows replaced."""
    order = np.arange(matrix.shape[0])
    order[rows] = matrix.shape[0] + np.arange(len(rows))
    return sparse.vstack([matrix, replacement], format="csr")[order]
