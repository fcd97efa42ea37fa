"""The public audits of GraphQL over HTTP, of the package graphql-http, against a live server."""

import json
from pathlib import Path

from tests.conftest import LiveServer
from tests.npm import run

AUDITS = 61


def test_no_audit_fails(tools: Path, server: LiveServer) -> None:
    audited = run(tools, "node", "audit.mjs", f"{server.url}/graphql", server.api_key)
    assert audited.returncode == 0, audited.stderr
    results = [json.loads(line) for line in audited.stdout.splitlines()]
    assert len({result["id"] for result in results}) == AUDITS
    # MUST is an error, SHOULD a warning, MAY a notice.
    assert [result for result in results if result["status"] != "ok"] == []


def test_the_audits_would_find_a_failure(tools: Path, server: LiveServer) -> None:
    audited = run(tools, "node", "audit.mjs", f"{server.url}/healthz", server.api_key)
    assert '"status":"error"' in audited.stdout
    assert '"status":"warn"' in audited.stdout
