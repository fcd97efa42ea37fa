"""Saved views of organisations."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import columns_of, views
from domain.short_id import ShortId
from domain.views import SavedView

_COLUMNS = columns_of(views, SavedView)
_OF_ORGANIZATION = views.c.organization_id == bindparam("organization_id")

ONE = Read(select(*_COLUMNS).where(views.c.id == bindparam("id")), SavedView)
NAMED = Read(select(*_COLUMNS).where(_OF_ORGANIZATION, views.c.name == bindparam("name")), SavedView)
OF_ORGANIZATION = Read(select(*_COLUMNS).where(_OF_ORGANIZATION).order_by(views.c.name), SavedView)
NUMBER = Read(select(func.count()).select_from(views).where(_OF_ORGANIZATION), lambda row: int(row[0]))
_CHANGE = update(views).where(views.c.id == bindparam("of"))
_REMOVE = delete(views).where(views.c.id == bindparam("of"))


async def of_organization(database: Database, organization_id: ShortId) -> list[SavedView]:
    """The views of an organisation by name."""
    return await database.fetch(OF_ORGANIZATION, organization_id=organization_id)


async def find(database: Database, id: ShortId) -> SavedView | None:
    """The view of that id."""
    return next(iter(await database.fetch(ONE, id=id)), None)


async def find_by_name(source: Database | Transaction, organization_id: ShortId, name: str) -> SavedView | None:
    """The organisation's view of that name."""
    return next(iter(await source.fetch(NAMED, organization_id=organization_id, name=name)), None)


async def lock(transaction: Transaction, id: ShortId) -> SavedView | None:
    """The view of that id, locked until the transaction ends."""
    return next(iter(await transaction.fetch(ONE, lock=views, id=id)), None)


async def count(transaction: Transaction, organization_id: ShortId) -> int:
    """How many views there are. Nobody else counts, adds or renames any until the transaction ends."""
    await transaction.serialize(f"views of {organization_id}")
    return (await transaction.fetch(NUMBER, organization_id=organization_id))[0]


async def add(transaction: Transaction, view: SavedView) -> None:
    """Stores a new view."""
    await transaction.insert(views, msgspec.structs.asdict(view))


async def change(transaction: Transaction, id: ShortId, changes: dict[str, Any], at: datetime) -> None:
    """Stores the changed members of a locked view."""
    await transaction.execute(_CHANGE, {"of": id, **changes, "updated_at": at})


async def remove(transaction: Transaction, id: ShortId) -> None:
    """Deletes a locked view."""
    await transaction.execute(_REMOVE, {"of": id})
