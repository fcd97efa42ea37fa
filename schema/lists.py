"""Lists of assignments, as more than one type has them."""

from typing import Any

from domain.filter_input import CERTIFICATION_ASSIGNMENTS
from domain.paging import AssignmentOrderField, Order, certification_assignment_order, claim_assignment_order
from domain.short_id import ShortId
from resolvers import assignments
from resolvers.certifications import KIND
from schema.connections import asked_for, connections
from schema.context import Info
from schema.filters import AssignmentOrder, CertificationAssignmentWhere, NestedAssignmentOrder


def certification_assignment_order_of(order_by: AssignmentOrder | NestedAssignmentOrder | None) -> Order:
    """The order that is asked for."""
    asked = order_by or AssignmentOrder()
    return certification_assignment_order(AssignmentOrderField(asked.field.value), descending=asked.descending)


def claim_assignment_order_of(order_by: AssignmentOrder | NestedAssignmentOrder | None) -> Order:
    """The order that is asked for."""
    if order_by is None:
        return claim_assignment_order()
    return claim_assignment_order(AssignmentOrderField(order_by.field.value), descending=order_by.descending)


async def certification_assignments_of(
    info: Info,
    groups: list[list[ShortId]],
    where: CertificationAssignmentWhere | None,
    order_by: NestedAssignmentOrder | None,
    window: tuple[int | None, str | None, int | None, str | None],
) -> Any:
    """For each group of certifications a page of their assignments."""
    order = certification_assignment_order_of(order_by)
    asked = await asked_for(info, CERTIFICATION_ASSIGNMENTS, order, where, window, "CertificationAssignment")
    operation = info.context.operation
    pages = await assignments.pages_of_definitions(operation, KIND, groups, asked.where, asked.order, asked.window)
    return connections(pages, asked, lambda: assignments.counts_of_definitions(operation, KIND, groups, asked.where))
