"""When a sparse code is the only one so sparse."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_count, check_dictionary, check_nonnegative, rounding, unit_atoms
from ._coherence import mutual_coherence
from ._spark import babel_below_one, check_spark, spark_lower_bounds
from ._statement import Statement, number, plural


def sparsity_from_coherence(coherence, n_components):
    """Largest s with ``s < (1 + 1/coherence) / 2``, strictly.

    A code with at most s non-zeros is then the sparsest of its signal, and the only
    one so sparse. It is found by orthogonal matching pursuit and by basis pursuit.

    Parameters
    ----------
    coherence : float
        Mutual coherence, in [0, 1]. A value within rounding of a boundary, such as
        1/3, is taken to lie on it, where the strict inequality fails.
    n_components : int
        Number of atoms, which no sparsity exceeds: the answer for coherence 0.

    Returns
    -------
    int
        0 where nothing is certified.

    Raises
    ------
    ValueError
        If `coherence` is not in [0, 1] or `n_components` is not a positive integer.

    References
    ----------
    D. L. Donoho, M. Elad, "Optimally sparse representation in general (nonorthogonal)
    dictionaries via l1 minimization", PNAS 100 (2003).

    Examples
    --------
    >>> from sklearn_resnet_sc.theory import sparsity_from_coherence
    >>> [sparsity_from_coherence(mu, 10) for mu in (1.0, 0.4, 1 / 3, 0.3, 0.0)]
    [0, 1, 1, 2, 10]
    """
    coherence = check_nonnegative(coherence, "coherence", high=1)
    n_components = check_count(n_components, "n_components")
    # s < (1 + 1/mu)/2 is (2s - 1) mu < 1, which needs no division by a small mu.
    limit = 1 - 4 * np.finfo(np.float64).eps
    if (2 * n_components - 1) * coherence < limit:
        return n_components
    n_nonzero = math.ceil((1 + 1 / coherence) / 2)
    while (2 * n_nonzero - 1) * coherence >= limit:
        n_nonzero -= 1
    return n_nonzero


@dataclass(frozen=True)
class UniquenessBound(Statement):
    """How sparse a code must be to be the only one so sparse.

    Attributes
    ----------
    n_components, n_features : int
        Size of the dictionary.
    coherence : float
        Its mutual coherence.
    by_coherence : int
        Largest s with ``s < (1 + 1/coherence) / 2``; 0 certifies nothing.
    by_babel : int
        Largest s with ``mu_1(s-1) + mu_1(s) < 1``, at least `by_coherence`.
    independent : bool
        Whether the atoms are linearly independent: then every code is unique,
        whatever its sparsity.
    spark_lower : int
        The spark is at least this, by coherence, Babel function, the coherences of the
        single atoms, or as it was given; `n_components` + 1 for independent atoms.
    """

    n_components: int
    n_features: int
    coherence: float
    by_coherence: int
    by_babel: int
    independent: bool
    spark_lower: int

    @property
    def by_spark(self):
        """Largest s with ``2 s < spark`` for certain."""
        return min((self.spark_lower - 1) // 2, self.n_components)

    @property
    def n_nonzero(self):
        """Largest certified sparsity; 0 where nothing is certified."""
        if self.independent:
            return self.n_components
        return max(self.by_coherence, self.by_babel, self.by_spark)

    def unique_among(self, n_nonzero):
        """Largest t for which a code is certainly the only one among all of at most t atoms.

        Two codes of s and t atoms that represent the same signal are equal when
        ``s + t < spark``, for which ``s + t < 1 + 1/mu`` is enough. With ``t >= s`` the code
        is also the sparsest.

        Parameters
        ----------
        n_nonzero : int
            Sparsity s of the code.

        Returns
        -------
        int
            0 where not even ``t = s`` is certified.
        """
        n_nonzero = check_count(n_nonzero, "n_nonzero", high=self.n_components)
        if self.independent:
            return self.n_components
        among = min(self.spark_lower - 1 - n_nonzero, self.n_components)
        return max(among, n_nonzero) if n_nonzero <= self.n_nonzero else 0

    def __str__(self):
        if self.by_babel:
            found = (
                f"A code of at most {plural(self.by_babel, 'atom')} is the sparsest of its signal, "
                f"the only one so sparse, and found by OMP and basis pursuit "
                f"(coherence {number(self.coherence)} certifies {self.by_coherence}, the Babel "
                f"function {self.by_babel})."
            )
        else:
            found = (
                f"Uniqueness by coherence is not certified for any sparsity "
                f"(mu = {number(self.coherence)})."
            )
        if self.by_spark > self.by_babel and not self.independent:
            found = (
                f"A code of at most {plural(self.by_spark, 'atom')} is the sparsest of its signal "
                f"and the only one so sparse (the spark is at least {self.spark_lower}). {found}"
            )
        if not self.independent:
            return found
        square = self.n_components == self.n_features
        shape = "The dictionary is square and invertible" if square else "The atoms are independent"
        return f"{shape}: every code is unique, whatever mu says. {found}"


def uniqueness_bound(dictionary, *, spark=None):
    """Sparsity below which a code is unique, by coherence, Babel function and spark.

    Two codes of one signal that both have at most s non-zeros are equal when
    ``s < (1 + 1/mu)/2``, or when ``mu_1(s-1) + mu_1(s) < 1``, which reaches at
    least as far; both also make orthogonal matching pursuit and basis pursuit find
    the code. For uniqueness alone ``2 s < spark`` is enough; the coherences bound the spark
    from below, and `spark` searches for it. The signal must be represented exactly: with
    an error allowed there is a continuum of codes, see `stability_bound`. A square
    invertible dictionary has unique codes whatever mu says.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length (pursuits: of unit length).
    spark : int or Spark, default=None
        A lower bound on the spark that is known, as from `spark`.

    Returns
    -------
    UniquenessBound
        Prints as a sentence; `n_nonzero` is the largest certified sparsity.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or `spark` is
        not an integer of at least 2.

    Notes
    -----
    Both inequalities are strict. The measured inner products are enlarged by the
    rounding of their precision first, so that a coherence of 1/3 certifies 1 atom,
    however it was rounded.

    References
    ----------
    D. L. Donoho, M. Elad, PNAS 100 (2003), theorem 2 and corollary;
    J. A. Tropp, "Greed is good", IEEE Trans. Information Theory 50 (2004), theorem 3.5.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import uniqueness_bound
    >>> uniqueness_bound(np.vstack([np.eye(16), np.ones((1, 16))])).n_nonzero
    2
    >>> uniqueness_bound(np.eye(3)).n_nonzero
    3
    """
    dictionary = check_dictionary(dictionary)
    n_components, n_features = dictionary.shape
    margin = rounding(dictionary)
    coherence = mutual_coherence(dictionary)
    by_coherence = sparsity_from_coherence(min(1.0, coherence + margin), n_components)
    values = babel_below_one(unit_atoms(dictionary)[0])
    bounds = spark_lower_bounds(dictionary, values)
    known = 0 if spark is None else check_spark(spark, "spark")
    return UniquenessBound(
        n_components=n_components,
        n_features=n_features,
        coherence=coherence,
        by_coherence=by_coherence,
        by_babel=max(by_coherence, _sparsity_from_babel(values, n_components)),
        independent=bounds["independent atoms"] > n_components,
        spark_lower=max(known, *bounds.values()),
    )


def _sparsity_from_babel(values, n_components):
    """Largest s with ``mu_1(s-1) + mu_1(s) < 1``."""
    # At s = n_components no atom is left outside; the function stays where it is.
    if len(values) == n_components:
        values = np.append(values, values[-1])
    passed = values[:-1] + values[1:] < 1
    return len(passed) if passed.all() else int(passed.argmin())
