"""Section 1.5, sparsity and rank: D against I + D."""

import numpy as np

from ._claims import FALSE, HOLDS, make_claim
from ._claims_tools import norm, plus_identity, rank, rounding, spectra_of

_SQUARE = {"D": ("n", "n")}


def _identity_columns(D):
    columns = np.eye(len(D)).T
    return all(np.count_nonzero(column) == np.abs(column).sum() == 1 for column in columns)


def _no_more_entries(D):
    # Exact: 1 + d is 0 in floating point only where d is -1.
    return np.count_nonzero(plus_identity(D)) <= np.count_nonzero(D)


def _counted_entries(D):
    diagonal = np.diag(D)
    change = np.count_nonzero(diagonal == 0) - np.count_nonzero(diagonal == -1)
    return np.count_nonzero(plus_identity(D)) == np.count_nonzero(D) + change


def _contraction(matrix):
    """Of the error by one step of gradient descent with the best constant step; 1 if singular."""
    gram = np.linalg.svd(matrix, compute_uv=False) ** 2
    total = gram[0] + gram[-1]
    return (gram[0] - gram[-1]) / total if total > 0 else 1.0


def _descends_faster(D):
    slack = spectra_of(D)[2]
    return _contraction(plus_identity(D)) <= _contraction(D) + slack


def _contracts(D):
    rho = norm(D)
    if rho >= 1:
        return None
    total = plus_identity(D)
    step = np.eye(len(D)) - total.T @ total / (1 + rho**2)
    return norm(step) <= 2 * rho / (1 + rho**2) + rounding(len(D))


def _ranks(D):
    """Ranks of D and of I + D; None where D is so large that I is lost in rounding."""
    linear, residual, slack = spectra_of(D)
    return (rank(linear, slack), rank(residual, slack), slack) if slack < 1 / 4 else None


def _rank_of_zero(D):
    return None if D.any() else rank(spectra_of(D)[1], 0.5) == len(D)


def _full_rank_stays(D):
    ranks = _ranks(D)
    if ranks is None or ranks[0] < len(D):
        return None
    return ranks[1] == len(D)


def _smallest_value(D):
    _, residual, slack = spectra_of(D)
    least = np.linalg.eigvalsh((D + D.T) / 2)[0]
    bound = max(1 - norm(D), 1 + least)
    return None if bound <= slack else residual[-1] >= bound - slack


def _rank_rises(D):
    ranks = _ranks(D)
    if ranks is None or not 0 < ranks[0] < len(D):
        return None
    return ranks[1] > ranks[0]


def _rank_at_least(D):
    ranks = _ranks(D)
    if ranks is None:
        return None
    linear, residual, slack = ranks
    certain = len(D) if norm(D) < 1 - 2 * slack else len(D) - linear
    return residual >= certain


def _rank_no_less(D):
    ranks = _ranks(D)
    return None if ranks is None else ranks[1] >= ranks[0]


def _rank_no_less_if(D):
    ranks = _ranks(D)
    if ranks is None or (2 * ranks[0] > len(D) and norm(D) >= 1 - 2 * ranks[2]):
        return None
    return ranks[1] >= ranks[0]


def _zeros_no_more(D):
    ranks = _ranks(D)
    return None if ranks is None else len(D) - ranks[0] >= len(D) - ranks[1]


def _zeros_together(D):
    ranks = _ranks(D)
    if ranks is None:
        return None
    zeros = len(D) - ranks[0], len(D) - ranks[1]
    return sum(zeros) <= len(D) and (zeros[1] == 0 or norm(D) >= 1 - 2 * ranks[2])


CLAIMS = (
    make_claim(
        "A6a",
        "1.5",
        "the identity is sparse",
        "||I_i||_0 = 1 and ||I_i||_1 = 1 for every column i.",
        HOLDS,
        shapes=_SQUARE,
        printed=_identity_columns,
        source="Each column of the identity has one entry, and it is 1.",
    ),
    make_claim(
        "A6",
        "1.5",
        "structural sparsity",
        "I + D is structurally sparser than D, read as nnz(I + D) <= nnz(D).",
        FALSE,
        shapes=_SQUARE,
        printed=_no_more_entries,
        counterexample={"D": [[0.0]]},
        corrected="nnz(I + D) = nnz(D) + #{i: d_ii = 0} - #{i: d_ii = -1}: adding the identity "
        "removes an entry only where the diagonal of D is exactly -1.",
        true=_counted_entries,
        source="Only diagonal entries change, and each of them on its own.",
    ),
    make_claim(
        "A6b",
        "1.5",
        "sparsity improves optimization",
        "The sparsity of I + D leads to improved optimization, read as: gradient descent on "
        "||x - (I + D)z||^2 contracts the error no less than on ||x - Dz||^2, each with its best "
        "constant step.",
        FALSE,
        shapes=_SQUARE,
        printed=_descends_faster,
        counterexample={"D": [[-0.5, 0.0], [0.0, 1.0]]},
        corrected="With rho = ||D||_2 < 1, each step of length 1/(1 + rho^2) contracts the error "
        "by at least the factor 2 rho/(1 + rho^2). This comes from the size of D; sparsity has no "
        "part in it.",
        true=_contracts,
        source="Eigenvalues of (I + D)^T (I + D) lie in [(1-rho)^2, (1+rho)^2] by Weyl (A3), and "
        "1 - t/(1 + rho^2) maps that interval onto +- 2 rho/(1 + rho^2). Attained by D = rho I.",
    ),
    make_claim(
        "A0",
        "1.5",
        "rank for D = 0",
        "D = 0 implies rank(D) = 0 and rank(I + D) = n.",
        HOLDS,
        shapes=_SQUARE,
        printed=_rank_of_zero,
        source="I + 0 = I.",
    ),
    make_claim(
        "A1",
        "1.5",
        "full rank of D",
        "rank(D) = n implies rank(I + D) = n.",
        FALSE,
        shapes=_SQUARE,
        printed=_full_rank_stays,
        counterexample={"D": [[-1.0]]},
        corrected="rank(I + D) = n if and only if -1 is no eigenvalue of D; sigma_min(I + D) >= "
        "max(1 - ||D||_2, 1 + lambda_min((D + D^T)/2)), so either ||D||_2 < 1 or lambda_min > -1 "
        "is enough.",
        true=_smallest_value,
        source="(I + D)x = 0 says Dx = -x. For unit x, ||(I + D)x|| >= 1 - ||Dx|| and "
        "||(I + D)x|| >= x^T (I + D) x.",
    ),
    make_claim(
        "A2",
        "1.5",
        "deficient rank of D",
        "0 < rank(D) < n implies rank(I + D) > rank(D).",
        FALSE,
        shapes=_SQUARE,
        printed=_rank_rises,
        counterexample={"D": [[-1.0, 0.0], [0.0, 0.0]]},
        corrected="rank(I + D) >= n - rank(D), and rank(I + D) = n where ||D||_2 < 1. So the "
        "printed line holds where 0 < rank(D) < n/2, or where ||D||_2 < 1.",
        true=_rank_at_least,
        source="n = rank(I) <= rank(I + D) + rank(-D). Attained by minus any orthogonal "
        "projection.",
    ),
    make_claim(
        "A2a",
        "1.5",
        "rank never falls",
        "rank(I + D) >= rank(D) for every D.",
        FALSE,
        shapes=_SQUARE,
        printed=_rank_no_less,
        counterexample={"D": [[-1.0]]},
        corrected="rank(I + D) >= rank(D) where rank(D) <= n/2 (a bottleneck), or where "
        "||D||_2 < 1.",
        true=_rank_no_less_if,
        source="By A2, rank(I + D) >= n - rank(D), which is at least rank(D) if 2 rank(D) <= n.",
    ),
    make_claim(
        "A2b",
        "1.5",
        "zero eigenvalues",
        "I + D has no more zero eigenvalues than D, counted as the paper derives it, by "
        "n minus the rank.",
        FALSE,
        shapes=_SQUARE,
        printed=_zeros_no_more,
        counterexample={"D": [[-1.0]]},
        corrected="The two numbers of zero eigenvalues sum to at most n, and that of I + D is 0 "
        "where ||D||_2 < 1; so the claim holds where rank(D) <= n/2 or ||D||_2 < 1.",
        true=_zeros_together,
        source="Kernels of D and of I + D meet in 0 only: they belong to different eigenvalues "
        "of D, 0 and -1.",
    ),
)
