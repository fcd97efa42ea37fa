"""Patroni's leader is killed under load and comes back, then hands over; replication is synchronous."""

import asyncio
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from pwd import getpwnam
from time import perf_counter
from typing import Any

import httpx2
import psutil

from tests import sweeper
from tests.drills.load import UNLIMITED, Callers, Ledger, require_all, set_up
from tests.gateway.test_rate_limits_redis import free_port
from tests.processes import serving

PROGRAMS = ("patroni", "etcd")
NEEDS = "apt-get install patroni etcd-server postgresql"
SERVERS = Path("/usr/lib/postgresql")
# As Patroni's own documentation has it, but for the seconds: a leader that says nothing is replaced after `ttl`.
DYNAMIC = {
    "ttl": 20,
    "loop_wait": 2,
    "retry_timeout": 5,
    "synchronous_mode": True,
    "postgresql": {"use_pg_rewind": True, "parameters": {"wal_log_hints": "on", "max_connections": 60}},
}
ACCESS = ("local all all trust", "host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust")


class Node:
    """A PostgreSQL server and the Patroni that looks after it."""

    def __init__(self, name: str, folder: Path, etcd: int, bin_folder: Path) -> None:
        self.name = name
        self.port, self.api = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = folder / name
        self._folder.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        known = {"username": "postgres", "password": "drill"}
        settings = {
            "scope": "drill",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{self.api}", "connect_address": f"127.0.0.1:{self.api}"},
            "etcd3": {"host": f"127.0.0.1:{etcd}"},
            "bootstrap": {"dcs": DYNAMIC, "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self._folder / "data"),
                "bin_dir": str(bin_folder),
                "pgpass": str(self._folder / "pgpass"),
                "authentication": {"superuser": known, "replication": known},
                "parameters": {"unix_socket_directories": str(self._folder)},
                "pg_hba": ACCESS,
            },
        }
        # YAML takes JSON.
        (self._folder / "patroni.yml").write_text(json.dumps(settings), encoding="utf-8")

    def start(self) -> None:
        """Has Patroni start, which starts the server."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["patroni", "patroni.yml"], cwd=self._folder, stdout=log, stderr=log, **_as_its_user()
            )

    def is_in(self, role: str) -> bool:
        """Whether the node is `primary` or `synchronous`, as Patroni answers load balancers."""
        with suppress(httpx2.TransportError):
            return httpx2.get(f"http://127.0.0.1:{self.api}/{role}", timeout=2).status_code == 200
        return False

    def kill(self) -> None:
        """SIGKILL for all of it, as when its machine loses power."""
        assert self._process is not None
        server = int((self._folder / "data/postmaster.pid").read_text(encoding="utf-8").split()[0])
        for each in (psutil.Process(server), psutil.Process(self._process.pid)):
            for process in (each, *each.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Has both end."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def _as_its_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _until(condition: Callable[[], bool], seconds: float = 120) -> float:
    """Waits until it is so; how long that took."""
    start = perf_counter()
    while not condition():
        assert perf_counter() - start < seconds, "it does not come to that"
        time.sleep(0.2)
    return perf_counter() - start


@contextmanager
def _etcd(folder: Path) -> Iterator[int]:
    client, peer = free_port(), free_port()
    here, there = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
    command = [
        "etcd",
        "--data-dir",
        str(folder / "etcd"),
        "--listen-client-urls",
        here,
        "--advertise-client-urls",
        here,
    ]
    command += [
        "--listen-peer-urls",
        there,
        "--initial-advertise-peer-urls",
        there,
        "--initial-cluster",
        f"default={there}",
    ]
    with (folder / "etcd.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        yield client
        process.terminate()


async def _under_load(url: str, nodes: list[Node], writes: int) -> str:
    leader, other = nodes
    key, ledger = await asyncio.to_thread(set_up, url), Ledger()
    with serving(url, CERTGATE_WORKERS="2", CERTGATE_LOG_LEVEL="critical", **UNLIMITED) as (_, address):
        async with Callers(address, key, ledger) as callers:
            await callers.acknowledged(writes)
            await asyncio.to_thread(leader.kill)
            killed, before = perf_counter(), len(ledger.written)
            await asyncio.to_thread(_until, lambda: other.is_in("primary"))
            replaced = perf_counter() - killed
            await callers.acknowledged(1)
            first = perf_counter() - killed - replaced
            await callers.acknowledged(writes)
            leader.start()
            await asyncio.to_thread(_until, lambda: leader.is_in("synchronous"))
            await callers.acknowledged(writes)
            body = {"leader": other.name, "candidate": leader.name}
            handing = perf_counter()
            answer = await asyncio.to_thread(
                lambda: httpx2.post(f"http://127.0.0.1:{other.api}/switchover", json=body, timeout=60)
            )
            assert answer.status_code == 200, answer.text
            await asyncio.to_thread(_until, lambda: leader.is_in("primary") and other.is_in("synchronous"))
            await callers.acknowledged(1)
            handed = perf_counter() - handing
            await callers.acknowledged(writes)
    kept = await require_all(url, ledger)
    return (
        f"the other led {replaced:.0f} s after the leader was killed, and {first:.1f} s later a write was acknowledged;"
        f" the first one came back and followed; it led again {handed:.0f} s after it was told to, with a write"
        f" acknowledged; all {kept:,} acknowledged writes are there, {before:,} of them from before ({ledger.told()})"
    )


def drill(short: bool) -> Iterator[str]:
    """PostgreSQL alone; not in the short form, for a leader that is killed is missed for twenty seconds."""
    if short:
        yield "left out of the short form: it takes minutes"
        return
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    versions = sorted(SERVERS.glob("*/bin")) if SERVERS.is_dir() else []
    if missing or not versions:
        yield f"left out: {' and '.join(missing) or 'PostgreSQL'} is not installed here; on Debian: {NEEDS}"
        return
    folder = Path(sweeper.folder("patroni"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        etcd = stack.enter_context(_etcd(folder))
        nodes = [Node(name, folder, etcd, versions[-1]) for name in ("one", "two")]
        for node in nodes:
            stack.callback(node.stop)
        nodes[0].start()
        _until(lambda: nodes[0].is_in("primary"))
        nodes[1].start()
        _until(lambda: nodes[1].is_in("synchronous"))
        ports = ",".join(str(node.port) for node in nodes)
        url = f"postgresql://postgres:drill@/postgres?host=127.0.0.1,127.0.0.1&port={ports}"
        yield asyncio.run(_under_load(f"{url}&target_session_attrs=read-write", nodes, 500))
    shutil.rmtree(folder)
