"""What a bound on the residual says about shortcut + residual."""

import math
from dataclasses import dataclass, field

import numpy as np

from ._checks import check_dictionary, check_matrix, unit_atoms
from ._coherence import mutual_coherence
from ._recovery import sparsity_from_coherence
from ._spectra import default_rtol, rank_of, singular_spectrum
from ._statement import Statement, frozen_array, number, plural


@dataclass(frozen=True)
class ResidualBounds(Statement):
    """Guarantees for shortcut + residual, from the two parts alone.

    Attributes
    ----------
    n_components, n_features : int
        Shape of both parts.
    identity : bool
        Whether the shortcut is the identity (padded with zero features).
    residual_norm : float
        ``||R||_2``.
    shortcut_sigma_min, shortcut_sigma_max : float
        Extreme singular values of the shortcut P; the smaller is 0 when P is not
        of full rank.
    relative_norm : float
        ``rho = ||R||_2 / sigma_min(P)``; infinite when P is not of full rank.
    rank_guaranteed : bool
        Whether full rank is certain.
    rank_lower : int
        The rank is at least this.
    numerical_range_lower : float or None
        ``1 + lambda_min((R + R^T)/2)``, another lower bound on ``sigma_min(I + R)``,
        at least as good as ``1 - rho``; None unless the shortcut is a square identity.
        The other fields use it only where ``rho >= 1``.
    sigma_intervals : ndarray of shape (min(n_components, n_features), 2)
        The i-th largest singular value lies in the i-th interval.
    sigma_lower, sigma_upper : float
        All singular values lie between them.
    condition_number_bound : float
        Infinite where not certified.
    participation_ratio_bound : float
        Lower bound; 0 where not certified.
    coherence_bound : float
        Upper bound on the mutual coherence; 1 where not certified.
    coherence_theorem : str or None
        Which theorem gave it, "A7" or "A8".
    n_nonzero : int
        Sparsity that this coherence certifies as unique; 0 is not certified.
    n_nonzero_entries : int or None
        Entries of I + R that are not zero; None for other shortcuts.
    energy : float
        ``||P + R||_F^2``.
    """

    n_components: int
    n_features: int
    identity: bool
    residual_norm: float
    shortcut_sigma_min: float
    shortcut_sigma_max: float
    relative_norm: float
    rank_guaranteed: bool
    rank_lower: int
    numerical_range_lower: float | None
    sigma_intervals: np.ndarray = field(repr=False, compare=False)
    sigma_lower: float
    sigma_upper: float
    condition_number_bound: float
    participation_ratio_bound: float
    coherence_bound: float
    coherence_theorem: str | None
    n_nonzero: int
    n_nonzero_entries: int | None
    energy: float

    def __str__(self):
        return "\n".join(self._sentences())

    def _sentences(self):
        full = min(self.n_components, self.n_features)
        name = "I + R" if self.identity else "P + R"
        size = f"{plural(self.n_components, 'atom')} in {plural(self.n_features, 'dimension')}"
        if self.shortcut_sigma_min == 0:
            yield f"Shortcut plus residual, {name}, {size}: the shortcut is not of full rank."
        else:
            yield (
                f"Shortcut plus residual, {name}, {size}: ||R||_2 = {number(self.residual_norm)} "
                f"= {number(self.relative_norm)} sigma_min(shortcut)."
            )
        if self.rank_guaranteed:
            how = "lambda_min((R + R^T)/2) > -1" if self._by_numerical_range else "rho < 1"
            yield f"Full rank {full} is certain ({self._label('A1')}, {how})."
        else:
            yield f"Full rank is not certified; the rank is at least {self.rank_lower} (A2, Weyl)."
        source = "A1, numerical range" if self._by_numerical_range else None
        yield (
            f"Singular values lie in [{number(self.sigma_lower)}, {number(self.sigma_upper)}] "
            f"({source or self._label('A3') + ', Weyl'})."
        )
        if self.rank_guaranteed:
            yield (
                f"The condition number is at most {number(self.condition_number_bound)} "
                f"({source or self._label('A4')}), the participation ratio at least "
                f"{number(self.participation_ratio_bound)} of {full} (A5, Kantorovich)."
            )
        else:
            yield "The condition number and the participation ratio are not certified."
        if self.coherence_theorem is None:
            yield "The coherence is not certified."
        else:
            how = {"A7": "Wielandt", "A8": "angles of the atoms"}[self.coherence_theorem]
            yield (
                f"The coherence is at most {number(self.coherence_bound)} "
                f"({self.coherence_theorem}, {how}), which makes codes of at most "
                f"{plural(self.n_nonzero, 'atom')} unique."
            )
        if self.rank_guaranteed and self.n_components <= self.n_features:
            yield "The atoms are linearly independent: every code is unique, whatever mu says."

    @property
    def _by_numerical_range(self):
        by_norm = self.shortcut_sigma_min - self.residual_norm
        return self.rank_guaranteed and self.sigma_lower > by_norm

    def _label(self, label):
        return label if self.identity else "A8"


def residual_bounds(shortcut, residual):
    """What is certain about ``shortcut + residual``, from the size of the residual.

    Let P be the shortcut, R the residual, ``rho = ||R||_2 / sigma_min(P)``, both of
    them `(k, n)` and ``m = min(k, n)``. The corrected theorems on residual
    dictionaries, with the identity as P in A1 to A7, are

    - A1: I + R has full rank if and only if -1 is no eigenvalue of R; ``rho < 1``
      or, for a square identity, ``lambda_min((R + R^T)/2) > -1`` is enough, and the
      latter gives ``sigma_min(I + R) >= 1 + lambda_min``;
    - A2: ``rank(I + R) >= n - rank(R)``; here in its sharper form, by A3: as many
      singular values of I + R are positive as are below 1 in R;
    - A3 (Weyl): ``1 - sigma_{n-i+1}(R) <= sigma_i(I + R) <= 1 + sigma_i(R)``, and for
      any P ``max_j sigma_{i+j-1}(P) - sigma_j(R) <= sigma_i(P + R) <=
      min_{a+b=i+1} sigma_a(P) + sigma_b(R)``;
    - A4: ``kappa(I + R) <= (1 + rho) / (1 - rho)``;
    - A5 (Kantorovich): the participation ratio of a matrix with condition number at
      most kappa is at least ``m (2 kappa / (1 + kappa^2))^2``, which for I + R
      is ``n ((1 - rho^2) / (1 + rho^2))^2``; the energy is
      ``||I + R||_F^2 = n + 2 tr R + ||R||_F^2``;
    - A6: ``nnz(I + R) = nnz(R) + #{r_ii = 0} - #{r_ii = -1}``;
    - A7 (Wielandt): ``mu <= (kappa^2 - 1) / (kappa^2 + 1)`` for linearly independent
      atoms, which for I + R, and for any P with orthonormal atoms, is
      ``2 rho / (1 + rho^2)``;
    - A8: a shortcut of full rank and any shape, with ``rho < 1``: P + R has full rank and
      ``kappa <= (sigma_max(P) + ||R||) / (sigma_min(P) - ||R||)``; and if each
      ``||r_i|| <= delta ||p_i||`` with ``delta < 1``, then
      ``mu(P + R) <= cos(arccos mu(P) - 2 arcsin delta)`` while that angle is
      positive. For very coherent P this is empty.

    Parameters
    ----------
    shortcut : "identity" or array-like of shape (n_components, n_features)
        P. The identity is padded with zero features where there are fewer atoms
        than features. Atoms of an array may have any length: `delta` is relative.
    residual : array-like of shape (n_components, n_features)
        R.

    Returns
    -------
    ResidualBounds
        Prints as sentences. Where a precondition fails (``rho >= 1``, a shortcut
        that is not of full rank) the bound is vacuous and the sentence says
        "not certified".

    Raises
    ------
    ValueError
        If an argument is not a finite real matrix, the shapes differ, the shortcut
        has a zero atom, or the identity would have more atoms than features.

    Notes
    -----
    Computed in float64, into which float32 goes without loss. A precondition counts
    as met only if it is met by more than the rounding of the decomposition.

    References
    ----------
    R. A. Horn, C. R. Johnson, "Topics in Matrix Analysis" (1991), theorem 3.3.16 (Weyl's
    inequalities for singular values); "Matrix Analysis", 2nd ed. (2013), section 7.4.12
    (Kantorovich, Wielandt).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import residual_bounds
    >>> bounds = residual_bounds("identity", [[0.0, 0.5], [0.5, 0.0]])
    >>> bounds.rank_guaranteed, bounds.condition_number_bound, round(bounds.coherence_bound, 12)
    (True, 3.0, 0.8)
    >>> print(residual_bounds("identity", -np.eye(2)))
    Shortcut plus residual, I + R, 2 atoms in 2 dimensions: ||R||_2 = 1 = 1 sigma_min(shortcut).
    Full rank is not certified; the rank is at least 0 (A2, Weyl).
    Singular values lie in [0, 2] (A3, Weyl).
    The condition number and the participation ratio are not certified.
    The coherence is not certified.
    """
    shortcut, residual = check_pair(shortcut, residual)
    n_components, n_features = shape = shortcut.shape
    identity = np.array_equal(shortcut, np.eye(*shape))
    sigma_p, sigma_r = singular_spectrum(shortcut), singular_spectrum(residual)
    slack = default_rtol(shortcut) * float(sigma_p[0] + sigma_r[0])
    deficient = rank_of(sigma_p, default_rtol(shortcut)) < len(sigma_p)

    intervals = weyl_intervals(sigma_p, sigma_r)
    numerical_range = None
    if identity and n_components == n_features:
        numerical_range = 1 + _least_eigenvalue(residual)
        if intervals[-1, 0] <= slack < numerical_range:
            intervals[:, 0] = np.maximum(intervals[:, 0], numerical_range)
    rank_lower = int(np.count_nonzero(intervals[:, 0] > slack))
    certain = rank_lower == len(sigma_p)
    lower, upper = float(intervals[-1, 0]), float(intervals[0, 1])
    kappa = upper / lower if certain else math.inf
    coherence, theorem = _coherence_bound(shortcut, residual, kappa)
    margin = n_features * float(np.finfo(np.float64).eps)
    return ResidualBounds(
        n_components=n_components,
        n_features=n_features,
        identity=identity,
        residual_norm=float(sigma_r[0]),
        shortcut_sigma_min=0.0 if deficient else float(sigma_p[-1]),
        shortcut_sigma_max=float(sigma_p[0]),
        relative_norm=math.inf if deficient else float(sigma_r[0]) / float(sigma_p[-1]),
        rank_guaranteed=certain,
        rank_lower=rank_lower,
        numerical_range_lower=numerical_range,
        sigma_intervals=frozen_array(intervals),
        sigma_lower=lower,
        sigma_upper=upper,
        condition_number_bound=kappa,
        participation_ratio_bound=len(sigma_p) * (2 / (kappa + 1 / kappa)) ** 2,
        coherence_bound=coherence,
        coherence_theorem=theorem,
        n_nonzero=sparsity_from_coherence(min(1.0, coherence + margin), n_components),
        n_nonzero_entries=int(np.count_nonzero(shortcut + residual)) if identity else None,
        energy=_energy(shortcut + residual),
    )


def check_pair(shortcut, residual):
    """Shortcut and residual as float64 matrices of one shape."""
    residual = check_matrix(residual, "residual").astype(np.float64, copy=False)
    n_components, n_features = residual.shape
    if isinstance(shortcut, str):
        if shortcut != "identity":
            raise ValueError(f'shortcut must be "identity" or an array; got {shortcut!r}')
        if n_components > n_features:
            raise ValueError(
                f'shortcut "identity" needs n_components <= n_features; the residual has '
                f"{n_components} > {n_features}"
            )
        return np.eye(n_components, n_features), residual
    shortcut = check_dictionary(shortcut, "shortcut").astype(np.float64, copy=False)
    if shortcut.shape != residual.shape:
        raise ValueError(
            f"shortcut and residual must have one shape; got {shortcut.shape} and {residual.shape}"
        )
    return shortcut, residual


def weyl_intervals(sigma_p, sigma_r):
    """Weyl's intervals for the singular values of P + R, from those of P and R."""
    size = len(sigma_p)
    intervals = np.zeros((size, 2))
    for i in range(size):
        intervals[i, 0] = max(0.0, (sigma_p[i:] - sigma_r[: size - i]).max())
        intervals[i, 1] = (sigma_p[: i + 1] + sigma_r[i::-1]).min()
    return intervals


def _least_eigenvalue(residual):
    """Smallest eigenvalue of the symmetric part."""
    exponent = int(np.frexp(np.abs(residual).max())[1])
    scaled = np.ldexp(residual, -exponent)
    return float(np.ldexp(np.linalg.eigvalsh((scaled + scaled.T) / 2)[0], exponent))


def _energy(matrix):
    """Squared Frobenius norm; infinite or zero where that leaves the range of floats."""
    peak = float(np.abs(matrix).max())
    return peak * peak * float(np.square(matrix / peak).sum()) if peak else 0.0


def _coherence_bound(shortcut, residual, kappa):
    """The better of A7 and A8 and its name, or 1 and None."""
    found = []
    if kappa < math.inf and len(shortcut) <= shortcut.shape[1]:
        found.append(((kappa - 1 / kappa) / (kappa + 1 / kappa), "A7"))
    _, lengths = unit_atoms(shortcut)
    used = residual.any(axis=1)
    # A tiny shortcut beside a huge residual: an infinite ratio is the right answer.
    with np.errstate(over="ignore"):
        ratios = unit_atoms(residual[used])[1] / lengths[used] if used.any() else np.zeros(1)
    delta = float(ratios.max())
    if delta < 1:
        angle = math.acos(mutual_coherence(shortcut)) - 2 * math.asin(delta)
        if angle > 0:
            found.append((math.cos(angle), "A8"))
    found = [(bound, name) for bound, name in found if bound < 1]
    return min(found, default=(1.0, None))
