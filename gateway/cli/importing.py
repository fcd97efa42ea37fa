"""The command that puts files in."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from domain.vocabulary import BulkPolicy, Existing, Role
from gateway.cli.common import CallersPath, FailedCommand, on_database, read_settings
from gateway.starting import begin_quickly, collect_garbage

if TYPE_CHECKING:
    from db.engine.database import Database
    from files.archives.reading import Missing
    from files.importing import Options, Result, SourceFile, Tally

_POLICIES = {policy.name.lower().replace("_", "-"): policy for policy in BulkPolicy}
_SHOWN = 10
"""How many changes and refusals are shown; all are in the report."""


_COLUMNS_SHOWN = 40

_ENDS = ("expiration_date", "expiry_date")
"""The members that say when a certificate ends."""


def _read_map(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    pairs = [pair.rpartition("=") for pair in given]
    if any(not between or not column.strip() or not target.strip() for column, between, target in pairs):
        raise click.BadParameter('Write "COLUMN=MEMBER", for example "EAN=gtin".')
    return {column.strip(): target.strip() for column, _, target in pairs}


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=CallersPath(allow_dash=True))
@click.option("--organization", required=True, metavar="SLUG", help="For whom: this organisation owns what is made.")
@click.option("--dry-run", is_flag=True, help="Judge every row and show what would be done, and do nothing.")
@click.option(
    "--policy",
    type=click.Choice([*_POLICIES]),
    default="reject-all",
    help="reject-all: nothing is done if a row is refused (the default). ignore-failed: the others are done.",
)
@click.option(
    "--existing",
    type=click.Choice([each.value for each in Existing]),
    default="update",
    help="Of what is there already: update it (the default), skip the row, or refuse it.",
)
@click.option("--clear-empty", is_flag=True, help="An empty cell clears what is there; else it changes nothing.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar='"A=b"',
    callback=_read_map,
    help="What a column is, where that is not found out: a member (gtin, product_name, certification.valid_from),"
    ' metadata, or nothing. "*=metadata" or "*=nothing" is for all others. Can be given several times.',
)
@click.option(
    "--kept-map/--no-kept-map",
    default=True,
    help="Without --map, columns are what the newest import of a file with the same heads was told (the default).",
)
@click.option("--encoding", help="How a text is encoded, where that is not found out, such as windows-1250.")
@click.option(
    "--report",
    type=CallersPath(file_okay=False),
    metavar="DIR",
    help="Write there what became of every row, and the refused rows with the reason, to be corrected.",
)
def import_(
    files: tuple[Path, ...],
    organization: str,
    dry_run: bool,
    policy: str,
    existing: str,
    clear_empty: bool,
    columns: dict[str, str],
    kept_map: bool,
    encoding: str | None,
    report: Path | None,
) -> None:
    """Put in what stands in FILE...: products, and what they hold and claim.

    CSV with any delimiter, Excel (.xlsx), JSON lines, JSON and Parquet, also exports of Open Food Facts and our own.
    What a file is shows from what is in it. An import that was killed goes on where it was when it is started again.
    """
    begin_quickly()
    from files.importing import Options

    options = Options(_POLICIES[policy], Existing(existing), dry_run, columns, encoding, kept_map, clear_empty)
    totals = on_database(read_settings(), _import, organization, _sources(files), options, report)
    if totals.rows["refused"] and (dry_run or options.policy is BulkPolicy.REJECT_ALL):
        sys.exit(1)


def _sources(files: Sequence[Path]) -> "list[SourceFile]":
    from files.importing import SourceFile

    for file in files:
        if not file.is_file():
            raise FailedCommand(f"{file} is no file that can be read.")
    return [SourceFile(file.name, file.stat().st_size, lambda file=file: _opened(file)) for file in files]  # type: ignore[misc]


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise FailedCommand(f"{file} cannot be read: {error}.") from error


async def _import(
    database: "Database", slug: str, sources: "Sequence[SourceFile]", options: "Options", folder: Path | None
) -> "Tally":
    from domain.access import Caller
    from files.archives.putting import put_settings
    from files.archives.reading import is_archive, missing, opened
    from files.imports import put_in
    from files.reports import Report
    from resolvers.operation import Context
    from resolvers.organizations import existing

    collect_garbage()
    owner = await existing(database, slug)
    context = Context(database, Caller(None, None, Role.MANAGER, owner))
    lacking: Missing | None = None
    if any(is_archive(source) for source in sources):
        if len(sources) > 1 or options.columns:
            raise FailedCommand("An archive has everything and says what it is: put it in by itself, without --map.")
        archive = opened(sources[0], owner)
        sources, lacking = archive.sources, await missing(context, archive)
        # What was said of somebody's file with the same heads is not said of what an archive has.
        options = options._replace(kept_map=False)
    try:
        report = Report(folder) if folder else None
        with _Shown(options, report) as shown:
            totals = await put_in(context, sources, options, shown, lacking.certifications if lacking else ())
        shown.ended(totals, report.ended(totals) if report else [])
    except OSError as error:
        raise FailedCommand(f"The report cannot be written: {error}.") from error
    if lacking:
        is_undone = options.dry_run or bool(totals.rows["refused"] and options.policy is BulkPolicy.REJECT_ALL)
        if not is_undone:
            await put_settings(context, lacking)
        _print_settings(lacking, is_undone=is_undone)
    return totals


def _print_settings(lacking: "Missing", *, is_undone: bool) -> None:
    views, times, proof = map(len, lacking.settings)
    found = [
        f"{views:,} {'view' if views == 1 else 'views'}" if views else "",
        f"{times:,} {'set' if times == 1 else 'sets'} of lead times" if times else "",
        "the public proof" if proof else "",
    ]
    made = ", ".join(filter(None, found))
    print(f"Settings: {made} {'would be ' if is_undone else ''}made." if made else "Settings: nothing to do.")
    print("Calendars, webhooks, API keys and people are in no archive: make them anew.")


class _Shown(AbstractContextManager["_Shown"]):
    """What the terminal shows of an import while it goes on, and at its end."""

    def __init__(self, options: "Options", report: Any) -> None:
        self._options = options
        self._report = report
        self._bar: Any = None
        self._label = ""
        self._told: set[str] = set()
        self._has_ends = False
        self._changes: list[str] = []
        self._refusals: list[str] = []
        self._before: Any = None
        self._is_said = False

    def began(self, *, judging: bool, since: Any) -> None:
        """A pass begins, or goes on."""
        self._end_bar(is_whole=True)
        self._changes, self._refusals = [], []
        if self._report:
            self._report.began(judging=judging, since=since)
            self._refusals += islice(self._report.refused_before(), _SHOWN)
        self._before = since if since.position else None
        self._label = "Judging" if judging or self._options.dry_run else "Importing"

    def _begin_bar(self) -> None:
        # Once the columns have been shown.
        label = self._label
        self._bar = (
            click.progressbar(length=1000, label=label, file=sys.stderr) if sys.stderr.isatty() else nullcontext()
        )
        self._bar.__enter__()

    def opened(self, table: Any, columns: Any) -> None:
        """A file was opened."""
        if self._report:
            self._report.opened(table, columns)
        self._has_ends |= any(column.target.member in _ENDS for column in columns.columns)
        if table.name not in self._told:
            self._told.add(table.name)
            self._print_columns(table, columns)

    def _print_columns(self, table: Any, columns: Any) -> None:
        print(f"{table.name}: {table.form}")
        known = [column for column in columns.columns if column.target.member != "nothing" or column.was_said]
        width = max((len(column.name) for column in known), default=0)
        # Of columns that say the same, such as names in all languages, the first is shown.
        alike: dict[Any, list[str]] = {}
        for column in known:
            alike.setdefault((column.target.shown, column.how), []).append(column.name)
        for (target, how), names in list(alike.items())[:_COLUMNS_SHOWN]:
            more = f" and {len(names) - 1} more like it" if len(names) > 1 else ""
            print(f"  {names[0][:40]:{min(width, 40)}}  {target}{more}{'' if how == 'name' else f'  ({how})'}")
        if len(alike) > _COLUMNS_SHOWN:
            print(f"  and {len(alike) - _COLUMNS_SHOWN} more")
        others = len(columns.columns) - len(known)
        if others:
            print(f"  {others} {'columns are' if others > 1 else 'column is'} left out")

    def telling(self, results: "Sequence[Result]", position: int) -> None:
        """Rows are about to be stored."""
        if self._report:
            self._report.telling(results, position)

    def _print_goes_on(self, source: str, row: int) -> None:
        before, self._is_said = self._before, True
        print(f"Goes on at row {row:,} of {source}, where an import was stopped: {_rows(before.position)} done before.")
        if self._report and not self._report.goes_on:
            print(f"The report begins at row {row:,}: of the rows before, none was written to this folder.")

    def done(self, results: "Sequence[Result]", share: float) -> None:
        """Rows were done."""
        if self._before and not self._is_said:
            self._print_goes_on(results[0].source, results[0].row.number)
        if self._report:
            self._report.done(results, share)
        if self._bar is None:
            self._begin_bar()
        if hasattr(self._bar, "update"):
            self._bar.update(int(share * 1000) - self._bar.pos)
        for result in results:
            if result.refused:
                if len(self._refusals) < _SHOWN:
                    self._refusals.append(result.reason)
            elif result.outcome == "changed" and len(self._changes) < _SHOWN:
                self._changes += _changes_of(result)

    def _end_bar(self, *, is_whole: bool) -> None:
        if self._bar is not None:
            if is_whole and hasattr(self._bar, "update"):
                # Of a workbook the rows are not the last bytes.
                self._bar.update(1000 - self._bar.pos)
            self._bar.__exit__(None, None, None)
            self._bar = None

    def __exit__(self, *raised: object) -> None:
        self._end_bar(is_whole=raised[0] is None)
        if self._report:
            self._report.close()

    def ended(self, totals: "Tally", files: Sequence[Path]) -> None:
        """Says what became of everything."""
        rows, refused = totals.rows, totals.rows["refused"]
        dry = self._options.dry_run
        is_nothing_done = bool(refused) and self._options.policy is BulkPolicy.REJECT_ALL
        if self._before and not self._is_said:
            print("An import was stopped when all of its rows were done.")
        if self._changes:
            print("Changes:", *self._changes[:_SHOWN], sep="\n  ")
        if refused:
            self._print_refusals(refused)
        _print_counts("Why rows were refused:", totals.refusals)
        _print_counts("Noted:", totals.notes)
        would = "would be " if dry or is_nothing_done else ""
        outcomes = ", ".join(
            f"{rows[name]:,} {would}{name}" for name in ("made", "changed", "left", "refused") if rows[name]
        )
        print(f"{rows.total():,} {'row' if rows.total() == 1 else 'rows'}: {outcomes or 'nothing to do'}.")
        things = ", ".join(f"{count:,} {_counted(thing, count)}" for thing, count in sorted(totals.things.items()))
        if things:
            print(f"Of them {things}.")
        if totals.things["certification made"] and not self._has_ends:
            print("No column says when certificates end: without dates none of them is ever told to lapse.")
        if is_nothing_done:
            nothing = "Nothing would be done" if dry else "Nothing was done"
            print(f"{nothing}, because rows are refused; correct them, or say --policy ignore-failed.")
        for file in files:
            print(f"Wrote {file}")

    def _print_refusals(self, refused: int) -> None:
        print("Refused:", *self._refusals, sep="\n  ")
        more = refused - len(self._refusals)
        before = self._before.totals.rows["refused"] if self._before else 0
        if before and not (self._report and self._report.goes_on):
            print(
                f"  and {more:,} more, {before:,} of them before the import was stopped;"
                " put the same in once more with --report DIR to see all of them"
            )
        elif more:
            print(f"  and {more:,} more; --report DIR writes all of them")


def _rows(count: int) -> str:
    return f"{count:,} rows were" if count > 1 else "1 row was"


def _changes_of(result: "Result") -> list[str]:
    from files.reports import told

    return [
        f"Row {line.row}, {line.kind} {line.of}: renewed, {line.reason}"
        if line.outcome == "renewed"
        else f"Row {line.row}, {line.kind} {line.of}: {line.member}"
        f" from {line.before or 'nothing'} to {line.after or 'nothing'}"
        for line in told(result)
        if line.outcome in ("changed", "renewed")
    ]


def _counted(thing: str, count: int) -> str:
    kind, _, outcome = thing.partition(" ")
    return f"{kind}{'s' if count != 1 else ''} {outcome}"


def _print_counts(head: str, counts: Mapping[str, int]) -> None:
    if counts:
        most = sorted(counts.items(), key=lambda item: -item[1])[:_SHOWN]
        print(head, *(f"{count:,} times {name}" if count > 1 else f"once {name}" for name, count in most), sep="\n  ")
