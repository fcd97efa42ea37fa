"""Short ids: a UUID written in 22 characters of base 57, as the contract shows ids everywhere (section 1.2).

The 22-character form is also the form in which ids are stored and compared here: its alphabet is in ASCII order, so
text order equals UUID order, and no id is ever converted on its way out.
"""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, NewType, TypeGuard
from uuid import UUID, uuid5

import shortuuid
from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from domain.validation import parse

ShortId = NewType("ShortId", str)
"""A UUID in its 22-character form."""

PATTERN = "^[23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz]{22}$"
LARGEST = "oZEq7ovRbLq6UnGMPwc8B5"
"""The all-ones UUID. 57^22 exceeds 2^128, so a fifth of the strings that match the pattern lie above it."""

_short = re.compile(PATTERN[:-1] + r"\Z")
_canonical = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


_ALPHABET = PATTERN[2:-6]
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_TWO, _FOUR, _TEN = 57**2, 57**4, 57**10
"""How many numbers so many characters stand for."""


def encode(uuid: UUID) -> ShortId:
    """The 22-character form of a UUID."""
    return _in_base_57(uuid.int)


def _in_base_57(number: int) -> ShortId:
    # In parts that fit into small numbers, two characters of each by name: a loop takes twice as long, and every new
    # record has an id.
    rest, last = divmod(number, _TEN)
    first, middle = divmod(rest, _TEN)
    (a, b), (c, d) = divmod(middle, _FOUR), divmod(last, _FOUR)
    of = _PAIRS
    return ShortId(
        f"{of[first]}{of[a // _FOUR]}{of[a // _TWO % _TWO]}{of[a % _TWO]}{of[b // _TWO]}{of[b % _TWO]}"
        f"{of[c // _FOUR]}{of[c // _TWO % _TWO]}{of[c % _TWO]}{of[d // _TWO]}{of[d % _TWO]}"
    )


def decode(short_id: ShortId) -> UUID:
    """The UUID behind a short id."""
    return shortuuid.decode(short_id)


def _read(value: object) -> ShortId:
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    if _short.match(value):
        if value > LARGEST:
            raise PydanticCustomError(
                "short_id_overflow", "Id stands for no UUID: it is above 2^128; copy it again from its source"
            )
        return ShortId(value)
    if _canonical.match(value):
        return encode(UUID(value))
    raise PydanticCustomError(
        "short_id_parsing",
        "An id has 22 letters and digits, or is a UUID with hyphens; copy it from a list or from whoami",
    )


JSON_SCHEMA = {"type": "string", "format": "shortuuid", "minLength": 22, "maxLength": 22, "pattern": PATTERN}
"""The documented form of an id (contract 1.2). The hyphenated UUID is accepted too, but not documented there."""

ShortIdField = Annotated[ShortId, BeforeValidator(_read), WithJsonSchema(JSON_SCHEMA)]
"""The member of a command that holds an id; both forms in, the short form out."""

_short_id: TypeAdapter[ShortId] = TypeAdapter(ShortIdField)

_code = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,49}\Z")


def _read_either(value: object) -> str:
    if isinstance(value, str) and _code.match(value) and not _short.match(value) and not _canonical.match(value):
        return value
    return _read(value)


IdOrCodeField = Annotated[str, BeforeValidator(_read_either), WithJsonSchema(JSON_SCHEMA)]
"""The member of a command that names a definition, by its id (then in the short form) or by its code.

What has the form of an id is one; the contract documents nothing else, so neither does the OpenAPI document.
"""


def is_short_id(text: str) -> TypeGuard[ShortId]:
    """Whether the text has the form of an id, and so is no code."""
    return _short.match(text) is not None


def parse_short_id(text: object, member: str = "id") -> ShortId:
    """The short form of an id given in either form. Raises `InvalidInput` that names `member`."""
    return parse(_short_id, text, member)


def new_short_id(at: datetime) -> ShortId:
    """A fresh id: a UUID of version 7 (RFC 9562, section 5.7), so that ids sort by the moment they were made."""
    # Through float, a few moments in a thousand would fall into the millisecond before.
    milliseconds = (at - _EPOCH) // _MILLISECOND
    random = int.from_bytes(os.urandom(10), "big")
    return _in_base_57((milliseconds & 2**48 - 1) << 80 | random & _RANDOM | _VERSION)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_VERSION = 7 << 76 | 2 << 62
_RANDOM = 2**80 - 1 & ~(0xF << 76 | 0x3 << 62)
_CATALOGUE = UUID("6f0c3b8e-0d0f-5c1b-9d6b-3a1f0a5f7c11")


def catalogue_id(kind: str, code: str) -> ShortId:
    """The id of a catalogue row, made from its code, so that the same row has the same id in every installation."""
    return encode(uuid5(_CATALOGUE, f"{kind}/{code}"))
