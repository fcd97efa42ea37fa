"""The lists: what each can be narrowed down by, and what it can be ordered by.

This is all that is said of a filter or an order: faces make their inputs of it, with these words, and `db` its
conditions and orders. Members are those of the records, or columns that stand for them. A filter of a long list needs
an index in `db.sql.tables`.
"""

from datetime import date, datetime
from operator import attrgetter
from typing import NamedTuple

from domain import records
from domain.filter_input import (
    BRAND,
    COUNTRIES,
    COUNTRY,
    DATE,
    GTIN,
    ID,
    KIND,
    MOMENT,
    NAME,
    PRESENCE,
    PRODUCT_NAME,
    TEXT,
    Fields,
    Filter,
    acknowledged,
    active,
    compared,
    entry,
    flag,
    having,
    inside,
    mine,
    one_of_the,
    referring,
    search,
    standing,
    within,
)
from domain.filters import ARCHIVED, Condition
from domain.paging import (
    AssignmentOrderField,
    BodyOrderField,
    ClaimAssignmentOrderField,
    DefinitionOrderField,
    Orders,
    Place,
    ProductOrderField,
    at,
    at_folded,
)
from domain.text import fold, search_text
from domain.vocabulary import ClaimCategory, ClaimSource, DataSource, VerificationStatus, Vocabulary


class List(NamedTuple):
    """A list of records: its filters and its orders."""

    record: type
    called: str
    """What faces call the records."""
    fields: Fields
    orders: Orders


def _archived(words: str) -> Filter:
    return flag(lambda value: Condition(ARCHIVED, "known" if value else "null"), words)


_UPDATED = compared("updated_at", MOMENT, "When it last changed.")
_METADATA = entry(
    "metadata", "It has this entry in its metadata, empty on products of others. Not with a publishable key."
)
_CODE = (at_folded("code"), at("id"))
_LABEL = (at_folded("label"), at("id"))
_DEFINITION_ORDERS: dict[Vocabulary, tuple[Place, ...]] = {
    DefinitionOrderField.LABEL: _LABEL,
    DefinitionOrderField.CODE: _CODE,
}
_CODED = {
    "id": compared("id", ID, "Its id."),
    "code": compared("code", NAME, "Its code."),
}
_NAMED = {
    **_CODED,
    "label": compared("label", NAME, "Its label."),
}

BODIES = List(
    records.CertificationBody,
    "certification bodies",
    {
        **_CODED,
        "name": compared("name", NAME, "Its name."),
        "country": compared("country", COUNTRY, "The country of its seat."),
        "kind": compared("kind", KIND, "Its kind, for example `CERTIFIER`."),
    },
    Orders("certificationBodies", {BodyOrderField.NAME: (at_folded("name"), at("id")), BodyOrderField.CODE: _CODE}),
)

_of_body = referring(
    "body",
    BODIES.fields,
    "The body that owns or runs the certification; one without a body matches nothing here, not even `{}`.",
    optional=True,
)

CERTIFICATIONS = List(
    records.Certification,
    "certifications",
    {
        **_NAMED,
        "body": _of_body,
        "is_private": flag(
            lambda value: Condition("organization_id", "known" if value else "null"),
            "Whether only your organisation can see it.",
        ),
    },
    Orders("certifications", _DEFINITION_ORDERS),
)

CLAIMS = List(
    records.Claim,
    "claims",
    {
        **_NAMED,
        "category": compared("category", one_of_the(ClaimCategory), "What the claim is about."),
        "requires_definition": flag(
            lambda value: Condition("requires_definition", "eq", value),
            "Whether a brand should say what it means by it.",
        ),
    },
    Orders("claims", _DEFINITION_ORDERS),
)


def _assignments(
    record: type, definition: str, lapse: Place, order: type[Vocabulary], own: Fields, *, halts: bool = False
) -> List:
    """Assignments of such definitions: what is said of either kind, and between it the kind's own.

    `halts`: whether they are suspended and withdrawn.
    """
    key = (at("gtin"), Place(f"{definition}_id", attrgetter(f"{definition}.id")))
    firsts = {"lapses_on": lapse, "updated_at": at("updated_at", datetime), "issuing_body": at("issuing_body")}
    orders: dict[Vocabulary, tuple[Place, ...]] = {
        by: key if by.value == "gtin" else (firsts.get(by.value) or at(by.value, date | None), *key) for by in order
    }
    fields = {
        "id": compared("id", ID, "The id of the assignment."),
        "gtin": compared("gtin", GTIN, "The GTIN of the product, 8 to 14 digits."),
        **own,
        "valid_from": compared("valid_from", DATE, "The first day of validity."),
        "expiration_date": compared("expiration_date", DATE, "The last day of validity."),
        "lapses_on": compared(lapse.name, DATE, "The last day on which it holds."),
        "lapses_within": within(lapse.name, "The last day on which it holds is today or comes within so many days."),
        "expiring_within": within(lapse.name, "The same as `lapsesWithin`."),
        "standing": standing(lapse.name, "How it stands on a day.", halts=halts),
        "acknowledged": acknowledged(
            "Whether somebody has taken its lapse on, until today or later; never on products of others. Not with a"
            " publishable key."
        ),
        "brand": compared("folded_brand", BRAND, "The brand of the product."),
        "organization": compared("organization_id", ID, "The organisation that owns the product."),
        "mine": mine("Whether an organisation of yours owns the product."),
        "active_on": active("It holds on this day, as `isActive` says.", halts=halts),
        "updated_at": _UPDATED,
        "metadata": _METADATA,
        "is_archived": _archived("Whether its product is archived; those of archived products are left out otherwise."),
    }
    return List(record, f"{definition} assignments", fields, Orders(f"{definition}Assignments", orders))


_EXPIRATION = at("expiration_date", date | None)

CERTIFICATION_ASSIGNMENTS = _assignments(
    records.CertificationAssignment,
    "certification",
    at("lapses_on", date | None, ("expiration_date", "expiry_date", "withdrawn_on")),
    AssignmentOrderField,
    {
        "certification": referring("certification", CERTIFICATIONS.fields, "The certification that is held."),
        "body": inside("certification", _of_body),
        "certificate_number": compared("certificate_number", TEXT, "The number of the certificate."),
        "verification_status": compared(
            "verification_status", one_of_the(VerificationStatus), "How far it has been confirmed."
        ),
        "country": compared("certificate_countries", COUNTRIES, "The countries in which it is valid."),
        "issuing_body": compared("issuing_body", TEXT, "Who issued the certificate, as the brand writes it."),
        "expiry_date": compared("expiry_date", DATE, "The expiry that is printed on the certificate."),
        "audit_date": compared("audit_date", DATE, "The day of the audit."),
        "verification_url": compared(
            "verification_url",
            PRESENCE,
            "Where the certificate can be looked up; every assignment that the rest leaves is read.",
        ),
    },
    halts=True,
)

_EVIDENCE = "Not with a publishable key; every assignment that the rest leaves is read."

CLAIM_ASSIGNMENTS = _assignments(
    records.ClaimAssignment,
    "claim",
    # No other end of a claim is recorded.
    _EXPIRATION,
    ClaimAssignmentOrderField,
    {
        "claim": referring("claim", CLAIMS.fields, "The claim that is made."),
        "category": inside("claim", CLAIMS.fields["category"]),
        "source": compared("source", one_of_the(ClaimSource), "Who stands behind it."),
        "evidence_url": compared("evidence_url", PRESENCE, f"Where the evidence for it is. {_EVIDENCE}"),
        "evidence_note": compared("evidence_note", PRESENCE, f"Notes on the evidence for it. {_EVIDENCE}"),
    },
)

_GTIN = (at("gtin"),)

PRODUCTS = List(
    records.Product,
    "products",
    {
        "gtin": compared("gtin", GTIN, "Its GTIN, 8 to 14 digits."),
        "id": compared("id", ID, "Its id."),
        "name": compared("search_text", PRODUCT_NAME, "Its name."),
        "brand": compared("folded_brand", BRAND, "Its brand."),
        "search": search(
            "A part of its name, brand or GTIN, whatever the case; every product that the rest leaves is read."
        ),
        "country_of_origin": compared("country_of_origin", COUNTRY, "The country that it comes from."),
        "data_source": compared("data_source", one_of_the(DataSource), "Where its record came from."),
        "organization": compared("organization_id", ID, "The organisation that owns it."),
        "mine": mine("Whether an organisation of yours owns it."),
        "updated_at": _UPDATED,
        "metadata": _METADATA,
        "is_archived": _archived("Whether it is archived; archived products are left out otherwise."),
        "certifications": having(
            "certifications",
            "HeldCertificationsFilter",
            CERTIFICATION_ASSIGNMENTS.fields,
            "What is said of the certifications that it holds, as far as you may see them.",
        ),
        "claims": having(
            "claims", "MadeClaimsFilter", CLAIM_ASSIGNMENTS.fields, "What is said of the claims that it makes."
        ),
    },
    Orders(
        "products",
        {
            ProductOrderField.GTIN: _GTIN,
            ProductOrderField.NAME: (
                Place(
                    "search_text",
                    lambda item: search_text(item.name, item.brand, item.gtin),
                    members=("name", "brand", "gtin"),
                ),
            ),
            ProductOrderField.BRAND: (
                Place("folded_brand", lambda item: fold(item.brand), members=("brand",)),
                *_GTIN,
            ),
            ProductOrderField.UPDATED_AT: (at("updated_at", datetime), *_GTIN),
        },
    ),
)

EVERY = (BODIES, CERTIFICATIONS, CLAIMS, CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, PRODUCTS)
"""A list that others refer to comes before them."""
