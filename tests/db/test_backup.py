"""Backups: taken while others write, put back into both databases, and refused where they are not what they were."""

import shutil
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect, text

from db import revision
from db.migrate import connected, current, migrate
from db.moving.backup import MANIFEST, BackupWriter
from db.moving.content import Content, contents
from db.moving.stores import snapshot
from gateway.storage import shown
from tests.log import by_hand
from tests.moving import MOVED, fill, stored
from tests.processes import certgate, succeeded

ROWS = 7


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that was never migrated."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("empty_postgresql_url"))


def told(what: str, rows: int, of: int) -> None:
    """Nobody listens."""


async def test_a_backup_goes_back_into_either_database_with_its_files(
    database_url: str, new_url: str, tmp_path: Path
) -> None:
    await fill(database_url, ROWS)
    imports, file = tmp_path / "imports", tmp_path / "backup.zip"
    (imports / "000001").mkdir(parents=True)
    (imports / "000001" / "rows.jsonl").write_text("{}\n", "utf-8")
    (imports / "000002.data").write_bytes(bytes(range(256)))
    (imports / "arriving.part").write_bytes(b"not whole")
    said = succeeded("backup", str(file), CERTGATE_DATABASE_URL=database_url, CERTGATE_IMPORT_FOLDER=str(imports))
    assert said.startswith(f"Wrote {file} of the database {shown(database_url)} and the folder {imports}: ")
    assert f" rows of {len(MOVED)} tables and 2 files of imports at revision {revision.head()}, " in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not file.with_name("backup.zip.part").exists()
    refused = certgate("backup", str(file), CERTGATE_DATABASE_URL=database_url)
    assert (refused.returncode, refused.stderr.partition(" is there already")[0]) == (1, f"certgate: {file}")

    back = tmp_path / "back"
    settings = {"CERTGATE_DATABASE_URL": new_url, "CERTGATE_IMPORT_FOLDER": str(back)}
    assert succeeded("restore", str(file), "--check", **settings).startswith(f"{file} is whole: ")
    assert await current(new_url) is None
    assert not back.exists()
    assert succeeded("restore", str(file), **settings).splitlines()[-1].startswith(f"Restored {file} into ")
    assert await stored(new_url) == await stored(database_url)
    found = {path.relative_to(back).as_posix(): path.read_bytes() for path in back.rglob("*") if path.is_file()}
    assert found == {"000001/rows.jsonl": b"{}\n", "000002.data": bytes(range(256))}
    refused = certgate("restore", str(file), **settings)
    assert refused.stderr.startswith("certgate: The database is not empty, it has ")
    (back / "000002.data").write_bytes(b"another one")
    refused = certgate("restore", str(file), **settings)
    assert refused.stderr.startswith(f"certgate: {back / '000002.data'} is there already and is not that of the backup")


async def test_a_table_that_is_lost_is_one_sentence_with_the_remedy(database_url: str, tmp_path: Path) -> None:
    await by_hand(database_url, text("DROP TABLE public_proofs"))
    for words in (("backup", str(tmp_path / "backup.zip")), ("verify",)):
        refused = certgate(*words, CERTGATE_DATABASE_URL=database_url)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert "has lost a table (" in refused.stderr
        assert "public_proofs" in refused.stderr
        assert "restore the last backup into an empty one" in refused.stderr


async def test_a_backup_shows_one_moment_while_others_write(database_url: str, new_url: str, tmp_path: Path) -> None:
    await fill(database_url, ROWS)
    before, file = await stored(database_url), tmp_path / "backup.zip"
    with file.open("wb") as output, closing(BackupWriter(output, datetime.now(UTC))) as writer:
        async with snapshot(database_url) as source:
            for number, content in enumerate(contents()):
                await writer.add_table(source, content, told)
                if number == 0:
                    async with connected(database_url) as other:
                        await other.execute(text("DELETE FROM claim_assignments"))
                        await other.execute(text("UPDATE products SET name = 'another', version = version - 1"))
                        await other.commit()
        writer.finish()
    succeeded("restore", str(file), CERTGATE_DATABASE_URL=new_url, CERTGATE_IMPORT_FOLDER=str(tmp_path / "none"))
    assert await stored(new_url) == before != await stored(database_url)


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A backup of an installation with a row in it."""
    folder = tmp_path_factory.mktemp("backup")
    url = f"sqlite:///{shutil.copy(sqlite_template, folder / 'certgate.db')}"
    succeeded("organizations", "create", "acme", "--name", "Acme", CERTGATE_DATABASE_URL=url)
    (folder / "imports").mkdir()
    (folder / "imports" / "000001.data").write_bytes(b"a file " * 1000)
    settings = {"CERTGATE_DATABASE_URL": url, "CERTGATE_IMPORT_FOLDER": str(folder / "imports")}
    succeeded("backup", str(folder / "backup.zip"), **settings)
    return folder / "backup.zip"


def rewritten(backup: Path, file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Writes a backup anew with parts that are changed."""
    with zipfile.ZipFile(backup) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)


def manifest(**changes: Any) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        parts[MANIFEST] = msgspec.json.encode(msgspec.json.decode(parts[MANIFEST]) | changes)

    return change


def lost(name: str) -> Callable[[dict[str, bytes]], None]:
    return lambda parts: parts.update({name: b""})


CHANGES = {
    "a table lost": (lost("tables/organizations.jsonl"), "is damaged (tables/organizations.jsonl is not what it was)"),
    "a file lost": (lost("files/000001.data"), "is damaged (files/000001.data is not what it was)"),
    "a part gone": (lambda parts: parts.pop("tables/claims.jsonl"), "is damaged ("),
    "no manifest": (lambda parts: parts.pop(MANIFEST), "is no backup, or has lost its end ("),
    "something else": (manifest(format="another's"), "is no backup: "),
    "an archive": (manifest(format="certgate archive"), "is an archive of one organisation, no backup: "),
    "a later form": (manifest(version=2), "is of a certgate that is newer than this one: update certgate."),
    "a later revision": (manifest(revision="9999"), "is of revision 9999, and this certgate knows those up to "),
    "no form": (manifest(tables=7), "is damaged ("),
    "a file elsewhere": (
        manifest(files={"../x": {"bytes": 0, "sha256": ""}}),
        "has a file that would lie elsewhere: ../x",
    ),
}


def refused(file: Path, tmp_path: Path) -> str:
    """What is said of a file that is not restored, behind its name."""
    url = f"sqlite:///{tmp_path / 'target.db'}"
    done = certgate("restore", str(file), CERTGATE_DATABASE_URL=url, CERTGATE_IMPORT_FOLDER=str(tmp_path / "imports"))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert not (tmp_path / "target.db").exists()
    assert not (tmp_path / "imports").exists()
    head, _, said = done.stderr.partition(f"{file} ")
    assert head == "certgate: "
    return said


@pytest.mark.parametrize("kind", CHANGES)
def test_a_file_that_is_another_or_was_changed_is_refused(kind: str, backup: Path, tmp_path: Path) -> None:
    change, said = CHANGES[kind]
    rewritten(backup, tmp_path / "changed.zip", change)
    assert refused(tmp_path / "changed.zip", tmp_path).startswith(said)


def test_a_file_that_is_damaged_is_refused(backup: Path, tmp_path: Path) -> None:
    whole, file = backup.read_bytes(), tmp_path / "damaged.zip"
    with zipfile.ZipFile(backup) as parts:
        places = [
            part.header_offset + 30 + len(part.filename) + len(part.extra) + part.compress_size // 2
            for part in parts.infolist()
            if part.file_size
        ]
    assert len(places) == 5
    for place in places:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert refused(file, tmp_path).startswith(("is damaged (", "is no backup"))
    for content in (b"", b"no archive at all", whole[:-1], whole[: len(whole) // 2]):
        file.write_bytes(content)
        assert refused(file, tmp_path).startswith("is no backup, or has lost its end (")
    file.unlink()
    assert refused(file, tmp_path) == "is not there: name the file of a backup.\n"


async def test_a_backup_of_an_older_revision_is_brought_to_the_newest(
    database_url: str, new_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(database_url, ROWS)
    file = tmp_path / "backup.zip"
    # As it was before products could be archived.
    await migrate(f"sqlite:///{tmp_path / 'old.db'}", "0015")
    async with connected(f"sqlite:///{tmp_path / 'old.db'}") as connection:
        tables = await connection.run_sync(lambda sync: inspect(sync).get_multi_columns())
    names = {name: {column["name"] for column in columns} for (_, name), columns in tables.items()}
    then = [
        Content(
            each.name, {name: kind for name, kind in each.columns.items() if name in names[each.name]}, each.key, None
        )
        for each in contents()
        if each.name in names
    ]
    assert not any("archived_at" in each.columns for each in then)
    with file.open("wb") as output, closing(BackupWriter(output, datetime.now(UTC))) as writer:
        async with snapshot(database_url) as source:
            for content in then:
                await writer.add_table(source, content, told)
        with monkeypatch.context() as patch:
            patch.setattr(revision, "head", lambda: "0015")
            writer.finish()
    settings = {"CERTGATE_DATABASE_URL": new_url, "CERTGATE_IMPORT_FOLDER": str(tmp_path / "none")}
    assert " at revision 0015, " in succeeded("restore", str(file), **settings)
    assert await current(new_url) == revision.head()
    # What came since is as the revisions make it.
    async with snapshot(database_url) as before, snapshot(new_url) as after:
        for content in then:
            rows = [row async for part in before.rows(content) for row in part]
            assert [row async for part in after.rows(content) for row in part] == rows
            assert len(rows) >= ROWS or content.name == "secrets"


async def test_a_backup_of_an_older_revision_asks_for_a_database_that_was_never_migrated(
    backup: Path, database_url: str, tmp_path: Path
) -> None:
    rewritten(backup, tmp_path / "old.zip", manifest(revision="0015"))
    settings = {"CERTGATE_DATABASE_URL": database_url, "CERTGATE_IMPORT_FOLDER": str(tmp_path / "none")}
    done = certgate("restore", str(tmp_path / "old.zip"), **settings)
    assert done.stderr == (
        f"certgate: The database is at revision {revision.head()}, and what is to go there at revision 0015: name one"
        " that was never migrated.\n"
    )
