"""The paper's claims as laws: what is corrected holds for everything, what is false is refuted.

A search over small structured instances refutes each false claim without looking at the
stored counterexample; for each corrected statement it finds instances that the statement is
about, so that no law holds only because its conditions are never met.
"""

from random import Random

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from sklearn_resnet_sc.theory import claims

from .claim_instances import INSTANCES

TABLE = claims()
# The first instance will do; shrinking it would take most of the time.
search = settings(max_examples=3000, deadline=None, database=None, phases=[Phase.generate])


def keys(condition):
    return [claim.key for claim in TABLE if claim.key in INSTANCES and condition(claim)]


def found(key, condition):
    """An instance of a claim that meets a condition; an error where the search finds none."""
    return find(INSTANCES[key], condition, settings=search, random=Random(0))


def test_every_claim_that_can_be_tested_has_instances():
    testable = {claim.key for claim in TABLE if claim.verdict != "not testable"}
    assert testable == set(INSTANCES)


@pytest.mark.parametrize("key", keys(lambda claim: claim.verdict == "holds"))
def test_claims_that_hold(key):
    @given(INSTANCES[key])
    def law(instance):
        assert TABLE[key].predicate(instance)

    law()


@pytest.mark.parametrize("key", keys(lambda claim: claim.corrected_predicate is not None))
def test_corrected_claims(key):
    @given(INSTANCES[key])
    def law(instance):
        assert TABLE[key].corrected_predicate(instance)

    law()


@pytest.mark.parametrize("key", keys(lambda claim: claim.verdict != "holds"))
def test_search_refutes(key):
    instance = found(key, lambda instance: not TABLE[key].predicate(instance))
    assert TABLE[key].corrected_predicate(instance)


@pytest.mark.parametrize("key", keys(lambda claim: claim.corrected_predicate is not None))
def test_corrected_claims_are_about_something(key):
    found(key, TABLE[key].corrected_predicate.applies)


@pytest.mark.parametrize("key", ["A1", "A3", "A3a", "A4", "A5", "A5a", "A5b", "A6", "A6b", "A2"])
@given(data=st.data())
def test_precision_and_transposition_change_nothing(key, data):
    # float32 is exact in float64, and D and its transpose have the same spectra and ranks.
    d = data.draw(INSTANCES[key])["D"].astype(np.float32)
    predicate = TABLE[key].corrected_predicate
    assert predicate({"D": d})
    assert predicate({"D": d.T})
