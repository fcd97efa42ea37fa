import sys

import pytest

from execution.execute import Executor


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["compiled", "graphql-core"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How the executors of a test run their operations, when they do not say so themselves: each in its turn."""
    compile_at = 1 if request.param == "compiled" else sys.maxsize
    defaults = Executor.__init__.__kwdefaults__
    assert defaults
    monkeypatch.setitem(defaults, "compile_at", compile_at)
    return str(request.param)
