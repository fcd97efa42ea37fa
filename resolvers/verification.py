"""Whether the log of changes is whole, and the tables as it tells: a part of it each time that a manager asks."""

import msgspec

from db import sealing
from db.sealing import Verified
from domain.access import require_management
from domain.cursors import cursor_at, read_cursor
from domain.history import VERIFIED, Verification, VerifyHistory
from domain.sealing import BEGINNING, Checkpoint
from domain.vocabulary import ObjectKind
from resolvers.cursors import cursor_secret
from resolvers.operation import Context, read_operation

PART = 500
"""Changes that are looked at each time."""


@read_operation
async def verify_history(context: Context, command: VerifyHistory, member: str = "since") -> Verification:
    """Looks at the next part of the log, of whomever: one chain goes through all. What is others' is not named.

    Raises `NotFound` or `Forbidden`, and `InvalidInput` that names `member` for what is no cursor.
    """
    require_management(context.caller, command.organization_id, "The history is verified")
    await context.pay_for_scan()
    secret, size = await cursor_secret(context), 0
    if command.since:
        (size,) = read_cursor(secret, VERIFIED, command.since, member, "next of an earlier answer of this look")
    hash = await sealing.hash_at(context.database, size)
    found = await sealing.verify_part(context.database, Checkpoint(size, hash or BEGINNING), PART)
    reached = found.checkpoint.size
    next = cursor_at(secret, VERIFIED, (reached,)) if found.is_whole and reached == size + PART else None
    wrong = Verification(found.is_whole, next, None, None, None, _why(found))
    of = found.differing._asdict() if found.differing else found.broken and found.broken.row
    if of and of["organization_id"] in (None, *context.caller.organization_ids):
        id = of["object_id"].rpartition("/")[2]
        wrong = msgspec.structs.replace(wrong, kind=ObjectKind(of["kind"]), object_id=id, gtin=of["gtin"] or None)
    return wrong


def _why(found: Verified) -> str | None:
    wrong = found.broken or found.differing
    return None if wrong is None else wrong.why
