"""Enrichment of Apache Beam's PCollections with the features of a store.

.. code-block:: python

    from beamlet.beam import Enrich

    enriched = flights | Enrich("beamlet.toml")
    good, dead = flights | Enrich(config).with_exception_handling()

Elements are ``beam.Row``, NamedTuples, dataclasses or dicts. See docs/guide/beam.md.
"""

from __future__ import annotations

try:
    import apache_beam as _beam  # noqa: F401
except ImportError as error:  # pragma: no cover
    raise ImportError(
        "beamlet.beam needs Apache Beam: pip install 'beamlet[beam]'"
    ) from error

from .names import FeatureNames
from .transform import Enrich, EnrichmentFailed

__all__ = ["Enrich", "EnrichmentFailed", "FeatureNames"]
