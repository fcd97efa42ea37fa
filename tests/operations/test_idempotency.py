"""A write that carries an Idempotency-Key is done once, whoever sends it however often, at once or later."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import asyncpg
import httpx2
import pytest
from sqlalchemy import make_url

from db.keys import announce
from db.sql import tables
from domain.idempotency import OneWrite
from tests.processes import serving
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, NOTHING, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

ROOT = Path(__file__).resolve().parents[2]
KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@dataclass
class Sent:
    """What came back: the public code of the refusal or "", the body, and whether it says that it is a repetition."""

    code: str
    body: Any
    replayed: bool
    headers: httpx2.Headers


class Sender(Protocol):
    """One face, on some client."""

    async def assign(self, claim_id: str, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        """Puts a claim on a product."""

    async def patch(self, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        """Changes the certification that the product holds."""

    async def remove(self, *, key: str = KEY, who: str = "manager") -> Sent:
        """Takes that certification off the product."""


def headers(world: World, key: str | None, who: str) -> httpx2.Headers:
    sent = {"X-API-Key": world.keys[who], "Accept": "application/graphql-response+json, application/json"}
    return httpx2.Headers({**sent, "Idempotency-Key": key} if key is not None else sent, encoding="latin-1")


class Rest:
    """The REST face."""

    def __init__(self, world: World, client: httpx2.AsyncClient | None = None) -> None:
        self.world = world
        self.client = client or world.client

    async def send(self, method: str, path: str, key: str, who: str, body: Any = None) -> Sent:
        response = await self.client.request(
            method,
            f"/certifications/api/v1/products/{path}",
            headers=headers(self.world, key, who),
            **({} if body is None else {"json": body}),
        )
        answer: Any = response.json() if response.content else None
        code = "" if response.is_success else answer["error_code"]
        replayed = response.headers.get("idempotent-replayed")
        assert replayed in (None, "true")
        return Sent(code, answer, replayed == "true", response.headers)

    async def assign(self, claim_id: str, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        gtin = members.pop("gtin", GTIN)
        return await self.send("POST", f"{gtin}/claims", key, who, {"claim_id": claim_id, **members})

    async def patch(self, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        return await self.send("PATCH", f"{GTIN}/certifications/{USDA_ORGANIC}", key, who, members)

    async def remove(self, *, key: str = KEY, who: str = "manager") -> Sent:
        return await self.send("DELETE", f"{GTIN}/certifications/{USDA_ORGANIC}", key, who)


PROBLEM = " fragment P on Problem { errorCode detail status }"
MUTATIONS = {
    "assign": """mutation ($input: AssignClaimInput!) { assignClaim(input: $input) { ...P
        ... on ClaimAssigned { assignment { id version metadata claim { label } } } } }""",
    "patch": """mutation ($input: PatchCertificationAssignmentInput!) {
        patchCertificationAssignment(input: $input) { ...P
        ... on CertificationAssignmentPatched { assignment { id version metadata scope updatedAt } } } }""",
    "remove": """mutation ($input: RemoveCertificationInput!) {
        removeCertification(input: $input) { ...P __typename } }""",
}


class GraphQL:
    """The GraphQL face."""

    def __init__(self, world: World, client: httpx2.AsyncClient | None = None) -> None:
        self.world = world
        self.client = client or world.client

    async def send(self, query: str, variables: dict[str, Any], key: str | None = KEY, who: str = "manager") -> Sent:
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers(self.world, key, who)
        )
        answer = response.json()
        replayed = response.headers.get("idempotent-replayed") == "true"
        if "data" not in answer or answer.get("errors"):
            problem = answer["errors"][0]["extensions"] if "errors" in answer else {"code": answer["error_code"]}
            return Sent(problem["code"], answer, replayed, response.headers)
        results = list(answer["data"].values())
        return Sent(results[0].get("errorCode", ""), answer["data"], replayed, response.headers)

    async def assign(self, claim_id: str, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        sent = {"gtin": GTIN, "claimId": claim_id, **members}
        return await self.send(MUTATIONS["assign"] + PROBLEM, {"input": sent}, key, who)

    async def patch(self, *, key: str = KEY, who: str = "manager", **members: Any) -> Sent:
        sent = {"gtin": GTIN, "certificationId": USDA_ORGANIC, **members}
        return await self.send(MUTATIONS["patch"] + PROBLEM, {"input": sent}, key, who)

    async def remove(self, *, key: str = KEY, who: str = "manager") -> Sent:
        sent = {"gtin": GTIN, "certificationId": USDA_ORGANIC}
        return await self.send(MUTATIONS["remove"] + PROBLEM, {"input": sent}, key, who)


@pytest.fixture(params=[Rest, GraphQL], ids=["rest", "graphql"])
def sender(request: pytest.FixtureRequest, world: World) -> Sender:
    """One face of the application."""
    made: Sender = request.param(world)
    return made


async def test_what_is_sent_again_is_answered_again_and_not_done_again(sender: Sender, world: World) -> None:
    first = await sender.assign(VEGAN, metadata={"order_id": "6735"})
    rows = await world.rows(tables.claim_assignments)
    assert (first.code, first.replayed, len(rows)) == ("", False, 1)
    for _ in range(2):
        again = await sender.assign(VEGAN, metadata={"order_id": "6735"})
        assert (again.code, again.replayed, again.body) == ("", True, first.body)
    assert await world.rows(tables.claim_assignments) == rows


async def test_without_a_key_nothing_is_remembered(world: World) -> None:
    graphql = GraphQL(world)
    sent = {"input": {"gtin": GTIN, "claimId": VEGAN}}
    assert (await graphql.send(MUTATIONS["assign"] + PROBLEM, sent, None)).code == ""
    assert (await graphql.send(MUTATIONS["assign"] + PROBLEM, sent, None)).code == "conflict"
    assert await world.rows(tables.idempotency_keys) == []


async def test_of_20_at_once_one_is_done_and_all_have_its_answer(sender: Sender, world: World) -> None:
    sent = await asyncio.gather(*(sender.assign(VEGAN) for _ in range(20)))
    assert {item.code for item in sent} == {""}
    assert sum(not item.replayed for item in sent) == 1
    assert all(item.body == sent[0].body for item in sent)
    assert len(await world.rows(tables.claim_assignments)) == 1
    assert len(await world.rows(tables.idempotency_keys)) == 1


async def test_a_patch_is_applied_once_and_its_repetition_shows_what_was_answered(sender: Sender, world: World) -> None:
    first = await sender.patch(scope="first", metadata={"n": "1"})
    await sender.patch(key="another", scope="second")
    rows = await world.rows(tables.certification_assignments)
    again = await sender.patch(scope="first", metadata={"n": "1"})
    assert (again.replayed, again.body) == (True, first.body)
    assert await world.rows(tables.certification_assignments) == rows


async def test_a_removal_is_answered_again(sender: Sender, world: World) -> None:
    first = await sender.remove()
    again = await sender.remove()
    assert (first.code, first.replayed) == ("", False)
    assert (again.code, again.replayed, again.body) == ("", True, first.body)
    assert (await sender.remove(key="another")).code == "not_found"


async def test_one_key_for_two_requests_is_refused(sender: Sender, world: World) -> None:
    await sender.assign(VEGAN)
    rows = await world.rows(tables.claim_assignments)
    for refused in (await sender.assign(NON_GMO), await sender.assign(VEGAN, metadata={"a": "1"})):
        assert refused.code == "idempotency_key_reused"
        assert not refused.replayed
    assert await world.rows(tables.claim_assignments) == rows


async def test_one_key_for_two_operations_is_refused(world: World) -> None:
    # In GraphQL a key is the mutation's own, by its name in the answer.
    rest = Rest(world)
    await rest.assign(VEGAN)
    refused = await rest.remove()
    assert (refused.code, refused.body["status"]) == ("idempotency_key_reused", 422)
    assert len(await world.rows(tables.certification_assignments)) == 1


async def test_the_order_of_metadata_and_the_form_of_the_gtin_make_no_difference(world: World) -> None:
    rest = Rest(world)
    await rest.assign(VEGAN, metadata={"a": "1", "b": "2"})
    assert (await rest.assign(VEGAN, metadata={"b": "2", "a": "1"}, gtin="12345678905")).replayed


async def test_one_key_of_two_principals_is_two_keys(sender: Sender, world: World) -> None:
    first = await sender.assign(VEGAN)
    other = await sender.assign(VEGAN, who="editor")
    assert (other.code, other.replayed) == ("conflict", False)
    assert first.body != other.body
    # Another organisation learns nothing either.
    assert (await sender.assign(VEGAN, who="rival")).code == "forbidden"


async def test_a_refusal_is_not_remembered(sender: Sender, world: World) -> None:
    assert (await sender.assign(NOTHING)).code == "not_found"
    assert (await sender.assign(VEGAN, who="readonly")).code == "forbidden"
    assert (await sender.assign(VEGAN, metadata={"k" * 41: "v"})).code == "validation_error"
    assert await world.rows(tables.idempotency_keys) == []
    done = await sender.assign(VEGAN)
    assert (done.code, done.replayed) == ("", False)


async def test_permission_is_asked_before_an_answer_is_repeated(world: World) -> None:
    rest = Rest(world)
    await rest.assign(VEGAN)
    async with world.database.write() as transaction:
        await transaction.execute(
            tables.api_keys.update().where(tables.api_keys.c.id == world.key_ids["manager"]), {"role": "readonly"}
        )
        await announce(transaction)
    assert (await rest.assign(VEGAN)).code == "forbidden"


@pytest.mark.parametrize(("one", "other"), [("abc", '"abc"'), ('"a\\"b\\\\c d"', '"a\\"b\\\\c d"'), ("x" * 255,) * 2])
async def test_a_key_may_be_quoted(world: World, one: str, other: str) -> None:
    rest = Rest(world)
    await rest.assign(VEGAN, key=one)
    assert (await rest.assign(VEGAN, key=other)).replayed


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "two words", '"open', "caf\xe9", '"a"b"', 'a", "b'])
async def test_a_key_that_is_none_is_refused_and_nothing_is_done(sender: Sender, world: World, key: str) -> None:
    refused = await sender.assign(VEGAN, key=key)
    assert refused.code == "bad_request"
    assert "Idempotency-Key" in refused.body["detail"]
    assert await world.rows(tables.claim_assignments) == []


async def test_two_keys_are_none(world: World) -> None:
    response = await world.client.post(
        f"/certifications/api/v1/products/{GTIN}/claims",
        json={"claim_id": VEGAN},
        headers=[("X-API-Key", world.keys["manager"]), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")],
    )
    assert (response.status_code, response.json()["error_code"]) == (400, "bad_request")


async def test_reading_takes_no_notice_of_a_key(world: World) -> None:
    path = f"/certifications/api/v1/products/{GTIN}/certifications"
    for _ in range(2):
        response = await world.client.get(path, headers=headers(world, "not a key", "readonly"))
        assert response.status_code == 200
    read = await GraphQL(world).send("{ product(gtin: %r) { gtin } }".replace("%r", f'"{GTIN}"'), {})
    assert read.body["product"] == {"gtin": GTIN}
    assert await world.rows(tables.idempotency_keys) == []


TWO = """mutation ($a: AssignClaimInput!, $b: AssignClaimInput!, $more: Boolean!) {
    first: assignClaim(input: $a) { ... on ClaimAssigned { assignment { id } } ... on Problem { errorCode } }
    second: assignClaim(input: $b) @include(if: $more) {
      ... on ClaimAssigned { assignment { id } } ... on Problem { errorCode } } }"""


async def test_each_mutation_of_a_document_is_done_once_under_its_own_name(world: World) -> None:
    graphql = GraphQL(world)
    variables = {"a": {"gtin": GTIN, "claimId": VEGAN}, "b": {"gtin": GTIN, "claimId": NON_GMO}}
    alone = await graphql.send(TWO, {**variables, "more": False})
    both = await graphql.send(TWO, {**variables, "more": True})
    assert both.body["first"] == alone.body["first"]
    assert both.replayed
    again = await graphql.send(TWO, {**variables, "more": True})
    assert again.body == both.body
    assert len(await world.rows(tables.claim_assignments)) == 2


async def test_a_mutation_that_was_refused_is_done_when_it_is_sent_corrected(world: World) -> None:
    graphql = GraphQL(world)
    good = {"gtin": GTIN, "claimId": VEGAN}
    first = await graphql.send(TWO, {"a": {"gtin": "1", "claimId": NON_GMO}, "b": good, "more": True})
    assert first.body["first"] == {"errorCode": "validation_error"}
    then = await graphql.send(TWO, {"a": {"gtin": GTIN, "claimId": NON_GMO}, "b": good, "more": True})
    assert then.body["second"] == first.body["second"]
    assert "assignment" in then.body["first"]
    assert len(await world.rows(tables.claim_assignments)) == 2


async def expire(world: World) -> None:
    async with world.database.write() as transaction:
        await transaction.execute(tables.idempotency_keys.update(), {"expires_at": NOON - timedelta(days=400)})


async def test_after_a_day_a_key_is_free_again(sender: Sender, world: World) -> None:
    await sender.assign(VEGAN)
    await expire(world)
    assert (await sender.assign(VEGAN)).code == "conflict"
    fresh = await sender.assign(NON_GMO)
    assert (fresh.code, fresh.replayed) == ("", False)
    assert (await sender.assign(NON_GMO)).replayed


async def test_a_write_removes_some_expired_keys_and_no_others(world: World) -> None:
    async with world.database.write() as transaction:
        for number in range(25):
            digest = OneWrite("somebody", str(number)).digest
            row = {"digest": digest, "gtin": GTIN, "fingerprint": "", "expires_at": NOON - timedelta(days=400)}
            await transaction.insert(tables.idempotency_keys, row)
    rest = Rest(world)
    await rest.patch(key="1", scope="a")
    # Where tables are sharded, all of the product.
    assert len(await world.rows(tables.idempotency_keys)) == (1 if world.database.sharded else 25 - 10 + 1)
    await rest.patch(key="2", scope="b")
    await rest.patch(key="3", scope="c")
    assert len(await world.rows(tables.idempotency_keys)) == 3


async def test_nothing_of_the_key_or_the_principal_is_stored_as_text(world: World) -> None:
    await Rest(world).assign(VEGAN)
    stored = repr(await world.rows(tables.idempotency_keys))
    assert KEY not in stored
    assert world.key_ids["manager"] not in stored


@asynccontextmanager
async def held(world: World, url: str) -> AsyncIterator[None]:
    """Another process is in the middle of the same request: its transaction has the key."""
    digest = OneWrite(world.key_ids["manager"], KEY).digest
    insert = "INSERT INTO idempotency_keys (digest, gtin, fingerprint, expires_at) VALUES"
    if make_url(url).get_backend_name() == "sqlite":
        other = sqlite3.connect(str(make_url(url).database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute(f"{insert} (?, ?, '', '2999-01-01 00:00:00.000000')", [digest, GTIN])
        yield
        other.execute("ROLLBACK")
        other.close()
    else:
        connection = await asyncpg.connect(url)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(f"{insert} ($1, $2, '', '2999-01-01')", digest, GTIN)
        yield
        await transaction.rollback()
        await connection.close()


async def test_what_is_still_being_worked_on_can_be_sent_again_later(world: World, database_url: str) -> None:
    rest = Rest(world)
    async with held(world, database_url):
        refused = await rest.assign(VEGAN)
    # SQLite has one writer, so that the wait is for it and not for the key.
    sqlite = database_url.startswith("sqlite")
    assert refused.code == ("service_unavailable" if sqlite else "idempotency_key_in_use")
    assert refused.body["status"] == (503 if sqlite else 409)
    assert refused.body["retryable"] is True
    assert int(refused.headers["retry-after"]) >= 1
    # Neither the refusal nor the other's failure is remembered.
    done = await rest.assign(VEGAN)
    assert (done.code, done.replayed) == ("", False)


@pytest.mark.parametrize("face", [Rest, GraphQL], ids=["rest", "graphql"])
async def test_two_processes_do_it_once_and_a_third_remembers(
    face: type[Rest] | type[GraphQL], world: World, database_url: str
) -> None:
    with ExitStack() as servers:
        addresses = [servers.enter_context(serving(database_url))[1] for _ in range(2)]
        clients = [httpx2.AsyncClient(base_url=address, timeout=30) for address in addresses]
        sent = await asyncio.gather(*(face(world, clients[n % 2]).assign(VEGAN) for n in range(20)))
        for client in clients:
            await client.aclose()
    assert {item.code for item in sent} == {""}
    assert sum(not item.replayed for item in sent) == 1
    assert all(item.body == sent[0].body for item in sent)
    assert len(await world.rows(tables.claim_assignments)) == 1
    # Both have ended by now.
    later = await face(world).assign(VEGAN)
    assert (later.replayed, later.body) == (True, sent[0].body)


async def test_a_product_of_another_organisation_stays_closed_whatever_the_key(sender: Sender, world: World) -> None:
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE)
    before = await world.rows(tables.certification_assignments)
    assert (await sender.patch(who="rival", scope="mine")).code == "forbidden"
    assert await world.rows(tables.certification_assignments) == before
