"""A workbook as openpyxl reads it: texts that stay texts, days that are days, and nothing left behind."""

import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from domain.records import Product, Record
from files import xlsx
from files.tables import columns_of
from files.xlsx import LONGEST, xlsx_of
from tests.domain.making import GTIN, held, product


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary folders are made."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def left_in(folder: Path) -> int:
    return len(list(folder.iterdir()))


async def paged(*pages: Sequence[Record]) -> AsyncIterator[Sequence[Record]]:
    for page in pages:
        yield page


async def book_of(*pages: Sequence[Record], record: type[Record]) -> Any:
    parts = [part async for part in xlsx_of(paged(*pages), columns_of(record), "products")]
    return openpyxl.load_workbook(io.BytesIO(b"".join(parts)))


def rows(sheet: Any) -> list[dict[str, Any]]:
    head, *others = sheet.iter_rows()
    names = [cell.value for cell in head]
    return [dict(zip(names, row, strict=True)) for row in others]


async def test_texts_stay_texts_and_days_are_days(folder: Path) -> None:
    certificate = held(
        valid_from=date(2025, 7, 1), expiration_date=date(1899, 12, 31), certificate_number="00123", scope="=1+1"
    )
    book = await book_of([certificate], record=type(certificate))
    (row,) = rows(book.active)
    assert list(row) == [column.name for column in columns_of(type(certificate))]
    assert (row["gtin"].value, row["gtin"].data_type) == (GTIN, "s")
    assert (row["certificate_number"].value, row["certificate_number"].data_type) == ("00123", "s")
    assert (row["scope"].value, row["scope"].data_type) == ("=1+1", "s")
    assert row["valid_from"].is_date
    assert row["valid_from"].value.isoformat() == "2025-07-01T00:00:00"
    assert row["valid_from"].number_format == "yyyy-mm-dd"
    # Excel's days begin in 1900.
    assert row["expiration_date"].value == "1899-12-31"
    assert row["updated_at"].value.isoformat() == "2026-11-22T12:00:00"
    assert (row["version"].value, row["version"].data_type) == (1, "n")
    assert row["audit_date"].value is None
    assert row["certification_code"].value == "SEAL"
    assert left_in(folder) == 0


async def test_what_excel_cannot_hold_is_cut_or_escaped() -> None:
    texts = ["x" * (LONGEST + 1), "https://example.org", "a\x01b\nc", "{=1}", "-1", " 7 ", "𝄞"]
    book = await book_of([msgspec.structs.replace(product(), description=text) for text in texts], record=Product)
    found = [row["description"] for row in rows(book.active)]
    assert [cell.data_type for cell in found] == ["s"] * len(texts)
    assert [cell.hyperlink for cell in found] == [None] * len(texts)
    assert found[0].value == "x" * LONGEST
    assert [openpyxl.utils.escape.unescape(cell.value) for cell in found[1:]] == texts[1:]


async def test_what_does_not_fit_on_a_sheet_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "ROWS", 2)
    found = [msgspec.structs.replace(product(), name=f"number {number}") for number in range(5)]
    book = await book_of(found[:3], found[3:], record=Product)
    assert book.sheetnames == ["products", "products 2", "products 3"]
    assert [[row["name"].value for row in rows(sheet)] for sheet in book.worksheets] == [
        ["number 0", "number 1"],
        ["number 2", "number 3"],
        ["number 4"],
    ]


async def test_a_list_of_nothing_is_a_head() -> None:
    book = await book_of(record=Product)
    assert rows(book.active) == []
    assert book.active.freeze_panes == "A2"


async def test_nothing_is_left_behind_where_nobody_wants_it_any_more(folder: Path) -> None:
    parts = xlsx_of(paged([product()]), columns_of(Product), "products")
    await anext(parts)
    assert left_in(folder) == 1
    await parts.aclose()  # type: ignore[attr-defined]
    assert left_in(folder) == 0

    async def failing() -> AsyncIterator[Sequence[Record]]:
        yield [product()]
        raise OSError("halfway")

    with pytest.raises(OSError, match="halfway"):
        _ = [part async for part in xlsx_of(failing(), columns_of(Product), "products")]
    assert left_in(folder) == 0
