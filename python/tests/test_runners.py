"""`Enrich` on runners that are programs of their own: Prism and a Flink cluster."""

from __future__ import annotations

import time

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from beamlet.beam import Enrich
from runners import flink, prism

FLIGHTS = 3000


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("BEAMLET_TEST_KEY", "demo-key")


@pytest.fixture
def config(store):
    config = store.config()
    config["connection"]["api_key"] = {"env": "BEAMLET_TEST_KEY"}
    return config


def flight(number: int) -> TimestampedValue:
    name = ["N10156", "N102UW", "N0", None][number % 4]
    return TimestampedValue(beam.Row(id=number, tailnum=name), number)


def seats(number: int):
    return [55, 182, None, None][number % 4]


def batch(pipeline, config):
    """Enriches flights in windows, and looks at every one of them."""
    good, dead = (
        pipeline
        | beam.Create(range(FLIGHTS))
        | beam.Map(flight).with_output_types(
            beam.typehints.row_type.RowTypeConstraint.from_fields(
                [("id", int), ("tailnum", beam.typehints.Optional[str])]
            )
        )
        | beam.WindowInto(FixedWindows(100))
        | "add planes" >> Enrich(config).with_exception_handling()
    )
    found = good | beam.Map(
        lambda it, t=beam.DoFn.TimestampParam, w=beam.DoFn.WindowParam: (
            it.id,
            it.planes__seats,
            int(t),
            int(w.end),
        )
    )
    expected = [(n, seats(n), n, n // 100 * 100 + 100) for n in range(FLIGHTS)]
    assert_that(found, equal_to(expected))
    assert_that(dead, equal_to([]), "no dead letters")


def counters(result) -> dict[str, int]:
    found = result.metrics().query(MetricsFilter().with_namespace("beamlet"))["counters"]
    totals: dict[str, int] = {}
    for it in found:
        totals[it.key.metric.name] = totals.get(it.key.metric.name, 0) + it.committed
    return totals


@pytest.mark.timeout(240)
class TestPrism:
    def test_flights_are_enriched(self, config, tmp_path):
        with prism(tmp_path) as options:
            pipeline = beam.Pipeline(options=PipelineOptions(options))
            batch(pipeline, config)
            result = pipeline.run()
            result.wait_until_finish()
            counted = counters(result)
            assert counted["features_retrieved"] >= 2
            assert counted["feature_retrieval_requests"] >= 1

    def test_a_stream_is_enriched(self, config, tmp_path):
        with prism(tmp_path) as options:
            now = time.time()
            with beam.Pipeline(options=PipelineOptions([*options, "--streaming"])) as pipeline:
                enriched = (
                    pipeline
                    | PeriodicImpulse(now, now + 3, 0.2)
                    | beam.Map(lambda _: {"tailnum": "N10156"})
                    | Enrich(config)
                    | beam.WindowInto(FixedWindows(60))
                    | "seats" >> beam.Map(lambda it: it["planes__seats"])
                )
                assert_that(enriched, equal_to([55] * 15))


@pytest.mark.timeout(400)
class TestFlink:
    def test_flights_are_enriched_and_counted_in_the_cluster(self, config, tmp_path):
        with flink(tmp_path) as cluster:
            pipeline = beam.Pipeline(options=PipelineOptions(cluster.options))
            batch(pipeline, config)
            result = pipeline.run()
            result.wait_until_finish()
            assert counters(result)["features_retrieved"] >= 2
            job = cluster.get("/jobs/overview")["jobs"][0]
            assert job["state"] == "FINISHED"
            accumulators = str(cluster.get(f"/jobs/{job['jid']}/accumulators"))
            assert "features_retrieved" in accumulators
