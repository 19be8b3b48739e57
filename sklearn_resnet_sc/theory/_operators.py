"""Extreme singular values of sparse matrices and linear operators."""

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator, eigsh

from ._checks import check_count, check_matrix, check_nonnegative
from ._statement import Statement, frozen_array, number, plural

# Up to this size the Gram matrix is decomposed, which no multiple value can mislead.
_SMALL = 200


def check_operator(operator, name="operator"):
    """A real linear operator; what is held as a matrix must be finite."""
    if isinstance(operator, LinearOperator):
        if np.dtype(operator.dtype).kind not in "biuf":
            raise ValueError(f"{name} must be real; got dtype {operator.dtype}")
    elif sparse.issparse(operator):
        if operator.dtype.kind not in "biuf":
            raise ValueError(f"{name} must be real; got dtype {operator.dtype}")
        if not np.isfinite(operator.data).all():
            raise ValueError(f"{name} must be finite; it contains NaN or infinity")
        operator = aslinearoperator(operator.astype(np.float64))
    else:
        operator = aslinearoperator(check_matrix(operator, name).astype(np.float64))
    if min(operator.shape) == 0:
        raise ValueError(f"{name} must not be empty; got shape {operator.shape}")
    return operator


def gram_of(operator):
    """Of the smaller side: its eigenvalues are the squared singular values."""
    n_rows, n_columns = operator.shape
    if n_rows <= n_columns:
        return n_rows, lambda x: apply_operator(operator.matvec, operator.rmatvec(x))
    return n_columns, lambda x: apply_operator(operator.rmatvec, operator.matvec(x))


def apply_operator(function, vector):
    image = np.asarray(function(vector), dtype=np.float64)
    if not np.isfinite(image).all():
        raise ValueError("operator must be finite; it returned NaN or infinity")
    return image


@dataclass(frozen=True, eq=False)
class ExtremeSpectrum(Statement):
    """Some singular values of an operator, with what is certain about them.

    Attributes
    ----------
    values : ndarray
        Approximate singular values, largest first.
    intervals : ndarray of shape (n_values, 2)
        Each contains a singular value, by the residual of the approximation.
    which : str
        "largest" or "smallest".
    shape : tuple of int
        Shape of the operator.
    """

    values: np.ndarray
    intervals: np.ndarray = field(repr=False)
    which: str
    shape: tuple

    def __str__(self):
        values = ", ".join(number(float(value)) for value in self.values)
        width = float((self.intervals[:, 1] - self.intervals[:, 0]).max())
        return (
            f"The {plural(len(self.values), self.which + ' singular value')} of an operator of "
            f"shape {self.shape}: {values} (each known to lie in an interval of width "
            f"{number(width)} at most)."
        )


def extreme_singular_values(operator, n_values=6, *, which="largest", tol=1e-8, random_state=0):
    """Largest or smallest singular values of a sparse matrix or linear operator.

    By the implicitly restarted Lanczos method on ``A A^T`` or ``A^T A``, whichever is
    smaller: the operator is only multiplied with vectors. Small singular values of
    operators of high condition number converge slowly, and are known no better than
    their intervals say. Multiple values are counted as often as they occur.

    Parameters
    ----------
    operator : array-like, sparse matrix or LinearOperator
        Real, with an adjoint.
    n_values : int, default=6
        How many, at most (and at least 1) the smaller side; close to it the matrix is
        better decomposed.
    which : {"largest", "smallest"}, default="largest"
        Which end of the spectrum.
    tol : float, default=1e-8
        Accuracy asked of the squared singular values, relative to the largest one.
    random_state : int, Generator, RandomState or None, default=0
        Draws the first vector.

    Returns
    -------
    ExtremeSpectrum
        Prints as a sentence.

    Raises
    ------
    ValueError
        If the operator is not real or finite, or another argument is out of range.
    scipy.sparse.linalg.ArpackNoConvergence
        If the values did not converge.

    References
    ----------
    R. B. Lehoucq, D. C. Sorensen, C. Yang, "ARPACK users' guide" (1998).

    Examples
    --------
    >>> from scipy import sparse
    >>> from sklearn_resnet_sc.theory import extreme_singular_values
    >>> diagonal = sparse.diags_array([float(i) for i in range(1, 101)])
    >>> extreme_singular_values(diagonal, 2).values.round(6)
    array([100.,  99.])
    """
    operator = check_operator(operator)
    size, gram = gram_of(operator)
    n_values = check_count(n_values, "n_values", high=size)
    tol = check_nonnegative(tol, "tol", high=1)
    if which not in ("largest", "smallest"):
        raise ValueError(f'which must be "largest" or "smallest"; got {which!r}')
    if size <= max(_SMALL, n_values + 1):
        matrix = np.column_stack([gram(column) for column in np.eye(size)])
        eigenvalues, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
        chosen = slice(-n_values, None) if which == "largest" else slice(None, n_values)
        eigenvalues, vectors = eigenvalues[chosen], vectors[:, chosen]
    else:
        draw = generator(random_state)
        if which == "largest":
            eigenvalues, vectors = _with_copies(gram, size, n_values, draw, tol)
        else:
            # Asked for the smallest values of a singular operator, ARPACK takes others for
            # converged, or stalls. As the largest of a shifted one they are found.
            shift = 1.01 * float(_largest(gram, 1, draw.standard_normal(size), 1e-3)[0][0])
            eigenvalues, vectors = _with_copies(
                lambda x: shift * x - gram(x), size, n_values, draw, tol
            )
            eigenvalues = shift - eigenvalues
    order = np.argsort(eigenvalues)[::-1]
    eigenvalues, vectors = eigenvalues[order], vectors[:, order]
    residual = [
        np.linalg.norm(gram(v) - value * v) / np.linalg.norm(v)
        for value, v in zip(eigenvalues, vectors.T, strict=True)
    ]
    residual = np.array(residual) + size * np.finfo(np.float64).eps * np.abs(eigenvalues).max()
    ends = np.stack([eigenvalues - residual, eigenvalues + residual], axis=1)
    return ExtremeSpectrum(
        values=frozen_array(np.sqrt(np.maximum(eigenvalues, 0))),
        intervals=frozen_array(np.sqrt(np.maximum(ends, 0))),
        which=which,
        shape=tuple(operator.shape),
    )


def _largest(function, n_values, start, tol):
    operator = LinearOperator((len(start), len(start)), matvec=function, dtype=np.float64)
    return eigsh(operator, k=n_values, which="LA", v0=start, tol=tol)


def _with_copies(function, size, n_values, draw, tol):
    """The largest eigenvalues, each as often as it occurs.

    From one vector the method sees a multiple eigenvalue once, but for rounding. So what was
    found is taken out, and the largest of the rest put in its place while it is larger.
    """
    values, vectors = _largest(function, n_values, draw.standard_normal(size), tol)
    margin = 2 * max(tol, size * float(np.finfo(np.float64).eps)) * np.abs(values).max()
    while True:
        known, directions = values, vectors
        start = draw.standard_normal(size)

        def rest(x, known=known, directions=directions):
            return function(x) - directions @ (known * (directions.T @ x))

        value, vector = _largest(rest, 1, start, tol)
        least = values.argmin()
        if value[0] <= values[least] + margin:
            return values, vectors
        values, vectors = values.copy(), vectors.copy()
        values[least], vectors[:, least] = value[0], vector[:, 0]


def generator(random_state):
    if hasattr(random_state, "standard_normal"):
        return random_state
    return np.random.default_rng(random_state)
