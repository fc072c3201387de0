"""The engine, which is written in Rust."""

import os
from typing import Any, Literal, Optional, Protocol, Union

__version__: str

class _ArrowArray(Protocol):
    def __arrow_c_array__(self, requested_schema: Optional[object] = None) -> tuple[object, object]: ...

class _ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object: ...

Config = Union[dict[str, Any], str, os.PathLike[str]]
Rows = Union[_ArrowArray, _ArrowStream, list[dict[str, Any]]]
OnConflict = Literal["left", "right", "error", "suffix"]
#: Kind, message, whether it may succeed later, attempts.
Failure = tuple[str, str, bool, int]

class ArrowSchema:
    """The names and types of columns."""

    @property
    def names(self) -> list[str]: ...
    def __len__(self) -> int: ...
    def __arrow_c_schema__(self) -> object: ...

class ArrowBatch:
    """Rows and columns of Arrow."""

    @property
    def schema(self) -> ArrowSchema: ...
    @property
    def num_rows(self) -> int: ...
    @property
    def column_names(self) -> list[str]: ...
    def column(self, name: str) -> list[Any]:
        """A column's values.

        Raises:
          ValueError: There is no such column.
        """
    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows, each a dict."""
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: Optional[object] = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...

class Enriched:
    """Rows that were enriched: an outcome for each, in order, and the features."""

    @property
    def counts(self) -> dict[str, int]:
        """How many rows are `enriched`, `missing`, `null_key` and `failed`."""
    @property
    def features(self) -> ArrowBatch:
        """The features alone, a row each: null for what is missing or failed."""
    @property
    def outcomes(self) -> ArrowBatch:
        """The columns `outcome`, `kind`, `message`, `retryable` and `attempts`."""
    def join(
        self, on_conflict: Optional[OnConflict] = None, suffix: Optional[str] = None
    ) -> ArrowBatch:
        """The rows with their features behind their own columns.

        Raises:
          FieldError: Names or types do not go together.
          TypeError: The rows were dicts, which have no Arrow schema.
        """
    def to_pylist(self) -> list[dict[str, Any]]:
        """The rows with their features, each a dict."""
    def failure(self, row: int) -> Optional[Failure]:
        """Why a row failed; none where it did not."""
    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: Optional[object] = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...
    def _codes(self) -> bytes: ...
    def _columns(self) -> list[tuple[str, str, list[Any]]]: ...

class Pending:
    """Rows that are being enriched."""

    def done(self) -> bool: ...
    def wait(self) -> Enriched: ...

class Enricher:
    """Enriches rows with the features of a store, through the handler that a configuration names.

    Any number of threads may use one at once, and a fork of the process may, too: it gets an engine of
    its own.
    """

    def __new__(cls, config: Config, *, handler: Optional[str] = None) -> "Enricher":
        """Reads a configuration, loads its handler, and sets it up.

        Args:
          config: A dict, the path of a TOML or JSON file, or a text in one of them.
          handler: Another handler than the configuration names: `tecton`, a file, `oci://…`.

        Raises:
          ConfigError: All problems of the configuration.
          SetupError: The handler cannot be loaded.
        """
    @property
    def schema(self) -> Optional[ArrowSchema]:
        """The features' schema; none where the store does not declare its features."""
    @property
    def inputs(self) -> list[tuple[str, bool]]:
        """The fields of a row that the handler reads, and whether each row needs them."""
    @property
    def outputs(self) -> list[tuple[str, str]]:
        """The features that come out: names, and types in the contract's words."""
    @property
    def counters(self) -> dict[str, int]:
        """What the handler has counted so far in this process."""
    @property
    def metrics(self) -> dict[str, int]:
        """What the engine has counted so far in this process."""
    def check(self) -> list[tuple[str, str, str]]:
        """Asks the store whether the configuration fits it: severity (`ok`, `warning`, `problem`), JSON
        Pointer and message of each finding.

        Raises:
          StoreError: The store cannot tell now.
        """
    def enrich(self, rows: Rows) -> Enriched:
        """Enriches rows; other threads run meanwhile.

        Args:
          rows: What offers Arrow's PyCapsule interface, or a list of dicts.

        Raises:
          FieldError: A field that each row needs is not there.
          StoreError: The store refuses every row.
          TypeError: These are no rows.
        """
    def close(self) -> None:
        """Ends the engine in good order. It is set up anew where it is used again."""
    def __enter__(self) -> "Enricher": ...
    def __exit__(self, *exception: object) -> None: ...
    def _start(self, columns: list[tuple[str, list[Any]]], rows: int) -> Pending: ...

def _document(config: Config) -> dict[str, Any]: ...
def _inspect(config: Config, *, handler: Optional[str] = None) -> dict[str, Any]: ...
def _before_fork() -> None: ...
def _after_fork_in_parent() -> None: ...
def _after_fork_in_child() -> None: ...
