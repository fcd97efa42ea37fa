"""What was answered to writes that carried an idempotency key.

Everything happens in the write's own transaction: an answer is remembered exactly when its effects are, and a row
that others can see is complete.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam, delete, select, update
from sqlalchemy.sql.dml import Delete, Update

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


class _Statements(NamedTuple):
    """What is done with the row of a key."""

    unique: tuple[str, ...]
    stored: Read[Answered]
    complete: Update
    forget: Delete
    prune: Delete


def _statements(unique: tuple[str, ...], place: ColumnElement[bool], pruned: ColumnElement[bool]) -> _Statements:
    stored = select(keys.c.fingerprint, keys.c.result, keys.c.expires_at).where(place)
    return _Statements(
        unique,
        Read(stored, lambda row: Answered(*row)),
        update(keys).where(place),
        delete(keys).where(place, _is_expired),
        delete(keys).where(pruned),
    )


_is_expired = keys.c.expires_at <= bindparam("now")
_has_digest = keys.c.digest == bindparam("of")
_has_product = keys.c.gtin == bindparam("at")
# A row that another transaction is removing is left to it.
_some_expired = keys.c.digest.in_(
    select(keys.c.digest).where(_is_expired).order_by(keys.c.expires_at).limit(PRUNED).with_for_update(skip_locked=True)
)
_WHOLE = _statements(("digest",), _has_digest, _some_expired)
# Of the product that is written to alone: what it has is on one server.
_SHARDED = _statements(("gtin", "digest"), _has_digest & _has_product, _has_product & _is_expired)

STORED = _WHOLE.stored


def _on(transaction: Transaction) -> _Statements:
    return _SHARDED if transaction.database.sharded else _WHOLE


async def reserve(
    transaction: Transaction, digest: str, gtin: str, fingerprint: str, expires_at: datetime, now: datetime
) -> Answered | None:
    """Takes the key for this transaction; the answer is None, or what is stored under it and not yet expired.

    A transaction that has the key makes the others wait for its end, so that they find its answer, or, if it failed,
    do the work themselves. Where tables are sharded, the key lies with the product of that `gtin`, and under another
    one is another key. Raises `IdempotencyKeyInUse` when waiting takes too long.
    """
    row = {"digest": digest, "gtin": gtin, "fingerprint": fingerprint, "expires_at": expires_at}
    statements, place = _on(transaction), {"of": digest, "at": gtin}
    while True:
        if await _insert(transaction, row, statements.unique):
            return None
        stored = await transaction.fetch(statements.stored, of=digest, at=gtin)
        if stored and stored[0].expires_at > now:
            return stored[0]
        await transaction.execute(statements.forget, {**place, "now": now})


async def _insert(transaction: Transaction, row: dict[str, object], unique: tuple[str, ...]) -> bool:
    try:
        return await transaction.insert(keys, row, unless=unique)
    except Exception as error:
        if getattr(error, "sqlstate", None) in _WAITED:
            raise IdempotencyKeyInUse(
                "The first request with this Idempotency-Key is still being worked on; send it again in a second."
            ) from error
        raise


async def complete(transaction: Transaction, digest: str, gtin: str, result: str | None, now: datetime) -> None:
    """Stores the answer (None: none) under a key that this transaction took, and removes some expired ones."""
    statements, place = _on(transaction), {"of": digest, "at": gtin}
    await transaction.execute(statements.complete, {**place, "result": result})
    await transaction.execute(statements.prune, {"at": gtin, "now": now})
