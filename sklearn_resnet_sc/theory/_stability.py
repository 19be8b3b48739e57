"""How far two sparse codes of one noisy signal can be apart."""

import math
from dataclasses import dataclass

from ._checks import check_count, check_dictionary, check_nonnegative, rounding, unit_atoms
from ._coherence import mutual_coherence
from ._spectra import default_rtol, rank_of, singular_spectrum
from ._statement import Statement, number, plural


@dataclass(frozen=True)
class StabilityBound(Statement):
    """Largest squared distance of two sparse codes of one signal.

    Attributes
    ----------
    n_nonzero : int
        Sparsity s of both codes.
    noise : float
        Both represent the signal to within this distance, epsilon.
    coherence : float
        Mutual coherence of the dictionary.
    min_atom_length : float
        Length of the shortest atom.
    by_coherence : float
        ``4 eps^2 / ((1 - (2s-1) mu) min_j ||d_j||^2)``, infinite where
        ``(2s-1) mu >= 1``.
    by_spectrum : float
        ``4 eps^2 / sigma_min(D)^2``, infinite where the atoms are dependent.
    """

    n_nonzero: int
    noise: float
    coherence: float
    min_atom_length: float
    by_coherence: float
    by_spectrum: float

    @property
    def squared_error(self):
        """The smaller of the two bounds; infinite where neither holds."""
        return min(self.by_coherence, self.by_spectrum)

    @property
    def certified(self):
        """Whether one of the bounds holds."""
        return self.squared_error < math.inf

    def __str__(self):
        codes = (
            f"two codes of at most {plural(self.n_nonzero, 'atom')}, each within "
            f"{number(self.noise)} of the signal"
        )
        if not self.certified:
            return (
                f"Stability is not certified for {codes}: (2s-1) mu = "
                f"{number((2 * self.n_nonzero - 1) * self.coherence)} is not below 1, and the "
                f"atoms are linearly dependent."
            )
        source = (
            f"coherence mu = {number(self.coherence)}"
            if self.by_coherence <= self.by_spectrum
            else "the smallest singular value, whatever the sparsity"
        )
        return (
            f"The squared distance of {codes}, is at most {number(self.squared_error)} "
            f"(by {source})."
        )


def stability_bound(dictionary, n_nonzero, noise):
    """Bound the distance of any two s-sparse codes, each within `noise` of the signal.

    ``||a - b||^2 <= 4 eps^2 / ((1 - (2s-1) mu) min_j ||d_j||^2)`` where
    ``(2s-1) mu < 1``, with `mu` of the normalised atoms; and, where the atoms are
    linearly independent, ``||a - b||^2 <= 4 eps^2 / sigma_min(D)^2`` whatever s.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length.
    n_nonzero : int
        Sparsity s of both codes, in ``[1, n_components]``.
    noise : float
        Distance epsilon of each reconstruction from the signal, at least 0.

    Returns
    -------
    StabilityBound
        Prints as a sentence; `squared_error` is the better of the two bounds,
        infinite where nothing is certified.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `n_nonzero` or `noise` is out of range.

    Notes
    -----
    The difference of the codes has at most 2s non-zeros, and its image at most the
    length ``2 eps``; Gershgorin's theorem bounds that image from below. A measured
    coherence is enlarged by the rounding of its precision when ``(2s-1) mu < 1`` is
    decided.

    References
    ----------
    D. L. Donoho, M. Elad, V. N. Temlyakov, "Stable recovery of sparse overcomplete
    representations in the presence of noise", IEEE Trans. Information Theory 52
    (2006), theorem 2.1.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import stability_bound
    >>> bound = stability_bound([[1, 0], [0, 1], [0.6, 0.8]], n_nonzero=1, noise=0.1)
    >>> round(bound.squared_error, 12)
    0.2
    """
    dictionary = check_dictionary(dictionary)
    n_nonzero = check_count(n_nonzero, "n_nonzero", high=len(dictionary))
    noise = check_nonnegative(noise, "noise")
    coherence = mutual_coherence(dictionary)
    _, lengths = unit_atoms(dictionary)
    shortest = float(lengths.min())
    isometry = 1 - (2 * n_nonzero - 1) * coherence
    certified = isometry > (2 * n_nonzero - 1) * rounding(dictionary)
    by_coherence = _square(2 * noise / shortest) / isometry if certified else math.inf
    sigma = singular_spectrum(dictionary)
    independent = rank_of(sigma, default_rtol(dictionary)) == len(dictionary)
    return StabilityBound(
        n_nonzero=n_nonzero,
        noise=noise,
        coherence=coherence,
        min_atom_length=shortest,
        by_coherence=by_coherence,
        by_spectrum=_square(2 * noise / float(sigma[-1])) if independent else math.inf,
    )


def _square(value):
    return value * value
