"""What was answered to writes that carried an idempotency key.

Everything happens in the write's own transaction: an answer is remembered exactly when its effects are, and a row
that others can see is complete.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, update

from db.engine.database import Transaction
from db.sql.reads import Read
from db.sql.tables import idempotency_keys as keys
from domain.errors import IdempotencyKeyInUse

PRUNED = 10
"""How many expired rows a write removes at most: more than it adds, few enough not to be felt."""

# lock_not_available and query_canceled: the wait for another transaction's row took too long.
_WAITED = {"55P03", "57014"}


class Answered(NamedTuple):
    """A write that was done: what it was, what it answered as JSON, and until when that is remembered.

    `result` is None when the answer was not to be stored.
    """

    fingerprint: str
    result: str | None
    expires_at: datetime


STORED = Read(
    select(keys.c.fingerprint, keys.c.result, keys.c.expires_at).where(keys.c.digest == bindparam("digest")),
    lambda row: Answered(*row),
)
_COMPLETE = update(keys).where(keys.c.digest == bindparam("of"))
_FORGET = delete(keys).where(keys.c.digest == bindparam("of"), keys.c.expires_at <= bindparam("now"))
# A row that another transaction is removing is left to it.
_PRUNE = delete(keys).where(
    keys.c.digest.in_(
        select(keys.c.digest)
        .where(keys.c.expires_at <= bindparam("now"))
        .order_by(keys.c.expires_at)
        .limit(PRUNED)
        .with_for_update(skip_locked=True)
    )
)


async def reserve(
    transaction: Transaction, digest: str, fingerprint: str, expires_at: datetime, now: datetime
) -> Answered | None:
    """Takes the key for this transaction; the answer is None, or what is stored under it and not yet expired.

    A transaction that has the key makes the others wait for its end, so that they find its answer, or, if it failed,
    do the work themselves. Raises `IdempotencyKeyInUse` when that takes too long.
    """
    row = {"digest": digest, "fingerprint": fingerprint, "expires_at": expires_at}
    while True:
        if await _insert(transaction, row):
            return None
        stored = await transaction.fetch(STORED, digest=digest)
        if stored and stored[0].expires_at > now:
            return stored[0]
        await transaction.execute(_FORGET, {"of": digest, "now": now})


async def _insert(transaction: Transaction, row: dict[str, object]) -> bool:
    try:
        return await transaction.insert(keys, row, unless=("digest",))
    except Exception as error:
        if getattr(error, "sqlstate", None) in _WAITED:
            raise IdempotencyKeyInUse(
                "The first request with this Idempotency-Key is still being worked on; send it again in a second."
            ) from error
        raise


async def complete(transaction: Transaction, digest: str, result: str | None, now: datetime) -> None:
    """Stores the answer (None: none) under a key that this transaction took, and removes some expired ones."""
    await transaction.execute(_COMPLETE, {"of": digest, "result": result})
    await transaction.execute(_PRUNE, {"now": now})
