"""Country codes: ISO 3166-1 alpha-2, no more and no fewer."""

from typing import Any

import iso3166
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.commands import PatchCertificationAssignment
from domain.countries import ALPHA2, countries_called, country_called
from domain.country_names import NAMES
from domain.errors import InvalidInput, Violation

# The standard's officially assigned codes, written out so that an update of the library cannot change them unseen.
CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
    BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
    ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
    HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
    LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
    NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
    SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
    UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
ASSIGNED = CODES.split()


def patch(codes: Any) -> Any:
    return PatchCertificationAssignment.parse(
        {
            "gtin": "00012345678905",
            "certification_id": "WmsG2qe2XXxacqiqo2MfnY",
            "certificate_countries": codes,
        }
    )


def refusals(codes: Any) -> list[Violation]:
    with pytest.raises(InvalidInput) as refused:
        patch(codes)
    return refused.value.violations


def test_the_249_assigned_codes_are_the_countries() -> None:
    assert len(ASSIGNED) == 249
    assert frozenset(ASSIGNED) == ALPHA2
    assert patch(ASSIGNED).certificate_countries == ASSIGNED


@pytest.mark.parametrize(
    "code", ["XK", "EU", "UK", "ZZ", "SU", "AN", "us", "Us", "USA", "U", "", " US", "US\n", "ＵＳ", "840"]
)
def test_other_codes_are_refused(code: str) -> None:
    violations = refusals(["DE", code])
    assert [(entry.path, entry.type) for entry in violations] == [(("certificate_countries", 1), "country_code")]


def test_the_refusal_of_lower_case_says_what_to_write() -> None:
    assert "write 'US'" in refusals(["us"])[0].message
    assert "write" not in refusals(["zz"])[0].message


@pytest.mark.parametrize(("code", "meant"), [("EL", "GR"), ("el", "GR"), ("UK", "GB"), ("uk", "GB")])
def test_the_refusal_of_what_the_european_union_writes_names_the_standards_code(code: str, meant: str) -> None:
    assert f"write '{meant}'" in refusals([code])[0].message


@pytest.mark.parametrize(("codes", "kind"), [("US", "list_type"), ({"US": 1}, "list_type"), ([1], "string_type")])
def test_it_is_a_list_of_texts(codes: object, kind: str) -> None:
    assert [entry.type for entry in refusals(codes)] == [kind]


def test_an_empty_list_is_one() -> None:
    assert patch([]).certificate_countries == []


@given(st.lists(st.sampled_from(ASSIGNED)))
def test_each_is_kept_once_in_the_order_given(codes: list[str]) -> None:
    kept = patch(codes).certificate_countries
    assert kept is not None
    assert kept == sorted(set(codes), key=codes.index)


def test_every_country_is_found_by_each_of_its_names_and_by_its_codes() -> None:
    named = [(line[:2], name) for line in NAMES.split("\n") for name in line[3:].split("|") if name]
    assert {code for code, _ in named} == ALPHA2
    assert [(country_called(name.upper()), name) for _, name in named] == named
    for country in iso3166.countries_by_alpha2.values():
        if country.alpha2 in ALPHA2:
            assert {country_called(each) for each in country[:3]} == {country.alpha2}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("deutschland", "DE"),
        ("Österreich", "AT"),
        ("Oesterreich", "AT"),
        ("Osterreich", "AT"),
        ("l'Allemagne", None),
        ("Cote d'Ivoire", "CI"),
        ("the Netherlands", "NL"),
        ("Türkei", "TR"),
        ("Turkey", "TR"),
        ("中国", "CN"),
        ("Ελλάδα", "GR"),
        ("el", "GR"),
        ("Kosovo", None),
        ("", None),
        ("the", None),
        ("Germany" + " " * 10 + "y" * 90, None),
    ],
)
def test_a_country_is_known_by_its_own_name_in_several_languages(name: str, code: str | None) -> None:
    assert country_called(name) == code


def test_a_refusal_names_the_code_of_the_country_that_was_meant() -> None:
    said = [entry.message.partition("; ")[2] for entry in refusals(["Deutschland", "uk", "Atlantis"])]
    assert said == ["write 'DE'", "write 'GB'", ""]


def test_a_list_is_parted_as_people_write_it() -> None:
    assert countries_called("Deutschland, Österreich und") == ["DE", "Österreich und"]
    assert countries_called("us DE us") == ["US", "DE"]
    assert countries_called(" ") == []
