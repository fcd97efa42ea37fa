"""Cursors of keyset pages: opaque to clients, versioned, so that a later order cannot misread an old one."""

import base64
import binascii

from domain.errors import InvalidInput, Violation
from domain.gtin import Gtin, parse_gtin

_PRODUCTS = b"p1:"


def product_cursor(gtin: str) -> str:
    """The cursor that stands at a product."""
    return base64.urlsafe_b64encode(_PRODUCTS + gtin.encode()).decode().rstrip("=")


def read_product_cursor(cursor: str, member: str) -> Gtin:
    """The GTIN at which a cursor stands. Raises `InvalidInput` that names `member`."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        if not raw.startswith(_PRODUCTS):
            raise ValueError
        return parse_gtin(raw.removeprefix(_PRODUCTS).decode())
    except (ValueError, binascii.Error, InvalidInput):
        message = "Input should be a cursor from pageInfo or edges of an earlier page"
        raise InvalidInput([Violation((member,), message, "cursor")]) from None
