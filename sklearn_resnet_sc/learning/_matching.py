"""Whether two dictionaries are the same but for order and signs."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.utils import check_array


@dataclass(frozen=True)
class AtomMatching:
    """Pairs of atoms of two dictionaries, no atom in two pairs.

    Attributes
    ----------
    indices_a, indices_b : ndarray of shape (n_pairs,)
        The atoms of each pair; `indices_a` rises.
    signs : ndarray of shape (n_pairs,)
        1 or -1: what to multiply the atom of b by, so that both point the same way.
    distances : ndarray of shape (n_pairs,)
        ``1 - |<a, b>|`` of the unit atoms of each pair, in [0, 1].
    """

    indices_a: np.ndarray
    indices_b: np.ndarray
    signs: np.ndarray
    distances: np.ndarray

    @property
    def distance(self):
        """Mean of the distances; 0 where only order, signs and lengths differ."""
        return float(self.distances.mean())

    def n_close(self, threshold=0.01):
        """Count the pairs whose distance is below a threshold.

        Parameters
        ----------
        threshold : float, default=0.01
            That of Aharon, Elad and Bruckstein (2006), where such an atom counts as recovered.

        Returns
        -------
        int
            Number of pairs.
        """
        return int((self.distances < threshold).sum())

    def __str__(self):
        return (
            f"{len(self.distances)} pairs of atoms at a mean distance of {self.distance:.3g}; "
            f"{self.n_close()} closer than 0.01"
        )


def match_atoms(dictionary_a, dictionary_b):
    """Pair the atoms of two dictionaries one to one, so that the mean distance is smallest.

    Parameters
    ----------
    dictionary_a : array-like of shape (n_components_a, n_features)
        Atoms of any length; one of zeros is at distance 1 from all.
    dictionary_b : array-like of shape (n_components_b, n_features)
        Likewise. Where the numbers of atoms differ, some of the larger dictionary stay alone.

    Returns
    -------
    AtomMatching
        Pairs, signs and distances.

    Raises
    ------
    ValueError
        If the numbers of features differ, or an entry is NaN or infinite.

    References
    ----------
    The distance is that of M. Aharon, M. Elad, A. Bruckstein, "K-SVD: an algorithm for
    designing overcomplete dictionaries for sparse representation", IEEE TSP 54 (2006),
    section V.A.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.learning import match_atoms
    >>> matching = match_atoms(np.eye(3), [[0, -2, 0], [0.6, 0, 0.8], [0, 0, 1]])
    >>> matching.indices_b.tolist(), matching.signs.tolist()
    ([1, 0, 2], [1, -1, 1])
    >>> matching.distances.round(3).tolist()
    [0.4, 0.0, 0.0]
    >>> print(matching)
    3 pairs of atoms at a mean distance of 0.133; 2 closer than 0.01
    """
    atoms_a = _unit_atoms(dictionary_a, "dictionary_a")
    atoms_b = _unit_atoms(dictionary_b, "dictionary_b")
    if atoms_a.shape[1] != atoms_b.shape[1]:
        raise ValueError(
            "dictionary_a and dictionary_b must have the same number of features; got shapes "
            f"{atoms_a.shape} and {atoms_b.shape}"
        )
    cosines = atoms_a @ atoms_b.T
    indices_a, indices_b = linear_sum_assignment(np.abs(cosines), maximize=True)
    chosen = cosines[indices_a, indices_b]
    return AtomMatching(
        indices_a=indices_a,
        indices_b=indices_b,
        signs=np.where(chosen < 0, -1, 1),
        distances=np.clip(1 - np.abs(chosen), 0, 1),
    )


def _unit_atoms(dictionary, name):
    atoms = check_array(dictionary, dtype=np.float64, input_name=name)
    # First to a largest entry of one: squares neither over- nor underflow.
    for measure in (np.abs(atoms).max(axis=1), None):
        length = np.linalg.norm(atoms, axis=1) if measure is None else measure
        atoms = atoms / np.where(length > 0, length, 1)[:, None]
    return atoms
