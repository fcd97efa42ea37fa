"""Webhooks of organisations, as their managers see and change them; `db.deliveries` has how far each has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import columns_of, webhooks
from domain.short_id import ShortId
from domain.webhooks import Delivery, Webhook

COLUMNS = columns_of(webhooks, Webhook)
_OF_ORGANIZATION = webhooks.c.organization_id == bindparam("organization_id")
_ONE = (_OF_ORGANIZATION, webhooks.c.id == bindparam("id"))

OF_ORGANIZATION = Read(select(*COLUMNS).where(_OF_ORGANIZATION).order_by(webhooks.c.created_at, webhooks.c.id), Webhook)
NUMBER = Read(select(func.count()).select_from(webhooks).where(_OF_ORGANIZATION), lambda row: int(row[0]))
ONE = Read(select(*COLUMNS).where(*_ONE), Webhook)
OF_VIEW = Read(
    select(*COLUMNS).where(webhooks.c.view_id == bindparam("view_id")).order_by(webhooks.c.created_at, webhooks.c.id),
    Webhook,
)
SECRET = Read(select(webhooks.c.secret).where(*_ONE), lambda row: str(row[0]))
DELIVERIES = Read(
    select(webhooks.c.deliveries).where(*_ONE), lambda row: [msgspec.convert(each, Delivery) for each in row[0]]
)
_CHANGE = update(webhooks).where(webhooks.c.id == bindparam("of"))
_REMOVE = delete(webhooks).where(webhooks.c.id == bindparam("of"))


async def of_organization(database: Database, organization_id: ShortId) -> list[Webhook]:
    """The webhooks of an organisation by age."""
    return await database.fetch(OF_ORGANIZATION, organization_id=organization_id)


async def deliveries(database: Database, organization_id: ShortId, id: ShortId) -> list[Delivery] | None:
    """The latest tries to deliver something to a webhook, the latest first; None where there is no such webhook."""
    return next(iter(await database.fetch(DELIVERIES, organization_id=organization_id, id=id)), None)


async def count(transaction: Transaction, organization_id: ShortId) -> int:
    """How many there are. Nobody else counts or adds any until the transaction ends."""
    await transaction.serialize(f"webhooks of {organization_id}")
    return (await transaction.fetch(NUMBER, organization_id=organization_id))[0]


async def lock(transaction: Transaction, organization_id: ShortId, id: ShortId) -> Webhook | None:
    """The organisation's webhook of that id, locked until the transaction ends."""
    found = await transaction.fetch(ONE, lock=webhooks, organization_id=organization_id, id=id)
    return next(iter(found), None)


async def lock_those_of_view(transaction: Transaction, view_id: ShortId) -> list[Webhook]:
    """Those for what a view shows, locked until the transaction ends."""
    return await transaction.fetch(OF_VIEW, lock=webhooks, view_id=view_id)


async def add(
    transaction: Transaction, webhook: Webhook, secret: str, position: int, deliveries: Sequence[Delivery] = ()
) -> None:
    """Stores a new webhook, to which what is behind a position is sent."""
    state: dict[str, Any] = {"secret": secret, "secret_before": "", "position": position, "test_id": ""}
    state["deliveries"] = msgspec.to_builtins(deliveries)
    await transaction.insert(webhooks, {**msgspec.structs.asdict(webhook), **state, **begun(webhook.created_at)})


async def change(transaction: Transaction, id: ShortId, changes: dict[str, Any]) -> None:
    """Stores columns of a locked webhook."""
    await transaction.execute(_CHANGE, {"of": id, **changes})


async def rotate(transaction: Transaction, webhook: Webhook, secret: str, now: datetime) -> None:
    """Stores another secret of a locked webhook, beside the one that it had."""
    before = await transaction.fetch(SECRET, organization_id=webhook.organization_id, id=webhook.id)
    changes = {"secret": secret, "secret_before": before[0], "rotated_at": now, "updated_at": now}
    await change(transaction, webhook.id, changes)


async def remove(transaction: Transaction, id: ShortId) -> None:
    """Deletes a locked webhook."""
    await transaction.execute(_REMOVE, {"of": id})


def begun(now: datetime) -> dict[str, Any]:
    """The columns of what is tried at once, as if nothing had failed."""
    return {"ahead": [], "attempts": 0, "due_at": now, "failing_since": None, "problem": ""}
