"""Spectral, an independent linter, finds no error in the documents. Needs npx and, the first time, the npm registry."""

import json
import shutil
import subprocess
from pathlib import Path

from rest_compat.openapi import DOCUMENT_PATHS, document
from tests.npm import missing

SPECTRAL = "@stoplight/spectral-cli@6.16.3"


def run_npx(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    npx = shutil.which("npx")
    if npx is None:
        missing("npx is not on the path; on Debian: apt-get install npm")
    return subprocess.run(
        [npx, "--yes", "--package", SPECTRAL, "--", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_spectral_finds_no_error(tmp_path: Path) -> None:
    fetched = run_npx(tmp_path, "spectral", "--version")
    if fetched.returncode:
        missing(f"npx cannot fetch {SPECTRAL}: {fetched.stderr[-300:]}")
    (tmp_path / "ruleset.json").write_text('{"extends": ["spectral:oas"]}')
    for app in DOCUMENT_PATHS.values():
        content = document(app, "https://certgate.example.org", "https://closient.com/docs/errors/")
        (tmp_path / f"{app}.json").write_text(json.dumps(content))
    files = [f"{app}.json" for app in DOCUMENT_PATHS.values()]
    linted = run_npx(tmp_path, "spectral", "lint", "--ruleset", "ruleset.json", "--format", "json", "--quiet", *files)
    found = json.loads(linted.stdout[linted.stdout.index("[") :])
    # Severity 0 is an error, 1 a warning.
    assert [item["message"] for item in found if item["severity"] == 0] == []
    assert {item["code"] for item in found} <= {"info-contact"}, "a contact is the operator's, whom nobody knows here"
    assert linted.returncode == 0


def test_spectral_would_find_an_error(tmp_path: Path) -> None:
    # The linter is not merely silent.
    content = document("certifications", "/", "https://closient.com/docs/errors/")
    next(iter(content["paths"].values()))["get"]["operationId"] = "apps_certifications_api_get_claim"
    (tmp_path / "broken.json").write_text(json.dumps(content))
    (tmp_path / "ruleset.json").write_text('{"extends": ["spectral:oas"]}')
    linted = run_npx(tmp_path, "spectral", "lint", "--ruleset", "ruleset.json", "--quiet", "broken.json")
    if "operation-operationId-unique" not in linted.stdout and linted.returncode != 1:
        missing(f"npx cannot fetch {SPECTRAL}: {linted.stderr[-300:]}")
    assert "operation-operationId-unique" in linted.stdout
