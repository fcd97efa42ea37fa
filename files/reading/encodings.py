"""In which encoding a text is: told by all of it, piece by piece, since one stray byte says nothing of the rest."""

import codecs
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

from domain.errors import InvalidInput
from files.reading.table import unreadable
from files.reading.zips import is_far_larger

SAMPLE = 1 << 18
"""Bytes that are looked at to find out what a file is, and at a time."""

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

_OUTWEIGH = 10
"""How many bytes that are no UTF-8 stand for each that goes on with a character of it, where a text is not in UTF-8.

Where it is in doubt, rows are refused rather than misread.
"""

_UNDEFINED = b"\x81\x8d\x8f\x90\x9d"
"""Bytes that are nothing in windows-1252."""

_ESCAPES = ("idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7")
"""Of Python's encodings those in which no file is."""


def encoding_of(file: IO[bytes], name: str, sample: bytes, packed: int | None = None) -> str:
    """How a text is written, which begins with the sample and is put back there.

    Raises `InvalidInput` for no text, and for one that becomes far larger than the bytes in which it is packed.
    """
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if sample[1:2] == b"\0" and sample[3:4] == b"\0":
        return "utf-16-le"
    if b"\0" in sample:
        raise no_text(name)
    try:
        encoding = of_bytes(_pieces(file, name, packed))
        file.seek(0)
    except (EOFError, OSError, zlib.error) as error:
        raise unreadable(f"{name} breaks off or is damaged: {error}; send it again") from None
    if encoding == "windows-1252" and any(byte in sample for byte in _UNDEFINED):
        raise unreadable(f"{name} is in an encoding that cannot be told; save it as UTF-8, or say its `encoding`")
    return encoding


def no_text(name: str) -> InvalidInput:
    """The refusal of a file with what stands in no text."""
    return unreadable(f"{name} is no table: it has bytes that no text has; send CSV, XLSX, JSON or JSON lines")


def _pieces(file: IO[bytes], name: str, packed: int | None) -> Iterator[bytes]:
    taken = 0
    while piece := file.read(SAMPLE):
        taken += len(piece)
        if packed is not None and is_far_larger(taken, packed):
            raise unreadable(f"{name} becomes far larger when it is unpacked than a table of people; send it unpacked")
        yield piece


def of_bytes(parts: Iterable[bytes]) -> str:
    """`utf-8` or `windows-1252`, whichever the bytes are rather."""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    invalid = going_on = 0
    for part in chain(parts, [b""]):
        text = decode(part, final=not part)
        if not text.isascii():
            valid = text.encode("utf-8", "ignore")
            characters = len(valid.decode())
            invalid += len(text) - characters
            going_on += len(valid) - characters
    return "windows-1252" if invalid > _OUTWEIGH * going_on else "utf-8"


def named_encoding(encoding: str) -> str:
    """An encoding as Python calls it. Raises `InvalidInput` for none in which a file can be."""
    try:
        # Of what Python calls an encoding, some are none of texts.
        "".encode(encoding)
        found = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        found = ""
    if not found or found in _ESCAPES:
        raise unreadable(f"{encoding!r} is no encoding that is known; write for example windows-1252")
    return found
