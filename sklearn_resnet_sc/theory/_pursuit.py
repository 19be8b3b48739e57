"""When orthogonal matching pursuit and basis pursuit succeed in spite of noise."""

import math
from dataclasses import dataclass

import numpy as np

from ._checks import check_count, check_dictionary, check_nonnegative, rounding, unit_atoms
from ._coherence import babel
from ._statement import Statement, number, plural


@dataclass(frozen=True)
class PursuitGuarantee(Statement):
    """What a pursuit is certain to find in noise.

    Attributes
    ----------
    pursuit : str
        "orthogonal matching pursuit", "basis pursuit denoising" or "the lasso".
    n_nonzero : int
        Sparsity s of the code that is looked for.
    noise : float
        The signal is within this distance, epsilon, of what that code represents.
    condition : float
        The condition of the theorem, as a number that must be positive.
    squared_error : float
        Bound on the squared distance of what is found from the code that is looked
        for; infinite where the condition fails.
    max_error : float
        Bound on the error of a single coefficient; infinite where the condition
        fails.
    support : str or None
        What is certain of the support of what is found: "equal", "contained" or None.
    """

    pursuit: str
    n_nonzero: int
    noise: float
    condition: float
    squared_error: float
    max_error: float
    support: str | None

    @property
    def certified(self):
        """Whether the condition of the theorem holds."""
        return self.condition > 0

    def __str__(self):
        code = (
            f"a code of {plural(self.n_nonzero, 'atom')} from a signal with noise of length at "
            f"most {number(self.noise)}"
        )
        if not self.certified:
            return (
                f"Not certified: nothing guarantees that {self.pursuit} finds {code} "
                f"(the condition is missed by {number(-self.condition)})."
            )
        support = {
            "equal": ", with exactly the right support",
            "contained": ", with no wrong atom in its support",
            None: "",
        }[self.support]
        name = self.pursuit[0].upper() + self.pursuit[1:]
        return (
            f"{name} finds {code}, up to a squared error of {number(self.squared_error)}{support}."
        )


class CoherenceMargins:
    """Quantities of a dictionary that the theorems of this file share, moved to the safe side.

    With G the Gram matrix of s atoms of the dictionary as they are,
    ``inverse`` bounds the largest row sum of ``|G^-1|`` and the inverse of its smallest
    eigenvalue, and ``leak`` bounds ``max_{j not in T} ||D_T^+ d_j||_1``.
    """

    def __init__(self, dictionary, n_nonzero):
        unit, lengths = unit_atoms(dictionary)
        margin = rounding(dictionary)
        order = min(n_nonzero, len(unit) - 1)
        values = babel(unit, order) + margin * np.arange(order + 1)
        inside, outside = float(values[n_nonzero - 1]), float(values[order])
        # Where all atoms are chosen none is left outside.
        self.mu = float(values[1]) if order else 0.0
        self.shortest = float(lengths.min()) * (1 - margin)
        self.longest = float(lengths.max()) * (1 + margin)
        regular = 1 - inside
        self.inverse = 1 / (regular * self.shortest**2) if regular > margin else math.inf
        self.leak = math.inf
        if regular > margin:
            self.leak = (self.longest / self.shortest) * outside / regular
        if n_nonzero == len(unit):
            self.leak = 0.0 if regular > margin else math.inf


def omp_guarantee(dictionary, n_nonzero, noise, min_coefficient):
    """Whether orthogonal matching pursuit finds the right support in noise.

    For unit atoms, s steps (or a stop as soon as the residual is no longer than the
    noise) end at the right support if ``s < (1 + 1/mu)/2 - eps / (mu min|a_i|)``, which is
    ``(1 - (2s-1) mu) min|a_i| > 2 eps``; here ``(2s-1) mu`` is replaced by
    ``mu_1(s-1) + mu_1(s)`` of the Babel function, which is no more. Then
    ``||b - a||^2 <= eps^2 / (1 - mu_1(s-1))``.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows. Where their lengths differ, the pursuit is the one that
        compares raw correlations, and the bounds carry the extreme lengths.
    n_nonzero : int
        Sparsity s of the code a, in ``[1, n_components]``.
    noise : float
        Bound epsilon on ``||x - a D||_2``.
    min_coefficient : float
        Smallest non-zero ``|a_i|``.

    Returns
    -------
    PursuitGuarantee
        Prints as a sentence. Its `condition` is the excess of the smallest coefficient
        over what is needed, relative to `min_coefficient`.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `n_nonzero`, `noise` or `min_coefficient` is out of range.

    Notes
    -----
    Without noise the condition is attained: at ``(2s-1) mu = 1`` there are three atoms and a
    code of two of them of which the pursuit selects the third. The noise it asks for is
    within a factor of ``sqrt(2)`` of what orthogonal atoms bear.

    References
    ----------
    D. L. Donoho, M. Elad, V. N. Temlyakov, "Stable recovery of sparse overcomplete
    representations in the presence of noise", IEEE Trans. Information Theory 52
    (2006), theorem 5.1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import omp_guarantee
    >>> guarantee = omp_guarantee(np.eye(4), n_nonzero=2, noise=0.1, min_coefficient=1.0)
    >>> guarantee.certified, round(guarantee.squared_error, 12)
    (True, 0.01)
    """
    dictionary, n_nonzero, noise = _checked(dictionary, n_nonzero, noise)
    min_coefficient = check_nonnegative(min_coefficient, "min_coefficient")
    if min_coefficient == 0:
        raise ValueError("min_coefficient must be positive; got 0")
    margins = CoherenceMargins(dictionary, n_nonzero)
    condition = -math.inf
    if margins.leak < math.inf:
        needed = 2 * margins.longest * noise * margins.inverse
        condition = 1 - margins.leak - needed / min_coefficient
    certified = condition > 0
    squared = noise * noise * margins.inverse if certified else math.inf
    return PursuitGuarantee(
        pursuit="orthogonal matching pursuit",
        n_nonzero=n_nonzero,
        noise=noise,
        condition=condition,
        squared_error=squared,
        max_error=math.sqrt(squared),
        support="equal" if certified else None,
    )


def basis_pursuit_guarantee(dictionary, n_nonzero, noise, *, tolerance=None):
    """Error of ``min ||b||_1`` subject to ``||x - b D||_2 <= tolerance``.

    For unit atoms and ``s < (1 + 1/mu)/4``: ``||b - a||^2 <=
    (eps + tolerance)^2 / (1 - (4s-1) mu)``. For other lengths the denominator is
    ``(1 + mu) l_min^2 - 4 s mu l_max^2``.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows.
    n_nonzero : int
        Sparsity s of the code a, in ``[1, n_components]``.
    noise : float
        Bound epsilon on ``||x - a D||_2``.
    tolerance : float, default=None
        Allowed distance from the signal, at least `noise`, which is the default.

    Returns
    -------
    PursuitGuarantee
        Prints as a sentence; its `condition` is the denominator.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `n_nonzero`, `noise` or `tolerance` is out of range.

    Notes
    -----
    Orthogonal atoms attain the error, where noise shortens the signal. For two atoms of
    product mu the worst ratio found is ``1 - 3 mu``.

    References
    ----------
    D. L. Donoho, M. Elad, V. N. Temlyakov, "Stable recovery of sparse overcomplete
    representations in the presence of noise", IEEE Trans. Information Theory 52
    (2006), theorem 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import basis_pursuit_guarantee
    >>> round(basis_pursuit_guarantee(np.eye(4), n_nonzero=2, noise=0.5).squared_error, 12)
    1.0
    """
    dictionary, n_nonzero, noise = _checked(dictionary, n_nonzero, noise)
    tolerance = noise if tolerance is None else check_nonnegative(tolerance, "tolerance")
    if tolerance < noise:
        raise ValueError(f"tolerance must be at least noise = {noise!r}; got {tolerance!r}")
    margins = CoherenceMargins(dictionary, n_nonzero)
    slack = 4 * n_nonzero * rounding(dictionary) * margins.longest**2
    isometry = (1 + margins.mu) * margins.shortest**2
    isometry -= 4 * n_nonzero * margins.mu * margins.longest**2
    certified = isometry > slack
    squared = (noise + tolerance) ** 2 / (isometry - slack) if certified else math.inf
    return PursuitGuarantee(
        pursuit="basis pursuit denoising",
        n_nonzero=n_nonzero,
        noise=noise,
        condition=isometry - slack,
        squared_error=squared,
        max_error=math.sqrt(squared),
        support=None,
    )


def lasso_guarantee(dictionary, n_nonzero, noise, alpha):
    """Error and support of ``min 0.5 ||x - b D||^2 + alpha ||b||_1``.

    For unit atoms and ``mu_1(s-1) + mu_1(s) < 1``: if
    ``alpha (1 - mu_1(s-1) - mu_1(s)) > eps (1 - mu_1(s-1))``, the minimiser is unique, has
    no atom outside the support of a, and each of its coefficients is off by at most
    ``(eps + alpha) / (1 - mu_1(s-1))``. With ``alpha = 4 eps`` and ``s < (1 + 1/mu)/3`` that
    contains the bound 7.5 eps that layered basis pursuit rests on.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms, as rows, of any length: the bounds carry the extreme lengths.
    n_nonzero : int
        Sparsity s of the code a, in ``[1, n_components]``.
    noise : float
        Bound epsilon on ``||x - a D||_2``.
    alpha : float
        Weight of the l1 norm, not negative.

    Returns
    -------
    PursuitGuarantee
        Prints as a sentence; its `condition` is the excess of `alpha` over what is
        needed.

    Raises
    ------
    ValueError
        If the dictionary is not a finite real matrix or has a zero atom, or if
        `n_nonzero`, `noise` or `alpha` is out of range.

    Notes
    -----
    Orthogonal atoms attain both the least weight and the error.

    References
    ----------
    J. A. Tropp, "Just relax: convex programming methods for identifying sparse
    signals in noise", IEEE Trans. Information Theory 52 (2006), theorem 8;
    V. Papyan, Y. Romano, M. Elad, "Convolutional neural networks analyzed via
    convolutional sparse coding", JMLR 18 (2017), section 7.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_resnet_sc.theory import lasso_guarantee
    >>> guarantee = lasso_guarantee(np.eye(4), n_nonzero=2, noise=0.1, alpha=0.2)
    >>> guarantee.support, round(guarantee.max_error, 12)
    ('contained', 0.3)
    """
    dictionary, n_nonzero, noise = _checked(dictionary, n_nonzero, noise)
    alpha = check_nonnegative(alpha, "alpha")
    margins = CoherenceMargins(dictionary, n_nonzero)
    condition, squared, largest = lasso_errors(margins, n_nonzero, noise, alpha)
    certified = bool(condition > 0)
    return PursuitGuarantee(
        pursuit="the lasso",
        n_nonzero=n_nonzero,
        noise=noise,
        condition=float(condition),
        squared_error=float(squared) if certified else math.inf,
        max_error=float(largest) if certified else math.inf,
        support="contained" if certified else None,
    )


def lasso_errors(margins, n_nonzero, noise, alpha):
    """Condition (positive where the theorem holds), squared and largest error; of arrays too."""
    if margins.leak >= 1:
        return -math.inf + 0 * noise, math.inf + 0 * noise, math.inf + 0 * noise
    condition = alpha * (1 - margins.leak) - margins.longest * noise
    largest = (margins.longest * noise + alpha) * margins.inverse
    # The error given the support: the projected noise, and the shrinkage of every coefficient.
    shrinkage = alpha * math.sqrt(n_nonzero) * margins.inverse
    length = noise * math.sqrt(margins.inverse) + shrinkage
    return condition, np.minimum(length**2, n_nonzero * largest**2), largest


def _checked(dictionary, n_nonzero, noise):
    dictionary = check_dictionary(dictionary)
    n_nonzero = check_count(n_nonzero, "n_nonzero", high=len(dictionary))
    return dictionary, n_nonzero, check_nonnegative(noise, "noise")
