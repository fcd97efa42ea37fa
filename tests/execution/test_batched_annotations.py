"""Annotations that are strings, forward references and lazy types."""

from __future__ import annotations

from typing import Annotated

import strawberry

from execution.batched import batched


@strawberry.type
class Shelf:
    number: int

    @batched()
    @staticmethod
    async def books(
        parents: list[int],
        info: strawberry.Info,
        most: Annotated[int, strawberry.argument(description="How many.")] = 1,
    ) -> list[list[Book]]:
        return [[Book() for _ in range(most)] for _ in parents]

    @batched()
    @staticmethod
    async def lazy_book(
        parents: list[int],
    ) -> list[Annotated[Book, strawberry.lazy(__name__)] | None]:
        return [Book() for _ in parents]

    @batched()
    @staticmethod
    async def lazy_books(
        parents: list[int],
    ) -> list[list[Annotated[Book, strawberry.lazy(__name__)]]]:
        return [[Book()] for _ in parents]


@strawberry.type
class Book:
    title: str = "a book"


@strawberry.type
class Query:
    @strawberry.field
    def shelves(self) -> list[Shelf]:
        return [Shelf(number=1), Shelf(number=2)]


class Context:
    def __init__(self) -> None:
        self.loaders: dict[object, object] = {}


schema = strawberry.Schema(Query)


def test_types_are_found_when_the_schema_is_built() -> None:
    printed = str(schema)
    assert "  ): [Book!]!" in printed
    assert "  lazyBook: Book\n" in printed
    assert "  lazyBooks: [Book!]!\n" in printed


async def test_they_run() -> None:
    source = "{ shelves { number books(most: 2) { title } lazyBook { title } lazyBooks { title } } }"
    result = await schema.execute(source, context_value=Context())
    assert result.errors is None
    book = {"title": "a book"}
    assert result.data == {
        "shelves": [
            {"number": number, "books": [book, book], "lazyBook": book, "lazyBooks": [book]} for number in (1, 2)
        ]
    }
