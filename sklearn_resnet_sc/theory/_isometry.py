"""How nearly the dictionary keeps the length of sparse codes."""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_count, check_dictionary, rounding, unit_atoms
from ._coherence import babel
from ._spectra import default_rtol, rank_of, singular_spectrum
from ._statement import Statement, number, plural

# Gram matrices decomposed at a time.
_BATCH = 2048


def isometry_table(dictionary, max_order):
    """Certified bounds of ``||a D||^2 / ||a||^2`` for codes of m atoms, m = 0..max_order.

    The better of Gershgorin's theorem with the Babel function and of the singular
    values of the whole dictionary, moved outwards by the rounding of their
    computation. Atoms of any length; row 0 of both arrays speaks of the zero code.
    """
    n_components = len(dictionary)
    unit, lengths = unit_atoms(dictionary)
    margin = rounding(dictionary)
    orders = np.minimum(np.arange(max_order + 1), n_components)
    highest = max(int(orders[-1]) - 1, 0)
    shared = babel(unit, highest) + margin * np.arange(highest + 1)
    shared = shared[np.maximum(orders - 1, 0)]
    sigma = singular_spectrum(dictionary).astype(np.float64)
    slack = default_rtol(dictionary) * float(sigma[0])
    independent = rank_of(sigma, default_rtol(dictionary)) == n_components
    smallest = max(float(sigma[-1]) - slack, 0.0) if independent else 0.0
    # Lengths, too, are only known to rounding. Squares may leave the range of floats.
    with np.errstate(over="ignore"):
        shortest = np.square((1 - margin) * lengths.min())
        longest = np.square((1 + margin) * lengths.max())
        lower = np.maximum(np.maximum(1 - shared - margin, 0) * shortest, np.square(smallest))
        upper = np.minimum((1 + shared + margin) * longest, np.square(float(sigma[0]) + slack))
    lower[0], upper[0] = math.inf, 0.0
    return lower, upper


def upper_isometry(layer, max_order):
    """The largest of `isometry_table` for a layer, which may have rows without effect."""
    used = layer[layer.any(axis=1)]
    return float(isometry_table(used, max_order)[1][-1]) if len(used) else 0.0


@dataclass(frozen=True)
class RestrictedIsometry(Statement):
    """How much a code of at most s atoms may change its length.

    Attributes
    ----------
    n_nonzero : int
        Sparsity s.
    lower, upper : float
        ``lower ||a||^2 <= ||a D||^2 <= upper ||a||^2`` is certain for every code of
        at most s atoms.
    attained_lower, attained_upper : float
        The most extreme ratios found among the supports that were looked at.
    exact : bool
        Whether all supports were looked at.
    method : str
        How `lower` and `upper` were obtained.
    """

    n_nonzero: int
    lower: float
    upper: float
    attained_lower: float
    attained_upper: float
    exact: bool
    method: str

    @property
    def constant(self):
        """Upper bound on the isometry constant ``delta_s``; 1 or more says little."""
        return max(1 - self.lower, self.upper - 1)

    @property
    def constant_lower(self):
        """Lower bound on ``delta_s``, attained by a support that was looked at."""
        return max(1 - self.attained_lower, self.attained_upper - 1)

    def __str__(self):
        certain = (
            f"Every code a of at most {plural(self.n_nonzero, 'atom')} has {number(self.lower)} "
            f"||a||^2 <= ||a D||^2 <= {number(self.upper)} ||a||^2 (by {self.method})"
        )
        if self.exact:
            return f"{certain}: the restricted isometry constant is {number(self.constant)}."
        return (
            f"{certain}: the restricted isometry constant lies in "
            f"[{number(self.constant_lower)}, {number(self.constant)}]."
        )


def restricted_isometry(dictionary, n_nonzero, *, max_supports=20_000, random_state=0):
    """Bounds on the length of ``a D`` over all codes a of at most s atoms.

    With at most `max_supports` supports the extreme eigenvalues of all their Gram
    matrices are computed. Otherwise the certified bounds are the better of
    Gershgorin's, ``1 -+ mu_1(s-1)`` times the squared length of the shortest or
    longest atom, and of the extreme singular values of the dictionary; that many
    supports, drawn at random around the most coherent atoms, show how far the
    bounds can be from the truth.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, taken as they are.
    n_nonzero : int
        Sparsity s, in ``[1, n_components]``.
    max_supports : int, default=20_000
        Number of supports to decompose at most.
    random_state : int, Generator, RandomState or None, default=0
        Draws supports where there are too many.

    Returns
    -------
    RestrictedIsometry
        Prints as a sentence.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `n_nonzero` or `max_supports` is not a count that serves.

    References
    ----------
    E. J. Candes, T. Tao, "Decoding by linear programming", IEEE Trans. Information
    Theory 51 (2005), definition 1.1; J. A. Tropp, "Greed is good", IEEE Trans.
    Information Theory 50 (2004), section II-D, for the Babel function.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import restricted_isometry
    >>> isometry = restricted_isometry([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], 2)
    >>> isometry.exact, round(isometry.constant, 12)
    (True, 0.8)
    """
    dictionary = check_dictionary(dictionary)
    n_components = len(dictionary)
    n_nonzero = check_count(n_nonzero, "n_nonzero", high=n_components)
    max_supports = check_count(max_supports, "max_supports")
    table = isometry_table(dictionary, n_nonzero)
    lower, upper = float(table[0][-1]), float(table[1][-1])
    exact = math.comb(n_components, n_nonzero) <= max_supports
    if exact:
        supports = itertools.combinations(range(n_components), n_nonzero)
    else:
        supports = _coherent_supports(dictionary, n_nonzero, max_supports, random_state)
    least, most = _extreme_ratios(dictionary, supports, n_nonzero)
    if exact:
        # The eigenvalues are as uncertain as the largest one times the precision.
        slack = n_nonzero * rounding(dictionary) * most
        lower, upper = max(least - slack, 0.0), most + slack
    return RestrictedIsometry(
        n_nonzero=n_nonzero,
        lower=lower,
        upper=upper,
        attained_lower=least,
        attained_upper=most,
        exact=exact,
        method="all supports" if exact else "Gershgorin's theorem and the singular values",
    )


def _extreme_ratios(dictionary, supports, n_nonzero):
    """Smallest and largest squared singular value over the supports."""
    exponent = int(np.frexp(np.abs(dictionary).max())[1])
    atoms = np.ldexp(dictionary, -exponent).astype(np.float64)
    least, most = math.inf, 0.0
    while batch := list(itertools.islice(supports, _BATCH)):
        inside = atoms[np.array(batch)]
        if n_nonzero > atoms.shape[1]:
            least = 0.0
        sigma = np.linalg.svd(inside, compute_uv=False)
        least = min(least, float(sigma[:, -1].min()))
        most = max(most, float(sigma[:, 0].max()))
    least, most = math.ldexp(least, exponent), math.ldexp(most, exponent)
    return least * least, most * most


def _coherent_supports(dictionary, n_nonzero, count, random_state):
    """Yield random supports, each made of an atom and others among its nearest."""
    draw = random_state
    if not hasattr(draw, "choice"):
        draw = np.random.default_rng(random_state)
    unit, _ = unit_atoms(dictionary)
    n_components = len(unit)
    pool = min(n_components - 1, 2 * (n_nonzero - 1))
    for _ in range(count):
        first = int(draw.choice(n_components))
        products = np.abs(unit @ unit[first])
        products[first] = -1
        nearest = np.argsort(products)[n_components - pool :]
        yield [first, *draw.choice(nearest, n_nonzero - 1, replace=False)]
