"""Invitations to become a member. Only digests of their links are stored."""

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, func, select

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import columns_of, invitations, memberships
from db.sql.types import UtcDateTime
from domain.people import Invitation
from domain.short_id import ShortId

_COLUMNS = columns_of(invitations, Invitation)
_OPEN = invitations.c.expires_at > bindparam("now", type_=UtcDateTime())
_OF_ORGANIZATION = invitations.c.organization_id == bindparam("organization_id")

BY_ID = Read(
    select(*_COLUMNS).where(_OF_ORGANIZATION, _OPEN, invitations.c.id == bindparam("id")), lambda row: Invitation(*row)
)
BY_DIGEST = Read(
    select(*_COLUMNS).where(_OPEN, invitations.c.digest == bindparam("digest")), lambda row: Invitation(*row)
)
OF_ADDRESS = Read(
    select(*_COLUMNS).where(invitations.c.email == bindparam("email"), _OPEN).order_by(invitations.c.id),
    lambda row: Invitation(*row),
)
OF_ORGANIZATION = Read(
    select(*_COLUMNS).where(_OF_ORGANIZATION, _OPEN).order_by(invitations.c.created_at, invitations.c.id),
    lambda row: Invitation(*row),
)
PEOPLE = Read(
    select(
        select(func.count())
        .select_from(memberships)
        .where(memberships.c.organization_id == bindparam("organization_id"))
        .scalar_subquery()
        + select(func.count()).select_from(invitations).where(_OF_ORGANIZATION, _OPEN).scalar_subquery()
    ),
    lambda row: int(row[0]),
)
_WITH_ID = delete(invitations).where(invitations.c.id == bindparam("of"))
_ALIKE = delete(invitations).where(_OF_ORGANIZATION, invitations.c.email == bindparam("email"))


async def of_organization(database: Database, organization_id: ShortId, now: datetime) -> list[Invitation]:
    """The open invitations of an organisation by age."""
    return await database.fetch(OF_ORGANIZATION, organization_id=organization_id, now=now)


async def count_people(transaction: Transaction, organization_id: ShortId, now: datetime) -> int:
    """How many members and open invitations there are. Nobody else counts or adds any until the transaction ends."""
    await transaction.serialize(f"people of {organization_id}")
    return (await transaction.fetch(PEOPLE, organization_id=organization_id, now=now))[0]


async def find(transaction: Transaction, organization_id: ShortId, id: ShortId, now: datetime) -> Invitation | None:
    """The open invitation of that id."""
    return next(iter(await transaction.fetch(BY_ID, organization_id=organization_id, id=id, now=now)), None)


async def find_by_digest(source: Database | Transaction, digest: str, now: datetime) -> Invitation | None:
    """The open invitation of that link."""
    return next(iter(await source.fetch(BY_DIGEST, digest=digest, now=now)), None)


async def of_address(transaction: Transaction, email: str, now: datetime) -> list[Invitation]:
    """The open invitations of an address, in whichever organisations."""
    return await transaction.fetch(OF_ADDRESS, email=email, now=now)


async def add(transaction: Transaction, invitation: Invitation, digest: str) -> None:
    """Stores an invitation in the place of any other of that address, and forgets those that have expired."""
    await transaction.execute(delete(invitations).where(invitations.c.expires_at <= invitation.created_at))
    await withdraw(transaction, invitation.organization_id, invitation.email)
    await transaction.insert(invitations, {**msgspec.structs.asdict(invitation), "digest": digest})


async def withdraw(transaction: Transaction, organization_id: ShortId, email: str) -> None:
    """Forgets the invitation of that address, if there is one."""
    await transaction.execute(_ALIKE, {"organization_id": organization_id, "email": email})


async def remove(transaction: Transaction, id: ShortId) -> bool:
    """Takes an invitation away; False when somebody else has. Of two who do at once one gets it."""
    return await transaction.execute(_WITH_ID, {"of": id}) == 1
