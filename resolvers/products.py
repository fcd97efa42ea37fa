"""Products."""

from typing import NamedTuple

from db import products
from db.database import Transaction
from domain.access import owner_of_new, require_ownership
from domain.changes import Change
from domain.commands import CreateProduct, ListProducts, ListTradeItems, PatchProduct
from domain.errors import AlreadyExists, Forbidden, InvalidInput, NotFound, Violation
from domain.gtin import Gtin
from domain.listing import Numbered
from domain.metadata import merge
from domain.records import Product
from domain.short_id import new_short_id
from domain.validation import parse_filter
from domain.vocabulary import DataSource
from resolvers.operation import Context, read_operation, write_operation
from resolvers.patching import patched

MAX_PAGE = 100


class Page(NamedTuple):
    """Some products in GTIN order, and whether more follow."""

    products: list[Product]
    has_next: bool


def check_page_size(first: int) -> int:
    """The number as it is. Raises `InvalidInput` when it is not between 1 and 100."""
    if not 1 <= first <= MAX_PAGE:
        message = f"Input should be between 1 and {MAX_PAGE}"
        raise InvalidInput([Violation(("first",), message, "out_of_range")])
    return first


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

    Raises `InvalidInput` when `first` is not between 1 and 100, or the text too long to be part of anything.
    """
    check_page_size(first)
    found = await products.page(context.database, after=after, limit=first + 1, search=parse_filter(search, "search"))
    return Page(found[:first], len(found) > first)


@read_operation
async def products_of_gtins(context: Context, gtins: list[Gtin]) -> list[Product | None]:
    """The product of each GTIN, in one statement."""
    found = {item.gtin: item for item in await products.find_many(context.database, gtins)}
    return [found.get(gtin) for gtin in gtins]


@read_operation
async def list_products(context: Context, command: ListProducts) -> Numbered[Product]:
    """A numbered page of what the caller's organisation owns. Raises `Forbidden` for another organisation."""
    if context.caller.role_in(command.organization_id) is None:
        raise Forbidden(
            f"Only members of the organisation {command.organization_id} may list what it owns;"
            " everybody's products are in trade-items."
        )
    everything = ListTradeItems(page=command.page, page_size=command.page_size)
    found = await products.listing(context.database, everything, command.organization_id)
    return Numbered(found.products, found.total)


@read_operation
async def list_trade_items(context: Context, command: ListTradeItems) -> Numbered[Product]:
    """A numbered page of the products of everybody."""
    found = await products.listing(context.database, command)
    return Numbered(found.products, found.total)


@write_operation
async def create_product(context: Context, transaction: Transaction, command: CreateProduct) -> Change[None, Product]:
    """Makes a product of the caller's organisation. Raises `Forbidden`, `InvalidInput` or `AlreadyExists`."""
    owner = owner_of_new(context.caller, command.organization_id)
    product = Product(
        gtin=command.gtin,
        id=new_short_id(context.now),
        organization_id=owner,
        name=command.product_name or "",
        brand=command.brand or "",
        description=command.description or "",
        country_of_origin=command.country_of_origin or "",
        net_content=command.net_content or "",
        ingredients=command.ingredients or "",
        manufacturer=command.manufacturer or "",
        image_url=command.image_url or "",
        data_source=DataSource.CLAIMED,
        metadata=merge({}, command.metadata),
        created_at=context.now,
        updated_at=context.now,
        version=1,
    )
    if not await products.add(transaction, product):
        raise AlreadyExists(f"A product has the GTIN {product.gtin} already; change that one instead.")
    return Change(None, product)


@write_operation
async def patch_product(context: Context, transaction: Transaction, command: PatchProduct) -> Change[Product, Product]:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden` or `InvalidInput`.

    A patch that changes nothing leaves the version as it is.
    """
    members = command.members()
    if "product_name" in members:
        members["name"] = members.pop("product_name")
    stored = await products.lock(transaction, command.gtin)
    if stored is None:
        raise missing(command.gtin)
    require_ownership(context.caller, stored)
    context.confirm(stored)
    return await patched(transaction, stored, members, products.change, context.now)


async def owned_product(context: Context, transaction: Transaction, gtin: Gtin) -> Product:
    """The product that a write is about. Raises `NotFound`, or `Forbidden` when another organisation owns it."""
    found = await products.in_transaction(transaction, gtin)
    if found is None:
        raise missing(gtin)
    require_ownership(context.caller, found)
    return found
