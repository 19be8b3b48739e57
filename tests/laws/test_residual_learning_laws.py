"""What holds for every residual dictionary that is learned, from whatever signals."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import sparse

from sklearn_resnet_sc.learning import ResidualDictionaryLearning
from sklearn_resnet_sc.learning._dictionary import DictionarySet
from sklearn_resnet_sc.learning._driver import alternate
from sklearn_resnet_sc.learning._mod import mod
from sklearn_resnet_sc.learning._online import FadingSums, fading
from sklearn_resnet_sc.learning._pursuit import Coded
from sklearn_resnet_sc.learning._residual_space import first_dictionary
from sklearn_resnet_sc.learning._residual_stream import ResidualStream
from sklearn_resnet_sc.learning._statistics import TrainingSet
from sklearn_resnet_sc.learning._surrogate import length_costs, with_costs
from sklearn_resnet_sc.theory import mutual_coherence

from .strategies import dtypes, law, seeds

KINDS = ("gaussian", "zero", "one signal", "one feature", "low rank", "huge", "tiny", "outlier")
PURSUITS = ("omp", "ols", "lasso_lars", "lasso_cd", "fista", "threshold")
bounds = st.sampled_from([0.05, 0.5, 0.9, 0.99])
short_law = settings(law, max_examples=30)
# Whether codes are optimal, too: few signals make atoms almost parallel.
any_codes = pytest.mark.filterwarnings("ignore:Of all codings while learning")


def make_signals(rng, kind, dtype, n_features, n_samples=None):
    n_samples = rng.integers(1, 25) if n_samples is None else n_samples
    X = rng.standard_normal((n_samples, n_features))
    if kind == "zero":
        X[:] = 0
    elif kind == "one signal":
        X[:] = X[0]
    elif kind == "one feature":
        X[:, 1:] = 0
    elif kind == "low rank":
        X = np.outer(X[:, 0], rng.standard_normal(n_features))
    elif kind == "outlier":
        X[0] *= 1e4
    return (X * {"huge": 1e12, "tiny": 1e-12}.get(kind, 1)).astype(dtype)


def learner_for(X, shortcut, n_components, bound, pursuit):
    options = {"transform_gap_tol": 1e-6}
    if pursuit not in ("omp", "ols"):
        # A penalty that fits the size of the signals.
        options["fit_alpha"] = 0.2 * float(np.abs(X).max(initial=0))
    return ResidualDictionaryLearning(
        n_components,
        shortcut=shortcut,
        residual_bound=bound,
        fit_algorithm=pursuit,
        max_iter=3,
        random_state=0,
        **options,
    )


def assert_certified(learner):
    """The bound, and theorems A3, A4, A5, A7 and A8, from singular values computed here."""
    shortcut = learner.shortcut_.astype(np.float64)
    residual = learner.residual_.astype(np.float64)
    rho = learner.residual_bound_
    sigma_p = np.linalg.svd(shortcut, compute_uv=False)
    sigma_r = np.linalg.svd(residual, compute_uv=False)
    sigma = np.linalg.svd(shortcut + residual, compute_uv=False)
    slack = 64 * np.finfo(np.float64).eps * len(shortcut)
    assert sigma_r[0] <= rho * sigma_p[-1] * (1 + 1e-13)
    # A8 (Weyl): every singular value within the bound of that of the shortcut.
    assert np.all(np.abs(sigma - sigma_p) <= sigma_r[0] + slack)
    assert sigma[-1] >= (1 - rho) * sigma_p[-1] - slack
    kappa = (sigma_p[0] + rho * sigma_p[-1]) / ((1 - rho) * sigma_p[-1])
    assert sigma[0] <= kappa * sigma[-1] * (1 + 1e-9)
    components = learner.components_.astype(np.float64)
    coherence = mutual_coherence(components)
    rounding = 64 * float(np.finfo(learner.components_.dtype).eps)
    # A8, the angles: atoms turn by at most arcsin of the longest row of the residual.
    longest = np.linalg.norm(residual, axis=1).max()
    angle = np.arccos(min(mutual_coherence(shortcut), 1.0)) - 2 * np.arcsin(min(longest, 1.0))
    if longest < 1 and angle > 0:
        assert coherence <= np.cos(angle) + rounding
    if np.allclose(sigma_p, 1, rtol=0, atol=1e-12) and len(shortcut) <= shortcut.shape[1]:
        # Orthonormal atoms. A3 (Weyl, from below with the singular values reversed), A4, A5
        # (Kantorovich, the participation ratio) and A7.
        if len(shortcut) == shortcut.shape[1]:
            assert np.all(sigma >= 1 - sigma_r[::-1] - slack)
        assert np.all(sigma <= 1 + sigma_r + slack)
        assert sigma[0] <= (1 + rho) / (1 - rho) * sigma[-1] * (1 + 1e-9)
        participation = np.sum(sigma**2) ** 2 / np.sum(sigma**4)
        least = len(sigma) * ((1 - rho**2) / (1 + rho**2)) ** 2
        assert participation >= least * (1 - 1e-9)
        assert coherence <= 2 * rho / (1 + rho**2) + rounding
    certificate = learner.certificate_
    assert certificate.residual_bound_kept


@any_codes
@short_law
@given(
    seeds,
    st.sampled_from(KINDS),
    dtypes,
    st.sampled_from(["identity", "dct", "pca"]),
    bounds,
    st.sampled_from(PURSUITS),
)
def test_the_bound_and_the_theorems_hold_for_every_fit(seed, kind, dtype, shortcut, bound, pursuit):
    rng = np.random.default_rng(seed)
    n_features = rng.integers(1, 10)
    n_components = rng.integers(1, (2 if shortcut == "dct" else 1) * n_features + 1)
    X = make_signals(rng, kind, dtype, n_features)
    assert_certified(learner_for(X, shortcut, n_components, bound, pursuit).fit(X))


@any_codes
@short_law
@given(
    seeds,
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    dtypes,
    st.sampled_from(["identity", "dct", "pca"]),
    bounds,
    st.sampled_from(PURSUITS),
)
def test_the_bound_and_the_theorems_hold_after_every_batch(
    seed, kinds, dtype, shortcut, bound, pursuit
):
    rng = np.random.default_rng(seed)
    n_features = rng.integers(1, 10)
    n_components = rng.integers(1, (2 if shortcut == "dct" else 1) * n_features + 1)
    batches = [make_signals(rng, kind, dtype, n_features) for kind in kinds]
    learner = learner_for(batches[0], shortcut, n_components, bound, pursuit)
    for n_steps, batch in enumerate(batches, start=1):
        learner.partial_fit(batch)
        assert learner.n_steps_ == n_steps
        assert learner.components_.dtype == dtype
        assert_certified(learner)


@law
@given(seeds, st.sampled_from(KINDS), dtypes, bounds, st.floats(1e-3, 3))
def test_an_update_never_raises_the_penalised_error(seed, kind, dtype, bound, alpha):
    # For any codes, not only optimal ones; these follow the lengths of their atoms.
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_components = rng.integers(1, [30, 9, 20])
    X = make_signals(rng, kind, dtype, n_features, n_samples)
    size = float(np.abs(X).max())
    code = rng.standard_normal((n_samples, n_components)) * size
    code[rng.random(code.shape) > rng.random()] = 0
    code = code.astype(dtype)
    shortcut = rng.standard_normal((n_components, n_features))
    shortcut /= np.linalg.norm(shortcut, axis=1, keepdims=True)
    smallest = np.linalg.svd(shortcut, compute_uv=False)[-1]
    assume(smallest > 1e-2)
    space = DictionarySet(shortcut.astype(dtype), bound * smallest, np.dtype(dtype))
    old = space.assemble(space.fit(0.5 * rng.standard_normal(shortcut.shape)))
    data = TrainingSet(X)
    csr = sparse.csr_array(code)
    coded = Coded(csr, data.statistics(csr, old.components), 0.0, 0.0, 0.0)
    new, _ = mod(space, old, with_costs(coded.statistics, length_costs(coded, data, alpha * size)))

    raw = code.astype(np.float64) / old.lengths

    def objective(dictionary):
        atoms = space.shortcut.astype(np.float64) + dictionary.residual
        penalty = alpha * size * np.sum(np.abs(raw) * np.linalg.norm(atoms, axis=1))
        return 0.5 * np.sum((X - raw @ atoms) ** 2) + penalty

    rounding = 64 * np.finfo(dtype).eps * (np.sum(X.astype(np.float64) ** 2) + np.sum(raw**2))
    assert objective(new) <= objective(old) * (1 + 1e-10) + rounding


@any_codes
@short_law
@given(seeds, dtypes, st.sampled_from(["identity", "dct"]), st.sampled_from(PURSUITS))
def test_batches_one_by_one_are_one_pass(seed, dtype, shortcut, pursuit):
    rng = np.random.default_rng(seed)
    n_features = rng.integers(2, 8)
    X = make_signals(rng, "gaussian", dtype, n_features, 40)
    cuts = np.sort(rng.choice(np.arange(1, 40), 3, replace=False))
    batches = np.split(X, cuts)  # unequal
    learner = learner_for(X, shortcut, n_features, 0.7, pursuit)
    for batch in batches:
        learner.partial_fit(batch)

    fresh = learner_for(X, shortcut, n_features, 0.7, pursuit)
    _, update, pursuit, _ = fresh._parts(n_features)
    space, start = first_dictionary(shortcut, n_features, 0.7, TrainingSet(batches[0]), None)
    stream = ResidualStream(
        FadingSums(n_features, n_features),
        iter([(batch, None) for batch in batches]),
        space,
        update,
        pursuit,
        n_jobs=None,
    )
    course = alternate(start, stream.code, stream.update, max_iter=4, stream=True)
    np.testing.assert_array_equal(learner.components_, course.best.components)
    np.testing.assert_array_equal(learner.residual_, course.best.residual)
    assert learner.update_gap_ == stream.largest_gap


@law
@given(seeds, st.integers(20, 40), st.integers(20, 40))
def test_two_unequal_batches_against_least_squares(seed, first, second):
    # Without a bound the update is ordinary least squares: numpy solves the same problem, with the
    # raw codes of either batch and the weight that the first one has kept.
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((first + second, 4))
    learner = ResidualDictionaryLearning(
        residual_bound=None, fit_n_nonzero_coefs=2, transform_n_nonzero_coefs=2
    )
    raw = []
    for batch in (X[:first], X[first:]):
        if not hasattr(learner, "components_"):
            code, lengths = np.zeros((first, 4)), np.ones(4)
            largest = np.argsort(-np.abs(batch), axis=1)[:, :2]  # the identity codes by size
            np.put_along_axis(code, largest, np.take_along_axis(batch, largest, 1), 1)
        else:
            code, lengths = learner.transform(batch), learner.atom_norms_
        raw.append(code / lengths)
        learner.partial_fit(batch)
    weights = np.r_[np.full(first, fading(first, second, 4)), np.ones(second)]
    root = np.sqrt(weights)[:, None]
    codes = np.vstack(raw)
    assume(np.linalg.cond(root * codes) < 1e3)
    assume((np.count_nonzero(codes, axis=0) > 12).all())  # no atom is replaced
    expected = np.linalg.lstsq(root * codes, root * X, rcond=None)[0]
    units = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    assume(mutual_coherence(units) < 0.9)
    np.testing.assert_allclose(learner.shortcut_ + learner.residual_, expected, atol=1e-9)


@pytest.mark.parametrize("pursuit", ["lasso_lars", "lasso_cd", "fista"])
@pytest.mark.parametrize("bound", [0.5, 0.9, None])
def test_the_penalised_error_falls_with_every_iteration(pursuit, bound):
    # Codes to the optimum, then an update that does not raise: no iteration may.
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 8)) @ rng.standard_normal((8, 8))
    course = []
    ResidualDictionaryLearning(
        12, shortcut="dct", residual_bound=bound, fit_algorithm=pursuit, fit_alpha=0.5,
        transform_gap_tol=1e-7, transform_max_iter=10_000, tol=0, max_iter=15,
        callback=lambda state: course.append(state["objective"][-1]),
    ).fit(X)  # fmt: skip
    assert np.all(np.diff(course) <= 1e-6 * np.array(course[:-1]))
    assert course[-1] < 0.97 * course[0]
