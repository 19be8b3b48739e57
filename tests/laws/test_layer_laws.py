"""Stability and propagation through stacks: no pair of codes is further apart than certified."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_resnet_sc import theory

from .strategies import dictionaries, law, seeds, square_matrices


def random_stack(rng, sizes, *, lengths):
    """Sparse, well conditioned layers: perturbed permutations with more atoms than features."""
    stack = []
    for n, k in itertools.pairwise(sizes):
        atoms = np.eye(n)[rng.permutation(n)]
        extra = rng.standard_normal((k - n, n))
        atoms = np.vstack([atoms, extra]) + 0.02 * rng.standard_normal((k, n))
        atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
        if lengths:
            atoms *= rng.uniform(0.5, 2, (k, 1))
        stack.append(atoms)
    return stack


@st.composite
def chains(draw):
    """A stack and two exact chains of codes; the sparsity of each layer."""
    rng = np.random.default_rng(draw(seeds))
    n_layers = draw(st.integers(1, 4))
    sizes = [draw(st.integers(2, 34))]
    for _ in range(n_layers):
        sizes.append(sizes[-1] + draw(st.integers(0, 2)))
    stack = random_stack(rng, sizes, lengths=draw(st.booleans()))
    pair = []
    s = draw(st.integers(1, 2))
    for _ in range(2):
        code = np.zeros(sizes[-1])
        code[rng.permutation(sizes[-1])[:s]] = rng.standard_normal(s)
        codes = [code]
        for dictionary in stack[:0:-1]:
            codes.append(codes[-1] @ dictionary)
        pair.append(codes[::-1])
    return stack, pair


@law
@given(chains())
def test_two_exact_chains_are_as_near_as_certified(chain):
    stack, (first, second) = chain
    counts = [
        max(1, np.count_nonzero(a), np.count_nonzero(b)) for a, b in zip(first, second, strict=True)
    ]
    # The signal half way: both are as far from it as can be.
    noise = float(np.linalg.norm((first[0] - second[0]) @ stack[0])) / 2
    bound = theory.layered_stability_bound(stack, counts, noise)
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        distance = ((a - b) ** 2).sum()
        for form in ("by_layers", "by_exact_chain", "by_effective", "by_projection"):
            assert distance <= getattr(bound, form)[i] * (1 + 1e-9), form
            assert bound.squared_error[i] <= getattr(bound, form)[i]
        assert distance <= bound.squared_error[i] * (1 + 1e-9)
        if i:
            assert bound.by_exact_chain[i] <= bound.by_layers[i] * (1 + 1e-12)


@law
@given(chains(), seeds, st.floats(0, 1))
def test_two_chains_with_slack(chain, seed, size):
    stack, (first, second) = chain
    rng = np.random.default_rng(seed)
    shift = [size * rng.standard_normal(len(code)) * (code != 0) for code in first]
    first = [code + change for code, change in zip(first, shift, strict=True)]
    slack = [0.0]
    for i in range(1, len(stack)):
        left = [codes[i - 1] - codes[i] @ stack[i] for codes in (first, second)]
        slack.append(max(float(np.linalg.norm(each)) for each in left))
    noise = float(np.linalg.norm((first[0] - second[0]) @ stack[0])) / 2
    counts = [
        max(1, np.count_nonzero(a), np.count_nonzero(b)) for a, b in zip(first, second, strict=True)
    ]
    bound = theory.layered_stability_bound(stack, counts, noise, slack=slack)
    for i, (a, b) in enumerate(zip(first, second, strict=True)):
        distance = ((a - b) ** 2).sum()
        for values in (
            bound.by_exact_chain,
            bound.by_effective,
            bound.by_projection,
            bound.squared_error,
        ):
            assert distance <= values[i] * (1 + 1e-9)


@given(st.integers(1, 5), st.integers(1, 40), seeds)
def test_exact_chain_is_attained_by_orthogonal_layers(n_layers, n, seed):
    # ||Delta_i|| = 2 eps in every layer, where the form layer by layer says 2^i eps.
    rng = np.random.default_rng(seed)
    stack = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(n_layers)]
    bound = theory.layered_stability_bound(stack, n, 1.0)
    np.testing.assert_allclose(bound.squared_error, 4, rtol=1e-11)
    np.testing.assert_allclose(bound.by_layers, 4.0 ** np.arange(1, n_layers + 1), rtol=1e-11)


@law
@given(dictionaries(), st.data())
def test_single_layer_contains_the_plain_bound(dictionary, data):
    s = data.draw(st.integers(1, len(dictionary)))
    plain = theory.stability_bound(dictionary, s, 0.5)
    layered = theory.layered_stability_bound(dictionary, s, 0.5)
    isometry = 1 - (2 * s - 1) * plain.coherence
    if isometry > 1e-3 and dictionary.dtype == np.float64:
        assert layered.squared_error[0] <= plain.by_coherence * (1 + 1e-9)


@law
@given(chains())
def test_forward_chains(chain):
    # T_i = T_{i-1} D_i runs the same matrices from the other end.
    stack, (first, second) = chain
    layers = stack[::-1]
    starts = first[-1], second[-1]
    noise = float(np.linalg.norm(starts[0] - starts[1]))
    counts, states, pairs = [], list(starts), []
    for dictionary in layers:
        states = [np.maximum(state @ dictionary, 0) for state in states]  # non-expansive
        counts.append(max(1, *(np.count_nonzero(state) for state in states)))
        pairs.append(((states[0] - states[1]) ** 2).sum())
    bound = theory.error_propagation_bound(layers, noise, n_nonzero=counts)
    both = theory.layered_stability_bound(layers, counts, noise / 2, model="forward")
    for i, distance in enumerate(pairs):
        for values in (bound.by_norms, bound.by_coherence, bound.squared_error):
            assert distance <= values[i] * (1 + 1e-9) + 1e-300
    np.testing.assert_allclose(both.squared_error, bound.squared_error, rtol=1e-9)


@given(st.integers(1, 5), st.integers(1, 40), seeds)
def test_propagation_is_attained_by_orthogonal_layers(n_layers, n, seed):
    rng = np.random.default_rng(seed)
    stack = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(n_layers)]
    bound = theory.error_propagation_bound(stack, 0.5, n_nonzero=n)
    np.testing.assert_allclose(bound.squared_error, 0.25, rtol=1e-11)
    error = rng.standard_normal(n)
    error *= 0.5 / np.linalg.norm(error)
    for dictionary in stack:
        error = error @ dictionary
    assert (error**2).sum() == pytest.approx(bound.squared_error[-1], rel=1e-11)
    # A quarter of it, as with the lower isometry in place of the upper one, is violated.
    assert (error**2).sum() > bound.squared_error[-1] / 4


@law
@given(st.lists(square_matrices(max_norm=1.5), min_size=1, max_size=1), st.integers(1, 4), seeds)
def test_residual_blocks_are_bilipschitz(matrices, n_blocks, seed):
    # h + tanh(h R): tanh is non-expansive.
    matrix = matrices[0].astype(np.float64)
    rng = np.random.default_rng(seed)
    blocks = [matrix * rng.uniform(0.2, 1) for _ in range(n_blocks)]
    norms = [np.linalg.norm(block, 2) for block in blocks]
    bound = theory.bilipschitz_bound(norms)
    x = rng.standard_normal((2, len(matrix))) * 10.0 ** rng.integers(-3, 2)
    start = np.linalg.norm(x[0] - x[1])
    for block in blocks:
        x = x + np.tanh(x @ block)
    end = np.linalg.norm(x[0] - x[1])
    slack = 1e-12 * np.linalg.norm(x)
    assert bound.lower * start - slack <= end <= bound.upper * start + slack
    assert bound.invertible == (max(norms) < 1)
    grown = theory.error_propagation_bound(blocks, start, residual=True)
    assert end**2 <= grown.squared_error[-1] * (1 + 1e-9) + slack


@given(st.lists(st.floats(0, 0.99), min_size=1, max_size=5))
def test_bilipschitz_is_attained_by_multiples_of_the_identity(constants):
    bound = theory.bilipschitz_bound(constants)
    shrunk = grown = 1.0
    for constant in constants:
        shrunk, grown = shrunk * (1 - constant), grown * (1 + constant)
    assert bound.lower == pytest.approx(shrunk, rel=1e-12)
    assert bound.upper == pytest.approx(grown, rel=1e-12)


def test_bilipschitz_just_past_the_condition():
    # L = 1: h - h is constant, so nothing bounds it from below and it is not invertible.
    assert not theory.bilipschitz_bound([0.5, 1.0]).invertible
    many = theory.bilipschitz_bound([[0.5, 0.5], [0.5, 1.0]])
    np.testing.assert_array_equal(many.invertible, [True, False])


@law
@given(chains(), st.integers(-200, 200))
def test_scale_of_the_dictionary(chain, exponent):
    # Codes of 2^e D are 2^-e times as long.
    stack, _ = chain
    first = theory.layered_stability_bound(stack, 1, 0.5)
    scaled = [np.ldexp(stack[0], exponent), *stack[1:]]
    other = theory.layered_stability_bound(scaled, 1, 0.5)
    finite = np.isfinite(first.squared_error)
    np.testing.assert_array_equal(finite, np.isfinite(other.squared_error))
    np.testing.assert_allclose(
        other.squared_error[finite],
        first.squared_error[finite] * math.ldexp(1, -2 * exponent),
        rtol=1e-9,
    )
