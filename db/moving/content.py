"""What moves: tables with their columns, and rows of plain values, which are the same on both databases.

A row is a line of JSON, an array of its values in the order of the columns; the content of a table is its lines in the
order of the key. So two databases hold the same, or a file holds what a database does, if the hashes of their lines are
equal.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, MetaData, Table, TypeDecorator
from sqlalchemy.types import TypeEngine

from db.migrations.columns import document, text
from db.sql.tables import KEPT_BY_TRIGGERS, OF_THE_DATABASE, metadata
from db.sql.types import UtcDateTime

Rows = list[tuple[Any, ...]]

_KINDS: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    str: "text",
    date: "date",
    datetime: "moment",
}
"""What a column's values are called in a backup, by their type in Python."""

_TYPES: dict[str, Any] = {
    "boolean": Boolean(),
    "integer": BigInteger(),
    "text": text(),
    "date": Date(),
    "moment": UtcDateTime(),
    "json": document,
}
_DECODED: dict[str, Any] = {
    "boolean": bool | None,
    "integer": int | None,
    "text": str | None,
    "date": date | None,
    "moment": datetime | None,
    "json": Any,
}

# PostgreSQL does not keep the order of what is in a JSON object.
_encoder = msgspec.json.Encoder(order="deterministic")


class Content(msgspec.Struct, frozen=True, dict=True):
    """A table as it moves, without what the database computes."""

    name: str
    columns: dict[str, str]
    """By name: the kind of the column's values."""
    key: Sequence[str]
    numbered: str | None
    """The column whose values the database counts up, if there is one."""

    @cached_property
    def table(self) -> Table:
        """The table for statements; of the revision that this content has, whatever became of it since."""
        columns: Iterable[Column[Any]] = (
            Column(name, _TYPES[kind], primary_key=name in self.key) for name, kind in self.columns.items()
        )
        return Table(self.name, MetaData(), *columns)

    @property
    def keys(self) -> list[Column[Any]]:
        """The columns of the key."""
        return [self.table.c[name] for name in self.key]

    @cached_property
    def _decoder(self) -> "msgspec.json.Decoder[tuple[Any, ...]]":
        kinds: Any = tuple(_DECODED[kind] for kind in self.columns.values())
        return msgspec.json.Decoder(tuple.__class_getitem__(kinds))

    def rows(self, lines: Sequence[bytes]) -> Rows:
        """The rows of their lines. Raises `msgspec.DecodeError`."""
        return [*map(self._decoder.decode, lines)]

    def key_of(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """The key of a row."""
        return tuple(row[place] for place in self._places)

    @cached_property
    def _places(self) -> list[int]:
        names = [*self.columns]
        return [names.index(name) for name in self.key]


def lines_of(rows: Rows) -> bytes:
    """The lines of rows, each with its end."""
    return _encoder.encode_lines(rows)


class Digest:
    """How many rows there are, and the hash of their lines."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = sha256()

    def add(self, lines: bytes, rows: int) -> None:
        """Counts further rows."""
        self._hash.update(lines)
        self.rows += rows

    @property
    def sha256(self) -> str:
        """In hex."""
        return self._hash.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digest) and (self.rows, self.sha256) == (other.rows, other.sha256)

    __hash__ = None  # type: ignore[assignment]


def content_of(table: Table) -> Content:
    """A table of ours as it moves."""
    # SQLAlchemy's names are of a type of its own.
    moved = (column for column in table.columns if column.computed is None and OF_THE_DATABASE not in column.info)
    columns = {str(column.name): _kind(column.type) for column in moved}
    number = table.autoincrement_column
    return Content(
        str(table.name),
        columns,
        [str(column.name) for column in table.primary_key],
        None if number is None else str(number.name),
    )


def _kind(type: TypeEngine[Any]) -> str:
    plain = type.impl_instance if isinstance(type, TypeDecorator) else type
    return "json" if isinstance(plain, JSON) else _KINDS[plain.python_type]


def contents(of: MetaData = metadata) -> list[Content]:
    """All that moves, what others refer to first. What triggers keep comes of the rest."""
    return [content_of(table) for table in of.sorted_tables if KEPT_BY_TRIGGERS not in table.info]
