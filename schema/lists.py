"""Pages of the lists that more than one type has."""

from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from domain.lists import List
from domain.short_id import ShortId
from resolvers import assignments, definitions
from resolvers.definitions import DefinitionKind, Kind
from schema.connections import Connection, ListRequest, connection, connections, listed, paged
from schema.context import Info
from schema.records import items_of
from schema.times import IN_TIME, in_time


def definitions_field(of: List, kind: DefinitionKind[Any], shown: type, words: str) -> StrawberryField:
    """The root field that shows the definitions of a kind, page by page."""
    answer: Any = Connection[shown] | None  # type: ignore[valid-type]

    async def resolve(info: Info, asked: ListRequest) -> answer:
        return listed(await definitions.definitions_that_match(info.context.operation, kind, asked.where), asked)

    return strawberry.field(resolver=paged(of)(resolve), description=words)


def assignments_field(of: List, kind: Kind[Any, Any], shown: type, words: str) -> StrawberryField:
    """The root field that shows all assignments of a kind, page by page."""
    answer: Any = Connection[shown] | None  # type: ignore[valid-type]

    async def resolve(info: Info, asked: ListRequest) -> answer:
        operation = info.context.operation
        page = await assignments.page(operation, kind, asked.where, asked.order, asked.window)
        return connection(page, asked, lambda: assignments.count(operation, kind, asked.where))

    pages = in_time(paged(of)(resolve))
    return strawberry.field(resolver=pages, description=words, metadata=items_of(kind.rows) | IN_TIME)


async def pages_of_definitions(
    info: Info, kind: Kind[Any, Any], groups: list[list[ShortId]], asked: ListRequest
) -> Any:
    """For each group of definitions a page of their assignments, all in one statement."""
    operation = info.context.operation
    pages = await assignments.pages_of_definitions(operation, kind, groups, asked.where, asked.order, asked.window)
    return connections(pages, asked, lambda: assignments.counts_of_definitions(operation, kind, groups, asked.where))
