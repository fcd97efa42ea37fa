"""Products.

Reads that show them take the organisations of whoever asks: the metadata of others' products are empty.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, update

from db.engine.database import Database, Transaction
from db.lists import Listed
from db.sql.reads import KeyedRead, Read
from db.sql.tables import products
from db.sql.types import pattern
from domain.commands import ListTradeItems
from domain.gtin import Gtin
from domain.records import Product
from domain.short_id import ShortId
from domain.text import fold, search_text

COLUMNS = tuple(products.c[name] for name in Product.__struct_fields__)

_ORDERS = {
    "product_name": products.c.search_text,
    "brand": products.c.folded_brand,
    "created": products.c.created_at,
    # No score is recorded, so all are equal and the GTIN decides.
    "confidence_score": products.c.gtin,
}

BY_GTIN = KeyedRead(select(*COLUMNS), products.c.gtin, Product)
LISTED = Listed(products, select(*COLUMNS), Product, ("gtin",))
BY_ID = KeyedRead(select(*COLUMNS), products.c.id, Product)
_CHANGE = update(products).where(products.c.gtin == bindparam("of"))


async def find(
    database: Database, gtin: Gtin, organization_ids: Sequence[ShortId], wanted: frozenset[str] | None = None
) -> Product | None:
    """The product of that GTIN; of its members those that are `wanted`."""
    return next(iter(await database.fetch(BY_GTIN.narrowed(wanted), None, organization_ids, keys=[gtin])), None)


async def find_many(
    database: Database, gtins: list[Gtin], organization_ids: Sequence[ShortId], wanted: frozenset[str] | None = None
) -> list[Product]:
    """The products of those GTINs that exist, in any order, in one statement; of their members the `wanted` ones."""
    # By their GTINs they are told apart.
    names = None if wanted is None else wanted | {"gtin"}
    return await database.fetch(BY_GTIN.narrowed(names), None, organization_ids, keys=gtins)


async def of_ids(database: Database, ids: Sequence[ShortId], organization_ids: Sequence[ShortId]) -> list[Product]:
    """The products with these ids, in no order."""
    return await database.fetch(BY_ID, None, organization_ids, keys=ids)


class Listing(NamedTuple):
    """A numbered page of products and how many there are in all."""

    products: list[Product]
    total: int


async def listing(
    database: Database,
    command: ListTradeItems,
    organization_ids: Sequence[ShortId],
    organization_id: ShortId | None = None,
) -> Listing:
    """A numbered page of the products that pass the filters, of one organisation or of all."""
    if command.category_id is not None or command.is_claimed is False:
        # No categories are recorded, and every product has an owner.
        return Listing([], 0)
    values = {
        "organization_id": organization_id,
        "pattern": None if command.q is None else pattern(fold(command.q)),
        "folded_brand": None if command.brand is None else fold(command.brand),
        "country_of_origin": command.country_of_origin,
        "data_source": command.data_source,
    }
    given = {name: value for name, value in values.items() if value is not None}
    rows, count = _listing(frozenset(given), command.ordering)
    total = (await database.fetch(count, **given))[0]
    if not total:
        return Listing([], 0)
    page = await database.fetch(rows, None, organization_ids, **given, limit=command.page_size, offset=command.offset)
    return Listing(page, total)


@lru_cache(maxsize=256)
def _listing(filters: frozenset[str], ordering: str) -> tuple[Read[Product], Read[int]]:
    """The statements for one combination of filters and one order; ties are ordered by GTIN."""
    conditions = [
        products.c.search_text.like(bindparam("pattern"), escape="\\")
        if name == "pattern"
        else products.c[name] == bindparam(name)
        for name in sorted(filters)
    ]
    column = _ORDERS[ordering.removeprefix("-")]
    rows = (
        select(*COLUMNS)
        .where(*conditions)
        .order_by(column.desc() if ordering.startswith("-") else column, products.c.gtin)
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
    count = select(func.count()).select_from(products).where(*conditions)
    return Read(rows, Product, scans=True), Read(count, lambda row: int(row[0]), scans=True)


async def lock(transaction: Transaction, gtin: Gtin, organization_ids: Sequence[ShortId]) -> Product | None:
    """One product, locked until the transaction ends."""
    found = await transaction.fetch(BY_GTIN.one, None, organization_ids, lock=products, key=gtin)
    return next(iter(found), None)


def searched(name: str, brand: str, gtin: str) -> dict[str, str]:
    """The columns that products are found and ordered by, whatever the case; stored with each change."""
    return {"search_text": search_text(name, brand, gtin), "folded_brand": fold(brand)}


async def add(transaction: Transaction, product: Product) -> bool:
    """Stores a new product. False when one of that GTIN exists already."""
    values = {column.name: getattr(product, column.name) for column in COLUMNS}
    values |= searched(product.name, product.brand, product.gtin)
    return await transaction.insert(products, values, unless=("gtin",))


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


_OWNED = BY_GTIN.one.narrowed(frozenset({"gtin", "organization_id"}))


async def owned(transaction: Transaction, gtin: Gtin) -> Product | None:
    """The product of that GTIN as the transaction sees it; of its members only that and its owner."""
    return next(iter(await transaction.fetch(_OWNED, key=gtin)), None)
