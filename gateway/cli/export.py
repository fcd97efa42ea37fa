"""The command that writes a list to a file."""

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from domain.vocabulary import FileFormat, Role
from gateway.cli.common import CallersPath, FailedCommand, on_database, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from db.engine.database import Database


ZIP = "zip"


@click.command()
@click.argument("name", metavar="LIST", type=click.Choice(["products", "certifications", "claims", "all"]))
@click.option("--organization", required=True, metavar="SLUG", help="Whose: what this organisation owns is exported.")
@click.option("--format", "form", required=True, type=click.Choice([*(form.value for form in FileFormat), ZIP]))
@click.option(
    "--where",
    metavar="JSON",
    help="Only those that pass this filter, spelled as in GraphQL, for example"
    ' \'{"expirationDate": {"range": {"to": "2026-12-31"}}}\'.',
)
@click.option("--view", metavar="NAME", help="Only those of this saved view of the organisation.")
@click.option("--excel", is_flag=True, help="A CSV that Excel opens without harm to GTINs and accents.")
@click.option(
    "--output",
    type=CallersPath(dir_okay=False, writable=True),
    help="Write to this file instead of standard output; it is there once it is whole.",
)
def export(
    name: str, organization: str, form: str, where: str | None, view: str | None, excel: bool, output: Path | None
) -> None:
    """Write LIST (products, certifications or claims) as a file: what products are, hold or claim.

    With `all --format zip` everything that the organisation has, to be put into another installation with `import`:
    the three lists, archived products included, its own certifications, views, lead times, acknowledgements and whether
    its public proof is on. No keys, no people, no calendars, no webhooks.
    """
    if (name == "all") != (form == ZIP):
        raise FailedCommand("Everything goes out as one archive, and only that does: write `all --format zip`.")
    if form == ZIP and (where or view or excel):
        raise FailedCommand("An archive has everything: leave --where, --view and --excel out.")
    if output is None and form in (FileFormat.XLSX, ZIP) and sys.stdout.isatty():
        raise FailedCommand(
            f"{'An archive' if form == ZIP else 'A workbook'} is nothing for a terminal: name a file with --output."
        )
    with _written(output) as file:
        if form == ZIP:
            on_database(read_settings(), _export_all, organization, file)
        else:
            on_database(read_settings(), _export, name, organization, FileFormat(form), where, view, excel, file)


async def _export_all(database: "Database", slug: str, file: IO[bytes]) -> None:
    from domain.access import Caller
    from files.archives.writing import write
    from resolvers.operation import Context
    from resolvers.organizations import existing

    owner = await existing(database, slug)
    await write(Context(database, Caller(None, None, Role.READONLY, owner)), owner, file)


async def _export(
    database: "Database",
    name: str,
    slug: str,
    form: FileFormat,
    where: str | None,
    view: str | None,
    excel: bool,
    file: IO[bytes],
) -> None:
    from domain.access import Caller
    from domain.filter_input import read_where
    from domain.filters import Condition, every
    from domain.vocabulary import ViewKind
    from files.export import export
    from resolvers import views
    from resolvers.listed import LISTS
    from resolvers.operation import Context
    from resolvers.organizations import existing

    owner = await existing(database, slug)
    context, listed = Context(database, Caller(None, None, Role.READONLY, owner)), LISTS[name]
    asked = [read_where(listed.of.fields, where, context.today), Condition("organization_id", "eq", owner.id)]
    if view is not None:
        asked.append(views.filter_of(context, await views.named(context, owner.id, view), ViewKind(name)))
    owned = every(asked)
    async for part in export(context, listed, owned, form, for_excel=excel):
        file.write(part)


@contextmanager
def _written(output: Path | None) -> "Iterator[IO[bytes]]":
    """A file to write to, which has its name once nothing went wrong; standard output without a name."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        # What a link leads to is written, and the link stays.
        with _whole(output.resolve()) as file:
            yield file
    except OSError as error:
        raise FailedCommand(f"{output} cannot be written: {error}.") from error


@contextmanager
def _whole(output: Path) -> "Iterator[IO[bytes]]":
    if output.exists() and not output.is_file():
        # A pipe or a device stays what it is.
        with output.open("wb") as file:
            yield file
        return
    unfinished = output.with_name(output.name + ".part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
