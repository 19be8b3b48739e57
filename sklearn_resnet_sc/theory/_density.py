"""Spectral density of matrices too large to decompose, by stochastic Lanczos quadrature."""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ._checks import check_count, check_nonnegative
from ._operators import apply_operator, check_operator, generator, gram_of
from ._statement import Statement, frozen_array, number, plural


@dataclass(frozen=True, eq=False)
class SpectralDensity(Statement):
    """A spectral density estimated by stochastic Lanczos quadrature.

    Attributes
    ----------
    kind : str
        "singular" or "eigen".
    nodes : ndarray
        Approximate singular values or eigenvalues, ascending.
    weights : ndarray
        Share of the spectrum that each stands for; they sum to 1.
    size : int
        Number of singular values or eigenvalues.
    n_vectors, n_steps : int
        Random vectors drawn, and Lanczos steps with each.
    """

    kind: str
    nodes: np.ndarray = field(repr=False)
    weights: np.ndarray = field(repr=False)
    size: int
    n_vectors: int
    n_steps: int

    def __str__(self):
        half = int(np.searchsorted(np.cumsum(self.weights), 0.5))
        middle = float(self.nodes[min(half, len(self.nodes) - 1)])
        name = "singular values" if self.kind == "singular" else "eigenvalues"
        return (
            f"About half of the {self.size} {name} are at most {number(middle)}; they were met in "
            f"[{number(float(self.nodes[0]))}, {number(float(self.nodes[-1]))}] "
            f"({plural(self.n_vectors, 'random vector')}, {plural(self.n_steps, 'Lanczos step')}: "
            f"an estimate)."
        )

    def density(self, points, *, width=None):
        """Density at some points, the quadrature smoothed by a Gaussian.

        Parameters
        ----------
        points : array-like
            Where.
        width : float, default=None
            Standard deviation of the Gaussian; by default the range of the nodes over the
            number of Lanczos steps.

        Returns
        -------
        ndarray
            It integrates to 1 over the real line.
        """
        points = np.asarray(points, dtype=np.float64)
        if width is None:
            spread = float(self.nodes[-1] - self.nodes[0])
            scale = max(float(np.abs(self.nodes).max()), 1e-300)
            width = max(spread / self.n_steps, 1e-6 * scale)
        width = check_nonnegative(width, "width")
        if width == 0:
            raise ValueError("width must be positive; got 0")
        standard = (points[..., None] - self.nodes) / width
        kernel = np.exp(-0.5 * standard**2) / (width * math.sqrt(2 * math.pi))
        return kernel @ self.weights

    def distribution(self, points):
        """Share of the spectrum at or below some points.

        Parameters
        ----------
        points : array-like
            Where.

        Returns
        -------
        ndarray
            Between 0 and 1.
        """
        sums = np.concatenate([[0.0], np.cumsum(self.weights)])
        return sums[np.searchsorted(self.nodes, np.asarray(points), side="right")]


def spectral_density(operator, *, kind="singular", n_steps=64, n_vectors=8, random_state=0):
    """Estimate how singular values or eigenvalues are distributed, by products alone.

    Stochastic Lanczos quadrature: for each random vector the Lanczos process (with full
    reorthogonalisation) gives nodes and weights that integrate polynomials up to degree
    ``2 n_steps - 1`` exactly against the spectral measure of that vector; their mean over
    vectors estimates the density of the spectrum.

    Parameters
    ----------
    operator : array-like, sparse matrix or LinearOperator
        Real; with an adjoint for singular values, symmetric for eigenvalues.
    kind : {"singular", "eigen"}, default="singular"
        Singular values of any operator, or eigenvalues of a symmetric one.
    n_steps : int, default=64
        Lanczos steps; more resolve finer detail. Cut to the size of the operator.
    n_vectors : int, default=8
        Random vectors; more lower the variance.
    random_state : int, Generator, RandomState or None, default=0
        Draws the vectors.

    Returns
    -------
    SpectralDensity
        With `nodes`, `weights`, and methods `density` and `distribution`.

    Raises
    ------
    ValueError
        If the operator is not real or finite, is not square and symmetric for
        eigenvalues, or another argument is out of range.

    References
    ----------
    L. Lin, Y. Saad, C. Yang, "Approximating spectral densities of large matrices",
    SIAM Review 58 (2016), section 3.2.

    Examples
    --------
    >>> from scipy import sparse
    >>> from sklearn_resnet_sc.theory import spectral_density
    >>> operator = sparse.diags_array([1.0] * 300 + [2.0] * 100)
    >>> estimate = spectral_density(operator, n_vectors=32)
    >>> bool(abs(estimate.distribution(1.5) - 0.75) < 0.05)
    True
    """
    operator = check_operator(operator)
    if kind not in ("singular", "eigen"):
        raise ValueError(f'kind must be "singular" or "eigen"; got {kind!r}')
    n_steps = check_count(n_steps, "n_steps")
    n_vectors = check_count(n_vectors, "n_vectors")
    draw = generator(random_state)
    if kind == "singular":
        size, product = gram_of(operator)
    else:
        size, product = operator.shape[0], lambda x: apply_operator(operator.matvec, x)
        _check_symmetric(operator, draw)
    nodes, weights = [], []
    for _ in range(n_vectors):
        values, shares = _lanczos(product, draw.standard_normal(size), min(n_steps, size))
        nodes.append(values)
        weights.append(shares / n_vectors)
    nodes, weights = np.concatenate(nodes), np.concatenate(weights)
    if kind == "singular":
        nodes = np.sqrt(np.maximum(nodes, 0))
    order = np.argsort(nodes)
    return SpectralDensity(
        kind=kind,
        nodes=frozen_array(nodes[order]),
        weights=frozen_array(weights[order]),
        size=size,
        n_vectors=n_vectors,
        n_steps=min(n_steps, size),
    )


def _check_symmetric(operator, draw):
    if operator.shape[0] != operator.shape[1]:
        raise ValueError(f'operator must be square for kind="eigen"; got shape {operator.shape}')
    x, y = draw.standard_normal((2, operator.shape[0]))
    along, across = apply_operator(operator.matvec, x), apply_operator(operator.matvec, y)
    scale = np.linalg.norm(along) * np.linalg.norm(y) + np.linalg.norm(across) * np.linalg.norm(x)
    if abs(along @ y - across @ x) > 1e-6 * scale:
        raise ValueError('operator must be symmetric for kind="eigen"; use kind="singular"')


def _lanczos(product, start, n_steps):
    """Nodes and weights of the Gauss quadrature of the spectral measure of `start`."""
    basis = np.zeros((n_steps, len(start)))
    diagonal, beside = [], []
    vector = start / np.linalg.norm(start)
    for step in range(n_steps):
        basis[step] = vector
        image = product(vector)
        size = float(np.linalg.norm(image))
        diagonal.append(float(vector @ image))
        for _ in range(2):  # twice is enough
            image = image - (basis[: step + 1] @ image) @ basis[: step + 1]
        length = float(np.linalg.norm(image))
        largest = max(max(np.abs(diagonal)), max(beside, default=0.0), size)
        # An invariant subspace: the measure has no more nodes.
        if step == n_steps - 1 or length <= len(start) * np.finfo(np.float64).eps * largest:
            break
        beside.append(length)
        vector = image / length
    values, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside))
    return values, np.square(vectors[0])
