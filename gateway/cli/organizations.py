"""Commands about organisations and their members."""

import re

import click

from domain.vocabulary import Role
from gateway.cli.common import on_database, print_table, printable, read_settings, role_option


@click.group()
def organizations() -> None:
    """Make, list and rename organisations, which own products, keys and members."""


_name = click.option("--name", required=True, callback=printable, help="As people write it.")


@organizations.command("create")
@click.argument("slug")
@_name
def create_organization(slug: str, name: str) -> None:
    """Make an organisation; SLUG is its short name for commands, such as acme-foods."""
    from resolvers import organizations as administration

    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", slug):
        raise click.BadParameter(
            "A slug has at most 63 lower-case letters, digits and hyphens, and no hyphen at its ends.",
            param_hint="SLUG",
        )

    made = on_database(read_settings(), administration.create, slug, name)
    print(
        f"Made the organisation {made.slug} ({made.name}, id {made.id}).\n"
        f"A key for it: ./certgate keys create --organization {made.slug} --role manager"
    )


@organizations.command("list")
def list_organizations() -> None:
    """List the organisations."""
    from resolvers import organizations as administration

    found = on_database(read_settings(), administration.every)
    rows = ((each.slug, each.id, f"{created_at:%Y-%m-%d}", each.name) for each, created_at in found)
    none = "There are no organisations; make one with ./certgate organizations create."
    print_table(("SLUG", "ID", "CREATED", "NAME"), rows, none)


@organizations.command("rename")
@click.argument("slug")
@_name
def rename_organization(slug: str, name: str) -> None:
    """Give an organisation another name; its SLUG stays."""
    from resolvers import organizations as administration

    on_database(read_settings(), administration.rename, slug, name)
    print(f"The organisation {slug} is called {name}.")


@click.group()
def members() -> None:
    """Say who belongs to an organisation; csu keys follow it."""


_of = click.option("--organization", required=True, metavar="SLUG", help="Which organisation.")


@members.command("set")
@_of
@role_option("What the member's keys may do there at most.")
@click.argument("email")
def set_member(organization: str, role: str, email: str) -> None:
    """Make the person with that EMAIL a member, or change the role."""
    from resolvers import keys as administration

    if not re.fullmatch(r"[^\s@]+@[^\s@]+", email) or not email.isprintable() or len(email) > 254:
        raise click.BadParameter(f"{email!r} is no e-mail address.", param_hint="EMAIL")

    on_database(read_settings(), administration.set_member, organization, email, Role(role))
    print(f"{email.lower()} is {role} in the organisation {organization}.")


@members.command("list")
@click.option("--organization", metavar="SLUG", help="Only the members of this organisation.")
def list_members(organization: str | None) -> None:
    """List who belongs where."""
    from resolvers import keys as administration

    found = on_database(read_settings(), administration.list_members, organization)
    rows = ((item.organization, item.email, item.role, f"{item.created_at:%Y-%m-%d}") for item in found)
    none = "There are no members; make one with ./certgate members set."
    print_table(("ORGANISATION", "EMAIL", "ROLE", "SINCE"), rows, none)


@members.command("remove")
@_of
@click.argument("email")
def remove_member(organization: str, email: str) -> None:
    """End the membership of the person with that EMAIL, in every running server (see `keys revoke --help`)."""
    from resolvers import keys as administration

    on_database(read_settings(), administration.remove_member, organization, email)
    print(f"{email.lower()} is no longer a member of the organisation {organization}.")
