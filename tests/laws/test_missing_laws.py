"""Learning from signals with missing entries: the error over observed entries never rises."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from sklearn_resnet_sc.learning._aksvd import aksvd_pass
from sklearn_resnet_sc.learning._bcd import bcd
from sklearn_resnet_sc.learning._dictionary import Dictionary, DictionarySet
from sklearn_resnet_sc.learning._ksvd import ksvd_pass
from sklearn_resnet_sc.learning._mod import mod
from sklearn_resnet_sc.learning._statistics import TrainingSet

from .strategies import dtypes, law, seeds

KINDS = ("a few", "many", "a row", "a column", "all", "huge", "tiny", "one feature")


def instance(seed, kind, dtype):
    """Signals with missing entries, sparse codes (some atoms idle), and unit atoms."""
    rng = np.random.default_rng(seed)
    n_samples, n_features, n_components = rng.integers(1, [30, 9, 30])
    if kind == "one feature":
        n_features = 1
    X = rng.standard_normal((n_samples, n_features)) * {"huge": 1e15, "tiny": 1e-15}.get(kind, 1)
    code = rng.standard_normal((n_samples, n_components)) * np.abs(X).max()
    code[rng.random(code.shape) > rng.random()] = 0
    code[:, rng.random(n_components) < 0.2] = 0
    atoms = rng.standard_normal((n_components, n_features))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    missing = rng.random(X.shape) < {"a few": 0.1, "all": 1}.get(kind, 0.5)
    missing[0] |= kind == "a row"
    missing[:, 0] |= kind == "a column"
    X[missing] = np.nan
    return X.astype(dtype), code.astype(dtype), atoms.astype(dtype)


def observed_objective(X, code, atoms):
    errors = X.astype(np.float64) - code.astype(np.float64) @ atoms.astype(np.float64)
    return np.nansum(errors**2)


def slack(X, code, dtype):
    """What rounding to the precision of the data may cost, once per atom."""
    size = np.nansum(X.astype(np.float64) ** 2) + np.sum(np.abs(code.astype(np.float64))) ** 2
    return 32 * np.finfo(dtype).eps * size


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.booleans())
def test_bcd(seed, kind, dtype, positive):
    X, code, atoms = instance(seed, kind, dtype)
    if positive:
        atoms = np.abs(atoms)
    space = DictionarySet(None, None, np.dtype(dtype), ball=True, positive=positive)
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    new = bcd(space, dictionary, statistics)[0].components
    before, after = (observed_objective(X, code, each) for each in (atoms, new))
    assert after <= before + slack(X, code, dtype)


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.floats(0.01, 0.99), st.booleans())
def test_mod_free_and_bounded(seed, kind, dtype, rho, bounded):
    X, code, atoms = instance(seed, kind, dtype)
    if bounded:
        atoms = np.eye(*atoms.shape, dtype=dtype)[: atoms.shape[1]]
        code = np.ascontiguousarray(code[:, : len(atoms)])
        space = DictionarySet(atoms, rho, np.dtype(dtype))
        dictionary = Dictionary(atoms, np.zeros_like(atoms), np.ones(len(atoms), dtype))
    else:
        space = DictionarySet(None, None, np.dtype(dtype))
        dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    statistics = TrainingSet(X).statistics(sparse.csr_array(code), atoms)
    new = mod(space, dictionary, statistics)[0]
    # The codes held fixed are those of atoms before they are scaled.
    raw = new.residual + atoms if bounded else _unscaled(space, dictionary, statistics)
    before, after = (observed_objective(X, code, each) for each in (atoms, raw))
    assert after <= before + slack(X, code, dtype) * (1 + np.abs(raw).max()) ** 2


def _unscaled(space, dictionary, statistics):
    """The atoms of `mod` at fixed codes, before they are scaled to unit length."""

    class Unscaled(DictionarySet):
        def assemble(self, residual):
            return Dictionary(residual, residual, np.ones(len(residual)))

    return mod(Unscaled(None, None, space.dtype), dictionary, statistics)[0].components


@law
@given(seeds, st.sampled_from(KINDS), dtypes, st.sampled_from([ksvd_pass, aksvd_pass]))
def test_ksvd(seed, kind, dtype, one_pass):
    X, code, atoms = instance(seed, kind, dtype)
    data = TrainingSet(X)
    sparse_code = sparse.csr_matrix(code)
    coded = SimpleNamespace(code=sparse_code, statistics=data.statistics(sparse_code, atoms))
    dictionary = Dictionary(atoms, atoms, np.ones(len(atoms), dtype))
    new, values = one_pass(dictionary, coded, data)
    entries = values / data.scale, sparse_code.indices, sparse_code.indptr
    moved = sparse.csr_matrix(entries, shape=code.shape).toarray()
    before = observed_objective(X, code, atoms)
    assert observed_objective(X, moved, new) <= before + slack(X, code, dtype)


@law
@given(seeds, st.sampled_from(KINDS), dtypes)
def test_sums_are_those_of_the_filled_signals(seed, kind, dtype):
    X, code, atoms = instance(seed, kind, dtype)
    filled = np.where(np.isnan(X), (code.astype(np.float64) @ atoms).astype(dtype), X)
    data = TrainingSet(X)
    found = data.statistics(sparse.csr_array(code), atoms)
    errors = np.where(np.isnan(X), 0, X - code.astype(np.float64) @ atoms) * float(data.scale)
    scale = float(data.scale)
    size = 1 + (np.abs(code).max() + np.abs(filled).max()) * scale
    rounding = 64 * float(np.finfo(dtype).eps * size**2 * code.size)
    dense = code.astype(np.float64) * scale
    np.testing.assert_allclose(found.gram, dense.T @ dense, atol=rounding)
    np.testing.assert_allclose(found.cross, dense.T @ (filled * scale), atol=rounding)
    np.testing.assert_allclose(found.residual_norm2, np.sum(errors**2, axis=1), atol=rounding)
    assert found.energy == pytest.approx(np.sum((filled * scale) ** 2), abs=rounding)
