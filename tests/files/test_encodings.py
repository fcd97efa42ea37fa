"""In which encoding a text is, what becomes of rows in another, and quotation marks that are never closed."""

import codecs
import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.vocabulary import BulkPolicy
from files.reading import encodings
from tests.files.importing import RICE, RYE, Heard, put
from tests.files.test_import_command import empty_url, put_in, url  # noqa: F401 - fixtures
from tests.files.test_importing import check, everything, product
from tests.files.test_jobs import ended, get, send
from tests.processes import certgate
from tests.world import GTIN, World

IGNORE = BulkPolicy.IGNORE_FAILED
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WHY = "it holds bytes of another encoding than the file's"
BOM = codecs.BOM_UTF8


def rows_of(count: int, name: str) -> list[str]:
    return [f"{number:013d}{check(number)},{name}" for number in range(5_000, 5_000 + count)]


# --- Rows in another encoding than their file ---


@pytest.mark.parametrize("gtin", [GTIN, RICE])
@pytest.mark.parametrize(
    ("head", "row", "column"),
    [
        (b"EAN,Name,Certification", b"%s,Jalape\xf1o,USDA_ORGANIC", "Name"),
        (b"EAN,Name,Certification", b"%s\xf1,Oats,USDA_ORGANIC", "EAN"),
        (b"EAN,Name,Certification", b"%s,Oats,USDA_ORGANIC\xf1", "Certification"),
        (b"EAN,Name,Claims", b"%s,Oats,VEGAN \xf1", "Claims"),
        (b"EAN,Name,metadata", b'%s,Oats,"{""a"": ""\xf1""}"', "metadata"),
        (b"EAN,Name,metadata.a", b"%s,Oats,\xf1", "metadata.a"),
        (b"EAN,Name,country of origin", b"%s,Oats,Espa\xf1a", "country of origin"),
        (b"EAN,Name,Certification,valid from", b"%s,Oats,USDA_ORGANIC,\xf1", "valid from"),
        (b"code,brands,lc,product_name_de,labels_tags", b"%s,A,de\xf1,Hafer,", "lc"),
        (b"code,brands,lc,product_name_de,labels_tags", b"%s,A,de,Hafer,en:\xf1", "labels_tags"),
        (b"gtin,brand,id,created_at,updated_at,version", b"%s,A,\xf1,,,1", "id"),
        (b"gtin,brand,id,created_at,updated_at,version", b"%s,A,,\xf1,,1", "created_at"),
    ],
)
async def test_a_row_in_another_encoding_is_refused_before_anything_looks_it_up(
    world: World, gtin: str, head: bytes, row: bytes, column: str
) -> None:
    before = await everything(world)
    columns = {"metadata.a": "metadata.a"} if column == "metadata.a" else {}
    content = BOM + head + b"\n" + row.replace(b"%s", gtin.encode()) + b"\n"
    totals, heard = await put(world, content, policy=IGNORE, columns=columns)
    assert heard.refusals.keys() == {2}
    assert heard.refusals[2].startswith(f'Row 2, column "{column}": ')
    assert WHY in heard.refusals[2]
    heard.refusals[2].encode()
    assert totals.refusals == {f'column "{column}": it is not encoded as the rest (string_unicode)': 1}
    assert await everything(world) == before


@on_sqlite
async def test_a_column_that_is_left_out_may_hold_anything(world: World) -> None:
    totals, _ = await put(
        world, BOM + f"EAN,Name,Notes\n{RICE},Rice,".encode() + b"\xf1\n", columns={"Notes": "nothing"}
    )
    assert totals.rows == {"made": 1}


@on_sqlite
async def test_a_head_in_another_encoding_is_refused_with_its_column(world: World) -> None:
    with pytest.raises(InvalidInput) as refused:
        await put(world, BOM + b"EAN,Bezeichnung f\xfcr K\xe4se\n1,2\n")
    assert (
        "the head of column 2 ('Bezeichnung f\ufffdr K\ufffdse') holds bytes of another encoding"
        in refused.value.detail
    )


@on_sqlite
@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\\ud83d", "half of a surrogate pair"),
        (b"\\ud83d x", "half of a surrogate pair"),
        (b"Jalape\xf1o", "not encoded in UTF-8"),
        (b"\xed\xa0\xbd", "not encoded in UTF-8"),
    ],
)
async def test_json_lines_in_another_encoding_are_refused_by_themselves(world: World, value: bytes, says: str) -> None:
    lines = b'{"gtin": "%s", "product_name": "%s"}\n' % (GTIN.encode(), value)
    content = b'{"gtin": "%s", "product_name": "Rice"}\n' % RICE.encode() + lines
    _, heard = await put(world, content, policy=IGNORE)
    assert heard.outcomes == ["made", "refused"]
    assert says in heard.refusals[2]
    # In a list as well, unless it cannot be told where one ends.
    listed = b"[" + content.strip().replace(b"\n", b",") + b"]"
    if b"\\u" in value:
        with pytest.raises(InvalidInput, match=r"is not JSON: .* half of a surrogate pair"):
            await put(world, listed)
    else:
        _, heard = await put(world, listed, policy=IGNORE)
        assert heard.outcomes == ["left", "refused"]


def test_the_command_tells_of_rows_in_another_encoding_and_writes_them_back(url: str, tmp_path: Path) -> None:  # noqa: F811
    file, report = tmp_path / "own.csv", tmp_path / "report"
    file.write_text(f"EAN,Name\n{RICE},Rice\n")
    put_in(url, str(file))
    file.write_bytes(BOM + f"EAN,Name\n{RICE},".encode() + b"Jalape\xf1o\n")
    words = ("import", str(file), "--organization", "demo", "--report", str(report))
    done = certgate(*words, CERTGATE_DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (1, "")
    assert f'Row 2, column "Name": "Jalape\ufffdo" cannot be used: {WHY}' in done.stdout
    assert b"Jalape\xf1o" in (report / "refused-own.csv").read_bytes()
    with (report / "rows.csv").open(encoding="utf-8", newline="") as opened:
        assert [row["before"] for row in csv.DictReader(opened)] == ["Jalape\ufffdo"]


@pytest.mark.parametrize("column", ["EAN", "Name"])
async def test_rows_in_another_encoding_are_told_over_http(world: World, column: str) -> None:
    row = f"{GTIN}".encode() + (b"\xf1,Oats\n" if column == "EAN" else b",Jalape\xf1o\n")
    begun = await send(world, BOM + b"EAN,Name\n" + row, policy="IGNORE_FAILED")
    found = await ended(world, begun.headers["location"])
    assert (found["state"], found["refused"]) == ("done", 1)
    (told,) = (await get(world, f"{begun.headers['location']}/rows")).json()["rows"]
    assert (told["outcome"], told["member"]) == ("refused", column)
    assert "\ufffd" in told["before"]
    assert WHY in told["reason"]
    refused = await get(world, f"{begun.headers['location']}/refused")
    assert b"\xf1" in refused.content


# --- Which encoding a text is in ---


@on_sqlite
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("padding", [0, 240])
async def test_a_stray_byte_does_not_make_another_encoding_of_a_file(world: World, pack: Any, padding: int) -> None:
    rows = [f"{row} {'x' * padding}".encode() for row in rows_of(1_500, "K\xe4se")]
    if padding:
        # Neither is told by what comes first.
        rows[:1_050] = [row.replace("\xe4".encode(), b"ae") for row in rows[:1_050]]
        assert b"".join(rows[: encodings.SAMPLE // len(rows[0])]).isascii()
    rows[0 if padding else 700] = f"{RICE},".encode() + b"Jalape\xf1o"
    totals, heard = await put(world, pack(b"EAN,Name\n" + b"\n".join(rows)), policy=IGNORE)
    assert heard.tables[0][0].form.startswith("text in UTF-8,")
    assert totals.rows == {"made": 1_499, "refused": 1}
    assert heard.results[-1].done.parts[0].change.after.name.startswith("K\xe4se")


@on_sqlite
@pytest.mark.parametrize("before", [0, 1 << 18])
@pytest.mark.parametrize("twice", [0, 1])
async def test_a_text_without_a_character_of_utf_8_is_in_windows_1252(world: World, before: int, twice: int) -> None:
    rows = [row.encode("windows-1252") for row in rows_of(100, "K\xe4se \u20ac")]
    rows += [row.encode() for row in rows_of(101, "K\xe4se")[100:]] * twice
    content = b"EAN,Name\n" + f"{RICE},{'x' * 100}\n".encode() * (before // 100) + b"\n".join(rows)
    totals, heard = await put(world, content)
    assert heard.tables[0][0].form.startswith("text in windows-1252,")
    assert totals.things["product made"] == 101 + twice - (not before)
    assert (await product(world, rows_of(1, "")[0][:14]))["name"] == "K\xe4se \u20ac"
    assert totals.notes == (
        {"Name: it looks as if it had been encoded twice; correct the file if so": 1} if twice else {}
    )
    if twice:
        assert [note.what for note in heard.results[-1].notes] == ["K\xc3\xa4se may be K\xe4se"]


@on_sqlite
@pytest.mark.parametrize("part", ["x", '"x\n",', f"{RYE},Rye\n"])
async def test_what_is_packed_to_blow_up_is_not_unpacked_to_its_end(world: World, part: str) -> None:
    packed = gzip.compress(f"EAN,Name\n{part * (16 << 20)}"[: 16 << 20].encode())
    with pytest.raises(InvalidInput, match="becomes far larger when it is unpacked"):
        await put(world, packed)


def test_an_encoding_is_told_by_the_whole_of_a_text_piece_by_piece() -> None:
    for size in (1, 2, 3, 7, 1_000):
        for text, encoding in (
            ("K\xe4se \u20ac \U0001f9c0 ".encode(), "utf-8"),
            ("K\xe4se \u20ac \U0001f9c0 ".encode() + b"\xf1", "utf-8"),
            ("K\xe4se \u20ac".encode("windows-1252"), "windows-1252"),
            (b"plain", "utf-8"),
            (b"ends within \xe2\x82", "windows-1252"),
            ("\xe4".encode() + b"\xf1 " * 9, "utf-8"),
            ("\xe4".encode() + b"\xf1 " * 11, "windows-1252"),
        ):
            parts = [text[at : at + size] for at in range(0, len(text), size)]
            assert encodings.of_bytes(parts) == encoding, (text, size)


@on_sqlite
@pytest.mark.parametrize("encoding", ["idna", "punycode", "unicode_escape", "utf-7", "UTF-16", "base64", "utf-32", ""])
async def test_no_name_of_an_encoding_is_a_defect(world: World, encoding: str) -> None:
    content = f"EAN,Name\n{RICE},".encode() + b"\\ud83d \xf1\n"
    answer = await send(world, content, encoding=encoding, dry_run="true")
    assert answer.status_code in (202, 422)
    if answer.status_code == 202:
        assert (await ended(world, answer.headers["location"]))["state"] == "done"


# --- Quotation marks that are never closed ---


UNCLOSED = "opens a quotation mark that is never closed; close it, or double it if it belongs to the text"


@pytest.mark.parametrize("policy", [*BulkPolicy])
@pytest.mark.parametrize("before", [0, 1_200])
@pytest.mark.parametrize("end", ["\n", ""])
async def test_a_file_that_ends_within_quotation_marks_is_refused_as_a_whole(
    world: World, policy: BulkPolicy, before: int, end: str
) -> None:
    stored = await everything(world)
    rows = [*rows_of(before, "Oats"), f'{RICE},"Pen', f"{RYE},Rye", f"{GTIN},Oats"]
    heard = Heard()
    with pytest.raises(InvalidInput) as refused:
        await put(world, "EAN,Name\n" + "\n".join(rows) + end, policy=policy)
    assert refused.value.detail.endswith(f"row {before + 2} {UNCLOSED}.")
    assert heard.results == []
    assert await everything(world) == stored


@on_sqlite
async def test_a_quotation_mark_that_is_closed_may_span_lines(world: World) -> None:
    for end in ("", "\n"):
        _, heard = await put(world, f'EAN,Name\n{RICE},"Pen\nand ""ink""\n"{end}')
        assert heard.results[0].done.parts[0].change.after.name == 'Pen\nand "ink"\n'
    with pytest.raises(InvalidInput, match=f"row 1 {UNCLOSED}"):
        await put(world, 'EAN,"Name\n1,2\n')
    # Also where the rest is too much for a cell.
    for rest in (f"{RYE},Rye\n" * 10_000, f"{RYE},{'x' * 200}\n" * 6_000):
        with pytest.raises(InvalidInput, match=f"row 2 {UNCLOSED}"):
            await put(world, f'EAN,Name\n{RICE},"Pen\n{rest}')


@on_sqlite
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
async def test_rows_that_an_open_quotation_mark_has_swallowed_are_refused(world: World, delimiter: str) -> None:
    rows = [f'{RICE},"Pen,Acme', f'{RYE},"Rye","Acme"', f'{GTIN},"Oats, ""and""\nmore","Acme"']
    content = "\n".join(["EAN,Name,Brand", *rows])
    _, heard = await put(world, content.replace(",", delimiter), policy=IGNORE)
    assert heard.outcomes == ["refused", "changed"]
    assert "it goes over 2 lines, since a quotation mark in it is not closed; close it" in heard.refusals[2]
    assert await product(world, RICE) is None


@pytest.mark.parametrize("policy", [*BulkPolicy])
async def test_what_breaks_off_is_refused_before_anything_is_done(world: World, policy: BulkPolicy) -> None:
    stored = await everything(world)
    lines = "\n".join(
        json.dumps(dict(zip(("gtin", "name"), row.split(","), strict=True))) for row in rows_of(1_200, "O")
    )
    whole = gzip.compress(lines.encode(), mtime=0)
    damaged = bytearray(whole)
    damaged[-40:-20] = b"\xff" * 20
    for content in (whole[:-20], bytes(damaged)):
        with pytest.raises(InvalidInput, match="breaks off"):
            await put(world, content, policy=policy)
        assert await everything(world) == stored


@pytest.mark.parametrize("policy", [*BulkPolicy])
@pytest.mark.parametrize("before", [0, 1_200])
async def test_a_quotation_mark_that_is_never_closed_is_told_over_http(
    world: World, policy: BulkPolicy, before: int
) -> None:
    stored = await everything(world)
    content = "\n".join(["EAN,Name", *rows_of(before, "Oats"), f'{RICE},"Pen', f"{RYE},Rye"])
    answer = await send(world, content, policy=policy.name)
    if before:
        found = await ended(world, answer.headers["location"])
        assert found["state"] == "failed"
        assert found["error"].endswith(f"row {before + 2} {UNCLOSED}.")
    else:
        assert answer.status_code == 422
        assert UNCLOSED in answer.text
    assert await everything(world) == stored


def test_the_command_names_the_row_whose_quotation_mark_is_never_closed(url: str, tmp_path: Path) -> None:  # noqa: F811
    file = tmp_path / "own.csv"
    file.write_text(f'EAN,Name,Certification\n{RICE},"Pen,USDA Organic\n{RYE},Rye,\n{GTIN},Oats,\n')
    for policy in ("reject-all", "ignore-failed"):
        words = ("import", str(file), "--organization", "demo", "--policy", policy)
        done = certgate(*words, CERTGATE_DATABASE_URL=url)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"row 2 {UNCLOSED}" in done.stderr
