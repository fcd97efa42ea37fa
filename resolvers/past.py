"""What became of products and of what they have: the log of changes, as each caller may see it."""

from datetime import datetime
from typing import Any

import msgspec

from db import past
from domain.access import require_private
from domain.errors import NotFound
from domain.gtin import Gtin
from domain.history import ListHistory, PastChange, Subject
from domain.paging import Page, Window
from domain.records import CertificationAssignment, CertifiedProduct, ClaimAssignment, Product
from domain.short_id import ShortId
from domain.text import folded
from domain.vocabulary import ObjectKind
from resolvers import certifications, claims
from resolvers.definitions import Kind
from resolvers.operation import Context, read_operation
from resolvers.products import existing_product

Told = Product | CertificationAssignment | ClaimAssignment


def subject(of: Told, *, whole: bool = False) -> Subject:
    """The history of that; `whole`: of a product with all that it holds and claims, and did."""
    return Subject(of.gtin, None if whole else of.id)


@read_operation
async def page(context: Context, of: Subject, window: Window) -> Page[PastChange]:
    """Some of the changes, the latest first; a publishable key sees none."""
    if not context.caller.sees_private:
        return Page([], more=False)
    found = await past.page(context.database, of, await _hidden(context, of), window)
    return Page([_shown(context, change) for change in found.items], found.more)


@read_operation
async def count(context: Context, of: Subject) -> int:
    """How many changes there are."""
    if not context.caller.sees_private:
        return 0
    await context.pay_for_scan()
    return await past.count(context.database, of, await _hidden(context, of))


@read_operation
async def list_history(context: Context, command: ListHistory) -> list[PastChange]:
    """The changes of a product. Raises `NotFound`."""
    product = await existing_product(context, command.gtin)
    position: tuple[datetime, int] | None = None
    if command.below is not None:
        at = await past.moment(context.database, product.gtin, command.below)
        if at is None:
            raise NotFound(
                f"The product {product.gtin} has no change {command.below}; take below from an earlier answer."
            )
        position = (at, command.below)
    found = await page(context, subject(product, whole=command.whole), Window(command.limit, False, position))
    return [*found.items]


async def _hidden(context: Context, of: Subject) -> list[ShortId]:
    """The certifications that do not exist for the caller; of one thing, which is seen, none is asked for."""
    if of.object_id is not None:
        return []
    return await certifications.KIND.stored.hidden(context.database, context.caller.organization_ids)


def _shown(context: Context, change: PastChange) -> PastChange:
    """The change without what its owner keeps to itself."""
    if change.organization_id in context.caller.organization_ids:
        return change
    changes: list[Any] = [each for each in change.changes if each.path[0] != "metadata"]
    return msgspec.structs.replace(change, face=None, actor=None, request_id=None, changes=changes)


_HELD: dict[ObjectKind, Kind[Any, Any]] = {
    ObjectKind.CERTIFICATION_ASSIGNMENT: certifications.KIND,
    ObjectKind.CLAIM_ASSIGNMENT: claims.KIND,
}


@read_operation
async def known(context: Context, gtin: Gtin, at: datetime) -> CertifiedProduct:
    """A product as it was known then, with definitions as they are now. Raises `NotFound`, or `Forbidden`."""
    require_private(context.caller, "history")
    product: Product | None = None
    held: dict[ObjectKind, list[Any]] = {kind: [] for kind in _HELD}
    own = context.caller.organization_ids
    for kind, row, owner in await past.known(
        context.database, gtin, min(at, context.now), [ObjectKind.PRODUCT, *_HELD]
    ):
        # Others' notes are theirs.
        others: dict[str, Any] = {} if owner in own else {"metadata": {}}
        if kind is ObjectKind.PRODUCT:
            product = past.record_of(kind, row, **others)
            continue
        named = _HELD[kind]
        definition = await named.stored.find(context.database, row[f"{named.noun}_id"], own)
        if definition is not None:
            others |= {"organization_id": owner, named.noun: definition}
            held[kind].append(past.record_of(kind, row, **others))
    if product is None:
        raise NotFound(f"No product with the GTIN {gtin} was known then; ask for a later moment.")
    return CertifiedProduct(product, *(_by_label(_HELD[kind], each) for kind, each in held.items()))


def _by_label(kind: Kind[Any, Any], held: list[Any]) -> list[Any]:
    return sorted(held, key=lambda each: _place(kind.stored.definition(each)))


def _place(definition: Any) -> tuple[str, ShortId]:
    return folded(definition.label), definition.id
