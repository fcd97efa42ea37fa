"""A product as it was known at a moment, by the log of changes: what a plain replay of the log says."""

import random
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from db.definitions import current
from domain.access import Caller
from domain.commands import (
    ArchiveProduct,
    AssignCertification,
    AssignClaim,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    PatchProduct,
    RemoveCertification,
    RemoveClaim,
    RenewCertification,
    RestoreProduct,
)
from domain.errors import DomainError, NotFound
from domain.gtin import Gtin
from domain.records import Organization
from domain.vocabulary import KeyKind, Role
from execution.executor import Executor
from resolvers import assignments, certifications, claims, products
from resolvers.definitions import Kind
from resolvers.operation import Context
from schema.schema import schema
from tests.log import log, replay
from tests.operations.test_statements import statements
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, NOTHING, PRIVATE, USDA_ORGANIC, VEGAN, World

HOUR = timedelta(hours=1)


def context(world: World, now: datetime) -> Context:
    brand = Organization(world.brand, "brand", "Brand")
    return Context(world.database, Caller(world.key_ids["manager"], KeyKind.BUSINESS, Role.MANAGER, brand), now)


async def act(world: World, dice: random.Random, now: datetime) -> None:
    """Some change or other, which may be refused; the clock jumps now and then."""
    claim = {"gtin": GTIN, "claim_id": dice.choice((NON_GMO, VEGAN))}
    held = {"gtin": GTIN, "certification_id": dice.choice((USDA_ORGANIC, FAIR_TRADE, PRIVATE))}
    noted = {"metadata": {dice.choice("ab"): dice.choice(("1", "2"))}}
    day = {"expiration_date": dice.choice((None, "2026-12-31", "2027-06-30"))}
    work: list[tuple[Any, Any, dict[str, Any]]] = [
        (products.patch_product, PatchProduct, {"gtin": GTIN, "brand": dice.choice(("Acme", "Ümit")), **noted}),
        (products.archive_product, ArchiveProduct, {"gtin": GTIN}),
        (products.restore_product, RestoreProduct, {"gtin": GTIN}),
        (claims.assign_claim, AssignClaim, claim | noted),
        (claims.assign_claim, AssignClaim, claim | day),
        (claims.patch_claim_assignment, PatchClaimAssignment, claim | day),
        (claims.remove_claim, RemoveClaim, claim),
        (certifications.assign_certification, AssignCertification, held | noted),
        (
            certifications.patch_certification_assignment,
            PatchCertificationAssignment,
            held | day | {"verification_status": dice.choice(("verified", "unverified"))},
        ),
        (certifications.remove_certification, RemoveCertification, held),
    ]
    operation, command, members = dice.choice(work)
    try:
        await operation(context(world, now), command.parse(members))
    except DomainError:
        return


async def as_rows(world: World, at: datetime) -> dict[str, dict[str, Any]]:
    """What is answered of a moment, in the form of the log."""
    then = context(world, NOON + 1000 * HOUR).at(None, at)
    product = await products.existing_product(then, Gtin(GTIN))
    rows: dict[str, dict[str, Any]] = {"product": {product.id: msgspec.to_builtins(product)}}
    kinds: tuple[tuple[str, str, Kind[Any, Any]], ...] = (
        ("certification_assignment", "certification", certifications.KIND),
        ("claim_assignment", "claim", claims.KIND),
    )
    for kind, definition, of in kinds:
        (items,) = await assignments.of_products(then, of, [product.gtin])
        rows[kind] = {}
        for item in items:
            row = msgspec.to_builtins(item)
            row[f"{definition}_id"] = row.pop(definition)["id"]
            assert row.pop("organization_id") == world.brand
            rows[kind][item.id] = row
    return rows


def replayed(rows: list[Any], at: datetime) -> dict[str, dict[str, Any]]:
    """The same by a replay of the log."""
    there = replay([row for row in rows if row.gtin == GTIN], at)
    kept = {kind: there[kind] for kind in ("product", "certification_assignment", "claim_assignment")}
    return {
        kind: {
            id: {name: value for name, value in record.items() if name not in ("search_text", "folded_brand")}
            for id, record in records.items()
        }
        for kind, records in kept.items()
    }


def without_none(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Of each record what is not null: rows have only what was stored."""
    return {
        kind: {id: {name: value for name, value in row.items() if value is not None} for id, row in rows.items()}
        for kind, rows in found.items()
    }


@pytest.mark.parametrize("seed", range(4))
async def test_what_was_known_at_any_moment_is_what_a_replay_says(world: World, seed: int) -> None:
    dice = random.Random(seed)
    now = NOON
    for _ in range(40):
        now += dice.choice((-2, 0, 1, 3)) * HOUR
        await act(world, dice, now)
    rows = await log(world)
    assert len(rows) > 15
    moments = {row.at for row in rows if row.gtin == GTIN}
    for at in sorted({moment + shift for moment in moments for shift in (-HOUR / 2, 0 * HOUR)}):
        wanted = replayed(rows, at)
        if not wanted["product"]:
            with pytest.raises(NotFound):
                await as_rows(world, at)
            continue
        assert without_none(await as_rows(world, at)) == without_none(wanted)


async def asked(world: World, key: str = "manager", gtin: str = GTIN, **query: str) -> Any:
    path = f"/certifications/api/v1/products/{gtin}"
    return await world.client.get(path, params=query, headers={"X-API-Key": world.keys[key]})


async def test_rest_answers_as_it_was_known_and_as_of_a_day(world: World) -> None:
    await current(world.database)
    command = PatchCertificationAssignment.parse(
        {"gtin": GTIN, "certification_id": USDA_ORGANIC, "expiration_date": "2026-11-23", "metadata": {"new": "1"}}
    )
    await certifications.patch_certification_assignment(context(world, NOON + HOUR), command)
    await certifications.remove_certification(
        context(world, NOON + 2 * HOUR), RemoveCertification.parse({"gtin": GTIN, "certification_id": USDA_ORGANIC})
    )
    assert (await asked(world)).json()["certifications"] == []

    async def held(**query: str) -> tuple[Any, Any, Any]:
        (one,) = (await asked(world, **query)).json()["certifications"]
        return one["expiration_date"], one["is_active"], one["metadata"]

    assert await held(known_at="2026-11-22T12:30:00Z") == (None, True, {"kept": "yes"})
    then = "2026-11-22T13:30:00Z"
    assert await held(known_at=then) == ("2026-11-23", True, {"kept": "yes", "new": "1"})
    assert await held(known_at=then, as_of="2026-11-24") == ("2026-11-23", False, {"kept": "yes", "new": "1"})
    assert await held(known_at=then, key="rival") == ("2026-11-23", True, {})
    # What is still to come is as now, and what was before is not known.
    assert (await asked(world, known_at="2099-01-01T00:00:00Z")).json()["certifications"] == []
    assert (await asked(world, known_at="2020-01-01T00:00:00Z")).status_code == 404
    assert (await asked(world, known_at=then, gtin=NOTHING[:8])).status_code == 422
    assert (await asked(world, known_at="yesterday")).status_code == 422
    assert (await asked(world, as_of="2026-02-30")).status_code == 422
    assert (await asked(world, key="publishable", known_at=then)).status_code == 403
    # A moment given to the second, as REST shows it, stands for all of the second.
    assert await held(known_at="2026-11-22T12:59:59.9Z") == (None, True, {"kept": "yes"})
    assert await held(known_at="2026-11-22T13:00:00Z") == ("2026-11-23", True, {"kept": "yes", "new": "1"})
    unescaped = await world.client.get(
        f"/certifications/api/v1/products/{GTIN}?known_at=2026-11-22T14:30:00+01:00",
        headers={"X-API-Key": world.keys["manager"]},
    )
    assert unescaped.status_code == 422
    assert "write %2B" in unescaped.text


THEN = """
query Then($at: DateTime, $day: Date) {
  now: product(gtin: "00012345678905") { name certifications { certification { label } } }
  then: product(gtin: "00012345678905", knownAt: $at, asOf: $day) {
    name
    certifications { expirationDate isActive standing metadata certification { label } product { gtin name } }
    claims { claim { label } }
  }
}
"""


async def test_graphql_answers_as_it_was_known_with_all_below(world: World) -> None:
    await current(world.database)
    place = {"gtin": GTIN, "certification_id": USDA_ORGANIC}
    await products.patch_product(
        context(world, NOON + HOUR / 2), PatchProduct.parse({"gtin": GTIN, "product_name": "Oat drink, new"})
    )
    await certifications.patch_certification_assignment(
        context(world, NOON + HOUR),
        PatchCertificationAssignment.parse(place | {"expiration_date": "2026-11-23", "metadata": {"new": "1"}}),
    )
    await certifications.remove_certification(context(world, NOON + 2 * HOUR), RemoveCertification.parse(place))

    async def held(key: str = "manager", **variables: str) -> Any:
        body = await posted(world, THEN, key, **variables)
        assert body["data"]["now"] == {"name": "Oat drink, new", "certifications": []}, body
        return body["data"]["then"]

    def one(**of: Any) -> dict[str, Any]:
        usual = {"expirationDate": "2026-11-23", "isActive": True, "standing": "CURRENT", "metadata": {"kept": "yes"}}
        of = usual | {"product": {"gtin": GTIN, "name": "Oat drink, new"}} | of
        return {"certification": {"label": "USDA Organic"}, **of}

    for _ in range(3):  # the document is compiled when it comes again
        found = await held(at="2026-11-22T12:15:00Z")
        assert found["name"] == "Oat drink"
        assert found["certifications"] == [one(expirationDate=None, product={"gtin": GTIN, "name": "Oat drink"})]
        noted = {"metadata": {"kept": "yes", "new": "1"}}
        # Given to the second it stands for all of the second.
        assert (await held(at="2026-11-22T13:00:00Z"))["certifications"] == [one(**noted)]
        lapsed = one(isActive=False, standing="LAPSED", **noted)
        assert (await held(at="2026-11-22T13:30:00Z", day="2026-11-24"))["certifications"] == [lapsed]
        assert (await held(at="2026-11-22T13:30:00Z", key="rival"))["certifications"] == [one(metadata={})]
        assert (await held(at="2099-01-01T00:00:00Z"))["certifications"] == []
        assert (await held(day="2099-01-01"))["certifications"] == []
        assert await held(at="2020-01-01T00:00:00Z") is None
        body = await posted(world, THEN, "publishable", at="2026-11-22T13:30:00Z")
        assert body["data"]["then"] is None
        assert body["errors"][0]["extensions"]["code"] == "forbidden"
    for variables in ({"at": "2026-02-30T00:00:00Z"}, {"at": "2026-11-22T13:30:00"}, {"day": "2026-02-30"}):
        body = await posted(world, THEN, "manager", **variables)
        assert body["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def posted(world: World, query: str, key: str = "manager", **variables: Any) -> Any:
    headers = {"X-API-Key": world.keys[key]}
    return (await world.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)).json()


async def test_what_was_known_is_read_by_the_same_fused_reads(world: World) -> None:
    executor = Executor(schema)
    document = executor.prepare(THEN)
    told = executor.explain(document, document.select(None))
    assert " 0 batched" in told
    assert told.count("Product made of rows") == 3
    await posted(world, THEN)
    async with statements(world) as seen:
        await posted(world, THEN, at="2026-11-22T12:30:00Z")
    # Those of the product now are the usual two.
    assert [" changes" in sql for sql in seen].count(True) == 4
    assert len(seen) == 6


async def test_lists_of_rest_answer_as_it_was_known_and_as_of_a_day(world: World) -> None:
    await current(world.database)
    place = {"gtin": GTIN, "certification_id": USDA_ORGANIC}
    patch = PatchCertificationAssignment.parse(place | {"expiration_date": "2026-11-23"})
    await certifications.patch_certification_assignment(context(world, NOON + HOUR), patch)
    await products.patch_product(context(world, NOON + 2 * HOUR), PatchProduct.parse({"gtin": GTIN, "brand": "Ümit"}))
    await certifications.remove_certification(context(world, NOON + 3 * HOUR), RemoveCertification.parse(place))

    async def read(path: str, key: str = "manager", **query: str) -> Any:
        return await world.client.get(path, params=query, headers={"X-API-Key": world.keys[key]})

    held = f"/certifications/api/v1/products/{GTIN}/certifications"
    one = f"{held}/{USDA_ORGANIC}"
    items = "/products/api/v1/trade-items"
    of_item, item = f"/products/api/v1/products/{GTIN}/certifications", f"{items}/{GTIN}"
    then = "2026-11-22T14:30:00Z"
    assert (await read(held)).json() == []
    (shown,) = (await read(held, known_at=then)).json()
    assert (shown["expiration_date"], shown["is_active"]) == ("2026-11-23", True)
    assert (await read(one, known_at=then)).json() == shown
    (lapsed,) = (await read(held, known_at=then, as_of="2026-11-24", is_active="false")).json()
    assert lapsed == shown | {"is_active": False}
    assert (await read(held, known_at=then, as_of="2026-11-24", is_active="true")).json() == []
    (before,) = (await read(held, known_at="2026-11-22T12:30:00Z")).json()
    assert before["expiration_date"] is None
    assert (await read(of_item, known_at=then)).json()["pagination"]["total_count"] == 1
    brands = {name: (await read(items, known_at=name, brand="acme")).json() for name in ("2026-11-22T12:30:00Z", then)}
    assert [GTIN in str(page["data"]) for page in brands.values()] == [True, False]
    assert (await read(item, known_at="2026-11-22T12:30:00Z")).json()["brand"] == "Acme"
    for path in (held, one, of_item, item):
        assert (await read(path, known_at="2020-01-01T00:00:00Z")).status_code == 404
        assert (await read(path, key="publishable", known_at=then)).status_code == 403
        for unfit in ({"known_at": "2026-02-30T00:00:00Z"}, {"as_of": "2026-02-30"}, {"known_at": "yesterday"}):
            assert (await read(path, **unfit)).status_code == 422
    assert (await read(items, known_at="2020-01-01T00:00:00Z")).json()["data"] == []


async def test_as_of_a_day_shows_the_certificate_that_held_then(world: World) -> None:
    await current(world.database)
    place = {"gtin": GTIN, "certification_id": USDA_ORGANIC}
    first = {"valid_from": "2025-01-01", "expiration_date": "2025-12-31", "certificate_number": "NOP-1"}
    await certifications.patch_certification_assignment(
        context(world, NOON + HOUR), PatchCertificationAssignment.parse(place | {"expiration_date": "2025-12-31"})
    )
    renewals: list[dict[str, str]] = [
        first,
        # With a gap of two weeks.
        {"valid_from": "2026-01-15", "expiration_date": "2026-12-31", "certificate_number": "NOP-2"},
        # Before it begins.
        {"valid_from": "2027-01-01", "expiration_date": "2027-12-31", "certificate_number": "NOP-3"},
    ]
    for number, members in enumerate(renewals, start=2):
        await certifications.renew_certification(
            context(world, NOON + number * HOUR), RenewCertification.parse(place | members)
        )

    async def held(**query: str) -> tuple[str, bool]:
        (one,) = (await asked(world, **query)).json()["certifications"]
        return one["certificate_number"], one["is_active"]

    assert await held(as_of="2025-06-01") == ("NOP-1", True)
    assert await held(as_of="2026-01-07") == ("NOP-3", False)
    assert await held(as_of="2026-03-15") == ("NOP-2", True)
    assert await held(as_of="2026-12-31") == ("NOP-2", True)
    assert await held(as_of="2027-01-01") == ("NOP-3", True)
    assert await held(as_of="2027-02-01") == ("NOP-3", True)
    # Before the last renewal was made, it was known of the one before alone.
    assert await held(as_of="2027-02-01", known_at="2026-11-22T15:30:00Z") == ("NOP-2", False)
    assert await held(as_of="2025-06-01", known_at="2026-11-22T15:30:00Z") == ("NOP-1", True)
