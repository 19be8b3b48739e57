"""Recursive least squares: what it is recursive for, its schedules, and learning with it."""

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc import DictionaryLearning
from sklearn_resnet_sc.learning import Forgetting
from sklearn_resnet_sc.learning._rls import recursive_least_squares


def problem(n_samples=60, n_features=5, n_components=8, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    code = rng.standard_normal((n_samples, n_components))
    code = sparse.csr_array(np.where(rng.random(code.shape) < 0.4, code, 0))
    return X, code, rng.standard_normal((n_components, n_features))


@pytest.mark.parametrize("factor", [1.0, 0.97])
def test_is_the_solution_of_a_weighted_least_squares_problem(factor):
    # With a start D0 and an inverse Gram matrix C0 the recursion solves, at every moment,
    # min ||X - A D||^2 (weights by age) + <D - D0, C0^-1 (D - D0)> (faded likewise).
    X, code, start = problem()
    weight = np.random.default_rng(1).random(len(X)) + 0.5
    inverse = 0.7 * np.eye(len(start))
    atoms = start.copy()
    recursive_least_squares(
        X, weight, np.full(len(X), factor), code.indptr, code.indices, code.data,
        atoms, inverse, np.inf,
    )  # fmt: skip
    age = factor ** np.arange(len(X) - 1, -1, -1) * weight
    dense = code.toarray()
    prior = factor ** len(X) / 0.7 * np.eye(len(start))
    gram = dense.T @ (age[:, None] * dense) + prior
    cross = dense.T @ (age[:, None] * X) + prior @ start
    np.testing.assert_allclose(atoms, np.linalg.solve(gram, cross), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(inverse, np.linalg.inv(gram), rtol=1e-9, atol=1e-11)


def test_signals_without_weight_do_not_count():
    X, code, start = problem()
    inverse, atoms = np.eye(len(start)), start.copy()
    recursive_least_squares(
        X, np.zeros(len(X)), np.full(len(X), 0.9), code.indptr, code.indices, code.data,
        atoms, inverse, np.inf,
    )  # fmt: skip
    np.testing.assert_array_equal(atoms, start)


def test_forgetting_about_unused_atoms_ends():
    X, code, start = problem()
    code = sparse.csr_array(code.toarray() * (np.arange(8) < 6))
    inverse, atoms = np.eye(8), start.copy()
    for _ in range(50):
        recursive_least_squares(
            X, np.ones(len(X)), np.full(len(X), 0.9), code.indptr, code.indices, code.data,
            atoms, inverse, 1e3,
        )  # fmt: skip
    assert 1e3 <= inverse[7, 7] <= 1e3 / 0.9
    np.testing.assert_array_equal(inverse, inverse.T)
    assert np.linalg.eigvalsh(inverse)[0] > 0
    np.testing.assert_array_equal(atoms[6:], start[6:])


@pytest.mark.parametrize(
    ("kind", "half", "end"),
    [
        ("constant", 0.9, 0.9),
        ("linear", 0.95, 1),
        ("quadratic", 0.975, 1),
        ("cubic", 0.9875, 1),
        ("hyperbola", 1 - 0.1 / 1.5, 0.95),
        ("exponential", 1 - 0.1 * 0.5**0.5, 0.95),
    ],
)
def test_schedules(kind, half, end):
    forgetting = Forgetting(kind, start=0.9, horizon=1000)
    np.testing.assert_allclose([forgetting(i) for i in (0, 500, 1000)], [0.9, half, end])
    assert (np.diff([forgetting(i) for i in range(3000)]) >= 0).all()
    assert forgetting(10**9) <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "quartic"}, "kind must be one of"),
        ({"start": 0}, "start must lie in"),
        ({"start": 1.1}, "start must lie in"),
        ({"horizon": 0}, "horizon must be positive"),
        ({"horizon": "a"}, "horizon must be positive"),
    ],
)
def test_schedules_that_are_none(options, message):
    with pytest.raises(ValueError, match=message):
        Forgetting(**options)


def learner(**options):
    return DictionaryLearning(
        12, dictionary_update="rls", fit_algorithm="omp", fit_n_nonzero_coefs=2, max_iter=5,
        dict_init="data", random_state=0, **options,
    )  # fmt: skip


def test_forgetting_is_given_as_kind_schedule_or_function():
    X = np.random.default_rng(0).standard_normal((150, 6))
    named = learner().fit(X).components_
    schedule = Forgetting("cubic", start=0.99, horizon=0.9 * 5 * 150)
    np.testing.assert_array_equal(learner(forgetting=schedule).fit(X).components_, named)
    seen = []

    def forgetting(i):
        seen.append(i)
        return schedule(i)

    np.testing.assert_array_equal(learner(forgetting=forgetting).fit(X).components_, named)
    assert seen == list(range(5 * 150))
    assert np.abs(learner(forgetting="linear").fit(X).components_ - named).max() > 1e-3


def test_stays_stable_over_many_signals():
    X = np.random.default_rng(0).standard_normal((200, 6))
    model = learner(forgetting=Forgetting("constant", start=0.95)).set_params(max_iter=100, tol=0)
    model.fit(X)
    assert model.n_iter_ == len(model.error_) == 100
    assert max(model.error_[20:]) < 1.5 * min(model.error_)
