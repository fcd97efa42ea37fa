"""The command line as a person uses it: real processes, real databases, a real server."""

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import click
import graphql
import httpx2
import pytest
from click.testing import CliRunner
from sqlalchemy import update

from db.engine.opening import open_database
from db.revision import head
from db.sql.tables import api_keys
from domain.api_keys import is_well_formed
from domain.short_id import catalogue_id
from gateway import contracts
from gateway.cli import cli
from gateway.storage import shown
from tests.processes import ROOT, Process, certgate, demo_database, running, started, succeeded


def refused(code: int, *words: str, **settings: str) -> str:
    """The one sentence of an expected failure."""
    done = certgate(*words, **settings)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert done.stderr.startswith("certgate: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.fixture
def demo_url(tmp_path: Path) -> str:
    """A database of one's own with the catalogue and the demo products."""
    return demo_database(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that was never migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/in/a/new/directory/certgate.db"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url


@pytest.mark.parametrize(
    "words",
    [
        ("organizations", "create", "shop", "--name", "caf\udce9"),
        ("keys", "list", "--organization", "\udcff"),
        ("members", "set", "--organization", "demo", "--role", "editor", "ann\udcff@example.org"),
    ],
    ids=lambda words: words[0],
)
def test_bytes_that_are_no_text_are_refused_before_anything_is_done(words: tuple[str, ...], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    done = certgate(*words, CERTGATE_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("certgate: what was typed is not all text in UTF-8; ")
    assert not (tmp_path / "none.db").exists()


def test_help_names_every_command_without_touching_the_database(tmp_path: Path) -> None:
    printed = succeeded("--help", CERTGATE_DATABASE_URL=f"sqlite:///{tmp_path}/never.db")
    for command in ("demo", "keys", "members", "migrate", "organizations", "schema", "seed", "serve"):
        assert re.search(rf"^  {command} ", printed, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_help_loads_nothing_dear() -> None:
    code = "import gateway.cli, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"pydantic", "sqlalchemy", "alembic", "strawberry", "starlette", "uvicorn", "asyncio"})


def test_migrating_and_seeding_can_be_repeated(empty_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": empty_url}
    assert succeeded("migrate", **where) == f"The database went from nothing to revision {head()}.\n"
    assert succeeded("migrate", **where) == f"The database is at revision {head()} already.\n"
    catalogue = "Loaded 326 certification bodies, 270 certifications and 263 claims; "
    assert succeeded("seed", "catalogue", **where) == catalogue + "859 rows written.\n"
    demo = "Loaded 160 products, 352 certification assignments, 2 earlier certificates and 459 claim assignments; "
    assert succeeded("seed", "demo", **where) == demo + "973 rows written.\n"
    assert succeeded("seed", "demo", **where) == demo + "all of them were there already.\n"


def test_an_organisation_is_made_listed_and_renamed(empty_url: str) -> None:
    """From an empty database to somebody who can enter and write."""
    where = {"CERTGATE_DATABASE_URL": empty_url}
    succeeded("migrate", **where)
    assert succeeded("organizations", "list", **where).startswith("There are no organisations")
    made = succeeded("organizations", "create", "acme-foods", "--name", "Acme Foods", **where)
    (id,) = re.findall(r"id (\w{22})\)", made)
    command = made.splitlines()[1].partition("./certgate ")[2].split()
    key = succeeded(*command, "--quiet", **where).strip()
    assert is_well_formed(key)

    taken = refused(1, "organizations", "create", "acme-foods", "--name", "Another", **where)
    assert "has the slug 'acme-foods' already" in taken
    said = succeeded("organizations", "rename", "acme-foods", "--name", "Acme Food Group", **where)
    assert said == "The organisation acme-foods is called Acme Food Group.\n"
    (line,) = succeeded("organizations", "list", **where).splitlines()[1:]
    assert line.split()[:2] == ["acme-foods", id]
    assert line.endswith("  Acme Food Group")
    assert "No organisation has the slug 'acme'" in refused(
        1, "organizations", "rename", "acme", "--name", "A", **where
    )

    with running("serve", "--port", "0", until="answers on", **where) as (_, printed):
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", printed)
        whoami = httpx2.get(f"{url}/account/api/v1/whoami", headers={"X-API-Key": key}).json()
        assert whoami["organizations"] == [{"id": id, "name": "Acme Food Group"}]
        product = {"gtin": "09520000000028", "organization_id": id, "product_name": "Oat drink"}
        posted = httpx2.post(f"{url}/products/api/v1/products", headers={"X-API-Key": key}, json=product)
        assert posted.status_code == 201
        # A server that has seen the caller before hears of the new name.
        succeeded("organizations", "rename", "acme-foods", "--name", "Acme", **where)
        while httpx2.get(f"{url}/account/api/v1/whoami", headers={"X-API-Key": key}).json()["organizations"] != [
            {"id": id, "name": "Acme"}
        ]:
            time.sleep(0.02)


@pytest.mark.parametrize("slug", ["", "A", "a b", "-a", "a-", "a_b", "ä", "a" * 64])
def test_a_slug_that_would_not_fit_is_refused(demo_url: str, slug: str) -> None:
    done = certgate("organizations", "create", "--name", "Acme", "--", slug, CERTGATE_DATABASE_URL=demo_url)
    assert done.returncode == 2
    assert "A slug has at most 63 lower-case letters" in done.stderr


async def expire_at_the_end_of_time(url: str) -> None:
    database = await open_database(url)
    async with database.write() as transaction:
        await transaction.execute(update(api_keys).values(expires_at=datetime.max.replace(tzinfo=UTC)))
    await database.close()


def test_keys_are_made_listed_and_revoked(demo_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": demo_url}
    secret = succeeded("keys", "create", "--organization", "demo", "--role", "manager", "--quiet", **where)
    assert is_well_formed(secret.removesuffix("\n"))
    shown = succeeded(
        *("keys", "create", "--organization", "demo", "--role", "readonly", "--kind", "cpk"),
        *("--name", "The shop", "--expires-in-days", "3"),
        **where,
    )
    (publishable,) = re.findall(r"cpk_\w+", shown)
    assert is_well_formed(publishable)

    listed = succeeded("keys", "list", **where)
    assert secret.strip() not in listed
    assert publishable not in listed
    manager, shop = listed.splitlines()[1:]
    assert manager.split()[1:6] == ["demo", "csb", "manager", "active", "never"]
    assert shop.split()[1:5] == ["demo", "cpk", "readonly", "active"]
    assert shop.endswith("The shop")

    asyncio.run(expire_at_the_end_of_time(demo_url))
    listed = succeeded("keys", "list", **where)
    assert [line.split()[4:6] for line in listed.splitlines()[1:]] == [["active", "9999-12-31"]] * 2

    id = manager.split()[0]
    assert succeeded("keys", "revoke", id, **where) == f"The API key {id} is revoked.\n"
    listed = succeeded("keys", "list", "--organization", "demo", **where)
    assert [line.split()[4] for line in listed.splitlines()[1:]] == ["revoked", "active"]


def test_a_key_of_a_person_follows_the_memberships(demo_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": demo_url}
    key = ("keys", "create", "--organization", "demo", "--role", "manager")
    assert "is no member of the organisation demo" in refused(1, *key, "--kind", "csu", "--user", "a@b.test", **where)
    said = succeeded("members", "set", "--organization", "demo", "--role", "editor", "Ann@B.test", **where)
    assert said == "ann@b.test is editor in the organisation demo.\n"
    secret = succeeded(*key, "--kind", "csu", "--user", "ANN@b.test", "--per-minute", "7", "--quiet", **where)
    assert secret.startswith("csu_")
    assert succeeded("members", "list", **where).splitlines()[1].split()[:3] == ["demo", "ann@b.test", "editor"]
    assert succeeded("keys", "list", **where).splitlines()[1].split()[-2:] == ["never", "ann@b.test"]
    said = succeeded("members", "remove", "--organization", "demo", "ann@b.test", **where)
    assert said == "ann@b.test is no longer a member of the organisation demo.\n"
    assert succeeded("members", "list", "--organization", "demo", **where).startswith("There are no members")
    for words in (("--kind", "csu"), ("--user", "ann@b.test")):
        done = certgate(*key, *words, **where)
        assert done.returncode == 2
        assert "A csu key needs a user" in done.stderr
    done = certgate("members", "set", "--organization", "demo", "--role", "editor", "nobody", **where)
    assert done.returncode == 2
    assert "is no e-mail address" in done.stderr


def test_what_is_not_there_is_said_in_one_sentence(demo_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": demo_url}
    unknown = str(catalogue_id("nothing", "at all"))
    create = ("keys", "create", "--role", "editor", "--organization")
    assert "No organisation has the slug 'nobody'" in refused(1, *create, "nobody", **where)
    assert "No organisation has the slug 'nobody'" in refused(1, "keys", "list", "--organization", "nobody", **where)
    assert f"No API key has the id {unknown}" in refused(1, "keys", "revoke", unknown, **where)
    words = "id: An id has 22 letters and digits, or is a UUID with hyphens"
    assert words in refused(1, "keys", "revoke", "csb_x", **where)


UNKNOWN = {
    "keys revoke": [str(catalogue_id("nothing", "at all"))],
    "keys limits": [str(catalogue_id("nothing", "at all"))],
    "keys limits with a change": [str(catalogue_id("nothing", "at all")), "max_depth=5"],
    "documents remove": ["sha256:" + "0" * 64],
    "members link": ["nobody@b.test", "--organization", "demo"],
    "members remove": ["nobody@b.test", "--organization", "demo"],
    "members set": ["ann@b.test", "--organization", "nobody", "--role", "editor"],
    "organizations rename": ["nobody", "--name", "Somebody"],
}
"""Command -> arguments of which one names what is not there."""


@pytest.mark.parametrize("command", UNKNOWN)
def test_what_nobody_has_is_one_sentence(demo_url: str, command: str) -> None:
    words = [*command.partition(" with ")[0].split(), *UNKNOWN[command]]
    # In this process: a traceback is an exception here too, and no interpreter has to start.
    done = CliRunner().invoke(cli, words, env={"CERTGATE_DATABASE_URL": demo_url})
    assert (done.exit_code, done.stdout) == (1, ""), done.output
    assert re.fullmatch(r"certgate: [^\n]+\.\n", done.stderr), done.stderr


def test_every_command_that_takes_a_name_of_something_stored_is_tried_with_an_unknown_one() -> None:
    takes = {
        f"{group} {name}"
        for group, commands in cli.commands.items()
        for name, command in getattr(commands, "commands", {}).items()
        if any(isinstance(parameter, click.Argument) and parameter.name != "source" for parameter in command.params)
    }
    # `create` names what is not there yet.
    assert takes - {"organizations create"} == {command.partition(" with ")[0] for command in UNKNOWN}


@pytest.mark.parametrize("option", ["--per-minute", "--per-day"])
def test_a_limit_that_would_be_none_or_that_no_column_holds_is_refused(demo_url: str, option: str) -> None:
    where = {"CERTGATE_DATABASE_URL": demo_url}
    words = ["keys", "create", "--organization", "demo", "--role", "readonly", option]
    assert CliRunner().invoke(cli, [*words, str(2**31 - 1)], env=where).exit_code == 0
    for number in ("0", str(2**31)):
        refused = CliRunner().invoke(cli, [*words, number], env=where)
        assert (refused.exit_code, "2147483647" in refused.stderr) == (2, True)


def test_a_name_that_would_not_fit_is_refused(demo_url: str) -> None:
    words = ("keys", "create", "--organization", "demo", "--role", "editor", "--name", "n" * 256)
    done = certgate(*words, CERTGATE_DATABASE_URL=demo_url)
    assert done.returncode == 2
    assert "A name has 0 to 255 printable characters" in done.stderr
    done = certgate("organizations", "rename", "demo", "--name", " ", CERTGATE_DATABASE_URL=demo_url)
    assert done.returncode == 2
    assert "A name has 1 to 255 printable characters" in done.stderr


def test_wrong_settings_are_named_without_their_value() -> None:
    sentence = refused(2, "migrate", CERTGATE_DATABASE_URL="mysql://user:hunter2@host/name")
    assert sentence.startswith("certgate: CERTGATE_DATABASE_URL is wrong: ")
    assert "hunter2" not in sentence
    for url in (
        "sqlite:///:memory:",
        "postgresql://user:hunter2@[/",
        "postgresql://user:hunter2@host:x/",
        "postgresql://user:a@hunter2@127.0.0.1:1/name",
        "postgresql://user:a@hunter2/x@127.0.0.1:1/name",
    ):
        sentence = refused(2, "migrate", CERTGATE_DATABASE_URL=url)
        assert "CERTGATE_DATABASE_URL" in sentence
        assert "hunter2" not in sentence


def test_a_database_out_of_reach_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    for secret in ("user:hunter2@127.0.0.1:{port}/name", "user:%40hunter2@127.0.0.1:{port}/name?password=hunter2"):
        sentence = refused(1, "migrate", CERTGATE_DATABASE_URL=f"postgresql://{secret.format(port=port)}")
        assert "cannot be reached" in sentence
        assert f"user:***@127.0.0.1:{port}" in sentence
        assert "hunter2" not in sentence
    (tmp_path / "file").write_text("This is no database, and long enough to be seen as what it is.\n" * 100)
    for path, reason in ((tmp_path, "unable to open database file"), (tmp_path / "file", "file is not a database")):
        sentence = refused(1, "migrate", CERTGATE_DATABASE_URL=f"sqlite:///{path}")
        assert f"cannot be used ({reason})" in sentence
    sentence = refused(1, "migrate", CERTGATE_DATABASE_URL=f"sqlite:///{tmp_path}/file/certgate.db")
    assert "directory of the database cannot be made" in sentence


def test_postgresql_refusing_is_one_sentence(postgresql_server: str) -> None:
    nowhere = re.sub(r"/\w*\?", "/no_such_database?", postgresql_server)
    assert 'database "no_such_database" does not exist' in refused(1, "migrate", CERTGATE_DATABASE_URL=nowhere)


def with_options(url: str, options: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{options}"


def test_what_hosters_write_into_a_url_is_followed(empty_postgresql_url: str) -> None:
    options = "sslmode=prefer&connect_timeout=5&target_session_attrs=read-write&pgbouncer=true&application_name=acme"
    where = {"CERTGATE_DATABASE_URL": with_options(empty_postgresql_url, options)}
    succeeded("migrate", **where)
    succeeded("organizations", "create", "acme", "--name", "Acme", **where)
    with running("serve", "--port", "0", until="answers on", **where) as (_, printed):
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", printed)
        assert f"its database is {shown(empty_postgresql_url)}; " in printed
        assert httpx2.get(f"{url}/readyz").status_code == 200


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        ("sslmode=require&channel_binding=require", 2, "say sslmode=verify-full"),
        ("sslmode=banana", 2, "`sslmode` parameter must be one of"),
        ("connect_timeout=soon", 2, "connect_timeout=soon, which is no number of seconds"),
        (
            "keepalives=1&keepalives_idle=30",
            2,
            "the option keepalives, which is for other clients than asyncpg; leave it out",
        ),
        ("connection_limit=5&pool_timeout=0", 2, "the option connection_limit, which is for other clients"),
        ("target_session_attrs=master", 2, "target_session_attrs=master, but it is one of any, "),
        (
            "colour=blue",
            2,
            'does not take (unrecognized configuration parameter "colour"); correct it, or leave it out',
        ),
        ("work_mem=soon", 2, 'does not take (invalid value for parameter "work_mem"'),
        ("max_connections=5", 2, 'does not take (parameter "max_connections" cannot be changed'),
    ],
)
def test_what_cannot_be_followed_in_a_url_is_named(postgresql_server: str, options: str, code: int, says: str) -> None:
    for words in (["migrate"], ["serve", "--port", "0"]):
        sentence = refused(code, *words, CERTGATE_DATABASE_URL=with_options(postgresql_server, options))
        assert "CERTGATE_DATABASE_URL" in sentence
        assert says in sentence


def test_a_port_that_is_none_is_named() -> None:
    sentence = refused(2, "migrate", CERTGATE_DATABASE_URL="postgresql://user:hunter2@127.0.0.1:99999/name")
    assert "has the port 99999, but ports go from 1 to 65535" in sentence


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_a_database_that_cannot_hold_every_text_is_refused(postgresql_server: str, encoding: str) -> None:
    name = f"encoded_{encoding.lower()}"
    connection = await asyncpg.connect(postgresql_server)
    await connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        where = {"CERTGATE_DATABASE_URL": re.sub(r"/\w*\?", f"/{name}?", postgresql_server)}
        for words in (["migrate"], ["serve", "--port", "0"]):
            assert f"has the encoding {encoding}" in refused(1, *words, **where)
    finally:
        await connection.execute(f"DROP DATABASE {name}")
        await connection.close()


async def test_a_database_newer_than_the_code_is_left_alone(empty_postgresql_url: str) -> None:
    connection = await asyncpg.connect(empty_postgresql_url)
    await connection.execute("CREATE TABLE alembic_version (version_num text)")
    await connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    for words in (["migrate"], ["serve", "--port", "0"]):
        assert "too old to know: update certgate" in refused(1, *words, CERTGATE_DATABASE_URL=empty_postgresql_url)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await connection.close()


def test_serving_needs_a_migrated_database_and_a_free_port(tmp_path: Path, demo_url: str) -> None:
    empty = f"sqlite:///{tmp_path}/empty.db"
    assert "or ./certgate migrate for the tables" in refused(1, "serve", "--port", "0", CERTGATE_DATABASE_URL=empty)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        for words in (["serve"], ["demo"]):
            sentence = refused(1, *words, "--port", port, CERTGATE_DATABASE_URL=demo_url)
            assert f"Port {port} is taken by another program" in sentence
            assert "--port" in sentence
    sentence = refused(1, "serve", "--host", "192.0.2.1", "--port", "0", CERTGATE_DATABASE_URL=demo_url)
    assert "192.0.2.1 is no address of this machine" in sentence


@pytest.fixture
def everybody_reads() -> Iterator[None]:
    """The usual mask of new files, under which everybody may read them."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("everybody_reads")
def test_what_is_stored_is_nobody_elses_business(tmp_path: Path) -> None:
    def rights(path: Path) -> str:
        return stat.filemode(path.stat().st_mode)

    file = tmp_path / "var" / "certgate.db"
    where = {"CERTGATE_DATABASE_URL": f"sqlite:///{file}", "CERTGATE_IMPORT_FOLDER": str(file.parent / "imports")}
    with running("demo", "--port", "0", until="Stop with", **where):
        assert rights(file.parent) == "drwx------"
        files = dict.fromkeys(("certgate.db", "certgate.db-wal", "certgate.db-shm"), "-rw-------")
        assert {path.name: rights(path) for path in file.parent.iterdir()} == files | {"imports": "drwx------"}
    shutil.rmtree(file.parent / "imports")
    # What an operator has opened to others stays as it is.
    file.parent.chmod(0o750)
    file.chmod(0o640)
    with running("serve", "--port", "0", until="stop it", CERTGATE_DATABASE_URL=f"sqlite:///{file}"):
        assert rights(file.parent) == "drwxr-x---"
        assert {rights(path) for path in file.parent.iterdir()} == {"-rw-r-----"}


def test_serving_answers_and_stops_when_told(demo_url: str) -> None:
    with running("serve", "--port", "0", until="answers on", CERTGATE_DATABASE_URL=demo_url) as (process, printed):
        (url,) = re.findall(r"http://127\.0\.0\.1:\d+", printed)
        response = httpx2.get(f"{url}/certifications/api/v1/products/00000080050698/certifications")
        assert response.status_code == 401
        assert "server" not in response.headers
        assert process.stop() == 0
        assert process.output.read() == ""
        assert "Traceback" not in process.complaints()


SLOW = """
import asyncio, sys
from gateway import server
from gateway.settings import Settings

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    print("asked", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})

async def work(settings):
    try:
        with server.listen(settings) as listener:
            await server.serve(settings, application, listener,
                               lambda: print(server.address(settings, listener), flush=True))
    finally:
        await asyncio.sleep(0)
        print("closed", flush=True)

server.run(work(Settings(port=0)))
"""


def wait_until_refused(host: str, port: int) -> None:
    while True:
        try:
            socket.create_connection((host, port)).close()
        except ConnectionError:  # refused, or reset when the listener closed just then
            return


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_finished_before_the_server_stops(number: signal.Signals) -> None:
    with started("-c", SLOW) as process:
        answer = ask_while_stopping(process, number)
        out = process.output.read()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\ndone")
    assert (process.code, out) == (0, "closed\n")


def ask_while_stopping(process: Process, number: signal.Signals) -> bytes:
    host, port = process.output.readline().strip().removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        assert process.output.readline() == "asked\n"
        process.signal(number)
        # Only now may the request go on: the server was told to stop while it waited.
        wait_until_refused(host, int(port))
        print(file=process.input, flush=True)
        return b"".join(iter(lambda: client.recv(1000), b""))


def paste(line: str) -> Any:
    """What a shell would make of the printed curl line, sent."""
    words = shlex.split(line)
    assert words[:2] == ["curl", "-H"]
    name, _, value = words[2].partition(": ")
    response = httpx2.get(words[3], headers={name: value})
    assert response.status_code == 200
    return response.json()


def test_demo_leads_from_nothing_to_a_signed_in_browser(empty_url: str, tmp_path: Path) -> None:
    where = {"CERTGATE_DATABASE_URL": empty_url, "CERTGATE_IMPORT_FOLDER": str(tmp_path / "imports")}
    keys = []
    for _ in range(2):
        with running("demo", "--port", "0", until="Stop with", **where) as (_, printed):
            (link,) = re.findall(r"http\S+/sign-in\?token=\S+", printed)
            (line,) = re.findall(r"curl .*", printed)
            (key,) = set(re.findall(r"csb_\w+", printed))
            keys.append(key)

            assert "RSPO" in [item["code"] for item in paste(line)]
            with httpx2.Client(follow_redirects=True) as browser:
                asked = browser.get(link)
                assert "document.forms[0].submit()" in asked.text
                url, _, token = link.partition("/sign-in?token=")
                page = browser.post(f"{url}/sign-in", data={"token": token}, headers={"Origin": url})
                assert (page.status_code, page.url.path) == (200, "/app")
                query = {"query": "{ viewer { organization { slug } } }"}
                answer = browser.post(f"{url}/graphql", json=query, headers={"Origin": url})
                assert answer.json() == {"data": {"viewer": {"organization": {"slug": "demo"}}}}
            assert httpx2.get(link).status_code == 410
    # The second start made a key of its own, and the first one's still works until it expires. Only the key that the
    # reference's page may revoke is the same.
    assert len(set(keys)) == 2
    listed = succeeded("keys", "list", "--organization", "demo", **where)
    roles = sorted(line.split()[3:5] for line in listed.splitlines()[1:])
    assert roles == [["manager", "active"], ["manager", "active"], ["readonly", "active"]]


def test_links_start_with_the_public_address(demo_url: str, tmp_path: Path) -> None:
    where = {
        "CERTGATE_DATABASE_URL": demo_url,
        "CERTGATE_PUBLIC_URL": "https://certgate.example.org/",
        "CERTGATE_IMPORT_FOLDER": str(tmp_path / "imports"),
    }
    with running("demo", "--port", "0", until="Stop with", **where) as (_, printed):
        assert "  https://certgate.example.org/sign-in?token=" in printed


def test_the_schema_is_printed_or_written(tmp_path: Path) -> None:
    printed = succeeded("schema")
    assert "type Mutation {" in printed
    assert "assignClaim(" in printed
    assert succeeded("schema", "--output", str(tmp_path / "schema.graphql")) == ""
    assert (tmp_path / "schema.graphql").read_text() == printed


def test_the_schema_is_also_exported_as_introspection_json(tmp_path: Path) -> None:
    printed = succeeded("schema", "--format", "json")
    assert succeeded("schema", "--output", str(tmp_path / "schema.json")) == ""
    assert (tmp_path / "schema.json").read_text(encoding="utf-8") == printed
    # Tools build their schema from it, and get the one that the SDL describes, with its explanations.
    rebuilt = graphql.build_client_schema(json.loads(printed))
    assert graphql.print_schema(graphql.lexicographic_sort_schema(rebuilt)) == graphql.print_schema(
        graphql.lexicographic_sort_schema(graphql.build_schema(succeeded("schema")))
    )


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of git with the contracts as they are now, which the command takes for its own."""
    for file, text in contracts.generated().items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.setattr(contracts, "ROOT", tmp_path)
    return tmp_path


def commit(repository: Path) -> None:
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-qm", "x"]):
        subprocess.run(["git", *words], cwd=repository, check=True)


def contracts_said(code: int, *words: str) -> list[str]:
    done = CliRunner().invoke(cli, ["contracts", *words])
    assert done.exit_code == code, done.output
    return [*done.stdout.splitlines(), *done.stderr.splitlines()]


def test_contracts_that_are_up_to_date_are_left_alone(repository: Path) -> None:
    assert contracts_said(0, "--check") == []
    assert contracts_said(0) == []
    commit(repository)
    assert contracts_said(0, "--since", "HEAD") == []


def test_stale_contracts_fail_the_check_with_what_breaks_and_are_written_anew(repository: Path) -> None:
    sdl, document = repository / "schema/schema.graphql", repository / "rest_compat/account.openapi.json"
    current = sdl.read_text(encoding="utf-8"), document.read_text(encoding="utf-8")
    sdl.write_text(
        current[0].replace("type Query {", 'type Query {\n  "Gone."\n  weather: String\n', 1), encoding="utf-8"
    )
    document.write_text(current[1].replace("/api/v1/whoami", "/api/v1/me"), encoding="utf-8")
    commit(repository)

    *breaks, last = contracts_said(1, "--check")
    assert breaks[0].startswith("Breaks clients: Field Query.weather was removed: keep it and deprecate it")
    assert breaks[1:] == ["Breaks clients: GET /account/api/v1/me was removed."]
    assert "schema/schema.graphql, rest_compat/account.openapi.json: not what the code says" in last
    assert last.endswith("./certgate contracts.")

    *again, first, second = contracts_said(0)
    assert again == breaks
    assert (first, second) == ("Wrote schema/schema.graphql.", "Wrote rest_compat/account.openapi.json.")
    assert (sdl.read_text(encoding="utf-8"), document.read_text(encoding="utf-8")) == current
    assert contracts_said(0, "--check") == []

    # What was committed is still what a revision is compared with.
    assert contracts_said(1, "--since", "HEAD") == [
        *breaks,
        "certgate: Clients of HEAD would break.",
    ]
    (unknown,) = contracts_said(1, "--since", "nope")
    assert unknown.startswith("certgate: git does not show schema/schema.graphql of nope (fatal: ")


def test_a_contract_that_is_missing_is_stale_and_breaks_nobody(repository: Path) -> None:
    (repository / "rest_compat/products.openapi.json").unlink()
    (sentence,) = contracts_said(1, "--check")
    assert sentence.startswith("certgate: rest_compat/products.openapi.json: not what the code says")


def test_the_demo_data_names_its_example() -> None:
    lines = (ROOT / "data" / "demo" / "demo_products.jsonl").read_text().splitlines()
    assert "00000080050698" in [json.loads(line)["gtin"] for line in lines]


def test_explaining_tells_the_plan_and_the_cost(tmp_path: Path) -> None:
    file = tmp_path / "page.graphql"
    file.write_text("query ($n: Int) { products(first: $n) { nodes { claims { isActive } } } }", encoding="utf-8")
    plan, cost = succeeded("explain", str(file)).split("\n\ncosts ")
    assert "Product.claims" in plan
    assert cost.splitlines()[0].startswith(f"{1 + 25 * (1 + 10)} ")
    assert [line.split() for line in cost.splitlines()[1:]] == [
        ["250", "products.nodes.claims"],
        ["25", "products.nodes"],
        ["1", "products"],
    ]
    file.write_text("{ nope }", encoding="utf-8")
    assert "nope" in refused(1, "explain", str(file))


QUERY = "query Q($gtin: String!) { product(gtin: $gtin) { name certifications { certification { label } } } }"


def test_explain_shows_levels_batches_and_statements(demo_url: str, tmp_path: Path) -> None:
    file = tmp_path / "query.graphql"
    file.write_text(QUERY)
    assert "statements" not in succeeded("explain", str(file))
    said = succeeded("explain", str(file), "--variables", '{"gtin": "00000080050698"}', CERTGATE_DATABASE_URL=demo_url)
    assert "level 1: 1 awaited together\n  product: async resolver Query.product" in said
    assert "    Product made of rows: name, certifications\n    Product.certifications: one read for all" in said
    _, _, statements = said.partition("statements: 2\n")
    first, second = statements.splitlines()
    assert first.strip() == "1 row: SELECT products.gtin, products.name FROM products WHERE products.gtin = ?"
    assert "FROM certification_assignments" in second


def test_explain_knows_the_conditions_that_are_given(demo_url: str, tmp_path: Path) -> None:
    file = tmp_path / "query.graphql"
    file.write_text(
        'query ($s: Boolean!) { viewer { role } product(gtin: "00000080050698") { name @skip(if: $s) id } }'
    )
    assert "Product made of rows: id" in succeeded("explain", str(file))
    said = succeeded("explain", str(file), "--variables", '{"s": false}', CERTGATE_DATABASE_URL=demo_url)
    assert "Product made of rows: name, id" in said
    assert "products.name FROM" in said


@pytest.mark.parametrize(
    ("document", "words", "reason"),
    [
        (QUERY, ["--variables", "{"], "one JSON object"),
        (QUERY, ["--variables", "{}"], "'$gtin' has invalid value"),
        (QUERY, ["--variables", '{"gtin": "x"}', "--organization", "nobody"], "No organisation has the slug 'nobody'"),
        ("mutation { __typename }", ["--variables", "{}"], "Only a query"),
        ("{ rateLimit { minute { limit } } }", ["--variables", "{}"], "leave rateLimit out of the document"),
        ("{ product(gtin: 1) { name } }", ["--variables", "{}"], "String cannot represent"),
    ],
)
def test_explain_says_why_it_cannot_run_a_document(
    demo_url: str, tmp_path: Path, document: str, words: list[str], reason: str
) -> None:
    file = tmp_path / "query.graphql"
    file.write_text(document)
    done = certgate("explain", str(file), *words, CERTGATE_DATABASE_URL=demo_url)
    assert done.returncode == 1
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_for_imports_that_cannot_be_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    where = {"CERTGATE_DATABASE_URL": f"sqlite:///{tmp_path}/never.db", "CERTGATE_IMPORT_FOLDER": f"{tmp_path}/file/x"}
    assert refused(2, "serve", "--port", "0", **where) == (
        "certgate: CERTGATE_IMPORT_FOLDER names a folder that cannot be made or written to (Not a directory):"
        " correct it, or its rights.\n"
    )
    assert not (tmp_path / "never.db").exists()
