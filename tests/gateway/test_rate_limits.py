"""Rate limits through the whole application (contract 1.7): what is admitted, what it costs, what every answer says."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from db.engine import turns
from db.engine.opening import open_database
from db.sql import tables
from domain.vocabulary import KeyKind, Role
from gateway.app import create_app
from gateway.limits.budgets import DAY, MINUTE
from gateway.limits.memory import MemoryLimiter
from gateway.settings import Settings
from tests.operations.faces import Rest
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOTHING, VEGAN, World, populate

START = 1_800_000_000.0
API = "/certifications/api/v1"
CLAIM = f"{API}/claims/{NON_GMO}"
HEADERS = (
    "ratelimit-policy",
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit",
)


class Clock:
    """The time, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "certgate.db"))


@pytest.fixture
async def world(file: Path, clock: Clock) -> AsyncIterator[World]:
    """The application with its default limits, and a clock that stands still."""
    settings = Settings(database_url=f"sqlite:///{file}", rate_limit_per_minute=300, rate_limit_per_day=10_000)
    database = await open_database(settings.database_url)
    async with World(create_app(settings, database, MemoryLimiter(clock)), database) as world:
        await populate(world)
        yield world
    await database.close()


async def get(world: World, path: str = CLAIM, key: str = "editor") -> httpx2.Response:
    # Each request comes in a turn of its own, in which it is looked whether a key has changed.
    await asyncio.sleep(0)
    return await world.client.get(path, headers={"X-API-Key": world.keys[key]})


async def ask(world: World, query: str, key: str = "editor") -> httpx2.Response:
    return await world.client.post("/graphql", json={"query": query}, headers={"X-API-Key": world.keys[key]})


def left(response: httpx2.Response) -> int:
    return int(response.headers["ratelimit-remaining"])


def used(response: httpx2.Response) -> int:
    return int(response.headers["ratelimit-limit"]) - left(response)


def set_limits(file: Path, key_id: str, minute: int, day: int) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute(
            "UPDATE api_keys SET rate_limit_per_minute = ?, rate_limit_per_day = ? WHERE id = ?", (minute, day, key_id)
        )
    connection.close()


def test_the_defaults_are_those_of_the_contract() -> None:
    fields = Settings.model_fields
    assert (fields["rate_limit_per_minute"].default, fields["rate_limit_per_day"].default) == (300, 10_000)


async def test_every_answer_says_what_is_left(world: World) -> None:
    await get(world)
    sent = (await get(world)).headers
    assert {name: sent[name] for name in HEADERS} == {
        "ratelimit-policy": "300;w=60, 10000;w=86400",
        "ratelimit-limit": "300",
        "ratelimit-remaining": "298",
        "ratelimit-reset": "60",
        "x-ratelimit-limit": "300",
        "x-ratelimit-remaining": "298",
        "x-ratelimit-reset": str(int(START) + 60),
        "ratelimit": '"minute";r=298;t=60, "day";r=9998;t=86400',
    }
    assert "retry-after" not in sent


async def answers(world: World, file: Path) -> AsyncIterator[httpx2.Response]:
    """One answer of every kind that there is below the guarded paths."""
    manager = {"X-API-Key": world.keys["manager"]}
    claims = f"{API}/products/{GTIN}/claims"
    yield await world.client.get(claims, headers=manager)  # 200
    yield await world.client.post(claims, json={"claim_id": VEGAN}, headers=manager)  # 201
    yield await world.client.post(claims, json={"claim_id": VEGAN}, headers=manager)  # 409
    yield await world.client.post(claims, json={"claim_id": 1}, headers=manager)  # 422
    yield await world.client.post(claims, content=b"{", headers=manager)  # 400 or 415
    yield await world.client.put(claims, headers=manager)  # 405
    yield await world.client.head(claims, headers=manager)  # 200 without a body
    yield await world.client.get(f"{API}/claims/{NOTHING}", headers=manager)  # 404
    yield await world.client.get(f"{API}/no/such/path", headers=manager)  # 404
    yield await world.client.get(claims)  # 401
    yield await world.client.get(claims, headers={"X-API-Key": "csb_invalid"})  # 401
    yield await world.client.post(claims, json={"claim_id": NON_GMO}, headers={"X-API-Key": world.keys["readonly"]})
    yield await ask(world, "{ __typename }")  # 200
    yield await ask(world, "{")  # 400
    yield await world.client.post("/graphql", content=b"{}", headers=manager)  # 415
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE claim_assignments RENAME TO claim_assignments_no_more")
    connection.close()
    yield await get(world, claims)  # 500


async def test_answers_of_every_status_say_it(world: World, file: Path) -> None:
    statuses = set()
    async for response in answers(world, file):
        statuses.add(response.status_code)
        assert [name for name in HEADERS if len(response.headers.get_list(name)) != 1] == [], response
        assert "retry-after" not in response.headers
    assert statuses >= {200, 201, 400, 401, 403, 404, 405, 409, 415, 422, 500}


async def test_an_answer_that_nothing_changed_says_it_too(world: World) -> None:
    path = f"{API}/products/{GTIN}/certifications"
    first = await get(world, path)
    key = {"X-API-Key": world.keys["editor"], "If-None-Match": first.headers["etag"]}
    unchanged = await world.client.get(path, headers=key)
    assert (unchanged.status_code, used(unchanged)) == (304, 2)
    assert all(name in unchanged.headers for name in HEADERS)


async def test_public_paths_are_not_counted(world: World) -> None:
    for path in ("/healthz", "/readyz", "/graphiql", "/"):
        sent = (await world.client.get(path)).headers
        assert [name for name in HEADERS if name in sent] == []


async def test_an_openapi_document_says_where_the_address_stands_and_costs_nothing(world: World) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "PUT"):
        answer = await world.client.request(method, f"{API}/openapi.json", headers={"X-API-Key": world.keys["editor"]})
        assert [name for name in HEADERS if len(answer.headers.get_list(name)) != 1] == []
        assert used(answer) == 0
    refused = [await world.client.get(CLAIM) for _ in range(301)]
    assert (refused[-1].status_code, left(refused[-1])) == (429, 0)
    answer = await world.client.get(f"{API}/openapi.json")
    assert (answer.status_code, left(answer)) == (200, 0)


async def test_a_thousand_at_once_are_three_hundred_too_many_times_two_and_a_bit(world: World) -> None:
    responses = await asyncio.gather(*(get(world) for _ in range(1000)))
    statuses = [response.status_code for response in responses]
    assert (statuses.count(200), statuses.count(429)) == (300, 700)
    # Each of the admitted was told another number.
    assert {left(response) for response in responses if response.status_code == 200} == set(range(300))


async def test_a_refusal_is_the_problem_of_the_contract(world: World, clock: Clock) -> None:
    for _ in range(300):
        await get(world)
    clock.now += 29.5
    refused = await get(world)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    body = refused.json()
    assert body.pop("timestamp")
    assert body == {
        "type": "https://closient.com/docs/errors/rate_limited",
        "title": "Rate Limited",
        "status": 429,
        "detail": "Rate limit exceeded. Please try again later.",
        "error_code": "rate_limited",
        "retryable": True,
        "retry_after": 31,
        "retry_after_seconds": 31,
    }
    sent = refused.headers
    assert sent["retry-after"] == sent["ratelimit-reset"] == "31"
    assert (sent["ratelimit-limit"], sent["ratelimit-remaining"]) == ("300", "0")
    clock.now += 31
    assert ((again := await get(world)).status_code, left(again)) == (200, 299)


async def test_the_day_is_reported_and_waited_for_when_it_trips_first(world: World, file: Path, clock: Clock) -> None:
    set_limits(file, world.key_ids["editor"], 3, 7)
    seen = []
    for _ in range(3):
        seen += [await get(world) for _ in range(4)]
        clock.now += MINUTE
    assert [response.status_code for response in seen] == [200, 200, 200, 429, 200, 200, 200, 429, 200, 429, 429, 429]
    assert {response.headers["ratelimit-policy"] for response in seen} == {"3;w=60, 7;w=86400"}
    assert [(response.headers["ratelimit-limit"], left(response)) for response in seen[4:9]] == [
        ("3", 2), ("3", 1), ("3", 0), ("3", 0), ("7", 0),
    ]  # fmt: skip
    assert seen[3].headers["retry-after"] == str(MINUTE)
    assert seen[-1].headers["retry-after"] == str(DAY - 2 * MINUTE)
    clock.now = START + DAY
    assert (await get(world)).status_code == 200


async def test_a_refused_request_costs_nothing(world: World, file: Path, clock: Clock) -> None:
    set_limits(file, world.key_ids["editor"], 2, 4)
    for _ in range(50):
        await get(world)
    clock.now += MINUTE
    assert [(await get(world)).status_code for _ in range(3)] == [200, 200, 429]


async def test_limits_of_a_key_count_at_once_and_for_that_key_alone(world: World, file: Path) -> None:
    assert (await get(world)).headers["ratelimit-limit"] == "300"
    set_limits(file, world.key_ids["editor"], 2, 0)
    assert [(await get(world)).status_code for _ in range(2)] == [200, 429]
    assert (await get(world)).headers["ratelimit-policy"] == "2;w=60, 10000;w=86400"
    assert (await get(world, key="manager")).headers["ratelimit-policy"] == "300;w=60, 10000;w=86400"


async def test_publishable_keys_have_a_hundred(world: World) -> None:
    statuses = [(await get(world, key="publishable")).status_code for _ in range(101)]
    assert (statuses.count(200), statuses[-1]) == (100, 429)


async def test_two_keys_of_one_organisation_are_counted_apart(world: World) -> None:
    await world.add_key("second", "brand", Role.EDITOR, KeyKind.BUSINESS)
    for _ in range(5):
        await get(world)
    assert used(await get(world, key="second")) == 1


async def test_more_keys_of_an_organisation_have_no_more_than_ten(world: World) -> None:
    for number in range(11):
        await world.add_key(f"k{number}", "brand", Role.READONLY)
    answers = [await ask(world, document(20), f"k{number}") for number in range(11) for _ in range(15)]
    assert [answer.status_code for answer in answers] == [200] * 150 + [429] * 15
    last = await get(world, key="k10")
    assert (last.headers["ratelimit-limit"], last.headers["ratelimit-remaining"]) == ("3000", "0")
    assert last.headers["ratelimit-policy"] == "3000;w=60, 10000;w=86400"
    assert (await get(world, key="rival")).status_code == 200
    # A new key brings nothing, and another organisation's calls nobody notices.
    await world.add_key("new", "brand", Role.READONLY)
    assert (await get(world, key="new")).status_code == 429


async def test_invalid_keys_spend_the_address_and_never_a_key(world: World) -> None:
    # Well formed up to the checksum, which is that of the true key's body.
    forged = world.keys["editor"][:-1] + ("0" if world.keys["editor"][-1] != "0" else "1")
    for count, secret in enumerate((forged, "csb_AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEf_84041098", ""), 1):
        refused = await world.client.get(CLAIM, headers={"X-API-Key": secret})
        assert (refused.status_code, used(refused)) == (401, count)
    assert used(await get(world)) == 1


async def test_an_address_that_is_used_up_still_lets_keys_through(world: World) -> None:
    statuses = [(await world.client.get(CLAIM)).status_code for _ in range(301)]
    assert (statuses.count(401), statuses[-1]) == (300, 429)
    assert (await get(world)).status_code == 200
    elsewhere = httpx2.ASGITransport(app=world.app, client=("192.0.2.9", 123))
    async with httpx2.AsyncClient(transport=elsewhere, base_url="http://certgate.test") as client:
        assert (await client.get(CLAIM)).status_code == 401


async def test_what_fails_before_anything_was_charged_costs_nothing(world: World, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("ALTER TABLE api_keys RENAME TO keys_no_more")
    connection.close()
    for _ in range(2):
        failed = await get(world)
        assert (failed.status_code, left(failed)) == (500, 300)


def document(roots: int) -> str:
    return "{" + " ".join(f"f{number}: __typename" for number in range(roots)) + "}"


@pytest.mark.parametrize(
    ("query", "units"),
    [
        ("{ __typename }", 1),
        (f'{{ product(gtin: "{GTIN}") {{ name claims {{ source }} certifications {{ isActive }} }} }}', 1),
        (f'{{ a: product(gtin: "{GTIN}") {{ name }} b: product(gtin: "{GTIN}") {{ name }} __typename }}', 3),
        ("query { ...F __typename } fragment F on Query { a: __typename b: __typename }", 3),
        (document(20), 20),
        ("{", 1),
        ("{ nope }", 1),
        (document(21), 1),  # refused by the limits of documents
    ],
)
async def test_graphql_costs_a_unit_for_every_root_field(world: World, query: str, units: int) -> None:
    assert used(await ask(world, query)) == units


async def test_rest_and_graphql_spend_the_same_budget(world: World) -> None:
    await get(world)
    assert used(await ask(world, document(5))) == 6
    assert used(await get(world)) == 7


async def test_a_document_that_does_not_fit_is_refused_unexecuted_and_costs_one_unit(
    world: World, file: Path, clock: Clock
) -> None:
    set_limits(file, world.key_ids["editor"], 4, 100)
    before = await world.rows(tables.claim_assignments)
    mutation = (
        "mutation {"
        + " ".join(
            f'm{number}: assignClaim(input: {{gtin: "{GTIN}", claimId: "{claim}"}}) {{ __typename }}'
            for number, claim in enumerate([NON_GMO, VEGAN, NON_GMO, VEGAN, VEGAN])
        )
        + "}"
    )
    refused = await ask(world, mutation)
    body: dict[str, Any] = refused.json()
    assert (refused.status_code, body["error_code"], body["retry_after"]) == (429, "rate_limited", MINUTE)
    assert body["detail"] == (
        "Rate limit exceeded. Every root field costs a unit, in bulk every row, and searches, totals,"
        " statistics and invitations some besides; this needs 4 more, ask for less, or try again later."
    )
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["retry-after"] == str(MINUTE)
    assert left(refused) == 3
    assert await world.rows(tables.claim_assignments) == before
    # Three are left: a document of three root fields fits exactly.
    fits = await ask(world, document(3))
    assert (fits.status_code, left(fits)) == (200, 0)
    assert (await ask(world, "{ __typename }")).status_code == 429


async def test_a_bulk_mutation_that_does_not_fit_is_refused_before_anything_is_done(world: World, file: Path) -> None:
    set_limits(file, world.key_ids["editor"], 4, 100)
    before = await world.rows(tables.claim_assignments)
    row = f'{{gtin: "{GTIN}", claimId: "{VEGAN}"}}'
    mutation = (
        f"mutation {{ a: assignClaim(input: {row}) {{ __typename }}"
        f" b: assignClaims(input: [{row}, {row}, {row}, {row}]) {{ __typename }} }}"
    )
    refused = await ask(world, mutation)
    body: dict[str, Any] = refused.json()
    assert (refused.status_code, body["error_code"]) == (429, "rate_limited")
    assert "this needs 3 more" in body["detail"]
    # One for each root field; the rows are charged once the variables are known.
    assert left(refused) == 2
    assert await world.rows(tables.claim_assignments) == before
    assert used(await ask(world, f"mutation {{ assignClaims(input: [{row}, {row}]) {{ __typename }} }}")) == 4


async def test_many_documents_at_once_are_never_admitted_beyond_the_limit(world: World) -> None:
    responses = await asyncio.gather(*(ask(world, document(7)) for _ in range(200)))
    admitted = sum(response.status_code == 200 for response in responses)
    spent = {used(response) for response in responses}
    assert admitted * 7 <= 300
    assert max(spent) <= 300
    # Whoever was refused by the endpoint had paid one unit at the edge already.
    assert admitted * 7 + min(200 - admitted, 300 - admitted * 7) == max(spent)


async def test_a_session_spends_the_budget_of_its_key(world: World) -> None:
    from resolvers.sessions import create_sign_in_link

    token = await create_sign_in_link(world.database, world.key_ids["editor"])
    page = await world.client.post("/sign-in", data={"token": token}, headers={"Origin": "http://certgate.test"})
    assert page.status_code == 303
    assert used(await get(world)) == 1
    assert used(await world.client.get(CLAIM)) == 2


async def test_ready_says_that_requests_are_counted(world: World) -> None:
    ready = (await world.client.get("/readyz")).json()
    assert ready == {"status": "ok", "database": "ok", "changes": "ok", "rate_limits": "ok", "date_events": "ok"}


async def test_assigning_is_charged_like_reading(world: World) -> None:
    key = {"X-API-Key": world.keys["manager"]}
    path = f"{API}/products/{GTIN}/certifications/{FAIR_TRADE}"
    assert used(await world.client.patch(path, json={}, headers=key)) == 1


@pytest.mark.parametrize(
    ("asked", "units"),
    [
        ("{ products(first: 1) { nodes { gtin } } }", 1),
        ('{ products(first: 1, where: {name: {startsWith: "oat"}}) { nodes { gtin } } }', 1),
        ('{ products(first: 1, where: {not: {or: [{search: "oat"}]}}) { nodes { gtin } } }', 6),
        ("{ products(first: 1) { totalCount } }", 6),
        ('{ products(first: 1, where: {search: "oat"}) { totalCount } }', 11),
        ("{ certificationAssignments(first: 1) { totalCount } claimAssignments(first: 1) { totalCount } }", 12),
        # Those of several parents are counted in one go.
        ("{ certifications(first: 3) { nodes { assignments(first: 1) { totalCount } } } }", 6),
        ("{ claims(first: 3) { nodes { assignments(first: 1) { totalCount } } } }", 6),
        ("{ certifications(first: 3) { totalCount } }", 1),
        ("{ certificationAssignmentStats { totalCount } claimAssignmentStats { totalCount } }", 12),
        ("/products/api/v1/trade-items", 1),
        ("/products/api/v1/trade-items?brand=Acme", 1),
        ("/products/api/v1/trade-items?q=oat", 6),
    ],
)
async def test_what_may_look_at_every_row_costs_more(world: World, asked: str, units: int) -> None:
    response = await (get(world, asked) if asked.startswith("/") else ask(world, asked))
    assert response.status_code == 200, response.text
    assert "errors" not in response.json()
    assert left(response) == 300 - units


async def test_a_scan_that_does_not_fit_is_refused_and_what_it_was_asked_with_is_answered(world: World) -> None:
    for _ in range(49):
        assert (await ask(world, "{ products(first: 1) { totalCount } }")).status_code == 200
    answer: dict[str, Any] = (await ask(world, "{ __typename claimAssignmentStats { totalCount } }")).json()
    assert [entry["extensions"]["code"] for entry in answer["errors"]] == ["rate_limited"]
    assert answer["errors"][0]["path"] == ["claimAssignmentStats"]
    refused = await get(world, "/products/api/v1/trade-items?q=oat")
    assert (refused.status_code, left(refused)) == (429, 3)


async def test_scans_are_shared_between_callers_on_both_faces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    callers: list[str] = []
    turn = turns.Turns.turn

    def noted(line: turns.Turns) -> AbstractAsyncContextManager[None]:
        callers.append(turns.caller.get())
        return turn(line)

    monkeypatch.setattr(turns.Turns, "turn", noted)
    await get(world, "/products/api/v1/trade-items?q=oat", key="readonly")
    await ask(world, "{ products(first: 1) { totalCount } }", key="publishable")
    assert callers[0] == world.key_ids["readonly"]
    assert callers[-1] == world.key_ids["publishable"]


async def test_an_address_tries_to_sign_in_thirty_times_a_minute(world: World, clock: Clock) -> None:
    """With keys, by links of mails and by invitations together; others are not told to wait."""
    here = {"Origin": "http://certgate.test", "Sec-Fetch-Site": "same-origin"}

    async def tried(path: str, **fields: str) -> httpx2.Response:
        return await world.client.post(path, data=fields, headers=here)

    tries = [
        ("/sign-in", {"api_key": "csb_guessed"}),
        ("/sign-in", {"token": "guessed"}),
        ("/invitation", {"token": "x"}),
    ]
    answers = [await tried(path, **fields) for _ in range(10) for path, fields in tries]
    assert [answer.status_code for answer in answers] == [401, 410, 410] * 10
    refused = await tried("/sign-in", api_key=world.keys["manager"])
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "Too much was asked from your network address; try again in 60 seconds." in refused.text
    # Whoever has a key is not asked where from.
    assert (await get(world)).status_code == 200
    clock.now += MINUTE
    assert (await tried("/sign-in", api_key=world.keys["manager"])).status_code == 303


async def test_an_invitation_costs_ten_requests_more(world: World, clock: Clock) -> None:
    """On both faces, done or not: each is a letter to somebody who may not know of us."""
    path = f"/account/api/v1/organizations/{world.brand}/invitations"
    headers = {"X-API-Key": world.keys["manager"]}
    mutation = 'mutation {{ createInvitation(input: {{email: "{0}@example.org", role: READONLY}}) {{ __typename }} }}'
    for number in range(13):
        sent = {"email": f"ann{number}@example.org", "role": "readonly"}
        assert (await world.client.post(path, json=sent, headers=headers)).is_success
        answer = (await ask(world, mutation.format(f"bob{number}"), "manager")).json()
        assert answer["data"]["createInvitation"]["__typename"] == "InvitationCreated"
    invited = await world.rows(tables.invitations)
    assert len(invited) == 26
    assert (
        await world.client.post(path, json={"email": "c@example.org", "role": "readonly"}, headers=headers)
    ).is_success
    refused = await world.client.post(path, json={"email": "d@example.org", "role": "readonly"}, headers=headers)
    assert (refused.status_code, refused.json()["error_code"]) == (429, "rate_limited")
    refused = await ask(world, mutation.format("eve"), "manager")
    assert [each["extensions"]["code"] for each in refused.json()["errors"]] == ["rate_limited"]
    assert len(await world.rows(tables.invitations)) == 27


async def test_whoever_guesses_the_address_of_a_calendar_spends_units_of_its_own(world: World) -> None:
    rest = Rest(world)
    view = (await rest.people("save view", name="All", kind="claims")).facts["id"]
    url = (await rest.people("make calendar", view_id=view)).facts["url"]
    answers = [await world.client.get(f"/calendar.ics?token={number}") for number in range(301)]
    assert [answer.status_code for answer in answers] == [404] * 300 + [429]
    # Whoever knows an address has units of its own, a scan's for each time.
    answers = [await world.client.get(url[url.index("/calendar") :]) for _ in range(51)]
    assert [answer.status_code for answer in answers] == [200] * 50 + [429]
