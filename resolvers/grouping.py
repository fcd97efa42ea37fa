"""From the rows of one statement to the list of each parent."""

from collections.abc import Iterable
from typing import TypeVar

from domain.gtin import Gtin
from domain.records import CertificationAssignment, ClaimAssignment

A = TypeVar("A", bound=CertificationAssignment | ClaimAssignment)


def by_gtin(gtins: list[Gtin], assignments: Iterable[A]) -> list[list[A]]:
    """For each GTIN its assignments, in the order in which they came; a GTIN may be asked for twice."""
    if len(gtins) == 1:
        return [list(assignments)]
    groups: dict[Gtin, list[A]] = {gtin: [] for gtin in gtins}
    for assignment in assignments:
        groups[assignment.gtin].append(assignment)
    return [groups[gtin] for gtin in gtins]
