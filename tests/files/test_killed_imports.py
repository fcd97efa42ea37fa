"""An import that is killed at any moment goes on where it was, and ends with what an undisturbed one ends with.

`CERTGATE_TEST_CASES` says of how many products, each with three certifications, and `CERTGATE_TEST_SEED` where it is
killed; `-s` shows how fast rows were and what memory they took.
"""

import asyncio
import csv
import hashlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

from db.engine.database import Database
from db.engine.opening import open_database
from db.imports import latest
from db.organizations import find_by_slug
from domain.importing import Import
from tests.files.importing import gtin_of
from tests.postgresql import Databases
from tests.processes import Process, certgate, started, succeeded

PRODUCTS = int(os.environ.get("CERTGATE_TEST_CASES", "1500"))
SEED = int(os.environ.get("CERTGATE_TEST_SEED", "1"))
HELD = ("USDA_ORGANIC", "FAIR_TRADE_USA", "NON_GMO_PROJECT")
MADE_BY_THE_WRITE = {"id", "created_at", "updated_at"}
IN_FULL = ("--organization", "acme", "--existing", "refuse", "--policy", "ignore-failed")
"""What is there already is refused: only who knows where it was can go on."""


@pytest.fixture
def second_url(
    database_url: str, postgresql_databases: Databases, tmp_path: Path, sqlite_template: Path
) -> Iterator[str]:
    """Another database of the same kind."""
    if database_url.startswith("sqlite"):
        copy = tmp_path / "second.db"
        copy.write_bytes(sqlite_template.read_bytes())
        yield f"sqlite:///{copy}"
        return
    with postgresql_databases.migrated() as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Products, and the certifications that they hold."""
    products, held = tmp_path / "products.csv", tmp_path / "certifications.csv"
    with products.open("w", encoding="utf-8", newline="") as one, held.open("w", encoding="utf-8", newline="") as other:
        product_rows, held_rows = csv.writer(one), csv.writer(other)
        product_rows.writerow(["gtin", "name", "brand"])
        held_rows.writerow(["gtin", "certification", "certificate number", "valid from", "valid until"])
        for number in range(PRODUCTS):
            gtin = gtin_of(number)
            product_rows.writerow([gtin, f"Oats {number}", f"Brand {number % 100}"])
            for code in HELD:
                held_rows.writerow([gtin, code, f"{code}-{number}", "2026-01-01", f"2027-{number % 12 + 1:02}-01"])
    return [str(products), str(held)]


def prepared(url: str) -> None:
    succeeded("seed", "catalogue", CERTGATE_DATABASE_URL=url)
    succeeded("organizations", "create", "acme", "--name", "Acme", CERTGATE_DATABASE_URL=url)


def content_of(url: str, folder: Path) -> dict[str, tuple[int, str]]:
    """Of each list the number of its rows and the digest of what was put in."""
    found = {}
    for name in ("products", "certifications"):
        file = folder / f"{name}-out.csv"
        words = ("export", name, "--organization", "acme", "--format", "csv", "--output", str(file))
        succeeded(*words, CERTGATE_DATABASE_URL=url)
        digest, count = hashlib.sha256(), 0
        with file.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                digest.update(repr([value for key, value in row.items() if key not in MADE_BY_THE_WRITE]).encode())
                count += 1
        found[name] = count, digest.hexdigest()
        file.unlink()
    return found


def memory_of(process: Process) -> int:
    """The MiB that it has now, without what it sees of files; 0 where nobody tells."""
    try:
        lines = Path(f"/proc/{process.pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("RssAnon:")), 0)


async def _measured(database: Database, *words: str, url: str, rows: int) -> str:
    """Does an import undisturbed; how fast it was, and what it took beside what it had after its first rows."""
    first = most = 0
    start = perf_counter()
    with started("-m", "gateway", "import", *words, *IN_FULL, CERTGATE_DATABASE_URL=url) as process:
        while (now := memory_of(process)) and process.code is None:
            most = max(most, now)
            found = await newest(database)
            if not first and found is not None and found.position and found.name in words[0]:
                first = now
            if found is not None and found.finished_at is not None and found.name in words[0]:
                break
            await asyncio.sleep(0.05)
        said = process.output.read()
        assert process.wait() == 0, said + process.complaints()
    assert f"{rows:,} rows: {rows:,} made." in said
    return f"{rows / (perf_counter() - start):,.0f} rows/s, {most} MiB at most, {most - first} over its first rows"


async def _until(database: Database, position: int) -> None:
    """Waits until an import has come so far."""
    found = None
    while found is None or found.position < position:
        await asyncio.sleep(0.005)
        found = await newest(database)
        assert found is None or found.finished_at is None, found.error


async def newest(database: Database) -> Import | None:
    # What another process has done shows in the loop's next turn.
    await asyncio.sleep(0)
    owner = await find_by_slug(database, "acme")
    assert owner is not None
    return next(iter(await latest(database, owner.id, 1)), None)


async def test_an_import_that_is_killed_goes_on_and_ends_with_the_same(
    database_url: str, second_url: str, database: Database, files: list[str], tmp_path: Path
) -> None:
    prepared(database_url)
    prepared(second_url)
    words, whole = ("import", *files, *IN_FULL), PRODUCTS * (1 + len(HELD))
    at = random.Random(SEED)
    reached = 0
    for place in sorted(at.sample(range(whole // 10, whole * 8 // 10), 3)):
        with started("-m", "gateway", *words, CERTGATE_DATABASE_URL=database_url) as process:
            await _until(database, max(place, reached + 1))
            process.signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        found = await newest(database)
        assert found is not None
        assert (found.state, reached < found.position < whole) == ("running", True)
        reached = found.position
    assert f"{whole:,} rows: {whole:,} made." in succeeded(*words, CERTGATE_DATABASE_URL=database_url)
    found = await newest(database)
    assert found is not None
    assert (found.state, found.position, found.counts["rows"]) == ("done", whole, {"made": whole})
    refused = certgate(*words, CERTGATE_DATABASE_URL=database_url)
    assert f"{whole:,} rows: {whole:,} refused." in refused.stdout

    undisturbed = await open_database(second_url)
    for file, rows in zip(files, (PRODUCTS, PRODUCTS * len(HELD)), strict=True):
        told = await _measured(undisturbed, file, url=second_url, rows=rows)
        print(f"{second_url.partition(':')[0]}: {Path(file).name}: {told}")
    await undisturbed.close()
    content = content_of(second_url, tmp_path)
    assert [count for count, _ in content.values()] == [PRODUCTS, PRODUCTS * len(HELD)]
    assert content_of(database_url, tmp_path) == content


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_the_report_of_an_import_that_is_killed_goes_on_and_the_summary_knows_what_was_refused(
    database_url: str, database: Database, tmp_path: Path, is_told_first: bool
) -> None:
    prepared(database_url)
    file, report, whole = tmp_path / "own.csv", tmp_path / "report", 3_000
    lines = [f"{gtin_of(number)},Oats {number}" for number in range(whole)]
    lines[10] = "12,Oats"
    file.write_text("\n".join(["gtin,name", *lines, ""]), "utf-8")
    first = ("import", str(file), *IN_FULL)
    told = (*first, "--report", str(report))
    with started("-m", "gateway", *(told if is_told_first else first), CERTGATE_DATABASE_URL=database_url) as process:
        await _until(database, 500)
        process.signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    found = await newest(database)
    assert found is not None
    assert 500 <= found.position < whole
    row = found.position + 2
    said = succeeded(*told, CERTGATE_DATABASE_URL=database_url)
    stopped = (
        f"Goes on at row {row:,} of own.csv, where an import was stopped: {found.position:,} rows were done before."
    )
    assert stopped in said.splitlines()
    assert f"{whole:,} rows: {whole - 1:,} made, 1 refused." in said
    with (report / "rows.csv").open(encoding="utf-8", newline="") as opened:
        rows = [(int(each["row"]), each["outcome"]) for each in csv.DictReader(opened)]
    outcomes = [(number, "refused" if number == 12 else "made") for number in range(2, whole + 2)]
    refused = report / "refused-own.csv"
    if is_told_first:
        assert rows == outcomes
        assert 'Refused:\n  Row 12, column "gtin": "12" is not a GTIN' in said
        assert [line[:8] for line in refused.read_text("utf-8").splitlines()] == ["gtin,nam", "12,Oats,"]
        assert f"Wrote {refused}" in said
    else:
        assert rows == outcomes[found.position :]
        assert f"The report begins at row {row:,}: of the rows before, none was written to this folder." in said
        assert "Refused:\n  and 1 more, 1 of them before the import was stopped; put the same in once more" in said
        assert not refused.exists()
    assert {each.name for each in report.iterdir()} <= {"rows.csv", "summary.json", refused.name}
    # Whatever was told before, the next report has the row.
    succeeded(*told, CERTGATE_DATABASE_URL=database_url)
    assert "12,Oats," in refused.read_text("utf-8")
