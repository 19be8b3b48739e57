"""Section 2.3: when the solution of the deep coding problem is the only one."""

import math
from itertools import combinations

import numpy as np

from ._checks import unit_atoms
from ._claims import FALSE, make_claim
from ._claims_tools import (
    chain_rounding,
    forward_chain,
    isometry,
    n_nonzero,
    norm,
    rounding,
    uniqueness_limit,
)
from ._coherence import mutual_coherence
from ._spectra import singular_spectrum

_TWO_CODES = {"dictionary": ("k", "n"), "code": ("k",), "other_code": ("k",)}
_TWO_NOISY_CODES = {**_TWO_CODES, "signal": ("n",)}
_TWO_CHAINS = {"signal": ("k",), "other_signal": ("k",), "dictionaries": ("k", "n")}
_CODE = {"dictionary": ("k", "n"), "code": ("k",)}


def _image_rounding(dictionary, *codes):
    return rounding(*dictionary.shape) * norm(dictionary) * sum(norm(code) for code in codes)


def _equal_codes(dictionary, code, other_code, condition):
    """Whether two codes of one signal are equal; None if they are not, or `condition` fails."""
    slack = _image_rounding(dictionary, code, other_code)
    same = norm((code - other_code) @ dictionary) <= slack
    if not condition or not same or n_nonzero(other_code) > n_nonzero(code):
        return None
    return slack


def _unique_by_size(dictionary, code, other_code):
    condition = np.abs(code).max() < uniqueness_limit(dictionary)
    slack = _equal_codes(dictionary, code, other_code, condition)
    if slack is None:
        return None
    return norm(code - other_code) <= 1e-8 * (norm(code) + norm(other_code))


def _unique_by_count(dictionary, code, other_code):
    condition = n_nonzero(code) < uniqueness_limit(dictionary)
    slack = _equal_codes(dictionary, code, other_code, condition)
    if slack is None:
        return None
    lower = isometry(dictionary, 2 * n_nonzero(code))[0]
    return math.sqrt(lower) * norm(code - other_code) <= 2 * slack


def _noise(dictionary, signal, *codes):
    return max(norm(signal - code @ dictionary) for code in codes)


def _unique_under_noise(dictionary, code, other_code, signal):
    densest = max(n_nonzero(code), n_nonzero(other_code))
    if densest >= uniqueness_limit(dictionary):
        return None
    # Both solve the problem whose tolerance is the larger of their residuals.
    return norm(code - other_code) <= 1e-8 * (norm(code) + norm(other_code))


def _near_under_noise(dictionary, code, other_code, signal):
    densest = max(n_nonzero(code), n_nonzero(other_code))
    lower = isometry(dictionary, 2 * densest)[0]
    if lower <= 0:
        return None
    slack = _image_rounding(dictionary, code, other_code) + rounding(len(signal)) * norm(signal)
    noise = _noise(dictionary, signal, code, other_code)
    return math.sqrt(lower) * norm(code - other_code) <= 2 * noise + 4 * slack


def _chains(signal, other_signal, dictionaries):
    """Both chains; how many atoms each layer has, counting X; the distance of the ends."""
    first, second = (forward_chain(start, dictionaries) for start in (signal, other_signal))
    counts = [max(n_nonzero(a), n_nonzero(b)) for a, b in zip(first, second, strict=True)]
    slack = chain_rounding(signal, dictionaries) + chain_rounding(other_signal, dictionaries)
    return first, second, counts, norm(first[-1] - second[-1]), slack


def _unique_chain_as_paired(signal, other_signal, dictionaries):
    first, second, counts, distance, slack = _chains(signal, other_signal, dictionaries)
    limits = [uniqueness_limit(dictionary) for dictionary in dictionaries]
    if distance > slack or any(a >= b for a, b in zip(counts[1:], limits, strict=True)):
        return None
    pairs = zip(first[1:], second[1:], strict=True)
    return all(norm(a - b) <= 1e-8 * (norm(a) + norm(b)) for a, b in pairs)


def _unique_chain(signal, other_signal, dictionaries):
    first, second, counts, distance, slack = _chains(signal, other_signal, dictionaries)
    layers = zip(counts[:-1], dictionaries, strict=True)
    lower = [isometry(dictionary, 2 * count)[0] for count, dictionary in layers]
    if min(lower) <= 0:
        return None
    # From the end to the start, each layer is an isometry up to these factors.
    scale = 1.0
    for i in reversed(range(len(dictionaries))):
        scale *= math.sqrt(lower[i])
        if scale * norm(first[i] - second[i]) > distance + 2 * slack:
            return False
    return True


def _below_one(dictionary, code):
    if not n_nonzero(code) < uniqueness_limit(dictionary):
        return None
    return n_nonzero(code) < 1 / (1 + mutual_coherence(dictionary))


def _independent_pairs(dictionary, code):
    size = min(2 * n_nonzero(code), len(dictionary))
    if not n_nonzero(code) < uniqueness_limit(dictionary):
        return None
    if size == 0 or math.comb(len(dictionary), size) > 2000:
        return None
    unit = unit_atoms(dictionary)[0]
    lower = 1 - (size - 1) * mutual_coherence(dictionary)
    return all(
        size <= unit.shape[1]
        and singular_spectrum(unit[list(atoms)])[-1] ** 2 >= lower - rounding(*unit.shape) * size
        for atoms in combinations(range(len(unit)), size)
    )


_FRAME = [[0.6, 0.8], [0.6, -0.8], [1.0, 0.0]]

CLAIMS = (
    make_claim(
        "C1",
        "2.3",
        "uniqueness by the largest entry",
        "||T||_inf < (1 + 1/mu(D))/2 makes the solution T unique (among codes no denser).",
        FALSE,
        shapes=_TWO_CODES,
        printed=_unique_by_size,
        counterexample={
            "dictionary": [[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]],
            "code": [0.6, 0.8, 0.0],
            "other_code": [0.0, 0.0, 1.0],
        },
        corrected="||T||_0 < (1 + 1/mu(D))/2, a number of entries: then T is the sparsest code of "
        "D T, and the only one so sparse. Unique among all codes of at most lambda atoms: "
        "||T||_0 + lambda < 1 + 1/mu. Atoms of any length, mu of the normalized ones.",
        true=_unique_by_count,
        source="Donoho and Elad, PNAS 100 (2003): D (T - T') = 0 has at most 2 ||T||_0 < "
        "1 + 1/mu <= spark(D) non-zeros, so T = T'. In the source cited the norm counts "
        "non-zeros of stripes.",
    ),
    make_claim(
        "C1a",
        "2.3",
        "uniqueness with a tolerance",
        "The same condition makes the solution of the problem with tolerance eps > 0 unique, read "
        "with ||T||_0.",
        FALSE,
        shapes=_TWO_NOISY_CODES,
        printed=_unique_under_noise,
        counterexample={
            "dictionary": [[1.0]],
            "code": [1.0],
            "other_code": [0.5],
            "signal": [1.0],
        },
        corrected="With eps > 0 there is a continuum of solutions. Two of them, both of at most s "
        "atoms, differ by at most 2 eps / (sqrt(1 - (2s-1) mu) min ||d_j||) where "
        "(2s-1) mu < 1 (see C3).",
        true=_near_under_noise,
        source="A small change of a non-zero entry keeps the count and the tolerance.",
    ),
    make_claim(
        "C2",
        "2.3",
        "largest sparsity",
        "The condition on T_{i-1} is derived to be ||T_{i-1}||_0 < 1/(1 + mu(D_i)), read as a "
        "consequence of ||T_{i-1}||_0 < (1 + 1/mu(D_i))/2.",
        FALSE,
        shapes=_CODE,
        printed=_below_one,
        counterexample={"dictionary": [[1.0]], "code": [1.0]},
        corrected="1/(1 + mu) <= 1 admits only T = 0. The condition is (1 + 1/mu)/2, as in C1: any "
        "2s atoms with s below it are independent, with squared singular values of at least "
        "1 - (2s-1) mu (unit atoms).",
        true=_independent_pairs,
        source="Gershgorin's theorem for the Gram matrix of 2s unit atoms.",
    ),
    make_claim(
        "C1b",
        "2.3",
        "uniqueness of the chain",
        "If lambda_i < (1 + 1/mu(D_i))/2 for each i, the model T_i = D_i T_{i-1} with "
        "||T_i||_0 <= lambda_i has a unique solution.",
        FALSE,
        shapes=_TWO_CHAINS,
        printed=_unique_chain_as_paired,
        counterexample={
            "signal": [1.0, 1.0, 0.0],
            "other_signal": [0.0, 0.0, 1.2],
            "dictionaries": (np.eye(3), _FRAME),
        },
        corrected="T_{i-1} is what D_i codes, so the pairs are lambda_{i-1} with D_i, from the "
        "last layer to lambda_0 for X, which the paper leaves free. Then, unit atoms, "
        "||T_L - T'_L||^2 >= ||T_i - T'_i||^2 prod_{j>i} (1 - (2 lambda_{j-1} - 1) mu(D_j)): "
        "equal outputs have equal chains.",
        true=_unique_chain,
        source="C1 layer by layer from the output; Papyan, Romano, Elad, JMLR 18 (2017), "
        "theorem 4.",
    ),
)
