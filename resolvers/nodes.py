"""Whatever has an id, by that id alone."""

import asyncio
from collections.abc import Sequence

from db import products
from db.assignments import certifications, claims
from db.definitions import bodies
from domain.errors import InvalidInput, Violation
from domain.records import (
    Certification,
    CertificationAssignment,
    CertificationBody,
    Claim,
    ClaimAssignment,
    Organization,
    Product,
)
from domain.short_id import ShortId
from resolvers.operation import Context, read_operation

Node = Organization | CertificationBody | Certification | Claim | Product | CertificationAssignment | ClaimAssignment

MAX_IDS = 100


def check_number_of_ids(number: int) -> None:
    """Raises `InvalidInput` for more ids than are looked up at once."""
    if number > MAX_IDS:
        message = f"List should have at most {MAX_IDS} items, not {number}"
        raise InvalidInput([Violation(("ids",), message, "too_long")])


@read_operation
async def nodes_of_ids(context: Context, ids: Sequence[ShortId]) -> list[Node | None]:
    """What has each of the ids, None where nothing has that the caller may see.

    An id is a UUID, so it does not say what it stands for, and needs not: each kind is asked for all of them at once.
    """
    database, organization_ids = context.database, context.caller.organization_ids
    found: dict[ShortId, Node] = {organization.id: organization for organization in context.caller.organizations}
    for id in ids:
        # Definitions are held in memory.
        definition = (
            await bodies.find(database, id)
            or await certifications.find(database, id, organization_ids)
            or await claims.find(database, id)
        )
        if definition is not None:
            found[id] = definition
    if missing := [id for id in dict.fromkeys(ids) if id not in found]:
        stored: tuple[Sequence[Node], ...] = await asyncio.gather(
            products.of_ids(database, missing, organization_ids),
            certifications.of_ids(database, missing, organization_ids),
            claims.of_ids(database, missing, organization_ids),
        )
        found.update((node.id, node) for nodes in stored for node in nodes)
    return [found.get(id) for id in ids]
