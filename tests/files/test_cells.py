"""What spreadsheets do to cells is mended where one value can be meant, and refused where two can."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from files.columns import cells
from files.columns.cells import NotUsable
from files.columns.open_food_facts import labelled
from files.reading.table import Unread, shown_cell


def noted() -> tuple[list[str], cells.Note]:
    notes: list[str] = []
    return notes, lambda what, why: notes.append(f"{what}: {why}")


@pytest.mark.parametrize(
    ("cell", "link", "gtin"),
    [
        ("00012345678905", None, "00012345678905"),
        ('="00012345678905"', None, "00012345678905"),
        ("'00012345678905", None, "00012345678905"),
        (" 0001234-567890 5 ", None, "00012345678905"),
        ("96385074", None, "96385074"),
        (4006381333931, None, "4006381333931"),
        (4006381333931.0, None, "4006381333931"),
        ("4006381333931.0", None, "4006381333931"),
        # What is no GTIN is left to the operation, which says why.
        ("12345", None, "12345"),
        ("000000024", None, "000000024"),
        ("12345678906", None, "12345678906"),
    ],
)
def test_a_gtin_is_read_as_it_is_written(cell: Any, link: Any, gtin: str) -> None:
    notes, note = noted()
    assert cells.gtin_of(cell, link, note) == gtin
    assert notes == []


@pytest.mark.parametrize(
    ("cell", "link", "gtin", "why"),
    [
        ("12345678905", None, "00012345678905", "zeros before it were lost"),
        (12345678905, None, "00012345678905", "zeros before it were lost"),
        ("4.006381333931E+12", None, "04006381333931", "with all of its digits"),
        ("4.21E+12", "https://world.openfoodfacts.org/product/4210000000012/x", "4210000000012", "address has it"),
        ("8,02E+12", "https://example.org/01/8019514075369", "8019514075369", "address has it"),
    ],
)
def test_a_gtin_that_was_damaged_is_mended_and_noted(cell: Any, link: Any, gtin: str, why: str) -> None:
    notes, note = noted()
    assert cells.gtin_of(cell, link, note) == gtin
    (found,) = notes
    assert f" was read as {gtin}: " in found
    assert why in found


@pytest.mark.parametrize("cell", ["4.21E+10", "7,6223E+12", "4.21E+12", Unread("formula", "it is a formula", "=1")])
@pytest.mark.parametrize("link", [None, "https://example.org/", "https://example.org/product/5000000000012"])
def test_a_gtin_whose_digits_are_lost_is_refused(cell: Any, link: Any) -> None:
    with pytest.raises(NotUsable):
        cells.gtin_of(cell, link, noted()[1])


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ('="2026-01-31"', "2026-01-31"),
        ("2026-01-31T00:00:00", "2026-01-31"),
        ("31.01.2026", "2026-01-31"),
        ("3.4.2026", "2026-04-03"),
        ("2026/4/3", "2026-04-03"),
        ("31/01/2026", "2026-01-31"),
        ("01/31/2026", "2026-01-31"),
        ("04/04/2026", "2026-04-04"),
        ("3 Apr 2026", "2026-04-03"),
        ("3-Apr-2026", "2026-04-03"),
        ("April 3, 2026", "2026-04-03"),
        (date(2026, 1, 31), date(2026, 1, 31)),
        # The operation says what it should be.
        ("soon", "soon"),
        ("3 Foo 2026", "3 Foo 2026"),
    ],
)
def test_a_day_is_read_in_every_notation_that_means_one(cell: Any, day: Any) -> None:
    notes, note = noted()
    assert cells.day_of(cell, "", False, note) == day
    assert notes == []


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("03/04/2026", "it is two days, 2026-04-03 or 2026-03-04"),
        ("3-4-2026", "is two days"),
        ("31.02.2026", "is no day, day is out of range for month; write for example 2026-05-31"),
        ("31.13.2027", "is no day, month must be in 1..12; write for example 2026-05-31"),
        ("45291", "is a day as a spreadsheet counts it, 2023-12-31 or 2028-01-01"),
        (45291, "is a day as a spreadsheet counts it"),
        (datetime(2026, 1, 31, 12, tzinfo=UTC), "should be a day without a time"),
    ],
)
def test_a_day_that_may_be_another_is_refused(cell: Any, says: str) -> None:
    with pytest.raises(NotUsable, match=says):
        cells.day_of(cell, "", False, noted()[1])


def test_a_column_shows_in_which_order_its_days_are_written() -> None:
    assert cells.day_order(["03/04/2026", "31/01/2026"]) == "dmy"
    assert cells.day_order(["03/04/2026", "01/31/2026"]) == "mdy"
    assert cells.day_order(["03/04/2026"]) == ""
    assert cells.day_order(["01/31/2026", "31/01/2026"]) == ""
    # In three notations nothing shows.
    assert cells.day_order(["03/04/2026", "31/01/2026", "2026-01-31", "31.01.2026"]) == ""
    assert cells.day_of("03/04/2026", "dmy", False, noted()[1]) == "2026-04-03"
    assert cells.day_of("03/04/2026", "mdy", False, noted()[1]) == "2026-03-04"


def test_a_workbook_says_how_it_counts_days() -> None:
    notes, note = noted()
    assert cells.day_of(45291, "", True, note) == date(2023, 12, 31)
    assert notes == ["45291 was read as 2023-12-31: it is a day as a spreadsheet counts it"]


def test_texts_lose_what_exports_put_before_them_and_nothing_else() -> None:
    for cell, text in (
        ("'=1+1", "=1+1"),
        ("''s-Hertogenbosch", "'s-Hertogenbosch"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ('="He said ""no"" 1"', 'He said "no" 1'),
        ("=1+1", "=1+1"),
        ('="', '="'),
        (12, "12"),
        (True, "true"),
        (None, ""),
        (date(2026, 1, 31), "2026-01-31"),
        (["Rice", "drink"], "Rice drink"),
        ([{"lang": "fr", "text": "Riz"}, {"lang": "main", "text": "Rice"}], "Rice"),
        ([{"lang": "fr", "text": "Riz"}], "Riz"),
    ):
        assert cells.text_of(cell) == text


@pytest.mark.parametrize("cell", [{"text": "Rice"}, [1, 2], [["Rice"]]])
def test_what_is_no_text_is_refused(cell: Any) -> None:
    with pytest.raises(NotUsable, match="should be a text"):
        cells.text_of(cell)


def test_countries_are_codes_or_names() -> None:
    assert cells.countries_of("US CA") == ["US", "CA"]
    assert cells.countries_of("us, Germany; United Kingdom") == ["US", "DE", "GB"]
    assert cells.countries_of("South Korea") == ["KR"]
    assert cells.countries_of("Deutschland; Vereinigtes Königreich | OESTERREICH") == ["DE", "GB", "AT"]
    assert cells.countries_of(["Côte d'Ivoire", "Korea, Republic of", "US"]) == ["CI", "KR", "US"]
    assert cells.country_of("Österreich") == "AT"
    assert cells.country_of("DEU") == "DE"
    assert cells.country_of("Atlantis") == "Atlantis"


def test_lists_are_separated_as_people_do_it() -> None:
    assert cells.codes_of("VEGAN, NON_GMO;KETO VEGAN") == ["VEGAN", "NON_GMO", "KETO"]
    assert cells.codes_of([{"code": "VEGAN"}, "KETO"]) == ["VEGAN", "KETO"]
    with pytest.raises(NotUsable):
        cells.codes_of([1])


def test_labels_of_open_food_facts_stand_for_what_the_catalogue_says() -> None:
    found = labelled(
        [
            "en:organic",
            "en:de-öko-006",
            "en:fsc",
            "en:fsc-mix",
            "en:fsc-c012345",
            "fr:medaille-d-or-du-concours-general-agricole-2024",
            "en:nutriscore-grade-b",
            "en:health-star-rating-4-5",
            "en:vegan",
            "xx:nobody-knows",
        ]
    )
    assert found.certifications["EU_ORGANIC"]["metadata"] == {"control_code": "DE-ÖKO-006"}
    assert found.certifications["NUTRI_SCORE"]["certification_value"] == "B"
    assert found.certifications["HEALTH_STAR_RATING"]["certification_value"] == "4.5"
    assert found.certifications["CONCOURS_GENERAL_AGRICOLE"]["certification_value"] == "Gold 2024"
    # What a more specific one says goes without.
    assert "FSC_MIX" in found.certifications
    assert "FSC" not in found.certifications
    assert "VEGAN" in found.claims
    assert found.unknown == ["xx:nobody-knows"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (Unread("formula", "it is a formula", "=A1"), "=A1"),
        (date(2026, 1, 31), "2026-01-31"),
        (["VEGAN", {"code": "KETO"}], '["VEGAN",{"code":"KETO"}]'),
        (12, "12"),
    ],
)
def test_a_cell_is_shown_as_it_is_written(cell: Any, text: str) -> None:
    assert shown_cell(cell) == text
