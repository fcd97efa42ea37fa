"""JSON-LD as other programs read it: expanded without a network, judged by both vocabularies and by shapes."""

import json
from datetime import date
from typing import Any

import msgspec
import pytest
from rdflib import Literal, URIRef
from rdflib.namespace import XSD

from domain.records import Claim, ClaimAssignment
from domain.short_id import catalogue_id
from domain.vocabulary import ClaimCategory, ClaimSource, VerificationStatus
from files.claim_codes import CATALOGUE, codes_of, list_of
from files.gs1_us import product_document as report
from files.json_ld import product_document
from tests.domain.making import GTIN, NOON, held, product
from tests.files.linked import GS1, expanded, graph_of, judge, values

TODAY = date(2026, 11, 22)
PRODUCT = f"https://id.gs1.org/01/{GTIN}"

WHOLE = msgspec.structs.replace(
    product(),
    description="Without gluten.",
    manufacturer="Acme Mills",
    image_url="https://example.org/oat.jpg",
)
CERTIFICATE = msgspec.structs.replace(
    held(
        "USDA Organic",
        valid_from=date(2025, 7, 1),
        expiration_date=date(2027, 6, 30),
        expiry_date=date(2027, 3, 31),
        status=VerificationStatus.VERIFIED,
        certificate_number="8150000123",
        scope="Product",
        certificate_countries=["US", "CA"],
    ),
    issuing_body="Oregon Tilth",
    verification_url="https://organic.ams.usda.gov/integrity/8150000123",
    certification_value="100% Organic",
    audit_date=date(2025, 5, 2),
    initial_certification_date=date(2019, 6, 1),
)


def claimed(code: str, **members: Any) -> ClaimAssignment:
    definition = Claim(catalogue_id("claim", code), code, code.title(), ClaimCategory.DIETARY, False, "")
    return ClaimAssignment(
        id=catalogue_id("assignment", code),
        gtin=GTIN,
        organization_id=product().organization_id,
        metadata={"note": "ours"},
        source=ClaimSource.BRAND_SELF_DECLARED,
        valid_from=members.get("valid_from"),
        expiration_date=members.get("expiration_date"),
        evidence_url="https://example.org/evidence",
        evidence_note="A report.",
        created_at=NOON,
        updated_at=NOON,
        version=1,
        claim=definition,
    )


def sent(document: Any) -> bytes:
    return msgspec.json.encode(document)


def certificate_of(document: Any) -> Any:
    (found,) = document["gs1:certification"]
    return found


def test_a_product_is_told_in_both_vocabularies() -> None:
    document = sent(product_document(WHOLE, [CERTIFICATE], [claimed("VEGAN"), claimed("GLUTEN_FREE")], TODAY))
    graph = graph_of(document)
    judge(graph)
    assert values(graph, PRODUCT, "gs1:gtin") == values(graph, PRODUCT, "schema:gtin") == [Literal(GTIN)]
    assert values(graph, PRODUCT, "gs1:productName") == [Literal("Oat drink", lang="und")]
    (certificate,) = values(graph, PRODUCT, "gs1:certification")
    assert values(graph, PRODUCT, "schema:hasCertification") == [certificate]
    for name, value in {
        "gs1:certificationStandard": Literal("USDA Organic", lang="en"),
        "gs1:certificationAgency": Literal("Oregon Tilth", lang="und"),
        "gs1:certificationIdentification": Literal("8150000123"),
        "gs1:certificationStatus": URIRef(GS1["namespace"] + "CertificationStatus-ACTIVE"),
        "schema:certificationStatus": URIRef("https://schema.org/CertificationActive"),
        "gs1:certificationStartDate": Literal("2025-07-01", datatype=XSD.date),
        "gs1:certificationEndDate": Literal("2027-03-31", datatype=XSD.date),
        "schema:expires": Literal("2027-03-31", datatype=XSD.date),
        "gs1:initialCertificationDate": Literal("2019-06-01", datatype=XSD.date),
        "schema:auditDate": Literal("2025-05-02", datatype=XSD.date),
        "gs1:certificationURI": Literal("https://organic.ams.usda.gov/integrity/8150000123", datatype=XSD.anyURI),
    }.items():
        assert values(graph, certificate, name) == [value], name
    countries = values(graph, certificate, "schema:validIn")
    assert sorted(str(name) for node in countries for name in graph.objects(node)) == [
        "CA",
        "US",
        "https://schema.org/Country",
        "https://schema.org/Country",
    ]
    assert values(graph, PRODUCT, "gs1:packagingMarkedFreeFrom") == [
        URIRef(GS1["namespace"] + "PackagingMarkedFreeFromCode-FREE_FROM_GLUTEN")
    ]


def test_nothing_but_the_context_has_to_be_read_to_understand_it() -> None:
    (node,) = expanded(sent(product_document(WHOLE, [CERTIFICATE], [], TODAY)))
    assert node["@id"] == PRODUCT
    assert {name.rpartition("/")[0] for name in node if not name.startswith("@")} == {
        "https://ref.gs1.org/voc",
        "https://schema.org",
    }


def test_evidence_and_notes_stay_here() -> None:
    text = sent(product_document(WHOLE, [CERTIFICATE], [claimed("VEGAN")], TODAY)).decode()
    assert "evidence" not in text.lower()
    assert "A report." not in text
    assert "ours" not in text


def test_what_nobody_recorded_is_left_out() -> None:
    bare = msgspec.structs.replace(product(), name="", brand="", country_of_origin="")
    document = product_document(bare, [held()], [], TODAY)
    judge(graph_of(sent(document)))
    assert document.keys() == {
        "@context", "@id", "@type", "gs1:gtin", "schema:gtin", "gs1:certification", "schema:hasCertification",
    }  # fmt: skip
    assert certificate_of(document).keys() == {
        "@id", "@type", "gs1:certificationStandard", "schema:name", "schema:dateModified",
    }  # fmt: skip


@pytest.mark.parametrize("status", ["verified", "unverified"])
@pytest.mark.parametrize(
    ("halts", "is_halted"),
    [
        ({"suspended_from": date(2026, 11, 22)}, True),
        ({"suspended_from": date(2026, 11, 1), "suspended_until": date(2026, 11, 21)}, False),
        ({"withdrawn_on": date(2026, 11, 22)}, True),
        ({"withdrawn_on": date(2026, 11, 23)}, False),
    ],
)
def test_what_is_suspended_or_withdrawn_is_inactive(halts: dict[str, Any], is_halted: bool, status: str) -> None:
    certificate = held(status=VerificationStatus(status), **halts)
    document = product_document(product(), [certificate], [], date(2026, 11, 22))
    judge(graph_of(sent(document)))
    node = certificate_of(document)
    told = "INACTIVE" if is_halted else "ACTIVE" if status == "verified" else None
    assert node.get("gs1:certificationStatus") == (told and f"gs1:CertificationStatus-{told}")


@pytest.mark.parametrize(
    ("status", "days", "told"),
    [
        ("verified", (None, None), "ACTIVE"),
        ("verified", (date(2026, 11, 22), date(2026, 11, 22)), "ACTIVE"),
        ("verified", (None, date(2026, 11, 21)), "INACTIVE"),
        ("verified", (date(2026, 11, 23), None), "INACTIVE"),
        ("expired", (None, None), "INACTIVE"),
        ("unverified", (None, None), None),
        ("unverified", (None, date(2027, 1, 1)), None),
        ("unverified", (None, date(2026, 11, 21)), "INACTIVE"),
    ],
)
def test_a_certificate_is_active_where_it_was_verified_and_its_dates_hold(
    status: str, days: tuple[date | None, date | None], told: str | None
) -> None:
    certificate = held(valid_from=days[0], expiration_date=days[1], status=VerificationStatus(status))
    document = product_document(product(), [certificate], [], TODAY)
    judge(graph_of(sent(document)))
    expected = None if told is None else f"gs1:CertificationStatus-{told}"
    assert certificate_of(document).get("gs1:certificationStatus") == expected


def test_a_claim_that_is_not_made_today_is_left_out() -> None:
    over, early = claimed("VEGAN", expiration_date=date(2026, 11, 21)), claimed("KOSHER", valid_from=date(2026, 12, 1))
    document = product_document(product(), [], [over, early, claimed("HALAL")], TODAY)
    judge(graph_of(sent(document)))
    assert [entry["schema:propertyID"] for entry in document["schema:additionalProperty"]] == ["HALAL"]
    assert document["gs1:dietCode"] == [{"@type": "gs1:DietTypeCodeDetails", "gs1:dietType": "gs1:DietTypeCode-HALAL"}]


def test_every_claim_of_the_catalogue_is_told_with_codes_that_exist() -> None:
    codes = [entry["code"] for entry in json.loads(CATALOGUE.read_text("utf-8"))["claims"]]
    document = product_document(product(), [], [claimed(code) for code in codes], TODAY)
    assert len(document["schema:additionalProperty"]) == len(codes)
    judge(graph_of(sent(document)))


def test_of_several_codes_of_one_list_none_is_chosen() -> None:
    assert codes_of("LACTOSE_FREE") == ("PackagingMarkedFreeFromCode-FREE_FROM_LACTOSE",)
    assert [list_of(code) for code in codes_of("ORGANIC")] == [
        "DietTypeCode", "GrowingMethodCode", "PackagingMarkedDietAllergenCode",
    ]  # fmt: skip
    assert codes_of("OUR_OWN") == ()


def test_a_report_for_gs1_us_has_what_its_schema_requires() -> None:
    document = report(WHOLE, [CERTIFICATE], TODAY)
    judge(graph_of(sent(document)))
    assert document | {"@context": None} == {
        "@context": None,
        "id": f"{PRODUCT}#2026-11-22",
        "type": "CertificationReport",
        "issueDate": TODAY,
        "products": [
            {
                "id": PRODUCT,
                "type": "Product",
                "gtin": GTIN,
                "name": "Oat drink",
                "description": "Without gluten.",
                "certificationInfo": [
                    {
                        "id": certificate_of(product_document(WHOLE, [CERTIFICATE], [], TODAY))["@id"],
                        "type": "CertificationDetails",
                        "agency": "Oregon Tilth",
                        "program": "USDA Organic",
                        "standard": "USDA Organic",
                        "status": "ACTIVE",
                        "certificateId": "8150000123",
                        "value": "100% Organic",
                        "startDate": date(2025, 7, 1),
                        "endDate": date(2027, 3, 31),
                        "auditDate": date(2025, 5, 2),
                        "initialCertificationDate": date(2019, 6, 1),
                        "lastUpdateDate": NOON.date(),
                        "certificationURI": "https://organic.ams.usda.gov/integrity/8150000123",
                        "targetCountries": [
                            {"type": "Country", "countryCode": "840"},
                            {"type": "Country", "countryCode": "124"},
                        ],
                    }
                ],
            }
        ],
    }


def test_what_gs1_us_requires_and_nobody_knows_leaves_a_certificate_out() -> None:
    unverified = msgspec.structs.replace(CERTIFICATE, verification_status=VerificationStatus.UNVERIFIED)
    nobody = msgspec.structs.replace(CERTIFICATE, issuing_body="")
    assert report(WHOLE, [unverified, nobody], TODAY)["products"] == []
