"""Section 1.5, singular values, energy and condition number: D against I + D."""

import math

import numpy as np

from ._claims import ASSUMPTION, FALSE, HOLDS, make_claim
from ._claims_tools import EPS, norm, plus_identity, rounding, spectra_of
from ._spectra import participation_ratio_of, singular_spectrum

_SQUARE = {"D": ("n", "n")}
_LAYERS = {"layers": ("n", "n")}


def _same_index(D):
    linear, residual, slack = spectra_of(D)
    return (residual >= 1 - linear - slack).all() and (residual <= 1 + linear + slack).all()


def _weyl(D):
    linear, residual, slack = spectra_of(D)
    lower, upper = 1 - linear[::-1], 1 + linear
    return (residual >= lower - slack).all() and (residual <= upper + slack).all()


def _near_zero_and_one(D):
    linear, residual, slack = spectra_of(D)
    return (linear < 0.5 + slack).all() and (np.abs(residual - 1) < 0.5 + slack).all()


def _within_the_size(D):
    linear, residual, slack = spectra_of(D)
    distance = np.abs(residual - 1)
    return distance.max() <= linear[0] + slack and np.linalg.norm(distance) <= (
        np.linalg.norm(linear) + math.sqrt(len(D)) * slack
    )


def _energy_is_sum(D):
    energy = np.square(D).sum()
    slack = rounding(len(D)) * len(D) * energy + 1e-290  # squares may vanish
    return abs(np.square(singular_spectrum(D)).sum() - energy) <= slack


def _energy_of_sum(D):
    size = len(D) + np.square(D).sum()
    energy = len(D) + 2 * np.trace(D) + np.square(D).sum()
    measured = np.square(singular_spectrum(plus_identity(D))).sum()
    return abs(measured - energy) <= rounding(len(D)) * len(D) * 4 * size


def _ratios(D):
    """Participation ratios of D and of I + D; None where one of them is zero."""
    linear, residual, slack = spectra_of(D)
    if linear[0] == 0 or residual[0] <= slack:
        return None
    return participation_ratio_of(linear), participation_ratio_of(residual)


def _fewer_dimensions(D):
    ratios = _ratios(D)
    return None if ratios is None else ratios[1] <= ratios[0] * (1 + len(D) * rounding(len(D)))


def _kantorovich(D):
    rho = norm(D)
    if rho >= 1:
        return None
    bound = len(D) * ((1 - rho**2) / (1 + rho**2)) ** 2
    ratio = participation_ratio_of(singular_spectrum(plus_identity(D)))
    return ratio >= bound - len(D) * rounding(len(D))


def _falls_faster(D):
    linear, residual, slack = spectra_of(D)
    if linear[0] <= slack or residual[0] <= slack:
        return None
    relative = 4 * slack * (1 / linear[0] + 1 / residual[0])
    return (residual / residual[0] <= linear / linear[0] + relative).all()


def _falls_slowly(D):
    linear, residual, slack = spectra_of(D)
    if linear[0] >= 1:
        return None
    bound = (1 - linear[::-1]) / (1 + linear[0])
    return (residual >= residual[0] * bound - 2 * slack).all()


def _extent(sigma, slack):
    """Condition number: at least, and at most, up to rounding."""
    most = (sigma[0] + slack) / (sigma[-1] - slack) if sigma[-1] > slack else math.inf
    return max(sigma[0] - slack, 0) / (sigma[-1] + slack), most


def _better_conditioned(D):
    linear, residual, slack = spectra_of(D)
    if linear[0] == 0:
        return None
    own = rounding(len(D)) * linear[0]
    return _extent(residual, slack)[0] <= _extent(linear, own)[1]


def _conditioned(D):
    linear, residual, slack = spectra_of(D)
    if linear[0] >= 1:
        return None
    return residual[0] * (1 - linear[0]) <= residual[-1] * (1 + linear[0]) + 4 * slack


def _product(layers):
    total = layers[0]
    for layer in layers[1:]:
        total = layer @ total
    return total


def _stack(layers):
    """Spectra of both products and what rounding may do to each."""
    plain, residual = _product(layers), _product([plus_identity(layer) for layer in layers])
    sizes = [norm(layer) for layer in layers]
    relative = len(layers) * rounding(len(plain))
    return (
        (singular_spectrum(plain), relative * math.prod(sizes)),
        (singular_spectrum(residual), relative * math.prod(1 + size for size in sizes)),
    )


def _stack_better_conditioned(layers):
    plain, residual = _stack(layers)
    if plain[0][0] <= plain[1]:
        return None
    return _extent(*residual)[0] <= _extent(*plain)[1]


def _stack_bounds(layers):
    sizes = np.array([norm(layer) for layer in layers])
    if sizes.max() >= 1:
        return None
    sigma, slack = _stack(layers)[1]
    lower, upper = np.prod(1 - sizes), np.prod(1 + sizes)
    return lower - slack <= sigma[-1] and sigma[0] <= upper * (1 + 4 * EPS) + slack


CLAIMS = (
    make_claim(
        "A3",
        "1.5",
        "singular values",
        "1 - sigma_i(D) <= sigma_i(I + D) <= 1 + sigma_i(D) for every i.",
        FALSE,
        shapes=_SQUARE,
        printed=_same_index,
        counterexample={"D": [[-1.0, 0.0], [0.0, 0.0]]},
        corrected="1 - sigma_{n-i+1}(D) <= sigma_i(I + D) <= 1 + sigma_i(D), largest first: the "
        "upper half is right, the lower half pairs opposite indices. Hence "
        "|sigma_i(I + D) - 1| <= ||D||_2.",
        true=_weyl,
        source="Weyl's inequalities, Horn and Johnson, Topics in Matrix Analysis (1991), theorem "
        "3.3.16. Both ends are attained, by D = rho I and D = -rho I.",
    ),
    make_claim(
        "A3a",
        "1.5",
        "where the spectra concentrate",
        "sigma_i(D) is concentrated around 0 and sigma_i(I + D) around 1, read as: each is within "
        "1/2 of there.",
        ASSUMPTION,
        shapes=_SQUARE,
        printed=_near_zero_and_one,
        counterexample={"D": [[1.0]]},
        corrected="That D is small is an assumption. What follows from it: max_i |sigma_i(I + D) - "
        "1| <= ||D||_2 and sum_i (sigma_i(I + D) - 1)^2 <= ||D||_F^2, so the spectrum of I + D is "
        "as close to 1 as that of D is to 0.",
        true=_within_the_size,
        source="Weyl's and Mirsky's inequalities for singular values of (I + D) and I.",
    ),
    make_claim(
        "A5a",
        "1.5",
        "energy",
        "The energy of the features is proportional to sum_i sigma_i^2.",
        HOLDS,
        shapes=_SQUARE,
        printed=_energy_is_sum,
        corrected="It equals it, if energy means ||D||_F^2; and ||I + D||_F^2 = n + 2 tr(D) + "
        "||D||_F^2.",
        true=_energy_of_sum,
        source="The Frobenius norm is invariant under rotations; expand the square.",
    ),
    make_claim(
        "A5",
        "1.5",
        "energy in fewer dimensions",
        "I + D concentrates energy in fewer dimensions than D, read with the participation ratio "
        "PR = (sum sigma^2)^2 / sum sigma^4 as PR(I + D) <= PR(D).",
        FALSE,
        shapes=_SQUARE,
        printed=_fewer_dimensions,
        counterexample={"D": [[0.5, 0.0], [0.0, 0.0]]},
        corrected="With rho = ||D||_2 < 1, PR(I + D) >= n ((1 - rho^2)/(1 + rho^2))^2: for small "
        "rho the energy of I + D is spread over nearly all dimensions, whatever D does.",
        true=_kantorovich,
        source="Kantorovich's inequality for the squared singular values, all in "
        "[(1-rho)^2, (1+rho)^2]; the ratio of squared mean to mean square of numbers in [a, b] is "
        "at least 4ab/(a+b)^2.",
    ),
    make_claim(
        "A4",
        "1.5",
        "condition number",
        "kappa(D) >> kappa(I + D), read as kappa(I + D) <= kappa(D).",
        FALSE,
        shapes=_SQUARE,
        printed=_better_conditioned,
        counterexample={"D": [[1.0, 0.0], [0.0, -1.0]]},
        corrected="With rho = ||D||_2 < 1, kappa(I + D) <= (1 + rho)/(1 - rho). Small singular "
        "values say nothing about kappa(D), which is 1 for every multiple of an orthogonal "
        "matrix.",
        true=_conditioned,
        source="By A3 every singular value is in [1 - rho, 1 + rho]; attained by "
        "D = diag(rho, -rho).",
    ),
    make_claim(
        "A4a",
        "1.5",
        "skip connections and stability",
        "Skip connections make a network more stable, by a smaller condition number, read for a "
        "stack as kappa(prod (I + D_l)) <= kappa(prod D_l).",
        FALSE,
        shapes=_LAYERS,
        printed=_stack_better_conditioned,
        counterexample={"layers": ([[1.0, 0.0], [0.0, -1.0]],)},
        corrected="If rho_l = ||D_l||_2 < 1 for every layer, all singular values of the stack of "
        "the I + D_l lie between prod (1 - rho_l) and prod (1 + rho_l); so do the ratios "
        "||f(x) - f(y)|| / ||x - y|| of a stack of blocks h + f_l(h) with Lip(f_l) = rho_l.",
        true=_stack_bounds,
        source="||x - y|| - ||f(x) - f(y)|| <= ||x + f(x) - y - f(y)|| <= ||x - y|| + "
        "||f(x) - f(y)|| for each block; multiply.",
    ),
    make_claim(
        "A5b",
        "1.5",
        "steeper spectrum",
        "The singular spectrum of I + D is steeper than that of D, read as sigma_i(I + D)/"
        "sigma_1(I + D) <= sigma_i(D)/sigma_1(D) for every i.",
        FALSE,
        shapes=_SQUARE,
        printed=_falls_faster,
        counterexample={"D": [[0.5, 0.0], [0.0, 0.0]]},
        corrected="With rho = ||D||_2 < 1, sigma_i(I + D)/sigma_1(I + D) >= "
        "(1 - sigma_{n-i+1}(D))/(1 + rho): for small rho flat, not steep. A steeper spectrum would "
        "have the larger condition number, against A4.",
        true=_falls_slowly,
        source="A3 from below for i, from above for 1.",
    ),
)
