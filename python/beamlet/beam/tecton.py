"""Tecton's features in Beam's own ``Enrichment`` transform.

.. code-block:: python

    from apache_beam.transforms.enrichment import Enrichment
    from beamlet.beam.tecton import (
        TectonConnectionConfig,
        TectonFeaturesRetrievalConfig,
        TectonFeatureStoreEnrichmentHandler,
    )

    handler = TectonFeatureStoreEnrichmentHandler(
        TectonConnectionConfig(url="https://example.tecton.ai", api_key={"env": "TECTON_API_KEY"}),
        TectonFeaturesRetrievalConfig(
            feature_service_name="fraud", workspace_name="prod", entity_id="user_id"
        ),
    )
    enriched = rows | Enrichment(handler)

:class:`beamlet.beam.Enrich` does the same, and more. What Beam's transform costs and loses:

- With batching every element gets the end of its window as its timestamp (beam#22853).
- It calls the handler in a new thread pool each time, one call after the other: counters that are made
  in a call are lost (beam#21217), and requests never overlap.
- An element that cannot be enriched fails its bundle: there are no dead letters.
- The output has no schema, and a literal ``api_key`` travels in the pickle of the pipeline.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Mapping as MappingABC
from dataclasses import asdict, dataclass, field
from typing import Any, Callable, Mapping, Optional, Sequence, Union

import apache_beam as beam

try:
    from apache_beam.transforms.enrichment import EnrichmentSourceHandler
except ImportError as error:  # pragma: no cover
    raise ImportError(
        "Beam's Enrichment needs google-api-core: pip install 'beamlet[enrichment]'"
    ) from error

from ..errors import ConfigWarning
from .dofn import FAILED, EnrichmentFailed
from .elements import Feature, Plan, Writer, is_row, members
from .names import FeatureNames, paths
from .promise import Promise
from .settings import Settings
from .types import FeatureType

__all__ = [
    "MetadataOptions",
    "RequestOptions",
    "TectonConnectionConfig",
    "TectonFeatureStoreEnrichmentHandler",
    "TectonFeaturesRetrievalConfig",
]

#: What stands before the name of a join key that `entity_row_fn` gives, in what the handler is shown.
_KEY = "entity:"

#: Makes a dict from join keys to values of an element.
EntityRowFn = Callable[[beam.Row], Mapping[str, Any]]


@dataclass
class MetadataOptions:
    """What is asked for beside the features' values: Tecton's MetadataOptions."""

    include_names: bool = True
    include_data_types: bool = True
    #: A field ``<feature>.effective_time`` for each feature.
    include_effective_times: bool = False
    #: Fields ``slo.…``.
    include_slo_info: bool = False
    #: A field ``<feature>.status`` for each feature.
    include_serving_status: bool = False


@dataclass
class RequestOptions:
    """How the feature server is to treat a request: Tecton's RequestOptions. What is None is not
    sent."""

    read_from_cache: Optional[bool] = None
    write_to_cache: Optional[bool] = None
    ignore_extra_request_context_fields: Optional[bool] = None
    latency_budget_ms: Optional[int] = None
    coerce_null_counts_to_zero: Optional[bool] = None
    aggregation_leading_edge: Optional[str] = None
    high_watermark_override: Optional[str] = None


@dataclass
class TectonConnectionConfig:
    """How to reach Tecton.

    Attributes:
      url: The URL of the Tecton instance; http or https.
      default_workspace_name: The workspace of the feature service, where the retrieval names none.
      api_key: The key, or where it is found on the worker: ``{"env": "NAME"}``, ``{"file": "path"}``, a
        ``Secret`` of ``apache_beam.utils.secret``. A key as it is travels in the pickle of the pipeline.
      kwargs: Further options: ``headers``, ``timeout_ms``, ``connect_timeout_ms``.
    """

    url: str
    default_workspace_name: Optional[str] = None
    api_key: Any = None
    kwargs: Optional[Mapping[str, Any]] = None

    def __post_init__(self) -> None:
        if not self.url:
            raise ValueError("TectonConnectionConfig: url is required: the URL of the Tecton instance")
        if not self.api_key:
            raise ValueError(
                'TectonConnectionConfig: api_key is required, as in api_key={"env": "TECTON_API_KEY"}'
            )

    def __repr__(self) -> str:
        # Without the key.
        workspace = self.default_workspace_name
        return f"TectonConnectionConfig(url={self.url!r}, default_workspace_name={workspace!r})"


@dataclass
class TectonFeaturesRetrievalConfig:
    """What to ask Tecton for.

    Attributes:
      feature_service_name: The feature service to query.
      entity_id: The entity's name: both the join key and the field of the element that holds its value.
        Either this or ``entity_row_fn`` is given.
      entity_row_fn: A function from an element to a dict from join keys to values; or a dict from join
        keys to expressions over ``row`` in CEL.
      request_context_map: Parameters of the request context that are the same for every element.
      workspace_name: Overrides the connection's ``default_workspace_name``.
      allow_partial_results: Whether an element may be enriched although some of its features cannot be
        computed. Makes a request for each element.
      request_options: Tecton's RequestOptions.
      metadata_options: Tecton's MetadataOptions.
      kwargs: Further parameters of a request, sent as they are.
      request_context_fn: Parameters of the request context that are computed for each element: a dict to
        expressions over ``row`` in CEL.
    """

    feature_service_name: str
    entity_id: str = ""
    entity_row_fn: Union[EntityRowFn, Mapping[str, str], None] = None
    request_context_map: Optional[Mapping[str, Any]] = None
    workspace_name: Optional[str] = None
    allow_partial_results: bool = False
    request_options: Union[RequestOptions, Mapping[str, Any], None] = None
    metadata_options: Union[MetadataOptions, Mapping[str, Any]] = field(
        default_factory=MetadataOptions
    )
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    request_context_fn: Optional[Mapping[str, str]] = None

    def __post_init__(self) -> None:
        if not self.feature_service_name:
            raise ValueError("TectonFeaturesRetrievalConfig: feature_service_name is required")
        if bool(self.entity_id) == bool(self.entity_row_fn):
            raise ValueError(
                "TectonFeaturesRetrievalConfig: give exactly one of entity_id and entity_row_fn"
            )


class TectonFeatureStoreEnrichmentHandler(EnrichmentSourceHandler[beam.Row, beam.Row]):
    """Gets features from Tecton, for ``apache_beam.transforms.enrichment.Enrichment``; see the module.

    Args:
      connection: How to reach Tecton.
      retrieval: What to ask for.
      min_batch_size, max_batch_size, max_batch_duration_secs: How Beam batches elements
        (``BatchElements``). Requests have at most ten of them, whatever these say.
      names: What features are called: ``"flat"`` (``view.feature`` becomes ``view__feature``),
        ``"nested"`` or a mapping.
    """

    def __init__(
        self,
        connection: TectonConnectionConfig,
        retrieval: TectonFeaturesRetrievalConfig,
        *,
        min_batch_size: int = 1,
        max_batch_size: int = 1000,
        max_batch_duration_secs: Optional[float] = None,
        names: FeatureNames = "flat",
    ) -> None:
        self._connection = connection
        self._retrieval = retrieval
        self._names = names
        self._batching: dict[str, Any] = {
            "min_batch_size": min_batch_size,
            "max_batch_size": max_batch_size,
        }
        if max_batch_duration_secs is not None:
            self._batching["max_batch_duration_secs"] = max_batch_duration_secs
        if isinstance(connection.api_key, str):
            warnings.warn(
                "api_key is the key as it is: it travels in the pickle of the pipeline, where others may "
                'read it; take {"env": "NAME"}, {"file": "path"} or a Secret',
                ConfigWarning,
                stacklevel=2,
            )
        function = retrieval.entity_row_fn
        self._entity_row_fn: Optional[EntityRowFn] = (
            None if function is None or isinstance(function, MappingABC) else function
        )
        # Where the join keys are those of a function, they are known with the first element.
        self._settings = None if self._entity_row_fn else self._settings_for(())
        if self._settings is None:
            self._settings_for(("any",))
        self._fingerprint = self._digest()
        self._engines: dict[tuple[str, ...], "_Tecton"] = {}
        self._lock: Optional[threading.Lock] = None

    def _config(self, keys: tuple[str, ...]) -> dict[str, Any]:
        connection, retrieval = self._connection, self._retrieval
        asked: dict[str, Any] = {"feature_service_name": retrieval.feature_service_name}
        if self._entity_row_fn is not None:
            asked["entity_row_fn"] = {key: f"row[{json.dumps(_KEY + key)}]" for key in keys}
        elif retrieval.entity_id:
            asked["entity_id"] = retrieval.entity_id
        else:
            asked["entity_row_fn"] = dict(retrieval.entity_row_fn or {})  # type: ignore[call-overload]
        given = {
            "request_context_map": retrieval.request_context_map,
            "request_context_fn": retrieval.request_context_fn,
            "workspace_name": retrieval.workspace_name,
            "allow_partial_results": retrieval.allow_partial_results or None,
            "request_options": _options(retrieval.request_options),
            "metadata_options": _options(retrieval.metadata_options),
            "kwargs": retrieval.kwargs,
        }
        asked.update({name: _plain(value) for name, value in given.items() if value})
        made = {
            "connection": {
                "url": connection.url,
                "default_workspace_name": connection.default_workspace_name,
                "api_key": connection.api_key,
                "kwargs": _plain(connection.kwargs) if connection.kwargs else None,
            },
            "retrieval": asked,
        }
        made["connection"] = {
            name: value for name, value in made["connection"].items() if value is not None
        }
        if retrieval.allow_partial_results:
            made["batching"] = {"max_batch_size": 1}
        return made

    def _settings_for(self, keys: tuple[str, ...]) -> Settings:
        # The secret is on the worker; all else is checked here.
        return Settings.of(self._config(keys), None, is_here=False, literal_secrets=True)

    def _digest(self) -> str:
        config = self._config(("",))
        del config["connection"]["api_key"]
        config["connection"].pop("kwargs", None)
        text = json.dumps(config, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __enter__(self) -> "TectonFeatureStoreEnrichmentHandler":
        self._lock = threading.Lock()
        if self._settings is not None:
            self._engines = {(): _Tecton(self._settings, self._names)}
        return self

    def __exit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        for engine in self._engines.values():
            engine.enricher.close()
        self._engines = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engines": {}, "_lock": None}

    def __str__(self) -> str:
        # The namespace of Beam's counters.
        return f"TectonFeatureStoreEnrichmentHandler({self._retrieval.feature_service_name})"

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """How Beam batches elements; none for one by one."""
        return self._batching if self._batching["max_batch_size"] > 1 else {}

    def get_cache_key(self, request: Any) -> str:
        """All that an answer depends on: instance, workspace, service, options, and each value that the
        handler reads of the element."""
        if isinstance(request, (list, tuple)) and not is_row(request):
            return "\n".join(self.get_cache_key(element) for element in request)
        if self._entity_row_fn is not None:
            values: dict[str, Any] = dict(self._entity_row_fn(request))
            names = self._context_inputs()
        else:
            values, names = {}, self._inputs()
        fields = members(request)
        values = {"keys": values, "fields": {name: fields.get(name) for name in names}}
        shown = json.dumps(values, sort_keys=True, default=repr)
        retrieval = self._retrieval
        workspace = retrieval.workspace_name or self._connection.default_workspace_name
        return (
            f"tecton:{self._connection.url}:{workspace}:{retrieval.feature_service_name}:"
            f"{self._fingerprint}:{shown}"
        )

    def _inputs(self) -> Sequence[str]:
        return [name for name, _ in self._engine(()).enricher.inputs]

    def _context_inputs(self) -> Sequence[str]:
        if not self._retrieval.request_context_fn:
            return ()
        engine = next(iter(self._engines.values()), None)
        if engine is None:
            return ()
        inputs = [name for name, _ in engine.enricher.inputs]
        return [name for name in inputs if not name.startswith(_KEY)]

    def _engine(self, keys: tuple[str, ...]) -> "_Tecton":
        if self._lock is None:
            self._lock = threading.Lock()
        with self._lock:
            engine = self._engines.get(keys)
            if engine is None:
                settings = self._settings or self._settings_for(keys)
                engine = self._engines[keys] = _Tecton(settings, self._names)
            return engine

    def __call__(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Gives the element, or each of a list, with its features: a pair, or a list of pairs."""
        if isinstance(request, list):
            return self._pairs(request)
        return self._pairs([request])[0]

    def _pairs(self, elements: list[Any]) -> list[tuple[Any, beam.Row]]:
        rows: list[Mapping[str, Any]] = [members(element) for element in elements]
        keys: tuple[str, ...] = ()
        if self._entity_row_fn is not None:
            entities = [dict(self._entity_row_fn(element)) for element in elements]
            keys = tuple(entities[0])
            for entity in entities:
                if set(entity) != set(keys):
                    raise EnrichmentFailed(
                        f"entity_row_fn gave the join keys {sorted(entity)} for one element and "
                        f"{sorted(keys)} for another; give the same for all",
                        "invalid-input",
                    )
            rows = [
                {**row, **{_KEY + key: value for key, value in entity.items()}}
                for row, entity in zip(rows, entities)
            ]
        return list(zip(elements, self._engine(keys).features(rows)))


class _Tecton:
    """An engine, and how its features become a row."""

    def __init__(self, settings: Settings, names: FeatureNames) -> None:
        self.enricher = settings.enricher()
        self._names = names
        self._promise: Optional[Promise] = None
        if self.enricher.outputs:
            self._take(self.enricher.outputs)

    def _take(self, outputs: Sequence[tuple[str, str]]) -> None:
        """Takes these features for those that come from now on."""
        places = paths([name for name, _ in outputs], self._names)
        features = tuple(
            Feature(name, FeatureType.parse(of), path)
            for (name, of), path in zip(outputs, places)
        )
        plan = Plan(features, on_conflict="left", suffix=None)
        self._promise, self._writer = Promise(plan, "Enrichment"), Writer(plan)

    def features(self, rows: list[Mapping[str, Any]]) -> list[beam.Row]:
        columns = []
        for name, required in self.enricher.inputs:
            if required and any(name not in row for row in rows):
                raise EnrichmentFailed(
                    f"the element has no field `{name}`, which the handler needs of each; add it, or "
                    "change the configuration",
                    "invalid-input",
                )
            columns.append((name, [row.get(name) for row in rows]))
        enriched = self.enricher._start(columns, len(rows)).wait()
        for row, code in enumerate(enriched._codes()):
            failure = enriched.failure(row) if code == FAILED else None
            if failure is not None:
                kind, message, retryable, attempts = failure
                raise EnrichmentFailed(f"{kind}: {message}", kind, retryable, attempts)
        if self._promise is None:
            # The store did not declare its features: those of its first answer count.
            self._take([(name, of) for name, of, _ in enriched._columns()])
        assert self._promise is not None
        values, others = self._promise.values(enriched)
        for problem in others.values():
            raise EnrichmentFailed(f"bad-response: {problem}", "bad-response")
        return [self._writer.enriched(beam.Row(), row) for row in values]


def _options(options: Any) -> Optional[dict[str, Any]]:
    if options is None:
        return None
    if isinstance(options, (MetadataOptions, RequestOptions)):
        options = asdict(options)
    return {name: value for name, value in options.items() if value is not None}


def _plain(value: Any) -> Any:
    """Mappings as dicts, for JSON."""
    if isinstance(value, MappingABC):
        return {name: _plain(member) for name, member in value.items()}
    return value
