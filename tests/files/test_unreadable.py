"""Texts that are no tables, or cannot be read to their end: one sentence with what to do, whenever it shows."""

import gzip
import io
import random
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from openpyxl import Workbook

from domain.errors import InvalidInput
from files.reading import objects
from files.reading.delimited import MAX_LINE
from files.reading.encodings import SAMPLE
from files.reading.opening import table_of
from files.reading.table import Unread

LONG = b"gtin,name\n" + b"".join(
    b"%014d,Rice drink\n" % number for number in random.Random(1).sample(range(10**9), 40_000)
)

LINES = b"".join(b'{"gtin": "%s"}\n' % line[:14] for line in LONG.splitlines()[1:])


def workbook(*sheets: list[list[Any]]) -> bytes:
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
        (
            b"gtin,name\n1,\x81\x8d\n",
            None,
            "is in an encoding that cannot be told; save it as UTF-8, or say its `encoding`",
        ),
        (LONG.decode().encode("utf-16")[:-1], None, "is not all in one encoding; save it as UTF-8"),
        (gzip.compress(LONG)[:-1000], None, "breaks off"),
        (gzip.compress(LINES)[:-1000], None, "breaks off behind line"),
        (b'{"gtin": "1", "name": "%s"}\n' % (b"x" * MAX_LINE), None, "line 1 of own.csv has more than 2 MiB"),
        (workbook([]), None, "is empty; the first row of its first sheet should name the columns"),
    ],
    ids=[
        "unknown encoding",
        "no encoding",
        "two encodings",
        "broken off",
        "broken off lines",
        "long line",
        "empty workbook",
    ],
)
def test_what_cannot_be_read_says_what_to_do(content: bytes, encoding: str | None, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        list(table_of(io.BytesIO(content), "own.csv", encoding).rows)
    (violation,) = refused.value.violations
    assert violation.type == "unreadable"
    assert says in violation.message


def damaged(content: bytes, part: str, was: bytes, becomes: bytes) -> bytes:
    """A workbook with something else in one of its parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(file, "w") as other:
        for name in book.namelist():
            text = book.read(name)
            assert name != part or was in text
            other.writestr(name, text.replace(was, becomes) if name == part else text)
    return file.getvalue()


@pytest.mark.parametrize(
    ("part", "was", "becomes"),
    [
        ("xl/workbook.xml", b"</workbook>", b""),
        ("xl/worksheets/sheet1.xml", b"</worksheet>", b"<"),
        ("xl/worksheets/sheet1.xml", b't="inlineStr"><is><t>name</t></is>', b't="s"><v>99</v>'),
        ("xl/worksheets/sheet2.xml", b"<v>777</v>", b"<v>seven</v>"),
        ("xl/worksheets/sheet2.xml", b't="inlineStr"><is><t>Rye</t></is>', b't="s"><v>99</v>'),
    ],
)
def test_a_workbook_that_is_damaged_says_so(part: str, was: bytes, becomes: bytes) -> None:
    head = ["gtin", "name"]
    content = workbook([head, [1, "Rice"]], [head, [777, "Rye"]])
    with pytest.raises(InvalidInput) as refused:
        list(table_of(io.BytesIO(damaged(content, part, was, becomes)), "own.xlsx").rows)
    (violation,) = refused.value.violations
    assert violation.type == "unreadable"
    assert "own.xlsx is no workbook that can be read" in violation.message


def test_cells_of_a_workbook_are_what_they_are_and_empty_rows_are_passed_over() -> None:
    days = [date(2026, 1, 31), datetime(2026, 1, 31, 12)]  # noqa: DTZ001 - workbooks know no zones
    content = workbook(
        [["gtin", "day", "at", "sum"], ["1", *days, "=1+1"], ["", None, None, None], [2.0, "", 2.5, "#N/A"]]
    )
    first, last = table_of(io.BytesIO(content), "own.xlsx").rows
    assert first.cells[:3] == ["1", *days]
    assert (last.number, last.cells[:3]) == (4, [2, "", 2.5])
    unread = [cell for cell in (first.cells[3], last.cells[3]) if isinstance(cell, Unread)]
    assert [(cell.code, cell.shown) for cell in unread] == [("formula", "=1+1"), ("cell_error", "#N/A")]


LONE = "gtin\tname\n" + "".join(f'{number}\t"Rice drink\n' for number in range(9_000))


@pytest.mark.parametrize(
    ("content", "form", "rows"),
    [
        (b"sep=|\ngtin|name\n1|Rice;drink\n", "cells separated by bars", [["1", "Rice;drink"]]),
        ("gtin,name\n1,Öl\n".encode("utf-16-le"), "utf-16-le", [["1", "Öl"]]),
        (("gtin\n" + "ö" * (SAMPLE // 2)).encode(), "UTF-8", [["ö" * (SAMPLE // 2)]]),
        (b"gtin,name\n,\n1\n2,Rye,,\n", "UTF-8", [["1", ""], ["2", "Rye"]]),
        (b'gtin\tname\n1\t"Rice\ttea"\n', "UTF-8", [["1", "Rice\ttea"]]),
        (LONE.encode(), "UTF-8", [[str(number), '"Rice drink'] for number in range(9_000)]),
    ],
    ids=[
        "separator told",
        "UTF-16 without a mark",
        "sample within a character",
        "short and empty rows",
        "quoted",
        "marks of inches",
    ],
)
def test_a_text_is_read_as_it_was_written(content: bytes, form: str, rows: list[list[str]]) -> None:
    table = table_of(io.BytesIO(content), "own.csv")
    assert form in table.form
    assert [(row.cells, row.fault) for row in table.rows] == [(cells, "") for cells in rows]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a": [1],\n"b": [2]}', "is no table: send a list of objects, or JSON lines"),
        (b'{"a": 1,\n"b": "no list"}', "is no table: send a list of objects, or JSON lines"),
        (b"[{]", "is not JSON"),
        (b'[{"gtin": "%s"}]' % (b"1" * 100), "in one piece; send it as JSON lines"),
    ],
    ids=["two lists", "no list", "broken", "too large"],
)
def test_json_that_is_no_table_says_what_to_send(content: bytes, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_JSON", 99)
    with pytest.raises(InvalidInput) as refused:
        list(table_of(io.BytesIO(content), "own.json").rows)
    assert says in refused.value.violations[0].message


def test_lines_that_are_no_objects_like_those_before_are_refused_by_themselves() -> None:
    lines = [
        b'{"gtin": "1", "name": "Rice"}',
        b"",
        b"[1]",
        b"{",
        *[b'{"gtin": "2"}'] * 1_000,
        b'{"gtin": "3", "colour": "red"}',
    ]
    rows = list(table_of(io.BytesIO(b"\n".join(lines)), "own.jsonl").rows)
    assert [row.number for row in rows] == [1, *range(3, len(lines) + 1)]
    faults = {row.number: row.fault for row in rows if row.fault}
    assert faults.keys() == {3, 4, len(lines)}
    assert faults[3] == "it is no JSON object"
    assert faults[4].startswith("it is not JSON: ")
    assert faults[len(lines)] == "it has a member 'colour', which the objects before have not"
