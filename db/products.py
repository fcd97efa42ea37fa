"""Products."""

import unicodedata

from sqlalchemy import bindparam, select

from db.database import Database, Transaction
from db.reads import Read, Row
from db.tables import products
from db.types import among
from domain.gtin import Gtin
from domain.records import Product

COLUMNS = (
    products.c.gtin,
    products.c.id,
    products.c.organization_id,
    products.c.name,
    products.c.brand,
    products.c.description,
    products.c.country_of_origin,
    products.c.net_content,
    products.c.data_source,
    products.c.metadata,
    products.c.created_at,
    products.c.updated_at,
    products.c.version,
)


def _product(row: Row) -> Product:
    return Product(*row)


_page = select(*COLUMNS).where(products.c.gtin > bindparam("after")).order_by(products.c.gtin).limit(bindparam("limit"))

BY_GTINS = Read(select(*COLUMNS).where(among(products.c.gtin, "gtins")), _product)
PAGE = Read(_page, _product)
SEARCH = Read(_page.where(products.c.search_text.like(bindparam("pattern"), escape="\\")), _product, scans=True)


def fold(text: str) -> str:
    """Text as the search compares it: compatibility forms and case folded away."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def search_text(name: str, brand: str, gtin: str) -> str:
    """What the search looks through for one product."""
    return fold(f"{name}\n{brand}\n{gtin}")


async def find(database: Database, gtin: Gtin) -> Product | None:
    """The product of that GTIN."""
    return next(iter(await database.fetch(BY_GTINS, gtins=[gtin])), None)


async def find_many(database: Database, gtins: list[Gtin]) -> list[Product]:
    """The products of those GTINs that exist, in any order, in one statement."""
    return await database.fetch(BY_GTINS, gtins=gtins)


async def in_transaction(transaction: Transaction, gtin: Gtin) -> Product | None:
    """The product of that GTIN as the transaction sees it."""
    return next(iter(await transaction.fetch(BY_GTINS, gtins=[gtin])), None)


async def page(database: Database, *, after: str, limit: int, search: str) -> list[Product]:
    """At most `limit` products behind the GTIN `after`, in GTIN order; `search` is a part of name, brand or GTIN."""
    if not search:
        return await database.fetch(PAGE, after=after, limit=limit)
    escaped = fold(search).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return await database.fetch(SEARCH, after=after, limit=limit, pattern=f"%{escaped}%")
