"""Commands that make the tables and load what comes with certgate."""

from typing import TYPE_CHECKING

import click

from gateway.cli.common import on_database, read_settings, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.catalogue import Loaded


@click.command()
def migrate() -> None:
    """Bring the database to the newest revision of the tables."""
    from gateway import storage

    before, after = run(storage.migrate(read_settings()))
    if before == after:
        print(f"The database is at revision {after} already.")
    else:
        print(f"The database went from {f'revision {before}' if before else 'nothing'} to revision {after}.")


@click.command()
@click.option(
    "--shards", type=click.IntRange(2, 1024), default=32, show_default=True, help="How many parts there will be."
)
def distribute(shards: int) -> None:
    """Spread the tables of an empty, migrated database over the servers of its Citus.

    Products and all that hangs on them lie by GTIN, in so many parts; the rest stays on the coordinator.
    """
    from db.sharding import distribute as spread
    from gateway import storage

    url = read_settings().database_url

    async def work() -> "Sequence[str]":
        await storage.reach(url)
        return await spread(url, shards)

    print(f"{shards} shards each of {', '.join(run(work()))}; start the servers that use it anew.")


@click.group()
def seed() -> None:
    """Load the data that comes with certgate."""


@seed.command("catalogue")
def seed_catalogue() -> None:
    """Load or renew the certification bodies, certifications and claims."""
    from db.catalogue import load_catalogue

    _print_loaded(on_database(read_settings(), load_catalogue))


@seed.command("demo")
def seed_demo() -> None:
    """Load the organisation demo and its products, and the catalogue that they need."""
    from gateway.demo import load

    _print_loaded(on_database(read_settings(), load))


def _print_loaded(loaded: "Loaded") -> None:
    counted = [f"{count} {table.replace('_', ' ')}" for table, count in loaded.rows.items()]
    changed = f"{loaded.written} rows written" if loaded.written else "all of them were there already"
    print(f"Loaded {', '.join(counted[:-1])} and {counted[-1]}; {changed}.")
