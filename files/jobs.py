"""Imports that go on behind the requests that began them: the files that came, what became of their rows, and the work.

A file lies in a folder until it is done, with what the request said of it, so that a server that is started again goes
on with what one before it left. What became of the rows stays there for a month.
"""

import asyncio
import errno
import hashlib
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from domain.access import Caller, Permission, require
from domain.errors import Busy, DomainError, InvalidInput, NotFound, Violation
from domain.importing import (
    MAX_TOLD,
    GetImportReport,
    Import,
    ImportedRow,
    ImportedRows,
    ListImportedRows,
    StartImport,
)
from domain.short_id import ShortId, new_short_id
from domain.vocabulary import Face, ImportState, RowOutcome
from files.columns.members import every_target
from files.csv import lines_of
from files.importing import BEGINNING, Options, Prepared, Progress, Result, SourceFile, prepared
from files.imports import digest_of, go_on, may_be_alive, new_import, worker
from files.reading.table import shown_cell
from files.reports import Report, ToldRow, told
from resolvers import imports
from resolvers.operation import SCAN_UNITS, Context

AT_ONCE = 2
"""Imports that a process does at once; others wait for their turn."""

MOST = 10
"""Imports of one organisation that may go on or wait."""

KEPT = timedelta(days=30)
"""How long it can be asked what became of the rows."""

PAGE = 100
"""Rows of an answer, of at most so many bytes that are looked through."""
_LOOKED_THROUGH = 1 << 20

_encode = msgspec.json.encode
_ENDED = "The key or the membership with which it was begun has ended; put the file in again with another one."
_NO_ROOM = "There is no room for files that are put in; put it in again when the operator has made some."
_DEFECT = "A defect of the gateway; its log has it under the id of the import."

log = logging.getLogger("certgate.imports")


class _Asked(NamedTuple):
    """What is remembered of a request: for whom, under which name, and how."""

    caller: Caller
    name: str
    options: Options


class Jobs:
    """The imports of one process. `folder` is shared by those of one machine; it is made when the first file comes."""

    def __init__(self, database: Any, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    @property
    def targets(self) -> list[str]:
        """What columns can be."""
        return every_target()

    async def start(
        self, context: Context, asked: StartImport, parts: AsyncIterator[bytes], *, id: ShortId | None = None
    ) -> Import:
        """Takes a file in and begins its import, unless it shows at once that it cannot be done.

        With an `id` it takes the place of the import that has it, if there is one. Raises `Forbidden`, `InvalidInput`,
        `RateLimited`, `AlreadyExists` where the same file is being put in just now, and `Busy` where too many are.
        """
        require(context.caller, Permission.WRITE)
        await context.pay(SCAN_UNITS)
        going = [each for each in await imports.latest_imports(context) if each.state is ImportState.RUNNING]
        if len(going) >= MOST:
            raise Busy(f"{MOST} imports of your organisation go on or wait; try again when one has ended.", 60)
        options = Options(
            asked.policy, asked.existing, asked.dry_run, asked.map, asked.encoding, asked.kept_map, asked.clear_empty
        )
        with _room():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            arriving = self._folder / f"{new_short_id(context.now)}.part"
            try:
                await _save(parts, arriving)
                source = _source(arriving, asked.name)
                files = await prepared(context, [source], options)
                begun = await self._begun(context, files, id)
                arriving.replace(self._folder / f"{begun.id}.data")
            finally:
                arriving.unlink(missing_ok=True)
        remembered = _Asked(context.caller, asked.name, files.options)
        try:
            with _room():
                (self._folder / f"{begun.id}.json").write_bytes(msgspec.json.encode(remembered))
        except Busy as error:
            await imports.fail(self._database, begun, error.detail)
            self._forget(begun.id)
            raise
        self._go_on(begun, remembered)
        return begun

    async def _begun(self, context: Context, files: Prepared, id: ShortId | None) -> Import:
        digest = await asyncio.to_thread(digest_of, context, files)
        digest = hashlib.sha256(f"{digest} over HTTP".encode()).hexdigest()
        return await imports.begin(
            self._database,
            context.caller,
            new_import(files, digest),
            worker=worker(),
            is_alive=lambda other, heard: other == worker() or may_be_alive(other, heard),
            id=id,
        )

    def _go_on(self, begun: Import, asked: _Asked) -> None:
        task = asyncio.get_running_loop().create_task(self._do(begun, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, begun: Import, asked: _Asked) -> None:
        async with self._turns:
            if self._is_stopping:
                return
            try:
                with _room():
                    await self._put_in(begun, asked)
            except _Stopped:
                return
            except DomainError as error:
                log.warning("The import %s has failed: %s", begun.id, error.detail)
                await imports.fail(self._database, begun, error.detail)
            except Exception:
                log.exception("The import %s has failed.", begun.id)
                await imports.fail(self._database, begun, _DEFECT)
            self._forget(begun.id)

    async def _put_in(self, begun: Import, asked: _Asked) -> None:
        context = Context(self._database, asked.caller, face=Face.IMPORT.value, request_id=begun.id)
        report, is_over = _Kept(self._folder / begun.id, is_going=lambda: not self._is_stopping), True
        try:
            source = _source(self._folder / f"{begun.id}.data", asked.name)
            await go_on(context, begun, await prepared(context, [source], asked.options), report)
        except _Stopped:
            is_over = False
            raise
        finally:
            report.close()
            if is_over:
                report.finished()

    async def resume(self) -> None:
        """Goes on with what processes have left that are no more, and forgets what is a month old."""
        if not self._folder.is_dir():
            return
        for file in sorted(self._folder.glob("*.json")):
            asked = msgspec.json.decode(file.read_bytes(), type=_Asked)
            found = await imports.take_over(self._database, ShortId(file.stem), worker(), may_be_alive)
            if found is not None:
                await self._resume(found, asked)
        old = datetime.now(UTC) - KEPT
        for folder in self._folder.iterdir():
            if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < old:
                await asyncio.to_thread(shutil.rmtree if folder.is_dir() else Path.unlink, folder)

    async def finish(self) -> None:
        """Returns when none goes on any more."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _resume(self, found: Import, asked: _Asked) -> None:
        caller = await imports.caller_now(self._database, asked.caller)
        if caller is not None:
            self._go_on(found, asked._replace(caller=caller))
            return
        await imports.fail(self._database, found, _ENDED)
        self._forget(found.id)

    def _forget(self, id: ShortId) -> None:
        for suffix in (".data", ".json"):
            (self._folder / f"{id}{suffix}").unlink(missing_ok=True)

    async def stop(self) -> None:
        """Stops between two batches; the next process goes on."""
        self._is_stopping = True
        await self.finish()

    async def rows(self, context: Context, asked: ListImportedRows) -> ImportedRows:
        """What became of some rows. Raises `NotFound`."""
        of = await imports.import_of_id(context, asked.id)
        return await asyncio.to_thread(_page, self._folder / of.id / "rows.jsonl", asked)

    async def refused_rows(self, context: Context, id: ShortId) -> Path | None:
        """The file of the rows that were refused, None where none was. Raises `NotFound`."""
        folder = await self._kept_of(context, id)
        files = (folder / name for name in ("refused.csv", "refused.jsonl"))
        return next((file for file in files if file.exists()), None)

    async def report(self, context: Context, asked: GetImportReport) -> AsyncIterator[bytes]:
        """What became of the rows so far, as a CSV in parts. Raises `NotFound` and `RateLimited`."""
        folder = await self._kept_of(context, asked.id)
        await context.pay(SCAN_UNITS)
        return _report(folder / "rows.jsonl", asked)

    async def _kept_of(self, context: Context, id: ShortId) -> Path:
        """The folder with what became of the rows of an import, once there are any. Raises `NotFound`."""
        of = await imports.import_of_id(context, id)
        folder = self._folder / of.id
        if of.finished_at is None or folder.exists():
            return folder
        raise NotFound(f"What became of the rows of {of.id} is not kept any more; that is for {KEPT.days} days.")


class _Stopped(Exception):
    """Ends the work between two batches, since the process ends."""


class _Kept(Report):
    """What became of the rows, kept as JSON lines, of which some can be read without those before."""

    rows = "rows.jsonl"

    def __init__(self, folder: Path, *, is_going: Callable[[], bool]) -> None:
        super().__init__(folder)
        self._is_going = is_going

    def began(self, *, judging: bool, since: Progress = BEGINNING) -> None:
        """Begins anew, but for what a process before has left."""
        super().began(judging=judging, since=since)
        if not self.goes_on:
            for name in ("refused.csv", "refused.jsonl"):
                (self._folder / name).unlink(missing_ok=True)

    def _begin_rows(self, file: IO[str]) -> None:
        self._lines = file

    def _name_of_refused(self, source: str) -> str:
        return "refused"

    def _add(self, result: Result) -> None:
        self._lines.writelines(f"{_encode(_kept(line)).decode()}\n" for line in told(result))

    def done(self, results: Sequence[Result], share: float) -> None:
        """What was told is stored."""
        super().done(results, share)
        if not self._is_going():
            raise _Stopped


def _kept(line: ToldRow) -> ImportedRow:
    before, after = (None if value is None else shown_cell(value)[:MAX_TOLD] for value in (line.before, line.after))
    outcome = RowOutcome(line.outcome)
    return ImportedRow(line.row, outcome, line.kind, line.of, line.member, before, after, line.reason[:MAX_TOLD])


@contextmanager
def _room() -> Iterator[None]:
    """Raises `Busy` where the disk of the folder is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        log.warning("There is no room in CERTGATE_IMPORT_FOLDER (%s).", error)
        raise Busy(_NO_ROOM, 30, "no room for files") from error


async def _save(parts: AsyncIterator[bytes], file: Path) -> None:
    with file.open("wb") as target:
        async for part in parts:
            await asyncio.to_thread(target.write, part)


def _source(file: Path, name: str) -> SourceFile:
    return SourceFile(name, file.stat().st_size if file.exists() else 0, lambda: file.open("rb"))


async def _report(file: Path, asked: GetImportReport) -> AsyncIterator[bytes]:
    yield lines_of([ImportedRow.__struct_fields__])
    after: int | None = 0
    while after is not None:
        asked_for = ListImportedRows(id=asked.id, outcome=asked.outcome, after=after)
        rows, after = await asyncio.to_thread(_page, file, asked_for)
        if rows:
            yield lines_of(["" if cell is None else cell for cell in msgspec.structs.astuple(row)] for row in rows)


def _page(file: Path, asked: ListImportedRows) -> ImportedRows:
    found: list[ImportedRow] = []
    decode = msgspec.json.Decoder(ImportedRow).decode
    try:
        with file.open("rb") as lines:
            lines.seek(asked.after)
            while len(found) < PAGE and lines.tell() < asked.after + _LOOKED_THROUGH:
                line = lines.readline()
                if not line.endswith(b"\n"):
                    return ImportedRows(found, None)
                row = decode(line)
                if asked.outcome is None or row.outcome == asked.outcome:
                    found.append(row)
            return ImportedRows(found, lines.tell())
    except FileNotFoundError:
        return ImportedRows([], None)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = "Input should be the `next` of the page before"
        raise InvalidInput([Violation(("after",), message, "cursor")]) from None
