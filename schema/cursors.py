"""Cursors of keyset pages: opaque to clients, versioned, so that a later order cannot misread an old one."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from domain.errors import InvalidInput, Violation
from domain.gtin import Gtin, parse_gtin

T = TypeVar("T")

_PRODUCTS = "p1:"
_DEFINITIONS = "d1:"


def _write(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, prefix: str, member: str) -> str:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
        if not raw.startswith(prefix):
            raise ValueError(prefix)
    except (ValueError, binascii.Error):
        raise _not_a_cursor(member) from None
    return raw.removeprefix(prefix)


def _not_a_cursor(member: str) -> InvalidInput:
    message = "Input should be a cursor from pageInfo or edges of an earlier page of this list"
    return InvalidInput([Violation((member,), message, "cursor")])


def product_cursor(gtin: str) -> str:
    """The cursor that stands at a product."""
    return _write(_PRODUCTS + gtin)


def read_product_cursor(cursor: str, member: str) -> Gtin:
    """The GTIN at which a cursor stands. Raises `InvalidInput` that names `member`."""
    try:
        return parse_gtin(_read(cursor, _PRODUCTS, member))
    except InvalidInput:
        raise _not_a_cursor(member) from None


class Slice(NamedTuple):
    """Some items of a list with their cursors, and whether more follow."""

    items: Sequence[object]
    cursors: list[str]
    has_next: bool


def slice_after(items: Sequence[T], key: Callable[[T], tuple[str, str]], first: int, after: str | None) -> Slice:
    """The `first` items behind a cursor, of a list in the order of its key; deleted items leave no gap.

    Raises `InvalidInput` when `after` is no cursor of such a list.
    """
    rest = items
    if after:
        text, separator, id = _read(after, _DEFINITIONS, "after").rpartition("\n")
        if not separator:
            raise _not_a_cursor("after")
        rest = [item for item in items if key(item) > (text, id)]
    chosen = rest[:first]
    return Slice(chosen, [_write(_DEFINITIONS + "\n".join(key(item))) for item in chosen], len(rest) > first)
