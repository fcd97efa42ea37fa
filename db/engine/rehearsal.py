"""A transaction that is going to be undone, to read from as from the database."""

import asyncio
from typing import Any

from db.engine.database import Database, Make, T, Transaction
from db.engine.view import View
from db.sql.reads import Read


class Rehearsal(View):
    """The database as it would be: reads see what the transaction has done, one after another on its connection.

    It shares what the other one holds in memory.
    """

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction.database)
        self._transaction = transaction
        self._turn = asyncio.Lock()
        self.waits = False
        self.held = self.under.held

    @property
    def database(self) -> Database:
        """The one in which nothing has happened."""
        return self.under

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the rows of a read as the transaction sees them. Raises `Busy`."""
        async with self._turn:
            try:
                return await self._transaction.read(read, make, **values)
            except Exception as error:
                self.under.refuse(error)
                raise
