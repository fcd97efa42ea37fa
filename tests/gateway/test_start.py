"""What a start does before the first answer, counted in modules: what nobody has asked for is not imported."""

import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from tests.processes import environment
from tests.world import GTIN, World

ROOT = Path(__file__).resolve().parents[2]

ASK = "query ($gtin: String!) { product(gtin: $gtin) { name certifications { gtin } claims { claim { code } } } }"
ANSWER = {"data": {"product": {"name": "Oat drink", "certifications": [{"gtin": GTIN}], "claims": []}}}

NOT_YET = {
    "alembic",
    "db.agreement",
    "db.catalogue",
    "db.migrate",
    "dotenv",
    "files",
    "gateway.demo",
    "gateway.auth.jwks",
    "gateway.limits.redis",
    "gateway.telemetry.metrics",
    "gateway.telemetry.requests",
    "jwt",
    "opentelemetry",
    "prometheus_client",
    "pydantic_settings",
    "sqlalchemy.orm",
    "urllib.request",
    "valkey",
    "xlsxwriter",
}
"""Half a second of imports altogether."""

OF_THE_OTHER_DATABASE = {
    "sqlite": {"asyncpg", "db.engine.postgresql", "sqlalchemy.dialects.postgresql"},
    "postgresql": {"aiosqlite", "db.engine.sqlite"},
}


@pytest.mark.anyio
async def test_nothing_is_imported_that_the_first_answer_does_not_need(
    world: World, database_url: str, tmp_path: Path
) -> None:
    imported = imported_until_the_first_answer(database_url, world.keys["readonly"], tmp_path)
    assert {"db.sql.tables", "gateway.app", "schema.schema", "sqlalchemy", "uvicorn"} <= imported
    assert imported & (NOT_YET | OF_THE_OTHER_DATABASE[database_url.partition(":")[0]]) == set()


def imported_until_the_first_answer(database_url: str, key: str, folder: Path) -> set[str]:
    """The modules that a server without imports has imported when it has answered one GraphQL request."""
    log = folder / "log"
    command = [sys.executable, "-X", "importtime", "-m", "gateway", "serve", "--port", "0", "--workers", "1"]
    settings = {"CERTGATE_DATABASE_URL": database_url, "CERTGATE_IMPORT_FOLDER": str(folder / "imports")}
    with (
        log.open("w") as said,
        subprocess.Popen(
            command, cwd=ROOT, env=environment(**settings), stdout=subprocess.PIPE, stderr=said, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            words = process.stdout.readline().split()
            assert words, log.read_text()
            (url,) = (word.rstrip(";") for word in words if word.startswith("http"))
            answer = httpx2.post(
                f"{url}/graphql", json={"query": ASK, "variables": {"gtin": GTIN}}, headers={"X-API-Key": key}
            )
            imported = log.read_text()
        finally:
            process.terminate()
    assert answer.json() == ANSWER
    return {line.rpartition("|")[2].strip() for line in imported.splitlines()}


COLLECTOR = """
import gc, os, signal
gc.disable()  # as the command does
from gateway import server
from gateway.settings import Settings

async def application(scope, receive, send):
    while (await receive())["type"] == "lifespan.startup":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

def started():
    print(gc.isenabled(), gc.get_freeze_count() > 10_000, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

async def work(settings):
    with server.listen(settings) as listener:
        await server.serve(settings, application, listener, started)

server.run(work(Settings(port=0)))
"""


def test_a_server_that_answers_collects_garbage_but_not_among_what_was_imported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COLLECTOR], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"
