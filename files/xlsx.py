"""An Excel workbook: texts as texts, so that a GTIN keeps its zeros and nothing is run, and days as days.

The library writes each row to a file in a temporary folder, so that the length of a list costs disk and no memory; and
the workbook can be read when it is whole, not before. Its work is done in a thread, a page at a time.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from domain.records import Record
from files.tables import Cell, Column, cells

ROWS = 1_048_575
"""How many rows a sheet holds below its head; what is more goes to another one."""

LONGEST = 32_767
"""How many characters a cell holds; what is longer is cut."""

FIRST_YEAR = 1900
"""What lies before it is no day for Excel, and stands there as a text."""

PART = 1 << 16
"""Bytes that are sent at once."""


async def xlsx_of(pages: AsyncIterator[Sequence[Record]], columns: Sequence[Column], name: str) -> AsyncIterator[bytes]:
    """The file in parts, once all pages were read. `name` is what the sheet is called."""
    with TemporaryDirectory(prefix="certgate-") as folder:
        made = Path(folder) / "made.xlsx"
        book = _Book(made, folder, columns, name)
        try:
            async for page in pages:
                await asyncio.to_thread(book.add, page)
        finally:
            # Also where nobody wants it any more: it has files open.
            await asyncio.to_thread(book.close)
        with made.open("rb") as file:
            while part := file.read(PART):
                yield part


class _Book:
    """A workbook while it is written."""

    def __init__(self, file: Path, folder: str, columns: Sequence[Column], name: str) -> None:
        # Only those pay for its import who ask for it.
        from xlsxwriter import Workbook

        # Who stops waiting for a page does not stop the thread that writes it.
        self._writing = Lock()
        self._columns = columns
        self._name = name
        self._book: Any = Workbook(str(file), {"constant_memory": True, "tmpdir": folder, "in_memory": False})
        self._head = self._book.add_format({"bold": True})
        self._day = self._book.add_format({"num_format": "yyyy-mm-dd"})
        self._moment = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._sheets = 0
        self._new_sheet()

    def _new_sheet(self) -> None:
        self._sheets += 1
        self._sheet: Any = self._book.add_worksheet(self._name + (f" {self._sheets}" if self._sheets > 1 else ""))
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(self._columns) - 1, 18)
        for at, column in enumerate(self._columns):
            self._sheet.write_string(0, at, column.name, self._head)
        self._row = 0

    def add(self, page: Sequence[Record]) -> None:
        """Writes the records, a row each."""
        with self._writing:
            for record in page:
                if self._row == ROWS:
                    self._new_sheet()
                self._row += 1
                for at, cell in enumerate(cells(record, self._columns)):
                    if cell != "":
                        self._write(at, cell)

    def _write(self, at: int, cell: Cell) -> None:
        if isinstance(cell, date) and cell.year >= FIRST_YEAR:
            if isinstance(cell, datetime):
                # In UTC, as everywhere; Excel knows no offsets.
                self._sheet.write_datetime(self._row, at, cell.replace(tzinfo=None), self._moment)
            else:
                self._sheet.write_datetime(self._row, at, cell, self._day)
        elif isinstance(cell, int):
            self._sheet.write_number(self._row, at, cell)
        else:
            self._sheet.write_string(self._row, at, str(cell)[:LONGEST])

    def close(self) -> None:
        """Makes the file of what was written."""
        with self._writing:
            self._book.close()
