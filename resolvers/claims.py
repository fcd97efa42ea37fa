"""Claims: what is recorded when a product claims something, and the operations that are theirs alone."""

from db.assignments import claims
from db.engine.database import Transaction
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
from domain.records import Claim, ClaimAssignment
from resolvers import assignments
from resolvers.definitions import Kind
from resolvers.operation import Context, read_operation, write_operation

KIND = Kind(claims, "claim", "claims", ("carry", "carries"), lambda definition: definition.code)


@read_operation
async def list_claims(context: Context, command: ListClaims) -> list[Claim]:
    """The definitions that pass the filters, in the order asked for, of all pages."""
    return listing.definitions(await claims.every(context.database), command)


@read_operation
async def list_product_claims(context: Context, command: ListProductClaims) -> list[ClaimAssignment]:
    """The claims of one product, by label. Raises `NotFound`."""
    return await assignments.of_product(context, KIND, command.gtin)


@read_operation
async def product_claim(context: Context, command: GetClaimAssignment) -> ClaimAssignment:
    """One claim of a product. Raises `NotFound`."""
    return await assignments.one_of_product(context, KIND, command.gtin, command.claim_id)


@write_operation
async def assign_claim(
    context: Context, transaction: Transaction, command: AssignClaim
) -> Change[None, ClaimAssignment]:
    """Puts a claim on a product; see `resolvers.assignments.assigned`."""
    return await assignments.assigned(context, transaction, KIND, command, command.claim_id)


@write_operation
async def patch_claim_assignment(
    context: Context, transaction: Transaction, command: PatchClaimAssignment
) -> Change[ClaimAssignment, ClaimAssignment]:
    """Changes the members that were sent; see `resolvers.assignments.patched`."""
    members = command.members()
    return await assignments.patched(context, transaction, KIND, command.gtin, command.claim_id, members)


@write_operation
async def remove_claim(
    context: Context, transaction: Transaction, command: RemoveClaim
) -> Change[ClaimAssignment, None]:
    """Takes a claim off a product; see `resolvers.assignments.removed`."""
    return await assignments.removed(context, transaction, KIND, command.gtin, command.claim_id)
