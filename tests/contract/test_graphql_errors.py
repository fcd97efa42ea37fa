"""What errors say, and what they keep to themselves, whatever fails and however."""

import logging
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx2
import msgspec
import pytest
from graphql import is_non_null_type

from db.sql import tables
from domain.access import Caller
from domain.gtin import Gtin
from domain.records import Organization
from domain.vocabulary import Role
from resolvers import claims, products
from resolvers.operation import Context
from schema.schema import schema
from tests.world import FAIR_TRADE, GTIN, NON_GMO, VEGAN, World

GRAPHQL = "application/graphql-response+json"
QUERY = f'{{ product(gtin: "{GTIN}") {{ gtin name metadata createdAt dataSource claims(where: {{}}) {{ id }} }} }}'
SECRET = "hunter2"
LEAKS = re.compile(
    rf"{SECRET}|Traceback|File \"|\.py\b|0x[0-9a-f]{{4}}|sqlite|asyncpg|SELECT|no such|msgspec|Exception|<object"
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def send(world: World, query: str, key: str = "manager", **members: Any) -> httpx2.Response:
    headers = {"X-API-Key": world.keys[key], "Accept": GRAPHQL}
    return await world.client.post("/graphql", json={"query": query, **members}, headers=headers)


async def stored_product(world: World) -> Any:
    now = datetime.now(UTC)
    caller = Caller(None, None, Role.READONLY, Organization(world.brand, "brand", "Brand"))
    return await products.product(Context(world.database, caller, now), Gtin(GTIN))


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError(SECRET)


def recursion() -> None:
    recursion()


def raising(error: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


# That a record's text is a text is what the types say and the database holds to; compiled operations do not look again.
FAILURES: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "an exception": lambda product: raising(RuntimeError(f"{SECRET} in /etc/certgate.py")),
    "a group of exceptions": lambda product: raising(ExceptionGroup(SECRET, [ValueError(SECRET), OSError(SECRET)])),
    "a missing key": lambda product: raising(KeyError(SECRET)),
    "a time-out of something else": lambda product: raising(TimeoutError(SECRET)),
    "endless recursion": lambda product: recursion,
    "no memory": lambda product: raising(MemoryError(SECRET)),
    "a text for a moment": lambda product: lambda: msgspec.structs.replace(product, created_at=SECRET),
    "a text for an enumeration": lambda product: lambda: msgspec.structs.replace(product, data_source=SECRET),
    "another record": lambda product: lambda: SECRET,
}


@on_sqlite
@pytest.mark.parametrize("name", FAILURES)
async def test_what_fails_in_a_resolver_is_told_to_the_log_alone(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = await stored_product(world)
    fail = FAILURES[name](stored)

    async def product(*_: Any, **__: Any) -> Any:
        return fail()

    monkeypatch.setattr(products, "product", product)
    for _ in range(3):  # by graphql-core, then compiled
        caplog.clear()
        with caplog.at_level(logging.ERROR):
            response = await send(world, QUERY)
        assert not LEAKS.search(response.text), response.text
        assert response.status_code == 200
        answer = response.json()
        assert answer["data"] == {"product": None}
        for error in answer["errors"]:
            assert error["extensions"] == {
                "code": "internal_error",
                "retryable": True,
                "requestId": response.headers["x-request-id"],
            }
            assert error["path"][0] == "product"
        assert any(response.headers["x-request-id"] in entry.getMessage() for entry in caplog.records)
    monkeypatch.undo()
    assert (await send(world, QUERY)).json()["data"]["product"]["name"] == "Oat drink"


@on_sqlite
@pytest.mark.parametrize("name", ["an exception that cannot be printed", "a value that JSON does not have"])
async def test_what_leaves_no_answer_to_write_is_a_problem(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = await stored_product(world)

    async def product(*_: Any, **__: Any) -> Any:
        if name == "an exception that cannot be printed":
            raise Unprintable
        return msgspec.structs.replace(stored, metadata={"a": object()})

    monkeypatch.setattr(products, "product", product)
    for _ in range(3):
        response = await send(world, QUERY)
        assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
        assert not LEAKS.search(response.text), response.text
        assert response.json()["error_code"] == "internal_error"


async def change(database_url: str, sql: str) -> None:
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute(sql)
        return
    server = await asyncpg.connect(database_url)
    try:
        await server.execute(sql)
    finally:
        await server.close()


async def test_what_fails_in_the_database_is_not_told(world: World, database_url: str) -> None:
    mutation = f'mutation {{ removeClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}) {{ __typename }} }}'
    await change(database_url, "ALTER TABLE claim_assignments RENAME TO hunter2_assignments")
    for query in (QUERY, mutation):
        for _ in range(3):
            response = await send(world, query)
            assert not LEAKS.search(response.text), response.text
            [error] = response.json()["errors"]
            assert error["extensions"]["code"] == "internal_error"
            assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    await change(database_url, "ALTER TABLE hunter2_assignments RENAME TO claim_assignments")
    assert (await send(world, QUERY)).json()["data"]["product"]["name"] == "Oat drink"


INPUT = {"gtin": GTIN, "certificationId": FAIR_TRADE}
ASSIGN = "mutation ($input: AssignCertificationInput!) { assignCertification(input: $input) { __typename } }"


@on_sqlite
@pytest.mark.parametrize(
    ("member", "value", "way"),
    [
        ("validFrom", "2024-13-01", ".validFrom: Date should be written YYYY-MM-DD"),
        ("validFrom", "20240101", ".validFrom: Date should be written YYYY-MM-DD"),
        ("validFrom", 20240101, ".validFrom: Date should be written YYYY-MM-DD"),
        ("validFrom", True, ".validFrom: Date should be written YYYY-MM-DD"),
        ("validFrom", ["2024-01-01"], ".validFrom: Date should be written YYYY-MM-DD"),
        ("verificationStatus", "verified", ".verificationStatus: Value 'verified' does not exist"),
        ("verificationStatus", 1, ".verificationStatus: "),
        ("certificateCountries", ["US", 3], ".certificateCountries[1]: String cannot represent"),
        ("gtin", 10**13, ".gtin: String cannot represent"),
        ("gtin", None, ".gtin: "),
        ("scope", {"a": 1}, ".scope: String cannot represent"),
    ],
)
async def test_a_variable_that_does_not_fit_is_named_with_its_way(
    world: World, member: str, value: Any, way: str
) -> None:
    for _ in range(3):
        response = await send(world, ASSIGN, variables={"input": {**INPUT, member: value}})
        assert response.status_code == 400
        [error] = response.json()["errors"]
        assert error["message"].startswith(f"Variable '$input' has invalid value at {way}")
        assert error["extensions"]["code"] == "BAD_USER_INPUT"
        assert error["locations"]


@on_sqlite
@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 10**30, 1.5, "1", True])
async def test_a_number_outside_32_bits_is_named(world: World, number: Any) -> None:
    query = "query ($n: Int) { products(first: $n) { nodes { gtin } } }"
    [error] = (await send(world, query, variables={"n": number})).json()["errors"]
    assert error["message"].startswith("Variable '$n' has invalid value: Int cannot represent")


@on_sqlite
@pytest.mark.parametrize(
    "value",
    [
        'validFrom: "2024-13-01"',
        "validFrom: 5",
        "verificationStatus: verified",
        "scope: 5",
        "certificateCountries: [3]",
    ],
)
async def test_a_literal_that_does_not_fit_is_named_with_its_place(world: World, value: str) -> None:
    head = f'mutation {{ assignCertification(input: {{gtin: "{GTIN}", certificationId: 1, '
    [error] = (await send(world, f"{head}{value}}}) {{ __typename }} }}")).json()["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    [place] = error["locations"]
    assert place["column"] - 1 - len(head) in (value.index(":") + 2, value.index(":") + 3)


@on_sqlite
async def test_messages_that_quote_what_was_sent_are_short(world: World) -> None:
    response = await send(world, ASSIGN, variables={"input": {**INPUT, "scope": ["x" * 100_000]}})
    assert response.status_code == 400
    assert len(response.content) < 2_000


# --- What failed takes nothing else with it ---

PANELS = f"""{{
  good: product(gtin: "{GTIN}") {{ name }}
  a: products(first: 1000) {{ nodes {{ name }} }}
  b: certifications(first: 1000) {{ nodes {{ id }} }}
  c: certificationAssignments(last: 0) {{ nodes {{ id }} }}
  d: claims(after: "nowhere") {{ nodes {{ id }} }}
  e: claimAssignments(first: 1, last: 1) {{ nodes {{ id }} }}
  f: certificationBodies(first: -1) {{ totalCount }}
  g: apiKeys {{ id }}
  h: certificationAssignmentStats(where: {{ metadata: {{ key: "", eq: "" }} }}) {{ totalCount }}
  i: claimAssignmentStats(where: {{ metadata: {{ key: "", eq: "" }} }}) {{ totalCount }}
  j: certification(code: "USDA_ORGANIC", id: "x") {{ id }}
  k: certificationBody {{ id }}
  l: node(id: "x") {{ id }}
  also: rateLimit {{ cost }}
  and: viewer {{ kind }}
}}"""


def test_every_root_field_may_be_null() -> None:
    built = schema._schema
    for kind in (built.query_type, built.mutation_type):
        assert kind is not None
        assert [name for name, field in kind.fields.items() if is_non_null_type(field.type)] == []


async def test_a_wrong_panel_leaves_the_others_their_data(world: World) -> None:
    for _ in range(3):  # Operations may be compiled when they come again.
        body = (await send(world, PANELS, "readonly")).json()
        data = body["data"]
        assert (data.pop("good"), data.pop("also")["cost"] > 0, data.pop("and")) == (
            {"name": "Oat drink"},
            True,
            {"kind": "BUSINESS"},
        )
        assert data == dict.fromkeys("abcdefghijkl")
        assert sorted(error["path"] for error in body["errors"]) == [[name] for name in "abcdefghijkl"]


@on_sqlite
async def test_a_mutation_that_fails_leaves_the_others_their_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims.remove_claim, "_function", lambda *_: raising(RuntimeError(SECRET))())
    query = f"""mutation {{
      a: assignClaim(input: {{gtin: "{GTIN}", claimId: "{VEGAN}"}}) {{ __typename }}
      b: removeClaim(input: {{gtin: "{GTIN}", claimId: "{VEGAN}"}}) {{ __typename }}
      c: assignClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}) {{ __typename }} }}"""
    for result in ("ClaimAssigned", "ConflictProblem"):
        body = (await send(world, query)).json()
        assert body["data"] == {"a": {"__typename": result}, "b": None, "c": {"__typename": result}}
        assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [(["b"], "internal_error")]
    assert len(await world.rows(tables.claim_assignments)) == 2
