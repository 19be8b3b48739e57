"""A dictionary ``P + R`` with unit atoms, and the set it must stay in."""

from dataclasses import dataclass, replace

import numpy as np

from ._bounded import keep_within
from ._incoherence import CoherenceCap

_SHORTEST = 1e-6
_ROUNDING = 1e-4  # by which the length of an atom may be off


@dataclass(frozen=True)
class Dictionary:
    """Atoms ``components = (shortcut + residual) / lengths[:, None]``, of unit length mostly."""

    components: np.ndarray  # (n_components, n_features)
    residual: np.ndarray  # (n_components, n_features)
    lengths: np.ndarray  # (n_components,)


def distance(new, old):
    """By how much two dictionaries differ, all atoms together; infinite beyond all numbers."""
    with np.errstate(over="ignore"):
        return float(np.linalg.norm(new.components - old.components))


def unit_atoms(atoms):
    """Atoms scaled to unit length, however long or short, but for those of length zero."""
    largest = np.abs(atoms).max(axis=1, keepdims=True)
    atoms = atoms / np.where(largest > 0, largest, 1)
    lengths = np.linalg.norm(atoms, axis=1, keepdims=True)
    return atoms / np.where(lengths > 0, lengths, 1)


def _lengths(atoms):
    """Lengths of atoms, also of those whose squares are no numbers: a start may have such."""
    largest = np.abs(atoms).max(axis=1)
    limit = np.sqrt(np.finfo(atoms.dtype).max) / atoms.shape[1]
    safe = np.where(largest > limit, largest, 1)
    return np.linalg.norm(atoms / safe[:, None], axis=1) * safe


@dataclass(frozen=True)
class DictionarySet:
    """Which dictionaries may be learned: what the shortcut is and how large the residual may be.

    Attributes
    ----------
    shortcut : ndarray of shape (n_components, n_features) or None
        P. None for a plain dictionary, whose residual is the dictionary itself.
    limit : float or None
        Largest spectral norm of the residual.
    dtype : dtype
        Precision of the dictionaries.
    ball : bool, default=False
        Whether atoms may be shorter than one; only without a shortcut.
    positive : bool, default=False
        Whether atoms must not have negative entries; only without a shortcut.
    cap : CoherenceCap or None, default=None
        What the mutual coherence must not exceed; only without a shortcut, and not of positive
        atoms.
    """

    shortcut: np.ndarray | None
    limit: float | None
    dtype: np.dtype
    ball: bool = False
    positive: bool = False
    cap: CoherenceCap | None = None

    def fit(self, residual):
        """The residual in the precision asked for and within the limit."""
        if self.positive:
            residual = np.maximum(residual, 0)
        if self.limit is None:
            return residual.astype(self.dtype)
        return keep_within(residual, self.limit, self.dtype)

    def holds(self, components):
        """Whether atoms without a shortcut are as they must be, to rounding."""
        if np.abs(components).max() > 1 + _ROUNDING:
            return False  # and its square may be too large a number
        lengths = np.linalg.norm(components, axis=1)
        return (
            lengths.max() <= 1 + _ROUNDING
            and (self.ball or lengths.min() >= 1 - _ROUNDING)
            and not (self.positive and components.min() < 0)
        )

    def nearest(self, dictionary, random_state):
        """A dictionary of the set for one without a shortcut that need not be: for a start kept.

        Atoms of length zero get a direction at random where atoms have unit length.
        """
        atoms = dictionary.components.astype(np.float64)
        if not self.ball:
            atoms = unit_atoms(atoms)
            zero = ~atoms.any(axis=1)
            atoms[zero] = unit_atoms(random_state.standard_normal(atoms.shape))[zero]
        return self.assemble(self.fit(atoms))

    def assemble(self, residual):
        """The dictionary of a residual that `fit` has returned.

        An atom too short to have a direction goes back to the shortcut, which
        cannot raise the norm of the residual. Atoms too close to one another are moved apart.
        """
        return self.within(self._scale(residual))

    def within(self, dictionary):
        """A dictionary with its atoms moved apart until they are within the cap."""
        if self.cap is None:
            return dictionary
        components = self.cap.enforce(dictionary.components)
        return replace(dictionary, components=components, residual=components)

    def _scale(self, residual):
        if self.ball:
            lengths = _lengths(residual)
            components = residual / np.maximum(lengths, 1)[:, None]
            return Dictionary(components, components, np.ones(len(components), self.dtype))
        if self.shortcut is None:
            lengths = np.linalg.norm(residual, axis=1)
            components = residual / np.where(lengths > 0, lengths, 1)[:, None]
            # Twice: the first division loses a unit in the last place.
            lengths = np.linalg.norm(components, axis=1)
            components /= np.where(lengths > 0, lengths, 1)[:, None]
            return Dictionary(components, components, np.ones(len(components), self.dtype))
        total = self.shortcut + residual
        lengths = np.linalg.norm(total, axis=1)
        if (short := lengths < _SHORTEST).any():
            residual = np.where(short[:, None], self.dtype.type(0), residual)
            return self._scale(residual)
        return Dictionary(total / lengths[:, None], residual, lengths)
