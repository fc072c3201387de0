"""The types of features in Beam's schemas, and their values.

=====================================  ==========================================
feature                                in a Beam schema
=====================================  ==========================================
``boolean``, ``string``, ``bytes``     ``bool``, ``str``, ``bytes``
``int8``, ``int16``, ``int32``         ``numpy.int8``, ``numpy.int16``, ``numpy.int32``
``int64``                              ``int``
``float32``, ``float64``               ``numpy.float32``, ``float``
``timestamp``                          Beam's ``Timestamp``
``date``, ``decimal``                  ``datetime.date``, ``decimal.Decimal``
``json``                               ``str``, a JSON text
``array<T>``, ``map<string, T>``       ``Sequence``, ``Mapping``
``struct<…>``                          a row
=====================================  ==========================================

All are nullable, elements and members too.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence

import apache_beam as beam
import numpy
from apache_beam.typehints import row_type
from apache_beam.utils.timestamp import Timestamp

_SIMPLE = {
    "boolean": bool,
    "int8": numpy.int8,
    "int16": numpy.int16,
    "int32": numpy.int32,
    "int64": int,
    "float32": numpy.float32,
    "float64": float,
    "string": str,
    "bytes": bytes,
    "date": datetime.date,
    "timestamp": Timestamp,
    "decimal": decimal.Decimal,
    "json": str,
}

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_NUMBERS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


@dataclass(frozen=True)
class FeatureType:
    """A type of the contract: a simple one by its name, or with its parts."""

    name: str
    #: The type of elements or values.
    of: Optional["FeatureType"] = None
    #: Of a struct.
    members: tuple[tuple[str, "FeatureType"], ...] = ()

    @staticmethod
    def parse(text: str) -> "FeatureType":
        """Reads ``array<int64>`` and the like.

        Raises:
          ValueError: The text is no type.
        """
        parser = _Parser(text)
        parsed = parser.type()
        parser.end()
        return parsed

    def __str__(self) -> str:
        if self.name == "array":
            return f"array<{self.of}>"
        if self.name == "map":
            return f"map<string, {self.of}>"
        if self.name == "struct":
            members = ", ".join(f"{name}: {of}" for name, of in self.members)
            return f"struct<{members}>"
        return self.name

    def beam_type(self) -> Any:
        """The type in a Beam schema, nullable."""
        return Optional[self._plain()]

    def _plain(self) -> Any:
        if self.name == "array":
            assert self.of is not None
            return Sequence[self.of.beam_type()]  # type: ignore[misc]
        if self.name == "map":
            assert self.of is not None
            return Mapping[str, self.of.beam_type()]  # type: ignore[misc]
        if self.name == "struct":
            fields = [(name, of.beam_type()) for name, of in self.members]
            return row_type.RowTypeConstraint.from_fields(fields)
        return _SIMPLE[self.name]

    def converter(self, came: str) -> Optional[Callable[[Any], Any]]:
        """Makes Beam's values of the values of a column that came as another type or this one.

        Returns:
          ``None`` where values are right as they are.

        Raises:
          TypeError: Values of that type are not of this one.
        """
        own = str(self)
        if own == came:
            return _CONVERTERS.get(own)
        if came == "json" and self.name in ("array", "map", "struct"):
            return lambda text: self.of_json(json.loads(text))
        raise TypeError(f"is declared {own}, and came as {came}")

    def of_json(self, value: Any) -> Any:
        """Beam's value of one that was read from JSON."""
        if value is None:
            return None
        if self.name == "array":
            assert self.of is not None
            return [self.of.of_json(element) for element in value]
        if self.name == "map":
            assert self.of is not None
            return {key: self.of.of_json(element) for key, element in value.items()}
        if self.name == "struct":
            return beam.Row(**{name: of.of_json(value.get(name)) for name, of in self.members})
        if self.name in ("float32", "float64"):
            return _NUMBERS[value] if isinstance(value, str) else float(value)
        if self.name == "bytes":
            return base64.b64decode(value)
        if self.name == "date":
            return datetime.date.fromisoformat(value)
        if self.name == "timestamp":
            return Timestamp.of(Timestamp.from_rfc3339(value))
        if self.name == "decimal":
            return decimal.Decimal(value)
        if self.name == "json":
            return json.dumps(value)
        return value


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "date": lambda days: datetime.date.fromordinal(days + _EPOCH),
    "timestamp": lambda micros: Timestamp(micros=micros),
    "decimal": decimal.Decimal,
}


class _Parser:
    """Reads a type of the contract, as docs and `beamlet check` write it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def type(self, depth: int = 0) -> FeatureType:
        if depth > 64:
            raise self.wrong("a type that nests less deep")
        name = self.word()
        if name in _SIMPLE:
            return FeatureType(name)
        if name == "array":
            self.take("<")
            of = self.type(depth + 1)
            self.take(">")
            return FeatureType("array", of)
        if name == "map":
            self.take("<")
            if self.word() != "string":
                raise self.wrong("string")
            self.take(",")
            of = self.type(depth + 1)
            self.take(">")
            return FeatureType("map", of)
        if name == "struct":
            self.take("<")
            members = []
            while not self.is_at(">"):
                if members:
                    self.take(",")
                member = self.name()
                self.take(":")
                members.append((member, self.type(depth + 1)))
            self.take(">")
            return FeatureType("struct", None, tuple(members))
        raise self.wrong(f"one of {', '.join(_SIMPLE)}, array<…>, map<string, …>, struct<name: …>")

    def name(self) -> str:
        self.space()
        if self.is_at('"'):
            value, length = json.JSONDecoder().raw_decode(self.text[self.at :])
            self.at += length
            return value
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] not in '<>,:"':
            self.at += 1
        name = self.text[begin : self.at].strip()
        if not name:
            raise self.wrong("a name")
        return name

    def word(self) -> str:
        self.space()
        begin = self.at
        while self.at < len(self.text) and self.text[self.at].isalnum():
            self.at += 1
        return self.text[begin : self.at]

    def take(self, text: str) -> None:
        if not self.is_at(text):
            raise self.wrong(f"`{text}`")
        self.at += len(text)

    def is_at(self, text: str) -> bool:
        self.space()
        return self.text.startswith(text, self.at)

    def space(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def end(self) -> None:
        self.space()
        if self.at < len(self.text):
            raise self.wrong("the end")

    def wrong(self, expected: str) -> ValueError:
        return ValueError(f"`{self.text}` is no type: expected {expected} at character {self.at + 1}")
