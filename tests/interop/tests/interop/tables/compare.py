"""Holds what Beamlet wrote of the tables of make.py to what pyarrow, pandas, polars and DuckDB read of
the originals: compare.py FOLDER. A file FOLDER/written/NAME.to.EXTENSION was written of FOLDER/NAME.

What may differ is here and in docs/guide/formats.md, and nothing else."""

import base64
import csv
import decimal
import json
import re
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import polars.testing
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

folder = Path(sys.argv[1])
NULL = "\\N"
faults = []


def fault(what, *more):
    faults.append(" ".join([what, *map(str, more)]))


def read(path, int96="us"):
    kind = path.name.rsplit(".", 1)[1]
    if kind == "parquet":
        return pq.read_table(path, coerce_int96_timestamp_unit=int96)
    if kind in ("arrow", "feather"):
        return pa.ipc.open_file(path).read_all()
    return pa.ipc.open_stream(path).read_all()


def in_parquet(kind):
    """The type that Parquet has for one of Arrow: docs/guide/formats.md."""
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return pa.timestamp("ms", kind.tz)
    if kind == pa.time32("s"):
        return pa.time32("ms")
    if kind == pa.date64():
        return pa.date32()
    if pa.types.is_dictionary(kind):
        # Of Parquet, pyarrow reads each dictionary as one of strings.
        return pa.dictionary(pa.int32(), pa.string())
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(in_parquet(kind.value_type)))
    if pa.types.is_struct(kind):
        return pa.struct([it.with_type(in_parquet(it.type)) for it in kind])
    return kind


def decoded(column):
    if not pa.types.is_dictionary(column.type):
        return column
    values = column.type.value_type
    # pyarrow cannot decode a dictionary of views.
    values = pa.string() if values == pa.string_view() else values
    chunks = [pa.DictionaryArray.from_arrays(it.indices, it.dictionary.cast(values)) for it in column.chunks]
    return pa.chunked_array([it.dictionary_decode() for it in chunks], values)


def compare_columns(name, original, written, to_parquet):
    was, now = read(original), read(written)
    if "int96" in original.name:
        nanos = read(original, "ns")
        columns = [
            nanos.column(it) if now.schema.field(it).type.unit == "ns" else was.column(it)
            for it in was.column_names
        ]
        was = pa.table(columns, names=was.column_names)
    if was.column_names != now.column_names:
        return fault(name, was.column_names, now.column_names)
    metadata = {key: value for key, value in (was.schema.metadata or {}).items()}
    found = {key: value for key, value in (now.schema.metadata or {}).items()}
    if metadata != found:
        fault(name, "metadata", metadata, found)
    for field, other in zip(was.schema, now.schema):
        kinds = [field.type, other.type]
        if to_parquet:
            kinds = list(map(in_parquet, kinds))
        if kinds[0] != kinds[1]:
            fault(name, field.name, "type", field.type, other.type)
            continue
        ours = {b"PARQUET:field_id"}
        notes = [{k: v for k, v in (it.metadata or {}).items() if k not in ours} for it in (field, other)]
        if notes[0] != notes[1] and "int96" not in name:
            fault(name, field.name, "metadata", *notes)
        if field.nullable != other.nullable:
            fault(name, field.name, "nullable", field.nullable, other.nullable)
        one, two = decoded(was.column(field.name)), decoded(now.column(field.name))
        if one.type != two.type:
            one = one.cast(two.type)
        one, two = one.combine_chunks(), two.combine_chunks()
        if not one.equals(two) and repr(one.to_pylist()) != repr(two.to_pylist()):
            fault(name, field.name, "values", one, two)


def compare_duckdb(name, original, written):
    source, target = f"read_parquet('{original}')", f"read_parquet('{written}')"
    types = [duckdb.sql(f"DESCRIBE SELECT * FROM {it}").fetchall() for it in (source, target)]
    types = [[(row[0], row[1], row[2]) for row in it] for it in types]
    if types[0] != types[1]:
        fault(name, "duckdb types", [it for it in zip(*types) if it[0] != it[1]])
    for one, two in ((source, target), (target, source)):
        rows = duckdb.sql(f"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT ALL SELECT * FROM {two})")
        if rows.fetchall() != [(0,)]:
            fault(name, "duckdb values", rows)


def nanos(text):
    clock, _, fraction = text.partition(".")
    hours, minutes, seconds = map(int, clock.split(":"))
    return ((hours * 60 + minutes) * 60 + seconds) * 10**9 + int(fraction.ljust(9, "0") or 0)


UNITS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def duration(text):
    sign, seconds = re.fullmatch(r"(-?)P(?:T([0-9.]+)S|0D)", text).groups()
    value = decimal.Decimal(seconds or 0) * 10**9
    return -value if sign else value


def matches(value, scalar):
    """Whether a JSON value is what docs/guide/formats.md says of an Arrow value."""
    kind = scalar.type
    if pa.types.is_dictionary(kind):
        return matches(value, scalar.value) if scalar.is_valid else value is None
    if not scalar.is_valid:
        return value is None
    if isinstance(kind, pa.UuidType):
        return value == str(scalar.as_py())
    if isinstance(kind, pa.JsonType):
        return value == json.loads(scalar.as_py())
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return value == scalar.as_py() and type(value) is type(scalar.as_py())
    if pa.types.is_floating(kind):
        if isinstance(value, str):
            return {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[value] == str(scalar.as_py())
        narrow = np.float32 if kind == pa.float32() else np.float64
        return narrow(value) == narrow(scalar.as_py())
    if pa.types.is_decimal(kind):
        return decimal.Decimal(value) == scalar.as_py()
    if pa.types.is_timestamp(kind):
        zoned, text = value.endswith("Z"), value.removesuffix("Z")
        return zoned == (kind.tz is not None) and int(np.datetime64(text, kind.unit).astype(int)) == scalar.value
    if pa.types.is_date(kind):
        return value == scalar.as_py().isoformat()
    if pa.types.is_time(kind):
        return nanos(value) == scalar.value * UNITS[kind.unit]
    if pa.types.is_duration(kind):
        return duration(value) == scalar.value * UNITS[kind.unit]
    if pa.types.is_map(kind):
        entries = scalar.values
        pairs = [(str(it["key"].as_py()), it["value"]) for it in entries] if entries else []
        return [k for k, _ in pairs] == list(value) and all(matches(value[k], v) for k, v in pairs)
    if pa.types.is_struct(kind):
        return list(value) == [it.name for it in kind] and all(matches(value[it.name], scalar[it.name]) for it in kind)
    if pa.types.is_nested(kind):
        items = scalar.values
        return len(items) == len(value) and all(map(matches, value, items))
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or kind in (pa.large_binary(), pa.binary_view()):
        return base64.b64decode(value, validate=True) == scalar.as_py()
    return value == scalar.as_py()


def texts(kind):
    """Whether a cell has the characters of a value, and not its JSON."""
    nested = pa.types.is_nested(kind) or isinstance(kind, pa.JsonType)
    plain = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return not nested and not plain


def cell(text, kind):
    if text == NULL:
        return None
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if texts(kind) or text in ("NaN", "Infinity", "-Infinity"):
        return text
    return json.loads(text)


def compare_text(name, original, written):
    was = read(original)
    if written.name.endswith("csv"):
        with open(written, newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file, strict=True)
        rows = [[cell(text, it.type) for text, it in zip(row, was.schema)] for row in rows]
    else:
        lines = written.read_text(encoding="utf-8").split("\n")[:-1]
        objects = [json.loads(line, parse_float=lambda it: float(it)) for line in lines]
        header = list(objects[0]) if objects else was.column_names
        rows = [list(it.values()) for it in objects]
    if header != was.column_names or len(rows) != was.num_rows:
        return fault(name, header, len(rows), was.num_rows)
    for position, field in enumerate(was.schema):
        for row, value in enumerate(rows):
            scalar = was.column(position)[row]
            if not matches(value[position], scalar):
                fault(name, field.name, "row", row, repr(value[position]), repr(scalar))


def compare_frames(name, original, written):
    """What a tool made for itself, it gets back."""
    if name.startswith("pandas") and written.suffix == ".parquet" and original.suffix == ".parquet":
        pd.testing.assert_frame_equal(pd.read_parquet(original), pd.read_parquet(written))
    if name.startswith("polars") and written.suffix != ".arrows" and original.suffix != ".arrows":
        reader = {".parquet": pl.read_parquet, ".arrow": pl.read_ipc}
        one, two = reader[original.suffix](original), reader[written.suffix](written)
        if ".parquet" in (original.suffix, written.suffix):
            # Of Parquet's own types there is none for these.
            one, two = (it.with_columns(pl.col("c", "e").cast(pl.String)) for it in (one, two))
        polars.testing.assert_frame_equal(one, two)


def compare_rows(name, written):
    """Rows of CSV and NDJSON, as JSON, to those of the frame that they were made of."""
    expected = pq.read_table(folder / "expected.parquet")
    lines = written.read_text(encoding="utf-8").split("\n")[:-1]
    rows = [json.loads(line) for line in lines]
    if len(rows) != expected.num_rows:
        return fault(name, len(rows), "rows of", expected.num_rows)
    for number, row in enumerate(rows):
        for key, value in row.items():
            wanted = expected.column(key)[number].as_py()
            # Python's spelling of a boolean is a text.
            value = {"True": True, "False": False}.get(value, value) if key == "ok" else value
            if value != wanted:
                fault(name, "row", number, key, repr(value), repr(wanted))


TABLES = (".parquet", ".arrow", ".arrows", ".feather")
count = 0
for written in sorted((folder / "written").iterdir()):
    name = written.name
    original = folder / name.split(".to.")[0]
    count += 1
    try:
        if original.suffix not in TABLES:
            compare_rows(name, written)
            continue
        if written.suffix in (".csv", ".ndjson"):
            compare_text(name, original, written)
            continue
        compare_columns(name, original, written, ".parquet" in (original.suffix, written.suffix))
        if original.suffix == written.suffix == ".parquet" and "int96" not in name:
            compare_duckdb(name, original, written)
        compare_frames(name, original, written)
    except Exception as error:  # noqa: BLE001: each file tells what is wrong with it
        fault(name, type(error).__name__, error)

print("\n".join(faults))
print(f"{count} files, {len(faults)} faults")
sys.exit(bool(faults))
