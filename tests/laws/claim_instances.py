"""Instances of the paper's claims, one strategy for each: structured, degenerate and random.

Entries are often quarters, so that sums and products are exact and conditions such as
"the same signal" or "an entry is zero" are met on purpose.
"""

import math
from itertools import pairwise

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from .strategies import eighths, seeds, square_matrices

quarters = st.integers(-8, 8).map(lambda value: value / 4)
activations = st.sampled_from(
    ["relu", "leaky_relu", "tanh", "elu", "selu", "silu", "gelu", "sigmoid"]
)


@st.composite
def sizes(draw, most=5):
    """Mostly small, where conditions are met on purpose; sometimes up to eight times as many."""
    size = draw(st.integers(1, most))
    return size * draw(st.sampled_from([1, 1, 1, 40 // most]))


def quarter_arrays(shape):
    """Small ones entry by entry, so that they shrink; others from a seed."""
    if math.prod(shape) <= 36:
        return npst.arrays(float, shape, elements=quarters)
    return seeds.map(lambda seed: np.random.default_rng(seed).integers(-8, 9, shape) / 4)


@st.composite
def arrays(draw, *shape):
    """Zero, quarters, or Gaussian numbers."""
    kind = draw(st.sampled_from(["zero", "quarters", "quarters", "gaussian", "gaussian"]))
    if kind == "zero":
        return np.zeros(shape)
    if kind == "quarters":
        return draw(quarter_arrays(shape))
    return np.random.default_rng(draw(seeds)).standard_normal(shape)


@st.composite
def sparse_codes(draw, size, max_nonzero=None):
    code = np.zeros(size)
    count = draw(st.integers(0, min(size, max_nonzero or size)))
    atoms = draw(st.permutations(range(size)))[:count]
    code[atoms] = draw(npst.arrays(float, count, elements=quarters))
    return code


@st.composite
def larger_matrices(draw):
    """Up to 40 rows, around norm 1."""
    n = draw(st.integers(13, 40))
    rng = np.random.default_rng(draw(seeds))
    matrix = rng.standard_normal((n, n)) / (2 * math.sqrt(n))
    if draw(st.booleans()):
        matrix = np.linalg.qr(matrix)[0]
    return matrix * draw(st.sampled_from([0.1, 0.9, 1, 3]))


squares = st.one_of(
    eighths(5), square_matrices(), square_matrices(max_norm=0.999), larger_matrices()
)


@st.composite
def square_of(draw, n):
    if draw(st.booleans()):
        return draw(quarter_arrays((n, n)))
    matrix = np.random.default_rng(draw(seeds)).standard_normal((n, n))
    if draw(st.booleans()):
        matrix = np.linalg.qr(matrix)[0]
    return matrix * (draw(st.floats(0, 1.2)) / np.linalg.norm(matrix, 2))


@st.composite
def atoms(draw, k, n):
    """A dictionary without zero atoms: orthogonal, incoherent, any, of unit length or not."""
    kind = draw(st.sampled_from(["identity", "orthogonal", "near", "any", "quarters"]))
    rng = np.random.default_rng(draw(seeds))
    dictionary = rng.standard_normal((k, n))
    if kind == "quarters":
        dictionary = draw(quarter_arrays((k, n)))
    elif kind == "identity":
        dictionary = np.eye(k, n)
    elif kind == "orthogonal":
        dictionary = np.linalg.qr(rng.standard_normal((max(k, n),) * 2))[0][:k, :n]
    elif kind == "near":
        dictionary = np.eye(k, n) + draw(st.integers(-9, 9)) * dictionary / (30 * math.sqrt(n))
    dictionary[~dictionary.any(axis=1)] = 1
    if draw(st.integers(0, 2)):
        dictionary /= np.linalg.norm(dictionary, axis=1, keepdims=True)
    return dictionary


@st.composite
def dependent_atoms(draw):
    """A dictionary whose last atom is a sum of others, and two codes of one signal."""
    n = draw(sizes(4))
    dictionary = draw(st.one_of(st.just(np.eye(n)), atoms(n, n)))
    weights = draw(sparse_codes(n).filter(np.any))
    atom = weights @ dictionary
    length = np.linalg.norm(atom)
    if length < 1e-3:
        weights, atom, length = np.eye(n)[0], dictionary[0], np.linalg.norm(dictionary[0])
    code = np.append(weights / length, 0)
    pair = [code, np.eye(n + 1)[-1]]
    scale = draw(st.sampled_from([0.25, 1, 3]))
    first, second = draw(st.permutations(pair))
    second = first if draw(st.booleans()) else second
    return np.vstack([dictionary, atom / length]), scale * first, scale * second


@st.composite
def chains(draw, max_layers=3, min_layers=1):
    """Dictionaries that follow one another; each row is an atom for the layer before."""
    widths = [draw(sizes(4)) for _ in range(draw(st.integers(min_layers, max_layers)) + 1)]
    return [draw(atoms(k, n)) for k, n in pairwise(widths)]


@st.composite
def layers_on_data(draw, names, square=False):
    n = draw(sizes())
    m = n if square else draw(sizes())
    shapes = {"W": (n, m), "h": (m,), "alpha": (m,), "b": (n,)}
    instance = {name: draw(arrays(*shapes[name])) for name in names if name in shapes}
    if "alpha" in names:  # another code of the same output, or the same code
        step = draw(st.sampled_from([0.0, 1.0]))
        kernel = np.linalg.svd(instance["W"])[2][np.linalg.matrix_rank(instance["W"]) :]
        instance["alpha"] = instance["h"] + step * kernel.sum(axis=0)
    if "activation" in names:
        instance["activation"] = draw(activations)
    if "inputs" in names:
        inputs = draw(arrays(draw(st.integers(1, 5)), m))
        if draw(st.booleans()):  # one direction: all with the same active units
            inputs = np.outer(np.arange(1, len(inputs) + 1), inputs[0])
        instance["inputs"] = inputs
    return instance


@st.composite
def pairs_of_factors(draw):
    k, n = draw(sizes(4)), draw(sizes(4))
    dictionary, code = draw(atoms(k, n)), draw(arrays(k))
    other_dictionary, other_code = draw(
        st.one_of(
            st.tuples(st.just(dictionary), arrays(k)),
            st.tuples(atoms(k, n), st.just(code)),
            st.just((-dictionary, -code)),
            st.tuples(atoms(k, n), arrays(k)),
        )
    )
    return {
        "signal": draw(arrays(n)),
        "dictionary": dictionary,
        "code": code,
        "other_dictionary": other_dictionary,
        "other_code": other_code,
        "penalty": draw(st.floats(0, 4)),
    }


@st.composite
def learning_problems(draw):
    count, k, n = draw(sizes()), draw(sizes(4)), draw(sizes(4))
    dictionary = draw(atoms(k, n))
    dictionary = dictionary / np.linalg.norm(dictionary, axis=1, keepdims=True)
    codes = draw(quarter_arrays((count, k)))
    return {
        "signals": codes @ dictionary + draw(st.floats(0, 1)) * draw(arrays(count, n)),
        "codes": codes,
        "dictionary": dictionary,
        "penalty": draw(st.floats(0, 4)),
    }


@st.composite
def two_factorizations(draw):
    k = draw(sizes(4))
    n = draw(st.integers(k, min(k + 4, 40)))
    rng = np.random.default_rng(draw(seeds))
    kind = draw(st.sampled_from(["permutation", "rotation", "shear"]))
    if kind == "permutation":
        mixing = rng.permutation(np.eye(k)) * draw(st.sampled_from([1, -2, 0.5]))
    elif kind == "rotation":
        mixing = np.linalg.qr(rng.standard_normal((k, k)))[0]
    else:
        mixing = np.eye(k) + np.diag(np.ones(k - 1), 1) * draw(quarters)
    codes, dictionary = draw(arrays(draw(st.integers(1, 4)), k)), draw(atoms(k, n))
    return {
        "codes": codes,
        "dictionary": dictionary,
        "other_codes": codes @ np.linalg.inv(mixing),
        "other_dictionary": mixing @ dictionary,
    }


@st.composite
def activated_codes(draw):
    n = draw(sizes())
    dictionary = draw(atoms(n, n))
    kind = draw(st.sampled_from(["permutation", "positive", "any"]))
    if kind == "permutation":
        lengths = draw(npst.arrays(float, n, elements=st.sampled_from([-2.0, 0.5, 1.0])))
        dictionary = np.diag(lengths)[draw(st.permutations(range(n)))]
    code = draw(sparse_codes(n))
    if kind == "positive":
        dictionary, code = np.abs(dictionary), np.abs(code)
    return {"dictionary": dictionary, "code": code, "activation": draw(activations)}


@st.composite
def coding_problems(draw):
    dictionaries = draw(chains())
    length = len(dictionaries)
    return {
        "signal": draw(sparse_codes(len(dictionaries[0]))),
        "dictionaries": dictionaries,
        "n_nonzero_coefs": draw(npst.arrays(int, length, elements=st.integers(0, 4))),
        "tolerances": draw(npst.arrays(float, length, elements=st.sampled_from([0.0, 0.1, 2.0]))),
    }


@st.composite
def two_solutions(draw):
    dictionaries = draw(chains())
    signal = draw(arrays(len(dictionaries[0])))
    tolerances = draw(
        npst.arrays(float, len(dictionaries), elements=st.sampled_from([0.0, 0.25, 1.0]))
    )
    codes = ([], [])
    for solution in codes:
        code = signal
        for dictionary, tolerance in zip(dictionaries, tolerances, strict=True):
            step = draw(arrays(dictionary.shape[1]))
            size = np.linalg.norm(step)
            reach = draw(st.sampled_from([0, 0.5, 1])) * tolerance
            code = code @ dictionary + (step * (reach / size) if size else 0)
            solution.append(code)
    return {
        "signal": signal,
        "dictionaries": dictionaries,
        "layer_codes": codes[0],
        "other_layer_codes": codes[1],
        "tolerances": tolerances,
    }


@st.composite
def two_codes(draw, with_signal):
    if draw(st.booleans()):
        dictionary, code, other_code = draw(dependent_atoms())
    else:
        k, n = draw(sizes()), draw(sizes())
        dictionary = draw(atoms(k, n))
        code, other_code = draw(sparse_codes(k, 2)), draw(sparse_codes(k, 2))
    instance = {"dictionary": dictionary, "code": code, "other_code": other_code}
    if with_signal:
        middle = (code + other_code) @ dictionary / 2
        # In the middle both codes are equally far, which is the worst case.
        away = draw(st.sampled_from([0, 0.5]))
        instance["signal"] = middle + away * draw(arrays(dictionary.shape[1]))
    return instance


@st.composite
def two_chains(draw, names):
    dictionaries = draw(chains())
    k, n = len(dictionaries[0]), dictionaries[-1].shape[1]
    first, second = draw(sparse_codes(k, 2)), draw(sparse_codes(k, 2))
    if draw(st.booleans()):  # the same output from two inputs
        dictionary, first, second = draw(dependent_atoms())
        if draw(st.booleans()):
            first, second = first - second, np.zeros_like(first)
        k, n = dictionary.shape
        dictionaries = [np.eye(k), dictionary]
    end = first + second
    for dictionary in dictionaries:
        end = end @ dictionary
    return dict(
        zip(names, (first, second), strict=True),
        dictionaries=dictionaries,
        **({} if "signal" in names else {"signal": end / 2 + draw(st.booleans()) * np.ones(n) / 4}),
    )


@st.composite
def noisy_inputs(draw, layers):
    dictionaries = draw(chains(max_layers=layers, min_layers=1))
    k = len(dictionaries[0])
    instance = {"signal": draw(sparse_codes(k)), "noise": draw(sparse_codes(k))}
    if layers == 1:
        return {**instance, "dictionary": dictionaries[0]}
    return {**instance, "dictionaries": dictionaries}


_square = st.fixed_dictionaries({"D": squares})

INSTANCES = {
    "L1": layers_on_data(("W", "h", "b")),
    "L2": layers_on_data(("W", "h", "alpha")),
    "L3": pairs_of_factors(),
    "C5": learning_problems(),
    "L4": two_factorizations(),
    "B1": layers_on_data(("W", "h", "activation")),
    "B2": layers_on_data(("W", "inputs", "activation")),
    "B3": activated_codes(),
    "B4": layers_on_data(("W", "h", "activation")),
    "B5": layers_on_data(("W", "h", "b", "activation"), square=True),
    **dict.fromkeys(("A6a", "A6", "A6b", "A1", "A2", "A2a", "A2b"), _square),
    "A0": st.integers(1, 40).map(lambda n: {"D": np.zeros((n, n))}),
    **dict.fromkeys(("A3", "A3a", "A5a", "A5", "A4", "A5b"), _square),
    "A4a": sizes().flatmap(
        lambda n: st.fixed_dictionaries({"layers": st.lists(square_of(n), min_size=1, max_size=4)})
    ),
    "C0": coding_problems(),
    "C0a": two_solutions(),
    "C1": two_codes(with_signal=False),
    "C1a": two_codes(with_signal=True),
    "C2": two_codes(with_signal=False).map(
        lambda pair: {"dictionary": pair["dictionary"], "code": pair["code"]}
    ),
    "C1b": two_chains(("signal", "other_signal")),
    "C3a": two_codes(with_signal=True),
    "C3": two_codes(with_signal=True),
    "C3b": two_chains(("code", "other_code")),
    "C4a": noisy_inputs(layers=1),
    "C4b": noisy_inputs(layers=3),
    "C4": noisy_inputs(layers=3),
}
