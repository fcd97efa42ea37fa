"""Which organisations show anybody what their products hold."""

from sqlalchemy import bindparam, delete, select

from db import organizations
from db.engine.database import Database, Transaction
from db.sql.reads import Read
from db.sql.tables import columns_of, products, public_proofs
from db.sql.tables import organizations as organizations_table
from domain.gtin import Gtin
from domain.public_proof import PublicProof
from domain.records import Organization
from domain.short_id import ShortId

ONE = Read(
    select(*columns_of(public_proofs, PublicProof)).where(public_proofs.c.organization_id == bindparam("of")),
    PublicProof,
)
OWNER = Read(
    select(*organizations.COLUMNS)
    .select_from(products)
    .join(public_proofs, public_proofs.c.organization_id == products.c.organization_id)
    .join(organizations_table, organizations_table.c.id == products.c.organization_id)
    .where(products.c.gtin == bindparam("gtin"), products.c.archived_at.is_(None), public_proofs.c.is_enabled),
    lambda row: Organization(*row),
)
_REMOVE = delete(public_proofs).where(public_proofs.c.organization_id == bindparam("of"))


async def find(source: Database | Transaction, organization_id: ShortId) -> PublicProof | None:
    """Whether an organisation does, if it has ever said so."""
    return next(iter(await source.fetch(ONE, of=organization_id)), None)


async def put(transaction: Transaction, proof: PublicProof) -> None:
    """Stores whether it does, in the place of what it said before."""
    await transaction.execute(_REMOVE, {"of": proof.organization_id})
    await transaction.insert(public_proofs, {"organization_id": proof.organization_id, "is_enabled": proof.is_enabled})


async def owner_of(database: Database, gtin: Gtin) -> Organization | None:
    """The owner of a product that anybody is shown; by one statement None, whether there is none or nobody is."""
    return next(iter(await database.fetch(OWNER, gtin=gtin)), None)
