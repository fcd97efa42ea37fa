"""Filters and orders of lists that are short: definitions (some hundreds) and what one product holds.

They need no SQL, and so fold case alike on both databases. Ties are ordered by id, so that an answer is repeatable.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Generic, NamedTuple, TypeVar

from domain.commands import (
    ListCertificationBodies,
    ListCertifications,
    ListClaims,
    ListProductCertifications,
    NumberedPage,
)
from domain.records import Certification, CertificationAssignment, CertificationBody, Claim
from domain.text import contains, fold, folded
from domain.validity import is_active

T = TypeVar("T")
D = TypeVar("D", CertificationBody, Certification, Claim)


class Numbered(NamedTuple, Generic[T]):
    """A numbered page of something, and how many there are in all."""

    items: Sequence[T]
    total: int


def page_of(items: Sequence[T], page: NumberedPage) -> Numbered[T]:
    """The page of a list; one beyond the end is empty."""
    return Numbered(items[page.offset : page.offset + page.page_size], len(items))


def bodies(every: Iterable[CertificationBody], command: ListCertificationBodies) -> list[CertificationBody]:
    """The bodies that pass the filter, in the order asked for."""
    found = [item for item in every if command.name is None or contains(item.name, command.name)]
    return _ordered(found, command.ordering, lambda item: item.name)


def certifications(every: Iterable[Certification], command: ListCertifications) -> list[Certification]:
    """The certifications that pass the filters, in the order asked for."""
    found = [
        item
        for item in every
        if (command.label is None or contains(item.label, command.label))
        and (command.code is None or fold(item.code) == fold(command.code))
        and (
            command.certification_body_id is None
            or (item.body is not None and item.body.id == command.certification_body_id)
        )
    ]
    return _ordered(found, command.ordering, lambda item: item.code if "code" in command.ordering else item.label)


def claims(every: Iterable[Claim], command: ListClaims) -> list[Claim]:
    """The claims that pass the filters, in the order asked for."""
    found = [
        item
        for item in every
        if (command.label is None or contains(item.label, command.label))
        and (command.code is None or fold(item.code) == fold(command.code))
        and command.category in (None, item.category)
    ]
    return _ordered(found, command.ordering, lambda item: item.code if "code" in command.ordering else item.label)


def _ordered(items: list[D], ordering: str, key: Callable[[D], str]) -> list[D]:
    items.sort(key=lambda item: item.id)
    items.sort(key=lambda item: folded(key(item)), reverse=ordering.startswith("-"))
    return items


def arrange(
    held: Iterable[CertificationAssignment], command: ListProductCertifications, today: date
) -> list[CertificationAssignment]:
    """The assignments that pass the filters, in the order asked for; labels are ordered whatever their case.

    Unknown dates come last in either direction; ties are ordered by label and id, so that an answer is repeatable.
    """
    chosen = [
        item
        for item in held
        if command.verification_status in (None, item.verification_status)
        and command.is_active in (None, is_active(item.valid_from, item.expiration_date, today))
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
