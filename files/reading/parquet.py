"""Parquet files, read some rows at a time by DuckDB, which is an extra (`./certgate install parquet`)."""

import glob
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import IO, Any
from weakref import finalize

from files.reading.table import MAX_TEXT, Cell, Row, Table, Unread, checked_columns, unreadable

BATCH = 1_000
MEMORY = "256MB"
"""What the reader takes at most; a file that would become far larger than it is needs more, and is refused."""


def table_of_parquet(file: IO[bytes], name: str) -> Table:
    """The table in a Parquet file. Raises `InvalidInput`, also where what reads them is not installed."""
    try:
        import duckdb
    except ImportError:
        raise unreadable(
            f"{name} is a Parquet file, and what reads those is not installed here: run `./certgate install parquet`,"
            " or save it as CSV or JSON lines"
        ) from None
    # Nothing is fetched, nothing written.
    settings: dict[str, Any] = {"memory_limit": MEMORY, "threads": 1, "temp_directory": ""}
    settings |= {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    with ExitStack() as copied:
        path = _path_of(file, copied)
        try:
            reader = duckdb.connect(config=settings)
            (total,) = reader.execute("SELECT num_rows FROM parquet_file_metadata(?)", [path]).fetchone() or (0,)
            reader.execute("SELECT * FROM read_parquet(?)", [path])
        except duckdb.Error as error:
            raise _unreadable(name, error) from None
        columns = checked_columns([column[0] for column in reader.description or ()], name)
        rows = _rows(reader, name, len(columns))
        # Who reads it may leave it in a cycle, whose parts go in any order.
        finalize(rows, copied.pop_all().close)
    # How much of it is read shows from where the file stands.
    return Table(name, "Parquet", columns, rows if _lies(file) is None else _standing(rows, file, total))


def _unreadable(name: str, error: Exception) -> Exception:
    return unreadable(f"{name} is no Parquet file that can be read: {str(error).splitlines()[0][:200]}")


def _lies(file: IO[bytes]) -> str | None:
    """Where a file lies, if it does anywhere."""
    if isinstance(file, io.BufferedReader) and isinstance(file.name, str | os.PathLike):
        return os.fspath(file.name)
    return None


def _path_of(file: IO[bytes], copied: ExitStack) -> str:
    """Where a file can be read, as a pattern; of one that lies nowhere a copy, which goes with the stack."""
    path = _lies(file)
    if path is None:
        handle, path = tempfile.mkstemp(suffix=".parquet")
        copied.callback(os.unlink, path)
        with os.fdopen(handle, "wb") as copy:
            shutil.copyfileobj(file, copy)
    return glob.escape(path)


def _rows(reader: Any, name: str, width: int) -> Iterator[Row]:
    import duckdb

    number = 0
    try:
        while batch := reader.fetchmany(BATCH):
            for cells in batch:
                number += 1
                yield Row(number, [_value(cell) for cell in cells[:width]])
    except duckdb.Error as error:
        raise _unreadable(name, error) from None


def _standing(rows: Iterator[Row], file: IO[bytes], total: int) -> Iterator[Row]:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    for row in rows:
        if row.number % BATCH == 0:
            file.seek(size * row.number // max(total, row.number))
        yield row
    file.seek(size)


def _value(cell: Any) -> Cell:
    if isinstance(cell, str) and len(cell) > MAX_TEXT:
        return Unread("string_too_long", "it is too long for a cell; leave the column out", cell[:MAX_TEXT])
    return str(cell) if isinstance(cell, Decimal) else cell
