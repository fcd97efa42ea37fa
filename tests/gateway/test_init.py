"""`certgate init`: from nothing to a manager who is signed in, unattended and at a terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.processes import ROOT, certgate, environment, running, succeeded

ACME = ("init", "--organization", "acme", "--name", "Acme Foods", "--email", "Ann@Example.org", "--yes")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/in/a/new/directory/certgate.db"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


def test_a_manager_signs_in_by_the_link_of_an_unattended_run(empty_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": empty_url}
    first = succeeded(*ACME, **where)
    assert "The catalogue has 533 certifications and claims.\n" in first
    assert "The organisation is acme (Acme Foods, id " in first
    again = succeeded(*ACME, **where)
    assert "Its tables are at revision" in again
    tokens = [re.findall(r"http://127\.0\.0\.1:8000(/sign-in\?link=[\w-]+)", text)[0] for text in (first, again)]
    assert tokens[0] != tokens[1]
    assert len(succeeded("organizations", "list", **where).splitlines()) == 2
    assert succeeded("members", "list", **where).splitlines()[1].split()[:3] == ["acme", "ann@example.org", "manager"]
    tokens.append("/sign-in" + succeeded(*command(again, "members link"), **where).strip().partition("/sign-in")[2])
    with running("serve", "--port", "0", until="answers on", **where) as (_, printed):
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", printed)
        for token in tokens:
            with httpx2.Client(base_url=url) as browser:
                # A program that looks at it, as chats and mail filters do, does not use it up.
                browser.get(token)
                page = browser.get(token)
                assert (page.status_code, page.headers.get("set-cookie")) == (200, None)
                (kept,) = re.findall('name="token" value="(.+?)"', page.text)
                signed = browser.post("/sign-in", data={"token": kept}, headers={"Origin": url})
                assert (signed.status_code, signed.headers["location"]) == (303, "/app")
                who = browser.get("/account/api/v1/whoami").json()
                assert (who["email"], who["organizations"][0]["name"]) == ("ann@example.org", "Acme Foods")
                assert browser.get(f"{organization_in(who)}/api-keys").json() == []
        # A link that others get leads to the port that was free, not to the one that was asked for.
        key = {"X-API-Key": succeeded(*command(again, "keys create"), "--quiet", **where).strip()}
        path = organization_in(httpx2.get(f"{url}/account/api/v1/whoami", headers=key).json())
        invited = {"email": "bob@example.org", "role": "editor"}
        made = httpx2.post(f"{url}{path}/invitations", json=invited, headers=key).json()
        assert made["link"].startswith(f"{url}/invitation?token=")
    assert succeeded(*command(again, "keys create"), "--quiet", **where).startswith("csb_")


def organization_in(who: dict[str, Any]) -> str:
    """The path of the first organisation of somebody."""
    return f"/account/api/v1/organizations/{who['organizations'][0]['id']}"


def command(said: str, words: str) -> list[str]:
    """The command in what was printed that begins so."""
    (line,) = re.findall(rf"\./certgate ({words} .*)", said)
    return str(line).split()


def test_what_is_there_stays(tmp_path: Path) -> None:
    where = {"CERTGATE_DATABASE_URL": f"sqlite:///{tmp_path / 'acme.db'}"}
    succeeded(*ACME, **where)
    said = succeeded("init", "--organization", "acme", "--email", "bob@example.org", "--yes", **where)
    assert "(Acme Foods, id " in said
    assert [line.split()[1] for line in succeeded("members", "list", **where).splitlines()[1:]] == [
        "ann@example.org",
        "bob@example.org",
    ]


def test_several_at_once_make_one_organisation(empty_url: str) -> None:
    command = [sys.executable, "-m", "gateway", *ACME]
    started = [
        subprocess.Popen(command, cwd=ROOT, env=environment(CERTGATE_DATABASE_URL=empty_url), stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate()[0].decode() for process in started]
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len({re.findall(r"id (\w{22})\)", text)[0] for text in said}) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--yes",), "--organization is missing"),
        (("--organization", "acme"), "--email is missing"),
        (
            ("--organization", "Acme Foods", "--email", "ann@example.org"),
            "no hyphen at its ends; write acme-foods, for example.",
        ),
        (("--organization", "acme", "--email", "ann"), "'ann' is no e-mail address"),
        (("--organization", "acme", "--email", "ann@b.test,bob@b.test"), "is no e-mail address"),
        (("--organization", "acme", "--email", "a@b.test", "--name", ""), "A name has 1 to 255"),
    ],
)
def test_what_is_missing_or_wrong_is_said_before_anything_is_done(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = certgate("init", *words, CERTGATE_DATABASE_URL=f"sqlite:///{tmp_path / 'never.db'}")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_database_is_one_sentence() -> None:
    done = certgate(*ACME, "--database", "mysql://here")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("certgate: CERTGATE_DATABASE_URL is wrong: ")


def test_at_a_terminal_it_asks_for_what_is_missing(tmp_path: Path) -> None:
    """And again for what cannot be."""
    url = f"sqlite:///{tmp_path / 'asked.db'}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "init"],
        cwd=ROOT,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = ""
    for question, answer in (
        ("acme-foods: ", "Acme Foods"),
        ("acme-foods: ", "acme"),
        ("Its name, as people write it [acme]: ", "Acme"),
        ("manager: ", "ann@example.org"),
        ("The database [(sqlite:///var/certgate.db)]: ", url),
    ):
        said = until(ours, question)
        os.write(ours, f"{answer}\n".encode())
        if answer == "acme":
            assert "A slug has at most 63" in said
    said = until(ours, "--role manager")
    assert process.wait(60) == 0
    os.close(ours)
    assert f"The database is {url}." in said
    assert "Set CERTGATE_DATABASE_URL to that database first." in said
    assert (tmp_path / "asked.db").exists()


def until(terminal: int, expected: str) -> str:
    """What a terminal shows, as soon as that is part of it."""
    said = ""
    deadline = time.monotonic() + 60
    while expected not in said:
        assert select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0], said
        said += os.read(terminal, 4096).decode().replace("\r\n", "\n")
    return said
