"""Makes tables with pyarrow, pandas, polars and DuckDB, in the formats and with the compressions that
each of them has: make.py FOLDER."""

import datetime as dt
import decimal
import sys
import uuid
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq

D = decimal.Decimal
UTC = dt.timezone.utc
out = Path(sys.argv[1])


def arrays():
    """Every type that pyarrow has and a file can hold: three rows, the second of them null."""

    def array(values, kind):
        return pa.array([values[0], None, values[1]], kind)

    yield "bool", array([True, False], pa.bool_())
    for bits in (8, 16, 32, 64):
        signed, unsigned = getattr(pa, f"int{bits}")(), getattr(pa, f"uint{bits}")()
        yield f"i{bits}", array([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1], signed)
        yield f"u{bits}", array([0, 2**bits - 1], unsigned)
    yield "f32", array([0.1, float("inf")], pa.float32())
    yield "f64", array([0.1, -1e-300], pa.float64())
    yield "nan", array([float("nan"), float("-inf")], pa.float64())
    for name, kind in (
        ("s", pa.string()),
        ("large", pa.large_string()),
        ("view", pa.string_view()),
    ):
        yield name, array(['quote " comma , é\n\U0001f600', ""], kind)
    for name, kind in (
        ("bin", pa.binary()),
        ("large_bin", pa.large_binary()),
        ("bin_view", pa.binary_view()),
    ):
        yield name, array([b"\x00\xff", b""], kind)
    yield "fixed", array([b"\x00\xff", b"ab"], pa.binary(2))
    yield "d9", array([D("-1.10"), D("9999999.99")], pa.decimal128(9, 2))
    yield "d18", array([D("-1.1000"), D("99999999999999.9999")], pa.decimal128(18, 4))
    yield "d38", array([D("-1." + "1" * 10), D("9" * 28)], pa.decimal128(38, 10))
    yield "d76", array([D("-" + "9" * 70), D("0.123456")], pa.decimal256(76, 6))
    yield "date32", array([dt.date(1, 1, 1), dt.date(9999, 12, 31)], pa.date32())
    yield "date64", array([dt.date(1, 1, 1), dt.date(9999, 12, 31)], pa.date64())
    for unit, size in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        # The year 9999, as far as the unit goes.
        far = min(253_402_300_799 * size, 2**63 - 1) if unit != "ns" else 2**62
        for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
            kind = pa.timestamp(unit, tz=zone)
            yield f"t_{unit}_{zone}", pa.array([-1, None, far], pa.int64()).cast(kind)
        yield f"dur_{unit}", pa.array([-1, None, 90_000], pa.int64()).cast(pa.duration(unit))
    yield "time_s", pa.array([0, None, 86_399], pa.int32()).cast(pa.time32("s"))
    yield "time_ms", pa.array([1, None, 86_399_999], pa.int32()).cast(pa.time32("ms"))
    yield "time_us", pa.array([1, None, 86_399_999_999], pa.int64()).cast(pa.time64("us"))
    yield "time_ns", pa.array([1, None, 86_399_999_999_999], pa.int64()).cast(pa.time64("ns"))
    yield "null", pa.nulls(3)
    yield "list", array([[1, None], []], pa.list_(pa.int32()))
    yield "large_list", array([["a"], []], pa.large_list(pa.string()))
    yield "fixed_list", array([[1, 2], [3, None]], pa.list_(pa.int16(), 2))
    yield "lists", array([[[1.5], None, []], []], pa.list_(pa.list_(pa.float64())))
    inner = pa.struct([("x", pa.int64()), ("t", pa.timestamp("s", tz="UTC"))])
    yield "struct", array([{"x": 1, "t": dt.datetime(2020, 1, 1, tzinfo=UTC)}, {"x": None}], inner)
    yield "list_of_struct", array([[{"x": 1}, None], []], pa.list_(inner))
    yield "map", array([[("k", 1), ("l", None)], []], pa.map_(pa.string(), pa.int64()))
    yield "map_of_list", array([[(1, ["a"])], []], pa.map_(pa.int32(), pa.list_(pa.string())))
    for width in (8, 16, 32):
        kind = pa.dictionary(getattr(pa, f"int{width}")(), pa.string())
        yield f"dict{width}", array(["a", "b"], kind)
    yield "ordered", array(["a", "b"], pa.dictionary(pa.int8(), pa.string(), ordered=True))
    yield "uuid", pa.array([uuid.UUID(int=5).bytes, None, b"\xff" * 16], pa.uuid())
    yield "json", pa.array(['{"a": [1, null]}', None, '"x"'], pa.json_())


def table(without=()):
    names, columns, fields = [], [], []
    for name, array in arrays():
        if name not in without:
            columns.append(array)
            fields.append(pa.field(name, array.type, metadata={"note": f"of {name}"}))
    fields.append(pa.field("never_null", pa.int64(), nullable=False))
    columns.append(pa.array([1, 2, 3]))
    schema = pa.schema(fields, metadata={"owner": "ada"})
    return pa.table(columns, schema=schema)


def pyarrow_files():
    everything = table()
    for compression in ("none", "snappy", "gzip", "zstd", "lz4"):
        pq.write_table(everything, out / f"pyarrow-{compression}.parquet", compression=compression)
    pq.write_table(everything, out / "pyarrow-bare.parquet", store_schema=False)
    pq.write_table(everything, out / "pyarrow-plain.parquet", use_dictionary=False, data_page_version="2.0")
    pq.write_table(everything, out / "pyarrow-groups.parquet", row_group_size=1)
    int96 = everything.select([it for it in everything.column_names if it.startswith("t_")])
    pq.write_table(int96, out / "pyarrow-int96.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
    point = b"\x01\x01\x00\x00\x00" + b"\x00" * 16
    column = '{"encoding": "WKB", "geometry_types": ["Point"]}'
    geo = f'{{"version": "1.1.0", "primary_column": "g", "columns": {{"g": {column}}}}}'
    points = pa.table({"g": [point, None]}).replace_schema_metadata({"geo": geo})
    pq.write_table(points, out / "pyarrow-geo.parquet")
    pq.write_table(everything.slice(0, 0), out / "pyarrow-empty.parquet")
    for compression in (None, "lz4", "zstd"):
        options = pa.ipc.IpcWriteOptions(compression=compression)
        name = compression or "none"
        with pa.ipc.new_file(out / f"pyarrow-{name}.arrow", everything.schema, options=options) as writer:
            writer.write(everything)
        with pa.ipc.new_stream(out / f"pyarrow-{name}.arrows", everything.schema, options=options) as writer:
            writer.write(everything)
    # Each batch has a dictionary of its own, and all of them more values than its indices count.
    kind = pa.dictionary(pa.int8(), pa.string())
    with pa.ipc.new_stream(out / "pyarrow-dictionaries.arrows", pa.schema([("d", kind)])) as writer:
        for start in range(0, 300, 100):
            values = pa.array([f"v{it}" for it in range(start, start + 100)]).cast(kind)
            writer.write(pa.record_batch([values], names=["d"]))


def pandas_files():
    frame = pd.DataFrame(
        {
            "user": ["u1", None, "u3"],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "x": [0.5, float("nan"), 2.0],
            "t": pd.to_datetime(["2020-01-01", None, "2020-01-03T00:00:00.000000001"], utc=True, format="ISO8601"),
            "c": pd.Categorical(["a", None, "b"]),
            "ok": pd.array([True, None, False], dtype="boolean"),
        },
        index=[5, 6, 7],
    )
    frame.to_parquet(out / "pandas.parquet")
    frame.reset_index().to_feather(out / "pandas.feather")


def polars_files():
    frame = pl.DataFrame(
        {
            "user": ["u1", None, "u3"],
            "n": [1, None, 3],
            "u": pl.Series([1, None, 2**64 - 1], dtype=pl.UInt64),
            "c": pl.Series(["a", None, "b"], dtype=pl.Categorical),
            "e": pl.Series(["a", None, "b"], dtype=pl.Enum(["a", "b"])),
            "d": pl.Series([D("1.10"), None, D("-2.00")], dtype=pl.Decimal(10, 2)),
            "t": pl.Series([dt.datetime(2020, 1, 1), None, dt.datetime(1, 1, 1)], dtype=pl.Datetime("us", "UTC")),
            "time": [dt.time(1, 2, 3), None, dt.time(23, 59, 59)],
            "l": [[1], None, []],
            "s": [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}],
            "bin": [b"\x00\xff", None, b""],
        }
    )
    frame.write_parquet(out / "polars.parquet")
    frame.write_ipc(out / "polars.arrow")
    frame.write_ipc_stream(out / "polars.arrows")


def duckdb_files():
    duckdb.sql(
        """CREATE TABLE made AS SELECT * FROM (VALUES
            (1, 'u1', uuid '00000000-0000-0000-0000-000000000005', 1.10::DECIMAL(10, 2),
             timestamp '2020-01-01 00:00:00.000001', timestamptz '2020-01-01 00:00:00+00',
             date '0001-01-01', time '01:02:03.000004', [1, NULL], {'a': 1}, map {'k': 1}, '\\x00\\xFF'::BLOB,
             'a'::ENUM('a', 'b'), 170141183460469231731687303715884105727::HUGEINT, '{"a": 1}'::JSON),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
        ) AS t(n, s, uuid, d, t, tz, date, time, l, st, m, b, e, huge, json)"""
    )
    for compression in ("uncompressed", "snappy", "zstd", "gzip", "lz4_raw"):
        path = out / f"duckdb-{compression}.parquet"
        duckdb.sql(f"COPY made TO '{path}' (FORMAT parquet, COMPRESSION {compression})")
    path = out / "duckdb-v2.parquet"
    duckdb.sql(f"COPY made TO '{path}' (FORMAT parquet, PARQUET_VERSION v2, KV_METADATA {{note: 'mine'}})")


def text_files():
    """CSV of one frame as each tool writes it; `expected.json` has the rows."""
    columns = {
        "user_id": ["u1", "a,b", 'q"q', "line\nend", "é\U0001f600", " space ", None],
        "n": [1, -2, 3, None, 5, 6, 7],
        "x": [0.1, 1e300, -5e-324, 2.5, None, 100.0, 0.25],
        "ok": [True, False, None, True, False, True, True],
    }
    arrow = pa.table(columns)
    pa.csv.write_csv(arrow, out / "pyarrow.csv")
    pa.csv.write_csv(arrow, out / "pyarrow-semicolon.csv", pa.csv.WriteOptions(delimiter=";"))
    pa.csv.write_csv(arrow.select(["user_id"]), out / "pyarrow-one.csv")
    pl.DataFrame(columns).write_csv(out / "polars.csv")
    pl.DataFrame(columns).write_csv(out / "polars-tab.csv", separator="\t", line_terminator="\r\n")
    frame = arrow.to_pandas(types_mapper=pd.ArrowDtype)
    frame.to_csv(out / "pandas.csv", index=False)
    frame.to_csv(out / "pandas-gzip.csv", index=False, compression="gzip")
    duckdb.sql(f"COPY arrow TO '{out / 'duckdb.csv'}' (FORMAT csv, HEADER)")
    duckdb.sql(f"COPY arrow TO '{out / 'duckdb-quoted.csv'}' (FORMAT csv, HEADER, FORCE_QUOTE *)")
    duckdb.sql(f"COPY arrow TO '{out / 'duckdb.ndjson'}' (FORMAT json)")
    pl.DataFrame(columns).write_ndjson(out / "polars.ndjson")
    pq.write_table(arrow, out / "expected.parquet")


pyarrow_files()
pandas_files()
polars_files()
duckdb_files()
text_files()
