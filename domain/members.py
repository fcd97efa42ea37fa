"""What a record says of its members, for everything that shows, takes or stores them.

A member is declared as `Annotated[<type with its rules>, given(...)]` where clients send it, and with `kept(...)` where
it follows from the write. A member without either is no fact of its own, such as the definition of an assignment.
"""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo


class Said(NamedTuple):
    """What is said of a member, in parts of a sentence; other members are named in backticks, as records have them.

    `none`: when there is no value, after the word null or empty. `more`: whole sentences, for readers. `rule`: what
    writers have to heed besides the limits of the type. `default`: the value of an enumeration where none is sent.
    `sent_as`: the contract's name for it, where that is another. `sent`: what a client sends, where that is of another
    type. `given`: whether clients send it, and whether they can change it later.
    """

    words: str
    none: str = ""
    more: str = ""
    rule: str = ""
    example: Any = None
    default: Any = None
    sent_as: str = ""
    sent: Any = None
    given: Literal["never", "at first", "always"] = "never"


def kept(words: str, *, none: str = "", more: str = "", example: Any = None) -> Said:
    """Said of a member that no client sends."""
    return Said(words, none, more, example=example)


def given(
    words: str,
    *,
    none: str = "",
    more: str = "",
    rule: str = "",
    example: Any = None,
    default: Any = None,
    sent_as: str = "",
    sent: Any = None,
    patchable: bool = True,
) -> Said:
    """Said of a member that clients send when they make the record, and in a patch if it is `patchable`."""
    return Said(words, none, more, rule, example, default, sent_as, sent, "always" if patchable else "at first")


class RecordMember(NamedTuple):
    """One member of a record: its type with its rules, the class behind it, and what is said of it."""

    name: str
    type: Any
    plain: type
    optional: bool
    said: Said

    @property
    def limit(self) -> int | None:
        """The greatest length, None where there is none."""
        for rule in _rules(self.type):
            for bound in rule.metadata if isinstance(rule, FieldInfo) else ():
                if hasattr(bound, "max_length"):
                    return int(bound.max_length)
        return None

    @property
    def sent_as(self) -> str:
        """Its name in commands."""
        return self.said.sent_as or self.name

    @property
    def sent(self) -> Any:
        """The type of what a client sends."""
        return self.type if self.said.sent is None else self.said.sent

    def empty(self) -> Any:
        """The value that stands for none; of an enumeration, which has no such value, None."""
        return None if self.optional or self.plain not in _EMPTY else self.plain()

    def for_readers(self, *, example: bool = False) -> str:
        """What it is and what it means when there is none, in sentences; of a text with its example."""
        words = self.said.words + (self._for_example() if example else "")
        none = f"; {'null' if self.optional else 'empty'} {self.said.none}" if self.said.none else ""
        return f"{words}{none}.{' ' if self.said.more else ''}{self.said.more}"

    def _for_example(self) -> str:
        # An address says nothing that its words have not said.
        shown = self.plain is str and self.said.example and "://" not in self.said.example
        return f", for example `{self.said.example}`" if shown else ""

    def for_writers(self, *, patch: bool = False, example: bool = False) -> str:
        """What it is and what it may be, in a sentence, when a record is made or when it is changed."""
        words = self.said.words + (self._for_example() if example else "")
        limit = f"at most {self.limit} characters" if self.plain is str and self.limit else ""
        whole = "replaced as a whole" if patch and self.plain is list else ""
        once = "it cannot be patched later" if self.said.given == "at first" and not patch else ""
        return "; ".join(part for part in (words, self.said.rule, limit, whole, once) if part) + "."


_EMPTY = (str, list, dict)


@cache
def members_of(record: type) -> Mapping[str, RecordMember]:
    """The members of which something is said, by name, in the order of the record."""
    return {name: member for name, hint in _hints(record) if (member := _member(name, hint)) is not None}


def given_to(record: type) -> list[RecordMember]:
    """The members that clients send."""
    return [member for member in members_of(record).values() if member.said.given != "never"]


def _hints(record: type) -> Any:
    return get_type_hints(record, include_extras=True).items()


def _member(name: str, hint: Any) -> RecordMember | None:
    if get_origin(hint) is not Annotated:
        return None
    inner, *marks = get_args(hint)
    said = next((mark for mark in reversed(marks) if isinstance(mark, Said)), None)
    if said is None:
        return None
    rules = tuple(mark for mark in marks if not isinstance(mark, Said))
    options = get_args(inner) if get_origin(inner) in (Union, UnionType) else (inner,)
    plain = next(_plain(option) for option in options if option is not NoneType)
    return RecordMember(name, Annotated[(inner, *rules)] if rules else inner, plain, NoneType in options, said)


def _rules(hint: Any) -> list[Any]:
    """The rules of a type, and of what is not null where it may be null."""
    options = [rule for option in get_args(hint) if get_origin(option) is Annotated for rule in get_args(option)[1:]]
    return [*get_args(hint)[1:], *options]


def _plain(hint: Any) -> type:
    """The class behind rules, parameters and names for a type."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        else:
            plain: type = get_origin(hint) or hint
            return plain
