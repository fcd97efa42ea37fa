"""Limits of GraphQL as an operator sets them and a caller meets them: costs, warnings, introspection, rate limits."""

import logging
import re
from asyncio import to_thread
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest
from graphql import get_introspection_query

from gateway.app import create_app
from gateway.settings import Settings
from resolvers.keys import change_graphql_limits, graphql_limits
from tests.conftest import UNLIMITED
from tests.processes import certgate, succeeded
from tests.world import GTIN, NON_GMO, World

PAGE = "query ($n: Int) { products(first: $n) { nodes { gtin certifications { certification { label } } } } }"
PAGE_COST = 1 + 100 * (1 + 10 * (1 + 1))
DEEP = f'{{ product(gtin: "{GTIN}") {{ certifications {{ certification {{ body {{ name }} }} }} }} }}'

# What is judged here never reaches the database, or does not depend on it.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def configured(world: World, **settings: Any) -> World:
    """The same database behind an application with these settings."""
    limits = {"rate_limit_per_minute": UNLIMITED, "rate_limit_per_day": UNLIMITED}
    other = World(create_app(Settings(**{**limits, **settings}), world.database), world.database)
    other.keys = world.keys
    return other


async def send(world: World, query: str, key: str = "readonly", **members: Any) -> httpx2.Response:
    headers = {"X-API-Key": world.keys[key], "Accept": "application/graphql-response+json"}
    return await world.client.post("/graphql", json={"query": query, **members}, headers=headers)


async def answer(world: World, query: str, key: str = "readonly", **members: Any) -> Any:
    response = await send(world, query, key, **members)
    assert response.status_code == 200, response.text
    return response.json()


async def refusal(world: World, query: str, key: str = "readonly", **members: Any) -> Any:
    response = await send(world, query, key, **members)
    assert response.status_code == 400, response.text
    assert "data" not in response.json()
    for error in response.json()["errors"]:
        assert error["extensions"].keys() >= {"code", "retryable", "requestId"}
    return response.json()


async def test_the_cost_is_told_when_asked_for(world: World) -> None:
    variables = {"n": 100}
    assert "extensions" not in await answer(world, PAGE, variables=variables)
    assert "extensions" not in await answer(world, PAGE, variables=variables, extensions={"cost": False})
    told = await answer(world, PAGE, variables=variables, extensions={"cost": True})
    assert told["extensions"] == {"cost": {"requested": PAGE_COST, "limit": 15_000}}
    told = await answer(world, PAGE, variables=variables, extensions={"cost": {"breakdown": True}})
    assert told["extensions"]["cost"] == {
        "requested": PAGE_COST,
        "limit": 15_000,
        "breakdown": [
            {"path": "products.nodes.certifications", "cost": 1000},
            {"path": "products.nodes.certifications.certification", "cost": 1000},
            {"path": "products.nodes", "cost": 100},
            {"path": "products", "cost": 1},
        ],
    }


async def test_what_costs_too_much_is_refused(world: World) -> None:
    small = configured(world, graphql_max_cost=PAGE_COST - 1)
    refused = await refusal(small, PAGE, variables={"n": 100})
    assert refused["extensions"] == {"cost": {"requested": PAGE_COST, "limit": PAGE_COST - 1}}
    told = await refusal(small, PAGE, variables={"n": 100}, extensions={"cost": {"breakdown": True}})
    assert told["extensions"]["cost"]["breakdown"][0] == {"path": "products.nodes.certifications", "cost": 1000}
    [error] = refused["errors"]
    assert error["extensions"]["code"] == "QUERY_TOO_COSTLY"
    assert error["message"] == (
        f"The operation costs {PAGE_COST}, the limit is {PAGE_COST - 1}: about one for each object it may return;"
        " ask for shorter lists with first, or split it into several requests."
    )
    # The same document passes with other variables, and again: it is kept.
    for n in (99, 100, 99):
        assert (await send(small, PAGE, variables={"n": n})).status_code == (200 if n == 99 else 400)


async def test_what_a_dashboard_needs_is_far_from_the_limit(world: World) -> None:
    everything = """{ products(first: 100) { edges { cursor node { gtin
        certifications { isActive certification { label body { name } } }
        claims { metadata claim { label } } } } pageInfo { endCursor hasNextPage } } }"""
    cost = (await answer(world, everything, extensions={"cost": True}))["extensions"]["cost"]
    assert cost["requested"] == 2 + 100 * (1 + 10 * 3 + 10 * 2)
    assert cost["requested"] < cost["limit"] / 2


async def test_counting_has_its_price(world: World) -> None:
    query = "{ products(first: 1) { totalCount } viewer { organization { id } } }"
    told = await answer(world, query, extensions={"cost": {"breakdown": True}})
    assert told["extensions"]["cost"]["requested"] == 1 + 100 + 2
    assert told["extensions"]["cost"]["breakdown"][0] == {"path": "products.totalCount", "cost": 100}


async def test_what_tools_ask_of_the_schema_is_within_the_limits(world: World) -> None:
    query = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    cost = (await answer(world, query, extensions={"cost": True}))["extensions"]["cost"]
    assert 1_000 < cost["requested"] < cost["limit"] * 0.8


async def test_limits_that_only_warn(world: World, caplog: pytest.LogCaptureFixture) -> None:
    strict = configured(world, graphql_max_depth=3, graphql_max_cost=5)
    assert [e["extensions"]["code"] for e in (await refusal(strict, DEEP))["errors"]] == ["QUERY_TOO_DEEP"]
    warning = configured(world, graphql_max_depth=3, graphql_max_cost=5, graphql_limits="warn")
    for _ in range(3):
        with caplog.at_level(logging.WARNING, "certgate.graphql"):
            caplog.clear()
            response = await send(warning, DEEP)
        [logged] = caplog.records
        assert response.headers["x-request-id"] in logged.getMessage()
        assert "nests fields 5 levels deep" in logged.getMessage()
        told = response.json()
        assert told["data"]["product"]["certifications"][0]["certification"]["body"]
        assert [entry["extensions"] for entry in told["extensions"]["warnings"]] == [
            {"code": "QUERY_TOO_DEEP", "measured": 5, "limit": 3},
            {"code": "QUERY_TOO_COSTLY", "requested": 31, "limit": 5},
        ]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ product(gtin: \"1\") { " + "name " * 60 + "} }", "QUERY_TOO_MANY_TOKENS"),
        ("{ a " + "." * 500 + "}", "QUERY_TOO_LONG"),
        ("{ viewer { ...F } } fragment F on Viewer { " + "role " * 8 + "}", "QUERY_TOO_LARGE"),
    ],
)  # fmt: skip
async def test_what_protects_the_process_is_refused_all_the_same(world: World, query: str, code: str) -> None:
    warning = configured(
        world,
        graphql_limits="warn",
        graphql_max_tokens=50,
        graphql_max_source_length=500,
        graphql_max_selections=9,
    )
    [error, *_] = (await refusal(warning, query))["errors"]
    assert error["extensions"]["code"] == code


INTROSPECTION = "{ __schema { types { name } } }"
MISSPELT = {
    "field": '{ product(gtin: "1") { nam } }',
    "argument": '{ product(gtinn: "1") { name } }',
    "type": "query ($d: Dat) { viewer { role } }",
    "enum value": "mutation { assignClaim(input: {claimId: 1, source: THIRD_PARTY_VERIFED}) { __typename } }",
    "input field": 'mutation { assignClaim(input: {gtn: "1", claimId: "1"}) { __typename } }',
    "fragment type": '{ product(gtin: "1") { ... on Produkt { name } } }',
}
VARIABLES: dict[str, dict[str, Any]] = {
    "enum value": {"gtin": "1", "claimId": "1", "source": "THIRD_PARTY_VERIFED"},
    "input field": {"gtn": "1", "gtin": "1", "claimId": "1"},
}
BY_VARIABLE = "mutation ($input: AssignClaimInput!) { assignClaim(input: $input) { __typename } }"


async def test_without_introspection_nothing_tells_what_the_schema_holds(world: World) -> None:
    assert (await answer(world, INTROSPECTION))["data"]["__schema"]["types"]
    secret = configured(world, graphql_introspection=False)
    for query in (INTROSPECTION, '{ __type(name: "Product") { name } }'):
        for error in (await refusal(secret, query))["errors"]:
            assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
            assert "introspection has been disabled" in error["message"]
    assert await answer(secret, "{ __typename }") == {"data": {"__typename": "Query"}}
    for name, query in MISSPELT.items():
        assert "Did you mean" in (await send(world, query)).text, name
        assert "Did you mean" not in str(await refusal(secret, query)), name
    for name, given in VARIABLES.items():
        variables = {"input": given}
        assert "Did you mean" in (await send(world, BY_VARIABLE, variables=variables)).text, name
        assert "Did you mean" not in str(await refusal(secret, BY_VARIABLE, variables=variables)), name


RATE_LIMIT = """{ rateLimit { limit cost remaining used resetAt nodeCount
    minute { limit used remaining resetAt } day { limit used remaining resetAt } } products { nodes { gtin } } }"""


async def test_the_rate_limit_is_told_in_the_answer(world: World) -> None:
    limited = configured(world, rate_limit_per_minute=5, rate_limit_per_day=6)
    response = await send(limited, RATE_LIMIT)
    rate = response.json()["data"]["rateLimit"]
    minute, day = rate["minute"], rate["day"]
    assert (minute["limit"], minute["used"], minute["remaining"]) == (5, 2, 3)
    assert (day["limit"], day["used"], day["remaining"]) == (6, 2, 4)
    assert (rate["cost"], rate["nodeCount"]) == (2, 1 + 25)
    # At the top stands the window that the headers report too.
    assert {name: rate[name] for name in minute} == minute
    headers = response.headers
    assert (str(rate["limit"]), str(rate["remaining"])) == (
        headers["ratelimit-limit"],
        headers["ratelimit-remaining"],
    )
    ends = datetime.fromisoformat(rate["resetAt"])
    assert 0 <= int(headers["x-ratelimit-reset"]) - ends.timestamp() < 1
    assert ends.tzinfo is not None
    assert ends > datetime.now(UTC)
    again = (await send(limited, RATE_LIMIT)).json()["data"]["rateLimit"]
    assert (again["used"], again["remaining"]) == (4, 1)


async def test_an_operation_is_stopped_after_its_time(world: World) -> None:
    hasty = configured(world, graphql_timeout_seconds=0.1)
    query = f'mutation {{ removeClaim(input: {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}) {{ __typename }} }}'
    async with world.database.write():
        response = await send(hasty, query, "manager")
    assert response.status_code == 504
    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "OPERATION_TIMED_OUT"
    assert error["extensions"]["retryable"] is True
    assert (await answer(hasty, query, "manager"))["data"]["removeClaim"]["__typename"] == "NotFoundProblem"


async def test_a_key_can_have_limits_of_its_own(world: World) -> None:
    narrow = configured(world, graphql_max_depth=3, graphql_max_cost=1_000)
    key = world.key_ids["editor"]
    for other in ("editor", "readonly"):
        assert "QUERY_TOO_DEEP" in str(await refusal(narrow, DEEP, other))
    assert await change_graphql_limits(world.database, key, {"max_depth": 5, "max_cost": 3_000}) == {
        "max_depth": 5,
        "max_cost": 3_000,
    }
    for _ in range(2):
        # The document is kept now, and refused to others all the same.
        assert (await answer(narrow, DEEP, "editor"))["data"]
        assert "QUERY_TOO_DEEP" in str(await refusal(narrow, DEEP, "readonly"))
    flat = "query ($n: Int) { products(first: $n) { nodes { claims { isActive } } } }"
    narrow = configured(world, graphql_max_cost=1_000)
    assert (await answer(narrow, flat, "editor", variables={"n": 100}))["data"]
    assert "QUERY_TOO_COSTLY" in str(await refusal(narrow, flat, "readonly", variables={"n": 100}))
    await change_graphql_limits(world.database, key, {"max_depth": None, "max_cost": None})
    assert await graphql_limits(world.database, key) == {}
    assert "QUERY_TOO_COSTLY" in str(await refusal(narrow, flat, "editor", variables={"n": 100}))


@pytest.mark.parametrize(
    ("limit", "query", "code"),
    [
        ("max_source_length", "{ viewer { role } }", "QUERY_TOO_LONG"),
        ("max_tokens", "{ viewer { role } }", "QUERY_TOO_MANY_TOKENS"),
        ("max_operations", "query A { viewer { role } } query B { viewer { role } }", "QUERY_TOO_MANY_OPERATIONS"),
        ("max_depth", "{ viewer { role } }", "QUERY_TOO_DEEP"),
        ("max_introspection_depth", "{ __schema { queryType { name } } }", "INTROSPECTION_TOO_DEEP"),
        ("max_aliases", "{ a: viewer { role } b: viewer { role } }", "QUERY_TOO_MANY_ALIASES"),
        ("max_root_fields", "{ a: viewer { role } b: viewer { role } }", "QUERY_TOO_MANY_ROOT_FIELDS"),
        ("max_directives", "{ viewer @skip(if: false) { role @skip(if: false) } }", "QUERY_TOO_MANY_DIRECTIVES"),
        ("max_selections", "{ viewer { role } }", "QUERY_TOO_LARGE"),
        ("max_cost", "{ viewer { organization { id } } }", "QUERY_TOO_COSTLY"),
    ],
)
async def test_each_limit_of_a_key_holds_for_documents_that_are_kept(
    world: World, limit: str, query: str, code: str
) -> None:
    name = "A" if limit == "max_operations" else None
    assert (await answer(world, query, "editor", operationName=name))["data"]
    await change_graphql_limits(world.database, world.key_ids["editor"], {limit: 1})
    [error] = (await refusal(world, query, "editor"))["errors"]
    assert error["extensions"]["code"] == code
    assert (await answer(world, query, "readonly", operationName=name))["data"]


async def test_variables_of_a_key_may_nest_less(world: World) -> None:
    query = "query ($gtin: String!) { product(gtin: $gtin) { name } }"
    variables = {"gtin": GTIN, "unused": [[1]]}
    await change_graphql_limits(world.database, world.key_ids["editor"], {"max_variables_depth": 2})
    [error] = (await refusal(world, query, "editor", variables=variables))["errors"]
    assert error["extensions"]["code"] == "VARIABLES_TOO_DEEP"
    assert (await answer(world, query, "readonly", variables=variables))["data"]


async def test_limits_of_a_key_on_the_command_line(world: World, database_url: str) -> None:
    where = {"CERTGATE_DATABASE_URL": database_url}
    key = world.key_ids["readonly"]
    printed = await to_thread(succeeded, "keys", "limits", key, "max_depth=3", "max_aliases=1", **where)
    assert re.search(r"^max_depth +3 +10$", printed, re.MULTILINE)
    assert "QUERY_TOO_DEEP" in str(await refusal(world, DEEP))
    printed = await to_thread(succeeded, "keys", "limits", key, "max_depth=", **where)
    assert re.search(r"^max_depth +- +10$", printed, re.MULTILINE)
    assert printed == await to_thread(succeeded, "keys", "limits", key, **where)
    assert (await answer(world, DEEP))["data"]
    for wrong in ("max_depth=0", "max_depth=-1", "depth=3", "max_depth", "max_errors=3"):
        assert (await to_thread(certgate, "keys", "limits", key, wrong, **where)).returncode == 2
    assert (await to_thread(certgate, "keys", "limits", NON_GMO, "max_depth=3", **where)).returncode == 1
