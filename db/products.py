"""Products.

Reads that show them take the organisations of whoever asks: the metadata of others' products are empty.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update

from db.engine.database import Database, Transaction
from db.lists import Listed
from db.sql.reads import KeyedRead, Read
from db.sql.tables import ASSIGNED, columns_of, products
from db.sql.types import among
from domain.gtin import Gtin
from domain.records import Product
from domain.short_id import ShortId
from domain.text import fold, search_text

COLUMNS = columns_of(products, Product)

BY_GTIN = KeyedRead(select(*COLUMNS), products.c.gtin, Product)
LISTED = Listed(products, select(*COLUMNS), Product, ("gtin",))
BY_ID = KeyedRead(select(*COLUMNS), products.c.id, Product)
_CHANGE = update(products).where(products.c.gtin == bindparam("of"))


async def find(database: Database, gtin: Gtin, organization_ids: Sequence[ShortId]) -> Product | None:
    """The product of that GTIN."""
    return next(iter(await database.fetch(BY_GTIN, None, organization_ids, keys=[gtin])), None)


async def find_many(
    database: Database | Transaction, gtins: list[Gtin], organization_ids: Sequence[ShortId]
) -> list[Product]:
    """The products of those GTINs that exist, in any order, in one statement."""
    return await database.fetch(BY_GTIN, None, organization_ids, keys=gtins)


async def of_ids(database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]) -> list[Product]:
    """The products with these ids, in no order."""
    return await database.fetch(BY_ID, None, organization_ids, keys=ids)


async def lock(transaction: Transaction, gtin: Gtin, organization_ids: Sequence[ShortId]) -> Product | None:
    """One product, locked until the transaction ends."""
    found = await transaction.fetch(BY_GTIN.one, None, organization_ids, lock=products, key=gtin)
    return next(iter(found), None)


async def lock_many(transaction: Transaction, gtins: list[Gtin], organization_ids: Sequence[ShortId]) -> list[Product]:
    """The products of those GTINs that exist, locked until the transaction ends."""
    return await transaction.fetch(BY_GTIN, None, organization_ids, lock=products, keys=gtins)


def searched(name: str, brand: str, gtin: str) -> dict[str, str]:
    """The columns that products are found and ordered by, whatever the case; stored with each change."""
    return {"search_text": search_text(name, brand, gtin), "folded_brand": fold(brand)}


async def add(transaction: Transaction, product: Product) -> bool:
    """Stores a new product. False when one of that GTIN exists already."""
    return await transaction.insert(products, row(product), unless=("gtin",))


async def add_many(transaction: Transaction, made: Sequence[dict[str, Any]]) -> bool:
    """Stores rows of new products. False when somebody was quicker with one: what is stored is of no use then."""
    return await transaction.insert_new(products, made)


def foreseen(database: Database, made: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows for `add_many`, made before the transaction."""
    return database.foreseen(products, made)


async def ids_among(transaction: Transaction, ids: Sequence[ShortId]) -> set[ShortId]:
    """Those of the ids that products have."""
    return {found.id for found in await transaction.fetch(BY_ID.narrowed(frozenset({"id"})), keys=ids)}


def row(product: Product) -> dict[str, Any]:
    """The columns of a product, as they are stored."""
    return msgspec.structs.asdict(product) | searched(product.name, product.brand, product.gtin)


async def change(transaction: Transaction, product: Product, changes: dict[str, Any], at: datetime) -> None:
    """Stores the changed members of a locked product and counts its version up."""
    name, brand = changes.get("name", product.name), changes.get("brand", product.brand)
    await transaction.execute(
        _CHANGE,
        {
            "of": product.gtin,
            **changes,
            **searched(name, brand, product.gtin),
            "updated_at": at,
            "version": product.version + 1,
        },
    )


async def archive(transaction: Transaction, product: Product, changes: dict[str, Any], at: datetime) -> None:
    """Stores a locked product's `archived_at`, with the mark of it on what the product has."""
    await change(transaction, product, changes, at)
    await mark(transaction, [product.gtin])


async def mark(transaction: Transaction, gtins: Sequence[Gtin]) -> None:
    """Marks what locked products have as archived, or not, as they are."""
    for statement in _MARKS:
        await transaction.execute(statement, {"keys": gtins})


_MARKS = [
    update(table)
    .where(among(table.c.gtin, "keys"))
    .values(archived_at=select(products.c.archived_at).where(products.c.gtin == table.c.gtin).scalar_subquery())
    for table in ASSIGNED.values()
]
# Nobody archives it before what is written about it is there.
_OWNED = Read(
    select(*COLUMNS).where(products.c.gtin == bindparam("key")).with_for_update(read=True, key_share=True), Product
).narrowed(frozenset({"gtin", "organization_id", "archived_at"}))


async def owned(transaction: Transaction, gtin: Gtin) -> Product | None:
    """The product of that GTIN, which nobody archives meanwhile; its GTIN, its owner and `archived_at` alone."""
    return next(iter(await transaction.fetch(_OWNED, key=gtin)), None)
