"""What updates of a residual dictionary must do at raw codes held fixed: bound, ridge, penalty."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize

from sklearn_resnet_sc.learning import ResidualDictionaryLearning
from sklearn_resnet_sc.learning._dictionary import DictionarySet
from sklearn_resnet_sc.learning._pursuit import Coded
from sklearn_resnet_sc.learning._residual_descent import nearest_in_ellipsoid, residual_bcd
from sklearn_resnet_sc.learning._statistics import TrainingSet
from sklearn_resnet_sc.learning._surrogate import (
    length_costs,
    ridge_strength,
    with_costs,
    with_ridge,
)
from sklearn_resnet_sc.learning._updates import RESIDUAL_UPDATES

from .strategies import dtypes, law, seeds

UPDATES = {name: row.step for name, row in RESIDUAL_UPDATES.items() if row.respects_bound}
updates = st.sampled_from(sorted(UPDATES))
bounds = st.sampled_from([0.05, 0.5, 0.9, None])


class Case:
    """Signals, codes of any kind and a dictionary with a shortcut, at random."""

    def __init__(self, seed, bound, dtype=np.float64, *, plain=False, idle=True):
        rng = np.random.default_rng(seed)
        n_samples, n_features, n_components = rng.integers(1, [30, 9, 20])
        self.X = rng.standard_normal((n_samples, n_features)).astype(dtype)
        code = rng.standard_normal((n_samples, n_components))
        code[rng.random(code.shape) > rng.random()] = 0
        if idle:
            code[:, rng.random(n_components) < 0.2] = 0
        code = code.astype(dtype)
        shortcut = rng.standard_normal((n_components, n_features))
        left, values, right = np.linalg.svd(shortcut, full_matrices=False)
        shortcut = (left * np.maximum(values / values[0], 0.05)) @ right
        smallest = np.linalg.svd(shortcut, compute_uv=False)[-1]
        limit = None if bound is None or plain else bound * smallest
        self.space = DictionarySet(
            None if plain else shortcut.astype(dtype), limit, np.dtype(dtype)
        )
        start = 0.5 * rng.standard_normal(shortcut.shape)
        self.old = self.space.assemble(self.space.fit(start + shortcut if plain else start))
        self.data = TrainingSet(self.X)
        csr = sparse.csr_array(code)
        statistics = self.data.statistics(csr, self.old.components)
        self.coded = Coded(csr, statistics, 0.0, 0.0, 0.0)
        self.raw = code.astype(np.float64) / self.old.lengths
        self.shortcut = np.zeros(shortcut.shape) if plain else self.space.shortcut.astype(float)

    def update(self, name, *, ridge=0.0, penalty=None):
        sums = with_costs(self.coded.statistics, length_costs(self.coded, self.data, penalty))
        return UPDATES[name](self.space, self.old, with_ridge(self.space, self.old, sums, ridge))

    def strength(self, ridge):
        """The definition: shares of the energy, and a mean over rows."""
        return ridge * np.sum(self.X.astype(np.float64) ** 2) / len(self.shortcut)

    def objective(self, residual, *, ridge=0.0, penalty=0.0):
        residual = residual.astype(np.float64)
        atoms = self.shortcut + residual
        sizes = np.abs(self.raw) * np.linalg.norm(atoms, axis=1)
        return (
            0.5 * np.sum((self.X - self.raw @ atoms) ** 2)
            + 0.5 * self.strength(ridge) * np.sum(residual**2)
            + penalty * np.sum(sizes)
        )

    def gradient(self, residual, ridge):
        fit = self.raw.T @ (self.raw @ (self.shortcut + residual) - self.X)
        return fit + self.strength(ridge) * residual

    def rounding(self):
        size = np.sum(self.X.astype(np.float64) ** 2) + np.sum(self.raw**2)
        return 64 * np.finfo(self.X.dtype).eps * size * len(self.raw)


@law
@given(seeds, updates, bounds, dtypes, st.sampled_from([0.0, 1e-3, 1.0]), st.floats(0, 2))
def test_no_update_raises_what_it_makes_small(seed, name, bound, dtype, ridge, penalty):
    case = Case(seed, bound, dtype)
    new, _ = case.update(name, ridge=ridge, penalty=penalty)
    terms = {"ridge": ridge, "penalty": penalty}
    before = case.objective(case.old.residual, **terms)
    assert case.objective(new.residual, **terms) <= before * (1 + 1e-10) + case.rounding()
    assert new.components.dtype == dtype
    lengths = np.linalg.norm(new.components.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)
    if bound is not None:
        norm = np.linalg.norm(new.residual.astype(np.float64), 2)
        assert norm <= case.space.limit * (1 + 1e-13)


@law
@given(seeds, dtypes)
def test_plain_atoms_one_after_the_other_beat_the_old_ones_at_rescaled_codes(seed, dtype):
    # Atoms have unit length afterwards: the best lengths of codes for them are least squares.
    case = Case(seed, None, dtype, plain=True)
    new, _ = case.update("bcd")
    lengths = np.linalg.norm(new.components.astype(np.float64), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=4 * np.finfo(dtype).eps)
    parts = np.stack([np.outer(b, t).ravel() for b, t in zip(case.raw.T, new.components,
                                                             strict=True)], axis=1)  # fmt: skip
    scale = np.linalg.lstsq(parts, case.X.ravel().astype(np.float64))[0]
    after = 0.5 * np.sum((case.X.ravel() - parts @ scale) ** 2)
    assert after <= case.objective(case.old.residual) * (1 + 1e-10) + case.rounding()


@law
@given(seeds, st.integers(1, 6), st.floats(0.1, 10))
def test_nearest_point_of_an_ellipsoid(seed, n, size):
    # The conditions of Karush, Kuhn and Tucker, and a generic solver for the distance.
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((n, n))
    shape = root @ root.T
    assume(np.linalg.cond(shape) < 1e6)
    point = size * rng.standard_normal(n)
    nearest = nearest_in_ellipsoid(point, shape)
    level = nearest @ np.linalg.solve(shape, nearest)
    assert level <= 1 + 1e-8
    if point @ np.linalg.solve(shape, point) <= 1:
        np.testing.assert_allclose(nearest, point, atol=1e-10)
        return
    assert level == pytest.approx(1, abs=1e-8)
    normal = np.linalg.solve(shape, nearest)
    outward = point - nearest
    assert outward @ normal >= 0
    np.testing.assert_allclose(
        outward * (normal @ normal), normal * (outward @ normal), atol=1e-6 * normal @ normal * size
    )
    others = rng.standard_normal((50, n)) @ root.T
    others /= np.maximum(np.linalg.norm(np.linalg.solve(root, others.T).T, axis=1), 1)[:, None]
    best = np.linalg.norm(point - others, axis=1).min()
    assert np.linalg.norm(point - nearest) <= best + 1e-9


def test_flat_directions_of_an_ellipsoid_are_closed():
    flat = np.diag([4.0, 0.0, 1.0])
    np.testing.assert_allclose(nearest_in_ellipsoid(np.array([9.0, 5, 0]), flat), [2, 0, 0])
    np.testing.assert_array_equal(nearest_in_ellipsoid(np.ones(3), np.zeros((3, 3))), 0)


@pytest.mark.parametrize("bound", [0.1, 0.9])
@pytest.mark.parametrize("seed", range(2))
def test_one_after_the_other_ends_at_the_optimum(seed, bound):
    # The duality gap <grad, R> + limit ||grad||_nuclear, from singular values computed here.
    case = Case(seed + 10, bound, idle=False)
    gram = case.raw.T @ case.raw
    dictionary, sums = case.old, case.coded.statistics
    for _ in range(300):
        dictionary, _ = residual_bcd(case.space, dictionary, sums)
        # The same raw codes, for the new lengths.
        code = sparse.csr_array(case.raw * dictionary.lengths)
        sums = case.data.statistics(code, dictionary.components)
    residual = dictionary.residual
    gradient = gram @ (case.shortcut + residual) - case.raw.T @ case.X
    gap = np.vdot(gradient, residual) + case.space.limit * np.sum(
        np.linalg.svd(gradient, compute_uv=False)
    )
    assert gap <= 1e-4 * case.objective(residual) + 1e-9


@law
@given(seeds, bounds, st.floats(1e-4, 1e3))
def test_a_ridge_is_solved_to_the_optimum(seed, bound, ridge):
    # Where the gap between the problem and its dual is zero, there is the optimum.
    case = Case(seed, bound)
    residual = case.update("mod", ridge=ridge)[0].residual
    gradient = case.gradient(residual, ridge)
    value = case.objective(residual, ridge=ridge)
    if bound is None:
        np.testing.assert_allclose(gradient, 0, atol=1e-8 * (value + case.strength(ridge)))
        return
    nuclear = np.sum(np.linalg.svd(gradient, compute_uv=False))
    gap = np.vdot(gradient, residual) + case.space.limit * nuclear
    assert gap <= 1.01e-5 * value + 1e-12 * np.sum(case.X**2) + 1e-12 * case.strength(ridge)


@pytest.mark.parametrize("bound", [0.3, None])
@pytest.mark.parametrize("seed", range(3))
def test_a_ridge_agrees_with_a_generic_solver(seed, bound):
    case = Case(seed, bound)
    ridge = 0.05
    shape = case.shortcut.shape

    def inside(vector):
        """Every matrix within the bound: any matrix with its singular values bent below it."""
        matrix = vector.reshape(shape)
        if bound is None:
            return matrix
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        return (left * (case.space.limit * np.sin(values))) @ right

    rng = np.random.default_rng(0)
    found = min(
        minimize(
            lambda vector: case.objective(inside(vector), ridge=ridge),
            0.1 * rng.standard_normal(case.shortcut.size), method="L-BFGS-B",
            options={"maxiter": 3000, "maxfun": 300_000},
        ).fun
        for _ in range(2)
    )  # fmt: skip
    value = case.objective(case.update("mod", ridge=ridge)[0].residual, ridge=ridge)
    assert value == pytest.approx(found, rel=2e-5)


@law
@given(seeds, bounds)
def test_the_residual_shrinks_as_the_ridge_grows(seed, bound):
    case = Case(seed, bound)
    ridges = (1e-3, 1e-2, 0.1, 1.0, 10.0, 1e8)
    squares, slacks = [], []
    for ridge in ridges:
        new, gap = case.update("mod", ridge=ridge)
        squares.append(np.sum(new.residual**2))
        value = case.objective(new.residual, ridge=ridge)
        slacks.append(1.01 * gap * value + 1e-12 * (case.data.energy + case.strength(ridge)))
    # Add the two statements that neither is worse than the other at its own ridge by more than
    # its gap: exact solutions have norms that fall.
    strengths = np.array([case.strength(ridge) for ridge in ridges])
    rise = 0.5 * np.diff(strengths) * np.diff(squares)
    assert np.all(rise <= np.add(slacks[1:], slacks[:-1]))
    # Strong convexity: no further from the shortcut than the gradient there over the strength.
    pull = np.linalg.norm(case.gradient(np.zeros(case.shortcut.shape), 0.0)) / strengths[-1]
    assert np.sqrt(squares[-1]) <= pull + np.sqrt(2 * slacks[-1] / strengths[-1])


def test_the_strength_of_a_ridge_knows_nothing_of_units():
    assert ridge_strength(0.5, 12.0, 3) == pytest.approx(2.0)
    X = np.random.default_rng(0).standard_normal((100, 6))
    options = {"fit_n_nonzero_coefs": 2, "ridge": 0.1, "max_iter": 5, "tol": 0}
    expected = ResidualDictionaryLearning(**options).fit(X).residual_
    for other in (2.0**100 * X, np.repeat(X, 3, axis=0)):
        np.testing.assert_allclose(
            ResidualDictionaryLearning(**options).fit(other).residual_, expected, atol=1e-6
        )


@pytest.mark.parametrize("update", ["mod", "bcd"])
@pytest.mark.parametrize("bound", [0.9, None])
def test_the_estimator_stays_closer_to_the_shortcut(update, bound):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 6)) @ rng.standard_normal((6, 6))
    norms, batches = [], []
    for ridge in (0.0, 0.05, 1.0, 1e9):
        learner = ResidualDictionaryLearning(
            residual_bound=bound, ridge=ridge, dictionary_update=update, fit_n_nonzero_coefs=2,
            max_iter=10,
        )  # fmt: skip
        norms.append(np.linalg.norm(learner.fit(X).residual_))
        stream = ResidualDictionaryLearning(
            residual_bound=bound, ridge=ridge, dictionary_update=update, fit_n_nonzero_coefs=2
        )
        for _ in range(3):
            stream.partial_fit(X)
        batches.append(np.linalg.norm(stream.residual_))
    assert np.all(np.diff(norms) < 0)
    assert np.all(np.diff(batches) < 0)
    assert max(norms[-1], batches[-1]) < 1e-6
