"""Who becomes a member: by whatever way, it is told of in the log of changes."""

from datetime import datetime

from db import accounts, history, keys
from db.engine.database import Transaction
from domain.account import User
from domain.changes import Change
from domain.history import Actor, Provenance
from domain.people import Member
from domain.short_id import ShortId
from domain.vocabulary import Face, Role


def by_oneself(user: User, organization_id: ShortId) -> Provenance:
    """The person itself, on a page."""
    return Provenance(Actor("member", "", user.id, organization_id), Face.PAGE.value)


async def admit(
    transaction: Transaction,
    user: User,
    organization_id: ShortId,
    role: Role,
    now: datetime,
    operation: str,
    whence: Provenance,
) -> None:
    """Makes somebody a member, or changes the role of one."""
    before = await accounts.lock_member(transaction, organization_id, user.id)
    await accounts.set_membership(transaction, user.id, organization_id, role, now)
    after = Member(user.id, organization_id, user.email, role, now if before is None else before.created_at)
    await history.tell(transaction, Change(before, after), now, operation, whence)
    await keys.announce(transaction)
