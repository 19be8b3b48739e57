"""For every bound a family that attains it, or comes as near as any that was found.

Each function returns the true extreme over its bound (for lower bounds the other way round): 1
where the bound is attained. For a condition it is what the condition allows over what is true.
The names are those of doc/claims_tightness.csv, which says them in words.
"""

import math

import numpy as np
from sklearn.linear_model import Lasso, orthogonal_mp

from sklearn_resnet_sc import theory

RHO, MU = 0.6, 0.3
FAMILIES = {}


def attains(bound):
    def register(ratio):
        FAMILIES[bound] = ratio
        return ratio

    return register


def of_residual(residual, shortcut="identity"):
    return theory.residual_bounds(shortcut, np.asarray(residual, dtype=float))


def two_atoms(mu=MU):
    return np.array([[1, 0], [mu, math.sqrt(1 - mu**2)]])


def three_atoms(mu):
    """Two atoms of product -mu, and a third of product mu with both: it takes over at 1/3."""
    return np.linalg.cholesky([[1, -mu, mu], [-mu, 1, mu], [mu, mu, 1]])


def simplex(n):
    """n + 1 unit atoms with all products -1/n."""
    atoms = (np.eye(n + 1) - 1 / (n + 1)) @ np.linalg.svd(np.eye(n + 1) - 1 / (n + 1))[2][:n].T
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def omp(atoms, signal, steps):
    return np.atleast_1d(orthogonal_mp(atoms.T, np.asarray(signal, float), n_nonzero_coefs=steps))


def lasso(atoms, signal, alpha):
    model = Lasso(alpha / len(signal), fit_intercept=False, tol=1e-14, max_iter=10**6)
    return model.fit(atoms.T, signal).coef_


def last_true(low, high, test):
    """Where a test that is true at `low` and false at `high` turns."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if test(middle) else (low, middle)
    return low


def largest_certified(certified):
    return last_true(0.0, 10.0, certified)


# One layer: shortcut and residual, A1 to A9.


@attains("residual_bounds: rank")
def rank():
    residual = -np.diag([1.0, 1, 0, 0, 0])
    return of_residual(residual).rank_lower / theory.numerical_rank(np.eye(5) + residual)


@attains("residual_bounds: full rank, rho < 1")
def full_rank():
    certified = largest_certified(lambda rho: of_residual([[-rho]]).rank_guaranteed)
    return certified / largest_certified(lambda rho: rho < 1)  # at 1 nothing is left


@attains("residual_bounds: largest singular value")
def largest_singular_value():
    return (1 + RHO) / of_residual(RHO * np.eye(3)).sigma_upper


@attains("residual_bounds: smallest singular value")
def smallest_singular_value():
    return of_residual(-RHO * np.eye(3)).sigma_lower / (1 - RHO)


@attains("residual_bounds: condition number, identity")
def condition_number():
    residual = np.diag([RHO, -RHO])
    kappa = theory.condition_number(np.eye(2) + residual)
    return kappa / of_residual(residual).condition_number_bound


@attains("residual_bounds: condition number, any shortcut")
def condition_number_of_any_shortcut():
    shortcut, residual = np.diag([3.0, 1.0]), np.diag([RHO, -RHO])
    kappa = theory.condition_number(shortcut + residual)
    return kappa / of_residual(residual, shortcut).condition_number_bound


@attains("residual_bounds: participation ratio")
def participation_ratio():
    residual = np.diag([1, -1, -1, -1, -1]) / 3
    bound = of_residual(residual).participation_ratio_bound
    return bound / theory.participation_ratio(np.eye(5) + residual)


@attains("residual_bounds: coherence A7")
def wielandt():
    residual = np.array([[0, 0.9], [0.9, 0]])
    bounds = of_residual(residual)
    assert bounds.coherence_theorem == "A7"
    return theory.mutual_coherence(np.eye(2) + residual) / bounds.coherence_bound


@attains("residual_bounds: coherence A8")
def angle():
    turn, between = 0.2, 1.0
    directions = np.array([[1, 0], [math.cos(between), math.sin(between)]])
    turned = np.array([turn, between - turn])
    turned = math.cos(turn) * np.column_stack([np.cos(turned), np.sin(turned)])
    bounds = of_residual(turned - directions, directions)
    assert bounds.coherence_theorem == "A8"
    return theory.mutual_coherence(turned) / bounds.coherence_bound


@attains("residual_certificate: condition number of unit atoms")
def condition_number_of_unit_atoms():
    # A tight frame: the first direction in two halves.
    shortcut = np.array([[math.sqrt(0.5), 0], [math.sqrt(0.5), 0], [0, 1]])
    certificate = theory.residual_certificate(shortcut, np.zeros((3, 2)))
    kappa = theory.condition_number([[1.0, 0], [1, 0], [0, 1]])
    return kappa / certificate.components_condition_number_bound


@attains("bilipschitz_bound: upper")
def stretch():
    return (1 + RHO) ** 3 / theory.bilipschitz_bound([RHO] * 3).upper


@attains("bilipschitz_bound: lower")
def shrink():
    return theory.bilipschitz_bound([RHO] * 3).lower / (1 - RHO) ** 3


# A dictionary: coherence, uniqueness, isometry, recovery.


@attains("welch_bound")
def welch():
    return theory.welch_bound(6, 5) / theory.mutual_coherence(simplex(5))


@attains("spark: by coherence")
def spark_by_coherence():
    found = theory.spark(simplex(6))
    assert found.exact and len(found.dependent_atoms) == 7
    return found.by_coherence / found.upper


@attains("uniqueness_bound: sparsity")
def uniqueness():
    # With three atoms against three others there are two codes of one signal.
    atoms = simplex(5)
    np.testing.assert_allclose(atoms[:3].sum(axis=0), -atoms[3:].sum(axis=0), atol=1e-14)
    return theory.uniqueness_bound(atoms).by_coherence / 2


@attains("restricted_isometry: Gershgorin, lower")
def gershgorin_lower():
    found = theory.restricted_isometry(simplex(5), 3, max_supports=1)
    return found.lower / found.attained_lower


@attains("restricted_isometry: Gershgorin, upper")
def gershgorin_upper():
    atoms = np.linalg.cholesky((1 - MU) * np.eye(6) + MU)
    found = theory.restricted_isometry(atoms, 3, max_supports=1)
    return found.attained_upper / found.upper


@attains("exact_recovery_condition")
def exact_recovery():
    def atoms(total):
        rest = math.sqrt(1 - total**2 / 2)
        return np.array([[1, 0, 0], [0, 1, 0], [total / 2, total / 2, rest]])

    holds = last_true(0.5, 1.2, lambda t: theory.exact_recovery_condition(atoms(t), [0, 1]).holds)
    right = last_true(0.5, 1.2, lambda t: omp(atoms(t), [1, 1, 0], 1)[2] == 0)
    return holds / right


@attains("omp_guarantee: sparsity")
def omp_sparsity():
    certified = last_true(
        0, 0.45, lambda mu: theory.omp_guarantee(three_atoms(mu), 2, 0.0, 1.0).certified
    )
    right = last_true(
        0, 0.45, lambda mu: omp(three_atoms(mu), [1.0, 1, 0] @ three_atoms(mu), 1)[2] == 0
    )
    return certified / right


@attains("omp_guarantee: noise")
def omp_noise():
    certified = largest_certified(lambda e: theory.omp_guarantee(np.eye(2), 1, e, 1.0).certified)
    towards = np.array([-1, 1]) / math.sqrt(2)
    right = last_true(0, 1, lambda e: omp(np.eye(2), np.array([1, 0]) + e * towards, 1)[0] != 0)
    return certified / right


@attains("omp_guarantee: error")
def omp_error():
    atoms, noise = two_atoms(), 0.01
    weakest = np.linalg.svd(atoms)[2][-1]
    found = omp(atoms, np.ones(2) @ atoms + noise * weakest, 2)
    return ((found - 1) ** 2).sum() / theory.omp_guarantee(atoms, 2, noise, 1.0).squared_error


@attains("basis_pursuit_guarantee: error")
def basis_pursuit_error():
    # Of one atom, min |b| with |x - b| <= tolerance is x - tolerance; noise shortens x.
    noise, tolerance = 0.1, 0.2
    found = (9 - noise) - tolerance
    guarantee = theory.basis_pursuit_guarantee(np.eye(3), 1, noise, tolerance=tolerance)
    return (found - 9) ** 2 / guarantee.squared_error


@attains("basis_pursuit_guarantee: error, coherent atoms")
def basis_pursuit_error_of_coherent_atoms():
    # The lasso's path holds the minimisers for every tolerance. All signals around one atom.
    atoms, noise, worst = two_atoms(0.1), 0.1, 0.0
    for turn in np.linspace(0, 2 * math.pi, 73):
        signal = 9 * atoms[0] + noise * np.array([math.cos(turn), math.sin(turn)])
        for alpha in (0.05, 0.1, 0.15, 0.2, 0.3):
            found = lasso(atoms, signal, alpha)
            tolerance = float(np.linalg.norm(signal - found @ atoms))
            if tolerance >= noise:
                bound = theory.basis_pursuit_guarantee(atoms, 1, noise, tolerance=tolerance)
                error = ((found - [9, 0]) ** 2).sum()
                worst = max(worst, error / bound.squared_error)
    return worst


@attains("lasso_guarantee: weight")
def lasso_weight():
    noise = 0.1
    # The least weight that is certified, against the least without the wrong atom.
    least = 1 / largest_certified(
        lambda over: over == 0 or theory.lasso_guarantee(np.eye(2), 1, noise, 1 / over).certified
    )
    wrong = last_true(0.01, 1, lambda a: lasso(np.eye(2), np.array([5, noise]), a)[1] != 0)
    return wrong / least


@attains("lasso_guarantee: error")
def lasso_error():
    noise, alpha = 0.1, 0.3
    found = lasso(np.eye(2), np.array([9.0 - noise, 0]), alpha)
    guarantee = theory.lasso_guarantee(np.eye(2), 1, noise, alpha)
    return (found[0] - 9) ** 2 / guarantee.squared_error


@attains("stability_bound: by coherence")
def stability_by_coherence():
    atoms, difference = two_atoms(), np.array([1.0, -1])
    noise = float(np.linalg.norm(difference @ atoms)) / 2
    return 2 / theory.stability_bound(atoms, 1, noise).by_coherence


@attains("stability_bound: by spectrum")
def stability_by_spectrum():
    atoms = np.random.default_rng(0).standard_normal((4, 6))
    weakest = np.linalg.svd(atoms.T)[2][-1]
    noise = float(np.linalg.norm(weakest @ atoms)) / 2
    return 1 / theory.stability_bound(atoms, 4, noise).by_spectrum
