"""The spark: the smallest number of linearly dependent atoms."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from .._parallel import single_threaded_blas
from ._checks import check_count, check_dictionary, rounding, unit_atoms
from ._coherence import babel, largest_correlations
from ._spectra import default_rtol, rank_of, scaled_spectrum
from ._statement import Statement, plural


@dataclass(frozen=True)
class Spark(Statement):
    """The spark of a dictionary, or an interval that contains it.

    Attributes
    ----------
    lower, upper : int
        ``lower <= spark <= upper``, both certain to rounding. Independent atoms
        have ``n_components + 1``, as if one more atom would be dependent.
    dependent_atoms : tuple of int
        As many as `upper` linearly dependent atoms; empty where all are independent.
    n_visited : int
        Sets of atoms that the search looked at.
    by_coherence : int
        Lower bound that needed no search: the best of coherence, Babel function and
        the coherences of the single atoms.
    """

    lower: int
    upper: int
    dependent_atoms: tuple
    n_visited: int
    by_coherence: int

    @property
    def exact(self):
        """Whether the two bounds meet."""
        return self.lower == self.upper

    @property
    def n_nonzero(self):
        """Largest s with ``2 s < spark`` for certain: codes so sparse are unique."""
        return (self.lower - 1) // 2

    def __str__(self):
        unique = (
            f"a code of at most {plural(self.n_nonzero, 'atom')} is the sparsest of its signal "
            f"and the only one so sparse"
        )
        if self.exact:
            return f"The spark is {self.lower}: {unique}."
        return (
            f"The spark lies in [{self.lower}, {self.upper}] (the search ended after "
            f"{plural(self.n_visited, 'set')} of atoms): {unique}."
        )


def check_spark(value, name):
    """A lower bound on the spark, from an integer or a `Spark`."""
    return value.lower if isinstance(value, Spark) else check_count(value, name, low=2)


def atom_weights(dictionary):
    """``mu_j / (1 + mu_j)``, with `mu_j` the coherence of atom j with all others.

    A linear dependence h among unit atoms has ``|h_j| <= weight_j ||h||_1``, from its
    product with atom j; so the weights of dependent atoms sum to 1 or more. This
    contains the bound by mutual coherence, and sees that most atoms may be better.
    """
    unit, _ = unit_atoms(dictionary)
    nearest = largest_correlations(unit).astype(np.float64) + rounding(dictionary)
    nearest = np.minimum(nearest, 1)
    return nearest / (1 + nearest)


def below_one(sums):
    """Whether sums of weights stay below 1 by more than their rounding."""
    return sums < 1 - 1e-12


def babel_below_one(unit):
    """Babel function, enlarged by its rounding, from order 0 to the first value of 1 or more.

    Its order grows only as needed: a small one is cheaper for a large dictionary.
    """
    order, margin = 64, rounding(unit)
    while True:
        order = min(order, len(unit) - 1)
        values = babel(unit, order) + margin * np.arange(order + 1)
        if values[-1] >= 1 or order == len(unit) - 1:
            return values
        order *= 4


def spark_lower_bounds(dictionary, values=None):
    """Certified lower bounds on the spark that need no search, by theorem.

    `values` are those of `babel_below_one`, if they are known.
    """
    n_components, n_features = dictionary.shape
    unit, _ = unit_atoms(dictionary)
    sigma, _ = scaled_spectrum(unit)
    independent = rank_of(sigma, default_rtol(unit)) == n_components
    # More atoms than dimensions are dependent, so orders beyond that cannot pass.
    order = min(n_components - 1, n_features)
    values = babel_below_one(unit) if values is None else values
    mu = values[1] if order else 0.0
    weights = np.sort(atom_weights(dictionary))[::-1]
    sums = {
        "coherence": mu * np.arange(order + 1),
        "Babel function": values,
        "coherence of its atoms": np.cumsum(weights)[: order + 1],
    }
    highest = n_components + 1 if independent else n_features + 1
    bounds = {"independent atoms": n_components + 1 if independent else 2}
    for theorem, series in sums.items():
        bounds[theorem] = min(max(int(np.count_nonzero(below_one(series))) + 1, 2), highest)
    return bounds


def spark(dictionary, *, max_visited=20_000, random_state=0):
    """Smallest number of linearly dependent atoms, by branch and bound.

    A code of s atoms is unique among all codes of at most t atoms if
    ``s + t < spark``. Sets of atoms are grown one atom at a time, the others
    projected on the complement of their span; two projections that are parallel
    complete a dependent set. A branch is cut where the weights ``mu_j / (1 + mu_j)``
    of the projected atoms show that none of the size in question lies below it.
    Sizes are excluded one after the other: when the budget ends, those excluded
    give the lower bound, and the smallest dependent set met the upper one.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length.
    max_visited : int, default=20_000
        Sets of atoms to look at, at most. About 20 000 are a second.
    random_state : int, Generator, RandomState or None, default=0
        Draws the bases among which small dependent sets are looked for first.

    Returns
    -------
    Spark
        Prints as a sentence; `exact` says whether the search was finished.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `max_visited` is not a non-negative integer.

    Notes
    -----
    A set counts as dependent where the numerical rank of its unit atoms, in the
    precision of the dictionary, is below its size. Computing the spark is NP-hard:
    for dictionaries beyond some 30 atoms expect an interval.

    References
    ----------
    D. L. Donoho, M. Elad, PNAS 100 (2003), definition 1 and theorem 2; A. M.
    Tillmann, M. E. Pfetsch, IEEE Trans. Information Theory 60 (2014), for its
    complexity.

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import spark
    >>> print(spark([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]]))
    The spark is 3: a code of at most 1 atom is the sparsest of its signal and the only one so
    sparse.
    """
    dictionary = check_dictionary(dictionary)
    max_visited = check_count(max_visited, "max_visited", low=0)
    n_components = len(dictionary)
    unit, _ = unit_atoms(dictionary)
    by_coherence = max(spark_lower_bounds(dictionary).values())
    if by_coherence == n_components + 1:
        return Spark(by_coherence, by_coherence, (), 0, by_coherence)
    search = _Search(unit, max_visited)
    with single_threaded_blas():  # the matrices are small
        search.try_bases(random_state)
        # A set found by rounding's leave must not contradict the bound that needs no search.
        lower = min(by_coherence, search.upper)
        if search.rank == n_components - 1:
            lower = search.upper  # there is no other dependence than the one just found
        while lower < search.upper and search.excludes(lower):
            lower += 1
    return Spark(
        lower=lower,
        upper=search.upper,
        dependent_atoms=tuple(sorted(search.dependent)),
        n_visited=search.n_visited,
        by_coherence=by_coherence,
    )


class _Search:
    """Branch and bound over sets of atoms of growing size."""

    def __init__(self, unit, max_visited):
        self.rtol = default_rtol(unit)
        self.unit = unit.astype(np.float64)
        self.max_visited = max_visited
        self.n_visited = 0
        self.dependent = ()
        self.rank = int(rank_of(scaled_spectrum(unit)[0], self.rtol))
        self.upper = self.rank + 1
        # Pairs this near to parallel are decided by a decomposition of the set.
        self.sine = max(1e-5, 1e3 * self.rtol)

    def offer(self, atoms):
        """Keep the set if it is dependent and smaller than what is known."""
        size = len(atoms)
        if size > self.upper or (size == self.upper and self.dependent):
            return False
        sigma, _ = scaled_spectrum(self.unit[list(atoms)])
        if len(sigma) == size and rank_of(sigma, self.rtol) == size:
            return False
        self.upper, self.dependent = size, tuple(int(atom) for atom in atoms)
        return True

    def try_bases(self, random_state, n_bases=20):
        """Each basis of atoms makes one dependent set with every other atom."""
        draw = random_state
        if not hasattr(draw, "permutation"):
            draw = np.random.default_rng(random_state)
        rank = self.rank
        for _ in range(n_bases):
            # Pivoting looks at lengths: random ones make a random basis.
            order = draw.permutation(len(self.unit))
            scale = np.linspace(1, 0.1, len(order))
            _, triangle, pivots = qr(
                (self.unit[order] * scale[:, None]).T, mode="economic", pivoting=True
            )
            pivots = order[pivots]
            coefficients = solve_triangular(triangle[:rank, :rank], triangle[:rank, rank:])
            used = np.abs(coefficients) > 1e-8 * np.abs(coefficients).max(axis=0, initial=1e-300)
            best = int(used.sum(axis=0).argmin())
            self.offer([*pivots[:rank][used[:, best]], pivots[rank + best]])

    def excludes(self, size):
        """Whether the whole search finds no dependent set of exactly this size."""
        stack = [((), np.arange(len(self.unit)), self.unit)]
        while stack:
            if self.n_visited >= self.max_visited:
                return False
            self.n_visited += 1
            chosen, others, vectors = stack.pop()
            lengths = np.linalg.norm(vectors, axis=1)
            vanished = np.flatnonzero(lengths <= self.sine)
            for i in vanished:  # decided by a decomposition; the others go on
                if self.offer([*chosen, others[i]]) and self.upper <= size:
                    return False
            directions = vectors / np.maximum(lengths, 1e-300)[:, None]
            gram = np.abs(directions @ directions.T)
            np.fill_diagonal(gram, 0)
            wanted = size - len(chosen)
            if wanted <= 2:
                # Where next to nothing is left of an atom, its direction is rounding.
                gram[lengths <= 1e-10] = 1
                gram[:, lengths <= 1e-10] = 1
                parallel = np.argwhere(np.triu(gram, 1) >= math.sqrt(1 - self.sine**2))
                for i, j in parallel:
                    if self.offer([*chosen, others[i], others[j]]) and self.upper <= size:
                        return False
                continue
            nearest = np.minimum(gram.max(axis=1) + 1e-12, 1)
            heaviest = np.sort(nearest / (1 + nearest))[::-1][:wanted]
            if len(vanished) == 0 and below_one(heaviest.sum()):
                continue
            # The last child has too few atoms after it to reach the size.
            for i in range(len(others) - wanted + 1):
                rest = vectors[i + 1 :]
                for _ in range(2):  # twice is enough against rounding
                    rest = rest - (rest @ directions[i])[:, None] * directions[i]
                stack.append(((*chosen, int(others[i])), others[i + 1 :], rest))
        return True
