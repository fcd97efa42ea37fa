"""`./certgate drills` itself; the drills are no tests, and are run in short by `.ci/run`."""

import re

import pytest

from tests.conftest import ROOT
from tests.drills.__main__ import main, names, run_beside_each_other


def test_each_drill_says_in_one_line_what_it_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == names()
    assert all(re.fullmatch(r"\w+ +[A-Z].+\.", line) for line in lines)


def test_each_drill_has_its_figures() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"`{name}`" not in page] == []


@pytest.mark.parametrize("words", [["disk_fill"], ["--all"], ["disk_full", "--shorter"]])
def test_an_unknown_drill_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert "is no drill; there are" in capsys.readouterr().err


def test_a_drill_that_fails_hides_no_other(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_beside_each_other(["none", "patroni"]) == 1
    said, complained = capfd.readouterr()
    assert "none is no drill" in said
    assert "\npatroni:\n  left out of the short form" in said
    assert complained == "certgate: something is wrong with none; it is said above.\n"
