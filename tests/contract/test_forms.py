"""Bodies as forms send them, with `metadata[key]=value` (contract 1.6), and who may send them."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from db.sql import tables
from domain.errors import BadRequest, InvalidInput
from resolvers.sessions import create_sign_in_link, sign_in
from rest_compat.forms import read_form
from tests.world import GTIN, USDA_ORGANIC, VEGAN, World

FORM = "application/x-www-form-urlencoded"
CLAIMS = f"/certifications/api/v1/products/{GTIN}/claims"
ASSIGNMENT = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def send(world: World, method: str, path: str, pairs: list[tuple[str, str]], **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    credential = {} if "Cookie" in named else {"X-API-Key": world.keys["manager"]}
    return await world.client.request(
        method, path, content=urlencode(pairs), headers={"Content-Type": FORM, **credential, **named}
    )


@on_sqlite
async def test_a_claim_is_assigned_by_a_form(world: World) -> None:
    pairs = [("claim_id", VEGAN), ("metadata[order_id]", "6735"), ("metadata[näme]", "a&b=ü"), ("evidence_note", "x y")]
    answer = await send(world, "POST", CLAIMS, pairs)
    assert answer.status_code == 201, answer.text
    assert answer.json()["metadata"] == {"order_id": "6735", "näme": "a&b=ü"}


@on_sqlite
async def test_metadata_is_set_deleted_and_cleared_by_a_form(world: World) -> None:
    set_two = await send(world, "PATCH", ASSIGNMENT, [("metadata[a]", "1"), ("metadata[b]", "2"), ("scope", "Product")])
    assert set_two.json()["metadata"] == {"kept": "yes", "a": "1", "b": "2"}
    assert set_two.json()["scope"] == "Product"
    deleted = await send(world, "PATCH", ASSIGNMENT, [("metadata[a]", "")])
    assert deleted.json()["metadata"] == {"kept": "yes", "b": "2"}
    left = await send(world, "PATCH", ASSIGNMENT, [("scope", "")])
    assert (left.json()["metadata"], left.json()["scope"]) == ({"kept": "yes", "b": "2"}, "")
    cleared = await send(world, "PATCH", ASSIGNMENT, [("metadata", "")])
    assert cleared.json()["metadata"] == {}


@on_sqlite
async def test_the_rules_are_those_of_json(world: World) -> None:
    answer = await send(world, "POST", CLAIMS, [("claim_id", "x"), ("metadata[" + "k" * 41 + "]", "v")])
    assert answer.status_code == 422
    assert [entry["loc"][:2] for entry in answer.json()["details"]] == [["body", "claim_id"], ["body", "metadata"]]
    strict = await send(world, "PATCH", ASSIGNMENT, [("colour", "red")], Prefer="handling=strict")
    assert (strict.status_code, strict.json()["details"][0]["type"]) == (422, "extra_forbidden")
    assert (await send(world, "PATCH", ASSIGNMENT, [])).json()["scope"] == ""


async def signed_in(world: World) -> str:
    session = await sign_in(
        world.database, await create_sign_in_link(world.database, world.key_ids["manager"]), timedelta(hours=1)
    )
    assert session is not None
    return f"sessionid={session.secret}"


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"Origin": "http://evil.test", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://certgate.test", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "null"},
    ],
)
@on_sqlite
async def test_a_form_never_goes_by_the_cookie_alone(world: World, origin: dict[str, str]) -> None:
    cookie = await signed_in(world)
    for method, path, pair in (("POST", CLAIMS, ("claim_id", str(VEGAN))), ("PATCH", ASSIGNMENT, ("scope", "x"))):
        before = await world.rows(tables.certification_assignments)
        answer = await send(world, method, path, [pair], Cookie=cookie, **origin)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")
        assert await world.rows(tables.claim_assignments) == []
        assert await world.rows(tables.certification_assignments) == before


@on_sqlite
async def test_the_same_cookie_may_send_json_from_our_own_pages(world: World) -> None:
    answer = await world.client.post(
        CLAIMS,
        json={"claim_id": VEGAN},
        headers={"Cookie": await signed_in(world), "Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code == 201


@on_sqlite
async def test_graphql_takes_no_forms(world: World) -> None:
    answer = await send(world, "POST", "/graphql", [("query", "{ viewer { organization { slug } } }")])
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (b"", {}),
        (b"a=1&b=", {"a": "1", "b": ""}),
        (b"metadata%5Ba%5D=1", {"metadata": {"a": "1"}}),
        (b"metadata[]=1", {"metadata": {"": "1"}}),
        (b"metadata=", {"metadata": None}),
        (b"a=%2B+%C3%BC", {"a": "+ ü"}),
    ],
)
def test_forms(body: bytes, members: dict[str, Any]) -> None:
    assert read_form(body) == members


@pytest.mark.parametrize("body", [b"a", b"\xff=1", b"a=%FF", b"&".join([b"a=1"] * 1001), b"a=1&&b"])
def test_what_is_no_form(body: bytes) -> None:
    with pytest.raises(BadRequest):
        read_form(body)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"a=1&a=2", ("a",)),
        (b"metadata[k]=1&metadata[k]=2", ("metadata", "k")),
        (b"metadata=&metadata[k]=2", ("metadata",)),
        (b"metadata=text", ("metadata",)),
        (b"metadata[tags][]=a", ("metadata[tags][]",)),
        (b"metadata[e]f=3", ("metadata[e]f",)),
        (b"metadata[[a]]=1", ("metadata[[a]]",)),
        (b"metadata%5Ba=1", ("metadata[a",)),
        (b"metadata]=1", ("metadata]",)),
        (b"xmetadata[a]=1", ("xmetadata[a]",)),
        (b"certificate_countries[]=US", ("certificate_countries[]",)),
    ],
)
def test_what_is_said_twice_or_against_itself_is_refused(body: bytes, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_form(body)
    assert [(violation.path, violation.type) for violation in refused.value.violations] == [(path, "form_member")]
    assert ("send JSON" in refused.value.violations[0].message) is (path[0] != "metadata")


@on_sqlite
async def test_clearing_metadata_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    await send(world, "PATCH", ASSIGNMENT, [("metadata[a]", "1")])
    assert not caplog.messages
    await send(world, "PATCH", ASSIGNMENT, [("metadata", "")])
    (message,) = caplog.messages
    assert message.startswith("all 2 metadata keys of ")
    assert GTIN in message
    assert "kept" not in message
