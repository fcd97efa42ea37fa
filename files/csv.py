"""CSV as RFC 4180 has it, in UTF-8, with cells that a spreadsheet does not run.

A text that begins with one of `= + - @`, a tab, a line end or an apostrophe gets an apostrophe before it (OWASP, "CSV
injection"). One at the beginning of a cell is therefore always ours: a reader takes it away, and has what was stored.

For Excel there is a byte order mark, and texts with a digit are written as `="00012345678905"`: it would make numbers
and dates of them otherwise, and lose zeros. Inside, a quotation mark is doubled.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date

from domain.records import Record
from files.tables import Cell, Column, cells

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_RUN = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_LONGEST = 255
"""How long a text in a formula of Excel may be."""


async def csv_of(
    pages: AsyncIterator[Sequence[Record]], columns: Sequence[Column], *, for_excel: bool
) -> AsyncIterator[bytes]:
    """The file in parts, one a page, the first of them with the head."""
    write = _for_excel if for_excel else _plain
    head = (BYTE_ORDER_MARK if for_excel else b"") + _lines([[column.name for column in columns]])
    async for page in pages:
        yield head + _lines([[write(cell) for cell in cells(record, columns)] for record in page])
        head = b""
    if head:
        yield head


def lines_of(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows of one's own in the same form."""
    return _lines([[_plain(cell) for cell in row] for row in rows])


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_RUN) else cell
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _for_excel(cell: Cell) -> str:
    if isinstance(cell, str) and len(cell) <= _LONGEST and any(map(str.isdigit, cell)) and "\n" not in cell:
        doubled = cell.replace('"', '""')
        return f'="{doubled}"'
    return _plain(cell)
