"""Slow operations with their plan, and the spans that OpenTelemetry is sent."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from db.engine.noting import Notes, notes
from db.products import find, lock
from domain.gtin import Gtin
from tests.processes import PATIENCE, ROOT, demo_database, environment, serving, succeeded
from tests.world import GTIN, World

OAT = "00000080050698"
LIST = f"/certifications/api/v1/products/{OAT}/certifications"
MINE = f'query Mine {{ product(gtin: "{OAT}") {{ name brand certifications {{ gtin }} claims {{ gtin }} }} }}'
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def key_of(url: str) -> dict[str, str]:
    words = ("keys", "create", "--organization", "demo", "--role", "manager", "--quiet")
    return {"X-API-Key": succeeded(*words, CERTGATE_DATABASE_URL=url).strip()}


async def test_a_plan_tells_how_a_statement_is_run_and_does_nothing(world: World) -> None:
    noted = Notes()
    notes.set(noted)
    await find(world.database, Gtin(GTIN), [])
    async with world.database.write() as transaction:
        await lock(transaction, Gtin(GTIN), [])
    for statement in noted.statements[:2]:
        plan = await world.database.plan(statement.statement, statement.values)
        assert "products" in " ".join(plan)


def has_no_plan(line: str) -> bool:
    return "plan of the first" not in line


def test_what_takes_too_long_is_logged_with_its_statements_and_a_plan_but_no_values(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    key = key_of(url)
    with serving(url, CERTGATE_SLOW_SECONDS="0.000001", CERTGATE_LOG_FORMAT="json") as (process, address):
        with httpx2.Client(base_url=address, headers=key) as client:
            # Once in ten seconds for each operation.
            for _ in range(3):
                assert client.get(LIST).status_code == 200
            assert client.post("/graphql", json={"query": MINE}).status_code == 200
            assert client.get("/healthz").status_code == 200
        process.stop()
        events = [json.loads(line) for line in process.complaints().splitlines()]
    # Who has a plan to be found comes a little later.
    slow = sorted((event["message"] for event in events if event["logger"] == "certgate.slow"), key=has_no_plan)
    asked = [re.findall(r"operation=(\S+)", line)[0] for line in slow]
    assert asked == ["list_product_certifications", "query", "/healthz"]
    for line in slow[:2]:
        assert re.search(r"; \d+\.\d ms: SELECT .* FROM ", line)
        assert re.search(r"; plan of the first: \S", line)
        assert OAT not in line
        assert key["X-API-Key"] not in line
    assert "ms: " not in slow[2]


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """What takes spans over HTTP as a collector does, and what it was sent."""
    received: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def spans_of(received: list[bytes]) -> list[Span]:
    """All spans, decoded; none may be about a path or a credential."""
    exports = [ExportTraceServiceRequest.FromString(body) for body in received]
    for export in exports:
        for each in export.resource_spans:
            named = {item.key: item.value.string_value for item in each.resource.attributes}
            assert named["service.name"] == "certgate"
    return [
        span for export in exports for each in export.resource_spans for of in each.scope_spans for span in of.spans
    ]


def test_there_is_a_span_for_each_operation_and_for_each_statement_and_for_no_field(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    key = key_of(url)
    with collector() as (traces, received):
        with serving(url, CERTGATE_TRACES_URL=traces) as (process, address):
            with httpx2.Client(base_url=address, headers=key) as client:
                client.get(LIST)
                client.get(LIST, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
                client.post("/graphql", json={"query": MINE}, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
            process.stop()
            assert "ERROR" not in process.complaints()
        spans = spans_of(received)
    assert not [secret for body in received for secret in (key["X-API-Key"], OAT) if secret.encode() in body]
    rest, graphql = (span for span in spans if span.kind == Span.SPAN_KIND_SERVER)
    # The client of the second request has said that nobody looks at its trace.
    assert (rest.name, graphql.name) == ("rest list_product_certifications", "graphql query")
    assert (graphql.trace_id.hex(), graphql.parent_span_id.hex()) == (TRACE, PARENT)
    told = {item.key: item.value for item in graphql.attributes}
    assert told["graphql.operation.name"].string_value == "Mine"
    assert told["http.response.status_code"].int_value == 200
    within = [span for span in spans if span.parent_span_id == graphql.span_id]
    assert len(within) == told["certgate.statements"].int_value
    for span in within:
        assert (span.kind, span.name) == (Span.SPAN_KIND_CLIENT, "SELECT")
        assert graphql.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= graphql.end_time_unix_nano + 1000
    assert len(spans) == 2 + len(within) + sum(span.parent_span_id == rest.span_id for span in spans)


def test_without_the_extra_the_start_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "opentelemetry.py").write_text("raise ImportError\n")
    more = {"CERTGATE_TRACES_URL": "http://127.0.0.1:9/v1/traces", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment(CERTGATE_DATABASE_URL=demo_database(tmp_path), **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "certgate: CERTGATE_TRACES_URL needs OpenTelemetry, which is not installed here: run ./certgate install"
        " tracing, or unset it.\n"
    )
