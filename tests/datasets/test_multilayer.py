"""Planted signals of many layers: the model holds, and the numbers are what was asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_resnet_sc.datasets import make_multilayer_sparse_signals


@st.composite
def plans(draw):
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    inner = [draw(st.integers(1, above)) for above in sizes[:-1]]
    return {
        "n_samples": draw(st.integers(1, 10)),
        "n_features": draw(st.integers(1, 10)),
        "n_components": sizes,
        "n_nonzero_coefs": draw(st.integers(1, sizes[-1])),
        "atom_nonzero": inner,
        "coefficients": draw(st.sampled_from(["gaussian", "uniform", "laplace", "signs"])),
        "random_state": draw(st.integers(0, 2**31)),
    }


@given(plans())
def test_the_model_holds(plan):
    X, dictionaries, codes = make_multilayer_sparse_signals(**plan)
    sizes = [plan["n_features"], *plan["n_components"]]
    assert X.shape == (plan["n_samples"], sizes[0])
    above = X
    for i, (dictionary, code) in enumerate(zip(dictionaries, codes, strict=True)):
        assert dictionary.shape == (sizes[i + 1], sizes[i])
        assert code.shape == (plan["n_samples"], sizes[i + 1])
        np.testing.assert_allclose(np.linalg.norm(dictionary, axis=1), 1)
        np.testing.assert_allclose(code @ dictionary, above, atol=1e-12 * max(1, abs(code).max()))
        if i:
            nonzero = np.count_nonzero(dictionary, axis=1)
            np.testing.assert_array_equal(nonzero, plan["atom_nonzero"][i - 1])
        above = code
    np.testing.assert_array_equal(np.count_nonzero(codes[-1], axis=1), plan["n_nonzero_coefs"])
    # Not more atoms in a layer than those below can make nonzero.
    most = plan["n_nonzero_coefs"]
    for code, inner in zip(codes[-2::-1], plan["atom_nonzero"][::-1], strict=True):
        most *= inner
        assert np.count_nonzero(code, axis=1).max() <= most


@pytest.mark.parametrize("snr", [20, 40.0, -3])
def test_noise_is_as_loud_as_asked(snr):
    options = {"n_samples": 50, "random_state": 0}
    clean = make_multilayer_sparse_signals(**options)
    noisy = make_multilayer_sparse_signals(**options, snr=snr)
    for a, b in zip([*clean[1], *clean[2]], [*noisy[1], *noisy[2]], strict=True):
        np.testing.assert_array_equal(a, b)
    ratio = np.linalg.norm(clean[0]) / np.linalg.norm(noisy[0] - clean[0])
    assert 20 * np.log10(ratio) == pytest.approx(snr)


def test_float32_is_the_same_rounded():
    double = make_multilayer_sparse_signals(20, random_state=3)
    single = make_multilayer_sparse_signals(20, random_state=3, dtype=np.float32)
    for a, b in zip([double[0], *double[1], *double[2]], [single[0], *single[1], *single[2]],
                    strict=True):  # fmt: skip
        assert b.dtype == np.float32
        np.testing.assert_array_equal(a.astype(np.float32), b)


def test_a_seed_is_a_seed_and_a_stream_goes_on():
    first = make_multilayer_sparse_signals(5, random_state=1)[0]
    np.testing.assert_array_equal(first, make_multilayer_sparse_signals(5, random_state=1)[0])
    stream = np.random.RandomState(1)
    np.testing.assert_array_equal(first, make_multilayer_sparse_signals(5, random_state=stream)[0])
    assert (first != make_multilayer_sparse_signals(5, random_state=stream)[0]).any()


def test_supports_are_equally_likely():
    # 20000 draws of 2 atoms of 5: each is in 2/5 of them, to within five standard errors.
    deepest = make_multilayer_sparse_signals(20000, 4, 5, 2, random_state=0)[2][0]
    share = (deepest != 0).mean(axis=0)
    assert np.abs(share - 0.4).max() < 5 * np.sqrt(0.24 / 20000)


def test_coefficients_by_a_function():
    def law(random_state, shape):
        return np.full(shape, 7.0)

    codes = make_multilayer_sparse_signals(5, 4, 5, 2, coefficients=law, random_state=0)[2][0]
    assert set(np.unique(codes)) == {0.0, 7.0}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"n_features": 0}, "n_features"),
        ({"n_components": ()}, r"one entry a layer; got \(\)"),
        ({"n_components": (4, 0)}, r"n_components\[1\] \(layer 2\)"),
        ({"n_nonzero_coefs": 0}, "n_nonzero_coefs"),
        ({"n_nonzero_coefs": 257}, "at most the 256 atoms of the deepest layer; got 257"),
        ({"atom_nonzero": [1, 2]}, r"each of the 1 inner dictionaries; got \[1, 2\]"),
        ({"atom_nonzero": 129}, r"atom_nonzero\[0\] \(layer 2\) must be at most the 128 atoms"),
        ({"atom_nonzero": 0}, r"atom_nonzero\[0\] \(layer 2\)"),
        ({"atom_nonzero": None}, "atom_nonzero must be a number or"),
        ({"n_components": None}, "one entry a layer; got None"),
        ({"dtype": int}, "dtype must be a floating point type; got int64"),
        ({"snr": "loud"}, "snr must be a number of decibels or None; got 'loud'"),
        ({"snr": np.inf}, "snr must be a number"),
        ({"coefficients": "cauchy"}, "coefficients must be one of .* or callable; got 'cauchy'"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError, match=message):
        make_multilayer_sparse_signals(**options)
