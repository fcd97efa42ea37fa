"""Records as rows: which columns they have, and what stands in the cells.

A column is a member of the record, so that what is added there is exported. Of a definition those members are columns
that tell it apart, and a list of a few codes or a map is one cell.
"""

from collections.abc import Callable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec

from domain.certificates import JUDGING
from domain.records import Record

Cell = str | int | date
"""What a cell holds; a `date` may be a `datetime`, and what is not recorded is an empty text."""

DEFINITIONS = ("certification", "claim")
DEFINED_BY = ("id", "code", "label")
"""What is shown of a definition, in columns such as `certification_code`."""


class Column(NamedTuple):
    """A column: its name, and what it shows of a record."""

    name: str
    value: Callable[[Any], Any]


def columns_of(record: type[Record], without: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """The columns of a kind of records, in the order of its members; some members may be left out."""
    found: list[Column] = []
    for name in record.__struct_fields__:
        if name in DEFINITIONS:
            found += [Column(f"{name}_{member}", attrgetter(f"{name}.{member}")) for member in DEFINED_BY]
        elif name not in without and name not in JUDGING:
            found.append(Column(name, attrgetter(name)))
    return tuple(found)


def cells(record: Record, columns: Sequence[Column]) -> list[Cell]:
    """A record as a row."""
    return [_cell(column.value(record)) for column in columns]


def _cell(value: Any) -> Cell:
    if value is None:
        return ""
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    if isinstance(value, list):
        return " ".join(value)
    # Of an enumeration its value, as on REST's wire.
    return str(value) if isinstance(value, str) else value
