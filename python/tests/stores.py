"""Stores for the tests: emulators, each on a port of its own."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Where the emulator was built.
PROGRAMS = Path(os.environ.get("BEAMLET_TEST_PROGRAMS", ROOT / "target/release"))


@dataclass
class Store:
    """A Tecton emulator with the planes of 2013."""

    url: str

    def config(self, **tables) -> dict:
        """A configuration for it; `tables` are added, or take a table's place."""
        config = {
            "connection": {
                "url": self.url,
                "api_key": "demo-key",
                "default_workspace_name": "prod",
            },
            "retrieval": {"feature_service_name": "planes_features", "entity_id": "tailnum"},
        }
        config.update(tables)
        return config

    def requests(self) -> int:
        """How many requests for features it was sent."""
        with urllib.request.urlopen(self.url + "/_emulator/stats", timeout=10) as answer:
            return json.load(answer)["requests"]


def start_store(*options: str, repository: Path = ROOT / "data/tecton-repository.toml"):
    """Starts an emulator; it ends with its standard input."""
    process = subprocess.Popen(
        [
            PROGRAMS / "tecton-emulator",
            "--repository",
            repository,
            "--exit-with-stdin",
            *options,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("listening on "), line
    return process, Store(line.removeprefix("listening on ").strip())


def end_store(process: subprocess.Popen) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()
