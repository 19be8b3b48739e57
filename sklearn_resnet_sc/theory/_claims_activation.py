"""Sections 1.3 and 1.4: what an activation does to a layer and to its sparse model."""

import numpy as np

from ._activations import activation_slopes, check_activation
from ._claims import ASSUMPTION, FALSE, UNDER_CONDITIONS, make_claim
from ._claims_tools import n_nonzero, norm, rounding
from ._spectra import singular_spectrum

_LAYER = {"W": ("n", "m"), "h": ("m",), "activation": ()}
_LAYER_ON_DATA = {"W": ("n", "m"), "inputs": ("N", "m"), "activation": ()}
_BIASED = {"W": ("n", "n"), "h": ("n",), "b": ("n",), "activation": ()}
_CODED = {"dictionary": ("n", "n"), "code": ("n",), "activation": ()}


def _layer_rounding(W, h):
    # Not below the smallest normal numbers, whose quotients have no digits.
    return rounding(*W.shape) * norm(W) * norm(h) + 1e-290


def _some_operator(W, h, activation):
    # A full matrix S takes any z that is not 0 anywhere.
    return (W @ h).any() or not check_activation(activation).function(0.0)


def _diagonal_operator(W, h, activation):
    entry = check_activation(activation)
    if entry.slope_at_zero is None:
        return None
    z = W @ h
    slopes = activation_slopes(z, activation)
    error = norm(slopes * z - entry.function(z))
    largest = entry.largest_slope * (1 + rounding(*W.shape))
    return (
        error <= rounding(len(z)) * norm(z) + 1e-290
        and np.abs(slopes).max() <= largest
        and norm(slopes[:, None] * W) <= largest * norm(W) + 1e-290
    )


def _misfit(inputs, outputs):
    """Relative error of the best D' with outputs = D' inputs."""
    fitted = inputs @ np.linalg.lstsq(inputs, outputs, rcond=1e-12)[0]
    size = norm(outputs)
    return norm(outputs - fitted) / size if size else 0.0


def _one_dictionary(W, inputs, activation):
    return _misfit(inputs, check_activation(activation).function(inputs @ W.T)) <= 1e-8


def _one_dictionary_if(W, inputs, activation):
    entry = check_activation(activation)
    if entry.slope_at_zero is None:
        return None
    z = inputs @ W.T
    slopes = activation_slopes(z, activation)
    sigma = singular_spectrum(inputs)
    independent = inputs.shape[0] <= inputs.shape[1] and sigma[-1] > 1e-3 * sigma[0]
    if not independent and np.ptp(slopes, axis=0).any():
        return None
    if not independent:
        return norm(z * slopes[0] - entry.function(z)) <= rounding(*z.shape) * norm(z) + 1e-290
    return _misfit(inputs, entry.function(z)) <= 1e-8


def _code_of(signal, dictionary):
    """The code of a signal in an invertible dictionary, rounding errors set to zero."""
    code = np.linalg.solve(dictionary.T, signal)
    sigma = singular_spectrum(dictionary)
    size = rounding(len(code)) * norm(signal) * sigma[0] / sigma[-1] ** 2
    return np.where(np.abs(code) > size, code, 0)


def _invertible(dictionary):
    sigma = singular_spectrum(dictionary)
    return sigma[-1] > 1e-6 * sigma[0]


def _no_denser(dictionary, code, activation):
    entry = check_activation(activation)
    if not _invertible(dictionary):
        return None
    after = _code_of(entry.function(code @ dictionary), dictionary)
    return n_nonzero(after) <= n_nonzero(code)


def _no_denser_if(dictionary, code, activation):
    entry = check_activation(activation)
    one_each = (np.count_nonzero(dictionary, axis=0) == 1).all()
    kept = entry.slope_at_zero is not None and one_each
    untouched = activation == "relu" and (code @ dictionary >= 0).all()
    if not kept and not untouched:
        return None
    return _no_denser(dictionary, code, activation)


def _bounded_atoms(W, h, activation):
    entry = check_activation(activation)
    if entry.slope_at_zero is None:
        return None
    atoms = activation_slopes(W @ h, activation)[:, None] * W
    return (atoms >= entry.lower).all() and (atoms <= entry.upper).all()


def _bounded_output(W, h, activation):
    entry = check_activation(activation)
    if entry.slope_at_zero is None:
        return None
    slopes = activation_slopes(W @ h, activation)
    output = slopes * (W @ h)
    slack = rounding(*W.shape) * (1 + norm(output))
    within = (output >= entry.lower - slack).all() and (output <= entry.upper + slack).all()
    limit = entry.largest_slope * (1 + rounding(*W.shape)) * np.abs(W)
    return within and (np.abs(slopes[:, None] * W) <= limit).all()


def _branch_error(W, h, b, activation):
    function = check_activation(activation).function
    return norm(function(W @ h + b) - function(W @ h)), h + function(W @ h + b)


def _residual_bias_dropped(W, h, b, activation):
    error, output = _branch_error(W, h, b, activation)
    if check_activation(activation).slope_at_zero is None or norm(b) >= norm(output):
        return None
    return error <= norm(b) + _layer_rounding(W, h) * 2 + rounding(len(h)) * norm(b)


def _residual_bias_lipschitz(W, h, b, activation):
    error, _ = _branch_error(W, h, b, activation)
    limit = check_activation(activation).lipschitz * norm(b)
    return error <= limit + 2 * _layer_rounding(W, h) + rounding(len(h)) * (1 + norm(b))


CLAIMS = (
    make_claim(
        "B1",
        "1.3",
        "activation operator",
        "sigma(D h) = S D h with a matrix S that stands for the activation.",
        UNDER_CONDITIONS,
        shapes=_LAYER,
        printed=_some_operator,
        counterexample={"W": [[1.0]], "h": [0.0], "activation": "sigmoid"},
        corrected="If sigma(0) = 0 and sigma(z)/z is bounded by c, then S = diag(sigma(z_i)/z_i) "
        "with z = D h, which depends on h, and ||S D||_2 <= c ||D||_2 (c = 1 for ReLU, leaky ReLU, "
        "tanh, ELU, SiLU and GELU, 1.7581 for SELU).",
        true=_diagonal_operator,
        source="Entry by entry. S 0 = 0, so an activation with sigma(0) != 0, such as the sigmoid, "
        "has no S at z = 0.",
    ),
    make_claim(
        "B2",
        "1.3",
        "one adjusted dictionary",
        "Non-linearity only adjusts the atoms: one D' = S W with alpha' = h gives sigma(W h) = "
        "D' h, read for all inputs of the layer.",
        FALSE,
        shapes=_LAYER_ON_DATA,
        printed=_one_dictionary,
        counterexample={"W": [[1.0]], "inputs": [[1.0], [-1.0]], "activation": "relu"},
        corrected="With sigma(0) = 0, one D' serves inputs that are linearly independent, or that "
        "all have the same S (for ReLU: the same active units). In general the best one is the "
        "least-squares operator, and it leaves an error; for zero-mean Gaussian z its S is "
        "diag(E sigma'(z_i)).",
        true=_one_dictionary_if,
        source="D' exists exactly if every linear relation between the inputs holds between the "
        "outputs as well. The Gaussian case is Bussgang's theorem (Stein's lemma).",
    ),
    make_claim(
        "B3",
        "1.3",
        "sparsity under activation",
        "Non-linearity does not affect the sparse model, ||alpha'|| is about ||alpha||, read as: "
        "the code of sigma(D alpha) in an invertible D has no more non-zeros than alpha.",
        ASSUMPTION,
        shapes=_CODED,
        printed=_no_denser,
        counterexample={
            "dictionary": [[1.0, 1.0], [1.0, -1.0]],
            "code": [0.0, 1.0],
            "activation": "relu",
        },
        corrected="It holds if each atom and each feature meet only once (a permutation with "
        "scaling) and sigma(0) = 0, or for ReLU if D alpha >= 0. Otherwise it is to be measured.",
        true=_no_denser_if,
        source="sigma acts entry by entry and keeps zeros; ReLU changes nothing that is not "
        "negative.",
    ),
    make_claim(
        "B4",
        "1.3",
        "atoms bounded by the activation",
        "Adjusted atoms are bounded as the activation is, read as: the entries of S W are >= 0 "
        "for ReLU, in [-1, 1] for tanh, and in the range of the others.",
        FALSE,
        shapes=_LAYER,
        printed=_bounded_atoms,
        counterexample={"W": [[-1.0]], "h": [-1.0], "activation": "relu"},
        corrected="The output S W h is in that range, for the h that S belongs to; of the atoms "
        "only |(S W)_ij| <= c |W_ij| is certain, with c = sup |sigma(z)/z|.",
        true=_bounded_output,
        source="S W h = sigma(W h), and S is diagonal with entries of at most c in size.",
    ),
    make_claim(
        "B5",
        "1.4",
        "dropping the bias in a residual layer",
        "If b is smaller than h' = h + sigma(W h + b), then h' is approximately (I + S W) h, read "
        "as: the error is at most ||b||.",
        UNDER_CONDITIONS,
        shapes=_BIASED,
        printed=_residual_bias_dropped,
        counterexample={"W": [[0.0]], "h": [0.0], "b": [-0.1], "activation": "selu"},
        corrected="The error of h + sigma(W h) is at most Lip(sigma) ||b|| (1 for ReLU, leaky "
        "ReLU, tanh and ELU, 1.7581 for SELU, 1.129 for GELU, 1.0999 for SiLU); that is "
        "(I + S W) h where sigma(0) = 0. Each further layer may multiply it by "
        "1 + Lip(sigma) ||W||.",
        true=_residual_bias_lipschitz,
        source="Definition of the Lipschitz constant, entry by entry. In the counterexample all "
        "of h' is bias, although b is the smaller.",
    ),
)
