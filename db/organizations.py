"""Organisations."""

from datetime import datetime

from sqlalchemy import bindparam, select, update

from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import organizations
from domain.records import Organization

COLUMNS = (organizations.c.id, organizations.c.slug, organizations.c.name)

BY_ID = Read(select(*COLUMNS).where(organizations.c.id == bindparam("id")), lambda row: Organization(*row))
BY_SLUG = Read(select(*COLUMNS).where(organizations.c.slug == bindparam("slug")), lambda row: Organization(*row))
EVERY = Read(
    select(*COLUMNS, organizations.c.created_at).order_by(organizations.c.slug),
    lambda row: (Organization(*row[:3]), row[3]),
)


async def find_by_slug(source: Database | Transaction, slug: str) -> Organization | None:
    """The organisation of that slug."""
    return next(iter(await source.fetch(BY_SLUG, slug=slug)), None)


async def find(source: Database | Transaction, id: str) -> Organization | None:
    """The organisation of that id."""
    return next(iter(await source.fetch(BY_ID, id=id)), None)


async def add(transaction: Transaction, organization: Organization, at: datetime) -> bool:
    """Stores an organisation; False when the slug is taken."""
    values = {"id": organization.id, "slug": organization.slug, "name": organization.name, "created_at": at}
    return await transaction.insert(organizations, values, unless=("slug",))


async def rename(transaction: Transaction, slug: str, name: str) -> bool:
    """Gives the organisation of that slug another name; False when there is none."""
    return await transaction.execute(update(organizations).where(organizations.c.slug == slug).values(name=name)) == 1
