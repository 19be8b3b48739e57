"""The section on the claims: verdicts as in the theory, figures that agree with numbers."""

import numpy as np
import pytest

from sklearn_resnet_sc.datasets import train_test_images
from sklearn_resnet_sc.reproduce import _claims, _claims_section
from sklearn_resnet_sc.reproduce._report import section_text
from sklearn_resnet_sc.reproduce._section import Inputs
from sklearn_resnet_sc.theory import claims, condition_number


@pytest.fixture(scope="module")
def inputs():
    train, test = train_test_images()
    first = sorted(train)[:2]
    small = {name: train[name][:160, :160] for name in first}
    return Inputs(train=small, test=test, quick=True, seed=0, n_jobs=1)


@pytest.fixture(scope="module")
def outcome(inputs):
    return _claims.run_claims(inputs, lambda label, n_steps=1: None)


def test_section(inputs):
    steps = []
    section = _claims_section.run(inputs, lambda label, n_steps=1: steps.append(n_steps))
    assert sum(steps) == _claims_section.count_steps(inputs)
    text = section_text(section)
    numbers = section.numbers["claims"]
    assert list(numbers) == claims().keys()
    for claim in claims():
        assert f"{claim.key}  {claim.title}" in text
        if claim.verdict == "holds":
            assert numbers[claim.key]["printed_holds_for_learned"] is not False
        assert numbers[claim.key]["corrected_holds_for_learned"] is not False
    assert f"Of {len(claims())} claims" in section.reading
    assert "What was corrected holds for it: yes." in section.reading


def test_figures_draw_the_numbers(outcome):
    figures = {figure.name: figure.display for figure in _claims_section._figures(outcome)}
    # Figure 1: half of the slopes of ReLU are 0, the others 1.
    grid, share = figures["claims_activation_slopes"].lines["relu"]
    slopes = outcome.activations["relu"].slopes
    assert set(np.unique(slopes)) == {0, 1}
    assert share[grid < 0].max() == 0 and share[-1] == 1
    inside = (grid > 0.1) & (grid < 0.9)
    np.testing.assert_allclose(share[inside], np.mean(slopes == 0))
    # Figure 2: every singular value is counted once.
    for name in ("D", "I + D"):
        assert figures["claims_density"].lines[name][1].sum() == len(outcome.matrix)
        index, energy = figures["claims_energy"].lines[name]
        assert energy[0] == 0 and energy[-1] == pytest.approx(1)
        assert (np.diff(energy) >= 0).all() and (energy >= index / index[-1] - 1e-12).all()
    lower, upper = figures["claims_spectra"].intervals["I + D"]
    assert (lower <= outcome.residual + 1e-12).all() and (outcome.residual <= upper + 1e-12).all()


def test_outcome_by_other_means(outcome):
    total = np.eye(len(outcome.matrix)) + outcome.matrix
    assert np.linalg.norm(outcome.matrix, 2) == pytest.approx(_claims.RHO)
    np.testing.assert_allclose(outcome.residual, np.linalg.svd(total, compute_uv=False))
    assert outcome.summary("residual")[0] == condition_number(total)
    for name, result in outcome.activations.items():
        assert 0 <= result.misfit < 1, name
        assert (np.diff(result.slopes) >= 0).all()
