"""Families that attain the bounds on many layers, and the certificates of codes."""

import math

import numpy as np

from sklearn_resnet_sc import theory

from .tightness import (
    FAMILIES,
    RHO,
    attains,
    largest_certified,
    lasso,
    last_true,
    omp,
    three_atoms,
    two_atoms,
)

NEAR = 1e-6


def pair_through_identities(n_layers, noise, slack=0.0):
    """The squared distance, layer by layer, of two codes that each take all they may."""
    return np.square([2 * (noise + i * slack) for i in range(n_layers)])


@attains("layered_stability_bound: layer by layer")
def chain_layer_by_layer():
    bound = theory.layered_stability_bound([np.eye(2)] * 2, 1, 0.5)
    return pair_through_identities(2, 0.5)[-1] / bound.by_layers[-1]


@attains("layered_stability_bound: exact chain")
def exact_chain():
    bound = theory.layered_stability_bound([np.eye(2)] * 3, 1, 0.5, slack=0.1)
    return pair_through_identities(3, 0.5, 0.1)[-1] / bound.by_exact_chain[-1]


@attains("layered_stability_bound: product")
def chain_by_product():
    # The second layer is orthogonal, the product has two atoms of product mu.
    stack = [two_atoms(), np.eye(2)[::-1]]
    difference = np.array([1.0, -1])
    noise = float(np.linalg.norm(difference @ stack[1] @ stack[0])) / 2
    return 2 / theory.layered_stability_bound(stack, 1, noise).by_effective[1]


@attains("layered_stability_bound: projection")
def chain_by_projection():
    bound = theory.layered_stability_bound([np.eye(2)] * 3, 1, 0.5, slack=0.0)
    return pair_through_identities(3, 0.5)[0] / bound.by_projection[0]


@attains("layered_stability_bound: forward")
def chain_forward():
    scales = (2.0, 0.5, 3.0)
    bound = theory.layered_stability_bound(
        [scale * np.eye(1) for scale in scales], 1, 0.5, slack=0.1, model="forward"
    )
    distance = 1.0
    for scale in scales:
        distance = scale * distance + 0.2
    return distance**2 / bound.squared_error[-1]


@attains("error_propagation_bound: by norms")
def propagation_by_norms():
    first = np.array([1.0, 0])
    bound = theory.error_propagation_bound([2 * np.eye(2)] * 3, 1.0)
    return ((8 * first) ** 2).sum() / bound.by_norms[-1]


@attains("error_propagation_bound: by coherence")
def propagation_by_coherence():
    # One atom each, of opposite signs, so that both images add up.
    change = np.array([1.0, 1.0])
    bound = theory.error_propagation_bound([np.eye(2), two_atoms()], math.sqrt(2), n_nonzero=1)
    return ((change @ two_atoms()) ** 2).sum() / bound.by_coherence[-1]


@attains("error_propagation_bound: residual layers")
def propagation_of_residual_layers():
    bound = theory.error_propagation_bound([RHO * np.eye(2)] * 3, 1.0, residual=True)
    return (1 + RHO) ** 6 / bound.squared_error[-1]


@attains("layered_thresholding_bound: condition")
def thresholding_condition():
    def certified(mu):
        return theory.layered_thresholding_bound(three_atoms(mu), [[1.0, 1, 0]], 0.0).certified[
            0, 0
        ]

    def right(mu):
        products = np.abs([1.0, 1, 0] @ three_atoms(mu) @ three_atoms(mu).T)
        return products[2] < products[:2].min()

    return last_true(0, 0.45, certified) / last_true(0, 0.45, right)


def thresholding_error(kind):
    # Noise takes from the one coefficient, and soft thresholding takes more in every layer.
    noise, thresholds, state = 0.05, [0.2, 0.3, 0.65], 5.0 - 0.05
    bound = theory.layered_thresholding_bound(
        [np.eye(2)] * 3, [[[5.0, 0]]] * 3, noise, kind=kind, thresholds=thresholds
    )
    for threshold in thresholds:
        assert state > threshold
        state -= threshold if kind == "soft" else 0
    return (5 - state) / bound.error[-1, 0]


@attains("layered_thresholding_bound: hard, error")
def hard_thresholding_error():
    return thresholding_error("hard")


@attains("layered_thresholding_bound: soft, error")
def soft_thresholding_error():
    return thresholding_error("soft")


@attains("layered_basis_pursuit_bound: weight")
def layered_basis_pursuit_weight():
    certified = largest_certified(
        lambda e: theory.layered_basis_pursuit_bound(np.eye(2), [[5.0, 0]], e, alpha=1.0).certified[
            0, 0
        ]
    )
    right = last_true(0, 3, lambda e: lasso(np.eye(2), np.array([5.0, e]), 1.0)[1] == 0)
    return certified / right


@attains("layered_basis_pursuit_bound: error")
def layered_basis_pursuit_error():
    noise, state = 0.1, np.array([99.9, 0])
    bound = theory.layered_basis_pursuit_bound([np.eye(2)] * 3, [[[100.0, 0]]] * 3, noise)
    for weight in bound.parameter[:, 0]:
        state = lasso(np.eye(2), state, weight)
    return (100 - state[0]) / bound.error[-1, 0]


# Codes that were found.


def certificate(atoms, code, **options):
    return theory.certify(atoms, [code], **options).layers[0]


@attains("certify: error radius")
def error_radius():
    atoms, pair = two_atoms(), np.eye(2)
    signal = pair.sum(axis=0) @ atoms / 2
    noise = float(np.linalg.norm(signal - atoms[0]))
    radius = certificate(atoms, pair[0], signals=[signal], noise=noise).error_radius[0]
    return math.sqrt(2) / radius


@attains("certify: error radius on the support")
def error_radius_on_the_support():
    atoms = np.random.default_rng(0).standard_normal((3, 5))
    step = np.linalg.svd(atoms.T)[2][-1]
    code = 5 + step / 2
    signal = (code - step / 2) @ atoms
    noise = float(np.linalg.norm(step @ atoms)) / 2
    layer = certificate(atoms, code, signals=[signal], noise=noise)
    return 1 / layer.error_radius_on_support[0]


@attains("certify: support margin")
def support_margin():
    # The other code has next to nothing on the other atom; the signal is in the middle.
    code, other = np.array([1.0, 0]), np.array([0, NEAR])
    return certificate(np.eye(2), code).support_margin[0] / (np.linalg.norm(code - other) / 2)


@attains("certify: noise that recovery bears")
def recovery_noise():
    towards = np.array([-1, 1]) / math.sqrt(2)
    right = last_true(0, 1, lambda e: omp(np.eye(2), np.array([1, 0]) + e * towards, 1)[0] != 0)
    return certificate(np.eye(2), [1.0, 0]).recovery_noise[0] / right


@attains("certify: greedy radius")
def greedy_radius():
    signal, towards = np.array([1, 0.4]), np.array([-1, 1]) / math.sqrt(2)
    right = last_true(0, 1, lambda e: omp(np.eye(2), signal + e * towards, 1)[0] != 0)
    layer = certificate(np.eye(2), [1.0, 0], signals=[signal])
    return layer.greedy_noise_radius[0] / right


@attains("certify: lasso radius")
def lasso_radius():
    signal, alpha = np.array([1, 0.2]), 0.5
    right = last_true(0, 1, lambda e: lasso(np.eye(2), signal + np.array([0, e]), alpha)[1] == 0)
    layer = certificate(np.eye(2), [0.5, 0], signals=[signal], alpha=alpha)
    return layer.lasso_noise_radius[0] / right


# Those of both files, in the order of the table.
ALL_FAMILIES = dict(FAMILIES)
