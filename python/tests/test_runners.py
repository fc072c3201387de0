"""`Enrich` on runners that are programs of their own: Prism and a Flink cluster."""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.periodicsequence import PeriodicImpulse
from apache_beam.transforms.window import FixedWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
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


class Upsert(beam.DoFn):
    """A sink that is idempotent by an id, and counts how often each came."""

    def __init__(self, path: str) -> None:
        self._path = path

    def process(self, element):
        with sqlite3.connect(self._path, timeout=60) as sink:
            sink.execute(
                "INSERT INTO flights VALUES (?, ?, 1) "
                "ON CONFLICT (id) DO UPDATE SET seats = excluded.seats, times = times + 1",
                (element["id"], element["planes__seats"]),
            )


def sink(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=60)
    connection.execute("CREATE TABLE flights (id INTEGER PRIMARY KEY, seats INTEGER, times INTEGER)")
    connection.commit()
    return connection


@pytest.mark.timeout(400)
class TestFlink:
    def test_flights_are_enriched_and_a_stream_outlives_a_task_manager(self, config, tmp_path):
        # One cluster for both: it takes half a minute to start.
        with flink(tmp_path) as cluster:
            pipeline = beam.Pipeline(options=PipelineOptions(cluster.options))
            batch(pipeline, config)
            result = pipeline.run()
            result.wait_until_finish()
            assert counters(result)["features_retrieved"] >= 2
            self._metrics_of_rest(cluster)
            self._stream(cluster, config, tmp_path / "sink.db")

    def _metrics_of_rest(self, cluster):
        job = cluster.get("/jobs/overview")["jobs"][0]
        assert job["state"] == "FINISHED"
        accumulators = cluster.get(f"/jobs/{job['jid']}/accumulators")
        names = str(accumulators)
        assert "features_retrieved" in names, names

    def _stream(self, cluster, config, path: Path):
        database = sink(path)
        options = [
            *cluster.options,
            "--streaming",
            "--checkpointing_interval=1000",
            "--number_of_execution_retries=10",
        ]
        now = Timestamp.now()
        pipeline = beam.Pipeline(options=PipelineOptions(options))
        (
            pipeline
            | PeriodicImpulse(now, now + 3600, 0.1)
            | beam.Map(lambda time, begin=float(now): round((float(time) - begin) * 10))
            | beam.Map(lambda n: {"id": n, "tailnum": ["N10156", "N102UW"][n % 2]})
            | "add planes" >> Enrich(config)
            | beam.ParDo(Upsert(str(path)))
        )
        running = threading.Thread(target=lambda: _ignore(pipeline.run().wait_until_finish))
        running.daemon = True
        running.start()
        self._until(lambda: count(database) > 20)
        cluster.kill_a_task_manager()
        at_death = count(database)
        self._until(lambda: count(database) > at_death + 40)
        job = next(it for it in cluster.get("/jobs/overview")["jobs"] if it["state"] == "RUNNING")
        assert cluster.get(f"/jobs/{job['jid']}/checkpoints")["counts"]["completed"] > 0
        rows = database.execute("SELECT id, seats, times FROM flights ORDER BY id").fetchall()
        # What came last may not be behind all before it.
        ids = [id for id, _, _ in rows if id <= at_death + 20]
        assert ids == list(range(ids[0], ids[-1] + 1)), "no row is lost"
        assert all(seats == [55, 182][id % 2] for id, seats, _ in rows)
        database.close()

    @staticmethod
    def _until(holds, seconds: float = 120):
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, "it takes too long"
            time.sleep(0.3)


def count(database: sqlite3.Connection) -> int:
    return database.execute("SELECT count(*) FROM flights").fetchone()[0]


def _ignore(run) -> None:
    # The cluster ends before the stream does.
    try:
        run()
    except Exception:  # noqa: BLE001
        pass
