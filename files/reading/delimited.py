"""CSV and its kin: any delimiter, quoted or not, in the common encodings; read line by line."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO

from files.reading.table import MAX_COLUMNS, MAX_TEXT, Row, Table, checked_columns, unreadable

SAMPLE = 1 << 18
"""Bytes that are looked at to find out what a file is."""

MAX_LINE = 1 << 21
MAX_ROW = 1 << 22
"""Characters of a line, and of a row, which may go over several."""

_DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def table_of_lines(file: IO[bytes], name: str, sample: bytes, encoding: str | None) -> Table:
    """The table in a text. Raises `InvalidInput`."""
    encoding = encoding or encoding_of(sample, name)
    try:
        text = io.TextIOWrapper(
            file, encoding, "strict" if encoding.startswith("utf-16") else "surrogateescape", newline=""
        )
    except LookupError:
        raise unreadable(f"{encoding!r} is no encoding that is known; write for example windows-1252") from None
    lines = _Lines(text, name)
    head = [line for line in _beginning(sample, encoding) if line.strip("\r\n")]
    if head and head[0].startswith("sep=") and len(head[0].strip()) == 5:
        delimiter = head.pop(0).strip()[4]
        next(lines)
    else:
        delimiter = _delimiter_of(head[0]) if head else ","
    quoted = _is_quoted(head, delimiter)
    csv.field_size_limit(MAX_TEXT)
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    columns = checked_columns([cell.strip() for cell in _record(reader, lines, 1) or []], name)
    form = f"text in {_called(encoding)}, cells separated by {_DELIMITERS.get(delimiter, delimiter)}"
    return Table(name, form, columns, _rows(reader, lines, len(columns)), reader=text)


def _called(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)


def encoding_of(sample: bytes, name: str) -> str:
    """How a text is written, by its beginning. Raises `InvalidInput` for what is no text."""
    for mark, encoding in _MARKS:
        if sample.startswith(mark):
            return encoding
    if sample[1:2] == b"\0" and sample[3:4] == b"\0":
        return "utf-16-le"
    if b"\0" in sample:
        raise unreadable(f"{name} is no table: it has bytes that no text has; send CSV, XLSX, JSON or JSON lines")
    try:
        sample.decode()
        return "utf-8"
    except UnicodeDecodeError as error:
        # The sample may end within a character.
        if error.start >= len(sample) - 4 and len(sample) >= SAMPLE:
            return "utf-8"
    try:
        sample.decode("windows-1252")
    except UnicodeDecodeError:
        raise unreadable(
            f"{name} is in an encoding that cannot be told; save it as UTF-8, or name it with --encoding"
        ) from None
    return "windows-1252"


def _beginning(sample: bytes, encoding: str) -> list[str]:
    """The first lines, without one that is cut."""
    lines = sample.decode(encoding, "ignore").splitlines()
    return lines[:-1] if len(sample) >= SAMPLE and len(lines) > 1 else lines


def _delimiter_of(head: str) -> str:
    outside = "".join(head.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)


def _is_quoted(lines: Sequence[str], delimiter: str) -> bool:
    """Whether quotation marks stand around cells: not in exports where one is a character like any other.

    The reading in which more rows have as many cells as the head is the right one.
    """
    if delimiter != "\t" or not any('"' in line for line in lines):
        return True
    plain = [line.split(delimiter) for line in lines]
    try:
        quoted = list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
    except csv.Error:
        return False
    width = len(plain[0])
    fit_plain, fit_quoted = (sum(len(row) == width for row in rows) / len(rows) for rows in (plain, quoted))
    if fit_plain != fit_quoted:
        return fit_quoted > fit_plain
    return all(len(cell) > 1 and cell.endswith('"') for row in plain for cell in row if cell.startswith('"'))


class _Lines(Iterator[str]):
    """The lines of a text, none of them longer than a table's are."""

    def __init__(self, text: IO[str], name: str) -> None:
        self._text = text
        self._name = name
        self.taken = 0
        """Characters since the last row began."""

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_LINE)
        except UnicodeError:
            raise unreadable(f"{self._name} is not all in one encoding; save it as UTF-8") from None
        except (EOFError, OSError) as error:
            raise unreadable(f"{self._name} breaks off: {error}; send it again") from None
        if not line:
            raise StopIteration
        self.taken += len(line)
        if len(line) == MAX_LINE or self.taken > MAX_ROW:
            raise unreadable(f"{self._name} is no table: one of its rows has more than {len(line)} characters")
        return line


def _record(reader: Iterator[list[str]], lines: _Lines, number: int) -> list[str] | None:
    lines.taken = 0
    try:
        return next(reader, None)
    except csv.Error as error:
        raise unreadable(f"row {number} is no row of a table: {error}") from None


def _rows(reader: Iterator[list[str]], lines: _Lines, width: int) -> Iterator[Row]:
    number = 1
    while (cells := _record(reader, lines, number + 1)) is not None:
        number += 1
        if not any(cells):
            continue
        missing = width - len(cells)
        fault = ""
        if missing > 0:
            cells += [""] * missing
        elif missing < 0:
            if any(cells[width:]):
                fault = f"it has {min(len(cells), MAX_COLUMNS * 10)} cells, and the head {width}"
            del cells[width:]
        yield Row(number, cells, fault)
