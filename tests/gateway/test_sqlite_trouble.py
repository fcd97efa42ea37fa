"""What befalls an SQLite file while it is used, with the real thing: callers get 503, and all is well afterwards.

The rows of SQLite in the table of `docs/errors.md`.
"""

import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path

import pytest

import db.engine.group_commit
from db.engine.database import Pace
from db.engine.opening import open_database
from gateway.app import create_app
from tests import processes
from tests.conftest import SETTINGS, Populated
from tests.gateway.test_cli import refused
from tests.gateway.trouble import WELL, Answers, answers, fill, graphql, small_disk, write_protected
from tests.world import GTIN, World

ROOTS = "SELECT rootpage FROM sqlite_master WHERE tbl_name = 'certification_assignments' AND rootpage > 0"
CREATE_KEY = ("keys", "create", "--organization", "brand", "--role", "editor")


@pytest.fixture
def database_file(populated_sqlite: Populated, tmp_path: Path) -> Path:
    return Path(shutil.copy(populated_sqlite.content, tmp_path / "certgate.db"))


@asynccontextmanager
async def opened(file: Path, populated: Populated) -> AsyncIterator[World]:
    """The application on that file, which is looked for in each turn of the loop."""
    database = await open_database(f"sqlite:///{file}", Pace(period=0))
    try:
        async with World(create_app(SETTINGS, database), database) as world:
            world.keys |= populated.keys
            yield world
    finally:
        await database.close()


async def test_a_full_disk(tmp_path: Path, populated_sqlite: Populated) -> None:
    with small_disk(tmp_path) as disk:
        await _fill_and_empty(disk, populated_sqlite)


async def _fill_and_empty(disk: Path, populated: Populated) -> None:
    file = Path(shutil.copy(populated.content, disk / "certgate.db"))
    async with opened(file, populated) as world:
        assert await answers(world) == WELL
        rest = fill(disk)
        # What is left of the log's last page may do for a write or two.
        for _ in range(100):
            if (await answers(world)).writes == 503:
                break
        assert await answers(world) == Answers(200, 503, (200, "full"))
        assert "disk is full" in refused(1, *CREATE_KEY, CERTGATE_DATABASE_URL=f"sqlite:///{file}")
        rest.unlink()
        # A write has to succeed first.
        assert await answers(world) == Answers(200, 200, (200, "full"))
        assert await answers(world) == WELL


async def test_a_file_that_may_only_be_read(database_file: Path, populated_sqlite: Populated) -> None:
    async with AsyncExitStack() as stack:
        with write_protected(database_file):
            world = await stack.enter_async_context(opened(database_file, populated_sqlite))
            assert await answers(world) == Answers(200, 503, (200, "read-only"))
            assert "readonly database" in refused(1, *CREATE_KEY, CERTGATE_DATABASE_URL=f"sqlite:///{database_file}")
        # Whoever was refused last has had the connection replaced.
        assert await answers(world) == Answers(200, 200, (200, "read-only"))
        assert await answers(world) == WELL


@pytest.mark.parametrize("replaced", [False, True])
async def test_a_file_that_is_gone(database_file: Path, populated_sqlite: Populated, replaced: bool) -> None:
    async with opened(database_file, populated_sqlite) as world:
        assert await answers(world) == WELL
        aside = database_file.with_suffix(".aside")
        shutil.move(database_file, aside)
        if replaced:
            shutil.copy(populated_sqlite.content, database_file)
        # What would be written to it nobody would find again, and what is revoked is revoked in another file.
        assert await answers(world) == Answers(503, 503, (503, "missing"))
        shutil.move(aside, database_file)
        assert await answers(world) == WELL


IMPATIENT = """
import db.engine.sqlite, gateway.cli
db.engine.sqlite._BUSY_SECONDS = 0.2
gateway.cli.main()
"""
"""The command line, which would wait for the file as long as a server does."""


async def test_a_file_that_another_process_has_locked(
    database_file: Path, populated_sqlite: Populated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db.engine.group_commit, "WAIT_SECONDS", 0.2)
    async with opened(database_file, populated_sqlite) as world:
        with closing(sqlite3.connect(database_file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await answers(world) == Answers(200, 503, (200, "busy"))
        assert await answers(world) == WELL
    with closing(sqlite3.connect(database_file, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        done = processes.ran("-c", IMPATIENT, *CREATE_KEY, CERTGATE_DATABASE_URL=f"sqlite:///{database_file}")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"certgate: [^\n]*database is locked[^\n]*\n", done.stderr), done.stderr


async def test_a_file_that_is_damaged(database_file: Path, populated_sqlite: Populated) -> None:
    with closing(sqlite3.connect(database_file)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        pages = [page for (page,) in connection.execute(ROOTS)]
    with database_file.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)
    async with opened(database_file, populated_sqlite) as world:
        assert await answers(world) == Answers(503, 503, (200, "ok"))
        # What can be had beside it is had.
        query = (
            f'{{ product(gtin: "{GTIN}") {{ certifications {{ scope }} }} claims(first: 1) {{ nodes {{ code }} }} }}'
        )
        response = await graphql(world, query)
        answered = response.json()
        assert (response.status_code, answered["data"]["product"]) == (200, None)
        assert answered["data"]["claims"]["nodes"]
        assert [error["extensions"]["code"] for error in answered["errors"]] == ["service_unavailable"]
        # Only who writes there finds out.
        assert await answers(world) == Answers(503, 503, (200, "unusable"))
