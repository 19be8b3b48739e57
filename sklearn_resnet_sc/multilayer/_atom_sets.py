"""Which atoms a layer may have, and how they move: sparse ones, or a bounded part beside a skip."""

from dataclasses import dataclass

import numpy as np

from ..learning import clip_singular_values
from ._bounded_descent import descend_within
from ._stack import Stack, row_norms

_BLOCK = 32  # atoms whose gradients come from one product of matrices
_UNUSED = 1e-10  # squared codes of an atom, over those of the atom used most, that count as none
_HALVINGS = 30  # of the way to the next residual


@dataclass(frozen=True)
class Atoms:
    """A dictionary of unit atoms; with a skip, of ``identity + residual``.

    Attributes
    ----------
    components : ndarray of shape (n_components, n_features)
        Unit atoms; with a skip ``(identity + residual) / lengths[:, None]``.
    residual : ndarray of shape (n_components, n_features) or None
        What is learned beside the skip.
    lengths : ndarray of shape (n_components,) or None
        Lengths of the rows of ``identity + residual``.
    """

    components: np.ndarray
    residual: np.ndarray | None = None
    lengths: np.ndarray | None = None


def stack_of(atoms):
    """The stack of the atoms of all layers."""
    return Stack(tuple(layer.components for layer in atoms))


@dataclass(frozen=True)
class PlainAtoms:
    """Unit atoms with at most so many nonzeros.

    Attributes
    ----------
    dtype : dtype
        Precision of the atoms.
    n_nonzero : int or None
        Most nonzeros of an atom; None for any number.
    """

    dtype: np.dtype
    n_nonzero: int | None = None

    def nearest(self, matrix):
        """The nearest atoms; where a row is zero, one that points along an axis."""
        axes = np.eye(*matrix.shape)
        axes[matrix.shape[1] :, 0] = 1
        return self._along(matrix.astype(np.float64), axes)

    def descend(self, atoms, gram, cross):
        """Minimise ``tr(C' gram C) / 2 - tr(C' cross)`` over one atom after the other.

        On the sphere the minimiser over an atom is the negative gradient that the others
        leave, its largest entries kept and scaled to unit length. So the value never rises.
        """
        new = atoms.components.astype(np.float64)
        use = np.diag(gram)
        used = use > _UNUSED * use.max(initial=0)
        for first in range(0, len(new), _BLOCK):
            rows = slice(first, first + _BLOCK)
            descent = cross[rows] - gram[rows] @ new
            for i, j in enumerate(range(first, first + len(descent))):
                if not used[j]:
                    continue
                atom = self._thin((descent[i] + use[j] * new[j])[None])[0]
                length = np.linalg.norm(atom)
                if length > 0:
                    change = atom / length - new[j]
                    new[j] += change
                    descent[i + 1 :] -= np.outer(gram[j, rows][i + 1 :], change)
        return Atoms(new.astype(self.dtype))

    def step(self, atoms, gradient, curvature, size):
        """A gradient step of every atom, `size` over its curvature; then the nearest atoms."""
        rate = np.divide(size, curvature, out=np.zeros_like(curvature), where=curvature > 0)
        old = atoms.components.astype(np.float64)
        return self._along(old - rate[:, None] * gradient, old)

    def replace(self, atoms, which, directions):
        """Point atoms, as many as there are directions, along these."""
        new = atoms.components.astype(np.float64)
        which = which[: len(directions)]
        new[which] = directions
        return self._along(new, atoms.components)

    def _along(self, directions, otherwise):
        thin = self._thin(directions)
        lengths = row_norms(thin)
        zero = lengths == 0
        unit = thin / np.where(zero, 1, lengths)[:, None]
        return Atoms(np.where(zero[:, None], otherwise, unit).astype(self.dtype))

    def _thin(self, matrix):
        """The largest entries of each row; the others are zero."""
        if self.n_nonzero is None or self.n_nonzero >= matrix.shape[1]:
            return matrix
        dropped = np.abs(matrix).argpartition(-self.n_nonzero, axis=1)[:, : -self.n_nonzero]
        thin = matrix.copy()
        np.put_along_axis(thin, dropped, 0, axis=1)
        return thin


@dataclass(frozen=True)
class SkipAtoms:
    """Unit atoms along the rows of ``identity + residual``, whose residual is bounded.

    Attributes
    ----------
    dtype : dtype
        Precision of the atoms.
    bound : float or None
        Largest spectral norm of the residual, below 1; None for any.
    """

    dtype: np.dtype
    bound: float | None

    def assemble(self, residual):
        """The atoms of a residual, after it was brought within the bound and rounded."""
        residual = self._within(residual)
        total = np.eye(len(residual), dtype=self.dtype) + residual
        lengths = np.linalg.norm(total, axis=1)
        if not lengths.all():
            residual = np.where(lengths[:, None] > 0, residual, 0).astype(self.dtype)
            return self.assemble(residual)
        return Atoms(total / lengths[:, None], residual, lengths)

    def descend(self, atoms, gram, cross):
        """Make ``tr(C' gram C) / 2 - tr(C' cross)`` small; it never rises.

        For codes that shrink as rows of ``identity + residual`` grow this is convex in the
        residual. A linear term gives that function the slope which the value has at the
        present atoms, so that its minimum lies downhill; the way there is halved until the
        value falls.
        """

        def value_of(components):
            components = components.astype(np.float64)
            return 0.5 * np.vdot(components, gram @ components - 2 * cross)

        components, residual, lengths = (
            array.astype(np.float64) for array in (atoms.components, atoms.residual, atoms.lengths)
        )
        slope = self._slope(gram @ components - cross, components, lengths)
        goal = descend_within(gram / np.outer(lengths, lengths), slope, residual, self.bound)
        value, way = value_of(components), goal - residual
        for halvings in range(_HALVINGS if way.any() else 0):
            new = self.assemble(residual + way / 2**halvings)
            if value_of(new.components) < value:
                return new
        return atoms

    @staticmethod
    def _slope(gradient, components, lengths):
        """Derivative by the residual of what has this gradient by the atoms."""
        along = np.einsum("ij,ij->i", gradient, components)
        return (gradient - along[:, None] * components) / lengths[:, None]

    def step(self, atoms, gradient, curvature, size):
        """A gradient step of the residual, in which atoms change as they are scaled to length one.

        All rows move at the pace of the steepest, so that singular values may be clipped.
        """
        components = atoms.components.astype(np.float64)
        lengths = atoms.lengths.astype(np.float64)
        steepest = (curvature / lengths**2).max()
        if steepest == 0:
            return atoms
        slope = self._slope(gradient, components, lengths)
        return self.assemble(atoms.residual.astype(np.float64) - size / steepest * slope)

    def replace(self, atoms, which, directions):
        """Atoms stay near the skip: none is replaced."""
        return atoms

    def _within(self, residual):
        """The nearest residual within the bound, in the precision of the atoms."""
        rounded = clip_singular_values(residual, self.bound).astype(self.dtype)
        if self.bound is None:
            return rounded
        norm = np.linalg.norm(rounded.astype(np.float64), 2)
        if norm > self.bound:
            # Rounding has lengthened it by some units in the last place.
            rounded *= self.dtype.type(self.bound / norm) * (1 - np.finfo(self.dtype).eps)
        return rounded
