"""K-SVD and its approximation: brute-force singular vectors, plain formulas, and the objective."""

from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from scipy import sparse

from sklearn_resnet_sc.learning._aksvd import aksvd, aksvd_pass
from sklearn_resnet_sc.learning._dictionary import Dictionary, DictionarySet
from sklearn_resnet_sc.learning._ksvd import _leading_vector, ksvd, ksvd_pass
from sklearn_resnet_sc.learning._statistics import TrainingSet

PASSES = {"ksvd": ksvd_pass, "aksvd": aksvd_pass}


def problem(n_samples=300, n_features=6, n_components=10, share=0.3, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n_samples, n_features))
    code = rng.standard_normal((n_samples, n_components))
    code[rng.random(code.shape) > share] = 0
    atoms = rng.standard_normal((n_components, n_features))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    return X.astype(dtype), code.astype(dtype), atoms.astype(dtype)


def arguments(X, code, atoms, weight=None):
    data = TrainingSet(X, weight)
    code = sparse.csr_matrix(code)
    coded = SimpleNamespace(code=code, statistics=data.statistics(code, atoms))
    return Dictionary(atoms, atoms, np.ones(len(atoms), atoms.dtype)), coded, data


def run(name, X, code, atoms, weight=None):
    """Atoms and codes (in units of the data) after one pass."""
    dictionary, coded, data = arguments(X, code, atoms, weight)
    new, values = PASSES[name](dictionary, coded, data)
    entries = values / data.scale, coded.code.indices, coded.code.indptr
    return new, sparse.csr_matrix(entries, shape=code.shape).toarray()


def brute_force(name, X, code, atoms, weight):
    """The definitions of the two papers, with whole matrices and a full decomposition."""
    code, atoms = code.copy(), atoms.copy()
    root = np.sqrt(weight)
    for j in range(len(atoms)):
        users = np.flatnonzero(code[:, j])
        if not users.size:
            continue
        errors = (X - code @ atoms + np.outer(code[:, j], atoms[j]))[users]
        if name == "ksvd":
            atom = np.linalg.svd(root[users, None] * errors)[2][0]
            atom *= np.sign(atom @ atoms[j])
        else:
            atom = errors.T @ (weight[users] * code[users, j])
            atom /= np.linalg.norm(atom)
        atoms[j], code[users, j] = atom, errors @ atom
    return atoms, code


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_samples", [12, 300, 3000])  # fewer users than features; many blocks
@pytest.mark.parametrize("name", PASSES)
def test_as_the_definition_says(name, n_samples, weighted):
    X, code, atoms = problem(n_samples)
    code[:, 4] = 0
    weight = np.random.default_rng(1).random(n_samples) + 0.1 if weighted else np.ones(n_samples)
    expected = brute_force(name, X, code, atoms, weight)
    found = run(name, X, code, atoms, weight)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)
    np.testing.assert_array_equal(found[0][4], atoms[4])


@pytest.mark.parametrize("name", PASSES)
def test_weights_are_repetitions(name):
    X, code, atoms = problem()
    copies = np.random.default_rng(1).integers(0, 4, len(X))
    weighted, _ = run(name, X, code, atoms, copies * 1.0)
    repeated, _ = run(name, np.repeat(X, copies, axis=0), np.repeat(code, copies, axis=0), atoms)
    np.testing.assert_allclose(weighted, repeated, atol=1e-10)


def test_the_exact_step_gains_at_least_as_much_on_one_atom():
    X, code, atoms = problem(n_components=1, share=1)
    errors = {
        name: np.linalg.norm(X - np.outer(new[1][:, 0], new[0][0]))
        for name in PASSES
        for new in [run(name, X, code, atoms)]
    }
    best = np.sqrt((np.linalg.svd(X, compute_uv=False)[1:] ** 2).sum())  # Eckart-Young
    np.testing.assert_allclose(errors["ksvd"], best)
    assert errors["aksvd"] > errors["ksvd"]


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["wishart", "blocks", "rank one", "identity", "zero", "huge", "tiny"]),
)
def test_a_leading_vector_is_certain_or_not_claimed(seed, kind):
    # Reference: the symmetric eigenvalue solver of numpy.
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 20)
    errors = rng.standard_normal((1 if kind == "rank one" else rng.integers(1, 30), n))
    if kind == "blocks":
        errors = np.kron(np.diag([1, rng.random()]), errors)
    moment = errors.T @ errors * {"zero": 0, "huge": 1e140, "tiny": 1e-140}.get(kind, 1)
    if kind == "identity":
        moment = np.eye(n)
    values, vectors = np.linalg.eigh(moment)
    # Also from exact eigenvectors, the wrong ones among them.
    for vector in (rng.standard_normal(len(moment)), *vectors.T.copy()):
        if _leading_vector(moment, vector):
            np.testing.assert_allclose(vector @ vector, 1, rtol=1e-12)
            np.testing.assert_allclose(vector @ moment @ vector, values[-1], rtol=1e-10)
            np.testing.assert_allclose(abs(vector @ vectors[:, -1]), 1, rtol=1e-9)
        else:
            assert kind != "rank one" or abs(vector @ vectors[:, -1]) < 1e-3


def test_the_old_atom_may_be_a_singular_vector_that_is_not_the_first():
    # By the theorem of Eckart and Young the best atom is the first singular vector.
    X = np.diag([1.0, 3.0, 2.0])[np.arange(90) % 3]
    atoms, _ = run("ksvd", X, np.ones((90, 1)), np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(np.abs(atoms), [[0, 1, 0]], atol=1e-12)


@pytest.mark.parametrize("step", [ksvd, aksvd])
def test_single_precision(step):
    new = []
    for dtype in (np.float32, np.float64):
        X, code, atoms = problem(dtype=dtype)
        result, gap = step(DictionarySet(None, None, np.dtype(dtype)), *arguments(X, code, atoms))
        assert result.components.dtype == dtype
        assert gap == 0
        new.append(result.components)
    np.testing.assert_allclose(*new, atol=1e-4)


@pytest.mark.parametrize("name", PASSES)
def test_codes_that_are_stored_zeros_are_no_use(name):
    X, code, atoms = problem()
    stored = sparse.csr_matrix(code)
    stored.data[::3] = 0
    dictionary, coded, data = arguments(X, stored.toarray(), atoms)
    expected = PASSES[name](dictionary, coded, data)[0]
    coded.code = stored
    found = PASSES[name](dictionary, coded, data)[0]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert stored.nnz == np.count_nonzero(code)  # not changed in place


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("kind", ["signals", "codes"])
def test_zeros_leave_the_atoms(name, kind):
    X, code, atoms = problem()
    if kind == "signals":
        X, code = 0 * X, code * (np.arange(10) == 2)
    else:
        code = 0 * code
    np.testing.assert_array_equal(run(name, X, code, atoms)[0], atoms)
