"""The transform of Beam YAML: ``type: BeamletEnrich``."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

import apache_beam as beam

from .transform import Enrich


class BeamletEnrich(beam.PTransform):
    """Enriches rows with the features of a store."""

    def __init__(
        self,
        config: Optional[Mapping[str, Any]] = None,
        config_file: Optional[str] = None,
        handler: Optional[str] = None,
        features: Optional[Mapping[str, str]] = None,
        on_failure: Optional[str] = None,
        on_conflict: Optional[str] = None,
        suffix: Optional[str] = None,
        names: Optional[Union[str, Mapping[str, str]]] = None,
        error_handling: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """Enriches rows with the features of a store.

        Args:
          config: The configuration: what a `beamlet.toml` has, as a mapping. Secrets are `{env: NAME}` or
            `{file: path}`.
          config_file: The path of a configuration, TOML or JSON, in place of `config`.
          handler: Another handler than the configuration names.
          features: The features that come out, a name and a type each, where the store cannot be asked
            when the pipeline is built.
          on_failure: `fail` or `keep`.
          on_conflict: `left`, `right`, `error` or `suffix`.
          suffix: What goes behind a feature's name with `on_conflict: suffix`.
          names: `flat`, `nested`, or a mapping from features to names.
          error_handling: `{output: NAME}`, the output of dead letters.
        """
        super().__init__()
        if (config is None) == (config_file is None):
            raise ValueError("BeamletEnrich: give exactly one of config and config_file")
        self._enrich = Enrich(
            dict(config) if config is not None else str(config_file),
            handler=handler,
            features=None if features is None else list(features.items()),
            on_failure=on_failure,
            on_conflict=on_conflict,
            suffix=suffix,
            names=names or "flat",
            error_handling=None if error_handling is None else dict(error_handling),
        )

    def expand(self, pcoll: beam.PCollection) -> Any:
        return self._enrich.expand(pcoll)
