"""The table of claims: complete, readable, and refuted where it says so."""

import json
import math
import pickle

import numpy as np
import pytest

from sklearn_resnet_sc import theory
from sklearn_resnet_sc.theory import claims

TABLE = claims()
VERDICTS = ("holds", "holds under conditions", "false", "assumption", "not testable")


@pytest.mark.parametrize("claim", TABLE, ids=TABLE.keys())
def test_verdict_agrees_with_the_predicates(claim):
    assert claim.verdict in VERDICTS
    assert claim.statement.endswith(".") and claim.source.endswith(".")
    if claim.verdict == "not testable":
        assert claim.predicate is claim.corrected_predicate is claim.counterexample is None
    elif claim.verdict == "holds":
        assert claim.predicate is not None and claim.counterexample is None
    else:
        assert claim.predicate.applies(claim.counterexample)
        assert not claim.predicate(claim.counterexample)
        assert claim.corrected_predicate(claim.counterexample)
    assert (claim.corrected is None) == (claim.corrected_predicate is None)
    if claim.corrected is not None:
        assert claim.corrected.endswith(".")


@pytest.mark.parametrize("claim", TABLE, ids=TABLE.keys())
def test_counterexamples_are_read_only_and_small(claim):
    if claim.counterexample is None:
        return
    for value in claim.counterexample.values():
        for array in value if isinstance(value, tuple) else (value,):
            if isinstance(array, np.ndarray):
                assert not array.flags.writeable
                assert array.size <= 9
    with pytest.raises(TypeError):
        claim.counterexample["new"] = 1


def test_every_numbered_claim_is_there():
    numbers = {"A": range(7), "B": range(1, 6), "C": range(6)}
    assert all(f"{letter}{i}" in TABLE for letter, count in numbers.items() for i in count)
    assert len(TABLE) == len(set(TABLE.keys())) == len(list(TABLE))
    assert claims() is TABLE
    with pytest.raises(KeyError, match="no claim 'Z9'; there are L1, L2"):
        TABLE["Z9"]


def test_prints():
    text = str(TABLE)
    assert all(len(line) <= 100 for line in text.splitlines())
    for claim in TABLE:
        assert f"\n{claim.key} " in text
        words = " ".join(str(claim).split())
        assert f"As printed: {' '.join(claim.statement.split())}" in words
        assert claim.verdict in words
    assert "Counterexample: W = [[1]], h = [0], activation = 'sigmoid'" in str(TABLE["B1"])
    assert repr(TABLE) == f"<ClaimTable of {len(TABLE)} claims>"


def test_frame_and_json():
    frame = TABLE.to_frame()
    assert list(frame.index) == TABLE.keys()
    assert frame.loc["A3", "verdict"] == "false"
    assert frame.loc["A1", "counterexample"] == "D = [[-1]]"
    content = json.loads(json.dumps([claim.to_dict() for claim in TABLE], allow_nan=False))
    assert content[0]["key"] == "L1"
    assert all("predicate" not in name for name in content[0])


def test_pickles():
    copy = pickle.loads(pickle.dumps(TABLE["A3"].corrected_predicate))
    assert copy({"D": np.eye(2)})
    assert not pickle.loads(pickle.dumps(TABLE["C3a"].predicate))(TABLE["C3a"].counterexample)


@pytest.mark.parametrize(
    ("key", "instance", "message"),
    [
        ("A3", {}, r"instance must be a mapping with keys \['D'\]; got \[\]"),
        ("A3", np.eye(2), "instance must be a mapping"),
        ("A3", {"D": np.eye(2), "E": 1}, "must be a mapping with keys"),
        ("A3", {"D": np.ones((2, 3))}, r"D must have shape \(n, n\) with n = 2; got 3"),
        ("A3", {"D": np.ones(3)}, "D must have 2 dimensions; got 1"),
        ("A3", {"D": [[np.nan]]}, "D must be finite"),
        ("A3", {"D": [[1e60]]}, "D must have entries of at most 1e[+]50 in size"),
        ("A4a", {"layers": []}, "layers must hold at least one matrix"),
        ("A4a", {"layers": [np.eye(2), np.eye(3)]}, r"layers\[0\] has 2 columns"),
        ("B1", {"W": [[1.0]], "h": [1.0], "activation": "swish"}, "activation must be one of"),
        ("C2", {"dictionary": np.zeros((1, 2)), "code": [1.0]}, "no zero atom"),
        (
            "C0a",
            {**TABLE["C0a"].counterexample, "layer_codes": ([1.0, 2.0],)},
            "layer_codes must be as long as",
        ),
    ],
)
def test_bad_instances(key, instance, message):
    with pytest.raises(ValueError, match=message):
        TABLE[key].corrected_predicate(instance)


def sigma(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


# Each corrected bound is attained: these are equations, checked to a few roundings.
RHOS = [0.1, 0.5, 0.9]


@pytest.mark.parametrize("rho", RHOS)
def test_bounds_on_spectra_are_attained(rho):
    n = 4
    # A3 from above and below, A3a in both norms, A6b.
    np.testing.assert_allclose(sigma(np.eye(n) + rho * np.eye(n)), 1 + rho, rtol=1e-14)
    np.testing.assert_allclose(sigma(np.eye(n) - rho * np.eye(n)), 1 - rho, rtol=1e-14)
    step = 1 - (1 + rho) ** 2 / (1 + rho**2)
    assert abs(step) == pytest.approx(2 * rho / (1 + rho**2), rel=1e-14)
    # A4, and A5b with it.
    kappa = theory.condition_number(np.eye(2) + np.diag([rho, -rho]))
    assert kappa == pytest.approx((1 + rho) / (1 - rho), rel=1e-14)


def test_participation_bound_is_attained():
    # A5: squared singular values a and b in proportion b : a, here 16/9 once and 4/9 four times.
    rho = 1 / 3
    ratio = theory.participation_ratio(np.eye(5) + np.diag([rho, *[-rho] * 4]))
    assert ratio == pytest.approx(5 * ((1 - rho**2) / (1 + rho**2)) ** 2, rel=1e-14)


@pytest.mark.parametrize("rank", range(5))
def test_rank_bound_is_attained(rank):
    # A2: minus a projection.
    d = -np.diag(np.arange(4) < rank).astype(float)
    assert theory.numerical_rank(np.eye(4) + d) == 4 - rank


def two_atoms(mu):
    return np.array([[1, 0], [mu, math.sqrt(1 - mu**2)]])


@pytest.mark.parametrize("mu", [0.0, 0.3, 0.9])
def test_stability_and_propagation_are_attained(mu):
    # C3 for s = 1, with the signal in the middle; C4b and C4 for s = 1.
    dictionary = two_atoms(mu)
    code, other = np.eye(2)
    noise = np.linalg.norm((code - other) @ dictionary) / 2
    assert ((code - other) ** 2).sum() == pytest.approx(4 * noise**2 / (1 - mu), rel=1e-12)
    spread = np.linalg.norm((code + other) @ dictionary) ** 2
    assert spread == pytest.approx((1 + mu) * ((code + other) ** 2).sum(), rel=1e-12)


def test_greedy_residual_is_attained_by_equal_entries():
    # C0: of k equal entries lambda are kept.
    exact = np.ones(5)
    assert np.linalg.norm(exact[2:]) == pytest.approx(math.sqrt(1 - 2 / 5) * np.linalg.norm(exact))


def test_uniqueness_fails_just_past_the_condition():
    # C1: identity and Hadamard in four dimensions, mu = 1/2 and so s < 1.5; with s = 2 the
    # sum of two unit vectors is the sum of two Hadamard atoms.
    hadamard = np.array([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]) / 2
    dictionary = np.vstack([np.eye(4), hadamard])
    code, other = np.zeros((2, 8))
    code[[0, 1]] = other[[4, 5]] = 1
    np.testing.assert_array_equal(code @ dictionary, other @ dictionary)
    assert theory.sparsity_from_coherence(theory.mutual_coherence(dictionary), 8) == 1
    pair = {"dictionary": dictionary, "code": code, "other_code": other}
    assert not TABLE["C1"].predicate(pair)
    assert not TABLE["C1"].corrected_predicate.applies(pair)
