"""From GraphQL inputs and arguments to what the domain's commands take."""

import dataclasses
from collections.abc import Collection
from functools import lru_cache
from typing import Annotated, Any, Optional, cast

import strawberry
from strawberry import Maybe, Some
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from domain.errors import InvalidInput, Violation
from domain.patch import UNCHANGED
from domain.record_commands import PatchCommand, RecordCommand
from domain.short_id import parse_short_id
from domain.validation import Command, parse_text
from resolvers import definitions
from resolvers.definitions import DefinitionKind
from schema.classes import class_of, plain_field
from schema.context import Info
from schema.records import graphql_type, spelled


def sent_members(input: object) -> dict[str, Any]:
    """The members of an input object by their domain names. Raises `InvalidInput`.

    `Maybe` tells null (`Some(None)`) from omitted (None); everywhere else the two mean the same. Where there is
    `clear_metadata`, it alone clears them: an empty map is what many a form sends for "nothing entered".
    """
    known = _members(cast("Any", type(input)))
    members = {
        name: value.value if type(value) is Some else value
        for name in known
        if (value := getattr(input, name)) is not None
    }
    for by_id, by_code in _CODES.items():
        if by_code in known:
            members = _named_once(members, by_id, by_code)
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


_CODES = {"certification_id": "certification_code", "claim_id": "claim_code"}
"""What names a definition -> what may name it instead: commands take either form in one member."""


def _named_once(members: dict[str, Any], by_id: str, by_code: str) -> dict[str, Any]:
    if (by_id in members) == (by_code in members):
        message = f"Give either {to_camel_case(by_id)} or {to_camel_case(by_code)}, not both and not neither"
        raise InvalidInput([Violation((by_id,), message, "id_or_code")])
    if by_code in members:
        members[by_id] = members.pop(by_code)
    return members


def input_of(command: type[Command], description: str, *, versioned: str = "", optional: Collection[str] = ()) -> type:
    """The input from which a command is made: its members, with their words and defaults.

    A patch tells null from omitted where it makes a difference, and clears metadata by a member of their own. Of what
    counts its changes, which is called `versioned`, the version can be given that the change is for. Members that are
    `optional` may be left out, though the command needs them.
    """
    nulls = command.nulls if issubclass(command, PatchCommand) else {}
    given = command.given if issubclass(command, RecordCommand) else {}
    types, fields = {}, {}
    for name, member in command.model_fields.items():
        type_: Any = graphql_type(member.annotation)
        default: dict[str, Any] = {}
        if name in nulls and nulls[name] != UNCHANGED:
            type_, default = Maybe[type_], {"default": None}  # type: ignore[misc]
        elif member.default_factory is not None:
            default = {"default_factory": member.default_factory}
        elif not member.is_required():
            default = {"default": member.default}
        elif name in optional:
            type_, default = type_ | None, {"default": None}
        types[name] = type_
        called, words = None, member.description
        if name in given:
            called = to_camel_case(given[name].name)
            words = spelled(given[name].for_writers(patch=bool(nulls), example=True))
        if name in _CODES:
            types[name], default = strawberry.ID | None, {"default": None}
            types[_CODES[name]] = str | None
            of = name.removesuffix("_id")
            instead = f"The code of the {of}, whatever the case; give it instead of the id or leave it out."
            fields[_CODES[name]] = plain_field(instead, default=None)
        fields[name] = plain_field(words, name=called, **default)
    if "metadata" in nulls:
        types["clear_metadata"] = bool
        fields["clear_metadata"] = plain_field("Delete all metadata.", default=False)
    if versioned:
        types["if_match"] = int | None
        words = f"Refuse the change unless the {versioned} is at this `version`."
        fields["if_match"] = plain_field(words, default=None)
    made = class_of(f"{command.__name__}Input", types, fields)
    return strawberry.input(made, description=f"{description} {_about_null(command)}".strip())


def _about_null(command: type[Command]) -> str:
    """What is said of the members of a patch."""
    if not issubclass(command, PatchCommand):
        return ""
    nulls = command.nulls
    if UNCHANGED in nulls.values():
        return "A member that is left out or null stays as it is; an empty text empties."
    policies = {null.policy for null in nulls.values()}
    clears = "clears dates, " if "clears" in policies else ""
    lists = " and lists" if any(null.value == [] for null in nulls.values()) else ""
    refused = [name for name, null in nulls.items() if null.policy == "refused"]
    refused += ["metadata"] * ("metadata" in nulls)
    names = " and ".join(f"`{to_camel_case(name)}`" for name in refused)
    return f"{command.when_left_out}; null {clears}empties texts{lists}, and is refused for {names}."


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
    return {
        name.rstrip("_"): plain_members(value)
        for name in _members(cast("Any", type(input)))
        if (value := getattr(input, name)) is not None
    }


def by_id_or_code(of: type, kind: DefinitionKind[Any], description: str, example: str) -> StrawberryField:
    """A field that finds one definition, by its id or by a code; `example` is one as a description quotes it."""
    its_code = strawberry.argument(description=f"Its code, for example {example}, whatever the case.")
    code_type: Any = Annotated[str | None, its_code]
    answer: Any = Optional[of]  # noqa: UP045 - of a type that is only known here

    async def resolve(info: Info, id: Id = None, code: code_type = None) -> answer:
        if (id is None) == (code is None):
            raise InvalidInput([Violation((), "Give either id or code, not both and not neither", "id_or_code")])
        if id is not None:
            return await definitions.definition(info.context.operation, kind, parse_short_id(id))
        return await definitions.definition_of_code(info.context.operation, kind, parse_text(code, "code"))

    return strawberry.field(resolver=resolve, description=description)
