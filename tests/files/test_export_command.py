"""`certgate export`, as somebody types it."""

import asyncio
import csv
import io
import json
import os
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from db import views
from db.engine.opening import open_database
from domain.short_id import catalogue_id
from domain.views import SavedView
from domain.vocabulary import ViewKind
from tests.processes import certgate, demo_database, succeeded

SMALL = '{"gtin": {"in": ["09520000000059", "00000080050698"]}}'


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The demo's database."""
    return demo_database(tmp_path_factory.mktemp("demo"))


def test_what_an_organisation_owns_goes_to_standard_output(demo_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": demo_url}
    export = ("export", "products", "--organization")
    listed = list(csv.DictReader(io.StringIO(succeeded(*export, "demo", "--format", "csv", **where))))
    assert len(listed) == 160
    assert listed == sorted(listed, key=lambda row: row["gtin"])
    succeeded("organizations", "create", "shop", "--name", "The shop", **where)
    assert succeeded(*export, "shop", "--format", "jsonl", **where) == ""


def test_a_filter_is_spelled_as_in_graphql(demo_url: str) -> None:
    words = ("export", "claims", "--organization", "demo", "--format", "jsonl", "--where", SMALL)
    lines = succeeded(*words, CERTGATE_DATABASE_URL=demo_url).splitlines()
    assert {json.loads(line)["gtin"] for line in lines} == {"09520000000059", "00000080050698"}
    # Whoever owns the database sees evidence, too.
    assert "evidence_note" in json.loads(lines[0])


def test_a_saved_view_narrows_it_down(demo_url: str) -> None:
    demo = catalogue_id("organization", "demo")
    now = datetime(2026, 11, 30, tzinfo=UTC)

    async def save() -> None:
        database = await open_database(demo_url)
        async with database.write() as transaction:
            view = SavedView(catalogue_id("view", "x"), demo, "Süß & small", ViewKind.CLAIMS, SMALL, "", now, now)
            await views.add(transaction, view)
        await database.close()

    asyncio.run(save())
    where = {"CERTGATE_DATABASE_URL": demo_url}
    words = ("--organization", "demo", "--format", "jsonl")
    by_view = succeeded("export", "claims", *words, "--view", "Süß & small", **where)
    assert by_view == succeeded("export", "claims", *words, "--where", SMALL, **where) != ""
    unknown = certgate("export", "claims", *words, "--view", "Large", **where)
    assert unknown.returncode == 1
    assert "no view with the name 'Large'; it has 'Süß & small'." in unknown.stderr
    other = certgate("export", "products", *words, "--view", "Süß & small", **where)
    assert "Input should be a view of products; this one is of claims, so ask for those" in other.stderr
    assert (
        "leave --where, --view and --excel out"
        in certgate("export", "all", "--organization", "demo", "--format", "zip", "--view", "x", **where).stderr
    )


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl", "jsonld", "gs1us"])
def test_a_file_is_there_once_it_is_whole(demo_url: str, form: str, tmp_path: Path) -> None:
    file = tmp_path / f"certifications.{form}"
    words = ("export", "certifications", "--organization", "demo", "--format", form)
    assert succeeded(*words, "--output", str(file), "--excel", CERTGATE_DATABASE_URL=demo_url) == ""
    assert list(tmp_path.iterdir()) == [file]
    if form == "csv":
        assert file.read_bytes().startswith(b"\xef\xbb\xbfid,gtin,")
    elif form == "xlsx":
        assert openpyxl.load_workbook(file).sheetnames == ["certification assignments"]
    else:
        assert [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_pipe_stays_a_pipe(demo_url: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    words = ("export", "claims", "--organization", "demo", "--format", "csv")
    succeeded(*words, "--output", str(pipe), CERTGATE_DATABASE_URL=demo_url)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]
    reader.join(10)
    assert read[0].decode().replace("\r\n", "\n") == succeeded(*words, CERTGATE_DATABASE_URL=demo_url)


def test_a_link_leads_where_it_led(demo_url: str, tmp_path: Path) -> None:
    file, link = tmp_path / "claims.csv", tmp_path / "latest.csv"
    link.symlink_to(file)
    words = ("export", "claims", "--organization", "demo", "--format", "csv", "--output", str(link))
    succeeded(*words, CERTGATE_DATABASE_URL=demo_url)
    assert link.is_symlink()
    assert file.read_bytes().startswith(b"id,gtin,")
    assert set(tmp_path.iterdir()) == {file, link}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("claims", "--format", "gs1us"), "GS1 US's profile has no claims"),
        (("claims", "--format", "csv", "--where", "{"), "where: Input should be a JSON object"),
        (
            ("claims", "--format", "csv", "--where", '{"barcode": {}}'),
            "where.barcode: Input should be one of id, gtin, claim, ",
        ),
        (("claims", "--format", "csv", "--organization", "nobody"), "No organisation has the slug 'nobody'"),
        (("claims", "--format", "csv", "--output", "{folder}/not/there.csv"), "not/there.csv cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(
    demo_url: str, words: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    asked = ("export", "--organization", "demo", *(word.replace("{folder}", str(tmp_path)) for word in words))
    done = certgate(*asked, CERTGATE_DATABASE_URL=demo_url)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
