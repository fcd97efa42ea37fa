"""One row an endpoint of the contract: what is asked, and the status and content that come back, each executed.

Every answer is judged by the served document: its status is declared there, and its body fits the schema.
"""

import asyncio
import json
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

import pytest
from jsonschema import Draft202012Validator

from domain.short_id import ShortId, decode
from rest_compat.endpoint import Endpoint
from rest_compat.openapi import document
from rest_compat.routes import ENDPOINTS
from tests.operations.faces import Rest
from tests.operations.mutations import LAPSING_GTIN, SPARE_PEOPLE, add_people, give_ends, take_on
from tests.world import (
    BODY,
    FAIR_TRADE,
    GTIN,
    IMPORT,
    NON_GMO,
    NOTHING,
    OTHERS_GTIN,
    OTHERS_PRIVATE,
    USDA_ORGANIC,
    VEGAN,
    World,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NOBODY = "00000000000017"


class Case(NamedTuple):
    """A request: what fills the path, what is asked, who asks. `shows` is of the answer: members, or labels."""

    status: int
    path: tuple[str, ...] = ()
    query: str = ""
    body: Any = None
    key: str = "manager"
    shows: Any = None


class Row(NamedTuple):
    """An endpoint of the contract, and what is tried on it."""

    number: str
    cases: Iterable[Case]


def by_id(id: ShortId, shows: dict[str, Any]) -> list[Case]:
    """Reading one definition: in both forms of its id, absent, and malformed."""
    return [
        Case(200, (id,), key="readonly", shows={"id": id, **shows}),
        Case(200, (str(decode(id)),), key="publishable", shows=shows),
        Case(404, (NOTHING,)),
        Case(422, ("z" * 22,)),
        Case(422, ("short",)),
        Case(401, (id,), key=""),
    ]


def page(*labels: str) -> Any:
    return list(labels)


PAGE_CASES = [
    Case(200, query="page=2", shows=[]),
    Case(422, query="page=0"),
    Case(422, query="page_size=101"),
    Case(422, query="page=first"),
    Case(422, query="ordering=nothing"),
    Case(401, key=""),
]
OF_PRODUCT = [Case(404, (NOBODY,)), Case(422, ("1234567",)), Case(422, ("0001234567890x",)), Case(401, (GTIN,), key="")]
OF_A_MOMENT = [
    Case(200, (GTIN,), query="known_at=2026-11-23T00:00:00Z&as_of=2026-01-01", shows={"gtin": GTIN}),
    Case(404, (GTIN,), query="known_at=2020-01-01T00:00:00Z"),
    Case(403, (GTIN,), query="known_at=2026-11-23T00:00:00Z", key="publishable"),
    Case(422, (GTIN,), query="known_at=2026-11-23"),
    Case(422, (GTIN,), query="as_of=2026-02-30"),
]
WRITE = {"readonly": 403, "publishable": 403, "rival": 403, "": 401}


def refused(*path: str, body: Any = None) -> list[Case]:
    """A write by everybody who may not."""
    return [Case(status, path, body=body, key=key) for key, status in WRITE.items()]


ROWS = {
    "apps_certifications_api_list_certification_bodies": Row(
        "C1",
        [
            Case(200, shows=page("United States Department of Agriculture")),
            Case(200, query="name=STATES", shows=page("United States Department of Agriculture")),
            Case(200, query="name=nobody&ordering=-name", shows=page()),
            *PAGE_CASES,
        ],
    ),
    "apps_certifications_api_get_certification_body": Row("C2", by_id(BODY, {"website": "https://www.usda.gov"})),
    "apps_certifications_api_list_certifications": Row(
        "C3",
        [
            Case(200, shows=page("Brand's own seal", "Fair Trade USA", "USDA Organic")),
            Case(200, key="rival", shows=page("Fair Trade USA", "Rival's own seal", "USDA Organic")),
            Case(200, query="label=usa", shows=page("Fair Trade USA")),
            Case(200, query="code=usda_organic", shows=page("USDA Organic")),
            Case(200, query=f"certification_body_id={BODY}", shows=page("USDA Organic")),
            Case(200, query="ordering=-label", shows=page("USDA Organic", "Fair Trade USA", "Brand's own seal")),
            Case(200, query="page=2&page_size=2", shows=page("USDA Organic")),
            Case(422, query="certification_body_id=x"),
            *PAGE_CASES,
        ],
    ),
    "apps_certifications_api_get_certification": Row(
        "C4",
        [
            *by_id(USDA_ORGANIC, {"certification_body_name": "United States Department of Agriculture"}),
            Case(404, (OTHERS_PRIVATE,)),
            Case(200, (OTHERS_PRIVATE,), key="rival", shows={"code": ""}),
        ],
    ),
    "apps_certifications_api_list_claims": Row(
        "C5",
        [
            Case(200, shows=page("Non-GMO", "Vegan")),
            Case(200, query="label=veg", shows=page("Vegan")),
            Case(200, query="code=non_gmo", shows=page("Non-GMO")),
            Case(200, query="category=DIETARY", shows=page("Vegan")),
            Case(200, query="ordering=-code", shows=page("Vegan", "Non-GMO")),
            Case(422, query="category=dietary"),
            *PAGE_CASES,
        ],
    ),
    "apps_certifications_api_get_claim": Row("C6", by_id(VEGAN, {"code": "VEGAN", "category": "DIETARY"})),
    "apps_certifications_api_list_product_certifications": Row(
        "C7",
        [
            Case(200, (GTIN,), shows=page("USDA Organic")),
            Case(200, ("12345678905",), key="publishable", shows=page("USDA Organic")),
            Case(200, (GTIN,), "is_active=true&verification_status=unverified", shows=page("USDA Organic")),
            Case(200, (GTIN,), "is_active=false", shows=page()),
            Case(200, (GTIN,), "verification_status=verified", shows=page()),
            Case(200, (GTIN,), "ordering=-expiry_date", shows=page("USDA Organic")),
            Case(200, (OTHERS_GTIN,), shows=page()),
            Case(422, (GTIN,), "ordering=expiration_date"),
            Case(422, (GTIN,), "is_active=perhaps"),
            Case(422, (GTIN,), "verification_status=VERIFIED"),
            *OF_PRODUCT,
        ],
    ),
    "apps_certifications_api_create_product_certification": Row(
        "C8",
        [
            Case(
                201,
                (GTIN,),
                body={"certification_id": FAIR_TRADE, "expiry_date": "2027-12-31"},
                shows={"id": FAIR_TRADE, "expiry_date": "2027-12-31", "is_active": True},
            ),
            Case(409, (GTIN,), body={"certification_id": USDA_ORGANIC}),
            Case(404, (GTIN,), body={"certification_id": NOTHING}),
            Case(404, (GTIN,), body={"certification_id": OTHERS_PRIVATE}),
            Case(404, (NOBODY,), body={"certification_id": FAIR_TRADE}),
            Case(422, (GTIN,), body={}),
            Case(400, (GTIN,), body=b"{"),
            *refused(GTIN, body={"certification_id": FAIR_TRADE}),
        ],
    ),
    "apps_certifications_api_get_product_certification": Row(
        "one of C7",
        [
            Case(200, (GTIN, USDA_ORGANIC), key="readonly", shows={"certificate_number": "NOP-1"}),
            Case(404, (GTIN, FAIR_TRADE)),
            Case(404, (NOBODY, USDA_ORGANIC)),
            Case(422, (GTIN, "x")),
        ],
    ),
    "apps_certifications_api_update_product_certification": Row(
        "C9",
        [
            Case(
                200,
                (GTIN, USDA_ORGANIC),
                body={"metadata": {"more": "also"}, "verification_status": "verified"},
                shows={"metadata": {"kept": "yes", "more": "also"}, "verification_status": "verified"},
            ),
            Case(200, (GTIN, USDA_ORGANIC), body={"expiration_date": "2020-01-01"}, shows={"is_active": False}),
            Case(200, (GTIN, USDA_ORGANIC), body={}, key="editor", shows={"certificate_number": "NOP-1"}),
            Case(404, (GTIN, FAIR_TRADE), body={}),
            Case(422, (GTIN, USDA_ORGANIC), body={"certificate_countries": ["us"]}),
            Case(422, (GTIN, USDA_ORGANIC), body={"valid_from": "2024-02-01", "expiration_date": "2024-01-01"}),
            Case(400, (GTIN, USDA_ORGANIC), body=b"nothing"),
            *refused(GTIN, USDA_ORGANIC, body={"scope": "Product"}),
        ],
    ),
    "apps_certifications_api_delete_product_certification": Row(
        "C10",
        [
            Case(204, (GTIN, USDA_ORGANIC)),
            Case(404, (GTIN, FAIR_TRADE)),
            Case(404, (NOBODY, USDA_ORGANIC)),
            *refused(GTIN, USDA_ORGANIC),
        ],
    ),
    "apps_certifications_api_list_product_claims": Row("C11", [Case(200, (GTIN,), shows=page()), *OF_PRODUCT]),
    "apps_certifications_api_create_product_claim": Row(
        "C12",
        [
            Case(
                201,
                (GTIN,),
                body={"claim_id": NON_GMO, "valid_from": "2024-01-01", "metadata": {"order_id": "6735"}},
                shows={"id": NON_GMO, "source": "BRAND_SELF_DECLARED", "metadata": {"order_id": "6735"}},
            ),
            Case(404, (GTIN,), body={"claim_id": NOTHING}),
            Case(404, (NOBODY,), body={"claim_id": NON_GMO}),
            Case(422, (GTIN,), body={}),
            Case(422, (GTIN,), body=[]),
            Case(400, (GTIN,), body=b"{"),
            *refused(GTIN, body={"claim_id": NON_GMO}),
        ],
    ),
    "apps_certifications_api_get_product_claim": Row(
        "one of C11", [Case(404, (GTIN, NON_GMO)), Case(404, (NOBODY, NON_GMO)), Case(422, (GTIN, "x"))]
    ),
    "apps_certifications_api_update_product_claim": Row(
        "C13",
        [
            Case(404, (GTIN, NON_GMO), body={"source": "THIRD_PARTY_VERIFIED"}),
            Case(422, (GTIN, NON_GMO), body={"source": "NOBODY"}),
            *refused(GTIN, NON_GMO, body={}),
        ],
    ),
    "apps_certifications_api_delete_product_claim": Row(
        "C14", [Case(404, (GTIN, NON_GMO)), Case(404, (NOBODY, NON_GMO)), *refused(GTIN, NON_GMO)]
    ),
    **{
        f"apps_certifications_api_{name.format(noun)}": Row(
            f"that a {noun} lapses, taken on",
            [Case(422, ("1234567", id), body=body), *cases, Case(401, (GTIN, id), body=body, key="")],
        )
        for noun, id in (("certification", USDA_ORGANIC), ("claim", VEGAN))
        for name, body, cases in (
            (
                "get_product_{}_acknowledgement",
                None,
                [
                    Case(404, (GTIN, id)),
                    Case(200, (LAPSING_GTIN, id), key="readonly", shows={"reason": "It is renewed."}),
                ],
            ),
            (
                "acknowledge_product_{}",
                {"until": "2030-12-31", "reason": "Audit"},
                [
                    Case(200, (LAPSING_GTIN, id), body={"until": "2030-12-31", "reason": "Audit"}, key="editor"),
                    Case(404, (NOBODY, id), body={"until": "2030-12-31", "reason": "Audit"}),
                    Case(422, (LAPSING_GTIN, id), body={"until": "2030-02-30", "reason": "Audit"}),
                    Case(422, (LAPSING_GTIN, id), body={"until": "2030-12-31"}),
                    *refused(LAPSING_GTIN, id, body={"until": "2030-12-31", "reason": "Audit"}),
                ],
            ),
            (
                "unacknowledge_product_{}",
                None,
                [Case(204, (LAPSING_GTIN, id), key="editor"), Case(404, (NOBODY, id)), *refused(LAPSING_GTIN, id)],
            ),
        )
    },
    "apps_certifications_api_get_product_certification_standing": Row(
        "how it stands",
        [
            Case(200, (GTIN, USDA_ORGANIC), key="publishable", shows={"standing": "current", "withdrawn_on": None}),
            Case(404, (GTIN, FAIR_TRADE)),
            Case(401, (GTIN, USDA_ORGANIC), key=""),
        ],
    ),
    "apps_certifications_api_list_product_certification_previous": Row(
        "the certificates before",
        [
            Case(200, (GTIN, USDA_ORGANIC), key="readonly", shows=page()),
            Case(404, (GTIN, FAIR_TRADE)),
            Case(401, (GTIN, USDA_ORGANIC), key=""),
        ],
    ),
    **{
        f"apps_certifications_api_{act}_product_certification": Row(
            act,
            [
                Case(200, (GTIN, USDA_ORGANIC), body=body, key="editor", shows=shows),
                Case(404, (GTIN, FAIR_TRADE), body=body),
                Case(404, (NOBODY, USDA_ORGANIC), body=body),
                Case(422, (GTIN, USDA_ORGANIC), body={**body, **wrong}),
                *refused(GTIN, USDA_ORGANIC, body=body),
            ],
        )
        for act, body, shows, wrong in (
            ("renew", {"valid_from": "2026-01-01"}, {"goes_back": False}, {"expiration_date": "2025-12-31"}),
            (
                "suspend",
                {"reason": "Residues", "suspended_from": "2026-01-01"},
                {"standing": "suspended", "is_active": False, "standing_reason": "Residues"},
                {"reason": ""},
            ),
            (
                "withdraw",
                {"reason": "Fraud", "withdrawn_on": "2026-01-01"},
                {"standing": "withdrawn", "is_active": False, "lapses_on": "2025-12-31"},
                {"withdrawn_on": "0001-01-01"},
            ),
            ("reinstate", {"reason": "Clean"}, {"standing": "current"}, {"reinstated_on": 7}),
        )
    },
    "apps_certifications_api_undo_renewal_product_certification": Row(
        "undo-renewal",
        [
            Case(200, (GTIN, FAIR_TRADE), key="editor", shows={"standing": "current"}),
            Case(404, (GTIN, NOTHING)),
            Case(404, (NOBODY, USDA_ORGANIC)),
            Case(404, (GTIN, USDA_ORGANIC)),
            *refused(GTIN, FAIR_TRADE),
        ],
    ),
    "apps_certifications_api_list_changes": Row(
        "what became of all products",
        [
            Case(200, query="limit=1&wait=0", key="readonly", shows={"data": []}),
            Case(200, key="publishable", shows={"data": []}),
            Case(422, query="since=x"),
            Case(422, query="wait=31"),
            Case(401, key=""),
        ],
    ),
    "apps_certifications_api_list_product_history": Row(
        "what became of a product",
        [
            Case(200, (GTIN,), query="limit=1&whole=true", key="readonly", shows=[GTIN]),
            Case(200, (GTIN,), key="rival", shows=[GTIN]),
            Case(200, (GTIN,), key="publishable", shows=[]),
            Case(404, (NOBODY,)),
            Case(404, (GTIN,), query="below=1000000"),
            Case(422, (GTIN,), query="limit=101"),
            Case(401, (GTIN,), key=""),
        ],
    ),
    "apps_certifications_api_get_product": Row(
        "C15",
        [
            Case(200, (GTIN,), key="publishable", shows={"gtin": GTIN, "product_name": "Oat drink"}),
            *OF_PRODUCT,
            *OF_A_MOMENT,
        ],
    ),
    **{
        f"apps_certifications_api_export_{name}": Row(
            f"{name} as a file",
            [
                Case(200, query="format=jsonld", key="publishable"),
                Case(200, query=f"format=csv&where={where}", key="readonly"),
                Case(200, query="format=jsonl&excel=false", key="rival"),
                Case(422, query="format=pdf"),
                Case(422, query="where=gtin"),
                Case(404, query=f"view={NOTHING}"),
                Case(422, query='where={{"barcode":{{}}}}'),
                Case(422, query="excel=perhaps"),
                Case(401, key=""),
            ],
        )
        for name, where in (
            ("products", '{{"name":{{"startsWith":"oat"}}}}'),
            ("certifications", '{{"verificationStatus":{{"eq":"UNVERIFIED"}}}}'),
            ("claims", '{{"expiringWithin":{{"days":30}}}}'),
        )
    },
    "apps_certifications_api_list_imports": Row(
        "imports",
        [
            Case(200, key="readonly", shows=["own.csv"]),
            Case(200, key="rival", shows=[]),
            Case(200, key="publishable", shows=[]),
            Case(401, key=""),
        ],
    ),
    "apps_certifications_api_start_import": Row(
        "a file",
        [
            Case(202, query="name=a.csv&dry_run=true", body=b"gtin\n00614141107346\n", shows={"name": "a.csv"}),
            Case(422, body=b""),
            Case(422, body=b"%PDF-1.7"),
            Case(422, query="existing=perhaps", body=b"gtin\n00614141107346\n"),
            Case(422, query="map=EAN", body=b"gtin\n00614141107346\n"),
            Case(403, body=b"gtin\n", key="readonly"),
            Case(403, body=b"gtin\n", key="publishable"),
            Case(401, body=b"gtin\n", key=""),
        ],
    ),
    "apps_certifications_api_get_import": Row(
        "an import",
        [
            Case(200, (IMPORT,), key="readonly", shows={"state": "done", "made": 2, "refused": 1, "rows": 3}),
            Case(404, (IMPORT,), key="rival"),
            Case(404, (IMPORT,), key="publishable"),
            Case(404, (NOTHING,)),
            Case(422, ("short",)),
            Case(401, (IMPORT,), key=""),
        ],
    ),
    "apps_certifications_api_list_imported_rows": Row(
        "what became of rows",
        [
            Case(200, (IMPORT,), query="outcome=refused", shows={"rows": [], "next": None}),
            Case(404, (IMPORT,), key="rival"),
            Case(422, (IMPORT,), query="after=-1"),
            Case(422, (IMPORT,), query="outcome=perhaps"),
            Case(401, (IMPORT,), key=""),
        ],
    ),
    "apps_certifications_api_get_import_report": Row(
        "what became of rows as a file",
        [
            Case(404, (IMPORT,)),
            Case(404, (IMPORT,), key="rival"),
            Case(422, (IMPORT,), query="outcome=perhaps"),
            Case(401, (IMPORT,), key=""),
        ],
    ),
    "apps_certifications_api_get_refused_rows": Row(
        "refused rows as a file",
        [Case(404, (IMPORT,)), Case(404, (IMPORT,), key="rival"), Case(404, (NOTHING,)), Case(401, (IMPORT,), key="")],
    ),
    "apps_products_api_list_products": Row(
        "products of an organisation",
        [
            Case(200, query="organization_id={brand}", shows=[GTIN]),
            Case(200, query="organization_id={brand}&page=2", shows=[]),
            Case(422),
            Case(422, query="organization_id=x"),
            Case(401, query="organization_id={brand}", key=""),
        ],
    ),
    "apps_products_api_create_product": Row(
        "a new product",
        [
            Case(
                201,
                body={"gtin": "00614141107346", "product_name": "Rice drink"},
                shows={"gtin": "00614141107346", "product_name": "Rice drink", "is_claimed": True},
            ),
            Case(409, body={"gtin": GTIN}),
            Case(422, body={"gtin": "00614141107347"}),
            Case(422, body={}),
            *(case for case in refused(body={"gtin": "00614141107346"}) if case.key != "rival"),
        ],
    ),
    "apps_products_api_get_product": Row(
        "a product", [Case(200, ("0001234-567890 5",), key="readonly", shows={"gtin": GTIN}), *OF_PRODUCT]
    ),
    "apps_products_api_archive_product": Row(
        "a product that is archived",
        [
            Case(200, (GTIN,), key="editor", shows={"gtin": GTIN}),
            Case(404, (NOBODY,)),
            Case(422, ("1234567",)),
            *refused(GTIN),
        ],
    ),
    "apps_products_api_restore_product": Row(
        "a product that comes back",
        [
            Case(200, (GTIN,), key="editor", shows={"gtin": GTIN, "product_name": "Oat drink"}),
            Case(404, (NOBODY,)),
            *refused(GTIN),
        ],
    ),
    "apps_products_api_update_product": Row(
        "a product's members",
        [
            Case(200, (GTIN,), body={"brand": "Better", "product_name": None}, shows={"brand": "Better"}),
            Case(404, (NOBODY,), body={}),
            Case(422, (GTIN,), body={"product_name": "x" * 256}),
            *refused(GTIN, body={"brand": "Better"}),
        ],
    ),
    "apps_products_api_list_product_certifications": Row(
        "C7 in pages",
        [
            Case(200, (GTIN,), shows=page("USDA Organic")),
            Case(200, (GTIN,), "is_active=false", shows=page()),
            Case(200, (GTIN,), "page=2", shows=page()),
            Case(422, (GTIN,), "page_size=0"),
            *OF_PRODUCT,
        ],
    ),
    "apps_products_api_list_product_claims": Row(
        "C11 in pages", [Case(200, (GTIN,), shows=page()), Case(422, (GTIN,), "page=-1"), *OF_PRODUCT]
    ),
    "apps_products_api_list_trade_items": Row(
        "products of everybody",
        [
            Case(200, shows=[GTIN, OTHERS_GTIN]),
            Case(200, query="q=oat", shows=[GTIN]),
            Case(200, query="q=0001234-567890+5", shows=[GTIN]),
            Case(200, query="brand=Acme&ordering=-product_name", shows=[OTHERS_GTIN, GTIN]),
            Case(200, query="country_of_origin=DE", shows=[]),
            Case(200, query="is_claimed=false", shows=[]),
            Case(200, query="data_source=imported", shows=[]),
            Case(422, query="data_source=hearsay"),
            Case(422, query="country_of_origin=DEU"),
            *PAGE_CASES,
        ],
    ),
    "apps_products_api_get_trade_item": Row(
        "a product of anybody", [Case(200, (OTHERS_GTIN,), shows={"gtin": OTHERS_GTIN}), *OF_PRODUCT]
    ),
    "apps_account_api_whoami": Row(
        "who asks",
        [Case(200, key=key, shows={"email": None}) for key in ("manager", "readonly", "publishable")]
        + [Case(401, key="")],
    ),
    "apps_account_api_list_api_keys": Row(
        "the keys of an organisation",
        [
            Case(200, ("{brand}",)),
            Case(403, ("{brand}",), key="editor"),
            Case(404, ("{rival}",)),
            Case(422, ("x",)),
            Case(401, ("{brand}",), key=""),
        ],
    ),
    "apps_account_api_create_api_key": Row(
        "a new key",
        [
            Case(200, ("{brand}",), body={"name": "The shop", "role": "editor"}, shows={"name": "The shop"}),
            Case(403, ("{brand}",), body={"name": "The shop"}, key="editor"),
            Case(422, ("{brand}",), body={"name": "The shop", "role": "viewer"}),
            Case(422, ("{brand}",), body={}),
            Case(404, ("{rival}",), body={"name": "The shop"}),
            Case(401, ("{brand}",), body={"name": "The shop"}, key=""),
        ],
    ),
    "apps_account_api_update_api_key": Row(
        "what a key is called",
        [
            Case(200, ("{brand}", "{readonly}"), body={"name": "Reader"}, shows={"name": "Reader", "role": "readonly"}),
            Case(404, ("{brand}", NOTHING), body={"name": "Reader"}),
            Case(403, ("{brand}", "{readonly}"), body={"name": "Reader"}, key="editor"),
            Case(422, ("{brand}", "{readonly}"), body={"name": "x" * 256}),
        ],
    ),
    "apps_account_api_delete_api_key": Row(
        "the end of a key",
        [
            Case(204, ("{brand}", "{readonly}")),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{readonly}"), key="editor"),
        ],
    ),
    **{
        f"apps_account_api_list_{name}": Row(
            f"the {name} of an organisation",
            [
                Case(200, ("{brand}",)),
                Case(403, ("{brand}",), key="editor"),
                Case(404, ("{rival}",)),
                Case(422, ("x",)),
                Case(401, ("{brand}",), key=""),
            ],
        )
        for name in ("members", "invitations", "sessions")
    },
    "apps_account_api_create_invitation": Row(
        "an invitation",
        [
            Case(201, ("{brand}",), body={"email": "Ann@b.test", "role": "editor"}, shows={"email": "ann@b.test"}),
            Case(403, ("{brand}",), body={"email": "ann@b.test"}, key="editor"),
            Case(422, ("{brand}",), body={"email": "ann@b.test", "role": "viewer"}),
            Case(422, ("{brand}",), body={}),
            Case(404, ("{rival}",), body={"email": "ann@b.test"}),
            Case(401, ("{brand}",), body={"email": "ann@b.test"}, key=""),
        ],
    ),
    "apps_account_api_list_history": Row(
        "what became of what an organisation has",
        [
            Case(200, ("{brand}",), query="kind=api_key&limit=1", shows=[None]),
            Case(403, ("{brand}",), key="editor"),
            Case(403, ("{brand}",), key="publishable"),
            Case(404, ("{rival}",)),
            Case(404, ("{brand}",), query="below=1000000"),
            Case(422, ("{brand}",), query="kind=product"),
            Case(422, ("{brand}",), query="limit=101"),
            Case(401, ("{brand}",), key=""),
        ],
    ),
    "apps_account_api_verify_history": Row(
        "a part of the log",
        [
            Case(200, ("{brand}",), query="since=", shows={"next": None}),
            Case(403, ("{brand}",), key="editor"),
            Case(403, ("{brand}",), key="publishable"),
            Case(404, ("{rival}",)),
            Case(422, ("{brand}",), query="since=x"),
            Case(401, ("{brand}",), key=""),
        ],
    ),
    "apps_account_api_list_views": Row(
        "the views of an organisation",
        [
            Case(200, ("{brand}",), key="readonly", shows=["spare view"]),
            Case(403, ("{brand}",), key="publishable"),
            Case(404, ("{rival}",)),
            Case(422, ("x",)),
            Case(401, ("{brand}",), key=""),
        ],
    ),
    "apps_account_api_get_view": Row(
        "a view",
        [
            Case(200, ("{brand}", "{view}"), key="readonly", shows={"kind": "certifications", "problem": None}),
            Case(403, ("{brand}", "{view}"), key="publishable"),
            Case(404, ("{brand}", NOTHING)),
            Case(404, ("{rival}", "{view}"), key="rival"),
            Case(422, ("{brand}", "x")),
        ],
    ),
    "apps_account_api_create_view": Row(
        "a new view",
        [
            Case(
                201,
                ("{brand}",),
                body={"name": "Ours", "kind": "products", "where": '{"mine": true}'},
                key="editor",
                shows={"name": "Ours", "where": '{"mine": true}', "ordering": ""},
            ),
            Case(409, ("{brand}",), body={"name": "spare view", "kind": "products"}),
            Case(403, ("{brand}",), body={"name": "Ours", "kind": "products"}, key="readonly"),
            Case(422, ("{brand}",), body={"name": "Ours", "kind": "bodies"}),
            Case(422, ("{brand}",), body={"name": "Ours", "kind": "products", "where": {"mine": True}}),
            Case(422, ("{brand}",), body={}),
            Case(404, ("{rival}",), body={"name": "Ours", "kind": "products"}),
            Case(401, ("{brand}",), body={"name": "Ours", "kind": "products"}, key=""),
        ],
    ),
    "apps_account_api_update_view": Row(
        "what a view shows",
        [
            Case(200, ("{brand}", "{view}"), body={"ordering": "-lapses_on"}, shows={"ordering": "-lapses_on"}),
            Case(404, ("{brand}", NOTHING), body={"name": "Ours"}),
            Case(403, ("{brand}", "{view}"), body={"name": "Ours"}, key="readonly"),
            Case(422, ("{brand}", "{view}"), body={"where": "[]"}),
        ],
    ),
    "apps_account_api_delete_view": Row(
        "the end of a view",
        [
            Case(204, ("{brand}", "{view}"), key="editor"),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{view}"), key="readonly"),
        ],
    ),
    **{
        f"apps_account_api_list_{name}": Row(
            f"the {name} of an organisation",
            [
                Case(200, ("{brand}",), key="readonly"),
                Case(403, ("{brand}",), key="publishable"),
                Case(404, ("{rival}",)),
                Case(422, ("x",)),
                Case(401, ("{brand}",), key=""),
            ],
        )
        for name in ("calendars", "lead_times")
    },
    "apps_account_api_create_calendar": Row(
        "a calendar",
        [
            Case(201, ("{brand}",), body={"view_id": SPARE_PEOPLE["view"]}, key="editor"),
            Case(403, ("{brand}",), body={"view_id": SPARE_PEOPLE["view"]}, key="readonly"),
            Case(404, ("{brand}",), body={"view_id": NOTHING}),
            Case(404, ("{rival}",), body={"view_id": SPARE_PEOPLE["view"]}),
            Case(422, ("{brand}",), body={}),
            Case(401, ("{brand}",), body={"view_id": SPARE_PEOPLE["view"]}, key=""),
        ],
    ),
    "apps_account_api_delete_calendar": Row(
        "the end of a calendar",
        [
            Case(204, ("{brand}", "{calendar}"), key="editor"),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{calendar}"), key="readonly"),
        ],
    ),
    "apps_account_api_list_webhooks": Row(
        "the webhooks of an organisation",
        [
            Case(200, ("{brand}",)),
            Case(403, ("{brand}",), key="editor"),
            Case(404, ("{rival}",)),
            Case(422, ("x",)),
            Case(401, ("{brand}",), key=""),
        ],
    ),
    "apps_account_api_create_webhook": Row(
        "a webhook",
        [
            Case(201, ("{brand}",), body={"url": "https://example.org/"}, shows={"url": "https://example.org/"}),
            Case(403, ("{brand}",), body={"url": "https://example.org/"}, key="editor"),
            Case(404, ("{brand}",), body={"url": "https://example.org/", "view_id": NOTHING}),
            Case(422, ("{brand}",), body={}),
            Case(401, ("{brand}",), body={"url": "https://example.org/"}, key=""),
        ],
    ),
    "apps_account_api_update_webhook": Row(
        "a changed webhook",
        [
            Case(200, ("{brand}", "{webhook}"), body={"types": ["product"]}, shows={"types": ["product"]}),
            Case(403, ("{brand}", "{webhook}"), body={}, key="editor"),
            Case(404, ("{brand}", NOTHING), body={}),
            Case(422, ("{brand}", "{webhook}"), body={"url": "x"}),
        ],
    ),
    "apps_account_api_delete_webhook": Row(
        "the end of a webhook",
        [
            Case(204, ("{brand}", "{webhook}")),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{webhook}"), key="editor"),
        ],
    ),
    "apps_account_api_rotate_webhook_secret": Row(
        "another secret of a webhook",
        [
            Case(201, ("{brand}", "{webhook}")),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{webhook}"), key="editor"),
        ],
    ),
    "apps_account_api_test_webhook": Row(
        "what tries a webhook",
        [
            Case(200, ("{brand}", "{webhook}")),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{webhook}"), key="editor"),
        ],
    ),
    "apps_account_api_replay_webhook": Row(
        "a webhook that goes on from elsewhere",
        [
            Case(200, ("{brand}", "{webhook}"), body={"since_moment": "2026-01-01T00:00:00Z"}),
            Case(404, ("{brand}", NOTHING), body={"since_moment": "2026-01-01T00:00:00Z"}),
            Case(403, ("{brand}", "{webhook}"), body={"since_moment": "2026-01-01T00:00:00Z"}, key="editor"),
            Case(422, ("{brand}", "{webhook}"), body={}),
            Case(422, ("{brand}", "{webhook}"), body={"since": "x"}),
        ],
    ),
    "apps_account_api_list_webhook_deliveries": Row(
        "what was sent to a webhook",
        [
            Case(200, ("{brand}", "{webhook}")),
            Case(404, ("{brand}", NOTHING)),
            Case(403, ("{brand}", "{webhook}"), key="editor"),
        ],
    ),
    "apps_account_api_set_lead_times": Row(
        "lead times",
        [
            Case(200, ("{brand}",), body={"days": [10, 120, 10]}, key="editor", shows={"days": [120, 10]}),
            Case(200, ("{brand}",), body={}, shows={"certification_id": None, "days": [90, 60, 30]}),
            Case(
                200,
                ("{brand}",),
                body={"for_certification": USDA_ORGANIC, "days": []},
                shows={"certification_id": USDA_ORGANIC, "days": []},
            ),
            Case(404, ("{brand}",), body={"for_certification": OTHERS_PRIVATE, "days": [1]}),
            Case(403, ("{brand}",), body={"days": [1]}, key="readonly"),
            Case(422, ("{brand}",), body={"days": [-1]}),
            Case(401, ("{brand}",), body={"days": [1]}, key=""),
        ],
    ),
    "apps_account_api_get_public_proof": Row(
        "whether products are shown to anybody",
        [
            Case(200, ("{brand}",), key="readonly", shows={"is_enabled": False}),
            Case(403, ("{brand}",), key="publishable"),
            Case(404, ("{rival}",)),
            Case(422, ("x",)),
        ],
    ),
    "apps_account_api_set_public_proof": Row(
        "that products are shown to anybody",
        [
            Case(200, ("{brand}",), body={"is_enabled": True}, shows={"is_enabled": True}),
            Case(403, ("{brand}",), body={"is_enabled": True}, key="editor"),
            Case(404, ("{rival}",), body={"is_enabled": True}),
            Case(422, ("{brand}",), body={}),
            Case(401, ("{brand}",), body={"is_enabled": True}, key=""),
        ],
    ),
    "apps_account_api_get_digest": Row(
        "how often a member is told",
        [
            Case(200, ("{brand}", "{member}"), shows={"period": None, "due_at": None}),
            Case(403, ("{brand}", "{member}"), key="editor"),
            Case(404, ("{brand}", NOTHING)),
            Case(404, ("{rival}", "{member}")),
            Case(422, ("{brand}", "x")),
        ],
    ),
    "apps_account_api_set_digest": Row(
        "that a member is told",
        [
            Case(200, ("{brand}", "{member}"), body={"period": "daily"}, shows={"period": "daily"}),
            Case(200, ("{brand}", "{member}"), body={}, shows={"period": None, "due_at": None}),
            Case(403, ("{brand}", "{member}"), body={"period": "daily"}, key="editor"),
            Case(404, ("{brand}", NOTHING), body={"period": "daily"}),
            Case(422, ("{brand}", "{member}"), body={"period": "hourly"}),
            Case(401, ("{brand}", "{member}"), body={"period": "daily"}, key=""),
        ],
    ),
    "apps_account_api_update_member": Row(
        "what a member may do",
        [
            Case(200, ("{brand}", "{member}"), body={"role": "editor"}, shows={"role": "editor"}),
            Case(404, ("{brand}", NOTHING), body={"role": "editor"}),
            Case(403, ("{brand}", "{member}"), body={"role": "editor"}, key="editor"),
            Case(422, ("{brand}", "{member}"), body={"role": "viewer"}),
        ],
    ),
    **{
        f"apps_account_api_delete_{name}": Row(
            f"the end of a {name}",
            [
                Case(204, ("{brand}", f"{{{name}}}")),
                Case(404, ("{brand}", NOTHING)),
                Case(403, ("{brand}", f"{{{name}}}"), key="editor"),
            ],
        )
        for name in ("member", "invitation", "session")
    },
}

NUMBERED = {f"C{number}" for number in range(1, 16)}


def test_every_endpoint_has_a_row_and_every_row_an_endpoint() -> None:
    assert ROWS.keys() == {endpoint.operation_id for endpoint in ENDPOINTS}


def test_every_endpoint_of_the_contract_is_there() -> None:
    # C16 is the document itself; see test_openapi.
    assert {row.number for row in ROWS.values()} >= NUMBERED


@cache
def documented(app: str) -> dict[str, Any]:
    return document(app, "/", "https://closient.com/docs/errors/")


def judge(endpoint: Endpoint, answer: Any) -> None:
    """Fails unless the document declares this status with this content."""
    whole = documented(endpoint.app)
    responses = whole["paths"][endpoint.path][endpoint.method.lower()]["responses"]
    response = responses[str(answer.status_code)]
    if "$ref" in response:
        response = whole["components"]["responses"][response["$ref"].rpartition("/")[2]]
    if "content" not in response:
        assert answer.content == b""
        return
    content = response["content"][answer.headers["content-type"].partition(";")[0]]
    if content["schema"] == {}:
        # Not every file is JSON.
        return
    declared = content["schema"]
    schema = json.loads(json.dumps({**declared, "components": {"schemas": whole["components"]["schemas"]}}))
    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())] == []


ENDPOINT_OF = {endpoint.operation_id: endpoint for endpoint in ENDPOINTS}
CASES = [
    pytest.param(operation, case, id=f"{operation.removeprefix('apps_')}-{case.status}-{number}")
    for operation, row in ROWS.items()
    for number, case in enumerate(row.cases)
]


async def is_going_on(world: World, location: str, headers: dict[str, str]) -> bool:
    """Whether an import has not ended."""
    state: str = (await world.client.get(location, headers={"X-API-Key": headers["X-API-Key"]})).json()["state"]
    return state == "running"


async def furnish(world: World, operation: str) -> None:
    """Adds what the cases of an operation need beside what every world has."""
    async with world.database.write() as transaction:
        await add_people(transaction, world, "spare")
    if "undo" in operation:
        await world.add_certification(GTIN, FAIR_TRADE)
        assert (await Rest(world).certificate("renew", GTIN, FAIR_TRADE, valid_from="2098-01-01")).ok
    if "acknowledge" in operation:
        await world.add_product(LAPSING_GTIN, world.brand)
        await world.add_certification(LAPSING_GTIN, USDA_ORGANIC)
        assert (await Rest(world).assign_claim(LAPSING_GTIN, VEGAN)).ok
        await give_ends(world, LAPSING_GTIN)
        await take_on(world, LAPSING_GTIN)


@pytest.mark.parametrize(("operation", "case"), CASES)
@on_sqlite
async def test_endpoint(world: World, operation: str, case: Case) -> None:
    endpoint = ENDPOINT_OF[operation]
    await furnish(world, operation)
    names = {"brand": world.brand, "rival": world.rival, **world.key_ids, **SPARE_PEOPLE}
    path = endpoint.path
    for filling in case.path:
        start, end = path.index("{"), path.index("}")
        path = path[:start] + filling.format(**names) + path[end + 1 :]
    assert "{" not in path
    url = f"{path}?{case.query.format(**names)}" if case.query else path
    headers = {"X-API-Key": world.keys[case.key]} if case.key else {}
    content = None
    if case.body is not None:
        headers["Content-Type"] = "application/json"
        content = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()

    answer = await world.client.request(endpoint.method, url, headers=headers, content=content)

    assert answer.status_code == case.status, answer.text
    judge(endpoint, answer)
    while answer.status_code == 202 and await is_going_on(world, answer.headers["Location"], headers):  # noqa: ASYNC110
        # It needs the database behind its answer, too.
        await asyncio.sleep(0.01)
    if case.shows is None:
        return
    found = answer.json()
    if isinstance(case.shows, dict):
        assert {name: found[name] for name in case.shows} == case.shows
        return
    items = found["data"] if isinstance(found, dict) else found
    assert [next(item[name] for name in ("gtin", "label", "name") if name in item) for item in items] == case.shows
