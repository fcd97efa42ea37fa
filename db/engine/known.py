"""The database as it was known at a moment: the same reads, of what the log of changes says of then."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from db.engine.database import Database, Make, T, Values
from db.engine.view import View
from db.sql.compiled import Compiled
from db.sql.known import AT, as_known
from db.sql.reads import KeyedRead, Read, Row


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
        then, asked = self._then(read, values)
        return await self.under.read(then, make, **asked)

    def at_once(self, read: Read[Any], values: Values) -> list[Row] | None:
        """Those rows, where the database under it has them at once."""
        return self.under.at_once(*self._then(read, values))

    def _then(self, read: Read[Any], values: Values) -> tuple[Read[Any], dict[str, Any]]:
        """What is asked of the log instead."""
        by = ""
        if isinstance(read, KeyedRead):
            if read.key == "gtin":
                by = "key" if len(values["keys"]) == 1 else "keys"
            read, values = read.of(values["keys"])
        return rewritten(read, by), {**values, AT: self._at}

    async def plan(self, statement: Compiled, values: Values) -> list[str]:
        """As the database would."""
        return await super().plan(statement, {**values, AT: self._at})


@lru_cache(maxsize=512)
def rewritten(read: Read[Any], by: str = "") -> Read[Any]:
    """The read of what was known; `by` as of `as_known`."""
    # No index has what was known: whatever is not asked by GTIN is looked for among all there is in the log.
    return read.of_other(as_known(read.select, by), scans=not by)
