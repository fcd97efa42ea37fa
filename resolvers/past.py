"""What became of products and of what they have: the log of changes, as each caller may see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from db import apart, past
from domain.access import require_management
from domain.errors import NotFound
from domain.history import ListHistory, ListOrganizationHistory, PastChange, Subject
from domain.paging import Page, Window
from domain.records import Certification, CertificationAssignment, Claim, ClaimAssignment, Product
from domain.short_id import ShortId
from domain.vocabulary import ObjectKind
from resolvers import certifications, claims
from resolvers.operation import Context, read_operation
from resolvers.products import existing_product

_READ_HISTORY = "The history of an organisation is read"

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
    return Page([_shown(context, change) for change in await called(context, found.items)], found.more)


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


@read_operation
async def page_of_organization(
    context: Context, organization_id: ShortId, kind: ObjectKind | None, window: Window
) -> Page[PastChange]:
    """Some of the changes of what an organisation has besides products, and of definitions, the latest first.

    Raises `NotFound`, or `Forbidden` for who is no manager.
    """
    require_management(context.caller, organization_id, _READ_HISTORY)
    found = await apart.page(context.database, organization_id, kind, window)
    return Page([_shown(context, change) for change in await called(context, found.items)], found.more)


@read_operation
async def count_of_organization(context: Context, organization_id: ShortId, kind: ObjectKind | None) -> int:
    """How many there are. Raises as above."""
    require_management(context.caller, organization_id, _READ_HISTORY)
    await context.pay_for_scan()
    return await apart.count(context.database, organization_id, kind)


@read_operation
async def list_organization_history(context: Context, command: ListOrganizationHistory) -> list[PastChange]:
    """Those changes. Raises `NotFound` or `Forbidden`."""
    require_management(context.caller, command.organization_id, _READ_HISTORY)
    position = None
    if command.below is not None:
        position = await apart.place(context.database, command.organization_id, command.below)
        if position is None:
            raise NotFound(f"The organisation has no change {command.below}; take below from an earlier answer.")
    window = Window(command.limit, False, position)
    return [*(await page_of_organization(context, command.organization_id, command.kind, window)).items]


@read_operation
async def called(context: Context, found: Sequence[PastChange]) -> list[PastChange]:
    """The changes with what the certifications and claims are called, as far as the caller sees these."""
    ids = dict.fromkeys(change.definition_id for change in found if change.definition_id)
    names = {id: await _definition(context, id) for id in ids}
    return [_called(change, names[change.definition_id] if change.definition_id else None) for change in found]


async def _definition(context: Context, id: ShortId) -> Certification | Claim | None:
    for kind in (certifications.KIND, claims.KIND):
        found: Certification | Claim | None = await kind.stored.find(
            context.database, id, context.caller.organization_ids
        )
        if found is not None:
            return found
    return None


def _called(change: PastChange, definition: Certification | Claim | None) -> PastChange:
    if definition is None:
        return change
    return msgspec.structs.replace(change, code=definition.code or None, name=definition.label)


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
