"""What is PostgreSQL's own: how little a write sends, and connections that die."""

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import Integer, String, bindparam, column, delete, func, select, table, update

from db import history
from db.assignments import certifications, claims
from db.engine.postgresql import PostgresqlDatabase
from db.sql import tables
from db.sql.reads import Read
from domain.access import Caller
from domain.changes import Change
from domain.commands import AssignCertification, AssignClaim
from domain.errors import Busy, DomainError
from domain.gtin import Gtin
from domain.history import OPERATOR
from domain.records import Claim, ClaimAssignment, Organization
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import ClaimSource, KeyKind, Role
from resolvers.certifications import assign_certification
from resolvers.claims import assign_claim
from resolvers.operation import Context
from tests.lent import lent, sent
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

RENAME = update(tables.products).where(tables.products.c.gtin == GTIN)
END_WRITERS = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'certgate' AND datname = current_database() AND pid <> ALL ($1)"
)


@pytest.fixture
def postgresql(world: World) -> PostgresqlDatabase:
    assert isinstance(world.database, PostgresqlDatabase)
    return world.database


async def rename(database: PostgresqlDatabase, name: str) -> None:
    async with database.write() as transaction:
        await transaction.execute(RENAME, {"name": name})


async def end_writers(database: PostgresqlDatabase) -> int:
    """The server ends every connection but that of the reader which asks for it."""
    async with lent(database._readers) as connection:
        ended: int = await connection.fetchval(END_WRITERS, [connection.get_server_pid()])
    return ended


async def name_of(world: World) -> Any:
    columns = [column.name for column in tables.products.columns if column.computed is None]
    rows = [dict(zip(columns, row, strict=True)) for row in await world.rows(tables.products)]
    return next(row["name"] for row in rows if row["gtin"] == GTIN)


def first_words(statements: list[str]) -> list[str]:
    return [statement.split()[0].strip(";") for statement in statements]


async def test_the_ends_of_the_calendar_are_days_and_moments_as_any(postgresql: PostgresqlDatabase) -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    written = {
        date.min: "0001-01-01",
        date(1999, 12, 31): "1999-12-31",
        date.max: "9999-12-31",
        first: "0001-01-01 00:00:00+00",
        datetime(1999, 12, 31, 23, 59, 59, 999999, UTC): "1999-12-31 23:59:59.999999+00",
        datetime(2026, 3, 31, 14, tzinfo=timezone(timedelta(hours=2))): "2026-03-31 12:00:00+00",
        last: "9999-12-31 23:59:59.999999+00",
    }
    async with lent(postgresql._readers) as connection:
        await connection.execute("SET TIME ZONE 'UTC'")
        for value, stored in written.items():
            kind = "timestamptz" if isinstance(value, datetime) else "date"
            (row,) = await connection.fetch(f"SELECT $1::{kind}::text, isfinite($1), $1", value)
            assert tuple(row) == (stored, True, value)


async def test_no_statement_is_compiled_by_the_server(postgresql: PostgresqlDatabase) -> None:
    for lender in (postgresql._readers, postgresql._writers):
        async with lent(lender) as connection:
            assert await connection.fetchval("SHOW jit") == "off"


async def test_a_write_sends_nothing_but_its_statements(world: World, postgresql: PostgresqlDatabase) -> None:
    async def change() -> None:
        async with postgresql.write() as transaction:
            held = await certifications.lock(transaction, Gtin(GTIN), USDA_ORGANIC, [world.brand])
            assert held is not None
            await certifications.change(transaction, held, {"scope": "all"}, held.updated_at)

    # The first time, asyncpg asks what the array of a list parameter is.
    await change()
    async with sent(postgresql._writers) as statements:
        for _ in range(3):
            await change()
    assert first_words(statements) == ["BEGIN", "SELECT", "UPDATE", "COMMIT"] * 3


async def test_a_transaction_may_have_its_statements_planned_anew(world: World, postgresql: PostgresqlDatabase) -> None:
    """Else what was planned while a table was empty would scan it when it is not any more."""
    mode = Read(select(func.current_setting("plan_cache_mode").label("mode")), tuple)
    async with postgresql.write() as transaction:
        await transaction.plan_anew()
        assert await transaction.fetch(mode) == [("force_custom_plan",)]
    async with postgresql.write() as transaction:
        assert await transaction.fetch(mode) == [("auto",)]


async def test_a_transaction_that_the_server_gave_up_is_not_called_committed(
    world: World, postgresql: PostgresqlDatabase
) -> None:
    async def go_on() -> None:
        async with postgresql.write() as transaction:
            await transaction.execute(RENAME, {"name": "lost"})
            with pytest.raises(asyncpg.DivisionByZeroError):
                await transaction.fetch(Read(select(func.div(1, 0)), tuple))

    with pytest.raises(asyncpg.InFailedSQLTransactionError, match="rolled back"):
        await go_on()
    await rename(postgresql, "kept")
    assert await name_of(world) == "kept"


def editor(world: World, *, key: str | None = None) -> Context:
    brand = Organization(world.brand, "brand", "Brand")
    caller = Caller(world.key_ids["editor"], KeyKind.BUSINESS, Role.EDITOR, brand)
    return Context(world.database, caller, NOON, idempotency_key=key)


async def test_an_assignment_is_one_statement_if_it_is_all(world: World, postgresql: PostgresqlDatabase) -> None:
    for assigned in (tables.claim_assignments, tables.certification_assignments):
        async with postgresql.write() as transaction:
            await transaction.execute(delete(assigned))
    claim = AssignClaim.parse({"gtin": GTIN, "claim_id": VEGAN})
    async with sent(postgresql._writers) as statements:
        made = await assign_claim(editor(world), claim)
        await assign_certification(
            editor(world), AssignCertification.parse({"gtin": GTIN, "certification_id": FAIR_TRADE})
        )
    assert first_words(statements) == ["WITH"] * 2
    assert [row[2] for row in await world.rows(tables.claim_assignments)] == [made.after.id]
    for refused in (claim, AssignClaim.parse({"gtin": OTHERS_GTIN, "claim_id": VEGAN})):
        async with sent(postgresql._writers) as statements:
            with suppress(DomainError):
                await assign_claim(editor(world), refused)
        words = first_words(statements)
        assert words[:3] == ["WITH", "BEGIN", "SELECT"]
        assert words[-1] == "ROLLBACK"
    async with sent(postgresql._writers) as statements:
        await assign_claim(editor(world, key="k"), AssignClaim.parse({"gtin": GTIN, "claim_id": NON_GMO}))
    words = first_words(statements)
    assert (words[0], words[-1]) == ("BEGIN", "COMMIT")
    assert len(await world.rows(tables.claim_assignments)) == 2


async def test_a_statement_that_is_asked_twice_inserts_once(world: World, postgresql: PostgresqlDatabase) -> None:
    """As when the connection was lost before its answer came."""
    definition = cast("Claim", await claims.find(postgresql, VEGAN))

    async def store(id: ShortId) -> bool:
        source = ClaimSource.BRAND_SELF_DECLARED
        assignment = ClaimAssignment(
            id, Gtin(GTIN), world.brand, {}, source, None, None, "", "", NOON, NOON, 1, definition
        )
        entry = history.entry(Change(None, assignment), NOON, "assignClaim", OPERATOR)
        async with postgresql.write(single=True) as transaction:
            return await claims.add_alone(transaction, assignment, cast("history.Entry", entry))

    async with postgresql.write() as transaction:
        await transaction.execute(delete(tables.claim_assignments))
    first, second = new_short_id(NOON), new_short_id(NOON)
    assert [await store(id) for id in (first, first, second)] == [True, True, False]
    assert [row[2] for row in await world.rows(tables.claim_assignments)] == [first]
    assert [row[3] for row in await world.rows(tables.changes) if row[6] == "assignClaim"] == [first]


async def test_assignments_meet_dead_connections_as_little(world: World, postgresql: PostgresqlDatabase) -> None:
    async with postgresql.write() as transaction:
        await transaction.execute(delete(tables.claim_assignments))
    await asyncio.gather(*(rename(postgresql, f"name {number}") for number in range(8)))
    assert await end_writers(postgresql) > 0
    command = AssignClaim.parse({"gtin": GTIN, "claim_id": VEGAN})
    answers = await asyncio.gather(*(assign_claim(editor(world), command) for _ in range(8)), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == [*["AlreadyAssigned"] * 7, "Change"]


async def test_a_connection_that_died_meanwhile_is_replaced(world: World, postgresql: PostgresqlDatabase) -> None:
    await asyncio.gather(*(rename(postgresql, f"name {number}") for number in range(8)))
    assert await end_writers(postgresql) > 0
    # All at once, so that each of the dead is met.
    await asyncio.gather(*(rename(postgresql, "renamed") for _ in range(8)))
    assert await name_of(world) == "renamed"


async def test_a_read_meets_dead_connections_as_little(world: World, postgresql: PostgresqlDatabase) -> None:
    await asyncio.gather(*(name_of(world) for _ in range(8)))
    async with lent(postgresql._writers) as connection:
        assert await connection.fetchval(END_WRITERS, [connection.get_server_pid()]) > 0
    assert await asyncio.gather(*(name_of(world) for _ in range(8))) == ["Oat drink"] * 8


async def test_a_parameter_that_does_not_fit_costs_no_connection(world: World, postgresql: PostgresqlDatabase) -> None:
    version = tables.products.c.version
    read = Read(select(tables.products.c.gtin).where(version == bindparam("version")), tuple)
    assert await postgresql.fetch(read, version=2) == []
    activity = table("pg_stat_activity", column("pid", Integer), column("datname", String))
    backends = Read(
        select(activity.c.pid).where(activity.c.datname == func.current_database()).order_by(activity.c.pid), tuple
    )
    before = await postgresql.fetch(backends)
    with pytest.raises(asyncpg.DataError, match="invalid input"):
        await postgresql.fetch(read, version=2**40)
    # It is lent again once it is known to be in order.
    await asyncio.gather(*postgresql._readers._mending)
    assert await postgresql.fetch(backends) == before


async def test_a_connection_that_dies_in_the_middle_loses_its_own_write_only(
    world: World, postgresql: PostgresqlDatabase
) -> None:
    async def die() -> None:
        async with postgresql.write() as transaction:
            await transaction.execute(RENAME, {"name": "lost"})
            await end_writers(postgresql)
            await transaction.execute(RENAME, {"name": "lost too"})

    with pytest.raises(Busy, match="cannot be reached"):
        await die()
    await rename(postgresql, "kept")
    assert await name_of(world) == "kept"
