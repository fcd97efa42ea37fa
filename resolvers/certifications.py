"""Certifications: what a product's certificate says, and the operations that are theirs alone."""

from collections.abc import Sequence

import msgspec

from db.assignments import certifications
from db.definitions import bodies
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
from domain.errors import InvalidInput, Violation
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
async def own_certifications(context: Context) -> list[Certification]:
    """The definitions that are private to the organisation for which the caller acts."""
    own = context.caller.organization.id
    return [each for each in await certifications.every(context.database, [own]) if each.organization_id == own]


@read_operation
async def missing_of(context: Context, own: Sequence[Certification]) -> list[Certification]:
    """Those of an organisation's own certifications from elsewhere that are not here, each with its body of here.

    Raises `InvalidInput` where the body is not here, or where another one is in the place of one.
    """
    stored = await certifications.every(context.database, [context.caller.organization.id])
    ids = {each.id: each for each in stored}
    codes = {each.code: each for each in stored if each.organization_id is not None and each.code}
    wanted: list[Certification] = []
    for each in own:
        body = await bodies.find(context.database, each.body.id) if each.body is not None else None
        called = each.code or each.label
        if (body is None) != (each.body is None):
            message = f"The body of the certification {called!r} is not here; load the catalogue that has it"
            raise InvalidInput([Violation(("file",), message, "not_here")])
        here, wanting = ids.get(each.id) or codes.get(each.code), msgspec.structs.replace(each, body=body)
        if here is None:
            wanted.append(wanting)
        elif here != wanting:
            message = f"The organisation's certification {called!r} is another one here; make the two alike first"
            raise InvalidInput([Violation(("file",), message, "unlike")])
    return wanted


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
