"""Tecton's handler in Beam's own `Enrichment`, with the names of the user's design."""

from __future__ import annotations

import pickle

import apache_beam as beam
import beamlet
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.enrichment import Enrichment
from beamlet.beam.tecton import (
    MetadataOptions,
    RequestOptions,
    TectonConnectionConfig,
    TectonFeaturesRetrievalConfig,
    TectonFeatureStoreEnrichmentHandler,
)

RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
KEY = {"env": "BEAMLET_TEST_KEY"}


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("BEAMLET_TEST_KEY", "demo-key")


def handler(store, connection=None, batching=None, **retrieval):
    connection = {"default_workspace_name": "prod", "api_key": KEY, **(connection or {})}
    if "entity_row_fn" not in retrieval:
        retrieval.setdefault("entity_id", "tailnum")
    return TectonFeatureStoreEnrichmentHandler(
        TectonConnectionConfig(url=store.url, **connection),
        TectonFeaturesRetrievalConfig(feature_service_name="planes_features", **retrieval),
        **(batching or {}),
    )


def pipeline() -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions([f"--runner={RUNNER}"]))


FLIGHTS = [beam.Row(id=n, tailnum=name) for n, name in enumerate(["N10156", "N0", "N102UW"])]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"entity_row_fn": lambda row: {"tailnum": row.tailnum}},
        {"entity_row_fn": {"tailnum": "row.tailnum"}},
        {"batching": {"max_batch_size": 1}},
    ],
    ids=["entity_id", "function", "expression", "one by one"],
)
def test_elements_are_enriched(store, how):
    with pipeline() as p:
        enriched = p | beam.Create(FLIGHTS) | Enrichment(handler(store, **how))
        assert_that(
            enriched | beam.Map(lambda it: (it.id, it.tailnum, it.planes__seats)),
            equal_to([(0, "N10156", 55), (1, "N0", None), (2, "N102UW", 182)]),
        )


def test_elements_are_asked_for_in_batches(store):
    with pipeline() as p:
        rows = [beam.Row(id=n, tailnum=f"N{n}") for n in range(100)]
        p | beam.Create(rows, reshuffle=False) | Enrichment(
            handler(store, batching={"min_batch_size": 100})
        )
    assert store.requests() <= 12


def test_beams_counters_have_a_name_that_stays(store):
    p = pipeline()
    p | beam.Create(FLIGHTS) | Enrichment(handler(store))
    result = p.run()
    result.wait_until_finish()
    namespace = "TectonFeatureStoreEnrichmentHandler(planes_features)"
    found = result.metrics().query(MetricsFilter().with_namespace(namespace))["counters"]
    assert {it.key.metric.name for it in found} >= {"requests", "responses"}


def test_a_cache_key_holds_all_that_an_answer_depends_on(store):
    one, two = beam.Row(id=1, tailnum="N1"), beam.Row(id=1, tailnum="N2")
    with handler(store) as plain:
        assert plain.get_cache_key(one) != plain.get_cache_key(two)
        assert plain.get_cache_key(one) == plain.get_cache_key(beam.Row(id=9, tailnum="N1"))
        assert "demo-key" not in plain.get_cache_key(one)
        keys = {plain.get_cache_key(one)}
        for other in (
            {"workspace_name": "other"},
            {"request_options": RequestOptions(read_from_cache=False)},
            {"metadata_options": MetadataOptions(include_serving_status=True)},
            {"request_context_map": {"amount": 1}},
        ):
            with handler(store, **other) as another:
                keys.add(another.get_cache_key(one))
        assert len(keys) == 5


def test_what_is_asked_for_beside_features_comes_out(store):
    asked = handler(store, metadata_options=MetadataOptions(include_serving_status=True))
    with asked:
        _, features = asked(beam.Row(tailnum="N10156"))
        assert features.planes__year__status == "PRESENT"


def test_a_literal_key_is_taken_with_a_warning_and_not_shown(store):
    with pytest.warns(beamlet.ConfigWarning, match="pickle"):
        literal = handler(store, {"api_key": "demo-key"})
    assert "demo-key" not in repr(literal._connection) + str(literal)
    with pickle.loads(pickle.dumps(literal)) as copy:
        _, features = copy(beam.Row(tailnum="N10156"))
        assert features.planes__seats == 55


def test_what_is_not_given_is_an_error_at_construction(store):
    with pytest.raises(TypeError, match="url"):
        TectonConnectionConfig(api_key="k")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="url is required"):
        TectonConnectionConfig(url="", api_key="k")
    with pytest.raises(ValueError, match="api_key is required"):
        TectonConnectionConfig(url="http://h")
    with pytest.raises(ValueError, match="exactly one"):
        TectonFeaturesRetrievalConfig("fs")
    with pytest.raises(ValueError, match="exactly one"):
        TectonFeaturesRetrievalConfig("fs", entity_id="a", entity_row_fn=lambda row: {})
    with pytest.raises(beamlet.ConfigError, match="/connection/url"):
        handler(store, {"default_workspace_name": "prod"}).__class__(
            TectonConnectionConfig("ftp://h", "prod", KEY),
            TectonFeaturesRetrievalConfig("fs", "a"),
        )
    with pytest.raises(beamlet.ConfigError, match="workspace"):
        TectonFeatureStoreEnrichmentHandler(
            TectonConnectionConfig("http://h", None, KEY), TectonFeaturesRetrievalConfig("fs", "a")
        )


def test_an_element_without_the_field_says_so(store):
    with handler(store) as plain, pytest.raises(beamlet.BeamletError, match="no field `tailnum`"):
        plain(beam.Row(id=1))


def test_other_join_keys_for_one_element_than_for_another_are_an_error(store):
    names = handler(store, entity_row_fn=lambda row: {row.name: "N10156"})
    with names, pytest.raises(beamlet.BeamletError, match="join keys"):
        names([beam.Row(name="tailnum"), beam.Row(name="other")])
