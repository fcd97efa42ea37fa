"""The command line: `./certgate WORD ...`, or `python -m gateway WORD ...`.

Everything dear is imported inside the commands, so that `--help` answers at once. An expected failure is one
sentence on standard error: exit code 2 for a wrong setting or argument, 1 for anything else.
"""

import gc
import os
import re
import sys
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from domain.vocabulary import KeyKind, Role

if TYPE_CHECKING:
    from db.catalogue import Loaded
    from db.keys import KeyEntry
    from domain.account import Member
    from domain.records import Organization
    from gateway.settings import Settings

R = TypeVar("R")


class _Refusal(click.ClickException):
    """How an expected failure is shown."""

    def show(self, file: IO[Any] | None = None) -> None:
        for line in self.message.splitlines():
            click.echo(f"certgate: {line}", file=file, err=True)


class _WrongSetting(_Refusal):
    """How a wrong setting is shown."""

    exit_code = 2


class _Commands(click.Group):
    """The commands; their expected failures become sentences, defects keep their traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from gateway.failures import explain
            from gateway.settings import SettingsError

            if isinstance(error, SettingsError):
                raise _WrongSetting(str(error)) from error
            sentence = explain(error)
            if sentence is None:
                raise
            raise _Refusal(sentence) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """A gateway for product certifications and claims, in GraphQL and REST.

    Settings are environment variables that start with CERTGATE_; docs/settings.md lists them.
    """


def main() -> None:
    """Runs the command line and ends the process."""
    # Bytes that are no text come as half characters, which no database takes.
    if any("\ud800" <= character <= "\udfff" for word in sys.argv for character in word):
        click.echo("certgate: what was typed is not all text in UTF-8; type it again, or set LC_ALL=C.UTF-8.", err=True)
        sys.exit(2)
    cli(prog_name="certgate")


_host = click.option("--host", help="The address to listen on, instead of CERTGATE_HOST.")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on, instead of CERTGATE_PORT; 0: any free one.",
)


def _printable(_: click.Context, option: click.Parameter, text: str) -> str:
    if len(text) > 255 or not text.isprintable() or (option.required and not text.strip()):
        raise click.BadParameter(f"A name has {int(option.required)} to 255 printable characters.")
    return text


@cli.command()
@_host
@_port
def serve(host: str | None, port: int | None) -> None:
    """Serve both faces until told to stop."""
    # What is imported stays for good. Looking for garbage in it, again and again, is a fifth of a start.
    # `server.serve` switches the collector on again.
    gc.disable()
    # Looking for plugins of pydantic reads the metadata of every package, and the locks name none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

    from gateway import server, storage

    settings = _settings(host=host, port=port)

    async def work() -> None:
        with server.listen(settings) as listener:
            async with storage.opened(settings) as database:
                from gateway.app import create_app

                text = f"certgate answers on {server.address(settings, listener)}; stop it with Ctrl+C."
                application = create_app(settings, database)
                await server.serve(settings, application, listener, lambda: print(text, flush=True))

    server.run(work())


@cli.command()
@_host
@_port
def demo(host: str | None, port: int | None) -> None:
    """Set up whatever is missing, serve the demo products and print how to sign in."""
    from gateway import server
    from gateway.demo import demo as run_demo

    settings = _settings(host=host, port=port)

    async def work() -> None:
        with server.listen(settings) as listener:
            await run_demo(settings, listener)

    server.run(work())


@cli.command()
def migrate() -> None:
    """Bring the database to the newest revision of the tables."""
    from gateway import storage

    before, after = _run(storage.migrate(_settings()))
    if before == after:
        print(f"The database is at revision {after} already.")
    else:
        print(f"The database went from {f'revision {before}' if before else 'nothing'} to revision {after}.")


@cli.group()
def seed() -> None:
    """Load the data that comes with certgate."""


@seed.command("catalogue")
def seed_catalogue() -> None:
    """Load or renew the certification bodies, certifications and claims."""
    from db.catalogue import load_catalogue
    from gateway import storage

    async def work(settings: "Settings") -> "Loaded":
        async with storage.opened(settings) as database:
            return await load_catalogue(database)

    _print_loaded(_run(work(_settings())))


@seed.command("demo")
def seed_demo() -> None:
    """Load the organisation demo and its products, and the catalogue that they need."""
    from gateway import storage
    from gateway.demo import load

    async def work(settings: "Settings") -> "Loaded":
        async with storage.opened(settings) as database:
            return await load(database)

    _print_loaded(_run(work(_settings())))


@cli.group()
def organizations() -> None:
    """Make, list and rename organisations, which own products, keys and members."""


_name = click.option("--name", required=True, callback=_printable, help="As people write it.")


@organizations.command("create")
@click.argument("slug")
@_name
def create_organization(slug: str, name: str) -> None:
    """Make an organisation; SLUG is its short name for commands, such as acme-foods."""
    from gateway import storage
    from resolvers import organizations as administration

    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", slug):
        raise click.BadParameter(
            "A slug has at most 63 lower-case letters, digits and hyphens, and no hyphen at its ends.",
            param_hint="SLUG",
        )

    async def work(settings: "Settings") -> "Organization":
        async with storage.opened(settings) as database:
            return await administration.create(database, slug, name)

    made = _run(work(_settings()))
    print(
        f"Made the organisation {made.slug} ({made.name}, id {made.id}).\n"
        f"A key for it: ./certgate keys create --organization {made.slug} --role manager"
    )


@organizations.command("list")
def list_organizations() -> None:
    """List the organisations."""
    from gateway import storage
    from resolvers import organizations as administration

    async def work(settings: "Settings") -> "list[tuple[Organization, datetime]]":
        async with storage.opened(settings) as database:
            return await administration.every(database)

    found = _run(work(_settings()))
    if not found:
        print("There are no organisations; make one with ./certgate organizations create.")
        return
    rows = ((each.slug, each.id, f"{created_at:%Y-%m-%d}", each.name) for each, created_at in found)
    _print_rows([("SLUG", "ID", "CREATED", "NAME"), *rows])


@organizations.command("rename")
@click.argument("slug")
@_name
def rename_organization(slug: str, name: str) -> None:
    """Give an organisation another name; its SLUG stays."""
    from gateway import storage
    from resolvers import organizations as administration

    async def work(settings: "Settings") -> None:
        async with storage.opened(settings) as database:
            await administration.rename(database, slug, name)

    _run(work(_settings()))
    print(f"The organisation {slug} is called {name}.")


@cli.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.option("--organization", required=True, metavar="SLUG", help="Whose key it is; demo owns the demo products.")
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="readonly reads; the others write.",
)
@click.option(
    "--kind",
    default=KeyKind.BUSINESS.value,
    show_default=True,
    type=click.Choice([kind.value for kind in KeyKind]),
    help="csb for a server, csu for a person, cpk for a browser (it never writes, and sees nothing private).",
)
@click.option("--user", metavar="EMAIL", help="Whose key a csu key is: a member of the organisation.")
@click.option("--name", default="", callback=_printable, help="What the key is for, as the list shows it.")
@click.option("--expires-in-days", type=click.IntRange(1, 36_500), help="Without it the key never expires.")
@click.option(
    "--per-minute",
    type=click.IntRange(1, 2**31 - 1),
    help="How many requests it may make in a minute, instead of what the settings allow.",
)
@click.option(
    "--per-day",
    type=click.IntRange(1, 2**31 - 1),
    help="How many requests it may make in a day, instead of what the settings allow.",
)
@click.option("--quiet", is_flag=True, help="Print the key alone.")
def create_key(
    organization: str,
    role: str,
    kind: str,
    user: str | None,
    name: str,
    expires_in_days: int | None,
    per_minute: int | None,
    per_day: int | None,
    quiet: bool,
) -> None:
    """Make an API key and print it, this once."""
    from gateway import storage
    from resolvers import keys as administration

    async def work(settings: "Settings") -> administration.NewKey:
        async with storage.opened(settings) as database:
            return await administration.create_key(
                database,
                organization,
                Role(role),
                KeyKind(kind),
                name=name,
                life=timedelta(days=expires_in_days) if expires_in_days else None,
                user=user,
                rate_limit_per_minute=per_minute or 0,
                rate_limit_per_day=per_day or 0,
            )

    if (user is None) is (kind == KeyKind.USER):
        raise click.BadParameter("A csu key needs a user, the other kinds have none.", param_hint="--user")
    entry, secret = _run(work(_settings()))
    if quiet:
        print(secret)
        return
    print(f"The API key, shown only now:\n\n  {secret}\n")
    _print_table([entry])


@keys.command("list")
@click.option("--organization", metavar="SLUG", help="Only the keys of this organisation.")
def list_keys(organization: str | None) -> None:
    """List the API keys, without the keys themselves."""
    from gateway import storage
    from resolvers import keys as administration

    async def work(settings: "Settings") -> "list[KeyEntry]":
        async with storage.opened(settings) as database:
            return await administration.list_keys(database, organization)

    _print_table(_run(work(_settings())))


@keys.command("revoke")
@click.argument("id")
def revoke_key(id: str) -> None:
    """Revoke the API key of that ID and its browser sessions at once, in every running server.

    A server whose network to the database fails follows within ten seconds.
    """
    from domain.short_id import parse_short_id
    from gateway import storage
    from resolvers import keys as administration

    key = parse_short_id(id)

    async def work(settings: "Settings") -> None:
        async with storage.opened(settings) as database:
            await administration.revoke_key(database, key)

    _run(work(_settings()))
    print(f"The API key {key} is revoked.")


@keys.command("limits")
@click.argument("id")
@click.argument("changes", nargs=-1, metavar="[NAME=NUMBER]...")
def limit_key(id: str, changes: tuple[str, ...]) -> None:
    """Show or change what GraphQL operations of the API key with that ID may ask for.

    For example max_depth=15 max_cost=100000; a NAME= without a number brings back the limit of the settings.
    """
    from domain.short_id import parse_short_id
    from execution.limits import PER_CALLER
    from gateway import storage
    from gateway.graphql import limits_of
    from resolvers import keys as administration

    key = parse_short_id(id)
    changed: dict[str, int | None] = {}
    for name, separator, number in (change.partition("=") for change in changes):
        if not separator or name not in PER_CALLER or (number and not re.fullmatch(r"[1-9][0-9]{0,8}", number)):
            raise click.BadParameter(f"It is NAME=NUMBER with a name of {', '.join(PER_CALLER)}.", param_hint=name)
        changed[name] = int(number) if number else None

    async def work(settings: "Settings") -> dict[str, int]:
        async with storage.opened(settings) as database:
            if changed:
                return await administration.change_graphql_limits(database, key, changed)
            return await administration.graphql_limits(database, key)

    settings = _settings()
    usual = limits_of(settings)
    own = _run(work(settings))
    rows = [(name, str(own.get(name, "-")), str(getattr(usual, name))) for name in PER_CALLER]
    _print_rows([("LIMIT", "OF THE KEY", "OF THE SETTINGS"), *rows])


@cli.group()
def documents() -> None:
    """Register GraphQL documents, so that clients can send their ids."""


@documents.command("register")
@click.argument("source", metavar="DIR", type=click.Path(exists=True, path_type=Path))
def register_documents(source: Path) -> None:
    """Register the documents in DIR: .graphql files, and manifests (.json) of Apollo, graphql-codegen or Relay.

    Each is checked against the schema and the limits first; if one fails, none is registered.
    """
    from gateway import storage
    from gateway.graphql import check_documents
    from gateway.trusted_documents import UnreadableDocuments, read_documents
    from resolvers import trusted_documents

    settings = _settings()
    try:
        found = read_documents(source)
        check_documents(settings, found)
    except UnreadableDocuments as error:
        raise _Refusal(str(error)) from error

    async def work() -> int:
        async with storage.opened(settings) as database:
            return await trusted_documents.register(database, found)

    added = _run(work())
    _print_rows([("ID", "NAME"), *((f"sha256:{document.digest}", document.name) for document in found)])
    print(f"Registered {added} new documents of {len(found)}.")


@documents.command("list")
def list_documents() -> None:
    """List the registered documents."""
    from db.trusted_documents import TrustedDocument
    from gateway import storage
    from resolvers import trusted_documents

    async def work(settings: "Settings") -> list[TrustedDocument]:
        async with storage.opened(settings) as database:
            return await trusted_documents.every(database)

    found = _run(work(_settings()))
    if not found:
        print("No documents are registered; ./certgate documents register DIR does it.")
        return
    rows = ((f"sha256:{item.digest}", f"{item.created_at:%Y-%m-%d}", item.name) for item in found)
    _print_rows([("ID", "REGISTERED", "NAME"), *rows])


@documents.command("remove")
@click.argument("id")
def remove_document(id: str) -> None:
    """Forget the document of that ID, in every running server (see `keys revoke --help`)."""
    from gateway import storage
    from resolvers import trusted_documents

    digest = id.removeprefix("sha256:")

    async def work(settings: "Settings") -> None:
        async with storage.opened(settings) as database:
            await trusted_documents.remove(database, digest)

    _run(work(_settings()))
    print(f"The document sha256:{digest} is no longer registered.")


@cli.group()
def members() -> None:
    """Say who belongs to an organisation; csu keys follow it."""


_of = click.option("--organization", required=True, metavar="SLUG", help="Which organisation.")


@members.command("set")
@_of
@click.option(
    "--role",
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the member's keys may do there at most.",
)
@click.argument("email")
def set_member(organization: str, role: str, email: str) -> None:
    """Make the person with that EMAIL a member, or change the role."""
    from gateway import storage
    from resolvers import keys as administration

    if not re.fullmatch(r"[^\s@]+@[^\s@]+", email) or not email.isprintable() or len(email) > 254:
        raise click.BadParameter(f"{email!r} is no e-mail address.", param_hint="EMAIL")

    async def work(settings: "Settings") -> None:
        async with storage.opened(settings) as database:
            await administration.set_member(database, organization, email, Role(role))

    _run(work(_settings()))
    print(f"{email.lower()} is {role} in the organisation {organization}.")


@members.command("list")
@click.option("--organization", metavar="SLUG", help="Only the members of this organisation.")
def list_members(organization: str | None) -> None:
    """List who belongs where."""
    from gateway import storage
    from resolvers import keys as administration

    async def work(settings: "Settings") -> "list[Member]":
        async with storage.opened(settings) as database:
            return await administration.list_members(database, organization)

    found = _run(work(_settings()))
    if not found:
        print("There are no members; make one with ./certgate members set.")
        return
    _print_rows(
        [
            ("ORGANISATION", "EMAIL", "ROLE", "SINCE"),
            *((item.organization, item.email, item.role, f"{item.created_at:%Y-%m-%d}") for item in found),
        ]
    )


@members.command("remove")
@_of
@click.argument("email")
def remove_member(organization: str, email: str) -> None:
    """End the membership of the person with that EMAIL, in every running server (see `keys revoke --help`)."""
    from gateway import storage
    from resolvers import keys as administration

    async def work(settings: "Settings") -> None:
        async with storage.opened(settings) as database:
            await administration.remove_member(database, organization, email)

    _run(work(_settings()))
    print(f"{email.lower()} is no longer a member of the organisation {organization}.")


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--operation", metavar="NAME", help="Which operation of the document, if it has several.")
@click.option("--source", is_flag=True, help="Add the generated Python.")
@click.option(
    "--variables", metavar="JSON", help="Run the query with these, {} for none, and add the statements that it made."
)
@click.option("--organization", metavar="SLUG", default="demo", show_default=True, help="As whose reader it is run.")
def explain(file: Path, operation: str | None, source: bool, variables: str | None, organization: str) -> None:
    """Show how a GraphQL document would be run: its levels, batches and plain fields, its cost and its statements."""
    from execution.errors import RequestError
    from execution.execute import Executor
    from schema.schema import schema as graphql_schema

    executor = Executor(graphql_schema)
    try:
        document = executor.prepare(file.read_text(encoding="utf-8"))
        chosen = document.select(operation)
        given = _variables(variables)
        conditions = {name: value for name, value in (given or {}).items() if isinstance(value, bool)}
        print(executor.explain(document, chosen, conditions, with_source=source))
        print(
            f"\ncosts {chosen.cost.of(given or {})} {'with these variables' if given else 'if no variable is given'}:"
        )
        for entry in chosen.cost.breakdown(given or {}):
            print(f"{entry['cost']:8}  {entry['path']}")
        if given is None:
            return
        made = _run(_statements(executor, document, chosen, given, organization))
    except RequestError as error:
        raise _Refusal("\n".join(entry.message for entry in error.errors)) from error
    print(f"\nstatements: {len(made)}")
    for line in made:
        print(f"  {line}")


def _variables(text: str | None) -> dict[str, Any] | None:
    import json

    if text is None:
        return None
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise _Refusal('--variables takes one JSON object, for example \'{"gtin": "00000080050698"}\'.')
    return given


async def _statements(executor: Any, document: Any, operation: Any, variables: Any, organization: str) -> list[str]:
    from gateway import storage
    from gateway.explained import statements

    async with storage.opened(_settings()) as database:
        return await statements(database, executor, document, operation, variables, organization)


@cli.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["sdl", "json"]),
    help='sdl: the schema definition language; json: the result of introspection, {"__schema": ...}.'
    " Without it, json for an output that ends in .json and sdl otherwise.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write to this file instead of standard output.",
)
def schema(form: str | None, output: Path | None) -> None:
    """Print the GraphQL schema, for code generators and other tools."""
    import json

    from graphql import build_schema, introspection_from_schema

    from gateway.contracts import sdl

    text = sdl()
    if form == "json" or (form is None and output is not None and output.suffix.lower() == ".json"):
        # Of the text, so that both forms say the same.
        introspected = introspection_from_schema(build_schema(text), experimental_directive_deprecation=False)
        text = json.dumps(introspected, indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(text, end="")
    else:
        output.write_text(text, encoding="utf-8")


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing, and fail if a file is not what the code says.")
@click.option(
    "--since",
    metavar="REVISION",
    help="Write nothing, compare with this revision of git, and fail if its clients would break.",
)
def contracts(check: bool, since: str | None) -> None:
    """Write the GraphQL schema and the OpenAPI documents of the repository, and say what clients would notice."""
    from gateway.contracts import ROOT, generated, judge, kept

    before, after = kept(since), generated()
    breaks, notes = judge(before, after)
    for sentence in [*(f"Breaks clients: {sentence}" for sentence in breaks), *notes]:
        print(sentence)
    stale = [file for file, text in after.items() if before.get(file) != text]
    if since is not None:
        if breaks:
            raise _Refusal(f"Clients of {since} would break.")
    elif check and stale:
        raise _Refusal(f"{', '.join(stale)}: not what the code says; write them anew with ./certgate contracts.")
    else:
        for file in stale:
            (ROOT / file).write_text(after[file], encoding="utf-8")
            print(f"Wrote {file}.")


def _settings(**overrides: Any) -> "Settings":
    from gateway.settings import load_settings, unknown_variables

    for sentence in unknown_variables():
        click.echo(f"certgate: {sentence}", err=True)
    return load_settings(**{name: value for name, value in overrides.items() if value is not None})


def _run(work: Coroutine[Any, Any, R]) -> R:
    import asyncio
    import logging

    # What befalls the database is the sentence with which the command ends.
    logging.getLogger("certgate.database").setLevel(logging.ERROR)
    return asyncio.run(work)


def _print_loaded(loaded: "Loaded") -> None:
    counted = [f"{count} {table.replace('_', ' ')}" for table, count in loaded.rows.items()]
    changed = f"{loaded.written} rows written" if loaded.written else "all of them were there already"
    print(f"Loaded {', '.join(counted[:-1])} and {counted[-1]}; {changed}.")


def _print_table(entries: "list[KeyEntry]") -> None:
    if not entries:
        print("There are no API keys; make one with ./certgate keys create.")
        return
    now = datetime.now(UTC)
    rows: list[tuple[str, ...]] = [
        ("ID", "ORGANISATION", "KIND", "ROLE", "STATE", "EXPIRES", "CREATED", "LAST USED", "USER", "NAME")
    ]
    for entry in entries:
        expired = entry.expires_at is not None and entry.expires_at <= now
        rows.append(
            (
                entry.id,
                entry.organization,
                entry.kind,
                entry.role,
                "revoked" if not entry.is_active else "expired" if expired else "active",
                f"{entry.expires_at:%Y-%m-%d}" if entry.expires_at else "never",
                f"{entry.created_at:%Y-%m-%d}",
                f"{entry.last_used:%Y-%m-%d}" if entry.last_used else "never",
                entry.user or "-",
                entry.name,
            )
        )
    _print_rows(rows)


def _print_rows(rows: "list[tuple[str, ...]]") -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
