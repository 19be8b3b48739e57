"""Pursuits layer by layer and by projection find the planted codes wherever a theorem says so.

The references are the theorems of Tropp (2004), Donoho, Elad, Temlyakov (2006) and Papyan,
Romano, Elad (2017), as the theory floor computes them; no exception is allowed. What arithmetic
in the precision of the signals loses counts as noise, so that the laws hold to the letter for
float32, too.
"""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import hadamard

from sklearn_resnet_sc import theory
from sklearn_resnet_sc.multilayer._demands import Demands
from sklearn_resnet_sc.multilayer._layered import solve_layered
from sklearn_resnet_sc.multilayer._projection import solve_projection
from sklearn_resnet_sc.multilayer._stack import Stack, row_norms

from .strategies import dtypes, law, seeds

KINDS = ("near identity", "two bases", "random")
_SIGNALS = 4


class Problem(NamedTuple):
    X: np.ndarray
    stack: Stack
    codes: list  # planted, in the precision of X
    noise: np.ndarray  # (n_layers, n_signals): what the layer above leaves of the planted codes
    unit: float  # share of a length that arithmetic may move


def unit_rows(matrix):
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def near_identity(rng, size, more, spread):
    """A residual dictionary I + R, its atoms in another order, and a few atoms of any kind."""
    small = spread * rng.standard_normal((size, size)) * (rng.random((size, size)) < 0.2)
    atoms = (np.eye(size) + small)[rng.permutation(size)]
    return unit_rows(np.vstack([atoms, rng.standard_normal((more, size))]))


def pairs_of_atoms(rng, size):
    """Atoms that join two above, no two of them the same."""
    order = rng.permutation(size)[: size // 2 * 2].reshape(-1, 2)
    atoms = np.zeros((len(order), size))
    np.put_along_axis(atoms, order, rng.choice([-1, 1], order.shape), axis=1)
    return unit_rows(atoms)


def make_stack(rng, kind, n_layers):
    if kind == "two bases":
        # Twice as many atoms as features, mu = 1/8.
        stack = [unit_rows(np.vstack([np.eye(64), hadamard(64)]))]
        for _ in range(n_layers - 1):
            stack.append(pairs_of_atoms(rng, len(stack[-1])))
        return stack
    stack, size = [], int(rng.integers(4, 36))
    for _ in range(n_layers):
        if kind == "random":
            more = int(rng.integers(0, 5))
            atoms = unit_rows(rng.standard_normal((size + more, size)))
        else:
            spread = rng.choice([0.0, 0.01, 0.05])
            atoms = near_identity(rng, size, int(rng.integers(0, 3)), spread)
        stack.append(atoms)
        size = len(atoms)
    return stack


def make_problem(seed, kind, n_layers, noise, dtype):
    """An exact chain of codes and signals with noise of the given length."""
    rng = np.random.default_rng(seed)
    stack = Stack.check([atoms.astype(dtype) for atoms in make_stack(rng, kind, n_layers)])
    size = stack.n_components[-1]
    code = np.zeros((_SIGNALS, size))
    for row in code:
        s = rng.choice([0, 1, 1, 2, 2])
        # Not the last atoms, which may be random ones and have many nonzeros.
        places = rng.permutation(max(size - 2 * n_layers, 2))[:s]
        row[places] = rng.choice([-1, 1], s) * rng.uniform(1, 1.5, s)
    codes = [code]
    for dictionary in stack.dictionaries[:0:-1]:
        codes.insert(0, codes[0] @ dictionary)
    clean = codes[0] @ stack.dictionaries[0]
    error = rng.standard_normal(clean.shape)
    X = (clean + noise * unit_rows(error)).astype(dtype)
    codes = [layer.astype(dtype) for layer in codes]
    norms, rounding = stack.residual_norms(X, codes)
    unit = 64 * float(np.finfo(dtype).eps)
    return Problem(X, stack, codes, norms + rounding, unit)


@st.composite
def problems(draw, kinds=KINDS):
    seed, kind, n_layers = draw(seeds), draw(st.sampled_from(kinds)), draw(st.integers(1, 3))
    noise = draw(st.sampled_from([0.0, 1e-3, 0.02, 0.1]))
    return make_problem(seed, kind, n_layers, noise, draw(dtypes))


def one(problem, i):
    """The problem of one signal."""
    rows = slice(i, i + 1)
    codes = [layer[rows] for layer in problem.codes]
    return Problem(problem.X[rows], problem.stack, codes, problem.noise[:, rows], problem.unit)


def some_demands(stack, counts=None, tol=None):
    return Demands.check(stack, counts, tol, required=False)


def dense(found):
    return [layer.codes.toarray() for layer in found]


def check_layer(found, planted, error, *, equal=True):
    """The support is the planted one, or within it, and the code within the bound."""
    if equal:
        np.testing.assert_array_equal(found != 0, planted != 0)
    else:
        assert not ((found != 0) & (planted == 0)).any()
    distance = np.linalg.norm(found.astype(float) - planted)
    assert distance <= error * (1 + 1e-6) + 1e-12


def certified_layers(problem, guarantee):
    """How far from the signal on a guarantee holds: tolerances of the layers, and bounds.

    ``guarantee(dictionary, count, epsilon, least)`` gives the bound on the error of the layer's
    code, or None; with what rounding adds it is the noise of the next layer.
    """
    epsilons, errors, before = [], [], 0.0
    sizes = [np.linalg.norm(problem.X), *map(np.linalg.norm, problem.codes)]
    for i, (dictionary, code) in enumerate(
        zip(problem.stack.dictionaries, problem.codes, strict=True)
    ):
        epsilon = before + float(problem.noise[i, 0]) + problem.unit * float(sizes[i])
        magnitudes = np.abs(code[code != 0])
        error = guarantee(dictionary, magnitudes.size, epsilon, magnitudes.min(initial=np.inf))
        if error is None:
            break
        # A tolerance between the noise and the one of the theorem: what is measured is rounded.
        epsilons.append(epsilon - 0.5 * problem.unit * float(sizes[i]))
        errors.append(error + problem.unit * float(sizes[i + 1]))
        before = errors[-1]
    return epsilons, errors


def omp_error(dictionary, count, epsilon, least):
    if count == 0:
        return 0.0
    bound = theory.omp_guarantee(dictionary, count, epsilon, float(least))
    return math.sqrt(bound.squared_error) if bound.certified else None


def first_layers(problem, n_layers):
    return Stack(problem.stack.dictionaries[:n_layers])


def check_omp(problem):
    """Layered OMP of one signal, by counts and by tolerances; the number of layers certified."""
    epsilons, errors = certified_layers(problem, omp_error)
    if not errors:
        return 0
    stack = first_layers(problem, len(errors))
    counts = [max(int(np.count_nonzero(code)), 1) for code in problem.codes[: len(errors)]]
    asked = []
    if all(code.any() for code in problem.codes):  # a count of 0 cannot be asked for
        asked.append(some_demands(stack, counts))
    asked.append(Demands((None,) * len(errors), tuple(epsilons)))
    asked.append(Demands(tuple(counts), tuple(epsilons)))
    for demands in asked:
        found = dense(solve_layered(problem.X, stack, demands, pursuit="omp"))
        for layer, planted, error in zip(found, problem.codes, errors, strict=False):
            check_layer(layer, planted, error)
    return len(errors)


@law
@given(problems())
def test_layered_orthogonal_matching_pursuit(problem):
    for i in range(_SIGNALS):
        check_omp(one(problem, i))


def check_exact_recovery(problem):
    """Without noise, wherever Tropp's condition holds for the planted supports themselves.

    OMP, OLS and basis pursuit find the code (Tropp 2004, theorems A and B; Soussen et al. 2013
    for OLS). The number of layers where it does.
    """
    # Arithmetic is noise, of which the condition bears little where it nearly fails.
    sure = 0
    for dictionary, code in zip(problem.stack.dictionaries, problem.codes, strict=True):
        atoms = dictionary[code[0] != 0]
        if len(atoms):
            # The bound is on rows of atoms of any sort; here they are of unit length.
            recovery = theory.exact_recovery_condition(dictionary, np.flatnonzero(code[0]))
            if not recovery.coefficient < 1 - 1e-2:
                break
        sure += 1
    if sure == 0 or not problem.codes[0].any():
        return sure
    stack = first_layers(problem, sure)
    counts = [np.count_nonzero(code) for code in problem.codes[:sure]]
    largest = np.abs(problem.codes[0]).max()
    for pursuit in ("omp", "ols"):
        found = dense(solve_layered(problem.X, stack, some_demands(stack, counts), pursuit=pursuit))
        for layer, planted in zip(found, problem.codes, strict=False):
            np.testing.assert_array_equal(layer != 0, planted != 0)
            np.testing.assert_allclose(layer, planted, atol=1e4 * problem.unit * largest)
    return sure


@law
@given(seeds, st.sampled_from(KINDS), st.integers(1, 3))
def test_exact_recovery_without_noise(seed, kind, n_layers):
    problem = make_problem(seed, kind, n_layers, 0.0, np.float64)
    for i in range(_SIGNALS):
        check_exact_recovery(one(problem, i))


def lasso_plan(problem, alpha=None):
    """The certificate of layered basis pursuit with noise that contains all rounding."""
    noise = float(problem.noise[0].max() + problem.unit * np.linalg.norm(problem.X))
    return theory.layered_basis_pursuit_bound(
        problem.stack.dictionaries, problem.codes, noise, alpha=alpha
    )


def distance_from_minimiser(target, dictionary, code, planted, alpha):
    """How far the lasso's minimiser may be from a code that a solver has ended with.

    Its objective is above the least by the duality gap at most, and by at least half of
    ``||(a - a*) C||^2``, where the minimiser is on the planted support (the theorem).
    """
    target, dictionary, code = (array.astype(float) for array in (target, dictionary, code))
    residual = target - code @ dictionary
    scale = min(1.0, alpha / max(np.abs(dictionary @ residual).max(), 1e-300))
    primal = 0.5 * residual @ residual + alpha * np.abs(code).sum()
    dual = 0.5 * target @ target - 0.5 * np.sum((target - scale * residual) ** 2)
    gap = max(primal - dual, 0.0) + 1e-15 * (target @ target)
    atoms = dictionary[(code != 0) | (planted != 0)]
    if len(atoms) == 0:
        return 0.0
    least = np.linalg.svd(atoms, compute_uv=False)[-1] if len(atoms) <= atoms.shape[1] else 0.0
    return math.sqrt(2 * gap) / least if least > 1e-6 else math.inf


def check_lasso(problem, pursuit, slack=1.0):
    """Layered lasso with weights above those that the theorem asks for; layers certified."""
    first = lasso_plan(problem)
    n_layers = int(first.certified[:, 0].sum())
    if n_layers == 0:
        return 0
    weights = [float(slack * first.parameter[i, 0]) for i in range(n_layers)]
    stack = first_layers(problem, n_layers)
    codes = problem.codes[:n_layers]
    noise = float(problem.noise[0].max() + problem.unit * np.linalg.norm(problem.X))
    bound = theory.layered_basis_pursuit_bound(stack.dictionaries, codes, noise, alpha=weights)
    double = problem.X.dtype == np.float64
    found = solve_layered(
        problem.X,
        stack,
        some_demands(stack),
        pursuit=pursuit,
        alpha=weights,
        max_iter=10**5,
        gap_tol=1e-13 if double else 1e-7,
    )
    target = problem.X[0]
    for i, layer in enumerate(dense(found)):
        if not bound.certified[i, 0]:
            return i
        layer, planted = layer[0], codes[i][0]
        near = distance_from_minimiser(target, stack.dictionaries[i], layer, planted, weights[i])
        exact = double and pursuit == "lasso_lars"
        wrong = np.abs(layer.astype(float) - planted)
        assert not (wrong > (0 if exact else near))[planted == 0].any()
        assert wrong.max() <= bound.max_error[i, 0] * (1 + 1e-6) + near
        assert np.linalg.norm(wrong) <= bound.error[i, 0] * (1 + 1e-6) + near
        large = np.abs(planted) > bound.max_error[i, 0] * (1 + 1e-6) + near
        np.testing.assert_array_equal(np.sign(layer[large]), np.sign(planted[large]))
        if exact and large[planted != 0].all():
            np.testing.assert_array_equal(layer != 0, planted != 0)
        if near > 1e-2 * bound.error[i, 0]:
            return i + 1  # no longer a solution of what the next layer was certified for
        target = layer
    return n_layers


@law
@given(problems(), st.sampled_from(["lasso_lars", "lasso_cd", "fista"]), st.floats(1, 3))
def test_layered_lasso(problem, pursuit, slack):
    for i in range(_SIGNALS):
        check_lasso(one(problem, i), pursuit, slack)


def basis_pursuit_error(dictionary, count, epsilon, least):
    if count == 0:
        return 0.0
    bound = theory.basis_pursuit_guarantee(dictionary, count, epsilon)
    return math.sqrt(bound.squared_error) if bound.certified else None


def check_basis_pursuit(problem):
    """Layered basis pursuit within tolerances: errors; layers certified."""
    if problem.X.dtype == np.float32:  # a squared residual is known to some units of ||x||^2
        problem = problem._replace(unit=0.02)
    epsilons, errors = certified_layers(problem, basis_pursuit_error)
    if not errors:
        return 0
    stack = first_layers(problem, len(errors))
    demands = Demands((None,) * len(errors), tuple(epsilons))
    found = dense(solve_layered(problem.X, stack, demands, pursuit="lasso_lars"))
    for layer, planted, error in zip(found, problem.codes, errors, strict=False):
        assert np.linalg.norm(layer.astype(float) - planted) <= error * (1 + 1e-6)
    return len(errors)


@law
@given(problems())
def test_layered_basis_pursuit_within_tolerances(problem):
    for i in range(_SIGNALS):
        check_basis_pursuit(one(problem, i))


def check_thresholding(problem, kind, by_count):
    """Layered thresholding at thresholds that the theorem allows; layers certified."""
    noise = float(problem.noise[0].max() + problem.unit * np.linalg.norm(problem.X))
    bound = theory.layered_thresholding_bound(
        problem.stack.dictionaries, problem.codes, noise, kind=kind
    )
    n_layers = int(bound.certified[:, 0].sum())
    if n_layers == 0:
        return 0
    stack = first_layers(problem, n_layers)
    thresholds = [float(bound.parameter[i, 0]) for i in range(n_layers)]
    counts = [np.count_nonzero(code) for code in problem.codes[:n_layers]]
    if by_count and min(counts) > 0:
        options = {"demands": some_demands(stack, counts)}
    else:
        options = {"demands": some_demands(stack), "alpha": thresholds}
    pursuit = "threshold" if kind == "soft" else "hard_threshold"
    found = dense(solve_layered(problem.X, stack, pursuit=pursuit, **options))
    for i, (layer, planted) in enumerate(zip(found, problem.codes, strict=False)):
        check_layer(layer, planted, bound.error[i, 0])
        largest = np.abs(layer.astype(float) - planted).max()
        assert largest <= bound.max_error[i, 0] * (1 + 1e-6) + 1e-12
    return n_layers


@law
@given(problems(), st.sampled_from([("soft", False), ("hard", False), ("hard", True)]))
def test_layered_thresholding(problem, how):
    for i in range(_SIGNALS):
        check_thresholding(one(problem, i), *how)


def omp_projection_error(dictionary, count, epsilon, least):
    """One layer, atoms of any length compared at unit length: the guarantee of unit atoms."""
    lengths = row_norms(dictionary.astype(float))
    bound = theory.omp_guarantee(
        dictionary / lengths[:, None], count, epsilon, float(least) * lengths.min()
    )
    return bound.certified


def check_projection(problem, pursuit):
    """Projection finds all layers where the effective dictionary is certified; 1 if it is."""
    if not all(code.any() for code in problem.codes):
        return 0
    effective = problem.stack.effective[-1]
    deepest = problem.codes[-1]
    count = np.count_nonzero(deepest)
    # The codes above are exact to rounding, which the product of the dictionaries passes on.
    norm = math.prod(problem.stack.spectral_norms)
    epsilon = float(problem.noise.sum() * max(norm, 1))
    epsilon += problem.unit * float(np.linalg.norm(problem.X))
    if not effective.any(axis=1).all():
        return 0
    if not omp_projection_error(effective, count, epsilon, np.abs(deepest[deepest != 0]).min()):
        return 0
    counts = [np.count_nonzero(code) for code in problem.codes]
    demands = some_demands(problem.stack, counts)
    found = dense(solve_projection(problem.X, problem.stack, demands, pursuit=pursuit))
    for layer, planted in zip(found, problem.codes, strict=True):
        np.testing.assert_array_equal(layer != 0, planted != 0)
    return 1


@law
@given(problems())
def test_projection(problem):
    # Planted counts are exact, so no atom of the planted support is refused.
    for i in range(_SIGNALS):
        check_projection(one(problem, i), "omp")


SOLVERS = {
    "layered omp": lambda p, d: solve_layered(p.X, p.stack, d, pursuit="omp"),
    "layered ols": lambda p, d: solve_layered(p.X, p.stack, d, pursuit="ols"),
    "layered cosamp": lambda p, d: solve_layered(p.X, p.stack, d, pursuit="cosamp"),
    "layered hard": lambda p, d: solve_layered(p.X, p.stack, d, pursuit="hard_threshold"),
    "projection": lambda p, d: solve_projection(p.X, p.stack, d),
}


def check_stability(problem, solver):
    """Whatever codes a solver finds, no bound on the distance of the planted ones is broken.

    The number of layers that both certificates speak of.
    """
    counts = [max(int(np.count_nonzero(code, axis=1).max()), 1) for code in problem.codes]
    found = SOLVERS[solver](problem, some_demands(problem.stack, counts))
    codes = [layer.codes for layer in found]
    norms, rounding = problem.stack.residual_norms(problem.X, codes)
    noise = np.maximum(norms + rounding, problem.noise)
    distances = [
        np.linalg.norm(layer.toarray().astype(float) - planted, axis=1)
        for layer, planted in zip(codes, problem.codes, strict=True)
    ]
    slack = [0.0, *noise[1:].max(axis=1)]
    bound = theory.layered_stability_bound(
        problem.stack.dictionaries, counts, float(noise[0].max()), slack=slack
    )
    certificate = theory.certify(
        problem.stack.dictionaries,
        codes,
        signals=problem.X,
        noise=problem.noise[0],
        slack=[0.0, *problem.noise[1:].max(axis=1)],
    )
    as_sparse = np.ones(_SIGNALS, dtype=bool)
    spoken = 0
    for i, distance in enumerate(distances):
        assert (distance**2 <= bound.squared_error[i] * (1 + 1e-6) + 1e-20).all()
        # A competitor has at most as many atoms, in this layer and those above.
        as_sparse &= np.diff(codes[i].indptr) >= np.count_nonzero(problem.codes[i], axis=1)
        radius = certificate.layers[i].error_radius
        assert (distance <= radius * (1 + 1e-6) + 1e-10)[as_sparse].all()
        certain = np.isfinite(radius[as_sparse])
        spoken += bool(certain.any() and np.isfinite(bound.squared_error[i]))
    return spoken


@law
@given(problems(), st.sampled_from(sorted(SOLVERS)))
def test_errors_stay_within_every_bound(problem, solver):
    check_stability(problem, solver)


# How many of the layers of all signals a theorem certifies, at least: the laws are not empty.
SHARES = {
    "omp": (check_omp, (), 0.5),
    "exact": (check_exact_recovery, (), 0.5),
    "lasso": (check_lasso, ("lasso_lars",), 0.3),
    "basis pursuit": (check_basis_pursuit, (), 0.2),
    "soft": (check_thresholding, ("soft", False), 0.4),
    "hard": (check_thresholding, ("hard", True), 0.4),
}


@pytest.mark.parametrize("name", SHARES)
def test_a_good_share_is_certified(name):
    check, arguments, least = SHARES[name]
    certified = total = 0
    for seed in range(20):
        kind, n_layers, noise = KINDS[seed % 2], 1 + seed % 3, [0.0, 1e-3, 0.02][seed % 3]
        problem = make_problem(seed, kind, n_layers, noise, [np.float64, np.float32][seed // 10])
        if name == "exact":
            problem = make_problem(seed, kind, n_layers, 0.0, np.float64)
        for i in range(_SIGNALS):
            certified += check(one(problem, i), *arguments)
            total += n_layers
    assert certified >= least * total


def test_a_good_share_of_projections_and_bounds_is_certified():
    projections = bounds = 0
    for seed in range(20):
        problem = make_problem(seed, KINDS[seed % 2], 2, 1e-3, np.float64)
        projections += sum(check_projection(one(problem, i), "omp") for i in range(_SIGNALS))
        bounds += check_stability(problem, sorted(SOLVERS)[seed % len(SOLVERS)])
    assert projections >= 0.3 * 20 * _SIGNALS
    assert bounds >= 0.3 * 20 * 2
