"""Rows in, features out, by the class `beamlet.Enricher`."""

from __future__ import annotations

import datetime
import json
import signal
import threading
import time
import uuid
import weakref

import beamlet
import numpy
import polars
import pyarrow as pa
import pytest

PLANE = {
    "planes.year": 2004,
    "planes.type": "Fixed wing multi engine",
    "planes.manufacturer": "EMBRAER",
    "planes.model": "EMB-145XR",
    "planes.engines": 2,
    "planes.seats": 55,
    "planes.speed": None,
    "planes.engine": "Turbo-fan",
}
NOTHING = dict.fromkeys(PLANE)


@pytest.fixture
def enricher(store):
    with beamlet.Enricher(store.config()) as enricher:
        yield enricher


def test_dicts_come_out_as_dicts_with_their_features(enricher):
    rows = [{"id": 1, "tailnum": "N10156"}, {"tailnum": "N0"}, {"tailnum": None}]
    enriched = enricher.enrich(rows)
    assert enriched.to_pylist() == [
        {"id": 1, "tailnum": "N10156", **PLANE},
        {"tailnum": "N0", **NOTHING},
        {"tailnum": None, **NOTHING},
    ]
    assert enriched.counts == {"enriched": 1, "missing": 1, "null_key": 1, "failed": 0}
    assert rows[0] == {"id": 1, "tailnum": "N10156"}, "the rows themselves stay as they are"


@pytest.mark.parametrize("library", ["table", "record batch", "chunks", "polars", "views"])
def test_what_offers_arrows_interface_is_taken_and_given(enricher, library):
    names = ["N10156", None, "N102UW", "N0"]
    table = pa.table({"tailnum": names, "id": [1, 2, 3, 4]})
    rows = {
        "table": table,
        "record batch": table.to_batches()[0],
        "chunks": pa.concat_tables([table[:1], table[1:]]),
        "polars": polars.DataFrame({"tailnum": names, "id": [1, 2, 3, 4]}),
        "views": table.set_column(0, "tailnum", table["tailnum"].cast(pa.string_view())),
    }[library]
    enriched = enricher.enrich(rows)
    joined = pa.table(enriched)
    assert joined.column_names == ["tailnum", "id", *PLANE]
    assert joined["id"].to_pylist() == [1, 2, 3, 4]
    assert joined["planes.seats"].to_pylist() == [55, None, 182, None]
    assert polars.DataFrame(enriched)["planes.year"].to_list() == [2004, None, 1998, None]
    assert pa.table(enriched.features).column_names == list(PLANE)
    assert pa.table(enriched.outcomes)["outcome"].to_pylist() == [
        "enriched",
        "null_key",
        "enriched",
        "missing",
    ]


def test_rows_of_no_length_are_enriched_too(enricher):
    assert enricher.enrich([]).to_pylist() == []
    empty = pa.table({"tailnum": pa.array([], pa.string())})
    assert pa.table(enricher.enrich(empty)).column_names == ["tailnum", *PLANE]


def test_the_schema_is_known_before_the_first_row(enricher):
    schema = pa.schema(enricher.schema)
    assert schema.names == list(PLANE)
    assert schema.field("planes.year").type == pa.int64()
    assert pa.table(enricher.enrich([{"tailnum": "N10156"}]).features).schema.equals(schema)
    assert enricher.inputs == [("tailnum", True)]
    assert enricher.outputs[0] == ("planes.year", "int64")


def test_a_field_of_both_is_what_the_conflict_rule_says(enricher):
    rows = pa.table({"tailnum": ["N10156"], "planes.year": [1]})
    enriched = enricher.enrich(rows)
    assert pa.table(enriched)["planes.year"].to_pylist() == [1]
    assert pa.table(enriched.join("right"))["planes.year"].to_pylist() == [2004]
    assert pa.table(enriched.join(suffix="_f"))["planes.year_f"].to_pylist() == [2004]
    with pytest.raises(beamlet.FieldError, match="planes.year"):
        enriched.join("error")
    with pytest.raises(ValueError, match="on_conflict is"):
        enriched.join("suffix")


@pytest.mark.parametrize(
    ("value", "is_it"),
    [
        ("N1", "row.x == 'N1'"),
        (7, "row.x == 7"),
        (True, "row.x == true"),
        (1.5, "row.x == 1.5"),
        (b"\x00\xff", "size(row.x) == 2 && type(row.x) == bytes"),
        (numpy.int64(7), "row.x == 7"),
        (numpy.float32(0.5), "row.x == 0.5"),
        (numpy.str_("N1"), "row.x == 'N1'"),
        (uuid.UUID(int=1), "row.x == '00000000-0000-0000-0000-000000000001'"),
        (
            datetime.datetime(2024, 2, 29, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
            "row.x == timestamp('2024-02-29T12:00:00Z')",
        ),
        ({"a": [1, None, {"b": 2.5}]}, "row.x.a[0] == 1 && row.x.a[2].b == 2.5"),
        ((1, "x"), "row.x[1] == 'x'"),
        (numpy.array([1, 2]), "row.x[1] == 2"),
    ],
)
def test_a_python_value_is_shown_to_the_handler_as_what_it_is(store, value, is_it):
    config = store.config(
        retrieval={
            "feature_service_name": "planes_features",
            "entity_row_fn": {"tailnum": f"{is_it} ? 'N10156' : 'N0'"},
        }
    )
    with beamlet.Enricher(config) as enricher:
        enriched = enricher.enrich([{"x": value}])
        assert enriched.counts["enriched"] == 1, (enriched, enriched.failure(0))


def test_a_column_of_integers_and_floats_is_one_of_floats_and_of_others_json(store):
    config = store.config(
        retrieval={
            "feature_service_name": "planes_features",
            "entity_row_fn": {
                "tailnum": "row.x == 1.0 || row.x == 1.5 || row.x == 'a' ? 'N10156' : 'N0'"
            },
        }
    )
    with beamlet.Enricher(config) as enricher:
        for values in ([1, 1.5], [1.5, "a"], ["a", 1.5, None]):
            enriched = enricher.enrich([{"x": value} for value in values])
            assert enriched.counts["enriched"] == 2, enriched


def test_a_value_that_cannot_be_shown_fails_its_row_alone(enricher):
    rows = [{"tailnum": "N10156"}, {"tailnum": object()}, {"tailnum": "N102UW"}]
    enriched = enricher.enrich(rows)
    outcomes = pa.table(enriched.outcomes).to_pylist()
    assert [row["outcome"] for row in outcomes] == ["enriched", "failed", "enriched"]
    assert outcomes[1]["kind"] == "invalid-input"
    assert "field `tailnum` is a value of type object" in outcomes[1]["message"]
    assert enriched.failure(1)[0] == "invalid-input"
    assert enriched.failure(0) is None
    assert [row["planes.seats"] for row in enriched.to_pylist()] == [55, None, 182]


def test_a_time_without_a_zone_is_no_point_in_time(enricher):
    enriched = enricher.enrich([{"tailnum": datetime.datetime(2024, 1, 1)}])
    assert "without a time zone" in enriched.failure(0)[1]


def test_all_problems_of_a_configuration_are_data(store):
    config = store.config(run={"in_flight": 0})
    config["connection"]["url"] = "ftp://features"
    with pytest.raises(beamlet.ConfigError) as caught:
        beamlet.Enricher(config)
    paths = [problem.path for problem in caught.value.problems]
    assert sorted(paths) == ["/connection/url", "/run/in_flight"]
    assert all(problem.message for problem in caught.value.problems)
    assert "/connection/url" in str(caught.value)
    assert "demo-key" not in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_a_configuration_is_a_path_a_text_or_a_dict(store, tmp_path):
    config = store.config()
    text = json.dumps(config)
    (tmp_path / "c.json").write_text(text)
    toml = f"""
        [connection]
        url = "{store.url}"
        api_key = "demo-key"
        default_workspace_name = "prod"
        [retrieval]
        feature_service_name = "planes_features"
        entity_id = "tailnum"
    """
    for config in (text, toml, tmp_path / "c.json", str(tmp_path / "c.json")):
        with beamlet.Enricher(config) as enricher:
            assert enricher.enrich([{"tailnum": "N10156"}]).counts["enriched"] == 1
    with pytest.raises(beamlet.ConfigError, match="c2.json: cannot be read"):
        beamlet.Enricher(str(tmp_path / "c2.json"))
    with pytest.raises(TypeError, match="a configuration is a dict"):
        beamlet.Enricher(7)


def test_a_problem_of_a_file_has_its_line(store, tmp_path):
    (tmp_path / "c.toml").write_text("[connection]\nurl = 'ftp://x'\n")
    with pytest.raises(beamlet.ConfigError) as caught:
        beamlet.Enricher(tmp_path / "c.toml")
    lines = [it.line for it in caught.value.problems if it.path == "/connection/url"]
    assert lines[0].startswith(f"{tmp_path}/c.toml:2: /connection/url: ")


def test_a_wrong_key_is_an_error_of_the_store(store):
    config = store.config()
    config["connection"]["api_key"] = "another"
    enricher = beamlet.Enricher(config)
    with pytest.raises(beamlet.StoreError) as caught:
        enricher.enrich([{"tailnum": "N10156"}])
    assert (caught.value.kind, caught.value.retryable) == ("unauthenticated", False)
    findings = enricher.check()
    assert ("problem", "/connection/api_key") in [(it[0], it[1]) for it in findings]


def test_a_missing_field_is_named(enricher):
    with pytest.raises(beamlet.FieldError, match="row 1 has no field `tailnum`") as caught:
        enricher.enrich([{"tailnum": "N1"}, {"x": 1}])
    assert caught.value.field == "tailnum"
    with pytest.raises(beamlet.FieldError, match="tailnum"):
        enricher.enrich(pa.table({"x": [1]}))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (7, "not int"),
        ([7], "row 0 is int, not a dict"),
        (pa.array([1]), "one column, not rows"),
        (pa.chunked_array([[1]]), "one column, not rows"),
    ],
)
def test_what_are_no_rows_is_an_error_of_type(enricher, rows, message):
    with pytest.raises(TypeError, match=message):
        enricher.enrich(rows)


def test_counters_and_metrics_say_what_was_done(enricher, store):
    enricher.enrich([{"tailnum": "N10156"}] * 3)
    assert enricher.counters["features_retrieved"] == 1, "equal rows are asked for once"
    assert enricher.counters["feature_retrieval_requests"] == 1
    assert enricher.metrics["rows_coalesced"] == 2
    assert enricher.check()[0][0] == "ok"


def test_threads_share_an_enricher(enricher):
    results = []

    def enrich(name):
        results.append(enricher.enrich([{"tailnum": name}] * 50).counts["enriched"])

    threads = [threading.Thread(target=enrich, args=(name,)) for name in ["N10156", "N102UW"] * 8]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [50] * 16


def test_other_threads_run_while_one_waits(slow_store):
    with beamlet.Enricher(slow_store.config()) as enricher:
        thread = threading.Thread(target=enricher.enrich, args=([{"tailnum": "N10156"}],))
        thread.start()
        turns = 0
        while thread.is_alive():
            turns += 1
            time.sleep(0.001)
        assert turns > 20


@pytest.fixture
def interrupts():
    """Python's own handler of SIGINT: runners of other tests leave theirs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_ends_a_call(slow_store, interrupts):
    with beamlet.Enricher(slow_store.config(batching={"max_batch_size": 1})) as enricher:
        timer = threading.Timer(0.2, lambda: signal.raise_signal(signal.SIGINT))
        timer.start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            enricher.enrich([{"tailnum": f"N{number}"} for number in range(2000)])
        assert time.monotonic() - begun < 20
        assert enricher.enrich([{"tailnum": "N10156"}]).counts["enriched"] == 1


def test_a_closed_enricher_is_set_up_anew(store):
    enricher = beamlet.Enricher(store.config())
    enricher.close()
    enricher.close()
    assert enricher.enrich([{"tailnum": "N10156"}]).counts["enriched"] == 1
    assert weakref.ref(enricher)() is enricher


def test_a_setting_that_is_most_likely_not_meant_is_a_warning(store):
    config = store.config()
    config["connection"]["kwargs"] = {"no_such_option": 1}
    with pytest.warns(beamlet.ConfigWarning, match="no_such_option"):
        beamlet.Enricher(config)
