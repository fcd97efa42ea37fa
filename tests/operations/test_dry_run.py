"""A dry run is judged like a real one and leaves nothing behind; both say what changes."""

import asyncio
import logging
from typing import Any, cast

import httpx2
import pytest
from graphql import GraphQLObjectType, GraphQLUnionType, get_named_type

from db.engine import group_commit
from db.engine.rehearsal import Rehearsal
from db.sql import tables
from domain.errors import Busy
from schema.schema import schema
from tests.operations.mutations import BULK, MUTATIONS, prepare, run, send
from tests.world import GTIN, NON_GMO, OTHERS_GTIN, USDA_ORGANIC, VEGAN, World

FIELDS = schema._schema.mutation_type.fields if schema._schema.mutation_type else {}


async def everything(world: World) -> dict[str, Any]:
    return {table.name: await world.rows(table) for table in tables.metadata.sorted_tables}


def facts(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is bound to differ from one run to the next."""
    told = {name: value for name, value in answer.items() if name not in ("dryRun", "product", "detail")}
    return {**told, "changes": [_lasting(change) for change in told.get("changes", [])]}


def _lasting(change: dict[str, Any]) -> dict[str, Any]:
    # An invitation ends some days after it was made, a product is archived and a webhook tried from now on.
    is_of_now = change["path"] in (["expiresAt"], ["archivedAt"], ["testedAt"], ["replayedAt"])
    return {**change, "after": change["after"] and "some time"} if is_of_now else change


def test_every_mutation_is_tried_here() -> None:
    assert FIELDS.keys() == MUTATIONS.keys() | BULK.keys()


@pytest.mark.parametrize("name", FIELDS)
def test_every_mutation_takes_a_dry_run_and_answers_with_a_union_of_one_success_and_problems(name: str) -> None:
    field = FIELDS[name]
    argument = field.args["dryRun"]
    assert (str(argument.type), argument.default_value) == ("Boolean!", False)
    union = field.type
    assert isinstance(union, GraphQLUnionType)
    interfaces = sorted(", ".join(item.name for item in member.interfaces) for member in union.types)
    assert interfaces == [*["Problem"] * (len(union.types) - 1), "Rows" if name in BULK else "Success"]


@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_dry_run_answers_as_the_real_one_and_writes_nothing(world: World, name: str) -> None:
    await prepare(world)
    sample = MUTATIONS[name]
    before = await everything(world)
    dry = await run(world, name, sample.input, dry=True, key="one")
    assert (dry["__typename"], dry["dryRun"]) == (sample.success, True)
    # A secret is no member that anybody is shown.
    assert dry["changes"] or name == "rotateWebhookSecret"
    assert await everything(world) == before
    # Neither did it use up the key, nor is it answered from one that is used up.
    real = await run(world, name, sample.input, key="one")
    assert real["dryRun"] is False
    assert facts(real) == facts(dry)
    after = await everything(world)
    assert after != before
    assert after["idempotency_keys"] != before["idempotency_keys"]
    again = await run(world, name, sample.input, dry=True, key="one")
    assert again["dryRun" if "dryRun" in again else "errorCode"] in (True, "conflict", "not_found")
    if name.startswith("patch"):
        assert again["changes"] == []
    assert await everything(world) == after


@pytest.mark.parametrize("name", [name for name, sample in MUTATIONS.items() if not sample.secret])
async def test_a_repetition_shows_the_same_changes(world: World, name: str) -> None:
    await prepare(world)
    first = await send(world, name, {"input": MUTATIONS[name].input}, key="one")
    again = await send(world, name, {"input": MUTATIONS[name].input}, key="one")
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", MUTATIONS)
async def test_a_dry_run_is_refused_like_the_real_one(world: World, name: str) -> None:
    await prepare(world)
    sample = MUTATIONS[name]
    before = await everything(world)
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("readonly", sample.input, "forbidden"),
        ("publishable", sample.input, "forbidden"),
        ("manager", {**sample.input, **sample.invalid}, "validation_error"),
    ]
    if sample.gone is not None:
        cases.append(("manager", {**sample.input, **sample.gone}, "not_found"))
    if sample.versioned:
        cases.append(("manager", {**sample.input, "ifMatch": 2}, "precondition_failed"))
    for who, input, code in cases:
        dry, real = [await run(world, name, input, who=who, dry=dry) for dry in (True, False)]
        assert dry["errorCode"] == code
        assert facts(dry) == facts(real)
        assert dry["detail"] == real["detail"]
    if sample.versioned:
        assert (await run(world, name, {**sample.input, "ifMatch": 1}, dry=True))["dryRun"] is True
    assert await everything(world) == before


@pytest.mark.parametrize("name", ["assignClaim", "assignCertification", "createProduct"])
async def test_a_dry_run_meets_the_same_conflict(world: World, name: str) -> None:
    await prepare(world)
    assert "errorCode" not in await run(world, name, MUTATIONS[name].input)
    before = await everything(world)
    assert (await run(world, name, MUTATIONS[name].input, dry=True))["errorCode"] == "conflict"
    assert await everything(world) == before


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_changes_name_members_as_graphql_does_and_values_as_their_fields_show_them(world: World) -> None:
    await prepare(world)
    made = await run(world, "assignClaim", MUTATIONS["assignClaim"].input)
    assert made["changes"] == [
        {"path": ["metadata", "a_b"], "before": None, "after": "1"},
        {"path": ["source"], "before": None, "after": "BRAND_SELF_DECLARED"},
        {"path": ["validFrom"], "before": None, "after": "2026-01-01"},
    ]
    patched = await run(world, "patchClaimAssignment", MUTATIONS["patchClaimAssignment"].input)
    assert patched["changes"] == [
        {"path": ["metadata", "kept"], "before": "yes", "after": None},
        {"path": ["metadata", "new"], "before": None, "after": "1"},
        {"path": ["evidenceNote"], "before": "Told", "after": "Seen"},
    ]
    removed = await run(world, "removeClaim", MUTATIONS["removeClaim"].input)
    assert removed["changes"] == [
        {"path": ["metadata", "new"], "before": "1", "after": None},
        {"path": ["source"], "before": "BRAND_SELF_DECLARED", "after": None},
        {"path": ["evidenceNote"], "before": "Seen", "after": None},
    ]
    # What it left behind, for a cache of the product's list.
    assert removed["product"] == {"gtin": GTIN, "claims": [{"claim": {"id": VEGAN}}]}
    certified = await run(
        world,
        "patchCertificationAssignment",
        {**MUTATIONS["patchCertificationAssignment"].input, "certificateCountries": ["US"]},
    )
    assert certified["changes"] == [
        {"path": ["verificationStatus"], "before": "UNVERIFIED", "after": "EXPIRED"},
        {"path": ["auditDate"], "before": None, "after": "2026-02-03"},
        {"path": ["certificateCountries"], "before": [], "after": ["US"]},
    ]


async def test_a_patch_that_changes_nothing_has_no_changes(world: World) -> None:
    await prepare(world)
    same = {"gtin": GTIN, "claimId": NON_GMO, "evidenceNote": "Told", "metadata": {"kept": "yes", "absent": None}}
    answer = await run(world, "patchClaimAssignment", same)
    assert answer["changes"] == []
    assert answer["assignment"]["version"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_change_has_a_field_of_its_name(world: World) -> None:
    await prepare(world)
    for name, sample in MUTATIONS.items():
        success = cast(GraphQLObjectType, schema._schema.type_map[sample.success])
        shown = cast(GraphQLObjectType, get_named_type(success.fields[sample.shows.split()[0]].type))
        answer = await run(world, name, sample.input, dry=True)
        assert {change["path"][0] for change in answer["changes"]} <= shown.fields.keys()


async def test_a_dry_run_beside_a_real_mutation_undoes_itself_alone(world: World) -> None:
    query = """mutation ($a: AssignClaimInput!, $b: AssignClaimInput!) {
        first: assignClaim(input: $a) { __typename }
        dry: assignClaim(input: $b, dryRun: true) { __typename }
        second: assignClaim(input: $b) { __typename } }"""
    response = await world.client.post(
        "/graphql",
        json={
            "query": query,
            "variables": {"a": {"gtin": GTIN, "claimId": VEGAN}, "b": {"gtin": GTIN, "claimId": NON_GMO}},
        },
        headers={"X-API-Key": world.keys["manager"]},
    )
    assert response.json()["data"] == {
        "first": {"__typename": "ClaimAssigned"},
        "dry": {"__typename": "ClaimAssigned"},
        "second": {"__typename": "ClaimAssigned"},
    }
    assert len(await world.rows(tables.claim_assignments)) == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_another_s_product_stays_forbidden_on_a_dry_run(world: World) -> None:
    answer = await run(world, "assignClaim", {"gtin": OTHERS_GTIN, "claimId": VEGAN}, dry=True)
    assert answer["errorCode"] == "forbidden"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_only_a_real_clearing_is_logged_and_only_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "certgate.operations")
    clearing = {"gtin": GTIN, "certificationId": USDA_ORGANIC, "clearMetadata": True}
    dry = await run(world, "patchCertificationAssignment", clearing, dry=True)
    assert dry["changes"] == [{"path": ["metadata", "kept"], "before": "yes", "after": None}]
    assert not caplog.messages
    for _ in range(2):
        await run(world, "patchCertificationAssignment", clearing, key="one")
    (message,) = caplog.messages
    assert message.startswith("all 1 metadata keys of ")


# --- What is read behind a dry run ---

HELD = "certifications { scope metadata certification { id } } claims { source evidenceNote claim { id } }"
NARROW = "certifications { scope } claims { source evidenceNote }"
BEHIND = {
    "claim": f"""gtin product {{ name {HELD} }} claim {{ code assignments(where: {{ gtin: {{ in: $gtins }} }}) {{
        totalCount nodes {{ gtin evidenceNote product {{ gtin {NARROW} }} }} }} }}""",
    "certification": f"""gtin product {{ name {HELD} }} certification {{ code
        assignments(where: {{ gtin: {{ in: $gtins }} }}, orderBy: {{ field: EXPIRATION_DATE }}) {{
          totalCount nodes {{ gtin scope product {{ gtin {NARROW} }} }} }}
        body {{ assignments(first: 5) {{ totalCount edges {{ node {{ gtin scope }} }} }} }} }}""",
}


LISTED = "certifications { totalCount nodes { gtin } } claims(first: 1) { totalCount nodes { gtin } }"


def reading(name: str) -> str:
    """The mutation, in whose answer everything is read that can be reached from what it shows."""
    sample = MUTATIONS[BULK.get(name, name)]
    kind = sample.success
    shown = {
        "ProductCreated": f"product {{ gtin name {HELD} }}",
        "ProductPatched": f"product {{ gtin name {HELD} }}",
        "ProductArchived": f"product {{ gtin version {HELD} }}",
        "ProductRestored": f"product {{ gtin version archivedAt {HELD} }}",
        "ClaimAssigned": f"assignment {{ {BEHIND['claim']} }}",
        "ClaimAssignmentPatched": f"assignment {{ {BEHIND['claim']} }}",
        "ClaimRemoved": f"product {{ gtin {HELD} }} removed {{ {BEHIND['claim']} }}",
        "CertificationAssigned": f"assignment {{ {BEHIND['certification']} }}",
        "CertificationAssignmentPatched": f"assignment {{ {BEHIND['certification']} }}",
        "CertificationRemoved": f"product {{ gtin {HELD} }} removed {{ {BEHIND['certification']} }}",
        **{
            f"Certification{done}": f"assignment {{ previous {{ number }} {BEHIND['certification']} }}"
            for done in ("Renewed", "RenewalUndone", "Suspended", "Withdrawn", "Reinstated")
        },
        "CertificationAcknowledged": "acknowledgement { gtin until reason by }",
        "ClaimAcknowledged": "acknowledgement { gtin until reason by }",
        "CertificationUnacknowledged": "removed { gtin until reason by }",
        "ClaimUnacknowledged": "removed { gtin until reason by }",
        "CalendarCreated": "calendar { viewId }",
        "CalendarRevoked": "revoked { id viewId }",
        "WebhookCreated": "webhook { url viewId }",
        "WebhookSecretRotated": "webhook { url }",
        "WebhookRemoved": "removed { url }",
        **{f"Webhook{done}": "webhook { url types isEnabled problem }" for done in ("Patched", "Tested", "Replayed")},
        "LeadTimesSet": "leadTimes { certificationId days }",
        "PublicProofSet": "publicProof { isEnabled }",
        "DigestSet": "digest { userId period dueAt }",
        "ViewCreated": f"view {{ name {LISTED} }}",
        "ViewPatched": f"view {{ name {LISTED} }}",
        "ViewRemoved": f"removed {{ name {LISTED} }}",
    }[kind]
    result = f"... on {kind} {{ {shown} }} ... on Problem {{ errorCode }}"
    named = f"{BULK.get(name, name)[0].upper()}{BULK.get(name, name)[1:]}"
    if name in BULK:
        result = f"... on {named}Rows {{ done rows {{ result {{ {result} }} }} }}"
    input = f"[{named}Input!]!" if name in BULK else f"{named}Input!"
    return f"""mutation ($input: {input}, $dryRun: Boolean!, $gtins: [String!]!) {{
        {name}(input: $input, dryRun: $dryRun) {{ {result} }}
        also: {name}(input: $input, dryRun: true) {{ {result} }} }}"""


READ = [name for name in FIELDS if not name.endswith(("ApiKey", "Invitation", "Member", "Session"))]


@pytest.mark.parametrize("name", READ)
async def test_what_is_read_behind_a_dry_run_is_what_is_read_behind_a_real_one(world: World, name: str) -> None:
    await prepare(world)
    sample = MUTATIONS[BULK.get(name, name)]
    query = reading(name)
    if "$gtins" not in query.partition("{")[2]:
        query = query.replace(", $gtins: [String!]!", "")
    variables = {"input": [sample.input] if name in BULK else sample.input, "gtins": [GTIN, OTHERS_GTIN]}
    before = await everything(world)

    async def answer(*, dry: bool) -> dict[str, Any]:
        body = (
            await world.client.post(
                "/graphql",
                json={"query": query, "variables": {**variables, "dryRun": dry}},
                headers={"X-API-Key": world.keys["manager"]},
            )
        ).json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    # Operations may be compiled when they come again; and one dry run knows nothing of another.
    dry = [await answer(dry=True) for _ in range(3)]
    assert all(data[name] == data["also"] == dry[0][name] for data in dry)
    assert "errorCode" not in str(dry[0])
    assert await everything(world) == before
    real = await answer(dry=False)
    assert dry[0][name] == real[name]
    assert await everything(world) != before


async def test_a_read_behind_a_dry_run_that_fails_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await everything(world)
    query = f"""mutation {{ assignClaim(input: {{gtin: "{GTIN}", claimId: "{VEGAN}"}}, dryRun: true) {{
        ... on ClaimAssigned {{ assignment {{ product {{ claims {{ id }} }} }} }} }} }}"""

    async def send() -> httpx2.Response:
        headers = {"X-API-Key": world.keys["manager"]}
        return await world.client.post("/graphql", json={"query": query}, headers=headers)

    for failure, status in ((RuntimeError("no"), 200), (Busy("Later."), 503)):

        async def fail(*_: Any, failure: Exception = failure, **__: Any) -> Any:
            raise failure

        with monkeypatch.context() as patched:
            # The first run makes records, the second an answer straight from rows.
            patched.setattr(Rehearsal, "read", fail)
            response = await send()
        assert response.status_code == status
        assert response.json().get("data") in (None, {"assignClaim": None})
        assert await everything(world) == before
    # Neither does it keep anybody from writing.
    assert (await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN}))["dryRun"] is False


async def test_a_dry_run_that_is_stopped_leaves_nothing_and_holds_nobody_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = asyncio.Event()

    async def wait(*_: Any, **__: Any) -> Any:
        inside.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Rehearsal, "read", wait)
    query = f"""mutation {{ assignClaim(input: {{gtin: "{GTIN}", claimId: "{VEGAN}"}}, dryRun: true) {{
        ... on ClaimAssigned {{ assignment {{ product {{ claims {{ id }} }} }} }} }} }}"""
    before = await everything(world)
    headers = {"X-API-Key": world.keys["manager"]}
    asked = asyncio.create_task(world.client.post("/graphql", json={"query": query}, headers=headers))
    await inside.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    monkeypatch.undo()
    assert await everything(world) == before
    assert (await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN}))["dryRun"] is False


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_dry_run_whose_reads_take_too_long_is_undone_and_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds SQLite's only writer, so it is bounded as every write is."""

    async def wait(*_: Any, **__: Any) -> Any:
        await asyncio.Event().wait()

    before = await everything(world)
    query = f"""mutation {{ assignClaim(input: {{gtin: "{GTIN}", claimId: "{VEGAN}"}}, dryRun: true) {{
        ... on ClaimAssigned {{ assignment {{ product {{ claims {{ id }} }} }} }} }} }}"""
    with monkeypatch.context() as patched:
        patched.setattr(Rehearsal, "read", wait)
        patched.setattr(group_commit, "HOLD_SECONDS", 0.05)
        headers = {"X-API-Key": world.keys["manager"]}
        response = await world.client.post("/graphql", json={"query": query}, headers=headers)
    assert (response.status_code, response.json()["error_code"]) == (503, "service_unavailable")
    assert await everything(world) == before
    assert (await run(world, "assignClaim", {"gtin": GTIN, "claimId": VEGAN}))["dryRun"] is False
