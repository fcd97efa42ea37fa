"""From GraphQL inputs and arguments to what the domain's commands take."""

import dataclasses
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Annotated, Any, Optional, cast

import strawberry
from strawberry import Some
from strawberry.types.field import StrawberryField

from domain.errors import InvalidInput, Violation
from domain.short_id import ShortId, parse_short_id
from domain.validation import parse_text
from resolvers.operation import Context
from schema.context import Info


def sent_members(input: object) -> dict[str, Any]:
    """The members of an input object by their domain names, without `if_match`. Raises `InvalidInput`.

    `Maybe` tells null (`Some(None)`) from omitted (None); everywhere else the two mean the same. Where there is
    `clear_metadata`, it alone clears them: an empty map is what many a form sends for "nothing entered".
    """
    members = {
        name: value.value if type(value) is Some else value
        for name in _members(cast("Any", type(input)))
        if (value := getattr(input, name)) is not None
    }
    clear = members.pop("clear_metadata", None)
    if clear is None:
        return members
    empty = "metadata" in members and members["metadata"] in (None, {})
    if empty and not clear:
        message = "Input should have keys; leave metadata out to keep them, or send clearMetadata: true to delete all"
        raise InvalidInput([Violation(("metadata",), message, "clear_metadata")])
    if clear and "metadata" in members and not empty:
        message = "Input should be left out where clearMetadata is true"
        raise InvalidInput([Violation(("metadata",), message, "clear_metadata")])
    return {**members, "metadata": {}} if clear else members


Id = Annotated[strawberry.ID | None, strawberry.argument(description="Its id.")]


@lru_cache(maxsize=64)
def _members(input_type: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(input_type))


def plain_members(input: Any) -> Any:
    """An input object as plain members, objects in it included; null and omitted mean the same here.

    Names that are words of Python are written with an underscore behind them there: `in_`, `not_`.
    """
    if isinstance(input, list):
        return [plain_members(item) for item in input]
    if not dataclasses.is_dataclass(input):
        return input
    values = {field.name.rstrip("_"): getattr(input, field.name) for field in dataclasses.fields(input)}
    return {name: plain_members(value) for name, value in values.items() if value is not None}


def by_id_or_code(
    of: type,
    description: str,
    example: str,
    by_id: Callable[[Context, ShortId], Awaitable[Any]],
    by_code: Callable[[Context, str], Awaitable[Any]],
) -> StrawberryField:
    """A field that finds one object, by its id or by a code; `example` is one as a description quotes it."""
    its_code = strawberry.argument(description=f"Its code, for example {example}, whatever the case.")
    code_type: Any = Annotated[str | None, its_code]
    answer: Any = Optional[of]  # noqa: UP045 - of a type that is only known here

    async def resolve(info: Info, id: Id = None, code: code_type = None) -> answer:
        if (id is None) == (code is None):
            raise InvalidInput([Violation((), "Give either id or code, not both and not neither", "id_or_code")])
        if id is not None:
            return await by_id(info.context.operation, parse_short_id(id))
        return await by_code(info.context.operation, parse_text(code, "code"))

    return strawberry.field(resolver=resolve, description=description)
