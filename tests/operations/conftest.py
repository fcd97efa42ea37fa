"""Every scenario here runs through both faces and on both databases."""

import pytest

from tests.operations.faces import Face, GraphQL, Rest
from tests.world import World


@pytest.fixture(params=[Rest, GraphQL], ids=["rest", "graphql"])
def face(request: pytest.FixtureRequest, world: World) -> Face:
    """One face of the application."""
    made: Face = request.param(world)
    return made
