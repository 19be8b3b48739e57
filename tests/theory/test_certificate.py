"""The certificate: which matrix each number belongs to, and how it reads."""

import json
import math

import numpy as np
import pytest

from sklearn_resnet_sc import theory


def parts(k, n, rho, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shortcut = rng.standard_normal((k, n))
    shortcut /= np.linalg.norm(shortcut, axis=1, keepdims=True)
    residual = rng.standard_normal((k, n))
    smallest = np.linalg.svd(shortcut, compute_uv=False)[-1]
    residual *= rho * smallest / np.linalg.norm(residual, 2)
    return shortcut.astype(dtype), residual.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(4, 9), (6, 6), (20, 5)])
def test_numbers(shape, dtype):
    shortcut, residual = parts(*shape, 0.8, dtype)
    certificate = theory.residual_certificate(shortcut, residual, residual_bound=0.8)
    total = shortcut + residual.astype(np.float64)
    lengths = np.linalg.norm(total, axis=1)
    components = total / lengths[:, None]
    rel = 1e-12 if dtype is np.float64 else 1e-4
    assert certificate.certified and certificate.residual_bound_kept
    assert certificate.residual_bound == 0.8
    assert certificate.sum_spectrum.condition_number == pytest.approx(np.linalg.cond(total), rel)
    measured = certificate.components_spectrum.condition_number
    assert measured == pytest.approx(np.linalg.cond(components), rel)
    bound = certificate.components_condition_number_bound
    ratio = lengths.max() / lengths.min()
    assert bound == pytest.approx(certificate.bounds.condition_number_bound * ratio, rel)
    assert measured <= bound
    assert certificate.min_atom_length == pytest.approx(lengths.min(), rel)
    assert certificate.coherence == pytest.approx(theory.mutual_coherence(components), rel)
    eigenvalues = np.linalg.svd(components, compute_uv=False) ** 2
    frame = certificate.frame_bounds
    assert (frame.lower, frame.upper) == pytest.approx((eigenvalues[-1], eigenvalues[0]), rel)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bound_kept_to_rounding_only(dtype):
    shortcut, residual = parts(30, 10, 0.9, dtype)
    kept = [
        theory.residual_certificate(
            shortcut, (residual * factor).astype(dtype), residual_bound=0.9
        ).residual_bound_kept
        for factor in (0.9, 1, 1 + 2e-4)
    ]
    assert kept == [True, True, False]
    text = str(theory.residual_certificate(shortcut, 1.05 * residual, residual_bound=0.9))
    assert "The bound ||R||_2 <= 0.9 sigma_min(shortcut) is not kept." in text
    assert theory.residual_certificate(shortcut, residual).residual_bound_kept is None


def test_plain_dictionary():
    shortcut, residual = parts(8, 4, 0.5)
    certificate = theory.residual_certificate(None, shortcut + 5 * residual)
    assert certificate.bounds is None and not certificate.certified
    assert certificate.components_condition_number_bound == math.inf
    text = str(certificate)
    assert "not certified" in text and "Certified for" not in text and "Measured" in text
    assert certificate.to_dict()["bounds"] is None


def test_says_which_matrix():
    shortcut, residual = parts(6, 6, 0.8)
    lines = str(theory.residual_certificate(shortcut, residual, residual_bound=0.9)).split("\n")
    assert lines[0].startswith("Certified for shortcut + residual.")
    starts = ("Measured on shortcut + residual", "Certified for the unit-norm components")
    for start in (*starts, "Measured on the unit-norm components", "By these measurements"):
        assert sum(line.startswith(start) for line in lines) == 1
    assert any(line == "The bound ||R||_2 <= 0.9 sigma_min(shortcut) is kept." for line in lines)


def test_uncertified_residual():
    certificate = theory.residual_certificate("identity", np.diag([-1.5, 0.5]))
    assert not certificate.certified
    text = str(certificate)
    assert "The condition number of the unit-norm components is not certified." in text
    fields = json.loads(json.dumps(certificate.to_dict(), allow_nan=False))
    assert fields["components_condition_number_bound"] is None
    assert fields["bounds"]["condition_number_bound"] is None


def test_json():
    certificate = theory.residual_certificate("identity", np.diag([0.5, -0.5]))
    fields = json.loads(json.dumps(certificate.to_dict(), allow_nan=False))
    assert fields["sum_spectrum"]["sigma_max"] == 1.5
    assert fields["uniqueness"]["independent"] is True
    assert fields["bounds"]["sigma_intervals"] == [[0.5, 1.5]] * 2


def test_refusals():
    with pytest.raises(ValueError, match=r"shortcut \+ residual must have no zero atom"):
        theory.residual_certificate("identity", np.diag([-1.0, 0.5]))
    for bad in (0, 1, 1.5, -0.1, np.nan, True, "auto"):
        with pytest.raises(ValueError, match=r"residual_bound must lie in \(0, 1\) or be None"):
            theory.residual_certificate("identity", np.eye(2) / 2, residual_bound=bad)
    with pytest.raises(ValueError, match="residual_bound needs a shortcut"):
        theory.residual_certificate(None, np.eye(2), residual_bound=0.5)


def test_frozen():
    certificate = theory.residual_certificate("identity", np.eye(2) / 2)
    with pytest.raises(AttributeError):
        certificate.residual_bound = 0.1
