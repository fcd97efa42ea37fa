"""Calendars of saved views. Only digests of their tokens are stored."""

from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from db import organizations
from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import calendars, columns_of, views
from db.sql.tables import organizations as organizations_table
from domain.calendars import Calendar, Memory
from domain.records import Organization
from domain.short_id import ShortId
from domain.views import SavedView


class Opened(NamedTuple):
    """What a token leads to."""

    calendar: Calendar
    view: SavedView
    organization: Organization
    shown: Memory
    """What the calendar has shown."""


_COLUMNS = columns_of(calendars, Calendar)
_VIEW = columns_of(views, SavedView)
_OF_ORGANIZATION = calendars.c.organization_id == bindparam("organization_id")

OF_ORGANIZATION = Read(
    select(*_COLUMNS).where(_OF_ORGANIZATION).order_by(calendars.c.created_at, calendars.c.id), Calendar
)
NUMBER = Read(select(func.count()).select_from(calendars).where(_OF_ORGANIZATION), lambda row: int(row[0]))
ONE = Read(select(*_COLUMNS).where(_OF_ORGANIZATION, calendars.c.id == bindparam("id")), Calendar)
_ENDS = len(_COLUMNS), len(_COLUMNS) + len(_VIEW)
BY_DIGEST = Read(
    select(*_COLUMNS, *_VIEW, *organizations.COLUMNS, calendars.c.shown)
    .select_from(calendars)
    .join(views, views.c.id == calendars.c.view_id)
    .join(organizations_table, organizations_table.c.id == calendars.c.organization_id)
    .where(calendars.c.digest == bindparam("digest")),
    lambda row: Opened(
        Calendar(*row[: _ENDS[0]]), SavedView(*row[_ENDS[0] : _ENDS[1]]), Organization(*row[_ENDS[1] : -1]), row[-1]
    ),
)
_REMEMBER = update(calendars).where(calendars.c.id == bindparam("of"))
_REMOVE = delete(calendars).where(calendars.c.id == bindparam("of"))


async def of_organization(database: Database, organization_id: ShortId) -> list[Calendar]:
    """The calendars of an organisation by age."""
    return await database.fetch(OF_ORGANIZATION, organization_id=organization_id)


async def count(transaction: Transaction, organization_id: ShortId) -> int:
    """How many there are. Nobody else counts or adds any until the transaction ends."""
    await transaction.serialize(f"calendars of {organization_id}")
    return (await transaction.fetch(NUMBER, organization_id=organization_id))[0]


async def find(transaction: Transaction, organization_id: ShortId, id: ShortId) -> Calendar | None:
    """The organisation's calendar of that id."""
    return next(iter(await transaction.fetch(ONE, organization_id=organization_id, id=id)), None)


async def find_by_digest(database: Database, digest: str) -> Opened | None:
    """What the token of that digest leads to."""
    return next(iter(await database.fetch(BY_DIGEST, digest=digest)), None)


async def add(transaction: Transaction, calendar: Calendar, digest: str) -> None:
    """Stores a new calendar by the digest of its token."""
    await transaction.insert(calendars, {**msgspec.structs.asdict(calendar), "digest": digest})


async def remember(transaction: Transaction, id: ShortId, shown: Memory) -> None:
    """Stores what a calendar has shown."""
    await transaction.execute(_REMEMBER, {"of": id, "shown": shown})


async def remove(transaction: Transaction, id: ShortId) -> bool:
    """Takes a calendar away; False when somebody else has."""
    return await transaction.execute(_REMOVE, {"of": id}) == 1
