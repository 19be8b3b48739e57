"""Least squares under a bound on the spectral norm, solved to a duality gap."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import svdvals

_MEMORY = 6  # differences kept by the Anderson acceleration
_RELAXATION = 1.6
_CHECK_EVERY = 10
_BALANCE_EVERY = 50
_MOST_REJECTIONS = 20


@dataclass(frozen=True)
class BoundedSolution:
    """A feasible residual and how far its objective may be from the optimum."""

    residual: np.ndarray  # (n_components, n_features), float64
    gap: float  # duality gap, less what is rounding, over the objective
    n_iter: int
    converged: bool


def clip_singular_values(matrix, limit):
    """Nearest matrix, in Frobenius norm, whose singular values do not exceed `limit`, if any.

    By the eigenvectors of the smaller of ``M'M`` and ``MM'``, which is several
    times faster than a singular value decomposition and exact to rounding for
    singular values not many orders of magnitude beyond the limit.
    """
    if limit is None:
        return matrix
    if matrix.shape[0] < matrix.shape[1]:
        return clip_singular_values(matrix.T, limit).T
    squares, vectors = np.linalg.eigh(matrix.T @ matrix)
    over = squares > limit**2
    if not over.any():
        return matrix
    vectors = vectors[:, over]
    return matrix - (matrix @ (vectors * (1 - limit / np.sqrt(squares[over])))) @ vectors.T


def keep_within(matrix, limit, dtype):
    """Clip singular values exactly and round to `dtype` so that the limit still holds."""
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    if values[0] > limit:
        matrix = (left * np.minimum(values, limit)) @ right
    rounded = matrix.astype(dtype)
    norm = svdvals(rounded.astype(np.float64))[0]
    if norm > limit:
        # Rounding the entries has lengthened the matrix by some units in the last place.
        rounded *= dtype.type(limit / norm) * (1 - np.finfo(dtype).eps)
    return rounded


def solve_bounded(gram, cross, shortcut, limit, start, *, energy, tol=1e-5, max_iter=2000):
    """Minimise ``1/2 ||X - A (P + R)||_F^2`` over R with ``||R||_2 <= limit``.

    The problem is convex. In the eigenbasis of the Gram matrix, which changes
    neither the objective nor the bound, it is solved by Douglas-Rachford
    splitting (equivalently ADMM) between the quadratic, whose proximal operator
    is then a division of rows, and the bound, whose projection clips singular
    values; with over-relaxation, Anderson acceleration and a weight between
    the two that follows their residuals. Where atoms are used
    unequally, the Gram matrix is ill-conditioned and this needs a tenth of the
    iterations of an accelerated projected gradient.

    Parameters
    ----------
    gram : ndarray of shape (n_components, n_components)
        ``A.T @ A``.
    cross : ndarray of shape (n_components, n_features)
        ``A.T @ X``.
    shortcut : ndarray of shape (n_components, n_features)
        P.
    limit : float
        Largest singular value allowed, positive.
    start : ndarray of shape (n_components, n_features)
        Residual to start from.
    energy : float
        ``||X||_F^2``.
    tol : float, default=1e-5
        Stop where the duality gap ``<grad, R> + limit ||grad||_nuclear``, which bounds
        the distance to the optimal objective, is at most ``tol`` times the
        objective, or 1e-13 of the energy, below which rounding errors begin.
    max_iter : int, default=2000
        Most iterations.

    Returns
    -------
    BoundedSolution
        The best residual seen, and its relative duality gap. Directions about
        which the codes say nothing (atoms without use, say) are zero in it, so
        that they take nothing of what the bound allows to others.

    References
    ----------
    J. Eckstein, D. Bertsekas, Math. Programming 55 (1992) (splitting with
    relaxation); B. He, H. Yang, S. Wang, J. Optim. Theory Appl. 106 (2000) (balanced
    residuals); H. Walker, P. Ni, SIAM J. Numer. Anal. 49 (2011) (Anderson
    acceleration); M. Jaggi, ICML 2013 (the gap).
    """
    curvature, basis = np.linalg.eigh(gram)
    steepest = curvature[-1]
    seen = curvature > len(curvature) * np.finfo(np.float64).eps * max(steepest, 0)
    if not seen.any():
        return BoundedSolution(np.zeros_like(start), 0.0, 0, True)
    curvature, basis = curvature[seen][:, None] / steepest, basis[:, seen]
    target = basis.T @ (cross - gram @ shortcut) / steepest
    constant = 0.5 * energy - np.vdot(cross, shortcut) + 0.5 * np.vdot(shortcut, gram @ shortcut)
    constant /= steepest
    rounding = 1e-13 * energy / steepest
    # A weight to begin with: the geometric mean of the curvatures balances the two steps well.
    weight = float(np.exp(np.log(np.maximum(curvature, 1e-6)).mean()))
    inner = previous = clip_singular_values(basis.T @ start, limit)
    state = inner + (target - curvature * inner) / weight
    accelerate = _Anderson(inner.size)
    best, best_value, best_gap = inner, np.inf, np.inf
    n_iter = 0
    while True:
        inner = clip_singular_values(state, limit)
        if n_iter % _CHECK_EVERY == 0 or n_iter == max_iter:
            gradient = curvature * inner - target
            value = constant + 0.5 * np.vdot(inner, gradient - target)
            gap = np.vdot(gradient, inner) + limit * svdvals(gradient).sum()
            if value < best_value:
                best, best_value, best_gap = inner, value, gap
            if gap <= tol * max(value, 0) + rounding:
                best, best_value, best_gap = inner, value, gap
                break
        if n_iter == max_iter:
            break
        n_iter += 1
        outer = (target + weight * (2 * inner - state)) / (curvature + weight)
        if n_iter % _BALANCE_EVERY == 0:
            factor = _imbalance(inner, outer, previous, state)
            if not 0.5 < factor < 2:
                # The same inner point and multiplier with another weight.
                state = inner + (state - inner) / factor
                weight *= factor
                outer = (target + weight * (2 * inner - state)) / (curvature + weight)
                accelerate = _Anderson(inner.size)
        previous = inner
        state = accelerate(state, _RELAXATION * (outer - inner))
    return BoundedSolution(
        # A point far outside is clipped to no more than its own rounding errors: once more.
        residual=basis @ clip_singular_values(best, limit),
        gap=float(max(best_gap - rounding, 0) / max(best_value, rounding)),
        n_iter=n_iter,
        converged=bool(best_gap <= tol * max(best_value, 0) + rounding),
    )


def _imbalance(inner, outer, previous, state):
    """Root of the ratio of the relative primal and dual residuals of ADMM; a step of its weight."""
    tiny = np.finfo(np.float64).tiny
    size = max(np.linalg.norm(inner), np.linalg.norm(outer), tiny)
    primal = max(np.linalg.norm(outer - inner) / size, tiny)
    multiplier = max(np.linalg.norm(state - inner), tiny)
    dual = max(np.linalg.norm(inner - previous) / multiplier, tiny)
    return float(np.clip(np.sqrt(primal / dual), 0.01, 100))


class _Anderson:
    """Anderson acceleration of a fixed-point iteration ``x <- x + f(x)``.

    An accelerated point whose residual f more than doubles is taken back; too
    many of those, and the plain iteration, which converges, goes on alone.
    """

    def __init__(self, size):
        self.steps, self.changes = np.empty((2, _MEMORY, size))
        self.normal = np.empty((_MEMORY, _MEMORY))  # inner products of the changes
        self.n_seen = 0
        self.last = None
        self.accelerated = False
        self.rejections = 0

    def __call__(self, point, residual):
        """The next point."""
        size = np.linalg.norm(residual)
        plain = point + residual
        if self.last is not None:
            last_plain, last_residual, last_size = self.last
            if self.accelerated and size > 2 * last_size:
                self.rejections += 1
                self.n_seen, self.last, self.accelerated = 0, None, False
                return last_plain
            self._remember(plain - last_plain, residual - last_residual)
        self.last = plain, residual, size
        held = min(self.n_seen, _MEMORY)
        normal = self.normal[:held, :held]
        normal = normal + 1e-10 * np.trace(normal) * np.eye(held)
        self.accelerated = held > 0 and self.rejections < _MOST_REJECTIONS and np.trace(normal) > 0
        if not self.accelerated:
            return plain
        mixing = np.linalg.solve(normal, self.changes[:held] @ residual.ravel())
        return plain - (mixing @ self.steps[:held]).reshape(plain.shape)

    def _remember(self, step, change):
        row = self.n_seen % _MEMORY
        self.n_seen += 1
        held = min(self.n_seen, _MEMORY)
        self.steps[row], self.changes[row] = step.ravel(), change.ravel()
        self.normal[row, :held] = self.normal[:held, row] = self.changes[:held] @ self.changes[row]
