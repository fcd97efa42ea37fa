"""What is said of the supply chain: the threat model names tests that exist, the bill of materials what is locked."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.delivery import audit

ROOT = Path(__file__).parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "SECURITY.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ")
][2:]


def test_each_threat_has_what_stops_it_and_tests_that_there_are() -> None:
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"(?m)^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"))
    }
    assert len(ROWS) > 15
    for who, tried, stopped, shown in ROWS:
        named = re.findall(r"`(test_\w+)`", shown)
        assert who
        assert tried
        assert stopped
        assert named, tried
        assert set(named) <= there, tried


@pytest.mark.skipif(
    find_spec("cyclonedx_py") is None, reason="The test needs cyclonedx-bom: ./certgate check installs it"
)
def test_the_bill_of_materials_has_what_is_locked_with_its_hashes() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "certgate", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["metadata"]["component"]["name"]) == ("CycloneDX", "certgate")
    lock = (ROOT / "locks" / "run.txt").read_text(encoding="utf-8")
    pins = dict(re.findall(r"(?m)^([a-z0-9._-]+)==([^\s;\\]+)", lock))
    assert {each["name"]: each["version"] for each in bill["components"]} == pins
    hashes = {
        found["content"]
        for each in bill["components"]
        for reference in each["externalReferences"]
        for found in reference["hashes"]
    }
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock))


def test_an_audit_fails_for_what_is_known_and_not_for_an_index_that_tells_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    unknown = {"name": "a", "skip_reason": "Dependency not found on PyPI"}
    sound = {"name": "b", "version": "1", "vulns": []}
    wrong = {"name": "c", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": []}]}
    assert audit.tell([unknown]) == 0
    assert capsys.readouterr().out == "Not audited: the index that is used here tells of no vulnerabilities.\n"
    assert audit.tell([unknown, sound]) == 0
    assert capsys.readouterr().out == "1 packages were audited; 0 vulnerabilities are known.\n"
    assert audit.tell([unknown, sound, wrong]) == 1
    assert capsys.readouterr().out == (
        "c 2: PYSEC-1, mended in 3.\n2 packages were audited; 1 vulnerabilities are known.\n"
    )
