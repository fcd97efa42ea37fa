"""Filters: what is read, how it is negated, and what definitions pass it."""

import json
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.countries import ALPHA2
from domain.errors import InvalidInput
from domain.filter_input import MAX_COMPILED, MAX_CONDITIONS, MAX_DEPTH, MAX_LIST, Filter, parse_where, read_where
from domain.filters import EVERYTHING, NOTHING, Condition, Either, Every, Not, matches, negation, settled, size
from domain.lists import BODIES, CERTIFICATION_ASSIGNMENTS, CERTIFICATIONS, CLAIM_ASSIGNMENTS, CLAIMS, PRODUCTS
from domain.records import Certification, CertificationBody, Claim
from domain.short_id import catalogue_id
from domain.vocabulary import ClaimCategory

TODAY = date(2026, 11, 22)
USDA = CertificationBody(catalogue_id("b", "1"), "USDA", "Department of Agriculture", "", "", None, "US", "AUTHORITY")
ORGANIC = Certification(catalogue_id("c", "1"), "USDA_ORGANIC", "USDA Organic", "", "", None, "", "", None, USDA)
SEAL = Certification(catalogue_id("c", "2"), "", "Straße seal", "", "", None, "", "", catalogue_id("o", "1"), None)


def asked(members: dict[str, Any] | None, fields: Any = CERTIFICATION_ASSIGNMENTS.fields) -> Any:
    return parse_where(fields, members, TODAY)


@pytest.mark.parametrize("members", [None, {}, {"gtin": None}, {"gtin": {}}, {"and": []}, {"certification": {}}])
def test_what_asks_for_nothing_matches_everything(members: Any) -> None:
    assert asked(members) == EVERYTHING


@pytest.mark.parametrize(
    "members",
    [
        {"gtin": {"in": []}},
        {"or": []},
        {"not": {}},
        {"country": {"in": []}},
        {"verification_status": {"eq": "verified"}, "id": {"in": []}},
    ],
)
def test_an_empty_list_matches_nothing(members: Any) -> None:
    assert asked(members) == NOTHING


def test_members_and_operators_must_all_hold() -> None:
    assert asked({"gtin": {"eq": "12345678905", "in": ["12345678905", "00614141123452"]}}) == Every(
        (
            Condition("gtin", "eq", "00012345678905"),
            Condition("gtin", "in", ("00012345678905", "00614141123452")),
        )
    )


def test_a_list_of_one_is_that_one() -> None:
    assert asked({"gtin": {"in": ["12345678905", "00012345678905"]}}) == Condition("gtin", "eq", "00012345678905")


def test_windows_and_days() -> None:
    soon = Every((Condition("lapses_on", "gte", TODAY), Condition("lapses_on", "lte", TODAY + timedelta(60))))
    assert asked({"lapses_within": {"days": 60}}) == asked({"expiring_within": {"days": 60}}) == soon
    assert asked({"active_on": TODAY}) == Every(
        (Condition("active", "on", TODAY), Condition("expiration_date", "open_gte", TODAY))
    )


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"gtin": {"eq": "x"}}, ("where", "gtin", "eq")),
        ({"and": [{}, {"not": {"gtin": {"in": ["12345678905", "12"]}}}]}, ("where", "and", 1, "not", "gtin", "in", 1)),
        ({"id": {"in": ["2" * 22] * (MAX_LIST + 1)}}, ("where", "id", "in")),
        ({"country": {"eq": "us"}}, ("where", "country", "eq")),
        ({"body": {"country": {"eq": "XX"}}}, ("where", "body", "country", "eq")),
        ({"certificate_number": {"starts_with": "\0"}}, ("where", "certificate_number", "starts_with")),
        ({"metadata": {"key": "", "eq": "1"}}, ("where", "metadata", "key")),
        ({"metadata": {"key": "k", "eq": ""}}, ("where", "metadata", "eq")),
        ({"lapses_within": {"days": -1}}, ("where", "lapses_within", "days")),
        ({"expiring_within": {"days": 2**31 - 1}}, ("where", "expiring_within", "days")),
    ],
)
def test_what_is_wrong_is_named(members: Any, path: tuple[str | int, ...]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        asked(members)
    assert [violation.path for violation in refusal.value.violations] == [path]


def test_depth_and_number_are_bounded() -> None:
    deep: dict[str, Any] = {}
    for _ in range(MAX_DEPTH):
        deep = {"not": deep}
    with pytest.raises(InvalidInput, match="flatter"):
        asked(deep)
    assert asked(deep["not"]) in (EVERYTHING, NOTHING)
    with pytest.raises(InvalidInput, match="at most 50 conditions"):
        asked({"or": [{}] * (MAX_CONDITIONS + 1)})
    with pytest.raises(InvalidInput, match="at most 50 conditions"):
        asked({"or": [{"metadata": {"key": "k", "eq": "v"}}] * MAX_CONDITIONS})


def test_a_list_is_one_condition_however_long() -> None:
    codes = sorted(ALPHA2)[:MAX_LIST]
    assert asked({"country": {"in": codes}}) == Condition("certificate_countries", "has_any", tuple(codes))
    assert asked({"country": {"in": ["US", "US"]}}) == Condition("certificate_countries", "has", "US")
    assert size(asked({"not": {"or": [{"country": {"in": codes}}] * 24}})) == 24


# For each kind of member what becomes the most conditions.
LARGEST: list[tuple[Any, dict[str, Any]]] = [
    (CERTIFICATION_ASSIGNMENTS.fields, {"expiration_date": {"range": {"from": TODAY}}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"expiration_date": {"range": {"from": TODAY, "to": TODAY}}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"not": {"active_on": TODAY}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"expiring_within": {"days": 9}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"country": {"in": ["US", "DE", "FR"]}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"certificate_number": {"starts_with": "a"}}),
    (CERTIFICATION_ASSIGNMENTS.fields, {"body": {"name": {"starts_with": "a"}}}),
    (PRODUCTS.fields, {"name": {"starts_with": "a"}}),
    (PRODUCTS.fields, {"brand": {"starts_with": "a"}}),
]


@pytest.mark.parametrize(("fields", "members"), LARGEST)
def test_what_counts_as_one_condition_becomes_few(fields: Any, members: dict[str, Any]) -> None:
    assert size(asked(members, fields)) <= MAX_COMPILED // MAX_CONDITIONS


def test_what_is_compiled_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def unfolded(reading: Any, value: Any, path: Any) -> Any:
        reading.left -= 1
        return Either(tuple(Condition("gtin", "eq", str(number)) for number in range(MAX_COMPILED + 1)))

    with pytest.raises(InvalidInput, match="at most 50 conditions"):
        asked({"many": True}, {"many": Filter(bool, "", unfolded)})


def test_names_of_products_are_compared_whatever_the_case() -> None:
    start = asked({"name": {"starts_with": "STRA"}}, PRODUCTS.fields)
    assert start == Every((Condition("search_text", "gte", "stra"), Condition("search_text", "lt", "stra\U0010ffff")))
    whole = asked({"name": {"eq": "Straße"}}, PRODUCTS.fields)
    assert whole.parts[0] == Condition("search_text", "gte", "strasse\n")


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, [ORGANIC, SEAL]),
        ({"code": {"eq": "usda_organic"}}, [ORGANIC]),
        ({"label": {"contains": "STRASSE"}}, [SEAL]),
        ({"label": {"starts_with": "usda"}}, [ORGANIC]),
        ({"label": {"in": ["usda organic", "straße SEAL"]}}, [ORGANIC, SEAL]),
        ({"not": {"label": {"contains": "organic"}}}, [SEAL]),
        ({"body": {"code": {"eq": "USDA"}}}, [ORGANIC]),
        ({"body": {"not": {"code": {"eq": "USDA"}}}}, []),
        ({"not": {"body": {"code": {"eq": "USDA"}}}}, [SEAL]),
        ({"body": {}}, [ORGANIC]),
        ({"body": {"code": {}}}, [ORGANIC]),
        ({"body": None}, [ORGANIC, SEAL]),
        ({"not": {"body": {}}}, [SEAL]),
        ({"body": {"country": {"is_empty": True}}}, []),
        ({"body": {"country": {"is_empty": False}}}, [ORGANIC]),
        ({"body": {"country": {"eq": "US"}, "name": {"contains": "agri"}}}, [ORGANIC]),
        ({"is_private": True}, [SEAL]),
        ({"is_private": False}, [ORGANIC]),
        ({"not": {"is_private": False}}, [SEAL]),
        ({"id": {"in": [SEAL.id]}}, [SEAL]),
        ({"or": [{"code": {"eq": "X"}}, {"id": {"eq": SEAL.id}}]}, [SEAL]),
    ],
)
def test_definitions(members: Any, found: list[Certification]) -> None:
    where = asked(members, CERTIFICATIONS.fields)
    assert [item for item in (ORGANIC, SEAL) if matches(where, item)] == found
    other = negation(where)
    assert [item for item in (ORGANIC, SEAL) if not matches(other, item)] == found


def test_conditions_on_definitions_become_ids() -> None:
    of_body = asked({"body": {"code": {"eq": "usda"}}})
    assert settled(of_body, "certification", [ORGANIC, SEAL]) == Condition("certification_id", "eq", ORGANIC.id)
    others = asked({"not": {"body": {"code": {"eq": "usda"}}}})
    assert settled(others, "certification", [ORGANIC, SEAL]) == Condition("certification_id", "eq", SEAL.id)
    nobody = asked({"certification": {"code": {"eq": "none"}}, "active_on": TODAY})
    assert settled(nobody, "certification", [ORGANIC, SEAL]) == NOTHING
    every = asked({"not": {"certification": {"code": {"eq": "none"}}}})
    assert settled(every, "certification", [ORGANIC, SEAL]) == Condition(
        "certification_id", "in", tuple(sorted([ORGANIC.id, SEAL.id]))
    )


trees = st.recursive(
    st.sampled_from([Condition("label", "eq", "a"), Condition("label", "eq", "b"), Condition("code", "null")]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: Every(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Either(tuple(parts))),
    ),
    max_leaves=8,
)


class _Labelled:
    def __init__(self, label: str, code: str) -> None:
        self.label = label
        self.code = code


@given(trees, st.sampled_from("abc"))
def test_a_negation_is_the_exact_complement(tree: Any, label: str) -> None:
    record = _Labelled(label, "x")
    assert matches(negation(tree), record) is not matches(tree, record)
    assert not isinstance(negation(negation(tree)), Not) or isinstance(tree, Not)


def test_every_list_takes_its_conditions() -> None:
    assert {"claim", "category", "source"} <= set(CLAIM_ASSIGNMENTS.fields)
    assert {"code", "name", "country", "kind", "id"} == set(BODIES.fields)


@pytest.mark.parametrize("needs", [True, False])
def test_claims_are_found_by_whether_they_need_words_of_the_brand(needs: bool) -> None:
    claim = Claim(catalogue_id("d", "1"), "VEGAN", "Vegan", ClaimCategory.DIETARY, needs, "")
    assert matches(asked({"requires_definition": needs}, CLAIMS.fields), claim)
    assert not matches(asked({"requires_definition": not needs}, CLAIMS.fields), claim)


@pytest.mark.parametrize(
    "text",
    [
        '{"expirationDate": {"range": {"to": "2026-12-31"}}, "verificationStatus": {"in": ["VERIFIED", "EXPIRED"]}}',
        '{"expiration_date": {"range": {"to": "2026-12-31"}}, "verification_status": {"in": ["verified", "EXPIRED"]}}',
    ],
)
def test_a_filter_in_json_is_spelled_as_on_either_face(text: str) -> None:
    plain = {
        "expiration_date": {"range": {"to": "2026-12-31"}},
        "verification_status": {"in": ["verified", "expired"]},
    }
    assert read_where(CERTIFICATION_ASSIGNMENTS.fields, text, TODAY) == asked(plain)


@pytest.mark.parametrize(
    ("text", "path", "type"),
    [
        ("{", (), "json_invalid"),
        ('{"gtin": {}, "gtin": {}}', (), "json_invalid"),
        ('{"activeOn": "2026-01-01", "active_on": "2026-01-01"}', (), "json_invalid"),
        ("[" * 5_000 + "]" * 5_000, (), "json_invalid"),
        ('{"and": ' * 30 + "{}" + "}" * 30, (), "json_invalid"),
        ('"gtin"', (), "dict_type"),
        ('{"barcode": {"eq": "1"}}', ("barcode",), "extra_forbidden"),
        ('{"gtin": "12345678905"}', ("gtin",), "dict_type"),
        ('{"gtin": {"contains": "1"}}', ("gtin", "contains"), "extra_forbidden"),
        ('{"gtin": {"in": "12345678905"}}', ("gtin", "in"), "list_type"),
        ('{"gtin": {"eq": 12345678905}}', ("gtin", "eq"), "string_type"),
        ('{"or": {"gtin": {}}}', ("or",), "list_type"),
        ('{"not": []}', ("not",), "dict_type"),
        ('{"body": true}', ("body",), "dict_type"),
        ('{"certification": {"isPrivate": "yes"}}', ("certification", "is_private"), "bool_type"),
        ('{"country": {"isEmpty": 1}}', ("country", "is_empty"), "bool_type"),
        ('{"country": {"eq": "us"}}', ("country", "eq"), "country_code"),
        ('{"expirationDate": {"range": "2026"}}', ("expiration_date", "range"), "dict_type"),
        ('{"expirationDate": {"eq": "soon"}}', ("expiration_date", "eq"), "date_parsing"),
        ('{"lapsesWithin": {}}', ("lapses_within", "days"), "int_type"),
        ('{"lapsesWithin": {"days": "30"}}', ("lapses_within", "days"), "int_type"),
        ('{"lapsesWithin": {"days": -1}}', ("lapses_within", "days"), "out_of_range"),
        ('{"standing": {"eq": "GONE"}}', ("standing", "eq"), "enum"),
        ('{"standing": {"in": ["LAPSED", {}]}}', ("standing", "in", 1), "enum"),
        ('{"standing": {"on": "2026-01-01"}}', ("standing", "eq"), "missing"),
        ('{"standing": {"on": "2026-01-01", "eq": null}}', ("standing", "eq"), "missing"),
        ('{"standing": {"in": [' + '"LAPSED",' * 100 + '"LAPSED"]}}', ("standing", "in"), "too_long"),
        ('{"standing": {"on": 5, "eq": "LAPSED"}}', ("standing", "on"), "date_type"),
        ('{"activeOn": {}}', ("active_on",), "date_type"),
        ('{"metadata": {"key": "lot"}}', ("metadata", "eq"), "string_type"),
        ('{"verificationStatus": {"eq": "sure"}}', ("verification_status", "eq"), "enum"),
    ],
)
def test_whatever_else_stands_in_json_is_refused_at_its_place(
    text: str, path: tuple[str | int, ...], type: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_where(CERTIFICATION_ASSIGNMENTS.fields, text, TODAY)
    assert [(item.path, item.type) for item in refused.value.violations] == [(("where", *path), type)]


LISTS = [CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, PRODUCTS, CERTIFICATIONS, CLAIMS, BODIES]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["2026-01-01", "LAPSED", "US"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["eq", "in", "range", "from", "to", "isNull", "days", "on", "key", "and", "or", "not"])
            | st.sampled_from(sorted({*CERTIFICATION_ASSIGNMENTS.fields, *PRODUCTS.fields, *CERTIFICATIONS.fields})),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(JSON, st.sampled_from([each.fields for each in LISTS]))
def test_no_json_is_anything_but_a_filter_or_refused(value: Any, fields: Any) -> None:
    with suppress(InvalidInput):
        assert size(read_where(fields, json.dumps(value), TODAY)) >= 0
