"""Every operation that the page offers runs as it stands."""

import json
from typing import Protocol

import httpx2
import pytest

from gateway.pages import Example, read_examples


class LiveServer(Protocol):
    """The parts of the running server that a client needs."""

    url: str
    api_key: str


@pytest.mark.parametrize("example", read_examples(), ids=lambda example: example.title)
def test_example_runs(example: Example, live_server: LiveServer) -> None:
    operation = {"query": example.query, "variables": json.loads(example.variables)}
    with httpx2.Client(trust_env=False, headers={"X-API-Key": live_server.api_key}) as client:
        answer = client.post(f"{live_server.url}/graphql", json=operation)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json()
    (result,) = answer.json()["data"].values()
    assert result is not None
    assert "errorCode" not in result, result
