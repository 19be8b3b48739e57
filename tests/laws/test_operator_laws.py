"""Spectra by products alone against decompositions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import LinearOperator

from sklearn_resnet_sc import theory

from .strategies import law, seeds, square_matrices


@law
@given(square_matrices(), st.sampled_from(["largest", "smallest"]), st.data())
def test_extreme_singular_values(matrix, which, data):
    n = len(matrix)
    count = data.draw(st.integers(1, n))
    rectangular = matrix[: max(1, n - data.draw(st.integers(0, 2)))]
    count = min(count, len(rectangular))
    found = theory.extreme_singular_values(rectangular, count, which=which)
    sigma = np.linalg.svd(rectangular.astype(np.float64), compute_uv=False)
    for low, high in found.intervals:
        assert ((sigma >= low * (1 - 1e-12) - 1e-300) & (sigma <= high * (1 + 1e-12))).any()
    expected = sigma[:count] if which == "largest" else sigma[len(sigma) - count :]
    # Squares lose half of the digits, as the intervals say.
    slack = 1e-6 * max(sigma[0], 1e-300)
    assert np.abs(found.values - expected).max() <= slack


@pytest.mark.parametrize("form", ["sparse", "operator", "dense"])
@pytest.mark.parametrize("which", ["largest", "smallest"])
def test_extreme_values_of_a_large_operator(form, which):
    rng = np.random.default_rng(0)
    diagonal = rng.uniform(0.5, 1.5, 3000)
    matrix = sparse.diags_array(diagonal, format="csr")
    if form == "operator":
        size = (3000, 3000)
        matrix = LinearOperator(size, matvec=lambda x: diagonal * x, rmatvec=lambda x: diagonal * x)
    elif form == "dense":
        matrix, diagonal = np.diag(diagonal[:200]), diagonal[:200]
    found = theory.extreme_singular_values(matrix, 3, which=which, tol=1e-6)
    expected = np.sort(diagonal)[::-1]
    expected = expected[:3] if which == "largest" else expected[-3:]
    np.testing.assert_allclose(found.values, expected, atol=1e-3)
    for low, high in found.intervals:
        assert ((diagonal >= low) & (diagonal <= high)).any()


@pytest.mark.parametrize("rank", [3, 30, 100])
@pytest.mark.parametrize("n_values", [1, 3])
def test_smallest_values_of_a_large_singular_operator(rank, n_values):
    rng = np.random.default_rng(rank)
    matrix = rng.standard_normal((300, rank)) @ rng.standard_normal((rank, 300))
    found = theory.extreme_singular_values(matrix, n_values, which="smallest")
    assert found.values.max() <= 1e-6 * np.linalg.norm(matrix, 2)
    assert found.intervals[:, 0].max() == 0


@law
@given(square_matrices(), seeds)
def test_density_with_all_steps_finds_the_spectrum(matrix, seed):
    n = len(matrix)
    estimate = theory.spectral_density(matrix, n_steps=n + 3, n_vectors=2, random_state=seed)
    sigma = np.linalg.svd(matrix.astype(np.float64), compute_uv=False)
    assert estimate.weights.sum() == pytest.approx(1, rel=1e-9)
    assert (np.diff(estimate.nodes) >= 0).all()
    # Each node of weight is a singular value, up to the half of the digits that squares keep.
    near = np.abs(estimate.nodes[:, None] - sigma).min(axis=1)
    heavy = estimate.weights > 1e-6
    assert (near[heavy] <= 1e-4 * max(sigma[0], 1e-300)).all()


@law
@given(square_matrices(), st.integers(1, 6), seeds)
def test_quadrature_is_exact_for_polynomials(matrix, n_steps, seed):
    # Up to degree 2 m - 1, for the measure of the vector; here of one vector, drawn the same way.
    wide = matrix.astype(np.float64)
    symmetric = wide + wide.T
    scale = np.abs(np.linalg.eigvalsh(symmetric)).max()
    if scale == 0:
        scale = 1.0
    symmetric = symmetric / scale
    estimate = theory.spectral_density(
        symmetric, kind="eigen", n_steps=n_steps, n_vectors=1, random_state=seed
    )
    draw = np.random.default_rng(seed)
    draw.standard_normal((2, len(wide)))  # spent on the check of symmetry
    start = draw.standard_normal(len(wide))
    start /= np.linalg.norm(start)
    image = start
    for degree in range(2 * n_steps):
        moment = estimate.weights @ estimate.nodes**degree
        assert moment == pytest.approx(start @ image, abs=1e-9)
        image = symmetric @ image


def test_density_of_a_large_operator():
    # Singular values of a Gaussian matrix over sqrt(n): the quarter circle on [0, 2].
    n = 600
    matrix = np.random.default_rng(0).standard_normal((n, n)) / np.sqrt(n)
    operator = LinearOperator(
        (n, n), matvec=lambda x: matrix @ x, rmatvec=lambda x: matrix.T @ x, dtype=float
    )
    estimate = theory.spectral_density(operator, n_steps=40, n_vectors=6, random_state=1)
    again = theory.spectral_density(operator, n_steps=40, n_vectors=6, random_state=1)
    np.testing.assert_array_equal(estimate.nodes, again.nodes)
    points = np.linspace(0, 2, 9)
    exact = (points * np.sqrt(4 - points**2) / 2 + 2 * np.arcsin(points / 2)) / np.pi
    np.testing.assert_allclose(estimate.distribution(points), exact, atol=0.05)
    fine = np.linspace(-1, 3, 2000)
    density = estimate.density(fine)
    assert density.sum() * (fine[1] - fine[0]) == pytest.approx(1, abs=1e-3)
    assert "an estimate" in str(estimate) and "600 singular values" in str(estimate)


def test_density_of_the_identity():
    estimate = theory.spectral_density(sparse.eye_array(500))
    np.testing.assert_allclose(estimate.nodes, 1, rtol=1e-12)
    assert np.isfinite(estimate.density([0, 1, 2])).all()
    np.testing.assert_allclose(estimate.distribution([0.5, 1.5]), [0, 1], atol=1e-12)
