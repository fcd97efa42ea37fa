"""The chain over the log of changes: each row's hash covers the row and the hash before it.

Who changes a row, takes one out or puts one in has to change every hash behind it, and a checkpoint that somebody else
keeps tells of that (see `gateway.notes`).
"""

from base64 import b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

BEGINNING = b64encode(bytes(32)).decode()
"""What the first row's hash covers in the place of the one before it."""

_canonical = msgspec.json.Encoder(order="sorted").encode


def link(before: str, row: Mapping[str, Any]) -> str:
    """The hash of a row behind the one with the hash `before`, in base64.

    SHA-256 of the 32 bytes before it and the row in JSON with sorted names and no spaces, as RFC 8785 has it for what
    the log holds: texts, whole numbers, lists and maps.
    """
    return b2a_base64(sha256(a2b_base64(before) + _canonical(row)).digest(), newline=False).decode()


class Checkpoint(NamedTuple):
    """How far the chain goes, and the hash of the last row."""

    size: int
    hash: str


START = Checkpoint(0, BEGINNING)
"""Before the first row."""
