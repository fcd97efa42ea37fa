"""`certgate verify` and `certgate checkpoint`, and the server that seals what it has committed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from click.testing import CliRunner

from gateway.cli import cli
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

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.execute("DROP TRIGGER sealed_refuse_delete")
        connection.execute("DELETE FROM sealed")
        connection.commit()
    # All is sealed anew, and holds in itself.
    assert command(url, "checkpoint")[0] == 0
    assert command(url, "verify")[0] == 0
    code, said = command(url, "verify", "--checkpoint", str(file))
    assert (code, said.startswith("The log is not the one of the checkpoint")) == (1, True), said

    file.write_bytes(b"\xff\xfe no note")
    code, said = command(url, "verify", "--checkpoint", str(file))
    assert (code, said.startswith("certgate: --checkpoint: This is no checkpoint")) == (1, True), said


def test_a_server_seals_what_there_is_before_it_ends(tmp_path: Path) -> None:
    url = demo_database(tmp_path)
    assert "more wait to be sealed" in command(url, "verify")[1]
    with serving(url):
        pass
    code, said = command(url, "verify")
    assert (code, "wait" in said) == (0, False), said
