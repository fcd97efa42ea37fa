"""Commands that make records and change them: their members, types, limits and words are the record's."""

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, ClassVar, TypeVar

from pydantic import Field, create_model

from domain import patch
from domain.members import RecordMember, given_to, members_of
from domain.metadata import merge
from domain.records import Record
from domain.validation import Command
from domain.validity import check_order


class RecordCommand(Command):
    """A command with members of a record."""

    given: ClassVar[Mapping[str, RecordMember]]
    """By the names under which they are sent."""


class NewCommand(RecordCommand):
    """A command that makes a record of the members that were sent; see `makes`."""

    names: ClassVar[tuple[str, ...]]
    """The record's names of the members, in the order of `read`."""
    read: ClassVar[Any]
    """Takes them of a command's members, as a tuple."""
    empty: ClassVar[Mapping[str, Callable[[], Any]]]
    """Of members that may be left out by null: makes what stands for none."""

    def members(self) -> dict[str, Any]:
        """The members of the record that clients give. Raises `InvalidInput`."""
        # Naming `strict` costs as much as all else in this line.
        sent = dict(zip(self.names, self.read(self.__dict__)))  # noqa: B905
        if self.empty:
            sent |= {name: empty() for name, empty in self.empty.items() if sent[name] is None}
        if "valid_from" in sent:
            check_order(sent["valid_from"], sent["expiration_date"])
        sent["metadata"] = merge({}, sent["metadata"])
        return sent


class PatchCommand(RecordCommand):
    """A command that changes the members that were sent; see `changes`.

    Omitted and null are told apart by which members were set.
    """

    nulls: ClassVar[Mapping[str, patch.Null]]
    """What null means, by the name under which a member is sent."""
    when_left_out: ClassVar[str] = "A member that is left out stays as it is"
    """What is said of that."""

    def members(self) -> dict[str, Any]:
        """The patchable members that were sent, nulls replaced by what they mean. Raises `InvalidInput`."""
        sent = {name: getattr(self, name) for name in self.nulls if name in self.model_fields_set}
        return {self.given[name].name: value for name, value in patch.resolve_nulls(sent, self.nulls).items()}


N = TypeVar("N", bound=NewCommand)
P = TypeVar("P", bound=PatchCommand)
R = TypeVar("R", bound=RecordCommand)


def makes(record: type[Record], *, last: str = "", null_is_omitted: bool = False) -> Callable[[type[N]], type[N]]:
    """The command with the members of the record that clients give, each with its rules and its default.

    They are judged in the order of the record, but for the `last`. With `null_is_omitted` a client may send null for
    each of them, and means that there is none.
    """
    given = _given_to(record, last)

    def decorate(command: type[N]) -> type[N]:
        command = _with_members(command, given, lambda member: _when_made(member, null_is_omitted))
        command.names = tuple(member.name for member in given)
        command.read = itemgetter(*(member.sent_as for member in given))
        command.empty = {member.name: member.empty for member in given if null_is_omitted and member.name != "metadata"}
        return command

    return decorate


def changes(record: type[Record], *, last: str = "", null: patch.Null | None = None) -> Callable[[type[P]], type[P]]:
    """The command with the members of the record that clients may change, in the same order.

    Null means `null`, or what a member's type says.
    """
    given = [member for member in _given_to(record, last) if member.said.given == "always"]

    def decorate(command: type[P]) -> type[P]:
        command = _with_members(command, given, _in_patch)
        command.nulls = {member.sent_as: null or patch.meaning_of_null(member) for member in given}
        return command

    return decorate


def renews(record: type[Record], part: type[Record]) -> Callable[[type[P]], type[P]]:
    """The command with what clients give of the `part` of a record that is made anew; null as in a patch."""
    given = [member for member in given_to(record) if member.name in members_of(part)]

    def decorate(command: type[P]) -> type[P]:
        command = _with_members(command, given, _in_patch)
        command.nulls = {member.sent_as: patch.meaning_of_null(member) for member in given}
        return command

    return decorate


def _given_to(record: type[Record], last: str) -> list[RecordMember]:
    return sorted(given_to(record), key=lambda member: member.name == last)


def _when_made(member: RecordMember, null_is_omitted: bool) -> tuple[Any, Any]:
    if null_is_omitted or member.said.sent is not None:
        return member.sent | None, None
    default = member.said.default if member.said.default is not None else member.empty()
    return member.sent, Field(default_factory=list) if member.plain is list else default


def _in_patch(member: RecordMember) -> tuple[Any, Any]:
    return member.sent | None, None


def _with_members(
    command: type[R], given: list[RecordMember], field: Callable[[RecordMember], tuple[Any, Any]]
) -> type[R]:
    fields: dict[str, Any] = {member.sent_as: field(member) for member in given}
    made = create_model(
        command.__name__, __base__=command, __module__=command.__module__, __doc__=command.__doc__, **fields
    )
    made.given = {member.sent_as: member for member in given}
    return made
