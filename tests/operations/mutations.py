"""Every mutation once, with an input that is granted: what tests go through that are about all of them."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx2
from sqlalchemy import bindparam, select

from db import accounts, calendars, invitations, sessions, views, webhooks
from db.engine.database import Transaction
from db.keys import add_key
from db.sql import tables
from db.sql.reads import Read
from domain.access import SignedInAs
from domain.account import ApiKey, User
from domain.calendars import Calendar
from domain.people import Invitation
from domain.short_id import catalogue_id
from domain.views import SavedView
from domain.vocabulary import KeyKind, Role, ViewKind
from domain.webhooks import Webhook
from tests.log import catch_up
from tests.world import FAIR_TRADE, GTIN, NON_GMO, NOON, NOTHING, USDA_ORGANIC, VEGAN, World

FREE_GTIN = "00614141107346"
LAPSING_GTIN = "00000040170725"
"""A product whose lapses somebody has taken on."""
ARCHIVED_GTIN = "00073513537003"
SUSPENDED_GTIN = "00049000050103"
RENEWED_GTIN = "00000012345670"
SPARE_KEY = catalogue_id("api-key", "spare")
SPARE_MEMBER = catalogue_id("user", "spare")
SPARE_INVITATION = catalogue_id("invitation", "spare")
SPARE_SESSION = catalogue_id("session", "spare")
SPARE_VIEW = catalogue_id("view", "spare")
SPARE_CALENDAR = catalogue_id("calendar", "spare")
SPARE_WEBHOOK = catalogue_id("webhook", "spare")
SPARE_PEOPLE = {
    "member": SPARE_MEMBER,
    "invitation": SPARE_INVITATION,
    "session": SPARE_SESSION,
    "view": SPARE_VIEW,
    "calendar": SPARE_CALENDAR,
    "webhook": SPARE_WEBHOOK,
}
PROBLEM = "... on Problem { errorCode status detail } ... on ValidationProblem { violations { loc type msg } }"


@dataclass(frozen=True)
class Sample:
    """An input that is granted in the world that `prepare` makes, the type of success and what it shows.

    `gone` are input members that name something that does not exist: None where nothing has to exist.
    """

    success: str
    shows: str
    input: dict[str, Any]
    gone: dict[str, Any] | None
    versioned: bool = False
    """Whether `ifMatch` is understood; what is stored is at version 1."""
    invalid: dict[str, Any] = field(default_factory=lambda: {"gtin": "1"})
    """Input members that break a rule."""
    secret: bool = False
    """Whether the answer holds a secret, so that it cannot be repeated."""


MUTATIONS: dict[str, Sample] = {
    "assignClaim": Sample(
        "ClaimAssigned",
        "assignment { gtin version claim { id } }",
        {"gtin": GTIN, "claimId": VEGAN, "validFrom": "2026-01-01", "metadata": {"a_b": "1"}},
        {"gtin": FREE_GTIN},
    ),
    "patchClaimAssignment": Sample(
        "ClaimAssignmentPatched",
        "assignment { gtin version claim { id } }",
        {"gtin": GTIN, "claimId": NON_GMO, "evidenceNote": "Seen", "metadata": {"kept": None, "new": "1"}},
        {"claimId": VEGAN},
        versioned=True,
    ),
    "removeClaim": Sample(
        "ClaimRemoved",
        "removed { gtin version claim { id } } product { gtin claims { claim { id } } }",
        {"gtin": GTIN, "claimId": NON_GMO},
        {"claimId": VEGAN},
        versioned=True,
    ),
    "assignCertification": Sample(
        "CertificationAssigned",
        "assignment { gtin version certification { id } }",
        {"gtin": GTIN, "certificationId": FAIR_TRADE, "verificationStatus": "VERIFIED"},
        {"gtin": FREE_GTIN},
    ),
    "patchCertificationAssignment": Sample(
        "CertificationAssignmentPatched",
        "assignment { gtin version certification { id } }",
        {"gtin": GTIN, "certificationId": USDA_ORGANIC, "verificationStatus": "EXPIRED", "auditDate": "2026-02-03"},
        {"certificationId": FAIR_TRADE},
        versioned=True,
    ),
    "removeCertification": Sample(
        "CertificationRemoved",
        "removed { gtin version certification { id } } product { gtin certifications { certification { id } } }",
        {"gtin": GTIN, "certificationId": USDA_ORGANIC},
        {"certificationId": FAIR_TRADE},
        versioned=True,
    ),
    "renewCertification": Sample(
        "CertificationRenewed",
        "assignment { gtin version certification { id } previous { number expirationDate } } gapDays",
        {"gtin": GTIN, "certificationId": USDA_ORGANIC, "validFrom": "2026-01-01", "certificateNumber": "NOP-2"},
        {"certificationId": FAIR_TRADE},
        versioned=True,
        invalid={"expirationDate": "2025-12-31"},
    ),
    "undoRenewal": Sample(
        "CertificationRenewalUndone",
        "assignment { gtin version standing certification { id } previous { number } }",
        {"gtin": RENEWED_GTIN, "certificationId": USDA_ORGANIC},
        {"certificationId": FAIR_TRADE},
        versioned=True,
    ),
    "suspendCertification": Sample(
        "CertificationSuspended",
        "assignment { gtin version standing certification { id } }",
        {"gtin": GTIN, "certificationId": USDA_ORGANIC, "suspendedFrom": "2026-01-01", "reason": "Residues"},
        {"certificationId": FAIR_TRADE},
        versioned=True,
        invalid={"suspendedUntil": "2025-12-31"},
    ),
    "withdrawCertification": Sample(
        "CertificationWithdrawn",
        "assignment { gtin version standing certification { id } }",
        {"gtin": GTIN, "certificationId": USDA_ORGANIC, "withdrawnOn": "2026-01-01", "reason": "Fraud"},
        {"certificationId": FAIR_TRADE},
        versioned=True,
        invalid={"reason": ""},
    ),
    "reinstateCertification": Sample(
        "CertificationReinstated",
        "assignment { gtin version standing certification { id } }",
        {"gtin": SUSPENDED_GTIN, "certificationId": USDA_ORGANIC, "reason": "Clean"},
        {"certificationId": FAIR_TRADE},
        versioned=True,
        invalid={"reinstatedOn": "0001-01-01"},
    ),
    "acknowledgeCertification": Sample(
        "CertificationAcknowledged",
        "acknowledgement { gtin until reason lapsesOn }",
        {"gtin": LAPSING_GTIN, "certificationId": USDA_ORGANIC, "until": "2030-12-31", "reason": "The audit is due."},
        {"certificationId": NOTHING},
        versioned=True,
        invalid={"until": "2020-01-01"},
    ),
    "unacknowledgeCertification": Sample(
        "CertificationUnacknowledged",
        "removed { gtin until reason lapsesOn }",
        {"gtin": LAPSING_GTIN, "certificationId": USDA_ORGANIC},
        {"certificationId": NOTHING},
        versioned=True,
    ),
    "acknowledgeClaim": Sample(
        "ClaimAcknowledged",
        "acknowledgement { gtin until reason lapsesOn }",
        {"gtin": LAPSING_GTIN, "claimId": NON_GMO, "until": "2030-12-31", "reason": "The audit is due."},
        {"claimId": NOTHING},
        versioned=True,
        invalid={"until": "2020-01-01"},
    ),
    "unacknowledgeClaim": Sample(
        "ClaimUnacknowledged",
        "removed { gtin until reason lapsesOn }",
        {"gtin": LAPSING_GTIN, "claimId": NON_GMO},
        {"claimId": NOTHING},
        versioned=True,
    ),
    "createProduct": Sample("ProductCreated", "product { gtin name }", {"gtin": FREE_GTIN, "name": "Rye"}, None),
    "patchProduct": Sample(
        "ProductPatched",
        "product { gtin name }",
        {"gtin": GTIN, "name": "Oat drink, unsweetened"},
        {"gtin": FREE_GTIN},
        versioned=True,
    ),
    "archiveProduct": Sample(
        "ProductArchived", "product { gtin name }", {"gtin": GTIN}, {"gtin": FREE_GTIN}, versioned=True
    ),
    "restoreProduct": Sample(
        "ProductRestored", "product { gtin name }", {"gtin": ARCHIVED_GTIN}, {"gtin": FREE_GTIN}, versioned=True
    ),
    "createApiKey": Sample(
        "ApiKeyCreated",
        "apiKey { name role }",
        {"name": "The shop", "role": "EDITOR", "metadata": {"order": "7"}},
        {"organizationId": NOTHING},
        invalid={"name": ""},
        secret=True,
    ),
    "patchApiKey": Sample(
        "ApiKeyPatched",
        "apiKey { name role }",
        {"keyId": SPARE_KEY, "description": "For the shop", "metadata": {"order": "8"}},
        {"keyId": NOTHING},
        invalid={"name": "x" * 256},
    ),
    "createInvitation": Sample(
        "InvitationCreated",
        "invitation { email role }",
        {"email": "Bob@Example.org", "role": "EDITOR"},
        {"organizationId": NOTHING},
        invalid={"email": "bob"},
        secret=True,
    ),
    "revokeInvitation": Sample(
        "InvitationRevoked",
        "revoked { email role }",
        {"invitationId": SPARE_INVITATION},
        {"invitationId": NOTHING},
        invalid={"invitationId": "1"},
    ),
    "patchMember": Sample(
        "MemberPatched",
        "member { email role }",
        {"userId": SPARE_MEMBER, "role": "MANAGER"},
        {"userId": NOTHING},
        invalid={"userId": "1"},
    ),
    "removeMember": Sample(
        "MemberRemoved",
        "removed { email role }",
        {"userId": SPARE_MEMBER},
        {"userId": NOTHING},
        invalid={"userId": "1"},
    ),
    "endSession": Sample(
        "SessionEnded",
        "ended { email apiKeyId }",
        {"sessionId": SPARE_SESSION},
        {"sessionId": NOTHING},
        invalid={"sessionId": "1"},
    ),
    "createView": Sample(
        "ViewCreated",
        "view { name kind }",
        {"name": "Ours", "kind": "CLAIMS", "where": '{"mine": true}', "ordering": "-lapses_on"},
        {"organizationId": NOTHING},
        invalid={"where": "{", "name": ""},
    ),
    "patchView": Sample(
        "ViewPatched",
        "view { name kind }",
        {"viewId": SPARE_VIEW, "name": "Spare and changed"},
        {"viewId": NOTHING},
        invalid={"ordering": "by weight"},
    ),
    "removeView": Sample(
        "ViewRemoved", "removed { name kind }", {"viewId": SPARE_VIEW}, {"viewId": NOTHING}, invalid={"viewId": "1"}
    ),
    "createCalendar": Sample(
        "CalendarCreated",
        "calendar { viewId }",
        {"viewId": SPARE_VIEW},
        {"viewId": NOTHING},
        invalid={"viewId": "1"},
        secret=True,
    ),
    "revokeCalendar": Sample(
        "CalendarRevoked",
        "revoked { viewId }",
        {"calendarId": SPARE_CALENDAR},
        {"calendarId": NOTHING},
        invalid={"calendarId": "1"},
    ),
    "createWebhook": Sample(
        "WebhookCreated",
        "webhook { url }",
        {"url": "https://hooks.example.org/new", "viewId": SPARE_VIEW},
        {"url": "https://hooks.example.org/new", "viewId": NOTHING},
        invalid={"url": "hooks.example.org"},
        secret=True,
    ),
    "patchWebhook": Sample(
        "WebhookPatched",
        "webhook { url types isEnabled }",
        {"webhookId": SPARE_WEBHOOK, "types": ["product"]},
        {"webhookId": NOTHING},
        invalid={"types": ["weather"]},
    ),
    "removeWebhook": Sample(
        "WebhookRemoved",
        "removed { url }",
        {"webhookId": SPARE_WEBHOOK},
        {"webhookId": NOTHING},
        invalid={"webhookId": "1"},
    ),
    "rotateWebhookSecret": Sample(
        "WebhookSecretRotated",
        "webhook { url }",
        {"webhookId": SPARE_WEBHOOK},
        {"webhookId": NOTHING},
        invalid={"webhookId": "1"},
        secret=True,
    ),
    "testWebhook": Sample(
        "WebhookTested",
        "webhook { url }",
        {"webhookId": SPARE_WEBHOOK},
        {"webhookId": NOTHING},
        invalid={"webhookId": "1"},
    ),
    "replayWebhook": Sample(
        "WebhookReplayed",
        "webhook { url }",
        {"webhookId": SPARE_WEBHOOK, "sinceMoment": "2020-01-01T00:00:00Z"},
        {"webhookId": NOTHING},
        invalid={"since": "1"},
    ),
    "setLeadTimes": Sample(
        "LeadTimesSet",
        "leadTimes { certificationId days }",
        {"forCertification": USDA_ORGANIC, "days": [10, 120]},
        {"forCertification": NOTHING},
        invalid={"days": [0]},
    ),
    "setDigest": Sample(
        "DigestSet",
        "digest { userId period }",
        {"userId": SPARE_MEMBER, "period": "WEEKLY"},
        {"userId": NOTHING},
        invalid={"userId": "1"},
    ),
    "setPublicProof": Sample(
        "PublicProofSet",
        "publicProof { organizationId isEnabled }",
        {"isEnabled": True},
        {"organizationId": NOTHING, "isEnabled": True},
        invalid={"organizationId": "1"},
    ),
    "revokeApiKey": Sample(
        "ApiKeyRevoked", "revoked { name role }", {"keyId": SPARE_KEY}, {"keyId": NOTHING}, invalid={"keyId": "1"}
    ),
}


BULK = {
    "assignClaims": "assignClaim",
    "patchClaimAssignments": "patchClaimAssignment",
    "removeClaims": "removeClaim",
    "assignCertifications": "assignCertification",
    "patchCertificationAssignments": "patchCertificationAssignment",
    "removeCertifications": "removeCertification",
    "renewCertifications": "renewCertification",
    "undoRenewals": "undoRenewal",
    "suspendCertifications": "suspendCertification",
    "withdrawCertifications": "withdrawCertification",
    "reinstateCertifications": "reinstateCertification",
    "acknowledgeCertifications": "acknowledgeCertification",
    "unacknowledgeCertifications": "unacknowledgeCertification",
    "acknowledgeClaims": "acknowledgeClaim",
    "unacknowledgeClaims": "unacknowledgeClaim",
    "createProducts": "createProduct",
    "patchProducts": "patchProduct",
    "archiveProducts": "archiveProduct",
    "restoreProducts": "restoreProduct",
}
"""The bulk forms, each with its single form."""


async def prepare(world: World) -> None:
    """What the inputs need beside what every world has."""
    await run(
        world, "assignClaim", {"gtin": GTIN, "claimId": NON_GMO, "evidenceNote": "Told", "metadata": {"kept": "yes"}}
    )
    await world.add_product(ARCHIVED_GTIN, world.brand, archived_at=NOON)
    await world.add_product(SUSPENDED_GTIN, world.brand)
    suspension = {"suspended_from": date(2026, 1, 1), "standing_reason": "Residues"}
    await world.add_certification(SUSPENDED_GTIN, USDA_ORGANIC, **suspension)
    await world.add_product(RENEWED_GTIN, world.brand)
    await world.add_certification(RENEWED_GTIN, USDA_ORGANIC, version=0)
    renewal = {"gtin": RENEWED_GTIN, "certificationId": USDA_ORGANIC, "validFrom": "2026-01-01"}
    await run(world, "renewCertification", renewal)
    await world.add_product(LAPSING_GTIN, world.brand)
    await world.add_certification(LAPSING_GTIN, USDA_ORGANIC, expiration_date=LAST_DAY)
    await run(world, "assignClaim", {"gtin": LAPSING_GTIN, "claimId": NON_GMO, "expirationDate": LAST_DAY.isoformat()})
    await take_on(world, LAPSING_GTIN)
    async with world.database.write() as transaction:
        spare = ApiKey(SPARE_KEY, world.brand, KeyKind.BUSINESS, Role.EDITOR, "Spare", NOON, metadata={"order": "7"})
        await add_key(transaction, spare, "0" * 64)
        await add_people(transaction, world, "spare")
    await catch_up(world)


LAST_DAY = date(2098, 12, 31)


async def give_ends(world: World, gtin: str) -> None:
    """Has what a product holds and claims lapse, one day."""
    async with world.database.write() as transaction:
        for table in tables.ASSIGNED.values():
            await transaction.execute(
                table.update().where(table.c.gtin == bindparam("of")).values(expiration_date=LAST_DAY), {"of": gtin}
            )


async def take_on(world: World, gtin: str) -> None:
    """Somebody takes on that what a product holds and claims lapses."""
    said = {"until": LAST_DAY, "lapses_on": LAST_DAY, "reason": "It is renewed.", "created_at": NOON}
    for table, acknowledged in zip(tables.ASSIGNED.values(), tables.ACKNOWLEDGED.values(), strict=True):
        columns = [*table.primary_key, table.c.id]
        rows = await world.database.fetch(Read(select(*columns).where(table.c.gtin == bindparam("of")), tuple), of=gtin)
        async with world.database.write() as transaction:
            for row in rows:
                named = {column.key: value for column, value in zip(columns, row, strict=True)}
                await transaction.insert(acknowledged, named | said)


async def add_people(transaction: Transaction, world: World, name: str) -> None:
    """A member of the brand with a session, an invitation and a view with a calendar and a webhook.

    Their ids come from a name.
    """
    member = catalogue_id("user", name)
    await accounts.add_user(transaction, User(member, f"{name}@example.org", {}), NOON)
    await accounts.set_membership(transaction, member, world.brand, Role.READONLY, NOON)
    later = NOON.replace(year=2099)
    invitation = Invitation(
        catalogue_id("invitation", name), world.brand, f"{name}.invited@example.org", Role.READONLY, NOON, later
    )
    await invitations.add(transaction, invitation, f"invitation of {name}")
    await sessions.add_session(
        transaction,
        id=catalogue_id("session", name),
        digest=f"session of {name}",
        who=SignedInAs(user_id=member, organization_id=world.brand),
        expires_at=later,
        at=NOON,
    )
    view = SavedView(
        catalogue_id("view", name), world.brand, f"{name} view", ViewKind.CERTIFICATIONS, "{}", "", NOON, NOON
    )
    await views.add(transaction, view)
    calendar = Calendar(catalogue_id("calendar", name), world.brand, view.id, NOON)
    await calendars.add(transaction, calendar, f"calendar of {name}")
    url = "https://hooks.example.org/spare"
    webhook = Webhook(
        catalogue_id("webhook", name), world.brand, url, "", view.id, [], False, None, "", None, None, NOON, NOON
    )
    await webhooks.add(transaction, webhook, "whsec_AAAA", 7)


def document(name: str) -> str:
    """The mutation with everything that it can answer."""
    single = BULK.get(name, name)
    sample = MUTATIONS[single]
    kind = f"{single[0].upper()}{single[1:]}"
    result = (
        f"__typename ... on Success {{ dryRun changes {{ path before after }} }}"
        f" ... on {sample.success} {{ {sample.shows} }} {PROBLEM}"
    )
    if name in BULK:
        rows = f"... on {kind}Rows {{ rows {{ index result {{ {result} }} }} }}"
        return (
            f"mutation Run($input: [{kind}Input!]!, $policy: BulkPolicy! = REJECT_ALL, $dryRun: Boolean! = false) {{"
            f" {name}(input: $input, policy: $policy, dryRun: $dryRun) {{ __typename"
            f" ... on Rows {{ dryRun done refused }} {rows} {PROBLEM} }} }}"
        )
    return (
        f"mutation Run($input: {kind}Input!, $dryRun: Boolean! = false) {{"
        f" {name}(input: $input, dryRun: $dryRun) {{ {result} }} }}"
    )


async def run(
    world: World, name: str, input: dict[str, Any], *, key: str | None = None, who: str = "manager", dry: bool = False
) -> dict[str, Any]:
    """What the mutation answered."""
    response = await send(world, name, {"input": input, **({"dryRun": True} if dry else {})}, key=key, who=who)
    body = response.json()
    assert "errors" not in body, body
    result: dict[str, Any] = body["data"][name]
    return result


async def bulk(
    world: World,
    name: str,
    rows: list[dict[str, Any]],
    policy: str = "REJECT_ALL",
    *,
    key: str | None = None,
    who: str = "manager",
    dry: bool = False,
) -> dict[str, Any]:
    """What the bulk mutation answered."""
    variables = {"input": rows, "policy": policy, "dryRun": dry}
    body = (await send(world, name, variables, key=key, who=who)).json()
    assert "errors" not in body, body
    result: dict[str, Any] = body["data"][name]
    return result


async def send(
    world: World, name: str, variables: dict[str, Any], *, key: str | None = None, who: str = "manager"
) -> httpx2.Response:
    """The HTTP answer to the mutation."""
    headers = {"X-API-Key": world.keys[who], **({"Idempotency-Key": key} if key else {})}
    return await world.client.post("/graphql", json={"query": document(name), "variables": variables}, headers=headers)
