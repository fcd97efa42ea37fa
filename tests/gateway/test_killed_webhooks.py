"""A server that is killed while it sends: nothing is lost, and what comes twice has the same id."""

import asyncio
import signal
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from db.sql import tables
from tests.gateway.test_webhooks import Receiver, made
from tests.processes import PATIENCE, serving, started
from tests.world import GTIN, World

CHANGES = 120
KILLS = 3
NETWORKS = "127.0.0.0/8"
"""Where the receiver is: for who makes the webhook as for who sends."""


@pytest.fixture
def world_settings() -> dict[str, Any]:
    return {"webhook_networks": NETWORKS}


async def came(receiver: Receiver, number: int) -> None:
    """Until so many different events have come."""
    for _ in range(PATIENCE * 10):
        if len(set(receiver.ids)) >= number:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(set(receiver.ids))} have come, not {number}.")


async def test_what_is_killed_while_it_sends_is_gone_on_with(world: World, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "received.jsonl"
    file.touch()
    settings = {"CERTGATE_WEBHOOK_NETWORKS": NETWORKS}
    headers = {"X-API-Key": world.keys["manager"]}
    names: list[str] = []
    with started("-m", "tests.gateway.receiver", str(file)) as process:
        receiver = Receiver(file, int(process.output.readline()))
        _, secret = await made(world, f"{receiver.address}/200")
        for kill in range(KILLS + 1):
            async with world.database.write() as transaction:
                # As if the time had passed for which the one that was killed had taken it on.
                await transaction.execute(tables.webhooks.update().values(due_at=datetime.now(UTC)))
            with ExitStack() as stack:
                server, address = stack.enter_context(serving(database_url, **settings))
                async with httpx2.AsyncClient(base_url=address, headers=headers) as client:
                    for _ in range(CHANGES):
                        names.append(f"name {len(names)}")
                        changed = await client.patch(
                            f"/products/api/v1/products/{GTIN}", json={"product_name": names[-1]}
                        )
                        assert changed.status_code == 200, changed.text
                if kill == KILLS:
                    await came(receiver, len(names))
                else:
                    # In the middle of what it sends.
                    await came(receiver, CHANGES * kill + CHANGES // 4)
                    server.signal(signal.SIGKILL)
    first: dict[str, dict[str, Any]] = {}
    for request in receiver.requests:
        # Each server has a port of its own.
        event = {**Verifier(secret).verify(request["body"], request["headers"]), "source": ""}
        before = first.setdefault(event["id"], event)
        assert before == event
    told = [event["data"]["changes"][0]["after"] for event in first.values()]
    assert told == names
