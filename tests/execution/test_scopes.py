"""What is below a field that has a context of its own is resolved in it, and nothing else is, however it is run."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import strawberry

from execution.batched import batched
from execution.executor import Executor
from execution.markers import Scoped


@dataclass
class Context:
    year: int = 2026
    place: str = "here"
    calls: list[tuple[int, int]] = field(default_factory=list)
    loaders: dict[Any, Any] = field(default_factory=dict)


Info = strawberry.Info[Context, None]


def elsewhere(context: Context, asked: Any) -> Context:
    if (asked.get("the_year") or 0) < 0:
        raise ValueError("Nothing was before that.")
    return replace(
        context,
        year=asked.get("the_year") or context.year,
        place=asked.get("place") or context.place,
        loaders={},
    )


SCOPED = Scoped({"theYear": "the_year", "place": "place"}, elsewhere).metadata


@strawberry.type
class Thing:
    number: int

    @strawberry.field
    def told(self, info: Info) -> str:
        return f"{info.context.place} {info.context.year}"

    @strawberry.field
    async def told_late(self, info: Info) -> str:
        return f"{info.context.place} {info.context.year}"

    @batched()
    @staticmethod
    async def years(parents: list["Thing"], info: Info) -> list[int]:
        info.context.calls.append((info.context.year, len(parents)))
        return [info.context.year] * len(parents)

    @batched(metadata=SCOPED)
    @staticmethod
    async def parts(
        parents: list["Thing"], info: Info, the_year: int | None = None, place: str | None = None
    ) -> list[list["Thing"]]:
        return [[Thing(number=info.context.year), Thing(number=2)] for _ in parents]


@strawberry.type
class Query:
    @strawberry.field(metadata=SCOPED)  # type: ignore[untyped-decorator]
    async def thing(self, info: Info, the_year: int | None = None, place: str | None = None) -> Thing | None:
        return Thing(number=info.context.year)


async def answer(text: str, **variables: Any) -> tuple[Any, list[Any], Context]:
    executor, context = Executor(strawberry.Schema(Query)), Context()
    document = executor.prepare(text)
    result = await executor.run(document, document.select(None), variables, context)
    return result.data, [error.message for error in result.errors or ()], context


@pytest.mark.usefixtures("way")
async def test_what_is_below_is_in_the_context_of_its_nearest_field() -> None:
    data, errors, _ = await answer(
        """
        query ($year: Int, $none: Int) {
          now: thing { number told toldLate years }
          then: thing(theYear: $year) { number told toldLate years parts { number told years } }
          there: thing(theYear: 1999, place: "there") {
            told
            parts(theYear: $none) { told }
            of: parts(theYear: 1950) { number told toldLate parts { told years } }
            again: told
          }
          none: thing(theYear: $none) { told }
        }
        """,
        year=1984,
    )
    assert not errors
    assert data["now"] == {"number": 2026, "told": "here 2026", "toldLate": "here 2026", "years": 2026}
    assert data["then"] == {
        "number": 1984,
        "told": "here 1984",
        "toldLate": "here 1984",
        "years": 1984,
        "parts": [{"number": number, "told": "here 1984", "years": 1984} for number in (1984, 2)],
    }
    below = [{"told": "there 1950", "years": 1950}] * 2
    assert data["there"] == {
        "told": "there 1999",
        "parts": [{"told": "there 1999"}] * 2,
        "of": [
            {"number": number, "told": "there 1950", "toldLate": "there 1950", "parts": below} for number in (1950, 2)
        ],
        "again": "there 1999",
    }
    assert data["none"] == {"told": "here 2026"}


@pytest.mark.usefixtures("way")
async def test_what_is_asked_in_different_contexts_is_not_asked_together() -> None:
    _, errors, context = await answer(
        """
        {
          a: thing { years } b: thing { years }
          c: thing(theYear: 1) { parts { years } } d: thing(theYear: 2) { years }
        }
        """
    )
    assert not errors
    assert sorted(context.calls) == [(1, 2), (2, 1), (2026, 2)]


@pytest.mark.usefixtures("way")
async def test_a_context_that_is_refused_fails_its_field_alone() -> None:
    data, errors, _ = await answer("{ thing { told } no: thing(theYear: -1) { told parts { told } } }")
    assert data == {"thing": {"told": "here 2026"}, "no": None}
    assert errors == ["Nothing was before that."]
