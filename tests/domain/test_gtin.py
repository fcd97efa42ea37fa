"""GTINs: the lookup rule, the creator's rule, padding, against vectors of other people's test suites."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.ean import calc_check_digit

from domain.commands import CreateProduct, PatchProduct
from domain.errors import InvalidInput, Violation
from domain.gtin import check_digit_is_right, parse_gtin, why_not_a_gtin

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "gtin.json").read_text(encoding="utf-8")
)["vectors"]
BY_INPUT = [pytest.param(vector, id=ascii(vector["input"])) for vector in VECTORS]


def test_the_vectors_hold_both_verdicts_of_both_rules() -> None:
    assert len(VECTORS) == 192
    assert {(vector["seed_pattern"], vector["valid"]) for vector in VECTORS} == {
        (True, True),
        (True, False),
        (False, False),
    }


@pytest.mark.parametrize("vector", BY_INPUT)
def test_who_looks_up_may_write_8_to_14_digits(vector: dict[str, Any]) -> None:
    if vector["seed_pattern"]:
        assert parse_gtin(vector["input"]) == (vector["gtin14"] or vector["padded_gtin14"])
    else:
        with pytest.raises(InvalidInput) as refused:
            parse_gtin(vector["input"])
        assert [violation.path for violation in refused.value.violations] == [("gtin",)]


@pytest.mark.parametrize("vector", BY_INPUT)
def test_who_creates_must_be_right(vector: dict[str, Any]) -> None:
    assert (why_not_a_gtin(vector["input"]) is None) is vector["valid"]


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS if vector["seed_pattern"]], ids=lambda vector: vector["input"]
)
def test_padding_does_not_change_the_verdict_on_the_check_digit(vector: dict[str, Any]) -> None:
    padded = parse_gtin(vector["input"])
    # The vectors judge all zeros by its digits alone; here it identifies nothing.
    right = vector.get("padded_check_digit_ok", vector["valid"]) and padded != "0" * 14
    assert check_digit_is_right(padded) is check_digit_is_right(vector["input"]) is right


@pytest.mark.parametrize(
    "bad", [None, 12345678, 12345678.0, True, ["12345678"], "12345678\n", "1234567８", " 12345678"]
)
def test_only_text_of_ascii_digits_is_a_gtin(bad: object) -> None:
    with pytest.raises(InvalidInput):
        parse_gtin(bad)


@pytest.mark.parametrize(
    ("text", "name", "gtin"),
    [
        ("(01)09520000000028", "an element string", "09520000000028"),
        ("(01)09520000000028(17)271231(10)A1", "an element string", "09520000000028"),
        ("0109520000000028", "an element string", "09520000000028"),
        ("]C10109520000000028", "an element string", "09520000000028"),
        ("]d2\x1d010952000000002817271231", "an element string", "09520000000028"),
        ("https://id.gs1.org/01/09520000000028", "a GS1 Digital Link", "09520000000028"),
        ("HTTPS://example.org/some/01/09520000000028/10/A1?17=271231", "a GS1 Digital Link", "09520000000028"),
        ("http://example.org/01/12345670#x", "a GS1 Digital Link", "12345670"),
    ],
)
@pytest.mark.parametrize("parse", [parse_gtin, PatchProduct, CreateProduct])
def test_what_carries_a_gtin_is_called_what_it_is(parse: Any, text: str, name: str, gtin: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text) if parse is parse_gtin else parse.parse({"gtin": text})
    assert refused.value.violations == [
        Violation(("gtin",), f"Input should be a GTIN alone, not {name}; its GTIN is {gtin}", "gtin_not_alone")
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1234567", "string_too_short"),
        ("123456789012345", "string_too_long"),
        ("(01)09520000000027", "string_too_long"),
        ("0109520000000027", "string_too_long"),
        ("https://example.org/product/01", "string_too_long"),
        ("(10)A1B2C3", "string_pattern_mismatch"),
        ("1234567x", "string_pattern_mismatch"),
    ],
)
def test_what_carries_none_is_too_short_too_long_or_no_digits(text: str, kind: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_gtin(text)
    (violation,) = refused.value.violations
    assert violation.type == kind
    words = "digits only" if kind == "string_pattern_mismatch" else f"8 to 14 digits, not {len(text)} characters"
    assert words in violation.message


def test_the_refusal_names_the_member() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_gtin("1", "barcode")
    assert refused.value.violations[0].path == ("barcode",)


@given(st.text("0123456789", min_size=8, max_size=14))
def test_parsing_pads_once(digits: str) -> None:
    padded = parse_gtin(digits)
    assert len(padded) == 14
    assert padded.endswith(digits)
    assert padded.strip("0") == digits.strip("0") or int(padded) == int(digits)
    assert parse_gtin(padded) == padded


@given(st.text("0123456789", min_size=13, max_size=13).filter(lambda digits: int(digits) > 0))
def test_exactly_one_check_digit_is_right(digits: str) -> None:
    right = [last for last in "0123456789" if check_digit_is_right(digits + last)]
    assert right == [calc_check_digit(digits)]


@given(
    st.text("0123456789", min_size=13, max_size=13).filter(lambda digits: int(digits) > 0),
    st.integers(0, 13),
    st.integers(1, 9),
)
def test_one_wrong_digit_is_noticed(digits: str, place: int, shift: int) -> None:
    gtin = next(digits + last for last in "0123456789" if check_digit_is_right(digits + last))
    wrong = gtin[:place] + str((int(gtin[place]) + shift) % 10) + gtin[place + 1 :]
    assert not check_digit_is_right(wrong)
