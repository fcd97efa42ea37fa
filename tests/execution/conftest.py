import pytest

from execution.documents.cache import DocumentCache
from execution.executor import Executor
from execution.plan.plan import NotCompiled
from execution.run.compiled import program_of


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def kept_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are kept when they come first, unless a test says how many new ones are noted."""
    monkeypatch.setitem(vars(DocumentCache)["__init__"].__kwdefaults__, "max_seen", 0)


@pytest.fixture(params=["compiled", "uncompiled", "graphql-core"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the executors of a test run their operations: each in its turn."""
    if request.param == "uncompiled":
        monkeypatch.setattr("execution.executor.compile_operation", program_of)
    elif request.param == "graphql-core":
        monkeypatch.setattr("execution.run.interpreted.MAX_INTERPRETED", 1_000_000)
        monkeypatch.setattr(Executor, "_plan", lambda *_, **__: NotCompiled("asked for by a test"))
    return str(request.param)
