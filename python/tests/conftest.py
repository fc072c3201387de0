"""What the tests share: a store for each that needs one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stores import end_store, start_store

# Beam's worker processes find what tests define.
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
).rstrip(os.pathsep)


@pytest.fixture
def store():
    process, store = start_store()
    yield store
    end_store(process)


@pytest.fixture
def slow_store():
    """Answers after half a second."""
    process, store = start_store("--latency", "500ms")
    yield store
    end_store(process)
