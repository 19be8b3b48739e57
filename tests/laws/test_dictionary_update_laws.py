"""What every dictionary update must do at codes held fixed, whatever the data."""

from types import SimpleNamespace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sklearn_resnet_sc.learning._aksvd import aksvd_pass
from sklearn_resnet_sc.learning._bcd import bcd
from sklearn_resnet_sc.learning._dictionary import Dictionary, DictionarySet
from sklearn_resnet_sc.learning._ksvd import ksvd_pass
from sklearn_resnet_sc.learning._statistics import TrainingSet

from .strategies import dtypes, law, seeds

KINDS = ("gaussian", "zero", "duplicates", "one feature", "low rank", "huge", "tiny")


def instance(seed, kind, dtype):
    """Signals, sparse codes (some atoms idle) and atoms of length at most one."""
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_components = rng.integers(1, [30, 9, 50])
    X = rng.standard_normal((n_samples, n_features))
    if kind == "zero":
        X[:] = 0
    if kind == "duplicates":
        X[:] = X[0]
    if kind == "one feature":
        X[:, 1:] = 0
    if kind == "low rank":
        X = np.outer(X[:, 0], rng.standard_normal(n_features))
    X *= {"huge": 1e15, "tiny": 1e-15}.get(kind, 1)
    code = rng.standard_normal((n_samples, n_components)) * np.abs(X).max()
    code[rng.random(code.shape) > rng.random()] = 0
    code[:, rng.random(n_components) < 0.2] = 0
    atoms = rng.standard_normal((n_components, n_features))
    atoms *= rng.random((n_components, 1)) / np.linalg.norm(atoms, axis=1, keepdims=True)
    return X.astype(dtype), code.astype(dtype), atoms.astype(dtype)


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.booleans())
def test_bcd_never_raises_the_objective_and_keeps_atoms_in_the_ball(seed, kind, dtype, positive):
    X, code, atoms = instance(seed, kind, dtype)
    if positive:
        atoms = np.abs(atoms)
    space = DictionarySet(None, None, np.dtype(dtype), ball=True, positive=positive)
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    new = bcd(space, dictionary, statistics)[0].components
    eps = np.finfo(dtype).eps
    assert new.dtype == dtype
    assert np.linalg.norm(new.astype(np.float64), axis=1).max() <= 1 + 4 * eps
    assert not (positive and (new < 0).any())

    def objective(components):
        signals, codes = X.astype(np.float64), code.astype(np.float64)
        return np.sum((signals - codes @ components.astype(np.float64)) ** 2)

    # What rounding the new atoms to the precision of the data may cost.
    size = np.sum(X.astype(np.float64) ** 2) + np.sum(np.abs(code.astype(np.float64))) ** 2
    assert objective(new) <= objective(atoms) + 8 * eps * size


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.sampled_from([ksvd_pass, aksvd_pass]))
def test_ksvd_never_raises_the_objective_at_fixed_supports(seed, kind, dtype, one_pass):
    X, code, atoms = instance(seed, kind, dtype)
    lengths = np.linalg.norm(atoms.astype(np.float64), axis=1, keepdims=True)
    atoms = np.divide(atoms, lengths, out=np.zeros_like(atoms), where=lengths > 0, casting="unsafe")
    data = TrainingSet(X)
    sparse_code = sparse.csr_matrix(code)
    coded = SimpleNamespace(code=sparse_code, statistics=data.statistics(sparse_code, atoms))
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    new, values = one_pass(dictionary, coded, data)
    lengths = np.linalg.norm(new, axis=1)
    used = np.asarray(sparse_code.count_nonzero(axis=0) > 0).ravel()
    np.testing.assert_array_equal(new[~used], atoms[~used])
    assert (np.abs(lengths - 1) < 8 * np.finfo(dtype).eps).all()
    entries = values / data.scale, sparse_code.indices, sparse_code.indptr
    moved = sparse.csr_matrix(entries, shape=code.shape).toarray().astype(np.float64)

    signals, codes = X.astype(np.float64), code.astype(np.float64)
    before = np.sum((signals - codes @ atoms.astype(np.float64)) ** 2)
    after = np.sum((signals - moved @ new) ** 2)
    # Codes are rounded to the precision of the data, once per atom.
    size = np.sum(signals**2) + np.sum(np.abs(codes)) ** 2
    assert after <= before + 32 * np.finfo(dtype).eps * size
