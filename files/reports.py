"""What an import did, as files: every row with what became of it, and the refused rows once more to be corrected."""

import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from itertools import compress, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from domain.changes import differences
from domain.renewal import in_words
from files.columns.members import REASON
from files.columns.recognition import Columns
from files.importing import BEGINNING, Progress, Result, Tally
from files.reading.table import Cell, Table, shown_cell

ROWS = ("file", "row", "outcome", "kind", "of", "member", "before", "after", "reason")
UNFINISHED = "unfinished.jsonl"


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
        if part.outcome == "renewed":
            yield ToldRow(*place, "renewed", part.kind, part.called, reason=in_words(part.change))
        elif part.outcome != "changed":
            yield ToldRow(*place, part.outcome, part.kind, part.called)
            continue
        for found in differences(part.change.before, part.change.after):
            member = ".".join(found.path)
            yield ToldRow(*place, "changed", part.kind, part.called, member, found.before, found.after)


class _Lengths(NamedTuple):
    """How long the files of a report are when so many rows of an import are told."""

    of: str
    position: int
    sizes: dict[str, int]


class Report:
    """The files of one run, in a folder: `rows.csv`, `summary.json`, and of each file its refused rows.

    What becomes of rows is written before it is stored. `unfinished.jsonl` says how long the files are after each
    batch: an import that goes on cuts them back to what is stored.
    """

    rows = "rows.csv"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._open: dict[str, IO[str]] = {}
        self._sizes: dict[str, int] = {}
        self._of = ""
        self._is_told = False
        self.goes_on = False
        """Whether it has what became of the rows before, too."""
        self._places: IO[bytes] | None = None
        self._lines: Any = None
        self._refused: dict[str, _Refused] = {}
        self._columns = Columns([])
        self._is_json = False

    def began(self, *, judging: bool, since: Progress = BEGINNING) -> None:
        """Begins anew, for what was only judged is judged again when it is done; or goes on with what there is."""
        self.close()
        place = self._place_of(since)
        self._of, self._sizes = since.of, place.sizes if place else {}
        self.goes_on = place is not None
        if self._of:
            self._places = (self._folder / UNFINISHED).open("ab" if place else "wb")
        else:
            (self._folder / UNFINISHED).unlink(missing_ok=True)
        self._cut_back()

    def refused_before(self) -> Iterator[str]:
        """Why rows were refused that it has from before, in sentences."""
        for name in self._sizes:
            with (self._folder / name).open(encoding="utf-8", errors="surrogateescape", newline="") as file:
                if name.startswith("refused") and name.endswith(".csv"):
                    yield from (row[-1] for row in islice(csv.reader(file), 1, None))
                elif name.startswith("refused"):
                    yield from (msgspec.json.decode(line)["reason"] for line in file)

    def _place_of(self, since: Progress) -> _Lengths | None:
        """How the files were when that was stored; None where they do not tell what became of those rows."""
        if not since.position:
            return None
        places, found, end, length = self._folder / UNFINISHED, None, 0, 0
        try:
            with places.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    length += len(line)
                    place = msgspec.json.decode(line, type=_Lengths)
                    if place[:2] == (since.of, since.position):
                        found, end = place, length
            if found is None or any((self._folder / each).stat().st_size < size for each, size in found.sizes.items()):
                return None
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        os.truncate(places, end)
        return found

    def _cut_back(self) -> None:
        """Opens the files as they were when what they tell was stored."""
        new = self._open.keys() - self._sizes.keys()
        # What there is no room for is cut off anyhow.
        with suppress(OSError):
            self._close_files()
        for name in new:
            (self._folder / name).unlink()
        for name, size in self._sizes.items():
            os.truncate(self._folder / name, size)
        self._begin_rows(self._opened(self.rows))
        self._is_told = False

    def _begin_rows(self, file: IO[str]) -> None:
        self._lines = csv.writer(file)
        if self.rows not in self._sizes:
            self._lines.writerow(ROWS)

    def opened(self, table: Table, columns: Columns) -> None:
        """A file was opened."""
        self._columns = columns
        self._is_json = table.form.startswith("JSON")

    def telling(self, results: Sequence[Result], position: int) -> None:
        """Tells what becomes of rows, instead of what was told last where that was not stored."""
        if self._is_told:
            self._cut_back()
        self._is_told = True
        for result in results:
            self._add(result)
            if result.refused:
                self._refused_of(result.source).add(result.row.cells, result.reason)
        for file in self._open.values():
            file.flush()
        if self._places is not None:
            self._places.write(msgspec.json.encode(_Lengths(self._of, position, self._told_sizes())) + b"\n")
            self._places.flush()

    def done(self, results: Sequence[Result], share: float) -> None:
        """What was told is stored."""
        self._sizes, self._is_told = self._told_sizes(), False

    def _told_sizes(self) -> dict[str, int]:
        return self._sizes | {name: file.tell() for name, file in self._open.items()}

    def _add(self, result: Result) -> None:
        self._lines.writerows([map(shown_cell, line) for line in told(result)])

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
        self.finished()
        return [self._folder / name for name in ("summary.json", *self._sizes)]

    def finished(self) -> None:
        """Nothing more will be told."""
        self._sizes = self._told_sizes()
        self.close()
        (self._folder / UNFINISHED).unlink(missing_ok=True)

    def _opened(self, name: str) -> IO[str]:
        # What is not in the file's own encoding is written back as it was.
        mode = "a" if name in self._sizes else "w"
        file = (self._folder / name).open(mode, encoding="utf-8", errors="surrogateescape", newline="")
        self._open[name] = file
        return file

    def _close_files(self) -> None:
        # All of them, also where one has no room for its last lines.
        with ExitStack() as stack:
            while self._open:
                stack.callback(self._open.popitem()[1].close)
            self._refused.clear()

    def close(self) -> None:
        """Closes its files, without what was told and not stored."""
        with ExitStack() as stack:
            if self._places is not None:
                stack.callback(self._places.close)
                self._places = None
            stack.callback(self._close_files)
            if self._is_told:
                self._cut_back()


class _Refused:
    """The refused rows of one file: all of their own cells, and the reason in place of one from before.

    A file that has something else in a column of that name keeps it, and `rows.csv` alone says why.
    """

    def __init__(self, file: IO[str], columns: Columns, *, is_json: bool) -> None:
        self._file = file
        self._columns = columns.own
        self._is_own = [not column.is_reason for column in columns.columns]
        self._says_why = REASON not in self._columns
        self._table: Any = None
        if not is_json:
            self._table = csv.writer(file)
            if file.tell() == 0:
                self._table.writerow([*self._columns, *([REASON] if self._says_why else [])])

    def add(self, cells: Sequence[Cell], reason: str) -> None:
        """Writes one row."""
        own = list(compress(cells, self._is_own))
        if self._table is not None:
            self._table.writerow([*map(shown_cell, own), *([reason] if self._says_why else [])])
            return
        # With null where a row lacks a member: all of the file's columns are in it, by which it is known.
        row = dict(zip(self._columns, own, strict=True))
        if self._says_why:
            row[REASON] = reason
        self._file.write(msgspec.json.encode(row).decode() + "\n")
