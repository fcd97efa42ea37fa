"""What is asked, in words: descriptions and examples of parameters and body members for the OpenAPI document.

Types, limits and patterns come from the commands themselves, so that they cannot differ from what is enforced.
Examples name what the demo has, or for a POST what it does not have yet, so that each operation runs as it is shown.
"""

from typing import Any, NamedTuple

from domain.short_id import catalogue_id

EXAMPLE_KEY = catalogue_id("api-key", "to try out")
"""The id of the demo's key that can be changed and revoked without losing anything."""

_DEMO = catalogue_id("organization", "demo")
_BODY = catalogue_id("certification-body", "USDA_NOP")
_CERTIFICATION = catalogue_id("certification", "USDA_ORGANIC")
_CLAIM = catalogue_id("claim", "WHOLE_GRAIN")


class Words(NamedTuple):
    """What is said of a member: what it means, and a value that it may have."""

    description: str
    example: Any = None


_PART = "Only those that have this text in their {}, whatever the case."
_CODE = "Only the one with this code, whatever the case."
_NULL_CLEARS = "`null` clears it."

MEMBERS: dict[str, Words] = {
    "gtin": Words(
        "The product's GTIN: 8 to 14 digits, padded with zeros on the left to 14. A number that no product has is"
        " answered with 404.",
        "09520000000059",
    ),
    "certification_id": Words("The id of the certification's definition.", _CERTIFICATION),
    "claim_id": Words("The id of the claim's definition.", _CLAIM),
    "organization_id": Words("The id of an organisation.", _DEMO),
    "certification_body_id": Words("Only those of the body with this id.", _BODY),
    "page": Words("Which page, from 1. A page beyond the end is empty.", 1),
    "page_size": Words("How many items a page has.", 25),
    "ordering": Words("By which member to sort; a hyphen before it reverses. What is unknown comes last either way."),
    "name": Words(_PART.format("name"), "fair trade"),
    "label": Words(_PART.format("label"), "organic"),
    "code": Words(_CODE, "USDA_ORGANIC"),
    "category": Words("Only those of this category.", "DIETARY"),
    "is_active": Words("Only those that are valid today (`true`) or are not (`false`)."),
    "metadata": Words(
        "Text under keys of your own, at most 50 of them. Keys that are sent are set, the others stay; a value that is"
        " empty or `null` deletes its key; `{}` or `null` as a whole clears everything.",
        {"order_id": "6735"},
    ),
    "source": Words("Who stands behind the claim.", "BRAND_SELF_DECLARED"),
    "valid_from": Words(f"First day of validity. {_NULL_CLEARS}", "2024-01-01"),
    "expiration_date": Words(f"Last day of validity; not before the first. {_NULL_CLEARS}", "2027-12-31"),
    "evidence_url": Words(
        "An http or https URL of what supports the claim, or an empty text. Stored, but never shown to readers.",
        "https://example.org/report.pdf",
    ),
    "evidence_note": Words(
        "What is to be said about the evidence. Stored, but never shown to readers.", "Lab report 7"
    ),
    "expiry_date": Words(f"The expiry printed on the certificate. {_NULL_CLEARS}", "2027-12-31"),
    "certificate_number": Words("The certificate's number. An empty text clears it.", "NOP-12345"),
    "issuing_body": Words("Who issued the certificate, in free text. An empty text clears it.", "Oregon Tilth"),
    "verification_url": Words(
        "An http or https URL where the certificate can be looked up; an empty text clears it.",
        "https://example.org/registry/NOP-12345",
    ),
    "verification_status": Words("How far the certificate was confirmed against its issuer's registry.", "verified"),
    "scope": Words("What the certificate covers. An empty text clears it.", "Product"),
    "certification_value": Words("The result or level. An empty text clears it.", "Grade A"),
    "audit_date": Words(f"Day of the audit. {_NULL_CLEARS}", "2025-11-03"),
    "initial_certification_date": Words(f"Day of the first grant. {_NULL_CLEARS}", "2019-06-01"),
    "certificate_countries": Words(
        "Where the certificate is valid: ISO 3166-1 alpha-2 codes, upper case. `[]` clears them.", ["US", "CA"]
    ),
    "product_name": Words("The product's name.", "Demo rolled oats, fine"),
    "brand": Words("The product's brand.", "Demo Acre"),
    "manufacturer": Words("Who makes the product.", "Demo Acre Mills"),
    "description": Words("What the product is.", "Oats, steamed and rolled."),
    "country_of_origin": Words("ISO 3166-1 alpha-2 code, upper case; an empty text for none.", "US"),
    "net_content": Words("How much is in it, as printed.", "500 g"),
    "ingredients": Words("What is in it, as printed.", "Whole grain oats"),
    "image_url": Words("An http or https URL of a picture, or an empty text.", "https://example.org/oats.jpg"),
    "q": Words("Only those that have this text in their name, brand or GTIN.", "oat"),
    "category_id": Words("Only those of this category. Categories are not recorded here, so none matches.", "1234"),
    "is_claimed": Words("Only those that an organisation owns (`true`), or that none does (`false`)."),
    "data_source": Words("Only those whose record came from this source.", "claimed"),
    "key_id": Words("The id of an API key, as the list shows it; not the key.", EXAMPLE_KEY),
    "role": Words("What the key may do: `readonly` reads, `editor` writes too, `manager` manages keys too.", "editor"),
    "kind": Words(
        "`csb` for a server, `csu` for yourself, `cpk` for a browser, which never writes and sees nothing private.",
        "csb",
    ),
    "expires_at": Words("From when on the key is refused, with an offset; `null`: never.", "2099-12-31T12:00:00+00:00"),
}
"""Member -> its words, wherever the member appears."""

ELSEWHERE: dict[tuple[str, str], Words] = {
    ("GetCertificationBody", "id"): Words("The id of the body, as lists show it.", _BODY),
    ("GetCertification", "id"): Words("The id of the definition, as lists show it.", _CERTIFICATION),
    ("GetClaim", "id"): Words("The id of the definition, as lists show it.", _CLAIM),
    ("Export", "format"): Words(
        "In which form the file is. Without it `Accept` decides, and CSV is sent where that asks for nothing else."
    ),
    ("Export", "where"): Words(
        "Which of them, as one JSON object. Its members and operators are those of the list's `where` in GraphQL,"
        " spelled as there or with underscores.",
        '{"gtin": {"eq": "09520000000059"}}',
    ),
    ("Export", "excel"): Words(
        "Whether the CSV is to be opened in Excel: with a byte order mark, and GTINs and numbers as texts."
    ),
    ("GetCertifiedProduct", "format"): Words(
        "In which form to answer. Without it `Accept` decides, and JSON is answered where that asks for nothing else."
    ),
    ("ListClaims", "label"): Words(_PART.format("label"), "grain"),
    ("ListClaims", "code"): Words(_CODE, "WHOLE_GRAIN"),
    ("AssignCertification", "certification_id"): MEMBERS["certification_id"]._replace(
        example=catalogue_id("certification", "NON_GMO_PROJECT")
    ),
    ("AssignClaim", "claim_id"): MEMBERS["claim_id"]._replace(example=catalogue_id("claim", "NON_GMO")),
    **{
        (command, member): said
        for command in ("CreateApiKey", "PatchApiKey")
        for member, said in (
            ("name", Words("What the key is called.", "The shop")),
            ("description", Words("What the key is for.", "Reads certifications for the shop's pages.")),
        )
    },
    ("ListTradeItems", "brand"): Words("Only those of this brand, whatever the case.", "Demo Acre"),
    ("ListTradeItems", "country_of_origin"): Words("Only those from this country, an ISO 3166-1 alpha-2 code.", "US"),
    ("ListProducts", "organization_id"): Words("The organisation whose products are listed.", _DEMO),
    ("CreateProduct", "organization_id"): Words(
        "The organisation that will own the product: the credential's own, which is also meant when this is left out.",
        _DEMO,
    ),
    ("CreateProduct", "gtin"): Words(
        "The GTIN: 8, 12, 13 or 14 digits with a right check digit; hyphens and blanks are ignored.", "09520000000110"
    ),
}
"""(command, member) -> its words, where they differ from the member's usual ones."""


def words(command: str, member: str) -> Words:
    """What is said of a member of a command. Raises `KeyError` where nobody has said anything yet."""
    return ELSEWHERE.get((command, member)) or MEMBERS[member]
