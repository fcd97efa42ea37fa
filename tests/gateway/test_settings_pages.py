"""The pages of the settings: who may do what there, what is refused where, and what is shown once."""

import json
import re
from html import unescape
from typing import Any

import pytest

from domain.errors import AlreadyExists, InvalidInput, Violation
from domain.vocabulary import KeyKind, Role
from resolvers.keys import set_member
from tests.gateway.test_product_pages import entered, get
from tests.gateway.test_product_pages import send as send_fields
from tests.gateway.test_sessions import HERE
from tests.world import GTIN, NOTHING, World
from workbench.forms import FormMember, refused_form
from workbench.settings.pages import ACTS, SETTINGS

ROOT = "/app/settings"
SECTIONS = ("people", "keys", "sessions", "views", "webhooks", "reminders", "proof", "health")
FOR_MANAGERS = ("people", "keys", "sessions", "webhooks", "health")
ANN = "ann@example.org"


async def send(world: World, path: str, key: str = "editor", **fields: Any) -> tuple[int, str, str]:
    """As the other, also of a form that asks for nothing, of which browsers say that it is one."""
    return await send_fields(world, path, key, **(fields or {"sure": "yes"}))


async def account(world: World, path: str = "", key: str = "manager") -> Any:
    """What the Account API tells of the organisation."""
    answer = await world.client.get(
        f"/account/api/v1/organizations/{world.brand}{path}", headers={"X-API-Key": world.keys[key]}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def shown_once(world: World, path: str, key: str = "manager", **fields: Any) -> str:
    """What a form shows when it was sent with what it begins with and this."""
    _, text = await get(world, path, key)
    status, _, text = await send(world, path, key, **(entered(text) | fields))
    assert status == 200, text
    return str(re.findall(r'<input id="secret" [^>]*value="([^"]+)"', text)[0])


async def test_every_page_is_shown_to_a_manager_and_says_to_others_whom_to_ask(world: World) -> None:
    for section in ("", *(f"/{name}" for name in SECTIONS)):
        status, text = await get(world, ROOT + section, "manager")
        assert (status, 'aria-current="page"' in text) == (200, True), section
    for key in ("editor", "readonly"):
        statuses = {name: (await get(world, f"{ROOT}/{name}", key))[0] for name in SECTIONS}
        assert statuses == {name: 403 if name in FOR_MANAGERS else 200 for name in SECTIONS}
        assert "This is for managers" in (await get(world, f"{ROOT}/people", key))[1]
        assert (await get(world, ROOT, key))[0] == 200
    # What editors may do is offered to them, and to nobody who may not.
    for path, offered in (("reminders", "Lead times of a certification"), ("keys", "Make a key")):
        found = {
            key: offered in (await get(world, f"{ROOT}/{path}", key))[1] for key in ("readonly", "editor", "manager")
        }
        assert found == {"readonly": False, "editor": path == "reminders", "manager": True}


async def test_nobody_does_by_a_form_what_the_operation_refuses(world: World) -> None:
    before = await account(world, "/api-keys"), await account(world, "/members")
    for section, acts in ACTS.items():
        for name, act in acts.items():
            path = f"{ROOT}/{section}/{NOTHING}/{name}" if act.of else f"{ROOT}/{section}/{name}"
            fields = {"name": "x", "email": ANN, "role": "manager", "kind": "csb", "url": "https://a.example.org"}
            for key in ("readonly", "publishable"):
                status, _, text = await send(world, path, key, **fields, days="7", for_certification="USDA_ORGANIC")
                assert status in (403, 404), (path, status)
                assert 'role="alert"' in text
            if act.of:
                assert (await get(world, path, "manager"))[0] == 404, path
    assert (await account(world, "/api-keys"), await account(world, "/members")) == before


async def test_somebody_is_invited_and_managed(world: World) -> None:
    invite = f"{ROOT}/people/invite"
    status, _, text = await send(world, invite, "manager", email="nobody", role="editor")
    assert (status, 'id="email-says"' in text, entered(text)["email"]) == (422, True, "nobody")
    link = await shown_once(world, invite, email=ANN, role="editor")
    accepted = await world.client.post("/invitation", data={"token": link.partition("token=")[2]}, headers=HERE)
    assert accepted.status_code == 303
    world.client.cookies.clear()
    (member,) = await account(world, "/members")
    path = f"{ROOT}/people/{member['user_id']}"
    for does, fields in (("role", {"role": "readonly"}), ("mail", {"period": "weekly"})):
        status, location, text = await send(world, f"{path}/{does}", "manager", **fields)
        assert (status, location) == (303, f"{ROOT}/people?done=people.{does}"), text
        assert 'role="status"' in (await get(world, location, "manager"))[1]
    assert entered((await get(world, f"{path}/role", "manager"))[1])["role"] == "readonly"
    assert entered((await get(world, f"{path}/mail", "manager"))[1])["period"] == "weekly"
    await shown_once(world, invite, email="bob@example.org")
    (invitation,) = await account(world, "/invitations")
    assert (await send(world, f"{ROOT}/people/{invitation['id']}/take-back", "manager"))[0] == 303
    # It is asked back first: looking ends nothing.
    assert ANN in (await get(world, f"{path}/end", "manager"))[1]
    assert (await send(world, f"{path}/end", "manager"))[0] == 303
    assert [await account(world, "/members"), await account(world, "/invitations")] == [[], []]


async def test_a_key_is_shown_once_and_made_once(world: World) -> None:
    make = f"{ROOT}/keys/make"
    _, text = await get(world, make, "manager")
    fields = entered(text) | {"name": "<b>Shop</b>", "role": "editor", "expires_at": "2099-12-31T12:00"}
    fields["once"] = re.findall(r'name="once" value="([\w-]+)"', text)[0]
    status, _, text = await send(world, make, "manager", **fields)
    (secret,) = re.findall(r'value="(csb_\w+)"', text)
    assert (status, (await world.client.get("/app", headers={"X-API-Key": secret})).status_code) == (200, 200)
    # Whoever loads that page anew is told so, and makes no other.
    status, _, text = await send(world, make, "manager", **fields)
    assert (status, "was done already" in text, secret in text) == (409, True, False)
    made = [key for key in (await account(world, "/api-keys")) if key["name"] == "<b>Shop</b>"]
    assert [key["expires_at"] for key in made] == ["2099-12-31T12:00:00+00:00"]
    path = f"{ROOT}/keys/{made[0]['id']}"
    status, _, text = await send(world, f"{path}/edit", "manager", name="x" * 256)
    assert (status, 'id="name-says"' in text) == (422, True)
    assert (await send(world, f"{path}/edit", "manager", name="Till", description="At the door"))[0] == 303
    text = (await get(world, f"{ROOT}/keys", "manager"))[1]
    assert ("Till" in text, "At the door" in text, secret in text) == (True, True, False)
    assert (await send(world, f"{path}/revoke", "manager"))[0] == 303
    assert (await world.client.get("/app", headers={"X-API-Key": secret})).status_code == 303


async def test_whoever_may_make_a_key_for_oneself_is_offered_it(world: World) -> None:
    await set_member(world.database, "brand", ANN, Role.MANAGER)
    await world.add_key("ann", "brand", Role.MANAGER, KeyKind.USER, ANN)
    offered = ["For yourself" in (await get(world, f"{ROOT}/keys/make", key))[1] for key in ("manager", "ann")]
    assert offered == [False, True]


async def test_who_is_signed_in_from_where_is_seen_and_ended(world: World) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    cookies = []
    for agent, key in ((firefox, "manager"), ("<b>\t" + "x" * 300, "manager"), ("", "editor")):
        world.client.cookies.clear()
        await world.client.post("/sign-in", data={"api_key": world.keys[key]}, headers={**HERE, "User-Agent": agent})
        cookies.append({"Cookie": f"sessionid={world.client.cookies['sessionid']}"})
    world.client.cookies.clear()
    path = f"{ROOT}/sessions"
    text = (await world.client.get(path, headers=cookies[0])).text
    assert [each in text for each in ("Firefox, Linux", "127.0.0.1", "(this browser)", "<b>")] == [
        True,
        True,
        True,
        False,
    ]
    found = {each["browser"]: each for each in await account(world, "/sessions")}
    assert {len(agent): each["is_current"] for agent, each in found.items()} == {
        len(firefox): False,
        255: False,
        0: False,
    }
    # Somebody with a key alone has no other browser.
    assert (await get(world, f"{path}/others", "manager"))[0] == 404
    assert "1 other browser" in (await world.client.get(f"{path}/others", headers=cookies[0])).text
    sent = await world.client.post(f"{path}/others", data={"sure": "yes"}, headers={**HERE, **cookies[0]})
    assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?done=sessions.others")
    assert [(await world.client.get("/app", headers=cookie)).status_code for cookie in cookies] == [200, 303, 200]
    assert (await send(world, f"{path}/{found['']['id']}/end", "manager"))[0] == 303
    assert (await world.client.get("/app", headers=cookies[2])).status_code == 303


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            {"mine": True, "brand": {"eq": "Acme"}, "certification": {"code": {"eq": "USDA_ORGANIC"}}},
            ["Whose products: Ours", "Certification: USDA Organic", "Brand: Acme"],
        ),
        (
            {
                "and": [
                    {"lapsesWithin": {"days": 90}},
                    {"lapsesOn": {"range": {"from": "2026-12-01"}}, "acknowledged": False},
                ]
            },
            ["Lapses within: 90 days", "Lapses from: 1 Dec 2026", "Taken on: No"],
        ),
        # What no field of the list asks for stays as it is, and says no less than it did.
        (
            {"not": {"brand": {"eq": "Acme"}}, "gtin": {"eq": GTIN}},
            [f"GTIN: {GTIN}", 'Filter as JSON: {"not":{"brand":{"eq":"Acme"}}}'],
        ),
    ],
)
async def test_a_view_says_what_it_shows_in_words(world: World, where: dict[str, Any], said: list[str]) -> None:
    asked = {"name": "Ours", "where": json.dumps(where), "order": "-lapses_on"}
    _, location, _ = await send(world, "/app/certificates/views", **asked)
    settings = f"{ROOT}/views/{location.partition('view=')[2]}"
    for path in (location, settings):
        text = unescape((await get(world, path))[1]).partition('aria-label="What the view shows">')[2]
        pairs = re.findall(r"<dt>(.*?)</dt><dd><bdi>(.*?)</bdi>", text.partition("</dl>")[0])
        assert [": ".join(pair) for pair in pairs] == said, path
    assert "Lapses on, the other way round" in (await get(world, settings))[1]


async def test_a_view_is_a_calendar_too(world: World) -> None:
    saved = await send(world, "/app/certificates/views", name="All", where="{}", order="lapses_on")
    id = saved[1].partition("=")[2]
    path = f"{ROOT}/views/{id}"
    assert (await send(world, "/app/certificates/views", name="Taken", where="{}", order="lapses_on"))[0] == 303
    fields = entered((await get(world, f"{path}/edit"))[1]) | {"name": "Taken"}
    status, _, text = await send(world, f"{path}/edit", **fields)
    assert (status, 'id="name-says">The organisation has a view' in text, 'class="note"' in text) == (409, True, False)
    for key, may in (("readonly", False), ("editor", True)):
        status, text = await get(world, path, key)
        assert (status, "format=xlsx" in text, "Make an address" in text) == (200, True, may)
    url = await shown_once(world, f"{path}/calendar", "editor")
    token = url.partition("/calendar.ics")[2]
    assert "BEGIN:VCALENDAR" in (await world.client.get(f"/calendar.ics{token}")).text
    assert "1 calendar" in (await get(world, f"{ROOT}/views"))[1]
    (calendar,) = await account(world, "/calendars")
    status, location, _ = await send(world, f"{ROOT}/views/{calendar['id']}/end-calendar")
    assert (status, location) == (303, f"{path}?done=views.end-calendar")
    assert (await world.client.get(f"/calendar.ics{token}")).status_code == 404
    fields = entered((await get(world, f"{path}/edit"))[1])
    status, _, text = await send(world, f"{path}/edit", **(fields | {"where": "{", "name": "Some"}))
    assert (status, 'id="where-says"' in text, entered(text)["name"]) == (422, True, "Some")
    assert (await send(world, f"{path}/edit", **(fields | {"name": "Some"})))[0] == 303
    assert "Some" in (await get(world, path))[1]
    assert (await send(world, f"{path}/remove"))[1] == f"{ROOT}/views?done=views.remove"
    assert (await get(world, path))[0] == 404


async def test_a_webhook_is_made_changed_and_ended(world: World) -> None:
    make = f"{ROOT}/webhooks/make"
    status, _, text = await send(world, make, "manager", url="ftp://x", types=["product", "nonsense"])
    assert (status, 'id="url-says"' in text, 'id="types-says"' in text) == (422, True, True)
    assert ('value="product" checked' in text, 'value="nonsense"' in text) == (True, True)
    types = ["product", "claim_assignment.assignClaim"]
    assert (await shown_once(world, make, url="https://a.example.org/x", types=types)).startswith("whsec_")
    (webhook,) = await account(world, "/webhooks")
    assert webhook["types"] == types
    path = f"{ROOT}/webhooks/{webhook['id']}"
    edited = entered((await get(world, f"{path}/edit", "manager"))[1])
    assert edited["url"] == "https://a.example.org/x"
    for does, fields in (
        ("edit", {"url": "https://b.example.org/x", "types": ["product"]}),
        ("pause", {}),
        ("go-on", {}),
        ("test", {}),
        ("replay", {"since_moment": "2026-11-01T00:00"}),
    ):
        assert (await get(world, f"{path}/{does}", "manager"))[0] == 200, does
        status, location, text = await send(world, f"{path}/{does}", "manager", **fields)
        assert (status, location) == (303, f"{path}?done=webhooks.{does}"), text
    (changed,) = await account(world, "/webhooks")
    assert (changed["url"], changed["types"], changed["is_enabled"]) == ("https://b.example.org/x", ["product"], True)
    assert None not in (changed["tested_at"], changed["replayed_at"])
    assert (await send(world, f"{path}/replay", "manager", since="x"))[0] == 422
    assert (await send(world, f"{path}/replay", "manager"))[0] == 422
    assert await shown_once(world, f"{path}/secret") != ""
    assert "b.example.org" in (await get(world, path, "manager"))[1]
    assert (await send(world, f"{path}/remove", "manager"))[0] == 303
    assert await account(world, "/webhooks") == []


async def test_lead_times_and_letters_are_said(world: World) -> None:
    path = f"{ROOT}/reminders"
    assert entered((await get(world, f"{path}/others"))[1])["days"] == "90, 60, 30"
    for days in ("soon", "0", "1,2,3,4,5,6", "-1"):
        status, _, text = await send(world, f"{path}/others", days=days)
        assert (status, 'id="days-says"' in text, entered(text)["days"]) == (422, True, days)
    assert (await send(world, f"{path}/others", days="45, 7"))[0] == 303
    status, _, text = await send(world, f"{path}/certification", for_certification="USDA_ORGANIC", days="120")
    assert status == 303, text
    text = (await get(world, path))[1]
    assert [each in text for each in ("45 days", "7 days", "120 days", "USDA Organic")] == [True] * 4
    (own,) = re.findall(rf"{path}/([^/]+)/usual", text)
    assert (await send(world, f"{path}/{own}/days", days="150 14"))[0] == 303
    assert "150 days" in (await get(world, path))[1]
    assert (await send(world, f"{path}/{own}/usual"))[0] == 303
    assert "USDA Organic" not in (await get(world, path))[1]
    # Letters are for people: a key of nobody's has none.
    assert (await get(world, f"{path}/mail"))[0] == 404
    await set_member(world.database, "brand", ANN, Role.READONLY)
    await world.add_key("ann", "brand", Role.READONLY, KeyKind.USER, ANN)
    assert (await send(world, f"{path}/mail", "ann", period="daily"))[0] == 303
    assert "Each day" in (await get(world, path, "ann"))[1]


async def test_a_manager_has_the_products_shown_to_anybody(world: World) -> None:
    path, shown = f"{ROOT}/proof", f"/products/{GTIN}"
    for key in ("manager", "editor"):
        assert (f"{path}/show" in (await get(world, path, key))[1]) == (key == "manager")
    for does, key, status in (("show", "editor", 404), ("show", "manager", 200), ("hide", "manager", 404)):
        sent, _, _ = await send(world, f"{path}/{does}", key)
        assert (sent, (await world.client.get(shown)).status_code) == (303 if key == "manager" else 403, status)
    assert "Nobody outside" in (await get(world, f"{path}?done=proof.hide"))[1]


async def test_nothing_typed_is_lost_when_a_session_has_ended(world: World) -> None:
    sent = await world.client.post(f"{ROOT}/webhooks/make", data={"url": "https://a.example.org", "types": ["a", "b"]})
    assert sent.status_code == 401
    assert [f'value="{value}"' in sent.text for value in ("https://a.example.org", "a", "b")] == [True] * 3


async def test_another_site_makes_nobody_do_anything(world: World) -> None:
    await world.client.post("/sign-in", data={"api_key": world.keys["manager"]}, headers=HERE)
    sent = await world.client.post(
        f"{ROOT}/keys/make",
        data={"name": "x"},
        headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert sent.status_code == 403
    assert "x" not in [key["name"] for key in await account(world, "/api-keys")]


@pytest.mark.parametrize("path", sorted({page.path for page in SETTINGS if "{" in page.path}))
async def test_what_is_not_there_is_a_page_that_says_so(world: World, path: str) -> None:
    for id in (NOTHING, "x", "<script>"):
        status, text = await get(world, path.replace("{id}", id), "manager")
        assert status in (404, 422), (path, id)
        assert "<h1" in text


def test_what_is_about_no_field_is_said_without_the_names_of_members() -> None:
    many = InvalidInput([Violation(("organization_id",), "The organisation has 100 keys, as many as it may", "many")])
    name = [FormMember("name", "text")]
    assert refused_form({}, many, name).said == "The organisation has 100 keys, as many as it may."
    wrong = InvalidInput([Violation(("name",), "String should have at most 255 characters", "string_too_long")])
    assert (refused_form({}, wrong, name).said, refused_form({}, wrong, name).status) == ("", 422)
    taken = refused_form({}, AlreadyExists("There is one already."), name)
    assert (taken.wrong, taken.said, taken.status) == ({"name": "There is one already."}, "", 409)
