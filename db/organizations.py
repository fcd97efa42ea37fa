"""Organisations."""

from sqlalchemy import bindparam, select

from db.database import Database, Transaction
from db.reads import Read
from db.tables import organizations
from domain.records import Organization

COLUMNS = (organizations.c.id, organizations.c.slug, organizations.c.name)

BY_ID = Read(select(*COLUMNS).where(organizations.c.id == bindparam("id")), lambda row: Organization(*row))
BY_SLUG = Read(select(*COLUMNS).where(organizations.c.slug == bindparam("slug")), lambda row: Organization(*row))


async def find_by_slug(source: Database | Transaction, slug: str) -> Organization | None:
    """The organisation of that slug."""
    return next(iter(await source.fetch(BY_SLUG, slug=slug)), None)


async def find(source: Database | Transaction, id: str) -> Organization | None:
    """The organisation of that id."""
    return next(iter(await source.fetch(BY_ID, id=id)), None)
