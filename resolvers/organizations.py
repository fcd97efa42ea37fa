"""Organisations, as the operator makes them at the machine; like keys and members they are no operations."""

from datetime import UTC, datetime

import msgspec

from db import accounts, history, keys, organizations
from db.engine.database import Database, Transaction
from domain.account import User
from domain.changes import Change
from domain.errors import AlreadyExists, NotFound
from domain.history import OPERATOR
from domain.records import Organization
from domain.short_id import catalogue_id


async def create(database: Database, slug: str, name: str, now: datetime | None = None) -> Organization:
    """Makes an organisation. Raises `AlreadyExists`; of two at once one wins."""
    now = now or datetime.now(UTC)
    # The same in every installation, so that what is exported from one goes into another without a change.
    made = Organization(catalogue_id("organization", slug), slug, name)
    async with database.write() as transaction:
        if not await organizations.add(transaction, made, now):
            raise AlreadyExists(f"An organisation has the slug {slug!r} already; choose another, or use that one.")
        await history.tell(transaction, Change(None, made), now, "createOrganization", OPERATOR)
    return made


async def every(database: Database) -> list[tuple[Organization, datetime]]:
    """Every organisation with the moment in which it was made, by slug."""
    return await database.fetch(organizations.EVERY)


async def rename(database: Database, slug: str, name: str) -> None:
    """Gives the organisation another name, in all processes. Raises `NotFound`."""
    async with database.write() as transaction:
        before = await existing(transaction, slug)
        await organizations.rename(transaction, slug, name)
        change = Change(before, msgspec.structs.replace(before, name=name))
        await history.tell(transaction, change, datetime.now(UTC), "renameOrganization", OPERATOR)
        await keys.announce(transaction)  # a caller's credential has the name with it


async def existing(source: Database | Transaction, slug: str) -> Organization:
    """The organisation of that slug. Raises `NotFound`."""
    found = await organizations.find_by_slug(source, slug)
    if found is None:
        raise _unknown(slug)
    return found


async def existing_member(transaction: Transaction, organization: Organization, email: str) -> User:
    """The member of that address. Raises `NotFound`."""
    user = await accounts.find_user_by_email(transaction, email.lower())
    held = await accounts.memberships_of(transaction, user.id) if user else []
    if user is None or organization not in [membership.organization for membership in held]:
        raise NotFound(
            f"{email} is no member of the organisation {organization.slug};"
            f" `members list --organization {organization.slug}` shows who is, and `members set` makes one."
        )
    return user


def _unknown(slug: str) -> NotFound:
    return NotFound(
        f"No organisation has the slug {slug!r}; `organizations list` shows them, `organizations create` makes one."
    )
