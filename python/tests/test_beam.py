"""`beamlet.beam.Enrich` in pipelines of Beam's FnApiRunner."""

from __future__ import annotations

import dataclasses
import logging
import pickle
import typing

import apache_beam as beam
import beamlet
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import FixedWindows, SlidingWindows, TimestampedValue
from apache_beam.typehints import row_type
from apache_beam.utils.secret import RawSecret, Secret
from apache_beam.utils.timestamp import Timestamp
from beamlet.beam import Enrich, EnrichmentFailed
from stores import ROOT, end_store, start_store

RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
KEY = {"env": "BEAMLET_TEST_KEY"}
PLANE = {
    "planes__year": 2004,
    "planes__type": "Fixed wing multi engine",
    "planes__manufacturer": "EMBRAER",
    "planes__model": "EMB-145XR",
    "planes__engines": 2,
    "planes__seats": 55,
    "planes__speed": None,
    "planes__engine": "Turbo-fan",
}
NOTHING = dict.fromkeys(PLANE)


class Flight(typing.NamedTuple):
    id: int
    tailnum: typing.Optional[str]


@dataclasses.dataclass
class Departure:
    id: int
    tailnum: typing.Optional[str]


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("BEAMLET_TEST_KEY", "demo-key")


@pytest.fixture
def config(store):
    config = store.config()
    config["connection"]["api_key"] = KEY
    return config


def pipeline(*options: str) -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions([f"--runner={RUNNER}", *options]))


def fields(element) -> dict:
    if isinstance(element, dict):
        return element
    return dict(element.as_dict()) if isinstance(element, beam.Row) else element._asdict()


FLIGHTS = [(1, "N10156"), (2, "N0"), (3, None), (4, "N10156")]
ENRICHED = [
    {"id": 1, "tailnum": "N10156", **PLANE},
    {"id": 2, "tailnum": "N0", **NOTHING},
    {"id": 3, "tailnum": None, **NOTHING},
    {"id": 4, "tailnum": "N10156", **PLANE},
]


@pytest.mark.parametrize("kind", ["named tuple", "dataclass", "row", "dict"])
def test_every_kind_of_element_comes_out_with_its_features(config, kind):
    elements, of = {
        "named tuple": ([Flight(*it) for it in FLIGHTS], Flight),
        "dataclass": ([Departure(*it) for it in FLIGHTS], Departure),
        "row": (
            [beam.Row(id=id, tailnum=tailnum) for id, tailnum in FLIGHTS],
            row_type.RowTypeConstraint.from_fields(
                [("id", int), ("tailnum", typing.Optional[str])]
            ),
        ),
        "dict": ([{"id": id, "tailnum": tailnum} for id, tailnum in FLIGHTS], dict),
    }[kind]
    with pipeline() as p:
        enriched = p | beam.Create(elements).with_output_types(of) | Enrich(config)
        if kind == "dict":
            assert not hasattr(enriched.element_type, "_fields"), "a dict has no schema"
        else:
            names = [name for name, _ in enriched.element_type._fields]
            assert names == ["id", "tailnum", *PLANE]
        assert_that(enriched | beam.Map(fields), equal_to(ENRICHED))
        if kind != "dict":
            # Through a coder, by the schema.
            through = enriched | beam.Reshuffle() | "fields" >> beam.Map(fields)
            assert_that(through, equal_to(ENRICHED), "after a shuffle")


class Stamped(beam.DoFn):
    def process(
        self,
        element,
        timestamp=beam.DoFn.TimestampParam,
        window=beam.DoFn.WindowParam,
    ):
        yield (element["id"], float(timestamp), float(window.end))


def test_timestamps_and_windows_stay(config):
    with pipeline() as p:
        flights = p | beam.Create(
            [TimestampedValue({"id": n, "tailnum": "N10156"}, n + 0.25) for n in range(30)]
        )
        stamped = (
            flights | Enrich(config) | beam.WindowInto(FixedWindows(10)) | beam.ParDo(Stamped())
        )
        assert_that(
            stamped,
            equal_to([(n, n + 0.25, n // 10 * 10 + 10.0) for n in range(30)]),
        )


def test_an_element_of_several_windows_comes_out_in_each(config):
    with pipeline() as p:
        flights = p | beam.Create([TimestampedValue({"id": 1, "tailnum": "N10156"}, 12)])
        stamped = (
            flights
            | beam.WindowInto(SlidingWindows(10, 5))
            | Enrich(config)
            | beam.ParDo(Stamped())
        )
        assert_that(
            stamped, equal_to([(1, 12.0, 15.0), (1, 12.0, 20.0)])
        )


def test_a_stream_is_enriched_as_it_comes(config):
    stream = (
        test_stream.TestStream()
        .advance_watermark_to(0)
        .add_elements([TimestampedValue({"id": 1, "tailnum": "N10156"}, 1)])
        .advance_watermark_to(20)
        .add_elements([TimestampedValue({"id": 2, "tailnum": "N0"}, 21)])
        .advance_watermark_to_infinity()
    )
    # FnApiRunner has no TestStream.
    runner = "apache_beam.runners.direct.direct_runner.BundleBasedDirectRunner"
    options = PipelineOptions([f"--runner={runner}", "--streaming"])
    with beam.Pipeline(options=options) as p:
        stamped = (
            p | stream | beam.WindowInto(FixedWindows(10)) | Enrich(config) | beam.ParDo(Stamped())
        )
        assert_that(
            stamped, equal_to([(1, 1.0, 10.0), (2, 21.0, 30.0)])
        )


def test_more_rows_than_a_batch_come_out_once_each(config):
    config["run"] = {"bundle_size": 7, "in_flight": 3, "coalesce": False}
    with pipeline() as p:
        enriched = (
            p
            | beam.Create([{"id": n, "tailnum": "N10156"} for n in range(500)], reshuffle=False)
            | Enrich(config)
        )
        assert_that(
            enriched | beam.Map(lambda it: (it["id"], it["planes__seats"])),
            equal_to([(n, 55) for n in range(500)]),
        )


@pytest.mark.parametrize("mode", ["multi_threading", "multi_processing"])
def test_several_workers_enrich(config, mode):
    with pipeline(f"--direct_running_mode={mode}", "--direct_num_workers=2") as p:
        enriched = (
            p | beam.Create([{"id": n, "tailnum": "N10156"} for n in range(50)]) | Enrich(config)
        )
        assert_that(
            enriched | beam.Map(lambda it: (it["id"], it["planes__seats"])),
            equal_to([(n, 55) for n in range(50)]),
        )


def test_every_type_goes_through_a_schema_and_comes_back():
    process, store = start_store(repository=ROOT / "python/tests/all_types.toml")
    try:
        config = store.config()
        config["connection"]["api_key"] = KEY
        config["retrieval"] = {"feature_service_name": "every_type", "entity_id": "id"}
        with pipeline() as p:
            enriched = (
                p
                | beam.Create([beam.Row(id=1), beam.Row(id=2)])
                | Enrich(config)
                | beam.Reshuffle()
                | beam.Map(fields)
                | beam.Map(lambda it: {**it, "v__st": it["v__st"] and tuple(it["v__st"])})
            )
            row = {
                "id": 1,
                "v__i": -7,
                "v__f": 0.5,
                "v__d": 0.1,
                "v__b": True,
                "v__s": "x",
                "v__t": Timestamp.of(Timestamp.from_rfc3339("2024-02-29T12:00:00.123456Z")),
                "v__ai": [1, 2],
                "v__af": [0.5],
                "v__as": ["a", None],
                "v__aa": [[1], []],
                "v__m": {"k": 1.5},
                "v__st": (1, ["z"]),
            }
            assert_that(enriched, equal_to([row, {**dict.fromkeys(row), "id": 2}]))
    finally:
        end_store(process)


def test_nested_names_are_a_row_for_each_view(config):
    with pipeline() as p:
        enriched = p | beam.Create([Flight(1, "N10156"), Flight(2, "N0")]) | Enrich(
            config, names="nested"
        )
        seats = enriched | beam.Reshuffle() | beam.Map(lambda it: (it.id, it.planes.seats))
        assert_that(seats, equal_to([(1, 55), (2, None)]))


def test_a_mapping_names_features(config):
    with pipeline() as p:
        enriched = p | beam.Create([{"tailnum": "N10156"}]) | Enrich(
            config, names={"planes.seats": "seats"}
        )
        assert_that(enriched | beam.Map(lambda it: it["seats"]), equal_to([55]))


class WithSeats(typing.NamedTuple):
    tailnum: str
    planes__seats: typing.Optional[int]


def test_a_field_of_both_is_what_the_conflict_rule_says(config):
    rows = [WithSeats("N10156", 1), WithSeats("N0", 2)]
    for rule, fields, expected in [
        ({}, ["planes__seats"], [(1,), (2,)]),
        # The store knows no such plane: that is its answer.
        ({"on_conflict": "right"}, ["planes__seats"], [(55,), (None,)]),
        ({"suffix": "_f"}, ["planes__seats", "planes__seats_f"], [(1, 55), (2, None)]),
    ]:
        with pipeline() as p:
            enriched = p | beam.Create(rows) | Enrich(config, **rule)
            names = [name for name, _ in enriched.element_type._fields if "seats" in name]
            assert names == fields
            seats = enriched | beam.Map(lambda it, n=names: tuple(getattr(it, x) for x in n))
            assert_that(seats, equal_to(expected))
    with pytest.raises(beamlet.FieldError, match="planes__seats"), pipeline() as p:
        p | beam.Create([WithSeats("N10156", 1)]) | Enrich(config, on_conflict="error")


def test_a_literal_secret_is_refused_and_named(store, config):
    literal = store.config()
    with pytest.raises(beamlet.ConfigError) as caught:
        Enrich(literal)
    assert [it.path for it in caught.value.problems] == ["/connection/api_key"]
    assert "demo-key" not in str(caught.value)
    with pytest.raises(beamlet.ConfigError):
        Enrich(literal, features=[("a", "int64")])
    literal["connection"]["api_key"] = RawSecret("demo-key")
    with pytest.raises(beamlet.ConfigError, match="RawSecret"):
        Enrich(literal)


class VaultSecret(Secret):
    """A secret that is found where it is needed."""

    def get_secret_bytes(self) -> bytes:
        return b"demo-key"

    @classmethod
    def generate_secret_bytes(cls, *args, **kwargs):
        raise NotImplementedError


def test_a_secret_of_beams_is_resolved_on_the_worker(config):
    config["connection"]["api_key"] = VaultSecret()
    with pipeline() as p:
        enrich = Enrich(config)
        assert b"demo-key" not in pickle.dumps(enrich._settings)
        enriched = p | beam.Create([{"tailnum": "N10156"}]) | enrich
        assert_that(enriched | beam.Map(lambda it: it["planes__seats"]), equal_to([55]))


def test_no_secret_is_in_the_pickled_pipeline(config):
    p = pipeline()
    p | beam.Create([{"tailnum": "N10156"}]) | Enrich(config)
    assert b"demo-key" not in p.to_runner_api().SerializeToString()


def test_a_worker_without_the_variable_says_so(config, monkeypatch):
    with pytest.raises(Exception, match="BEAMLET_TEST_KEY is not set"):
        with pipeline() as p:
            p | beam.Create([{"tailnum": "N10156"}]) | "add planes" >> Enrich(config)
            monkeypatch.delenv("BEAMLET_TEST_KEY")


def test_declared_features_need_neither_store_nor_secret_where_the_pipeline_is_built(
    config, monkeypatch
):
    monkeypatch.delenv("BEAMLET_TEST_KEY")
    url = config["connection"]["url"]
    config["connection"]["url"] = "http://127.0.0.1:9"
    declared = [("planes.seats", "int64"), ("planes.model", str)]
    enrich = Enrich(config, features=declared)
    enrich._settings.document["connection"]["url"] = url
    with pipeline() as p:
        enriched = p | beam.Create([Flight(1, "N10156")]) | enrich
        assert [name for name, _ in enriched.element_type._fields] == [
            "id",
            "tailnum",
            "planes__seats",
            "planes__model",
        ]
        assert_that(enriched | beam.Map(tuple_of), equal_to([(1, "N10156", 55, "EMB-145XR")]))
        monkeypatch.setenv("BEAMLET_TEST_KEY", "demo-key")


def tuple_of(element):
    return tuple(fields(element).values())


def test_a_store_that_is_down_when_the_pipeline_is_built_is_named(config):
    config["connection"]["url"] = "http://127.0.0.1:9"
    with pytest.raises(beamlet.StoreError, match="127.0.0.1:9.*features="):
        Enrich(config)


def test_all_problems_of_a_configuration_come_when_the_pipeline_is_built(config):
    config["connection"]["url"] = "ftp://x"
    config["run"] = {"in_flight": 0}
    for features in (None, [("a", "int64")]):
        with pytest.raises(beamlet.ConfigError) as caught:
            Enrich(config, features=features)
        paths = sorted(it.path for it in caught.value.problems)
        assert paths == ["/connection/url", "/run/in_flight"]


def test_settings_of_files_are_a_warning(config):
    config["run"] = {"dead_letter": "dead.ndjson", "ordered": False}
    with pytest.warns(beamlet.ConfigWarning) as caught:
        Enrich(config)
    messages = " ".join(str(it.message) for it in caught)
    assert "/run/dead_letter" in messages and "/run/ordered" in messages
    assert "with_exception_handling" in messages


def test_a_missing_field_is_named_when_the_pipeline_is_built(config):
    with pytest.raises(beamlet.FieldError, match="'add planes'.*`tailnum`.*they have a"):
        pipeline() | beam.Create([beam.Row(a=1)]) | "add planes" >> Enrich(config)
    with pytest.raises(TypeError, match="no fields"):
        pipeline() | beam.Create(["N10156"]).with_output_types(str) | Enrich(config)


BAD = [{"id": 1, "tailnum": "N10156"}, {"id": 2}, {"id": 3, "tailnum": object}, 4]


def test_elements_that_cannot_be_enriched_are_dead_letters_with_time_and_window(config):
    with pipeline() as p:
        good, dead = (
            p
            | beam.Create([TimestampedValue(it, n + 0.5) for n, it in enumerate(BAD)])
            | beam.WindowInto(FixedWindows(2))
            | Enrich(config).with_exception_handling()
        )
        assert_that(good | beam.Map(lambda it: it["id"]), equal_to([1]))
        letters = dead | beam.Map(
            lambda it, t=beam.DoFn.TimestampParam, w=beam.DoFn.WindowParam: (
                it.element["id"] if isinstance(it.element, dict) else it.element,
                it.kind,
                it.retryable,
                it.attempts,
                bool(it.msg),
                float(t),
                float(w.end),
            )
        )
        assert_that(
            letters,
            equal_to(
                [
                    (2, "invalid-input", False, 0, True, 1.5, 2.0),
                    (3, "invalid-input", False, 0, True, 2.5, 4.0),
                    (4, "invalid-input", False, 0, True, 3.5, 4.0),
                ]
            ),
            "dead",
        )


def test_dead_letters_have_a_schema(config):
    with pipeline() as p:
        good, dead = p | beam.Create([Flight(1, "N1")]) | Enrich(config).with_exception_handling()
        assert [name for name, _ in dead.element_type._fields] == [
            "element",
            "msg",
            "kind",
            "retryable",
            "attempts",
        ]
        assert_that(dead | beam.Reshuffle(), equal_to([]))


def test_an_element_that_cannot_be_enriched_fails_the_bundle_or_is_kept(config):
    with pytest.raises(Exception, match="'add planes'.*no field `tailnum`"):
        with pipeline() as p:
            p | beam.Create([{"id": 2}]) | "add planes" >> Enrich(config)
    with pipeline() as p:
        kept = p | beam.Create(BAD[:2]) | Enrich(config, on_failure="keep")
        assert_that(kept, equal_to([{**BAD[0], **PLANE}, {**BAD[1], **NOTHING}]))
    with pytest.raises(ValueError, match="with_exception_handling"):
        Enrich(config, on_failure="dead-letter")


def test_a_store_that_is_lost_on_the_way_gives_dead_letters_that_say_so(config):
    process, store = start_store()
    config["connection"]["url"] = store.url
    config["run"] = {"retry": {"max_attempts": 2, "backoff_ms": 1}, "breaker": {"enabled": False}}
    enrich = Enrich(config)
    end_store(process)
    with pipeline() as p:
        good, dead = (
            p | beam.Create([{"tailnum": "N1"}]) | enrich.with_exception_handling("ok", "lost")
        )
        assert_that(good, equal_to([]))
        letters = dead | beam.Map(lambda it: (it.kind, it.retryable, it.attempts, store.url in it.msg))
        assert_that(letters, equal_to([("unavailable", True, 2, True)]), "dead")


def test_a_wrong_key_fails_the_pipeline_and_is_no_matter_of_single_elements(config, monkeypatch):
    declared = [("planes.seats", "int64")]
    monkeypatch.setenv("BEAMLET_TEST_KEY", "another")
    with pytest.raises(Exception, match="401"):
        with pipeline() as p:
            p | beam.Create([{"tailnum": "N1"}]) | Enrich(
                config, features=declared
            ).with_exception_handling()


def test_what_the_store_gives_in_another_type_than_promised_is_no_other_value(config, caplog):
    declared = [("planes.seats", "string"), ("planes.new", "int64"), ("planes.year", "int64")]
    with caplog.at_level(logging.WARNING, "beamlet"), pipeline() as p:
        good, dead = (
            p
            | beam.Create([{"tailnum": "N10156"}, {"tailnum": "N0"}])
            | Enrich(config, features=declared).with_exception_handling()
        )
        # Of a plane that is missing there is no value of another type.
        expected = {"planes__seats": None, "planes__new": None, "planes__year": None}
        assert_that(good, equal_to([{"tailnum": "N0", **expected}]))
        assert_that(
            dead | beam.Map(lambda it: (it.kind, it.msg)),
            equal_to(
                [
                    (
                        "bad-response",
                        "feature `planes.seats` is declared string, and came as int64; build the "
                        "pipeline anew",
                    )
                ]
            ),
            "dead",
        )
    assert "`planes.new` was promised" in caplog.text
    assert "`planes.model` came, and was not promised" in caplog.text


def test_counters_and_distributions_are_the_steps_own(config):
    p = pipeline()
    (
        p
        | beam.Create([{"tailnum": "N10156"}] * 3 + [{"tailnum": "N0"}], reshuffle=False)
        | "add planes" >> Enrich(config)
    )
    result = p.run()
    result.wait_until_finish()
    found = result.metrics().query(MetricsFilter().with_namespace("beamlet"))
    counters = {it.key.metric.name: it.committed for it in found["counters"]}
    assert counters["features_retrieved"] == 1
    assert counters["feature_retrieval_requests"] == 1
    assert counters["rows_coalesced"] == 2
    assert "feature_retrieval_errors" not in counters
    assert all("add planes" in it.key.step for it in found["counters"])
    rows = {it.key.metric.name: it.committed for it in found["distributions"]}["batch_rows"]
    assert (rows.sum, rows.min, rows.max) == (4, 4, 4)


def test_beams_dask_runner_is_refused(config):
    class DaskRunner(beam.runners.DirectRunner):
        pass

    with pytest.raises(ValueError, match="DaskRunner"):
        beam.Pipeline(DaskRunner()) | beam.Create([{"tailnum": "N1"}]) | Enrich(config)


def test_a_configuration_is_a_file_whose_paths_are_its_own(store, tmp_path, monkeypatch):
    (tmp_path / "key").write_text("demo-key\n")
    (tmp_path / "beamlet.toml").write_text(
        f"""
        [connection]
        url = "{store.url}"
        api_key = {{ file = "key" }}
        default_workspace_name = "prod"
        [retrieval]
        feature_service_name = "planes_features"
        entity_id = "tailnum"
        """
    )
    monkeypatch.chdir("/")
    for features in (None, [("planes.seats", "int64")]):
        with pipeline() as p:
            enriched = p | beam.Create([{"tailnum": "N10156"}]) | Enrich(
                tmp_path / "beamlet.toml", features=features
            )
            assert_that(enriched | beam.Map(lambda it: it["planes__seats"]), equal_to([55]))


def test_two_steps_enrich_in_a_row(config):
    with pipeline() as p:
        enriched = (
            p
            | beam.Create([Flight(1, "N10156")])
            | "one" >> Enrich(config, features=[("planes.seats", "int64")])
            | "two" >> Enrich(config, suffix="_2", features=[("planes.seats", "int64")])
        )
        assert_that(enriched | beam.Map(tuple_of), equal_to([(1, "N10156", 55, 55)]))


def test_a_failure_can_be_raised_and_pickled():
    error = pickle.loads(pickle.dumps(EnrichmentFailed("why", "unavailable", True, 2)))
    assert (str(error), error.kind, error.retryable, error.attempts) == (
        "why",
        "unavailable",
        True,
        2,
    )
