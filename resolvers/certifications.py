"""Certifications: their definitions, and what a product's certificate says."""

from db.assignments import certifications
from db.database import Transaction
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
from domain.errors import AlreadyAssigned, NotFound
from domain.filters import Where, matches
from domain.gtin import Gtin
from domain.listing import arrange
from domain.metadata import merge
from domain.records import Certification, CertificationAssignment
from domain.short_id import ShortId, new_short_id
from domain.validation import parse_filter
from domain.validity import check_order
from resolvers.grouping import by_gtin
from resolvers.operation import Context, read_operation, write_operation
from resolvers.patching import patched
from resolvers.products import existing_product, owned_product


def unknown(id: ShortId) -> NotFound:
    """The refusal when no certification has that id, or none that the caller may see."""
    return NotFound(f"No certification has the id {id}; take it from the list of certifications.")


@read_operation
async def certification(context: Context, id: ShortId) -> Certification | None:
    """The definition of that id, if it is global or the caller's own."""
    return await certifications.find(context.database, id, context.caller.organization_ids)


@read_operation
async def certification_of_code(context: Context, code: str) -> Certification | None:
    """The definition of that code, the caller's own before the global one. Raises `InvalidInput`."""
    code = parse_filter(code, "code")
    return await certifications.find_by_code(context.database, code, context.caller.organization_ids)


@read_operation
async def existing_certification(context: Context, id: ShortId) -> Certification:
    """The definition of that id, if it is global or the caller's own. Raises `NotFound`."""
    found = await certifications.find(context.database, id, context.caller.organization_ids)
    if found is None:
        raise unknown(id)
    return found


@read_operation
async def list_certifications(context: Context, command: ListCertifications) -> list[Certification]:
    """The definitions that the caller may see and that pass the filters, in the order asked for, of all pages."""
    return listing.certifications(
        await certifications.every(context.database, context.caller.organization_ids), command
    )


@read_operation
async def certifications_that_match(context: Context, where: Where) -> list[Certification]:
    """The definitions that the caller may see that pass the filter, in no order."""
    return [
        item
        for item in await certifications.every(context.database, context.caller.organization_ids)
        if matches(where, item)
    ]


@read_operation
async def certifications_of_products(
    context: Context, gtins: list[Gtin], wanted: frozenset[str] | None = None
) -> list[list[CertificationAssignment]]:
    """The certifications of each product that the caller may see, by label, in one statement for all of them.

    Where `wanted` is given, only those members and the definition are read.
    """
    found = await certifications.of_products(context.database, gtins, context.caller.organization_ids, wanted)
    return by_gtin(gtins, found)


@read_operation
async def list_product_certifications(
    context: Context, command: ListProductCertifications
) -> list[CertificationAssignment]:
    """The certifications of one product, filtered and ordered. Raises `NotFound`."""
    held = await certifications.of_products(context.database, [command.gtin], context.caller.organization_ids)
    if not held:
        # What holds something is there.
        await existing_product(context, command.gtin)
    return arrange(held, command, context.today)


@read_operation
async def product_certification(context: Context, command: GetCertificationAssignment) -> CertificationAssignment:
    """One certification of a product. Raises `NotFound`."""
    found = await certifications.one_of_product(
        context.database, command.gtin, command.certification_id, context.caller.organization_ids
    )
    if found is None:
        await existing_product(context, command.gtin)
        raise _not_held(command.gtin, command.certification_id)
    return found


@write_operation
async def assign_certification(
    context: Context, transaction: Transaction, command: AssignCertification
) -> Change[None, CertificationAssignment]:
    """Puts a certification on a product. Raises `NotFound`, `Forbidden`, `InvalidInput` or `AlreadyAssigned`."""
    check_order(command.valid_from, command.expiration_date)
    metadata = merge({}, command.metadata)
    owner = context.caller.only_owner
    if transaction.single and owner is not None:
        definition = await certifications.find(transaction, command.certification_id, [owner])
        if definition is not None:
            assignment = _assigned(context, command, owner, metadata, definition)
            if await certifications.add_alone(transaction, assignment):
                return Change(None, assignment)
    product = await owned_product(context, transaction, command.gtin)
    definition = await certifications.find(transaction, command.certification_id, [product.organization_id])
    if definition is None:
        raise unknown(command.certification_id)
    assignment = _assigned(context, command, product.organization_id, metadata, definition)
    if not await certifications.add(transaction, assignment):
        raise AlreadyAssigned(
            f"The product {product.gtin} already holds the certification {definition.label};"
            " change that assignment instead."
        )
    return Change(None, assignment)


def _assigned(
    context: Context,
    command: AssignCertification,
    owner: ShortId,
    metadata: dict[str, str],
    definition: Certification,
) -> CertificationAssignment:
    return CertificationAssignment(
        id=new_short_id(context.now),
        gtin=command.gtin,
        organization_id=owner,
        metadata=metadata,
        valid_from=command.valid_from,
        expiration_date=command.expiration_date,
        certificate_number=command.certificate_number,
        issuing_body=command.issuing_body,
        expiry_date=command.expiry_date,
        verification_url=command.verification_url,
        verification_status=command.verification_status,
        scope=command.scope,
        certification_value=command.certification_value,
        audit_date=command.audit_date,
        initial_certification_date=command.initial_certification_date,
        certificate_countries=command.certificate_countries,
        created_at=context.now,
        updated_at=context.now,
        version=1,
        certification=definition,
    )


@write_operation
async def patch_certification_assignment(
    context: Context, transaction: Transaction, command: PatchCertificationAssignment
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Changes the members that were sent. Raises `NotFound`, `Forbidden` or `InvalidInput`.

    A patch that changes nothing leaves the version as it is.
    """
    members = command.members()
    stored = await _held(context, transaction, command)
    return await patched(transaction, stored, members, certifications.change, context.now)


@write_operation
async def remove_certification(
    context: Context, transaction: Transaction, command: RemoveCertification
) -> Change[CertificationAssignment, None]:
    """Takes a certification off a product; the answer is what was there. Raises `NotFound` or `Forbidden`."""
    stored = await _held(context, transaction, command)
    await certifications.remove(transaction, stored)
    return Change(stored, None)


async def _held(
    context: Context, transaction: Transaction, command: PatchCertificationAssignment | RemoveCertification
) -> CertificationAssignment:
    product = await owned_product(context, transaction, command.gtin)
    stored = await certifications.lock(transaction, product.gtin, command.certification_id, [product.organization_id])
    if stored is None:
        raise _not_held(product.gtin, command.certification_id)
    context.confirm(stored)
    return stored


def _not_held(gtin: Gtin, id: ShortId) -> NotFound:
    return NotFound(f"The product {gtin} does not hold the certification {id}; assign it first.")
