"""Servers of the version before go on while a new revision is there already: what they store and read still works.

Their code is gone by then, but the tables show what it named: every column, each key that a row may be in the way of.
A revision that drops what the code before it did not use any more names it: `unused = ("products.brand", "views")`.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

from db.migrate import config, connected, downgrade, head, migrate
from tests.moving import fill

ADDED_TO = {"changes", "sealed"}
"""What nobody changes; their triggers refuse it."""


class Old(NamedTuple):
    """A table as the version before has it."""

    name: str
    columns: list[str]
    key: list[str]
    unique: set[tuple[str, ...]]
    rows: list[tuple[Any, ...]]


def _unique(connection: Connection, name: str) -> set[tuple[str, ...]]:
    look = inspect(connection)
    found: list[Any] = [*look.get_unique_constraints(name)]
    found += [each for each in look.get_indexes(name) if each["unique"]]
    return {tuple(map(str, each["column_names"])) for each in found}


def _listed(names: list[str]) -> str:
    return ", ".join(map('"{}"'.format, names))


def _read(connection: Connection, name: str, columns: list[str]) -> list[tuple[Any, ...]]:
    found = connection.exec_driver_sql(f"SELECT {_listed(columns)} FROM {name}")
    return sorted(
        (tuple(json.dumps(each) if isinstance(each, dict | list) else each for each in row) for row in found), key=str
    )


def _look(connection: Connection, unused: tuple[str, ...]) -> list[Old]:
    found = MetaData()
    found.reflect(connection)
    old = []
    for table in found.sorted_tables:
        if table.name in (*unused, "alembic_version"):
            continue
        columns = [c.name for c in table.columns if c.computed is None and f"{table.name}.{c.name}" not in unused]
        key = [column.name for column in table.primary_key]
        old.append(
            Old(table.name, columns, key, _unique(connection, table.name), _read(connection, table.name, columns))
        )
    # What triggers write to comes behind what has them.
    return sorted(old, key=lambda each: each.name.endswith(("metadata", "countries")))


def _go_on(connection: Connection, tables: list[Old]) -> None:
    """Stores, reads and changes as the version before does, in tables without rows, and deletes."""
    mark = "${}" if connection.dialect.name == "postgresql" else "?{}"

    def marks(names: list[str], begin: int = 1) -> list[str]:
        return [mark.format(number) for number, _ in enumerate(names, begin)]

    filled = []
    for old in tables:
        assert old.unique <= _unique(connection, old.name), f"{old.name}: what is unique is not any more"
        # Of some tables the revisions or triggers make the rows.
        if _read(connection, old.name, old.key) or not old.rows:
            continue
        filled.append(old)
        values = ", ".join(marks(old.columns))
        connection.exec_driver_sql(f"INSERT INTO {old.name} ({_listed(old.columns)}) VALUES ({values})", old.rows)
        assert _read(connection, old.name, old.columns) == old.rows, old.name
        if old.name not in ADDED_TO:
            changed = [name for name in old.columns if name not in old.key] or old.key
            sets = [f'"{name}" = {value}' for name, value in zip(changed, marks(changed), strict=True)]
            keys = zip(old.key, marks(old.key, len(changed) + 1), strict=True)
            wheres = [f'"{name}" = {value}' for name, value in keys]
            places = [old.columns.index(name) for name in (*changed, *old.key)]
            connection.exec_driver_sql(
                f"UPDATE {old.name} SET {', '.join(sets)} WHERE {' AND '.join(wheres)}",
                [tuple(row[place] for place in places) for row in old.rows],
            )
    assert {"products", "claim_assignments", "changes"} <= {old.name for old in filled}
    for old in reversed(filled):
        if old.name not in ADDED_TO:
            connection.exec_driver_sql(f"DELETE FROM {old.name}")


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Two databases that were never migrated."""
    if request.param == "sqlite":
        return [f"sqlite:///{tmp_path / name}.db" for name in ("old", "new")]
    databases = request.getfixturevalue("postgresql_databases")
    return [databases.empty(), databases.empty()]


async def _tables(url: str, unused: tuple[str, ...]) -> list[Old]:
    async with connected(url) as connection:
        return await connection.run_sync(_look, unused)


async def test_what_the_version_before_stores_and_reads_still_works(urls: list[str]) -> None:
    old, new = urls
    newest = ScriptDirectory.from_config(config()).get_revision("head")
    await migrate(old)
    await fill(old, 3)
    await downgrade(old, str(newest.down_revision))
    tables = await _tables(old, getattr(newest.module, "unused", ()))
    await migrate(new)
    async with connected(new) as connection:
        await connection.run_sync(_go_on, tables)


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE claims RENAME COLUMN description TO told",
        "CREATE UNIQUE INDEX stray ON claims (requires_definition)",
        "ALTER TABLE api_keys DROP COLUMN name",
    ],
)
async def test_a_change_that_they_would_not_survive_is_seen(urls: list[str], change: str) -> None:
    old, new = urls
    await migrate(old)
    await fill(old, 3)
    tables = await _tables(old, ())
    await migrate(new, head())
    async with connected(new) as connection:
        await connection.execute(text(change))
        with pytest.raises(DBAPIError):
            await connection.run_sync(_go_on, tables)
