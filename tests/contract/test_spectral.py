"""Spectral, an independent linter, finds nothing in the documents; its rules stand in `spectral/ruleset.yaml`.

Needs Node.js and, the first time, the npm registry.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from rest_compat.openapi import DOCUMENT_PATHS, document
from tests.npm import run, workplace

PROJECT = Path(__file__).parent / "spectral"


def documents() -> dict[str, dict[str, Any]]:
    return {
        app: document(app, "https://certgate.example.org", "https://closient.com/docs/errors/")
        for app in DOCUMENT_PATHS.values()
    }


def broken() -> dict[str, Any]:
    """The shortest document with one defect of each of some kinds."""
    broken: dict[str, Any] = json.loads(json.dumps(documents()["products"]))
    next(iter(broken["paths"].values()))["get"]["operationId"] = "apps_products_api_get_product"
    schemas = broken["components"]["schemas"]
    del schemas["CertificationAssignmentOut"]["properties"]["url"]["maxLength"]
    del schemas["Pagination"]["properties"]["page"]["maximum"]
    del schemas["Pagination"]["properties"]["page_size"]["format"]
    del schemas["ClaimAssignmentOutPage"]["properties"]["data"]["maxItems"]
    del broken["components"]["responses"]["NotFound"]["headers"]["RateLimit"]
    return broken


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, str, str]]:
    """The documents that break a rule, each with the rule and where; all from one run, whose start is what it takes."""
    linter = workplace(PROJECT, tmp_path_factory.mktemp("linted"))
    linted = {**documents(), "broken": broken()}
    for name, content in linted.items():
        (linter / f"{name}.json").write_text(json.dumps(content))
    files = [f"{name}.json" for name in linted]
    done = run(linter, "spectral", "lint", "--ruleset", "ruleset.yaml", "--format", "json", "--quiet", *files)
    assert done.returncode == 1, done.stderr
    return [
        (Path(item["source"]).stem, item["code"], "/".join(map(str, item["path"])))
        for item in json.loads(done.stdout[done.stdout.index("[") :])
    ]


def test_spectral_finds_nothing(findings: list[tuple[str, str, str]]) -> None:
    assert [found for found in findings if found[0] != "broken"] == []


def test_spectral_would_find_what_is_wrong(findings: list[tuple[str, str, str]]) -> None:
    # The linter is not merely silent, and what is off for one member is on for the others.
    assert {rule for name, rule, _ in findings if name == "broken"} == {
        "operation-operationId-unique",
        "owasp:api4:2023-array-limit",
        "owasp:api4:2023-integer-format",
        "owasp:api4:2023-integer-limit",
        "owasp:api4:2023-rate-limit",
        "owasp:api4:2023-string-limit",
    }
