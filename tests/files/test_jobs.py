"""Files over HTTP: taken in, done behind the request, asked about while and after they are done."""

import asyncio
import csv
import io
import json
import os
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import gethostname
from typing import Any

import msgspec
import pytest
from sqlalchemy import Integer, String, column, select, table

from db import keys
from db.sql import tables
from db.sql.reads import Read
from db.sql.types import among
from domain.errors import AlreadyExists, Busy, NotFound
from domain.importing import Import, ListImportedRows, StartImport
from domain.vocabulary import BulkPolicy, Existing, KeyKind, Role
from files import importing, jobs
from files.imports import may_be_alive, worker
from files.jobs import Jobs
from resolvers import importing as planning
from resolvers import imports
from resolvers.keys import remove_member, revoke_key, set_member
from resolvers.operation import Context
from tests.files.importing import RICE, RYE, caller
from tests.files.test_import_command import table_of
from tests.gateway.trouble import fill, small_disk
from tests.operations.faces import GraphQL
from tests.world import GTIN, IMPORT, OTHERS_GTIN, World

IMPORTS = "/certifications/api/v1/imports"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ROWS = f"EAN;Name;Certification\n{RICE};Rice drink;USDA Organic\n12;Rye;USDA Organic\n{GTIN};Oats;Fair Trade USA\n"


async def send(world: World, content: Any, key: str = "manager", type: str = "text/csv", **query: str) -> Any:
    headers = {"X-API-Key": world.keys[key], "Content-Type": type}
    return await world.client.post(IMPORTS, params=query, content=content, headers=headers)


async def get(world: World, path: str, key: str = "manager", **query: Any) -> Any:
    return await world.client.get(path, params=query, headers={"X-API-Key": world.keys[key]})


async def ended(world: World, location: str) -> dict[str, Any]:
    """The import, once it has ended."""
    found: dict[str, Any] = {}
    for _ in range(600):
        found = (await get(world, location)).json()
        if found["state"] != "running":
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def test_a_file_is_put_in_and_told_of_until_it_is_done(world: World) -> None:
    begun = await send(world, ROWS, name="own.csv", policy="IGNORE_FAILED")
    assert begun.status_code == 202, begun.text
    location = begun.headers["location"]
    assert location == f"{IMPORTS}/{begun.json()['id']}"
    found = await ended(world, location)
    assert (found["state"], found["name"], found["rows"], found["percent"]) == ("done", "own.csv", 3, 100)
    assert (found["made"], found["refused"]) == (2, 1)
    assert found["things"] == {"product made": 1, "product changed": 1, "certification made": 2}
    assert found["refusals"] == {'column "EAN": it is not a GTIN (gtin_invalid)': 1}
    listed = (await get(world, IMPORTS, "readonly")).json()
    assert [item["id"] for item in listed] == [found["id"], IMPORT]
    rows = (await get(world, f"{location}/rows")).json()
    assert [(row["row"], row["outcome"], row["kind"]) for row in rows["rows"]] == [
        (2, "made", "product"),
        (2, "made", "certification"),
        (3, "refused", ""),
        (4, "changed", "product"),
        (4, "made", "certification"),
    ]
    changed = rows["rows"][3]
    told = changed["of"], changed["member"], changed["before"], changed["after"]
    assert told == (GTIN, "name", "Oat drink", "Oats")
    only = (await get(world, f"{location}/rows", outcome="refused")).json()
    why = "A GTIN should have 8, 12, 13 or 14 digits."
    sentence = f'Row 3, column "EAN": "12" is not a GTIN: {why}'
    refusals = [(row["row"], row["member"], row["before"], row["reason"]) for row in only["rows"]]
    assert refusals == [(3, "EAN", "12", sentence)]
    refused = await get(world, f"{location}/refused")
    assert refused.headers["content-type"].startswith("text/csv")
    head, line = refused.text.splitlines()
    assert head == "EAN,Name,Certification,reason"
    assert line == f'12,Rye,USDA Organic,"Row 3, column ""EAN"": ""12"" is not a GTIN: {why}"'
    report = await get(world, f"{location}/report")
    assert report.headers["content-type"].startswith("text/csv")
    whole = list(csv.DictReader(report.text.splitlines()))
    assert whole == [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows["rows"]]
    only_refused = (await get(world, f"{location}/report", outcome="refused")).text.splitlines()
    assert [line[:10] for line in only_refused] == ["row,outcom", "3,refused,"]
    shown = await GraphQL(world).run(f'{{ import(id: "{found["id"]}") {{ state made refused counts }} }}', "readonly")
    assert shown["data"]["import"]["state"] == "DONE"
    assert shown["data"]["import"]["counts"]["rows"] == {"made": 2, "refused": 1}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_after_many_rows_the_database_knows_how_many_there_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would read whole indexes for a page until it looks by itself."""
    monkeypatch.setattr("files.imports.MANY", 2)
    known = table("pg_class", column("reltuples", Integer), column("relname", String))
    names = ["claim_assignments", "products"]
    read = Read(select(known.c.reltuples).where(among(known.c.relname, "names")).order_by(known.c.relname), tuple)
    assert await world.database.fetch(read, names=names) == [(-1,), (-1,)]
    two, number = f"gtin,name\n{RYE},Rye\n{GTIN},Else\n", len(await world.rows(tables.products)) + 2
    for rows, expected in ((f"gtin,name\n{RICE},Rice\n", -1), (two, number)):
        await ended(world, (await send(world, rows, policy="IGNORE_FAILED")).headers["location"])
        # Of what it has not written it does not look.
        assert await world.database.fetch(read, names=names) == [(-1,), (expected,)]


async def test_nothing_is_done_where_a_row_is_refused_and_on_a_dry_run(world: World) -> None:
    before = await world.rows(tables.products)
    found = await ended(world, (await send(world, ROWS)).headers["location"])
    assert (found["state"], found["refused"]) == ("refused", 1)
    found = await ended(world, (await send(world, ROWS, dry_run="true")).headers["location"])
    assert (found["state"], found["dry_run"], found["made"], found["refused"]) == ("done", True, 2, 1)
    assert await world.rows(tables.products) == before


async def test_rows_of_others_are_refused_and_imports_of_others_do_not_exist(world: World) -> None:
    rows = f"gtin,name\n{OTHERS_GTIN},Ours\n"
    location = (await send(world, rows, policy="IGNORE_FAILED")).headers["location"]
    assert (await ended(world, location))["refusals"] == {
        'column "gtin": it belongs to another organisation (forbidden)': 1
    }
    for key in ("rival", "publishable"):
        for path in (location, *(f"{location}/{each}" for each in ("rows", "report", "refused"))):
            assert (await get(world, path, key)).status_code == 404
        listed = (await get(world, IMPORTS, key)).json()
        assert listed == []


def archive() -> bytes:
    """What says of itself that it is an archive."""
    with zipfile.ZipFile(file := io.BytesIO(), "w") as made:
        made.writestr("manifest.json", "{}")
    return file.getvalue()


ARCHIVE = archive()


@on_sqlite
@pytest.mark.parametrize(
    ("content", "type", "query", "status", "says"),
    [
        ("", "text/csv", {}, 422, "is empty"),
        (ARCHIVE, "application/zip", {}, 422, "goes in by ./certgate import alone"),
        ("%PDF-1.7", "application/pdf", {}, 422, "is no table but a PDF document"),
        ("gtin,colour\n1,red\n", "text/csv", {}, 422, "Nobody knows the column 'colour'"),
        (f"gtin\n{RICE}\n", "text/csv", {"map": "x"}, 422, "Input should be a JSON object of columns"),
        (f"gtin\n{RICE}\n", "application/x-www-form-urlencoded", {}, 415, "not a form"),
        (f"gtin\n{RICE}\n", "multipart/form-data; boundary=x", {}, 415, "not a form"),
    ],
)
async def test_what_cannot_be_put_in_is_refused_at_once(
    world: World, content: str, type: str, query: dict[str, str], status: int, says: str
) -> None:
    refused = await send(world, content, type=type, **query)
    assert (refused.status_code, says in refused.json()["detail"]) == (status, True), refused.text
    assert len((await get(world, IMPORTS)).json()) == 1


@on_sqlite
async def test_columns_and_how_to_read_are_asked_in_the_query(world: World) -> None:
    rows = f"Nr,Farbe\n{RICE},grün\n".encode("cp1250")
    query = {"map": json.dumps({"Nr": "gtin", "*": "metadata"}), "encoding": "windows-1250"}
    assert (await ended(world, (await send(world, rows, **query)).headers["location"]))["made"] == 1
    body = await GraphQL(world).run(f'{{ product(gtin: "{RICE}") {{ metadata }} }}', "manager")
    assert body["data"]["product"]["metadata"] == {"Farbe": "grün"}


async def test_columns_are_taken_as_in_the_newest_import_of_a_file_with_the_same_heads(world: World) -> None:
    rows, columns = f"Nr,Farbe\n{RICE},grün\n", {"Nr": "gtin", "Farbe": "metadata.paint"}
    dry = await ended(world, (await send(world, rows, map=json.dumps(columns), dry_run="true")).headers["location"])
    assert (dry["map"], dry["map_of"], dry["made"]) == (columns, None, 1)
    # What was only looked at is no answer for later files.
    assert "Nobody knows the column 'Farbe'" in (await send(world, rows)).json()["detail"]
    first = await ended(world, (await send(world, rows, map=json.dumps(columns))).headers["location"])
    assert first["columns"] == {"Nr": "gtin", "Farbe": "product.metadata.paint"}
    again = f"Farbe,Nr\nrot,{RYE}\n"
    second = await ended(world, (await send(world, again)).headers["location"])
    assert (second["map"], second["map_of"], second["made"]) == (columns, first["id"], 1)
    assert second["columns"] == first["columns"]
    shown = await GraphQL(world).run(f'{{ import(id: "{second["id"]}") {{ mapOf map columns }} }}', "readonly")
    assert shown["data"]["import"] == {"mapOf": first["id"], "map": columns, "columns": first["columns"]}
    for words in ({"kept_map": "false"}, {"map": json.dumps({"Nr": "gtin"})}):
        assert "Nobody knows the column 'Farbe'" in (await send(world, again, **words)).json()["detail"]
    # Of other heads, and of another organisation, nothing is known; nor to who sees nothing private.
    at = tables.imports.columns.keys().index("headings")
    heads = next(row[at] for row in await world.rows(tables.imports) if second["id"] in row)
    for kind, of in ((KeyKind.BUSINESS, second["id"]), (KeyKind.PUBLISHABLE, None)):
        who = msgspec.structs.replace(caller(world), kind=kind)
        known = await imports.earlier(Context(world.database, who), heads)
        assert (None if known is None else known.id) == of
    assert (await send(world, f"Nr,Farbe,Form\n{RYE},rot,rund\n")).status_code == 422
    assert (await send(world, again, "rival")).status_code == 422
    other = {"Nr": "gtin", "Farbe": "nothing"}
    third = await ended(world, (await send(world, rows, map=json.dumps(other))).headers["location"])
    fourth = await ended(world, (await send(world, again)).headers["location"])
    assert (fourth["map"], fourth["map_of"], fourth["columns"]) == (other, third["id"], {"Nr": "gtin"})


@pytest.mark.parametrize(
    "rows",
    [
        f"Nr,Farbe,Form\n{RICE},rot,rund\n12,grün,\n13,,\n",
        f"Nr,Farbe,Form,reason\n{RICE},rot,rund,why\n12,grün,,\n13,,,\n",
        f'{{"Nr":"{RICE}","Farbe":"rot","Form":"rund"}}\n{{"Nr":"12","Farbe":"grün"}}\n{{"Nr":"13"}}\n',
    ],
    ids=["CSV", "CSV with reasons", "JSON lines"],
)
async def test_refused_rows_come_back_as_the_file_that_they_were_in(world: World, rows: str) -> None:
    columns = {"Nr": "gtin", "*": "metadata"}
    columns |= {"reason": "nothing"} if "reason" in rows else {}
    query = {"policy": "IGNORE_FAILED", "map": json.dumps(columns)}
    first = await ended(world, (await send(world, rows, **query)).headers["location"])
    assert (first["made"], first["refused"]) == (1, 2)
    found, of = first, rows
    # Refused once more, it has one column with reasons; and the file itself is still known after it.
    for was, becomes, refused in (("12", RYE, 1), ("13", GTIN, 0), ("", "", 0)):
        if was:
            of = (await get(world, f"{IMPORTS}/{found['id']}/refused")).text.replace(f'{was}",', f'{becomes}",')
            of = re.sub(f"(?m)^{was},", f"{becomes},", of)
        else:
            of = f"Form,Farbe,Nr\neckig,blau,{RICE}\n"
        assert of.partition("\n")[0].count("reason") == bool(was)
        answer = await send(world, of, policy="IGNORE_FAILED")
        assert answer.status_code == 202, answer.text
        later = await ended(world, answer.headers["location"])
        assert (later["map_of"], later["map"]["Nr"], later["refused"]) == (found["id"], "gtin", refused), later
        found = later


@on_sqlite
async def test_a_reason_of_their_own_stays_with_rows_that_are_refused(world: World) -> None:
    for rows in ("gtin,reason\n12,mine\n", '{"gtin": "12", "reason": "mine"}\n'):
        query = {"map": '{"reason": "metadata"}', "dry_run": "true"}
        found = await ended(world, (await send(world, rows, **query)).headers["location"])
        refused = (await get(world, f"{IMPORTS}/{found['id']}/refused")).text
        assert refused.replace("\r", "").replace('":"', '": "').replace('","', '", "') == rows


@on_sqlite
async def test_an_upload_that_breaks_off_leaves_nothing(world: World, own: Jobs, tmp_path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield ROWS.encode()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await own.start(Context(world.database, caller(world)), StartImport(), broken())
    assert list((tmp_path / "imports").iterdir()) == []
    assert len(await world.rows(tables.imports)) == 1


@pytest.fixture
def own(world: World, tmp_path: Path) -> Jobs:
    """The imports of another process."""
    return Jobs(world.database, tmp_path / "imports")


async def parts(text: str) -> AsyncIterator[bytes]:
    for at in range(0, len(text), 10_000):
        yield text[at : at + 10_000].encode()


async def told_of(jobs: Jobs, context: Context, begun: Import) -> list[int]:
    """The rows of which it is told what became of them."""
    found, after = list[int](), 0
    while True:
        page = await jobs.rows(context, ListImportedRows(id=begun.id, after=after))
        found += [row.row for row in page.rows]
        if page.next is None:
            return found
        after = page.next


async def test_a_disk_without_room_for_files_is_no_trouble_of_the_database(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path) as disk:
        own = Jobs(world.database, disk / "imports")
        context, table = Context(world.database, caller(world)), table_of(400)
        asked = StartImport(policy=BulkPolicy.IGNORE_FAILED, name="many.csv")
        rest = fill(disk)
        with pytest.raises(Busy, match="no room for files") as refused:
            await own.start(context, asked, parts(table))
        assert refused.value.retry_after == 30
        assert len(await world.rows(tables.imports)) == 1
        # Room for the file, and not for all that becomes of its rows.
        os.truncate(rest, rest.stat().st_size - len(table) - 20_000)
        begun = await own.start(context, asked, parts(table))
        await own.finish()
        found = await _of(world, begun)
        assert (found.state, found.error) == ("failed", refused.value.detail)
        rest.unlink()
        begun = await own.start(context, asked, parts(table))
        await own.finish()
        assert (await _of(world, begun)).state == "done"
    assert +world.database.troubles == {}
    assert [record for record in caplog.records if record.exc_info] == []


async def test_what_a_process_has_left_the_next_one_goes_on_with(
    world: World, own: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    monkeypatch.setattr(jobs, "worker", lambda: "elsewhere:1")
    context = Context(world.database, caller(world))
    asked = StartImport(policy=BulkPolicy.IGNORE_FAILED, existing=Existing.REFUSE, name="many.csv")
    begun = await own.start(context, asked, parts(table_of(400)))
    while (await _of(world, begun)).position < 60:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    await own.stop()
    found = await _of(world, begun)
    assert (found.state, 60 <= found.position < 400) == ("running", True)
    # What a process that is killed has told of a batch, and not stored.
    with (tmp_path / "imports" / begun.id / "rows.jsonl").open("ab") as told:
        told.write(b'{"row":4711')
    with (tmp_path / "imports" / begun.id / "unfinished.jsonl").open("ab") as places:
        places.write(b'["')
    # While it may still be at it, it is left alone.
    next_one = Jobs(world.database, tmp_path / "imports")
    monkeypatch.setattr(jobs, "may_be_alive", lambda other, heard: True)
    await next_one.resume()
    assert next_one._tasks == set()
    monkeypatch.setattr(jobs, "may_be_alive", lambda other, heard: False)
    await next_one.resume()
    await asyncio.gather(*next_one._tasks)
    found = await _of(world, begun)
    assert (found.state, found.position) == ("done", 400)
    assert found.counts["rows"] == {"made": 400}
    assert len(await world.rows(tables.products)) == 402
    # A product each, and what it holds.
    assert await told_of(next_one, context, begun) == [row for row in range(2, 402) for _ in range(2)]
    assert {each.suffix for each in (tmp_path / "imports").iterdir()} == {""}


async def test_what_becomes_of_rows_is_told_once_where_they_were_tried_twice(
    world: World, own: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    advance, calls = imports.advance, 0

    async def busy_at_first(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        await advance(*arguments)
        if calls % 2:
            raise Busy("The database is held up.")

    monkeypatch.setattr(imports, "advance", busy_at_first)
    context = Context(world.database, caller(world))
    rows = table_of(50).replace("\n", "\n12,Rye,\n", 2)
    begun = await own.start(context, StartImport(policy=BulkPolicy.IGNORE_FAILED), parts(rows))
    await own.finish()
    found = await _of(world, begun)
    assert (found.state, found.position, found.counts["rows"]) == ("done", 52, {"made": 50, "refused": 2})
    assert await told_of(own, context, begun) == [row for row in range(2, 54) for _ in range(1 if row in (2, 4) else 2)]
    refused = await own.refused_rows(context, begun.id)
    assert refused is not None
    assert len(refused.read_text("utf-8").splitlines()) == 3


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # So short a file is read at once.
        (StartImport(dry_run=True), [(20, 100), (40, 100), (60, 100)]),
        (StartImport(), [(0, 50), (0, 50), (0, 50), (20, 100), (40, 100), (60, 100)]),
        (StartImport(policy=BulkPolicy.IGNORE_FAILED), [(20, 100), (40, 100), (60, 100)]),
    ],
)
@pytest.mark.parametrize("told_after", [0, 600])
async def test_how_far_it_is_shows_on_dry_runs_and_now_and_then_while_rows_are_judged(
    world: World,
    own: Jobs,
    monkeypatch: pytest.MonkeyPatch,
    asked: StartImport,
    expected: list[tuple[int, int]],
    told_after: int,
) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    monkeypatch.setattr(importing, "TOLD_AFTER", told_after)
    if told_after:
        # What is judged is stored the first time; what is done, always.
        expected = expected[expected.count((0, 50)) - 1 :] if (0, 50) in expected else expected
    advance = imports.advance
    seen: list[tuple[int, int]] = []

    async def watched(transaction: Any, of: Import, position: int, percent: int, counts: Any) -> None:
        seen.append((position, percent))
        await advance(transaction, of, position, percent, counts)

    monkeypatch.setattr(imports, "advance", watched)
    begun = await own.start(Context(world.database, caller(world)), asked, parts(table_of(60)))
    await own.finish()
    found = await _of(world, begun)
    assert (found.state, found.position, found.percent) == ("done", 60, 100)
    assert seen == expected


@on_sqlite
async def test_rows_that_are_all_refused_are_counted(world: World) -> None:
    for query in ({}, {"dry_run": "true"}, {"policy": "IGNORE_FAILED"}):
        location = (await send(world, "gtin,name\n1,A\n2,B\n3,C\n", **query)).headers["location"]
        found = await ended(world, location)
        assert (found["rows"], found["refused"], found["percent"]) == (3, 3, 100)


@pytest.mark.parametrize("ended", ["key", "role", "membership", "role of a member"])
async def test_what_is_left_is_gone_on_with_by_the_rights_of_now(
    world: World, own: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    monkeypatch.setattr(jobs, "worker", lambda: "elsewhere:1")
    await set_member(world.database, "brand", "ann@example.org", Role.EDITOR)
    (user,) = [row[0] for row in await world.rows(tables.users)]
    who = caller(world)
    if "member" in ended:
        who = msgspec.structs.replace(who, kind=KeyKind.USER, user_id=user)
    else:
        who = msgspec.structs.replace(who, kind=KeyKind.BUSINESS, key_id=world.key_ids["manager"])
    monkeypatch.setattr(own, "_go_on", lambda begun, asked: None)
    begun = await own.start(Context(world.database, who), StartImport(), parts(f"gtin,name\n{RICE},Rice\n"))
    if ended == "key":
        await revoke_key(world.database, world.key_ids["manager"])
    elif ended == "role":
        async with world.database.write() as transaction:
            await keys.change(transaction, world.key_ids["manager"], {"role": Role.READONLY})
    elif ended == "role of a member":
        await set_member(world.database, "brand", "ann@example.org", Role.READONLY)
    else:
        await remove_member(world.database, "brand", "ann@example.org")
    monkeypatch.setattr(jobs, "may_be_alive", lambda other, heard: False)
    next_one = Jobs(world.database, tmp_path / "imports")
    await next_one.resume()
    await next_one.finish()
    found = await _of(world, begun)
    assert found.state == "failed"
    assert ("may not write" if "role" in ended else "has ended; put the file in again") in found.error
    assert RICE not in {row[0] for row in await world.rows(tables.products)}
    assert {each.suffix for each in (tmp_path / "imports").iterdir()} <= {""}


async def test_an_import_can_take_the_place_of_another(world: World, own: Jobs) -> None:
    context = Context(world.database, caller(world))
    asked = StartImport(policy=BulkPolicy.IGNORE_FAILED)
    for outcomes in (["made", "made", "refused", "changed", "made"], ["left", "left", "refused", "left", "left"]):
        assert (await own.start(context, asked, parts(ROWS), id=IMPORT)).id == IMPORT
        await own.finish()
        (found,) = await imports.latest_imports(context)
        assert (found.id, found.state, found.counts["rows"]["refused"]) == (IMPORT, "done", 1)
        rows = await own.rows(context, ListImportedRows(id=IMPORT))
        assert [row.outcome for row in rows.rows] == outcomes


async def test_an_import_that_fails_says_why_and_keeps_what_it_has_counted(
    world: World, own: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    batches = 0

    async def failing(*arguments: Any, **named: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches > 2:
            raise Busy("The database is held up.")
        return await planning.put(*arguments, **named)

    monkeypatch.setattr("files.importing.put", failing)
    asked = StartImport(policy=BulkPolicy.IGNORE_FAILED)
    begun = await own.start(Context(world.database, caller(world)), asked, parts(table_of(100)))
    await asyncio.gather(*own._tasks)
    found = await _of(world, begun)
    assert (found.state, found.error, found.position) == ("failed", "The database is held up.", 40)
    assert found.counts["rows"] == {"made": 40}


async def test_what_was_told_of_rows_that_could_not_be_stored_is_taken_back(
    world: World, own: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "BATCH", 20)
    monkeypatch.setattr(planning, "ATTEMPTS", 1)
    advance = imports.advance

    async def at_last_busy(transaction: Any, of: Import, position: int, *more: Any) -> None:
        await advance(transaction, of, position, *more)
        if position > 40:
            raise Busy("The database is held up.")

    monkeypatch.setattr(imports, "advance", at_last_busy)
    context = Context(world.database, caller(world))
    rows = table_of(44) + "12,Rye\n" + table_of(60).partition("\n")[2]
    begun = await own.start(context, StartImport(policy=BulkPolicy.IGNORE_FAILED), parts(rows))
    await own.finish()
    found = await _of(world, begun)
    assert (found.state, found.position, found.counts["rows"]) == ("failed", 40, {"made": 40})
    assert await told_of(own, context, begun) == [row for row in range(2, 42) for _ in range(2)]
    assert await own.refused_rows(context, begun.id) is None


async def _of(world: World, begun: Import) -> Import:
    rows = await imports.latest_imports(Context(world.database, caller(world)))
    return next(each for each in rows if each.id == begun.id)


@on_sqlite
async def test_a_defect_is_said_to_be_one_and_told_to_nobody(
    world: World, own: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*arguments: Any, **named: Any) -> Any:
        raise ZeroDivisionError("hunter2")

    monkeypatch.setattr("files.importing.put", broken)
    begun = await own.start(Context(world.database, caller(world)), StartImport(), parts(f"gtin,name\n{RICE},Rice\n"))
    await own.finish()
    found = await _of(world, begun)
    assert (found.state, found.error) == ("failed", jobs._DEFECT)
    assert "hunter2" in caplog.text


@on_sqlite
async def test_what_waits_for_its_turn_when_the_process_ends_is_left_to_the_next(
    world: World, own: Jobs, tmp_path: Path
) -> None:
    context = Context(world.database, caller(world))
    own._turns = asyncio.Semaphore(0)
    begun = await own.start(context, StartImport(), parts(f"gtin,name\n{RICE},Rice\n"))
    stopping = asyncio.create_task(own.stop())
    await asyncio.sleep(0)
    with pytest.raises(AlreadyExists, match=f"is being imported just now \\(as {begun.id}\\); wait for its end"):
        await own.start(context, StartImport(), parts(f"gtin,name\n{RICE},Rice\n"))
    own._turns.release()
    await stopping
    left = await _of(world, begun)
    assert (left.state, left.position, left.counts) == ("running", 0, begun.counts)
    next_one = Jobs(world.database, tmp_path / "imports")
    await next_one.resume()
    await next_one.finish()
    assert (await _of(world, begun)).counts["rows"] == {"made": 1}


@on_sqlite
async def test_what_is_a_month_old_is_forgotten(world: World, own: Jobs, tmp_path: Path) -> None:
    # Where nothing was ever put in, there is nothing to forget.
    await own.resume()
    context = Context(world.database, caller(world))
    asked = StartImport(policy=BulkPolicy.IGNORE_FAILED)
    begun = await own.start(context, asked, parts(ROWS))
    await own.finish()
    folder = tmp_path / "imports"
    (folder / "left.part").touch()
    assert (await own.refused_rows(context, begun.id)) == folder / begun.id / "refused.csv"
    await own.resume()
    assert {each.name for each in folder.iterdir()} == {begun.id, "left.part"}
    fine = await own.start(context, StartImport(), parts(f"gtin,name\n{RYE},Rye\n"))
    await own.finish()
    assert await own.refused_rows(context, fine.id) is None
    for each in folder.iterdir():
        os.utime(each, (0, (datetime.now(UTC) - jobs.KEPT - timedelta(days=1)).timestamp()))
    await own.resume()
    assert list(folder.iterdir()) == []
    assert (await own.rows(context, ListImportedRows(id=begun.id))).rows == []
    with pytest.raises(NotFound, match="is not kept any more"):
        await own.refused_rows(context, begun.id)


@on_sqlite
async def test_rows_begin_where_a_page_ended(world: World) -> None:
    location = (await send(world, ROWS, policy="IGNORE_FAILED")).headers["location"]
    await ended(world, location)
    refused = await get(world, f"{location}/rows", after=5)
    assert refused.status_code == 422
    assert "Input should be the `next` of the page before" in refused.json()["detail"]


@on_sqlite
async def test_too_many_at_once_wait_for_their_turn(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "MOST", 0)
    refused = await send(world, f"gtin\n{RYE}\n")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize(
    ("other", "seconds", "is_alive"),
    [
        (worker(), 0, False),
        (f"{gethostname()}:1", 3600, True),
        (f"{gethostname()}:4194305", 0, False),
        (f"{gethostname()}:x", 0, False),
        ("elsewhere:1", 0, True),
        ("elsewhere:1", 3600, False),
    ],
    # The processes of a run have to name their tests alike.
    ids=["itself", "there", "not there", "no number", "heard of", "silent"],
)
def test_who_may_be_at_an_import_still(other: str, seconds: int, is_alive: bool) -> None:
    """This one is not, a process of this machine is if it is there, and one of another for a minute without a word."""
    assert may_be_alive(other, datetime.now(UTC) - timedelta(seconds=seconds)) == is_alive
