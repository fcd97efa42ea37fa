"""How asyncpg writes and reads JSON, dates and moments for us.

By itself it writes the first and the last date and moment of Python's calendar as -infinity and infinity. Here every
one is the number that PostgreSQL stores: days, or microseconds, since 2000-01-01.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import asyncpg
import msgspec

_DAY = date(2000, 1, 1).toordinal()
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _days(value: date) -> tuple[int]:
    return (value.toordinal() - _DAY,)


def _microseconds(value: datetime) -> tuple[int]:
    return ((value - _MOMENT) // _MICROSECOND,)


# Remembered, which takes less time than asyncpg's own way: the same days come again, and rows that were written
# together have their moments in common.
@lru_cache(maxsize=8192)
def _day(stored: tuple[int]) -> date:
    return date.fromordinal(stored[0] + _DAY)


@lru_cache(maxsize=8192)
def _moment(stored: tuple[int]) -> datetime:
    return _MOMENT + timedelta(microseconds=stored[0])


async def set_codecs(connection: asyncpg.Connection) -> None:
    """Has a new connection write and read these types so."""
    # Parameters are texts already (`db.sql.compiled.json_text`).
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=msgspec.json.decode)
    await set_times(connection)


async def set_times(connection: asyncpg.Connection) -> None:
    """The same for dates and moments alone; JSON is as SQLAlchemy wants it."""
    for name, encode, decode in (("date", _days, _day), ("timestamptz", _microseconds, _moment)):
        await connection.set_type_codec(name, schema="pg_catalog", format="tuple", encoder=encode, decoder=decode)
