"""Each exception of the client, brought about as Tecton does, with its exact message."""

import threading
import time

import httpx
from tecton_client import RequestOptions
from tecton_client.exceptions import (
    BadRequestError,
    ForbiddenError,
    GatewayTimeoutError,
    NotFoundError,
    ResourceExhaustedError,
    ServiceUnavailableError,
    TectonHttpException,
    UnauthorizedError,
)

from .checks import equal, raises
from .requests import FRAUD


def _refused(form, error_class, message, service="cached", **arguments):
    """Fails unless Tecton's refusal comes as this exception."""
    arguments = {"join_key_map": {"id": 1}} | arguments
    error = raises(error_class, message, lambda: form.connect().get_features(service, **arguments))
    assert isinstance(error, TectonHttpException)
    equal(error.message, message)
    equal(error.__cause__.response.status_code, error.STATUS_CODE)


def a_wrong_join_key_is_a_bad_request(form):
    keys = FRAUD["join_key_map"]
    for join_key_map, message in [
        (None, "Missing required join key: user_id"),
        ({"user_id": "u1"}, "Missing required join key: ad_id"),
        (keys | {"join_key": 1}, "Unknown join key: join_key, expected one of: [user_id ad_id]"),
        (
            keys | {"ad_id": "x"},
            "Unexpected JSON type for ad_id in joinKeyMap. Expected int64 or null.",
        ),
        (
            keys | {"user_id": 1},
            "Unexpected JSON type for user_id in joinKeyMap. Expected string or null.",
        ),
    ]:
        _refused(
            form,
            BadRequestError,
            f"400 Bad Request: {message}",
            "fraud:v2",
            **FRAUD | {"join_key_map": join_key_map},
        )


def a_wrong_request_context_is_a_bad_request(form):
    context = FRAUD["request_context_map"]
    without_amount = {name: value for name, value in context.items() if name != "amount"}
    for request_context_map, message in [
        (without_amount, "Expected key not found: [amount] in requestContextMap"),
        (
            context | {"amount": "much"},
            "Unexpected JSON type for amount in requestContextMap. Expected float64 or null.",
        ),
    ]:
        _refused(
            form,
            BadRequestError,
            f"400 Bad Request: {message}",
            "fraud:v2",
            **FRAUD | {"request_context_map": request_context_map},
        )


def an_unknown_api_key_is_unauthorized(form):
    message = (
        "401 Unauthorized: invalid 'Tecton-key' authorization header. Note that newly created "
        "credentials may take up to 60 seconds to be usable."
    )
    client = form.connect(api_key="wrong")
    raises(
        UnauthorizedError, message, lambda: client.get_features("cached", join_key_map={"id": 1})
    )
    raises(UnauthorizedError, message, lambda: client.metadata("cached"))


def a_key_of_another_workspace_is_forbidden(form):
    message = (
        "403 Forbidden: Not Authorized. Note that access control changes may take up to 60 seconds "
        "to apply."
    )
    client = form.connect(api_key="staging-key")
    raises(ForbiddenError, message, lambda: client.get_features("cached", join_key_map={"id": 1}))
    raises(ForbiddenError, message, lambda: client.metadata("cached"))
    staging = client.get_features("cached", join_key_map={"id": 1}, workspace_name="staging")
    equal(staging.result.features, ["8"])


def an_unknown_service_an_unknown_workspace_and_one_not_live_are_not_found(form):
    for service, workspace in [("fs", "prod"), ("cached", "ws"), ("cached", "dev")]:
        message = (
            f"404 Not Found: Unable to query FeatureService `{service}` for workspace "
            f"`{workspace}`. Newly created feature services may take up to 60 seconds to query. "
            "Also, ensure that the workspace is a live workspace."
        )
        _refused(form, NotFoundError, message, service, workspace_name=workspace)


def the_metadata_of_an_unknown_service_is_not_found(form):
    raises(
        NotFoundError,
        "404 Not Found: Unknown feature_service_name: fs for workspace: prod",
        lambda: form.connect().metadata("fs"),
    )


def a_view_without_materialized_data_is_not_found(form):
    message = (
        "404 Not Found: Cannot retrieve features. FeatureView: not_yet has no materialized data in "
        "the online store."
    )
    _refused(form, NotFoundError, message, "unmaterialized")


def more_requests_at_once_than_allowed_exhaust_the_resource(form):
    client = form.connect("one_at_once")
    url = form.emulators["one_at_once"]
    with httpx.Client(base_url=url) as other:
        hanging = threading.Thread(target=other.post, args=["/api/v1/feature-service/metadata"])
        hanging.start()
        while other.get("/_emulator/stats").json()["requests"] == 0:
            time.sleep(0.01)
        raises(
            ResourceExhaustedError,
            "429 Too Many Requests: GetFeatures exceeded the concurrent request limit, please "
            "retry later",
            lambda: client.get_features("cached", join_key_map={"id": 1}),
        )
        hanging.join()
        equal(client.get_features("cached", join_key_map={"id": 1}).result.features, ["7"])
        other.post("/_emulator/reset")


def a_throttled_store_exhausts_the_resource_and_says_when_to_come_back(form):
    error = raises(
        ResourceExhaustedError,
        "429 Too Many Requests: DynamoDB throttled the request. The request rate exceeds the aws "
        "account's throughput limit.",
        lambda: form.connect("throttled").get_features("cached", join_key_map={"id": 1}),
    )
    # The client has no word for it: only its cause knows.
    equal(error.__cause__.response.headers["retry-after"], "1")


def a_store_that_is_down_is_unavailable(form):
    client = form.connect("status_503")
    message = "503 Service Unavailable: 503 Service Temporarily Unavailable"
    raises(
        ServiceUnavailableError,
        message,
        lambda: client.get_features("cached", join_key_map={"id": 1}),
    )
    raises(ServiceUnavailableError, message, lambda: client.metadata("cached"))


def an_answer_later_than_the_servers_own_limit_is_a_gateway_timeout(form):
    client = form.connect("too_slow")
    message = "504 Gateway Timeout: Timed out"
    raises(
        GatewayTimeoutError, message, lambda: client.get_features("cached", join_key_map={"id": 1})
    )
    raises(GatewayTimeoutError, message, lambda: client.metadata("cached"))
    patient = RequestOptions(latency_budget_ms=2000)
    answer = client.get_features("cached", join_key_map={"id": 1}, request_options=patient)
    equal(answer.result.features, ["7"])


def a_call_without_workspace_or_service_is_refused_before_it_is_sent(form):
    without_workspace = form.connect(default_workspace_name=None)
    message = (
        "workspace_name not set. Parameter workspace_name must be set either in TectonClient "
        "initialization or in get_features"
    )
    raises(ValueError, message, lambda: without_workspace.get_features("cached"))
    raises(ValueError, message, lambda: without_workspace.metadata("cached"))
    message = "feature_service_name must be provided"
    for service in ["", None]:
        raises(ValueError, message, lambda: form.connect().get_features(service))
        raises(ValueError, message, lambda: form.connect().metadata(service))


def a_failure_of_the_connection_is_httpxs(form):
    def ask(emulator, **arguments):
        client = form.connect(emulator, **arguments)
        return client.get_features("cached", join_key_map={"id": 1})

    raises(httpx.ConnectError, None, lambda: ask("closed"))
    raises(httpx.ReadError, None, lambda: ask("reset"))
    raises(httpx.RemoteProtocolError, None, lambda: ask("truncated"))
    impatient = form.http(timeout=0.2)
    raises(httpx.ReadTimeout, None, lambda: ask("hang", client=impatient))
