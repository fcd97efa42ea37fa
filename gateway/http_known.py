"""Requests whose headers came before: clients send the same ones again and again, so they are read once a second."""

import re
from typing import Any, NamedTuple

Headers = list[tuple[bytes, bytes]]

KNOWN = 512
"""How many sets of headers are known at a time, each of at most `KNOWN_BYTES`."""
KNOWN_BYTES = 2_048

_LINE = re.compile(
    rb"(GET|HEAD|POST|PATCH|PUT|DELETE) (/[-\w.~%!$&'()*+,;=:@/]*)(?:\?([-\w.~%!$&'()*+,;=:@/?]*))? HTTP/1\.1"
)
"""The first line of a request whose address holds nothing but what RFC 3986 has in a path and a query."""


class Known(NamedTuple):
    """The headers of a request that was read."""

    headers: Headers
    length: int
    """Of its body."""
    is_proxied: bool
    memo: dict[Any, Any]
    """What whoever reads them has worked out of them alone."""


KnownRequest = tuple[str, bytes, bytes, bytes, Known]
"""A request with such headers: its method, address, query and body."""


class KnownHeaders:
    """Headers by their text. There are credentials among them, which nobody should keep: forget them every second."""

    def __init__(self) -> None:
        self.by_text: dict[bytes, Known] = {}

    def find(self, data: bytes) -> KnownRequest | None:
        """The one whole request that this is, if its headers are known."""
        head, end = data.find(b"\r\n"), data.find(b"\r\n\r\n")
        known = self.by_text.get(data[head:end])
        if known is None or len(data) != end + 4 + known.length:
            return None
        line = _LINE.fullmatch(data, 0, head)
        if line is None:
            return None
        method, url, query = line.groups(b"")
        return method.decode("ascii"), url, query, data[end + 4 :], known

    def learn(self, data: bytes, known: Known) -> None:
        """Remembers what the parser has found in the one whole request that this is, if nothing about it is unusual.

        The text of its headers has to be lines that end in one way, as many as there are headers: whatever else the
        parser lets pass as one request is left to it.
        """
        head, end = data.find(b"\r\n"), data.find(b"\r\n\r\n")
        text = data[head:end]
        if (
            len(text) <= KNOWN_BYTES
            and len(self.by_text) < KNOWN
            and len(data) == end + 4 + known.length
            and len(known.headers) == text.count(b"\n") == text.count(b"\r") == text.count(b"\r\n")
            and all(name not in (b"transfer-encoding", b"expect") for name, _ in known.headers)
        ):
            self.by_text[text] = known
