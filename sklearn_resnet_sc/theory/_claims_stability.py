"""Section 2.4: how far two solutions of the deep coding problem can be apart."""

import math

from ._claims import FALSE, UNDER_CONDITIONS, make_claim
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

_TWO_CODES = {"dictionary": ("k", "n"), "code": ("k",), "other_code": ("k",), "signal": ("n",)}
_TWO_CHAINS = {
    "signal": ("n",),
    "code": ("k",),
    "other_code": ("k",),
    "dictionaries": ("k", "n"),
}


def _noise(dictionary, code, other_code, signal):
    """The larger residual, and the rounding of either."""
    images = norm(dictionary) * (norm(code) + norm(other_code))
    slack = 4 * rounding(*dictionary.shape) * (images + norm(signal))
    return max(norm(signal - item @ dictionary) for item in (code, other_code)), slack


def _step_as_printed(dictionary, code, other_code, signal):
    if max(n_nonzero(code), n_nonzero(other_code)) >= uniqueness_limit(dictionary):
        return None
    lower = 1 - (2 * n_nonzero(code) - 1) * mutual_coherence(dictionary)
    noise, slack = _noise(dictionary, code, other_code, signal)
    return math.sqrt(lower) * norm(code - other_code) <= 2 * noise + slack


def _step(dictionary, code, other_code, signal):
    lower = isometry(dictionary, 2 * max(n_nonzero(code), n_nonzero(other_code)))[0]
    if lower <= 0:
        return None
    noise, slack = _noise(dictionary, code, other_code, signal)
    return math.sqrt(lower) * norm(code - other_code) <= 2 * noise + slack


def _image_distance(dictionary, code, other_code, signal, factor=2):
    noise, slack = _noise(dictionary, code, other_code, signal)
    return norm((code - other_code) @ dictionary) <= factor * noise + slack


def _image_distance_printed(dictionary, code, other_code, signal):
    return _image_distance(dictionary, code, other_code, signal, factor=1)


def _chain_pair(signal, code, other_code, dictionaries):
    """Distances of both chains at each layer, the noise, isometries of each layer, rounding."""
    first, second = (forward_chain(start, dictionaries) for start in (code, other_code))
    distances = [norm(a - b) for a, b in zip(first, second, strict=True)]
    counts = [max(n_nonzero(a), n_nonzero(b)) for a, b in zip(first, second, strict=True)]
    layers = zip(counts[:-1], dictionaries, strict=True)
    lower = [isometry(dictionary, 2 * count)[0] for count, dictionary in layers]
    noise = max(norm(signal - first[-1]), norm(signal - second[-1]))
    slack = chain_rounding(code, dictionaries) + chain_rounding(other_code, dictionaries)
    return distances, counts, lower, noise, 4 * (slack + rounding(len(signal)) * norm(signal))


def _by_largest_error(signal, code, other_code, dictionaries):
    distances, _, lower, noise, slack = _chain_pair(signal, code, other_code, dictionaries)
    if min(lower) <= 0:
        return None
    return max(distances[:-1]) <= noise * (1 + 1e-8) + slack


def _by_layers(signal, code, other_code, dictionaries):
    distances, counts, lower, noise, slack = _chain_pair(signal, code, other_code, dictionaries)
    if min(lower) <= 0:
        return None
    scale, effective = 1.0, None
    for i in reversed(range(len(dictionaries))):
        scale *= math.sqrt(lower[i])
        if scale * distances[i] > 2 * noise + slack:
            return False
        # The product of all dictionaries from here on, whose atoms have any length.
        effective = dictionaries[i] if effective is None else dictionaries[i] @ effective
        if not effective.any(axis=1).all():
            continue
        own = isometry(effective, 2 * counts[i])[0]
        if own > 0 and math.sqrt(own) * distances[i] > 2 * noise + slack:
            return False
    return True


CLAIMS = (
    make_claim(
        "C3a",
        "2.4",
        "distance of the outputs",
        "||Y - D T|| <= eps and ||Y - D T'|| <= eps mean ||D T - D T'|| <= eps.",
        FALSE,
        shapes=_TWO_CODES,
        printed=_image_distance_printed,
        counterexample={
            "dictionary": [[1.0]],
            "code": [1.0],
            "other_code": [-1.0],
            "signal": [0.0],
        },
        corrected="||D T - D T'|| <= 2 eps.",
        true=_image_distance,
        source="Triangle inequality; attained where Y is in the middle, as in the counterexample.",
    ),
    make_claim(
        "C3",
        "2.4",
        "stability of one layer",
        "If ||T||_0 and ||T'||_0 are below (1 + 1/mu)/2 and both are within eps of Y, then "
        "||T - T'||^2 <= 4 eps^2 / (1 - (2 ||T||_0 - 1) mu).",
        UNDER_CONDITIONS,
        shapes=_TWO_CODES,
        printed=_step_as_printed,
        # T' is denser than T; unit atoms, mu = 6/19.
        counterexample={
            "dictionary": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [-6 / 19, -6 / 19, 17 / 19]],
            "code": [1.0, 0.0, 0.0],
            "other_code": [0.0, -1.0, -1.0],
            "signal": [0.5 * (1 - 6 / 19) + 6 / 19, 0.5 * -(1 - 6 / 19), -0.5 * 17 / 19],
        },
        corrected="||T - T'||^2 <= 4 eps^2 / ((1 - (2s-1) mu) min_j ||d_j||^2) where "
        "(2s-1) mu < 1 and s bounds both counts; as printed it needs unit atoms and T' no denser "
        "than T.",
        true=_step,
        source="T - T' has at most 2s non-zeros and its image at most the length 2 eps; "
        "Gershgorin. After Donoho, Elad, Temlyakov, IEEE Trans. Information Theory 52 (2006), "
        "theorem 2.1. Attained by orthogonal atoms.",
    ),
    make_claim(
        "C3b",
        "2.4",
        "global stability",
        "In every layer the error is bounded by the maximum error, read as the error eps of the "
        "output: ||T_i - T'_i|| <= eps.",
        FALSE,
        shapes=_TWO_CHAINS,
        printed=_by_largest_error,
        counterexample={
            "signal": [0.0],
            "code": [1.0],
            "other_code": [-1.0],
            "dictionaries": ([[1.0]],),
        },
        corrected="The printed recursion grows at least fourfold a layer. For exact inner chains "
        "the 4 comes once: ||T_i - T'_i||^2 <= 4 eps^2 prod_{j>i} 1/((1 - (2 s_{j-1} - 1) mu(D_j)) "
        "min ||d||^2), and no product at all with the effective dictionary D_L ... D_{i+1}, its "
        "own mu and shortest atom; the least of them holds.",
        true=_by_layers,
        source="C3 once, then the lower isometry of each layer; or C3 for the effective "
        "dictionary, after Sulam, Papyan, Romano, Elad, IEEE Trans. Signal Processing 66 (2018).",
    ),
)
