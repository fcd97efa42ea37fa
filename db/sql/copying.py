"""Rows as PostgreSQL's COPY reads them: a line each, the cells as texts with tabs between them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import String, Table
from sqlalchemy.types import TypeDecorator

from db.sql.compiled import json_text
from db.sql.types import Document

_NULL = r"\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\b": r"\b", "\f": r"\f", "\v": r"\v"})


def _text(value: str) -> str:
    return value if "\\" not in value and value.isprintable() else value.translate(_ESCAPES)


def _json(value: Any) -> str:
    return _text(json_text(value))


@lru_cache(maxsize=64)
def _writers(table: Table, columns: tuple[str, ...]) -> Sequence[tuple[str, Callable[[Any], str]]]:
    return [(name, _writer(table.c[name].type)) for name in columns]


def _writer(type: Any) -> Callable[[Any], str]:
    if type is Document:
        return _json
    plain = type.impl if isinstance(type, TypeDecorator) else type
    return _text if isinstance(plain, String) else str


def lines(table: Table, columns: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows for `COPY table (columns) FROM STDIN`, with None for NULL."""
    writers = _writers(table, columns)
    written = [
        "\t".join([_NULL if (value := row[name]) is None else write(value) for name, write in writers]) for row in rows
    ]
    return ("\n".join(written) + "\n").encode()
