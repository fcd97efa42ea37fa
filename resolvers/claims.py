"""Claims: their definitions, and the assignment of a claim to a product."""

from db.assignments import claims
from db.database import Transaction
from domain import listing
from domain.changes import Change
from domain.commands import (
    AssignClaim,
    GetClaimAssignment,
    ListClaims,
    ListProductClaims,
    PatchClaimAssignment,
    RemoveClaim,
)
from domain.errors import AlreadyAssigned, NotFound
from domain.filters import Where, matches
from domain.gtin import Gtin
from domain.metadata import merge
from domain.records import Claim, ClaimAssignment
from domain.short_id import ShortId, new_short_id
from domain.validation import parse_filter
from domain.validity import check_order
from resolvers.grouping import by_gtin
from resolvers.operation import Context, read_operation, write_operation
from resolvers.patching import patched
from resolvers.products import existing_product, owned_product


def unknown(id: ShortId) -> NotFound:
    """The refusal when no claim has that id."""
    return NotFound(f"No claim has the id {id}; take it from the list of claims.")


@read_operation
async def claim(context: Context, id: ShortId) -> Claim | None:
    """The definition of that id."""
    return await claims.find(context.database, id)


@read_operation
async def claim_of_code(context: Context, code: str) -> Claim | None:
    """The definition of that code. Raises `InvalidInput` when no code can be like that."""
    return await claims.find_by_code(context.database, parse_filter(code, "code"))


@read_operation
async def existing_claim(context: Context, id: ShortId) -> Claim:
    """The definition of that id. Raises `NotFound`."""
    found = await claims.find(context.database, id)
    if found is None:
        raise unknown(id)
    return found


@read_operation
async def list_claims(context: Context, command: ListClaims) -> list[Claim]:
    """The definitions that pass the filters, in the order asked for, of all pages."""
    return listing.claims(await claims.every(context.database), command)


@read_operation
async def claims_that_match(context: Context, where: Where) -> list[Claim]:
    """The definitions that pass the filter, in no order."""
    return [item for item in await claims.every(context.database) if matches(where, item)]


@read_operation
async def claims_of_products(
    context: Context, gtins: list[Gtin], wanted: frozenset[str] | None = None
) -> list[list[ClaimAssignment]]:
    """The claims of each product, by label, in one statement for all of them.

    Where `wanted` is given, only those members and the definition are read.
    """
    return by_gtin(gtins, await claims.of_products(context.database, gtins, context.caller.organization_ids, wanted))


@read_operation
async def list_product_claims(context: Context, command: ListProductClaims) -> list[ClaimAssignment]:
    """The claims of one product, by label. Raises `NotFound`."""
    made = await claims.of_products(context.database, [command.gtin], context.caller.organization_ids)
    if not made:
        # What claims something is there.
        await existing_product(context, command.gtin)
    return made


@read_operation
async def product_claim(context: Context, command: GetClaimAssignment) -> ClaimAssignment:
    """One claim of a product. Raises `NotFound`."""
    found = await claims.one_of_product(
        context.database, command.gtin, command.claim_id, context.caller.organization_ids
    )
    if found is None:
        await existing_product(context, command.gtin)
        raise _not_carried(command.gtin, command.claim_id)
    return found


@write_operation
async def assign_claim(
    context: Context, transaction: Transaction, command: AssignClaim
) -> Change[None, ClaimAssignment]:
    """Puts a claim on a product. Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyAssigned`."""
    check_order(command.valid_from, command.expiration_date)
    metadata = merge({}, command.metadata)
    definition = await claims.find(transaction, command.claim_id)
    if definition is None:
        await owned_product(context, transaction, command.gtin)
        raise unknown(command.claim_id)
    owner = context.caller.only_owner
    if transaction.single and owner is not None:
        assignment = _assigned(context, command, owner, metadata, definition)
        if await claims.add_alone(transaction, assignment):
            return Change(None, assignment)
    product = await owned_product(context, transaction, command.gtin)
    assignment = _assigned(context, command, product.organization_id, metadata, definition)
    if not await claims.add(transaction, assignment):
        raise AlreadyAssigned(
            f"The product {product.gtin} already carries the claim {definition.code}; change that assignment instead."
        )
    return Change(None, assignment)


def _assigned(
    context: Context, command: AssignClaim, owner: ShortId, metadata: dict[str, str], definition: Claim
) -> ClaimAssignment:
    return ClaimAssignment(
        id=new_short_id(context.now),
        gtin=command.gtin,
        organization_id=owner,
        metadata=metadata,
        source=command.source,
        valid_from=command.valid_from,
        expiration_date=command.expiration_date,
        evidence_url=command.evidence_url,
        evidence_note=command.evidence_note,
        created_at=context.now,
        updated_at=context.now,
        version=1,
        claim=definition,
    )


@write_operation
async def patch_claim_assignment(
    context: Context, transaction: Transaction, command: PatchClaimAssignment
) -> Change[ClaimAssignment, ClaimAssignment]:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden` or `InvalidInput`.

    A patch that changes nothing leaves the version as it is.
    """
    members = command.members()
    stored = await _held(context, transaction, command)
    return await patched(transaction, stored, members, claims.change, context.now)


@write_operation
async def remove_claim(
    context: Context, transaction: Transaction, command: RemoveClaim
) -> Change[ClaimAssignment, None]:
    """Takes a claim off a product; the answer is what was there. Raises `NotFound` or `Forbidden`."""
    stored = await _held(context, transaction, command)
    await claims.remove(transaction, stored)
    return Change(stored, None)


async def _held(
    context: Context, transaction: Transaction, command: PatchClaimAssignment | RemoveClaim
) -> ClaimAssignment:
    product = await owned_product(context, transaction, command.gtin)
    stored = await claims.lock(transaction, product.gtin, command.claim_id, [product.organization_id])
    if stored is None:
        raise _not_carried(product.gtin, command.claim_id)
    context.confirm(stored)
    return stored


def _not_carried(gtin: Gtin, id: ShortId) -> NotFound:
    return NotFound(f"The product {gtin} does not carry the claim {id}; assign it first.")
