"""The pages of the workbench: who may see them, what their addresses say, and what becomes of what is typed."""

import re
from datetime import date
from html import unescape
from pathlib import Path

import httpx2
import pytest

from domain.vocabulary import Face
from tests.gateway.test_sessions import HERE
from tests.world import FAIR_TRADE, GTIN, OTHERS_GTIN, PRIVATE, USDA_ORGANIC, World
from workbench.texts import catalogue

PAGES = ("/", "/app", "/app/certificates", "/app/claims", "/app/products", "/app/settings")
TEMPLATES = Path(__file__).parents[2] / "workbench"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_shown_to_a_member(world: World, path: str) -> None:
    shown = await world.client.get(path, headers={"X-API-Key": world.keys["editor"]})
    assert (shown.status_code, shown.headers["content-type"]) == (200, "text/html; charset=utf-8"), shown.text
    assert "unsafe" not in shown.headers["content-security-policy"]
    assert shown.headers["cache-control"] == "no-store"
    # htmx takes a part of it.
    part = await world.client.get(path, headers={"X-API-Key": world.keys["editor"], "HX-Request": "true"})
    assert (part.status_code, "<html" in part.text) == (200, False)
    assert re.findall("<h1.*", shown.text) == re.findall("<h1.*", part.text)


async def test_a_gtin_may_be_typed_as_it_is_printed(world: World) -> None:
    async def shown(path: str) -> str:
        answer = await world.client.get(path, headers={"X-API-Key": world.keys["editor"]})
        assert answer.status_code == 200, answer.text
        return answer.text

    for path in ("products?search=", "certificates?gtin=", "products/", "certificates/"):
        typed = "0 001234-567890 5" + (f"/{USDA_ORGANIC}/edit" if path == "certificates/" else "")
        assert GTIN in (await shown(f"/app/{path}{typed}")).partition("<main")[2], path


async def test_a_code_that_nothing_has_is_told_at_its_field(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    for asked, status in (
        ("certification=USDA_ORGANC", 400),
        ("certification=usda_organic", 200),
        ("body=NOBODY", 400),
    ):
        shown = await world.client.get(f"/app/certificates?{asked}", headers=key)
        assert (shown.status_code, "Nothing is known by this code" in shown.text) == (status, status == 400), asked
    private = await world.client.get(f"/app/certificates?certification={PRIVATE}", headers=key)
    assert private.status_code == 200


async def test_a_span_that_ends_first_is_told_at_its_field(world: World) -> None:
    path = "/app/certificates?lapses_from=2027-01-02&lapses_to=2027-01-01"
    text = (await world.client.get(path, headers={"X-API-Key": world.keys["editor"]})).text
    assert "This day is before the first one." in text
    assert (
        "This day"
        not in (await world.client.get(path.replace("-02&", "-01&"), headers={"X-API-Key": world.keys["editor"]})).text
    )


async def test_whoever_has_not_signed_in_does_so_and_comes_back(world: World) -> None:
    away = await world.client.get("/app/products?search=%C3%BC&whose=all")
    assert (away.status_code, away.headers["location"]) == (303, "/sign-in")
    back = await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=HERE)
    assert (back.status_code, back.headers["location"]) == (303, "/app/products?search=%C3%BC&whose=all")
    assert (await world.client.get(back.headers["location"])).status_code == 200
    # That was for once.
    again = await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=HERE)
    assert again.headers["location"] == "/app"


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/graphql", "/app%0d%0aX: 1", "https%3A%2F%2Fevil.example%2Fapp", "/apple"]
)
async def test_nobody_is_led_elsewhere(world: World, wanted: str) -> None:
    world.client.cookies.set("goingto", wanted)
    back = await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=HERE)
    assert back.headers["location"] == "/app"


async def test_a_filter_that_does_not_parse_is_a_page_that_says_so_at_its_field(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    for path, said in (
        ("/app/certificates?lapses_from=soon", "lapses_from-says"),
        ("/app/certificates?where={", "where-says"),
        ("/app/claims?standing=upright", "standing-says"),
        ("/app/products?whose=me", "whose-says"),
        ("/app/certificates?taken_on=maybe", "taken_on-says"),
        ("/app/claims?evidence=all", "evidence-says"),
        ("/app/products?brand=%00", "brand-says"),
    ):
        shown = await world.client.get(path, headers=key)
        assert shown.status_code == 400, path
        assert f'id="{said}"' in shown.text
        assert 'aria-invalid="true"' in shown.text


@pytest.mark.parametrize(
    ("typed", "said"), [("after=x", "page-says"), ("before=%FF", "page-says"), ("order=x", "order-says")]
)
async def test_a_page_that_is_none_is_said_with_the_way_to_the_first_one(world: World, typed: str, said: str) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    shown = await world.client.get(f"/app/claims?standing=current&{typed}", headers=key)
    assert shown.status_code == 400
    (way,) = re.findall(rf'id="{said}">[^<]+<a href="([^"]+)"', shown.text)
    assert (way, 'aria-invalid="true"' in shown.text) == ("/app/claims?standing=current", False)
    assert (await world.client.get(way, headers=key)).status_code == 200


def test_every_text_is_said_somewhere_and_every_one_that_is_said_is_there() -> None:
    sources = "".join(file.read_text() for file in TEMPLATES.rglob("*.*") if file.suffix in (".html", ".py"))
    said = set(re.findall(r"""\b(?:t|text)\(["']([a-z_.]+[a-z_])["'](?! ?[+~])""", sources))
    # What is put together when it is said.
    begun = set(re.findall(r"""\b(?:t|text)\(f?["']([a-z_.]+?)(?:["'] ?[+~]|\{)""", sources))
    # What members are called is asked for by `member`, which has a word for those that are not here.
    begun.add("members.")
    assert said - catalogue().keys() - begun == set()
    assert [name for name in catalogue() if name not in said and not name.startswith(tuple(begun))] == []


def test_every_way_in_which_something_is_done_has_its_words() -> None:
    assert {f"actors.faces.{each.value}" for each in Face} <= catalogue().keys()


async def test_a_list_is_saved_as_a_view_and_taken_away_as_a_file(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    page = (await world.client.get("/app/certificates?whose=all&certification=USDA_ORGANIC", headers=key)).text
    where = unescape(re.findall(r'name="where" value="([^"]*)"', page)[0])
    assert where == '{"certification":{"code":{"eq":"USDA_ORGANIC"}}}'
    form = {"name": "<b>Organic</b>", "where": where, "order": "-lapses_on"}
    saved = await world.client.post("/app/certificates/views", data=form, headers=key)
    assert saved.status_code == 303
    view = (await world.client.get(saved.headers["location"], headers=key)).text
    assert "&lt;b&gt;Organic&lt;/b&gt;" in view
    assert 'aria-sort="descending"' in view
    assert len(re.findall("<tr>", view)) == len(re.findall("<tr>", page))
    for path in re.findall(r'href="(/certifications/api/v1/exports/[^"]+)"', view):
        assert (await world.client.get(unescape(path), headers=key)).status_code == 200
    again = await world.client.post("/app/certificates/views", data=form, headers=key)
    assert (again.status_code, 'aria-current="page">Certificates' in again.text) == (409, True)
    assert 'value="&lt;b&gt;Organic&lt;/b&gt;" required' in again.text
    assert re.search(r'id="view-name-says">The organisation has a view with the name', again.text)
    # The list stays as its address has it, and its links lead to it.
    long = form | {"name": "x" * 256}
    behind = "?certification=USDA_ORGANIC&column=gtin"
    again = await world.client.post(f"/app/certificates/views{behind}", data=long, headers=key)
    assert (again.status_code, 'id="view-name-says">String should have' in again.text) == (422, True)
    assert "/app/certificates?certification=USDA_ORGANIC&amp;order=" in again.text
    assert 'href="?' not in again.text
    readonly = {"X-API-Key": world.keys["readonly"]}
    assert (await world.client.post("/app/certificates/views", data=form, headers=readonly)).status_code == 403
    assert "/views" not in (await world.client.get("/app/certificates", headers=readonly)).text


async def test_many_rows_are_tried_and_changed_at_once(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    await world.add_certification(GTIN, FAIR_TRADE)

    async def sent(*rows: str, **entered: str) -> httpx2.Response:
        return await world.client.post("/app/certificates/change", data={"row": rows, **entered}, headers=key)

    async def statuses() -> list[str]:
        page = (await world.client.get("/app/certificates", headers=key)).text
        return re.findall(r"badge status-(\w+)", page)

    page = (await world.client.get("/app/certificates", headers=key)).text
    rows = [unescape(row) for row in re.findall(r'name="row" value="([^"]+)"', page)]
    assert len(rows) == 2
    before = await statuses()
    others = f"{OTHERS_GTIN} {USDA_ORGANIC}"
    tried = await sent(*rows, others, "x", step="try", verification_status="verified")
    assert (tried.status_code, tried.text.count('class="refused"')) == (200, 2)
    assert "<del>Unverified</del> → <ins>Verified</ins>" in tried.text
    assert await statuses() == before
    seen = [unescape(row) for row in re.findall(r'name="row" value="([^"]+)"', tried.text)]
    assert [row.rpartition(" ")[0] for row in seen] == rows
    # Somebody is quicker with one of them.
    path = f"/certifications/api/v1/products/{GTIN}/certifications/{FAIR_TRADE}"
    assert (await world.client.patch(path, json={"issuing_body": "Ecocert"}, headers=key)).status_code == 200
    done = await sent(*seen, step="do", verification_status="verified")
    assert "1 row was changed." in done.text
    assert "What is stored is at version" in done.text
    assert (await statuses()).count("verified") == 1
    wrong = await sent(*rows, step="try", verification_status="proven", valid_from="soon")
    assert (wrong.status_code, wrong.text.count('aria-invalid="true"')) == (422, 2)
    assert "Choose rows" in (await sent()).text
    cleared = await sent(seen[0].rpartition(" ")[0], rows[1], step="do", clear="issuing_body")
    assert "was changed" in cleared.text
    readonly = {"X-API-Key": world.keys["readonly"]}
    form = {"row": rows, "step": "do", "issuing_body": "x"}
    assert (await world.client.post("/app/certificates/change", data=form, headers=readonly)).status_code == 403


async def test_what_was_typed_when_the_session_had_ended_is_sent_again(world: World) -> None:
    path = f"/app/certificates/{GTIN}/{USDA_ORGANIC}/taken-on"
    typed = {"as": "asked", "reason": 'the "audit" <is> on 20 January', "until": "2020-01-01"}
    ended = await world.client.post(path, data=typed)
    assert (ended.status_code, "location" in ended.headers) == (401, False)
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', ended.text)
    assert {name: unescape(value) for name, value in fields} == typed
    # A part of a page is no place to sign in.
    part = await world.client.get(path, headers={"HX-Request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/sign-in")
    # No other site sends a form with the cookie.
    await world.client.post("/sign-in", data={"api_key": world.keys["editor"]}, headers=HERE)
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await world.client.post(path, data=typed, headers=foreign)).status_code == 403
    assert (await world.client.post(path, data=typed, headers=HERE)).status_code == 422


async def test_many_products_are_changed_and_archived_at_once(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}

    async def sent(*rows: str, **entered: str) -> str:
        answer = await world.client.post("/app/products/change", data={"row": rows, **entered}, headers=key)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    page = (await world.client.get("/app/products", headers=key)).text
    assert f'name="row" value="{GTIN}"' in page
    tried = await sent(GTIN, OTHERS_GTIN, act="change", step="try", net_content="<b>1 kg</b>")
    assert ("1 row would be changed" in tried, "&lt;b&gt;1 kg" in tried) == (True, False)
    rows = re.findall(r'name="row" value="([^"]*)"', tried)
    form = {"act": "change", "step": "do", "net_content": "1 kg", "country_of_origin": "Österreich"}
    assert "<bdi>AT</bdi>" in await sent(*rows, **form)
    # Somebody was quicker.
    assert "Change 0" not in await sent(*rows, act="change", step="do", net_content="2 kg")
    assert "1 kg" in (await world.client.get("/app/products?column=net_content", headers=key)).text
    tried = await sent(GTIN, act="archive")
    assert "1 product would be archived" in tried
    assert f'name="row" value="{GTIN}"' in page
    done = await sent(*re.findall(r'name="row" value="([^"]*)"', tried), act="archive", step="do")
    assert "1 product was archived." in done
    assert f'value="{GTIN}"' not in (await world.client.get("/app/products", headers=key)).text
    other = await world.client.post("/app/products/change", data={"row": [GTIN], "act": "renew"}, headers=key)
    assert other.status_code == 404


async def test_many_certificates_are_renewed_at_once(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    await world.add_certification(GTIN, FAIR_TRADE, expiry_date=date(2026, 12, 31))
    rows = [f"{GTIN} {FAIR_TRADE}", f"{GTIN} {USDA_ORGANIC}", f"{OTHERS_GTIN} {USDA_ORGANIC}"]
    form = {"act": "renew", "valid_from": "2031-01-01", "expiration_date": "2032-12-31", "certificate_number": "N-7"}
    answer = await world.client.post("/app/certificates/change", data={"row": rows, "step": "try"} | form, headers=key)
    assert "2 certificates would be renewed; none is yet." in answer.text, answer.text
    # In the words of people: no member by the name that programs have for it, and products by what they are called.
    told = answer.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert ("expiry_date" in told, "Expiry as printed" in told, ">Oat drink<" in told) == (False, True, True), told
    seen = re.findall(r'name="row" value="([^"]*)"', answer.text)
    answer = await world.client.post("/app/certificates/change", data={"row": seen, "step": "do"} | form, headers=key)
    assert "2 certificates were renewed." in answer.text
    product = (await world.client.get(f"/app/products/{GTIN}", headers=key)).text
    assert product.count("1 earlier certificate") > 1
    again = await world.client.post("/app/certificates/change", data={"row": seen, "step": "do"} | form, headers=key)
    assert "0 certificates were renewed." in again.text


async def test_many_certificates_are_suspended_withdrawn_and_reinstated_at_once(world: World) -> None:
    key = {"X-API-Key": world.keys["editor"]}
    await world.add_certification(GTIN, FAIR_TRADE)
    assert 'name="act" value="withdraw"' in (await world.client.get("/app/certificates", headers=key)).text

    async def sent(*rows: str, **entered: str) -> str:
        answer = await world.client.post("/app/certificates/change", data={"row": rows, **entered}, headers=key)
        return answer.text

    rows = [f"{GTIN} {FAIR_TRADE}", f"{GTIN} {USDA_ORGANIC}", f"{OTHERS_GTIN} {USDA_ORGANIC}"]
    for act, done, form in (
        ("suspend", "suspended", {"suspended_from": "2026-01-01", "reason": "Residues"}),
        ("reinstate", "reinstated", {}),
        ("withdraw", "withdrawn", {"reason": "Fraud"}),
    ):
        assert "The difference" not in await sent(*rows, act=act)
        if form:
            said = await sent(*rows, act=act, step="try")
            assert ('id="reason-says"' in said, "would be" in said) == (True, False), act
        tried = await sent(*rows, act=act, step="try", **form)
        assert f"2 certificates would be {done}; none is yet." in tried, tried
        refused = re.findall(r'<td class="whole">([^\n]*)</td>\s*<td class="whole"><span class="refused">', tried)
        assert ["USDA Organic" in each for each in refused] == [True]
        assert form.get("reason", "Residues") in tried
        seen = re.findall(r'name="row" value="([^"]*)"', tried)
        assert f"2 certificates were {done}." in await sent(*seen, act=act, step="do", **form)
        # Somebody was quicker, or has sent it twice.
        assert f"0 certificates were {done}." in await sent(*seen, act=act, step="do", **form)
