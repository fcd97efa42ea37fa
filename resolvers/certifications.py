"""Certifications: their definitions, and what a product's certificate says."""

import msgspec

from db import certifications
from db.database import Transaction
from domain.commands import ListProductCertifications, PatchCertificationAssignment
from domain.errors import NotFound
from domain.gtin import Gtin
from domain.listing import arrange
from domain.patch import changes_of
from domain.records import Certification, CertificationAssignment
from domain.short_id import ShortId
from resolvers.grouping import by_gtin
from resolvers.operation import Context, read_operation, write_operation
from resolvers.products import existing_product, owned_product


@read_operation
async def certification(context: Context, id: ShortId) -> Certification | None:
    """The definition of that id, if it is global or the caller's own."""
    return await certifications.find(context.database, id, context.caller.organization.id)


@read_operation
async def certification_of_code(context: Context, code: str) -> Certification | None:
    """The definition of that code, the caller's own before the global one."""
    return await certifications.find_by_code(context.database, code, context.caller.organization.id)


@read_operation
async def certifications_of_products(context: Context, gtins: list[Gtin]) -> list[list[CertificationAssignment]]:
    """The certifications of each product that the caller may see, by label, in one statement for all of them."""
    found = await certifications.of_products(context.database, gtins, context.caller.organization.id)
    return by_gtin(gtins, found)


@read_operation
async def list_product_certifications(
    context: Context, command: ListProductCertifications
) -> list[CertificationAssignment]:
    """The certifications of one product, filtered and ordered. Raises `NotFound`."""
    product = await existing_product(context, command.gtin)
    held = (await certifications_of_products(context, [product.gtin]))[0]
    return arrange(held, command, context.today)


@write_operation
async def patch_certification_assignment(
    context: Context, transaction: Transaction, command: PatchCertificationAssignment
) -> CertificationAssignment:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden` or `InvalidInput`.

    A patch that changes nothing leaves the version as it is.
    """
    members = command.members()
    product = await owned_product(context, transaction, command.gtin)
    stored = await certifications.lock(
        transaction, product.gtin, command.certification_id, context.caller.organization.id
    )
    if stored is None:
        raise NotFound(
            f"The product {product.gtin} does not hold the certification {command.certification_id}; assign it first."
        )
    changes = changes_of(stored, members)
    if not changes:
        return stored
    await certifications.change(transaction, stored, changes, context.now)
    return msgspec.structs.replace(stored, **changes, updated_at=context.now, version=stored.version + 1)
