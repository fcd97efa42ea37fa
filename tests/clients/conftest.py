"""Other people's tools and a server for them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, LiveServer, demo_server
from tests.npm import workplace
from tests.processes import certgate


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder with the tools of package.json, their configuration and the committed schema."""
    folder = workplace(Path(__file__).parent, tmp_path)
    shutil.copy(ROOT / "schema" / "schema.graphql", folder)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A demo server that the tests of a module share."""
    with demo_server(tmp_path_factory.mktemp("demo")) as server:
        yield server


def register(server: LiveServer, manifest: Path) -> None:
    """Registers the documents of a file on a running server, as its operator does."""
    done = certgate("documents", "register", str(manifest), CERTGATE_DATABASE_URL=server.database_url)
    assert done.returncode == 0, done.stdout + done.stderr
