"""The calendar of a saved view, read by the library that calendar programs are tested with."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx2
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.sql import tables
from domain import calendars as rules
from domain.calendars import Event
from files.calendar import calendar_of
from resolvers import calendars
from tests.operations.faces import Rest
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, World

TODAY = datetime.now(UTC).date()
LAST = TODAY + timedelta(100)


async def subscribed(world: World, kind: str = "certifications", **where: Any) -> str:
    """The path of a new calendar of a view."""
    rest = Rest(world)
    view = await rest.people("save view", "editor", name=f"{kind} {where}", kind=kind, where=json.dumps(where))
    made = await rest.people("make calendar", "editor", view_id=view.facts["id"])
    url: str = made.facts["url"]
    assert url.startswith("http://127.0.0.1:8000/calendar.ics?token=")
    return url[url.index("/calendar") :]


async def asked(world: World, path: str, status: int = 200, known: str = "") -> httpx2.Response:
    response = await world.client.get(path, headers={"If-None-Match": known} if known else {})
    assert response.status_code == status, response.text
    return response


def events(response: httpx2.Response) -> dict[str, Any]:
    """The events by their ids. Fails for what breaks a rule of RFC 5545."""
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in response.content.split(b"\r\n"))
    assert b"\n" not in response.content.replace(b"\r\n", b"")
    parsed = icalendar.Calendar.from_ical(response.content)
    assert (parsed["version"], parsed["prodid"]) == ("2.0", "-//certgate//certgate//EN")
    assert not parsed.errors
    found: dict[str, Any] = {}
    for event in parsed.walk("VEVENT"):
        assert not event.errors
        # What an event must have, at most once, and the day of an all-day event is a date (section 3.6.1).
        for name in ("UID", "DTSTAMP", "DTSTART", "SUMMARY", "SEQUENCE", "TRANSP", "DESCRIPTION", "CATEGORIES"):
            assert not isinstance(event[name], list), name
        assert event["DTSTART"].params["VALUE"] == "DATE"
        assert type(event.decoded("DTSTART")) is date
        assert event.decoded("DTSTAMP").tzinfo is not None
        assert event["UID"] not in found
        found[str(event["UID"])] = event
    return found


def days(found: dict[str, Any]) -> set[date]:
    return {event.decoded("DTSTART") for event in found.values()}


async def held(world: World, last: date = LAST) -> str:
    """The id of a certification that a product holds, and which lapses."""
    members = {"expiration_date": last.isoformat(), "issuing_body": "Oregon Tilth; Inc, \\ Co"}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **members)).ok
    (row,) = await world.rows(tables.certification_assignments)
    columns = [column.name for column in tables.certification_assignments.columns]
    return str(row[columns.index("id")])


async def test_each_lapse_is_there_at_its_lead_times_and_on_its_day(world: World) -> None:
    id = await held(world)
    path = await subscribed(world, mine=True)
    found = events(await asked(world, path))
    leads = {f"{id}-{days}-days-before@certgate": LAST - timedelta(days) for days in (90, 60, 30)}
    expected = {**leads, f"{id}-lapse@certgate": LAST}
    assert {uid: event.decoded("DTSTART") for uid, event in found.items()} == expected
    event = found[f"{id}-lapse@certgate"]
    assert event["SUMMARY"] == "USDA Organic lapses: Acme Oat drink"
    assert event["DESCRIPTION"] == (
        f"GTIN {GTIN}; last day {LAST}; certificate NOP-1; issued by Oregon Tilth; Inc, \\ Co"
    )
    assert found[f"{id}-60-days-before@certgate"]["SUMMARY"] == "USDA Organic lapses in 60 days: Acme Oat drink"
    assert (event["SEQUENCE"], event["TRANSP"]) == (2, "TRANSPARENT")
    text = (await asked(world, path)).text
    for line in ("REFRESH-INTERVAL;VALUE=DURATION:PT12H", "X-PUBLISHED-TTL:PT12H"):
        assert f"\r\n{line}\r\n" in text


async def test_what_is_suspended_on_its_last_day_says_so(world: World) -> None:
    id = await held(world)
    path = await subscribed(world)
    told = f"{id}-lapse@certgate"
    one = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}/suspend"
    for until, summary in (
        (LAST - timedelta(1), "USDA Organic lapses: Acme Oat drink"),
        (None, "USDA Organic, suspended, lapses: Acme Oat drink"),
    ):
        said = {"reason": "Residues", **({"suspended_until": until.isoformat()} if until else {})}
        answer = await world.client.post(one, json=said, headers={"X-API-Key": world.keys["editor"]})
        assert answer.status_code == 200, answer.text
        assert events(await asked(world, path))[told]["SUMMARY"] == summary


async def test_a_renewal_moves_what_is_there_and_a_removal_takes_it_away(world: World) -> None:
    id = await held(world)
    path = await subscribed(world)
    before = events(await asked(world, path))
    later = LAST + timedelta(365)
    assert await held(world, later) == id
    after = events(await asked(world, path))
    assert before.keys() == after.keys()
    for uid, event in after.items():
        assert event.decoded("DTSTART") - before[uid].decoded("DTSTART") == timedelta(365)
        assert event["SEQUENCE"] == before[uid]["SEQUENCE"] + 1
        assert event.decoded("DTSTAMP") >= before[uid].decoded("DTSTAMP")
    assert (await Rest(world).remove_certification(GTIN, USDA_ORGANIC)).ok
    gone = events(await asked(world, path))
    assert gone.keys() == after.keys()
    for uid, event in gone.items():
        assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", after[uid]["SEQUENCE"] + 1)
        assert event.decoded("DTSTART") == after[uid].decoded("DTSTART")
    # It is the same each time, and whoever never saw it is told nothing.
    assert events(await asked(world, path)).keys() == gone.keys()
    tag = (await asked(world, path)).headers["etag"]
    assert (await asked(world, path, 304, tag)).content == b""
    assert events(await asked(world, await subscribed(world, mine=True))) == {}


async def test_what_was_removed_is_cancelled_for_90_days_and_what_leaves_the_view_is_not(world: World) -> None:
    id = await held(world)
    path = await subscribed(world, verificationStatus={"eq": "UNVERIFIED"})
    assert len(events(await asked(world, path))) == 4
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, verification_status="verified")).ok
    assert events(await asked(world, path)) == {}
    shown = {id: [str(LAST), 1, [90], "x"], "b" * 22: [str(LAST), 1, [90], "y"]}
    now = datetime(2027, 1, 1, tzinfo=UTC)
    memory = rules.remembered(shown, {}, {id}, now)
    assert memory == {id: [*shown[id], "2027-01-01T00:00:00+00:00"]}
    assert rules.remembered(memory, {}, (), now + timedelta(days=90, seconds=-1)) == memory
    assert rules.remembered(memory, {}, (), now + timedelta(days=90)) == {}
    assert rules.remembered(memory, {id: shown[id]}, (), now) == {id: shown[id]}


async def test_what_stays_the_same_is_told_by_its_tag(world: World) -> None:
    await held(world)
    path = await subscribed(world)
    first = await asked(world, path)
    tag = first.headers["etag"]
    assert not tag.startswith("W/")
    assert first.headers["cache-control"] == "private, no-cache"
    again = await asked(world, path, 304, tag)
    assert (again.content, again.headers["etag"]) == (b"", tag)
    assert (await asked(world, path)).content == first.content
    await held(world, LAST + timedelta(1))
    assert (await asked(world, path, known=tag)).headers["etag"] != tag
    head = await world.client.head(path)
    assert (head.status_code, head.headers["content-type"]) == (200, "text/calendar; charset=utf-8")


async def test_lead_times_are_the_organisation_s(world: World) -> None:
    await held(world)
    await world.add_certification(GTIN, PRIVATE, expiration_date=LAST)
    assert (await Rest(world).assign_claim(GTIN, NON_GMO, expiration_date=LAST.isoformat())).ok
    path = await subscribed(world, "products", mine=True)
    assert len(events(await asked(world, path))) == 3 * 4
    rest = Rest(world)
    assert (await rest.people("set lead times", "editor", days=[10])).ok
    assert (await rest.people("set lead times", for_certification=USDA_ORGANIC, days=[120, 45, 45])).ok
    found = events(await asked(world, path))
    of_organic = {event.decoded("DTSTART") for event in found.values() if "Organic" in event["SUMMARY"]}
    assert of_organic == {LAST - timedelta(days) for days in (120, 45, 0)}
    assert days(found) == of_organic | {LAST - timedelta(10)}
    assert len(found) == 3 + 2 + 2
    assert (await rest.people("set lead times", for_certification=USDA_ORGANIC)).facts["days"] == [10]
    assert len(events(await asked(world, path))) == 3 * 2


async def test_a_calendar_ends_with_its_view_and_by_itself(world: World) -> None:
    rest = Rest(world)
    paths = [await subscribed(world, "claims"), await subscribed(world, "claims", mine=True)]
    headers = {"X-API-Key": world.keys["readonly"]}
    listed = await world.client.get(f"/account/api/v1/organizations/{world.brand}/calendars", headers=headers)
    first, second = listed.json()
    assert (await rest.people("end calendar", "editor", calendar_id=first["id"])).ok
    assert (await rest.people("remove view", "editor", view_id=second["view_id"])).ok
    for path in (*paths, "/calendar.ics", "/calendar.ics?token=", "/calendar.ics?token=%00", f"{paths[0]}x"):
        gone = await asked(world, path, 404)
        assert gone.json()["error_code"] == "not_found"
        assert "ask who gave it to you" in gone.json()["detail"]
    assert await world.rows(tables.calendars) == []


async def test_a_token_is_stored_nowhere_and_only_reads(world: World) -> None:
    path = await subscribed(world)
    token = path.partition("token=")[2]
    assert token not in repr([await world.rows(table) for table in tables.metadata.sorted_tables])
    for method in ("POST", "PUT", "DELETE"):
        assert (await world.client.request(method, path)).status_code == 405
    for headers in ({"X-API-Key": token}, {"Authorization": f"Bearer {token}"}, {"Cookie": f"sessionid={token}"}):
        answer = await world.client.get(f"/account/api/v1/whoami?token={token}", headers=headers)
        assert answer.status_code == 401


async def test_what_is_shown_is_what_the_organisation_may_see(world: World) -> None:
    await held(world)
    await world.add_certification(GTIN, PRIVATE, expiration_date=LAST)
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE, expiration_date=LAST)
    assert len(events(await asked(world, await subscribed(world)))) == 3 * 4
    assert len(events(await asked(world, await subscribed(world, mine=True)))) == 2 * 4


async def test_a_view_that_no_longer_parses_is_refused_with_its_sentence(world: World) -> None:
    path = await subscribed(world)
    async with world.database.write() as transaction:
        await transaction.execute(tables.views.update().values(where='{"taste": {}}'))
    refused = await asked(world, path, 422)
    assert refused.json()["detail"].startswith("Validation error. view.where.taste: Input should be one of ")


@pytest.mark.parametrize("kind", ["certifications", "products"])
async def test_a_calendar_has_an_end(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    await held(world)
    for module in (rules, calendars):
        monkeypatch.setattr(module, "MAX_LAPSES", 2)
    monkeypatch.setattr("gateway.pages.calendar.MAX_LAPSES", 2)
    monkeypatch.setattr(calendars, "PAGE", 1)
    for offset, definition in ((1, FAIR_TRADE), (-1, PRIVATE), (-300, None)):
        if definition is not None:
            await world.add_certification(GTIN, definition, expiration_date=LAST + timedelta(offset))
    response = await asked(world, await subscribed(world, kind))
    found = events(response)
    assert {event["SUMMARY"].partition(" lapses")[0] for event in found.values()} == {
        "Brand's own seal",
        "USDA Organic",
    }
    assert "It shows the first 2 of them" in str(icalendar.Calendar.from_ical(response.content)["X-WR-CALDESC"])


async def test_what_has_passed_is_shown_for_a_while(world: World) -> None:
    path = await subscribed(world)
    await held(world, TODAY - timedelta(90))
    assert len(events(await asked(world, path))) == 4
    await held(world, TODAY - timedelta(91))
    assert events(await asked(world, path)) == {}


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def plain(text: str) -> Iterator[str]:
    """The characters that a calendar may hold, with line ends as it knows them."""
    for character in "\n".join(text.splitlines()):
        if character in "\n\t" or (ord(character) >= 32 and not 127 <= ord(character) < 160):
            yield character


@given(summary=TEXTS, description=TEXTS, day=st.dates())
def test_any_text_comes_back_as_it_was(summary: str, description: str, day: date) -> None:
    event = Event("x@certgate", 3, datetime(2026, 11, 30, tzinfo=UTC), day, summary, description, "Claim", "")
    written = calendar_of("c@certgate", summary, "", [event])
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    (read,) = icalendar.Calendar.from_ical(written).walk("VEVENT")
    assert (str(read["SUMMARY"]), str(read["DESCRIPTION"])) == ("".join(plain(summary)), "".join(plain(description)))
    assert read.decoded("DTSTART") == day
