"""`get_feature_service_metadata`."""

from .checks import equal


def a_service_lists_its_inputs_and_features(form):
    answer = form.connect().metadata("fraud:v2")
    equal(
        answer.input_join_keys,
        [
            {"name": "user_id", "dataType": {"type": "string"}},
            {"name": "ad_id", "dataType": {"type": "int64"}},
        ],
    )
    equal(
        answer.input_request_context_keys,
        [
            {"name": "amount", "dataType": {"type": "float64"}},
            {"name": "count", "dataType": {"type": "int64"}},
            {"name": "at", "dataType": {"type": "timestamp"}},
            {
                "name": "place",
                "dataType": {
                    "type": "struct",
                    "fields": [
                        {"name": "city", "dataType": {"type": "string"}},
                        {"name": "floor", "dataType": {"type": "int64"}},
                    ],
                },
            },
        ],
    )
    equal(
        [feature["name"] for feature in answer.feature_values],
        [
            "users.visits",
            "clicks.count",
            "now.amount",
            "now.inverse",
            "now.hour",
            "now.city",
            "now.label",
        ],
    )
    equal(answer.feature_values[0]["dataType"], {"type": "int64"})


def inputs_that_a_service_has_not_are_none(form):
    assert form.connect().metadata("types").input_request_context_keys is None
    assert form.connect().metadata("computed_only").input_join_keys is None


def a_service_without_features_lists_none(form):
    answer = form.connect().metadata("featureless")
    equal(answer.feature_values, [])
    assert answer.input_join_keys is None


def the_workspace_is_the_default_unless_a_call_names_another(form):
    keys = [{"name": "id", "dataType": {"type": "int64"}}]
    equal(form.connect().metadata("cached", workspace_name="staging").input_join_keys, keys)
    without_default = form.connect(default_workspace_name=None)
    equal(without_default.metadata("cached", workspace_name="prod").input_join_keys, keys)
