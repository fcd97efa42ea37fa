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


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Spectral with its rules, in a folder that takes documents."""
    return workplace(PROJECT, tmp_path_factory.mktemp("linted"))


def documents() -> dict[str, dict[str, Any]]:
    return {
        app: document(app, "https://certgate.example.org", "https://closient.com/docs/errors/")
        for app in DOCUMENT_PATHS.values()
    }


def findings(linter: Path, found: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """The rules that the documents break, each with where."""
    for name, content in found.items():
        (linter / f"{name}.json").write_text(json.dumps(content))
    files = [f"{name}.json" for name in found]
    linted = run(linter, "spectral", "lint", "--ruleset", "ruleset.yaml", "--format", "json", "--quiet", *files)
    assert linted.returncode in (0, 1), linted.stderr
    return [
        (item["code"], "/".join(map(str, item["path"])))
        for item in json.loads(linted.stdout[linted.stdout.index("[") :])
    ]


def test_spectral_finds_nothing(linter: Path) -> None:
    assert findings(linter, documents()) == []


def test_spectral_would_find_what_is_wrong(linter: Path) -> None:
    # The linter is not merely silent, and what is off for one member is on for the others.
    broken = json.loads(json.dumps(documents()["certifications"]))
    next(iter(broken["paths"].values()))["get"]["operationId"] = "apps_certifications_api_get_claim"
    schemas = broken["components"]["schemas"]
    del schemas["CertificationBodyOut"]["properties"]["website"]["maxLength"]
    del schemas["Pagination"]["properties"]["page"]["maximum"]
    del schemas["Pagination"]["properties"]["page_size"]["format"]
    del schemas["ClaimOutPage"]["properties"]["data"]["maxItems"]
    del broken["components"]["responses"]["NotFound"]["headers"]["RateLimit"]
    assert {code for code, _ in findings(linter, {"broken": broken})} == {
        "operation-operationId-unique",
        "owasp:api4:2023-array-limit",
        "owasp:api4:2023-integer-format",
        "owasp:api4:2023-integer-limit",
        "owasp:api4:2023-rate-limit",
        "owasp:api4:2023-string-limit",
    }
