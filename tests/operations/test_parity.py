"""Both faces of one operation leave the same rows and refuse with the same problem; so do the bulk forms.

Every write has a row in the table below; one that has none fails a test.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import pytest

from db import public_proofs
from db.keys import add_key
from db.sql import tables
from domain.account import ApiKey
from domain.public_proof import PublicProof
from domain.short_id import ShortId, catalogue_id
from domain.vocabulary import KeyKind, Role
from rest_compat.routes import ENDPOINTS
from schema.schema import schema
from tests.operations.faces import PROBLEM_MEMBERS, Bulk, Face, GraphQL, Outcome, Rest
from tests.operations.mutations import BULK, add_people, give_ends, take_on
from tests.world import (
    FAIR_TRADE,
    GTIN,
    NON_GMO,
    NOON,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
    all_rows,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database does not matter, one is enough."""

Members = dict[str, Any]


class Place(NamedTuple):
    """What one face works on: a product like the others', a GTIN that is free, a key."""

    face: type[Rest | GraphQL]
    gtin: str
    free_gtin: str
    archived_gtin: str
    name: str
    """From which the ids of a key, a member, an invitation and a session come."""

    @property
    def key_id(self) -> ShortId:
        return self.id_of("api-key")

    def id_of(self, kind: str) -> ShortId:
        return catalogue_id(kind, self.name)


PLACES = (
    Place(Rest, GTIN, "00614141107346", "00073513537003", "first"),
    Place(GraphQL, "00000040170725", "00036000291452", "00049000006346", "second"),
    Place(Bulk, "00012345000065", "04006381333931", "00028400090865", "third"),
)


OF_PLACE = {"first": None, "second": USDA_ORGANIC, "third": FAIR_TRADE}
"""Of which certification lead times are set, so that each place has its own."""


@dataclass(frozen=True)
class Parity:
    """A write that both faces have: what REST calls it, how a face does it, what is granted and what refused."""

    endpoint: str
    act: Callable[[Face, Place, Members], Awaitable[Outcome]]
    granted: list[Members]
    refused: list[tuple[int, Members]]


async def switched(face: Face, members: Members) -> Outcome:
    """Switches the public proof on and, as there is but one for all places, off again."""
    found = await face.people("show anybody", **{"is_enabled": True, **members})
    if found.ok:
        assert (await face.people("show anybody", **{**members, "is_enabled": False})).ok
    return found


LONG_METADATA = {f"k{number}": "v" for number in range(51)}
EVERYBODY: list[tuple[int, Members]] = [(403, {"key": "readonly"}), (403, {"key": "publishable"})]
MANAGERS: list[tuple[int, Members]] = [
    *EVERYBODY,
    (403, {"key": "editor"}),
    (404, {"key": "rival"}),
    (404, {"organization_id": NOTHING}),
]
EDITORS = [case for case in MANAGERS if case[1] != {"key": "editor"}]
OWNED: list[tuple[int, Members]] = [
    *EVERYBODY,
    (403, {"key": "rival"}),
    (403, {"gtin": OTHERS_GTIN}),
    (404, {"gtin": "12345678"}),
    (422, {"gtin": "1"}),
]

OF_CERTIFICATES: list[tuple[str, Members, list[Members], list[Members]]] = [
    (
        "renew",
        {"valid_from": "2026-01-01"},
        [
            {"expiration_date": "2026-12-31", "certificate_number": "NOP-2", "verification_status": "verified"},
            {"valid_from": None, "expiry_date": "2027-01-31", "scope": None, "certificate_countries": ["DE"]},
        ],
        [
            {"expiration_date": "2025-12-31"},
            {"valid_from": None},
            {"verification_status": None},
        ],
    ),
    (
        "suspend",
        {"reason": "Rückstände"},
        [{}, {"suspended_from": "2026-01-01", "suspended_until": "2026-01-01"}],
        [
            {"reason": ""},
            {"reason": "x" * 256},
            {"suspended_from": "2026-01-02", "suspended_until": "2026-01-01"},
        ],
    ),
    (
        "withdraw",
        {"reason": "Fraud"},
        [{}, {"withdrawn_on": "2026-01-01"}, {"withdrawn_on": "2098-12-31"}],
        [
            {"reason": ""},
            {"withdrawn_on": "0001-01-01"},
            {"withdrawn_on": "2099-01-01"},
            {"withdrawn_on": "9999-12-31"},
        ],
    ),
    (
        "reinstate",
        {"id": PRIVATE},
        [{}, {"reinstated_on": "2026-01-01", "reason": "Clean"}],
        [{"reinstated_on": "0001-01-01"}, {"reason": "x" * 256}],
    ),
]
"""What becomes of a certificate: what is sent besides, what is granted and what refused."""

WRITES: dict[str, Parity] = {
    "assignClaim": Parity(
        "certifications_api_create_product_claim",
        lambda face, place, members: face.assign_claim(**{"gtin": place.gtin, "claim_id": VEGAN, **members}),
        [
            {},
            {
                "source": "THIRD_PARTY_VERIFIED",
                "valid_from": "2024-01-01",
                "expiration_date": "2025-12-31",
                "evidence_url": "HTTPS://Example.org/%20a?b=c#d",
                "evidence_note": "Zeile 1\nZeile 2 😀",
                "metadata": {"order_id": "6735", "ключ": "значение"},
            },
            {"valid_from": None, "expiration_date": None, "metadata": None},
            {"metadata": {"a": "", "b": None, "c": "1"}},
        ],
        [
            *OWNED,
            (404, {"claim_id": NOTHING}),
            (404, {"claim_id": USDA_ORGANIC}),
            (409, {"claim_id": NON_GMO}),
            (422, {"claim_id": "z" * 22}),
            (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
            (422, {"metadata": {"order": 1, "b": True, "ok": "x"}, "evidence_url": "nowhere"}),
            (422, {"metadata": LONG_METADATA}),
            (422, {"metadata": {"k" * 100: "v"}}),
            (422, {"metadata": []}),
            (422, {"evidence_note": "\0", "evidence_url": "x" * 2001}),
            (422, {"evidence_url": "https://x.example/a\r\nSet-Cookie: a=1"}),
        ],
    ),
    "patchClaimAssignment": Parity(
        "certifications_api_update_product_claim",
        lambda face, place, members: face.patch_claim(**{"gtin": place.gtin, "claim_id": NON_GMO, **members}),
        [
            {},
            {"metadata": {"kept": "", "new": "1"}, "evidence_note": "Ä\t"},
            {"metadata": None, "valid_from": None, "evidence_url": None, "evidence_note": None},
            {"metadata": {}, "source": "THIRD_PARTY_VERIFIED", "expiration_date": "2030-04-30"},
        ],
        [
            *OWNED,
            (404, {"claim_id": VEGAN}),
            (404, {"claim_id": NOTHING}),
            (422, {"claim_id": "x"}),
            (422, {"source": None}),
            (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
            (422, {"metadata": LONG_METADATA}),
            (422, {"metadata": {"k": "v" * 501}, "evidence_url": "https://@x.example/"}),
        ],
    ),
    "removeClaim": Parity(
        "certifications_api_delete_product_claim",
        lambda face, place, members: face.remove_claim(**{"gtin": place.gtin, "claim_id": NON_GMO, **members}),
        [{}],
        [*OWNED, (404, {"claim_id": VEGAN}), (422, {"gtin": "x" * 8, "claim_id": "x"})],
    ),
    "assignCertification": Parity(
        "certifications_api_create_product_certification",
        lambda face, place, members: face.assign_certification(
            **{"gtin": place.gtin, "certification_id": FAIR_TRADE, **members}
        ),
        [
            {},
            {
                "metadata": {"a": None, "b": "2"},
                "expiry_date": "2031-01-01",
                "certificate_countries": ["US", "CA", "US"],
            },
            {
                "valid_from": "2024-05-01",
                "expiration_date": "2030-04-30",
                "certificate_number": "NOP-12345",
                "issuing_body": "CCOF",
                "verification_url": "https://example.org/Ä",
                "verification_status": "verified",
                "scope": "Product",
                "certification_value": "100% Organic",
                "audit_date": "2024-04-02",
                "initial_certification_date": "2019-04-01",
            },
        ],
        [
            *OWNED,
            (404, {"certification_id": NOTHING}),
            (404, {"certification_id": OTHERS_PRIVATE}),
            (409, {"certification_id": USDA_ORGANIC}),
            (422, {"certification_id": "z" * 22}),
            (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
            (422, {"certificate_countries": ["XK"], "issuing_body": "x" * 256, "scope": "\0"}),
            (422, {"metadata": LONG_METADATA}),
        ],
    ),
    "patchCertificationAssignment": Parity(
        "certifications_api_update_product_certification",
        lambda face, place, members: face.patch_certification(
            **{"gtin": place.gtin, "certification_id": USDA_ORGANIC, **members}
        ),
        [
            {},
            {"metadata": {"kept": "", "new": "1"}, "scope": "Ä\t"},
            {"metadata": None, "valid_from": None, "scope": None, "certificate_countries": None},
            {
                "valid_from": "2024-05-01",
                "expiration_date": "2030-04-30",
                "certificate_number": "NOP-12345",
                "issuing_body": "CCOF",
                "verification_url": "https://example.org/Ä",
                "verification_status": "verified",
                "certification_value": "100% Organic",
                "audit_date": "2024-04-02",
                "initial_certification_date": "2019-04-01",
                "certificate_countries": ["US", "CA", "US"],
            },
        ],
        [
            *OWNED,
            (404, {"certification_id": FAIR_TRADE}),
            (404, {"certification_id": NOTHING}),
            (404, {"certification_id": OTHERS_PRIVATE}),
            (422, {"verification_status": None}),
            (422, {"valid_from": "2025-01-02", "expiration_date": "2025-01-01"}),
            (422, {"certificate_countries": ["US", "us", "XK"], "certificate_number": "x" * 101}),
            (422, {"metadata": LONG_METADATA}),
            (422, {"gtin": "x" * 8, "certification_id": "x", "scope": "\0"}),
            (422, {"verification_url": "https://x.example\\@evil.example/"}),
        ],
    ),
    "removeCertification": Parity(
        "certifications_api_delete_product_certification",
        lambda face, place, members: face.remove_certification(
            **{"gtin": place.gtin, "certification_id": USDA_ORGANIC, **members}
        ),
        [{}],
        [*OWNED, (404, {"certification_id": FAIR_TRADE}), (422, {"gtin": "x" * 8, "certification_id": "x"})],
    ),
    **{
        f"{act}Certification": Parity(
            f"certifications_api_{act}_product_certification",
            # What follows a default of the loop is bound at once.
            lambda face, place, members, act=act, usual=usual: face.certificate(  # type: ignore[misc]
                **{"act": act, "gtin": place.gtin, "id": USDA_ORGANIC, **usual, **members}
            ),
            granted,
            [*OWNED, (404, {"id": FAIR_TRADE}), (422, {"id": "x"}), *((422, each) for each in refused)],
        )
        for act, usual, granted, refused in OF_CERTIFICATES
    },
    "undoRenewal": Parity(
        "certifications_api_undo_renewal_product_certification",
        lambda face, place, members: face.certificate(
            **{"act": "undo-renewal", "gtin": place.gtin, "id": PRIVATE, **members}
        ),
        [{}],
        [*OWNED, (404, {"id": FAIR_TRADE}), (404, {"id": USDA_ORGANIC}), (422, {"id": "x"})],
    ),
    "acknowledgeCertification": Parity(
        "certifications_api_acknowledge_product_certification",
        lambda face, place, members: face.acknowledge(
            **{
                "kind": "certification",
                "gtin": place.gtin,
                "id": USDA_ORGANIC,
                "until": "2030-01-01",
                "reason": "Audit",
                **members,
            }
        ),
        [{}, {"until": "2030-06-30", "reason": "Zeile 1\nZeile 2 😀"}],
        [
            *OWNED,
            (404, {"id": NOTHING}),
            (422, {"id": "x"}),
            (422, {"reason": ""}),
            (422, {"until": "2020-01-01"}),
            (422, {"until": "9999-12-31", "reason": "x" * 501}),
        ],
    ),
    "unacknowledgeCertification": Parity(
        "certifications_api_unacknowledge_product_certification",
        lambda face, place, members: face.unacknowledge(
            **{"kind": "certification", "gtin": place.gtin, "id": USDA_ORGANIC, **members}
        ),
        [{}],
        [*OWNED, (404, {"id": NOTHING}), (422, {"id": "x"})],
    ),
    "acknowledgeClaim": Parity(
        "certifications_api_acknowledge_product_claim",
        lambda face, place, members: face.acknowledge(
            **{"kind": "claim", "gtin": place.gtin, "id": NON_GMO, "until": "2030-01-01", "reason": "Audit", **members}
        ),
        [{}, {"until": "2030-06-30", "reason": "Zeile 1\nZeile 2 😀"}],
        [
            *OWNED,
            (404, {"id": NOTHING}),
            (422, {"id": "x"}),
            (422, {"reason": ""}),
            (422, {"until": "2020-01-01"}),
            (422, {"until": "9999-12-31", "reason": "x" * 501}),
        ],
    ),
    "unacknowledgeClaim": Parity(
        "certifications_api_unacknowledge_product_claim",
        lambda face, place, members: face.unacknowledge(
            **{"kind": "claim", "gtin": place.gtin, "id": NON_GMO, **members}
        ),
        [{}],
        [*OWNED, (404, {"id": NOTHING}), (422, {"id": "x"})],
    ),
    "createProduct": Parity(
        "products_api_create_product",
        lambda face, place, members: face.create_product(**{"gtin": place.free_gtin, **members}),
        [
            {},
            {"product_name": "Rye", "brand": None, "country_of_origin": "DE", "metadata": {"a": "1", "b": ""}},
            {"description": "D", "net_content": "1 kg", "image_url": "https://example.org/a.png", "manufacturer": "M"},
        ],
        [
            *EVERYBODY,
            (409, {"gtin": GTIN}),
            (409, {"gtin": OTHERS_GTIN}),
            (422, {"gtin": "00614141107347"}),
            (422, {"product_name": "x" * 256, "country_of_origin": "XX", "metadata": {"a": 1}}),
            (422, {"image_url": "https://exa\tmple.org/x"}),
            (422, {"metadata": LONG_METADATA}),
        ],
    ),
    "patchProduct": Parity(
        "products_api_update_product",
        lambda face, place, members: face.patch_product(**{"gtin": place.gtin, **members}),
        [
            {},
            {"product_name": "Rye", "brand": "", "metadata": {"a": "1"}},
            {"product_name": None, "metadata": None, "net_content": "1 kg"},
            {"metadata": {}, "country_of_origin": "DE"},
        ],
        [
            *OWNED,
            (422, {"product_name": "x" * 256, "image_url": "https://x.example/100%"}),
            (422, {"metadata": LONG_METADATA}),
        ],
    ),
    "archiveProduct": Parity(
        "products_api_archive_product",
        lambda face, place, members: face.archive_product(**{"gtin": place.gtin, **members}),
        [{}],
        [*OWNED],
    ),
    "restoreProduct": Parity(
        "products_api_restore_product",
        lambda face, place, members: face.restore_product(**{"gtin": place.archived_gtin, **members}),
        [{}],
        [*OWNED],
    ),
    "createApiKey": Parity(
        "account_api_create_api_key",
        lambda face, place, members: face.create_key(**{"name": "The shop", **members}),
        [
            {},
            {"role": "editor", "kind": "cpk", "description": "Labels", "metadata": {"a": "1", "b": None}},
            {"expires_at": "2099-01-01T00:00:00+02:00", "metadata": None},
        ],
        [
            *EVERYBODY,
            (403, {"key": "editor"}),
            (404, {"key": "rival"}),
            (404, {"organization_id": NOTHING}),
            (422, {"organization_id": "1"}),
            (422, {"name": "", "description": "x" * 256, "metadata": {"a": 1}}),
            (422, {"expires_at": "2020-01-01T00:00:00Z", "kind": "csu"}),
            (422, {"metadata": LONG_METADATA}),
        ],
    ),
    "patchApiKey": Parity(
        "account_api_update_api_key",
        lambda face, place, members: face.patch_key(**{"key_id": place.key_id, **members}),
        [{}, {"name": None, "description": "Labels", "metadata": {"kept": None, "a": "1"}}, {"metadata": None}],
        [
            *EVERYBODY,
            (403, {"key": "editor"}),
            (404, {"key": "rival"}),
            (404, {"key_id": NOTHING}),
            (422, {"key_id": "1", "name": "x" * 256}),
            (422, {"metadata": LONG_METADATA}),
        ],
    ),
    "revokeApiKey": Parity(
        "account_api_delete_api_key",
        lambda face, place, members: face.revoke_key(**{"key_id": place.key_id, **members}),
        [{}],
        [*EVERYBODY, (403, {"key": "editor"}), (404, {"key_id": NOTHING}), (422, {"key_id": "1"})],
    ),
    "createInvitation": Parity(
        "account_api_create_invitation",
        lambda face, place, members: face.people("invite", **{"email": f"{place.name}.new@example.org", **members}),
        [{}, {"role": "editor"}],
        [
            *MANAGERS,
            (422, {"organization_id": "1"}),
            (422, {"email": "ann"}),
            (422, {"email": "ann@b.test\r\nBcc: bob@b.test"}),
            (422, {"email": "ann@b.test, bob@b.test"}),
            (422, {"email": "a" * 250 + "@b.test"}),
        ],
    ),
    "revokeInvitation": Parity(
        "account_api_delete_invitation",
        lambda face, place, members: face.people(
            "take back", **{"invitation_id": place.id_of("invitation"), **members}
        ),
        [{}],
        [*MANAGERS, (404, {"invitation_id": NOTHING}), (422, {"invitation_id": "1"})],
    ),
    "patchMember": Parity(
        "account_api_update_member",
        lambda face, place, members: face.people("promote", **{"user_id": place.id_of("user"), **members}),
        [{}, {"role": "manager"}],
        [*MANAGERS, (404, {"user_id": NOTHING}), (422, {"user_id": "1"}), (422, {"role": None})],
    ),
    "removeMember": Parity(
        "account_api_delete_member",
        lambda face, place, members: face.people("dismiss", **{"user_id": place.id_of("user"), **members}),
        [{}],
        [*MANAGERS, (404, {"user_id": NOTHING}), (422, {"user_id": "1"})],
    ),
    "createView": Parity(
        "account_api_create_view",
        lambda face, place, members: face.people(
            "save view", **{"name": place.name, "kind": "certifications", **members}
        ),
        [
            {},
            {"where": '{"lapsesWithin": {"days": 90}, "mine": true}', "ordering": "-lapses_on"},
            {"kind": "products", "where": '{"isArchived": null, "brand": {"eq": "Acme"}}', "ordering": "NAME"},
        ],
        [
            *EDITORS,
            (409, {"name": "first view"}),
            (422, {"organization_id": "1"}),
            (422, {"name": "", "where": "x" * 4001, "ordering": "\0"}),
            (422, {"where": "{", "ordering": "weight"}),
            (422, {"where": '{"lapsesWithin": {"days": "many"}, "weight": {}}'}),
            (422, {"kind": "products", "ordering": "lapses_on"}),
        ],
    ),
    "patchView": Parity(
        "account_api_update_view",
        lambda face, place, members: face.people("change view", **{"view_id": place.id_of("view"), **members}),
        [{}, {"where": '{"mine": true}'}, {"name": None, "ordering": "updatedAt"}],
        [
            *EDITORS,
            (404, {"view_id": NOTHING}),
            (409, {"name": "second view"}),
            (422, {"view_id": "1"}),
            (422, {"name": ""}),
            (422, {"where": '{"search": "oat"}'}),
        ],
    ),
    "removeView": Parity(
        "account_api_delete_view",
        lambda face, place, members: face.people("remove view", **{"view_id": place.id_of("view"), **members}),
        [{}],
        [*EDITORS, (404, {"view_id": NOTHING}), (422, {"view_id": "1"})],
    ),
    "createCalendar": Parity(
        "account_api_create_calendar",
        lambda face, place, members: face.people("make calendar", **{"view_id": place.id_of("view"), **members}),
        [{}],
        [*EDITORS, (404, {"view_id": NOTHING}), (422, {"view_id": "1"})],
    ),
    "revokeCalendar": Parity(
        "account_api_delete_calendar",
        lambda face, place, members: face.people("end calendar", **{"calendar_id": place.id_of("calendar"), **members}),
        [{}],
        [*EDITORS, (404, {"calendar_id": NOTHING}), (422, {"calendar_id": "1"})],
    ),
    "createWebhook": Parity(
        "account_api_create_webhook",
        lambda face, place, members: face.people("make webhook", **{"url": f"https://{place.name}.example", **members}),
        [{}, {"description": "The shop", "types": ["product", "claim_assignment.removeClaim"], "is_enabled": False}],
        [
            *MANAGERS,
            (404, {"view_id": NOTHING}),
            (422, {"url": "", "description": "x" * 256, "types": ["weather"], "view_id": "1"}),
            (422, {"url": "https://example.org/#part"}),
            (422, {"url": "ftp://example.org/"}),
            (422, {"url": "http://example.org/"}),
            (422, {"url": "https://10.0.0.1/"}),
            (422, {"url": "https://ann:secret@example.org/"}),
            (422, {"types": ["product.archive product"]}),
            (422, {"types": ["product"] * 21}),
        ],
    ),
    "patchWebhook": Parity(
        "account_api_update_webhook",
        lambda face, place, members: face.people("change webhook", **{"webhook_id": place.id_of("webhook"), **members}),
        [{}, {"url": "https://8.8.8.8:9/x?y=z", "types": ["product"], "is_enabled": True}],
        [*MANAGERS, (404, {"webhook_id": NOTHING}), (422, {"webhook_id": "1"}), (422, {"url": ""})],
    ),
    "removeWebhook": Parity(
        "account_api_delete_webhook",
        lambda face, place, members: face.people("end webhook", **{"webhook_id": place.id_of("webhook"), **members}),
        [{}],
        [*MANAGERS, (404, {"webhook_id": NOTHING}), (422, {"webhook_id": "1"})],
    ),
    "rotateWebhookSecret": Parity(
        "account_api_rotate_webhook_secret",
        lambda face, place, members: face.people("rotate webhook", **{"webhook_id": place.id_of("webhook"), **members}),
        [{}],
        [*MANAGERS, (404, {"webhook_id": NOTHING}), (422, {"webhook_id": "1"})],
    ),
    "testWebhook": Parity(
        "account_api_test_webhook",
        lambda face, place, members: face.people("try webhook", **{"webhook_id": place.id_of("webhook"), **members}),
        [{}],
        [*MANAGERS, (404, {"webhook_id": NOTHING}), (422, {"webhook_id": "1"})],
    ),
    "replayWebhook": Parity(
        "account_api_replay_webhook",
        lambda face, place, members: face.people(
            "replay webhook",
            **{"webhook_id": place.id_of("webhook"), "since_moment": "2020-01-01T00:00:00Z", **members},
        ),
        [{}],
        [
            *MANAGERS,
            (404, {"webhook_id": NOTHING}),
            (422, {"webhook_id": "1"}),
            (422, {"since": "x", "since_moment": None}),
            (422, {"since_moment": None}),
            (422, {"since": "x"}),
        ],
    ),
    "setLeadTimes": Parity(
        "account_api_set_lead_times",
        lambda face, place, members: face.people(
            "set lead times", **{"for_certification": OF_PLACE[place.name], "days": [30, 120, 30], **members}
        ),
        [{}, {"days": []}],
        [
            *EDITORS,
            (404, {"for_certification": NOTHING}),
            (404, {"for_certification": OTHERS_PRIVATE}),
            (422, {"days": [0]}),
            (422, {"days": [3661]}),
            (422, {"days": [1, 2, 3, 4, 5, 6]}),
        ],
    ),
    "setDigest": Parity(
        "account_api_set_digest",
        lambda face, place, members: face.people(
            "set digest", **{"user_id": place.id_of("user"), "period": "weekly", **members}
        ),
        [{}, {"period": "daily"}],
        [*MANAGERS, (404, {"user_id": NOTHING}), (422, {"user_id": "1"})],
    ),
    "setPublicProof": Parity(
        "account_api_set_public_proof",
        lambda face, place, members: switched(face, members),
        [{}],
        MANAGERS,
    ),
    "endSession": Parity(
        "account_api_delete_session",
        lambda face, place, members: face.people("sign out", **{"session_id": place.id_of("session"), **members}),
        [{}],
        [*MANAGERS, (404, {"session_id": NOTHING}), (422, {"session_id": "1"})],
    ),
}


# REST takes the organisation of a key in the path, GraphQL defaults to the caller's own.
def asked(name: str, world: World, members: Members) -> Members:
    of_organization = WRITES[name].endpoint.startswith("account_api")
    return {"organization_id": world.brand, **members} if of_organization else members


@pytest.fixture
async def places(world: World) -> World:
    """Three products that are alike but for their GTINs, and a key beside each."""
    async with world.database.write() as transaction:
        await public_proofs.put(transaction, PublicProof(world.brand, is_enabled=False))
    for place in PLACES:
        await world.add_product(place.archived_gtin, world.brand, archived_at=NOON)
        if place.gtin != GTIN:
            await world.add_product(place.gtin, world.brand)
            await world.add_certification(
                place.gtin, USDA_ORGANIC, certificate_number="NOP-1", metadata={"kept": "yes"}
            )
        await world.add_certification(place.gtin, PRIVATE, suspended_from=date(2025, 6, 1), standing_reason="Residues")
        renewal = {"valid_from": "2098-01-01", "expiration_date": "2098-12-31"}
        assert (await Rest(world).certificate("renew", place.gtin, PRIVATE, **renewal)).ok
        members: Members = {"evidence_note": "Told", "metadata": {"kept": "yes"}}
        assert (await Rest(world).assign_claim(place.gtin, NON_GMO, **members)).ok
        await give_ends(world, place.gtin)
        await take_on(world, place.gtin)
        async with world.database.write() as transaction:
            spare = ApiKey(
                place.key_id, world.brand, KeyKind.BUSINESS, Role.EDITOR, "Spare", NOON, metadata={"kept": "yes"}
            )
            await add_key(transaction, spare, place.gtin)
            await add_people(transaction, world, place.name)
    return world


VOLATILE = {"gtin", "id", "user_id", "email", "created_at", "updated_at", "digest", "search_text", "replaced_at"}
"""Columns that differ from one place to the next, or from one moment to the next."""


async def rows(world: World) -> list[str]:
    """Every row of every table, as far as two places can agree on it."""
    # An invitation ends some days after it was made.
    volatile = {"invitations": {*VOLATILE, "expires_at"}, "views": {*VOLATILE, "name"}}
    volatile |= {"digests": {*VOLATILE, "told_until"}}
    webhook = {"url", "view_id", "secret", "rotated_at", "due_at", "tested_at", "replayed_at"}
    volatile |= {"webhooks": {*VOLATILE, *webhook}}
    volatile |= {"calendars": {*VOLATILE, "view_id"}, "lead_times": {*VOLATILE, "certification_id"}}
    # What the log says of a record is what the record's own table has.
    volatile["changes"] = {*tables.changes.c.keys()} - {"kind", "organization_id", "operation", "credential"}
    return [
        repr(
            (
                table.name,
                {
                    # A product is archived from its own moment on, and secrets are made anew.
                    name: bool(value) if name in ("archived_at", "test_id", "secret_before") else value
                    for name, value in zip(names, row, strict=True)
                    if name not in volatile.get(table.name, VOLATILE)
                },
            )
        )
        for table in tables.metadata.sorted_tables
        for names in [all_rows(table).select.selected_columns.keys()]
        for row in await world.rows(table)
    ]


def difference(before: list[str], after: list[str]) -> tuple[list[str], list[str]]:
    """What was taken away and what came, however often the same row is there."""
    gone, come = list(before), []
    for row in after:
        if row in gone:
            gone.remove(row)
        else:
            come.append(row)
    return sorted(gone), sorted(come)


UNLIKE = (
    "created_at",
    "updated_at",
    "secret",
    "view_id",
    "certification_id",
    "url",
    "gtin",
    "key",
    "id",
    "user_id",
    "email",
    "link",
    "name",
)


def comparable(facts: Any) -> Any:
    """What an answer says, without what differs from one place to the next."""
    return {name: value for name, value in facts.items() if name not in UNLIKE} if facts else facts


def test_every_write_of_either_face_is_in_the_table() -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    assert mutation.fields.keys() == WRITES.keys() | BULK.keys()
    assert set(BULK.values()) <= WRITES.keys()
    # Files are taken by REST alone.
    writes = {endpoint.operation_id for endpoint in ENDPOINTS if endpoint.method != "GET" and not endpoint.takes}
    assert writes == {f"apps_{write.endpoint}" for write in WRITES.values()}


GRANTED = [
    pytest.param(name, members, id=f"{name}-{number}")
    for name, write in WRITES.items()
    for number, members in enumerate(write.granted)
]


@pytest.mark.parametrize(("name", "members"), GRANTED)
async def test_what_is_granted_leaves_the_same_rows(places: World, name: str, members: Members) -> None:
    write = WRITES[name]
    outcomes, effects = [], []
    for place in PLACES:
        before = await rows(places)
        outcomes.append(await write.act(place.face(places), place, asked(name, places, members)))
        effects.append(difference(before, await rows(places)))
    assert [outcome.problem for outcome in outcomes] == [{}] * 3
    assert comparable(outcomes[0].facts) == comparable(outcomes[1].facts) == comparable(outcomes[2].facts)
    assert effects[0] == effects[1] == effects[2]
    # A patch without members is the only one that does nothing.
    assert (effects[0] == ([], [])) is (name.startswith("patch") and not members)


def same_problem(rest: Outcome, graphql: Outcome) -> None:
    """The same members with the same values; only the moment may differ by the time between the two."""
    assert not rest.ok
    assert rest.status == rest.problem["status"]
    for name in PROBLEM_MEMBERS:
        if name != "timestamp":
            assert rest.problem[name] == graphql.problem[name], name
    assert len(rest.problem["timestamp"]) == len(graphql.problem["timestamp"]) == 25
    assert ("details" in rest.problem) is ("details" in graphql.problem)
    if "details" in rest.problem:
        assert rest.violations() == graphql.violations() != set()


@pytest.mark.parametrize("name", WRITES)
async def test_what_is_refused_is_the_same_problem_and_leaves_nothing(places: World, name: str) -> None:
    write = WRITES[name]
    before = await rows(places)
    for status, members in write.refused:
        sent = asked(name, places, members)
        rest, graphql, bulk = [await write.act(place.face(places), PLACES[0], sent) for place in PLACES]
        assert rest.status == status, members
        same_problem(rest, graphql)
        same_problem(rest, bulk)
    assert await rows(places) == before


@on_sqlite
async def test_graphql_speaks_of_members_as_it_spells_them(world: World) -> None:
    body = await GraphQL(world).run(
        """mutation ($input: AssignClaimInput!) { assignClaim(input: $input) {
             ... on ValidationProblem { detail violations { loc msg } } } }""",
        "manager",
        {"input": {"gtin": GTIN, "claimId": VEGAN, "validFrom": "2026-02-01", "expirationDate": "2026-01-31"}},
    )
    message = "Date should not be before validFrom (2026-02-01); change one of the two"
    assert body["data"]["assignClaim"] == {
        "detail": f"Validation error. expirationDate: {message}.",
        "violations": [{"loc": ["input", "expirationDate"], "msg": message}],
    }


@on_sqlite
async def test_graphql_spells_members_its_way_and_keys_of_a_map_as_they_were_sent(world: World) -> None:
    body = await GraphQL(world).run(
        """mutation ($input: AssignClaimInput!) { assignClaim(input: $input) {
             ... on ValidationProblem { detail violations { loc } } } }""",
        "manager",
        {"input": {"gtin": GTIN, "claimId": VEGAN, "evidenceUrl": "x", "metadata": {"a_b": 1, "aB": 1}}},
    )
    detail = body["data"]["assignClaim"].pop("detail")
    assert detail.startswith("Validation error. evidenceUrl: Input should be")
    assert "; metadata.a_b: Input should be" in detail
    assert body["data"]["assignClaim"]["violations"] == [
        {"loc": ["input", "evidenceUrl"]},
        {"loc": ["input", "metadata", "a_b"]},
        {"loc": ["input", "metadata", "aB"]},
    ]


@on_sqlite
@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "x"}, {"Cookie": "sessionid=x"}])
async def test_without_a_credential_both_faces_give_one_answer(world: World, headers: dict[str, str]) -> None:
    rest = await world.client.get(f"/certifications/api/v1/products/{GTIN}/claims", headers=headers)
    graphql = await world.client.post("/graphql", json={"query": "{ viewer { role } }"}, headers=headers)
    assert rest.status_code == graphql.status_code == 401
    for response in (rest, graphql):
        assert response.headers["content-type"] == "application/problem+json"
        assert "www-authenticate" in response.headers
    first, second = rest.json(), graphql.json()
    assert {**first, "timestamp": ""} == {**second, "timestamp": ""}
