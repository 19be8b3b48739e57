"""Learning a stack: laws of its updates, and what it finds in planted problems."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import approx_fprime
from sklearn.base import clone

from sklearn_resnet_sc import MultiLayerSparseCoder, ResidualDictionaryLearning
from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals
from sklearn_resnet_sc.multilayer._atom_sets import Atoms, PlainAtoms, SkipAtoms
from sklearn_resnet_sc.multilayer._layer_sums import layer_sums
from sklearn_resnet_sc.multilayer._learning_problems import JointLasso

DOUBLE = np.dtype(np.float64)


@st.composite
def signals(draw):
    """Few signals of few features: repeated, dependent, or zero."""
    n_samples, n_features = draw(st.integers(1, 12)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rank = draw(st.integers(0, n_features))
    X = rng.standard_normal((n_samples, rank)) @ rng.standard_normal((rank, n_features))
    if draw(st.booleans()):
        X = np.repeat(X, 2, axis=0)
    return X.astype(draw(st.sampled_from([np.float32, np.float64])))


@given(
    X=signals(),
    algorithm=st.sampled_from(["ml_fista", "ml_ista", "layered_omp", "layered_lasso_cd"]),
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    residual=st.booleans(),
    atom_nonzero=st.sampled_from([None, 1, 2]),
    positive=st.booleans(),
    weighted=st.booleans(),
    seed=st.integers(0, 100),
)
@settings(max_examples=60)
def test_no_joint_step_raises_the_objective(
    X, algorithm, sizes, residual, atom_nonzero, positive, weighted, seed
):
    weight = np.random.default_rng(seed).integers(0, 4, len(X)) if weighted else np.ones(len(X))
    weight[0] = 1
    learner = MultiLayerSparseCoder(
        tuple(sizes),
        algorithm=algorithm,
        residual=residual,
        atom_nonzero=atom_nonzero,
        positive_code=positive,
        max_iter=4,
        n_passes=1,
        tol=0,
        random_state=seed,
    ).fit(X, sample_weight=weight if weighted else None)
    # What would raise the objective is not taken; sums of the same losses may round in two ways.
    unit = 10 * np.finfo(X.dtype).eps
    energy = np.average(np.sum(X.astype(np.float64) ** 2, axis=1), weights=weight)
    rounding = unit * learner.error_[0] + unit**2 * energy
    assert (np.diff(learner.error_) <= rounding).all()
    for layer, (dictionary, part) in enumerate(
        zip(learner.dictionaries_, learner.residuals_, strict=True)
    ):
        assert_allclose(np.linalg.norm(dictionary, axis=1), 1, atol=unit)
        if part is not None:
            assert np.linalg.norm(part.astype(np.float64), 2) <= 0.9 + 1e-12
        elif layer and atom_nonzero is not None:
            assert (np.count_nonzero(dictionary, axis=1) <= atom_nonzero).all()


def problem_of(sizes=(5, 4, 3), n_samples=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, 6))
    sets = [PlainAtoms(DOUBLE) for _ in sizes]
    atoms = [
        allowed.nearest(rng.standard_normal((size, width)))
        for allowed, size, width in zip(sets, sizes, (6, *sizes), strict=False)
    ]
    options = {"momentum": True, "positive": False, "max_iter": 50, "tol": 1e-6, "n_jobs": None}
    weight = rng.uniform(0.1, 2, n_samples)
    problem = JointLasso(X, weight, sets, [0.3, 0.2, 0.1][: len(sizes)], options)
    return problem, atoms, rng.standard_normal((n_samples, sizes[-1]))


def test_gradients_are_those_of_finite_differences():
    problem, atoms, deepest = problem_of()
    gradients, _ = problem._gradients(atoms, deepest)
    for layer in (1, 2):
        shape = atoms[layer].components.shape

        def objective(entries, layer=layer, shape=shape):
            changed = [*atoms]
            changed[layer] = Atoms(entries.reshape(shape))
            return problem.weight @ problem.losses(changed, deepest)

        expected = approx_fprime(atoms[layer].components.ravel(), objective, 1e-7)
        assert_allclose(gradients[layer - 1].ravel(), expected, rtol=1e-4, atol=1e-4)


def test_sums_do_not_depend_on_threads_or_parts():
    rng = np.random.default_rng(0)
    X, codes = rng.standard_normal((5000, 4)), [rng.standard_normal((5000, n)) for n in (3, 2)]
    weight = rng.uniform(0, 2, 5000)
    sums = layer_sums(X, codes, weight)
    for (gram, cross), code, above in zip(sums, codes, [X, codes[0]], strict=True):
        assert_allclose(gram, code.T @ (weight[:, None] * code), rtol=1e-10)
        assert_allclose(cross, code.T @ (weight[:, None] * above), atol=1e-10)
    for kind in (np.asarray, sparse.csr_array):
        again = layer_sums(X, [kind(code) for code in codes], weight, n_jobs=2)
        assert_allclose(np.concatenate(again[1], 1), np.concatenate(sums[1], 1), atol=1e-10)
        if kind is np.asarray:
            assert_array_equal(again[1][0], sums[1][0])


@given(
    n_atoms=st.integers(1, 50),
    width=st.integers(1, 8),
    n_nonzero=st.sampled_from([None, 1, 3]),
    seed=st.integers(0, 2**32 - 1),
)
def test_descent_on_the_sphere(n_atoms, width, n_nonzero, seed):
    """No rise; and an atom that was updated last is the best of its kind, by its closed form."""
    rng = np.random.default_rng(seed)
    codes = rng.standard_normal((20, n_atoms)) * (rng.random((20, n_atoms)) < 0.3)
    gram, cross = codes.T @ codes, codes.T @ rng.standard_normal((20, width))
    allowed = PlainAtoms(DOUBLE, n_nonzero)
    start = allowed.nearest(rng.standard_normal((n_atoms, width)))
    new = allowed.descend(start, gram, cross).components

    def value(components):
        return 0.5 * np.vdot(components, gram @ components) - np.vdot(components, cross)

    scale = np.abs(gram).sum() + np.abs(cross).sum()
    assert value(new) <= value(start.components) + 1e-12 * scale
    if gram[-1, -1] > 0:
        left = cross[-1] - gram[-1] @ new + gram[-1, -1] * new[-1]
        largest = np.sort(np.abs(left))[::-1][:n_nonzero]
        assert_allclose(left @ new[-1], np.linalg.norm(largest), atol=1e-10 * scale)
    else:
        assert (new[-1] == start.components[-1]).all()


@given(
    size=st.integers(1, 8),
    bound=st.sampled_from([0.1, 0.9, None]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_descent_beside_a_skip(size, bound, dtype, seed):
    rng = np.random.default_rng(seed)
    codes = rng.standard_normal((20, size))
    gram, cross = codes.T @ codes, codes.T @ rng.standard_normal((20, size))
    allowed = SkipAtoms(np.dtype(dtype), bound)
    start = allowed.assemble(rng.standard_normal((size, size)))
    new = allowed.descend(start, gram, cross)

    def value(atoms):
        components = atoms.components.astype(np.float64)
        return 0.5 * np.vdot(components, gram @ components) - np.vdot(components, cross)

    assert value(new) <= value(start)
    for atoms in (start, new):
        total = np.eye(size, dtype=dtype) + atoms.residual
        rebuilt = total / np.linalg.norm(total, axis=1, keepdims=True)
        assert_allclose(atoms.components, rebuilt, rtol=1e-5)
        if bound is not None:
            limit = bound * (1 + 1e-14)
            assert np.linalg.norm(atoms.residual.astype(np.float64), 2) <= limit


def test_skip_descends_to_the_free_optimum_where_the_bound_is_loose():
    rng = np.random.default_rng(0)
    rows = np.eye(5) + 0.1 * rng.standard_normal((5, 5))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    allowed = SkipAtoms(DOUBLE, 0.9)
    atoms = allowed.assemble(np.zeros((5, 5)))
    for _ in range(10):
        atoms = allowed.descend(atoms, np.eye(5), rows)
    assert_allclose(atoms.components, rows, atol=1e-4)


@pytest.mark.parametrize(("algorithm", "counts"), [("layered_omp", 2), ("layered_lasso_cd", None)])
def test_a_square_layer_alone_is_as_good_as_that_of_residual_learning(algorithm, counts):
    """Which solves every update to its optimum; and it rebuilds better than the identity."""
    X, _, _ = make_multilayer_sparse_signals(600, 32, (32,), 3, random_state=0)
    alone = MultiLayerSparseCoder(
        32, algorithm=algorithm, n_nonzero_coefs=counts, residual=True, n_passes=10, max_iter=0
    ).fit(X)
    alpha = None if counts else alone.alpha_[0]
    learner = ResidualDictionaryLearning(
        fit_algorithm=algorithm.removeprefix("layered_"),
        fit_n_nonzero_coefs=counts,
        fit_alpha=alpha,
        max_iter=10,
    ).fit(X)
    optimal = MultiLayerSparseCoder(
        dictionaries=[learner.components_], algorithm=algorithm, n_nonzero_coefs=counts
    ).fit(X)
    identity = clone(alone).set_params(n_passes=0).fit(X)
    assert_allclose(identity.dictionaries_[0], np.eye(32))
    begin, reached = identity.score(X), optimal.score(X)
    assert alone.score(X) - begin > 0.95 * (reached - begin) > 0


@pytest.mark.parametrize("algorithm", ["ml_fista", "layered_omp"])
def test_atoms_without_use_come_from_signals(algorithm):
    X, _, _ = make_multilayer_sparse_signals(200, 8, (10, 12), 2, random_state=0)
    learner = MultiLayerSparseCoder(
        (10, 12),
        algorithm=algorithm,
        n_nonzero_coefs=[3, 2] if algorithm == "layered_omp" else None,
        n_passes=1,
        max_iter=1,
        random_state=0,
    ).fit(X)
    # Twins: the second of two equal atoms is never used.
    dictionary = learner.dictionaries_[0].copy()
    dictionary[3] = dictionary[2]
    learner._atoms[0] = Atoms(dictionary)
    learner.set_params(warm_start=True, max_iter=5).fit(X)
    codes = learner.set_params(output=0).transform(X)
    assert np.count_nonzero(codes, axis=0).min() > 0
    assert (np.diff(learner.error_) <= 1e-14).all()


@pytest.mark.parametrize(
    ("algorithm", "share"),
    [("ml_fista", 0.99), ("layered_omp", 0.9), ("layered_lasso_cd", 0.995)],
)
def test_layers_gain_from_learning_jointly(algorithm, share):
    """On planted signals, and signals that nobody has learned from do not lose by it."""
    X, _, _ = make_multilayer_sparse_signals(
        3000, n_features=20, n_components=(24, 30), n_nonzero_coefs=2, atom_nonzero=2,
        random_state=0,
    )  # fmt: skip
    options = {
        "algorithm": algorithm,
        "n_nonzero_coefs": [4, 2] if algorithm == "layered_omp" else None,
        "atom_nonzero": 2,
        "n_passes": 10,
        "tol": 0,
        "random_state": 0,
    }
    alone = MultiLayerSparseCoder((24, 30), max_iter=0, **options).fit(X[:2000])
    jointly = MultiLayerSparseCoder((24, 30), max_iter=20, **options).fit(X[:2000])
    assert jointly.error_[0] == alone.error_[0]
    assert jointly.error_[-1] < share * jointly.error_[0]
    assert jointly.score(X[2000:]) > alone.score(X[2000:]) - 1e-3
