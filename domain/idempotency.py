"""The `Idempotency-Key` of a request: what it may look like, and what makes two requests the same.

Follows the IETF draft (a structured-field string, in quotes) and Stripe's habit (the bare text); both spellings of
one key are the same key.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import timedelta

import msgspec

from domain.errors import BadRequest
from domain.validation import Command

LIFE = timedelta(hours=24)
"""How long a key is remembered, from its first use on."""

MAX_LENGTH = 255

# A structured-field string (RFC 9651 section 3.3.3); a bare key has no blanks, and no quote that would start a string.
_quoted = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"\Z')
_bare = re.compile(r"[!#-~][!-~]*\Z")


def read_key(values: Sequence[str]) -> str | None:
    """The key in the values of the header; None when the header is absent. Raises `BadRequest`."""
    if not values:
        return None
    text = values[0].strip(" \t")
    quoted, bare = _quoted.match(text), _bare.match(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text if bare else ""
    if len(values) > 1 or not 1 <= len(key) <= MAX_LENGTH:
        raise BadRequest(
            f"The header Idempotency-Key should hold one key of 1 to {MAX_LENGTH} printable ASCII characters, bare or"
            " in double quotes; send a new random one, a UUID for example, with every new request."
        )
    return key


class OneWrite(msgspec.Struct, frozen=True):
    """A write that is done once at most: who asked, under which key, and which of that request's writes it is.

    `part` tells the mutations of one GraphQL document apart; a REST request has one write and no parts.
    """

    principal: str
    key: str
    part: str = ""

    @property
    def digest(self) -> str:
        """What the write is stored under, in hex: nobody can look up another's keys, nor read what stands in them."""
        return hashlib.sha256(msgspec.json.encode((self.principal, self.key, self.part))).hexdigest()


def fingerprint(operation: str, command: Command) -> str:
    """What two requests with one key must share: the operation, and every member that was sent, in hex.

    Two spellings of one value, a GTIN with and without leading zeros say, are the same: the parsed command counts.
    """
    sent = command.model_dump(mode="json", exclude_unset=True)
    return hashlib.sha256(msgspec.json.encode((operation, sent), order="deterministic")).hexdigest()
