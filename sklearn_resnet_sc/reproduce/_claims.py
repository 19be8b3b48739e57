"""The paper's claims on a dictionary learned from images: its Figures 1 to 3 as numbers.

Arrays and numbers only; `_claims_section` turns them into a part of the report.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..learning import ResidualDictionaryLearning
from ..theory import (
    activation_slopes,
    claims,
    condition_number,
    participation_ratio,
    singular_spectrum,
)
from . import _patches

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "elu", "gelu")
RHO = 0.9
N_COMPONENTS = 64
SWEEPS = 5
N_TRAIN = 5_000
N_STEPS = 3


@dataclass(frozen=True)
class ActivationResult:
    """The operator S of one activation, for each input and for all of them."""

    slopes: np.ndarray  # entries of S = diag(sigma(z_i) / z_i), sorted, over units and inputs
    least_squares: np.ndarray  # singular values of the one S that fits all inputs best
    misfit: float  # share of the output's energy that this S leaves


@dataclass(frozen=True)
class Outcome:
    """Everything that the section reports."""

    n_train: int
    matrix: np.ndarray  # D
    linear: np.ndarray  # singular values of D
    residual: np.ndarray  # singular values of I + D
    holds: Mapping[str, bool | None]  # of the printed claims on D; None where one says nothing
    corrected: Mapping[str, bool]
    activations: Mapping[str, ActivationResult]

    def summary(self, which):
        matrix = self.matrix if which == "linear" else np.eye(len(self.matrix)) + self.matrix
        return condition_number(matrix), participation_ratio(matrix)


def run_claims(inputs, advance):
    """Learn D, ask the claims about it, and pass the patches through D and activations."""
    scale = _patches.Scale(n_train=N_TRAIN, n_test_per_image=0, n_sweeps=SWEEPS)
    patches = _patches._train_patches(inputs, scale)
    matrix = _learn(patches, inputs)
    advance("learning D")
    holds, corrected = _ask(matrix)
    advance("asking the claims")
    # Outputs of mean square 1, as normalization layers would make them.
    z = patches @ matrix.T
    z /= np.sqrt(np.mean(z**2))
    solve = _least_squares(z)
    activations = {name: _operator(z, solve, name) for name in ACTIVATIONS}
    advance("activations")
    return Outcome(
        n_train=len(patches),
        matrix=matrix,
        linear=singular_spectrum(matrix),
        residual=singular_spectrum(np.eye(len(matrix)) + matrix),
        holds=holds,
        corrected=corrected,
        activations=activations,
    )


def _learn(patches, inputs):
    """The residual of a dictionary with the identity as shortcut, scaled to norm RHO."""
    estimator = ResidualDictionaryLearning(
        N_COMPONENTS,
        shortcut="identity",
        residual_bound=None,
        fit_algorithm="omp",
        fit_n_nonzero_coefs=_patches.N_NONZERO,
        max_iter=SWEEPS,
        n_jobs=inputs.n_jobs,
        random_state=inputs.seed,
    ).fit(patches)
    return RHO * estimator.residual_ / singular_spectrum(estimator.residual_)[0]


def _ask(matrix):
    holds, corrected = {}, {}
    for claim in claims():
        if claim.predicate is None or set(claim.predicate.shapes) != {"D"}:
            continue
        instance = {"D": matrix}
        says = claim.predicate.applies(instance)
        holds[claim.key] = claim.predicate(instance) if says else None
        if claim.corrected_predicate is not None:
            corrected[claim.key] = claim.corrected_predicate(instance)
    return holds, corrected


def _least_squares(z):
    """What takes outputs to the matrix that maps z nearest to them, on the span of z."""
    left, sigma, right = np.linalg.svd(z, full_matrices=False)
    used = sigma > 1e-8 * sigma[0]
    weights = right[used].T / sigma[used]
    return lambda output: weights @ (left[:, used].T @ output)


def _operator(z, solve, activation):
    slopes = activation_slopes(z, activation)
    output = slopes * z
    transposed = solve(output)
    left = output - z @ transposed
    return ActivationResult(
        slopes=np.sort(slopes, axis=None),
        least_squares=singular_spectrum(transposed),
        misfit=float(np.sum(left**2) / np.sum(output**2)),
    )
