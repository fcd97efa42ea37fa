"""The head of an answer, from its status and headers to bytes: names are judged once, values together."""

import http
from collections.abc import Iterable, Iterator
from functools import lru_cache

# What may not stand in a value (RFC 9110 section 5.5): the control characters, but for the tab.
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_OURS = {b"connection", b"transfer-encoding"}


def _status_line(status: int) -> bytes:
    known = status in http.HTTPStatus.__members__.values()
    return b"HTTP/1.1 %d %b\r\n" % (status, http.HTTPStatus(status).phrase.encode() if known else b"")


STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}


class Lines:
    """The headers of an answer as lines that were judged. Who knows ASGI alone finds names and values in them."""

    __slots__ = ("text",)

    def __init__(self, text: bytes) -> None:
        self.text = text

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for line in self.text.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            yield name, value


@lru_cache(maxsize=256)
def _name(name: bytes) -> bytes:
    """What the line of a header of that name begins with. Raises `RuntimeError`."""
    lower = name.lower()
    if lower in _OURS:
        raise RuntimeError("An answer says nothing of its connection and coding: that is done here.")
    if not lower or not _TOKEN.issuperset(lower):
        raise RuntimeError("The name of a header holds what no name may.")
    return lower + b": "


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The lines of these headers. Raises `RuntimeError` for what no header may be."""
    if type(headers) is Lines:
        return headers.text
    lines = [_name(name) + value for name, value in headers]
    text = b"\r\n".join([*lines, b""])
    # As many line ends as there are lines, and no other control character: no value gets out of its line.
    if len(text) - len(text.translate(None, _CONTROLS)) != 2 * len(lines):
        raise RuntimeError("The value of a header holds what no value may.")
    return text


def length_of(text: bytes) -> int | None:
    """The length of a body that header lines name, None if they do not. Raises `RuntimeError` for what is none."""
    lengths = [value for name, value in Lines(text) if name == b"content-length"]
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise RuntimeError("An answer has one Content-Length, a number.")
    return int(lengths[0]) if lengths else None
