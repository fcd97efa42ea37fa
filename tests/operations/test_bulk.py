"""Bulk mutations: a result for each row, all or what can be done, in one transaction."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from graphql import GraphQLObjectType

from db.engine.postgresql import PostgresqlDatabase
from db.engine.sqlite import SqliteDatabase
from db.sql import tables
from domain.errors import REFUSALS, NotApplied
from schema import problems
from schema.schema import schema
from tests.lent import sent
from tests.operations.mutations import BULK, FREE_GTIN, MUTATIONS, bulk, prepare, run, send
from tests.operations.test_dry_run import everything, facts
from tests.replicas import servers_of
from tests.world import GTIN, NON_GMO, NOTHING, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""
SHELF = [f"{number:014d}" for number in range(100, 150)]


@pytest.fixture
async def shelf(world: World) -> World:
    """50 more products of the brand."""
    for gtin in SHELF:
        await world.add_product(gtin, world.brand)
    return world


def claims(*gtins: str, claim_id: str = VEGAN, **members: Any) -> list[dict[str, Any]]:
    return [{"gtin": gtin, "claimId": claim_id, **members} for gtin in gtins]


def codes(answer: dict[str, Any]) -> list[str]:
    """Of each row the problem's code, or "" where it was done."""
    assert [row["index"] for row in answer["rows"]] == list(range(len(answer["rows"])))
    found = [row["result"].get("errorCode", "") for row in answer["rows"]]
    assert (answer["done"], answer["refused"]) == (found.count(""), len(found) - found.count(""))
    return found


async def count(world: World) -> int:
    return len(await world.rows(tables.claim_assignments))


# --- Every form ---


def test_bulk_forms_are_those_that_take_a_policy() -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    assert BULK.keys() == {name for name, field in mutation.fields.items() if "policy" in field.args}


def test_every_refusal_of_a_row_is_a_member_of_its_union() -> None:
    assert set(REFUSALS) | {NotApplied} == problems._MEMBERS.keys()
    for name in BULK.values():
        single = f"{name[0].upper()}{name[1:]}"
        row = schema._schema.type_map[f"{single}Row"]
        assert isinstance(row, GraphQLObjectType)
        assert str(row.fields["result"].type) == f"{single}Result!"


@pytest.mark.parametrize("name", BULK)
async def test_one_row_is_as_the_single_form(world: World, name: str) -> None:
    await prepare(world)
    single = BULK[name]
    dry = await run(world, single, MUTATIONS[single].input, dry=True)
    before = await everything(world)
    bulk_dry = await bulk(world, name, [MUTATIONS[single].input], dry=True, key="one")
    assert (bulk_dry["dryRun"], bulk_dry["done"], bulk_dry["refused"]) == (True, 1, 0)
    assert bulk_dry["rows"][0]["result"]["dryRun"] is True
    assert facts(bulk_dry["rows"][0]["result"]) == facts(dry)
    assert await everything(world) == before
    real = await bulk(world, name, [MUTATIONS[single].input])
    assert (real["dryRun"], real["rows"][0]["result"]["dryRun"]) == (False, False)
    assert facts(real["rows"][0]["result"]) == facts(dry)
    assert await everything(world) != before


@pytest.mark.parametrize("policy", ["REJECT_ALL", "IGNORE_FAILED"])
@pytest.mark.parametrize("name", BULK)
async def test_a_bad_row_is_refused_as_alone_and_the_policy_says_what_becomes_of_the_good_one(
    world: World, name: str, policy: str
) -> None:
    await prepare(world)
    sample = MUTATIONS[BULK[name]]
    # What is made needs nothing to be there, but may be there itself.
    wrong, why = (sample.gone, "not_found") if sample.gone else ({"gtin": GTIN}, "conflict")
    rows = [{**sample.input, **wrong}, sample.input, {**sample.input, **sample.invalid}]
    alone = [await run(world, BULK[name], row, dry=True) for row in rows]
    before = await everything(world)
    for dry in (True, False):
        answer = await bulk(world, name, rows, policy, dry=dry)
        kept = "not_applied" if policy == "REJECT_ALL" else ""
        assert codes(answer) == [why, kept, "validation_error"]
        assert [answer["rows"][place]["result"]["detail"] for place in (0, 2)] == [
            alone[place]["detail"] for place in (0, 2)
        ]
        # The way to a member leads through the row.
        (found,) = answer["rows"][2]["result"]["violations"]
        assert found["loc"] == ["input", "2", *alone[2]["violations"][0]["loc"][1:]]
        assert (await everything(world) == before) is (dry or policy == "REJECT_ALL")


@on_sqlite
@pytest.mark.parametrize("name", BULK)
async def test_who_never_writes_is_refused_as_a_whole(world: World, name: str) -> None:
    await prepare(world)
    before = await everything(world)
    for who in ("readonly", "publishable"):
        for dry in (True, False):
            answer = await bulk(world, name, [MUTATIONS[BULK[name]].input], "IGNORE_FAILED", who=who, dry=dry)
            assert answer["errorCode"] == "forbidden"
    # The rows of somebody else's product are refused one by one.
    answer = await bulk(world, name, [{**MUTATIONS[BULK[name]].input, "gtin": OTHERS_GTIN}], "IGNORE_FAILED")
    assert codes(answer) == ["conflict" if name == "createProducts" else "forbidden"]
    assert await everything(world) == before


# --- How many, and in which order ---


@pytest.mark.parametrize("name", BULK)
async def test_no_rows_are_a_problem_in_the_place_of_the_rows(world: World, name: str) -> None:
    before = await everything(world)
    for policy in ("REJECT_ALL", "IGNORE_FAILED"):
        refused = await bulk(world, name, [], policy, key="one")
        assert (refused["__typename"], refused["errorCode"]) == ("ValidationProblem", "validation_error")
        (violation,) = refused["violations"]
        assert (violation["loc"], violation["type"]) == (["input"], "too_short")
    assert await everything(world) == before


async def test_100_rows_are_done_and_101_are_refused(shelf: World) -> None:
    rows = [*claims(*SHELF), *claims(*SHELF, claim_id=NON_GMO)]
    refused = await bulk(shelf, "assignClaims", [*rows, *claims(GTIN)])
    assert refused["errorCode"] == "validation_error"
    assert [(entry["loc"], entry["type"]) for entry in refused["violations"]] == [(["input"], "too_long")]
    assert "101" in refused["detail"]
    assert await count(shelf) == 0
    answer = await bulk(shelf, "assignClaims", rows)
    assert codes(answer) == [""] * 100
    assert await count(shelf) == 100


@on_sqlite
async def test_a_row_names_ten_violations_at_most(world: World) -> None:
    bad = claims(*[GTIN] * 100, metadata={f"k{number}": number for number in range(40)})
    answer = await bulk(world, "assignClaims", bad, "IGNORE_FAILED")
    assert [len(row["result"]["violations"]) for row in answer["rows"]] == [10] * 100
    assert answer["rows"][99]["result"]["violations"][0]["loc"] == ["input", "99", "metadata", "k0"]


async def test_results_stand_in_the_order_of_the_rows(shelf: World) -> None:
    gtins = [SHELF[7], FREE_GTIN, SHELF[3], GTIN, SHELF[40], SHELF[0]]
    answer = await bulk(shelf, "assignClaims", claims(*gtins), "IGNORE_FAILED")
    assert codes(answer) == ["", "not_found", "", "", "", ""]
    shown = [row["result"].get("assignment", {}).get("gtin") for row in answer["rows"]]
    assert shown == [None if gtin == FREE_GTIN else gtin for gtin in gtins]


# --- Duplicates ---


async def test_a_row_twice_is_as_if_it_was_sent_twice(world: World) -> None:
    answer = await bulk(world, "assignClaims", claims(GTIN, GTIN), "IGNORE_FAILED")
    assert codes(answer) == ["", "conflict"]
    assert await count(world) == 1
    answer = await bulk(world, "removeClaims", claims(GTIN, GTIN))
    assert codes(answer) == ["not_applied", "not_found"]
    assert await count(world) == 1


async def test_patches_of_one_thing_follow_each_other(world: World) -> None:
    await prepare(world)
    steps: list[dict[str, Any]] = [
        {"scope": "first", "metadata": {"kept": None, "a": "1"}},
        {"scope": "second", "ifMatch": 2, "metadata": {"b": "2"}},
        {"scope": "third", "ifMatch": 2},
        {"scope": "second"},
    ]
    rows = [{"gtin": GTIN, "certificationId": USDA_ORGANIC, **step} for step in steps]
    answer = await bulk(world, "patchCertificationAssignments", rows, "IGNORE_FAILED")
    assert codes(answer) == ["", "", "precondition_failed", ""]
    results = [row["result"] for row in answer["rows"]]
    assert [result["assignment"]["version"] for result in results if "assignment" in result] == [2, 3, 3]
    assert results[1]["changes"] == [
        {"path": ["metadata", "b"], "before": None, "after": "2"},
        {"path": ["scope"], "before": "first", "after": "second"},
    ]
    assert results[3]["changes"] == []
    before = await everything(world)
    rejected = await bulk(
        world, "patchCertificationAssignments", [{**rows[0], "ifMatch": 3}, {**rows[1], "ifMatch": 3}]
    )
    assert codes(rejected) == ["not_applied", "precondition_failed"]
    assert await everything(world) == before


# --- All or nothing ---


async def test_whatever_is_refused_rolls_everything_back(shelf: World) -> None:
    assert codes(await bulk(shelf, "assignClaims", claims(SHELF[20]))) == [""]
    before = await everything(shelf)
    # The conflict is in the middle of the order in which the rows are done, and last in the input.
    rows = claims(*SHELF[:20], *SHELF[21:], SHELF[20])
    for key in (None, "one"):
        answer = await bulk(shelf, "assignClaims", rows, key=key)
        assert codes(answer) == ["not_applied"] * 49 + ["conflict"]
        assert answer["rows"][0]["result"]["status"] == 424
        assert await everything(shelf) == before
    answer = await bulk(shelf, "assignClaims", rows, "IGNORE_FAILED")
    assert codes(answer) == [""] * 49 + ["conflict"]
    assert await count(shelf) == 50


async def test_what_fails_in_the_middle_undoes_all_rows(shelf: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.assignments import claims as stored

    add = stored.add

    async def failing(transaction: Any, assignment: Any) -> bool:
        if assignment.gtin == SHELF[5]:
            raise RuntimeError("the disk is gone")
        return await add(transaction, assignment)

    monkeypatch.setattr(stored, "add", failing)
    before = await everything(shelf)
    for policy in ("REJECT_ALL", "IGNORE_FAILED"):
        variables = {"input": claims(*SHELF[:10]), "policy": policy}
        body = (await send(shelf, "assignClaims", variables, key="one")).json()
        assert [error["extensions"]["code"] for error in body["errors"]] == ["internal_error"]
        assert await everything(shelf) == before
    monkeypatch.undo()
    assert codes(await bulk(shelf, "assignClaims", claims(*SHELF[:10]), key="one")) == [""] * 10


async def test_a_refused_row_takes_back_what_it_had_written(shelf: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from db.assignments import claims as stored

    add = stored.add

    async def half(transaction: Any, assignment: Any) -> bool:
        # As an operation might that finds out late.
        done = await add(transaction, assignment)
        return done and assignment.gtin not in SHELF[2:4]

    monkeypatch.setattr(stored, "add", half)
    answer = await bulk(shelf, "assignClaims", claims(*SHELF[:6]), "IGNORE_FAILED")
    assert codes(answer) == ["", "", "conflict", "conflict", "", ""]
    assert {row[0] for row in await shelf.rows(tables.claim_assignments)} == {*SHELF[:2], *SHELF[4:6]}


# --- Idempotency ---


async def test_rows_are_done_once_under_a_key(shelf: World) -> None:
    rows = claims(*SHELF[:5])
    first = await send(shelf, "assignClaims", {"input": rows}, key="one")
    assert "idempotent-replayed" not in first.headers
    before = await everything(shelf)
    again = await send(shelf, "assignClaims", {"input": rows}, key="one")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    assert await everything(shelf) == before
    assert len(await shelf.rows(tables.idempotency_keys)) == 5


async def test_only_rows_that_were_refused_are_tried_again(shelf: World) -> None:
    rows = claims(SHELF[0], FREE_GTIN, SHELF[1])
    first = await bulk(shelf, "assignClaims", rows, "IGNORE_FAILED", key="one")
    assert codes(first) == ["", "not_found", ""]
    await shelf.add_product(FREE_GTIN, shelf.brand)
    again = await bulk(shelf, "assignClaims", rows, "IGNORE_FAILED", key="one")
    assert codes(again) == ["", "", ""]
    assert [again["rows"][place] for place in (0, 2)] == [first["rows"][place] for place in (0, 2)]
    assert await count(shelf) == 3
    # What was done once under the key stays done, whatever the others do now.
    third = await bulk(shelf, "assignClaims", [*rows, *claims(NOTHING[:8])], key="one")
    assert codes(third) == ["", "", "", "validation_error"]
    assert await count(shelf) == 3


async def test_rejected_rows_are_not_remembered(shelf: World) -> None:
    rejected = await bulk(shelf, "assignClaims", claims(SHELF[0], FREE_GTIN), key="one")
    assert codes(rejected) == ["not_applied", "not_found"]
    assert await shelf.rows(tables.idempotency_keys) == []
    assert codes(await bulk(shelf, "assignClaims", claims(SHELF[0], SHELF[1]), key="one")) == ["", ""]


async def test_another_row_in_the_same_place_under_the_same_key_is_refused(shelf: World) -> None:
    if shelf.database.sharded:
        pytest.skip("under another product a key is another key, where each lies with its product")
    await bulk(shelf, "assignClaims", claims(SHELF[0], SHELF[1]), key="one")
    before = await everything(shelf)
    body = (await send(shelf, "assignClaims", {"input": claims(SHELF[1], SHELF[0])}, key="one")).json()
    assert [error["extensions"]["code"] for error in body["errors"]] == ["idempotency_key_reused"]
    assert await everything(shelf) == before


@on_sqlite
async def test_only_a_clearing_that_stays_is_logged(shelf: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "certgate.operations")
    await bulk(shelf, "assignClaims", claims(*SHELF[:3], metadata={"a": "1"}))
    rows = claims(*SHELF[:3], FREE_GTIN, clearMetadata=True)
    await bulk(shelf, "patchClaimAssignments", rows, "IGNORE_FAILED", dry=True)
    await bulk(shelf, "patchClaimAssignments", rows)
    assert caplog.messages == []
    for _ in range(2):
        await bulk(shelf, "patchClaimAssignments", rows, "IGNORE_FAILED", key="one")
    assert len(caplog.messages) == 3


# --- Races ---


async def test_two_bulk_calls_at_once_in_opposite_orders_wait_for_each_other(shelf: World) -> None:
    for _ in range(3):
        one, other = await asyncio.gather(
            bulk(shelf, "assignClaims", claims(*SHELF), "IGNORE_FAILED"),
            bulk(shelf, "assignClaims", claims(*reversed(SHELF)), "IGNORE_FAILED"),
        )
        # Each row is done once; whoever came second found all of them.
        assert sorted([one["done"], other["done"]]) == [0, 50]
        assert {*codes(one), *codes(other)} == {"", "conflict"}
        patched = await asyncio.gather(
            *(
                bulk(shelf, "patchClaimAssignments", claims(*gtins, metadata={name: "1"}))
                for name, gtins in (("a", SHELF), ("b", SHELF[::-1]), ("c", SHELF[25:] + SHELF[:25]))
            )
        )
        assert [answer["done"] for answer in patched] == [50, 50, 50]
        stored = await shelf.rows(tables.claim_assignments)
        columns = [column.name for column in tables.claim_assignments.columns]
        assert {tuple(sorted(row[columns.index("metadata")])) for row in stored} == {("a", "b", "c")}
        assert {row[columns.index("version")] for row in stored} == {4}
        assert (await bulk(shelf, "removeClaims", claims(*SHELF)))["done"] == 50


async def test_the_same_call_at_once_under_one_key_is_done_once(shelf: World) -> None:
    answers = await asyncio.gather(*(bulk(shelf, "assignClaims", claims(*SHELF[:20]), key="one") for _ in range(4)))
    assert [codes(answer) for answer in answers] == [[""] * 20] * 4
    assert all(answer == answers[0] for answer in answers)
    assert await count(shelf) == 20


# --- What it costs ---


@asynccontextmanager
async def written(world: World) -> AsyncIterator[list[str]]:
    """What the writing connection is sent in the block, transactions and savepoints included."""
    seen: list[str] = []
    database = world.database
    if isinstance(database, SqliteDatabase):
        connection = database._writer._connection

        def note(sql: str) -> None:
            # A statement that starts a trigger is told again.
            if sql not in seen[-1:]:
                seen.append(sql)

        connection.set_trace_callback(note)
        yield seen
        connection.set_trace_callback(None)
        return
    async with sent(servers_of(database)[0]._writers) as statements:
        yield statements


@pytest.mark.parametrize(("policy", "savepoints"), [("REJECT_ALL", 0), ("IGNORE_FAILED", 10)])
async def test_ten_rows_are_one_transaction_and_ten_times_the_statements_of_one(
    shelf: World, policy: str, savepoints: int
) -> None:
    async with written(shelf) as single:
        assert codes(await bulk(shelf, "assignClaims", claims(GTIN), policy)) == [""]
    async with written(shelf) as many:
        assert codes(await bulk(shelf, "assignClaims", claims(*SHELF[:10]), policy)) == [""] * 10

    def kinds(seen: list[str], *starts: str) -> int:
        return sum(statement.upper().startswith(starts) for statement in seen)

    is_postgresql = isinstance(shelf.database.database, PostgresqlDatabase)
    told = [kinds(seen, "INSERT INTO CHANGES") for seen in (single, many)]
    # All that the log tells of them goes to PostgreSQL at once.
    assert told == ([1, 1] if is_postgresql else [1, 10])
    single, many = ([each for each in seen if "INTO changes" not in each] for seen in (single, many))
    assert kinds(single, "INSERT") == 1
    assert kinds(single, "COMMIT") == kinds(many, "COMMIT") == kinds(single, "BEGIN") == kinds(many, "BEGIN") == 1
    assert kinds(many, "INSERT", "SELECT") == 10 * kinds(single, "INSERT", "SELECT")
    assert kinds(many, "ROLLBACK") == 0
    if is_postgresql:
        # One round trip for each, in which the last one is released.
        assert kinds(many, "SAVEPOINT", "RELEASE") == savepoints
        assert len(many) == 2 + 10 * (len(single) - 2)
    else:
        assert kinds(many, "SAVEPOINT PART") == savepoints


@on_sqlite
async def test_removals_in_bulk_read_their_products_with_one_statement(shelf: World) -> None:
    await bulk(shelf, "assignClaims", claims(*SHELF[:10]))
    seen: list[str] = []
    assert isinstance(shelf.database, SqliteDatabase)
    for connection in shelf.database._readers:
        connection.set_trace_callback(seen.append)
    answer = await bulk(shelf, "removeClaims", claims(*SHELF[:10]))
    assert [row["result"]["product"] for row in answer["rows"]] == [{"gtin": gtin, "claims": []} for gtin in SHELF[:10]]
    assert len([sql for sql in seen if "FROM products" in sql or "FROM claim_assignments" in sql]) == 2


@on_sqlite
async def test_a_row_costs_a_unit_of_the_rate_limit_before_anything_is_done(shelf: World) -> None:
    def left(response: Any) -> int:
        return int(response.headers["ratelimit-remaining"])

    # No rows cost what a request costs.
    start = left(await send(shelf, "assignClaims", {"input": []}))
    for rows in (1, 7, 30):
        response = await send(shelf, "assignClaims", {"input": claims(*SHELF[:rows]), "dryRun": True})
        start -= rows
        assert left(response) == start
    # Several at once, some written into the document.
    literal = f'[{{gtin: "{GTIN}", claimId: "{VEGAN}"}}, {{gtin: "{GTIN}", claimId: "{NON_GMO}"}}]'
    query = f"""mutation ($rows: [AssignClaimInput!]!) {{ ...M b: assignClaims(input: $rows) {{ __typename }} }}
        fragment M on Mutation {{ a: assignClaims(input: {literal}, dryRun: true) {{ __typename }} }}"""
    response = await shelf.client.post(
        "/graphql",
        json={"query": query, "variables": {"rows": claims(*SHELF[:3])}},
        headers={"X-API-Key": shelf.keys["manager"]},
    )
    assert response.json()["data"]["a"] == {"__typename": "AssignClaimRows"}
    start -= 5
    assert left(response) == start
