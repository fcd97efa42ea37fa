"""CSV that no spreadsheet runs, and that gives back what was stored by the rule that stands in docs/files.md."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.certificates import JUDGING
from domain.records import CertificationAssignment, Product, Record
from files.csv import BYTE_ORDER_MARK, csv_of
from files.tables import columns_of
from tests.domain.making import GTIN, held, product

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30) | st.sampled_from(
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        "\nx",
        "'x",
        "''",
        '="1"',
        "00123",
        '=HYPERLINK("http://x")',
        '"',
        "a,b",
    ]
)


async def rows_of(records: list[Record], *, for_excel: bool = False) -> list[list[str]]:
    async def pages() -> AsyncIterator[Sequence[Record]]:
        yield records

    parts = [part async for part in csv_of(pages(), columns_of(type(records[0])), for_excel=for_excel)]
    assert all(part.startswith(BYTE_ORDER_MARK) is (for_excel and at == 0) for at, part in enumerate(parts))
    return list(csv.reader(io.StringIO(b"".join(parts).decode("utf-8-sig"), newline="")))


def read_back(cell: str) -> str:
    """As docs/files.md says."""
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].replace('""', '"')
    return cell.removeprefix("'")


@given(TEXTS, TEXTS, st.booleans())
async def test_every_text_comes_back_and_none_is_run(name: str, brand: str, for_excel: bool) -> None:
    record = msgspec.structs.replace(product(), name=name, brand=brand)
    head, row = await rows_of([record], for_excel=for_excel)
    cells = dict(zip(head, row, strict=True))
    assert (read_back(cells["name"]), read_back(cells["brand"])) == (name, brand)
    for cell in row:
        if for_excel and cell.startswith('="'):
            # One text and nothing behind it, which Excel takes as it is.
            assert '"' not in cell[2:-1].replace('""', "")
        else:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


async def test_a_column_is_a_member_of_the_record() -> None:
    head, row = await rows_of([product()])
    assert head == list(Product.__struct_fields__)
    cells = dict(zip(head, row, strict=True))
    assert cells["gtin"] == GTIN
    assert cells["data_source"] == "claimed"
    assert cells["updated_at"] == "2026-11-22T12:00:00+00:00"
    assert cells["version"] == "1"
    assert cells["metadata"] == ""


async def test_of_a_definition_its_id_code_and_label_are_columns() -> None:
    certificate = held(
        expiration_date=date(2027, 1, 31), certificate_countries=["US", "CA"], metadata={"lot": "7", "=1": ""}
    )
    head, row = await rows_of([certificate])
    own = [name for name in CertificationAssignment.__struct_fields__ if name not in (*JUDGING, "certification")]
    assert head == [*own, "certification_id", "certification_code", "certification_label"]
    cells: dict[str, Any] = dict(zip(head, row, strict=True))
    assert cells["certification_code"] == "SEAL"
    assert cells["expiration_date"] == "2027-01-31"
    assert cells["valid_from"] == ""
    assert cells["certificate_countries"] == "US CA"
    assert msgspec.json.decode(cells["metadata"]) == {"lot": "7", "=1": ""}


async def test_excel_keeps_the_zeros_of_a_gtin_and_the_digits_of_a_number() -> None:
    head, row = await rows_of([held(certificate_number="1E5", scope="Grain\n2")], for_excel=True)
    cells = dict(zip(head, row, strict=True))
    assert cells["gtin"] == f'="{GTIN}"'
    assert cells["certificate_number"] == '="1E5"'
    # What has several lines, or is longer than a formula may be, is no number anyway.
    assert cells["scope"] == "Grain\n2"


@pytest.mark.parametrize("length", [254, 256])
async def test_a_text_that_no_formula_takes_is_written_as_it_is(length: int) -> None:
    text = "1" * length
    head, row = await rows_of([msgspec.structs.replace(product(), name=text)], for_excel=True)
    assert dict(zip(head, row, strict=True))["name"] == (f'="{text}"' if length <= 255 else text)
