"""Commands about API keys."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from domain.vocabulary import KeyKind, Role
from gateway.cli.common import on_database, print_table, printable, read_settings, role_option

if TYPE_CHECKING:
    from db.keys import KeyEntry


@click.group()
def keys() -> None:
    """Make, list and revoke API keys."""


@keys.command("create")
@click.option("--organization", required=True, metavar="SLUG", help="Whose key it is; demo owns the demo products.")
@role_option("readonly reads; the others write.")
@click.option(
    "--kind",
    default=KeyKind.BUSINESS.value,
    show_default=True,
    type=click.Choice([kind.value for kind in KeyKind]),
    help="csb for a server, csu for a person, cpk for a browser (it never writes, and sees nothing private).",
)
@click.option("--user", metavar="EMAIL", help="Whose key a csu key is: a member of the organisation.")
@click.option("--name", default="", callback=printable, help="What the key is for, as the list shows it.")
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
    from resolvers import keys as administration

    if (user is None) is (kind == KeyKind.USER):
        raise click.BadParameter("A csu key needs a user, the other kinds have none.", param_hint="--user")
    entry, secret = on_database(
        read_settings(),
        administration.create_key,
        organization,
        Role(role),
        KeyKind(kind),
        name=name,
        life=timedelta(days=expires_in_days) if expires_in_days else None,
        user=user,
        rate_limit_per_minute=per_minute or 0,
        rate_limit_per_day=per_day or 0,
    )
    if quiet:
        print(secret)
        return
    print(f"The API key, shown only now:\n\n  {secret}\n")
    _print_keys([entry])


@keys.command("list")
@click.option("--organization", metavar="SLUG", help="Only the keys of this organisation.")
def list_keys(organization: str | None) -> None:
    """List the API keys, without the keys themselves."""
    from resolvers import keys as administration

    _print_keys(on_database(read_settings(), administration.list_keys, organization))


@keys.command("revoke")
@click.argument("id")
def revoke_key(id: str) -> None:
    """Revoke the API key of that ID and its browser sessions at once, in every running server.

    A server whose network to the database fails follows within ten seconds.
    """
    from domain.short_id import parse_short_id
    from resolvers import keys as administration

    key = parse_short_id(id)
    on_database(read_settings(), administration.revoke_key, key)
    print(f"The API key {key} is revoked.")


@keys.command("limits")
@click.argument("id")
@click.argument("changes", nargs=-1, metavar="[NAME=NUMBER]...")
def limit_key(id: str, changes: tuple[str, ...]) -> None:
    """Show or change what GraphQL operations of the API key with that ID may ask for.

    For example max_depth=15 max_cost=100000; a NAME= without a number brings back the limit of the settings.
    """
    from domain.short_id import parse_short_id
    from execution.documents.limits import PER_CALLER
    from gateway.graphql import limits_of
    from resolvers import keys as administration

    key = parse_short_id(id)
    changed: dict[str, int | None] = {}
    for name, separator, number in (change.partition("=") for change in changes):
        if not separator or name not in PER_CALLER or (number and not re.fullmatch(r"[1-9][0-9]{0,8}", number)):
            raise click.BadParameter(f"It is NAME=NUMBER with a name of {', '.join(PER_CALLER)}.", param_hint=name)
        changed[name] = int(number) if number else None

    settings = read_settings()
    usual = limits_of(settings)
    if changed:
        own = on_database(settings, administration.change_graphql_limits, key, changed)
    else:
        own = on_database(settings, administration.graphql_limits, key)
    rows = [(name, str(own.get(name, "-")), str(getattr(usual, name))) for name in PER_CALLER]
    print_table(("LIMIT", "OF THE KEY", "OF THE SETTINGS"), rows)


def _print_keys(entries: "list[KeyEntry]") -> None:
    now = datetime.now(UTC)
    rows = (
        (
            entry.id,
            entry.organization,
            entry.kind,
            entry.role,
            "revoked"
            if not entry.is_active
            else "expired"
            if entry.expires_at and entry.expires_at <= now
            else "active",
            f"{entry.expires_at:%Y-%m-%d}" if entry.expires_at else "never",
            f"{entry.created_at:%Y-%m-%d}",
            f"{entry.last_used:%Y-%m-%d}" if entry.last_used else "never",
            entry.user or "-",
            entry.name,
        )
        for entry in entries
    )
    head = ("ID", "ORGANISATION", "KIND", "ROLE", "STATE", "EXPIRES", "CREATED", "LAST USED", "USER", "NAME")
    print_table(head, rows, "There are no API keys; make one with ./certgate keys create.")
