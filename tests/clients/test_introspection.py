"""The longest introspection query that clients send passes all limits, and what it reads is the schema."""

from pathlib import Path

from tests.conftest import LiveServer
from tests.npm import run


def test_tools_read_the_schema_from_a_running_server(tools: Path, server: LiveServer) -> None:
    read = run(tools, "node", "introspect.mjs", f"{server.url}/graphql", server.api_key)
    assert (read.stdout, read.stderr) == ("same\n", "")
