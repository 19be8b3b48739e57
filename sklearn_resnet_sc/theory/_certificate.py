"""The certificate of a fitted residual dictionary."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_dictionary, unit_atoms
from ._frames import FrameBounds, frame_bounds
from ._recovery import UniquenessBound, uniqueness_bound
from ._residual import ResidualBounds, check_pair, residual_bounds
from ._spectra import (
    condition_number_of,
    default_rtol,
    effective_rank_of,
    participation_ratio_of,
    rank_of,
    singular_spectrum,
)
from ._statement import Statement, number, plural


@dataclass(frozen=True)
class Spectrum(Statement):
    """Measured spectrum of one matrix.

    Attributes
    ----------
    rank : int
        Numerical rank.
    sigma_min, sigma_max : float
        Extreme singular values.
    condition_number : float
        Infinite when the rank is not full.
    effective_rank : float
        After Roy and Vetterli.
    participation_ratio : float
        ``(sum sigma^2)^2 / sum sigma^4``.
    """

    rank: int
    sigma_min: float
    sigma_max: float
    condition_number: float
    effective_rank: float
    participation_ratio: float

    def __str__(self):
        return (
            f"rank {self.rank}, singular values in [{number(self.sigma_min)}, "
            f"{number(self.sigma_max)}], condition number {number(self.condition_number)}, "
            f"effective rank {number(self.effective_rank)}, participation ratio "
            f"{number(self.participation_ratio)}"
        )


def _measure(matrix, rtol):
    sigma = singular_spectrum(matrix)
    return Spectrum(
        rank=int(rank_of(sigma, rtol)),
        sigma_min=float(sigma[-1]),
        sigma_max=float(sigma[0]),
        condition_number=float(condition_number_of(sigma, rtol)),
        effective_rank=float(effective_rank_of(sigma)),
        participation_ratio=float(participation_ratio_of(sigma)),
    )


@dataclass(frozen=True)
class ResidualCertificate(Statement):
    """What is certain, and what was measured, about a residual dictionary.

    Two matrices are spoken of: the *sum*, shortcut + residual, to which the
    theorems apply, and the *components*, the same atoms scaled to unit length, with
    which signals are coded. Rank and coherence are the same for both, the
    condition number is not.

    Attributes
    ----------
    n_components, n_features : int
        Size of the dictionary.
    bounds : ResidualBounds or None
        Certified for the sum; None for a plain dictionary.
    residual_bound : float or None
        The bound on rho that the dictionary was learned under.
    residual_bound_kept : bool or None
        Whether ``||residual||_2 <= residual_bound * sigma_min(shortcut)``, to
        rounding; None without a bound.
    sum_spectrum : Spectrum
        Measured on shortcut + residual.
    components_spectrum : Spectrum
        Measured on the components.
    components_condition_number_bound : float
        Certified for the components: the bound of the sum times longest over
        shortest atom; infinite where not certified.
    min_atom_length, max_atom_length : float
        Of the atoms of the sum.
    frame_bounds : FrameBounds
        Measured on the components.
    uniqueness : UniquenessBound
        From the measured coherence of the components.
    """

    n_components: int
    n_features: int
    bounds: ResidualBounds | None
    residual_bound: float | None
    residual_bound_kept: bool | None
    sum_spectrum: Spectrum
    components_spectrum: Spectrum
    components_condition_number_bound: float
    min_atom_length: float
    max_atom_length: float
    frame_bounds: FrameBounds
    uniqueness: UniquenessBound

    @property
    def certified(self):
        """Whether full rank and conditioning are guaranteed by the residual's size."""
        return self.bounds is not None and self.bounds.rank_guaranteed

    @property
    def coherence(self):
        """Measured mutual coherence, the same for the sum and the components."""
        return self.uniqueness.coherence

    def __str__(self):
        return "\n".join(self._sentences())

    def _sentences(self):
        if self.bounds is None:
            yield (
                f"Plain dictionary without shortcut, {plural(self.n_components, 'atom')} in "
                f"{plural(self.n_features, 'dimension')}: rank and conditioning are not certified."
            )
            yield f"Measured, before scaling to unit length: {self.sum_spectrum}."
        else:
            yield f"Certified for shortcut + residual. {self.bounds}"
            if self.residual_bound_kept is not None:
                kept = "is" if self.residual_bound_kept else "is not"
                rho = number(self.residual_bound)
                yield f"The bound ||R||_2 <= {rho} sigma_min(shortcut) {kept} kept."
            yield f"Measured on shortcut + residual: {self.sum_spectrum}."
        if self.certified:
            yield (
                f"Certified for the unit-norm components: condition number at most "
                f"{number(self.components_condition_number_bound)}, the bound of the sum times "
                f"longest over shortest atom ({number(self.max_atom_length)} / "
                f"{number(self.min_atom_length)})."
            )
        elif self.bounds is not None:
            yield "The condition number of the unit-norm components is not certified."
        yield (
            f"Measured on the unit-norm components: {self.components_spectrum}, coherence "
            f"{number(self.coherence)}, frame bounds A = {number(self.frame_bounds.lower)} and "
            f"B = {number(self.frame_bounds.upper)}."
        )
        yield f"By these measurements: {self.uniqueness}"


def residual_certificate(shortcut, residual, *, residual_bound=None):
    """Certify ``shortcut + residual`` and the unit-norm atoms made of it.

    The certified part follows from the size of the residual, see
    `residual_bounds`; the measured part is computed from the matrices and
    labelled so. Scaling atoms to unit length keeps rank and coherence, and
    ``kappa(components) <= kappa(shortcut + residual) * max/min atom length``.

    Parameters
    ----------
    shortcut : array-like of shape (n_components, n_features), "identity" or None
        None for a plain dictionary: nothing is certified, everything measured.
    residual : array-like of shape (n_components, n_features)
        The residual; for a plain dictionary, the dictionary itself.
    residual_bound : float, default=None
        The rho in (0, 1) that the residual was held to, if any:
        ``||residual||_2 <= residual_bound * sigma_min(shortcut)`` is then checked.

    Returns
    -------
    ResidualCertificate
        Prints as sentences; `to_dict` gives plain values for JSON.

    Raises
    ------
    ValueError
        If an argument is not a finite real matrix, the shapes differ, the sum has a
        zero atom, or `residual_bound` is not in (0, 1) or has no shortcut to refer to.

    Notes
    -----
    Computed in float64, into which float32 goes without loss; what counts as
    rounding in the measured rank and in the bound is that of the coarser input.

    References
    ----------
    R. A. Horn, C. R. Johnson, "Topics in Matrix Analysis" (1991), theorem 3.3.16, for the
    singular values of a sum and of a product; otherwise those of `residual_bounds`,
    `uniqueness_bound` and `dictionary_properties`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import residual_certificate
    >>> residual = np.array([[0.0, 0.5], [0.5, 0.0]])
    >>> certificate = residual_certificate("identity", residual, residual_bound=0.5)
    >>> certificate.residual_bound_kept
    True
    >>> round(certificate.bounds.condition_number_bound, 12)
    3.0
    >>> print(certificate.uniqueness)
    The dictionary is square and invertible: every code is unique, whatever mu says. A code of at
    most 1 atom is the sparsest of its signal, the only one so sparse, and found by OMP and basis
    pursuit (coherence 0.8 certifies 1, the Babel function 1).
    """
    _check_bound(residual_bound, shortcut)
    dtype = _coarser_dtype(shortcut, residual)
    if shortcut is None:
        bounds = None
        total = check_dictionary(residual, "residual").astype(np.float64, copy=False)
    else:
        bounds = residual_bounds(shortcut, residual)
        total = check_dictionary(np.add(*check_pair(shortcut, residual)), "shortcut + residual")
    components, lengths = unit_atoms(total)
    components = components.astype(dtype, copy=False)
    rtol = default_rtol(components)
    longest, shortest = float(lengths.max()), float(lengths.min())
    kappa = math.inf if bounds is None else bounds.condition_number_bound
    return ResidualCertificate(
        n_components=total.shape[0],
        n_features=total.shape[1],
        bounds=bounds,
        residual_bound=None if residual_bound is None else float(residual_bound),
        residual_bound_kept=None if residual_bound is None else _kept(bounds, residual_bound, rtol),
        sum_spectrum=_measure(total, rtol),
        components_spectrum=_measure(components, rtol),
        components_condition_number_bound=kappa * (longest / shortest),
        min_atom_length=shortest,
        max_atom_length=longest,
        frame_bounds=frame_bounds(components),
        uniqueness=uniqueness_bound(components),
    )


def _coarser_dtype(*parts):
    """float32 if any of the arrays is, else float64."""
    single = any(getattr(part, "dtype", None) == np.float32 for part in parts)
    return np.float32 if single else np.float64


def _check_bound(residual_bound, shortcut):
    if residual_bound is None:
        return
    if shortcut is None:
        raise ValueError("residual_bound needs a shortcut; got shortcut=None")
    if isinstance(residual_bound, bool | str) or not 0 < residual_bound < 1:
        raise ValueError(f"residual_bound must lie in (0, 1) or be None; got {residual_bound!r}")


def _kept(bounds, residual_bound, rtol):
    return bool(
        bounds.residual_norm
        <= residual_bound * bounds.shortcut_sigma_min + rtol * bounds.shortcut_sigma_max
    )
