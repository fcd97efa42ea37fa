"""The two faces behind one interface, so that a scenario is written once (see `conftest`).

Both speak the contract's snake_case names; the GraphQL face translates them, and translates answers back.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from strawberry.utils.str_converters import to_camel_case

from tests.operations.mutations import BULK
from tests.world import World


@dataclass
class Outcome:
    """What became of an operation: its facts on success, else the problem."""

    facts: Any = None
    status: int = 200
    problem: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the operation succeeded."""
        return not self.problem

    @property
    def code(self) -> str:
        """The public code of the refusal."""
        return str(self.problem["error_code"])

    def violations(self) -> set[tuple[str, str, str]]:
        """Of each violation the member's path, the type and the message."""
        return {
            (".".join(map(str, entry["loc"][1:])), entry["type"], entry["msg"]) for entry in self.problem["details"]
        }

    def named(self) -> set[str]:
        """The members that the refusal names."""
        return {path for path, _, _ in self.violations()}


class Face(Protocol):
    """What a caller can do, whichever wire carries it."""

    async def assign_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        """Puts a claim on a product."""

    async def patch_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        """Changes an assignment."""

    async def assign_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        """Puts a certification on a product."""

    async def remove_certification(self, gtin: Any, certification_id: Any, key: str = "manager") -> Outcome:
        """Takes a certification off a product."""

    async def patch_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        """Changes a claim of a product."""

    async def remove_claim(self, gtin: Any, claim_id: Any, key: str = "manager") -> Outcome:
        """Takes a claim off a product."""

    async def acknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        """Takes on that a certification or a claim of a product lapses."""

    async def unacknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager") -> Outcome:
        """Gives that back."""

    async def certificate(self, act: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        """What becomes of a certificate: `renew`, `undo-renewal`, `suspend`, `withdraw`, `reinstate`."""

    async def previous(self, gtin: Any, id: Any, key: str = "readonly") -> Outcome:
        """The earlier certificates."""

    async def create_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        """Makes a product."""

    async def patch_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        """Changes a product."""

    async def archive_product(self, gtin: Any, key: str = "manager") -> Outcome:
        """Takes a product out of the lists."""

    async def restore_product(self, gtin: Any, key: str = "manager") -> Outcome:
        """Brings it back."""

    async def create_key(self, key: str = "manager", **members: Any) -> Outcome:
        """Makes an API key of the brand, or of the `organization_id` among the members."""

    async def patch_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        """Changes what an API key is called."""

    async def revoke_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        """Revokes an API key."""

    async def api_keys(self, key: str = "manager", **members: Any) -> Outcome:
        """The API keys of an organisation."""

    async def people(self, act: str, key: str = "manager", **members: Any) -> Outcome:
        """What becomes of the people of the brand, or of the `organization_id` among the members, or of its views.

        One of `PEOPLE`.
        """

    async def certifications(self, gtin: str, key: str = "readonly") -> Outcome:
        """What a product holds."""

    async def claims(self, gtin: str, key: str = "readonly") -> Outcome:
        """What a product claims."""

    async def definition(self, kind: str, id: str, key: str = "readonly") -> Outcome:
        """A certification, claim or certification body."""


class OnPeople(NamedTuple):
    """A write about people or views: in REST method and path below the organisation, in GraphQL field and selection."""

    method: str
    path: str
    field: str
    success: str
    selection: str


_VIEW = "id name kind where ordering problem"
_WEBHOOK = "id url description viewId types isEnabled failingSince problem"

PEOPLE = {
    "invite": OnPeople(
        "POST", "invitations", "createInvitation", "InvitationCreated", "invitation { id email role } link"
    ),
    "take back": OnPeople(
        "DELETE", "invitations/{invitation_id}", "revokeInvitation", "InvitationRevoked", "revoked { id }"
    ),
    "promote": OnPeople("PATCH", "members/{user_id}", "patchMember", "MemberPatched", "member { userId email role }"),
    "dismiss": OnPeople("DELETE", "members/{user_id}", "removeMember", "MemberRemoved", "removed { userId }"),
    "save view": OnPeople("POST", "views", "createView", "ViewCreated", f"view {{ {_VIEW} }}"),
    "change view": OnPeople("PATCH", "views/{view_id}", "patchView", "ViewPatched", f"view {{ {_VIEW} }}"),
    "remove view": OnPeople("DELETE", "views/{view_id}", "removeView", "ViewRemoved", "removed { id }"),
    "make calendar": OnPeople("POST", "calendars", "createCalendar", "CalendarCreated", "calendar { id viewId } url"),
    "end calendar": OnPeople(
        "DELETE", "calendars/{calendar_id}", "revokeCalendar", "CalendarRevoked", "revoked { viewId }"
    ),
    "make webhook": OnPeople("POST", "webhooks", "createWebhook", "WebhookCreated", "webhook { id url } secret"),
    "change webhook": OnPeople(
        "PATCH", "webhooks/{webhook_id}", "patchWebhook", "WebhookPatched", f"webhook {{ {_WEBHOOK} }}"
    ),
    "end webhook": OnPeople("DELETE", "webhooks/{webhook_id}", "removeWebhook", "WebhookRemoved", "removed { url }"),
    "rotate webhook": OnPeople(
        "POST",
        "webhooks/{webhook_id}/secret",
        "rotateWebhookSecret",
        "WebhookSecretRotated",
        "webhook { id url } secret",
    ),
    "try webhook": OnPeople(
        "POST", "webhooks/{webhook_id}/test", "testWebhook", "WebhookTested", f"webhook {{ {_WEBHOOK} }}"
    ),
    "replay webhook": OnPeople(
        "POST", "webhooks/{webhook_id}/replay", "replayWebhook", "WebhookReplayed", f"webhook {{ {_WEBHOOK} }}"
    ),
    "set lead times": OnPeople(
        "POST", "lead-times", "setLeadTimes", "LeadTimesSet", "leadTimes { certificationId days }"
    ),
    "set digest": OnPeople(
        "POST", "members/{user_id}/digest", "setDigest", "DigestSet", "digest { userId period dueAt problem }"
    ),
    "show anybody": OnPeople("POST", "public-proof", "setPublicProof", "PublicProofSet", "publicProof { isEnabled }"),
    "sign out": OnPeople("DELETE", "sessions/{session_id}", "endSession", "SessionEnded", "ended { id }"),
}

CERTIFICATION_ASSIGNMENT = (
    "is_active",
    "metadata",
    "valid_from",
    "expiration_date",
    "certificate_number",
    "issuing_body",
    "expiry_date",
    "verification_url",
    "verification_status",
    "scope",
    "certification_value",
    "audit_date",
    "initial_certification_date",
    "certificate_countries",
)
HALTING = ("suspended_from", "suspended_until", "withdrawn_on", "standing_reason")
STANDING = ("standing", "is_active", "lapses_on", *HALTING)
PREVIOUS = (
    *("number", "standing", "lapses_on", "gap_days", "overlap_days", *HALTING),
    *(name for name in CERTIFICATION_ASSIGNMENT if name not in ("is_active", "metadata")),
)
PRODUCT = (
    "id",
    "gtin",
    "brand",
    "manufacturer",
    "description",
    "country_of_origin",
    "net_content",
    "image_url",
    "data_source",
    "metadata",
)
CLAIM_ASSIGNMENT = ("source", "metadata", "valid_from", "expiration_date")
NEW_KEY = ("id", "name", "role", "metadata", "description")
KEY = (
    *NEW_KEY,
    "kind",
    "is_active",
    "expires_at",
    "last_used",
    "rate_limit_per_minute",
    "rate_limit_per_day",
)
PROBLEM_MEMBERS = ("type", "title", "status", "detail", "error_code", "retryable", "timestamp")


class Rest:
    """The REST face."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def _send(self, method: str, path: str, key: str, json: Any = None, app: str = "certifications") -> Outcome:
        headers = {"X-API-Key": self.world.keys[key]}
        body = {} if json is None else {"json": json}
        response = await self.world.client.request(method, f"/{app}/api/v1{path}", headers=headers, **body)
        if response.status_code == 204:
            return Outcome(None, 204)
        if response.is_success:
            return Outcome(response.json(), response.status_code)
        assert response.headers["content-type"] == "application/problem+json"
        return Outcome(None, response.status_code, response.json())

    async def assign_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        outcome = await self._send("POST", f"/products/{gtin}/claims", key, {"claim_id": claim_id, **members})
        assert not outcome.ok or outcome.status == 201
        return outcome

    async def patch_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        return await self._send("PATCH", f"/products/{gtin}/certifications/{certification_id}", key, members)

    async def assign_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        members = {"certification_id": certification_id, **members}
        outcome = await self._send("POST", f"/products/{gtin}/certifications", key, members)
        assert not outcome.ok or outcome.status == 201
        return outcome

    async def remove_certification(self, gtin: Any, certification_id: Any, key: str = "manager") -> Outcome:
        return await self._send("DELETE", f"/products/{gtin}/certifications/{certification_id}", key)

    async def patch_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        return await self._send("PATCH", f"/products/{gtin}/claims/{claim_id}", key, members)

    async def remove_claim(self, gtin: Any, claim_id: Any, key: str = "manager") -> Outcome:
        return await self._send("DELETE", f"/products/{gtin}/claims/{claim_id}", key)

    async def acknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        return await self._send("POST", f"/products/{gtin}/{kind}s/{id}/acknowledgement", key, members)

    async def unacknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager") -> Outcome:
        return await self._send("DELETE", f"/products/{gtin}/{kind}s/{id}/acknowledgement", key)

    async def certificate(self, act: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        outcome = await self._send("POST", f"/products/{gtin}/certifications/{id}/{act}", key, members)
        if outcome.ok and act == "renew":
            outcome.facts |= outcome.facts.pop("certification")
        return outcome

    async def previous(self, gtin: Any, id: Any, key: str = "readonly") -> Outcome:
        outcome = await self._send("GET", f"/products/{gtin}/certifications/{id}/previous", key)
        for each in outcome.facts or []:
            assert each.pop("replaced_at").endswith("+00:00")
        return outcome

    async def create_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        return self._product(await self._send("POST", "/products", key, {"gtin": gtin, **members}, "products"))

    async def patch_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        return self._product(await self._send("PATCH", f"/products/{gtin}", key, members, "products"))

    async def archive_product(self, gtin: Any, key: str = "manager") -> Outcome:
        return self._product(await self._send("POST", f"/products/{gtin}/archive", key, None, "products"))

    async def restore_product(self, gtin: Any, key: str = "manager") -> Outcome:
        return self._product(await self._send("POST", f"/products/{gtin}/restore", key, None, "products"))

    def _product(self, outcome: Outcome) -> Outcome:
        if outcome.ok:
            outcome.facts = {name: outcome.facts[name] for name in ("product_name", *PRODUCT)}
        return outcome

    async def _keys(self, method: str, key: str, members: dict[str, Any], key_id: str = "") -> Outcome:
        owner = members.pop("organization_id", self.world.brand)
        path = f"/organizations/{owner}/api-keys{'/' if key_id else ''}{key_id}"
        return await self._send(method, path, key, members if method in ("POST", "PATCH") else None, "account")

    async def create_key(self, key: str = "manager", **members: Any) -> Outcome:
        outcome = await self._keys("POST", key, members)
        if outcome.ok:
            outcome.facts = {name: outcome.facts[name] for name in (*NEW_KEY, "key")}
        return outcome

    async def patch_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        outcome = await self._keys("PATCH", key, members, key_id)
        if outcome.ok:
            outcome.facts = {name: outcome.facts[name] for name in KEY}
        return outcome

    async def revoke_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        return await self._keys("DELETE", key, members, key_id)

    async def api_keys(self, key: str = "manager", **members: Any) -> Outcome:
        outcome = await self._keys("GET", key, members)
        if outcome.ok:
            outcome.facts = [{name: item[name] for name in KEY} for item in outcome.facts]
        return outcome

    async def people(self, act: str, key: str = "manager", **members: Any) -> Outcome:
        method, path = PEOPLE[act][:2]
        owner = members.pop("organization_id", self.world.brand)
        path = f"/organizations/{owner}/{path.format(**members)}"
        outcome = await self._send(method, path, key, None if method == "DELETE" else members, "account")
        if outcome.ok and method != "DELETE":
            more = ("link", "period", "due_at", "view_id", "url", "certification_id", "days")
            shown = ("id", "user_id", "email", "role", *more, *_VIEW.split(), "secret", *map(_snake, _WEBHOOK.split()))
            outcome.facts = {name: outcome.facts[name] for name in shown if name in outcome.facts}
        return outcome

    async def certifications(self, gtin: str, key: str = "readonly") -> Outcome:
        return await self._send("GET", f"/products/{gtin}/certifications", key)

    async def claims(self, gtin: str, key: str = "readonly") -> Outcome:
        return await self._send("GET", f"/products/{gtin}/claims", key)

    async def definition(self, kind: str, id: str, key: str = "readonly") -> Outcome:
        return await self._send("GET", f"/{kind}s/{id}", key)


class GraphQL:
    """The GraphQL face."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def run(self, query: str, key: str, variables: dict[str, Any] | None = None) -> dict[str, Any]:
        """The answer's body."""
        response = await self.world.client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"X-API-Key": self.world.keys[key], "Accept": "application/graphql-response+json"},
        )
        body: dict[str, Any] = response.json()
        assert response.status_code == 200 if "data" in body else response.status_code in (400, 401)
        return body

    async def _mutate(
        self, field_name: str, success: str, key: str, members: dict[str, Any], selection: str
    ) -> Outcome:
        body = await self.run(
            f"""mutation ($input: {field_name[0].upper()}{field_name[1:]}Input!) {{
                  result: {field_name}(input: $input) {{ {_result(success, selection)} }} }}""",
            key,
            {"input": _input(field_name, members)},
        )
        return _refused(body["errors"][0]) if "data" not in body else _outcome(body["data"]["result"], success)

    async def assign_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        members = {"gtin": gtin, "claim_id": claim_id, **members}
        return await self._mutate("assignClaim", "ClaimAssigned", key, members, _assignment("claim"))

    async def patch_claim(self, gtin: Any, claim_id: Any, key: str = "manager", **members: Any) -> Outcome:
        members = {"gtin": gtin, "claim_id": claim_id, **members}
        return await self._mutate("patchClaimAssignment", "ClaimAssignmentPatched", key, members, _assignment("claim"))

    async def remove_claim(self, gtin: Any, claim_id: Any, key: str = "manager") -> Outcome:
        members = {"gtin": gtin, "claim_id": claim_id}
        return _removed(await self._mutate("removeClaim", "ClaimRemoved", key, members, "removed { claim { id } }"))

    async def assign_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        members = {"gtin": gtin, "certification_id": certification_id, **members}
        return await self._mutate(
            "assignCertification", "CertificationAssigned", key, members, _assignment("certification")
        )

    async def remove_certification(self, gtin: Any, certification_id: Any, key: str = "manager") -> Outcome:
        members = {"gtin": gtin, "certification_id": certification_id}
        selection = "removed { certification { id } }"
        return _removed(await self._mutate("removeCertification", "CertificationRemoved", key, members, selection))

    async def acknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        name = kind.capitalize()
        selection = "acknowledgement { until reason by lapsesOn createdAt }"
        outcome = await self._mutate(
            f"acknowledge{name}", f"{name}Acknowledged", key, {"gtin": gtin, f"{kind}_id": id, **members}, selection
        )
        if outcome.ok:
            moment = datetime.fromisoformat(outcome.facts["created_at"])
            outcome.facts["created_at"] = moment.isoformat(timespec="seconds")
        return outcome

    async def unacknowledge(self, kind: str, gtin: Any, id: Any, key: str = "manager") -> Outcome:
        name = kind.capitalize()
        members = {"gtin": gtin, f"{kind}_id": id}
        return _removed(
            await self._mutate(f"unacknowledge{name}", f"{name}Unacknowledged", key, members, "removed { until }")
        )

    async def certificate(self, act: str, gtin: Any, id: Any, key: str = "manager", **members: Any) -> Outcome:
        success = {
            "renew": "Renewed",
            "suspend": "Suspended",
            "withdraw": "Withdrawn",
            "reinstate": "Reinstated",
            "undo-renewal": "RenewalUndone",
        }[act]
        mutation = "undoRenewal" if act == "undo-renewal" else f"{act}Certification"
        stands = f"assignment {{ {' '.join(map(to_camel_case, STANDING))} certification {{ id label }} }}"
        selection = f"{_assignment('certification')} gapDays overlapDays goesBack" if act == "renew" else stands
        members = {"gtin": gtin, "certification_id": id, **members}
        outcome = await self._mutate(mutation, f"Certification{success}", key, members, selection)
        if outcome.ok and "standing" in outcome.facts:
            outcome.facts["standing"] = outcome.facts["standing"].lower()
        return outcome

    async def previous(self, gtin: Any, id: Any, key: str = "readonly") -> Outcome:
        body = await self.run(
            """query ($gtin: String!, $where: CertificationAssignmentWhere) {
                 product(gtin: $gtin) { certifications(where: $where) { previous { """
            + " ".join(map(to_camel_case, PREVIOUS))
            + " } } } }",
            key,
            {"gtin": gtin, "where": {"certification": {"id": {"eq": id}}}},
        )
        assert "errors" not in body, body
        held = (body["data"]["product"] or {"certifications": []})["certifications"]
        if not held:
            return Outcome(None, 404, {"error_code": "not_found"})
        found = [{_snake(name): value for name, value in each.items()} for each in held[0]["previous"]]
        for each in found:
            each |= {name: each[name].lower() for name in ("verification_status", "standing")}
        return Outcome(found)

    async def create_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        return await self._product("createProduct", "ProductCreated", key, {"gtin": gtin, **members})

    async def patch_product(self, gtin: Any, key: str = "manager", **members: Any) -> Outcome:
        return await self._product("patchProduct", "ProductPatched", key, {"gtin": gtin, **members})

    async def archive_product(self, gtin: Any, key: str = "manager") -> Outcome:
        return await self._product("archiveProduct", "ProductArchived", key, {"gtin": gtin})

    async def restore_product(self, gtin: Any, key: str = "manager") -> Outcome:
        return await self._product("restoreProduct", "ProductRestored", key, {"gtin": gtin})

    async def _product(self, field_name: str, success: str, key: str, members: dict[str, Any]) -> Outcome:
        sent = {name.removeprefix("product_"): value for name, value in members.items()}
        selection = f"product {{ productName: name {' '.join(map(to_camel_case, PRODUCT))} }}"
        outcome = await self._mutate(field_name, success, key, sent, selection)
        for entry in outcome.problem.get("details", []):
            entry["loc"] = ["product_name" if part == "name" else part for part in entry["loc"]]
        if "detail" in outcome.problem:
            outcome.problem["detail"] = re.sub(r"(?<=[.;] )name:", "product_name:", outcome.problem["detail"])
        return outcome

    async def create_key(self, key: str = "manager", **members: Any) -> Outcome:
        selection = f"apiKey {{ {' '.join(map(to_camel_case, NEW_KEY))} }} key"
        return await self._mutate("createApiKey", "ApiKeyCreated", key, members, selection)

    async def patch_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        selection = f"apiKey {{ {' '.join(map(to_camel_case, KEY))} }}"
        return await self._mutate("patchApiKey", "ApiKeyPatched", key, {"key_id": key_id, **members}, selection)

    async def revoke_key(self, key_id: Any, key: str = "manager", **members: Any) -> Outcome:
        members = {"key_id": key_id, **members}
        return _removed(await self._mutate("revokeApiKey", "ApiKeyRevoked", key, members, "revoked { id }"))

    async def people(self, act: str, key: str = "manager", **members: Any) -> Outcome:
        method, _, field_name, success, selection = PEOPLE[act]
        outcome = await self._mutate(field_name, success, key, members, selection)
        return _removed(outcome) if method == "DELETE" else outcome

    async def api_keys(self, key: str = "manager", **members: Any) -> Outcome:
        body = await self.run(
            f"query ($organizationId: ID) {{ apiKeys(organizationId: $organizationId) {{"
            f" {' '.join(map(to_camel_case, KEY))} }} }}",
            key,
            {to_camel_case(name): value for name, value in members.items()},
        )
        if body.get("errors"):
            return _refused(body["errors"][0])
        return Outcome([_facts(item) for item in body["data"]["apiKeys"]])

    async def patch_certification(
        self, gtin: Any, certification_id: Any, key: str = "manager", **members: Any
    ) -> Outcome:
        members = {"gtin": gtin, "certification_id": certification_id, **members}
        return await self._mutate(
            "patchCertificationAssignment",
            "CertificationAssignmentPatched",
            key,
            members,
            _assignment("certification"),
        )

    async def _assignments(self, gtin: str, key: str, kind: str) -> Outcome:
        body = await self.run(
            f"query ($gtin: String!) {{ product(gtin: $gtin) {{ {kind}s {{ {_selection(kind)} }} }} }}",
            key,
            {"gtin": gtin},
        )
        if body.get("errors"):
            return _refused(body["errors"][0])
        product = body["data"]["product"]
        if product is None:
            return Outcome(None, 404, {"error_code": "not_found"})
        return Outcome([_facts(item) for item in product[f"{kind}s"]])

    async def certifications(self, gtin: str, key: str = "readonly") -> Outcome:
        return await self._assignments(gtin, key, "certification")

    async def claims(self, gtin: str, key: str = "readonly") -> Outcome:
        return await self._assignments(gtin, key, "claim")

    async def definition(self, kind: str, id: str, key: str = "readonly") -> Outcome:
        selection = {
            "certification": "id label code description url logoUrl program standard body { name }",
            "claim": "id code label category requiresDefinition description",
        }[kind]
        body = await self.run(f"query ($id: ID!) {{ {kind}(id: $id) {{ {selection} }} }}", key, {"id": id})
        if body.get("errors"):
            return _refused(body["errors"][0])
        found = body["data"][kind]
        if found is None:
            return Outcome(None, 404, {"error_code": "not_found"})
        facts = {_snake(name): value for name, value in found.items()}
        if kind == "certification":
            body_of = facts.pop("body")
            facts["certification_body_name"] = body_of["name"] if body_of else None
        return Outcome(facts)


class Bulk(GraphQL):
    """The GraphQL face, where each mutation that has a bulk form is one row of that."""

    async def _mutate(
        self, field_name: str, success: str, key: str, members: dict[str, Any], selection: str
    ) -> Outcome:
        name = next((many for many, one in BULK.items() if one == field_name), "")
        if not name:
            return await super()._mutate(field_name, success, key, members, selection)
        single = f"{field_name[0].upper()}{field_name[1:]}"
        body = await self.run(
            f"""mutation ($input: [{single}Input!]!) {{ result: {name}(input: $input) {{ __typename
                  ... on {single}Rows {{ rows {{ result {{ {_result(success, selection)} }} }} }} {_PROBLEM} }} }}""",
            key,
            {"input": [_input(field_name, members)]},
        )
        if "data" not in body:
            return _refused(body["errors"][0])
        result = body["data"]["result"]
        if "rows" not in result:
            return _outcome(result, success)
        outcome = _outcome(result["rows"][0]["result"], success)
        for entry in outcome.problem.get("details", []):
            # The way to a member leads through the row.
            assert entry["loc"].pop(1) == "0"
        return outcome


_PROBLEM = """... on Problem { type title status detail errorCode retryable timestamp }
              ... on ValidationProblem { violations { loc msg type } }"""


def _result(success: str, selection: str) -> str:
    return f"__typename ... on {success} {{ {selection} }} {_PROBLEM}"


KINDS = {
    "csb": "BUSINESS",
    "csu": "USER",
    "cpk": "PUBLISHABLE",
    "products": "PRODUCTS",
    "certifications": "CERTIFICATIONS",
    "claims": "CLAIMS",
}
"""What kinds of keys and of views are called in REST and in GraphQL."""


def _input(field_name: str, members: dict[str, Any]) -> dict[str, Any]:
    """The members as GraphQL spells them."""
    sent = {to_camel_case(name): value for name, value in members.items()}
    for name in ("verificationStatus", "role", "period"):
        if isinstance(sent.get(name), str):
            sent[name] = sent[name].upper()
    if "kind" in sent:
        sent["kind"] = KINDS.get(sent["kind"], sent["kind"])
    # Null leaves a product's metadata as they are, on both faces.
    if field_name.startswith("patch") and sent.get("metadata", 0) in ({}, *([None] * ("Product" not in field_name))):
        del sent["metadata"]
        sent["clearMetadata"] = True
    return sent


def _outcome(result: dict[str, Any], success: str) -> Outcome:
    if result.pop("__typename") == success:
        facts = _facts(next(iter(result.values())))
        told = ("key", "link", "url", "secret", "gapDays", "overlapDays", "goesBack")
        return Outcome({**facts, **{_snake(name): result[name] for name in told if name in result}})
    problem = {name: result[to_camel_case(name)] for name in PROBLEM_MEMBERS}
    if "violations" in result:
        problem["details"] = [
            {**entry, "loc": [_snake(part) for part in entry["loc"]], "msg": in_snake(entry["msg"])}
            for entry in result["violations"]
        ]
    problem["detail"] = in_snake(problem["detail"])
    return Outcome(None, problem["status"], problem)


def _assignment(kind: str) -> str:
    return f"assignment {{ {_selection(kind)} }}"


def _removed(outcome: Outcome) -> Outcome:
    """REST says no more than that it is gone."""
    return Outcome(None, 204) if outcome.ok else outcome


def _selection(kind: str) -> str:
    members = {"certification": CERTIFICATION_ASSIGNMENT, "claim": CLAIM_ASSIGNMENT}[kind]
    definition = {
        "certification": "id label code description url logoUrl",
        "claim": "id label code category",
    }[kind]
    return " ".join(map(to_camel_case, members)) + f" {kind} {{ {definition} }}"


def _facts(assignment: dict[str, Any]) -> dict[str, Any]:
    """An assignment as the contract shows it: the definition's members beside its own."""
    definition = assignment.pop("certification", None) or assignment.pop("claim", {})
    facts = {_snake(name): value for name, value in {**assignment, **definition}.items()}
    if "verification_status" in facts:
        facts["verification_status"] = facts["verification_status"].lower()
    for name in ("data_source", "role", "period"):
        if facts.get(name):
            facts[name] = facts[name].lower()
    if "kind" in facts:
        facts["kind"] = next(value for value, name in KINDS.items() if name == facts["kind"])
    return facts


def _refused(error: dict[str, Any]) -> Outcome:
    """An entry of `errors` as a problem; what GraphQL itself refused names its members by path or in its text."""
    problem = error["extensions"].get("problem")
    if problem is None:
        return Outcome(None, 400, {"error_code": error["extensions"]["code"], "message": error["message"]})
    problem = {_snake(name): value for name, value in problem.items()}
    problem["detail"] = in_snake(problem["detail"])
    if "violations" in problem:
        problem["details"] = [{**entry, "loc": ["", *map(_snake, entry["loc"])]} for entry in problem.pop("violations")]
    return Outcome(None, problem["status"], problem)


def in_snake(sentence: str) -> str:
    """A sentence with the members that it names spelled as in the contract."""
    return re.sub(r"\b[a-z]+(?:[A-Z][a-z]+)+\b", lambda name: _snake(name[0]), sentence)


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
