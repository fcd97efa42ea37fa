"""The pages on which files are put in: looked at, put in, and what became of each row."""

import asyncio
import re
from html import unescape

import pytest

from tests.gateway.test_product_pages import get
from tests.world import GTIN, IMPORT, NOTHING, World

CSV = "EAN,Name,Certification,Certificate number,Valid until\n"
ROWS = (
    CSV
    + f"{GTIN},Oat drink deluxe,USDA_ORGANIC,NOP-1,2027-05-31\n09520000000035,Bananas,USDA_ORGANIC,NOP-2,2027-01-31\n"
)
WRONG = ROWS + "123,Nothing,USDA_ORGANIC,NOP-3,2027-01-31\n"


async def send(
    world: World, content: str, key: str = "editor", name: str = "own.csv", **fields: str | list[str]
) -> tuple[int, str, str]:
    """The status, where it leads to, and the text of the answer to a file."""
    files = {"file": (name, content.encode(), "text/csv")} if name else {"file": ("", b"", "application/octet-stream")}
    sent = await world.client.post("/app/import", data=fields, files=files, headers={"X-API-Key": world.keys[key]})
    return sent.status_code, sent.headers.get("location", ""), unescape(sent.text)


def chosen(text: str) -> list[str]:
    """What each column of a form is taken as."""
    selects = re.findall(r'<select id="c\d+" name="member">(.*?)</select>', text, re.DOTALL)
    return [re.findall(r'value="([^"]*)" selected', each)[0] for each in selects]


async def ended(world: World, path: str) -> str:
    """The page of an import that has come to its end."""
    text = ""
    for _ in range(600):
        status, text = await get(world, path)
        assert status == 200
        if "state-running" not in text:
            return text
        await asyncio.sleep(0.05)
    raise AssertionError(text)


async def product_name(world: World) -> str:
    """What the product is called."""
    answer = await world.client.get(f"/products/api/v1/trade-items/{GTIN}", headers={"X-API-Key": world.keys["editor"]})
    name: str = answer.json()["product_name"]
    return name


async def test_an_import_that_was_refused_is_told_of_today(world: World) -> None:
    status, location, said = await send(world, WRONG, do="put_in", policy="REJECT_ALL")
    assert status == 303, said
    await ended(world, location)
    await ended(world, location)
    status, today = await get(world, "/app")
    assert (status, "The import of own.csv was refused over 1 row, and" in today, f'href="{location}"' in today) == (
        200,
        True,
        True,
    )


async def test_a_file_is_looked_at_and_then_put_in(world: World) -> None:
    assert "own.csv" in (await get(world, "/app/import"))[1]
    status, location, said = await send(world, ROWS, do="look", policy="REJECT_ALL", existing="update")
    assert status == 303, said
    looked = await ended(world, location)
    for said in ("Looked at", "state-done", "Oat drink deluxe", "product.product_name", "Was"):
        assert said in looked, said
    assert await product_name(world) == "Oat drink"
    status, location, said = await send(world, ROWS, do="put_in", column="Name", member="product.product_name")
    assert status == 303, said
    assert "Looked at" not in await ended(world, location)
    assert await product_name(world) == "Oat drink deluxe"
    assert "NOP-2" in (await get(world, "/app/products/09520000000035"))[1]


async def test_columns_that_were_left_out_as_it_was_looked_at_are_left_out_when_it_is_put_in(world: World) -> None:
    rows = "EAN,Name,Shelf,Row\n" + f"{GTIN},Oat drink deluxe,7,A\n"
    status, location, said = await send(world, rows, do="look", map="Shelf=nothing\n*=nothing")
    assert status == 303, said
    text = await ended(world, location)
    columns = re.findall(r'name="column" value="([^"]*)"', text)
    members = chosen(text)
    assert dict(zip(columns, members, strict=True)).items() >= {"EAN": "gtin", "Shelf": "nothing"}.items()
    status, location, said = await send(world, rows, do="put_in", column=columns, member=members)
    assert status == 303, said
    await ended(world, location)
    assert await product_name(world) == "Oat drink deluxe"


async def test_refused_rows_are_told_with_their_reason_and_leave_as_a_file(world: World) -> None:
    status, location, said = await send(world, WRONG, do="put_in", policy="IGNORE_FAILED")
    assert status == 303, said
    text = await ended(world, location)
    assert "The refused rows as a file" in text
    # Why, in words without the code for programs.
    assert "it is not a GTIN</bdi></li>" in text
    only = (await get(world, f"{location}?outcome=refused"))[1]
    assert ("outcome-refused" in only, "outcome-made" in only) == (True, False)
    file = await world.client.get(
        location.replace("/app/import", "/certifications/api/v1/imports") + "/refused",
        headers={"X-API-Key": world.keys["editor"]},
    )
    assert "Nothing" in file.text
    asked = ("outcome=x", "after=-1", "after=99999")
    assert [(await get(world, f"{location}?{query}"))[0] for query in asked] == [422, 422, 200]


@pytest.mark.parametrize(
    ("content", "name"), [("", ""), ("", "empty.csv"), ("\x00\x01", "odd.csv"), ("a,b\n1,2\n", "own.csv")]
)
async def test_what_is_no_table_of_products_is_refused_in_a_sentence(world: World, content: str, name: str) -> None:
    status, _, text = await send(world, content, name=name)
    assert status in (400, 422)
    assert 'class="says refused"' in text or 'role="alert"' in text


@pytest.mark.parametrize(
    ("content", "member"),
    [
        ("EAN,Shelf\n1,A\n", "map"),
        ("Name,Brand\nOats,Acme\n", "map"),
        (f"EAN,gtin\n{GTIN},{GTIN}\n", "map"),
        ("\ufeffEAN,K\udcffse\n1,2\n", "encoding"),
        ("EAN,Name\n1,\udc81\udc8d\n", "encoding"),
    ],
)
async def test_a_refusal_names_what_the_page_and_rest_have_to_say_otherwise(
    world: World, content: str, member: str
) -> None:
    data = content.encode("utf-8", "surrogateescape")
    headers = {"X-API-Key": world.keys["editor"]}
    files = {"file": ("own.csv", data, "text/csv")}
    page = unescape((await world.client.post("/app/import", files=files, headers=headers)).text)
    problem = await world.client.post(
        "/certifications/api/v1/imports?name=own.csv", content=data, headers=headers | {"Content-Type": "text/csv"}
    )
    said = re.findall(r'<p class="said">(.*?)</p>', page)
    assert len(said) == 1
    detail = problem.json()["detail"]
    assert f"`{member}`" in detail
    if member == "encoding":
        assert said[0] in detail
        assert 'name="encoding"' in page
        return
    # The page says the same without the names that programs have for it.
    wrong, _, remedy = said[0].partition(". ")
    assert (wrong in re.sub(r" \('Shelf' may be [^)]*\)", "", detail), remedy, "`" in said[0]) == (
        True,
        "Choose below what each column is.",
        False,
    )
    # What is known of each column is chosen already, and nothing is folded.
    names = content.removeprefix("\ufeff").partition("\n")[0].split(",")
    known = {"EAN": "gtin", "gtin": "gtin", "Name": "product.product_name", "Brand": "product.brand", "Shelf": ""}
    columns = re.findall(r'name="column" value="([^"]*)"', page)
    assert (columns, chosen(page)) == (names, [known[name] for name in names])
    assert 'name="map"' not in page


async def test_what_columns_are_is_chosen_after_a_refusal(world: World) -> None:
    rows = f"EAN,Titel,Wo\n{GTIN},Oat drink deluxe,7\n"
    status, _, text = await send(world, rows, do="put_in", clear_empty="true", policy="IGNORE_FAILED")
    assert (status, chosen(text)) == (422, ["gtin", "", ""])
    assert 'value="IGNORE_FAILED" selected' in text
    columns = ["EAN", "Titel", "Wo"]
    status, _, text = await send(world, rows, column=columns, member=["gtin", "product.product_name", ""])
    assert (status, chosen(text)) == (422, ["gtin", "product.product_name", ""])
    members = ["gtin", "product.product_name", "metadata"]
    status, location, text = await send(world, rows, do="put_in", column=columns, member=members)
    assert status == 303, text
    text = await ended(world, location)
    named = re.findall(r'name="column" value="([^"]*)"', text)
    taken = {"EAN": "gtin", "Titel": "product.product_name", "Wo": "product.metadata.Wo"}
    assert dict(zip(named, chosen(text), strict=True)) == taken
    assert await product_name(world) == "Oat drink deluxe"


async def test_an_encoding_is_said_on_the_page(world: World) -> None:
    headers = {"X-API-Key": world.keys["editor"]}
    files = {"file": ("own.csv", f"EAN,Name\n{GTIN},K\xe4se\n".encode("cp1250"), "text/csv")}
    fields = {"encoding": "windows-1250", "do": "put_in"}
    sent = await world.client.post("/app/import", data=fields, files=files, headers=headers)
    await ended(world, sent.headers["location"])
    assert await product_name(world) == "K\xe4se"


async def test_whoever_may_not_is_told_so(world: World) -> None:
    for key in ("readonly", "publishable"):
        status, _, text = await send(world, ROWS, key)
        assert (status, 'role="alert"' in text) == (403, True)
    assert 'type="file"' not in (await get(world, "/app/import", "readonly"))[1]
    hidden = (IMPORT, "rival"), (NOTHING, "editor")
    assert [(await get(world, f"/app/import/{id}", key))[0] for id, key in hidden] == [404, 404]
    plain = await world.client.post("/app/import", data={"a": "b"}, headers={"X-API-Key": world.keys["editor"]})
    assert plain.status_code == 415


async def test_whose_session_has_ended_signs_in_anew(world: World) -> None:
    sent = await world.client.post("/app/import", files={"file": ("own.csv", ROWS.encode(), "text/csv")})
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in")
