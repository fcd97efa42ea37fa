"""Copies, on real databases of both kinds, and killed in the middle.

CERTGATE_TEST_CASES asks for so many products, each with a certificate, in the copy that is killed; with `-s` it says
how fast rows were.
"""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, delete, insert, select, text
from sqlalchemy.schema import CreateTable

from db import revision
from db.migrate import connected, current, migrate
from db.moving.content import content_of, contents
from db.moving.copying import copy, origin_of
from db.moving.stores import PART, snapshot
from tests.moving import MOVED, fill, stored
from tests.postgresql import Databases
from tests.processes import certgate, started, succeeded

CASES = int(os.environ.get("CERTGATE_TEST_CASES", "1200"))
ROWS = 7


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[str]:
    """An empty database of either kind."""
    if request.param == "sqlite":
        path = shutil.copy(sqlite_template, tmp_path / "target.db")
        yield f"sqlite:///{path}"
        return
    databases: Databases = request.getfixturevalue("postgresql_databases")
    with databases.migrated() as url:
        yield url


async def test_a_copy_has_every_row_of_every_table(database_url: str, target_url: str) -> None:
    await fill(database_url, ROWS)
    before = await stored(database_url)
    assert all(before[table.name] for table in MOVED)
    said = succeeded("copy", "--from", database_url, "--to", target_url).splitlines()
    assert await stored(target_url) == before == await stored(database_url)
    whole = sum(len(before[table.name]) for table in MOVED)
    assert said[-1] == f"Copied {whole:,} rows; the hashes of both are equal."
    assert len(said) == len(MOVED) + 2
    again = certgate("copy", "--from", database_url, "--to", target_url)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("certgate: The database is not empty, it has ")
    assert await stored(target_url) == before


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from db.moving import stores
from gateway.cli import cli, moving

stores.COMMITTED = stores.PART

@contextmanager
def progress():
    def told(what, rows, of):
        if (what, rows) == (sys.argv[1], int(sys.argv[2])):
            os.kill(os.getpid(), signal.SIGKILL)
    yield told

moving.progress = progress
cli(sys.argv[3:])
"""


async def test_a_copy_that_is_killed_goes_on_and_nothing_is_served_before(database_url: str, target_url: str) -> None:
    await fill(database_url, ROWS, CASES)
    words = ("copy", "--from", database_url, "--to", target_url)
    places = [("certification_bodies copied", ROWS), ("products copied", CASES // 2 // PART * PART)]
    places += [("certification_assignments copied", PART), ("products compared", PART)]
    for what, rows in places:
        with started("-c", KILLED, what, str(rows), *words) as process:
            said = process.output.read()
            assert (said, process.complaints(), process.wait()) == ("", "", -signal.SIGKILL)
        assert str(await current(target_url)).startswith(revision.UNFINISHED)
        refused = certgate("keys", "list", "--organization", "000000", CERTGATE_DATABASE_URL=target_url)
        assert refused.stderr.startswith("certgate: The database holds a part of a copy that was stopped: ")
    start = perf_counter()
    with started("-m", "gateway", *words) as process:
        said = process.output.read()
        assert (process.wait(), process.complaints()) == (0, "")
    print(f"{database_url[:6]} to {target_url[:6]}: the rest, and comparing: {perf_counter() - start:.1f} s")
    assert await current(target_url) == revision.head()
    if CASES < 10_000:
        assert await stored(target_url) == await stored(database_url)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_copy_goes_on_with_its_own_source_alone_and_notices_what_changed(
    database_url: str, empty_postgresql_url: str, sqlite_template: Path, tmp_path: Path
) -> None:
    await fill(database_url, ROWS)
    words = ("copy", "--from", database_url, "--to", empty_postgresql_url)
    with started("-c", KILLED, "products copied", str(ROWS), *words) as process:
        assert process.wait() == -signal.SIGKILL
    others_url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'other.db')}"
    async with connected(others_url) as connection:
        await connection.execute(text("UPDATE secrets SET value = 'another installation''s'"))
        await connection.commit()
    other = certgate("copy", "--from", others_url, "--to", empty_postgresql_url)
    assert other.stderr.startswith("certgate: The database holds a part of another copy that was stopped: ")
    async with connected(database_url) as connection:
        await connection.execute(text("UPDATE certifications SET label = 'Another' WHERE id = '000003'"))
        await connection.commit()
    changed = certgate(*words)
    assert (changed.returncode, changed.stdout) == (1, "")
    assert changed.stderr.startswith("certgate: certifications is not the same there (7 rows for 7): ")
    assert str(await current(empty_postgresql_url)).startswith(revision.UNFINISHED)


NUMBERED = Table(
    "numbered",
    MetaData(),
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("what", String(10), nullable=False),
    sqlite_autoincrement=True,
)


async def numbers(url: str, *statements: Any) -> list[int]:
    """Runs statements on the table, then says which numbers it has."""
    async with connected(url) as connection:
        for statement in statements:
            await connection.execute(statement)
        await connection.commit()
        return [*await connection.scalars(select(NUMBERED.c.id).order_by(NUMBERED.c.id))]


async def test_numbers_go_on_behind_the_last_one_that_was_given_out(database_url: str, target_url: str) -> None:
    more = insert(NUMBERED).values(what="x")
    assert await numbers(
        database_url, CreateTable(NUMBERED), *[more] * 5, delete(NUMBERED).where(NUMBERED.c.id > 2)
    ) == [
        1,
        2,
    ]
    assert await numbers(target_url, CreateTable(NUMBERED)) == []
    async with snapshot(database_url) as source:
        origin = await origin_of(source, [*contents(), content_of(NUMBERED)])
        await copy(origin, target_url, lambda what, rows, of: None)
    assert await numbers(target_url, more) == [1, 2, 6] == await numbers(database_url, more)


async def test_a_source_must_be_there_and_of_this_revision(tmp_path: Path) -> None:
    missing, old = tmp_path / "missing.db", tmp_path / "old.db"
    target = f"sqlite:///{tmp_path / 'target.db'}"
    refused = certgate("copy", "--from", f"sqlite:///{missing}", "--to", target)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"certgate: The file of --from is not there: {missing}; name the one to copy.\n"
    await migrate(f"sqlite:///{old}", "0015")
    refused = certgate("copy", "--from", f"sqlite:///{old}", "--to", target)
    assert refused.stderr.endswith(f"this certgate needs revision {revision.head()}: run ./certgate migrate.\n")
    refused = certgate("copy", "--from", "mysql://x/y", "--to", target)
    assert (refused.returncode, refused.stderr.partition(" must start ")[0]) == (2, "certgate: --from")
    assert not missing.exists()
