"""Lists as files over HTTP: whole, as the caller may see them, and never cut short without being noticed."""

import asyncio
import csv
import io
import json
import logging
from typing import Any

import httpx2
import openpyxl
import pytest

from domain.access import Caller
from domain.errors import Busy, RateLimited
from domain.filters import EVERYTHING
from domain.paging import Window
from domain.records import Organization
from domain.vocabulary import FileFormat, Role
from files import lists
from files.export import export
from resolvers.listed import LISTS
from resolvers.operation import Context
from tests.files.linked import graph_of, judge
from tests.operations.faces import GraphQL
from tests.served import ours, served
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, OTHERS_PRIVATE, PRIVATE, USDA_ORGANIC, VEGAN, World

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXPORTS = "/certifications/api/v1/exports"
ANOTHER = "00614141107346"


async def get(world: World, path: str, key: str = "readonly", accept: str = "*/*", **query: str) -> Any:
    return await world.client.get(
        f"{EXPORTS}/{path}", params=query, headers={"X-API-Key": world.keys[key], "Accept": accept}
    )


def rows(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


@pytest.fixture
async def stocked(world: World) -> World:
    """Products of both organisations that hold and claim more than a page has, with secrets."""
    await world.add_product(ANOTHER, world.brand, "Rice drink")
    graphql = GraphQL(world)
    for gtin, definition in ((GTIN, FAIR_TRADE), (ANOTHER, USDA_ORGANIC), (GTIN, PRIVATE), (OTHERS_GTIN, FAIR_TRADE)):
        await world.add_certification(gtin, definition, metadata={"lot": "secret"}, verification_status="verified")
    await world.add_certification(OTHERS_GTIN, OTHERS_PRIVATE)
    for gtin, claim, key in ((GTIN, VEGAN, "manager"), (GTIN, NON_GMO, "manager"), (OTHERS_GTIN, VEGAN, "rival")):
        assert (await graphql.assign_claim(gtin, claim, key, evidence_note="secret evidence")).ok
    return world


@pytest.fixture(params=[1, 2, 100])
def of_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of that size."""
    monkeypatch.setattr(lists, "PAGE", request.param)


@pytest.mark.usefixtures("of_size")
@pytest.mark.parametrize("key", ["manager", "publishable", "rival"])
async def test_a_file_has_what_graphql_lists(stocked: World, key: str) -> None:
    for name, root, selection in (
        ("products", "products", "id gtin name updatedAt version metadata"),
        ("certifications", "certificationAssignments", "id gtin version metadata certification { id label }"),
        ("claims", "claimAssignments", "id gtin version metadata claim { id label }"),
    ):
        body = await GraphQL(stocked).run(f"{{ {root} {{ nodes {{ {selection} }} }} }}", key)
        listed = body["data"][root]["nodes"]
        lines = [json.loads(line) for line in (await get(stocked, name, key, format="jsonl")).text.splitlines()]
        table = rows(await get(stocked, name, key, format="csv"))
        assert len(listed) >= 3
        for of_graphql, line, row in zip(listed, lines, table, strict=True):
            assert {member: line[member] for member in ("id", "gtin", "version", "metadata")} == {
                member: of_graphql[member] for member in ("id", "gtin", "version", "metadata")
            }
            assert [row["id"], row["gtin"], row["version"]] == [line["id"], line["gtin"], str(line["version"])]
            assert (json.loads(row["metadata"]) if row["metadata"] else {}) == line["metadata"]
            if name != "products":
                kind = name.removesuffix("s")
                assert line[kind]["id"] == of_graphql[kind]["id"] == row[f"{kind}_id"]
                assert line[kind]["label"] == row[f"{kind}_label"]


async def test_a_workbook_has_the_rows_of_the_csv(stocked: World) -> None:
    book = openpyxl.load_workbook(io.BytesIO((await get(stocked, "claims", format="xlsx")).content))
    head, *others = book.active.iter_rows(values_only=True)
    listed = rows(await get(stocked, "claims"))
    assert [name for name in head if "evidence" in name] == []
    assert len(others) == len(listed) == 3
    for of_book, row in zip(others, listed, strict=True):
        cells = dict(zip(head, of_book, strict=True))
        for name in ("id", "gtin", "claim_code", "source", "version"):
            assert str(cells[name]) == row[name]


async def test_evidence_never_leaves_by_rest(stocked: World) -> None:
    for form in FileFormat:
        if form is not FileFormat.GS1_US:
            assert b"evidence" not in (await get(stocked, "claims", "manager", format=form)).content


@pytest.mark.usefixtures("of_size")
async def test_json_ld_of_a_list_is_one_graph_in_which_each_product_stands_once(stocked: World) -> None:
    whole = await get(stocked, "products", format="jsonld")
    judge(graph_of(whole.content))
    assert [node["gs1:gtin"] for node in whole.json()["@graph"]] == sorted([GTIN, OTHERS_GTIN, ANOTHER])
    parts: dict[str, Any] = {}
    for name, holders in (("certifications", [GTIN, ANOTHER, OTHERS_GTIN]), ("claims", [GTIN, OTHERS_GTIN])):
        answer = await get(stocked, name, format="jsonld")
        judge(graph_of(answer.content))
        nodes = answer.json()["@graph"]
        assert [node["gs1:gtin"] for node in nodes] == sorted(holders)
        for node in nodes:
            parts.setdefault(node["@id"], {}).update(node)
    # Of each product the lists say together what the products' own says of what it holds and claims.
    for node in whole.json()["@graph"]:
        for name in ("gs1:certification", "schema:additionalProperty", "gs1:dietCode"):
            assert sorted(map(str, node.get(name, []))) == sorted(map(str, parts[node["@id"]].get(name, [])))


@pytest.mark.usefixtures("of_size")
async def test_a_report_for_gs1_us_has_the_certificates_whose_status_is_known(stocked: World) -> None:
    await stocked.add_certification(OTHERS_GTIN, USDA_ORGANIC, verification_status="expired")
    for name in ("products", "certifications"):
        answer = await get(stocked, name, format="gs1us")
        judge(graph_of(answer.content))
        told = {
            product["gtin"]: [entry["status"] for entry in product["certificationInfo"]]
            for product in answer.json()["products"]
        }
        assert told == {ANOTHER: ["ACTIVE"], OTHERS_GTIN: ["INACTIVE"]}
    refused = await get(stocked, "claims", format="gs1us")
    assert refused.status_code == 422
    assert refused.json()["details"][0]["loc"] == ["query", "format"]


@pytest.mark.parametrize(
    ("accept", "form", "sent", "suffix"),
    [
        ("*/*", None, "text/csv; charset=utf-8", "csv"),
        ("application/json", None, "text/csv; charset=utf-8", "csv"),
        ("application/jsonl", None, "application/jsonl", "jsonl"),
        (XLSX, None, XLSX, "xlsx"),
        ("application/ld+json, text/csv;q=0.1", None, "application/ld+json", "jsonld"),
        ("application/ld+json", "csv", "text/csv; charset=utf-8", "csv"),
        ("text/csv", "gs1us", "application/ld+json", "jsonld"),
    ],
)
async def test_the_format_is_named_or_preferred(
    world: World, accept: str, form: str | None, sent: str, suffix: str
) -> None:
    answer = await get(world, "certifications", accept=accept, **({"format": form} if form else {}))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == sent
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="certifications-2')
    assert disposition.endswith(f'.{suffix}"')
    assert "etag" not in answer.headers
    assert int(answer.headers["ratelimit-remaining"]) >= 0


async def test_a_filter_is_spelled_as_in_graphql_and_narrows_down(stocked: World) -> None:
    where = '{"gtin": {"eq": "12345678905"}, "verificationStatus": {"eq": "VERIFIED"}}'
    found = rows(await get(stocked, "certifications", where=where))
    assert {row["gtin"] for row in found} == {GTIN}
    assert sorted(row["certification_label"] for row in found) == ["Brand's own seal", "Fair Trade USA"]
    nothing = await get(stocked, "certifications", where='{"gtin": {"in": []}}')
    assert nothing.status_code == 200
    assert rows(nothing) == []
    assert nothing.text.startswith("id,gtin,")
    assert (await get(stocked, "claims", where='{"gtin": {"in": []}}', format="jsonl")).content == b""
    empty = await get(stocked, "claims", where='{"gtin": {"in": []}}', format="jsonld")
    assert empty.json()["@graph"] == []


async def test_a_wrong_filter_is_refused_at_its_place(world: World) -> None:
    answer = await get(world, "products", where='{"name": {"endsWith": "x"}}')
    assert answer.status_code == 422
    assert answer.json()["details"][0]["loc"] == ["query", "where", "name", "ends_with"]
    notes = await get(world, "products", "publishable", where='{"metadata": {"key": "a", "eq": "b"}}')
    assert (notes.status_code, notes.json()["error_code"]) == (403, "forbidden")


async def test_asking_for_the_head_reads_no_list(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*asked: Any) -> Any:
        raise AssertionError

    monkeypatch.setitem(LISTS, "products", LISTS["products"]._replace(page=failing))
    url = f"{EXPORTS}/products"
    answer = await stocked.client.head(url, headers={"X-API-Key": stocked.keys["readonly"]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


READER = Caller(None, None, Role.READONLY, Organization("o" * 22, "brand", "Brand"))  # type: ignore[arg-type]


async def test_a_list_is_read_only_as_far_as_it_is_wanted(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    read: list[Any] = []
    listed = LISTS["products"]

    async def counted(*asked: Any) -> Any:
        read.append(asked)
        return await listed.page(*asked)

    parts = export(Context(stocked.database, READER), listed._replace(page=counted), EVERYTHING, FileFormat.JSON_LINES)
    first = await anext(parts)
    assert (json.loads(first)["gtin"], len(read)) == (GTIN, 1)
    assert [json.loads(part)["gtin"] async for part in parts] == sorted([OTHERS_GTIN, ANOTHER])
    assert len(read) == 3


async def test_pages_are_paid_for_and_waited_for(stocked: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    monkeypatch.setattr(lists, "PAGES_A_UNIT", 1)
    spent: list[int] = []
    waited: list[float] = []
    refusals = [RateLimited("Enough.", 7)]

    async def charge(units: int) -> None:
        if len(spent) == 2 and refusals:
            raise refusals.pop()
        spent.append(units)

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(lists.asyncio, "sleep", sleep)  # type: ignore[attr-defined]
    context = Context(stocked.database, READER, charge=charge)
    found = [page async for page in lists.pages(context, LISTS["products"], EVERYTHING)]
    assert len(found) == 3
    assert spent == [5, 1, 1]
    assert [seconds for seconds in waited if seconds] == [7]
    spent.clear()
    refusals.append(RateLimited("Enough for today.", 7_000))
    with pytest.raises(RateLimited, match="today"):
        _ = [page async for page in lists.pages(context, LISTS["products"], EVERYTHING)]


async def receive(answer: Any, parts: list[bytes]) -> None:
    """Collects what comes, also where that does not end well."""
    async for part in answer.aiter_bytes():
        parts.append(part)  # noqa: PERF401


async def test_what_fails_halfway_breaks_the_connection(
    stocked: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    listed = LISTS["products"]
    for error in (Busy("The database is held up by other work; try again."), ValueError("a defect")):

        async def failing(context: Context, where: Any, order: Any, window: Any, error: Exception = error) -> Any:
            if window.position is not None:
                raise error
            return await listed.page(context, where, order, window)

        monkeypatch.setitem(LISTS, "products", listed._replace(page=failing))
        async with (
            served(stocked.app, ours()) as server,
            httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client,
            client.stream(
                "GET", f"{EXPORTS}/products?format=jsonl", headers={"X-API-Key": stocked.keys["readonly"]}
            ) as answer,
        ):
            assert answer.status_code == 200
            received: list[bytes] = []
            with pytest.raises(httpx2.RemoteProtocolError, match="incomplete"):
                await receive(answer, received)
            assert json.loads(b"".join(received))["gtin"] == GTIN
    monkeypatch.setitem(LISTS, "products", listed)


async def test_a_stop_of_the_server_breaks_an_export_off_without_a_traceback(
    stocked: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lists, "PAGE", 1)
    listed = LISTS["products"]

    async def waiting(context: Context, where: Any, order: Any, window: Window) -> Any:
        if window.position is not None:
            await asyncio.Event().wait()
        return await listed.page(context, where, order, window)

    monkeypatch.setitem(LISTS, "products", listed._replace(page=waiting))
    async with served(stocked.app, ours()) as server:
        server.server.config.timeout_graceful_shutdown = 0
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        key = stocked.keys["readonly"]
        writer.write(f"GET {EXPORTS}/products?format=jsonl HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n\r\n".encode())
        await reader.readuntil(GTIN.encode())
    assert not (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()
    assert [record for record in caplog.records if record.exc_info] == []


async def test_what_fails_before_the_first_part_is_a_refusal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def failing(*asked: Any) -> Any:
        raise Busy("The database is held up by other work; try again.")

    monkeypatch.setitem(LISTS, "claims", LISTS["claims"]._replace(page=failing))
    for form in FileFormat:
        if form is not FileFormat.GS1_US:
            answer = await get(world, "claims", format=form)
            assert (answer.status_code, answer.json()["error_code"]) == (503, "service_unavailable"), form
