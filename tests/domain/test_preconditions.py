"""Entity tags and versions: what a caller says it has seen."""

from datetime import date, timedelta

import msgspec
import pytest

from domain.errors import BadRequest, PreconditionFailed
from domain.preconditions import Expected, Tags, entity_tag, read_tags
from domain.records import CertificationAssignment, Claim, ClaimAssignment
from domain.short_id import catalogue_id
from domain.vocabulary import ClaimCategory, ClaimSource
from tests.domain.making import GTIN, NOON, held

TODAY = date(2026, 11, 22)


def assignment(version: int = 1, **members: date | None) -> CertificationAssignment:
    return msgspec.structs.replace(held(), version=version, **members)


def claim_assignment() -> ClaimAssignment:
    vegan = Claim(catalogue_id("claim", "VEGAN"), "VEGAN", "Vegan", ClaimCategory.DIETARY, False, "")
    source = ClaimSource.BRAND_SELF_DECLARED
    return ClaimAssignment(
        catalogue_id("assignment", "VEGAN"),
        GTIN,
        catalogue_id("organization", "own"),
        {},
        source,
        None,
        TODAY,
        "",
        "",
        NOON,
        NOON,
        1,
        vegan,
    )


def test_the_tag_begins_with_the_version_and_needs_no_escape() -> None:
    record = assignment(version=7)
    tag = entity_tag(record, TODAY)
    assert tag.startswith("7-")
    assert read_tags("If-Match", [f'"{tag}"']) == Tags(frozenset({tag}))
    assert entity_tag(msgspec.structs.replace(record), TODAY) == tag


def test_the_tag_changes_with_all_that_is_shown() -> None:
    record = assignment(valid_from=TODAY, expiration_date=TODAY)
    definition = msgspec.structs.replace(record.certification, label="Renamed")
    tags = {
        entity_tag(record, TODAY),
        entity_tag(record, TODAY + timedelta(days=1)),
        entity_tag(msgspec.structs.replace(record, version=record.version + 1), TODAY),
        entity_tag(msgspec.structs.replace(record, id="2" * 22), TODAY),
        entity_tag(msgspec.structs.replace(record, certification=definition), TODAY),
    }
    assert len(tags) == 5


def test_the_tag_stays_while_what_is_shown_stays() -> None:
    record = assignment(valid_from=TODAY, expiration_date=None)
    assert entity_tag(record, TODAY) == entity_tag(record, TODAY + timedelta(days=100))
    claim = claim_assignment()
    # REST does not say whether a claim is active.
    assert entity_tag(claim, TODAY) == entity_tag(claim, TODAY + timedelta(days=1))
    definition = msgspec.structs.replace(claim.claim, category=ClaimCategory.ALLERGEN_FREE)
    assert entity_tag(msgspec.structs.replace(claim, claim=definition), TODAY) != entity_tag(claim, TODAY)


@pytest.mark.parametrize(
    ("values", "strong", "weak", "anything"),
    [
        (['"a"'], {"a"}, set(), False),
        (['"a", W/"b" ,"c,d"'], {"a", "c,d"}, {"b"}, False),
        (['"a"', '"b"'], {"a", "b"}, set(), False),
        ([' , "a",, '], {"a"}, set(), False),
        (['""'], {""}, set(), False),
        ([" * "], set(), set(), True),
    ],
)
def test_lists_of_tags(values: list[str], strong: set[str], weak: set[str], anything: bool) -> None:
    assert read_tags("If-Match", values) == Tags(frozenset(strong), frozenset(weak), anything)


def test_no_header_is_no_condition() -> None:
    assert read_tags("If-Match", []) is None


@pytest.mark.parametrize("value", ["", "abc", '"a', '"a" b', '*, "a"', 'w/"a"', "7", '"a"; "b"', '"a\tb"'])
def test_what_is_no_list_of_tags_is_refused_by_name(value: str) -> None:
    with pytest.raises(BadRequest, match="If-Match"):
        read_tags("If-Match", [value])


def test_a_long_header_is_read_in_one_pass() -> None:
    with pytest.raises(BadRequest):
        read_tags("If-Match", [" \t" * 50_000 + "x" + '"' * 50_001])


def test_if_match_compares_strongly_and_if_none_match_weakly() -> None:
    tags = Tags(frozenset({"a"}), frozenset({"b"}))
    assert [tags.match_strongly(tag) for tag in "abc"] == [True, False, False]
    assert [tags.match_weakly(tag) for tag in "abc"] == [True, True, False]
    assert Tags(anything=True).match_strongly("c")


def test_what_is_expected_is_met_or_refused() -> None:
    record = assignment(version=3)
    tag = entity_tag(record, TODAY)
    for met in (Expected(), Expected(version=3), Expected(Tags(frozenset({"x", tag}))), Expected(Tags(anything=True))):
        met.check(record, TODAY)
    for failed, words in (
        (Expected(version=2), "at version 3, not 2"),
        (Expected(Tags(frozenset({"x"}))), "not what If-Match names, but at version 3"),
        (Expected(Tags(frozenset(), frozenset({tag}))), "no weak tag"),
        (Expected(others=Tags(frozenset({tag}))), "what If-None-Match names, at version 3"),
        (Expected(others=Tags(frozenset(), frozenset({tag}))), "what If-None-Match names, at version 3"),
        (Expected(others=Tags(anything=True)), "what If-None-Match names, at version 3"),
    ):
        with pytest.raises(PreconditionFailed, match=words):
            failed.check(record, TODAY)
    Expected(others=Tags(frozenset({"x"}))).check(record, TODAY)
