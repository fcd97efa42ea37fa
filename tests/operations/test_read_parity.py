"""Every endpoint that reads, beside the GraphQL field over the same operation: same facts, same order, same refusal.

Every GET of the route table has a row; one that has none fails a test.
"""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from db.sealing import Sealer
from domain.short_id import catalogue_id
from resolvers.sessions import sign_in_with_key
from rest_compat.routes import ENDPOINTS
from tests.operations.faces import GraphQL, Rest, in_snake
from tests.operations.mutations import LAPSING_GTIN, SPARE_VIEW, SPARE_WEBHOOK, add_people, give_ends, take_on
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    IMPORT,
    NON_GMO,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

CERTIFICATIONS = "certifications/api/v1"
PRODUCTS = "products/api/v1"
BRAND = catalogue_id("organization", "brand")


class Read(NamedTuple):
    """A path of REST and the GraphQL selection that says the same.

    Members of GraphQL are renamed to the contract's by aliases; of both answers those are compared that both have.
    """

    path: str
    query: str
    key: str = "editor"


CERTIFICATION = "id label code description url logo_url: logoUrl program standard"
CLAIM = "id label code category requires_definition: requiresDefinition description"
BODY_MEMBERS = "id name website description logo_url: logoUrl"
HELD = f"""certificate_number: certificateNumber issuing_body: issuingBody valid_from: validFrom scope
  expiration_date: expirationDate expiry_date: expiryDate verification_url: verificationUrl audit_date: auditDate
  certification_value: certificationValue initial_certification_date: initialCertificationDate metadata
  certificate_countries: certificateCountries is_active: isActive certification {{ {CERTIFICATION} }}"""
PREVIOUS_CERTIFICATE = """number lapses_on: lapsesOn gap_days: gapDays overlap_days: overlapDays scope
  certificate_number: certificateNumber valid_from: validFrom certificate_countries: certificateCountries
  expiration_date: expirationDate suspended_from: suspendedFrom standing_reason: standingReason"""
MADE = f"source metadata valid_from: validFrom expiration_date: expirationDate claim {{ {CLAIM} }}"
PRODUCT = """id gtin product_name: name brand manufacturer description country_of_origin: countryOfOrigin metadata
  net_content: netContent image_url: imageUrl"""
CERTIFIED = f"gtin product_name: name brand certifications {{ {HELD} }} claims {{ {MADE} }}"
KEY = """id name description metadata is_active: isActive expires_at: expiresAt last_used: lastUsed
  rate_limit_per_minute: rateLimitPerMinute rate_limit_per_day: rateLimitPerDay"""

MEMBER = "user_id: userId email"
INVITATION = "id email"
PAST = "operation object_id: objectId definition_id: definitionId code name gtin actor request_id: requestId"
VIEW = "id name where ordering problem"
WEBHOOK = "id url description view_id: viewId types is_enabled: isEnabled failing_since: failingSince problem"
SESSION = "id email api_key_id: apiKeyId last_used: lastUsed browser address is_current: isCurrent"

IMPORTED = "id name percent error made changed left refused remaining_seconds: remainingSeconds"

READS: dict[str, list[Read]] = {
    "certifications_api_list_certification_bodies": [
        Read(f"{CERTIFICATIONS}/certification-bodies", f"certificationBodies {{ nodes {{ {BODY_MEMBERS} }} }}")
    ],
    "certifications_api_get_certification_body": [
        Read(f"{CERTIFICATIONS}/certification-bodies/{id}", f'certificationBody(id: "{id}") {{ {BODY_MEMBERS} }}')
        for id in (BODY, NOTHING, "1", "z" * 22)
    ],
    "certifications_api_list_certifications": [
        Read(f"{CERTIFICATIONS}/certifications", f"certifications {{ nodes {{ {CERTIFICATION} }} }}", key)
        for key in ("editor", "rival", "publishable")
    ],
    "certifications_api_get_certification": [
        Read(f"{CERTIFICATIONS}/certifications/{id}", f'certification(id: "{id}") {{ {CERTIFICATION} }}', key)
        for id, key in ((USDA_ORGANIC, "editor"), (PRIVATE, "editor"), (PRIVATE, "rival"), (NOTHING, "editor"))
    ]
    + [Read(f"{CERTIFICATIONS}/certifications/1", f'certification(id: "1") {{ {CERTIFICATION} }}')],
    "certifications_api_list_claims": [Read(f"{CERTIFICATIONS}/claims", f"claims {{ nodes {{ {CLAIM} }} }}")],
    "certifications_api_get_claim": [
        Read(f"{CERTIFICATIONS}/claims/{id}", f'claim(id: "{id}") {{ {CLAIM} }}') for id in (VEGAN, USDA_ORGANIC, "1")
    ],
    "certifications_api_get_product": [
        Read(f"{CERTIFICATIONS}/products/{gtin}", f'product(gtin: "{gtin}") {{ {CERTIFIED} }}', key)
        for gtin, key in ((GTIN, "editor"), (GTIN, "rival"), (GTIN, "publishable"), ("12345678", "editor"))
    ],
    "certifications_api_list_product_certifications": [
        Read(
            f"{CERTIFICATIONS}/products/{gtin}/certifications",
            f'product(gtin: "{gtin}") {{ certifications {{ {HELD} }} }}',
            key,
        )
        for gtin, key in ((GTIN, "editor"), (GTIN, "rival"), (OTHERS_GTIN, "editor"), ("12345678", "editor"))
    ],
    "certifications_api_get_product_certification": [
        Read(
            f"{CERTIFICATIONS}/products/{GTIN}/certifications/{id}",
            f'certificationAssignments(where: {{gtin: {{eq: "{GTIN}"}}, certification: {{id: {{eq: "{id}"}}}}}})'
            f" {{ nodes {{ {HELD} }} }}",
        )
        for id in (USDA_ORGANIC, PRIVATE, FAIR_TRADE, OTHERS_PRIVATE)
    ],
    "certifications_api_list_product_claims": [
        Read(f"{CERTIFICATIONS}/products/{gtin}/claims", f'product(gtin: "{gtin}") {{ claims {{ {MADE} }} }}')
        for gtin in (GTIN, OTHERS_GTIN, "12345678")
    ],
    "certifications_api_get_product_claim": [
        Read(
            f"{CERTIFICATIONS}/products/{GTIN}/claims/{id}",
            f'claimAssignments(where: {{gtin: {{eq: "{GTIN}"}}, claim: {{id: {{eq: "{id}"}}}}}})'
            f" {{ nodes {{ {MADE} }} }}",
        )
        for id in (VEGAN, NON_GMO, NOTHING)
    ],
    **{
        f"certifications_api_get_product_{noun}_acknowledgement": [
            Read(
                f"{CERTIFICATIONS}/products/{gtin}/{noun}s/{id}/acknowledgement",
                f'product(gtin: "{gtin}") {{ {noun}s(where: {{{noun}: {{id: {{eq: "{id}"}}}}}})'
                f" {{ acknowledgement {{ until reason by lapses_on: lapsesOn }} }} }}",
                key,
            )
            for gtin, key in ((LAPSING_GTIN, "readonly"), (LAPSING_GTIN, "rival"), (GTIN, "editor"))
        ]
        for noun, id in (("certification", FAIR_TRADE), ("claim", NON_GMO))
    },
    "certifications_api_get_product_certification_standing": [
        Read(
            f"{CERTIFICATIONS}/products/{gtin}/certifications/{id}/standing",
            f'product(gtin: "{gtin}") {{ certifications(where: {{certification: {{id: {{eq: "{id}"}}}}}})'
            " { is_active: isActive lapses_on: lapsesOn suspended_from: suspendedFrom"
            " suspended_until: suspendedUntil withdrawn_on: withdrawnOn standing_reason: standingReason"
            " certification { id label } } }",
            key,
        )
        for gtin, id, key in (
            (LAPSING_GTIN, FAIR_TRADE, "readonly"),
            (LAPSING_GTIN, FAIR_TRADE, "publishable"),
            (GTIN, PRIVATE, "editor"),
            (GTIN, PRIVATE, "rival"),
        )
    ],
    "certifications_api_list_product_certification_previous": [
        Read(
            f"{CERTIFICATIONS}/products/{GTIN}/certifications/{PRIVATE}/previous",
            f'product(gtin: "{GTIN}") {{ certifications(where: {{certification: {{id: {{eq: "{PRIVATE}"}}}}}})'
            f" {{ previous {{ {PREVIOUS_CERTIFICATE} }} }} }}",
            key,
        )
        for key in ("readonly", "rival")
    ],
    "certifications_api_list_product_history": [
        Read(
            f"{CERTIFICATIONS}/products/{gtin}/history?whole=true",
            f'product(gtin: "{gtin}") {{ history(whole: true) {{ nodes {{ {PAST} }} }} }}',
            key,
        )
        for gtin, key in (
            (OTHERS_GTIN, "rival"),
            (OTHERS_GTIN, "editor"),
            (GTIN, "publishable"),
            ("12345678", "editor"),
        )
    ],
    "certifications_api_list_changes": [
        Read(
            f"{CERTIFICATIONS}/changes?limit=100",
            f"changes(first: 100) {{ nodes {{ {PAST} }} }}",
            key,
        )
        for key in ("readonly", "rival", "publishable")
    ],
    "certifications_api_list_imports": [
        Read(f"{CERTIFICATIONS}/imports", f"imports {{ {IMPORTED} }}", key)
        for key in ("manager", "readonly", "rival", "publishable")
    ],
    "certifications_api_get_import": [
        Read(f"{CERTIFICATIONS}/imports/{id}", f'import(id: "{id}") {{ {IMPORTED} }}', key)
        for id, key in (
            (IMPORT, "readonly"),
            (IMPORT, "rival"),
            (IMPORT, "publishable"),
            (NOTHING, "editor"),
            ("1", "editor"),
        )
    ],
    "products_api_list_products": [
        Read(
            f"{PRODUCTS}/products?organization_id={BRAND}",
            f'products(where: {{organization: {{eq: "{BRAND}"}}}}, orderBy: {{field: NAME}})'
            f" {{ nodes {{ {PRODUCT} }} }}",
        )
    ],
    "products_api_get_product": [
        Read(f"{PRODUCTS}/products/{gtin}", f'product(gtin: "{gtin}") {{ {PRODUCT} }}', key)
        for gtin, key in ((GTIN, "editor"), (GTIN, "publishable"), ("12345678", "editor"))
    ],
    "products_api_list_product_certifications": [
        Read(f"{PRODUCTS}/products/{GTIN}/certifications", f'product(gtin: "{GTIN}") {{ certifications {{ {HELD} }} }}')
    ],
    "products_api_list_product_claims": [
        Read(f"{PRODUCTS}/products/{GTIN}/claims", f'product(gtin: "{GTIN}") {{ claims {{ {MADE} }} }}')
    ],
    "products_api_list_trade_items": [
        Read(f"{PRODUCTS}/trade-items", f"products(orderBy: {{field: NAME}}) {{ nodes {{ {PRODUCT} }} }}"),
        Read(f"{PRODUCTS}/trade-items?q=SOY", f'products(where: {{search: "SOY"}}) {{ nodes {{ {PRODUCT} }} }}'),
        Read(
            f"{PRODUCTS}/trade-items?brand=Acme&country_of_origin=DE",
            f'products(where: {{brand: {{eq: "Acme"}}, countryOfOrigin: {{eq: "DE"}}}}) {{ nodes {{ {PRODUCT} }} }}',
        ),
    ],
    "products_api_get_trade_item": [
        Read(f"{PRODUCTS}/trade-items/{GTIN}", f'product(gtin: "{GTIN}") {{ {PRODUCT} }}', "rival")
    ],
    "account_api_whoami": [
        Read(
            "account/api/v1/whoami",
            "viewer { organizations { id name } api_key: apiKey { id description metadata } }",
        )
    ],
    "account_api_list_api_keys": [
        Read(f"account/api/v1/organizations/{id}/api-keys", f'apiKeys(organizationId: "{id}") {{ {KEY} }}', key)
        for id, key in ((BRAND, "manager"), (BRAND, "editor"), (BRAND, "rival"), ("1", "manager"))
    ],
    "account_api_list_history": [
        Read(
            f"account/api/v1/organizations/{id}/history?limit=100",
            f'history(organizationId: "{id}", first: 100) {{ nodes {{ {PAST} }} }}',
            key,
        )
        for id, key in (
            (BRAND, "manager"),
            (BRAND, "editor"),
            (BRAND, "rival"),
            (BRAND, "publishable"),
            ("1", "manager"),
        )
    ],
    "account_api_verify_history": [
        Read(
            f"account/api/v1/organizations/{id}/verification",
            f'verification(organizationId: "{id}") {{ is_whole: isWhole next object_id: objectId gtin why }}',
            key,
        )
        for id, key in ((BRAND, "manager"), (BRAND, "editor"), (BRAND, "rival"), ("1", "manager"))
    ],
    "account_api_list_views": [
        Read(f"account/api/v1/organizations/{id}/views", f'views(organizationId: "{id}") {{ {VIEW} }}', key)
        for id, key in ((BRAND, "readonly"), (BRAND, "rival"), (BRAND, "publishable"), ("1", "manager"))
    ],
    **{
        f"account_api_list_{name}": [
            Read(f"account/api/v1/organizations/{id}/{path}", f'{field}(organizationId: "{id}") {{ {members} }}', key)
            for id, key in ((BRAND, "readonly"), (BRAND, "rival"), (BRAND, "publishable"), ("1", "manager"))
        ]
        for name, path, field, members in (
            ("calendars", "calendars", "calendars", "id view_id: viewId"),
            ("lead_times", "lead-times", "leadTimes", "certification_id: certificationId days"),
        )
    },
    "account_api_get_public_proof": [
        Read(
            f"account/api/v1/organizations/{id}/public-proof",
            f'publicProof(organizationId: "{id}") {{ organization_id: organizationId is_enabled: isEnabled }}',
            key,
        )
        for id, key in ((BRAND, "readonly"), (BRAND, "rival"), (BRAND, "publishable"), ("1", "manager"))
    ],
    "account_api_list_webhooks": [
        Read(f"account/api/v1/organizations/{id}/webhooks", f'webhooks(organizationId: "{id}") {{ {WEBHOOK} }}', key)
        for id, key in ((BRAND, "manager"), (BRAND, "editor"), (BRAND, "rival"), ("1", "manager"))
    ],
    "account_api_list_webhook_deliveries": [
        Read(
            f"account/api/v1/organizations/{BRAND}/webhooks/{id}/deliveries",
            f'webhookDeliveries(organizationId: "{BRAND}", webhookId: "{id}") {{ event_id: eventId status }}',
            key,
        )
        for id, key in ((SPARE_WEBHOOK, "manager"), (SPARE_WEBHOOK, "editor"), (NOTHING, "manager"), ("1", "manager"))
    ],
    "account_api_get_digest": [
        Read(
            f"account/api/v1/organizations/{BRAND}/members/{id}/digest",
            f'digest(organizationId: "{BRAND}", userId: "{id}") {{ user_id: userId due_at: dueAt }}',
            key,
        )
        for id, key in (
            (catalogue_id("user", "spare"), "manager"),
            (catalogue_id("user", "spare"), "editor"),
            (catalogue_id("user", "spare"), "rival"),
            (NOTHING, "manager"),
            ("1", "manager"),
        )
    ],
    "account_api_get_view": [
        Read(f"account/api/v1/organizations/{BRAND}/views/{id}", f'view(id: "{id}") {{ {VIEW} }}', key)
        for id, key in ((SPARE_VIEW, "readonly"), (SPARE_VIEW, "rival"), (NOTHING, "manager"))
    ],
    **{
        f"account_api_list_{name}": [
            Read(f"account/api/v1/organizations/{id}/{name}", f'{name}(organizationId: "{id}") {{ {members} }}', key)
            for id, key in ((BRAND, "manager"), (BRAND, "editor"), (BRAND, "rival"), ("1", "manager"))
        ]
        for name, members in (("members", MEMBER), ("invitations", INVITATION), ("sessions", SESSION))
    },
}


@pytest.fixture
async def stocked(world: World) -> World:
    """Something of everything, and certificates on both sides of the day."""
    rest = Rest(world)
    await world.add_certification(GTIN, PRIVATE, scope="All of it", metadata={"a": "1"})
    await world.add_certification(OTHERS_GTIN, USDA_ORGANIC)
    assert (await rest.certificate("renew", GTIN, PRIVATE, valid_from="2026-01-01", expiration_date="2098-12-31")).ok
    assert (await rest.patch_certification(GTIN, USDA_ORGANIC, expiration_date="2020-01-01", scope="Old")).ok
    assert (await rest.assign_claim(GTIN, VEGAN, valid_from="2024-01-01", metadata={"b": "2"})).ok
    assert (await rest.assign_claim(OTHERS_GTIN, NON_GMO, key="rival")).ok
    await world.add_product(LAPSING_GTIN, world.brand)
    await world.add_certification(LAPSING_GTIN, FAIR_TRADE)
    assert (await rest.assign_claim(LAPSING_GTIN, NON_GMO)).ok
    assert (await rest.certificate("suspend", LAPSING_GTIN, FAIR_TRADE, reason="Residues")).ok
    await give_ends(world, LAPSING_GTIN)
    await take_on(world, LAPSING_GTIN)
    async with world.database.write() as transaction:
        await add_people(transaction, world, "ann")
        await add_people(transaction, world, "spare")
    assert await sign_in_with_key(world.database, world.keys["editor"], timedelta(hours=1))
    await Sealer(world.database).seal()
    return world


def test_every_endpoint_that_reads_is_in_the_table() -> None:
    # What is sent as a file, or from one, is compared in tests/files.
    reads = {endpoint.operation_id for endpoint in ENDPOINTS if endpoint.method == "GET" and endpoint.send is None}
    assert reads == {f"apps_{name}" for name in READS}


def items_of_rest(said: Any) -> list[dict[str, Any]]:
    """What is listed, or the one thing that is shown."""
    if isinstance(said, dict) and "data" in said:
        said = said["data"]
    return said if isinstance(said, list) else [said]


def items_of_graphql(answer: Any) -> list[dict[str, Any]]:
    """The same of a connection, of the one list of a product, or of one thing; none for null."""
    if answer is None:
        return []
    while isinstance(answer, dict) and len(answer) == 1:
        (answer,) = answer.values()
    items = answer if isinstance(answer, list) else [answer]
    if items and items[0].keys() == {"previous"}:
        items = items[0]["previous"]
    if items and items[0].keys() == {"acknowledgement"}:
        # REST has it by itself.
        items = [item["acknowledgement"] for item in items if item["acknowledgement"]]
    return [as_in_rest(item) for item in items]


def as_in_rest(item: dict[str, Any]) -> dict[str, Any]:
    """An object as the contract shows it: a definition's members beside the assignment's own."""
    definition = item.get("certification") or item.get("claim") or {}
    lists = {
        name: [as_in_rest(each) for each in value] if isinstance(value, list) and name in NESTED else value
        for name, value in item.items()
        if name not in ("certification", "claim")
    }
    return {**lists, **definition}


NESTED = ("certifications", "claims")


def same(rest: Any, graphql: Any) -> None:
    """Asserts that both say the same in every member that the contract has."""
    if isinstance(rest, dict) and rest.keys() & graphql.keys():
        assert graphql.keys() - rest.keys() <= UNTOLD
        for name in rest.keys() & graphql.keys():
            same(rest[name], graphql[name])
    elif isinstance(rest, list):
        assert len(rest) == len(graphql)
        for one, other in zip(rest, graphql, strict=True):
            same(one, other)
    else:
        assert rest == graphql


UNTOLD = {"program", "standard", "description", "requires_definition"}
"""What REST leaves out of the definition beside an assignment."""


@pytest.mark.parametrize("name", READS)
async def test_both_faces_say_the_same(stocked: World, name: str) -> None:
    granted = 0
    for read in READS[name]:
        rest = await stocked.client.get(f"/{read.path}", headers={"X-API-Key": stocked.keys[read.key]})
        body = await GraphQL(stocked).run(f"{{ {read.query} }}", read.key)
        if "errors" in body:
            (error,) = body["errors"]
            assert in_snake(error["message"]) == rest.json()["detail"]
            assert error["extensions"]["code"] == rest.json()["error_code"]
            assert error["extensions"]["problem"]["status"] == rest.status_code
            continue
        found = items_of_graphql(next(iter(body["data"].values())))
        if rest.status_code == 404:
            # What does not exist is null in a query, and not in the list.
            assert found == []
            continue
        assert rest.status_code == 200
        same(items_of_rest(rest.json()), found)
        granted += 1
    assert granted > 0
