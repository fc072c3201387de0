"""The guide to Beam: its Python runs, and what it says of messages is what they say."""

from __future__ import annotations

import re

import apache_beam as beam
import pytest
from beamlet.beam import Enrich
from stores import ROOT

GUIDE = (ROOT / "docs/guide/beam.md").read_text()


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def here(store, tmp_path, monkeypatch):
    """A directory with the guide's configuration, for the store of the test."""
    monkeypatch.setenv("TECTON_API_KEY", "demo-key")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "beamlet.toml").write_text(
        f"""
        [connection]
        url = "{store.url}"
        api_key = {{ env = "TECTON_API_KEY" }}
        default_workspace_name = "prod"
        [retrieval]
        feature_service_name = "planes_features"
        entity_id = "tailnum"
        """
    )
    return store


def test_the_first_pipeline_prints_what_the_guide_shows(here, capfd):
    exec(compile(blocks()[0], "beam.md", "exec"), {})
    shown = re.search(r"```text\n(Row\(.*?), …\)", GUIDE)
    assert shown is not None
    assert shown[1] in capfd.readouterr().out


def test_the_configuration_as_a_dict_and_beams_own_transform_work(here):
    values: dict = {}
    for block in blocks():
        if block.startswith(("config = {", "from apache_beam.transforms.enrichment")):
            code = block.replace("https://example.tecton.ai", here.url)
            with beam.Pipeline() as pipeline:
                values["flights"] = pipeline | beam.Create([beam.Row(tailnum="N10156")])
                exec(compile(code, "beam.md", "exec"), values)
    assert set(values) >= {"config", "handler", "enriched"}
    Enrich(values["config"], features=[("planes.year", "int64")])


def test_every_message_of_the_guide_is_in_the_code():
    table = GUIDE.split("## Troubleshooting")[1]
    code = "".join(
        path.read_text()
        for folder in ("python/beamlet", "config/src")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".rs")
    )
    # Literals may be broken into lines.
    code = re.sub(r'"\s+f?"', "", code)
    parts = [
        part.strip()
        for message in re.findall(r"^\| `(.*?)`", table, re.MULTILINE)
        for part in message.split("…")
        if part.strip()
    ]
    assert len(parts) > 4
    missing = [part for part in parts if part not in code]
    assert missing == []


PAGE = (ROOT / "docs/beam-website/enrichment-tecton.md").read_text()


def test_the_page_for_beams_website_prints_what_it_shows(here, capfd):
    parts = re.findall(r"\{\{< highlight .*? >\}\}\n(.*?)\{\{< /highlight >\}\}", PAGE, re.DOTALL)
    assert len(parts) == 4
    for code, shown in (parts[:2], parts[2:]):
        code = code.replace("https://example.tecton.ai", here.url)
        exec(compile(code, "enrichment-tecton.md", "exec"), {})
        printed = capfd.readouterr().out.splitlines()
        assert sorted(printed) == sorted(shown.splitlines())
