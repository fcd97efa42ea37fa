"""`certgate verify` and `certgate checkpoint`, and the server that seals what it has committed."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from db import history, sealing, webhooks
from db.catalogue import DEMO_SLUG
from db.engine.database import Database
from domain.changes import Change
from domain.history import OPERATOR
from domain.short_id import catalogue_id
from gateway import demo
from gateway.cli import cli
from resolvers.organizations import existing
from rest_compat.inputs import EXAMPLE_VIEW
from tests.processes import demo_database, serving


def command(url: str, *words: str) -> tuple[int, str]:
    """The exit code, and what the command says."""
    done = CliRunner().invoke(cli, words, env={"CERTGATE_DATABASE_URL": url})
    return done.exit_code, done.stdout or done.stderr


def changed_by_hand(url: str) -> int:
    """Changes a row of the log past the triggers; its number."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER changes_refuse_update")
        (seq,) = connection.execute("SELECT max(seq) - 1 FROM changes").fetchone()
        connection.execute("UPDATE changes SET record = replace(record, 'e', 'E') WHERE seq = ?", (seq,))
        connection.commit()
    return int(seq)


async def test_a_demo_that_is_started_again_leaves_the_log_whole(database: Database) -> None:
    for _ in range(2):
        await demo.load(database)
        await demo.grant_access(database)
        found = await sealing.verify(database)
        assert (found.broken, found.differing) == (None, None)


async def test_a_demo_that_brings_its_view_back_tells_of_the_webhooks_that_end_with_it(database: Database) -> None:
    await demo.load(database)
    await demo.grant_access(database)
    owner, now = await existing(database, DEMO_SLUG), datetime.now(UTC)
    (made,) = await webhooks.of_organization(database, owner.id)
    webhook = msgspec.structs.replace(made, id=catalogue_id("webhook", "of a view"), view_id=EXAMPLE_VIEW)
    async with database.write() as transaction:
        await webhooks.add(transaction, webhook, "whsec_AAAA", 0)
        await history.tell(transaction, Change(None, webhook), now, "createWebhook", OPERATOR)
    await demo.grant_access(database)
    assert [each.id for each in await webhooks.of_organization(database, owner.id)] == [made.id]
    found = await sealing.verify(database)
    assert (found.broken, found.differing) == (None, None)


def test_a_row_that_was_changed_is_named(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    code, note = command(url, "checkpoint")
    assert code == 0
    file = tmp_path / "checkpoint.txt"
    file.write_text(note)
    assert command(url, "verify")[0] == 0
    code, said = command(url, "verify", "--checkpoint", str(file))
    assert (code, said.startswith("The log is whole: ")) == (0, True), said

    seq = changed_by_hand(url)
    code, said = command(url, "verify")
    assert (code, said.startswith(f"The log is broken at row {seq} (")) == (1, True), said
    assert said.endswith(": it is not what was sealed.\n")
    for words in (["checkpoint"], ["checkpoint", "--since", str(file)]):
        code, said = command(url, *words)
        # What is behind the checkpoint is whole.
        assert (code, "Nothing is signed" in said) == ((1, True) if len(words) == 1 else (0, False)), said

    by_hand(url, "DELETE FROM sealed")
    # All is sealed anew, and holds in itself.
    assert command(url, "checkpoint")[0] == 0
    assert command(url, "verify")[0] == 0
    code, said = command(url, "verify", "--checkpoint", str(file))
    assert (code, said.startswith("The log is not the one of the checkpoint")) == (1, True), said

    file.write_bytes(b"\xff\xfe no note")
    code, said = command(url, "verify", "--checkpoint", str(file))
    assert (code, said.startswith("certgate: --checkpoint: This is no checkpoint")) == (1, True), said


def by_hand(url: str, *statements: str) -> None:
    """What somebody does who may change tables and triggers."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for table in ("changes", "sealed"):
            for event in ("update", "delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {table}_refuse_{event}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_log_without_its_end_is_shorter_than_its_checkpoint(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    file = tmp_path / "checkpoint.txt"
    file.write_text(command(url, "checkpoint")[1])
    assert command(url, "checkpoint", "--since", str(file)) == (0, file.read_text())
    by_hand(
        url,
        "DELETE FROM changes WHERE seq > (SELECT max(seq) - 3 FROM changes)",
        "DELETE FROM sealed WHERE position > (SELECT max(position) - 3 FROM sealed)",
    )
    for words in (["verify", "--checkpoint", str(file)], ["checkpoint", "--since", str(file)]):
        code, said = command(url, *words)
        assert (code, "The log is shorter than it was" in said) == (1, True), said
    # The tables have what it tells of no more.
    code, said = command(url, "verify")
    assert (code, said.startswith("The tables are not what the log tells, first of the ")) == (1, True), said


def test_a_table_that_was_changed_is_named(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    by_hand(url, "UPDATE products SET brand = 'Another' WHERE gtin = '00000080050698'")
    for words in (["verify"], ["checkpoint"]):
        code, said = command(url, *words)
        assert code == 1
        assert "The tables are not what the log tells, first of the product " in said
        assert " of the product 00000080050698: the table has another brand." in said


def test_a_row_that_was_put_in_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "LEFT_BEHIND", 10)
    url = demo_database(tmp_path)
    assert command(url, "checkpoint")[0] == 0
    columns = "at, kind, object_id, gtin, operation, credential, credential_id, face, request_id"
    put_in = "INSERT INTO changes (seq, {0}) SELECT -7, {0} FROM changes WHERE kind = 'product' LIMIT 1"
    by_hand(url, put_in.format(columns))
    code, said = command(url, "verify")
    assert (code, said.startswith("The log is broken at row -7 (")) == (1, True), said
    assert said.endswith("): it was put in later.\n")


def test_a_server_seals_what_there_is_before_it_ends(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    assert "more wait to be sealed" in command(url, "verify")[1]
    with serving(url):
        pass
    code, said = command(url, "verify")
    assert (code, "wait" in said) == (0, False), said
