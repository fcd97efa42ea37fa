"""Pages of the lists that more than one type has."""

from typing import Any

from domain.short_id import ShortId
from resolvers import assignments, definitions
from resolvers.definitions import DefinitionKind, Kind
from schema.connections import ListRequest, connection, connections, listed
from schema.context import Info


async def page_of_definitions(info: Info, kind: DefinitionKind[Any], asked: ListRequest) -> Any:
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
