"""Products with what they hold as GS1 US's Certification Data Model has it, for those who take only that.

Its members are written as its schema has them; the context is ours, because theirs names a prefix that it does not
declare and codes that do not exist. What it requires and nobody recorded leaves a certificate out: its status, which
only a verification or its dates tell, and who stands behind it.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from domain.certificates import stands
from domain.countries import NUMERIC
from domain.records import CertificationAssignment, Product
from domain.validity import certificate_is_active
from files.json_ld import assignment_iri, product_iri

Node = dict[str, Any]

CONTEXT: Node = {
    "gs1": "https://ref.gs1.org/voc/",
    "gs1x": "https://gs1.org/voc/x/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "id": "@id",
    "type": "@type",
    "CertificationReport": "gs1x:CertificationReport",
    "issueDate": {"@id": "gs1x:issueDate", "@type": "xsd:date"},
    "products": "gs1x:products",
    "Product": "gs1:Product",
    "gtin": "gs1:gtin",
    "name": {"@id": "gs1:productName", "@language": "und"},
    "description": {"@id": "gs1:productDescription", "@language": "und"},
    "certificationInfo": "gs1:certification",
    "CertificationDetails": "gs1:CertificationDetails",
    "agency": {"@id": "gs1:certificationAgency", "@language": "und"},
    "agencyURL": {"@id": "gs1:certificationAgencyURL", "@type": "@id"},
    "program": {"@id": "gs1x:certificationProgram", "@language": "und"},
    "standard": {"@id": "gs1:certificationStandard", "@language": "und"},
    "certificateId": "gs1:certificationIdentification",
    "value": {"@id": "gs1:certificationValue", "@language": "und"},
    "startDate": {"@id": "gs1:certificationStartDate", "@type": "xsd:date"},
    "endDate": {"@id": "gs1:certificationEndDate", "@type": "xsd:date"},
    "auditDate": {"@id": "gs1:certificationAuditDate", "@type": "xsd:date"},
    "initialCertificationDate": {"@id": "gs1:initialCertificationDate", "@type": "xsd:date"},
    "lastUpdateDate": {"@id": "gs1x:lastUpdateDate", "@type": "xsd:date"},
    "certificationURI": {"@id": "gs1:certificationURI", "@type": "xsd:anyURI"},
    "status": {
        "@id": "gs1:certificationStatus",
        "@type": "@vocab",
        "@context": {code: f"gs1:CertificationStatus-{code}" for code in ("ACTIVE", "INACTIVE")},
    },
    "targetCountries": "gs1x:certificationApplicableCountries",
    "Country": "gs1:Country",
    "countryCode": "gs1:countryCode",
}


def report_head(id: str, today: date) -> Node:
    """A report without its `products`, under an IRI of its own."""
    return {"@context": CONTEXT, "id": id, "type": "CertificationReport", "issueDate": today}


def product_document(product: Product, held: Sequence[CertificationAssignment], today: date) -> Node:
    """The report on one product. Its `products` are empty where nothing can be said."""
    node = product_node(product.gtin, held, today, product)
    return {**report_head(f"{product_iri(product.gtin)}#{today}", today), "products": [] if node is None else [node]}


def product_node(
    gtin: str, held: Sequence[CertificationAssignment], today: date, product: Product | None = None
) -> Node | None:
    """A product of a report; None where it holds nothing of which all that is required is known."""
    found = [told for item in held if (told := _certification(item, today)) is not None]
    if not found:
        return None
    node: Node = {"id": product_iri(gtin), "type": "Product", "gtin": gtin}
    if product is not None:
        node |= _known(name=product.name, description=product.description)
    return {**node, "certificationInfo": found}


def _certification(held: CertificationAssignment, today: date) -> Node | None:
    definition = held.certification
    agency = definition.body.name if definition.body else held.issuing_body
    active = certificate_is_active(held.verification_status, stands(held, today))
    if active is None or not agency:
        return None
    return {
        "id": assignment_iri(held.id),
        "type": "CertificationDetails",
        "agency": agency,
        "program": definition.program or definition.label,
        "standard": definition.standard or definition.label,
        "status": "ACTIVE" if active else "INACTIVE",
        **_known(
            agencyURL=definition.body.website if definition.body else "",
            certificateId=held.certificate_number,
            value=held.certification_value,
            startDate=held.valid_from,
            endDate=held.lapses_on,
            auditDate=held.audit_date,
            initialCertificationDate=held.initial_certification_date,
            lastUpdateDate=held.updated_at.date(),
            certificationURI=held.verification_url,
            targetCountries=[{"type": "Country", "countryCode": NUMERIC[code]} for code in held.certificate_countries],
        ),
    }


def _known(**members: Any) -> Node:
    return {name: value for name, value in members.items() if value}
