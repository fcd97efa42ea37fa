"""Clients that go before they are answered: what only reads is stopped, down to the statement; a change is made."""

import asyncio
import json
import logging
from typing import Any

import pytest
from sqlalchemy import BigInteger, column, func, literal, select, table

from db import lists, stats
from db.engine.database import Database
from db.engine.postgresql import PostgresqlDatabase
from db.sql import tables
from db.sql.reads import Read
from execution.run import stopping
from gateway.app import create_app
from gateway.settings import Settings
from tests.served import ours, served, until
from tests.world import GTIN, NON_GMO, World

_numbers = select(literal(1, BigInteger).label("n")).cte("numbers", recursive=True)
ENDLESS: Read[Any] = Read(
    select(func.count()).select_from(_numbers.union_all(select(_numbers.c.n + 1).where(_numbers.c.n < 10**12))),
    tuple,
    scans=True,
)
_activity = table("pg_stat_activity", *(column(name) for name in ("query", "datname", "state", "pid")))
RUNNING: Read[Any] = Read(
    select(_activity.c.query).where(
        _activity.c.datname == func.current_database(),
        _activity.c.state == "active",
        _activity.c.pid != func.pg_backend_pid(),
    ),
    tuple,
)


def request(world: World, method: str, path: str, members: dict[str, Any] | None = None) -> bytes:
    body = b"" if members is None else json.dumps(members).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nX-API-Key: {world.keys['manager']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def graphql(world: World, query: str) -> bytes:
    return request(world, "POST", "/graphql", {"query": query})


class EndlessRead:
    """Stands in for a read that takes very long."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self, database: Database, *asked: Any, **more: Any) -> Any:
        self.begun.set()
        try:
            await database.fetch(ENDLESS)
        finally:
            self.ended.set()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "PATIENCE", 0.01)


@pytest.mark.parametrize("face", ["graphql", "rest"])
async def test_a_read_ends_with_its_client(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, face: str
) -> None:
    asked = {
        "graphql": graphql(world, "{ certificationAssignmentStats(groupBy: [STATUS]) { totalCount } }"),
        "rest": request(world, "GET", "/products/api/v1/trade-items"),
    }[face]
    # Not the time-out is to end it.
    settings = Settings(graphql_timeout_seconds=600, rate_limit_per_minute=1000, rate_limit_per_day=1000)
    async with served(create_app(settings, world.database), ours()) as (server, port):
        # A GraphQL operation is compiled when it comes first.
        for _ in range(3):
            read = EndlessRead()
            monkeypatch.setattr(stats, "of_assignments", read)
            monkeypatch.setattr(lists, "numbered", read)
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(asked)
            async with asyncio.timeout(30):
                await read.begun.wait()
                writer.close()
                await writer.wait_closed()
                await read.ended.wait()
            await until(lambda: not server.server_state.tasks)
        if isinstance(world.database, PostgresqlDatabase):
            async with asyncio.timeout(30):
                while await world.database.fetch(RUNNING):
                    pass
        # Its threads and connections serve others.
        whole = Read(select(tables.products.c.gtin), tuple, scans=True)
        assert [len(rows) for rows in await asyncio.gather(*(world.database.fetch(whole) for _ in range(8)))] == [2] * 8
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_change_is_made_although_its_client_has_gone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await world.client.post(
        f"/certifications/api/v1/products/{GTIN}/claims",
        headers={"X-API-Key": world.keys["manager"]},
        json={"claim_id": NON_GMO, "source": "BRAND_SELF_DECLARED"},
    )
    assert len(await world.rows(tables.claim_assignments)) == 1
    mutation = f'mutation {{ removeClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}) {{ __typename }} }}'
    async with served(world.app, ours()) as (server, port):
        async with world.database.write():
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(graphql(world, mutation))
            await until(lambda: bool(server.server_state.tasks))
            # Time to notice that the client is gone, and to stop what should not be stopped.
            await asyncio.sleep(0.1)
            writer.close()
            await writer.wait_closed()
            await until(lambda: not server.server_state.connections)
            await asyncio.sleep(0.1)
        await until(lambda: not server.server_state.tasks)
    assert await world.rows(tables.claim_assignments) == []
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
