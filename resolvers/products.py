"""Products."""

from collections.abc import Sequence

from db import lists, products
from db.engine.database import Transaction
from domain.access import owner_of_new, require_ownership
from domain.changes import Change
from domain.commands import (
    ArchiveProduct,
    CreateProduct,
    ListProducts,
    ListTradeItems,
    NumberedPage,
    OfProduct,
    PatchProduct,
    RestoreProduct,
)
from domain.errors import AlreadyExists, Archived, Forbidden, NotFound
from domain.filters import EVERYTHING, Where, asks_for
from domain.gtin import Gtin
from domain.listing import Numbered, conditions
from domain.paging import Order, Page, Window
from domain.records import Product
from domain.vocabulary import DataSource
from resolvers import narrowing
from resolvers.operation import Context, read_operation, write_operation
from resolvers.patching import made, patched
from resolvers.reading import Source

ASSIGNED = ("certifications", "claims")
"""What is assigned to products, as their filters call it."""

BY_GTIN = Source(products.BY_GTIN)


def missing(gtin: Gtin) -> NotFound:
    """The refusal when no product has that GTIN."""
    return NotFound(f"No product has the GTIN {gtin}; check the number, or create the product first.")


@read_operation
async def product(context: Context, gtin: Gtin) -> Product | None:
    """The product of that GTIN, None when there is none."""
    return await products.find(context.database, gtin, context.caller.organization_ids)


@read_operation
async def existing_product(context: Context, gtin: Gtin) -> Product:
    """The product of that GTIN. Raises `NotFound`."""
    found = await products.find(context.database, gtin, context.caller.organization_ids)
    if found is None:
        if context.is_past:
            raise NotFound(f"No product with the GTIN {gtin} was known then; ask for a later moment.")
        raise missing(gtin)
    return found


@read_operation
async def page_of_products(context: Context, where: Where, order: Order, window: Window) -> Page[Product]:
    """Some of the products that pass the filter. Raises `Forbidden`."""
    if context.is_past or (
        where != EVERYTHING
        and (asks_for(where, "search_text", "contains") or any(asks_for(where, each, "some") for each in ASSIGNED))
    ):
        await context.pay_for_scan()
    asked = await narrowing.of_products(context, where)
    return await lists.page(context.database, products.LISTED, context.caller.organization_ids, asked, order, window)


@read_operation
async def count_products(context: Context, where: Where) -> int:
    """How many products pass the filter. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_products(context, where)
    return await lists.count(context.database, products.LISTED, asked)


@read_operation
async def counts_of_products(context: Context, wheres: Sequence[Where]) -> list[int]:
    """How many products pass each of the filters, by one look at what they have in common. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = [await narrowing.of_products(context, where) for where in wheres]
    return await lists.counted_together(context.database, products.LISTED, asked)


@read_operation
async def products_of_gtins(context: Context, gtins: list[Gtin]) -> list[Product | None]:
    """The product of each GTIN, in one statement."""
    found = await products.find_many(context.database, gtins, context.caller.organization_ids)
    by_gtin = {item.gtin: item for item in found}
    return [by_gtin.get(gtin) for gtin in gtins]


@read_operation
async def list_products(context: Context, command: ListProducts) -> Numbered[Product]:
    """A numbered page of what the caller's organisation owns. Raises `Forbidden` for another organisation."""
    if context.caller.role_in(command.organization_id) is None:
        raise Forbidden(
            f"Only members of the organisation {command.organization_id} may list what it owns;"
            " everybody's products are in trade-items."
        )
    if context.is_past:
        await context.pay_for_scan()
    return await _numbered(context, command, "product_name")


@read_operation
async def list_trade_items(context: Context, command: ListTradeItems) -> Numbered[Product]:
    """A numbered page of the products of everybody."""
    if command.q is not None or context.is_past:
        await context.pay_for_scan()
    return await _numbered(context, command, command.ordering)


_ORDERS = {
    "product_name": "search_text",
    "brand": "folded_brand",
    "created": "created_at",
    # No score is recorded, so all are equal and the GTIN decides.
    "confidence_score": "gtin",
}


async def _numbered(context: Context, command: NumberedPage, ordering: str) -> Numbered[Product]:
    where, by = conditions(command), _ORDERS[ordering.removeprefix("-")]
    owners, descending = context.caller.organization_ids, ordering.startswith("-")
    return await lists.numbered(context.database, products.LISTED, owners, where, command, by, descending)


@write_operation
async def create_product(context: Context, transaction: Transaction, command: CreateProduct) -> Change[None, Product]:
    """Makes a product of the caller's organisation. Raises `Forbidden`, `InvalidInput` or `AlreadyExists`."""
    product = new_product(context, command, DataSource.CLAIMED)
    if not await products.add(transaction, product):
        stored = await products.owned(transaction, product.gtin)
        raise already_there(product.gtin, is_archived=stored is not None and stored.archived_at is not None)
    return Change(None, product)


def new_product(context: Context, command: CreateProduct, source: DataSource) -> Product:
    """The product that a command asks for. Raises `Forbidden` or `InvalidInput`."""
    owner = owner_of_new(context.caller, command.organization_id)
    own = {"gtin": command.gtin, "organization_id": owner, "data_source": source, "archived_at": None}
    return made(Product, context.now, command.members() | own)


def already_there(gtin: Gtin, *, is_archived: bool = False) -> AlreadyExists:
    """The refusal when a product has that GTIN already."""
    if is_archived:
        return AlreadyExists(f"A product has the GTIN {gtin} already, and is archived; restore that one instead.")
    return AlreadyExists(f"A product has the GTIN {gtin} already; change that one instead.")


def require_live(product: Product) -> None:
    """Raises `Archived` for a product that is archived."""
    if product.archived_at is not None:
        raise Archived(f"The product {product.gtin} is archived, so nothing of it can be changed; restore it first.")


@write_operation
async def patch_product(context: Context, transaction: Transaction, command: PatchProduct) -> Change[Product, Product]:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden`, `Archived` or `InvalidInput`.

    A patch that changes nothing leaves the version as it is.
    """
    members = command.members()
    stored = await _locked(context, transaction, command)
    require_live(stored)
    return await patched(transaction, stored, members, products.change, context.now)


@write_operation
async def archive_product(
    context: Context, transaction: Transaction, command: ArchiveProduct
) -> Change[Product, Product]:
    """Takes a product out of all lists, with what it has. Raises `NotFound` or `Forbidden`.

    What is archived already stays as it is.
    """
    stored = await _locked(context, transaction, command)
    members = {"archived_at": stored.archived_at or context.now}
    return await patched(transaction, stored, members, products.archive, context.now)


@write_operation
async def restore_product(
    context: Context, transaction: Transaction, command: RestoreProduct
) -> Change[Product, Product]:
    """Brings an archived product back, with what it has; others stay as they are. Raises `NotFound` or `Forbidden`."""
    stored = await _locked(context, transaction, command)
    return await patched(transaction, stored, {"archived_at": None}, products.archive, context.now)


async def _locked(context: Context, transaction: Transaction, command: PatchProduct | OfProduct) -> Product:
    stored = await products.lock(transaction, command.gtin, context.caller.organization_ids)
    if stored is None:
        raise missing(command.gtin)
    require_ownership(context.caller, stored)
    context.confirm(stored)
    return stored


async def owned_product(context: Context, transaction: Transaction, gtin: Gtin) -> Product:
    """The product whose assignments a write is about, of its members its GTIN and its owner.

    Raises `NotFound`, `Forbidden` when another organisation owns it, and `Archived`.
    """
    found = await products.owned(transaction, gtin)
    if found is None:
        raise missing(gtin)
    require_ownership(context.caller, found)
    require_live(found)
    return found
