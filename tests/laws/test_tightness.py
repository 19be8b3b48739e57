"""How tight every bound is: the table in the documentation, computed anew."""

import csv
import inspect
from pathlib import Path

import pytest

from sklearn_resnet_sc import theory

from .tightness_layers import ALL_FAMILIES as FAMILIES

TABLE = Path(__file__).parents[2] / "doc" / "claims_tightness.csv"


@pytest.fixture(scope="module")
def recorded():
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {row["Function"]: float(row["Ratio"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("bound", FAMILIES)
def test_ratio_is_the_recorded_one(bound, recorded):
    ratio = FAMILIES[bound]()
    assert ratio == pytest.approx(recorded[bound], abs=6e-4)
    # No family is worse than the bound, by more than rounding.
    assert ratio <= 1 + 1e-9
    if recorded[bound] == 1:
        assert ratio >= 1 - 1e-9


def test_table_and_families_are_complete(recorded):
    assert list(recorded) == list(FAMILIES)
    public = [name for name, _ in inspect.getmembers(theory, inspect.isfunction)]
    named = {bound.partition(":")[0] for bound in FAMILIES}
    assert named <= set(public)
    bounds = {name for name in public if name.endswith(("_bound", "_bounds", "_guarantee"))}
    assert bounds - {"frame_bounds"} <= named  # those are exact, not bounds
