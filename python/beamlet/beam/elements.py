"""How elements are read, and how features join them."""

from __future__ import annotations

import dataclasses
import typing
from operator import attrgetter, itemgetter
from typing import Any, Callable, Optional, Sequence

import apache_beam as beam
from apache_beam.typehints import row_type

from ..errors import FieldError
from .names import Path
from .types import FeatureType


def fields_of(element_type: Any) -> Optional[list[tuple[str, Any]]]:
    """The fields of an element type with a schema, else none."""
    if not isinstance(element_type, row_type.RowTypeConstraint):
        element_type = row_type.RowTypeConstraint.from_user_type(element_type)
    if element_type is None:
        return None
    fields = list(element_type._fields)
    if any(isinstance(of, (str, typing.ForwardRef)) for _, of in fields):
        # The class is defined under `from __future__ import annotations`.
        known = typing.get_type_hints(element_type.user_type)
        fields = [(name, known[name]) for name, _ in fields]
    return fields


@dataclasses.dataclass(frozen=True)
class Feature:
    """A feature that comes out: its name at the store, its type, its place in an element."""

    name: str
    of: FeatureType
    path: Path


@dataclasses.dataclass(frozen=True)
class Plan:
    """Where each feature goes, under the conflict rule."""

    features: tuple[Feature, ...]
    on_conflict: str
    suffix: Optional[str]

    def element_type(self, own: Sequence[tuple[str, Any]]) -> Any:
        """The schema of enriched elements: own fields first, features behind them.

        Raises:
          FieldError: A feature has the name of a field, and that is an error or cannot be.
        """
        fields: dict[str, Any] = dict(own)
        rows: dict[str, list[tuple[str, Any]]] = {}
        for feature in self.features:
            if len(feature.path) > 1:
                rows.setdefault(feature.path[0], []).append(
                    (feature.path[1], feature.of.beam_type())
                )
        types: dict[str, Any] = {}
        for feature in self.features:
            name = feature.path[0]
            if len(feature.path) > 1:
                types[name] = row_type.RowTypeConstraint.from_fields(rows[name])
            else:
                types[name] = feature.of.beam_type()
        for name, of in types.items():
            if name not in fields:
                fields[name] = of
                continue
            if self.on_conflict == "left":
                continue
            if self.on_conflict == "right":
                # An element without features keeps its own value.
                if not _is_same(fields[name], of):
                    raise FieldError(
                        f"field `{name}` is {_show(fields[name])} in the elements and {_show(of)} among "
                        "the features, and an element without features keeps its own; take "
                        'on_conflict="left", or a suffix',
                        name,
                    )
                fields[name] = of
                continue
            if self.on_conflict == "error":
                raise FieldError(_conflict(name), name)
            renamed = f"{name}{self.suffix}"
            if renamed in fields or renamed in types:
                raise FieldError(_suffix_taken(name, renamed), name)
            fields[renamed] = of
        return row_type.RowTypeConstraint.from_fields(list(fields.items()))

    def names(self, own: Any) -> list[Optional[str]]:
        """The field of each top-level feature in elements that have these fields; none where the
        element's own stays."""
        taken = set(own)
        all_names = {feature.path[0] for feature in self.features}
        names: list[Optional[str]] = []
        for feature in self.features:
            name = feature.path[0]
            if name not in taken or self.on_conflict == "right":
                names.append(name)
            elif self.on_conflict == "left":
                names.append(None)
            elif self.on_conflict == "error":
                raise FieldError(_conflict(name), name)
            else:
                renamed = f"{name}{self.suffix}"
                if renamed in taken or renamed in all_names:
                    raise FieldError(_suffix_taken(name, renamed), name)
                names.append(renamed)
        return names


def _conflict(name: str) -> str:
    return (
        f"field `{name}` is in the elements and among the features; take on_conflict=\"left\" or "
        '"right", or a suffix'
    )


def _suffix_taken(name: str, renamed: str) -> str:
    return (
        f"field `{name}` is in the elements and among the features, and so is `{renamed}`; take another "
        "suffix"
    )


def _is_same(own: Any, feature: Any) -> bool:
    return own == feature or beam.typehints.Optional[own] == feature or _show(own) == _show(feature)


def _show(of: Any) -> str:
    return str(of).replace("typing.", "")


class Reader:
    """Takes the columns that a handler reads out of elements."""

    def __init__(self, inputs: Sequence[tuple[str, bool]]) -> None:
        self._inputs = [
            (name, required, _attribute(name), itemgetter(name)) for name, required in inputs
        ]

    def columns(
        self, elements: Sequence[Any]
    ) -> tuple[list[tuple[str, list[Any]]], dict[int, str]]:
        """The columns, with null where a value is at fault, and the faults by position."""
        columns: list[tuple[str, list[Any]]] = []
        faults: dict[int, str] = {}
        for name, required, attribute, item in self._inputs:
            values = self._fast(elements, attribute, item)
            if values is None:
                values = self._slow(elements, name, required, faults)
            columns.append((name, values))
        return columns, faults

    def _fast(
        self, elements: Sequence[Any], attribute: Callable[[Any], Any], item: Callable[[Any], Any]
    ) -> Optional[list[Any]]:
        try:
            if isinstance(elements[0], dict):
                return list(map(item, elements))
            return list(map(attribute, elements))
        except (AttributeError, KeyError, TypeError):
            return None

    def _slow(
        self, elements: Sequence[Any], name: str, required: bool, faults: dict[int, str]
    ) -> list[Any]:
        values = []
        for at, element in enumerate(elements):
            value = None
            try:
                value = element[name] if isinstance(element, dict) else getattr(element, name)
            except (AttributeError, KeyError):
                if required or not is_row(element):
                    faults.setdefault(at, _lacks(element, name))
            values.append(value)
        return values


def _attribute(name: str) -> Callable[[Any], Any]:
    # `attrgetter` would take a dot for a way through objects.
    return attrgetter(name) if "." not in name else (lambda element: getattr(element, name))


def _lacks(element: Any, name: str) -> str:
    if not is_row(element):
        return (
            f"the element is of type {type(element).__name__}, and has no fields; give a beam.Row, a "
            "NamedTuple, a dataclass or a dict"
        )
    return (
        f"the element has no field `{name}`, which the handler needs of each; add it, or change the "
        "configuration"
    )


def is_row(element: Any) -> bool:
    """Whether an element has named fields."""
    return (
        isinstance(element, (dict, beam.Row))
        or (isinstance(element, tuple) and hasattr(element, "_fields"))
        or (dataclasses.is_dataclass(element) and not isinstance(element, type))
    )


class Writer:
    """Makes enriched elements: dicts of dicts, and Beam's rows of all others."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._nothing = (None,) * len(plan.features)
        #: The names of features in elements that have these fields.
        self._names: dict[Any, _Names] = {}
        #: Of NamedTuples, by their class: own fields and features in a row.
        self._tuples: dict[type, Optional[tuple[str, ...]]] = {}

    def enriched(self, element: Any, values: Sequence[Any]) -> Any:
        """The element with a value for each feature."""
        row = _new_row(beam.Row)
        if isinstance(element, tuple):
            names = self._tuples.get(type(element), ())
            if names == ():
                names = self._tuples[type(element)] = self._of_tuple(element)
            if names is not None:
                row.__dict__.update(zip(names, element + values))  # type: ignore[operator]
                return row
        is_dict = isinstance(element, dict)
        fields = dict(members(element))
        names_of = self._names_for(fields)
        if names_of.simple is not None:
            fields.update(zip(names_of.simple, values))
        else:
            self._put(fields, names_of.names, values, is_dict)
        if is_dict:
            return fields
        row.__dict__.update(fields)
        return row

    def without(self, element: Any) -> Any:
        """The element with null for each feature. A field of its own that a feature would stand in
        the place of stays."""
        if self._plan.on_conflict != "right":
            return self.enriched(element, self._nothing)
        fields = members(element)
        enriched = self.enriched(element, self._nothing)
        into = enriched if isinstance(element, dict) else enriched.__dict__
        into.update(fields)
        return enriched

    def _put(
        self,
        fields: dict[str, Any],
        names: Sequence[Optional[str]],
        values: Sequence[Any],
        is_dict: bool,
    ) -> None:
        rows: dict[str, dict[str, Any]] = {}
        for feature, name, value in zip(self._plan.features, names, values):
            if name is None:
                continue
            if len(feature.path) == 1:
                fields[name] = value
            else:
                rows.setdefault(name, {})[feature.path[1]] = value
        for name, row in rows.items():
            fields[name] = row if is_dict else beam.Row(**row)

    def _of_tuple(self, element: Any) -> Optional[tuple[str, ...]]:
        """None where own fields and features are not just one behind the other."""
        own = element._fields
        names = self._names_for(dict.fromkeys(own))
        if names.simple is None or not set(own).isdisjoint(names.simple):
            return None
        return (*own, *names.simple)

    def _names_for(self, fields: dict[str, Any]) -> "_Names":
        # Elements of one type have one set of fields, except dicts and Beam's own rows.
        key = tuple(fields)
        names = self._names.get(key)
        if names is None:
            if len(self._names) > 1000:
                self._names.clear()
            names = self._names[key] = _Names.of(self._plan, fields)
        return names


@dataclasses.dataclass(frozen=True)
class _Names:
    """The field of each feature in elements with certain fields."""

    #: None where an element's own field stays.
    names: tuple[Optional[str], ...]
    #: The same, where each feature is a field of the element itself.
    simple: Optional[tuple[str, ...]]

    @staticmethod
    def of(plan: Plan, own: Any) -> "_Names":
        names = tuple(plan.names(own))
        is_simple = all(names) and all(len(it.path) == 1 for it in plan.features)
        return _Names(names, names if is_simple else None)  # type: ignore[arg-type]


_new_row = beam.Row.__new__


def members(element: Any) -> dict[str, Any]:
    """The fields of an element; of a dict or a Beam row these are its own, not to be changed."""
    if isinstance(element, dict):
        return element
    if isinstance(element, beam.Row):
        return element.__dict__
    if hasattr(element, "_asdict"):
        return element._asdict()
    return {field.name: getattr(element, field.name) for field in dataclasses.fields(element)}


def size(element: Any) -> int:
    """About how many bytes an element holds: its texts and bytes, and a word for each other value."""
    total = 0
    stack = [element]
    while stack:
        value = stack.pop()
        if isinstance(value, (str, bytes)):
            total += len(value) + 50
        elif isinstance(value, dict):
            total += 60
            stack.extend(value.values())
        elif isinstance(value, (list, tuple)):
            total += 60
            stack.extend(value)
        elif isinstance(value, beam.Row):
            stack.extend(value.__dict__.values())
        elif dataclasses.is_dataclass(value) and not isinstance(value, type):
            stack.extend(getattr(value, field.name) for field in dataclasses.fields(value))
        else:
            total += 32
    return total
