"""The DoFn behind :class:`beamlet.beam.Enrich`.

Elements wait in a buffer of the DoFn's own, with their timestamps, windows and panes, until there are
enough for a request. Several batches are on their way at once, and their elements come out in order, at
the latest in `finish_bundle`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Iterator, Optional, Sequence

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils import windowed_value
from apache_beam.utils.shared import Shared

from ..errors import BeamletError
from .elements import Plan, Reader, Writer, is_row, size
from .promise import Promise
from .settings import Settings

#: The namespace of all counters and distributions.
NAMESPACE = "beamlet"
#: At most so many bytes of elements wait in a buffer.
_MAX_BYTES = 16 << 20
#: Every so many elements one is measured; all are, once one is large.
_MEASURE_EVERY = 32
_LARGE = 64 << 10

#: The code of an element that failed, as the engine gives it.
FAILED = 3


class EnrichmentFailed(BeamletError):
    """An element could not be enriched, and the pipeline is to fail then."""

    def __init__(
        self, message: str, kind: str = "other", retryable: bool = False, attempts: int = 0
    ) -> None:
        super().__init__(message, kind, retryable, attempts)
        self.kind = kind
        self.retryable = retryable
        self.attempts = attempts

    def __str__(self) -> str:
        return str(self.args[0])


class Engine:
    """What the DoFns of one step share in a process. `Shared` keeps it for as long as any of them is
    there."""

    def __init__(self, settings: Settings) -> None:
        self.enricher = settings.enricher()
        self._lock = threading.Lock()
        self._counted: dict[str, int] = {}

    def counted(self) -> dict[str, int]:
        """What has been counted since the last call, by whichever bundle."""
        now = {**self.enricher.metrics, **self.enricher.counters}
        with self._lock:
            more = {name: count - self._counted.get(name, 0) for name, count in now.items()}
            self._counted = now
        return more


class _Batch:
    """Elements that are on their way."""

    __slots__ = ("begun", "elements", "faults", "pending")

    def __init__(self, elements: list, pending: Any, faults: dict[int, str]) -> None:
        self.elements = elements
        self.pending = pending
        self.faults = faults
        self.begun = time.monotonic()


class EnrichDoFn(beam.DoFn):
    """Enriches elements; see the module."""

    def __init__(
        self, label: str, settings: Settings, plan: Plan, on_failure: str, dead_tag: Optional[str]
    ) -> None:
        self._label = label
        self._settings = settings
        self._plan = plan
        self._on_failure = on_failure
        self._dead_tag = dead_tag
        self._shared = Shared()
        self._counters: dict[str, Any] = {}
        self._batch_rows = Metrics.distribution(NAMESPACE, "batch_rows")
        self._batch_ms = Metrics.distribution(NAMESPACE, "batch_ms")

    def setup(self) -> None:
        try:
            self._engine = self._shared.acquire(lambda: Engine(self._settings))
        except BeamletError as error:
            error.args = (f"step {self._label!r}: {error}", *error.args[1:])
            raise
        self._enricher = self._engine.enricher
        self._reader = Reader(self._enricher.inputs)
        self._writer = Writer(self._plan)
        self._promise = Promise(self._plan, self._label)
        self._buffer: list = []
        self._on_the_way: deque = deque()

    def start_bundle(self) -> None:
        self._buffer = []
        # What a bundle that failed has left is given up.
        self._on_the_way = deque()
        self._bytes = 0
        self._measured = 0
        self._element_bytes = 0
        self._oldest = 0.0

    def process(
        self,
        element: Any,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
        pane: Any = beam.DoFn.PaneInfoParam,
    ) -> Sequence[Any]:
        buffer = self._buffer
        if not buffer:
            self._oldest = time.monotonic()
        buffer.append((element, timestamp, window, pane))
        if self._measured == 0:
            self._element_bytes = size(element)
            self._measured = 1 if self._element_bytes > _LARGE else _MEASURE_EVERY
        self._measured -= 1
        self._bytes += self._element_bytes
        if (
            len(buffer) < self._settings.bundle_size
            and self._bytes < _MAX_BYTES
            and (time.monotonic() - self._oldest) * 1000 < self._settings.max_wait_ms
        ):
            return ()
        self._send()
        return self._arrived()

    def finish_bundle(self) -> Iterator[Any]:
        self._send()
        while self._on_the_way:
            yield from self._results(self._on_the_way.popleft())
        for name, count in self._engine.counted().items():
            if count > 0:
                counter = self._counters.get(name)
                if counter is None:
                    counter = self._counters[name] = Metrics.counter(NAMESPACE, name)
                counter.inc(count)

    def teardown(self) -> None:
        self._on_the_way = deque()
        self._engine = None
        self._enricher = None

    def _send(self) -> None:
        """Puts the buffer on its way."""
        if not self._buffer:
            return
        buffer, self._buffer, self._bytes = self._buffer, [], 0
        columns, faults = self._reader.columns([it[0] for it in buffer])
        count = len(buffer)
        if faults:
            sound = [at for at in range(count) if at not in faults]
            columns = [(name, [values[at] for at in sound]) for name, values in columns]
            count = len(sound)
        pending = self._enricher._start(columns, count)
        self._on_the_way.append(_Batch(buffer, pending, faults))

    def _arrived(self) -> list:
        """The elements of batches that are done, in order; waits where too many are on the way."""
        arrived: list = []
        while self._on_the_way and (
            len(self._on_the_way) >= self._settings.in_flight or self._on_the_way[0].pending.done()
        ):
            arrived.extend(self._results(self._on_the_way.popleft()))
        return arrived

    def _results(self, batch: _Batch) -> list:
        enriched = batch.pending.wait()
        count = len(batch.elements)
        self._batch_rows.update(count)
        self._batch_ms.update(int((time.monotonic() - batch.begun) * 1000))
        codes = enriched._codes()
        values, others = self._promise.values(enriched)
        write = self._writer.enriched
        create = windowed_value.create
        if not batch.faults and not others and FAILED not in codes:
            return [
                create(write(element, features), timestamp.micros, (window,), pane)
                for (element, timestamp, window, pane), features in zip(batch.elements, values)
            ]
        results = []
        at = -1
        for row, (element, timestamp, window, pane) in enumerate(batch.elements):
            failure = None
            if row in batch.faults:
                failure = ("invalid-input", batch.faults[row], False, 0)
            else:
                at += 1
                if codes[at] == FAILED:
                    failure = enriched.failure(at)
                elif at in others:
                    failure = ("bad-response", others[at], False, 1)
            tag = None
            if failure is None:
                value = write(element, values[at])
            else:
                value, tag = self._failed(element, failure)
            result = create(value, timestamp.micros, (window,), pane)
            results.append(result if tag is None else TaggedOutput(tag, result))
        return results

    def _failed(self, element: Any, failure: tuple) -> tuple[Any, Optional[str]]:
        kind, message, retryable, attempts = failure
        if self._dead_tag is not None:
            letter = beam.Row(
                element=element, msg=message, kind=kind, retryable=retryable, attempts=attempts
            )
            return letter, self._dead_tag
        if self._on_failure == "keep" and is_row(element):
            return self._writer.without(element), None
        times = f" (attempt {attempts})" if attempts > 1 else ""
        raise EnrichmentFailed(
            f"step {self._label!r}: an element could not be enriched: {kind}: {message}{times}; "
            '`with_exception_handling()` sets such elements aside, and on_failure="keep" passes them '
            "without features",
            kind,
            retryable,
            attempts,
        )
