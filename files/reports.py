"""What an import did, as files: every row with what became of it, and the refused rows once more to be corrected."""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from domain.changes import differences
from files.columns.recognition import Columns
from files.importing import Result, Tally
from files.reading.table import Cell, Table, shown_cell

ROWS = ("file", "row", "outcome", "kind", "of", "member", "before", "after", "reason")


class ToldRow(NamedTuple):
    """One thing that became of a row, as it is told."""

    file: str
    row: int
    outcome: str
    kind: str = ""
    of: str = ""
    member: str = ""
    before: Any = ""
    after: Any = ""
    reason: str = ""


def told(result: Result) -> Iterator[ToldRow]:
    """What became of a row: a line for each thing that was made or left, and for each member that changed."""
    place = result.source, result.row.number
    for note in result.notes:
        yield ToldRow(*place, "noted", member=note.column, reason=f"{note.what}: {note.why}")
    for refused in result.refused:
        yield ToldRow(*place, "refused", member=refused.column, before=refused.value, reason=refused.sentence)
    for part in result.done.parts:
        if part.outcome != "changed":
            yield ToldRow(*place, part.outcome, part.kind, part.called)
            continue
        for found in differences(part.change.before, part.change.after):
            member = ".".join(found.path)
            yield ToldRow(*place, "changed", part.kind, part.called, member, found.before, found.after)


class Report:
    """The files of one run, in a folder: `rows.csv`, `summary.json`, and of each file its refused rows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mode = "w"
        folder.mkdir(parents=True, exist_ok=True)
        self._open: list[IO[str]] = []
        self._written: list[str] = []
        self._rows: Any = None
        self._refused: dict[str, _Refused] = {}
        self._columns: list[str] = []
        self._is_json = False

    def began(self, *, judging: bool) -> None:
        """Begins anew: what was only judged is judged again when it is done."""
        self.close()
        self._written.clear()
        self._rows = csv.writer(self._opened("rows.csv"))
        self._rows.writerow(ROWS)

    def opened(self, table: Table, columns: Columns) -> None:
        """A file was opened."""
        self._columns = table.columns
        self._is_json = table.form.startswith("JSON")

    def done(self, results: Sequence[Result], share: float) -> None:
        """Rows were done."""
        for result in results:
            self._rows.writerows([map(shown_cell, line) for line in told(result)])
            self._add_refused(result)

    def _add_refused(self, result: Result) -> None:
        if result.refused:
            self._refused_of(result.source).add(result.row.cells, result.reason)

    def _refused_of(self, source: str) -> "_Refused":
        if source not in self._refused:
            file = self._opened(f"{self._name_of_refused(source)}.{'jsonl' if self._is_json else 'csv'}")
            self._refused[source] = _Refused(file, self._columns, is_json=self._is_json)
        return self._refused[source]

    def _name_of_refused(self, source: str) -> str:
        return f"refused-{re.sub(r'[^A-Za-z0-9._-]', '_', Path(source).stem)[:100]}"

    def ended(self, totals: Tally) -> list[Path]:
        """The run has ended; the files, those of refused rows last."""
        (self._folder / "summary.json").write_bytes(
            msgspec.json.format(msgspec.json.encode(totals.counted()), indent=2)
        )
        self.close()
        return [self._folder / name for name in ("summary.json", *self._written)]

    def _opened(self, name: str) -> IO[str]:
        # What is not in the file's own encoding is written back as it was.
        file = (self._folder / name).open(self._mode, encoding="utf-8", errors="surrogateescape", newline="")
        self._open.append(file)
        self._written.append(name)
        return file

    def close(self) -> None:
        """Closes its files."""
        while self._open:
            self._open.pop().close()
        self._refused.clear()


class _Refused:
    """The refused rows of one file: all of their own cells, and the reason."""

    def __init__(self, file: IO[str], columns: Sequence[str], *, is_json: bool) -> None:
        self._file = file
        self._columns = columns
        self._table: Any = None
        if not is_json:
            self._table = csv.writer(file)
            if file.tell() == 0:
                self._table.writerow([*columns, "reason"])

    def add(self, cells: Sequence[Cell], reason: str) -> None:
        """Writes one row."""
        if self._table is not None:
            self._table.writerow([*map(shown_cell, cells), reason])
            return
        row = {name: cell for name, cell in zip(self._columns, cells, strict=True) if cell is not None}
        self._file.write(msgspec.json.encode(row | {"reason": reason}).decode() + "\n")
