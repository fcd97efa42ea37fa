"""What is asked, in words: descriptions and examples of parameters and body members for the OpenAPI document.

Types, limits and patterns come from the commands themselves, so that they cannot differ from what is enforced; what is
said of a record's members comes from the record.
Examples name what the demo has, or for a POST what it does not have yet, so that each operation runs as it is shown.
"""

import json
from typing import Any, NamedTuple

from domain.patch import Null
from domain.short_id import catalogue_id
from domain.validation import Command

EXAMPLE_KEY = catalogue_id("api-key", "to try out")
"""The id of the demo's key that can be changed and revoked without losing anything."""

EXAMPLE_MEMBER = catalogue_id("user", "to try out")
EXAMPLE_INVITATION = catalogue_id("invitation", "to try out")
EXAMPLE_SESSION = catalogue_id("session", "to try out")
"""The same of the demo's people."""

EXAMPLE_IMPORT = catalogue_id("import", "to try out")
"""The id of the demo's import."""

EXAMPLE_VIEW = catalogue_id("view", "to try out")
"""The id of the demo's view that can be changed and removed."""

EXAMPLE_CALENDAR = catalogue_id("calendar", "to try out")
"""The id of its calendar."""

EXAMPLE_WEBHOOK = catalogue_id("webhook", "to try out")
"""The id of the demo's webhook, which is not enabled."""

EXAMPLE_FILE = """\
GTIN,Name,Certification,Valid until
09520000000127,Demo rice drink,USDA Organic,2027-12-31
09520000000134,Demo soy drink,Non-GMO Project,2027-12-31
"""
"""A file that can be put into the demo."""

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
    "verification_status": Words("Only those whose certificate was confirmed so far.", "verified"),
    "q": Words("Only those that have this text in their name, brand or GTIN.", "oat"),
    "category_id": Words("Only those of this category. Categories are not recorded here, so none matches.", "1234"),
    "is_claimed": Words("Only those that an organisation owns (`true`), or that none does (`false`)."),
    "data_source": Words("Only those whose record came from this source.", "claimed"),
    "user_id": Words("The id of a person, as the list of members shows it.", EXAMPLE_MEMBER),
    "invitation_id": Words("The id of an invitation, as the list shows it.", EXAMPLE_INVITATION),
    "session_id": Words("The id of a session, as the list shows it.", EXAMPLE_SESSION),
    "calendar_id": Words("The id of a calendar, as the list shows it.", EXAMPLE_CALENDAR),
    "webhook_id": Words("The id of a webhook, as the list shows it.", EXAMPLE_WEBHOOK),
    "view_id": Words("The id of a saved view, as the list shows it.", EXAMPLE_VIEW),
    "key_id": Words("The id of an API key, as the list shows it; not the key.", EXAMPLE_KEY),
}
"""Member -> its words, wherever it appears and is none of a record."""

ELSEWHERE: dict[tuple[str, str], Words] = {
    ("GetCertificationBody", "id"): Words("The id of the body, as lists show it.", _BODY),
    ("GetCertification", "id"): Words("The id of the definition, as lists show it.", _CERTIFICATION),
    ("GetImport", "id"): Words("The id of the import, as lists show it.", EXAMPLE_IMPORT),
    ("GetImportReport", "id"): Words("The id of the import, as lists show it.", EXAMPLE_IMPORT),
    ("ListImportedRows", "id"): Words("The id of the import, as lists show it.", EXAMPLE_IMPORT),
    ("GetClaim", "id"): Words("The id of the definition, as lists show it.", _CLAIM),
    ("Export", "format"): Words(
        "In which form the file is. Without it `Accept` decides, and CSV is sent where that asks for nothing else."
    ),
    ("Export", "where"): Words(
        "Which of them, as one JSON object. Its members and operators are those of the list's `where` in GraphQL,"
        " spelled as there or with underscores.",
        '{"gtin": {"eq": "09520000000059"}}',
    ),
    ("Export", "view"): Words("Only those of the saved view with this id, which is of the same list."),
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
    **{
        (f"{act}Certification{what}", "certification_id"): MEMBERS["certification_id"]._replace(
            example=catalogue_id("certification", "GFCO")
        )
        for act, what in (("Get", "Acknowledgement"), ("Acknowledge", ""), ("Unacknowledge", ""))
    },
    **{
        (f"{act}Claim{what}", "claim_id"): MEMBERS["claim_id"]._replace(example=catalogue_id("claim", "HIGH_FIBRE"))
        for act, what in (("Get", "Acknowledgement"), ("Acknowledge", ""), ("Unacknowledge", ""))
    },
    ("AssignClaim", "claim_id"): MEMBERS["claim_id"]._replace(example=catalogue_id("claim", "NON_GMO")),
    ("ListTradeItems", "brand"): Words("Only those of this brand, whatever the case.", "Demo Acre"),
    ("ListTradeItems", "country_of_origin"): Words("Only those from this country, an ISO 3166-1 alpha-2 code.", "US"),
    ("ListProducts", "organization_id"): Words("The organisation whose products are listed.", _DEMO),
    ("PatchView", "name"): Words(
        "Another name, which no other view of the organisation has; at most 255 characters. `null` leaves it as it is.",
        "Ours, lapsing soon",
    ),
    ("CreateProduct", "organization_id"): Words(
        "The organisation that will own the product: the credential's own, which is also meant when this is left out.",
        _DEMO,
    ),
    ("CreateProduct", "gtin"): Words(
        "The GTIN: 8, 12, 13 or 14 digits with a right check digit; hyphens and blanks are ignored.", "09520000000110"
    ),
}
"""(command, member) -> its words, where they differ from the member's usual ones."""


def words(command: type[Command], name: str) -> Words:
    """What is said of a member of a command: here, by the record that it is of, or by the command itself."""
    if (command.__name__, name) in ELSEWHERE:
        return ELSEWHERE[command.__name__, name]
    member = getattr(command, "given", {}).get(name)
    if member is None:
        own = command.model_fields[name]
        return MEMBERS.get(name) or Words(own.description or "", next(iter(own.examples or ()), None))
    null = getattr(command, "nulls", {}).get(name)
    text = member.for_writers(patch=null is not None)
    return Words(f"{text} {_meaning(null)}".rstrip() if null else text, member.said.example)


def _meaning(null: Null) -> str:
    if null.policy == "unchanged":
        return "An empty value clears it, `null` leaves it as it is."
    if null.policy == "refused":
        return ""
    empty = "" if null.value is None else f"`{json.dumps(null.value)}` or "
    return f"{empty}`null` clears it."
