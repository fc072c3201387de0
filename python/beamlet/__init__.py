"""Feature-store enrichment by sandboxed WebAssembly handlers.

>>> import beamlet
>>> with beamlet.Enricher("beamlet.toml") as enricher:      # doctest: +SKIP
...     enriched = enricher.enrich([{"tailnum": "N10156"}])
...     enriched.to_pylist()
[{'tailnum': 'N10156', 'planes.year': 2004, ...}]

Rows are whatever offers Arrow's PyCapsule interface (a table of pyarrow, a data frame of polars, …),
or a list of dicts. For Apache Beam, see :mod:`beamlet.beam`.
"""

from __future__ import annotations

import os

from . import errors
from ._engine import (
    ArrowBatch,
    ArrowSchema,
    Enriched,
    Enricher,
    __version__,
    _after_fork_in_child,
    _after_fork_in_parent,
    _before_fork,
)
from .errors import (
    BeamletError,
    ConfigError,
    ConfigWarning,
    EnrichError,
    FieldError,
    InternalError,
    Problem,
    SetupError,
    StoreError,
)

__all__ = [
    "ArrowBatch",
    "ArrowSchema",
    "BeamletError",
    "ConfigError",
    "ConfigWarning",
    "EnrichError",
    "Enriched",
    "Enricher",
    "FieldError",
    "InternalError",
    "Problem",
    "SetupError",
    "StoreError",
    "__version__",
    "errors",
]

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
