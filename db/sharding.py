"""Tables on several servers, by Citus: products and all that hangs on one lie together, by the product's GTIN.

What has a column `gtin` is distributed; everything else stays on the coordinator. What Citus cannot keep over several
servers goes: that an id is unique (ids are, by how they are made), and references between the two kinds of tables. For
the statements that follow from it see `Database.sharded`.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import revision
from db.engine.database import UnusableDatabase
from db.migrate import connected, current
from db.moving.content import contents
from db.moving.stores import Filling
from db.sql.tables import KEPT_BY_TRIGGERS, SHARDED, metadata, products

LOCK_TIMEOUT = "5s"
"""What `db.engine.postgresql` asks of its sessions does not reach the servers behind the coordinator."""


def distributed() -> list[str]:
    """The tables that are distributed: first those that triggers of others write to."""
    found = [table for table in metadata.sorted_tables if "gtin" in table.c]
    found.sort(key=lambda table: KEPT_BY_TRIGGERS not in table.info)
    return [table.name for table in found]


def loosen(connection: Connection) -> None:
    """Takes away what cannot be kept over several servers; a unique value without the GTIN keeps its index."""
    inspector, spread = inspect(connection), {*distributed()}
    for table in metadata.tables:
        for reference in inspector.get_foreign_keys(table):
            ends = {table, reference["referred_table"]}
            if ends & spread and not (ends <= spread and "gtin" in reference["constrained_columns"]):
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {reference['name']}"))
        if table not in spread:
            continue
        key = inspector.get_pk_constraint(table)
        if "gtin" not in key["constrained_columns"]:
            connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {key['name']}"))
            columns = ", ".join(["gtin", *key["constrained_columns"]])
            connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT {key['name']} PRIMARY KEY ({columns})"))
        for unique in inspector.get_unique_constraints(table):
            if "gtin" not in unique["column_names"]:
                connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {unique['name']}"))
                columns = ", ".join(unique["column_names"])
                connection.execute(text(f"CREATE INDEX {unique['name']} ON {table} ({columns})"))


async def mark(connection: AsyncConnection) -> None:
    """Has every process that opens the database know."""
    await connection.execute(text(f"COMMENT ON TABLE {products.name} IS '{SHARDED}'"))


async def distribute(url: str, shards: int) -> Sequence[str]:
    """Spreads an empty database over the servers of its Citus; the tables. Raises `UnusableDatabase`."""
    stored = await current(url)
    if stored != revision.head():
        raise UnusableDatabase(
            f"The database is {f'at revision {stored}' if stored else 'empty'}, and is spread at revision"
            f" {revision.head()}: run ./certgate migrate."
        )
    async with connected(url) as connection:
        await _require_spreadable(connection)
        await connection.run_sync(loosen)
        # Our triggers write to the shard beside, which Citus cannot know.
        await connection.execute(text("SET LOCAL citus.enable_unsafe_triggers = on"))
        first, *others = distributed()
        await connection.execute(
            text("SELECT create_distributed_table(:name, 'gtin', shard_count => :shards)"),
            {"name": first, "shards": shards},
        )
        for name in others:
            await connection.execute(
                text("SELECT create_distributed_table(:name, 'gtin', colocate_with => :first)"),
                {"name": name, "first": first},
            )
        await mark(connection)
        await connection.commit()
        database = await connection.scalar(text("SELECT quote_ident(current_database())"))
        bounded = f"ALTER DATABASE {database} SET lock_timeout = '{LOCK_TIMEOUT}'"
        await connection.execute(text("SELECT run_command_on_workers(:command)"), {"command": bounded})
        await connection.commit()
    return distributed()


async def _require_spreadable(connection: AsyncConnection) -> None:
    if connection.dialect.name == "sqlite":
        raise UnusableDatabase("SQLite is one file: name a PostgreSQL with Citus in CERTGATE_DATABASE_URL.")
    if await connection.scalar(text("SELECT 1 FROM pg_extension WHERE extname = 'citus'")) is None:
        raise UnusableDatabase(
            "The database has no Citus: install it on every server, CREATE EXTENSION citus there and add the others"
            " with citus_add_node, or stay with one server."
        )
    comment = text("SELECT obj_description(to_regclass(:name), 'pg_class')")
    if await connection.scalar(comment, {"name": products.name}) == SHARDED:
        raise UnusableDatabase("The database is distributed already.")
    table = await Filling(connection).first_filled(contents())
    if table is not None:
        raise UnusableDatabase(
            f"The database is not empty, it has {table.replace('_', ' ')}: distribute an empty one, and copy this one"
            " there with ./certgate copy."
        )
