"""What is answered follows from the records; what is written out for speed is no exception."""

from datetime import UTC, date, datetime
from typing import Any

from domain.certificates import JUDGING
from domain.records import Certification, CertificationAssignment
from rest_compat.outputs import CERTIFICATION_ASSIGNMENT

OF_DEFINITION = {"id", "label", "code", "description", "url", "logo_url"}


def test_every_member_of_a_certification_of_a_product_is_the_one_of_that_name() -> None:
    # Texts that tell where they come from, and days of which the order says that it is active.
    definition: Any = {name: f"{name} of the definition" for name in Certification.__struct_fields__}
    record: Any = {name: f"{name} of the record" for name in CertificationAssignment.__struct_fields__}
    record |= {"valid_from": date(2026, 1, 1), "expiration_date": date(2026, 12, 31)}
    record |= dict.fromkeys((*JUDGING, "suspended_from", "suspended_until", "withdrawn_on"))
    held = CertificationAssignment(**{**record, "certification": Certification(**definition)})
    expected = {**record, **{name: definition[name] for name in OF_DEFINITION}, "is_active": True}

    shown = CERTIFICATION_ASSIGNMENT.show(held, datetime(2026, 5, 31, tzinfo=UTC))

    names = CERTIFICATION_ASSIGNMENT.struct.__struct_fields__
    assert {name: getattr(shown, name) for name in names} == {name: expected[name] for name in names}
