"""The page of a product, the forms of what can be done to it, and what a body would take with it."""

import re
from html import unescape
from typing import Any

import pytest

from tests.operations.faces import Rest
from tests.world import GTIN, NOTHING, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World
from workbench.acting import ACTS

PRODUCT = f"/app/products/{GTIN}"
CERTIFICATE = f"/app/certificates/{GTIN}/{USDA_ORGANIC}"
REST = f"/certifications/api/v1/products/{GTIN}/certifications"


async def get(world: World, path: str, key: str = "editor") -> tuple[int, str]:
    """The status and the text of a page."""
    shown = await world.client.get(path, headers={"X-API-Key": world.keys[key]})
    assert shown.headers["content-type"] == "text/html; charset=utf-8", shown.text
    return shown.status_code, unescape(shown.text)


async def send(world: World, path: str, key: str = "editor", **fields: Any) -> tuple[int, str, str]:
    """The status, where it leads to, and the text of the answer to a form."""
    sent = await world.client.post(path, data=fields, headers={"X-API-Key": world.keys[key]})
    return sent.status_code, sent.headers.get("location", ""), unescape(sent.text)


async def held(world: World) -> dict[str, Any]:
    """The certificate of the product, as REST has it."""
    answer = await world.client.get(REST, headers={"X-API-Key": world.keys["editor"]})
    found: dict[str, Any] = answer.json()[0]
    return found


def entered(text: str) -> dict[str, str]:
    """What the fields of a form hold, by their names."""
    inputs = dict(re.findall(r'<input id="(\w+)" name="\w+" type="[\w-]+" value="([^"]*)"', text))
    areas = dict(re.findall(r'<textarea id="(\w+)"[^>]*>([^<]*)</textarea>', text))
    chosen = dict(re.findall(r'<select id="(\w+)".*?<option value="(\w*)" selected', text, re.DOTALL))
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)"', text))
    return inputs | areas | chosen | hidden


async def test_a_product_shows_what_it_holds_and_what_became_of_it(world: World) -> None:
    status, text = await get(world, PRODUCT)
    assert status == 200
    for said in ("Oat drink", GTIN, "USDA Organic", "NOP-1", "No claim is recorded", "Populate", "Add certificate"):
        assert said in text, said
    # What others own can be read, and not changed.
    status, text = await get(world, f"/app/products/{OTHERS_GTIN}")
    assert (status, "Soy drink" in text, "Add certificate" in text) == (200, True, False)
    assert (await get(world, PRODUCT, "readonly"))[1].count("Add certificate") == 0
    assert [(await get(world, f"/app/products/{gtin}"))[0] for gtin in ("09520000000035", "12", "x")] == [404, 422, 422]
    text = (await get(world, "/app/products/12"))[1]
    assert ("<h1>This does not fit</h1>" in text, "Validation" in text, "gtin:" in text) == (True, False, False)


async def test_what_was_held_and_known_then(world: World) -> None:
    dates = {"valid_from": "2026-03-01", "expiration_date": "2027-02-28"}
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | dates
    status, _, _ = await send(world, f"{CERTIFICATE}/edit", **fields)
    assert status == 303
    # Days are in the reader's order, in what became of it too.
    became = (await get(world, PRODUCT))[1].partition('id="timeline"')[2]
    assert ('<time datetime="2027-02-28">' in became, ">2027-02-28<" in became) == (True, False)
    assert "Not yet" in (await get(world, f"{PRODUCT}?as_of=2026-02-28"))[1]
    assert "Lapsed" in (await get(world, f"{PRODUCT}?as_of=2027-03-01"))[1]
    status, text = await get(world, f"{PRODUCT}?as_of=2026-03-01")
    assert (status, "Current" in text, "Add certificate" in text) == (200, True, False)
    # A browser sends a moment without saying that it is one of UTC.
    status, text = await get(world, f"{PRODUCT}?known_at=2026-11-22T12:00")
    assert status == 200
    assert "Feb 2027" not in text.partition('id="timeline"')[0]
    # Before it was recorded nothing is known, which is no dead end: it says since when, and has what holds today.
    status, text = await get(world, f"{PRODUCT}?known_at=2026-11-22T11:00")
    assert (status, "it was recorded on 22 Nov 2026" in text, "Add certificate" in text) == (404, True, True), text
    status, text = await get(world, f"{PRODUCT}?as_of=2026-02-30&known_at=now")
    assert (status, text.count('aria-invalid="true"')) == (400, 2)


async def test_as_of_a_day_only_those_before_the_certificate_of_that_day_are_earlier(world: World) -> None:
    first = {"valid_from": "2025-01-01", "expiration_date": "2026-12-31"}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **first)).ok
    for year in (2027, 2028):
        members = {"valid_from": f"{year}-01-01", "expiration_date": f"{year}-12-31", "certificate_number": f"N-{year}"}
        assert (await Rest(world).certificate("renew", GTIN, USDA_ORGANIC, **members)).ok
    for day, number, earlier in (("2026-12-15", "NOP-1", 0), ("2027-06-01", "N-2027", 1), ("2028-06-01", "N-2028", 2)):
        status, text = await get(world, f"{PRODUCT}?as_of={day}")
        shown, _, before = text.partition('id="timeline"')[0].partition('<details class="table">')
        assert (status, number in shown, number in before) == (200, True, False), day
        assert [f"{count} earlier certificate" in before for count in (1, 2)] == [earlier == 1, earlier == 2], day


async def test_a_form_changes_what_was_changed_in_it_and_nothing_else(world: World) -> None:
    before = await held(world)
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1])
    assert fields["certificate_number"] == "NOP-1"
    fields |= {
        "issuing_body": "CCOF",
        "scope": "Oats\r\nBarley",
        "certificate_countries": "Deutschland, Costa Rica, us",
    }
    status, location, _ = await send(world, f"{CERTIFICATE}/edit", **fields)
    assert (status, location) == (303, f"{PRODUCT}?done=edit")
    after = await held(world)
    changed = {name for name, value in after.items() if before[name] != value}
    assert changed == {"issuing_body", "scope", "certificate_countries"}
    assert after["scope"] == "Oats\nBarley"
    assert after["certificate_countries"] == ["DE", "CR", "US"]
    assert (await get(world, location))[0] == 200
    # The same once more changes nothing.
    again = await send(world, f"{CERTIFICATE}/edit", **entered((await get(world, f"{CERTIFICATE}/edit"))[1]))
    assert (again[0], await held(world)) == (303, after)


async def test_how_it_stands_is_said_with_its_days(world: World) -> None:
    dates = {"valid_from": "2026-01-01", "expiration_date": "2099-12-31", "certificate_number": "NOP-1"}
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | dates
    assert (await send(world, f"{CERTIFICATE}/edit", **fields))[0] == 303
    assert (await send(world, f"{CERTIFICATE}/suspend", reason="A sample"))[0] == 303
    text = (await get(world, PRODUCT))[1].partition('id="timeline"')[0]
    assert ("A sample" in text, "Suspended from" in text) == (True, True)
    assert (await send(world, f"{CERTIFICATE}/reinstate", reason="Clean"))[0] == 303
    assert "A sample" not in (await get(world, PRODUCT))[1].partition('id="timeline"')[0]
    later = {"valid_from": "2100-01-01", "expiration_date": "2100-12-31"}
    assert (await send(world, f"{CERTIFICATE}/renew", **later))[0] == 303
    assert "An earlier certificate holds" in (await get(world, PRODUCT))[1]


async def test_a_refusal_stands_at_its_field_and_nothing_typed_is_lost(world: World) -> None:
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1])
    fields |= {"verification_url": "javascript:alert(1)", "scope": "<script>"}
    status, _, text = await send(world, f"{CERTIFICATE}/edit", **fields)
    assert status == 422
    assert 'id="verification_url-says"' in text
    assert entered(text)["verification_url"] == "javascript:alert(1)"
    shown = await world.client.post(f"{CERTIFICATE}/edit", data=fields, headers={"X-API-Key": world.keys["editor"]})
    assert "<script>" not in shown.text.partition("</head>")[2]


async def test_the_second_of_two_sees_what_the_first_did_and_chooses(world: World) -> None:
    mine = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | {"issuing_body": "Mine"}
    theirs = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | {"issuing_body": "Theirs", "scope": "All"}
    assert (await send(world, f"{CERTIFICATE}/edit", **theirs))[0] == 303
    status, _, text = await send(world, f"{CERTIFICATE}/edit", **mine)
    assert status == 412
    assert re.findall(r'<p class="theirs">.*?<bdi>(.*?)</bdi>', text) == ["Theirs", "All"]
    # Whoever has seen it sends it again, with what is to stay of both.
    chosen = entered(text)
    assert (chosen["issuing_body"], chosen["version"]) == ("Mine", "2")
    assert (await send(world, f"{CERTIFICATE}/edit", **chosen | {"scope": "All"}))[0] == 303
    stored = await held(world)
    assert (stored["issuing_body"], stored["scope"]) == ("Mine", "All")


async def test_everything_that_can_be_done_has_a_form_that_does_it(world: World) -> None:
    dated = {"valid_from": "2026-01-01", "expiration_date": "2026-12-31"}
    done = [
        (f"{CERTIFICATE}/edit", dated),
        (f"{CERTIFICATE}/renew", {"valid_from": "2027-01-01", "expiration_date": "2027-12-31"}),
        (f"{CERTIFICATE}/undo-renewal", {}),
        (f"{CERTIFICATE}/suspend", {"suspended_from": "2026-03-01", "reason": "A sample"}),
        (f"{CERTIFICATE}/reinstate", {"reinstated_on": "2026-03-10"}),
        (f"{CERTIFICATE}/withdraw", {"withdrawn_on": "2026-06-01", "reason": "Another"}),
        (f"{CERTIFICATE}/remove", {}),
        (f"{PRODUCT}/certify", {"certification_id": "USDA_ORGANIC", "certificate_number": "3"}),
        (f"{PRODUCT}/claim", {"claim_id": "VEGAN", "source": "BRAND_SELF_DECLARED"}),
        (f"/app/claims/{GTIN}/{VEGAN}/edit", {"evidence_note": "A letter"}),
        (f"/app/claims/{GTIN}/{VEGAN}/remove", {}),
        (f"{PRODUCT}/edit", {"product_name": "Oats"}),
        (f"{PRODUCT}/archive", {}),
        (f"{PRODUCT}/restore", {}),
    ]  # fmt: skip
    assert len(done) == sum(map(len, ACTS.values()))
    for path, fields in done:
        status, text = await get(world, path)
        assert status == 200, path
        if "version" in entered(text):
            # Sent once more with the back button, say: in words for people, whatever it was.
            status, _, late = await send(world, path, **(entered(text) | fields | {"version": "99"}))
            assert (status, "ifMatch" in late, "since you opened the form" in late) == (412, False, True), path
        status, location, text = await send(world, path, **(entered(text) | fields))
        assert (status, location.partition("?")[0]) == (303, PRODUCT), (path, text)
        assert (await get(world, PRODUCT))[0] == 200, path


async def test_who_did_it_is_said_in_words(world: World) -> None:
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | {"issuing_body": "CCOF"}
    assert (await send(world, f"{CERTIFICATE}/edit", **fields))[0] == 303
    for key, said in (
        ("editor", "by this key, in the workbench"),
        ("manager", "by the key editor, in the workbench"),
        ("readonly", "by a key, in the workbench"),
    ):
        text = (await get(world, PRODUCT, key))[1].partition('id="timeline"')[2]
        assert (said in text, "by the operator" in text) == (True, True), (key, text)


async def test_menus_say_what_is_done(world: World) -> None:
    assert (await send(world, f"{PRODUCT}/claim", claim_id="VEGAN", source="BRAND_SELF_DECLARED"))[0] == 303
    text = (await get(world, PRODUCT))[1]
    assert re.findall(r'href="/app/(\w+)/[^"]*/edit">([^<]*)', text) == [
        ("products", "Edit product"),
        ("certificates", "Correct"),
        ("claims", "Change"),
    ]


@pytest.mark.parametrize("key", ["readonly", "rival", "publishable"])
async def test_whoever_may_not_is_told_so(world: World, key: str) -> None:
    fields = entered((await get(world, f"{CERTIFICATE}/edit"))[1]) | {"issuing_body": "Mine"}
    status, _, text = await send(world, f"{CERTIFICATE}/edit", key, **fields)
    assert (status, 'role="alert"' in text) == (403, True)
    assert (await held(world))["issuing_body"] == ""


async def test_what_is_not_there_is_a_page_that_says_so(world: World) -> None:
    for path in (f"{PRODUCT}/fly", f"{CERTIFICATE}/fly", f"/app/x/{GTIN}/{USDA_ORGANIC}/edit"):
        answer = await world.client.get(path, headers={"X-API-Key": world.keys["editor"], "Accept": "text/html"})
        assert (answer.status_code, "<h1" in answer.text) == (404, True), path
    assert (await get(world, f"/app/certificates/{GTIN}/{NOTHING}/edit"))[0] == 404
    assert (await send(world, f"{PRODUCT}/certify", certification_id="USDA_ORGANIC"))[0] == 409


async def test_what_if_a_body_no_longer_holds(world: World) -> None:
    for path in ("/app/bodies/USDA", "/app/certifications/USDA_ORGANIC", f"/app/certifications/{USDA_ORGANIC}"):
        status, text = await get(world, path)
        assert (status, "Oat drink" in text, "nothing else" in text) == (200, True, True), path
        assert f"Oat drink (GTIN {GTIN}), certificate NOP-1" in text
    await send(world, f"{PRODUCT}/certify", certification_id="FAIR_TRADE_USA", expiration_date="2099-12-31")
    assert "certified besides as: Fair Trade USA" in (await get(world, "/app/bodies/USDA"))[1]
    assert "certified besides as: nothing else" in (await get(world, "/app/bodies/USDA?from=2100-01-01"))[1]
    assert (await get(world, "/app/bodies/USDA?from=soon"))[0] == 400
    # What is somebody else's is not lost to us.
    assert "Nothing of yours" in (await get(world, "/app/bodies/USDA", "rival"))[1]
    assert [(await get(world, f"/app/{kind}/NOTHING"))[0] for kind in ("bodies", "certifications")] == [404, 404]
