"""A file as everybody behind it sees it: columns and rows, whatever its form."""

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from domain.errors import InvalidInput, Violation
from domain.text import excerpt

MAX_COLUMNS = 1_000
MAX_TEXT = 1 << 20
"""Characters of a cell."""
MAX_HELD = 1 << 24
"""Characters of the rows that are held at a time; the last of them may be more."""

_UNDECODED = re.compile("[\ud800-\udfff]")


class Unread(NamedTuple):
    """Stands in a cell whose value nobody can know: a code for why, why and what to do, and what is shown of it."""

    code: str
    why: str
    shown: str


Cell = Any
"""A text, an integer, a float, a day or a moment; of JSON a list or a map as well; "" or None for nothing; `Unread`."""


class Row(NamedTuple):
    """A row: the number that people know it by, its cells in the order of the columns, and why it cannot be used."""

    number: int
    cells: list[Cell]
    fault: str = ""

    @property
    def size(self) -> int:
        """About how many characters it has."""
        return sum(len(cell) if type(cell) is str else len(shown_cell(cell)) for cell in self.cells)


def some(rows: Iterator[Row], most: int) -> Iterator[Row]:
    """The next rows, at most so many, and no more than there is room for in memory."""
    size = 0
    for row in islice(rows, most):
        yield row
        size += row.size
        if size > MAX_HELD:
            return


class Table(NamedTuple):
    """A file that is open. `rows` can be gone through once."""

    name: str
    form: str
    """What it was taken for, in a few words."""
    columns: list[str]
    rows: Iterator[Row]
    exact_days: bool = False
    """Whether the number of a day stands for one day only, because the file says how it counts."""
    reader: Any = None
    """What the file is closed with when nothing refers to it any more."""


def shown_cell(value: Any) -> str:
    """A cell or the value of a member as a text."""
    if value is None:
        return ""
    if isinstance(value, Unread):
        return value.shown
    if isinstance(value, date):
        return value.isoformat()
    return msgspec.json.encode(value).decode() if isinstance(value, list | dict) else str(value)


def legible(text: str) -> str:
    """A text with a sign for each byte that is not in the encoding of its file."""
    return text if text.isascii() else _UNDECODED.sub("\ufffd", text)


def unreadable(sentence: str) -> InvalidInput:
    """The refusal of a file as a whole."""
    return InvalidInput([Violation(("file",), sentence, "unreadable")])


def checked_columns(columns: list[str], name: str) -> list[str]:
    """The head of a table. Raises `InvalidInput` where that cannot be one."""
    while columns and not columns[-1]:
        columns.pop()
    if len(columns) > MAX_COLUMNS:
        raise unreadable(f"{name} has {len(columns)} columns, more than {MAX_COLUMNS}; leave out what is not needed")
    if not any(columns):
        raise unreadable(f"{name} is empty; its first row should name the columns")
    seen: set[str] = set()
    for place, column in enumerate(columns, start=1):
        if legible(column) != column:
            raise unreadable(
                f"In {name} the head of column {place} ({excerpt(column)!r}) holds bytes of another encoding;"
                " save the file as UTF-8, or say its `encoding`"
            )
        # Errors of a spreadsheet are no names.
        if column in seen and column and not column.startswith("#"):
            raise unreadable(
                f"{name} has two columns called {excerpt(column)!r} (the second is column {place}); rename one"
            )
        seen.add(column)
    return columns
