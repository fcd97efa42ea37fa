"""Excel workbooks (.xlsx): the first sheet with anything in it, and those after it with the same head.

A workbook is a ZIP of XML, read as a stream. What the library has to hold as a whole is bounded by the sizes that the
archive declares, behind which Python reads nothing.
"""

import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

from domain.errors import InvalidInput
from domain.text import excerpt
from files.archives.manifest import MANIFEST
from files.reading.table import MAX_COLUMNS, MAX_TEXT, Cell, Row, Table, Unread, checked_columns, unreadable
from files.reading.zips import DAMAGED, is_blown_up

MAX_PART = 1 << 27
"""Bytes that a part other than a sheet may have when it is unpacked; the texts of all sheets are one such part."""

MAX_SHEET = 1 << 32
ROWS = 1_048_576
"""How many rows a sheet can have."""

_NO_WORKBOOK = (*DAMAGED, LookupError, TypeError, AttributeError, SyntaxError)
"""What the library raises of what is none."""


def table_of_workbook(file: IO[bytes], name: str) -> Table:
    """The table in a workbook. Raises `InvalidInput`."""
    _check(file, name)
    # Only those pay for its import who bring a workbook.
    from openpyxl import load_workbook

    try:
        book: Any = load_workbook(file, read_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        while sheets and (first := next(_rows_of(sheets[0]), None)) is None:
            sheets.pop(0)
        if not sheets or first is None:
            raise unreadable(f"{name} is empty; the first row of its first sheet should name the columns")
    except _NO_WORKBOOK as error:
        raise _unreadable(name, error) from None
    columns = checked_columns([_head(cell) for cell in first.cells], name)
    form = f"Excel workbook, sheet {sheets[0].title!r}"
    return Table(name, form, columns, _all(sheets, columns, name), exact_days=True)


def _check(file: IO[bytes], name: str) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except DAMAGED:
        raise unreadable(
            f"{name} is no workbook and no archive that can be read: it is cut short or damaged; send it again"
        ) from None
    names = {part.filename for part in parts}
    if MANIFEST in names:
        raise unreadable(
            f"{name} is an archive of an organisation, which goes in by ./certgate import alone, by itself"
        )
    if "xl/workbook.xml" not in names:
        raise unreadable(f"{name} is an archive, and no Excel workbook; send the files in it")
    for part in parts:
        most = MAX_SHEET if part.filename.startswith("xl/worksheets/") else MAX_PART
        if part.file_size > most or is_blown_up(part):
            raise unreadable(
                f"{name} would become {part.file_size >> 20} MiB large in its part {excerpt(part.filename)},"
                " more than a workbook of people; save it as CSV"
            )
    file.seek(0)


def _unreadable(name: str, error: Exception) -> InvalidInput:
    why = excerpt(str(error).strip(" '\"."), 200)
    return unreadable(f"{name} is no workbook that can be read ({why}); save it again as .xlsx or CSV, and send that")


def _all(sheets: list[Any], columns: list[str], name: str) -> Iterator[Row]:
    try:
        for sheet in sheets:
            rows = _rows_of(sheet)
            head = next(rows, None)
            if head is None or [_head(cell) for cell in head.cells][: len(columns)] != columns:
                continue
            for row in rows:
                cells, fault = row.cells, ""
                # Cells that are empty come up to the widest there may be.
                filled = max((at for at, cell in enumerate(cells, start=1) if cell not in ("", None)), default=0)
                if filled > len(columns):
                    fault = f"it has {filled} cells, and the head {len(columns)}"
                cells = cells[: len(columns)] + [""] * (len(columns) - len(cells))
                yield Row(row.number, cells, fault)
    except _NO_WORKBOOK as error:
        raise _unreadable(name, error) from None


def _rows_of(sheet: Any) -> Iterator[Row]:
    """The rows in which anything stands."""
    # What it says of its own size may be wrong, and rows would be filled up to it.
    sheet.reset_dimensions()
    for number, row in enumerate(sheet.iter_rows(max_row=ROWS, max_col=MAX_COLUMNS + 1), start=1):
        cells = [_value(cell) for cell in row]
        if any(cell != "" for cell in cells):
            yield Row(number, cells)


def _value(cell: Any) -> Cell:
    value, kind = cell.value, cell.data_type
    if value is None:
        return ""
    if kind == "f":
        return Unread("formula", "it is a formula; put its value there instead", str(value)[:100])
    if kind == "e":
        return Unread("cell_error", "it is an error of the spreadsheet; correct it", str(value)[:20])
    if isinstance(value, datetime):
        # A day is a moment at midnight for Excel.
        return value.date() if value.time() == value.time().min else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    return value[:MAX_TEXT] if isinstance(value, str) else value


def _head(cell: Cell) -> str:
    return str(cell).strip() if cell is not None and not isinstance(cell, Unread) else ""
