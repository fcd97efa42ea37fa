"""`Prefer: handling=strict` (RFC 7240): members that nobody knows are refused instead of ignored (contract A22)."""

from typing import Any

import httpx2
import pytest

from db.sql import tables
from rest_compat.asking import is_strict
from tests.world import GTIN, USDA_ORGANIC, VEGAN, World

CLAIMS = f"/certifications/api/v1/products/{GTIN}/claims"
ASSIGNMENT = f"/certifications/api/v1/products/{GTIN}/certifications/{USDA_ORGANIC}"

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def send(world: World, method: str, path: str, body: Any, prefer: str | None = "handling=strict") -> Any:
    headers = {"X-API-Key": world.keys["manager"], **({} if prefer is None else {"Prefer": prefer})}
    return await world.client.request(method, path, json=body, headers=headers)


def named(response: httpx2.Response) -> list[tuple[list[Any], str, str]]:
    return [(entry["loc"], entry["type"], entry["msg"]) for entry in response.json()["details"]]


@on_sqlite
async def test_unknown_members_are_ignored_by_default(world: World) -> None:
    for prefer in (None, "handling=lenient", "respond-async"):
        answer = await send(world, "PATCH", ASSIGNMENT, {"scope": "x", "colour": "red"}, prefer)
        assert answer.status_code == 200
        assert "preference-applied" not in answer.headers


@on_sqlite
async def test_strictly_every_unknown_member_is_named_and_nothing_is_done(world: World) -> None:
    answer = await send(world, "POST", CLAIMS, {"claim_id": VEGAN, "colour": "red", "valid_form": "2026-01-01"})
    assert (answer.status_code, answer.json()["error_code"]) == (422, "validation_error")
    assert answer.headers["preference-applied"] == "handling=strict"
    message = "Nothing is known by this name; correct it, or leave it out"
    assert named(answer) == [
        (["body", "colour"], "extra_forbidden", message),
        (["body", "valid_form"], "extra_forbidden", message),
    ]
    assert await world.rows(tables.claim_assignments) == []


@on_sqlite
async def test_strictly_known_members_pass_and_the_answer_says_so(world: World) -> None:
    made = await send(world, "POST", CLAIMS, {"claim_id": VEGAN, "metadata": {"any": "key"}})
    assert (made.status_code, made.headers["preference-applied"]) == (201, "handling=strict")
    changed = await send(world, "PATCH", ASSIGNMENT, {"scope": "x"}, 'respond-async; x=1, Handling = "strict"; y')
    assert (changed.status_code, changed.headers["preference-applied"]) == (200, "handling=strict")


@on_sqlite
async def test_unknown_members_are_named_beside_bad_ones(world: World) -> None:
    answer = await send(world, "PATCH", ASSIGNMENT, {"valid_from": "today", "colour": "red"})
    assert [(loc, kind) for loc, kind, _ in named(answer)] == [
        (["body", "valid_from"], "date_parsing"),
        (["body", "colour"], "extra_forbidden"),
    ]


@on_sqlite
async def test_a_member_that_belongs_into_the_path_is_one_too_many_in_the_body(world: World) -> None:
    answer = await send(world, "PATCH", ASSIGNMENT, {"gtin": GTIN, "certification_id": USDA_ORGANIC})
    assert [loc for loc, _, _ in named(answer)] == [["body", "gtin"], ["body", "certification_id"]]
    assert (await send(world, "PATCH", ASSIGNMENT, {"gtin": GTIN}, None)).status_code == 200


@on_sqlite
async def test_other_refusals_say_that_the_preference_was_honoured(world: World) -> None:
    await send(world, "POST", CLAIMS, {"claim_id": VEGAN})
    answer = await send(world, "POST", CLAIMS, {"claim_id": VEGAN})
    assert (answer.status_code, answer.headers["preference-applied"]) == (409, "handling=strict")


@on_sqlite
async def test_a_flood_of_unknown_members_gets_a_short_answer(world: World) -> None:
    answer = await send(world, "PATCH", ASSIGNMENT, {f"m{n}" + "x" * 100: 1 for n in range(5000)})
    assert answer.status_code == 422
    assert len(answer.json()["details"]) == 100
    assert len(answer.content) < 30_000


@pytest.mark.parametrize(
    ("values", "strict"),
    [
        ([], False),
        (["handling=strict"], True),
        (["HANDLING=STRICT"], True),
        (["respond-async", "handling=strict"], True),
        (["handling=lenient, handling=strict"], False),
        (["handling=strict, handling=lenient"], True),
        (["handling=stricter"], False),
        (["xhandling=strict"], False),
        (["handling"], False),
    ],
)
def test_the_header(values: list[str], strict: bool) -> None:
    assert is_strict(values) is strict


@on_sqlite
@pytest.mark.parametrize("length", [60, 61, 5_000])
async def test_of_an_unknown_name_60_characters_are_repeated(world: World, length: int) -> None:
    answer = await send(world, "POST", CLAIMS, {"claim_id": VEGAN, "x" * length: 1})
    assert [loc for loc, _, _ in named(answer)] == [["body", "x" * 60]]
