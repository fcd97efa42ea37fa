"""What is read of a body serves everybody who sends the same: running it changes nothing of it."""

import json

import pytest

from schema.http_request import read_body
from tests.operations.mutations import BULK, MUTATIONS, prepare, send
from tests.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("name", [*MUTATIONS, *BULK])
async def test_a_body_that_was_run_is_as_it_was_sent(world: World, name: str) -> None:
    await prepare(world)
    input = MUTATIONS[BULK.get(name, name)].input
    response = await send(world, name, {"input": [input] if name in BULK else input, "dryRun": True})
    assert "errors" not in response.json()
    body = response.request.content
    read = read_body(body)
    assert read.variables == json.loads(body)["variables"]
    assert read_body(body) is read
