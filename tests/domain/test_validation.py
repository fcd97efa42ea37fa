"""Dates, web addresses, texts, and how violations are named and bounded."""

import re
from datetime import date, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyHttpUrl

from domain import commands
from domain.acknowledgements import AcknowledgeClaim
from domain.commands import AssignClaim, PatchCertificationAssignment, WithdrawCertification
from domain.errors import InvalidInput, Violation
from domain.validation import MAX_VIOLATIONS, Command, parse_filter
from domain.web_address import PATTERN, why_not_a_web_address

GTIN = "00012345678905"
ID = "WmsG2qe2XXxacqiqo2MfnY"


def patch(**members: Any) -> Any:
    return PatchCertificationAssignment.parse({"gtin": GTIN, "certification_id": ID, **members})


def refusals(**members: Any) -> list[Violation]:
    with pytest.raises(InvalidInput) as refused:
        patch(**members)
    return refused.value.violations


@given(st.dates())
def test_a_day_is_written_as_iso_8601_says(day: date) -> None:
    assert patch(audit_date=day.isoformat()).audit_date == day
    assert patch(audit_date=day).audit_date == day


@pytest.mark.parametrize("day", ["2024-02-29", "0001-01-01", "9999-12-31"])
def test_the_ends_of_the_calendar_and_leap_days_are_days(day: str) -> None:
    assert patch(valid_from=day).valid_from == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2023-02-29", "date_parsing"),
        ("2024-13-01", "date_parsing"),
        ("2024-00-10", "date_parsing"),
        ("0000-01-01", "date_parsing"),
        ("10000-01-01", "date_parsing"),
        ("20240102", "date_parsing"),
        ("2024-W01-1", "date_parsing"),
        ("2024-001", "date_parsing"),
        ("2024-1-2", "date_parsing"),
        ("24-01-02", "date_parsing"),
        ("2024-01-02T00:00:00", "date_parsing"),
        ("2024-01-02T00:00:00Z", "date_parsing"),
        (" 2024-01-02", "date_parsing"),
        ("2024-01-02\n", "date_parsing"),
        ("２０２４-01-02", "date_parsing"),
        ("2024-01-0٢", "date_parsing"),
        ("1704067200", "date_parsing"),
        ("today", "date_parsing"),
        ("", "date_parsing"),
        (1704067200, "date_type"),
        (1704067200.0, "date_type"),
        (True, "date_type"),
        ([], "date_type"),
        (datetime(2024, 1, 2), "date_type"),  # noqa: DTZ001
    ],
)
def test_nothing_else_is_a_day(value: object, kind: str) -> None:
    assert [(entry.path, entry.type) for entry in refusals(valid_from=value)] == [(("valid_from",), kind)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://example.org",
        "http://example.org/a?b=c&d=%20#e",
        "HTTPS://EXAMPLE.org/Ä",
        "https://xn--bcher-kva.example/",
        "https://[2001:db8::1]:8443/x",
        "https://bücher.example/über?größe=ß#ü",
        "https://EXAMPLE.org.:443//a/../b;c=d?e=%5B%5d&f=(g)*'!$,~#/h?",
        "https://my_site.example?q",
        "https://192.0.2.1#x",
        "https://example.org/" + "x" * 1980,
    ],
)
def test_web_addresses_are_kept_as_written(url: str) -> None:
    assert patch(verification_url=url).verification_url == url


@pytest.mark.parametrize(
    "url",
    [
        "example.org",
        "//example.org",
        "/path",
        "ftp://example.org",
        "javascript:alert(1)",
        "javascript://example.org/%0aalert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https:",
        "https://",
        "https:///example.org",
        "https://user@example.org",
        "https://user:secret@example.org",
        " https://example.org",
        "https://exa mple.org",
        "https://example.org:99999",
        "https://example.org/\0",
        "https://example.org/" + "x" * 1981,
        # What parsers of URLs repair, each in its own way.
        "https://example.org/a\r\nSet-Cookie: a=1",
        "https://example.org/a\n",
        "https://exa\tmple.org/x",
        "https://example.org/\x07",
        "https://example.org/\x85",
        "https://example.org/a b",
        "https://example.org/\u2028",
        "https://example.org/\u202eb",
        "https://example.org/\ufeff",
        "https://example.org\\@evil.example/",
        "https://example.org/a\\b",
        "https://@example.org/",
        "https://:@example.org/",
        "https://example.org:80@evil.example/",
        "https://example.org/%",
        "https://example.org/%4",
        "https://example.org/?q=100%&r=1",
        "https://exam%70le.org/",
        "https://example.org:/",
        "https://example.org:080/",
        "https://example.org:0/",
        "https://example.org:65536/",
        "https://example.org:٨٠/",
        "https://example..org/",
        "https://.example.org/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://[::1",
        "https://[2001:0db8::1]/",
        "https://[example.org]/",
        "https://example.org/?a[b]=c",
        "https://example.org/{id}",
        "https://example.org/a|b",
        "https://example.org/<script>",
        'https://example.org/"',
        "https://example.org/#a#b",
        # Hosts that are looked up under another name than is written.
        "https://good。example/",
        "https://ｅxample.org/",
        "https://exam\xadple.org/",
        "https://cafe\u0301.example/",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    assert [entry.path for entry in refusals(verification_url=url)] == [("verification_url",)]


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("https://example.org/a\nb", "without '\\n'; write it as %0A or leave it out"),
        ("https://example.org\\@evil.example/", "without '\\\\'; write it as %5C or leave it out"),
        ("https://example.org/?a[b]=c", "without '['; write it as %5B or leave it out"),
        ("https://example.org/\u2028", "without '\\u2028'; write it as %E2%80%A8 or leave it out"),
        ("https://example.org/100%", "write '%' itself as %25"),
        ("https://user:hunter2@example.org/", "without user name"),
        ("https://127.1/", "whose host is written as it is looked up"),
        ("example.org", "http or https URL"),
    ],
)
def test_the_refusal_of_an_address_says_what_is_wrong_with_it(url: str, remedy: str) -> None:
    (entry,) = refusals(verification_url=url)
    assert entry.type == "url_parsing"
    assert remedy in entry.message


@given(st.text(st.characters(), max_size=20))
def test_the_documented_pattern_admits_every_address(tail: str) -> None:
    assert re.search(PATTERN, "")
    url = f"https://example.org{tail}"
    assert why_not_a_web_address(url) or re.search(PATTERN, url)


def test_every_address_of_a_command_is_judged() -> None:
    known = [kind for kind in vars(commands).values() if isinstance(kind, type) and issubclass(kind, Command)]
    judged = 0
    for kind in known:
        for member in kind.model_fields:
            if member.endswith("_url"):
                judged += 1
                with pytest.raises(InvalidInput) as refused:
                    kind.parse({member: "https://example.org/\n"})
                assert ((member,), "url_parsing") in [(entry.path, entry.type) for entry in refused.value.violations]
    assert judged == 7


@given(st.text(st.characters(), max_size=20))
def test_an_address_is_read_alike_by_other_parsers(tail: str) -> None:
    # Whatever is accepted, Python's own parser and pydantic's find the same host, and nothing of it is dropped.
    url = f"https://example.org{tail}"
    if why_not_a_web_address(url) is None:
        split = urlsplit(url)
        assert split.geturl() in (url, url.rstrip("?#"))
        assert split.username is None
        assert split.hostname == AnyHttpUrl(url).unicode_host()
        assert (split.port or 443) == AnyHttpUrl(url).port


@pytest.mark.parametrize(
    ("member", "longest"),
    [("certificate_number", 100), ("issuing_body", 255), ("certification_value", 255)],
)
def test_texts_have_their_longest_form_in_characters(member: str, longest: int) -> None:
    # Characters, not bytes: these take four each.
    assert getattr(patch(**{member: "𝔸" * longest}), member) == "𝔸" * longest
    assert [entry.type for entry in refusals(**{member: "𝔸" * (longest + 1)})] == ["string_too_long"]


@pytest.mark.parametrize("member", ["scope", "issuing_body", "verification_url", "certificate_number"])
@pytest.mark.parametrize("value", [1, 1.5, True, [], {}])
def test_only_text_is_text(member: str, value: object) -> None:
    assert [(entry.path, entry.type) for entry in refusals(**{member: value})] == [((member,), "string_type")]


def test_the_nul_character_is_refused_wherever_text_is() -> None:
    members: dict[str, Any] = dict.fromkeys(("scope", "issuing_body", "certificate_number"), "a\0b")
    paths = {entry.path for entry in refusals(**members, metadata={"k": "\0", "\0": "v"})}
    assert paths == {
        ("scope",),
        ("issuing_body",),
        ("certificate_number",),
        ("metadata", "k"),
        ("metadata", "\0", "[key]"),
    }


@pytest.mark.parametrize(
    ("metadata", "paths"),
    [
        ({"k" * 40: "v" * 500}, []),
        ({"k" * 41: "v"}, [("metadata", "k" * 41, "[key]")]),
        ({"": "v"}, [("metadata", "", "[key]")]),
        ({"k": "v" * 501}, [("metadata", "k")]),
        ({"k": 1, "l": "fine", "m": {}}, [("metadata", "k"), ("metadata", "m")]),
        ([], [("metadata",)]),
        ("k=v", [("metadata",)]),
    ],
)
def test_metadata_is_a_flat_map_of_short_texts(metadata: object, paths: list[tuple[str, ...]]) -> None:
    if paths:
        assert [entry.path for entry in refusals(metadata=metadata)] == paths
    else:
        assert patch(metadata=metadata).metadata == metadata


def test_every_bad_member_is_named_at_once() -> None:
    paths = [entry.path for entry in refusals(gtin="1", valid_from="x", certificate_countries=["US", "xx"])]
    assert paths == [("gtin",), ("valid_from",), ("certificate_countries", 1)]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        AssignClaim.parse({})
    assert refused.value.violations == [
        Violation(("gtin",), "Field required", "missing"),
        Violation(("claim_id",), "Field required", "missing"),
    ]


def test_unknown_members_are_passed_over() -> None:
    assert patch(unknown=1, scope="x").model_fields_set == {"gtin", "certification_id", "scope"}


def test_violations_are_bounded_in_number_and_length() -> None:
    with pytest.raises(InvalidInput) as refused:
        patch(metadata={f"{'k' * 5000}{number}": 1 for number in range(100)})
    violations = refused.value.violations
    assert len(violations) == MAX_VIOLATIONS
    assert max(len(str(part)) for entry in violations for part in entry.path) <= 60
    assert len(refused.value.detail) < 1000
    assert refused.value.detail.endswith("; and 97 more.")


def test_a_refusal_repeats_nothing_of_the_value() -> None:
    with pytest.raises(InvalidInput) as refused:
        patch(scope={"secret": "hunter2"}, verification_url="https://u:hunter2@example.org", valid_from="hunter2")
    assert "hunter2" not in str(refused.value.violations)
    assert "hunter2" not in refused.value.detail


def test_a_text_to_look_for_is_as_long_as_any_that_is_stored() -> None:
    assert parse_filter("x" * 255, "code") == "x" * 255
    for text in ("x" * 256, "\0"):
        with pytest.raises(InvalidInput) as refused:
            parse_filter(text, "code")
        assert [entry.path for entry in refused.value.violations] == [("code",)]


@pytest.mark.parametrize(
    ("members", "said", "kind"),
    [
        ({"reason": ""}, "String should have at least 1 character", "string_too_short"),
        ({"reason": "x" * 501}, "String should have at most 500 characters", "string_too_long"),
        ({"withdrawn_on": "0001-01-01"}, "Date should be after 0001-01-01", "greater_than"),
    ],
)
def test_what_is_out_of_bounds_is_said_in_nobodys_language(members: dict[str, str], said: str, kind: str) -> None:
    command = WithdrawCertification if "withdrawn_on" in members else AcknowledgeClaim
    with pytest.raises(InvalidInput) as refused:
        command.parse(
            {"gtin": GTIN, "certification_id": ID, "claim_id": ID, "until": "2030-01-01", "reason": "x"} | members
        )
    assert [(each.path, each.message, each.type) for each in refused.value.violations] == [((*members,), said, kind)]


def test_commands_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        patch().scope = "x"


def test_metadata_with_too_many_keys_is_refused_before_any_is_looked_at() -> None:
    patch(metadata={f"k{number}": None for number in range(100)})
    with pytest.raises(InvalidInput) as refused:
        patch(metadata={f"k{number}": 1 for number in range(101)})
    [violation] = refused.value.violations
    assert (violation.path, violation.type) == (("metadata",), "too_long")
