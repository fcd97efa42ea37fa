"""Users, and which organisations they belong to."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, select, update

from db import organizations
from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import memberships, users
from db.sql.tables import organizations as organizations_table
from domain.access import Membership
from domain.account import User
from domain.people import Member
from domain.records import Organization
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import Role

_USER = (users.c.id, users.c.email, users.c.metadata)


def _members(*more: Any) -> Select[Any]:
    return (
        select(
            memberships.c.user_id,
            memberships.c.organization_id,
            users.c.email,
            memberships.c.role,
            memberships.c.created_at,
            *more,
        )
        .select_from(memberships)
        .join(users, users.c.id == memberships.c.user_id)
    )


_IN_ORGANIZATION = memberships.c.organization_id == bindparam("organization_id")


USER_BY_ID = Read(select(*_USER).where(users.c.id == bindparam("id")), lambda row: User(*row))
USER_BY_EMAIL = Read(select(*_USER).where(users.c.email == bindparam("email")), lambda row: User(*row))
MEMBERSHIPS = Read(
    select(*organizations.COLUMNS, memberships.c.role)
    .select_from(memberships)
    .join(organizations_table, organizations_table.c.id == memberships.c.organization_id)
    .where(memberships.c.user_id == bindparam("user_id"))
    .order_by(memberships.c.created_at, memberships.c.organization_id),
    lambda row: Membership(Organization(*row[:3]), row[3]),
)
EVERY_MEMBER = Read(
    _members(organizations_table.c.slug)
    .join(organizations_table, organizations_table.c.id == memberships.c.organization_id)
    .order_by(organizations_table.c.slug, users.c.email),
    lambda row: (str(row[5]), Member(*row[:5])),
)
MEMBERS_OF_ORGANIZATION = Read(_members().where(_IN_ORGANIZATION).order_by(users.c.email), lambda row: Member(*row))
MEMBER = Read(
    _members().where(_IN_ORGANIZATION, memberships.c.user_id == bindparam("user_id")), lambda row: Member(*row)
)


async def find_user(database: Database, id: ShortId) -> User | None:
    """The user of that id."""
    return next(iter(await database.fetch(USER_BY_ID, id=id)), None)


async def find_user_by_email(transaction: Transaction, email: str) -> User | None:
    """The user of that address, which is in lower case."""
    return next(iter(await transaction.fetch(USER_BY_EMAIL, email=email)), None)


async def memberships_of(source: Database | Transaction, user_id: ShortId | None) -> list[Membership]:
    """Where a user belongs, the oldest membership first; nowhere for None."""
    return await source.fetch(MEMBERSHIPS, user_id=user_id)


async def add_user(transaction: Transaction, user: User, at: datetime) -> bool:
    """Stores a user; False when the address is taken."""
    values = {"id": user.id, "email": user.email, "metadata": user.metadata, "created_at": at}
    return await transaction.insert(users, values, unless=("email",))


async def ensure_user(transaction: Transaction, email: str, at: datetime) -> User:
    """The user of that address, which is in lower case; made if there is none."""
    await add_user(transaction, User(new_short_id(at), email, {}), at)
    user = await find_user_by_email(transaction, email)
    assert user is not None
    return user


async def members_of(source: Database | Transaction, organization_id: ShortId) -> list[Member]:
    """The members of an organisation by address."""
    return await source.fetch(MEMBERS_OF_ORGANIZATION, organization_id=organization_id)


async def find_member(database: Database, organization_id: ShortId, user_id: ShortId) -> Member | None:
    """The membership of a user in an organisation."""
    return next(iter(await database.fetch(MEMBER, organization_id=organization_id, user_id=user_id)), None)


async def lock_member(transaction: Transaction, organization_id: ShortId, user_id: ShortId) -> Member | None:
    """A member, whose membership is locked until the transaction ends."""
    found = await transaction.fetch(MEMBER, lock=memberships, organization_id=organization_id, user_id=user_id)
    return next(iter(found), None)


async def add_membership(
    transaction: Transaction, user_id: ShortId, organization_id: ShortId, role: Role, at: datetime
) -> bool:
    """Makes the user a member; False for one who is, with whichever role."""
    values = {"user_id": user_id, "organization_id": organization_id, "role": role, "created_at": at}
    return await transaction.insert(memberships, values, unless=("user_id", "organization_id"))


async def set_membership(
    transaction: Transaction, user_id: ShortId, organization_id: ShortId, role: Role, at: datetime
) -> None:
    """Makes the user a member, or changes the role of one."""
    if not await add_membership(transaction, user_id, organization_id, role, at):
        await transaction.execute(update(memberships).where(*_of(user_id, organization_id)).values(role=role))


async def remove_membership(transaction: Transaction, user_id: ShortId, organization_id: ShortId) -> bool:
    """Ends a membership; False when there was none."""
    return await transaction.execute(delete(memberships).where(*_of(user_id, organization_id))) == 1


def _of(user_id: ShortId, organization_id: ShortId) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return memberships.c.user_id == user_id, memberships.c.organization_id == organization_id
