"""Cursors: opaque to clients, versioned, sealed with the installation's secret.

A cursor holds the order that it was made for and the values by which its item stands in it. The seal shows a changed or
invented one; the order's name, that of another list or order.
"""

import base64
import binascii
from hashlib import blake2b
from typing import Any

import msgspec

from domain.errors import InvalidInput, Violation
from domain.paging import Order, Position

_VERSION = b"\x01"
_SEAL = 8
_OF_A_PAGE = "a cursor from pageInfo or edges of an earlier page of this list"


def cursor_at(secret: str, order: Order, position: Position) -> str:
    """The cursor that stands at an item, which is at this position of the order."""
    text = _VERSION + msgspec.json.encode((order.name, position))
    return base64.urlsafe_b64encode(_seal(secret, text) + text).decode().rstrip("=")


def read_cursor(secret: str, order: Order, cursor: str, member: str, taken_from: str = _OF_A_PAGE) -> Position:
    """The position at which a cursor stands. Raises `InvalidInput` that names `member` and where to take one from."""
    try:
        sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _not_a_cursor(member, taken_from) from None
    text = sealed[_SEAL:]
    if not text.startswith(_VERSION) or sealed[:_SEAL] != _seal(secret, text):
        raise _not_a_cursor(member, taken_from)
    name, position = msgspec.json.decode(text[len(_VERSION) :], type=tuple[str, msgspec.Raw])
    if name != order.name:
        message = "Input should be a cursor of this list in this order; start at its first page again"
        raise InvalidInput([Violation((member,), message, "cursor_order")])
    found: Any = msgspec.json.decode(position, type=order.type)
    return tuple(found)


def _seal(secret: str, text: bytes) -> bytes:
    return blake2b(text, key=secret.encode(), digest_size=_SEAL).digest()


def _not_a_cursor(member: str, taken_from: str) -> InvalidInput:
    return InvalidInput([Violation((member,), f"Input should be {taken_from}", "cursor")])
