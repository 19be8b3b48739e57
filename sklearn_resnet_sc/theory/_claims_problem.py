"""Sections 2.1 and 2.2: the deep coding problem, and learning through its solution."""

import math

import numpy as np

from ._claims import ASSUMPTION, FALSE, make_claim
from ._claims_tools import forward_chain, n_nonzero, norm, rounding

_PROBLEM = {
    "signal": ("k",),
    "dictionaries": ("k", "n"),
    "n_nonzero_coefs": ("L",),
    "tolerances": ("L",),
}
_TWO_SOLUTIONS = {
    "signal": ("k",),
    "dictionaries": ("k", "n"),
    "layer_codes": (),
    "other_layer_codes": (),
    "tolerances": ("L",),
}


def _solvable(signal, dictionaries, n_nonzero_coefs, tolerances):
    chain = forward_chain(signal, dictionaries)[1:]
    counts = [n_nonzero(code) for code in chain]
    if (counts > n_nonzero_coefs).any() or (tolerances < 0).any():
        return None
    # The chain is all that the equations leave; now for the strict inequalities.
    return (tolerances > 0).all()


def _greedy_chain(signal, dictionaries, n_nonzero_coefs, tolerances):
    if (n_nonzero_coefs < 0).any() or (n_nonzero_coefs % 1).any():
        return None
    code, fine = signal, True
    for dictionary, count in zip(dictionaries, n_nonzero_coefs.astype(int), strict=True):
        exact = code @ dictionary
        count = min(count, len(exact))
        code = exact.copy()
        code[np.argsort(np.abs(exact), kind="stable")[: len(exact) - count]] = 0
        limit = math.sqrt(1 - count / len(exact)) * norm(exact)
        fine &= norm(exact - code) <= limit + rounding(len(exact)) * norm(exact)
    return fine


def _feasible(signal, dictionaries, codes, tolerances):
    before = [signal, *codes[:-1]]
    return all(
        norm(code - previous @ dictionary)
        <= tolerance + rounding(*dictionary.shape) * norm(dictionary) * norm(previous)
        for previous, dictionary, code, tolerance in zip(
            before, dictionaries, codes, tolerances, strict=True
        )
    )


def _two_solutions(signal, dictionaries, layer_codes, other_layer_codes, tolerances):
    for name, codes in (("layer_codes", layer_codes), ("other_layer_codes", other_layer_codes)):
        sizes = [len(code) for code in codes]
        if sizes != [dictionary.shape[1] for dictionary in dictionaries]:
            raise ValueError(f"instance: {name} must be as long as the dictionaries have columns")
    return _feasible(signal, dictionaries, layer_codes, tolerances) and _feasible(
        signal, dictionaries, other_layer_codes, tolerances
    )


def _single_solution(signal, dictionaries, layer_codes, other_layer_codes, tolerances):
    if not _two_solutions(signal, dictionaries, layer_codes, other_layer_codes, tolerances):
        return None
    pairs = zip(layer_codes, other_layer_codes, strict=True)
    return all(norm(a - b) <= 1e-8 * (norm(a) + norm(b)) for a, b in pairs)


def _near_solutions(signal, dictionaries, layer_codes, other_layer_codes, tolerances):
    if not _two_solutions(signal, dictionaries, layer_codes, other_layer_codes, tolerances):
        return None
    limit, scale = 0.0, norm(signal)
    for i, dictionary in enumerate(dictionaries):
        limit = norm(dictionary) * limit + 2 * tolerances[i]
        scale = norm(dictionary) * scale + norm(layer_codes[i]) + norm(other_layer_codes[i])
        distance = norm(layer_codes[i] - other_layer_codes[i])
        if distance > limit + 4 * (i + 1) * rounding(*dictionary.shape) * scale:
            return False
    return True


CLAIMS = (
    make_claim(
        "C0",
        "2.1",
        "the deep coding problem",
        "Find T_i = D_i T_{i-1} with ||T_i||_0 <= lambda_i and ||T_i - D_i T_{i-1}|| < eps_i, "
        "eps_i >= 0: read as solvable where the exact chain is sparse enough.",
        FALSE,
        shapes=_PROBLEM,
        printed=_solvable,
        counterexample={
            "signal": [1.0],
            "dictionaries": ([[1.0]],),
            "n_nonzero_coefs": [1.0],
            "tolerances": [0.0],
        },
        corrected="Ask for T_i close to D_i T_{i-1}, with <= eps_i. Then the exact chain solves it "
        "where it is sparse enough, and keeping the lambda_i largest entries of each k_i solves it "
        "where eps_i >= sqrt(1 - lambda_i/k_i) ||D_i T_{i-1}||; that is the closest T_i to the "
        "layer before, but need not end in a feasible chain where one exists.",
        true=_greedy_chain,
        source="With the equations, the strict inequality is empty at eps_i = 0 and idle "
        "otherwise. The entries left out have at most their share of the energy; attained by "
        "equal entries.",
    ),
    make_claim(
        "C0a",
        "2.2",
        "the deep learning problem",
        "The loss is a function of the solution DCP* of the deep coding problem, which asks that "
        "any two solutions are equal.",
        ASSUMPTION,
        shapes=_TWO_SOLUTIONS,
        printed=_single_solution,
        counterexample={
            "signal": [1.0],
            "dictionaries": ([[1.0]],),
            "layer_codes": ([1.0],),
            "other_layer_codes": ([0.5],),
            "tolerances": [0.5],
        },
        corrected="Two solutions for the same X differ by ||Delta_i|| <= ||D_i||_2 ||Delta_{i-1}|| "
        "+ 2 eps_i with Delta_0 = 0: they agree if all eps_i are 0. Otherwise the solution has to "
        "be one that a stated algorithm returns.",
        true=_near_solutions,
        source="Triangle inequality through D_i T_{i-1} and D_i T'_{i-1}.",
    ),
)
