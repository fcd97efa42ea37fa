"""Rows for every table, whatever tables there are: each kind of value, its ends, and texts that are hard to write."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, String, Table
from sqlalchemy.types import JSON, TypeDecorator

from db.engine.database import Database
from db.engine.opening import open_database
from db.moving.content import contents
from db.sql.tables import certification_assignments, definition_changes, metadata, products
from db.sql.types import VocabularyText
from tests.world import all_rows

TEXTS = ("", 'Ünï "quoted"\\ \u2028\n\t,', "\U0001f33e 日本 ' \x7f", "null")
MOMENTS = (
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 11, 22, 12, 0, 0, 1, tzinfo=UTC),
)
DAYS = (date(1, 1, 1), date(9999, 12, 31), date(2028, 2, 29))
MAPS: tuple[dict[str, str], ...] = ({}, {"z": "last", "a": 'fi"rst', "ß": "\u2028"}, {"k": ""})
LISTS: tuple[list[str], ...] = ([], ["DE", "FR", "DE"], ["US"])

MOVED = [metadata.tables[content.name] for content in contents()]


def _is_unique(column: Column[Any]) -> bool:
    indexes = (index for index in column.table.indexes if index.unique)
    return bool(column.primary_key or column.unique or any(column.name in index.columns for index in indexes))


def _value(column: Column[Any], number: int) -> Any:
    plain = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    if column.nullable and number % 3 == 2:
        return None
    if isinstance(column.type, VocabularyText):
        members: list[StrEnum] = [*column.type.members]
        return members[number % len(members)]
    match plain:
        case JSON():
            return (LISTS if column.name.endswith("countries") else MAPS)[number % 3]
        case Boolean():
            return number % 2 == 0
        case Integer():
            return number + 1 if column.primary_key else (0, 1, 2**31 - 1)[number % 3]
        case Date():
            return DAYS[number % 3]
        case DateTime():
            return MOMENTS[number % 3]
        case String():
            own = f"{number:06}" if _is_unique(column) else TEXTS[number % len(TEXTS)]
            return own[: plain.length]
    raise NotImplementedError(column)


def rows_for(table: Table, number: int, referred: int) -> list[dict[str, Any]]:
    """So many rows of a table, which refer to the first of others, of which there are so many; but all products."""
    rows = []
    for each in range(number):
        row = {column.name: _value(column, each) for column in table.columns if column.computed is None}
        for constraint in table.foreign_key_constraints:
            elements = [*constraint.elements]
            if all(element.parent.nullable for element in elements) and each % 3 == 2:
                row |= {element.parent.name: None for element in elements}
                continue
            for element in elements:
                to = each if element.column.table is products else each % referred
                row[element.parent.name] = f"{to:06}"
        rows.append(row)
    return rows


async def fill(url: str, number: int, more: int = 0) -> None:
    """Puts so many rows into each table of a migrated database, and so many `more` products with what they hold."""
    database = await open_database(url)
    for table in MOVED:
        if table.name != "secrets":
            many = more if table in (products, certification_assignments) else 0
            rows = rows_for(table, number + many, number)
            for start in range(0, len(rows), 1000):
                # Nobody may write for seconds.
                async with database.write() as transaction:
                    await transaction.insert_missing(table, rows[start : start + 1000])
    await database.close()


async def stored(url: str) -> dict[str, list[Any]]:
    """All rows of all tables, those that triggers keep as well; but for a count that each database has of its own."""
    database: Database = await open_database(url)
    compared = (table for table in metadata.sorted_tables if table is not definition_changes)
    found = {table.name: await database.fetch(all_rows(table)) for table in compared}
    await database.close()
    return found
