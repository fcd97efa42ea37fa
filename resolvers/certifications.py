"""Certifications: what a product's certificate says, and the operations that are theirs alone."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from db import certificates
from db.assignments import certifications
from db.definitions import bodies
from db.engine.database import Transaction
from domain import listing, renewal
from domain.certificates import PreviousCertificate
from domain.changes import Change
from domain.commands import (
    AssignCertification,
    GetCertificationAssignment,
    GetCertificationStanding,
    ListCertifications,
    ListEarlierCertificates,
    ListProductCertifications,
    PatchCertificationAssignment,
    ReinstateCertification,
    RemoveCertification,
    RenewCertification,
    SuspendCertification,
    UndoRenewal,
    WithdrawCertification,
)
from domain.errors import InvalidInput, NotFound, Violation
from domain.listing import arrange
from domain.records import Certification, CertificationAssignment, EarlierCertificate
from resolvers import assignments
from resolvers.definitions import Kind
from resolvers.operation import Context, read_operation, write_operation
from resolvers.patching import changed

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
async def renew_certification(
    context: Context, transaction: Transaction, command: RenewCertification
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Puts the next certificate in the place of the one that is held, which is kept as an earlier one.

    What would be the same certificate again changes nothing. Raises what `resolvers.assignments.patched` does.
    """
    members = command.members()
    held = await assignments.held(context, transaction, KIND, command.gtin, command.certification_id)
    changes = renewal.renewed(held, members, context.today)
    if changes:
        number = await certificates.next_number(transaction, held)
        await certificates.add(transaction, renewal.earlier(held, number, max(context.now, held.updated_at)))
    return await _changed(context, transaction, held, changes)


@write_operation
async def undo_renewal(
    context: Context, transaction: Transaction, command: UndoRenewal
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Puts the certificate before the newest back in its place; the newest is gone then, but for the history.

    Raises `NotFound` where there is none, and what `resolvers.assignments.patched` does.
    """
    held = await assignments.held(context, transaction, KIND, command.gtin, command.certification_id)
    before = await certificates.last(transaction, held)
    if before is None:
        raise NotFound(
            f"The product {held.gtin} has no earlier certificate of {held.certification.id}; correct the newest by a"
            " patch."
        )
    await certificates.remove(transaction, before)
    return await _changed(context, transaction, held, renewal.undone(held, before))


@write_operation
async def suspend_certification(
    context: Context, transaction: Transaction, command: SuspendCertification
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Says on which days the certificate does not hold. Raises what `resolvers.assignments.patched` does."""
    held = await assignments.held(context, transaction, KIND, command.gtin, command.certification_id)
    changes = renewal.suspended(held, command.suspended_from, command.suspended_until, command.reason, context.today)
    return await _changed(context, transaction, held, changes)


@write_operation
async def withdraw_certification(
    context: Context, transaction: Transaction, command: WithdrawCertification
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Says from which day on the certificate does not hold. Raises what `resolvers.assignments.patched` does."""
    held = await assignments.held(context, transaction, KIND, command.gtin, command.certification_id)
    changes = renewal.withdrawn(held, command.withdrawn_on, command.reason, context.today)
    return await _changed(context, transaction, held, changes)


@write_operation
async def reinstate_certification(
    context: Context, transaction: Transaction, command: ReinstateCertification
) -> Change[CertificationAssignment, CertificationAssignment]:
    """Lifts a suspension or takes a withdrawal back; what holds stays as it is.

    Raises what `resolvers.assignments.patched` does.
    """
    held = await assignments.held(context, transaction, KIND, command.gtin, command.certification_id)
    changes = renewal.reinstated(held, command.reinstated_on or context.today, command.reason)
    return await _changed(context, transaction, held, changes)


async def _changed(
    context: Context, transaction: Transaction, held: CertificationAssignment, changes: dict[str, Any]
) -> Change[CertificationAssignment, CertificationAssignment]:
    if all(getattr(held, name) == value for name, value in changes.items()):
        return Change(held, held)
    change = changed(held, changes, context.now)
    await certifications.change(transaction, held, changes, change.after.updated_at)
    return change


@read_operation
async def previous_of(context: Context, held: Sequence[CertificationAssignment]) -> list[list[PreviousCertificate]]:
    """Of each of these assignments, which the caller has found, the earlier certificates, newest first.

    One statement for all of them.
    """
    found = await _earlier(context, held)
    return [renewal.previous(each, kept) for each, kept in zip(held, found, strict=True)]


@read_operation
async def kept_of(context: Context, held: Sequence[CertificationAssignment]) -> list[list[EarlierCertificate]]:
    """The same as they are kept, oldest first, and none that was replaced after an assignment was read."""
    found = await _earlier(context, held)
    return [[kept for kept in each if kept.replaced_at <= of.updated_at] for of, each in zip(held, found, strict=True)]


@read_operation
async def on_day(context: Context, held: Sequence[CertificationAssignment], day: date) -> list[CertificationAssignment]:
    """These assignments, which the caller has found, each with the certificate that held on that day."""
    found = await kept_of(context, held)
    return [renewal.on_day(each, kept, day) for each, kept in zip(held, found, strict=True)]


@read_operation
async def years_certified(
    context: Context, held: Sequence[CertificationAssignment], on: date | None
) -> list[int | None]:
    """Of each of these assignments the whole years up to a day, today if none is given."""
    found = await _earlier(context, [each for each in held if each.initial_certification_date is None])
    kept = iter(found)
    day = on or context.today
    return [renewal.years_certified(each, [] if each.initial_certification_date else next(kept), day) for each in held]


async def _earlier(context: Context, held: Sequence[CertificationAssignment]) -> list[list[EarlierCertificate]]:
    found = await certificates.of_products(context.database, [each.gtin for each in held if each.earlier_days])
    return [renewal.those_before(each, found.get((each.gtin, each.certification.id), [])) for each in held]


@read_operation
async def list_earlier_certificates(context: Context, command: ListEarlierCertificates) -> list[PreviousCertificate]:
    """The certificates before the one that a product holds, newest first. Raises `NotFound`."""
    held = await assignments.one_of_product(context, KIND, command.gtin, command.certification_id)
    return (await previous_of(context, [held]))[0]


@read_operation
async def certification_standing(context: Context, command: GetCertificationStanding) -> CertificationAssignment:
    """The certificate that a product holds. Raises `NotFound`."""
    return await assignments.one_of_product(context, KIND, command.gtin, command.certification_id)


@write_operation
async def remove_certification(
    context: Context, transaction: Transaction, command: RemoveCertification
) -> Change[CertificationAssignment, None]:
    """Takes a certification off a product; see `resolvers.assignments.removed`."""
    return await assignments.removed(context, transaction, KIND, command.gtin, command.certification_id)
