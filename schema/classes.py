"""Classes that code makes for Strawberry, in the form in which a start is shortest."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation


@cache
def read_once(hint: Any) -> StrawberryAnnotation:
    """The annotation that stands for a hint in whichever class has it; Strawberry reads it anew for each otherwise.

    Most of a thousand members are texts, ids and days: a twentieth of a start.
    """
    return StrawberryAnnotation(hint)


def plain_field(words: str | None, *, name: str | None = None, init: bool = True, **default: Any) -> Any:
    """A field of a class that is neither compared nor shown, nor made anew unless `init`.

    A dataclass compiles source code for each.
    """
    made: Any = strawberry.field(name=name, description=words, **default)
    made.compare = made.repr = False
    made.init = init
    return made


def class_of(name: str, hints: Mapping[str, Any], members: Mapping[str, Any], *bases: type) -> Any:
    """A class that Strawberry makes a type of, with these hints."""
    annotations = {member: read_once(hint) for member, hint in hints.items()}
    # Where there is no docstring, a dataclass writes its whole signature into one.
    return type(name, bases, {"__doc__": f"`{name}` of the schema.", "__annotations__": annotations, **members})
