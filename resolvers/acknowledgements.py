"""Acknowledgements: editors and managers of the owner take lapses on; its members see who has, and nobody else."""

from collections.abc import Sequence
from typing import Any

from db import acknowledgements
from db.acknowledgements import Acknowledgements
from db.engine.database import Transaction
from domain.acknowledgements import (
    AcknowledgeCertification,
    AcknowledgeClaim,
    Acknowledgement,
    GetCertificationAcknowledgement,
    GetClaimAcknowledgement,
    UnacknowledgeCertification,
    UnacknowledgeClaim,
    check_until,
)
from domain.changes import Change
from domain.errors import NotFound
from domain.gtin import Gtin
from resolvers import assignments, certifications, claims
from resolvers.definitions import A, Kind
from resolvers.operation import Context, read_operation, write_operation


@read_operation
async def of_certifications(context: Context, of: Sequence[A]) -> list[Acknowledgement | None]:
    """Who has taken on that each of these certifications of products lapses, in one statement."""
    return await _of_assignments(context, acknowledgements.certifications, of)


@read_operation
async def of_claims(context: Context, of: Sequence[A]) -> list[Acknowledgement | None]:
    """Who has taken on that each of these claims of products lapses, in one statement."""
    return await _of_assignments(context, acknowledgements.claims, of)


@read_operation
async def said_of(context: Context, noun: str, of: Sequence[A]) -> list[Acknowledgement | None]:
    """What was last said of each of these assignments of a kind, whether it holds today or not, in one statement."""
    found = await acknowledgements.OF_NOUN[noun].of_products(context.database, list({each.gtin: None for each in of}))
    return [found.get(each.id) if context.caller.sees_all_of(each) else None for each in of]


async def _of_assignments(context: Context, stored: Acknowledgements, of: Sequence[A]) -> list[Acknowledgement | None]:
    own = [each.gtin for each in of if context.caller.sees_all_of(each)]
    found = await stored.of_products(context.database, list(dict.fromkeys(own)))
    return [
        said
        if (said := found.get(each.id)) is not None
        and context.caller.sees_all_of(each)
        and said.holds(each, context.today)
        else None
        for each in of
    ]


@read_operation
async def certification_acknowledgement(context: Context, command: GetCertificationAcknowledgement) -> Acknowledgement:
    """Who has taken on that a certification of a product lapses. Raises `NotFound`."""
    held = await assignments.one_of_product(context, certifications.KIND, command.gtin, command.certification_id)
    return _known(command.gtin, *await of_certifications(context, [held]))


@read_operation
async def claim_acknowledgement(context: Context, command: GetClaimAcknowledgement) -> Acknowledgement:
    """Who has taken on that a claim of a product lapses. Raises `NotFound`."""
    held = await assignments.one_of_product(context, claims.KIND, command.gtin, command.claim_id)
    return _known(command.gtin, *await of_claims(context, [held]))


@write_operation
async def acknowledge_certification(
    context: Context, transaction: Transaction, command: AcknowledgeCertification
) -> Change[Acknowledgement | None, Acknowledgement]:
    """Takes on that a certification of a product lapses; see `_acknowledged`."""
    stored = acknowledgements.certifications
    return await _acknowledged(context, transaction, stored, certifications.KIND, command, command.certification_id)


@write_operation
async def acknowledge_claim(
    context: Context, transaction: Transaction, command: AcknowledgeClaim
) -> Change[Acknowledgement | None, Acknowledgement]:
    """Takes on that a claim of a product lapses; see `_acknowledged`."""
    return await _acknowledged(context, transaction, acknowledgements.claims, claims.KIND, command, command.claim_id)


@write_operation
async def unacknowledge_certification(
    context: Context, transaction: Transaction, command: UnacknowledgeCertification
) -> Change[Acknowledgement, None]:
    """Gives a lapse back to everybody; see `_ended`."""
    held = await assignments.held(context, transaction, certifications.KIND, command.gtin, command.certification_id)
    return await _ended(context, transaction, acknowledgements.certifications, held)


@write_operation
async def unacknowledge_claim(
    context: Context, transaction: Transaction, command: UnacknowledgeClaim
) -> Change[Acknowledgement, None]:
    """Gives a lapse back to everybody; see `_ended`."""
    held = await assignments.held(context, transaction, claims.KIND, command.gtin, command.claim_id)
    return await _ended(context, transaction, acknowledgements.claims, held)


async def _acknowledged(
    context: Context,
    transaction: Transaction,
    stored: Acknowledgements,
    kind: Kind[Any, A],
    command: AcknowledgeCertification | AcknowledgeClaim,
    named: str,
) -> Change[Acknowledgement | None, Acknowledgement]:
    """Stores who takes a lapse on, in the place of who did before.

    Raises `NotFound`, `Forbidden`, `Archived` or `InvalidInput`.
    """
    held = await assignments.held(context, transaction, kind, command.gtin, named)
    lapses_on = check_until(command.until, held.lapses_on, context.today)
    before = await _standing(context, transaction, stored, held)
    said = Acknowledgement(
        held.id, held.gtin, held.organization_id, command.until, command.reason, lapses_on, "", context.now
    )
    await stored.put(transaction, held, kind.stored.definition(held).id, said, context.caller)
    # With the name of whoever it is.
    return Change(before, await stored.find(transaction, held) or said)


async def _ended(
    context: Context, transaction: Transaction, stored: Acknowledgements, held: A
) -> Change[Acknowledgement, None]:
    """Forgets who has taken a lapse on. Raises `NotFound` where nobody has, or not for today."""
    before = _known(held.gtin, await _standing(context, transaction, stored, held))
    await stored.remove(transaction, held.id)
    return Change(before, None)


async def _standing(
    context: Context, transaction: Transaction, stored: Acknowledgements, held: A
) -> Acknowledgement | None:
    found = await stored.find(transaction, held)
    return found if found is not None and found.holds(held, context.today) else None


def _known(gtin: Gtin, found: Acknowledgement | None) -> Acknowledgement:
    if found is None:
        raise NotFound(f"Nobody has taken on that this of the product {gtin} lapses; acknowledge it first.")
    return found
