"""Texts that are no tables, or cannot be read to their end: one sentence with what to do, whenever it shows."""

import gzip
import io
import random

import pytest
from openpyxl import Workbook

from domain.errors import InvalidInput
from files.reading.opening import table_of

LONG = b"gtin,name\n" + b"".join(
    b"%014d,Rice drink\n" % number for number in random.Random(1).sample(range(10**9), 40_000)
)


def workbook(*sheets: list[list[str]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.remove(book.active)
    for rows in sheets:
        sheet = book.create_sheet()
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def test_sheets_with_the_same_head_are_read_and_rows_that_are_too_long_are_refused() -> None:
    head = ["gtin", "name"]
    content = workbook([], [head, ["1", "Rice"]], [["other"], ["2"]], [], [head, ["3", "Rye", "more"]])
    rows = list(table_of(io.BytesIO(content), "own.xlsx").rows)
    assert [(row.cells, row.fault) for row in rows] == [
        (["1", "Rice"], ""),
        (["3", "Rye"], "it has 3 cells, and the head 2"),
    ]


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"gtin\n1\n", "klingon", "'klingon' is no encoding that is known; write for example windows-1252"),
        (b"gtin,name\n1,\x81\x8d\n", None, "is in an encoding that cannot be told; save it as UTF-8, or name it"),
        (LONG.decode().encode("utf-16")[:-1], None, "is not all in one encoding; save it as UTF-8"),
        (gzip.compress(LONG)[:-1000], None, "breaks off"),
        (workbook([]), None, "is empty; the first row of its first sheet should name the columns"),
    ],
    ids=["unknown encoding", "no encoding", "two encodings", "broken off", "empty workbook"],
)
def test_what_cannot_be_read_says_what_to_do(content: bytes, encoding: str | None, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(table_of(io.BytesIO(content), "own.csv", encoding).rows)
    (violation,) = refused.value.violations
    assert violation.type == "unreadable"
    assert says in violation.message
