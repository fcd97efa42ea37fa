"""Another way to read a database that somebody else has opened and will close."""

from contextlib import AbstractAsyncContextManager

from db.engine.database import Database, Transaction, Values
from db.sql.compiled import Compiled


class View(Database):
    """What reads of the database `under` it find is told by who derives from it; all else is as that one has it.

    Nothing is written through it.
    """

    def __init__(self, under: Database) -> None:
        self.under = under
        self.dialect = under.dialect
        self.waits = under.waits

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """As the one under it would."""
        return await self.under.plan(statement, values)

    def write(self, *, single: bool = False) -> AbstractAsyncContextManager[Transaction]:
        """Never."""
        raise AssertionError("nothing is written through a view")

    def epoch(self) -> object:
        """As the one under it has it."""
        return self.under.epoch()

    async def hears(self) -> bool:
        """As the one under it does."""
        return await self.under.hears()

    async def close(self) -> None:
        """Left to whoever opened the one under it."""
