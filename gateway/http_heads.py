"""The head of an answer, from its status and headers to bytes: names are judged once, values together."""

import http
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

# What may not stand in a value (RFC 9110 section 5.5): the control characters, but for the tab.
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_OURS = {b"connection", b"transfer-encoding"}
_LENGTH = b"content-length"


def _status_line(status: int) -> bytes:
    known = status in http.HTTPStatus.__members__.values()
    return b"HTTP/1.1 %d %b\r\n" % (status, http.HTTPStatus(status).phrase.encode() if known else b"")


STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}


class Lines:
    """The headers of an answer as lines that were judged. Who knows ASGI alone finds names and values in them.

    `length` is the value of the only one that says how long the body is, if that is known; b"" otherwise.
    """

    __slots__ = ("length", "text")

    def __init__(self, text: bytes, length: bytes = b"") -> None:
        self.text = text
        self.length = length

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        for line in self.text.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            yield name, value


class Form(NamedTuple):
    """What answers with the same header names have in common: lines to be filled with values, and others behind."""

    lines: bytes
    size: int
    """The number of those to be filled."""
    further: bytes = b""
    length_at: int | None = None
    """Which of the values is the only length of the body."""

    def fill(self, values: tuple[bytes, ...]) -> bytes:
        """The lines with these values. Raises `RuntimeError` for what no value may be."""
        text = self.lines % values
        # As many line ends as there are lines, and no other control character: no value gets out of its line.
        if len(text) - len(text.translate(None, _CONTROLS)) != 2 * self.size:
            raise RuntimeError("The value of a header holds what no value may.")
        return text + self.further

    def judged(self, before: bytes, values: tuple[bytes, ...]) -> Lines:
        """The lines with these values, behind others. Raises `RuntimeError` for what no value may be."""
        return Lines(before + self.fill(values), b"" if self.length_at is None else values[self.length_at])


@lru_cache(maxsize=128)
def form_of(names: tuple[bytes, ...]) -> Form:
    """The form of headers with these names. Raises `RuntimeError` for what no name may be."""
    lower = [name.lower() for name in names]
    if not _OURS.isdisjoint(lower):
        raise RuntimeError("An answer says nothing of its connection and coding: that is done here.")
    if not all(name and _TOKEN.issuperset(name) for name in lower):
        raise RuntimeError("The name of a header holds what no name may.")
    lines = b"".join(b"%b: %%b\r\n" % name.replace(b"%", b"%%") for name in lower)
    return Form(lines, len(names), b"", lower.index(_LENGTH) if lower.count(_LENGTH) == 1 else None)


def lines_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The lines of these headers. Raises `RuntimeError` for what no header may be."""
    if type(headers) is Lines:
        return headers.text
    names, values = zip(*pairs, strict=True) if (pairs := [*headers]) else ((), ())
    return form_of(names).fill(values)


def length_of(text: bytes) -> int | None:
    """The length of a body that header lines name, None if they do not. Raises `RuntimeError` for what is none."""
    lengths = [value for name, value in Lines(text) if name == _LENGTH]
    if len(lengths) > 1 or not all(length.isdigit() for length in lengths):
        raise RuntimeError("An answer has one Content-Length, a number.")
    return int(lengths[0]) if lengths else None
