"""What Prometheus is told, by whom, and that dashboard and alerts ask for nothing else."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import httpx2
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.telemetry.board import PLACE_BYTES, Board
from gateway.telemetry.exposition import About, exposition
from gateway.telemetry.metrics import Figures, Metrics, Process
from tests.processes import Process as Server
from tests.processes import demo_database, serving, succeeded
from tests.world import World

TOKEN = "a-token-of-monitoring-0123"
GTIN = "00000080050698"
LIST = f"/certifications/api/v1/products/{GTIN}/certifications"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations"


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The samples of an exposition, as Prometheus' own parser reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def sample(text: str, name: str, **labels: str) -> float:
    return samples(text).get((name, frozenset(labels.items())), 0)


class Measured(NamedTuple):
    client: httpx2.Client
    key: dict[str, str]
    server: Server


@contextmanager
def measured(folder: Path, **settings: str) -> Iterator[Measured]:
    url = demo_database(folder)
    words = ("keys", "create", "--organization", "demo", "--role", "manager", "--quiet")
    key = succeeded(*words, CERTGATE_DATABASE_URL=url).strip()
    with serving(url, **settings) as (server, address), httpx2.Client(base_url=address) as client:
        yield Measured(client, {"X-API-Key": key}, server)


def test_requests_are_counted_by_operation_and_outcome_for_whoever_has_the_token(tmp_path: Path) -> None:
    with measured(tmp_path, CERTGATE_METRICS_TOKEN=TOKEN) as (client, key, _):
        for _ in range(3):
            assert client.get(LIST, headers=key).status_code == 200
        client.get(LIST)
        for query in ("{ viewer { organization { slug } } }", "query A { nothing }", "query B { viewer { kind } }"):
            client.post("/graphql", headers=key, json={"query": query})
        client.get(f"/{key['X-API-Key']}/one", headers=key)
        for headers in (
            {},
            key,
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": TOKEN},
            {"Authorization": "Bearer"},
            {"Authorization": f"Basic {TOKEN}"},
        ):
            refused = client.get("/metrics", headers=headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="metrics"')
            assert "certgate_" not in refused.text
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.headers["content-type"].startswith("text/plain; version=")
    text = answer.text
    operation = {"face": "rest", "operation": "list_product_certifications"}
    assert sample(text, "certgate_requests_total", **operation, status="200", code="") == 3
    assert sample(text, "certgate_requests_total", face="rest", operation="", status="401", code="unauthorized") == 1
    asked_for = {"face": "graphql", "operation": "query"}
    assert sample(text, "certgate_requests_total", **asked_for, status="200", code="") == 2
    wrong = {"face": "graphql", "operation": "", "status": "400", "code": "GRAPHQL_VALIDATION_FAILED"}
    assert sample(text, "certgate_requests_total", **wrong) == 1
    assert sample(text, "certgate_request_seconds_count", **operation) == 3
    assert sample(text, "certgate_request_seconds_bucket", **operation, le="+Inf") == 3
    assert 0 < sample(text, "certgate_request_seconds_sum", **operation) < 60
    assert sample(text, "certgate_dependency_up", dependency="database") == 1
    assert sample(text, "certgate_process_resident_memory_bytes", worker="0") > 10_000_000
    assert sample(text, "certgate_requests_under_way", worker="0") == 1
    # What has not happened yet is there, so that the first time is an increase.
    families = samples(text)
    for name, labels in (("logged", {"level": "error"}), ("database_troubles", {"trouble": "full"})):
        assert families[f"certgate_{name}_total", frozenset(labels.items())] == 0
    for secret in (TOKEN, key["X-API-Key"]):
        assert secret not in text


def test_without_a_token_there_is_no_such_page(tmp_path: Path) -> None:
    with measured(tmp_path) as (client, key, _):
        assert client.get("/metrics", headers=key | {"Authorization": "Bearer"}).status_code == 404


def test_each_worker_tells_of_all_also_of_those_who_died(tmp_path: Path) -> None:
    with measured(tmp_path, CERTGATE_METRICS_TOKEN=TOKEN, CERTGATE_WORKERS="2") as (client, key, server):
        token = {"Authorization": f"Bearer {TOKEN}"}

        def told() -> tuple[float, set[str]]:
            # On a connection of its own, which either worker may get.
            text = httpx2.get(f"{client.base_url}/metrics", headers=token).text
            found = {dict(labels)["worker"] for name, labels in samples(text) if name == "certgate_connections"}
            operation = {"face": "rest", "operation": "list_product_certifications", "status": "200", "code": ""}
            return sample(text, "certgate_requests_total", **operation), found

        def until(number: float) -> None:
            for _ in range(300):
                if told() == (number, {"0", "1"}):
                    return
                time.sleep(0.05)
            raise AssertionError(told())

        for _ in range(20):
            httpx2.get(f"{client.base_url}{LIST}", headers=key)
        until(20)
        victim, *_ = (int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())
        os.kill(victim, signal.SIGKILL)
        until(20)
        httpx2.get(f"{client.base_url}{LIST}", headers=key)
        until(21)


def figures(place: int, requests: int, *, alive: bool = True) -> Figures:
    tally: list[float] = [requests, *([0] * 13), requests / 2]
    return Figures(
        Process(place, alive=alive),
        [(("rest", "list", 200, ""), tally)],
        {"full": 1},
        {"error": 2},
        5,
        0.5,
        {"timeout": 3},
    )


async def test_workers_are_added_up_and_one_that_died_takes_nothing_with_it(world: World) -> None:
    board = Board(3)
    first, second = (Metrics(world.database, board, place) for place in (0, 1))
    board.write(0, msgspec.msgpack.encode(figures(0, 3)))
    board.write(1, msgspec.msgpack.encode(figures(1, 4, alive=False)))
    about = About("1", "sqlite", "0001")
    # Who takes the place of another begins with what that had counted.
    first.take_over()
    content, _ = exposition(first.all(), {"database": False}, None, about, "")
    text = content.decode()
    assert sample(text, "certgate_requests_total", face="rest", operation="list", status="200", code="") == 7
    assert sample(text, "certgate_request_seconds_sum", face="rest", operation="list") == 3.5
    assert sample(text, "certgate_request_seconds_bucket", face="rest", operation="list", le="0.001") == 7
    assert sample(text, "certgate_statements_total") >= 10
    assert sample(text, "certgate_database_troubles_total", trouble="full") == 2
    assert sample(text, "certgate_logged_total", level="error") == 4
    assert sample(text, "certgate_webhook_deliveries_total", result="timeout") == 6
    assert sample(text, "certgate_webhook_deliveries_total", result="delivered") == 0
    assert sample(text, "certgate_dependency_up", dependency="database") == 0
    workers = [dict(labels)["worker"] for name, labels in samples(text) if name == "certgate_connections"]
    assert workers == ["0"]
    assert second.all()[0].process.number == 0
    assert "openmetrics" in exposition(first.all(), {}, None, about, "application/openmetrics-text;version=1.0.0")[1]


def test_a_board_is_one_memory_for_processes_that_are_forked_from_it() -> None:
    board = Board(2)
    assert board.read_all() == [b"", b""]
    child = os.fork()
    if child == 0:
        board.write(1, b"from a child")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    assert board.read_all() == [b"", b"from a child"]
    assert not board.write(0, b"a" * PLACE_BYTES)
    assert board.read(0) == b""
    # Who dies within a write leaves what is not taken for anything.
    board._memory[PLACE_BYTES + 14] = 0
    assert board.read(1) == b""


def exposed() -> set[str]:
    """The names of all samples that there may be."""
    content, _ = exposition([figures(0, 1)], {"database": True}, date(2026, 11, 30), About("1", "sqlite", "1"), "")
    return {name for name, _ in samples(content.decode())}


def asked(expression: str) -> set[str]:
    return set(re.findall(r"\bcertgate_\w+", expression))


def test_dashboard_and_alerts_ask_for_metrics_that_there_are_and_for_each_of_them() -> None:
    board = json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    assert len(queries) >= 10
    shown = set[str]().union(*map(asked, queries))
    rules = (OPERATIONS / "alerts.yaml").read_text(encoding="utf-8")
    expressions = re.findall(r"^ +expr: (?:[>|]-?\n((?: {12,}.*\n)+)|(.+)\n)", rules, re.MULTILINE)
    assert len(expressions) == rules.count("- alert:") >= 8
    watched = set[str]().union(*(asked("".join(expression)) for expression in expressions))
    assert (shown | watched) - exposed() == set()
    unseen = {name for name in exposed() - shown - watched if not name.endswith(("_created", "_sum", "_count"))}
    assert unseen == set()


def test_every_panel_has_a_place_of_its_own_and_a_title() -> None:
    board = json.loads((OPERATIONS / "grafana-dashboard.json").read_text(encoding="utf-8"))
    places = [panel["gridPos"] for panel in board["panels"]]
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["title"] for panel in board["panels"]}) == len({panel["id"] for panel in board["panels"]})


def test_prometheus_itself_takes_the_alerts() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("The test needs promtool; on Debian: apt-get install prometheus")
    done = subprocess.run(
        [program, "check", "rules", str(OPERATIONS / "alerts.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
