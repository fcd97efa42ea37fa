"""A real PgBouncer before a PostgreSQL server."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from pwd import getpwuid

import pytest
from sqlalchemy import URL, make_url

_IGNORED = "statement_timeout, lock_timeout, jit, tcp_keepalives_idle, tcp_keepalives_interval, tcp_keepalives_count"
"""What certgate says about a session that not every pooler takes; as the README says it."""


_LIMITS = "SET statement_timeout = 10000; SET lock_timeout = 5000; SET jit = off"
"""What those would have said, for every connection of the pooler."""


def program() -> str:
    """Where it is; skips the test where it is not, or fails it where it was promised."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program:
        return program
    reason = "The test needs pgbouncer on the path; on Debian: apt-get install pgbouncer"
    if os.environ.get("CERTGATE_TEST_PGBOUNCER") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


def _settings(server: URL, mode: str, port: int) -> str:
    folder = str(server.query["host"])
    # It refuses to run as root, and the server's folder is open to the server's user alone.
    user = getpwuid(Path(folder).stat().st_uid).pw_name if os.geteuid() == 0 else ""
    return (
        f"[databases]\n* = host={folder} user={server.username} connect_query='{_LIMITS}'\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\nignore_startup_parameters = {_IGNORED}\n{user and f'user = {user}'}\n"
        # One that a test ended while the pooler was making it would have all of the next 15 s refused.
        "server_login_retry = 0.1\n"
    )


@contextmanager
def pooler(server: str, folder: Path, mode: str, port: int = 0) -> Iterator[str]:
    """The URL of the server's database behind a pool in that mode; those of its other databases differ by name."""
    pgbouncer = program()
    there = make_url(server)
    if not port:
        with closing(socket.create_server(("127.0.0.1", 0))) as free:
            port = free.getsockname()[1]
    settings = folder / "pgbouncer.ini"
    settings.write_text(_settings(there, mode, port))
    quiet = subprocess.DEVNULL
    with subprocess.Popen([pgbouncer, "--quiet", settings], stdout=quiet, stderr=quiet) as process:
        try:
            for _ in range(500):
                with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None, "pgbouncer did not start"
                time.sleep(0.01)
            yield there.set(host="127.0.0.1", port=port, query={"sslmode": "disable"}).render_as_string(False)
        finally:
            process.terminate()


@asynccontextmanager
async def pooled(server: str, folder: Path, mode: str) -> AsyncIterator[str]:
    """The same for tests that await."""
    with pooler(server, folder, mode) as url:
        yield url
