"""JSON lines and JSON: an object a row. Members are columns; those of a definition inside have their own."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import IO, Any

import msgspec

from domain.strict_json import why_not_json
from domain.text import excerpt
from files.reading.delimited import MAX_LINE
from files.reading.table import Row, Table, checked_columns, unreadable
from files.tables import DEFINED_BY, DEFINITIONS

MAX_JSON = 1 << 26
"""Bytes of a JSON text that is read as a whole; JSON lines may be of any length."""

_SAMPLE = 1_000
"""Objects whose members are the columns; a later one has no others."""

_decode = msgspec.json.Decoder().decode
_parts_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


def table_of_json_lines(file: IO[bytes], name: str) -> Table:
    """The table in JSON lines. Raises `InvalidInput`."""
    return _table(_lines(file, name), name, "JSON lines")


def table_of_json(file: IO[bytes], name: str) -> Table:
    """The table in a JSON list of objects, or in the only list of an object. Raises `InvalidInput`."""
    text = file.read(MAX_JSON + 1)
    if len(text) > MAX_JSON:
        raise unreadable(f"{name} has more than {MAX_JSON >> 20} MiB of JSON in one piece; send it as JSON lines")
    try:
        if text.lstrip()[:1] == b"{":
            members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
            lists = [value for value in members.values() if bytes(value).lstrip()[:1] == b"["]
            if len(lists) != 1:
                raise unreadable(f"{name} is no table: send a list of objects, or JSON lines")
            text = bytes(lists[0])
        parts = _parts_of(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(f"{name} is not JSON: {why_not_json(error, text)}") from None
    return _table(((at, bytes(part)) for at, part in enumerate(parts, start=1)), name, "JSON")


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        while line := file.readline(MAX_LINE):
            number += 1
            if len(line) == MAX_LINE:
                raise unreadable(f"line {number} of {name} has more than {MAX_LINE >> 20} MiB; send an object a line")
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.isspace():
                yield number, line
    except (EOFError, OSError, zlib.error) as error:
        raise unreadable(f"{name} breaks off behind line {number}: {error}; send it again") from None


def _table(texts: Iterable[tuple[int, bytes]], name: str, form: str) -> Table:
    objects = ((number, *_object(text)) for number, text in texts)
    first = list(islice(objects, _SAMPLE))
    columns = checked_columns(list(dict.fromkeys(chain.from_iterable(members for _, members, _ in first))), name)
    return Table(name, form, columns, (_row(columns, *found) for found in chain(first, objects)))


def _object(text: bytes) -> tuple[dict[str, Any], str]:
    """The members of an object, and what is wrong with it."""
    try:
        value = _decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return {}, f"it is not JSON: {why_not_json(error, text)}"
    if not isinstance(value, dict):
        return {}, "it is no JSON object"
    for name in DEFINITIONS:
        inner = value.get(name)
        if isinstance(inner, dict):
            del value[name]
            value |= {f"{name}_{member}": inner.get(member) for member in DEFINED_BY}
    return value, ""


def _row(columns: list[str], number: int, members: dict[str, Any], fault: str) -> Row:
    cells = [members.get(name) for name in columns]
    if not fault and len(members) > len(columns) - cells.count(None):
        unknown = sorted(members.keys() - set(columns))
        if unknown:
            fault = f"it has a member {excerpt(unknown[0])!r}, which the objects before have not"
    return Row(number, cells, fault)
