"""How far each webhook has come, and which process sees to it; see `db.duties`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import bindparam, case, or_, select, tuple_

from db import organizations
from db.duties import Duties
from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import organizations as organizations_table
from db.sql.tables import sealed, webhooks
from db.sql.types import UtcDateTime
from db.webhooks import COLUMNS
from domain.records import Organization
from domain.short_id import ShortId
from domain.webhooks import BOTH_SIGN, Webhook

AT_ONCE = 64
"""How many are looked up that are due."""


class Due(NamedTuple):
    """A webhook to which something is to be sent, since a moment."""

    id: ShortId
    organization_id: ShortId
    at: datetime


class TakenOn(NamedTuple):
    """A webhook that this process sees to, and how far it has come."""

    webhook: Webhook
    organization: Organization
    secrets: list[str]
    """What signs: the secret, and for a day that before."""
    position: int
    ahead: list[int]
    """What has arrived of what is behind the position."""
    attempts: int
    """How often the first that has not arrived was tried."""
    test_id: str
    deliveries: list[Any]

    def behind(self, state: Mapping[str, Any]) -> "TakenOn":
        """The same once that was stored of it, and nobody else has changed it."""
        told = {name: value for name, value in state.items() if name in Webhook.__struct_fields__}
        rest = {name: value for name, value in state.items() if name not in told}
        return self._replace(webhook=msgspec.structs.replace(self.webhook, **told), **rest)


# Of the organisation, or else of one that is before it in the index. By the organisation alone PostgreSQL would look
# through all that others changed since, where most of the log is of one.
_LAST = (
    select(case((sealed.c.organization_id == webhooks.c.organization_id, sealed.c.position)))
    .where(tuple_(sealed.c.organization_id, sealed.c.position) < tuple_(webhooks.c.organization_id, 2**63 - 1))
    .order_by(sealed.c.organization_id.desc(), sealed.c.position.desc())
    .limit(1)
    .correlate(webhooks)
    .scalar_subquery()
)
DUE = Read(
    select(webhooks.c.id, webhooks.c.organization_id, webhooks.c.due_at)
    .where(
        webhooks.c.due_at <= bindparam("now", type_=UtcDateTime()),
        or_(webhooks.c.test_id != "", webhooks.c.is_enabled.is_(True) & (webhooks.c.position < _LAST)),
    )
    .order_by(webhooks.c.due_at)
    .limit(AT_ONCE),
    lambda row: Due(*row),
)
_STATE = tuple(
    webhooks.c[name]
    for name in ("secret", "secret_before", "rotated_at", "position", "ahead", "attempts", "test_id", "deliveries")
)
TAKEN = Read(
    select(*COLUMNS, *organizations.COLUMNS, *_STATE)
    .join(organizations_table, organizations_table.c.id == webhooks.c.organization_id)
    .where(webhooks.c.id == bindparam("id")),
    lambda row: row,
)
_DUTIES = Duties(webhooks)


async def due(database: Database, now: datetime) -> list[Due]:
    """Some of those to which something is to be sent, the longest due first."""
    return await database.fetch(DUE, now=now)


async def take_on(transaction: Transaction, due: Due, until: datetime, now: datetime) -> TakenOn | None:
    """What this process sees to from now on, `until` another one does; None where another one has taken it on."""
    if not await _DUTIES.take_on(transaction, {"id": due.id}, due.at, until):
        return None
    row = (await transaction.fetch(TAKEN, id=due.id))[0]
    of = len(COLUMNS)
    secret, before, rotated_at, *state = row[of + 3 :]
    both = before and rotated_at is not None and now - rotated_at < BOTH_SIGN
    return TakenOn(Webhook(*row[:of]), Organization(*row[of : of + 3]), [secret, before] if both else [secret], *state)


async def moved(transaction: Transaction, id: ShortId, until: datetime, again: datetime, **state: Any) -> bool:
    """Stores how far a webhook has come and when it is due again; False where it is no longer this process's."""
    return await _DUTIES.done(transaction, {"id": id}, until, again, **state)
