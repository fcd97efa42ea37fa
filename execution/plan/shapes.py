"""What the rows of a declared read become: an answer's objects, where nothing about them has to be looked at.

That is so where an object is a record whose members are of the types that it declares, where what is asked of it are
such members, what is computed of them, lasting objects, and relations that are declared reads themselves. Anything else
goes the general way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, cast

import msgspec
from graphql import GraphQLBoolean, GraphQLID, GraphQLInt, GraphQLLeafType, GraphQLString

from execution.markers import ITEMS, ROWS, DeclaredRead, declared
from execution.plan.classes import computed, is_lasting, record_of
from execution.plan.outputs import MAX_KEPT, Remembered, output_function
from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan, Program, Shape, ValuePlan

Convert = Callable[[Any], Any] | None

_AS_DECLARED: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
_TEXTS = (GraphQLString, GraphQLID)


class _NoRun:
    """What lasting objects are made in, of which every one is as its class declares: nothing is noted in it."""

    errors = ()


class Outlines(dict[Any, msgspec.Raw]):
    """What is made of lasting objects at one place, by what the rows call them: JSON, since it is written often."""

    def __init__(self, plan: ObjectPlan) -> None:
        super().__init__()
        self._plan = plan
        self._found: Mapping[Any, Any] = {}

    def of(self, found: Mapping[Any, Any]) -> "Outlines":
        """What is made of these objects."""
        if found is not self._found:
            self.clear()
            self._found = found
        return self

    def __missing__(self, name: Any) -> msgspec.Raw:
        built = msgspec.Raw(msgspec.json.encode(self._plan.build(_NoRun, self._found[name], None)))
        if len(self) >= MAX_KEPT:
            self.clear()
        self[name] = built
        return built


def shape(program: Program) -> None:
    """Gives the fields of a program shapes that are declared reads and of which all is known beforehand."""
    # Those below others come first.
    for field in reversed(program.fields):
        metadata = field.field.metadata if field.field is not None else {}
        # Fields that ask the same are asked together, which a shape cannot; nor does it look at arguments.
        if field.kind is FieldKind.BATCHED and (field.question in program.shared_batches or field.nodes[0].arguments):
            continue
        if ROWS in metadata:
            place, one = field.value.item or field.value, field.value.item is None
            shape = Shape(metadata[ROWS], of_parent=one and field.kind is FieldKind.BATCHED)
            field.shape = _filled(shape, *place.objects.values())
        elif ITEMS in metadata:
            rows = DeclaredRead(metadata[ITEMS], "")
            found = [plan for plan in _within(field) if record_of(plan) is rows.source.record]
            made = _filled(Shape(rows), found[0]) if len(found) == 1 else None
            if made is not None:
                field.items, found[0].made = made, True
    program.batches = [field for field in _live(program.roots) if field.kind is FieldKind.BATCHED]
    for number, field in enumerate(program.batches):
        field.batch = number
    program.objects = [*_of_functions(program.roots)]


def _live(plans: Iterable[ObjectPlan]) -> Iterator[FieldPlan]:
    """The fields of objects and of those within them, but for what shapes make."""
    for plan in plans:
        for field in plan.fields:
            yield field
            if field.shape is None:
                yield from _live(inner for inner in field.value.objects_within() if not inner.made)


def _of_functions(plans: Iterable[ObjectPlan], *, shaped: bool = False) -> Iterator[ObjectPlan]:
    """The objects that a function makes: all but those that shapes do, which hold some themselves."""
    for plan in plans:
        if not (shaped or plan.made):
            yield plan
        for field in plan.fields:
            yield from _of_functions(field.value.objects_within(), shaped=field.shape is not None)


def _within(field: FieldPlan) -> Iterator[ObjectPlan]:
    """The objects of a page, down to its items, which alone are records."""
    for plan in field.value.objects_within():
        yield plan
        if record_of(plan) is None:
            for inner in plan.fields:
                yield from _within(inner)


def _filled(shape: Shape, plan: ObjectPlan) -> Shape | None:
    """The shape with all that is asked of an object; None where something of it has to be looked at."""
    record = shape.rows.source.record
    known = record_of(plan) is record and all(_add(shape, field, declared(record)) for field in plan.fields)
    return shape if known else None


def _add(shape: Shape, field: FieldPlan, types: Mapping[str, tuple[type, bool]]) -> bool:
    """Adds a field to a shape, if it is one of those that can be."""
    if field.kind is FieldKind.TYPENAME:
        shape.add(field.key, lambda row: repr(field.parent.name))
        return True
    if field.kind is FieldKind.BATCHED and field.shape is not None and field.shape.rows.key in types:
        number, key, one = len(shape.children), field.shape.rows.key, field.value.item is None
        shape.children.append(field)
        shape.add(field.key, lambda row: cast(str, row.child(number, key, one=one)), key)
        return True
    made = computed(field)
    if made is not None and types.keys() >= {*made.names}:
        return _add_leaf(shape, field, made.result, lambda row, output: row.computed(made, output), *made.names)
    name = cast("Any", field.field).python_name
    if field.kind is not FieldKind.ATTRIBUTE or name not in types:
        return False
    if name != shape.rows.source.definition:
        return _add_leaf(shape, field, types[name], lambda row, output: row.member(name, output), name)
    (plan,) = field.value.objects.values()
    if not (record_of(plan) is types[name][0] and is_lasting(plan)):
        return False
    outlines = Outlines(plan)
    shape.add(field.key, lambda row: cast(str, row.definition(outlines)))
    return True


def _add_leaf(
    shape: Shape, field: FieldPlan, known: tuple[type, bool] | None, write: Callable[[Any, Any], str], *members: str
) -> bool:
    """Adds what is made of these members, if all that is `known` of it can be put out."""
    if known is None or (known[1] and field.value.non_null):
        return False
    output = _output(field.value, known[0])
    if output is not None:
        shape.add(field.key, lambda row: write(row, output), *members)
    return output is not None


def _output(place: ValuePlan, kind: type) -> Callable[[Convert], Any] | None:
    """From how a member is read to how it is put out; None unless every value of it can be."""
    if place.item is not None:
        # Lists in records are of texts.
        return _as_it_is if kind is list and place.item.type in _TEXTS else None
    if not place.is_leaf:
        return None
    if _AS_DECLARED.get(cast("Any", place.leaf)) is kind:
        return _as_it_is
    if kind in (datetime, dict):
        return lambda convert: _composed(place.leaf, convert)
    if kind is date:
        return lambda convert: None if _is_written_alike(place.leaf, convert) else _remembered(place.leaf, convert)
    if issubclass(kind, Enum) or (kind is int and place.leaf is GraphQLInt):
        return lambda convert: _remembered(place.leaf, convert)
    return None


def _is_written_alike(leaf: GraphQLLeafType, convert: Convert) -> bool:
    """Whether days are stored as they are put out: by ISO 8601, as a conversion says in `reads_iso`."""
    some = date(1987, 6, 5)
    return getattr(convert, "reads_iso", False) and leaf.coerce_output_value(some) == some.isoformat()


def _as_it_is(convert: Convert) -> Any:
    return convert


def _composed(leaf: GraphQLLeafType, convert: Convert) -> Callable[[Any], Any]:
    output = output_function(leaf)
    return output if convert is None else lambda value: output(convert(value))


@lru_cache(maxsize=128)
def _remembered(leaf: GraphQLLeafType, convert: Convert) -> Remembered:
    """Once for all operations: the same days are in most of them."""
    table = Remembered(_composed(leaf, convert))
    table[None] = None
    return table
