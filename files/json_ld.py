"""Products with what they hold and claim as JSON-LD: the GS1 Web Vocabulary and schema.org in one document.

The context is in the document, so that nobody has to ask the network what it means. docs/json-ld.md has the mapping,
and what is left out: dates that nobody recorded, evidence, metadata and what a claim's dates rule out today.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from domain.certificates import stands
from domain.gtin import Gtin
from domain.records import Certification, CertificationAssignment, ClaimAssignment, Product
from domain.short_id import ShortId, decode
from domain.validity import certificate_is_active, standing
from domain.vocabulary import Standing
from files.claim_codes import DIETS, PROPERTIES, codes_of, list_of

Node = dict[str, Any]

_DATE = {"@type": "xsd:date"}
_IRI = {"@type": "@id"}

CONTEXT: Node = {
    "gs1": "https://ref.gs1.org/voc/",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    **{f"gs1:{name}": _DATE for name in ("certificationAuditDate", "certificationEndDate", "certificationStartDate")},
    "gs1:initialCertificationDate": _DATE,
    "gs1:certificationURI": {"@type": "xsd:anyURI"},
    **{f"schema:{name}": _DATE for name in ("auditDate", "dateModified", "datePublished", "expires", "validFrom")},
    **{f"gs1:{name}": _IRI for name in ("certificationAgencyURL", "certificationStatus")},
    **{f"gs1:{name}": _IRI for name in ("dietType", *PROPERTIES.values())},
    **{f"schema:{name}": _IRI for name in ("certificationStatus", "hasCertification", "image", "logo", "url")},
}
"""What names and values mean, in every document."""

UNKNOWN = "und"
"""The language of what its author wrote in a language that nobody recorded (BCP 47)."""


def product_document(
    product: Product, held: Sequence[CertificationAssignment], claimed: Sequence[ClaimAssignment], today: date
) -> Node:
    """The document of one product with what it holds, and what it claims on that day."""
    return {"@context": CONTEXT, **product_node(product, held, claimed, today)}


def product_node(
    product: Product, held: Sequence[CertificationAssignment], claimed: Sequence[ClaimAssignment], today: date
) -> Node:
    """The same as part of a document."""
    node = {
        **_named(product.gtin),
        **_said("gs1:productName", "schema:name", product.name),
        **_said("gs1:productDescription", "schema:description", product.description),
    }
    if product.brand:
        node["gs1:brand"] = {"@type": "gs1:Brand", "gs1:brandName": _text(product.brand)}
        node["schema:brand"] = {"@type": "schema:Brand", "schema:name": product.brand}
    if product.manufacturer:
        node["gs1:manufacturer"] = {"@type": "gs1:Organization", "gs1:organizationName": _text(product.manufacturer)}
        node["schema:manufacturer"] = {"@type": "schema:Organization", "schema:name": product.manufacturer}
    if product.country_of_origin:
        node["gs1:countryOfOrigin"] = {"@type": "gs1:Country", "gs1:countryCode": product.country_of_origin}
        node["schema:countryOfOrigin"] = _country(product.country_of_origin)
    if product.image_url:
        node["schema:image"] = product.image_url
    return node | _held(held, today) | _claims(claimed, today)


def certification_node(held: CertificationAssignment, today: date) -> Node:
    """What a product holds, without the product."""
    definition = held.certification
    language = "en" if definition.organization_id is None else UNKNOWN
    node: Node = {
        "@id": assignment_iri(held.id),
        "@type": ["gs1:CertificationDetails", "schema:Certification"],
        "gs1:certificationStandard": _text(definition.standard or definition.label, language),
        "schema:name": definition.label,
        **_agency(held, definition, language),
        **_both("gs1:certificationIdentification", "schema:certificationIdentification", held.certificate_number),
        **_both("gs1:certificationStartDate", "schema:validFrom", held.valid_from),
        **_both("gs1:certificationEndDate", "schema:expires", held.lapses_on),
        **_both("gs1:certificationAuditDate", "schema:auditDate", held.audit_date),
        **_both("gs1:initialCertificationDate", "schema:datePublished", held.initial_certification_date),
        **_both("gs1:certificationURI", "schema:url", held.verification_url),
        **_said("gs1:certificationStatement", "schema:description", held.scope),
        "schema:dateModified": held.updated_at.date(),
    }
    if held.certification_value:
        node["gs1:certificationValue"] = _text(held.certification_value)
        node["schema:certificationRating"] = {"@type": "schema:Rating", "schema:ratingValue": held.certification_value}
    if definition.logo_url:
        node["schema:logo"] = definition.logo_url
    if held.certificate_countries:
        node["schema:validIn"] = [_country(code) for code in held.certificate_countries]
    status = certificate_is_active(held.verification_status, stands(held, today))
    if status is not None:
        node["gs1:certificationStatus"] = f"gs1:CertificationStatus-{'ACTIVE' if status else 'INACTIVE'}"
        node["schema:certificationStatus"] = f"schema:Certification{'Active' if status else 'Inactive'}"
    return node


def holder_node(gtin: Gtin, held: Sequence[CertificationAssignment], today: date) -> Node:
    """A product of which nothing but its GTIN is told, with what it holds."""
    return _named(gtin) | _held(held, today)


def claimant_node(gtin: Gtin, claimed: Sequence[ClaimAssignment], today: date) -> Node:
    """A product of which nothing but its GTIN is told, with what it claims on that day."""
    return _named(gtin) | _claims(claimed, today)


def _named(gtin: Gtin) -> Node:
    return {"@id": product_iri(gtin), "@type": ["gs1:Product", "schema:Product"], "gs1:gtin": gtin, "schema:gtin": gtin}


def _held(held: Sequence[CertificationAssignment], today: date) -> Node:
    if not held:
        return {}
    return {
        "gs1:certification": [certification_node(item, today) for item in held],
        "schema:hasCertification": [assignment_iri(item.id) for item in held],
    }


def product_iri(gtin: str) -> str:
    """The product's name: its GS1 Digital Link."""
    return f"https://id.gs1.org/01/{gtin}"


def assignment_iri(id: ShortId) -> str:
    """The name of what a product holds, wherever this gateway is served."""
    return f"urn:uuid:{decode(id)}"


def _claims(claimed: Iterable[ClaimAssignment], today: date) -> Node:
    node: Node = {}
    for item in claimed:
        if standing(item.valid_from, item.lapses_on, today) is not Standing.CURRENT:
            # Neither vocabulary can say until when a claim is made.
            continue
        value = {
            "@type": "schema:PropertyValue",
            "schema:propertyID": item.claim.code,
            "schema:name": item.claim.label,
            "schema:value": True,
        }
        node.setdefault("schema:additionalProperty", []).append(value)
        for code in codes_of(item.claim.code):
            if list_of(code) == DIETS:
                diet = {"@type": "gs1:DietTypeCodeDetails", "gs1:dietType": f"gs1:{code}"}
                node.setdefault("gs1:dietCode", []).append(diet)
            else:
                node.setdefault(f"gs1:{PROPERTIES[list_of(code)]}", []).append(f"gs1:{code}")
    return node


def _agency(held: CertificationAssignment, definition: Certification, language: str) -> Node:
    """Who owns the mark, or else who issued the certificate, as it is recorded."""
    body = definition.body
    if body is None:
        if not held.issuing_body:
            return {}
        return {
            "gs1:certificationAgency": _text(held.issuing_body),
            "schema:issuedBy": {"@type": "schema:Organization", "schema:name": held.issuing_body},
        }
    node: Node = {
        "gs1:certificationAgency": _text(body.name, language),
        "schema:issuedBy": {"@type": "schema:Organization", "schema:name": body.name},
    }
    if body.website:
        node["gs1:certificationAgencyURL"] = node["schema:issuedBy"]["schema:url"] = body.website
    return node


def _text(value: str, language: str = UNKNOWN) -> Node:
    return {"@value": value, "@language": language}


def _said(of_gs1: str, of_schema: str, value: str) -> Node:
    return {of_gs1: _text(value), of_schema: value} if value else {}


def _both(of_gs1: str, of_schema: str, value: str | date | None) -> Node:
    return {of_gs1: value, of_schema: value} if value else {}


def _country(code: str) -> Node:
    return {"@type": "schema:Country", "schema:name": code}
