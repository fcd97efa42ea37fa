"""Connections to PostgreSQL, borrowed by a test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from db.lender import Connection, Lender


@asynccontextmanager
async def lent(lender: Lender) -> AsyncIterator[Connection]:
    """The connection that the next borrower would get."""
    connection = await lender.take()
    try:
        yield connection
    finally:
        lender.give(connection)


@asynccontextmanager
async def all_lent(lender: Lender) -> AsyncIterator[list[Connection]]:
    """Every connection, so that nobody else gets one."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(lent(lender)) for _ in range(lender.size)]
