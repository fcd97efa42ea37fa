"""Short ids: base 57 both ways, the forms that are refused, and ids that sort by time."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.short_id import LARGEST, PATTERN, catalogue_id, decode, encode, new_short_id, parse_short_id

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "shortuuid.json").read_text(encoding="utf-8")
)
EXAMPLE = "WmsG2qe2XXxacqiqo2MfnY"


@pytest.mark.parametrize("pair", VECTORS["pairs"], ids=lambda pair: pair["shortuuid"])
def test_the_pairs_hold_both_ways(pair: dict[str, str]) -> None:
    uuid, short = UUID(pair["uuid"]), pair["shortuuid"]
    assert encode(uuid) == short
    assert decode(parse_short_id(short)) == uuid
    assert parse_short_id(pair["uuid"]) == parse_short_id(short) == short


@pytest.mark.parametrize("vector", VECTORS["invalid"], ids=lambda vector: ascii(vector["input"]))
def test_invalid_ids_are_refused(vector: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_short_id(vector["input"], "claim_id")
    violation = refused.value.violations[0]
    assert violation.path == ("claim_id",)
    kind = "short_id_overflow" if vector["reason"] == "OVERFLOW" else "short_id_parsing"
    assert violation.type == kind


def test_of_the_uuid_forms_only_the_hyphenated_one_is_an_id() -> None:
    accepted = {}
    for form in VECTORS["uuid_forms"]:
        try:
            accepted[form["input"]] = parse_short_id(form["input"])
        except InvalidInput:
            continue
    assert accepted == {"A1B2C3D4-E5F6-7890-ABCD-EF1234567890": EXAMPLE}
    assert len(VECTORS["uuid_forms"]) == 4


@pytest.mark.parametrize(
    "bad",
    [
        f"{EXAMPLE}\n",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890\n",
        "a1b2c3d4e-5f6-7890-abcd-ef1234567890",
        "١1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "ＷmsG2qe2XXxacqiqo2MfnY",
        None,
        7,
        b"WmsG2qe2XXxacqiqo2MfnY",
        UUID("a1b2c3d4-e5f6-7890-abcd-ef1234567890"),
    ],
)
def test_look_alikes_are_refused(bad: object) -> None:
    with pytest.raises(InvalidInput):
        parse_short_id(bad)


@given(st.uuids())
def test_every_uuid_makes_the_round_trip(uuid: UUID) -> None:
    short = encode(uuid)
    assert re.fullmatch(PATTERN, short)
    assert short <= LARGEST
    assert decode(short) == uuid
    assert parse_short_id(short) == parse_short_id(str(uuid)) == parse_short_id(str(uuid).upper()) == short


@given(st.uuids(), st.uuids())
def test_short_ids_sort_as_their_uuids_do(one: UUID, other: UUID) -> None:
    assert (encode(one) < encode(other)) is (one < other)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


# 1.001 s is 1000.9999999999999 ms in floating point.
@example(EPOCH + timedelta(milliseconds=1001))
@given(MOMENTS)
def test_a_new_id_is_a_uuid_of_version_7_that_holds_its_moment(at: datetime) -> None:
    uuid = decode(new_short_id(at))
    assert uuid.version == 7
    assert uuid.variant == "specified in RFC 4122"
    assert uuid.int >> 80 == (at - EPOCH) // timedelta(milliseconds=1)


@given(MOMENTS, st.timedeltas(timedelta(milliseconds=1), timedelta(days=300)))
def test_a_later_id_sorts_behind(at: datetime, later: timedelta) -> None:
    assert new_short_id(at) < new_short_id(at + later)


def test_ids_of_one_moment_differ() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    assert len({new_short_id(at) for _ in range(1000)}) == 1000


def test_catalogue_ids_never_change() -> None:
    # Examples, links and stored assignments name these: another value here breaks every installation.
    assert catalogue_id("claim", "NON_GMO") == "HNAxKJWqxnytgiHChEgWBg"
    assert catalogue_id("claim", "NON_GMO") != catalogue_id("certification", "NON_GMO")
