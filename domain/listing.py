"""Filters and orders of lists in numbered pages.

Those of definitions (some hundreds) and of what one product holds need no SQL, and so fold case alike on both
databases. Ties are ordered by id, so that an answer is repeatable.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Generic, NamedTuple, TypeVar

from domain.certificates import is_active, status_shown
from domain.commands import (
    ListCertificationBodies,
    ListCertifications,
    ListClaims,
    ListProductCertifications,
    NumberedPage,
)
from domain.filters import EVERYTHING, NOTHING, Condition, Where, matches
from domain.filters import every as all_of
from domain.gtin import sought
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim
from domain.text import fold, folded

T = TypeVar("T")
D = TypeVar("D", CertificationBody, Certification, Claim)


class Numbered(NamedTuple, Generic[T]):
    """A numbered page of something, and how many there are in all."""

    items: Sequence[T]
    total: int


def page_of(items: Sequence[T], page: NumberedPage) -> Numbered[T]:
    """The page of a list; one beyond the end is empty."""
    return Numbered(items[page.offset : page.offset + page.page_size], len(items))


def _part(member: str) -> Callable[[str], Where]:
    return lambda value: Condition(member, "contains", fold(value))


def _equal(member: str) -> Callable[[Any], Where]:
    return lambda value: Condition(member, "eq", value)


_CONDITIONS: Mapping[str, Callable[[Any], Where]] = {
    "name": _part("name"),
    "label": _part("label"),
    "code": lambda value: Condition("code", "eq", fold(value)),
    "certification_body_id": lambda value: Condition("body", "where", Condition("id", "eq", value)),
    "category": _equal("category"),
    "q": lambda value: Condition("search_text", "contains", sought(value)),
    "brand": lambda value: Condition("folded_brand", "eq", fold(value)),
    "country_of_origin": _equal("country_of_origin"),
    "data_source": _equal("data_source"),
    "organization_id": _equal("organization_id"),
    # No categories of products are recorded, and every product has an owner.
    "category_id": lambda value: NOTHING,
    "is_claimed": lambda value: EVERYTHING if value else NOTHING,
}
"""By the members of the commands that ask for numbered lists."""


def conditions(command: NumberedPage) -> Where:
    """What the items of a numbered list pass, all of it."""
    return all_of(
        make(value) for name, make in _CONDITIONS.items() if (value := getattr(command, name, None)) is not None
    )


def definitions(every: Iterable[D], command: ListCertificationBodies | ListCertifications | ListClaims) -> list[D]:
    """The definitions that pass the filters, in the order asked for."""
    where, by = conditions(command), command.ordering.removeprefix("-")
    found = sorted((item for item in every if matches(where, item)), key=lambda item: item.id)
    found.sort(key=lambda item: folded(getattr(item, by)), reverse=command.ordering.startswith("-"))
    return found


def arrange(
    held: Iterable[CertificationAssignment], command: ListProductCertifications, today: date
) -> list[CertificationAssignment]:
    """The assignments that pass the filters, in the order asked for; labels are ordered whatever their case.

    Unknown dates come last in either direction; ties are ordered by label and id, so that an answer is repeatable.
    """
    chosen = [
        item
        for item in held
        if command.verification_status in (None, status_shown(item, today))
        and command.is_active in (None, is_active(item, today))
    ]
    chosen.sort(key=lambda item: (folded(item.certification.label), item.certification.id))
    descending = command.ordering.startswith("-")
    if command.ordering.endswith("label"):
        if descending:
            chosen.sort(key=lambda item: folded(item.certification.label), reverse=True)
        return chosen
    dated = [item for item in chosen if item.expiry_date is not None]
    dated.sort(key=lambda item: item.expiry_date or date.max, reverse=descending)
    return dated + [item for item in chosen if item.expiry_date is None]
