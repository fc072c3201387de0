"""What the client makes of an answer with 200."""

from tecton_client import MetadataOptions

from .checks import equal

NAMED = MetadataOptions(include_names=True, include_data_types=True)
LARGEST = 2**63 - 1


def _features(form, entity):
    """The features of an entity as the client's dictionary, the view's name left out."""
    answer = form.connect().get_features(
        "types", join_key_map={"id": entity}, metadata_options=NAMED
    )
    features = answer.get_features_dict()
    return {name.removeprefix("t."): value for name, value in features.items()}


def every_type_comes_as_a_python_value(form):
    equal(
        _features(form, "all"),
        {
            "int64": LARGEST,
            "float32": 0.1,
            "float64": 0.1,
            "whole": 2,
            "not_a_number": "NaN",
            "infinite": "-Infinity",
            "boolean": True,
            "string": 'é "q" \\',
            "timestamp": "2025-01-31T12:00:00.250000Z",
            "array": [1, None, LARGEST],
            "matrix": [[1, 2], [], None],
            "struct": {"count": 37, "name": "Ada"},
            "structs": [{"count": 1, "name": None}, None],
            "map": {"a": 9, "b": None},
            "deep": {"x": {"days": [1, 2], "by_name": {"y": 0.5}}},
        },
    )


def a_null_of_every_type_is_none(form):
    features = _features(form, "nulls")
    equal(features, dict.fromkeys(_features(form, "all")))


def what_is_empty_differs_from_null(form):
    equal(
        _features(form, "empty"),
        {
            "int64": 0,
            "float32": 0,
            "float64": 0,
            "whole": 0,
            "not_a_number": 0,
            "infinite": 0,
            "boolean": False,
            "string": "x",
            "timestamp": "2025-01-31T00:00:00Z",
            "array": [],
            "matrix": [],
            "struct": {"count": None, "name": None},
            "structs": [],
            "map": {},
            "deep": {},
        },
    )


def the_raw_features_are_tectons_json(form):
    answer = form.connect().get_features("types", join_key_map={"id": "all"})
    equal(
        answer.result.features,
        [
            str(LARGEST),
            0.1,
            0.1,
            2,
            "NaN",
            "-Infinity",
            True,
            'é "q" \\',
            "2025-01-31T12:00:00.250000Z",
            ["1", None, str(LARGEST)],
            [["1", "2"], [], None],
            ["37", "Ada"],
            [["1", None], None],
            {"a": "9", "b": None},
            {"x": [["1", "2"], {"y": 0.5}]},
        ],
    )


def the_dictionary_is_in_the_order_of_the_service(form):
    described = form.connect().metadata("types").feature_values
    answer = form.connect().get_features(
        "types", join_key_map={"id": "all"}, metadata_options=NAMED
    )
    equal(list(answer.get_features_dict()), [feature["name"] for feature in described])


def an_unknown_entity_is_an_answer_of_nulls(form):
    answer = form.connect().get_features(
        "types", join_key_map={"id": "nobody"}, metadata_options=MetadataOptions.all()
    )
    equal(set(answer.get_features_dict().values()), {None})
    equal({feature["status"] for feature in answer.metadata["features"]}, {"MISSING_DATA"})
    assert not any("effectiveTime" in feature for feature in answer.metadata["features"])


def a_stored_null_is_present(form):
    answer = form.connect().get_features(
        "types",
        join_key_map={"id": "nulls"},
        metadata_options=MetadataOptions(include_serving_status=True),
    )
    equal({feature["status"] for feature in answer.metadata["features"]}, {"PRESENT"})


def without_metadata_options_there_is_neither_metadata_nor_a_dictionary(form):
    answer = form.connect().get_features("cached", join_key_map={"id": 1})
    assert answer.metadata is None
    assert answer.slo_info is None
    try:
        answer.get_features_dict()
    except ValueError as error:
        assert str(error).startswith("Metadata is not included in response."), error
    else:
        raise AssertionError("there is a dictionary")


def the_client_takes_every_answer_to_empty_metadata_options(form):
    answers = {
        emulator: form.connect(emulator).get_features("cached", join_key_map={"id": 1})
        for emulator in ["plain", "empty_object", "names_and_data_types"]
    }
    equal({answer.result.features[0] for answer in answers.values()}, {"7"})
    assert answers["plain"].metadata is None
    equal(answers["empty_object"].metadata, {})
    equal(answers["names_and_data_types"].get_features_dict(), {"c.f": 7})
