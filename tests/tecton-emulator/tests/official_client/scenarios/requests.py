"""What the client sends, and that the emulator takes it."""

import json

import httpx
import tecton_client
from tecton_client import MetadataOptions, RequestOptions

from .checks import equal

FRAUD = {
    "join_key_map": {"user_id": "u1", "ad_id": 5417},
    "request_context_map": {
        "amount": 0.5,
        "count": 7,
        "at": "2025-01-31T13:00:00Z",
        "place": {"city": "Oslo", "floor": 2},
    },
}


def the_headers_and_the_path_are_tectons(form):
    sent = []
    client = form.connect(client=form.recording(sent))
    client.get_features("cached", join_key_map={"id": 1})
    client.metadata("cached")
    equal([request.method for request in sent], ["POST", "POST"])
    equal(
        [request.url.path for request in sent],
        [
            "/api/v1/feature-service/get-features",
            "/api/v1/feature-service/metadata",
        ],
    )
    for request in sent:
        equal(request.headers["authorization"], "Tecton-key demo-key")
        equal(request.headers["content-type"], "application/json")
        equal(request.headers["user-agent"], "tecton-http-python-client 0.4.0")


def a_plain_request_always_has_both_options_and_both_maps(form):
    sent = []
    client = form.connect(client=form.recording(sent))
    client.get_features("cached", join_key_map={"id": 1})
    equal(
        json.loads(sent[0].content),
        {
            "params": {
                "workspaceName": "prod",
                "featureServiceName": "cached",
                "joinKeyMap": {"id": 1},
                "requestContextMap": {},
                "allowPartialResults": False,
                "metadataOptions": {},
                "requestOptions": {},
            }
        },
    )


def a_full_request_is_in_camel_case_with_numbers_as_numbers(form):
    sent = []
    client = form.connect(client=form.recording(sent))
    client.get_features(
        "fraud:v2",
        **FRAUD,
        workspace_name="prod",
        allow_partial_results=True,
        metadata_options=MetadataOptions.all(),
        request_options=RequestOptions(
            read_from_cache=True,
            write_to_cache=False,
            ignore_extra_request_context_fields=False,
            latency_budget_ms=500,
            coerce_null_counts_to_zero=True,
        ),
    )
    equal(
        json.loads(sent[0].content)["params"],
        {
            "workspaceName": "prod",
            "featureServiceName": "fraud:v2",
            "joinKeyMap": FRAUD["join_key_map"],
            "requestContextMap": FRAUD["request_context_map"],
            "allowPartialResults": True,
            "metadataOptions": {
                "includeNames": True,
                "includeDataTypes": True,
                "includeEffectiveTimes": True,
                "includeSloInfo": True,
                "includeServingStatus": True,
                "includeFeatureDescriptions": True,
                "includeFeatureTags": True,
            },
            "requestOptions": {
                "readFromCache": True,
                "writeToCache": False,
                "ignoreExtraRequestContextFields": False,
                "latencyBudgetMs": 500,
                "coerceNullCountsToZero": True,
            },
        },
    )


def a_metadata_request_names_service_and_workspace(form):
    sent = []
    client = form.connect(client=form.recording(sent))
    client.metadata("cached", workspace_name="staging")
    equal(
        json.loads(sent[0].content),
        {"params": {"featureServiceName": "cached", "workspaceName": "staging"}},
    )


def a_composite_key_and_a_context_of_several_types_find_their_features(form):
    answer = form.connect().get_features("fraud:v2", **FRAUD)
    equal(answer.result.features, ["37", "3", 0.5, "142", "13", "Oslo", "u1/5417"])


def an_int64_may_be_text(form):
    texts = {
        "join_key_map": {"user_id": "u1", "ad_id": "5417"},
        "request_context_map": FRAUD["request_context_map"] | {"count": "7"},
    }
    client = form.connect()
    expected = client.get_features("fraud:v2", **FRAUD).result
    equal(client.get_features("fraud:v2", **texts).result, expected)


def a_struct_of_the_context_may_be_positional(form):
    context = FRAUD["request_context_map"] | {"place": ["Oslo", 2]}
    answer = form.connect().get_features("fraud:v2", **FRAUD | {"request_context_map": context})
    equal(answer.result.features[5], "Oslo")


def special_floats_go_out_as_text(form):
    for text in ["NaN", "Infinity", "-Infinity"]:
        context = FRAUD["request_context_map"] | {"amount": text}
        answer = form.connect().get_features("fraud:v2", **FRAUD | {"request_context_map": context})
        equal(answer.result.features[2], text)


def a_null_join_key_finds_nothing_and_what_is_computed_is_there(form):
    keys = {"user_id": "u1", "ad_id": None}
    answer = form.connect().get_features(
        "fraud:v2",
        **FRAUD | {"join_key_map": keys},
        metadata_options=MetadataOptions(include_serving_status=True),
    )
    equal(answer.result.features, ["37", None, 0.5, "142", "13", "Oslo", None])
    statuses = [feature["status"] for feature in answer.metadata["features"]]
    equal(statuses, ["PRESENT", "MISSING_DATA"] + ["PRESENT"] * 5)


def a_service_without_join_keys_is_asked_by_context_alone(form):
    answer = form.connect().get_features("computed_only", request_context_map={"x": 21})
    equal(answer.result.features, ["42"])


def the_workspace_is_the_default_unless_a_call_names_another(form):
    client = form.connect(default_workspace_name="prod")
    keys = {"id": 1}
    equal(client.get_features("cached", join_key_map=keys).result.features, ["7"])
    staging = client.get_features("cached", join_key_map=keys, workspace_name="staging")
    equal(staging.result.features, ["8"])
    empty = client.get_features("cached", join_key_map=keys, workspace_name="")
    equal(empty.result.features, ["7"])

    without_default = form.connect(default_workspace_name=None)
    staging = without_default.get_features("cached", join_key_map=keys, workspace_name="staging")
    equal(staging.result.features, ["8"])


def a_slash_at_the_end_of_the_url_does_not_matter(form):
    client = form.connect(url=form.emulators["plain"] + "/")
    equal(client.get_features("cached", join_key_map={"id": 1}).result.features, ["7"])


def an_http_client_of_ones_own_keeps_its_headers_and_gets_the_key(form):
    sent = []
    http = form.recording(sent)
    http.headers["x-trace"] = "abc"
    form.connect(client=http).get_features("cached", join_key_map={"id": 1})
    equal(sent[0].headers["x-trace"], "abc")
    equal(sent[0].headers["authorization"], "Tecton-key demo-key")


def connections_are_kept_open_between_calls(form):
    client = form.connect()
    stats = f"{form.emulators['plain']}/_emulator/stats"
    client.get_features("cached", join_key_map={"id": 1})
    with httpx.Client() as counter:
        before = counter.get(stats).json()["connections"]
        for _ in range(3):
            client.get_features("cached", join_key_map={"id": 1})
        equal(counter.get(stats).json()["connections"], before)


def the_client_offers_the_names_that_this_suite_knows(form):
    equal(
        sorted(tecton_client.__all__),
        [
            "AsyncTectonClient",
            "GetFeatureServiceMetadataResponse",
            "GetFeaturesResponse",
            "MetadataOptions",
            "RequestOptions",
            "SLOInfo",
            "TectonClient",
        ],
    )
