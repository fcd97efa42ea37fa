"""The lists that are asked for in pages: what each can be narrowed down by and ordered by."""

from dataclasses import replace
from typing import Any

from domain import lists
from domain.short_id import ShortId
from resolvers import assignments, definitions
from resolvers.definitions import Kind
from schema.connections import ListKind, ListRequest, connection, connections, listed
from schema.context import Info
from schema.filters import (
    AssignmentOrder,
    CertificationAssignmentWhere,
    CertificationBodyOrder,
    CertificationBodyWhere,
    CertificationWhere,
    ClaimAssignmentWhere,
    ClaimWhere,
    DefinitionOrder,
    NestedAssignmentOrder,
    ProductOrder,
    ProductWhere,
)

PRODUCTS = ListKind(of=lists.PRODUCTS, where=ProductWhere, which="Which products.", order=ProductOrder, first_by="GTIN")
BODIES = ListKind(
    of=lists.BODIES,
    where=CertificationBodyWhere,
    which="Which bodies.",
    order=CertificationBodyOrder,
    first_by="name",
)
CERTIFICATIONS = ListKind(
    of=lists.CERTIFICATIONS,
    where=CertificationWhere,
    which="Which certifications.",
    order=DefinitionOrder,
    first_by="label",
)
CLAIMS = ListKind(of=lists.CLAIMS, where=ClaimWhere, which="Which claims.", order=DefinitionOrder, first_by="label")
CERTIFICATION_ASSIGNMENTS = ListKind(
    of=lists.CERTIFICATION_ASSIGNMENTS,
    where=CertificationAssignmentWhere,
    which="Which assignments.",
    order=AssignmentOrder,
    first_by="GTIN",
)
CLAIM_ASSIGNMENTS = ListKind(
    of=lists.CLAIM_ASSIGNMENTS,
    where=ClaimAssignmentWhere,
    which="Which assignments.",
    order=AssignmentOrder,
    first_by="GTIN",
)
ASSIGNMENTS_OF_CERTIFICATIONS = replace(CERTIFICATION_ASSIGNMENTS, order=NestedAssignmentOrder)
ASSIGNMENTS_OF_CLAIMS = replace(CLAIM_ASSIGNMENTS, order=NestedAssignmentOrder)


async def page_of_definitions(info: Info, kind: Kind[Any, Any], asked: ListRequest) -> Any:
    """A page of the definitions of a kind."""
    return listed(await definitions.definitions_that_match(info.context.operation, kind, asked.where), asked)


async def page_of_assignments(info: Info, kind: Kind[Any, Any], asked: ListRequest) -> Any:
    """A page of all assignments of a kind."""
    operation = info.context.operation
    page = await assignments.page(operation, kind, asked.where, asked.order, asked.window)
    return connection(page, asked, lambda: assignments.count(operation, kind, asked.where))


async def pages_of_definitions(
    info: Info, kind: Kind[Any, Any], groups: list[list[ShortId]], asked: ListRequest
) -> Any:
    """For each group of definitions a page of their assignments, all in one statement."""
    operation = info.context.operation
    pages = await assignments.pages_of_definitions(operation, kind, groups, asked.where, asked.order, asked.window)
    return connections(pages, asked, lambda: assignments.counts_of_definitions(operation, kind, groups, asked.where))
