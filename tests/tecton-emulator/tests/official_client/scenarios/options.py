"""Each option of `get_features`, and what it changes in the answer."""

import dataclasses

from tecton_client import MetadataOptions, RequestOptions
from tecton_client.exceptions import BadRequestError, GatewayTimeoutError

from .checks import equal, raises
from .requests import FRAUD

FIRST = {"join_key_map": {"id": "all"}}


def _metadata(form, **options):
    answer = form.connect().get_features(
        "types", **FIRST, metadata_options=MetadataOptions(**options)
    )
    return answer.metadata


def each_metadata_option_adds_its_member_and_no_other(form):
    members = {
        "include_names": {"name": "t.int64"},
        "include_data_types": {"dataType": {"type": "int64"}},
        "include_effective_times": {"effectiveTime": "2025-01-31T12:00:00Z"},
        "include_serving_status": {"status": "PRESENT"},
        "include_feature_descriptions": {"description": "The largest one."},
        "include_feature_tags": {"tags": {"owner": "risk"}},
    }
    for option, member in members.items():
        metadata = _metadata(form, **{option: True})
        assert list(metadata) == ["features"], option
        assert len(metadata["features"]) == 15, option
        assert metadata["features"][0] == member, option
        assert _metadata(form, **{option: False}) is None, option

    of_slo = _metadata(form, include_slo_info=True)
    equal(list(of_slo), ["sloInfo"])
    assert _metadata(form, include_slo_info=False) is None

    known = {*members, "include_slo_info"}
    equal(known, {field.name for field in dataclasses.fields(MetadataOptions)})


def all_metadata_options_give_all_members(form):
    answer = form.connect().get_features("types", **FIRST, metadata_options=MetadataOptions.all())
    equal(
        answer.metadata["features"][0],
        {
            "name": "t.int64",
            "dataType": {"type": "int64"},
            "effectiveTime": "2025-01-31T12:00:00Z",
            "status": "PRESENT",
            "description": "The largest one.",
            "tags": {"owner": "risk"},
        },
    )
    equal(set(answer.metadata), {"features", "sloInfo"})


def nested_types_are_described_to_the_end(form):
    features = _metadata(form, include_data_types=True)["features"]
    equal(
        features[-1]["dataType"],
        {
            "type": "map",
            "keyType": {"type": "string"},
            "valueType": {
                "type": "struct",
                "fields": [
                    {
                        "name": "days",
                        "dataType": {"type": "array", "elementType": {"type": "int64"}},
                    },
                    {
                        "name": "by_name",
                        "dataType": {
                            "type": "map",
                            "keyType": {"type": "string"},
                            "valueType": {"type": "float64"},
                        },
                    },
                ],
            },
        },
    )


def slo_info_comes_as_figures_that_agree(form):
    options = MetadataOptions(include_slo_info=True)
    info = form.connect().get_features("types", **FIRST, metadata_options=options).slo_info
    assert info.slo_eligible is True
    assert info.slo_ineligibility_reasons is None
    assert 0 <= info.store_max_latency <= info.server_time_seconds < 5
    assert 0 <= info.slo_server_time_seconds <= info.server_time_seconds
    assert isinstance(info.store_response_size_bytes, int) and info.store_response_size_bytes > 0


def computed_features_have_no_effective_time(form):
    answer = form.connect().get_features(
        "computed_only",
        request_context_map={"x": 1},
        metadata_options=MetadataOptions(include_names=True, include_effective_times=True),
    )
    equal(answer.metadata["features"], [{"name": "v.double"}])


def the_cache_is_read_unless_the_request_says_no(form):
    def first(options):
        answer = form.connect().get_features(
            "cached",
            join_key_map={"id": 1},
            metadata_options=MetadataOptions(
                include_serving_status=True, include_effective_times=True
            ),
            request_options=options,
        )
        return answer.metadata["features"][0]

    for options in [None, RequestOptions(), RequestOptions(read_from_cache=True)]:
        equal(first(options), {"status": "CACHED_PRESENT"})
    equal(
        first(RequestOptions(read_from_cache=False)),
        {
            "status": "PRESENT",
            "effectiveTime": "2025-01-31T00:00:00Z",
        },
    )


def extra_members_of_a_struct_are_refused_unless_they_are_to_be_ignored(form):
    place = FRAUD["request_context_map"]["place"] | {"country": "NO"}
    context = FRAUD["request_context_map"] | {"place": place}

    def ask(ignore):
        return form.connect().get_features(
            "fraud:v2",
            **FRAUD | {"request_context_map": context},
            request_options=RequestOptions(ignore_extra_request_context_fields=ignore),
        )

    equal(ask(True).result.features[5], "Oslo")
    for ignore in [None, False]:
        raises(
            BadRequestError,
            "400 Bad Request: Unexpected JSON type for place in requestContextMap. "
            "Expected struct<city: string, floor: int64> or null.",
            lambda: ask(ignore),
        )


def a_latency_budget_shorter_than_the_latency_times_out(form):
    def ask(budget):
        return form.connect("slow").get_features(
            "cached",
            join_key_map={"id": 1},
            request_options=RequestOptions(latency_budget_ms=budget),
        )

    equal(ask(None).result.features, ["7"])
    equal(ask(2000).result.features, ["7"])
    raises(GatewayTimeoutError, "504 Gateway Timeout: Timed out", lambda: ask(100))


def options_without_effect_are_read_all_the_same(form):
    for option in ["write_to_cache", "coerce_null_counts_to_zero"]:

        def ask(value):
            return form.connect().get_features(
                "cached",
                join_key_map={"id": 1},
                request_options=RequestOptions(**{option: value}),
            )

        for value in [True, False]:
            equal(ask(value).result.features, ["7"])
        error = raises(BadRequestError, None, lambda: ask("yes"))
        assert "400 Bad Request: Malformed request: " in str(error), error


def partial_results_come_where_they_are_allowed(form):
    context = FRAUD["request_context_map"] | {"count": 0}

    def ask(allowed):
        return form.connect().get_features(
            "fraud:v2",
            **FRAUD | {"request_context_map": context},
            allow_partial_results=allowed,
            metadata_options=MetadataOptions(include_serving_status=True),
        )

    partial = ask(True)
    equal(partial.result.features, ["37", "3", 0.5, None, "13", "Oslo", "u1/5417"])
    assert partial.metadata["partialResults"] is True
    equal(partial.metadata["features"][3], {"status": "UNKNOWN"})
    error = raises(BadRequestError, None, lambda: ask(False))
    assert str(error).startswith("400 Bad Request: Failed to compute feature now.inverse"), error
