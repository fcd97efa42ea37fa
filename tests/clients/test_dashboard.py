"""The example dashboard of docs/examples is built as its README says and does its walk on a live server, twice."""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.clients.conftest import register
from tests.conftest import ROOT, LiveServer, demo_server
from tests.npm import run, workplace

DASHBOARD = ROOT / "docs" / "examples" / "dashboard"
CLIENTS = ("apollo", "urql")


EVERYTHING = """
query Everything($after: String) {
  products(first: 50, after: $after) {
    nodes {
      __typename id gtin name
      claims { __typename id claim { __typename id code label } }
      certifications { __typename id certification { __typename id label body { __typename id name } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, built in a folder where there is nothing else but the schema."""
    folder = workplace(DASHBOARD, tmp_path_factory.mktemp("example"))
    built = run(folder, "npm", "run", "build", CERTGATE_SDL=str(ROOT / "schema" / "schema.graphql"))
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


class Sent(NamedTuple):
    """One request as it left a client."""

    method: str
    query: dict[str, list[str]]
    body: bytes
    accept: str
    idempotency_key: str


@contextmanager
def overheard(server: LiveServer) -> Iterator[tuple[str, list[Sent]]]:
    """An address that passes everything on to the server, and what went through it."""
    requests: list[Sent] = []
    upstream = httpx2.Client(base_url=server.url, trust_env=False)

    class Passing(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {
                name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")
            }
            asked = parse_qs(urlsplit(self.path).query)
            accept, key = headers.get("accept", ""), headers.get("idempotency-key", "")
            requests.append(Sent(self.command, asked, body, accept, key))
            answer = upstream.request(self.command, self.path, content=body, headers=headers)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = pass_on  # noqa: N815 (the names are the base class's)

        def log_message(self, *args: Any) -> None:
            pass

    with upstream, ThreadingHTTPServer(("127.0.0.1", 0), Passing) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}", requests
        finally:
            proxy.shutdown()
            thread.join()


def walk(folder: Path, client: str, url: str, key: str, trusted: str = "") -> list[str]:
    """What the dashboard prints."""
    settings = {"CERTGATE_URL": url, "CERTGATE_KEY": key, "CERTGATE_TRUSTED": trusted}
    walked = run(folder, "npm", "run", "--silent", client, **settings)
    assert walked.returncode == 0, walked.stdout + walked.stderr
    assert walked.stderr == ""
    return walked.stdout.splitlines()


def block(lines: list[str], title: str) -> list[str]:
    """The indented lines below the one that begins so."""
    start = next(number for number, line in enumerate(lines) if line.startswith(title)) + 1
    return [line.strip() for line in takewhile(lambda line: line.startswith("  "), lines[start:])]


class Walked(NamedTuple):
    """What a walk printed and what it sent."""

    lines: list[str]
    requests: list[Sent]


@pytest.fixture(scope="module")
def walked(dashboard: Path, server: LiveServer) -> dict[str, Walked]:
    """A walk with each client."""
    walks = {}
    for client in CLIENTS:
        with overheard(server) as (url, requests):
            walks[client] = Walked(walk(dashboard, client, url, server.api_key), requests)
    return walks


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_shown(walked: dict[str, Walked], client: str) -> None:
    lines = walked[client].lines
    (head,) = [line for line in lines if line.startswith("Certificates that run out within 60 days: 6 (")]
    assert int(re.findall(r"\((\d+) have no end recorded\)", head)[0]) > 100
    expiring = block(lines, head)
    days = [date.fromisoformat(line.split()[0]) for line in expiring]
    assert len(days) == 4
    assert days == sorted(days)
    assert expiring[0].endswith(" Rainforest Alliance Certified RA-DEMO-2002 | 09520000000073 Demo green tea")

    months = [line.split() for line in block(lines, "By month:")]
    assert [month for month, _ in months] == sorted({month for month, _ in months})
    assert sum(len(bar) for _, bar in months) > 6

    assert 'Products with "chocolate": 7' in lines
    pages = block(lines, 'Products with "chocolate"'), block(lines, "And the next page:")
    assert [len(page) for page in pages] == [4, 3]
    gtins = [line.split()[0] for page in pages for line in page]
    assert len(set(gtins)) == 7
    assert pages[0][1].startswith(
        "03760091726193 Chocolate extra negro | Certified by Ecocert, Ecocert Fair Trade, EU Organic |"
    )


@pytest.mark.parametrize("client", CLIENTS)
def test_what_is_done(walked: dict[str, Walked], client: str) -> None:
    lines = walked[client].lines
    before = block(lines, 'Products with "chocolate"')[0]
    gtin = before.split()[0]
    # The list shows the claim before it is stored and when it is, in no more than the request that stores it.
    assert block(lines, 'Assigning "Vegan":') == [
        f"{before}, Vegan (saving)",
        '"Vegan" is on it',
        f"{before}, Vegan",
        "requests for all this: 1",
    ]
    again, bad_link, preview, removed, last, all_on, all_off = lines[-7:]
    assert again == (
        f"Once more: refused: Conflict: The product {gtin} already carries the claim VEGAN;"
        " change that assignment instead. (do not repeat it)"
    )
    assert preview == (
        "If it were verified: source: BRAND_SELF_DECLARED -> THIRD_PARTY_VERIFIED;"
        " evidenceUrl: - -> https://example.org/audit"
    )
    assert bad_link.startswith("With a bad link: refused: input.evidenceUrl: Input should be an http or https URL")
    assert removed == "Removing it: it is off again"
    assert last.strip() == before
    # Two of them are vegan without our doing.
    assert all_on == "Assigning it to all: 5 done, now on 7"
    assert all_off == "And off again: 5 done, now on 2"


@pytest.mark.parametrize("client", CLIENTS)
def test_what_was_shown_too_early_is_taken_back(dashboard: Path, server: LiveServer, client: str) -> None:
    with httpx2.Client(base_url=server.url, trust_env=False, headers={"X-API-Key": server.api_key}) as manager:
        (organization,) = manager.get("/account/api/v1/whoami").json()["organizations"]
        keys = f"/account/api/v1/organizations/{organization['id']}/api-keys"
        key = manager.post(keys, json={"name": "reader", "role": "readonly"}).json()["key"]
    lines = walk(dashboard, client, server.url, key)
    before = block(lines, 'Products with "chocolate"')[0]
    saving, refused, last, requests = block(lines, 'Assigning "Vegan":')
    assert saving == f"{before}, Vegan (saving)"
    assert refused.startswith("refused: Forbidden: ")
    assert last == before
    assert requests == "requests for all this: 1"


def test_habits_of_apollo_client(walked: dict[str, Walked]) -> None:
    requests = walked["apollo"].requests
    assert {request.method for request in requests} == {"POST"}
    # Since version 4 it asks for the new media type first.
    assert {request.accept.split(",")[0].split(";")[0] for request in requests} == {"application/graphql-response+json"}
    check_keys(requests)


def test_habits_of_urql(walked: dict[str, Walked]) -> None:
    requests = walked["urql"].requests
    assert [request.method for request in requests] == ["GET"] * 4 + ["POST"] * 7
    assert {request.accept.split(",")[0] for request in requests} == {"application/graphql-response+json"}
    assert requests[0].query["operationName"] == ["ExpiringCertificates"]
    check_keys(requests)


def check_keys(requests: list[Sent]) -> None:
    """Every write has a key of its own; queries and what only shows what would change have none."""
    named = [(json.loads(request.body)["operationName"], request) for request in requests if request.body]
    keys = [request.idempotency_key for name, request in named if name.startswith(("Assign", "Remove"))]
    assert len(set(keys)) == len(keys) == 6
    assert [request.idempotency_key for request in requests if request.idempotency_key] == keys


@pytest.fixture(scope="module")
def closed_server(dashboard: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server that runs the documents of the dashboard and no others."""
    with demo_server(tmp_path_factory.mktemp("closed"), CERTGATE_GRAPHQL_DOCUMENTS="only") as server:
        register(server, dashboard / "src" / "gql" / "persisted-documents.json")
        yield server


@pytest.mark.parametrize("client", CLIENTS)
def test_trusted_documents_are_sent_by_their_ids(dashboard: Path, closed_server: LiveServer, client: str) -> None:
    with overheard(closed_server) as (url, requests):
        lines = walk(dashboard, client, url, closed_server.api_key, trusted="yes")
    assert '"Vegan" is on it' in block(lines, 'Assigning "Vegan":')
    assert lines[-1] == "And off again: 5 done, now on 2"
    members = [{**request.query, **(json.loads(request.body) if request.body else {})} for request in requests]
    assert len(members) == 11
    assert all(("documentId" in sent or "extensions" in sent) and "query" not in sent for sent in members)


def test_apollo_sends_texts_where_its_documents_are_not_registered(dashboard: Path, server: LiveServer) -> None:
    with overheard(server) as (url, requests):
        lines = walk(dashboard, "apollo", url, server.api_key, trusted="yes")
    assert lines[-1] == "And off again: 5 done, now on 2"
    first, *others = [json.loads(request.body) for request in requests]
    assert "query" not in first
    # One try is enough to know.
    assert all("query" in sent for sent in others)


def test_a_text_that_is_not_registered_is_refused_there(closed_server: LiveServer) -> None:
    with httpx2.Client(trust_env=False, headers={"X-API-Key": closed_server.api_key}) as client:
        answer = client.post(f"{closed_server.url}/graphql", json={"query": "{ viewer { canWrite } }"})
    assert "Only registered documents are run here" in answer.json()["errors"][0]["message"]


def test_what_a_cache_keys_by_is_unique(server: LiveServer) -> None:
    known: dict[str, dict[str, Any]] = {}
    after = None
    with httpx2.Client(trust_env=False, headers={"X-API-Key": server.api_key}) as client:
        while True:
            request = {"query": EVERYTHING, "variables": {"after": after}}
            page = client.post(f"{server.url}/graphql", json=request).json()["data"]["products"]
            for product in page["nodes"]:
                remember(product, known)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
    kinds = Counter(entity["__typename"] for entity in known.values())
    assert kinds["Product"] == 160
    assert min(kinds[kind] for kind in ("ClaimAssignment", "CertificationAssignment", "Claim", "Certification")) > 40
    assert kinds["CertificationBody"] > 20


def remember(value: Any, known: dict[str, dict[str, Any]]) -> None:
    """Collects everything that has an id; the same id is always the same thing."""
    if isinstance(value, list):
        for item in value:
            remember(item, known)
    elif isinstance(value, dict):
        own = {name: member for name, member in value.items() if not isinstance(member, dict | list)}
        assert known.setdefault(value["id"], own) == own
        for member in value.values():
            if isinstance(member, dict | list):
                remember(member, known)
