"""Certificates that are renewed, suspended, withdrawn and reinstated, through both faces: what is said of them then."""

from datetime import date, timedelta
from typing import Any

from db import certificates
from db.sql import tables
from domain.gtin import Gtin
from tests.operations.faces import CERTIFICATION_ASSIGNMENT, Face, GraphQL, Rest
from tests.world import FAIR_TRADE, GTIN, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

DAY = timedelta(days=1)
FIRST = {"valid_from": "2020-03-01", "expiration_date": "2023-02-28", "certificate_number": "NOP-1", "scope": "All"}

QUERY = """query ($day: Date!) {
  product(gtin: "00012345678905") { certifications(where: {certification: {code: {eq: "USDA_ORGANIC"}}}) {
    isActive then: isActive(asOf: $day) standing on: standing(on: $day) lapsesOn standingReason
    verificationStatus yearsCertified inYears: yearsCertified(on: $day)
    previous { number isActive(asOf: $day) standing(on: $day) lapsesOn replacedAt } } }
  suspended: certificationAssignments(where: {standing: {eq: SUSPENDED}}) { totalCount }
  withdrawn: certificationAssignments(where: {standing: {eq: WITHDRAWN}}) { totalCount }
  active: certificationAssignmentStats(where: {activeOn: $day, gtin: {eq: "00012345678905"}}) { totalCount }
  lapsing: certificationAssignments(orderBy: {field: LAPSES_ON}) { nodes { lapsesOn } } }"""


async def ask(world: World, day: str = "2022-01-01") -> dict[str, Any]:
    # Operations are compiled from their second run.
    first, *others = [await GraphQL(world).run(QUERY, "readonly", {"day": day}) for _ in range(3)]
    assert "errors" not in first, first
    assert others == [first, first]
    data: dict[str, Any] = first["data"]
    return {**data, **data.pop("product")["certifications"][0]}


async def shown(world: World, **query: str) -> list[dict[str, Any]]:
    response = await world.client.get(
        f"/certifications/api/v1/products/{GTIN}/certifications",
        params=query,
        headers={"X-API-Key": world.keys["readonly"]},
    )
    found: list[dict[str, Any]] = response.json()
    return [each for each in found if each["id"] == USDA_ORGANIC]


async def test_a_renewal_keeps_the_certificate_before(world: World, face: Face) -> None:
    rest = Rest(world)
    members: dict[str, Any] = {
        **FIRST,
        "metadata": {"order": "7"},
        "verification_status": "verified",
        "audit_date": "2020-02-01",
    }
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, **members)).ok
    second = await face.certificate(
        "renew", GTIN, USDA_ORGANIC, valid_from="2023-03-11", expiration_date="2026-03-10", issuing_body="Other"
    )
    assert second.ok, second
    # Ten days lie between, and what is the certificate's own begins anew.
    assert (second.facts["gap_days"], second.facts["overlap_days"], second.facts["goes_back"]) == (10, 0, False)
    assert (second.facts["certificate_number"], second.facts["scope"]) == ("NOP-1", "All")
    assert (second.facts["verification_status"], second.facts["audit_date"]) == ("unverified", None)
    assert second.facts["metadata"]["order"] == "7"
    third = await face.certificate(
        "renew", GTIN, USDA_ORGANIC, valid_from="2026-02-01", expiration_date="2098-12-31", certificate_number="NOP-3"
    )
    assert (third.facts["gap_days"], third.facts["overlap_days"]) == (0, 38)
    # Sent again, it is there already.
    again = await face.certificate(
        "renew", GTIN, USDA_ORGANIC, valid_from="2026-02-01", expiration_date="2098-12-31", certificate_number="NOP-3"
    )
    assert (again.ok, again.facts["gap_days"]) == (True, None)

    kept = (await face.previous(GTIN, USDA_ORGANIC)).facts
    assert [(each["number"], each["valid_from"], each["lapses_on"]) for each in kept] == [
        (2, "2023-03-11", "2026-03-10"),
        (1, "2020-03-01", "2023-02-28"),
    ]
    assert [(each["gap_days"], each["overlap_days"]) for each in kept] == [(0, 38), (10, 0)]
    assert [each["verification_status"] for each in kept] == ["unverified", "verified"]
    assert [each["audit_date"] for each in kept] == [None, "2020-02-01"]
    found = await ask(world, "2023-02-28")
    assert (found["isActive"], found["standing"], found["then"], found["on"]) == (True, "CURRENT", True, "CURRENT")
    assert [each["isActive"] for each in found["previous"]] == [False, True]
    # The first grant is the first day that is known.
    assert found["inYears"] == 2
    gap = await ask(world, "2023-03-01")
    assert (gap["then"], gap["on"], gap["active"]["totalCount"]) == (False, "NOT_YET", 0)
    (rest_shows,) = await shown(world)
    # Just what the contract has.
    assert rest_shows.keys() == {*CERTIFICATION_ASSIGNMENT, "id", "label", "code", "description", "url", "logo_url"}
    assert (rest_shows["certificate_number"], rest_shows["is_active"]) == ("NOP-3", True)

    assert (await face.remove_certification(GTIN, USDA_ORGANIC)).ok
    assert await world.rows(tables.earlier_certificates) == []


async def test_renewed_before_it_lapses_a_certification_stays_active(world: World, face: Face) -> None:
    today = date.today()  # noqa: DTZ011 - some days from it either way
    old = {"valid_from": str(today - 300 * DAY), "expiration_date": str(today + 30 * DAY)}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **old)).ok
    first = today + 31 * DAY
    renewed = await face.certificate(
        "renew", GTIN, USDA_ORGANIC, valid_from=str(first), expiration_date=str(first + 365 * DAY)
    )
    assert (renewed.facts["gap_days"], renewed.facts["is_active"]) == (0, True)
    found = await ask(world, str(today + 3 * DAY))
    assert (found["isActive"], found["then"], found["standing"]) == (True, True, "CURRENT")
    assert found["active"]["totalCount"] == 1
    assert (await ask(world, str(today - 301 * DAY)))["then"] is False
    # Moved later, there is a gap before it, and no other day is another one.
    patched = await face.patch_certification(GTIN, USDA_ORGANIC, valid_from=str(first + 2 * DAY))
    assert patched.facts["is_active"] is True
    for day, is_active in ((today, True), (first - DAY, True), (first, False), (first + 2 * DAY, True)):
        found = await ask(world, str(day))
        assert (found["then"], found["active"]["totalCount"]) == (is_active, int(is_active))
    assert [each["isActive"] for each in found["previous"]] == [False]


async def test_a_renewal_that_goes_back_in_time_says_so(world: World, face: Face) -> None:
    days = {**FIRST, "expiration_date": "2098-12-31"}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **days)).ok
    over = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from="2019-01-01", expiration_date="2020-03-31")
    assert over.named() == {"expiration_date"}
    back = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from="2019-01-01", expiration_date="2097-12-31")
    assert (back.facts["gap_days"], back.facts["goes_back"]) == (0, True)
    # None holds longer than the newest.
    found = await ask(world, "2098-01-01")
    assert (found["lapsesOn"], found["on"], found["active"]["totalCount"]) == ("2097-12-31", "LAPSED", 0)
    nothing = await face.certificate("renew", GTIN, USDA_ORGANIC, scope="Some")
    assert nothing.named() == {"valid_from"}


async def test_what_is_suspended_or_withdrawn_is_not_active(world: World, face: Face) -> None:
    rest = Rest(world)
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, **{**FIRST, "expiration_date": "2098-12-31"})).ok
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, verification_status="verified")).ok
    days = {"suspended_from": "2021-01-01", "suspended_until": "2022-01-01", "reason": "Residues"}
    over = await face.certificate("suspend", GTIN, USDA_ORGANIC, **days)
    assert (over.facts["standing"], over.facts["is_active"]) == ("current", True)
    found = await ask(world, "2022-01-01")
    assert (found["then"], found["on"], found["active"]["totalCount"]) == (False, "SUSPENDED", 0)
    assert (await ask(world, "2022-01-02"))["then"] is True

    suspended = await face.certificate("suspend", GTIN, USDA_ORGANIC, suspended_from="2026-01-01", reason="Again")
    assert (suspended.facts["standing"], suspended.facts["is_active"]) == ("suspended", False)
    assert suspended.facts["lapses_on"] == "2098-12-31"
    found = await ask(world)
    assert (found["suspended"]["totalCount"], found["verificationStatus"]) == (1, "VERIFIED")
    (item,) = await shown(world, verification_status="expired", is_active="false")
    assert (item["verification_status"], item["is_active"]) == ("expired", False)
    assert await shown(world, verification_status="verified") == []

    lifted = await face.certificate("reinstate", GTIN, USDA_ORGANIC, reinstated_on="2026-03-01", reason="Clean")
    assert (lifted.facts["standing"], lifted.facts["suspended_until"]) == ("current", "2026-02-28")
    assert (await ask(world, "2026-02-28"))["then"] is False
    assert (await ask(world, "2026-03-01"))["then"] is True

    withdrawn = await face.certificate("withdraw", GTIN, USDA_ORGANIC, withdrawn_on="2026-04-01", reason="Fraud")
    assert (withdrawn.facts["standing"], withdrawn.facts["lapses_on"]) == ("withdrawn", "2026-03-31")
    found = await ask(world)
    assert (found["withdrawn"]["totalCount"], found["suspended"]["totalCount"]) == (1, 0)
    assert "2026-03-31" in [each["lapsesOn"] for each in found["lapsing"]["nodes"]]
    assert (found["standingReason"], found["yearsCertified"]) == ("Fraud", 6)
    late = await face.certificate("suspend", GTIN, USDA_ORGANIC, suspended_from="2026-04-01", reason="Late")
    assert late.named() == {"suspended_from"}
    (item,) = await shown(world)
    assert (item["verification_status"], item["is_active"], item["expiration_date"]) == (
        "expired",
        False,
        "2098-12-31",
    )

    back = await face.certificate("reinstate", GTIN, USDA_ORGANIC, reinstated_on="2026-05-01")
    assert (back.facts["withdrawn_on"], back.facts["suspended_from"], back.facts["suspended_until"]) == (
        None,
        "2026-01-01",
        "2026-02-28",
    )
    # No day that is past is another one.
    for day, stood in (
        ("2022-01-01", "SUSPENDED"),
        ("2026-02-28", "SUSPENDED"),
        ("2026-03-31", "CURRENT"),
        ("2026-04-01", "WITHDRAWN"),
        ("2026-04-30", "WITHDRAWN"),
        ("2026-05-01", "CURRENT"),
    ):
        found = await ask(world, day)
        assert (found["on"], found["active"]["totalCount"]) == (stood, int(stood == "CURRENT"))
    stored = await world.rows(tables.certification_assignments)
    assert (await face.certificate("reinstate", GTIN, USDA_ORGANIC)).ok
    assert await world.rows(tables.certification_assignments) == stored


async def test_a_renewal_is_undone_as_if_it_had_never_been(world: World, face: Face) -> None:
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **{**FIRST, "expiration_date": "2098-12-31"})).ok
    assert (await face.certificate("withdraw", GTIN, USDA_ORGANIC, withdrawn_on="2026-04-01", reason="Fraud")).ok
    before = await ask(world, "2026-04-01")
    renewed = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from="2026-05-01", certificate_number="NOP-2")
    assert (renewed.ok, (await ask(world))["standing"]) == (True, "CURRENT")
    undone = await face.certificate("undo-renewal", GTIN, USDA_ORGANIC)
    assert (undone.facts["standing"], undone.facts["withdrawn_on"]) == ("withdrawn", "2026-04-01")
    assert await ask(world, "2026-04-01") == before
    assert await world.rows(tables.earlier_certificates) == []
    again = await face.certificate("undo-renewal", GTIN, USDA_ORGANIC)
    assert again.code == "not_found"


async def test_a_renewal_of_what_is_withdrawn_begins_without_that(world: World, face: Face) -> None:
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **FIRST)).ok
    assert (await face.certificate("withdraw", GTIN, USDA_ORGANIC, withdrawn_on="2022-01-01", reason="Fraud")).ok
    renewed = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from="2022-01-01")
    assert (renewed.facts["is_active"], renewed.facts["gap_days"]) == (True, 0)
    (kept,) = (await face.previous(GTIN, USDA_ORGANIC)).facts
    assert (kept["withdrawn_on"], kept["standing_reason"], kept["standing"]) == ("2022-01-01", "Fraud", "withdrawn")
    # The reason is the organisation's own, as notes on evidence are.
    (public,) = (await face.previous(GTIN, USDA_ORGANIC, "publishable")).facts
    assert public["standing_reason"] == ""
    stored = await certificates.of_products(world.database, [Gtin(GTIN), Gtin(OTHERS_GTIN)])
    assert [*stored] == [(GTIN, USDA_ORGANIC)]


async def test_a_renewal_recorded_late_counts_from_its_first_day(world: World, face: Face) -> None:
    today = date.today()  # noqa: DTZ011 - some months before it
    days = {"valid_from": str(today - 300 * DAY), "expiration_date": str(today + 300 * DAY)}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **days)).ok
    gone, new = today - 90 * DAY, today - 76 * DAY
    assert (await face.certificate("withdraw", GTIN, USDA_ORGANIC, withdrawn_on=str(gone), reason="Fraud")).ok
    renewed = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from=str(new), certificate_number="NOP-2")
    assert renewed.facts["is_active"] is True
    assert (await ask(world))["standingReason"] == ""
    for day, stood in ((gone - DAY, "CURRENT"), (gone, "WITHDRAWN"), (new - DAY, "WITHDRAWN"), (new, "CURRENT")):
        found = await ask(world, str(day))
        assert (found["on"], found["then"], found["active"]["totalCount"]) == (
            stood,
            stood == "CURRENT",
            int(stood == "CURRENT"),
        )


async def test_a_renewal_lifts_no_suspension_and_keeps_why_it_is_suspended(world: World, face: Face) -> None:
    today = date.today()  # noqa: DTZ011 - some days from it either way
    first = today + 31 * DAY
    days = {"valid_from": str(today - 300 * DAY), "expiration_date": str(today + 30 * DAY)}
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **days)).ok
    assert (await face.certificate("suspend", GTIN, USDA_ORGANIC, reason="Residues")).ok
    renewed = await face.certificate("renew", GTIN, USDA_ORGANIC, valid_from=str(first))
    assert renewed.facts["is_active"] is False
    assert (await ask(world))["standingReason"] == "Residues"
    assert [(await ask(world, str(day)))["on"] for day in (first - DAY, first, first + DAY)] == ["SUSPENDED"] * 3
    lifted = await face.certificate("reinstate", GTIN, USDA_ORGANIC, reinstated_on=str(first), reason="Clean")
    assert (lifted.facts["suspended_until"], lifted.facts["standing_reason"]) == (str(first - DAY), "Clean")
    assert [(await ask(world, str(day)))["on"] for day in (first - DAY, first)] == ["SUSPENDED", "CURRENT"]


async def test_days_on_which_nothing_is_held_are_refused(world: World, face: Face) -> None:
    assert (await Rest(world).patch_certification(GTIN, USDA_ORGANIC, **FIRST)).ok
    stored = await world.rows(tables.certification_assignments)
    for act, member in (("suspend", "suspended_from"), ("withdraw", "withdrawn_on")):
        for sent in ({member: "1923-01-01"}, {member: "2023-03-01"}, {}):
            refused = await face.certificate(act, GTIN, USDA_ORGANIC, reason="Residues", **sent)
            assert refused.named() == {member}, refused
    assert await world.rows(tables.certification_assignments) == stored


async def test_another_s_certificates_and_those_that_are_not_held(world: World, face: Face) -> None:
    await world.add_certification(OTHERS_GTIN, FAIR_TRADE)
    for act, members in (("renew", {"valid_from": "2026-01-01"}), ("suspend", {"reason": "x"}), ("reinstate", {})):
        assert (await face.certificate(act, OTHERS_GTIN, FAIR_TRADE, **members)).status == 403
        assert (await face.certificate(act, GTIN, FAIR_TRADE, **members)).status == 404
    assert (await face.previous(OTHERS_GTIN, FAIR_TRADE)).facts == []
    assert (await face.previous(GTIN, VEGAN)).code == "not_found"
