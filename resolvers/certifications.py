"""Certifications: what a product's certificate says, and the operations that are theirs alone."""

from db.assignments import certifications
from db.engine.database import Transaction
from domain import listing
from domain.changes import Change
from domain.commands import (
    AssignCertification,
    GetCertificationAssignment,
    ListCertifications,
    ListProductCertifications,
    PatchCertificationAssignment,
    RemoveCertification,
)
from domain.listing import arrange
from domain.records import Certification, CertificationAssignment
from resolvers import assignments
from resolvers.definitions import Kind
from resolvers.operation import Context, read_operation, write_operation

KIND = Kind(certifications, "certification", "certifications", ("hold", "holds"), lambda definition: definition.label)


@read_operation
async def list_certifications(context: Context, command: ListCertifications) -> list[Certification]:
    """The definitions that the caller may see and that pass the filters, in the order asked for, of all pages."""
    visible = await certifications.every(context.database, context.caller.organization_ids)
    return listing.definitions(visible, command)


@read_operation
async def list_product_certifications(
    context: Context, command: ListProductCertifications
) -> list[CertificationAssignment]:
    """The certifications of one product, filtered and ordered. Raises `NotFound`."""
    return arrange(await assignments.of_product(context, KIND, command.gtin), command, context.today)


@read_operation
async def product_certification(context: Context, command: GetCertificationAssignment) -> CertificationAssignment:
    """One certification of a product. Raises `NotFound`."""
    return await assignments.one_of_product(context, KIND, command.gtin, command.certification_id)


@write_operation
async def assign_certification(
    context: Context, transaction: Transaction, command: AssignCertification
) -> Change[None, CertificationAssignment]:
    """Puts a certification on a product; see `resolvers.assignments.assigned`."""
    return await assignments.assigned(context, transaction, KIND, command, command.certification_id)


@write_operation
async def patch_certification_assignment(
    context: Context, transaction: Transaction, command: PatchCertificationAssignment
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Changes the members that were sent; see `resolvers.assignments.patched`."""
    members = command.members()
    return await assignments.patched(context, transaction, KIND, command.gtin, command.certification_id, members)


@write_operation
async def remove_certification(
    context: Context, transaction: Transaction, command: RemoveCertification
) -> Change[CertificationAssignment, None]:
    """Takes a certification off a product; see `resolvers.assignments.removed`."""
    return await assignments.removed(context, transaction, KIND, command.gtin, command.certification_id)
