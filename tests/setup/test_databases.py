"""A PostgreSQL database that goes from one test to the next keeps nothing of the one before."""

import asyncio
from typing import Any

import asyncpg
import pytest

from db.sql import tables
from tests.postgresql import Databases


def ask(url: str, sql: str) -> list[Any]:
    async def run() -> list[Any]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(run())


def everything(url: str) -> dict[str, list[Any]]:
    return {name: ask(url, f"SELECT * FROM {name}") for name in (*tables.metadata.tables, "alembic_version")}


FILL = """
WITH owner AS (INSERT INTO organizations VALUES ('org', 'slug', 'Name', now()) RETURNING id),
stray AS (UPDATE secrets SET value = 'known' RETURNING 1)
INSERT INTO claims (id, code, label, category, requires_definition, description)
SELECT 'id', 'CODE', 'Label', 'DIETARY', false, '' FROM owner, stray LIMIT 1
"""


def test_rows_go_and_those_of_the_migrations_come_back(postgresql_databases: Databases) -> None:
    with postgresql_databases.migrated() as url:
        fresh = everything(url)
        assert [name for name, rows in fresh.items() if rows] == ["definition_changes", "secrets", "alembic_version"]
        ask(url, FILL)
        assert everything(url) != fresh
    with postgresql_databases.migrated() as again:
        assert again == url
        assert everything(again) == fresh


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE claims ADD COLUMN stray integer",
        "ALTER TABLE claims ALTER COLUMN code DROP NOT NULL",
        "ALTER TABLE claims ALTER COLUMN code SET DEFAULT 'x'",
        "ALTER TABLE claims RENAME TO claims_no_more",
        "ALTER TABLE claims DISABLE TRIGGER ALL",
        "DROP INDEX ix_products_organization",
        "CREATE OR REPLACE FUNCTION count_definition_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE SCHEMA elsewhere",
        "INSERT INTO secrets SELECT n::text, repeat(md5(n::text), 4) FROM generate_series(1, 20000) AS n",
    ],
)
def test_a_changed_or_swollen_one_is_not_used_again(postgresql_databases: Databases, change: str) -> None:
    with postgresql_databases.migrated() as url:
        ask(url, change)
    with postgresql_databases.migrated() as another:
        assert another != url
