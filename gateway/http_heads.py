"""The head of an answer, from its status and headers to bytes; its names are judged once, its values together."""

import http
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.answer_headers import Blocked

# What may not stand in a value (RFC 9110 section 5.5): the control characters, but for the tab.
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09})
_TOKEN = frozenset(b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
_OURS = {b"connection", b"transfer-encoding"}


class Form(NamedTuple):
    """What answers with the same header names have in common."""

    lines: bytes
    """The header lines, to be filled with the values."""
    length_at: int | None
    """Where among the values that of Content-Length is."""


@lru_cache(maxsize=128)
def _form(names: tuple[bytes, ...]) -> Form:
    """The form of answers with these header names. Raises `RuntimeError`."""
    lower = [name.lower() for name in names]
    lengths = lower.count(b"content-length")
    if lengths > 1 or not _OURS.isdisjoint(lower):
        raise RuntimeError(
            "An answer has one length, and says nothing of its connection and coding: that is done here."
        )
    if not all(name and _TOKEN.issuperset(name) for name in lower):
        raise RuntimeError("The name of a header holds what no name may.")
    lines = b"".join(b"%b: %%b\r\n" % name.replace(b"%", b"%%") for name in lower)
    return Form(lines, lower.index(b"content-length") if lengths else None)


def _status_line(status: int) -> bytes:
    known = status in http.HTTPStatus.__members__.values()
    return b"HTTP/1.1 %d %b\r\n" % (status, http.HTTPStatus(status).phrase.encode() if known else b"")


STATUS_LINES = {status: _status_line(status) for status in range(200, 600)}


def lines_of(headers: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, int | None]:
    """The lines of these headers, and the length that they name. Raises `RuntimeError` for what no header may be."""
    constant = b""
    if type(headers) is Blocked:
        constant, headers = headers.block, headers[: headers.own]
    names, values = zip(*headers, strict=True) if headers else ((), ())
    form = _form(names)
    lines = form.lines % values
    # As many line ends as there are lines, and no other control character: no value gets out of its line.
    if len(lines) - len(lines.translate(None, _CONTROLS)) != 2 * len(names):
        raise RuntimeError("The value of a header holds what no value may.")
    if form.length_at is None:
        return lines + constant, None
    length = values[form.length_at]
    if not length.isdigit():
        raise RuntimeError("A Content-Length is a number.")
    return lines + constant, int(length)
