"""The exceptions of Beamlet. Their base is :class:`BeamletError`."""

from __future__ import annotations

from typing import NamedTuple, Sequence

__all__ = [
    "BeamletError",
    "ConfigError",
    "ConfigWarning",
    "EnrichError",
    "FieldError",
    "InternalError",
    "Problem",
    "SetupError",
    "StoreError",
]


class Problem(NamedTuple):
    """Something that is wrong with a configuration."""

    #: A JSON Pointer (RFC 6901), such as ``/connection/url``.
    path: str
    #: What is wrong, and what to do.
    message: str
    #: Both, with the file and the line where they are known.
    line: str


class ConfigWarning(UserWarning):
    """A setting is accepted and most likely not meant."""


class BeamletError(Exception):
    """The base of all errors of Beamlet."""


class ConfigError(BeamletError, ValueError):
    """A configuration is not valid. All of its problems are in ``problems``."""

    def __init__(self, message: str, problems: Sequence[tuple[str, str, str]] = ()) -> None:
        super().__init__(message, [tuple(problem) for problem in problems])
        self.problems = [Problem(*problem) for problem in problems]

    def __str__(self) -> str:
        return str(self.args[0])


class SetupError(BeamletError):
    """The handler cannot be loaded or set up; another attempt may succeed."""


class StoreError(BeamletError):
    """The feature store refuses every row: a wrong key, no such feature service."""

    def __init__(self, message: str, kind: str = "other", retryable: bool = False) -> None:
        super().__init__(message, kind, retryable)
        #: Such as ``unauthenticated``, ``not-found``, ``unavailable``.
        self.kind = kind
        #: Whether the same rows may be enriched later.
        self.retryable = retryable

    def __str__(self) -> str:
        return str(self.args[0])


class EnrichError(BeamletError):
    """Rows cannot be enriched, neither these nor others."""


class FieldError(EnrichError, ValueError):
    """A field of the rows is missing, of another type, or has the name of a feature."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message, field)
        #: The field.
        self.field = field

    def __str__(self) -> str:
        return str(self.args[0])


class InternalError(BeamletError, RuntimeError):
    """An error inside the engine, which should be reported."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message, details)
        #: For the report.
        self.details = details

    def __str__(self) -> str:
        return str(self.args[0])
