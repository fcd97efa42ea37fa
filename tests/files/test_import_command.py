"""`certgate import`, as somebody types it: real exports, our own ones back, and an import that is killed."""

import csv
import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest

from tests.conftest import ROOT
from tests.files.importing import RICE
from tests.processes import certgate, demo_database, succeeded

EXPORTS = Path(__file__).parent / "exports"
LISTS = ("products", "certifications", "claims")


@pytest.fixture(scope="module")
def empty_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An installation with the catalogue and an organisation called demo that owns nothing."""
    url = f"sqlite:///{tmp_path_factory.mktemp('empty') / 'certgate.db'}"
    for words in (("migrate",), ("seed", "catalogue"), ("organizations", "create", "demo", "--name", "Demo")):
        succeeded(*words, CERTGATE_DATABASE_URL=url)
    return url


@pytest.fixture
def url(empty_url: str, tmp_path: Path) -> str:
    """A copy of it for one test."""
    copy = tmp_path / "certgate.db"
    with sqlite3.connect(empty_url.removeprefix("sqlite:///")) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    return f"sqlite:///{copy}"


def put_in(url: str, *words: str) -> str:
    return succeeded("import", *words, "--organization", "demo", CERTGATE_DATABASE_URL=url)


def exported(url: str, folder: Path, form: str, *words: str) -> list[Path]:
    files = [folder / f"{name}.{form}" for name in LISTS]
    for name, file in zip(LISTS, files, strict=True):
        words_ = ("export", name, "--organization", "demo", "--format", form, *words, "--output", str(file))
        succeeded(*words_, CERTGATE_DATABASE_URL=url)
    return files


def test_files_are_named_as_they_are_where_the_caller_stands(url: str, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(f"gtin,name\n{RICE},Rice\n", "utf-8")
    where = {"CERTGATE_DATABASE_URL": url, "CERTGATE_CALLED_FROM": str(tmp_path)}
    said = succeeded("import", "own.csv", "--organization", "demo", "--report", "told", **where)
    assert "1 row: 1 made." in said
    assert f"Wrote {tmp_path}/told/rows.csv" in said
    succeeded("export", "products", "--organization", "demo", "--format", "csv", "--output", "out.csv", **where)
    assert RICE in (tmp_path / "out.csv").read_text("utf-8")


def test_the_bar_is_full_at_the_end_of_each_pass_whatever_the_file(url: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["gtin", "name"], [RICE, "Rice"]):
        book.worksheets[0].append(row)
    book.save(tmp_path / "own.xlsx")
    leader, follower = pty.openpty()
    words = (sys.executable, "-m", "gateway", "import", str(tmp_path / "own.xlsx"), "--organization", "demo")
    subprocess.run(words, cwd=ROOT, env=os.environ | {"CERTGATE_DATABASE_URL": url}, stderr=follower, check=True)
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    # Of each the last is what stays.
    assert dict(re.findall(r"(Judging|Importing)[^%]*?(\d+)%", shown)) == {"Judging": "100", "Importing": "100"}


def test_what_cannot_be_put_in_is_one_sentence_and_no_database_is_made(url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("", "utf-8")
    words = ("import", str(file), "--organization", "demo")
    refused = certgate(*words, CERTGATE_DATABASE_URL=url)
    assert refused.stderr == "certgate: own.csv is empty; its first row should name the columns.\n"
    nowhere = tmp_path / "nowhere" / "certgate.db"
    refused = certgate(*words, CERTGATE_DATABASE_URL=f"sqlite:///{nowhere}")
    assert "has no tables: run ./certgate init, which sets it up with an organisation" in refused.stderr
    assert not nowhere.parent.exists()


@pytest.mark.parametrize("words", [("csv",), ("csv", "--excel"), ("jsonl",)])
def test_an_export_put_into_an_empty_installation_is_exported_byte_by_byte_the_same(
    url: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    demo = demo_database(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    files = exported(demo, first, *words)
    assert "971 rows: 971 would be left." in put_in(demo, *map(str, files), "--dry-run")
    assert "971 rows: 971 would be left." in put_in(demo, *map(str, files), "--dry-run", "--clear-empty")
    assert "971 rows: 971 made." in put_in(url, *map(str, files))
    assert "971 rows: 971 left." in put_in(url, *map(str, files), "--policy", "ignore-failed")
    for before, after in zip(files, exported(url, second, *words), strict=True):
        assert before.stat().st_size > 20_000
        assert before.read_bytes() == after.read_bytes()


def test_an_archive_put_into_an_empty_installation_is_exported_byte_by_byte_the_same(url: str, tmp_path: Path) -> None:
    demo, first, second = demo_database(tmp_path), tmp_path / "first.zip", tmp_path / "second.zip"
    words = ("export", "all", "--organization", "demo", "--format", "zip")
    with sqlite3.connect(demo.removeprefix("sqlite:///")) as database:
        database.execute("INSERT INTO lead_times SELECT id, '', '[45]' FROM organizations WHERE slug = 'demo'")
    succeeded(*words, "--output", str(first), CERTGATE_DATABASE_URL=demo)
    said = put_in(demo, str(first), "--dry-run")
    assert "971 rows: 971 would be left." in said
    assert "Settings: nothing to do." in said
    said = put_in(url, str(first), "--dry-run")
    assert "971 rows: 971 would be made." in said
    assert "Settings: 1 set of lead times would be made.\nCalendars, webhooks, API keys and people are in no" in said
    said = put_in(url, str(first))
    assert "971 rows: 971 made." in said
    assert "Settings: 1 set of lead times made." in said
    succeeded(*words, "--output", str(second), CERTGATE_DATABASE_URL=url)
    assert first.stat().st_size > 20_000
    assert first.read_bytes() == second.read_bytes()
    for more in (("--map", "EAN=gtin"), (str(first),)):
        done = certgate("import", str(first), *more, "--organization", "demo", CERTGATE_DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert "put it in by itself, without --map" in done.stderr
    for wrong in (("all", "--format", "csv"), ("products", "--format", "zip"), (*words[1:2], *words[4:], "--excel")):
        done = certgate("export", *wrong, "--organization", "demo", CERTGATE_DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_workbook_comes_back_without_a_change(tmp_path: Path) -> None:
    demo = demo_database(tmp_path)
    files = exported(demo, tmp_path, "xlsx")
    assert "971 rows: 971 would be left." in put_in(demo, *map(str, files), "--dry-run")


@pytest.mark.parametrize(
    ("name", "says", "why"),
    [
        (
            "open_food_facts_daily.tsv",
            "14 rows: 12 would be made, 2 would be refused.",
            'column "code": it is not a GTIN (gtin_inv',
        ),
        ("open_food_facts_search_2016.tsv", "8 rows: 8 would be made.", ""),
        ("open_food_facts_search_2022.tsv", "6 rows: 4 would be made, 2 would be left.", ""),
        ("open_food_facts.jsonl", "5 rows: 4 would be made, 1 would be left.", ""),
        (
            "saved_in_a_spreadsheet.csv",
            "6 rows: 1 would be made, 5 would be refused.",
            "a spreadsheet has rounded it (number_rounded)",
        ),
        ("rounded_with_addresses.tsv", "4 rows: 4 would be made.", "the product's address has it"),
    ],
)
def test_real_exports_of_open_food_facts_are_judged(url: str, name: str, says: str, why: str) -> None:
    words = ("import", str(EXPORTS / name), "--organization", "demo", "--dry-run")
    done = certgate(*words, CERTGATE_DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (int("refused" in says), "")
    assert says in done.stdout
    assert why in done.stdout
    assert "(Open Food Facts)" in done.stdout


def test_labels_become_what_products_hold_and_claim(url: str) -> None:
    said = put_in(url, str(EXPORTS / "open_food_facts_search_2016.tsv"))
    assert "No column says when certificates end" in said
    assert "8 rows: 8 made." in said
    listed = succeeded(
        "export", "certifications", "--organization", "demo", "--format", "csv", CERTGATE_DATABASE_URL=url
    )
    rows = list(csv.DictReader(listed.splitlines()))
    assert {"USDA_ORGANIC"} <= {row["certification_code"] for row in rows}
    assert {row["verification_status"] for row in rows} == {"unverified"}


def test_the_report_has_every_row_and_the_refused_ones_to_be_corrected(url: str, tmp_path: Path) -> None:
    file, report = tmp_path / "own.csv", tmp_path / "report"
    file.write_bytes(f"\ufeffEAN;Name;Verein\n{RICE};Rice;=A\n12;Rye;ü\n".encode())
    words = ("import", str(file), "--organization", "demo", "--map", "Verein=metadata", "--report", str(report))
    done = certgate(*words, CERTGATE_DATABASE_URL=url)
    assert done.returncode == 1
    assert "2 rows: 1 would be made, 1 would be refused." in done.stdout
    sentence = 'Row 3, column "EAN": "12" is not a GTIN: A GTIN should have 8, 12, 13 or 14 digits.'
    assert f"Refused:\n  {sentence}\n" in done.stdout
    assert 'Why rows were refused:\n  once column "EAN": it is not a GTIN (gtin_invalid)\n' in done.stdout
    assert "Nothing was done, because rows are refused" in done.stdout
    refused = report / "refused-own.csv"
    names = ("summary.json", "rows.csv", "refused-own.csv")
    assert done.stdout.splitlines()[-3:] == [f"Wrote {report / name}" for name in names]
    assert {each.name for each in report.iterdir()} == {*names}
    assert json.loads((report / "summary.json").read_text("utf-8"))["rows"] == {"made": 1, "refused": 1}
    with (report / "rows.csv").open(encoding="utf-8", newline="") as opened:
        told = list(csv.DictReader(opened))
    assert [(row["row"], row["outcome"], row["kind"], row["of"]) for row in told] == [
        ("2", "made", "product", RICE),
        ("3", "refused", "", ""),
    ]
    assert (told[1]["member"], told[1]["before"], told[1]["reason"]) == ("EAN", "12", sentence)
    head, row = refused.read_text("utf-8").splitlines()
    assert head == "EAN,Name,Verein,reason"
    assert row.startswith('12,Rye,ü,"Row 3, column ""EAN"": ""12"" is not a GTIN: ')
    # Corrected, it goes in as it is.
    refused.write_text(refused.read_text("utf-8").replace("12,Rye", "9506000134352,Rye"), "utf-8")
    put_in(url, str(file), "--map", "Verein=metadata", "--policy", "ignore-failed")
    said = put_in(url, str(refused))
    assert f"Verein  product.metadata.Verein  (as in the import of {datetime.now(UTC):%Y-%m-%d})" in said
    assert "1 row: 1 made." in said


def test_a_file_with_ends_of_certificates_is_not_said_to_have_none(url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(f"gtin,name,certification,valid until\n{RICE},Rice,USDA_ORGANIC,2027-01-31\n")
    assert "when certificates end" not in put_in(url, str(file))


def test_changes_are_shown_with_what_was_there(url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(f"gtin,name\n{RICE},Rice\n")
    put_in(url, str(file))
    file.write_text(f"gtin,name,brand\n{RICE},Rice drink,Acme\n")
    said = put_in(url, str(file), "--dry-run")
    assert f"Row 2, product {RICE}: name from Rice to Rice drink" in said
    assert f"Row 2, product {RICE}: brand from nothing to Acme" in said


def test_a_file_of_the_same_source_is_put_in_as_the_one_before(url: str, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text(f"Art.,Verein\n{RICE},A\n")
    asked = ("--map", "Art.=gtin", "--map", "*=metadata")
    assert "(map, of *)" in put_in(url, str(file), *asked)
    file.write_text(f"Art.,Verein\n{RICE},B\n")
    for words in ((), (), asked, ()):
        said = put_in(url, str(file), *words)
        how = "map" if words else f"as in the import of {datetime.now(UTC):%Y-%m-%d}"
        assert f"Art.    gtin  ({how})\n" in said
        assert f"({how}, of *)" in said
    done = certgate(
        "import", str(file), "--organization", "demo", "--no-kept-map", "--dry-run", CERTGATE_DATABASE_URL=url
    )
    assert "Nobody knows the column 'Verein'" in done.stderr


def test_an_archive_is_put_in_whatever_was_said_of_files_with_the_same_heads(url: str, tmp_path: Path) -> None:
    file, packed = tmp_path / "own.csv", tmp_path / "demo.zip"
    file.write_text(f"gtin,name,brand\n{RICE},Rice,Acme\n")
    put_in(url, str(file))
    words = ("export", "all", "--organization", "demo", "--format", "zip", "--output", str(packed))
    succeeded(*words, CERTGATE_DATABASE_URL=url)
    with zipfile.ZipFile(packed) as archive:
        part = archive.extract("products.jsonl", tmp_path)
    put_in(url, part, "--map", "brand=nothing")
    file.write_text(f"gtin,name,brand\n{RICE},Rice,Better\n")
    put_in(url, str(file))
    # What is there is newer than the archive, so that its row is refused if it says anything of the brand.
    for source, would in ((part, "left"), (str(packed), "refused")):
        done = certgate("import", source, "--organization", "demo", "--dry-run", CERTGATE_DATABASE_URL=url)
        assert f"1 row: 1 would be {would}." in done.stdout
        assert ("as in the import of" in done.stdout) == (would == "left")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("{folder}/nothing.csv",), 1, "nothing.csv is no file that can be read."),
        (("{folder}",), 1, "is no file that can be read."),
        (("{file}", "--organization", "nobody"), 1, "No organisation has the slug 'nobody'"),
        (("{file}", "--map", "EAN"), 2, 'Write "COLUMN=MEMBER"'),
        (("{file}", "--encoding", "klingon"), 1, "'klingon' is no encoding that is known"),
        (("{file}", "--report", "{file}/x"), 1, "The report cannot be written"),
        (("{file}",), 1, "Nobody knows the column 'Farbe'"),
    ],
)
def test_what_cannot_be_put_in_is_one_sentence(
    url: str, words: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.csv"
    file.write_text(f"gtin,Farbe\n{RICE},rot\n")
    typed = [word.format(folder=tmp_path, file=file) for word in words]
    done = certgate("import", "--organization", "demo", *typed, CERTGATE_DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def table_of(products: int) -> str:
    rows = []
    for number in range(products):
        digits = f"{950_600_000_000 + number:013d}"
        check = -sum(int(digit) * (3, 1)[place % 2] for place, digit in enumerate(digits)) % 10
        rows.append(f"{digits}{check},Oats {number},USDA_ORGANIC,NOP-{number}")
    return "gtin,name,certification,certificate number\n" + "\n".join(rows) + "\n"
