"""Certificates of codes against brute force, perturbations and solvers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.linear_model import Lasso, orthogonal_mp

from sklearn_resnet_sc import theory

from .strategies import dictionaries, law, seeds


def unit(atoms):
    return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def gaussian(rng, k, n):
    return unit(rng.standard_normal((k, n)))


def sparse_codes(rng, n_signals, k, most):
    codes = np.zeros((n_signals, k))
    for code in codes:
        s = rng.integers(0, min(most, k) + 1)
        code[rng.permutation(k)[:s]] = rng.choice([-1, 1], s) * rng.uniform(0.5, 2, s)
    return codes


@law
@given(dictionaries(max_components=7), seeds, st.floats(0, 1))
def test_no_pair_of_codes_violates_a_radius(dictionary, seed, noise):
    # Over all supports, the competitor that is furthest away: along the smallest singular vector
    # of both supports together, where both codes are as far from the signal as allowed.
    rng = np.random.default_rng(seed)
    k = len(dictionary)
    wide = dictionary.astype(np.float64)
    (code,) = codes = sparse_codes(rng, 1, k, 3)
    (layer,) = theory.certify(dictionary, codes, noise=noise).layers
    support, s = np.flatnonzero(code), np.count_nonzero(code)
    radius, same = layer.error_radius[0], layer.error_radius_on_support[0]
    for chosen in itertools.combinations(range(k), s):
        both = sorted({*support, *chosen})
        if not both:
            continue
        # Codes on `both` of which one part is on the code's support, and the other on `chosen`.
        weakest = np.linalg.svd(wide[both].T)[2][-1]
        stretch = np.linalg.norm(weakest @ wide[both])
        step = weakest * (2 * noise / stretch if stretch > 0 else 1.0)
        step /= max(1, np.abs(step).max() / 1e6)  # a null vector may be as long as it likes
        # a + step is on the support `chosen` if the code is chosen as -step elsewhere: both exist.
        slack = 1e-9 * np.linalg.norm(step)
        assert np.linalg.norm(step) <= radius * (1 + 1e-9) + slack
        if set(chosen) == set(support):
            assert np.linalg.norm(step) <= same * (1 + 1e-9) + slack


@law
@given(dictionaries(max_components=7), seeds, st.floats(0, 0.999))
def test_within_the_margin_all_codes_as_sparse_share_the_support(dictionary, seed, share):
    rng = np.random.default_rng(seed)
    wide = dictionary.astype(np.float64)
    codes = sparse_codes(rng, 1, len(wide), 2)
    assume(codes.any())
    (layer,) = theory.certify(dictionary, codes).layers
    noise = share * layer.support_margin[0]
    x = codes[0] @ wide
    direction = rng.standard_normal(wide.shape[1])
    signal = x + noise * direction / np.linalg.norm(direction)
    s = int(layer.n_nonzero[0])
    # The nearest of every other support is further than the noise.
    for chosen in itertools.combinations(range(len(wide)), s):
        if set(chosen) == set(np.flatnonzero(codes[0])):
            continue
        inside = wide[list(chosen)].T
        left = signal - inside @ np.linalg.lstsq(inside, signal, rcond=None)[0]
        assert np.linalg.norm(left) >= noise * (1 - 1e-6) - 1e-6 * np.linalg.norm(signal)


@law
@given(dictionaries(), seeds)
def test_per_support_numbers(dictionary, seed):
    rng = np.random.default_rng(seed)
    codes = sparse_codes(rng, 6, len(dictionary), 4)
    (layer,) = theory.certify(dictionary, codes).layers
    eps = float(np.finfo(dictionary.dtype).eps)
    for i, code in enumerate(codes):
        support = np.flatnonzero(code)
        assert layer.n_nonzero[i] == len(support)
        if len(support) == 0:
            assert layer.unique[i] and layer.sigma_min[i] == math.inf
            continue
        wide = dictionary.astype(np.float64)
        sigma = np.linalg.svd(wide[support].T, compute_uv=False)
        smallest = sigma[-1] if len(support) <= wide.shape[1] else 0.0
        # A square root of an eigenvalue, of which a condition number above 100 gets an SVD.
        slack = 32 * max(wide.shape) * eps * sigma[0]
        slack *= min(sigma[0] / max(smallest, 1e-300), 100)
        assert smallest - slack <= layer.sigma_min[i] <= smallest
        single = theory.exact_recovery_condition(dictionary, support)
        condition = sigma[0] / max(smallest, 1e-300)
        if condition < 1e3:
            assert layer.exact_recovery[i] == pytest.approx(
                single.coefficient, rel=1e3 * eps * condition**2, abs=1e3 * eps * condition**2
            )


@law
@given(dictionaries(), seeds, st.floats(0, 0.999))
def test_recovery_bears_its_noise(dictionary, seed, share):
    rng = np.random.default_rng(seed)
    wide = dictionary.astype(np.float64)
    codes = sparse_codes(rng, 1, len(wide), 3)
    (layer,) = theory.certify(dictionary, codes).layers
    s = int(layer.n_nonzero[0])
    assume(s > 0 and layer.recovery_noise[0] > 1e-6)
    direction = rng.standard_normal(wide.shape[1])
    x = codes[0] @ wide + share * layer.recovery_noise[0] * direction / np.linalg.norm(direction)
    found = np.atleast_1d(orthogonal_mp(wide.T, x, n_nonzero_coefs=s))
    np.testing.assert_array_equal(found != 0, codes[0] != 0)


@law
@given(st.integers(2, 40), seeds, st.integers(1, 4), st.booleans())
def test_greedy_radius(n, seed, s, lengths):
    rng = np.random.default_rng(seed)
    k = 2 * n
    s = min(s, n)
    atoms = gaussian(rng, k, n)
    if lengths:
        atoms *= rng.uniform(0.5, 2, (k, 1))
    signals = rng.standard_normal((20, n))
    codes = np.atleast_2d(orthogonal_mp(atoms.T, signals.T, n_nonzero_coefs=s).T)
    (layer,) = theory.certify(atoms, codes, signals=signals).layers
    radius = layer.greedy_noise_radius
    # Ties apart, the support that OMP found is the support that OMP finds.
    assert (radius > 0).mean() > 0.9
    direction = rng.standard_normal(signals.shape)
    direction *= 0.999 * radius[:, None] / np.linalg.norm(direction, axis=1, keepdims=True)
    moved = np.atleast_2d(orthogonal_mp(atoms.T, (signals + direction).T, n_nonzero_coefs=s).T)
    np.testing.assert_array_equal(moved[radius > 0] != 0, codes[radius > 0] != 0)
    # Another support is not what OMP selects.
    other = np.roll(codes, 1, axis=1)
    differs = ((other != 0) != (codes != 0)).any(axis=1)
    (wrong,) = theory.certify(atoms, other, signals=signals).layers
    assert (wrong.greedy_noise_radius[differs] == 0).all()


def test_greedy_radius_is_attained_by_opposite_atoms():
    # Two nearly opposite directions of noise: the gap 2 eps closes where both atoms are used.
    atoms = np.eye(2)
    signals = np.array([[1.0, 0.4]])
    (layer,) = theory.certify(atoms, [[1.0, 0]], signals=signals).layers
    assert layer.greedy_noise_radius[0] == pytest.approx(0.3)
    # For orthogonal atoms the truth is the distance to the diagonal, sqrt(2) times as much.
    worst = 0.6 / math.sqrt(2) * np.array([-1, 1]) / math.sqrt(2)
    assert orthogonal_mp(atoms, signals[0] + 1.01 * worst, n_nonzero_coefs=1)[1] != 0
    assert orthogonal_mp(atoms, signals[0] + 0.99 * worst, n_nonzero_coefs=1)[0] != 0


def solve_lasso(atoms, signals, alpha):
    model = Lasso(alpha / atoms.shape[1], fit_intercept=False, tol=1e-14, max_iter=10**6)
    return np.array([model.fit(atoms.T, signal).coef_ for signal in signals])


@law
@given(st.integers(2, 40), seeds, st.floats(0.1, 0.8), st.booleans())
def test_lasso_radius_holds_and_is_attained(n, seed, share, lengths):
    rng = np.random.default_rng(seed)
    k = 2 * n
    atoms = gaussian(rng, k, n)
    if lengths:
        atoms *= rng.uniform(0.5, 2, (k, 1))
    signals = rng.standard_normal((4, n))
    alpha = share * float(np.abs(signals @ atoms.T).max())
    codes = solve_lasso(atoms, signals, alpha)
    (layer,) = theory.certify(atoms, codes, signals=signals, alpha=alpha).layers
    sure = layer.lasso_unique & (layer.lasso_noise_radius > 1e-5)
    assert (layer.lasso_error[sure] <= 1e-4 * np.abs(codes).max(initial=1)).all()
    assert (layer.lasso_unique == (layer.lasso_noise_radius > 0)).all()
    direction = rng.standard_normal(signals.shape)
    direction *= 0.99 * layer.lasso_noise_radius[:, None]
    direction /= np.linalg.norm(direction / 0.99, axis=1, keepdims=True) + 1e-300
    direction *= np.minimum(layer.lasso_noise_radius, 1e6)[:, None]
    moved = solve_lasso(atoms, signals + direction, alpha)
    np.testing.assert_array_equal(np.sign(moved[sure]), np.sign(codes[sure]))
    # Just past it, some direction breaks the support: along a row of D_T^+, or of (I - P_T) d_j.
    for i in np.flatnonzero(sure & (layer.lasso_noise_radius < 10)):
        support = np.flatnonzero(codes[i])
        inside = atoms[support]
        inverse = np.linalg.pinv(inside)
        exact = (signals[i] - alpha * inverse @ np.sign(codes[i, support])) @ inverse
        residual = signals[i] - exact @ inside
        steps = [-np.sign(a) * row for a, row in zip(exact, inverse.T, strict=True)]
        for j in set(range(k)) - set(support):
            outside = atoms[j] - (atoms[j] @ inverse) @ inside
            steps.append(np.sign(atoms[j] @ residual) * outside)
        broken = 0
        for step in steps:
            length = np.linalg.norm(step)
            if length < 1e-9:
                continue
            past = signals[i] + step / length * 1.01 * layer.lasso_noise_radius[i]
            new = (past - alpha * inverse @ np.sign(codes[i, support])) @ inverse
            left = past - new @ inside
            agrees = (np.sign(new) == np.sign(codes[i, support])).all()
            inactive = np.delete(np.abs(atoms @ left), support)
            broken += not (agrees and (inactive < alpha).all())
        assert broken


def test_lasso_with_two_minimisers_is_not_certified():
    atoms = np.array([[1.0, 0], [1.0, 0], [0, 1.0]])
    for code in ([0.5, 0, 0], [0, 0.5, 0], [0.25, 0.25, 0]):
        certificate = theory.certify(atoms, [code], signals=[[1.0, 0.2]], alpha=0.5)
        assert not certificate.layers[0].lasso_unique[0]
    alone = theory.certify(atoms[1:], [[0.5, 0]], signals=[[1.0, 0.2]], alpha=0.5)
    assert alone.layers[0].lasso_unique[0]
    # The correlation .2 of the other atom may grow by .3, the coefficient .5 shrink by .5.
    assert alone.layers[0].lasso_noise_radius[0] == pytest.approx(0.3)
    assert alone.layers[0].lasso_error[0] == pytest.approx(0, abs=1e-15)


@law
@given(seeds, st.integers(-300, 300), st.integers(-300, 300), st.booleans())
def test_powers_of_two_and_formats_change_nothing(seed, of_atoms, of_signals, lasso):
    rng = np.random.default_rng(seed)
    atoms, codes = gaussian(rng, 12, 8), sparse_codes(rng, 10, 12, 3)
    signals = codes @ atoms + 0.1 * rng.standard_normal((10, 8))
    alpha = 0.3 if lasso else None
    first = theory.certify(atoms, codes, signals=signals, noise=0.5, alpha=alpha)
    scaled = None if alpha is None else math.ldexp(alpha, of_signals + of_atoms)
    second = theory.certify(
        np.ldexp(atoms, of_atoms),
        sparse.coo_array(np.ldexp(codes, of_signals - of_atoms)),
        signals=np.ldexp(signals, of_signals),
        noise=math.ldexp(0.5, of_signals),
        alpha=scaled,
        n_jobs=2,
    )
    powers = {
        "error_radius": of_signals - of_atoms,
        "error_radius_on_support": of_signals - of_atoms,
        "sigma_min": of_atoms,
        "min_coefficient": of_signals - of_atoms,
        "support_margin": of_signals,
        "allowed": of_signals,
        "recovery_noise": of_signals,
        "residual_norm": of_signals,
        "lasso_noise_radius": of_signals,
        "lasso_error": of_signals - of_atoms,
        "greedy_noise_radius": of_signals,
    }
    for name, values in vars(first.layers[0]).items():
        if isinstance(values, np.ndarray):
            expected = np.ldexp(values, powers[name]) if name in powers else values
            found = getattr(second.layers[0], name)
            assert found.dtype == values.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=name)


@law
@given(seeds, st.integers(1, 4))
def test_signals_alone_or_together(seed, n_jobs):
    rng = np.random.default_rng(seed)
    atoms, codes = gaussian(rng, 12, 8), sparse_codes(rng, 6, 12, 4)
    signals = rng.standard_normal((6, 8))
    together = theory.certify(atoms, codes, signals=signals, n_jobs=n_jobs).to_frame()
    alone = [theory.certify(atoms, codes[[i]], signals=signals[[i]]).to_frame() for i in range(6)]
    for i, frame in enumerate(alone):
        for name in frame.columns:
            first, second = frame[name].iloc[0], together[name].iloc[i]
            assert first == second or second == pytest.approx(first, rel=1e-9, abs=1e-12)


@st.composite
def stacked(draw):
    rng = np.random.default_rng(draw(seeds))
    n_layers, n = draw(st.integers(1, 3)), draw(st.integers(3, 8))
    stack, size = [], n
    for _ in range(n_layers):
        more = draw(st.integers(0, 1))
        atoms = np.vstack([np.eye(size), rng.standard_normal((more, size))])
        stack.append(unit(atoms + 0.02 * rng.standard_normal(atoms.shape)))
        size += more
    return rng, stack


@law
@given(stacked(), st.floats(0, 1))
def test_stack_agrees_with_the_bound_for_all_codes(problem, noise):
    # Chains of equal sparsity: certify says at most what the bound for any codes says.
    rng, stack = problem
    codes = [sparse_codes(rng, 3, len(stack[-1]), 2)]
    for dictionary in stack[:0:-1]:
        codes.append(codes[-1] @ dictionary)
    codes = codes[::-1]
    certificate = theory.certify(stack, codes, noise=noise)
    for i in range(3):
        counts = [max(1, np.count_nonzero(code[i])) for code in codes]
        bound = theory.layered_stability_bound(stack, counts, noise)
        best = np.minimum(bound.by_exact_chain, bound.by_effective)
        for layer, limit in zip(certificate.layers, best, strict=True):
            if layer.n_nonzero[i]:
                # What the given chain itself leaves between layers is rounding.
                assert layer.error_radius[i] <= math.sqrt(limit) * (1 + 1e-9) + 1e-12
                exact = layer.error_radius[i] ** 2
                assert exact >= bound.squared_error[layer.layer - 1] * (1 - 1e-9) - 1e-12
    uniques = np.array([layer.unique_from_signal for layer in certificate.layers])
    own = np.array([layer.unique for layer in certificate.layers])
    if noise == 0:
        assert (uniques >= np.logical_and.accumulate(own, axis=0)).all()
    else:
        assert not uniques.any()


@law
@given(stacked(), st.floats(0, 0.5), st.floats(0, 0.5))
def test_stack_with_noise_and_slack_by_competitors(problem, noise, slack):
    # A competitor made from other codes on the same supports, as far as it may be.
    rng, stack = problem
    codes = [sparse_codes(rng, 1, len(stack[-1]), 2)]
    for dictionary in stack[:0:-1]:
        codes.append(codes[-1] @ dictionary)
    codes = codes[::-1]
    signals = codes[0] @ stack[0] + 0.1 * rng.standard_normal((1, stack[0].shape[1]))
    noise += float(np.linalg.norm(signals - codes[0] @ stack[0]))
    certificate = theory.certify(stack, codes, signals=signals, noise=noise, slack=slack)
    change = [rng.standard_normal(code.shape) * (code != 0) * 0.1 for code in codes]

    def allowed(share):
        others = [code + share * each for code, each in zip(codes, change, strict=True)]
        gaps = [np.linalg.norm(others[i - 1] - others[i] @ stack[i]) for i in range(1, len(stack))]
        return (
            np.linalg.norm(signals - others[0] @ stack[0]) <= noise
            and max(gaps, default=0) <= slack
        )

    share = next((2.0**-halvings for halvings in range(40) if allowed(2.0**-halvings)), 0.0)
    change = [share * each for each in change]
    for layer, each in zip(certificate.layers, change, strict=True):
        assert np.linalg.norm(each) <= layer.error_radius[0] * (1 + 1e-9)
        assert np.linalg.norm(each) <= layer.error_radius_on_support[0] * (1 + 1e-9)
