"""Pages of what is odd: shared with somebody without the right, hostile and long names, far too much of something."""

import re
from html import unescape
from typing import Any

import pytest
from markupsafe import escape

from db.sql import tables
from domain.short_id import new_short_id
from tests.gateway.test_sessions import HERE
from tests.world import GTIN, NOON, OTHERS_GTIN, USDA_ORGANIC, World

SCRIPT = "</title><script>alert(1)</script>"
RIGHT_TO_LEFT = "\u05e9\u05d5\u05e7\u05d5\u05dc\u05d3 100%"
LONG = "W" * 255
NAMES = (SCRIPT, RIGHT_TO_LEFT, LONG, "\u202e\u202e reversed", "'\"><img src=x onerror=alert(1)>")


def key(world: World, name: str = "editor") -> dict[str, str]:
    return {"X-API-Key": world.keys[name]}


@pytest.mark.parametrize(
    ("path", "name", "status"),
    [
        (f"/app/products/{OTHERS_GTIN}", "editor", 200),
        (f"/app/products/{OTHERS_GTIN}/archive", "editor", 403),
        (f"/app/products/{GTIN}/archive", "readonly", 403),
        (f"/app/certificates/{GTIN}/{USDA_ORGANIC}/renew", "rival", 403),
        ("/app/certificates?view={view}", "rival", 404),
        ("/app/certificates?whose={brand}", "rival", 200),
        (
            "/app/certificates?where=%7B%22metadata%22%3A%7B%22key%22%3A%22kept%22%2C%22eq%22%3A%22yes%22%7D%7D",
            "rival",
            200,
        ),
        ("/app/import/{import_}", "rival", 404),
        ("/app?whose={brand}&view={view}", "rival", 404),
        ("/app/products/00000000000000", "editor", 404),
        ("/app/products/12", "editor", 422),
        ("/app/bodies/NOBODY", "editor", 404),
    ],
)
async def test_an_address_that_is_shared_is_a_page_with_no_more_than_the_reader_may_see(
    world: World, path: str, name: str, status: int
) -> None:
    form = {"name": "Ours alone", "where": "{}", "order": "gtin"}
    saved = await world.client.post("/app/certificates/views", data=form, headers=key(world))
    view = saved.headers["location"].partition("view=")[2]
    address = path.format(view=view, brand=world.brand, import_="00000000000000000000AA")
    headers = key(world, name) | {"Accept": "text/html"}
    if status == 403:
        shown = await world.client.post(address, data={"reason": "Why not"}, headers=headers)
    else:
        shown = await world.client.get(address, headers=headers)
    assert shown.status_code == status, shown.text
    assert shown.headers["content-type"].startswith("text/html")
    assert len(re.findall("<h1", shown.text)) == 1
    assert status in (200, 404) or 'role="alert"' in shown.text
    assert (
        name != "rival" or not re.search("Ours alone|NOP-1", shown.text) or path.startswith("/app/certificates?whose")
    )


@pytest.mark.parametrize("name", NAMES)
async def test_names_are_shown_as_they_are_in_whichever_direction_they_are_read(world: World, name: str) -> None:
    members = {"product_name": name, "brand": name}
    path = f"/products/api/v1/products/{GTIN}"
    stored = await world.client.patch(path, json=members, headers=key(world))
    assert stored.status_code == 200, stored.text
    given = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"
    stored = await world.client.patch(given, json={"issuing_body": name, "scope": name}, headers=key(world))
    assert stored.status_code == 200, stored.text
    for page in (
        f"/app/products/{GTIN}",
        f"/app/products/{GTIN}/edit",
        f"/app/certificates/{GTIN}/{USDA_ORGANIC}/renew",
        "/app/certificates?column=product&column=brand&column=issuing_body",
        "/app/products",
        "/app/bodies/USDA",
    ):
        shown = (await world.client.get(page, headers=key(world))).text
        assert name in unescape(shown), page
        assert "<script>alert" not in shown
        assert "<img" not in shown
        # Whatever is not in a field stands by itself, so that its direction changes nothing around it.
        assert not re.search(rf"(?<!<bdi>)(?<!class=\"name\">)(?<!>){re.escape(str(escape(name)))}<", shown), page
        for field in re.findall(r'<(?:input|textarea) id="(?:product_name|brand|issuing_body|scope)"[^>]*>', shown):
            assert 'dir="auto"' in field, field


async def test_a_name_that_is_too_long_is_refused_at_its_field_and_kept(world: World) -> None:
    form = {"product_name": "n" * 300, "brand": "Acme"}
    refused = await world.client.post(f"/app/products/{GTIN}/edit", data=form, headers=key(world))
    assert refused.status_code == 422
    assert 'id="product_name-says"' in refused.text
    assert f'value="{"n" * 300}"' in refused.text


async def test_what_was_typed_outlives_the_session(world: World) -> None:
    """Signed in, a form filled in, the session ended elsewhere, signed in anew: the same form is sent again."""
    entered: dict[str, Any] = {"data": {"api_key": world.keys["editor"]}, "headers": HERE}
    assert (await world.client.post("/sign-in", **entered)).status_code == 303
    page = (await world.client.get(f"/app/products/{GTIN}/edit")).text
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    world.client.cookies.clear()
    form = {"version": version, "product_name": "<b>Typed & kept</b>", "brand": "Acme"}
    ended = await world.client.post(f"/app/products/{GTIN}/edit", data=form, headers=HERE)
    assert ended.status_code == 401
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', ended.text))
    assert {name: unescape(value) for name, value in kept.items()} == form
    assert (await world.client.post("/sign-in", **entered)).status_code == 303
    again = {name: unescape(value) for name, value in kept.items()}
    done = await world.client.post(f"/app/products/{GTIN}/edit", data=again, headers=HERE)
    assert (done.status_code, done.headers["location"]) == (303, f"/app/products/{GTIN}?done=edit")
    assert "Typed &amp; kept" in (await world.client.get(f"/app/products/{GTIN}")).text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_ten_thousand_certificates_of_one_product_are_a_page_like_others(world: World) -> None:
    async with world.database.write() as transaction:
        for number in range(10_000):
            id = new_short_id(NOON)
            seal = {"id": id, "code": f"SEAL_{number}", "label": f"Seal {number}", "description": "", "url": ""}
            none = {"logo_url": None, "program": "", "standard": "", "organization_id": world.brand, "body_id": None}
            await transaction.insert(tables.certifications, {**seal, **none})
            days = {"valid_from": None, "expiration_date": None, "expiry_date": None}
            texts = dict.fromkeys(
                ("certificate_number", "issuing_body", "verification_url", "scope", "certification_value"), ""
            )
            held = {"gtin": GTIN, "certification_id": id, "id": new_short_id(NOON), "metadata": {}, "version": 1}
            rest = {"verification_status": "unverified", "certificate_countries": [], "standing_reason": ""}
            moments = {"created_at": NOON, "updated_at": NOON}
            await transaction.insert(tables.certification_assignments, {**held, **days, **texts, **rest, **moments})
    for path in (
        f"/app/products/{GTIN}",
        f"/app/products/{GTIN}/certify",
        f"/app/certificates?gtin={GTIN}",
        "/app",
        "/app/bodies/USDA",
        "/app/certifications/SEAL_7",
    ):
        shown = await world.client.get(path, headers=key(world))
        assert shown.status_code == 200, path
        assert len(shown.text) < 500_000, path
    assert "9,801 more in the list" in (await world.client.get(f"/app/products/{GTIN}", headers=key(world))).text
