"""Sections 1.1 and 1.2: one linear layer as a dictionary, and how that is learned."""

import numpy as np

from ._checks import unit_atoms
from ._claims import FALSE, HOLDS, UNDER_CONDITIONS, make_claim
from ._claims_tools import norm, rounding, unit_lengths
from ._coherence import mutual_coherence
from ._spectra import singular_spectrum

_BIASED = {"W": ("n", "m"), "h": ("m",), "b": ("n",)}
_CODED = {"W": ("n", "m"), "h": ("m",), "alpha": ("m",)}
_PAIR = {
    "signal": ("n",),
    "dictionary": ("k", "n"),
    "code": ("k",),
    "other_dictionary": ("k", "n"),
    "other_code": ("k",),
    "penalty": (),
}
_FACTORED = {
    "codes": ("N", "k"),
    "dictionary": ("k", "n"),
    "other_codes": ("N", "k"),
    "other_dictionary": ("k", "n"),
}
_LEARNED = {
    "signals": ("N", "n"),
    "codes": ("N", "k"),
    "dictionary": ("k", "n"),
    "penalty": (),
}


def _bias_dropped(W, h, b):
    output = W @ h + b
    if norm(b) >= norm(output):
        return None
    slack = rounding(*W.shape) * (norm(W) * norm(h) + norm(b))
    return norm(output - W @ h) <= norm(b) + slack


def _bias_is_the_error(W, h, b):
    slack = rounding(*W.shape) * (norm(W) * norm(h) + norm(b))
    return abs(norm(W @ h + b - W @ h) - norm(b)) <= slack


def _same_output(W, h, alpha):
    slack = rounding(*W.shape) * norm(W) * (norm(h) + norm(alpha))
    return norm(W @ (alpha - h)) <= slack, slack


def _code_is_input(W, h, alpha):
    same, _ = _same_output(W, h, alpha)
    return norm(alpha - h) <= 1e-8 * (norm(h) + norm(alpha)) if same else None


def _code_is_input_if_independent(W, h, alpha):
    sigma = singular_spectrum(W)
    if W.shape[0] < W.shape[1] or sigma[-1] <= rounding(*W.shape) * sigma[0]:
        return None
    slack = _same_output(W, h, alpha)[1]
    return sigma[-1] * norm(alpha - h) <= norm(W @ (alpha - h)) + slack


def _objective(signal, dictionary, code, penalty):
    return np.square(signal - code @ dictionary).sum() + penalty * np.abs(code).sum()


def _convex_between(signal, dictionary, code, other_dictionary, other_code, penalty):
    if penalty < 0:
        return None
    ends = [
        _objective(signal, dictionary, code, penalty),
        _objective(signal, other_dictionary, other_code, penalty),
    ]
    middle = _objective(
        signal, (dictionary + other_dictionary) / 2, (code + other_code) / 2, penalty
    )
    images = norm(code) * norm(dictionary) + norm(other_code) * norm(other_dictionary)
    slack = rounding(*dictionary.shape) * (sum(ends) + (norm(signal) + images) ** 2)
    return middle <= sum(ends) / 2 + slack


def _convex_in_one(signal, dictionary, code, other_dictionary, other_code, penalty):
    if (code != other_code).any() and (dictionary != other_dictionary).any():
        return None
    return _convex_between(signal, dictionary, code, other_dictionary, other_code, penalty)


def _energies(signals, codes, dictionary, penalty):
    """Squared error, the same with the penalty, and the rounding of either."""
    error = np.square(signals - codes @ dictionary).sum()
    total = error + penalty * np.abs(codes).sum()
    scale = (norm(signals) + norm(codes) * norm(dictionary)) ** 2
    return error, total, rounding(*codes.shape, *dictionary.shape) * (scale + total)


def _sweep(signals, codes, dictionary, rescale):
    """Each atom in turn: by K-SVD with its codes, or by block descent without them."""
    codes, dictionary = codes.copy(), dictionary.copy()
    for atom in range(len(dictionary)):
        users = codes[:, atom] != 0
        if not users.any():
            continue
        weights = codes[users, atom]
        rest = signals[users] - codes[users] @ dictionary + np.outer(weights, dictionary[atom])
        if rescale:
            left, sigma, right = np.linalg.svd(rest, full_matrices=False)
            dictionary[atom], codes[users, atom] = right[0], sigma[0] * left[:, 0]
        elif norm(direction := weights @ rest) > 0:
            dictionary[atom] = direction / norm(direction)
    return codes, dictionary


def _ksvd_descends(signals, codes, dictionary, penalty):
    if penalty < 0 or not unit_lengths(dictionary):
        return None
    before, slack = _energies(signals, codes, dictionary, penalty)[1:]
    swept = _sweep(signals, codes, dictionary, rescale=True)
    return _energies(signals, *swept, penalty)[1] <= before + slack


def _each_for_its_own(signals, codes, dictionary, penalty):
    if penalty < 0 or not unit_lengths(dictionary):
        return None
    error, total, slack = _energies(signals, codes, dictionary, penalty)
    new_codes, new_dictionary = _sweep(signals, codes, dictionary, rescale=True)
    kept = not ((codes == 0) & (new_codes != 0)).any()
    ksvd = _energies(signals, new_codes, new_dictionary, penalty)[0] <= error + slack
    same_codes, descended = _sweep(signals, codes, dictionary, rescale=False)
    return kept and ksvd and _energies(signals, same_codes, descended, penalty)[1] <= total + slack


def _same_outputs(codes, dictionary, other_codes, other_dictionary):
    scale = norm(codes) * norm(dictionary) + norm(other_codes) * norm(other_dictionary)
    slack = rounding(*codes.shape, *dictionary.shape) * scale
    return norm(codes @ dictionary - other_codes @ other_dictionary) <= slack


def _analogous(codes, dictionary, other_codes, other_dictionary):
    denser = np.count_nonzero(other_codes) > np.count_nonzero(codes)
    if denser or not _same_outputs(codes, dictionary, other_codes, other_dictionary):
        return None
    cosines = np.abs(unit_atoms(dictionary)[0] @ unit_atoms(other_dictionary)[0].T)
    return min(cosines.max(axis=0).min(), cosines.max(axis=1).min()) >= 1 - 1e-8


def _linked(codes, dictionary, other_codes, other_dictionary):
    sigma = singular_spectrum(dictionary)
    independent = dictionary.shape[0] <= dictionary.shape[1] and sigma[-1] > 1e-6 * sigma[0]
    if not independent or not _same_outputs(codes, dictionary, other_codes, other_dictionary):
        return None
    mixing = np.linalg.lstsq(dictionary.T, other_dictionary.T, rcond=None)[0].T
    size = norm(other_codes) * norm(other_dictionary)
    slack = 1e-8 * (norm(codes) + size / sigma[-1])
    if norm(mixing @ dictionary - other_dictionary) > 1e-8 * norm(other_dictionary):
        return None  # unused atoms of the other dictionary lie outside the span
    linked = norm(codes - other_codes @ mixing) <= slack
    # A generalised permutation keeps the atoms' angles.
    if (np.count_nonzero(np.abs(mixing) > 1e-8 * np.abs(mixing).max(), axis=0) == 1).all():
        alike = abs(mutual_coherence(dictionary) - mutual_coherence(other_dictionary)) <= 1e-7
        return linked and alike
    return linked


CLAIMS = (
    make_claim(
        "L1",
        "1.1",
        "dropping the bias",
        "If b is smaller than h' = W h + b, then h' is approximately W h, read as: the relative "
        "error is at most ||b|| / ||h'||.",
        HOLDS,
        shapes=_BIASED,
        printed=_bias_dropped,
        corrected="The error is ||b|| exactly, so the relative error is the ratio itself: "
        "'smaller' must mean much smaller, and single entries of h' may be all bias.",
        true=_bias_is_the_error,
        source="h' - W h = b.",
    ),
    make_claim(
        "L2",
        "1.1",
        "the code is the input",
        "If h' = D alpha and D = W, then alpha = h.",
        UNDER_CONDITIONS,
        shapes=_CODED,
        printed=_code_is_input,
        counterexample={"W": [[1.0, 1.0]], "h": [1.0, 0.0], "alpha": [0.0, 1.0]},
        corrected="If the columns of W are linearly independent, sigma_min(W) ||alpha - h|| <= "
        "||W (alpha - h)||, so equal outputs have equal codes. Otherwise alpha - h may be anything "
        "in the kernel of W.",
        true=_code_is_input_if_independent,
        source="W alpha = W h says that alpha - h is in the kernel of W.",
    ),
    make_claim(
        "L3",
        "1.2",
        "an l1 problem in both factors",
        "min over D and alpha of ||h' - D alpha||^2 + lambda ||alpha||_1 is solved by basis "
        "pursuit or lasso, which asks for convexity: F(midpoint) <= (F(first) + F(second))/2.",
        FALSE,
        shapes=_PAIR,
        printed=_convex_between,
        counterexample={
            "signal": [1.0],
            "dictionary": [[1.0]],
            "code": [1.0],
            "other_dictionary": [[-1.0]],
            "other_code": [-1.0],
            "penalty": 0.5,
        },
        corrected="The problem is convex in alpha for fixed D (a lasso) and in D for fixed alpha "
        "(least squares), and in both together it is not.",
        true=_convex_in_one,
        source="A quadratic of an affine map plus a norm is convex; (D, alpha) and (-D, -alpha) "
        "have equal objectives, and their midpoint is 0.",
    ),
    make_claim(
        "C5",
        "1.2",
        "K-SVD for both forms",
        "K-SVD solves the l1 and the l0 form alike, read as: a sweep of it does not raise "
        "||X - D A||_F^2 + lambda ||A||_1, with unit atoms.",
        FALSE,
        shapes=_LEARNED,
        printed=_ksvd_descends,
        counterexample={
            "signals": [[1.0]],
            "codes": [[0.5]],
            "dictionary": [[1.0]],
            "penalty": 1.0,
        },
        corrected="A K-SVD sweep does not raise ||X - D A||_F^2 and adds no non-zero: it serves "
        "the l0 form. For the l1 form, block descent on the unit atoms at fixed codes (or MOD) "
        "does not raise the objective. Neither reaches a global minimum in general.",
        true=_each_for_its_own,
        source="Aharon, Elad, Bruckstein, IEEE Trans. Signal Processing 54 (2006): the atom and "
        "its codes become the best rank-one approximation, which undoes shrinkage. For fixed "
        "codes the best unit atom is the residual without it, weighted by its codes.",
    ),
    make_claim(
        "L4",
        "1.2",
        "learned and given factors",
        "The learned (D, alpha) are analogous to (W, h) and have almost the same properties, read "
        "as: a factorization of the same outputs that is no denser has the same atoms up to order "
        "and length.",
        FALSE,
        shapes=_FACTORED,
        printed=_analogous,
        counterexample={
            "codes": [[1.0, 1.0]],
            "dictionary": [[1.0, 0.0], [0.0, 1.0]],
            "other_codes": [[1.4, 0.2]],
            "other_dictionary": [[0.6, 0.8], [0.8, -0.6]],
        },
        corrected="For independent atoms, (D, alpha) and (D M, M^-1 alpha) have the same outputs "
        "for every invertible M, and within the span there are no others; only a permutation with "
        "scaling is sure to keep sparsity and coherence. Many sparse samples are needed to exclude "
        "other M.",
        true=_linked,
        source="D' = D M by a basis of the span, and D (alpha - M alpha') = 0. On identifiability "
        "from samples: Aharon, Elad, Bruckstein, Linear Algebra and its Applications 416 (2006).",
    ),
)
