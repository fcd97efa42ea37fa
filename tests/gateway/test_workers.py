"""Several workers on one port: each is replaced when it ends, and all are reloaded and stopped together."""

import asyncio
import json
import re
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from db.sealing import Sealer
from gateway import workers
from gateway.settings import Settings
from gateway.workers import number_of_workers
from tests.processes import PATIENCE, Process, certgate, demo_database, ran, serving
from tests.world import GTIN, World

SINGLE = httpx2.Limits(max_keepalive_connections=0)
CERTIFICATIONS = f"/certifications/api/v1/products/{GTIN}/certifications"


@pytest.fixture
def demo_url(tmp_path: Path) -> str:
    """The demo in an SQLite file."""
    return demo_database(tmp_path)


def until(condition: Callable[[], bool]) -> None:
    """Returns when it is so."""
    for _ in range(PATIENCE * 50):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it does not come to that")


def workers_of(process: Process) -> list[psutil.Process]:
    """The workers that answer: those that listen, and nothing else does, but the supervisor."""
    return [child for child in psutil.Process(process.pid).children() if child.net_connections("tcp")]


@contextmanager
def several(url: str, number: int = 2, **settings: str) -> Iterator[tuple[Process, str]]:
    """A server with so many workers, all of which answer."""
    with serving(url, CERTGATE_WORKERS=str(number), **settings) as (process, address):
        until(lambda: process.complaints().count("Application startup complete") == number)
        yield process, address


async def test_what_is_changed_by_one_worker_holds_for_all(world: World, database_url: str) -> None:
    """A key is revoked by one of them, and refused by whichever is asked next."""
    with several(database_url, 3) as (process, address):
        ids = set()
        # Each request on a connection of its own, so that any of them answers.
        async with httpx2.AsyncClient(base_url=address, limits=SINGLE) as client:

            async def asked(key: str) -> int:
                answer = await client.get(CERTIFICATIONS, headers={"X-API-Key": world.keys[key]})
                ids.add(answer.headers["x-request-id"])
                return answer.status_code

            assert Counter(await asyncio.gather(*(asked("editor") for _ in range(30)))) == {200: 30}
            # Having been forked, they would else give their requests the same names.
            assert len(ids) == 30
            path = f"/account/api/v1/organizations/{world.brand}/api-keys/{world.key_ids['editor']}"
            assert (await client.delete(path, headers={"X-API-Key": world.keys["manager"]})).is_success
            # PostgreSQL's notification is a moment later than its commit.
            await asyncio.sleep(0.5 if "postgresql" in database_url else 0)
            assert Counter(await asyncio.gather(*(asked("editor") for _ in range(30)))) == {401: 30}
        assert process.stop() == 0


async def test_workers_count_requests_together(world: World, database_url: str) -> None:
    limits = {"CERTGATE_RATE_LIMIT_PER_MINUTE": "12"}
    headers = {"X-API-Key": world.keys["readonly"]}
    with several(database_url, 3, **limits) as (process, address):
        async with httpx2.AsyncClient(base_url=address, limits=SINGLE, headers=headers) as client:
            answers = [await client.get(CERTIFICATIONS) for _ in range(14)]
            assert [answer.status_code for answer in answers] == [200] * 12 + [429] * 2
            assert [int(answer.headers["ratelimit-remaining"]) for answer in answers] == [*range(11, -1, -1), 0, 0]
            # What a worker has counted stays when it dies.
            for worker in workers_of(process):
                worker.kill()
            assert (await client.get(CERTIFICATIONS)).status_code == 429


def test_connections_are_spread_and_a_worker_that_dies_is_replaced(demo_url: str) -> None:
    with several(demo_url) as (process, address):
        port = int(address.rpartition(":")[2])
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(64)]

        def connected(worker: psutil.Process) -> int:
            return sum(each.status == "ESTABLISHED" for each in worker.net_connections("tcp"))

        first, second = workers_of(process)
        until(lambda: connected(first) + connected(second) == 64)
        assert min(connected(first), connected(second)) > 8
        first.kill()
        # Whoever connects meanwhile waits for the successor.
        for _ in range(16):
            assert httpx2.get(f"{address}/healthz").status_code == 200
        until(lambda: len(workers_of(process)) == 2)
        assert second in workers_of(process)
        assert f"The worker {first.pid} was ended by signal 9; another one takes its place." in process.complaints()
        assert connected(second) == 64 - sum(_is_closed(each) for each in held)
        for each in held:
            each.close()


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_what_is_wrong_is_said_once_and_ends_the_server(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    done = certgate("serve", "--port", "0", "--workers", "3", CERTGATE_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "has no tables: run ./certgate init" in done.stderr
    done = certgate("serve", "--port", "0", "--workers", "0", CERTGATE_DATABASE_URL=url)
    assert done.returncode == 2
    assert "--workers" in done.stderr


async def test_a_request_under_way_is_answered_and_all_workers_stop(world: World, database_url: str) -> None:
    with several(database_url) as (process, address):
        host, port = address.removeprefix("http://").split(":")
        body = json.dumps({"gtin": "9506000134352", "product_name": "Oat drink"}).encode()
        reader, writer = await asyncio.open_connection(host, int(port))
        head = (
            f"POST /products/api/v1/products HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {world.keys['manager']}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body[:10])
        await writer.drain()
        # By then it has come.
        assert httpx2.get(f"{address}/healthz").status_code == 200
        await asyncio.sleep(0.2)
        process.signal(signal.SIGTERM)
        await asyncio.to_thread(until, lambda: process.complaints().count("Shutting down") == 2)
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{address}/healthz")
        writer.write(body[10:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 201 ")
        writer.close()
        assert await asyncio.to_thread(process.wait) == 0


async def test_who_waits_for_a_change_is_answered_when_all_workers_stop(world: World, database_url: str) -> None:
    await Sealer(world.database).seal()
    path, headers = "/certifications/api/v1/changes", {"X-API-Key": world.keys["manager"]}
    with several(database_url) as (process, address):
        # It would wait for longer than requests may take to finish.
        async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=PATIENCE) as client:
            end = (await client.get(path, params={"limit": 100})).json()["next"]
            waiting = asyncio.create_task(client.get(path, params={"since": end, "wait": 30}))
            assert (await client.get("/healthz")).status_code == 200
            await asyncio.sleep(0.2)
            process.signal(signal.SIGTERM)
            answer = await waiting
        assert (answer.status_code, answer.json()) == (200, {"data": [], "next": end})
        assert await asyncio.to_thread(process.wait) == 0


def test_workers_stop_when_nobody_looks_after_them(demo_url: str) -> None:
    with several(demo_url) as (process, _):
        left = workers_of(process)
        process.signal(signal.SIGKILL)
        process.wait()
        _, alive = psutil.wait_procs(left, PATIENCE)
        assert alive == []
        assert process.complaints().count("Application shutdown complete") == 2


async def test_a_reload_loses_no_request(demo_url: str) -> None:
    with several(demo_url) as (process, address):
        former = workers_of(process)
        answers = Counter[int]()
        is_over = False

        async with httpx2.AsyncClient(base_url=address, limits=SINGLE) as client:

            async def ask() -> None:
                while not is_over:
                    answers[(await client.get("/healthz")).status_code] += 1
                    await asyncio.sleep(0.002)

            asking = [asyncio.create_task(ask()) for _ in range(4)]
            process.signal(signal.SIGHUP)
            await asyncio.to_thread(psutil.wait_procs, former, PATIENCE)
            is_over = True
            await asyncio.gather(*asking)
        assert answers.keys() == {200}
        later = workers_of(process)
        assert len(later) == 2
        assert not {each.pid for each in former} & {each.pid for each in later}
        assert process.output.readline().startswith(f"certgate answers on {address};")
        assert process.stop() == 0


def test_a_reload_is_given_up_where_the_program_would_not_start(tmp_path: Path, sqlite_template: Path) -> None:
    file = tmp_path / "certgate.db"
    file.write_bytes(sqlite_template.read_bytes())
    with several(f"sqlite:///{file}") as (process, address):
        former = workers_of(process)
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        process.signal(signal.SIGHUP)
        until(lambda: "It would not start anew (exit code 1)" in process.complaints())
        assert "too old to know" in process.complaints()
        assert workers_of(process) == former
        assert httpx2.get(f"{address}/healthz").status_code == 200


SUPERVISED = """
import logging, os, signal, socket, sys, time
from gateway import workers
from gateway.workers import Supervisor

logging.basicConfig(format="%(message)s")
workers.PAUSES = (0.0, 0.0)
workers.SILENCE_SECONDS = 2
workers.BEAT_SECONDS = 0.1
supervisor = Supervisor([socket.socket()], stop_seconds=5, command=lambda _: [], rehearsal=[])
worker = supervisor.run(lambda: print("answers", flush=True))
"""

ONCE = """
with open(sys.argv[0], "a+") as file:
    file.write(".")
    file.seek(0)
    number = len(file.read())
# The first one answers, and the fifth, after four that end before they do.
if number in (1, 5):
    os.write(worker.says, b".")
    time.sleep(0.1)
    os._exit(0)
os._exit(7)
"""

SILENT = """
print(os.getpid(), flush=True)
is_second = os.path.exists(sys.argv[0])
open(sys.argv[0], "w").close()
os.write(worker.says, b".")
if is_second:
    os.kill(os.getppid(), signal.SIGTERM)
signal.pause()
"""


BESIDE = """
if worker.number == 0:
    while True:
        os.write(worker.says, b".")
        time.sleep(0.02)
with open(sys.argv[0], "a+") as file:
    file.write(".")
    file.seek(0)
    if len(file.read()) == 4:
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()
os._exit(7)
"""


@pytest.fixture
def marker(tmp_path: Path) -> str:
    return f"\nsys.argv[0] = {str(tmp_path / 'marker')!r}\n"


def test_workers_that_end_at_once_end_the_server(marker: str) -> None:
    done = ran("-c", SUPERVISED + marker + ONCE)
    assert (done.returncode, done.stdout) == (7, "answers\n")
    *ends, end = [re.sub(r"worker \d+", "worker", line) for line in done.stderr.splitlines()]
    replaced = "The worker has ended with exit code 0; another one takes its place."
    failed = "The worker has ended with exit code 7 before it answered; the next one is started in 0 s."
    assert ends == [replaced, *[failed] * 3, replaced, *[failed] * (workers.GIVE_UP - 1)]
    assert end == f"{workers.GIVE_UP} workers in a row have ended before they answered, so the server ends."


def test_a_worker_that_ends_again_and_again_is_replaced_more_and_more_slowly_beside_one_that_answers(
    marker: str,
) -> None:
    two = SUPERVISED.replace("(0.0, 0.0)", "(0.0, 0.1, 0.2, 0.3)").replace(
        "[socket.socket()]", "[socket.socket(), socket.socket()]"
    )
    done = ran("-c", two + marker + BESIDE)
    assert (done.returncode, done.stdout) == (0, "answers\n")
    pauses = [re.sub(r".* ended with exit code 7 .* in (.*)", r"\1", line) for line in done.stderr.splitlines()]
    assert pauses == ["0.1 s.", "0.2 s.", "0.3 s."]


def test_a_worker_that_falls_silent_is_killed_and_replaced(marker: str) -> None:
    done = ran("-c", SUPERVISED + marker + SILENT)
    assert done.returncode == 0
    answers, first, second = sorted(done.stdout.split(), reverse=True)
    assert answers == "answers"
    silent, ended = done.stderr.splitlines()
    killed = silent.split()[2]
    assert killed in {first, second}
    assert ended == f"The worker {killed} was ended by signal 9; another one takes its place."


@pytest.mark.parametrize(
    ("settings", "cores", "number"),
    [
        ({}, 4, 1),
        ({"workers": 3}, 4, 3),
        ({"database_url": "postgresql:///x"}, 4, 4),
        ({"database_url": "postgresql:///x"}, 64, 16),
        ({"database_url": "postgresql:///x", "database_connections": 300}, 64, 60),
        ({"database_url": "postgresql:///x", "database_connections": 3}, 64, 1),
        ({"database_url": "postgresql:///x", "workers": 2}, 64, 2),
    ],
)
def test_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str | int], cores: int, number: int
) -> None:
    monkeypatch.setattr(workers, "_cores", lambda: cores)
    assert number_of_workers(Settings(**settings)) == number  # type: ignore[arg-type]
