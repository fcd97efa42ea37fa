"""Parquet files are put in as other tables are, in bounded memory, and by those who have installed what reads them."""

import gc
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from domain.errors import InvalidInput
from domain.vocabulary import BulkPolicy
from files.importing import BATCH, Options, SourceFile
from files.reading.opening import table_of
from files.reading.table import Unread
from resolvers.operation import Context
from tests.files.importing import RICE, RYE, Heard, caller, put, run_all
from tests.operations.faces import GraphQL
from tests.world import GTIN, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def written(file: Path, query: str) -> Path:
    """A Parquet file with the rows of a query; its name may have signs in it that are a pattern elsewhere."""
    plain = file.with_name("plain")
    duckdb.connect().execute(f"COPY ({query}) TO '{plain}' (FORMAT parquet, COMPRESSION zstd)")
    return plain.rename(file)


def source(file: Path) -> SourceFile:
    return SourceFile(file.name, file.stat().st_size, lambda: file.open("rb"))


async def test_rows_have_numbers_days_and_lists(world: World, tmp_path: Path) -> None:
    file = written(
        tmp_path / "own [1]*.parquet",
        f"SELECT {int(RICE)} AS \"EAN\", 'Rice' AS name, 1.5::DECIMAL(4, 2) AS weight, 'USDA_ORGANIC' AS certification,"
        " DATE '2026-01-31' AS valid_from, ['US', 'CA'] AS certificate_countries"
        f" UNION ALL SELECT {int(RYE)}, NULL, NULL, 'USDA_ORGANIC', NULL, []"
        " UNION ALL SELECT 12, 'Oats', NULL, NULL, NULL, NULL",
    )
    heard = Heard()
    options = Options(BulkPolicy.IGNORE_FAILED, columns={"weight": "metadata"})
    await run_all(Context(world.database, caller(world)), [source(file)], options, heard)
    assert heard.outcomes == ["made", "refused", "refused"]
    assert heard.refusals[3].startswith('Row 3, column "EAN": "12" is not a GTIN')
    selection = "name metadata certifications { validFrom certificateCountries }"
    body = await GraphQL(world).run(f'{{ product(gtin: "{RICE}") {{ {selection} }} }}', "manager")
    assert body["data"]["product"] == {
        "name": "Rice",
        "metadata": {"weight": "1.50"},
        "certifications": [{"validFrom": "2026-01-31", "certificateCountries": ["US", "CA"]}],
    }


async def test_products_of_open_food_facts_have_texts_in_several_languages(world: World, tmp_path: Path) -> None:
    names = "[{'lang': 'fr', 'text': 'Riz'}, {'lang': 'main', 'text': 'Rice'}]"
    file = written(
        tmp_path / "food.parquet",
        f"SELECT '{RICE}' AS code, 'Acme' AS brands, ['en:vegan'] AS labels_tags, {names} AS product_name, 7 AS more",
    )
    _, heard = await put(world, file.read_bytes())
    assert heard.outcomes == ["made"]
    product = heard.results[0].done.parts[0].change.after
    assert (product.name, product.brand) == ("Rice", "Acme")
    assert [part.kind for part in heard.results[0].done.parts[1:]] == ["claim"]


async def test_how_much_is_read_shows_while_it_is(world: World, tmp_path: Path) -> None:
    file = written(tmp_path / "many.parquet", f"SELECT i AS gtin, 'Oats' AS name FROM range({10 * BATCH}) t(i)")
    shares: list[float] = []

    class Watching(Heard):
        def done(self, results: Any, share: float) -> None:
            shares.append(share)

    context = Context(world.database, caller(world))
    await run_all(context, [source(file)], Options(BulkPolicy.IGNORE_FAILED, dry_run=True), Watching())
    assert shares == sorted(shares)
    assert len(set(shares)) >= 4
    assert shares[-1] == 1


async def test_who_has_not_installed_it_is_told_how(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path / "own.parquet", f"SELECT '{GTIN}' AS gtin")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(InvalidInput, match=r"run `\./certgate install parquet`, or save it as CSV or JSON lines"):
        await put(world, file.read_bytes())


@pytest.mark.parametrize("cut", [5, 60, 200])
async def test_what_is_damaged_is_one_sentence(world: World, tmp_path: Path, cut: int) -> None:
    whole = written(tmp_path / "own.parquet", f"SELECT '{GTIN}' AS gtin, 'Oats' AS name").read_bytes()
    for content in (whole[:-cut], whole[:cut] + b"PAR1", whole[:cut] + b"\xff" * 20 + whole[cut + 20 :]):
        with pytest.raises(InvalidInput, match="no Parquet file that can be read"):
            await put(world, content)


async def test_no_copy_of_a_file_stays(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_head = written(tmp_path / "own.parquet", 'SELECT 1 AS " "').read_bytes()
    copies = tmp_path / "copies"
    copies.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    for content in (without_head, b"PAR1 is no more than its beginning PAR1"):
        with pytest.raises(InvalidInput) as refusal:
            await put(world, content)
        assert [*copies.iterdir()] == [], refusal
    whole = written(tmp_path / "whole.parquet", f"SELECT '{GTIN}' AS gtin").read_bytes()
    read: list[Any] = [table_of(io.BytesIO(whole), "whole.parquet")]
    assert len([*copies.iterdir()]) == 1
    # As whoever refers to what refers to it, such as an error that was raised where it was read.
    read.append(read)
    del read
    gc.collect()
    assert [*copies.iterdir()] == []


async def test_what_would_become_far_larger_is_refused(world: World, tmp_path: Path) -> None:
    file = written(tmp_path / "bomb.parquet", f"SELECT '{GTIN}' AS gtin, repeat('x', 400000000) AS name")
    assert file.stat().st_size < 1 << 20
    with pytest.raises(InvalidInput, match="Out of Memory"):
        await put(world, file.read_bytes())


async def test_a_text_that_no_cell_holds_is_refused_by_itself(world: World, tmp_path: Path) -> None:
    file = written(tmp_path / "long.parquet", f"SELECT '{GTIN}' AS gtin, repeat('x', 2000000) AS name")
    (row,) = table_of(io.BytesIO(file.read_bytes()), file.name).rows
    assert isinstance(row.cells[1], Unread)
    _, heard = await put(world, file.read_bytes())
    assert 'column "name": "xxx' in heard.refusals[1]
