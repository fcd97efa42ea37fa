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
from resolvers import certifications, claims, past, products
from resolvers.operation import Context
from tests.log import log, replay
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
    found = await past.known(context(world, NOON + 1000 * HOUR), Gtin(GTIN), at)
    rows: dict[str, dict[str, Any]] = {"product": {found.product.id: msgspec.to_builtins(found.product)}}
    for kind, definition, items in (
        ("certification_assignment", "certification", found.certifications),
        ("claim_assignment", "claim", found.claims),
    ):
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
