"""A plan: which fields are asked of which type, and how each is resolved."""

import dataclasses
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, cast

import msgspec
import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLLeafType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    is_leaf_type,
)
from strawberry.types.field import StrawberryField

from execution.batched import BatchedField
from execution.markers import DeclaredRead
from execution.plan.arguments import FieldArguments

Part = Callable[[Any], str]
"""The expression for one member of an answer, from a row as `Shape.write` takes it."""
Step = tuple[str, str] | None
"""A response key and the type it belongs to, or None for the index of a list item."""


class NotCompiled(Exception):
    """The operation is left to graphql-core; the text is the reason."""


class TooManyFields(NotCompiled):
    """The operation has more fields than are planned, and is not run at all."""


class FieldKind(Enum):
    """How the value of a field is found."""

    TYPENAME = "the name of the type"
    ATTRIBUTE = "attribute"
    RESOLVER = "resolver"
    ASYNC_RESOLVER = "async resolver"
    BATCHED = "batched"
    WRAPPED = "resolver as wrapped by Strawberry"


@dataclass(slots=True, eq=False)
class Scope:
    """A field that has a context of its own, with all below it (see `execution.markers.Scoped`)."""

    field: "FieldPlan"
    outer: "Scope | None"
    make: Callable[[Any, Mapping[str, Any]], Any]


@dataclass(slots=True, eq=False)
class FieldPlan:
    """One response key of one object type at one place."""

    number: int
    key: str
    parent: GraphQLObjectType
    definition: GraphQLField
    field: StrawberryField | None
    """What Strawberry knows of it; None for `__typename` and for fields that Strawberry did not make."""
    nodes: list[FieldNode]
    path: tuple[Step, ...]
    kind: FieldKind
    scope: Scope | None
    """In whose context it is resolved; None for that of the operation."""
    value: "ValuePlan" = dataclasses.field(init=False)
    head: tuple[Any, ...] = dataclasses.field(init=False)
    """What resolvers are told of it first: name, nodes, type, parent."""
    arguments: FieldArguments | None = None
    """How its function comes to them; None unless it is called by itself."""
    shape: "Shape | None" = None
    """What the rows become that it reads; None where it goes the general way."""
    batch: int = -1
    """Where the parents of a batched field are gathered."""
    items: "Shape | None" = None
    """What the items of its pages become; None where they go the general way."""
    waits: bool = False
    """Learnt while running: whether its coroutines have to wait, so that siblings gain from running beside it."""

    def __post_init__(self) -> None:
        self.head = (self.nodes[0].name.value, self.nodes, self.definition.type, self.parent)

    @property
    def question(self) -> Hashable:
        """What a batched field asks but for its arguments: fields that have it in common may be asked together."""
        return cast("BatchedField", self.field).batch_function, self.scope

    @property
    def name(self) -> str:
        """The field's name in the schema, for example `Product.claims`."""
        return f"{self.parent.name}.{self.nodes[0].name.value}"


@dataclass(slots=True, eq=False)
class ValuePlan:
    """A place that holds a value: that of a field, or of the items of a list."""

    number: int
    field: FieldPlan
    type: GraphQLOutputType
    """Without its non-null wrapper."""
    non_null: bool
    path: tuple[Step, ...]
    nullable_depth: int
    """How many steps of the path lead to the nearest place that may be null; 0 is the whole answer."""
    indices: int
    """How many lists of the field surround it."""
    item: "ValuePlan | None" = None
    objects: "dict[str, ObjectPlan]" = dataclasses.field(default_factory=dict)
    """The object that it may be, by the name of the type: one unless the type is an interface or union."""
    complete: Any = None
    """The function `(run, value, position)` that gives the place of a field its final value."""

    @property
    def is_leaf(self) -> bool:
        """Whether it holds a scalar or an enum member."""
        return is_leaf_type(self.type)

    def objects_within(self) -> "list[ObjectPlan]":
        """The objects that it may hold, maybe in lists."""
        return self.item.objects_within() if self.item is not None else list(self.objects.values())

    @property
    def leaf(self) -> GraphQLLeafType:
        """Its type, known to be a leaf."""
        return cast("GraphQLLeafType", self.type)


@dataclass(slots=True, eq=False)
class ObjectPlan:
    """A selection on one concrete type at one place."""

    number: int
    type: GraphQLObjectType
    fields: list[FieldPlan]
    made: bool = False
    """Whether a shape makes it of the rows of a page."""
    build: Any = None
    """The function `(run, object, position)` that makes its part of the answer."""


class Shape:
    """What a row becomes, in Python that the owner of the rows completes (see `execution.markers.RowSource`).

    That is an object of a class of its own, which takes a quarter of a dictionary's memory and three quarters of its
    time, or where it is the only one of its parent, the members of a dictionary that is there already.
    """

    def __init__(self, rows: DeclaredRead, *, of_parent: bool = False) -> None:
        self.rows = rows
        self.members: frozenset[str] = frozenset()
        self.children: list[FieldPlan] = []
        self.prepared: dict[Any, Any] = {}
        """What the owner of the rows has made of it."""
        self._of_parent = of_parent
        self._parts: list[tuple[str, Part]] = []

    def write(self, row: Any) -> str:
        """The expression for the object of one row."""
        if self._of_parent:
            return f"{{{', '.join(f'{key!r}: {part(row)}' for key, part in self._parts)}}}"
        return f"{row.name(self._object)}({', '.join(part(row) for _, part in self._parts)})"

    def add(self, key: str, part: Part, *members: str) -> None:
        """Puts a part under a key of the answer; it takes these members."""
        self._parts.append((key, part))
        self.members |= {*members}

    @cached_property
    def _object(self) -> type[msgspec.Struct]:
        names = {f"f{at}": key for at, (key, _) in enumerate(self._parts)}
        return msgspec.defstruct("Object", [(name, Any) for name in names], rename=names, gc=False)


@dataclass(slots=True, eq=False)
class Program:
    """One operation, for one combination of its `@skip` and `@include` conditions: its plan, and what is made of it."""

    schema: GraphQLSchema
    info_class: type[strawberry.Info[Any, Any]]
    default_resolver: Callable[[Any, str], Any]
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    conditions: dict[str, Any]
    roots: list[ObjectPlan] = dataclasses.field(default_factory=list)
    """One, or one for each field of a mutation, since those run one after another."""
    fields: list[FieldPlan] = dataclasses.field(default_factory=list)
    values: list[ValuePlan] = dataclasses.field(default_factory=list)
    objects: list[ObjectPlan] = dataclasses.field(default_factory=list)
    """Those that a function makes; a shape makes others of rows."""
    batches: list[FieldPlan] = dataclasses.field(default_factory=list)
    shared_batches: set[Hashable] = dataclasses.field(default_factory=set)
    """The questions that several batched fields ask, so that they may share calls."""
    source: str = ""
    """The generated Python, to whose lines tracebacks refer; none until it is compiled."""

    def end(self) -> None:
        """Opens its circles, which else only the garbage collector could free: it is never run again."""
        for field in self.fields:
            del field.value
        for place in self.values:
            place.complete = None
        for plan in self.objects:
            plan.build = None

    @property
    def weight(self) -> int:
        """Its memory in characters of a document's text, which take more than ten times that of generated Python.

        A place that remembers lasting objects counts for what it may come to hold, and so does a shape.
        """
        places = self.source.count(".keep(") + sum(f.shape is not None or f.items is not None for f in self.fields)
        return 100 + 10 * len(self.fields) + len(self.source) // 12 + 300 * places
