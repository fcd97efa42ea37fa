"""Filters and orders of a product's certifications (contract C7). One product holds few, so this needs no SQL."""

from collections.abc import Iterable
from datetime import date

from domain.commands import ListProductCertifications
from domain.records import CertificationAssignment
from domain.validity import is_active


def arrange(
    held: Iterable[CertificationAssignment], command: ListProductCertifications, today: date
) -> list[CertificationAssignment]:
    """The assignments that pass the filters, in the order asked for.

    Unknown dates come last in either direction; ties are ordered by label and id, so that an answer is repeatable.
    """
    chosen = [
        item
        for item in held
        if command.verification_status in (None, item.verification_status)
        and command.is_active in (None, is_active(item.valid_from, item.expiration_date, today))
    ]
    chosen.sort(key=lambda item: (item.certification.label, item.certification.id))
    descending = command.ordering.startswith("-")
    if command.ordering.endswith("label"):
        if descending:
            chosen.sort(key=lambda item: item.certification.label, reverse=True)
        return chosen
    dated = [item for item in chosen if item.expiry_date is not None]
    dated.sort(key=lambda item: item.expiry_date or date.max, reverse=descending)
    return dated + [item for item in chosen if item.expiry_date is None]
