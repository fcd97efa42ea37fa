"""Scenarios of the operations are done in other ways, too: all of them by hand (CONTRIBUTING.md), some here."""

import os
import subprocess
import sys

import pytest

from tests.pgbouncer import program
from tests.processes import ROOT

SOME = (
    "tests/operations/test_statements.py",
    "tests/operations/test_stats.py",
    "tests/operations/test_assign_claim.py",
)
"""What is done with statements, which are counted."""


@pytest.mark.parametrize("way", ["pgbouncer", "replica"])
def test_some_scenarios_hold_behind_it(way: str) -> None:
    if way == "pgbouncer":
        program()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "postgresql and statement", *SOME]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CERTGATE_TEST_BEHIND": way}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
