"""Products."""

from typing import NamedTuple

from db import products
from db.database import Transaction
from domain.access import require_ownership
from domain.errors import InvalidInput, NotFound, Violation
from domain.gtin import Gtin
from domain.records import Product
from resolvers.operation import Context, read_operation

MAX_PAGE = 100


class Page(NamedTuple):
    """Some products in GTIN order, and whether more follow."""

    products: list[Product]
    has_next: bool


def missing(gtin: Gtin) -> NotFound:
    """The refusal when no product has that GTIN."""
    return NotFound(f"No product has the GTIN {gtin}; check the number, or create the product first.")


@read_operation
async def product(context: Context, gtin: Gtin) -> Product | None:
    """The product of that GTIN, None when there is none."""
    return await products.find(context.database, gtin)


@read_operation
async def existing_product(context: Context, gtin: Gtin) -> Product:
    """The product of that GTIN. Raises `NotFound`."""
    found = await products.find(context.database, gtin)
    if found is None:
        raise missing(gtin)
    return found


@read_operation
async def page_of_products(context: Context, first: int, after: str = "", search: str = "") -> Page:
    """The next `first` products behind the GTIN `after`; `search` is a part of name, brand or GTIN.

    Raises `InvalidInput` when `first` is not between 1 and 100.
    """
    if not 1 <= first <= MAX_PAGE:
        message = f"Input should be between 1 and {MAX_PAGE}"
        raise InvalidInput([Violation(("first",), message, "out_of_range")])
    found = await products.page(context.database, after=after, limit=first + 1, search=search)
    return Page(found[:first], len(found) > first)


@read_operation
async def products_of_gtins(context: Context, gtins: list[Gtin]) -> list[Product | None]:
    """The product of each GTIN, in one statement."""
    found = {item.gtin: item for item in await products.find_many(context.database, gtins)}
    return [found.get(gtin) for gtin in gtins]


async def owned_product(context: Context, transaction: Transaction, gtin: Gtin) -> Product:
    """The product that a write is about. Raises `NotFound`, or `Forbidden` when another organisation owns it."""
    found = await products.in_transaction(transaction, gtin)
    if found is None:
        raise missing(gtin)
    require_ownership(context.caller, found)
    return found
