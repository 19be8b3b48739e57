"""Certificates of codes: known answers, sentences, tables, refusals, speed."""

import json
import math
import time

import numpy as np
import pytest
from scipy import sparse

from sklearn_resnet_sc import theory

LEANING = np.vstack([np.eye(16), np.ones((1, 16)) / 4])  # mu = 1/4


def codes_of(*supports, k=17):
    codes = np.zeros((len(supports), k))
    for code, support in zip(codes, supports, strict=True):
        code[list(support)] = 2
    return codes


def test_known_dictionary():
    certificate = theory.certify(LEANING, codes_of([0], [0, 16], [0, 1, 2], []), noise=0.1)
    (layer,) = certificate.layers
    # 1 + 1/mu = 5, strictly: codes of s and t atoms with s + t < 5 are equal.
    np.testing.assert_array_equal(layer.unique, [True, True, False, True])
    np.testing.assert_array_equal(layer.unique_among[[0, 1, 2]], [3, 2, 0])
    assert list(layer.theorem_names[[1, 2, 3]]) == ["coherence", "not certified", "the zero code"]
    # Eigenvalues of the Gram matrix of the second: 1 -+ 1/4.
    assert layer.sigma_min[1] == pytest.approx(math.sqrt(0.75))
    assert layer.error_radius_on_support[1] == pytest.approx(0.2 / math.sqrt(0.75))
    assert layer.error_radius[1] == pytest.approx(0.2 / math.sqrt(1 - 3 / 4))
    assert layer.support_margin[1] == pytest.approx(2 * math.sqrt(1 / 4) / 2)
    # ||D_T^+ d||_1 for d among the other spikes: (0 - 1/16, 1/4) / (1 - 1/16).
    assert layer.exact_recovery[1] == pytest.approx((1 / 16 + 1 / 4) / (15 / 16))
    assert np.isnan(layer.residual_norm).all()
    assert layer.lasso_unique is None and layer.greedy_noise_radius is None


def test_uniqueness_as_asked():
    codes = codes_of([0], [0, 16])
    for asked, unique in ((3, [True, False]), (2, [True, True]), (4, [False, False])):
        (layer,) = theory.certify(LEANING, codes, n_nonzero=asked).layers
        np.testing.assert_array_equal(layer.unique, unique)
    known = theory.spark(LEANING)
    assert known.exact and known.lower == 17
    (layer,) = theory.certify(LEANING, codes, n_nonzero=4, spark=known).layers
    assert list(layer.theorem_names) == ["spark", "spark"]


def test_independent_atoms():
    (layer,) = theory.certify([[1, 0], [1, 1e-3]], [[1.0, 2.0]]).layers
    assert layer.unique[0] and layer.theorem_names[0] == "independent atoms"
    assert np.isfinite(layer.error_radius[0])


def test_dependent_support():
    (layer,) = theory.certify([[1.0, 0], [2.0, 0], [0, 1.0]], [[1.0, 1.0, 0]], noise=0.1).layers
    assert not layer.unique[0] and layer.sigma_min[0] == 0
    assert layer.error_radius_on_support[0] == layer.exact_recovery[0] == math.inf
    more = theory.certify([[1.0, 0], [1.0, 1.0], [0, 1.0]], [[1.0, 1.0, 1.0]]).layers[0]
    assert more.sigma_min[0] == 0 and more.recovery_noise[0] == 0


def test_sentences():
    codes = codes_of([0], [0, 16], [0, 1, 2])
    certificate = theory.certify(LEANING, codes, signals=codes @ LEANING, noise=0.1)
    text = str(certificate)
    assert "3 codes of 1 to 3 atoms, from 17 atoms in 16 dimensions (mu = 0.25, spark at" in text
    assert "The only code for what it represents: 2 (2 by coherence); 1 not certified." in text
    assert "Competitors have at most as many atoms and are within 0.1 of the signal." in text
    assert "OMP selects this support: 3 of 3 codes" not in text  # ties: equal coefficients
    told = certificate.describe(2)
    assert "Layer 1, signal 2, 3 atoms: uniqueness is not certified." in told
    assert "Any other code as sparse within 0.1 of the signal is not certified to be near." in told
    with pytest.raises(ValueError, match=r"signal must be an integer in \[0, 2\]; got 3"):
        certificate.describe(3)
    json.dumps(certificate.to_dict(), allow_nan=False)


def test_lasso_sentences():
    codes = np.array([[0.5, 0, 0]])
    certificate = theory.certify(np.eye(3), codes, signals=2 * codes, alpha=0.5)
    assert "The lasso's only minimiser has this support: 1 of 1 codes" in str(certificate)
    assert "input noise shorter than 0.5." in certificate.describe(0)
    wrong = theory.certify(np.eye(3), codes, signals=-codes, alpha=0.1)
    assert "only minimiser has this support and signs: not certified." in wrong.describe(0)


def test_competitors_with_more_atoms():
    # Two atoms of product 1/2 and a third direction: of one atom the code is unique, of two not.
    atoms = np.array(
        [[1.0, 0, 0], [0.5, math.sqrt(0.75), 0], [0.5, -math.sqrt(0.75), 0], [0, 0, 1]]
    )
    codes = np.array([[1.0, 0, 0, 0], [0, 0, 0, 0]])
    certificate = theory.certify(atoms, codes, noise=1.0, n_nonzero=2)
    (layer,) = certificate.layers
    assert layer.n_competing.tolist() == [2, 2]
    assert not layer.unique[0]  # it is the sum of the other two
    assert layer.support_margin.tolist() == [0, 0]  # a competitor may have more atoms
    # The zero code against one atom of length one, which is within the noise.
    assert layer.error_radius[1] >= 1
    assert "Any other code of at most 2 atoms within 1 of the signal" in certificate.describe(1)
    with pytest.raises(ValueError, match="slack must be a number or have one entry a signal"):
        theory.certify([atoms, np.eye(4)], [codes, codes], slack=[0, np.ones(3)])


def test_nothing_is_unique_where_competitors_may_be_away():
    # theory: with noise, slack or a residual there is a continuum of codes (Papyan et al., 2017).
    codes = codes_of([0], [3])
    signals = codes @ LEANING
    exact = theory.certify([LEANING, np.eye(17)], [codes, codes], signals=signals)
    assert all(layer.unique_from_signal.all() for layer in exact.layers)
    for options in (
        {"noise": 0.1},
        {"slack": [0, 0.1]},
        {"signals": signals + 0.1},
    ):
        given = {"signals": signals, **options}
        deepest = theory.certify([LEANING, np.eye(17)], [codes, codes], **given).layers[1]
        assert deepest.unique.all() and not deepest.unique_from_signal.any()
    one = theory.certify([LEANING, np.eye(17)], [codes, codes], slack=[0, np.array([0, 0.1])])
    assert one.layers[1].unique_from_signal.tolist() == [True, False]


def test_frame():
    pd = pytest.importorskip("pandas")
    codes = codes_of([0], [0, 1, 2])
    frame = theory.certify([LEANING, np.eye(17)], [codes, codes]).to_frame()
    assert frame.index.names == ["layer", "signal"] and len(frame) == 4
    assert isinstance(frame["theorem"].dtype, pd.CategoricalDtype)
    assert frame.loc[(1, 1), "theorem"] == "not certified"
    assert frame.loc[(2, 0), "unique_from_signal"] and not frame.loc[(2, 1), "unique_from_signal"]
    assert "lasso_unique" not in frame


@pytest.mark.parametrize(
    "form", [np.asarray, sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_formats(form):
    codes = codes_of([0], [3, 16])
    before = form(codes)
    (layer,) = theory.certify(LEANING, before).layers
    np.testing.assert_array_equal(layer.n_nonzero, [1, 2])
    np.testing.assert_array_equal(before.toarray() if sparse.issparse(before) else before, codes)


def test_stored_zeros_are_no_atoms():
    codes = sparse.csr_array(([1.0, 0.0, 2.0], [16, 3, 0], [0, 3]), shape=(1, 17))
    assert theory.certify(LEANING, codes).layers[0].n_nonzero[0] == 2
    assert codes.nnz == 3  # left as it was


def test_float32():
    codes = codes_of([0], [0, 16]).astype(np.float32)
    (layer,) = theory.certify(LEANING.astype(np.float32), codes, noise=0.1).layers
    np.testing.assert_array_equal(layer.unique_among, [3, 2])
    assert layer.error_radius[1] == pytest.approx(0.4, rel=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codes": np.full((1, 17), np.nan)}, "codes must be finite"),
        ({"codes": sparse.csr_array(np.full((1, 17), np.inf))}, "codes must be finite"),
        ({"codes": np.ones((2, 16))}, r"and 17 columns, one an atom; got shape \(2, 16\)"),
        ({"codes": np.ones((0, 17))}, "codes must have at least one row"),
        ({"codes": np.ones(17)}, "codes must be a matrix of real numbers"),
        ({"codes": 1j * np.ones((1, 17))}, "codes must be a matrix of real numbers"),
        ({"codes": sparse.csr_array(1j * np.ones((1, 17)))}, "codes must hold real numbers"),
        ({"dictionaries": np.zeros((17, 16))}, "no zero atom"),
        ({"dictionaries": [LEANING, np.eye(3)]}, r"dictionaries\[1\] must have as many features"),
        ({"dictionaries": [LEANING, np.eye(17)]}, "codes must hold one matrix a layer, 2; got 1"),
        ({"signals": np.ones((2, 16))}, r"signals must have shape \(1, 16\)"),
        ({"signals": np.full((1, 16), np.nan)}, "signals must be finite"),
        ({"noise": [0.1, 0.2]}, r"one entry a signal, shape \(1,\); got shape \(2,\)"),
        ({"noise": [-0.1]}, "noise must be finite and at least 0; got -0.1"),
        ({"noise": [math.nan]}, "noise must be finite and at least 0"),
        ({"slack": -1}, "slack must be a finite number of at least 0; got -1"),
        ({"alpha": 0}, "alpha must be positive or None; got 0"),
        ({"alpha": -1}, "alpha must be a finite number of at least 0; got -1"),
        ({"n_nonzero": 18}, r"n_nonzero must be an integer in \[1, 17\]; got 18"),
        ({"spark": 1}, "spark must be an integer of at least 2; got 1"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        theory.certify(**({"dictionaries": LEANING, "codes": codes_of([0])} | arguments))


def test_rows_of_a_stack_agree():
    with pytest.raises(
        ValueError, match=r"codes\[1\] must have as many rows as codes\[0\], 2; got 1"
    ):
        theory.certify([LEANING, np.eye(17)], [codes_of([0], [1]), codes_of([0])])


def test_noise_of_each_signal():
    (layer,) = theory.certify(np.eye(17), codes_of([0], [0]), noise=[0.1, 0.2]).layers
    np.testing.assert_allclose(layer.error_radius, [0.2, 0.4])


@pytest.mark.parametrize("alpha", [None, 0.5])
def test_ten_thousand_codes_within_a_second_and_a_half(alpha):
    # A tenth of what takes less than 10 s for 100 000 codes; no loop over signals.
    rng = np.random.default_rng(0)
    atoms = rng.standard_normal((256, 64))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    supports = np.argsort(rng.random((10_000, 256)), axis=1)[:, :5]
    codes = np.zeros((10_000, 256))
    np.put_along_axis(codes, supports, rng.standard_normal((10_000, 5)), axis=1)
    codes = sparse.csr_array(codes)
    signals = codes @ atoms
    elapsed = []
    for _ in range(3):
        begin = time.perf_counter(), time.process_time()
        (layer,) = theory.certify(atoms, codes, signals=signals, noise=0.1, alpha=alpha).layers
        elapsed.append(min(time.perf_counter() - begin[0], time.process_time() - begin[1]))
    assert min(elapsed) <= 1.5
    # The exact recovery condition passes for about one random support in six.
    assert 0.1 <= (layer.exact_recovery < 1).mean() <= 0.25
