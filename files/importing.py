"""The door: what stands in files is put into the gateway, row by row, as its operations would.

A run reads each file once, or twice where nothing is to be done unless everything can be: the first time everything is
judged, and rolled back. Batches are of a bounded size, each in a transaction of its own, and what is known of the rows
before goes to a temporary file: the length of a file costs no memory.
"""

import asyncio
import hashlib
import math
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, closing, suppress
from functools import partial
from itertools import chain, islice
from typing import IO, Any, NamedTuple, Protocol, Self, TypeVar

import msgspec

from domain.errors import Busy
from domain.importing import AskedRow, Import
from domain.records import Certification
from domain.vocabulary import BulkPolicy, Existing
from files.columns.asking import Asking
from files.columns.members import REASON
from files.columns.recognition import ALL_OTHERS, SAID, SAID_BEFORE, Columns, recognised
from files.columns.refusing import Mended, Refusing, WrongCell, sentence_of
from files.judged import Judged, JudgedBatch
from files.reading.opening import table_of
from files.reading.table import Row, Table, some
from resolvers import imports
from resolvers.importing import Done, Met, Nameable, Planned, Ready, definitions_of, make_ready, put
from resolvers.operation import ROWS_A_TURN, Context

P = TypeVar("P")

BATCH = 500
"""Rows in one transaction."""

TOLD_AFTER = 1.0
"""Seconds until it is stored again how much is judged, which nobody goes on with."""

SAMPLE = 1_000
"""Rows by which columns are recognised."""


class SourceFile(NamedTuple):
    """A file: what it is called, how many bytes it has, and how it is opened, to be closed by whoever reads it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]


class Options(NamedTuple):
    """How files are put in."""

    policy: BulkPolicy = BulkPolicy.REJECT_ALL
    existing: Existing = Existing.UPDATE
    dry_run: bool = False
    columns: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    """By the names of columns what they are, where that is not found out."""
    encoding: str | None = None
    kept_map: bool = True
    """Whether `columns` are those of the newest import of files with the same heads, where none are given."""
    clear_empty: bool = False
    """Whether an empty cell clears what is there; else it changes nothing."""


class Result(NamedTuple):
    """What became of a row of a file."""

    source: str
    row: Row
    done: Done
    notes: Sequence[Mended]
    refused: Sequence[WrongCell]
    """What is wrong with it, column by column; nothing unless it was refused."""

    @property
    def reason(self) -> str:
        """Why it was refused, in a sentence."""
        return sentence_of(self.refused)

    @property
    def outcome(self) -> str:
        """`refused`, or the strongest of what its parts became: `made`, `changed`, `left`."""
        if self.refused:
            return "refused"
        found = {part.outcome for part in self.done.parts}
        if "made" in found:
            return "made"
        return "changed" if found & {"changed", "renewed"} else "left"


class Tally:
    """What became of all rows so far: of rows by outcome, of things such as `product made`, why, and what was noted."""

    def __init__(self, counted: Mapping[str, Mapping[str, int]] | None = None) -> None:
        counted = counted or {}
        self.rows, self.things, self.refusals, self.notes = (
            Counter(counted.get(name, {})) for name in ("rows", "things", "refusals", "notes")
        )

    def plus(self, results: Sequence[Result]) -> Self:
        """These with more rows."""
        made = type(self)(self.counted())
        made.rows.update([result.outcome for result in results])
        made.things.update([f"{part.kind} {part.outcome}" for result in results for part in result.done.parts])
        made.notes.update([f"{note.column}: {note.why}" for result in results for note in result.notes])
        for result in results:
            if result.refused:
                made.refusals.update({each.kind for each in result.refused})
        return made

    def counted(self) -> dict[str, dict[str, int]]:
        """As they are stored."""
        return {name: dict(getattr(self, name)) for name in ("rows", "things", "refusals", "notes")}


class Listener(Protocol):
    """Who is told of a run."""

    def began(self, *, judging: bool, since: "Progress") -> None:
        """A pass begins or goes on: the first of two, which only reads or judges all files, or the one that counts."""

    def opened(self, table: Table, columns: Columns) -> None:
        """A file was opened, and its columns recognised."""

    def telling(self, results: Sequence[Result], position: int) -> None:
        """Rows are about to be stored, so many with all before; told anew where that has to be tried again."""

    def done(self, results: Sequence[Result], share: float) -> None:
        """What was told last was stored; of all bytes that share was read."""


Saved = Callable[[Any, int, float, Tally], Awaitable[None]]
"""Stores how many rows are done by then, what share of the work that is, and what became of them.

In the transaction of a batch, or in one of its own where the batch is not to stay.
"""


class Progress(NamedTuple):
    """How far a run came that did not come to its end."""

    position: int
    totals: Tally
    of: str = ""
    """The id of the import; "" where it is not remembered."""


BEGINNING = Progress(0, Tally())


class Readable(NamedTuple):
    """A file whose columns are known, and what makes of its rows what they ask for."""

    source: SourceFile
    columns: Columns
    asking: Asking


class Prepared(NamedTuple):
    """Files that can be put in, how, and what their rows may name."""

    files: Sequence[Readable]
    options: Options
    known: Mapping[str, Nameable]
    headings: str
    """A digest of the heads of their columns, by which later files of the same source are known."""
    earlier: Import | None
    """The import whose map of columns is used again."""


async def prepared(
    context: Context, sources: Sequence[SourceFile], options: Options, missing: Sequence[Certification] = ()
) -> Prepared:
    """The files with their columns recognised, all of them before anything is done.

    `missing` are private certifications that are made with the rows.
    Raises `InvalidInput` for what is no table or has columns that nobody knows.
    """
    known = await definitions_of(context, missing)
    codes = {noun: frozenset(each.code for each in one.every if each.code) for noun, one in known.items()}
    begun = [await asyncio.to_thread(_begun, source, options) for source in sources]
    heads = [each.names for each in begun]
    earlier = await _earlier(context, heads) if options.kept_map and not options.columns else None
    if earlier:
        # The one with reasons may be there this time only, or have been then.
        there = {ALL_OTHERS, *chain.from_iterable(heads)}
        options = options._replace(columns={name: what for name, what in earlier.map.items() if name in there})
    how = f"{SAID_BEFORE} {earlier.created_at:%Y-%m-%d}" if earlier else SAID
    files = []
    for source, (names, sample, exact) in zip(sources, begun, strict=True):
        columns = recognised(names, sample, options.columns, codes, how)
        files.append(Readable(source, columns, Asking(columns, sample, exact_days=exact, clears=options.clear_empty)))
    headings = _headings([each.columns.own for each in files])
    return Prepared(files, options._replace(kept_map=False), known, headings, earlier)


async def _earlier(context: Context, heads: Sequence[Sequence[str]]) -> Import | None:
    """The import whose map is used again: the newest of files with these heads, or of those that the rows are from."""
    before = [[name for name in names if name != REASON] for names in heads]
    digests = dict.fromkeys([_headings(heads), _headings(before)])
    found = [each for digest in digests if (each := await imports.earlier(context, digest))]
    newest = max(found, key=lambda each: each.id, default=None)
    return newest if newest and newest.map else None


def _headings(heads: Sequence[Sequence[str]]) -> str:
    return hashlib.sha256(msgspec.json.encode(sorted({tuple(sorted(names)) for names in heads}))).hexdigest()


class _Begun(NamedTuple):
    """The head of a table, its first rows, and whether it says how it counts days."""

    names: list[str]
    sample: list[Row]
    exact_days: bool


def _begun(source: SourceFile, options: Options) -> _Begun:
    with closing(source.open()) as file:
        table = table_of(file, source.name, options.encoding)
        return _Begun(table.columns, list(some(table.rows, SAMPLE)), table.exact_days)


async def run(
    context: Context,
    files: Prepared,
    listener: Listener,
    *,
    since: Progress = BEGINNING,
    saved: Saved | None = None,
) -> Tally:
    """Puts the files in; what became of their rows. Under `REJECT_ALL` nothing is done if a row is refused."""
    options = files.options
    if options.dry_run or since.position:
        return await _Going(context, files, listener).run(since, saved)
    if not _is_judged_first(options):
        await _look_through(files, listener)
        return await _Going(context, files, listener).run(since, saved)
    with closing(Judged[_Read]()) as judged:
        totals = await _Going(context, files, listener, judged, judging=True).run(BEGINNING, saved)
        if totals.rows["refused"]:
            return totals
        return await _Going(context, files, listener, judged if judged.is_whole else None).run(since, saved)


async def _look_through(files: Prepared, listener: Listener) -> None:
    """Reads the files to their ends. Raises `InvalidInput` for one that breaks off, before anything is done."""
    listener.began(judging=True, since=BEGINNING)
    read, whole = 0, _size_of(files)
    for each in files.files:
        with closing(each.source.open()) as file:
            table = await asyncio.to_thread(table_of, file, each.source.name, files.options.encoding)
            listener.opened(table, each.columns)
            while await asyncio.to_thread(_passed, table):
                listener.done([], min(1, (read + file.tell()) / whole))
        read += each.source.size


def _passed(table: Table) -> int:
    """How many rows are passed over, a batch at most."""
    passed = 0
    for passed, _ in enumerate(islice(table.rows, BATCH), start=1):
        if passed % ROWS_A_TURN == 0:
            time.sleep(0)
    return passed


def _size_of(files: Prepared) -> int:
    return sum(each.source.size for each in files.files) or 1


def _is_judged_first(options: Options) -> bool:
    return options.policy is BulkPolicy.REJECT_ALL and not options.dry_run


class _Going:
    """One pass over all files. One of two that is `judging` fills `judged`, of which the other makes use."""

    def __init__(
        self,
        context: Context,
        files: Prepared,
        listener: Listener,
        judged: "Judged[_Read] | None" = None,
        *,
        judging: bool = False,
    ) -> None:
        self._context = context.for_part("", None, dry_run=files.options.dry_run)
        self._prepared = files
        self._files, self._options, self._known = files[:3]
        self._listener = listener
        self._judging = judging
        self._judged = judged
        self._passed = 0
        """How many bytes of the files before were read."""
        self._told_at = -math.inf

    async def run(self, since: Progress, saved: Saved | None) -> Tally:
        """Goes over the files; what became of their rows."""
        self._listener.began(judging=self._judging, since=since)
        totals, position = since.totals, 0
        if self._judged and not self._judging:
            self._judged.begin()
        with closing(Met()) as met:
            for each in self._files:
                source = each.source
                with closing(source.open()) as file:
                    table = await asyncio.to_thread(table_of, file, source.name, self._options.encoding)
                    self._listener.opened(table, each.columns)
                    reading = _Reading(each, table, file.tell, several=len(self._files) > 1)
                    async with aclosing(self._batches(reading, position)) as batches:
                        async for batch in batches:
                            known = max(0, min(len(batch.rows), since.position - position))
                            position = batch.position
                            if known:
                                await self._look_again(batch.rows[:known], met)
                            if known < len(batch.rows):
                                rest = batch._replace(rows=batch.rows[known:]) if known else batch
                                totals = await self._put(reading, rest, met, totals, saved)
                self._passed += source.size
                if self._judged and self._judging:
                    self._judged.end()
        return totals

    async def _batches(self, reading: "_Reading", position: int) -> AsyncGenerator["_Batch", None]:
        """The rows of a file, `position` being how many were before; as they were judged, if that is known."""
        if self._judged and not self._judging:
            async with aclosing(_ahead(partial(self._ready, self._judged, reading))) as found:
                async for batch in found:
                    yield batch
            return
        whole = _size_of(self._prepared)
        async with aclosing(_ahead(reading.piece)) as pieces:
            async for rows, read_by_now in pieces:
                position += len(rows)
                yield _Batch(rows, position, min(1, (self._passed + read_by_now) / whole))

    def _ready(self, judged: "Judged[_Read]", reading: "_Reading") -> "_Batch | None":
        """The next batch that was judged, with all that can be made of it before what is there is looked at again."""
        found = judged.next()
        if found is None:
            return None
        rows, position, share, planned = found
        now = make_ready(self._context, self._known, planned)
        return _Batch(rows, position, share, now, reading.results(rows, planned.done))

    async def _look_again(self, batch: Sequence["_Read"], met: Met) -> None:
        """Looks at rows that were done, to know what they are about when a later one says something else of it."""
        asked = [read.asked for read in batch if read.asked is not None]
        if not asked:
            return
        try:
            await put(self._context, asked, self._options.existing, self._known, met, judges=True)
        except Busy:
            if len(batch) == 1:
                raise
            half = len(batch) // 2
            await self._look_again(batch[:half], met)
            await self._look_again(batch[half:], met)

    async def _put(self, reading: "_Reading", batch: "_Batch", met: Met, totals: Tally, saved: Saved | None) -> Tally:
        try:
            return await self._put_at_once(reading, batch, met, totals, saved)
        except Busy:
            if len(batch.rows) == 1:
                raise
        # What a busy machine or others do not let through as a whole may go in parts.
        for half in batch.halves():
            totals = await self._put(reading, half, met, totals, saved)
        return totals

    async def _put_at_once(
        self, reading: "_Reading", batch: "_Batch", met: Met, totals: Tally, saved: Saved | None
    ) -> Tally:
        asked = [read.asked for read in batch.rows if read.asked is not None]
        is_committed = bool(asked) and not self._context.dry_run
        found: list[tuple[Sequence[Result], Tally]] = []

        def tell(done: Sequence[Done]) -> None:
            is_ready = batch.ready is not None and done is batch.ready.planned.done
            results = batch.results if is_ready else reading.results(batch.rows, done)
            # Of several attempts the last counts.
            found[:] = [(results, totals.plus(results))]
            self._listener.telling(results, batch.position)

        async def alongside(transaction: Any, done: Sequence[Done]) -> None:
            tell(done)
            if saved is not None and is_committed and self._is_due():
                await self._save(saved, transaction, batch, found[0][1])

        planned = None
        if asked:
            how = self._options.existing, self._known, met, alongside
            planned = await put(self._context, asked, *how, judges=self._judging, ready=batch.ready)
        else:
            tell([])
        if saved is not None and not is_committed:
            # Where the database is too busy for it, the next batch says how far it is.
            with suppress(Busy):
                async with self._context.database.write() as transaction:
                    await self._save(saved, transaction, batch, found[0][1])
        results, totals = found[0]
        if planned and self._judging and not totals.rows["refused"]:
            await self._keep(batch, planned)
        self._listener.done(results, batch.share)
        return totals

    def _is_due(self) -> bool:
        """Whether it is to be stored how far it is: what is only judged would be written for that alone."""
        now = time.monotonic()
        if self._judging and now < self._told_at + TOLD_AFTER:
            return False
        self._told_at = now
        return True

    async def _keep(self, batch: "_Batch", planned: Planned) -> None:
        """Keeps what was found of a batch, as long as it may be done."""
        if self._judged:
            for _ in self._judged.add(JudgedBatch(batch.rows, batch.position, batch.share, planned)):
                await asyncio.sleep(0)

    async def _save(self, saved: Saved, transaction: Any, batch: "_Batch", totals: Tally) -> None:
        if self._judging:
            # What is judged is not done: whoever goes on begins there anew.
            await saved(transaction, 0, batch.share / 2, BEGINNING.totals)
        elif _is_judged_first(self._options):
            await saved(transaction, batch.position, 0.5 + batch.share / 2, totals)
        else:
            await saved(transaction, batch.position, batch.share, totals)


class _Batch(NamedTuple):
    """Rows of one transaction, how many rows are done with them, and how much of all files is read by then."""

    rows: Sequence["_Read"]
    position: int
    share: float
    ready: Ready | None = None
    """What becomes of them, if all is as it was."""
    results: Sequence[Result] = ()
    """The same as it is told."""

    def halves(self) -> tuple[Self, Self]:
        """The same in two."""
        half = len(self.rows) // 2
        behind = self.position - len(self.rows) + half
        whole = self._replace(ready=None, results=())
        return whole._replace(rows=self.rows[:half], position=behind), whole._replace(rows=self.rows[half:])


class _Read(NamedTuple):
    """A row, what it asks for, what of it cannot be read, and what was noted."""

    row: Row
    place: str
    asked: AskedRow | None
    """None of what is no row of the table."""
    unread: Sequence[WrongCell]
    """Its cells that cannot be read."""
    notes: Sequence[Mended]


class _Piece(NamedTuple):
    """Some rows of a file, and how many of its bytes are read by then."""

    rows: list[_Read]
    read: int


async def _ahead(piece: Callable[[], P | None]) -> AsyncGenerator[P, None]:
    """The pieces of a file up to its end, each read in a thread while the one before is put in."""
    coming = asyncio.ensure_future(asyncio.to_thread(piece))
    try:
        while (come := await asyncio.shield(coming)) is not None:
            coming = asyncio.ensure_future(asyncio.to_thread(piece))
            yield come
    finally:
        # The file is closed next.
        await asyncio.gather(coming, return_exceptions=True)


class _Reading:
    """The rows of a table in batches, each with what it asks for."""

    def __init__(self, readable: Readable, table: Table, read: Callable[[], int], *, several: bool) -> None:
        self._name = readable.source.name
        self._of = f" of {self._name}" if several else ""
        self._table = table
        self._read_by_now = read
        self._asking = readable.asking
        self._refusing = Refusing(readable.columns)

    def piece(self) -> _Piece | None:
        """The next rows; None at the end."""
        found = []
        for row in some(self._table.rows, BATCH):
            found.append(self._read(row))
            if len(found) % ROWS_A_TURN == 0:
                # The thread of the event loop would wait five milliseconds each time for this one to give way.
                time.sleep(0)
        return _Piece(found, self._read_by_now()) if found else None

    def _read(self, row: Row) -> _Read:
        place = f"Row {row.number}{self._of}"
        return _Read(row, place, *self._asking.asked(row, place), self._asking.notes())

    def results(self, batch: Sequence[_Read], done: Sequence[Done]) -> list[Result]:
        """What became of rows, those that were done in the order of the batch."""
        each, found = iter(done), []
        for read in batch:
            its = _NOTHING if read.asked is None else next(each)
            refused = self._refusing.of(read.row, read.place, its, read.unread)
            notes = [*read.notes, *self._refusing.shortened(read.row, its)]
            found.append(Result(self._name, read.row, its, notes, refused))
        return found


_NOTHING = Done([])
