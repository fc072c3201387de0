"""The features that were promised when a pipeline was built, of what the store gives now."""

from __future__ import annotations

import logging
from typing import Any, Callable, NamedTuple, Optional, Sequence

from .. import _engine
from .elements import Plan

_LOG = logging.getLogger("beamlet")


class _Source(NamedTuple):
    """Where a promised feature comes from."""

    #: Its position among the features that came; none where it did not come.
    place: Optional[int]
    #: Makes Beam's value; none where the value is right as it is.
    convert: Optional[Callable[[Any], Any]]
    #: Why its values are of another type than promised.
    problem: Optional[str]


class Promise:
    """Brings features into the promised order and types. A value is never made one of another type."""

    def __init__(self, plan: Plan, step: str) -> None:
        self._plan = plan
        self._step = step
        #: By names and types of the features that came.
        self._sources: dict[Any, list[_Source]] = {}
        self._warned: set[str] = set()

    def values(self, enriched: _engine.Enriched) -> tuple[Sequence[tuple], dict[int, str]]:
        """The features of each row, as tuples; and rows with a value of another type, with why."""
        columns = enriched._columns()
        form = tuple((name, of) for name, of, _ in columns)
        sources = self._sources.get(form)
        if sources is None:
            sources = self._sources[form] = self._find(form)
        count = len(enriched)
        others: dict[int, str] = {}
        values: list[Sequence[Any]] = []
        for place, convert, problem in sources:
            if place is None:
                values.append([None] * count)
                continue
            column = columns[place][2]
            if problem is not None:
                for row, value in enumerate(column):
                    if value is not None:
                        others.setdefault(row, problem)
            elif convert is not None:
                column = [None if value is None else convert(value) for value in column]
            values.append(column)
        return (list(zip(*values)) if values else [()] * count), others

    def _find(self, form: tuple) -> list[_Source]:
        places = {name: place for place, (name, _) in enumerate(form)}
        sources = []
        for feature in self._plan.features:
            place = places.get(feature.name)
            if place is None:
                # Rows that failed or are missing may come without any feature.
                if form:
                    self._warn(
                        f"feature `{feature.name}` was promised when the pipeline was built, and is not "
                        "in the store's answers; it is null"
                    )
                sources.append(_Source(None, None, None))
                continue
            try:
                sources.append(_Source(place, feature.of.converter(form[place][1]), None))
            except TypeError as error:
                problem = f"feature `{feature.name}` {error}; build the pipeline anew"
                sources.append(_Source(place, None, problem))
        promised = {feature.name for feature in self._plan.features}
        for name in places:
            if name not in promised:
                self._warn(
                    f"feature `{name}` came, and was not promised when the pipeline was built; it is "
                    "left out"
                )
        return sources

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            _LOG.warning("step %r: %s", self._step, message)
