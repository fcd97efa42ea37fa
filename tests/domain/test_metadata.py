"""The laws of merging metadata (contract 1.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.metadata import MAX_KEYS, merge

KEYS = st.text("abcde", min_size=1, max_size=2)
STORED = st.dictionaries(KEYS, st.text(min_size=1, max_size=3), max_size=20)
UPDATES = st.dictionaries(KEYS, st.none() | st.text(max_size=3), max_size=20)


@given(STORED, UPDATES)
def test_every_key_is_set_deleted_or_kept(stored: dict[str, str], update: dict[str, str | None]) -> None:
    merged = merge(stored, update)
    if not update:
        assert merged == {}
        return
    for key in stored.keys() | update.keys():
        wanted = update[key] if key in update else stored[key]
        assert merged.get(key, "") == (wanted or "")
    assert "" not in merged.values()


@given(STORED, UPDATES)
def test_merging_twice_is_merging_once(stored: dict[str, str], update: dict[str, str | None]) -> None:
    once = merge(stored, update)
    assert merge(once, update) == once


@given(STORED, UPDATES)
def test_nothing_given_is_changed(stored: dict[str, str], update: dict[str, str | None]) -> None:
    before = dict(stored), dict(update)
    merged = merge(stored, update)
    assert (stored, update) == before
    assert merged is not stored


@pytest.mark.parametrize("nothing", [None, {}])
def test_the_empty_map_clears_everything(nothing: dict[str, str | None] | None) -> None:
    assert merge({"a": "1"}, nothing) == {}


def test_white_space_is_a_value() -> None:
    assert merge({}, {"a": " "}) == {"a": " "}


def full(count: int = MAX_KEYS) -> dict[str, str]:
    return {f"k{number}": "v" for number in range(count)}


def test_50_keys_are_the_limit_of_the_merged_map() -> None:
    assert merge(full(49), {"last": "v"}).keys() == {*full(49), "last"}
    with pytest.raises(InvalidInput) as refused:
        merge(full(), {"one more": "v"})
    assert refused.value.violations == [
        (("metadata",), "Metadata should have at most 50 keys; 51 would remain, delete some first", "too_long")
    ]


def test_a_full_map_can_still_change_and_swap_keys() -> None:
    assert merge(full(), {"k0": "w"})["k0"] == "w"
    assert merge(full(), {"k0": "", "one more": "v"}).keys() == {*full(), "one more"} - {"k0"}
    assert len(merge(full(), dict.fromkeys(full(60), ""))) == 0
