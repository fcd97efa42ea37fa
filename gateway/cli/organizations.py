"""Commands about organisations and their members."""

import re
import unicodedata
from typing import TYPE_CHECKING

import click

from domain.email_address import is_email
from domain.vocabulary import Role
from gateway.cli.common import on_database, print_table, printable, read_settings, role_option

if TYPE_CHECKING:
    from gateway.settings import Settings

SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def read_slug(text: str) -> str:
    """A slug as it was typed. Raises `click.BadParameter`."""
    if not SLUG.fullmatch(text):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        near = "-".join(re.findall("[a-z0-9]+", plain))[:63].strip("-")
        raise click.BadParameter(
            "A slug has at most 63 lower-case letters, digits and hyphens, and no hyphen at its ends"
            + (f"; write {near}, for example." if near else ".")
        )
    return text


def read_email(text: str) -> str:
    """An e-mail address in lower case. Raises `click.BadParameter`."""
    if not is_email(text):
        raise click.BadParameter(f"{text!r} is no e-mail address.")
    return text.lower()


@click.group()
def organizations() -> None:
    """Make, list and rename organisations, which own products, keys and members."""


_name = click.option("--name", required=True, callback=printable, help="As people write it.")


@organizations.command("create")
@click.argument("slug", callback=lambda _, __, text: read_slug(text))
@_name
def create_organization(slug: str, name: str) -> None:
    """Make an organisation; SLUG is its short name for commands, such as acme-foods."""
    from resolvers import organizations as administration

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
@click.argument("email", callback=lambda _, __, text: read_email(text))
def set_member(organization: str, role: str, email: str) -> None:
    """Make the person with that EMAIL a member, or change the role."""
    from resolvers import keys as administration

    on_database(read_settings(), administration.set_member, organization, email, Role(role))
    print(f"{email} is {role} in the organisation {organization}.")


@members.command("list")
@click.option("--organization", metavar="SLUG", help="Only the members of this organisation.")
def list_members(organization: str | None) -> None:
    """List who belongs where."""
    from resolvers import keys as administration

    found = on_database(read_settings(), administration.list_members, organization)
    rows = ((slug, item.email, item.role, f"{item.created_at:%Y-%m-%d}") for slug, item in found)
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


@members.command("link")
@_of
@click.argument("email")
def link_member(organization: str, email: str) -> None:
    """Print a link that signs a browser in, once, within the hour, as the member with that EMAIL."""
    from resolvers.sessions import create_members_link

    settings = read_settings()
    print(sign_in_link(settings, on_database(settings, create_members_link, organization, email)))


def sign_in_link(settings: "Settings", token: str) -> str:
    """The address that signs a browser in, where the server of these settings listens."""
    from gateway.server import address

    # It may be sent to somebody: one who opens it is asked first, since programs open links, too.
    return f"{address(settings)}/sign-in?link={token}"
