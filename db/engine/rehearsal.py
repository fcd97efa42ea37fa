"""A transaction that is going to be undone, to read from as from the database."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

from db.engine.database import Database, Make, T, Transaction, Values
from db.sql.compiled import Compiled
from db.sql.reads import Read


class Rehearsal(Database):
    """The database as it would be: reads see what the transaction has done, one after another on its connection.

    It shares what the other one holds in memory.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._turn = asyncio.Lock()
        self.dialect = self.database.dialect
        self.waits = False
        self.held = self.database.held

    @property
    def database(self) -> Database:
        """The one in which nothing has happened."""
        return self._transaction.database

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the rows of a read as the transaction sees them. Raises `Busy`."""
        async with self._turn:
            try:
                return await self._transaction.read(read, make, **values)
            except Exception as error:
                self.database.refuse(error)
                raise

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """As the database would."""
        return await self.database.plan(statement, values)

    def write(self, *, single: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Never: a rehearsal ends before anything else is written."""
        raise AssertionError("a rehearsal only reads")

    def epoch(self) -> object:
        """As the database has it."""
        return self.database.epoch()

    async def hears(self) -> bool:
        """As the database does."""
        return await self.database.hears()

    async def close(self) -> None:
        """Left to whoever began the transaction."""
