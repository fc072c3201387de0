"""The transform :class:`Enrich`."""

from __future__ import annotations

import copy
import warnings
from typing import Any, Optional, Sequence

import apache_beam as beam
from apache_beam.typehints import row_type, typehints

from ..errors import ConfigError, ConfigWarning, FieldError, StoreError
from .dofn import EnrichDoFn, EnrichmentFailed
from .elements import Feature, Plan, fields_of
from .names import FeatureNames, paths
from .settings import Config, Settings
from .types import FeatureType

__all__ = ["Enrich", "EnrichmentFailed"]

#: What a declared feature may be given as besides a type of the contract.
_PYTHON_TYPES = {
    bool: "boolean",
    int: "int64",
    float: "float64",
    str: "string",
    bytes: "bytes",
}


class Enrich(beam.PTransform):
    """Enriches elements with the features of a store.

    Elements are ``beam.Row``, NamedTuples, dataclasses, which give ``beam.Row`` with a schema; or dicts,
    which give dicts without one. Timestamps, windows and panes stay as they are.
    """

    def __init__(
        self,
        config: Config,
        *,
        handler: Optional[str] = None,
        features: Optional[Sequence[tuple[str, Any]]] = None,
        on_failure: Optional[str] = None,
        on_conflict: Optional[str] = None,
        suffix: Optional[str] = None,
        names: FeatureNames = "flat",
        error_handling: Optional[dict] = None,
    ) -> None:
        """Reads the configuration, and asks the store which features come out.

        Args:
          config: What ``beamlet run`` takes: the path of a TOML or JSON file, its text, or a dict of the
            same shape. Secrets are ``{"env": "NAME"}``, ``{"file": "path"}`` or a
            ``Secret`` of ``apache_beam.utils.secret``, all resolved on the worker. A secret as it is is
            refused, as it would be in the pickled pipeline.
          handler: Another handler than the configuration names: ``tecton``, a file, ``oci://…``.
          features: The features that come out, each a name and a type such as ``"int64"``, in this
            order. Where it is given the store is not asked, and secrets need not be in this process.
          on_failure: ``"fail"`` (the bundle fails) or ``"keep"`` (the element passes with null
            features); as the configuration says where it is not given.
          on_conflict: Where an element has a field with a feature's name: ``"left"`` (its own stays),
            ``"right"``, ``"error"`` or ``"suffix"``; as the configuration says where it is not given.
          suffix: What goes behind a feature's name then.
          names: ``"flat"`` (``view.feature`` becomes ``view__feature``), ``"nested"`` (a row for each
            view), or a mapping from features to names.
          error_handling: For Beam YAML: ``{"output": NAME}`` gives a second output of dead letters.

        Raises:
          ConfigError: All problems of the configuration.
          StoreError: The store does not say which features come out.
          ValueError: Two features get one name, or a name that a schema cannot have.
        """
        super().__init__()
        self._settings = Settings.of(
            config, handler, is_here=features is None, literal_secrets=self._literal_secrets
        )
        for warning in self._settings.warnings:
            warnings.warn(warning, ConfigWarning, stacklevel=2)
        self._on_failure = on_failure or self._settings.on_failure
        if self._on_failure not in ("fail", "keep"):
            raise ValueError(
                f'on_failure is "fail" or "keep", not {self._on_failure!r}; '
                "`with_exception_handling()` gives dead letters"
            )
        self._inputs: Optional[list[tuple[str, bool]]] = None
        declared = self._asked() if features is None else [_declared(it) for it in features]
        on_conflict, suffix = _conflict_rule(self._settings, on_conflict, suffix)
        places = paths([name for name, _ in declared], names)
        self._plan = Plan(
            features=tuple(
                Feature(name, of, path) for (name, of), path in zip(declared, places)
            ),
            on_conflict=on_conflict,
            suffix=suffix,
        )
        self._main_tag = "good"
        self._dead_tag: Optional[str] = None
        self._yaml_output: Optional[str] = None
        if error_handling is not None:
            self._yaml_output = error_handling.get("output")
            if not isinstance(self._yaml_output, str):
                raise ValueError("error_handling: `output` names the output of dead letters")
            self._dead_tag = self._yaml_output

    #: Whether a secret may stand in the configuration as it is.
    _literal_secrets = False

    def with_exception_handling(
        self, main_tag: str = "good", dead_letter_tag: str = "bad"
    ) -> "Enrich":
        """Sets elements that cannot be enriched aside: the result is ``(good, dead)``.

        A dead letter is a row ``element``, ``msg``, ``kind``, ``retryable``, ``attempts``, with the
        element's timestamp and window. What would fail every element (a wrong key, no such feature
        service) still fails the bundle.
        """
        handling = copy.copy(self)
        handling._main_tag = main_tag
        handling._dead_tag = dead_letter_tag
        return handling

    def expand(self, pcoll: beam.PCollection) -> Any:
        runner = type(pcoll.pipeline.runner).__name__
        if runner == "DaskRunner":
            raise ValueError(
                "Enrich does not run on Beam's DaskRunner: it loses what a DoFn gives in "
                "finish_bundle, in silence; take another runner"
            )
        own = fields_of(pcoll.element_type)
        self._check_inputs(own, pcoll.element_type)
        dofn = EnrichDoFn(
            self.label, self._settings, self._plan, self._on_failure, self._dead_tag
        )
        pardo = beam.ParDo(dofn)
        enriched_type = self._element_type(own, pcoll.element_type)
        if self._dead_tag is None:
            return pcoll | "Enrich" >> pardo.with_output_types(enriched_type)
        letter = row_type.RowTypeConstraint.from_fields(
            [
                ("element", pcoll.element_type),
                ("msg", str),
                ("kind", str),
                ("retryable", bool),
                ("attempts", int),
            ]
        )
        pardo = pardo.with_output_types(enriched_type, **{self._dead_tag: letter})
        result = pcoll | "Enrich" >> pardo.with_outputs(self._dead_tag, main=self._main_tag)
        if self._yaml_output is not None:
            return {"good": result[self._main_tag], self._yaml_output: result[self._dead_tag]}
        return result

    def _element_type(self, own: Optional[list], element_type: Any) -> Any:
        if own is not None:
            return self._plan.element_type(own)
        return dict if _is_dict(element_type) else Any

    def _check_inputs(self, own: Optional[list], element_type: Any) -> None:
        if own is None:
            if element_type in (str, bytes, int, float, bool):
                raise TypeError(
                    f"step {self.label!r}: the elements are of type {element_type.__name__}, and have "
                    "no fields; give beam.Row, a NamedTuple, a dataclass or a dict"
                )
            return
        known = [name for name, _ in own]
        for name, required in self._inputs or ():
            if required and name not in known:
                raise FieldError(
                    f"step {self.label!r}: the elements have no field `{name}`, which the handler needs "
                    f"of each; they have {', '.join(known)}; add it, or change the configuration",
                    name,
                )

    def _asked(self) -> list[tuple[str, FeatureType]]:
        with self._settings.enricher() as enricher:
            self._inputs = enricher.inputs
            outputs = enricher.outputs
            if not outputs:
                problems = [
                    message for severity, _, message in enricher.check() if severity == "problem"
                ]
                why = "; ".join(problems) or "it does not declare them"
                raise StoreError(
                    f"the feature store does not say which features come out: {why}. A pipeline's "
                    "schema is known when it is built: mend that, or give "
                    'features=[("name", "int64"), …]',
                    "unavailable",
                    True,
                )
            return [(name, FeatureType.parse(of)) for name, of in outputs]


def _is_dict(element_type: Any) -> bool:
    return (
        element_type is dict
        or isinstance(element_type, typehints.DictConstraint)
        or getattr(element_type, "__origin__", None) is dict
    )


def _declared(feature: tuple[str, Any]) -> tuple[str, FeatureType]:
    name, of = feature
    if of in _PYTHON_TYPES:
        of = _PYTHON_TYPES[of]
    if not isinstance(of, str):
        raise ValueError(f"features: the type of {name!r} is a text such as \"int64\", not {of!r}")
    try:
        return name, FeatureType.parse(of)
    except ValueError as error:
        raise ValueError(f"features: {name!r}: {error}") from None


def _conflict_rule(
    settings: Settings, on_conflict: Optional[str], suffix: Optional[str]
) -> tuple[str, Optional[str]]:
    if on_conflict is None and suffix is None:
        return settings.on_conflict, settings.suffix
    if on_conflict in (None, "suffix"):
        if not suffix:
            raise ValueError("suffix is required: what goes behind a feature's name")
        return "suffix", suffix
    if on_conflict not in ("left", "right", "error"):
        raise ValueError(
            f'on_conflict is "left", "right", "error" or "suffix", not {on_conflict!r}'
        )
    if suffix is not None:
        raise ValueError('suffix has no effect unless on_conflict is "suffix"')
    return on_conflict, None
