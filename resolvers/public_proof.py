"""The public proof: managers switch it on, and anybody sees what the products of their organisation hold and claim."""

from db import public_proofs
from db.engine.database import Database, Transaction
from domain.access import Caller, require_management, require_membership
from domain.changes import Change
from domain.gtin import Gtin
from domain.public_proof import GetPublicProof, PublicProof, SetPublicProof
from domain.short_id import ShortId
from domain.vocabulary import KeyKind, Role
from resolvers.operation import Context, read_operation, write_operation


@read_operation
async def get_public_proof(context: Context, command: GetPublicProof) -> PublicProof:
    """Whether the organisation does. Raises `NotFound` or `Forbidden`."""
    require_membership(context.caller, command.organization_id)
    found = await public_proofs.find(context.database, command.organization_id)
    return found or PublicProof(command.organization_id, is_enabled=False)


@write_operation
async def set_public_proof(
    context: Context, transaction: Transaction, command: SetPublicProof
) -> Change[PublicProof, PublicProof]:
    """Says whether it does. Raises `NotFound` or `Forbidden`."""
    owner = command.organization_id
    require_management(context.caller, owner, "What anybody sees is decided")
    await transaction.serialize(f"public proof of {owner}")
    before = await public_proofs.find(transaction, owner) or PublicProof(owner, is_enabled=False)
    after = PublicProof(owner, command.is_enabled)
    if after != before:
        await public_proofs.put(transaction, after)
    return Change(before, after)


@read_operation
async def is_shown(context: Context, owner: ShortId) -> bool:
    """Whether anybody is shown the products of that owner; so anybody may know."""
    found = await public_proofs.find(context.database, owner)
    return found is not None and found.is_enabled


async def reader_of(database: Database, gtin: Gtin) -> Caller | None:
    """Who reads the proof of a product: nobody in particular, who sees what a publishable key does.

    None where there is nothing to see: no such product, an archived one, or an organisation that shows none.
    """
    owner = await public_proofs.owner_of(database, gtin)
    if owner is None:
        return None
    return Caller(None, KeyKind.PUBLISHABLE, Role.READONLY, owner, holder=f"public proof:{owner.id}")
