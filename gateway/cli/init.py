"""The command that sets an installation up for those whose it is."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from gateway.cli.common import on_database, read_name, read_settings, run
from gateway.cli.organizations import read_email, read_slug, sign_in_link

if TYPE_CHECKING:
    from db.engine.database import Database
    from domain.records import Organization


@click.command()
@click.option("--organization", metavar="SLUG", help="Its short name in commands, such as acme-foods.")
@click.option("--name", help="Its name, as people write it; the SLUG if left out.")
@click.option("--email", metavar="ADDRESS", help="The e-mail address of its first manager.")
@click.option("--database", metavar="URL", help="The database, instead of that of CERTGATE_DATABASE_URL.")
@click.option("--yes", is_flag=True, help="Ask nothing, not even at a terminal.")
def init(organization: str | None, name: str | None, email: str | None, database: str | None, yes: bool) -> None:
    """Set up an installation of your own: tables, catalogue, an organisation and its first manager.

    What is not said is asked for at a terminal. What is there already stays, so it may be run again.
    """
    from gateway import storage

    asks = not yes and sys.stdin.isatty()
    slug = _told(organization, "--organization", "Your organisation in short, such as acme-foods", read_slug, asks)
    name = _told(name, "--name", "Its name, as people write it", read_name, asks, default=slug)
    email = _told(email, "--email", "The e-mail address of its first manager", read_email, asks)
    settings = read_settings(database_url=database)
    if asks and database is None:
        usual = settings.database_url
        chosen = click.prompt("The database", default=usual, show_default=storage.shown(usual))
        settings = read_settings(database_url=chosen)

    print(f"The database is {storage.shown(settings.database_url)}.")
    before, after = run(storage.migrate(settings))
    print(f"Its tables are at revision {after}{'' if before == after else ', from now on'}.")
    owner, loaded, token = on_database(settings, _set_up, slug, name, email)
    print(f"The catalogue has {loaded} certifications and claims.")
    print(f"The organisation is {owner.slug} ({owner.name}, id {owner.id}); {email} is a manager there.")
    elsewhere = settings.database_url != read_settings().database_url
    print(
        _NEXT.format(
            environment="\n  Set CERTGATE_DATABASE_URL to that database first.\n" if elsewhere else "",
            link=sign_in_link(settings, token),
            slug=owner.slug,
            email=email,
        )
    )


_NEXT = """{environment}
  Start the server:

    ./certgate serve

  Then open this link, which signs {email} in, once, within the hour:

    {link}

  (It starts with where a server of these settings listens: CERTGATE_PORT and CERTGATE_PUBLIC_URL change that.)

  Another link, whenever you need one, and a key for programs:

    ./certgate members link --organization {slug} {email}
    ./certgate keys create --organization {slug} --role manager
"""


def _told(
    given: str | None, option: str, question: str, read: Callable[[str], str], asks: bool, default: str | None = None
) -> str:
    """What was given for an option, or is answered to the question, or the default. Raises `click.UsageError`."""
    if given is not None:
        try:
            return read(given)
        except click.BadParameter as error:
            raise click.BadParameter(error.message, param_hint=option) from None
    if asks:
        answer: str = click.prompt(question, default=default, value_proc=read)
        return answer
    if default is None:
        raise click.UsageError(f"{option} is missing; give it, or start the command at a terminal and without --yes.")
    return default


async def _set_up(database: "Database", slug: str, name: str, email: str) -> "tuple[Organization, int, str]":
    """The organisation, how many definitions there are, and the token of a sign-in link for its manager."""
    from db.catalogue import load_catalogue
    from domain.errors import AlreadyExists
    from domain.vocabulary import Role
    from resolvers import keys, organizations, sessions

    loaded = await load_catalogue(database)
    try:
        owner = await organizations.create(database, slug, name)
    except AlreadyExists:
        # Made by an earlier run, or by another one at this moment.
        owner = await organizations.existing(database, slug)
    await keys.set_member(database, slug, email, Role.MANAGER)
    token = await sessions.create_members_link(database, slug, email)
    return owner, loaded.rows["certifications"] + loaded.rows["claims"], token
