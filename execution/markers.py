"""What a schema says of its types and fields for the sake of running them, beside `batched`.

`cost` is metadata of a Strawberry field, `instance_of` is the `is_type_of` of a Strawberry type.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, NamedTuple, Protocol, Union, get_args, get_origin, get_type_hints

COST = "execution.cost"
ROWS = "execution.rows"
COMPUTED = "execution.computed"
ITEMS = "execution.items"
"""The metadata of a field that is read in pages: the `RowSource` of their items."""
SCOPED = "execution.scoped"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a field says of its own cost; None: as usual."""

    weight: int | None = None
    size: int | str | None = None


def cost(*, weight: int | None = None, size: int | str | None = None) -> dict[str, Any]:
    """Metadata of a Strawberry field whose cost is not as usual.

    `weight` is that of one of its objects, or of one thing that a mutation changes. `size` is the number of its items,
    or of the things that are changed: a number, or the argument that is or has as many, with dots where it lies inside
    an input object.
    """
    return {COST: Cost(weight, size)}


class RowSource(Protocol):
    """Whoever has the rows of a declared read, and makes of them what a shape says."""

    @property
    def record(self) -> type:
        """The record that a row is."""

    @property
    def definition(self) -> str:
        """The member of it that is a lasting object, which the rows name; "" where none is."""

    def waits(self, context: Any) -> bool:
        """Whether reads gain something from being made at the same time."""

    def reader(self, context: Any) -> Any:
        """What reads below one another have in common; raises what forbids them."""

    def fill(self, reader: Any, shape: Any, into: Any, below: Any) -> Awaitable[None] | None:
        """Appends to the lists of `into`, which are empty, what the rows of their keys become; None once it is done.

        That is `shape.write(row)`, Python with the names that `row` gives to members, definitions and children; for
        each child it puts into `below` the lists that are to be filled then.
        """


class DeclaredRead(NamedTuple):
    """What a field says whose objects are the rows of a read by key.

    `key` is the member of the parent that is the key; at the root it is the argument, of which `parse` makes the key.
    """

    source: RowSource
    key: str
    parse: Callable[[Any], Any] | None = None

    @property
    def metadata(self) -> dict[str, Any]:
        """Those of the field. Its function gives the same, as records."""
        return {ROWS: self}


class Scoped(NamedTuple):
    """What a field says that is asked in a context of its own by some of its arguments, and all below it, too.

    `make` is a function of the context around it and of at least these arguments, by the names of their parameters.
    """

    arguments: Mapping[str, str]
    """Those parameters, by the arguments' names in the schema. Their values are scalars."""
    make: Callable[[Any, Mapping[str, Any]], Any]

    def is_asked(self, node: Any) -> bool:
        """Whether a field of a document has any of them."""
        return any(given.name.value in self.arguments for given in node.arguments or ())

    @property
    def metadata(self) -> dict[str, Any]:
        """Those of the field."""
        return {SCOPED: self}


class Computed(NamedTuple):
    """What a field says that follows from members of its object by a function, which never fails.

    Each of `members` is named, or computed itself. `on_day`: the function takes the day of the request, too, last. The
    field's own function gives the same as long as it is given no arguments.
    """

    function: Callable[..., Any]
    members: "tuple[str | Computed, ...]"
    on_day: bool = False

    @property
    def metadata(self) -> dict[str, Any]:
        """Those of the field."""
        return {COMPUTED: self}

    @property
    def names(self) -> Iterator[str]:
        """The members that it follows from in the end."""
        for each in self.members:
            if isinstance(each, str):
                yield each
            else:
                yield from each.names

    @property
    def result(self) -> tuple[type, bool] | None:
        """The class of what comes of it, and whether it may be None; None where there are several."""
        return _declared(get_type_hints(self.function)["return"])


def instance_of(record: type, *, lasting: bool = False) -> Callable[[Any, Any], bool]:
    """An `is_type_of` for a type whose objects are instances of `record`, whose attributes may be read repeatedly.

    It says so in an attribute, by which compiled operations compare types instead of calling it. `lasting` objects are
    few, come again in operation after operation, and never change: what was made of one is remembered.
    """

    def is_type_of(value: Any, _info: Any) -> bool:
        return isinstance(value, record)

    is_type_of.instance_of = record  # type: ignore[attr-defined]
    is_type_of.lasting = lasting  # type: ignore[attr-defined]
    return is_type_of


@cache
def declared(record: type) -> Mapping[str, tuple[type, bool]]:
    """By attribute its class, and whether it may be None; of attributes that are of one class."""
    hints = {name: _declared(hint) for name, hint in get_type_hints(record).items()}
    return {name: known for name, known in hints.items() if known is not None}


def _declared(hint: Any) -> tuple[type, bool] | None:
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    others = [_plain(member) for member in members if member is not NoneType]
    return (others[0], NoneType in members) if len(others) == 1 else None


def _plain(hint: Any) -> Any:
    """The class behind parameters and a `NewType`."""
    while hasattr(hint, "__supertype__"):
        hint = hint.__supertype__
    return get_origin(hint) or hint
