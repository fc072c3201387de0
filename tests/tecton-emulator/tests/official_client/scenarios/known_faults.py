"""The client's own faults, pinned: where a newer client mends one, its scenario fails, and what is
said of the client elsewhere is to be looked over."""

import json

from tecton_client import MetadataOptions
from tecton_client.exceptions import NotFoundError, TectonHttpException

from .answers import NAMED
from .checks import equal, raises
from .requests import FRAUD


def a_base_path_in_the_url_is_dropped(form):
    sent = []
    client = form.connect(
        url=form.emulators["plain"] + "/tenants/one/", client=form.recording(sent)
    )
    equal(client.get_features("cached", join_key_map={"id": 1}).result.features, ["7"])
    equal(sent[0].url.path, "/api/v1/feature-service/get-features")


def an_exception_has_no_status_code_though_it_declares_one(form):
    error = raises(NotFoundError, None, lambda: form.connect().metadata("fs"))
    assert not hasattr(error, "status_code")
    equal(error.STATUS_CODE, 404)


def a_status_without_a_class_of_its_own_loses_the_message(form):
    error = raises(
        TectonHttpException,
        "500 Internal Server Error: ",
        lambda: form.connect("status_500").get_features("cached", join_key_map={"id": 1}),
    )
    equal(error.STATUS_CODE, 0)
    equal(error.__cause__.response.json()["message"], "online store is on fire")


def a_payload_that_is_too_large_loses_the_message_too(form):
    raises(
        TectonHttpException,
        "413 Payload Too Large: ",
        lambda: form.connect().get_features("cached", join_key_map={"id": " " * 2**22}),
    )


def an_error_that_is_no_json_raises_a_json_error(form):
    for emulator in ["html_503", "empty_503"]:
        client = form.connect(emulator)
        raises(
            json.JSONDecodeError,
            None,
            lambda: client.get_features("cached", join_key_map={"id": 1}),
        )
        raises(json.JSONDecodeError, None, lambda: client.metadata("cached"))


def an_answer_that_is_no_json_raises_a_json_error(form):
    client = form.connect("not_json")
    raises(
        json.JSONDecodeError, None, lambda: client.get_features("cached", join_key_map={"id": 1})
    )


def a_special_float_is_refused_before_it_is_sent(form):
    for number in [float("nan"), float("inf")]:
        context = FRAUD["request_context_map"] | {"amount": number}
        error = raises(
            ValueError,
            None,
            lambda: form.connect().get_features(
                "fraud:v2", **FRAUD | {"request_context_map": context}
            ),
        )
        assert "JSON compliant" in str(error), error


def only_int64_is_converted(form):
    features = form.connect().get_features(
        "types", join_key_map={"id": "all"}, metadata_options=NAMED
    )
    features = features.get_features_dict()
    assert type(features["t.int64"]) is int
    assert type(features["t.whole"]) is int, "a whole float64 is no float"
    assert type(features["t.not_a_number"]) is str
    assert type(features["t.timestamp"]) is str


def fewer_values_than_described_go_unnoticed(form):
    answer = form.connect("wrong_count").get_features(
        "types", join_key_map={"id": "all"}, metadata_options=NAMED
    )
    equal(answer.get_features_dict(), {})


def a_dictionary_of_no_features_is_an_index_error(form):
    answer = form.connect().get_features("featureless", metadata_options=NAMED)
    equal(answer.result.features, [])
    raises(IndexError, None, answer.get_features_dict)


def a_dictionary_needs_names_and_types_to_be_asked_for(form):
    for options, message in [
        (
            MetadataOptions(include_data_types=True),
            "To use get_features_dict MetadataOptions include_names must be set to True.",
        ),
        (
            MetadataOptions(include_names=True),
            "To use get_features_dict MetadataOptions include_data_types must be set to True.",
        ),
    ]:
        answer = form.connect().get_features(
            "cached", join_key_map={"id": 1}, metadata_options=options
        )
        raises(ValueError, message, answer.get_features_dict)
