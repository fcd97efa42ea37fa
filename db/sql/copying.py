"""Rows as PostgreSQL's COPY reads them: a line each, the cells as texts with tabs between them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import String, Table
from sqlalchemy.types import TypeDecorator

from db.sql.compiled import json_text
from db.sql.types import Document

Column = Sequence[Any]

MOST = 1_000
"""Rows in one statement, which has its time like any other."""
_PART = 100

_NULL = r"\N"
_ESCAPES = (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r"))
# No text of PostgreSQL's has it in it.
_BETWEEN = "\0"


def _escaped(texts: Sequence[str]) -> list[str]:
    """The texts as they are copied: each sign is looked for in all of them at once."""
    joined = _BETWEEN.join(texts)
    for sign, escape in _ESCAPES:
        joined = joined.replace(sign, escape)
    escaped = joined.split(_BETWEEN)
    if len(escaped) != len(texts):
        raise ValueError("PostgreSQL's texts have no NUL in them.")
    return escaped


def _documents(column: Column) -> list[str]:
    return _escaped([*map(json_text, column)])


def _others(column: Column) -> list[str]:
    return [*map(str, column)]


@lru_cache(maxsize=64)
def _writers(table: Table, columns: tuple[str, ...]) -> Sequence[Callable[[Column], list[str]]]:
    return [_writer(table.c[name].type) for name in columns]


def _writer(type: Any) -> Callable[[Column], list[str]]:
    if type is Document:
        return _documents
    plain = type.impl if isinstance(type, TypeDecorator) else type
    return _escaped if isinstance(plain, String) else _others


def _written(write: Callable[[Column], list[str]], column: Column) -> list[str]:
    first, count = column[0], len(column)
    # Rows that are written together have many values in common.
    if all(value is first for value in column):
        return [_NULL if first is None else write([first])[0]] * count
    if None not in column:
        return write(column)
    there = iter(write([value for value in column if value is not None]))
    return [_NULL if value is None else next(there) for value in column]


def texts_of(table: Table, rows: Sequence[dict[str, Any]], most: int) -> Iterator[bytes]:
    """The lines of so many rows at most, one behind the other."""
    columns, each = tuple(rows[0]), iter(rows)
    while part := list(islice(each, most)):
        yield lines(table, columns, part)


class CopiedRows(list[dict[str, Any]]):
    """Rows with their lines, those of a statement each."""

    def __init__(self, table: Table, rows: Sequence[dict[str, Any]]) -> None:
        super().__init__(rows)
        self.texts: list[bytes] = []
        for start in range(0, len(rows), MOST):
            parts = []
            for part in texts_of(table, rows[start : start + MOST], _PART):
                parts.append(part)
                # The thread that makes them gives way to that of the event loop.
                time.sleep(0)
            self.texts.append(b"".join(parts))


def lines(table: Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows for `COPY table (columns) FROM STDIN`, with None for NULL; there is more than one column."""
    cells = zip(*map(itemgetter(*columns), rows), strict=True)
    written = [_written(write, column) for write, column in zip(_writers(table, columns), cells, strict=True)]
    return ("\n".join(map("\t".join, zip(*written, strict=True))) + "\n").encode()
