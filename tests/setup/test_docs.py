"""The pages of the documentation point to what is there, and the decisions are numbered, listed and of one form."""

import re
import subprocess
from urllib.parse import unquote

import pytest

from tests.conftest import ROOT

DECISIONS = ROOT / "docs" / "decisions"
RECORDS = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")

_record = re.compile(
    r"# (?P<number>\d+)\. (?P<title>.+)\n\n"
    r"Date: \d{4}-\d{2}-\d{2}\. Status: (accepted|replaced by \d+)\.\n\n"
    r"## Context\n\n(.+\n){1,2}\n## Decision\n\n(.+\n)+\n## Consequence\n\n(.+\n)+"
)
_link = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


def test_each_decision_has_its_parts_and_stands_once_in_the_list_of_contents() -> None:
    contents = (DECISIONS / "README.md").read_text(encoding="utf-8")
    expected = []
    for path in RECORDS:
        record = _record.fullmatch(path.read_text(encoding="utf-8"))
        assert record, f"{path.name} has not the parts that docs/decisions/README.md asks for"
        expected.append(f"- [{int(path.name[:4])}. {record['title']}]({path.name})")
    assert sorted(re.findall(r"^- .*", contents, re.MULTILINE)) == sorted(expected)


def pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the pages are found by git")
def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page}: {link}"
        for page in pages()
        for link in _link.findall((ROOT / page).read_text(encoding="utf-8"))
        if "://" not in link and not link.startswith("/") and not (ROOT / page).parent.joinpath(unquote(link)).exists()
    ]
    assert broken == []
