"""Pages and search of products."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import lists, products
from domain.filter_input import parse_where
from domain.lists import PRODUCTS
from domain.paging import Window
from domain.records import Product
from domain.text import fold, search_text
from tests.world import GTIN, NOON, OTHERS_GTIN, World


def test_folding() -> None:
    assert fold("Straße") == fold("STRASSE") == "strasse"
    assert fold("ＯＡＴ ｄｒｉｎｋ") == "oat drink"
    assert fold("İSTANBUL") == fold("i̇stanbul")
    assert fold("ﬁne Σίσυφος") == fold("FINE ΣΊΣΥΦΟΣ")
    assert fold("cafe\u0301") == fold("CAFÉ")


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_what_is_searched_through_keeps_its_members_apart(name: str, brand: str, gtin: str) -> None:
    text = search_text(name, brand, gtin)
    assert text == fold(text)
    assert fold(name) in text or fold(name + brand) != fold(name) + fold(brand) or name == ""


NAMES = {
    "00000000000017": "Straße zum Käse",
    "00000000000024": "İstanbul Lokumu",
    "00000000000031": "ＯＡＴ　ｂａｒ",
    "00000000000048": "100% oats",
    "00000000000055": "100 oats",
    "00000000000062": "snake_case bar",
    "00000000000079": "snakeXcase bar",
    "00000000000086": "back\\slash",
    "00000000000093": "ČESNEK",
}


async def page(world: World, search: str, *, after: str = "", size: int = 100) -> Sequence[Product]:
    """A page of the products that are found, by GTIN."""
    where = parse_where(PRODUCTS.fields, {"search": search}, NOON.date())
    window = Window(size, position=(after,) if after else None)
    return (
        await lists.page(world.database, products.LISTED, [world.brand], where, PRODUCTS.orders.usual, window)
    ).items


@pytest.fixture
async def shop(world: World) -> World:
    for gtin, name in NAMES.items():
        await world.add_product(gtin, world.brand, name)
    return world


@pytest.mark.parametrize(
    ("search", "wanted"),
    [
        ("strasse", ["Straße zum Käse"]),
        ("STRASSE ZUM KÄSE", ["Straße zum Käse"]),
        ("ka\u0308se", ["Straße zum Käse"]),
        ("i̇stanbul", ["İstanbul Lokumu"]),
        ("İSTANBUL", ["İstanbul Lokumu"]),
        ("oat bar", ["ＯＡＴ　ｂａｒ"]),
        ("ＢＡＲ", ["ＯＡＴ　ｂａｒ", "snake_case bar", "snakeXcase bar"]),
        ("česnek", ["ČESNEK"]),
        # What LIKE would take for a wildcard or an escape is a character like others.
        ("%", ["100% oats"]),
        ("100%", ["100% oats"]),
        ("100%oats", []),
        ("_", ["snake_case bar"]),
        ("snake_case", ["snake_case bar"]),
        ("\\", ["back\\slash"]),
        ("k\\s", ["back\\slash"]),
        ("\\%", []),
        ("'", []),
        ("' OR 1=1 --", []),
        # Brand and GTIN are searched too.
        ("acme\n0000000000001", ["Straße zum Käse"]),
        ("00055", ["100 oats"]),
        ("nothing like it", []),
    ],
)
async def test_search(shop: World, search: str, wanted: list[str]) -> None:
    assert [item.name for item in await page(shop, search)] == wanted


async def test_search_goes_on_behind_a_gtin_and_stops_at_the_limit(shop: World) -> None:
    everything = await page(shop, "acme")
    assert [item.gtin for item in everything] == sorted([*NAMES, GTIN, OTHERS_GTIN])
    first = await page(shop, "acme", size=4)
    rest = await page(shop, "ACME", after=first[-1].gtin)
    assert [*first, *rest] == everything


@pytest.mark.parametrize("search", ["", "oat drink"])
async def test_pages_have_no_gap_and_no_repeat_while_products_come_and_go(world: World, search: str) -> None:
    there = [f"{number:014d}" for number in range(100, 160, 2)]
    for gtin in there:
        await world.add_product(gtin, world.brand)
    seen: list[str] = []
    after = ""
    while found := await page(world, search, after=after, size=7):
        seen += [item.gtin for item in found]
        after = seen[-1]
        # One before what was read, one behind it: neither moves the pages.
        await world.add_product(f"{int(after) - 13:014d}"[:13] + "9", world.brand)
        if int(after) < 150:
            await world.add_product(f"{int(after) + 1:014d}", world.brand)
    assert seen == sorted(set(seen))
    assert set(there) <= set(seen)
