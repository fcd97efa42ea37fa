"""Who is told by mail how often, and when next."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, select

from db import organizations
from db.duties import Duties
from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import columns_of, digests, users
from db.sql.tables import organizations as organizations_table
from db.sql.types import UtcDateTime
from domain.digests import StoredDigest, next_due
from domain.records import Organization
from domain.short_id import ShortId
from domain.vocabulary import DigestPeriod

AT_ONCE = 20
"""How many are looked up that are due."""


class DueDigest(NamedTuple):
    """A digest that is due: to whom, of which organisation, and since when that member was told of nothing."""

    digest: StoredDigest
    email: str
    organization: Organization
    told_until: datetime


_COLUMNS = columns_of(digests, StoredDigest)
_OF = (digests.c.organization_id == bindparam("owner"), digests.c.user_id == bindparam("member"))
ONE = Read(select(*_COLUMNS).where(*_OF), StoredDigest)
DUE = Read(
    select(*_COLUMNS, users.c.email, digests.c.told_until, *organizations.COLUMNS)
    .select_from(digests)
    .join(users, users.c.id == digests.c.user_id)
    .join(organizations_table, organizations_table.c.id == digests.c.organization_id)
    .where(digests.c.due_at <= bindparam("now", type_=UtcDateTime()))
    .order_by(digests.c.due_at)
    .limit(AT_ONCE),
    lambda row: DueDigest(StoredDigest(*row[:4]), row[4], Organization(*row[6:]), row[5]),
)
NUMBER = Read(select(func.count()).select_from(digests), lambda row: int(row[0]))
_REMOVE = delete(digests).where(*_OF)
_DUTIES = Duties(digests)


async def number(database: Database) -> int:
    """How many there are."""
    return (await database.fetch(NUMBER))[0]


async def find(source: Database | Transaction, organization_id: ShortId, user_id: ShortId) -> StoredDigest | None:
    """How often a member is told, if at all."""
    return next(iter(await source.fetch(ONE, owner=organization_id, member=user_id)), None)


async def put(
    transaction: Transaction, organization_id: ShortId, user_id: ShortId, period: DigestPeriod | None, now: datetime
) -> StoredDigest | None:
    """Stores how often, None for never, in the place of what was there."""
    await transaction.execute(_REMOVE, {"owner": organization_id, "member": user_id})
    if period is None:
        return None
    digest = StoredDigest(organization_id, user_id, period, next_due(period, now))
    row = {name: getattr(digest, name) for name in digest.__struct_fields__}
    await transaction.insert(digests, {**row, "told_until": now})
    return digest


async def due(database: Database, now: datetime) -> list[DueDigest]:
    """Some of those that are due, the longest due first."""
    return await database.fetch(DUE, now=now)


async def take_on(transaction: Transaction, due: DueDigest, until: datetime) -> bool:
    """Whether it is this process that sends a digest, `until` another one does; see `db.duties`."""
    seen = due.digest.due_at
    return seen is not None and await _DUTIES.take_on(transaction, _key(due), seen, until)


async def done(transaction: Transaction, due: DueDigest, until: datetime, now: datetime) -> None:
    """Says that a digest was sent."""
    if due.digest.period is not None:
        again = next_due(due.digest.period, now)
        await _DUTIES.done(transaction, _key(due), until, again, told_until=now)


def _key(due: DueDigest) -> dict[str, str]:
    return {"organization_id": due.digest.organization_id, "user_id": due.digest.user_id}
