import pytest

from execution.executor import Executor
from execution.plan.plan import NotCompiled
from execution.run.compiled import program_of


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["compiled", "uncompiled", "graphql-core"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the executors of a test run their operations: each in its turn."""
    if request.param == "uncompiled":
        monkeypatch.setattr("execution.executor.compile_operation", program_of)
    elif request.param == "graphql-core":
        monkeypatch.setattr("execution.run.interpreted.MAX_INTERPRETED", 1_000_000)
        monkeypatch.setattr(Executor, "_plan", lambda *_: NotCompiled("asked for by a test"))
    return str(request.param)
