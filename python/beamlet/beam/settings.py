"""What is pickled of a configuration, and how the workers make an engine of it.

No secret travels in a pickled pipeline: ``{"env": …}`` and ``{"file": …}`` are resolved on the worker,
and so are the secrets of ``apache_beam.utils.secret``.
"""

from __future__ import annotations

import copy
import json
import os
from dataclasses import dataclass, field
from typing import Any, Iterator, Optional, Union

from apache_beam.utils.secret import RawSecret, Secret

from .. import _engine
from ..errors import ConfigError

Config = Union[dict, str, "os.PathLike[str]"]

#: Keys of ``[run]`` that say how files are read and written, and mean nothing in a pipeline.
_FILES_ONLY = ("dead_letter", "max_failures", "ordered", "window")
#: Stands for a secret that is on the worker, where a configuration is only looked at.
_UNKNOWN = "unknown-here"


@dataclass
class Settings:
    """A configuration without a secret in it, with paths that are absolute."""

    document: dict
    handler: Optional[str]
    on_failure: str
    on_conflict: str
    suffix: Optional[str]
    bundle_size: int
    in_flight: int
    max_wait_ms: int
    warnings: list[str] = field(default_factory=list)

    @staticmethod
    def of(
        config: Config, handler: Optional[str], *, is_here: bool, literal_secrets: bool
    ) -> "Settings":
        """Reads a configuration.

        Args:
          is_here: Whether its secrets can be resolved in this process.
          literal_secrets: Whether a secret may stand in it as it is.

        Raises:
          ConfigError: All of its problems; or a secret stands in it as it is.
        """
        secrets: dict[str, Any] = {}
        if isinstance(config, dict):
            document = _without_secrets(config, secrets)
        else:
            document = config
        for pointer, secret in secrets.items():
            if isinstance(secret, RawSecret) and not literal_secrets:
                raise _refused([pointer], "a RawSecret holds its text, which would be in the pickle")
        if isinstance(document, dict):
            shown = _with_secrets(document, _stand_in)
            if not is_here:
                shown = _without_references(shown)
            inspected = _engine._inspect(shown, handler=handler)
            document = copy.deepcopy(document)
            directory = os.getcwd()
        else:
            inspected = _inspected(document, handler, is_here)
            document = json.loads(inspected["document"])
            directory = os.path.abspath(inspected["directory"] or os.curdir)
        literal = [it for it in inspected["literal_secrets"] if it not in secrets]
        if literal and not literal_secrets and is_here:
            raise _refused(literal, "a secret stands in the configuration as it is")
        if not is_here and not literal_secrets:
            # References have a stand-in above, which looks as a literal secret does.
            literal = [it for it in literal if not _is_reference(_at(document, it))]
            if literal:
                raise _refused(literal, "a secret stands in the configuration as it is")
        warnings = list(inspected["warnings"])
        run = document.get("run")
        if isinstance(run, dict):
            for key in _FILES_ONLY:
                if run.pop(key, None) is not None:
                    warnings.append(
                        f"/run/{key}: has no effect in a pipeline: it is about the files of "
                        "`beamlet run`" + _INSTEAD.get(key, "")
                    )
            if run.get("on_failure") == "dead-letter":
                del run["on_failure"]
        _absolute(document, directory)
        on_failure = inspected["on_failure"]
        return Settings(
            document=document,
            handler=_absolute_handler(handler, os.getcwd()),
            on_failure="fail" if on_failure == "dead-letter" else on_failure,
            on_conflict=inspected["on_conflict"],
            suffix=inspected["suffix"],
            bundle_size=inspected["bundle_size"],
            in_flight=inspected["in_flight"],
            max_wait_ms=inspected["max_bundle_wait_ms"],
            warnings=warnings,
        )

    def enricher(self) -> _engine.Enricher:
        """An engine, with the secrets as they are on this machine.

        Raises:
          ConfigError: A secret is not there.
        """
        return _engine.Enricher(_with_secrets(self.document, _text_of), handler=self.handler)


_INSTEAD = {
    "dead_letter": "; `with_exception_handling()` gives a PCollection of dead letters",
}


def _inspected(config: Config, handler: Optional[str], is_here: bool) -> dict:
    if is_here:
        return _engine._inspect(config, handler=handler)
    read = _engine._document(config)
    shown = _without_references(json.loads(read["document"]))
    _absolute(shown, os.path.abspath(read["directory"] or os.curdir))
    return {**_engine._inspect(shown, handler=handler), **read}


def _refused(pointers: list[str], why: str) -> ConfigError:
    what = (
        f"{why}; a pipeline is pickled, and whoever can read it would have the secret. Write where to "
        'find it on the worker: {"env": "NAME"}, {"file": "path"}, or a Secret of '
        "apache_beam.utils.secret"
    )
    problems = [(pointer, what, f"{pointer}: {what}") for pointer in pointers]
    lines = "\n".join(line for _, _, line in problems)
    return ConfigError(f"the configuration is not valid\n{lines}", problems)


def _pointer(path: str, name: str) -> str:
    return path + "/" + name.replace("~", "~0").replace("/", "~1")


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        if not isinstance(document, dict):
            return None
        document = document.get(part.replace("~1", "/").replace("~0", "~"))
    return document


def _without_secrets(value: Any, found: dict[str, Any], path: str = "") -> Any:
    """A copy of the dicts, and the Secrets in them by their JSON Pointers."""
    if isinstance(value, Secret):
        found[path] = value
        return value
    if isinstance(value, dict):
        return {
            name: _without_secrets(member, found, _pointer(path, str(name)))
            for name, member in value.items()
        }
    return value


def _with_secrets(value: Any, text_of: Any) -> Any:
    if isinstance(value, Secret):
        return text_of(value)
    if isinstance(value, dict):
        return {name: _with_secrets(member, text_of) for name, member in value.items()}
    return value


def _stand_in(_: Secret) -> str:
    return _UNKNOWN


def _text_of(secret: Secret) -> str:
    value = secret.get_secret_bytes()
    return value.decode() if isinstance(value, (bytes, bytearray)) else str(value)


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("env", "file")


def _references(document: dict) -> Iterator[tuple[dict, str]]:
    """The places in `connection` and of the Redis URL that say where a secret is."""

    def visit(table: Any) -> Iterator[tuple[dict, str]]:
        if isinstance(table, dict):
            for name, value in table.items():
                if _is_reference(value):
                    yield table, name
                else:
                    yield from visit(value)

    yield from visit(document.get("connection"))
    cache = document.get("run") or {}
    cache = cache.get("cache") if isinstance(cache, dict) else None
    if isinstance(cache, dict) and _is_reference(cache.get("redis")):
        yield cache, "redis"


def _without_references(document: dict) -> dict:
    document = copy.deepcopy(document)
    for table, name in list(_references(document)):
        table[name] = "redis://unknown-here" if name == "redis" else _UNKNOWN
    return document


def _absolute(document: dict, directory: str) -> None:
    """Files are named for whoever reads the configuration elsewhere."""
    for table, name in list(_references(document)):
        if isinstance(table[name].get("file"), str):
            table[name] = {"file": os.path.join(directory, table[name]["file"])}
    handler = document.get("handler")
    if isinstance(handler, str):
        document["handler"] = _absolute_handler(handler, directory)


def _absolute_handler(handler: Optional[str], directory: str) -> Optional[str]:
    if handler is None or handler == "tecton" or handler.startswith("oci://"):
        return handler
    return os.path.join(directory, handler)
