"""Guarantees of pursuits and of stacks: formulas, sentences, refusals."""

import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory

MU = 0.1
EQUAL = np.linalg.cholesky((1 - MU) * np.eye(6) + MU)  # all products are mu


def test_omp_formula():
    guarantee = theory.omp_guarantee(EQUAL, 2, 0.1, 1.0)
    # s < (1 + 1/mu)/2 - eps/(mu min): 2 < 5.5 - 1; eps^2 / (1 - (s-1) mu).
    assert guarantee.certified and guarantee.squared_error == pytest.approx(0.01 / 0.9)
    assert str(guarantee) == (
        "Orthogonal matching pursuit finds a code of 2 atoms from a signal with noise of length at "
        "most 0.1, up to a squared error of 0.01111, with exactly the right support."
    )
    for s, noise, certified in ((5, 0.049, True), (5, 0.051, False), (2, 0.34, True)):
        assert theory.omp_guarantee(EQUAL, s, noise, 1.0).certified == certified
    failing = theory.omp_guarantee(EQUAL, 5, 0.06, 1.0)
    assert failing.squared_error == math.inf and str(failing).startswith("Not certified: nothing")


def test_basis_pursuit_formula():
    guarantee = theory.basis_pursuit_guarantee(EQUAL, 2, 0.1, tolerance=0.2)
    assert guarantee.squared_error == pytest.approx(0.09 / (1 - 7 * MU))
    # s < (1 + 1/mu)/4 = 2.75.
    assert not theory.basis_pursuit_guarantee(EQUAL, 3, 0.1).certified
    with pytest.raises(ValueError, match=r"tolerance must be at least noise = 0\.1; got 0\.05"):
        theory.basis_pursuit_guarantee(EQUAL, 2, 0.1, tolerance=0.05)


def test_lasso_formula():
    guarantee = theory.lasso_guarantee(EQUAL, 2, 0.1, 0.4)
    assert guarantee.max_error == pytest.approx(0.5 / 0.9)
    # alpha (1 - (2s-1) mu) > eps (1 - (s-1) mu).
    for alpha, certified in ((0.13, True), (0.128, False)):
        assert theory.lasso_guarantee(EQUAL, 2, 0.1, alpha).certified == certified
    assert "with no wrong atom in its support" in str(guarantee)


@pytest.mark.parametrize(
    "call",
    [
        lambda n: theory.omp_guarantee(EQUAL, 2, n, 1.0),
        lambda n: theory.basis_pursuit_guarantee(EQUAL, 2, n),
        lambda n: theory.lasso_guarantee(EQUAL, 2, n, 1.0),
        lambda n: theory.layered_stability_bound(EQUAL, 2, n),
        lambda n: theory.error_propagation_bound(EQUAL, n),
        lambda n: theory.layered_thresholding_bound(EQUAL, np.eye(6), n),
        lambda n: theory.layered_basis_pursuit_bound(EQUAL, np.eye(6), n),
        lambda n: theory.certify(EQUAL, np.eye(6), noise=n),
    ],
)
@pytest.mark.parametrize("noise", [-1e-9, math.nan, math.inf, None])
def test_noise(call, noise):
    with pytest.raises(ValueError, match="noise must be a finite number of at least 0; got"):
        call(noise)


@pytest.mark.parametrize(
    "call",
    [
        lambda: theory.layered_stability_bound([], 1, 0.1),
        lambda: theory.error_propagation_bound([], 0.1),
        lambda: theory.error_propagation_bound((), 0.1, residual=True),
        lambda: theory.layered_thresholding_bound([], np.eye(6), 0.1),
        lambda: theory.layered_basis_pursuit_bound([], np.eye(6), 0.1),
        lambda: theory.certify([], np.eye(6)),
        lambda: theory.certify(EQUAL, []),
    ],
)
def test_empty_stacks(call):
    with pytest.raises(ValueError, match="must hold at least one matrix; it is empty"):
        call()


@pytest.mark.parametrize("n_nonzero", [0, 7, 1.5])
def test_empty_and_too_large_supports(n_nonzero):
    for call in (
        lambda: theory.omp_guarantee(EQUAL, n_nonzero, 0.1, 1.0),
        lambda: theory.basis_pursuit_guarantee(EQUAL, n_nonzero, 0.1),
        lambda: theory.lasso_guarantee(EQUAL, n_nonzero, 0.1, 1.0),
        lambda: theory.layered_stability_bound(EQUAL, n_nonzero, 0.1),
        lambda: theory.error_propagation_bound(EQUAL, 0.1, n_nonzero=n_nonzero),
    ):
        with pytest.raises(ValueError, match=r"n_nonzero must be an integer in \[1, 6\]; got"):
            call()


def test_min_coefficient():
    with pytest.raises(ValueError, match="min_coefficient must be positive; got 0"):
        theory.omp_guarantee(EQUAL, 2, 0.1, 0)


def test_layered_stability_of_two_equal_layers():
    two = np.array([[1, 0], [0.8, 0.6], [0, 1]])
    lower = 1 - 0.8
    stack = [two, np.eye(3)]
    bound = theory.layered_stability_bound(stack, 1, 0.5)
    np.testing.assert_allclose(bound.by_layers, [1 / lower, 4 / lower])
    np.testing.assert_allclose(bound.by_exact_chain, [1 / lower, 1 / lower])
    np.testing.assert_allclose(bound.by_effective, [1 / lower, 1 / lower])
    np.testing.assert_allclose(bound.squared_error, [1 / lower, 1 / lower])
    assert "Layer 2: the squared distance of two codes of at most 1 atom is at most 5" in str(bound)
    slack = theory.layered_stability_bound(stack, 1, 0.5, slack=[9, 0.1])
    distance = 1 / math.sqrt(lower)
    np.testing.assert_allclose(np.sqrt(slack.by_exact_chain), [distance, distance + 0.2])
    silent = theory.layered_stability_bound(stack, 2, 0.5)
    assert not silent.certified and "Layer 1: stability is not certified" in str(silent)


def test_effective_dictionary_may_vanish():
    # The second layer's atom is orthogonal to the first's: no atom of the product is left.
    stack = [np.array([[1.0, 0], [1.0, 0], [0, 1.0]]), np.array([[1.0, -1.0, 0], [0, 0, 1.0]])]
    bound = theory.layered_stability_bound(stack, 1, 0.5)
    assert bound.by_effective[1] == math.inf
    codes = [np.array([[1.0, -1.0, 0]]), np.array([[1.0, 0]])]
    certificate = theory.certify(stack, codes)
    assert not certificate.layers[1].unique_from_signal[0]


def test_forward_model_and_shapes():
    stack = [np.ones((2, 3)), np.ones((3, 4))]
    bound = theory.layered_stability_bound(stack, 1, 0.5, model="forward", slack=0.1)
    first = math.sqrt(6) + 0.2
    np.testing.assert_allclose(np.sqrt(bound.squared_error[0]), first)
    assert theory.error_propagation_bound(stack, 1.0).by_norms[1] == pytest.approx(6 * 12)
    # Inputs without effect: the bound is that of the other rows.
    padded = [np.vstack([stack[0], np.zeros((1, 3))]), stack[1]]
    for layers in (padded, [stack[0], np.diag([0.0, 1, 1])], [np.zeros((2, 3))]):
        bound = theory.error_propagation_bound(layers, 1.0, n_nonzero=1)
        norms = np.cumprod([np.linalg.norm(layer, 2) for layer in layers])
        assert (bound.squared_error <= norms**2 * (1 + 1e-12)).all()
        theory.layered_stability_bound(layers, 1, 0.5, model="forward")
    with pytest.raises(ValueError, match=r"dictionaries\[1\] must have as many features as dict"):
        theory.layered_stability_bound(stack, 1, 0.5)
    with pytest.raises(ValueError, match=r"dictionaries\[1\] must have as many components as dict"):
        theory.error_propagation_bound(stack[::-1], 0.5)
    with pytest.raises(ValueError, match='model must be "synthesis" or "forward"; got \'back\''):
        theory.layered_stability_bound(stack, 1, 0.5, model="back")
    with pytest.raises(ValueError, match="n_nonzero must have one entry a layer, 2; got 3"):
        theory.layered_stability_bound([np.eye(2)] * 2, [1, 1, 1], 0.5)
    with pytest.raises(ValueError, match="slack must be a finite number of at least 0; got -1"):
        theory.layered_stability_bound([np.eye(2)] * 2, 1, 0.5, slack=-1)


def test_propagation_formula():
    # ||D_1||^2 eps^2 (1 + (2s-1) mu): mirrored from the printed sign.
    first = np.eye(6) * 2
    bound = theory.error_propagation_bound([first, EQUAL], 0.5, n_nonzero=2)
    assert bound.by_norms[1] == pytest.approx(1 + 5 * MU)
    assert bound.by_coherence[1] == pytest.approx(1 + 3 * MU)
    assert "(by the norms 1.5, by coherence 1.3)" in str(bound)
    assert theory.error_propagation_bound([first], 0.0).squared_error[0] == 0


def test_residual_layers():
    bound = theory.error_propagation_bound([0.5 * np.eye(3), 0 * np.eye(3)], 2.0, residual=True)
    np.testing.assert_allclose(bound.squared_error, [9, 9])
    with pytest.raises(ValueError, match=r"dictionaries\[0\] must be square for a residual layer"):
        theory.error_propagation_bound([np.ones((2, 3))], 1.0, residual=True)
    with pytest.raises(ValueError, match="n_nonzero must be None for residual layers; got 2"):
        theory.error_propagation_bound([np.eye(3)], 1.0, residual=True, n_nonzero=2)


def test_bilipschitz_sentences():
    assert str(theory.bilipschitz_bound([0.5])) == (
        "The stack is invertible: it stretches distances at most 1.5 times and keeps 0.5 of them."
    )
    assert "Invertibility is not certified" in str(theory.bilipschitz_bound([1.5]))
    assert "1 of 2 stacks" in str(theory.bilipschitz_bound([[0.5], [2.0]]))


@pytest.mark.parametrize("lipschitz", [[-0.1], [math.nan], [math.inf], [], 0.5, ["a"]])
def test_lipschitz(lipschitz):
    with pytest.raises(ValueError, match="lipschitz must"):
        theory.bilipschitz_bound(lipschitz)


@pytest.mark.parametrize("function", [theory.extreme_singular_values, theory.spectral_density])
def test_operators(function):
    from scipy import sparse

    with pytest.raises(ValueError, match="operator must be finite"):
        function(sparse.csr_array(np.array([[1.0, np.nan]])))
    with pytest.raises(ValueError, match="operator must be finite"):
        function(np.array([[1.0, np.inf]]))
    with pytest.raises(ValueError, match="operator must be real; got dtype complex128"):
        function(sparse.csr_array(np.array([[1j, 0]])))


def test_options_of_operators():
    with pytest.raises(ValueError, match=r'kind must be "singular" or "eigen"; got'):
        theory.spectral_density(np.eye(2), kind="svd")
    with pytest.raises(ValueError, match='must be symmetric for kind="eigen"'):
        theory.spectral_density([[0.0, 1.0], [0.0, 0.0]], kind="eigen")
    with pytest.raises(ValueError, match=r'square for kind="eigen"; got shape \(2, 3\)'):
        theory.spectral_density(np.ones((2, 3)), kind="eigen")
    with pytest.raises(ValueError, match=r'which must be "largest" or "smallest"; got'):
        theory.extreme_singular_values(np.eye(2), 1, which="LM")
    with pytest.raises(ValueError, match=r"n_values must be an integer in \[1, 2\]; got 3"):
        theory.extreme_singular_values(np.eye(2), 3)
    with pytest.raises(ValueError, match="width must be positive; got 0"):
        theory.spectral_density(np.eye(2)).density([1.0], width=0)
    assert "2 largest singular values" in str(theory.extreme_singular_values(np.eye(3), 2))
