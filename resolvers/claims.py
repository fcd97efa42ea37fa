"""Claims: their definitions, and the assignment of a claim to a product."""

from db import claims
from db.database import Transaction
from domain.commands import AssignClaim
from domain.errors import AlreadyAssigned, NotFound
from domain.gtin import Gtin
from domain.metadata import merge
from domain.records import Claim, ClaimAssignment
from domain.short_id import ShortId, new_short_id
from domain.validity import check_order
from resolvers.grouping import by_gtin
from resolvers.operation import Context, read_operation, write_operation
from resolvers.products import existing_product, owned_product


@read_operation
async def claim(context: Context, id: ShortId) -> Claim | None:
    """The definition of that id."""
    return await claims.find(context.database, id)


@read_operation
async def claim_of_code(context: Context, code: str) -> Claim | None:
    """The definition of that code."""
    return await claims.find_by_code(context.database, code)


@read_operation
async def claims_of_products(context: Context, gtins: list[Gtin]) -> list[list[ClaimAssignment]]:
    """The claims of each product, by label, in one statement for all of them."""
    return by_gtin(gtins, await claims.of_products(context.database, gtins))


@read_operation
async def list_product_claims(context: Context, gtin: Gtin) -> list[ClaimAssignment]:
    """The claims of one product, by label. Raises `NotFound`."""
    product = await existing_product(context, gtin)
    return (await claims_of_products(context, [product.gtin]))[0]


@write_operation
async def assign_claim(context: Context, transaction: Transaction, command: AssignClaim) -> ClaimAssignment:
    """Puts a claim on a product. Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyAssigned`."""
    check_order(command.valid_from, command.expiration_date)
    metadata = merge({}, command.metadata)
    product = await owned_product(context, transaction, command.gtin)
    definition = await claims.in_transaction(transaction, command.claim_id)
    if definition is None:
        raise NotFound(f"No claim has the id {command.claim_id}; take it from the list of claims.")
    assignment = ClaimAssignment(
        id=new_short_id(context.now),
        gtin=product.gtin,
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
    if not await claims.add(transaction, assignment):
        raise AlreadyAssigned(
            f"The product {product.gtin} already carries the claim {definition.code}; change that assignment instead."
        )
    return assignment
