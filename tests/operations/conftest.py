"""Every scenario here runs through both faces and on both databases."""

import pytest

from execution.executor import Executor
from gateway.graphql import executor_of
from gateway.settings import Settings
from tests.operations.faces import Face, GraphQL, Rest
from tests.world import World

_EXECUTORS: dict[tuple[tuple[str, object], ...], Executor] = {}


def _executor_of(settings: Settings) -> Executor:
    key = tuple((name, value) for name, value in settings if name.startswith("graphql_"))
    if key not in _EXECUTORS:
        _EXECUTORS[key] = executor_of(settings)
    return _EXECUTORS[key]


@pytest.fixture(autouse=True)
def documents_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document is read and compiled for the first test that sends it, as in a server that has run for a while."""
    monkeypatch.setattr("gateway.graphql.executor_of", _executor_of)


@pytest.fixture(params=[Rest, GraphQL], ids=["rest", "graphql"])
def face(request: pytest.FixtureRequest, world: World) -> Face:
    """One face of the application."""
    made: Face = request.param(world)
    return made
