"""What products hold and claim, the same for both kinds: by product, by page, by number, and the steps of their writes.

The operations that write are their kinds' own; see `resolvers.certifications` and `resolvers.claims`.
"""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

from db import lists
from db.engine.database import Transaction
from db.sql.shapes import RowShape
from domain.changes import Change
from domain.commands import AssignCertification, AssignClaim, ListProductCertifications, ListProductClaims
from domain.errors import AlreadyAssigned, NotFound
from domain.filters import EVERYTHING, Where, asks_for
from domain.gtin import Gtin
from domain.paging import Order, Page, Window, cut
from domain.short_id import ShortId
from resolvers import narrowing, patching
from resolvers.definitions import A, D, Kind
from resolvers.grouping import by_gtin
from resolvers.operation import Context, read_operation
from resolvers.products import existing_product, owned_product


@read_operation
async def of_products(
    context: Context, kind: Kind[Any, A], gtins: list[Gtin], where: Where = EVERYTHING
) -> list[list[A]]:
    """The assignments of each product that pass the filter, by label, in one statement for all of them.

    Raises `Forbidden`.
    """
    owners = context.caller.organization_ids
    if where == EVERYTHING:
        found = await kind.stored.of_products(context.database, gtins, owners)
    else:
        asked = await narrowing.of_assignments(context, kind.stored, where)
        found = await lists.of_products(context.database, kind.stored.listed, owners, gtins, asked)
    return by_gtin(gtins, found)


async def of_product(context: Context, kind: Kind[Any, A], gtin: Gtin) -> list[A]:
    """The assignments of one product, by label. Raises `NotFound`."""
    found = await kind.stored.of_products(context.database, [gtin], context.caller.organization_ids)
    if not found:
        # What has something is there.
        await existing_product(context, gtin)
    return found


async def shown_of_product(
    kind: Kind[Any, Any],
    context: Context,
    command: ListProductCertifications | ListProductClaims,
    shape: RowShape,
) -> list[Any]:
    """What a shape makes of the assignments of one product, by label. Raises `NotFound` or `Forbidden`."""
    shown: list[Any] = []
    waiting = kind.rows.fill(kind.rows.reader(context), shape, {command.gtin: shown}, ())
    if waiting is not None:
        await waiting
    if not shown:
        await existing_product(context, command.gtin)
    return shown


async def one_of_product(context: Context, kind: Kind[Any, A], gtin: Gtin, named: str) -> A:
    """A product's assignment of the definition with that id or code. Raises `NotFound`."""
    id = await kind.id_of(context.database, named, context.caller.organization_ids)
    found = await kind.stored.one_of_product(context.database, gtin, id, context.caller.organization_ids)
    if found is None:
        await existing_product(context, gtin)
        raise _not_assigned(kind, gtin, id)
    return found


_UNINDEXED = ("verification_url", "evidence_url", "evidence_note")
"""Members by which a filter reads all that the rest of it leaves."""


@read_operation
async def page(context: Context, kind: Kind[Any, A], where: Where, order: Order, window: Window) -> Page[A]:
    """Some of the assignments that pass the filter. Raises `Forbidden`."""
    if context.is_past or any(asks_for(where, member) for member in _UNINDEXED):
        await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, kind.stored, where)
    owners = context.caller.organization_ids
    return await lists.page(context.database, kind.stored.listed, owners, asked, order, window)


@read_operation
async def count(context: Context, kind: Kind[Any, Any], where: Where) -> int:
    """How many assignments pass the filter. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, kind.stored, where)
    return await lists.count(context.database, kind.stored.listed, asked)


@read_operation
async def counts(context: Context, kind: Kind[Any, Any], wheres: Sequence[Where]) -> list[int]:
    """How many assignments pass each of the filters, by one look at what they have in common. Raises `Forbidden`."""
    await context.pay_for_scan()
    asked = [await narrowing.of_assignments(context, kind.stored, where) for where in wheres]
    return await lists.counted_together(context.database, kind.stored.listed, asked)


@read_operation
async def pages_of_definitions(
    context: Context,
    kind: Kind[Any, A],
    groups: Sequence[Sequence[ShortId]],
    where: Where,
    order: Order,
    window: Window,
) -> list[Page[A]]:
    """For each group of definitions, which the caller sees, a page of their assignments; all in one statement."""
    if context.is_past:
        await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, kind.stored, where)
    found = await lists.first_of_each(
        context.database,
        kind.stored.listed,
        context.caller.organization_ids,
        _distinct(groups),
        asked,
        order,
        window,
    )
    return [_merged([found[id] for id in group], order, window) for group in groups]


@read_operation
async def counts_of_definitions(
    context: Context, kind: Kind[Any, Any], groups: Sequence[Sequence[ShortId]], where: Where
) -> list[int]:
    """For each group of definitions how many assignments pass the filter; all in one statement."""
    await context.pay_for_scan()
    asked = await narrowing.of_assignments(context, kind.stored, where)
    found = await lists.counts(context.database, kind.stored.listed, _distinct(groups), asked)
    return [sum(found[id] for id in group) for group in groups]


def _distinct(groups: Sequence[Sequence[ShortId]]) -> list[ShortId]:
    return list(dict.fromkeys(chain.from_iterable(groups)))


def _merged(groups: Sequence[list[A]], order: Order, window: Window) -> Page[A]:
    if len(groups) == 1:
        return cut(groups[0], window)
    return cut([*islice(order.merged(groups, backward=window.backward), window.size + 1)], window)


async def assigned(
    context: Context,
    transaction: Transaction,
    kind: Kind[D, A],
    command: AssignCertification | AssignClaim,
    named: str,
) -> Change[None, A]:
    """Puts the definition with that id or code on a product.

    Raises `NotFound`, `Forbidden`, `Archived`, `InvalidInput` or `AlreadyAssigned`.
    """
    members = command.members()
    stored, owner = kind.stored, context.caller.only_owner
    if transaction.single and owner is not None:
        id = await kind.id_of(transaction, named, [owner])
        definition = await stored.find(transaction, id, [owner])
        if definition is not None:
            assignment = new_assignment(context, kind, command.gtin, owner, definition, members)
            change = Change(None, assignment)
            entry = context.entry(change)
            if entry is not None and await stored.add_alone(transaction, assignment, entry):
                return change
    product = await owned_product(context, transaction, command.gtin)
    id = await kind.id_of(transaction, named, [product.organization_id])
    definition = await stored.find(transaction, id, [product.organization_id])
    if definition is None:
        raise kind.unknown(id)
    assignment = new_assignment(context, kind, product.gtin, product.organization_id, definition, members)
    if not await stored.add(transaction, assignment):
        raise already_assigned(kind, product.gtin, definition)
    return Change(None, assignment)


def already_assigned(kind: Kind[D, Any], gtin: Gtin, definition: D) -> AlreadyAssigned:
    """The refusal when the product has that definition already."""
    return AlreadyAssigned(
        f"The product {gtin} already {kind.verb[1]} the {kind.noun} {kind.called(definition)};"
        " change that assignment instead."
    )


def new_assignment(
    context: Context, kind: Kind[D, A], gtin: Gtin, owner: ShortId, definition: D, members: dict[str, Any]
) -> A:
    """The assignment of a definition with these members, as its command has them."""
    members |= {"gtin": gtin, "organization_id": owner, kind.noun: definition}
    return patching.made(kind.stored.record, context.now, members)


async def patched(
    context: Context,
    transaction: Transaction,
    kind: Kind[Any, A],
    gtin: Gtin,
    named: str,
    members: Mapping[str, Any],
) -> Change[A, A]:
    """Changes members of the assignment of that definition.

    What changes nothing leaves the version as it is. Raises `NotFound`, `Forbidden`, `Archived` or `InvalidInput`.
    """
    found = await held(context, transaction, kind, gtin, named)
    return await patching.patched(transaction, found, members, kind.stored.change, context.now)


async def removed(
    context: Context, transaction: Transaction, kind: Kind[Any, A], gtin: Gtin, named: str
) -> Change[A, None]:
    """Takes a definition off a product; the answer is what was there. Raises `NotFound`, `Forbidden` or `Archived`."""
    found = await held(context, transaction, kind, gtin, named)
    await kind.stored.remove(transaction, found)
    return Change(found, None)


async def held(context: Context, transaction: Transaction, kind: Kind[Any, A], gtin: Gtin, named: str) -> A:
    """The assignment that a write is about, locked until the transaction ends, if it is what the caller expects.

    Raises `NotFound`, `Forbidden`, `Archived` or `PreconditionFailed`.
    """
    product = await owned_product(context, transaction, gtin)
    id = await kind.id_of(transaction, named, [product.organization_id])
    found = await kind.stored.lock(transaction, product.gtin, id, [product.organization_id])
    if found is None:
        raise _not_assigned(kind, product.gtin, id)
    context.confirm(found)
    return found


def _not_assigned(kind: Kind[Any, Any], gtin: Gtin, id: ShortId) -> NotFound:
    return NotFound(f"The product {gtin} does not {kind.verb[0]} the {kind.noun} {id}; assign it first.")
