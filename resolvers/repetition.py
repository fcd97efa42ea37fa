"""A write that carries an idempotency key is done once; sent again, it is answered again.

Key and answer are stored in the write's own transaction. So a refusal or a failure leaves nothing behind and the key
free, and of two requests at the same moment the second waits for the first one's commit and finds its answer.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec

from db import idempotency
from db.engine.database import Transaction
from domain.errors import AlreadyExists, IdempotencyKeyReused
from domain.idempotency import LIFE, OneWrite, fingerprint
from domain.validation import Command

F = TypeVar("F", bound=Callable[..., Any])
R = TypeVar("R")

_shown_once: set[Callable[..., Any]] = set()


def shown_once(function: F) -> F:
    """Marks an operation whose answer holds a secret: it is never stored, so a repetition cannot be answered.

    It goes below `@write_operation`.
    """
    _shown_once.add(function)
    return function


class Answers(Generic[R]):
    """The answers that one operation has given, as far as they are remembered."""

    def __init__(self, name: str, operation: Callable[..., Any]) -> None:
        self._name = name
        self.stored = operation not in _shown_once
        """False where an answer holds a secret."""
        self._decoder: msgspec.json.Decoder[R] = msgspec.json.Decoder(get_type_hints(operation)["return"])

    async def recall(self, transaction: Transaction, write: OneWrite, command: Command, now: datetime) -> R | None:
        """What was answered to this write before; None when it is to be done, in this transaction.

        Raises `IdempotencyKeyReused`, `IdempotencyKeyInUse`, or `AlreadyExists` when the answer was shown only once.
        """
        sent = fingerprint(self._name, command)
        gtin = _product_of(command)
        stored = await idempotency.reserve(transaction, write.digest, gtin, sent, now + LIFE, now)
        if stored is None:
            return None
        if stored.fingerprint != sent:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used within the last 24 hours for something else; send a new key with every"
                " new request, and the old one only with the very same request."
            )
        if stored.result is None:
            raise AlreadyExists(
                "This request was done already, and its answer held a secret that is shown once and stored nowhere;"
                " remove what it made, and send the request with a new Idempotency-Key."
            )
        return self._decoder.decode(stored.result)

    async def remember(
        self, transaction: Transaction, write: OneWrite, command: Command, answer: R, now: datetime
    ) -> None:
        """Stores the answer to a write that was done in this transaction."""
        result = msgspec.json.encode(answer).decode() if self.stored else None
        await idempotency.complete(transaction, write.digest, _product_of(command), result, now)


def _product_of(command: Command) -> str:
    """The GTIN of the product that a command writes to, "" where there is none."""
    return str(getattr(command, "gtin", ""))
