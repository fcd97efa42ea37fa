"""Every answer about a day, after random sequences of what is done to a certification, against plain sets of days.

Each face has two of its own on each database; `CERTGATE_TEST_CASES` asks for as many as it says.
"""

import os
import random
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from typing import Any

import pytest

from tests.operations.faces import Face, GraphQL
from tests.world import FAIR_TRADE, GTIN, World

DAY = timedelta(days=1)
TODAY = date.today()  # noqa: DTZ011 - as servers have it, but for a run over midnight
SPAN = [TODAY + DAY * number for number in range(-80, 81)]

QUERY = """query ($day: Date!, $standing: Standing!, $where: CertificationAssignmentWhere!) {
  product(gtin: "00012345678905") { certifications(where: $where) { isActive(asOf: $day) standing(on: $day) } }
  so: certificationAssignments(where: {and: [$where, {standing: {eq: $standing, on: $day}}]}) { totalCount }
  others: certificationAssignments(where: {and: [$where, {not: {standing: {eq: $standing, on: $day}}}]}) { totalCount }
  active: certificationAssignments(where: {and: [$where, {activeOn: $day}]}) { nodes { gtin } }
  counted: certificationAssignmentStats(where: {and: [$where, {activeOn: $day}]}) { totalCount } }"""
KNOWN = """query ($day: Date!, $at: DateTime!, $where: CertificationAssignmentWhere!) {
  product(gtin: "00012345678905", asOf: $day, knownAt: $at) {
    certifications(where: $where) { isActive standing }
    so: certifications(where: {and: [$where, {activeOn: $day}]}) { isActive } } }"""
NOW = """query ($where: CertificationAssignmentWhere!) {
  certificationAssignments(where: $where) { nodes { isActive standing lapsesOn } } }"""
WHERE = {"gtin": {"eq": GTIN}, "certification": {"id": {"eq": FAIR_TRADE}}}

CASES = int(os.environ.get("CERTGATE_TEST_CASES", "2"))


class Told:
    """What was done, as one would keep it by hand: the certificates, and what was said of days, in its order."""

    def __init__(self) -> None:
        self.certificates: list[dict[str, date | None]] = []
        self.said: list[tuple[str, date, date | None]] = []

    def holds(self, end: str) -> set[date]:
        """The days that a certificate covers, up to the end of the newest; `end` is the member that ends one."""
        covered = {day for each in self.certificates for day in SPAN if lies_in(each, day, end)}
        newest = {"first": None, end: self.certificates[-1][end]}
        return {day for day in covered if lies_in(newest, day, end)}

    def halted(self) -> tuple[set[date], set[date]]:
        """The suspended days, and the withdrawn ones."""
        suspended: set[date] = set()
        withdrawn: set[date] = set()
        for what, first, last in self.said:
            days = {day for day in SPAN if first <= day and (last is None or day <= last)}
            match what:
                case "suspend":
                    suspended |= days
                case "withdraw":
                    withdrawn |= days
                case "renew":
                    ended = set(takewhile(withdrawn.__contains__, (day for day in SPAN if first <= day)))
                    suspended, withdrawn = suspended - ended, withdrawn - ended
                case _:
                    suspended, withdrawn = suspended - days, withdrawn - days
        return suspended, withdrawn

    def standings(self) -> dict[date, str]:
        """Of each day."""
        held, (suspended, withdrawn) = self.holds("lapses"), self.halted()
        newest = self.certificates[-1]["lapses"]

        def stands(day: date) -> str:
            if day in withdrawn:
                return "WITHDRAWN"
            if day not in held:
                return "LAPSED" if newest is not None and newest < day else "NOT_YET"
            return "SUSPENDED" if day in suspended else "CURRENT"

        return {day: stands(day) for day in SPAN}

    def is_active(self, day: date) -> bool:
        return day in self.holds("expiration").difference(*self.halted())


def lies_in(certificate: dict[str, date | None], day: date, end: str) -> bool:
    first, last = certificate["first"], certificate[end]
    return (first is None or first <= day) and (last is None or day <= last)


def certificate_of(members: dict[str, Any]) -> dict[str, date | None]:
    first, expiration, expiry = (
        date.fromisoformat(text) if (text := members.get(name)) else None
        for name in ("valid_from", "expiration_date", "expiry_date")
    )
    ends = [day for day in (expiration, expiry) if day is not None]
    return {"first": first, "expiration": expiration, "expiry": expiry, "lapses": min(ends, default=None)}


async def act(face: Face, told: Told, dice: random.Random, number: int) -> None:
    """Does something or other, which may be refused, and keeps it if it was not."""
    first, last = sorted(dice.sample(SPAN, 2))
    days: dict[str, Any] = {
        "valid_from": dice.choice([None, str(first)]),
        "expiration_date": dice.choice([None, str(last), str(last)]),
    }
    what = dice.choice(("patch", "renew", "renew", "undo-renewal", "suspend", "withdraw", "reinstate"))
    match what:
        case "patch":
            if (await face.patch_certification(GTIN, FAIR_TRADE, **days)).ok:
                expiry = told.certificates[-1]["expiry"]
                told.certificates[-1] = certificate_of({**days, "expiry_date": expiry and str(expiry)})
        case "renew":
            days["expiry_date"] = dice.choice([None, None, str(dice.choice(SPAN))])
            if (await face.certificate("renew", GTIN, FAIR_TRADE, certificate_number=f"N-{number}", **days)).ok:
                told.certificates.append(certificate_of(days))
                told.said.append(("renew", told.certificates[-1]["first"] or TODAY, None))
        case "undo-renewal":
            if (await face.certificate(what, GTIN, FAIR_TRADE)).ok:
                told.certificates.pop()
                del told.said[max(at for at, each in enumerate(told.said) if each[0] == "renew")]
        case "suspend":
            until = dice.choice([None, last])
            days = {"suspended_from": str(first), "suspended_until": until and str(until)}
            if (await face.certificate(what, GTIN, FAIR_TRADE, reason="Residues", **days)).ok:
                told.said.append((what, first, until))
        case "withdraw":
            if (await face.certificate(what, GTIN, FAIR_TRADE, reason="Fraud", withdrawn_on=str(first))).ok:
                told.said.append((what, first, None))
        case "reinstate":
            day = dice.choice([first, TODAY])
            if (await face.certificate(what, GTIN, FAIR_TRADE, reinstated_on=str(day))).ok:
                told.said.append((what, day, None))


async def check(world: World, told: Told, day: date) -> None:
    """Asks both faces for a day, and for today."""
    standings, is_active = told.standings(), told.is_active(day)
    stands = standings[day]
    asked = {"day": str(day), "standing": stands, "where": WHERE}
    data = (await GraphQL(world).run(QUERY, "readonly", asked))["data"]
    assert data["product"]["certifications"] == [{"isActive": is_active, "standing": stands}]
    assert (data["so"]["totalCount"], data["others"]["totalCount"]) == (1, 0)
    assert (len(data["active"]["nodes"]), data["counted"]["totalCount"]) == (is_active, is_active)
    (now,) = (await GraphQL(world).run(NOW, "readonly", {"where": WHERE}))["data"]["certificationAssignments"]["nodes"]
    assert (now["isActive"], now["standing"]) == (told.is_active(TODAY), standings[TODAY])
    is_halted = any(day in days for days in told.halted())
    for address, when in ((f"products/{GTIN}?as_of={day}", day), (f"products/{GTIN}/certifications", TODAY)):
        shown = await world.client.get(
            f"/certifications/api/v1/{address}", headers={"X-API-Key": world.keys["readonly"]}
        )
        found = shown.json()["certifications"] if "as_of" in address else shown.json()
        (one,) = (each for each in found if each["id"] == FAIR_TRADE)
        assert one["is_active"] is told.is_active(when)
        if when == day:
            assert (one["verification_status"] == "expired") is is_halted


@pytest.mark.parametrize("seed", range(CASES))
async def test_every_answer_about_a_day_is_that_of_plain_sets(world: World, face: Face, seed: int) -> None:
    dice, told = random.Random(seed + CASES * isinstance(face, GraphQL)), Told()
    days = {"valid_from": str(TODAY - 40 * DAY), "expiration_date": str(TODAY + 20 * DAY)}
    assert (await face.assign_certification(GTIN, FAIR_TRADE, **days)).ok
    told.certificates.append(certificate_of({**days}))
    moments: list[tuple[datetime, Told]] = []
    for number in range(24):
        before = [day for day, stood in told.standings().items() if stood in ("SUSPENDED", "WITHDRAWN")]
        at = len(told.said)
        await act(face, told, dice, number)
        if told.said[at:] and told.said[-1][0] in ("renew", "suspend", "withdraw"):
            what, first, _ = told.said[-1]
            # What is said anew makes none of those that are past a day on which it held, but a late renewal may.
            past = [day for day in before if day < TODAY and not (what == "renew" and first <= day)]
            after = told.standings()
            assert all(after[day] not in ("CURRENT", "NOT_YET") for day in past)
        for day in dice.sample(SPAN, 2):
            await check(world, told, day)
        moments.append((datetime.now(UTC), deepcopy(told)))
    for moment, known in dice.sample(moments, 6):
        day = dice.choice(SPAN)
        asked = {"day": str(day), "at": moment.isoformat(), "where": WHERE}
        found = (await GraphQL(world).run(KNOWN, "readonly", asked))["data"]["product"]
        is_active = known.is_active(day)
        assert found["certifications"] == [{"isActive": is_active, "standing": known.standings()[day]}]
        assert len(found["so"]) == is_active
