"""Section 2.5, error propagation, and what sections 2.6 and 3 say without a formula."""

import math

from ._claims import FALSE, HOLDS, NOT_TESTABLE, make_claim
from ._claims_tools import (
    chain_rounding,
    forward_chain,
    isometry,
    n_nonzero,
    norm,
    rounding,
    unit_lengths,
)
from ._coherence import mutual_coherence

_ONE_LAYER = {"signal": ("k",), "noise": ("k",), "dictionary": ("k", "n")}
_LAYERS = {"signal": ("k",), "noise": ("k",), "dictionaries": ("k", "n")}


def _first_error(signal, noise, dictionary):
    return norm((signal + noise) @ dictionary - signal @ dictionary)


def _first_rounding(signal, noise, dictionary):
    return 4 * rounding(*dictionary.shape) * norm(dictionary) * (norm(signal) + norm(noise))


def _first_step(signal, noise, dictionary):
    limit = norm(dictionary) * norm(noise)
    slack = _first_rounding(signal, noise, dictionary)
    return _first_error(signal, noise, dictionary) <= limit + slack


def _first_step_sparse(signal, noise, dictionary):
    upper = isometry(dictionary, n_nonzero(noise))[1]
    limit = min(norm(dictionary), math.sqrt(upper)) * norm(noise)
    slack = _first_rounding(signal, noise, dictionary)
    return _first_error(signal, noise, dictionary) <= limit + slack


def _propagate(signal, noise, dictionaries):
    """Distance of both chains at each layer, the larger count of either, and rounding."""
    clean, noisy = (forward_chain(start, dictionaries) for start in (signal, signal + noise))
    distances = [norm(a - b) for a, b in zip(clean, noisy, strict=True)]
    counts = [max(n_nonzero(a), n_nonzero(b)) for a, b in zip(clean, noisy, strict=True)]
    slack = chain_rounding(signal, dictionaries) + chain_rounding(noise, dictionaries)
    return clean, distances, counts, 4 * slack


def _factors(clean, dictionaries):
    """The printed A_i, one for each layer after the first; None where one is not positive."""
    factors = [
        1 - (2 * n_nonzero(code) - 1) * mutual_coherence(dictionary)
        for code, dictionary in zip(clean[1:-1], dictionaries[1:], strict=True)
    ]
    applies = all(unit_lengths(dictionary) for dictionary in dictionaries[1:])
    return factors if applies and factors and min(factors) > 0 else None


def _upper_as_equal(signal, noise, dictionaries):
    clean, distances, _, slack = _propagate(signal, noise, dictionaries)
    factors = _factors(clean, dictionaries)
    if factors is None:
        return None
    return 2 * distances[2] / math.sqrt(factors[0]) <= norm(dictionaries[0]) * norm(noise) + slack


def _second_layer(signal, noise, dictionaries):
    _, distances, counts, slack = _propagate(signal, noise, dictionaries)
    if len(dictionaries) < 2:
        return None
    lower, upper = isometry(dictionaries[1], 2 * counts[1])
    return (
        math.sqrt(max(lower, 0)) * distances[1] - slack
        <= distances[2]
        <= math.sqrt(upper) * distances[1] + slack
    )


def _product_as_printed(signal, noise, dictionaries):
    clean, distances, _, slack = _propagate(signal, noise, dictionaries)
    factors = _factors(clean, dictionaries)
    if factors is None:
        return None
    limit = norm(dictionaries[0]) * norm(noise) / 2 * math.sqrt(math.prod(factors))
    return distances[-1] <= limit + slack


def _product(signal, noise, dictionaries):
    _, distances, counts, slack = _propagate(signal, noise, dictionaries)
    by_norms = by_coherence = norm(dictionaries[0]) * norm(noise)
    for dictionary, count in zip(dictionaries[1:], counts[1:-1], strict=True):
        by_norms *= norm(dictionary)
        by_coherence *= math.sqrt(isometry(dictionary, 2 * count)[1])
    return distances[-1] <= min(by_norms, by_coherence) + slack


_UNITS = {"signal": [1.0], "noise": [1.0], "dictionaries": ([[1.0]], [[1.0]])}

CLAIMS = (
    make_claim(
        "C4a",
        "2.5",
        "error after one layer",
        "||D_1 (X + E) - D_1 X||^2 <= ||D_1||_2^2 ||E||^2.",
        HOLDS,
        shapes=_ONE_LAYER,
        printed=_first_step,
        corrected="For noise on s entries also <= (1 + (s-1) mu(D_1)) max ||d_j||^2 ||E||^2.",
        true=_first_step_sparse,
        source="Definition of the spectral norm, attained by E along its singular vector; "
        "Gershgorin for s atoms.",
    ),
    make_claim(
        "C4b",
        "2.5",
        "error after two layers",
        "4 eps_2^2 / (1 - (2 ||T_1||_0 - 1) mu(D_2)) <= ||D_1||_2^2 eps_0^2, with eps_2 the error "
        "after two layers.",
        FALSE,
        shapes=_LAYERS,
        printed=_upper_as_equal,
        counterexample=_UNITS,
        corrected="(1 - (2s-1) mu(D_2)) ||Delta_1||^2 <= ||Delta_2||^2 <= (1 + (2s-1) mu(D_2)) "
        "||Delta_1||^2 for unit atoms and layers of at most s entries; times min and max "
        "||d_j||^2 for others.",
        true=_second_layer,
        source="Section 2.4 bounds eps_1 by eps_2 from above; reading that as an equation turns "
        "the inequality round. Delta_2 = D_2 Delta_1 with at most 2s non-zeros in Delta_1; "
        "Gershgorin.",
    ),
    make_claim(
        "C4",
        "2.5",
        "error propagation",
        "||Delta_L||^2 <= (||D_1||_2^2 eps_0^2 / 4) prod_i A_i, with "
        "A_i = 1 - (2 ||T_i||_0 - 1) mu(D_{i+1}) for i = 1, ..., L-1.",
        FALSE,
        shapes=_LAYERS,
        printed=_product_as_printed,
        counterexample=_UNITS,
        corrected="||Delta_L||^2 <= ||D_1||_2^2 eps_0^2 prod_i B_i, with "
        "B_i = 1 + (2 s_i - 1) mu(D_{i+1}) for unit atoms and s_i-sparse T_i and T'_i; and always "
        "||Delta_L|| <= eps_0 prod_i ||D_i||_2. For residual layers of Lipschitz constants L_i: "
        "eps_0 prod_i (1 + L_i).",
        true=_product,
        source="C4a, then the upper half of C4b for each layer. Orthogonal layers keep the error, "
        "which the printed formula divides by 4.",
    ),
    make_claim(
        "E1",
        "2.6",
        "empirical verification",
        "A comparison of a residual network with and without batch normalization, a linear model "
        "and the multi-layer model is announced; no result is given.",
        NOT_TESTABLE,
        source="There is no statement to test. The experiment itself can be run.",
    ),
    make_claim(
        "E2",
        "1.5, 3",
        "generalization",
        "The steeper spectrum enhances interpretability and generalization, and explains the "
        "superior performance of residual networks.",
        NOT_TESTABLE,
        source="Neither is defined, measured or derived in the paper; the spectrum it starts from "
        "is not steeper (A5b).",
    ),
)
