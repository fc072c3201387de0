"""The examples run, as programs of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runners import prism
from stores import ROOT

EXAMPLES = ROOT / "examples/beam"
FNAPI = "--runner=apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"


@pytest.fixture
def config(store, tmp_path: Path) -> Path:
    """The examples' configuration, for the store of the test."""
    text = (EXAMPLES / "beamlet.toml").read_text()
    assert "http://127.0.0.1:8080" in text
    path = tmp_path / "beamlet.toml"
    path.write_text(text.replace("http://127.0.0.1:8080", store.url))
    return path


def run(name: str, *arguments: object) -> str:
    ended = subprocess.run(
        [sys.executable, EXAMPLES / name, *map(str, arguments)],
        env={**os.environ, "TECTON_API_KEY": "demo-key"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def rows(folder: Path, name: str) -> list[dict]:
    lines = [line for file in folder.glob(name) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def test_flights_are_enriched_and_counted(config, tmp_path):
    sample = ROOT / "data/flights-sample.csv"
    printed = run(
        "enrich.py", "--config", config, "--input", sample, "--output", tmp_path / "out", FNAPI
    )
    assert "features_retrieved" in printed
    enriched = rows(tmp_path, "out-*.ndjson")
    assert len(enriched) == 6000
    # The demo shows these.
    assert all(row["origin"] and row["dest"] for row in enriched)
    # As many as the command line finds in the same file.
    assert sum(row["planes__manufacturer"] is not None for row in enriched) == 5076


def test_a_flight_without_a_tail_number_is_a_dead_letter(config, tmp_path):
    run("dead_letters.py", "--config", config, "--output", tmp_path / "out", FNAPI)
    good = rows(tmp_path, "out-0*.ndjson")
    dead = rows(tmp_path, "out-dead-*.ndjson")
    assert [row["flight"] for row in good] == [1545, 725]
    assert [(it["element"], it["kind"]) for it in dead] == [({"flight": 1714}, "invalid-input")]


@pytest.mark.timeout(240)
class TestPrismExamples:
    def test_a_stream_of_flights_is_enriched(self, config, tmp_path):
        with prism(tmp_path) as options:
            printed = run("streaming.py", "--config", config, "--seconds", "4", *options)
        assert "seats left" in printed
