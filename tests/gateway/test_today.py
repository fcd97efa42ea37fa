"""Today: every number on it is the length of the list that it opens, and lapses are taken on in place."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from random import Random
from typing import Any

import httpx2
import pytest

from db import date_events
from db.sql import tables
from domain.vocabulary import ClaimSource, VerificationStatus
from tests.db.test_lists import gtin
from tests.operations.faces import Rest
from tests.operations.test_statements import statements
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, PRIVATE, USDA_ORGANIC, VEGAN, World

TODAY = datetime.now(UTC).date()
FIGURE = re.compile(r'<a (?:class="figure [^"]*" )?href="(/app/\w+\?[^"]*total=1[^"]*)">(?:<b>)?([\d,]+)<')


def key(world: World, name: str = "editor") -> dict[str, str]:
    return {"X-API-Key": world.keys[name]}


async def shown(world: World, path: str, name: str = "editor") -> str:
    answer = await world.client.get(path, headers=key(world, name))
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
async def stocked(world: World) -> World:
    """60 products of two organisations whose facts are drawn by chance, their days around today."""
    choose, today = Random(3), TODAY
    days = [
        None,
        *(today + timedelta(days=days) for days in (-400, -30, -1, 0, 1, 6, 7, 8, 30, 31, 59, 61, 90, 91, 300)),
    ]
    for number in range(100, 160):
        owner = choose.choice([world.brand, world.brand, world.rival])
        code = gtin(number)
        await world.add_product(
            code, owner, f"<script>{number}</script>", brand=choose.choice(["Acme", "אופה", "B" * 300][:2])
        )
        for definition in choose.sample([USDA_ORGANIC, FAIR_TRADE, PRIVATE], choose.randrange(4)):
            await world.add_certification(
                code,
                definition,
                verification_status=choose.choice(list(VerificationStatus)),
                expiration_date=choose.choice(days),
                expiry_date=choose.choice(days),
                withdrawn_on=choose.choice([None, None, None, *days[1:]]),
            )
        for definition in choose.sample([NON_GMO, VEGAN], choose.randrange(3)):
            await claim(
                world,
                code,
                "rival" if owner == world.rival else "editor",
                claim_id=definition,
                source=choose.choice(list(ClaimSource)),
                expiration_date=str(choose.choice(days[1:])),
                evidence_url=choose.choice(["", "https://example.org/report"]),
                evidence_note=choose.choice(["", "Lab report 7"]),
            )
    page = await shown(world, "/app/certificates?whose=mine&standing=current")
    for path in re.findall(r'href="/app/products/(\d{14})"', page)[:3]:
        await take_on(world, "certificates", path, USDA_ORGANIC)
    return world


async def claim(world: World, code: str, name: str, **members: str) -> None:
    path = f"/certifications/api/v1/products/{code}/claims"
    made = await world.client.post(path, json=members, headers=key(world, name))
    assert made.status_code == 201, made.text


async def take_on(world: World, name: str, code: str, definition: str, **entered: str) -> httpx2.Response:
    form = {"as": "taken_on", "reason": "The audit is on 20 January.", "until": str(TODAY + timedelta(days=9))}
    path = f"/app/{name}/{code}/{definition}/taken-on"
    return await world.client.post(path, data=form | entered, headers=key(world))


async def length(world: World, address: str) -> int:
    """What the list says of its length; where it does so by its rows, those are counted, too."""
    page = await shown(world, unescape(address))
    said = re.search(r'id="total">\s*([\d,]+) in all', page)
    assert said, address
    number = int(said[1].replace(",", ""))
    if number <= 50:
        assert len(re.findall("<tr>", page.partition("<tbody>")[2])) == number
    return number


async def compared(world: World, path: str) -> dict[str, int]:
    """The numbers on the page by what they open, each of which has as many."""
    figures = {address: int(number.replace(",", "")) for address, number in FIGURE.findall(await shown(world, path))}
    for address, number in figures.items():
        assert await length(world, address) == number, address
    return figures


async def test_every_number_is_the_length_of_the_list_that_it_opens(stocked: World) -> None:
    figures = await compared(stocked, "/app")
    assert len(figures) > 20
    assert sum(map(bool, figures.values())) > 15


async def test_a_lead_time_of_its_own_decides_what_is_due(stocked: World) -> None:
    due = re.compile(r'href="(/app/certificates\?[^"]*where=[^"]*)"')
    assert due.findall(await shown(stocked, "/app")) == []
    path = f"/account/api/v1/organizations/{stocked.brand}/lead-times/{USDA_ORGANIC}"
    set_ = await stocked.client.post(
        path.rpartition("/")[0], json={"days": [7], "for_certification": USDA_ORGANIC}, headers=key(stocked, "manager")
    )
    assert set_.status_code < 300, set_.text
    figures = await compared(stocked, "/app?anew=1")
    assert any("where=" in address for address in figures)


async def test_a_view_narrows_the_numbers_down(stocked: World) -> None:
    path = f"/account/api/v1/organizations/{stocked.brand}/views"
    view = {"name": "Organic", "kind": "certifications", "where": '{"certification": {"code": {"eq": "USDA_ORGANIC"}}}'}
    made = await stocked.client.post(path, json=view, headers=key(stocked, "manager"))
    every, own = await compared(stocked, "/app"), await compared(stocked, f"/app?view={made.json()['id']}")
    assert 8 < len(own) < len(every)
    assert all(address.startswith("/app/certificates?view=") for address in own)
    # Figures of something else would pass for those of what is not there any more.
    for path in ("?view=x", "?whose=y", "/certificates?view=x", f"/certificates?view={USDA_ORGANIC}"):
        missing = await stocked.client.get(f"/app{path}", headers=key(stocked))
        assert (missing.status_code, missing.headers["content-type"][:9]) == (404, "text/html"), path


async def test_a_brand_narrows_the_numbers_down_beside_a_view_or_alone(stocked: World) -> None:
    every, own = await compared(stocked, "/app"), await compared(stocked, "/app?brand=ACME")
    assert len(own) == len(every)
    assert 0 < sum(own.values()) < sum(every.values())
    assert all("brand=ACME" in address for address in own)
    # Other figures would pass for those of what is no brand.
    refused = await stocked.client.get(f"/app?brand={'x' * 400}", headers=key(stocked))
    assert (refused.status_code, "There is no such brand" in refused.text) == (404, True)


async def test_what_is_suspended_and_what_is_withdrawn_is_counted(stocked: World) -> None:
    page = await shown(stocked, "/app/certificates?standing=current")
    (row, other, *_) = re.findall(r'name="row" value="([^"]+)"', page)
    for each, act in ((row, "suspend"), (other, "withdraw")):
        done = await stocked.client.post(
            f"/app/certificates/{each.replace(' ', '/')}/{act}",
            data={"reason": "An audit failed."},
            headers=key(stocked),
        )
        assert done.status_code == 303, done.text
    figures = await compared(stocked, "/app")
    assert [number > 0 for address, number in figures.items() if "standing=suspended" in address] == [True]
    assert [number > 0 for address, number in figures.items() if "standing=withdrawn" in address] == [True]


async def test_what_days_bring_and_what_arrives_nowhere_is_said(world: World) -> None:
    now = datetime.now(UTC)
    hook: dict[str, Any] = {
        "id": "hook",
        "organization_id": world.brand,
        "url": "https://hooks.example.org/<b>",
        "description": "",
        "view_id": None,
        "types": [],
        "is_enabled": True,
        "failing_since": now,
        "tested_at": None,
        "problem": "The receiver answered 500.",
        "created_at": now,
        "updated_at": now,
        "version": 1,
        "secret": "",
        "secret_before": "",
        "rotated_at": None,
        "position": 0,
        "ahead": {},
        "attempts": 3,
        "due_at": now + timedelta(days=1),
        "test_id": "",
        "deliveries": [],
    }
    await date_events.begin(world.database, TODAY)
    async with world.database.write() as transaction:
        await transaction.insert(tables.webhooks, hook)
    page = await shown(world, "/app", "manager")
    assert "https://hooks.example.org/&lt;b&gt;" in page
    assert "The receiver answered 500." in page
    assert "What days bring is told up to" in page
    # Editors have nothing to do with webhooks.
    assert "hooks.example.org" not in await shown(world, "/app")


async def test_a_lapse_is_taken_on_changed_and_given_back(world: World) -> None:
    until = TODAY + timedelta(days=5)
    await world.add_product(gtin(7), world.brand)
    await world.add_certification(gtin(7), USDA_ORGANIC, expiration_date=until)
    page = await shown(world, "/app")
    assert f"/app/certificates/{gtin(7)}/{USDA_ORGANIC}/taken-on?back=/app" in page
    done = await take_on(world, "certificates", gtin(7), USDA_ORGANIC, back="/app?whose=mine")
    assert (done.status_code, done.headers["location"]) == (303, "/app?whose=mine")
    assert "The audit is on 20 January." in await shown(
        world, f"/app/certificates/{gtin(7)}/{USDA_ORGANIC}/taken-on?close=1"
    )
    by_code = f"/app/certificates/{gtin(7)}/USDA_ORGANIC/taken-on?close=1"
    assert "The audit is on 20 January." in await shown(world, by_code)
    # Whoever comes by sees who has it and why, in the list and at the product.
    for elsewhere in ("/app/certificates?taken_on=yes", f"/app/products/{gtin(7)}"):
        told = (await shown(world, elsewhere)).partition("<main")[2]
        assert re.search(r"by \S+, until [^:]*: <bdi>The audit is on 20 January.", told), elsewhere
    # With htmx the row comes alone.
    path = f"/app/certificates/{gtin(7)}/{USDA_ORGANIC}/taken-on"
    form = {"as": "asked", "until": str(until), "reason": "<script>"}
    row = await world.client.post(path, data=form, headers=key(world) | {"HX-Request": "true"})
    assert row.text.strip().startswith("<tr")
    assert "Asked for renewal: &lt;script&gt;" in row.text
    row = await world.client.post(path, data={"as": "given_back"}, headers=key(world) | {"HX-Request": "true"})
    assert "Asked for renewal" not in row.text


@pytest.mark.parametrize(("days", "proposed"), [(90, 30), (30, 29), (5, 4), (1, 0), (0, 0), (-1, 30)])
async def test_the_day_that_is_proposed_lies_before_the_lapse(world: World, days: int, proposed: int) -> None:
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=TODAY + timedelta(days=days))
    assert (await Rest(world).assign_claim(GTIN, NON_GMO, expiration_date=str(TODAY + timedelta(days=days)))).ok
    for path in (f"certificates/{GTIN}/{FAIR_TRADE}", f"claims/{GTIN}/{NON_GMO}"):
        asked = await shown(world, f"/app/{path}/taken-on")
        assert f'value="{TODAY + timedelta(days=proposed)}"' in asked, path


@pytest.mark.parametrize(
    ("entered", "status", "said"),
    [
        ({"until": "2020-01-01"}, 422, "Date should be today"),
        ({"until": "soon"}, 422, "until"),
        ({"reason": "x" * 501}, 422, "at most 500"),
    ],
)
async def test_what_is_refused_is_said_at_its_field_and_kept(
    world: World, entered: dict[str, str], status: int, said: str
) -> None:
    await world.add_certification(GTIN, FAIR_TRADE, expiration_date=TODAY)
    refused = await take_on(world, "certificates", GTIN, FAIR_TRADE, **entered)
    assert refused.status_code == status
    assert said in refused.text
    assert 'aria-invalid="true"' in refused.text
    assert next(iter(entered.values())) in refused.text


async def test_what_is_not_there_or_not_allowed_is_a_page(world: World) -> None:
    answers: list[Any] = [
        await take_on(world, "certificates", gtin(99), USDA_ORGANIC),
        await take_on(world, "claims", GTIN, USDA_ORGANIC),
        await world.client.post(
            f"/app/certificates/{GTIN}/{USDA_ORGANIC}/taken-on",
            data={"until": str(TODAY), "reason": "x"},
            headers=key(world, "readonly"),
        ),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 403]
    assert all('role="alert"' in answer.text for answer in answers)


async def test_figures_are_held_and_found_anew(stocked: World) -> None:
    numbers = []
    for path in ("/app", "/app", "/app?anew=1"):
        async with statements(stocked) as seen:
            await shown(stocked, path)
        numbers.append(len(seen))
    first, second, third = numbers
    assert second < 12
    # Each list is gone through once, whatever the number of its figures.
    assert second + 8 < third <= second + 25
    assert first <= third + 6


async def test_what_changed_since_the_last_visit(world: World) -> None:
    now = int(NOON.timestamp())
    world.client.cookies.set("visits", f"{now - 9}.{now - 1}", path="/app")
    page = await shown(world, "/app")
    assert ("changed_since=" in page, "since your last visit" in page) == (True, True)
    # On the first there was none before, however often it is looked at.
    world.client.cookies.clear()
    for _ in range(2):
        page = await shown(world, "/app")
        assert ("in the last week" in page, "since your last visit" in page) == (True, False)
    for cookie in (b"x", b"1.2.3", b"-1.9", b"9" * 40, b"\xb2.\xb3"):
        headers = {b"X-API-Key": world.keys["editor"].encode(), b"Cookie": b"visits=" + cookie}
        assert (await world.client.get("/app", headers=headers)).status_code == 200
