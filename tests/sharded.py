"""Tables as they lie on several servers, on one: partitioned by the hash of the GTIN.

PostgreSQL asks of partitioned tables what Citus asks of distributed ones: every unique key has the GTIN in it. What it
allows beyond that (one statement that locks rows of several parts, LATERAL with LIMIT) is shown on a real Citus alone:
`tests/db/test_sharding.py`.
"""

from typing import Any

from sqlalchemy import Connection, text

from db.migrate import connected
from db.sharding import distributed, loosen, mark

PARTS = 4
SERVERS = 2

_TRIGGERS = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = CAST(:name AS regclass) AND NOT tgisinternal"
_REFERENCES = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = CAST(:name AS regclass) AND contype = 'f'"
)


def _run(connection: Connection, sql: str, **values: Any) -> list[Any]:
    found = connection.execute(text(sql), values)
    return [*found] if found.returns_rows else []


def _partition(connection: Connection) -> None:
    loosen(connection)
    names = distributed()
    references = [(name, *row) for name in names for row in _run(connection, _REFERENCES, name=name)]
    for name, key, _ in references:
        _run(connection, f"ALTER TABLE {name} DROP CONSTRAINT {key}")
    for name in names:
        triggers = [sql for (sql,) in _run(connection, _TRIGGERS, name=name)]
        _run(connection, f"ALTER TABLE {name} RENAME TO whole")
        _run(connection, f"CREATE TABLE {name} (LIKE whole INCLUDING ALL) PARTITION BY HASH (gtin)")
        _run(connection, "DROP TABLE whole")
        for part in range(PARTS):
            values = f"WITH (MODULUS {PARTS}, REMAINDER {part})"
            _run(connection, f"CREATE TABLE {name}_{part} PARTITION OF {name} FOR VALUES {values}")
        for sql in triggers:
            # A colon is no parameter.
            connection.exec_driver_sql(sql)
    for name, key, definition in references:
        _run(connection, f"ALTER TABLE {name} ADD CONSTRAINT {key} {definition}")
    # As Citus tells of it, with two servers.
    _run(connection, "CREATE TABLE pg_dist_shard (logicalrelid regclass, shardid int, shardminvalue text)")
    _run(connection, "CREATE TABLE pg_dist_placement (shardid int, groupid int)")
    for part in range(PARTS):
        lowest, server = -(2**31) + part * 2**32 // PARTS, part % SERVERS
        _run(connection, "INSERT INTO pg_dist_shard VALUES ('products', :part, :lowest)", part=part, lowest=str(lowest))
        _run(connection, "INSERT INTO pg_dist_placement VALUES (:part, :server)", part=part, server=server)


async def partition(url: str) -> None:
    """Has a migrated, empty database lie so."""
    async with connected(url) as connection:
        await connection.run_sync(_partition)
        await mark(connection)
        await connection.commit()
