"""What a publishable key may see, as a pure rule."""

from typing import Any, NamedTuple

import msgspec
import pytest

from domain import records
from domain.access import Caller, require_private
from domain.errors import Forbidden
from domain.listing import Numbered
from domain.publishable import PRIVATE_MEMBERS, published
from domain.records import Certification, CertificationBody, Claim, ClaimAssignment, Organization
from domain.short_id import catalogue_id
from domain.vocabulary import ClaimCategory, ClaimSource, KeyKind, Role
from tests.domain.making import GTIN, NOON, held, organization, product

SECRET = {"note": "secret"}
CERTIFIED = held(metadata=SECRET, certificate_number="NOP-1", certificate_countries=["US"])
CLAIMED = ClaimAssignment(
    id=catalogue_id("assignment", "VEGAN"),
    gtin=GTIN,
    organization_id=catalogue_id("organization", "own"),
    metadata=SECRET,
    source=ClaimSource.BRAND_SELF_DECLARED,
    valid_from=None,
    expiration_date=None,
    evidence_url="https://secret.example",
    evidence_note="secret",
    created_at=NOON,
    updated_at=NOON,
    version=1,
    claim=Claim(catalogue_id("claim", "VEGAN"), "VEGAN", "Vegan", ClaimCategory.DIETARY, False, ""),
)
PRODUCT = msgspec.structs.replace(product(), metadata=SECRET)


class Pair(NamedTuple):
    """Something as pages are."""

    items: list[Any]
    more: bool


@pytest.mark.parametrize("record", [CERTIFIED, CLAIMED, PRODUCT])
def test_private_members_are_empty_and_the_others_as_they_were(record: records.Record) -> None:
    shown = published(record)
    for name in record.__struct_fields__:
        assert getattr(shown, name) == PRIVATE_MEMBERS.get(name, getattr(record, name)), name
    assert "secret" in repr(record), "what was there is still there for the others"


@pytest.mark.parametrize(
    "wrapped",
    [
        [CERTIFIED, None],
        [[CLAIMED], [CERTIFIED, CLAIMED], []],
        (PRODUCT, 7),
        Pair([PRODUCT, CLAIMED], more=True),
        Numbered([CERTIFIED], 1),
        {"of a product": [CLAIMED]},
    ],
)
def test_wherever_a_record_stands(wrapped: Any) -> None:
    shown = published(wrapped)
    assert type(shown) is type(wrapped)
    assert len(shown) == len(wrapped)
    assert "secret" in repr(wrapped)
    assert "secret" not in repr(shown)


@pytest.mark.parametrize("plain", [None, True, 7, "text", NOON, NOON.date(), ClaimSource.THIRD_PARTY_VERIFIED, []])
def test_what_holds_nothing_passes(plain: Any) -> None:
    assert published(plain) == plain


def test_what_cannot_be_looked_into_is_not_shown() -> None:
    with pytest.raises(TypeError, match="publishable"):
        published([object()])


@pytest.mark.parametrize("kind", [Certification, CertificationBody, Claim, Organization])
def test_records_that_pass_as_they_are_have_no_private_members(kind: type[records.Record]) -> None:
    assert not PRIVATE_MEMBERS.keys() & set(kind.__struct_fields__)


@pytest.mark.parametrize("kind", [*KeyKind, None])
def test_who_sees_what_is_private(kind: KeyKind | None) -> None:
    caller = Caller(None, kind, Role.MANAGER, organization("brand"))
    if kind is KeyKind.PUBLISHABLE:
        assert not caller.sees_private
        assert caller.organization_ids == ()
        with pytest.raises(Forbidden, match="sees no metadata"):
            require_private(caller, "metadata")
    else:
        assert caller.sees_private
        assert caller.organization_ids == (organization("brand").id,)
        require_private(caller, "metadata")
