"""CSV and its kin: any delimiter, quoted or not, in the common encodings; read line by line."""

import csv
import io
import zlib
from collections.abc import Iterator, Sequence
from typing import IO

from domain.errors import InvalidInput
from files.reading.encodings import SAMPLE, encoding_of, named_encoding, no_text
from files.reading.table import MAX_COLUMNS, MAX_TEXT, Row, Table, checked_columns, unreadable

MAX_LINE = 1 << 21
MAX_ROW = 1 << 22
MAX_LINES = 10_000
"""Characters of a line, of a row, which may go over several, and how many."""

_DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}


def table_of_lines(file: IO[bytes], name: str, sample: bytes, encoding: str | None, packed: int | None = None) -> Table:
    """The table in a text, of so many bytes where it is packed. Raises `InvalidInput`."""
    encoding = named_encoding(encoding) if encoding else encoding_of(file, name, sample, packed)
    beginning = sample.decode(encoding, "ignore")
    if "\0" in beginning:
        raise no_text(name)
    # What is not in it stays what it is, and its row is refused.
    errors = "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    text = io.TextIOWrapper(file, encoding, errors, newline="")
    lines = _Lines(text, name)
    head = [line for line in _first_lines(beginning, is_cut=len(sample) >= SAMPLE) if line.strip("\r\n")]
    if head and head[0].startswith("sep=") and len(head[0].strip()) == 5:
        delimiter = head.pop(0).strip()[4]
        next(lines)
    else:
        delimiter = _delimiter_of(head[0]) if head else ","
    # More than the sample has, so that a quotation mark which nothing closes is found out by the number of cells.
    csv.field_size_limit(MAX_TEXT)
    quoted = _is_quoted(head, delimiter)
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
    columns = checked_columns([cell.strip() for cell in _record(reader, lines, 1) or []], name)
    form = f"text in {_called(encoding)}, cells separated by {_DELIMITERS.get(delimiter, delimiter)}"
    return Table(name, form, columns, _rows(reader, lines, delimiter, len(columns)), reader=text)


def _called(encoding: str) -> str:
    return {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "utf-16": "UTF-16"}.get(encoding, encoding)


def _first_lines(beginning: str, *, is_cut: bool) -> list[str]:
    """The first lines, without one that is cut."""
    lines = beginning.splitlines()
    return lines[:-1] if is_cut and len(lines) > 1 else lines


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
    quoted = list(csv.reader((f"{line}\n" for line in lines), delimiter=delimiter))
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
        self.row: list[str] = []
        """Its lines."""
        self.number = 0
        self.is_at_end = False
        """Whether a line was asked for behind the last."""

    def __next__(self) -> str:
        try:
            line = self._text.readline(MAX_LINE)
        except UnicodeError:
            raise unreadable(f"{self._name} is not all in one encoding; save it as UTF-8") from None
        except (EOFError, OSError, zlib.error) as error:
            raise unreadable(f"{self._name} breaks off: {error}; send it again") from None
        if not line:
            self.is_at_end = True
            raise StopIteration
        self.taken += len(line)
        self.row.append(line)
        if len(line) == MAX_LINE or self.taken > MAX_ROW:
            raise unreadable(f"{self._name} is no table: one of its rows has more than {len(line)} characters")
        if len(self.row) > MAX_LINES:
            raise self.unclosed()
        return line

    def unclosed(self) -> InvalidInput:
        """The refusal of a text with a row whose end cannot be told."""
        return unreadable(
            f"{self._name} has rows that cannot be told apart: row {self.number} opens a quotation mark that is never"
            " closed; close it, or double it if it belongs to the text"
        )


def _record(reader: Iterator[list[str]], lines: _Lines, number: int) -> list[str] | None:
    lines.number, lines.taken = number, 0
    lines.row.clear()
    try:
        cells = next(reader, None)
    except csv.Error as error:
        if len(lines.row) > 1:
            raise lines.unclosed() from None
        raise unreadable(f"row {number} is no row of a table: {error}") from None
    if cells is not None and lines.is_at_end:
        # Only within quotation marks does a row go on behind the end of its line.
        raise lines.unclosed()
    return cells


def _swallows(lines: Sequence[str], delimiter: str) -> bool:
    """Whether a quotation mark that is not closed has made one row of these, up to that which opens the next cell."""
    try:
        return not list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return True


def _rows(reader: Iterator[list[str]], lines: _Lines, delimiter: str, width: int) -> Iterator[Row]:
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
        if len(lines.row) > 1 and _swallows(lines.row, delimiter):
            fault = (
                f"it goes over {len(lines.row)} lines, since a quotation mark in it is not closed;"
                " close it, or double it if it belongs to the text"
            )
        yield Row(number, cells, fault)
