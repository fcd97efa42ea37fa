"""The public proof of a product: who is shown it, what is on it and what is not, and for how long it is good."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx2
import msgspec
import pytest

from gateway.pages.proof import LIFE, kept_for
from tests.operations.faces import GraphQL, Rest
from tests.operations.test_statements import statements
from tests.world import FAIR_TRADE, GTIN, NON_GMO, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, VEGAN, World

PAGE = f"/products/{GTIN}"
LABEL = f"{PAGE}/label.svg"
NOWHERE = "/products/09520000000035"
TODAY = datetime.now(UTC).date()


def later(days: int) -> str:
    return (TODAY + timedelta(days)).isoformat()


def in_letters(days: int) -> str:
    day = TODAY + timedelta(days)
    return f"{day.day} {day:%b} {day.year}"


async def asked(world: World, path: str, accept: str = "text/html", **headers: str) -> httpx2.Response:
    return await world.client.get(path, headers={"Accept": accept, **headers})


@pytest.fixture
async def shown(world: World) -> World:
    """Of everything something, in the open."""
    rest = Rest(world)
    assert (await rest.people("show anybody", is_enabled=True)).ok
    assert (
        await rest.patch_certification(
            GTIN,
            USDA_ORGANIC,
            verification_status="verified",
            expiration_date=later(10),
            metadata={"a": "a secret"},
        )
    ).ok
    await world.add_certification(GTIN, FAIR_TRADE, certificate_number="FT-1")
    await world.add_certification(GTIN, PRIVATE, scope="Nobody's business")
    secret = {"evidence_url": "https://example.org/secret.pdf", "evidence_note": "a secret"}
    assert (await rest.assign_claim(GTIN, VEGAN, **secret)).ok
    assert (await rest.assign_claim(GTIN, NON_GMO, source="THIRD_PARTY_VERIFIED", **secret)).ok
    return world


def parts(text: str) -> dict[str, str]:
    """The sections of the page by their names."""
    return {
        name: unescape(body)
        for name, body in re.findall(r'<section aria-labelledby="(\w+)">(.*?)</section>', text, re.DOTALL)
    }


def linked_data(text: str) -> Any:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
    return msgspec.json.decode(found)


async def test_anybody_sees_what_holds_and_what_was_not_verified(shown: World) -> None:
    answer = await asked(shown, PAGE)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    said = parts(answer.text)
    assert list(said) == ["verified", "unverified", "third_party", "declared", "reading"]
    for text in ("USDA Organic", "NOP-1", in_letters(10), "Verified"):
        assert text in said["verified"], text
    assert "FT-1" in said["unverified"]
    assert "nobody has compared this" in said["unverified"]
    assert "nobody independent has checked" in said["declared"]
    assert ("Vegan" in said["declared"], "Vegan" in said["third_party"]) == (True, False)
    # Evidence, notes, what is private, and people stay inside.
    for text in ("secret", "Nobody's business", "@", shown.brand):
        assert text not in unescape(re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL)), text
    assert "secret" not in answer.text
    # The document is that of a key that anybody may see.
    path = f"/certifications/api/v1/products/{GTIN}?format=jsonld"
    known = await shown.client.get(path, headers={"X-API-Key": shown.keys["publishable"]})
    document = linked_data(answer.text)
    assert {item["schema:name"] for item in document["gs1:certification"]} == {"USDA Organic", "Fair Trade USA"}
    by_name = [
        sorted(each["gs1:certification"], key=lambda one: one["schema:name"]) for each in (document, known.json())
    ]
    assert by_name[0] == by_name[1]
    for accept in ("application/ld+json", "application/json"):
        assert (await asked(shown, PAGE, accept)).json() == document


async def test_what_does_not_hold_today_says_so(shown: World) -> None:
    rest = Rest(shown)
    assert (await rest.certificate("suspend", GTIN, USDA_ORGANIC, reason="a secret")).ok
    text = (await asked(shown, PAGE)).text
    said = parts(text)
    assert "No certificate that holds today was verified." in said["verified"]
    assert ("USDA Organic" in said["ended"], "It is suspended." in said["ended"]) == (True, True)
    assert "secret" not in text
    label = await asked(shown, LABEL)
    assert "USDA Organic" not in label.text
    assert "No verified certificate today" in label.text


async def test_until_a_renewal_begins_the_certificate_before_it_is_shown(shown: World) -> None:
    rest = Rest(shown)
    members = {"valid_from": later(11), "expiration_date": later(400), "certificate_number": "NOP-2"}
    assert (await rest.certificate("renew", GTIN, USDA_ORGANIC, **members)).ok
    page, document, label = [
        await asked(shown, path, accept)
        for path, accept in ((PAGE, "text/html"), (PAGE, "application/ld+json"), (LABEL, "image/*"))
    ]
    said = parts(page.text)
    assert ("NOP-1" in said["verified"], in_letters(10) in said["verified"], "ended" in said) == (True, True, False)
    assert f"USDA Organic, until {in_letters(10)}" in label.text
    for each in (page, document, label):
        for text in ("NOP-2", later(11), later(400), in_letters(11), in_letters(400)):
            assert text not in each.text, text
    (held,) = [each for each in document.json()["gs1:certification"] if each["schema:name"] == "USDA Organic"]
    ends = (held["gs1:certificationIdentification"], held["gs1:certificationEndDate"], held["schema:expires"])
    assert ends == ("NOP-1", later(10), later(10))
    assert held["gs1:certificationStatus"] == "gs1:CertificationStatus-ACTIVE"
    # Programs with a key are told the same, but for the contract's own form, which has the newest.
    path, key = f"/certifications/api/v1/products/{GTIN}", {"X-API-Key": shown.keys["publishable"]}
    linked = (await shown.client.get(f"{path}?format=jsonld", headers=key)).json()
    assert held in linked["gs1:certification"]
    report = (await shown.client.get(f"{path}?format=gs1us", headers=key)).json()
    (told,) = report["products"][0]["certificationInfo"]
    assert (told["certificateId"], told["endDate"], told["status"]) == ("NOP-1", later(10), "ACTIVE")
    newest = (await shown.client.get(path, headers=key)).json()["certifications"]
    assert "NOP-2" in [each["certificate_number"] for each in newest]
    # What is suspended meanwhile is the one that would hold.
    assert (await rest.certificate("suspend", GTIN, USDA_ORGANIC, reason="x")).ok
    ended = parts((await asked(shown, PAGE)).text)["ended"]
    assert ("NOP-1" in ended, "NOP-2" in ended, "It is suspended." in ended) == (True, False, True)


async def test_a_renewal_that_has_begun_is_shown(shown: World) -> None:
    members = {"valid_from": later(0), "expiration_date": later(400), "certificate_number": "NOP-2"}
    assert (await Rest(shown).certificate("renew", GTIN, USDA_ORGANIC, **members)).ok
    said = parts((await asked(shown, PAGE)).text)
    assert ("NOP-2" in said["unverified"], "NOP-1" in str(said)) == (True, False)


async def test_a_label_says_until_when_and_can_stand_on_other_sites(shown: World) -> None:
    answer = await asked(shown, LABEL, "image/*")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    root = ET.fromstring(answer.content)
    (title,) = root.findall("{http://www.w3.org/2000/svg}title")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id")
    assert f"USDA Organic, until {in_letters(10)}" in str(title.text)
    assert [text.text for text in root.findall("{http://www.w3.org/2000/svg}text")][1:3] == [
        "USDA Organic",
        f"until {in_letters(10)}",
    ]


@pytest.mark.parametrize("path", [PAGE, LABEL])
async def test_copies_are_good_until_the_day_is_over_and_for_an_hour_at_most(shown: World, path: str) -> None:
    answer = await asked(shown, path)
    life = int(answer.headers["cache-control"].removeprefix("public, max-age="))
    assert 0 <= life <= LIFE
    assert "set-cookie" not in answer.headers
    known = await asked(shown, path, **{"If-None-Match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")
    # Whoever has signed in is shown the same.
    as_member = await asked(shown, path, **{"X-API-Key": shown.keys["manager"], "Accept-Language": "en-US"})
    assert as_member.content == answer.content
    assert (await shown.client.head(path, headers={"Accept": "text/html"})).headers["etag"] == answer.headers["etag"]
    assert (await Rest(shown).certificate("suspend", GTIN, USDA_ORGANIC, reason="x")).ok
    assert (await asked(shown, path, **{"If-None-Match": answer.headers["etag"]})).status_code == 200


def test_no_copy_outlives_the_day() -> None:
    noon = datetime(2026, 11, 30, 12, tzinfo=UTC)
    assert kept_for(noon) == "public, max-age=3600"
    assert kept_for(noon.replace(hour=23, minute=59, second=30)) == "public, max-age=30"


@pytest.mark.parametrize("behind", ["", "/label.svg"])
async def test_what_is_not_shown_is_not_there(world: World, behind: str) -> None:
    paths = [PAGE, f"/products/{OTHERS_GTIN}", NOWHERE, "/products/x", "/products/123456789012345"]
    found = []
    for path in paths:
        async with statements(world) as sent:
            answer = await asked(world, path + behind)
        headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id", "date")}
        found.append((answer.status_code, re.sub(r"\d+", "", str(headers)), answer.content))
        if answer.status_code == 404 and len(path) == len(PAGE):
            assert len(sent) == 1
    assert [each[0] for each in found] == [404] * len(paths)
    assert len(set(found)) == 1
    assert "There is no such page" in found[0][2].decode()
    assert b"Sign in" not in found[0][2]
    assert (await asked(world, PAGE + behind, "application/json")).json()["error_code"] == "not_found"
    # Off again is off, and so is what was archived.
    face = GraphQL(world)
    for is_enabled in (True, False):
        assert (await face.people("show anybody", is_enabled=is_enabled)).ok
        assert (await asked(world, PAGE + behind)).status_code == (200 if is_enabled else 404)
    assert (await face.people("show anybody", is_enabled=True)).ok
    assert (await asked(world, f"/products/{OTHERS_GTIN}{behind}")).status_code == 404
    assert (await face.archive_product(GTIN)).ok
    assert (await asked(world, PAGE + behind)).status_code == 404


async def test_each_request_is_counted_by_address_whatever_it_finds(world: World) -> None:
    key = {"X-API-Key": world.keys["manager"]}
    left = [int((await asked(world, path, **key)).headers["ratelimit-remaining"]) for path in (PAGE, NOWHERE, LABEL)]
    assert left == [left[0], left[0] - 1, left[0] - 2]


async def test_a_gtin_has_one_address(world: World) -> None:
    for path, to in (
        ("/products/614141107346", "/products/00614141107346"),
        ("/products/40170725", "/products/00000040170725"),
    ):
        for behind in ("", "/label.svg"):
            answer = await asked(world, path + behind)
            assert (answer.status_code, answer.headers["location"]) == (308, to + behind)
    slash = await asked(world, f"{PAGE}/")
    assert (slash.status_code, slash.headers["location"]) == (308, PAGE)


async def test_a_name_ends_no_script(shown: World) -> None:
    name = "</script><script>alert(1)</script><!--"
    assert (await Rest(shown).patch_product(GTIN, product_name=name)).ok
    text = (await asked(shown, PAGE)).text
    assert text.count("<script") == 1
    assert linked_data(text)["schema:name"] == name
    assert name not in (await asked(shown, LABEL)).text


async def test_a_product_leads_to_its_proof_where_it_has_one(world: World) -> None:
    for is_enabled in (False, True):
        assert (await Rest(world).people("show anybody", is_enabled=is_enabled)).ok
        text = (await world.client.get(f"/app{PAGE}", headers={"X-API-Key": world.keys["readonly"]})).text
        assert (f'href="{PAGE}"' in text) is is_enabled
