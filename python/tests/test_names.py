"""What features are called in a Beam schema."""

from __future__ import annotations

import pytest
from beamlet.beam.names import paths


def test_a_dot_becomes_two_underscores():
    assert paths(["planes.year", "speed"]) == [("planes__year",), ("speed",)]


def test_what_no_identifier_can_have_becomes_an_underscore():
    assert paths(["a-b.c d", "2nd"]) == [("a_b__c_d",), ("f_2nd",)]


def test_nested_is_a_row_for_each_view():
    assert paths(["a.x", "a.y.z", "b"], "nested") == [("a", "x"), ("a", "y_z"), ("b",)]


def test_a_mapping_names_features_and_the_others_are_flat():
    assert paths(["a.x", "a.y"], {"a.x": "first"}) == [("first",), ("a__y",)]


@pytest.mark.parametrize(
    ("features", "names", "message"),
    [
        (["a.b", "a__b"], "flat", "both 'a__b'"),
        (["a-b", "a_b"], "flat", "both 'a_b'"),
        (["a", "a.b"], "nested", "the row of a view"),
        (["a.b"], {"a.c": "x"}, "no feature 'a.c'"),
        (["a.b"], {"a.b": "not good"}, "no schema"),
        (["class"], "flat", "no schema"),
        (["_a"], "flat", "no schema"),
        (["a"], "deep", 'names is "flat"'),
        (["a", "b"], {"a": "b"}, "both 'b'"),
    ],
)
def test_a_clash_is_an_error(features, names, message):
    with pytest.raises(ValueError, match=message):
        paths(features, names)
