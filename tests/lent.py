"""Connections to PostgreSQL, borrowed by a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from db.engine.lender import Lender, PostgresqlConnection


@asynccontextmanager
async def lent(lender: Lender) -> AsyncIterator[PostgresqlConnection]:
    """The connection that the next borrower would get."""
    connection = await lender.take()
    try:
        yield connection
    finally:
        lender.give(connection)


@asynccontextmanager
async def all_lent(lender: Lender) -> AsyncIterator[list[PostgresqlConnection]]:
    """Every connection, so that nobody else gets one."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(lent(lender)) for _ in range(lender.size)]


@asynccontextmanager
async def heard(lender: Lender, note: Callable[[Any], None]) -> AsyncIterator[None]:
    """Has everything noted that any of the connections is sent in the block: its `query` and the parameters `args`."""
    async with all_lent(lender) as connections:
        for connection in connections:
            connection.add_query_logger(note)
    yield
    # The last one is told a turn later.
    await asyncio.sleep(0)
    async with all_lent(lender) as connections:
        for connection in connections:
            connection.remove_query_logger(note)


@asynccontextmanager
async def sent(lender: Lender) -> AsyncIterator[list[str]]:
    """What the connection that the next borrower gets is sent in the block, `BEGIN` and `COMMIT` included."""
    statements: list[str] = []

    def note(record: Any) -> None:
        statements.append(record.query)

    async with lent(lender) as connection:
        connection.add_query_logger(note)
    yield statements
    # The last one is told a turn later.
    await asyncio.sleep(0)
    async with lent(lender) as connection:
        connection.remove_query_logger(note)
