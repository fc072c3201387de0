"""`type: BeamletEnrich` of Beam YAML, by Beam's own program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

RUNNER = "apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiRunner"
PIPELINE = """
pipeline:
  type: composite
  transforms:
    - type: Create
      name: Flights
      config:
        elements:
          - {{id: 1, tailnum: N10156}}
          - {{id: 2, tailnum: N0}}
    - type: BeamletEnrich
      input: Flights
      config:
        config:
          connection:
            url: {url}
            api_key: {{env: BEAMLET_TEST_KEY}}
            default_workspace_name: prod
          retrieval: {{feature_service_name: planes_features, entity_id: tailnum}}
        {more}
    - type: MapToFields
      name: Seats
      input: BeamletEnrich{good}
      config:
        language: python
        fields:
          id: id
          seats: planes__seats
    - type: WriteToCsv
      input: Seats
      config:
        path: {out}
    {dead}
providers:
  - include: {providers}
"""


def providers() -> str:
    printed = subprocess.check_output([sys.executable, "-m", "beamlet.beam"], text=True)
    return printed.strip()


@pytest.mark.parametrize("errors", [False, True])
def test_a_pipeline_enriches(store, tmp_path: Path, errors):
    dead = f"""- type: WriteToJson
      name: Dead
      input: BeamletEnrich.dead
      config:
        path: {tmp_path}/dead.json"""
    text = PIPELINE.format(
        url=store.url,
        out=tmp_path / "out.csv",
        providers=providers(),
        more="error_handling: {output: dead}" if errors else "",
        good="",
        dead=dead if errors else "",
    )
    (tmp_path / "pipeline.yaml").write_text(text)
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "apache_beam.yaml.main",
            f"--yaml_pipeline_file={tmp_path}/pipeline.yaml",
            f"--runner={RUNNER}",
        ],
        env={**os.environ, "BEAMLET_TEST_KEY": "demo-key"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )
    assert run.returncode == 0, run.stdout
    lines = [
        line for file in tmp_path.glob("out.csv*") for line in file.read_text().splitlines()
    ]
    assert sorted(set(lines)) == ["1,55", "2,", "id,seats"]
