"""Relay's compiler accepts the schema, and what it makes of a project's operations runs on a live server."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.clients.conftest import register
from tests.conftest import LiveServer
from tests.npm import run


@pytest.fixture
def compiled(tools: Path) -> Path:
    """The small project in `relay/`, compiled."""
    (tools / "persisted.json").write_text("{}")  # the compiler adds to it and does not make it
    ran = run(tools, "relay-compiler", "relay.config.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return tools


def texts(folder: Path) -> dict[str, str]:
    """The operations as Relay would send them, by name."""
    made: list[str] = list(json.loads((folder / "persisted.json").read_text()).values())
    return {text.split()[1].split("(")[0]: text for text in made}


def ask(server: LiveServer, query: str, variables: dict[str, Any]) -> Any:
    return send(server, {"query": query, "variables": variables})


def send(server: LiveServer, request: dict[str, Any]) -> Any:
    headers = {"X-API-Key": server.api_key, "Accept": "application/graphql-response+json"}
    with httpx2.Client(trust_env=False, headers=headers) as client:
        answer = client.post(f"{server.url}/graphql", json=request)
    assert answer.status_code == 200, answer.text
    assert "errors" not in answer.json()
    return answer.json()["data"]


def test_compiled_operations_page_through_products_and_change_one(compiled: Path, server: LiveServer) -> None:
    operations = texts(compiled)
    data = ask(server, operations["ProductsQuery"], {"search": "or"})
    first, page = data["products"]["edges"], data["products"]["pageInfo"]
    assert len(first) == 10
    assert page["hasNextPage"] is True
    more = {"count": 10, "cursor": page["endCursor"], "search": "or"}
    second = ask(server, operations["ProductsPaginationQuery"], more)["products"]["edges"]
    # Relay asks for `id` and `__typename` by itself, and finds objects again by them.
    assert {edge["node"]["__typename"] for edge in first} == {"Product"}
    assert not {edge["node"]["id"] for edge in first} & {edge["node"]["id"] for edge in second}

    # Filters are one variable, and pages go backwards too.
    where = {
        "where": {"not": {"expiringWithin": {"days": 60}}, "or": [{"body": {"code": {"eq": "ECOCERT"}}}, {}]},
        "count": 3,
    }
    expiring = ask(server, operations["ProductsExpiringQuery"], where)["certificationAssignments"]
    assert len(expiring["edges"]) == 3
    assert expiring["pageInfo"]["hasPreviousPage"] is True

    claim = ask(server, '{ claim(code: "VEGAN") { id } }', {})["claim"]
    gtin = next(edge["node"]["gtin"] for edge in first if not edge["node"]["claims"])
    assigned = ask(server, operations["ProductsAssignMutation"], {"input": {"gtin": gtin, "claimId": claim["id"]}})[
        "assignClaim"
    ]
    assert assigned["__typename"] == "ClaimAssigned"
    assert [claim["id"] for claim in assigned["assignment"]["product"]["claims"]] == [assigned["assignment"]["id"]]
    # Relay gets one object anew by its id alone.
    node = first[0]["node"]
    assert ask(server, operations["ProductsCardQuery"], {"id": node["id"]})["node"]["gtin"] == node["gtin"]


def test_types_are_generated(compiled: Path) -> None:
    mutation = (compiled / "relay" / "__generated__" / "ProductsAssignMutation.graphql.ts").read_text()
    assert (
        'export type ClaimSource = "BRAND_SELF_DECLARED" | "THIRD_PARTY_VERIFIED" | "%future added value";' in mutation
    )
    assert "readonly assignClaim: {" in mutation


def test_persisted_operations_are_run_by_their_ids(compiled: Path, server: LiveServer) -> None:
    manifest = compiled / "persisted.json"
    register(server, manifest)
    (digest,) = [digest for digest, text in json.loads(manifest.read_text()).items() if "query ProductsQuery" in text]
    data = send(server, {"documentId": f"sha256:{digest}", "variables": {"search": "chocolate"}})
    assert data["viewer"] == {"canWrite": True}
    assert len(data["products"]["edges"]) == 7
