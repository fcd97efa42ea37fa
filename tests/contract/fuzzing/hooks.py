"""What schemathesis cannot know: forms that the document names by `format`, and rules between members.

Loaded by schemathesis itself (`SCHEMATHESIS_HOOKS`). `CERTGATE_TEST_KNOWN` holds GTINs and ids that exist, as JSON.
"""

import json
import os
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import schemathesis
from hypothesis import strategies as st
from stdnum.ean import calc_check_digit

from domain.countries import ALPHA2
from domain.short_id import encode
from rest_compat.openapi import PARAMETERS

KNOWN = json.loads(os.environ["CERTGATE_TEST_KNOWN"])
LONGEST = 16 * 1024
"""Bytes of a query, half of what the server takes of all headers."""

# Ids of things that exist, so that answers are not all 404, and any others.
schemathesis.openapi.format(
    "shortuuid", st.one_of(st.sampled_from(KNOWN["ids"]), st.integers(0, 2**128 - 1).map(lambda n: encode(UUID(int=n))))
)
schemathesis.openapi.format("iso-3166-1-alpha-2", st.sampled_from(sorted(ALPHA2)))
schemathesis.openapi.format(
    "gtin", st.integers(1, 10**13 - 1).map(lambda n: f"{n:013}").map(lambda digits: digits + calc_check_digit(digits))
)
_ADDRESSES = st.from_regex(r"\Ahttps?://[a-z0-9]{1,9}(\.[a-z]{2,5}){1,2}(/[A-Za-z0-9._~-]{0,9}){0,3}\Z")
schemathesis.openapi.format("iri", _ADDRESSES)
schemathesis.openapi.format("iri-reference", st.one_of(st.just(""), _ADDRESSES))


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Every other GTIN is one that exists, every other organisation one's own."""
    return _existing(path_parameters)


@schemathesis.hook
def map_query(context: Any, query: dict[str, Any] | None) -> dict[str, Any] | None:
    """The same where the organisation is asked for."""
    return _existing(query)


def _existing(parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    found = parameters or {}
    gtin, organization = found.get("gtin"), found.get("organization_id")
    if isinstance(gtin, str) and gtin.isascii() and gtin.isdigit() and int(gtin) % 2:
        found["gtin"] = KNOWN["gtins"][int(gtin) % len(KNOWN["gtins"])]
    if isinstance(organization, str) and len(organization) == 22 and ord(organization[-1]) % 2:
        found["organization_id"] = KNOWN["organization_id"]
    return parameters


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Mends what JSON Schema cannot forbid, in requests that fit the document."""
    headers = case.headers or {}
    if _fits("Idempotency-Key", headers):
        # The same key with another request is refused, rightly; few that are generated differ.
        headers["Idempotency-Key"] = str(uuid4())
    if case.meta and case.meta.generation.mode.is_positive and "If-Match" in headers and not _fits("If-Match", headers):
        # schemathesis has its own idea of this header and takes texts for valid that the pattern forbids.
        del headers["If-Match"]
    if case.meta and case.meta.generation.mode.is_positive:
        # It takes a JSON text for any text, and what a filter may say and what a view is ordered by is no schema's.
        if "where" in (case.query or {}):
            case.query["where"] = "{}"
        if isinstance(case.body, dict):
            case.body |= {name: value for name, value in (("where", "{}"), ("ordering", "")) if name in case.body}
            if case.path.endswith("/replay"):
                # From a moment or behind a cursor, not both; and no schema's is what a cursor is.
                case.body = {"since_moment": case.body.get("since_moment") or "2026-03-31T12:00:00Z"}
            _mend_halts(case)
            if "/webhooks" in case.path and isinstance(case.body.get("url"), str):
                # Without https it may be only where a setting names networks.
                case.body["url"] = re.sub("^http:", "https:", case.body["url"], flags=re.IGNORECASE)
    if case.path.endswith("/exports/claims") and (case.query or {}).get("format") == "gs1us":
        # GS1 US's profile is of certificates.
        case.query["format"] = "jsonld"
    for name, value in (case.path_parameters or {}).items():
        # It takes names of things in JSON-LD for ids of the API.
        case.path_parameters[name] = re.sub("^urn(:|%3A)uuid(:|%3A)", "", str(value))
    if isinstance(case.body, dict):
        _mend(case.body)


def _fits(name: str, headers: Any) -> bool:
    return bool(re.search(PARAMETERS[name][1]["pattern"], headers.get(name, "")))


def _mend(body: dict[str, Any]) -> None:
    """A validity starts before it ends, counting what is stored; a country exists; a key expires later than now."""
    start, end = body.get("valid_from"), body.get("expiration_date")
    if isinstance(start, str) and isinstance(end, str):
        if start > end:
            body["valid_from"], body["expiration_date"] = end, start
    elif isinstance(start, str) and end is None:
        body["expiration_date"] = start
    elif isinstance(end, str) and start is None:
        body["valid_from"] = end
    countries = body.get("certificate_countries")
    if isinstance(countries, list):
        body["certificate_countries"] = ["US" if _unknown(code) else code for code in countries]
    if _unknown(body.get("country_of_origin")):
        body["country_of_origin"] = "US"
    if isinstance(body.get("expires_at"), str) and body["expires_at"] < "2100":
        body["expires_at"] = "2100-01-01T00:00:00Z"
    if body.get("kind") == "csu":
        # Only a user can make a key that stands for a user.
        body["kind"] = "csb"


def _mend_halts(case: Any) -> None:
    """Of what is held, its days alone are suspended and withdrawn: from the first on, and on the last."""
    named = case.path_parameters or {}
    held = KNOWN["held"].get(f"{str(named.get('gtin')).zfill(14)}/{named.get('certification_id')}")
    if held is None:
        return
    first, last = (day or f"{datetime.now(UTC):%Y-%m-%d}" for day in held)
    if case.path.endswith("/suspend"):
        case.body |= {"suspended_from": first, "suspended_until": None}
    elif case.path.endswith("/withdraw"):
        case.body["withdrawn_on"] = last


def _unknown(code: object) -> bool:
    return isinstance(code, str) and bool(re.fullmatch("[A-Z]{2}", code) and code not in ALPHA2)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whoever revokes the key that asks is not let in again, rightly; nor is an address that no server takes (431)."""
    if len(urlencode(case.query or {})) > LONGEST:
        return False
    return bool((case.path_parameters or {}).get("key_id") != KNOWN["key_id"])
