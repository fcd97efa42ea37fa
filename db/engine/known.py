"""The database as it was known at a moment: the same reads, of what the log of changes says of then."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from db.engine.database import Database, Make, T, Values
from db.engine.view import View
from db.sql.compiled import Compiled
from db.sql.known import AT, as_known
from db.sql.reads import KeyedRead, Read


def known(database: Database, at: datetime | None) -> Database:
    """The database as it was known at that moment, or as it is now."""
    now = database.under if isinstance(database, KnownDatabase) else database
    return now if at is None else KnownDatabase(now, at)


class KnownDatabase(View):
    """The database at a moment. It only reads, and shows definitions, keys and people as they are now."""

    has_indexes = False

    def __init__(self, database: Database, at: datetime) -> None:
        super().__init__(database)
        self._at = at
        self.sharded = database.sharded

    @property
    def database(self) -> Database:
        """As of what is now."""
        return self.under.database

    @property
    def held(self) -> Any:
        """What is held of definitions, as they are now."""
        return self.under.held

    @held.setter
    def held(self, held: Any) -> None:
        self.under.held = held

    async def read(self, read: Read[Any], make: Make[T], /, **values: Any) -> T:
        """What is made of the rows as they were known. Raises `Busy`."""
        if isinstance(read, KeyedRead):
            one, values = read.of(values["keys"])
            by = next(iter(values)) if read.key == "gtin" else ""
            return await self.under.read(rewritten(one, by), make, **values, **{AT: self._at})
        return await self.under.read(rewritten(read), make, **values, **{AT: self._at})

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """As the database would."""
        return await super().plan(statement, {**values, AT: self._at})


@lru_cache(maxsize=512)
def rewritten(read: Read[Any], by: str = "") -> Read[Any]:
    """The read of what was known; `by` as of `as_known`."""
    # No index has what was known: whatever is not asked by GTIN is looked for among all there is in the log.
    return read.of_other(as_known(read.select, by), scans=not by)
