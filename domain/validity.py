"""When an assignment holds (contract 2.4): both bounds are included, a missing bound is open."""

from datetime import date

from domain.errors import InvalidInput, Violation


def is_active(valid_from: date | None, expiration_date: date | None, on: date) -> bool:
    """Whether `on` lies within the validity."""
    return (valid_from is None or valid_from <= on) and (expiration_date is None or on <= expiration_date)


def check_order(valid_from: date | None, expiration_date: date | None) -> None:
    """Raises `InvalidInput` when the validity ends before it starts."""
    if valid_from is not None and expiration_date is not None and expiration_date < valid_from:
        message = f"Date should not be before valid_from ({valid_from}); change one of the two"
        raise InvalidInput([Violation(("expiration_date",), message, "date_order")])
