"""Duties: rows of a table that are due at a moment, each of which one process of several sees to.

Whoever takes one on moves its moment on, so that the others do not find it; unless it is done by then, it is due again.
The database decides between two: a row is only taken on as it was seen. The table has a column `due_at`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, update

from db.engine.database import Transaction
from db.sql.types import UtcDateTime


class Duties:
    """Those of one table."""

    def __init__(self, table: Table) -> None:
        key = (column == bindparam(f"of_{column.key}") for column in table.primary_key)
        self._change = update(table).where(*key, table.c.due_at == bindparam("seen", type_=UtcDateTime()))

    async def take_on(self, transaction: Transaction, key: Mapping[str, str], seen: datetime, until: datetime) -> bool:
        """Whether it is this process that sees to what was due at the moment `seen`, `until` another one."""
        return await self._changed(transaction, key, seen, {"due_at": until})

    async def done(
        self, transaction: Transaction, key: Mapping[str, str], until: datetime, again: datetime, **members: Any
    ) -> bool:
        """Says that it is done, when it is due again, and what else is to be remembered; False where another process,
        or a change of the row, has come in between.
        """
        return await self._changed(transaction, key, until, {"due_at": again, **members})

    async def _changed(
        self, transaction: Transaction, key: Mapping[str, str], seen: datetime, members: Mapping[str, Any]
    ) -> bool:
        of = {f"of_{name}": value for name, value in key.items()}
        return await transaction.execute(self._change, {**of, "seen": seen, **members}) == 1
