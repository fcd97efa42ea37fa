"""JSON as both faces take it: UTF-8, no NaN, no lone surrogates, no endless nesting, and no name twice in an object.

Two readers of a text that says a name twice may see two requests in it (RFC 8259 section 4).
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec

MAX_PARTS = 20_000
"""Names, and lists and objects, in a text."""

_decode = msgspec.json.Decoder().decode
_WHITESPACE = b" \t\r\n"


class NotJson(Exception):
    """A text that is not taken for JSON; the message says why, as a part of a sentence."""


class NamedTwice(NotJson):
    """An object in it has a name twice. `name` is quoted, and shortened."""

    def __init__(self, name: str) -> None:
        self.name = json.dumps(name[:100])
        super().__init__(f"the name {self.name} stands twice in one object")


class NestedTooDeeply(NotJson):
    """It has more levels than can be read."""

    def __init__(self) -> None:
        super().__init__("it is nested too deeply")


class TooMuch(NotJson):
    """It has more names, lists and objects than anybody has to send."""

    def __init__(self) -> None:
        super().__init__(f"it has more than {MAX_PARTS} names, lists and objects")


def is_too_much(text: bytes) -> bool:
    """Whether making its parts would take longer than reading it: what looks like a part counts in strings, too."""
    return text.count(b"[") + text.count(b"{") > MAX_PARTS or names_in(text) > MAX_PARTS


def decode(text: bytes) -> Any:
    """The value that a text stands for. Raises `NotJson`."""
    if len(text) > MAX_PARTS and is_too_much(text):
        raise TooMuch
    try:
        value = _decode(text)
        # As many names as were kept: none was given twice, of which msgspec would keep the last.
        if names_in(text) != count_names(value):
            json.loads(text, object_pairs_hook=_refuse_duplicates)
    except RecursionError:
        raise NestedTooDeeply from None
    except (msgspec.DecodeError, ValueError) as error:
        raise NotJson(why_not_json(error, text)) from None
    return value


def why_not_json(error: Exception, text: bytes) -> str:
    """What is wrong with a text. msgspec calls it truncated where its last text ends with half of a surrogate pair."""
    if isinstance(error, UnicodeDecodeError):  # its place is within one string of the text
        return "it is not encoded in UTF-8"
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return str(error)
    return "a \\u escape stands for half of a surrogate pair" if b"\\u" in text else str(error)


def names_in(text: bytes) -> int:
    """How many names a JSON text has, or more: a quote and a colon inside a string look like the end of one."""
    return text.translate(None, _WHITESPACE).count(b'":')


def count_names(value: Any) -> int:
    """How many names all objects of a JSON value have together."""
    inner: Iterable[Any]
    if type(value) is dict:
        count, inner = len(value), value.values()
    elif type(value) is list:
        count, inner = 0, value
    else:
        return 0
    for item in inner:
        if type(item) is dict or type(item) is list:
            count += count_names(item)
    return count


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise NamedTwice(name)
        names.add(name)
