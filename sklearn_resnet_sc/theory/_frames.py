"""Frame bounds, and the properties by which dictionaries are compared."""

import math
from dataclasses import dataclass, field

import numpy as np

from ._checks import check_count, check_dictionary, unit_atoms
from ._coherence import babel, largest_correlations, welch_bound
from ._spectra import default_rtol, rank_of, singular_spectrum
from ._statement import Statement, frozen_array, number, plural


@dataclass(frozen=True)
class FrameBounds(Statement):
    """Frame bounds of a dictionary.

    Attributes
    ----------
    lower : float
        A, the smallest non-zero eigenvalue of ``D D^T``.
    upper : float
        B, its largest eigenvalue.
    """

    lower: float
    upper: float

    def __str__(self):
        return (
            f"Every signal x in the span of the atoms has {number(self.lower)} ||x||^2 <= "
            f"sum_j <x, d_j>^2 <= {number(self.upper)} ||x||^2 (frame bounds A and B)."
        )


def frame_bounds(dictionary):
    """Frame bounds: smallest non-zero and largest eigenvalue of ``D D^T``.

    ``A ||x||^2 <= sum_j <x, d_j>^2 <= B ||x||^2`` for every x in the span of the
    atoms, which are taken as they are, not normalised. ``A = B`` is a tight frame.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.

    Returns
    -------
    FrameBounds
        With fields `lower` and `upper`. They are squares of singular values: for
        atoms beyond about 1e150 (below 1e-150) in length they leave the range of
        floats and are infinite (zero).

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix, or has a zero atom.

    References
    ----------
    K. Skretting, K. Engan, "Learned dictionaries for sparse image representation:
    properties and results", Proc. SPIE 8138 (2011).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import frame_bounds
    >>> frame_bounds([[1.0, 0.0], [0.0, 2.0]])
    FrameBounds(lower=1.0, upper=4.0)
    """
    dictionary = check_dictionary(dictionary)
    return _frame_bounds_of(singular_spectrum(dictionary), default_rtol(dictionary))


def _frame_bounds_of(sigma, rtol):
    largest = float(sigma[0])
    smallest = float(sigma[rank_of(sigma, rtol) - 1])
    return FrameBounds(lower=smallest * smallest, upper=largest * largest)


@dataclass(frozen=True)
class DictionaryProperties(Statement):
    """Properties of a dictionary of unit atoms, after Skretting and Engan.

    Attributes
    ----------
    n_components, n_features : int
        Size of the dictionary.
    rank : int
        Numerical rank.
    frame_bounds : FrameBounds
        A and B of the unit atoms; the eigenvalues lie between them and sum to
        `n_components`.
    mu, mu_avg : float
        Mutual and average coherence.
    mu_mse : float
        ``sqrt(sum lambda^2) / n_components``, the root mean square of all entries
        of the Gram matrix, its diagonal included.
    welch : float
        What `mu` cannot be less than.
    babel : ndarray
        Babel function; ``babel[m]`` belongs to order m.
    beta, beta_avg, beta_mse : float
        The three coherences as angles, ``arccos(.)`` in degrees.
    beta_gap : float
        Lower estimate, in degrees, of the largest angle from a direction of the
        span to its nearest atom.
    """

    n_components: int
    n_features: int
    rank: int
    frame_bounds: FrameBounds
    mu: float
    mu_avg: float
    mu_mse: float
    welch: float
    babel: np.ndarray = field(repr=False, compare=False)
    beta: float
    beta_avg: float
    beta_mse: float
    beta_gap: float

    def __str__(self):
        return (
            f"{plural(self.n_components, 'unit atom')} in {plural(self.n_features, 'dimension')}, "
            f"of rank {self.rank}, have frame bounds A = {number(self.frame_bounds.lower)} and "
            f"B = {number(self.frame_bounds.upper)}; coherence mu = {number(self.mu)} "
            f"({self.beta:.2f} degrees; no dictionary of this size has less than "
            f"{number(self.welch)}), average {number(self.mu_avg)} ({self.beta_avg:.2f} degrees), "
            f"mean square {number(self.mu_mse)} ({self.beta_mse:.2f} degrees); "
            f"some direction is at least {self.beta_gap:.2f} degrees from every atom "
            f"(a randomised search: a lower estimate of the largest gap)."
        )


def dictionary_properties(dictionary, *, max_order=None, n_directions=256, random_state=0):
    """Properties of a dictionary, after Skretting and Engan.

    Atoms that are not of unit length are normalised first: these properties belong
    to the directions of the atoms. `frame_bounds` keeps the lengths.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.
    max_order : int, default=None
        Largest order of the Babel function; all orders by default.
    n_directions : int, default=256
        Directions from which the search for the largest gap starts.
    random_state : int, Generator, RandomState or None, default=0
        Draws those directions.

    Returns
    -------
    DictionaryProperties
        Prints as a sentence. Its `beta_gap` is the angle of the best direction
        found: a lower estimate.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `max_order` or `n_directions` is not a count that serves.

    References
    ----------
    K. Skretting, K. Engan, "Learned dictionaries for sparse image representation:
    properties and results", Proc. SPIE 8138 (2011), section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import dictionary_properties
    >>> properties = dictionary_properties(np.eye(4))
    >>> properties.mu, properties.beta, properties.frame_bounds
    (0.0, 90.0, FrameBounds(lower=1.0, upper=1.0))
    >>> bool(properties.beta_gap <= 60 + 1e-9)
    True
    """
    unit, _ = unit_atoms(check_dictionary(dictionary))
    n_directions = check_count(n_directions, "n_directions")
    n_components, n_features = unit.shape
    rtol = default_rtol(unit)
    sigma = singular_spectrum(unit).astype(np.float64)
    nearest = largest_correlations(unit)
    mu, mu_avg = float(nearest.max()), float(nearest.mean(dtype=np.float64))
    mu_mse = float(np.sqrt((sigma**4).sum())) / n_components
    return DictionaryProperties(
        n_components=n_components,
        n_features=n_features,
        rank=int(rank_of(sigma, rtol)),
        frame_bounds=_frame_bounds_of(sigma, rtol),
        mu=mu,
        mu_avg=mu_avg,
        mu_mse=mu_mse,
        welch=welch_bound(n_components, n_features),
        babel=frozen_array(babel(unit, max_order)),
        beta=_degrees(mu),
        beta_avg=_degrees(mu_avg),
        beta_mse=_degrees(mu_mse),
        beta_gap=_degrees(_least_correlation(unit, n_directions, random_state)),
    )


def _degrees(cosine):
    return math.degrees(math.acos(min(cosine, 1.0)))


def _least_correlation(unit, n_directions, random_state, n_steps=200):
    """Smallest found ``max_j |<x, d_j>|`` over unit directions x of the span.

    Random directions, each pushed away from its nearest atom by shrinking steps
    (the subgradient method). Every value met is attained, so that its angle can
    only understate the largest gap.
    """
    draw = random_state
    if not hasattr(draw, "standard_normal"):
        draw = np.random.default_rng(random_state)
    _, sigma, basis = np.linalg.svd(unit, full_matrices=False)
    basis = basis[: rank_of(sigma, default_rtol(unit))]
    atoms = unit @ basis.T
    directions = draw.standard_normal((n_directions, len(basis))).astype(unit.dtype)
    rows = np.arange(n_directions)
    least = 1.0
    for step in range(n_steps):
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        products = directions @ atoms.T
        nearest = np.abs(products).argmax(axis=1)
        value = products[rows, nearest]
        least = min(least, float(np.abs(value).min()))
        length = (0.5 * np.abs(value) / math.sqrt(1 + step)) * np.sign(value)
        directions -= length[:, None] * atoms[nearest]
    return least
