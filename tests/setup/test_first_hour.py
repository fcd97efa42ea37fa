"""The page about the first hour, done as it stands: its commands, its questions, and what it leaves to one's hands."""

import csv
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import openpyxl
import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "first-hour.md").read_text("utf-8")
STEPS = re.findall(r"^```(sh|graphql)\n(.*?)\n```$|^<!-- by hand: (.+?) -->$", PAGE, re.DOTALL | re.MULTILINE)
ENDING_WITH_1 = "./certgate import data/first-hour/food.tsv --organization acme --dry-run --report var/report"


class Hour:
    """Somebody at a terminal, with a spreadsheet and a browser."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        settings = {name: value for name, value in os.environ.items() if not name.startswith("CERTGATE_")}
        self.environment = {**settings, "CERTGATE_PORT": "0"}
        self.said = ""
        self.answers: list[Any] = []
        self.server: subprocess.Popen[str] | None = None
        self.browser = httpx2.Client(trust_env=False, follow_redirects=True)
        self.first_question = ""

    def sh(self, lines: str) -> None:
        """Types commands."""
        for line in lines.splitlines():
            if line == "./certgate serve":
                self._serve()
                continue
            done = subprocess.run(
                shlex.split(line), cwd=self.checkout, env=self.environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, done.stderr) == (int(line == ENDING_WITH_1), ""), done.stdout
            self.said += f"$ {line}\n{done.stdout}"

    def _serve(self) -> None:
        self.server = subprocess.Popen(
            ["./certgate", "serve"], cwd=self.checkout, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert self.server.stdout is not None
        line = next(line for line in self.server.stdout if "answers on" in line)
        (url,) = re.findall(r"http://\S+?(?=;)", line)
        self.browser.base_url = url
        self.browser.headers["Origin"] = url

    def graphql(self, question: str) -> None:
        """Asks in GraphiQL."""
        self.first_question = self.first_question or question
        body = self.browser.post("/graphql", json={"query": question}).json()
        assert "errors" not in body, body
        self.answers.append(body["data"])

    def correct(self) -> None:
        """Corrects the refused rows in a spreadsheet."""
        file = self.checkout / "var" / "report" / "refused-food.csv"
        with file.open(encoding="utf-8", newline="") as opened:
            head, *rows = csv.reader(opened)
        assert [row[head.index("code")] for row in rows] == ["81031083", "325622221515000"]
        rows[1][head.index("code")] = "3256222215150"
        with file.open("w", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows([head, rows[1]])

    def sign_in(self) -> None:
        """Opens the link of `init` and presses the button."""
        (link,) = re.findall(r"http://127\.0\.0\.1:\d+(/sign-in\?link=\S+)", self.said)
        page = self.browser.get(link)
        (token,) = re.findall(r'name="token" value="(.+?)"', page.text)
        assert self.browser.post("/sign-in", data={"token": token}).url.path.rstrip("/") == "/app"

    def fill_in(self) -> None:
        """Fills in some days in a spreadsheet."""
        file = self.checkout / "var" / "certifications.xlsx"
        book = openpyxl.load_workbook(file)
        sheet: Any = book.active
        head = [cell.value for cell in sheet[1]]
        for row in (2, 3, 4):
            soon = datetime.now(UTC).date() + timedelta(days=10 * row)
            sheet.cell(row, head.index("expiration_date") + 1).value = soon
        book.save(file)

    def ask_again(self) -> None:
        """Asks the first question once more."""
        self.graphql(self.first_question)

    def end(self) -> None:
        """Closes everything."""
        self.browser.close()
        if self.server is not None:
            self.server.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.server.communicate(timeout=60)


@pytest.fixture
def hour(checkout: Path) -> Iterator[Hour]:
    found = Hour(checkout)
    yield found
    found.end()


def test_the_first_hour_goes_as_it_is_told(hour: Hour) -> None:
    assert [hand for _, _, hand in STEPS if hand] == ["correct", "sign in", "fill in", "ask again"]
    for language, text, hand in STEPS:
        step: Callable[..., None] = getattr(hour, (hand or language).replace(" ", "_"))
        step(*([text] if text else []))
    said = re.sub(r"\s+", " ", hour.said)
    for quoted in re.findall(r"^```text\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE):
        assert quoted in hour.said
    assert "24 rows: 22 would be made, 2 would be refused." in said
    assert "24 rows: 22 made, 2 refused." in said
    assert "1 row: 1 made." in said
    assert said.count("expiration_date from nothing to") == 6
    assert "3 changed" in said.rpartition("rows:")[2]
    first, missing, again, invited = hour.answers
    assert first["certificationAssignments"]["totalCount"] == 0
    held = first["withoutEnd"]["totalCount"]
    assert held > 15
    assert missing["withoutPlaceToLookUp"]["totalCount"] == held
    assert missing["withoutEvidence"]["totalCount"] > 30
    assert (again["certificationAssignments"]["totalCount"], again["withoutEnd"]["totalCount"]) == (3, held - 3)
    assert "/invitation?token=" in invited["createInvitation"]["link"]
