"""From a plan to Python source: the fast half of a compiled operation.

Each object plan becomes a function `o7(run, x, position)` that makes the dictionary for the object `x`; each place
whose value is awaited becomes a function `v9(run, a, position)` that gives the awaited value `a` its final form. They
read like what one would write by hand:

    def o7(run, x, position):  # CertificationAssignment
        a31 = a32 = Unread
        try:
            a31 = x.gtin
            a32 = x.valid_from
            b31 = a31 if type(a31) is str else s31(a31)
            b32 = None if a32 is None else s32(a32)
        except Exception:
            b31, b32, = read_leaves(run, row31, [a31, a32], x, position)
        o = {"gtin": b31, "validFrom": b32, "product": None}
        run.batches[2].append((x, o, position))
        return o

A row of attributes that are leaves is read in one `try`. If anything about them is unusual, they go the long way one
by one, where errors are reported; so errors cost, and only they do. `s31` is the type's own output function, guarded
against values that it must not see.

Names from the document and the schema enter the source only as quoted strings, and attribute names only if they are
identifiers; every other object is handed over in the module's namespace under a name with a number.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from keyword import iskeyword
from typing import Any, cast
from uuid import UUID

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
    default_field_resolver,
)
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.union import StrawberryUnion

from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan, Plan, ValuePlan
from execution.run.complete import PLAIN, UNREAD, Odd, Propagate, complete, is_plain, read_leaves
from execution.run.run import info, keywords, raw_info

LEAVES = frozenset(
    {str, int, float, bool, bytes, dict, list, tuple, set, frozenset, date, datetime, time, timedelta, Decimal, UUID}
)
"""Types of values that output functions may be given as they are."""

# Outputs of these are remembered: writing a date takes longer than looking it up, and the same days come again.
# Equal values of other types, such as moments in two zones, may look different.
_REMEMBERED = (date, UUID)
_MAX_REMEMBERED = 4096
_MAX_KEPT = 128
"""Lasting objects of one place that something is remembered of, about 50 KB."""

# Such values are their own output; anything else goes through the type's output function.
_USUAL = {
    GraphQLString: "type({0}) is str",
    GraphQLID: "type({0}) is str",
    GraphQLBoolean: "type({0}) is bool",
    GraphQLInt: "type({0}) is int and -2147483648 <= {0} <= 2147483647",
    GraphQLFloat: "type({0}) is float and -1.7976931348623157e308 <= {0} <= 1.7976931348623157e308",
}

# Values of these classes are output as they are.
_AS_DECLARED: dict[Any, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}

_NAMES: dict[str, Any] = {
    "LEAVES": LEAVES,
    "Odd": Odd,
    "PLAIN": PLAIN,
    "Propagate": Propagate,
    "UUID": UUID,
    "Unread": UNREAD,
    "complete": complete,
    "date": date,
    "info": info,
    "keywords": keywords,
    "raw_info": raw_info,
    "read_leaves": read_leaves,
}


def generate(plan: Plan, default_resolver: Callable[[Any, str], Any]) -> tuple[str, dict[str, Any]]:
    """The source of a plan's functions, and the names that it needs."""
    writer = _Writer(default_resolver)
    for object_plan in plan.objects:
        writer.object(object_plan)
    for field in plan.fields:
        if field.kind in (FieldKind.ASYNC_RESOLVER, FieldKind.BATCHED):
            writer.awaited(field.value)
    writer.tables()
    return "\n".join([*writer.lines, ""]), writer.names


class _Writer:
    def __init__(self, default_resolver: Callable[[Any, str], Any]) -> None:
        self.lines: list[str] = []
        self.names = dict(_NAMES)
        self._default_resolver = default_resolver
        self._declared: dict[str, tuple[type, bool]] = {}
        self._tables: list[str] = []
        self._indent = 0

    def _line(self, text: str) -> None:
        self.lines.append(" " * self._indent + text)

    def _name(self, prefix: str, number: int, value: Any) -> str:
        name = f"{prefix}{number}"
        self.names[name] = value
        return name

    @contextmanager
    def _block(self, text: str) -> Iterator[None]:
        """The lines that follow, in `with`, belong under this one."""
        self._line(text)
        self._indent += 1
        yield
        self._indent -= 1

    @contextmanager
    def _propagation(self, place: ValuePlan, name: str) -> Iterator[None]:
        """What is in `with` may fail for a null inside; a place that may be null then is."""
        if place.non_null:
            yield
            return
        with self._block("try:"):
            yield
        self._line(f"except Propagate: {name} = None")

    # Objects ------------------------------------------------------------------------------------------------------

    def object(self, plan: ObjectPlan) -> None:
        """The function that makes the dictionary for one object."""
        with self._block(f"def o{plan.number}(run, x, position):  # {plan.type.name}"):
            row: list[FieldPlan] = []
            again = _record(plan) is not None
            self._declared = getattr(plan.type.is_type_of, "declared", {})
            for field in plan.fields:
                if _is_row_member(field):
                    row.append(field)
                elif field.kind is not FieldKind.TYPENAME:
                    self._row(row, again=again)
                    row = []
                    self._field(field)
            self._row(row, again=again)
            self._line(f"o = {{{', '.join(map(_item, plan.fields))}}}")
            for field in plan.fields:
                self._note(field)
            self._line("return o")

    def _row(self, fields: list[FieldPlan], *, again: bool) -> None:
        """Attributes that are leaves, one after another; `again` if they may be read again where one is unusual."""
        if not fields:
            return
        found = [f"a{field.number}" for field in fields]
        if not again:
            self._line(" = ".join([*found, "Unread"]))
        with self._block("try:"):
            others = []
            for field in fields:
                known = self._known_output(field) if again else None
                if known is not None:
                    self._line(f"b{field.number} = {known}")
                else:
                    self._line(f"a{field.number} = {self._attribute(field)}")
                    others.append(field)
            for field in others:
                self._leaf_or_odd(field.value, f"a{field.number}", f"b{field.number}")
        with self._block("except Exception:"):
            row = self._name("row", fields[0].number, fields)
            targets = "".join(f"b{field.number}, " for field in fields)
            read = ", ".join(["Unread"] * len(fields) if again else found)
            self._line(f"{targets}= read_leaves(run, {row}, [{read}], x, position)")

    def _known_output(self, field: FieldPlan) -> str | None:
        """The expression for the output of an attribute whose type is known; None if it has to be looked at."""
        place = field.value
        declared, may_be_none = self._declared.get(cast("Any", field.field).python_name, (None, True))
        if declared is None or not place.is_leaf or (may_be_none and place.non_null):
            return None
        found = self._attribute(field)
        if _AS_DECLARED.get(cast("Any", place.leaf)) is declared:
            return found
        table: dict[Any, Any] | None = None
        members = _members(place.leaf)
        if members and type(next(iter(members))) is declared:
            table = dict(members)
        elif not members and declared in _REMEMBERED:
            table = remembered(place.leaf, may_be_none)
        if table is None:
            return None
        if may_be_none:
            table[None] = None
        return f"{self._name('m', place.number, table)}[{found}]"

    def _attribute(self, field: FieldPlan) -> str:
        name = cast("Any", field.field).python_name
        if self._default_resolver is getattr and name.isascii() and name.isidentifier() and not iskeyword(name):
            return f"x.{name}"
        self.names["default_resolver"] = self._default_resolver
        return f"default_resolver(x, {name!r})"

    def _leaf_or_odd(self, place: ValuePlan, found: str, name: str) -> None:
        """Put a leaf, or a list of leaves, into its output form; raises anything if that is not simple."""
        if place.item is None:
            self._line(f"{name} = {self._output(place, found)}")
            return
        self._line(f"if type({found}) is list: {name} = [{self._output(place.item, 'i')} for i in {found}]")
        if not place.non_null:
            self._line(f"elif {found} is None: {name} = None")
        self._line("else: raise Odd")

    def _output(self, place: ValuePlan, found: str) -> str:
        """The expression for a leaf's output form."""
        output = f"{self._name('s', place.number, output_function(place.leaf))}({found})"
        usual = _USUAL.get(cast("Any", place.leaf))
        members = _members(place.leaf)
        if usual is not None:
            also = "" if place.non_null else f" or {found} is None"
            return f"{found} if {usual.format(found)}{also} else {output}"
        null = "" if place.non_null else f"None if {found} is None else "
        if not members:
            table = self._name("m", place.number, remembered(place.leaf, False))
            kinds = " or ".join(f"type({found}) is {kind.__name__}" for kind in _REMEMBERED)
            return f"{table}[{found}] if {kinds} else {null}{output}"
        enum = self._name("e", place.number, type(next(iter(members))))
        table = self._name("m", place.number, members)
        return f"{table}[{found}] if type({found}) is {enum} else {null}{output}"

    def _field(self, field: FieldPlan) -> None:
        """A field that has its value at once but is no leaf attribute."""
        name = f"a{field.number}"
        if field.kind is FieldKind.ATTRIBUTE:
            found = self._attribute(field)
        elif field.kind in (FieldKind.RESOLVER, FieldKind.WRAPPED):
            found = self._call(field)
        else:
            return
        self._try_to_get(name, found)
        self._value(field.value, name, "position")

    def _try_to_get(self, name: str, expression: str) -> None:
        with self._block("try:"):
            self._line(f"{name} = {expression}")
        # A value that is an exception is a failure, wherever it comes from.
        with self._block("except Exception as error:"):
            self._line(f"{name} = error")

    def _call(self, field: FieldPlan) -> str:
        """The call of a resolver, with what it takes."""
        plan = self._name("f", field.number, field)
        if field.fixed_keywords is not None:
            arguments = f"**{self._name('k', field.number, field.fixed_keywords)}" if field.fixed_keywords else ""
        else:
            arguments = f"**keywords(run, {plan}, position)" if field.definition.args else ""
        if field.kind is FieldKind.WRAPPED:
            resolve = self._name("r", field.number, field.definition.resolve or default_field_resolver)
            return f"{resolve}(x, raw_info(run, {plan}, position), {arguments})"
        resolver = cast("Any", field.field).base_resolver
        resolve = self._name("r", field.number, resolver.wrapped_func)
        given = ["x"] if resolver.self_parameter else []
        given += [f"{p.name}=x" for p in (resolver.parent_parameter, resolver.root_parameter) if p]
        given += [f"{resolver.info_parameter.name}=info(run, {plan}, position)"] if resolver.info_parameter else []
        given += [arguments] if arguments else []
        return f"{resolve}({', '.join(dict.fromkeys(given))})"

    def _note(self, field: FieldPlan) -> None:
        """A field that is awaited with its level."""
        if field.kind is FieldKind.BATCHED:
            self._line(f"run.batches[{field.batch}].append((x, o, position))")
        elif field.kind is FieldKind.ASYNC_RESOLVER:
            self._try_to_get("a", self._call(field))
            place = self._name("p", field.value.number, field.value)
            self._line(f"run.late.append(({place}, (a, o, position)))")

    # Values -------------------------------------------------------------------------------------------------------

    def awaited(self, place: ValuePlan) -> None:
        """The function that gives an awaited value its final form."""
        with self._block(f"def v{place.number}(run, a, position):  # {place.field.name}"):
            self._value(place, "a", "position")
            self._line("return a")

    def _value(self, place: ValuePlan, name: str, position: str) -> None:
        """Replace the value in a variable by its final form, in place."""
        plan = self._name("p", place.number, place)
        long_way = f"{name} = complete(run, {plan}, {name}, {position})"
        if place.item is not None:
            self._list(place, place.item, name, position, long_way)
        elif place.is_leaf:
            self._leaf(place, name, long_way)
        elif len(place.objects) == 1 and not hasattr(place.type, "resolve_type"):
            self._one_object(place, name, position, long_way)
        elif members := _union_members(place):
            self._one_of_several(place, members, name, position, long_way)
        else:
            self._line(long_way)

    def _leaf(self, place: ValuePlan, name: str, long_way: str) -> None:
        usual = _USUAL.get(cast("Any", place.leaf))
        members = _members(place.leaf)
        if usual is not None:
            also = "" if place.non_null else f" or {name} is None"
            self._line(f"if not ({usual.format(name)}{also}): {long_way}")
        elif members:
            enum = self._name("e", place.number, type(next(iter(members))))
            table = self._name("m", place.number, members)
            self._line(f"if type({name}) is {enum}: {name} = {table}[{name}]")
            self._line(f"else: {long_way}")
        else:
            self._line(long_way)

    def _list(self, place: ValuePlan, item: ValuePlan, name: str, position: str, long_way: str) -> None:
        each, index, items = f"x{item.number}", f"i{item.number}", f"l{item.number}"
        with self._block(f"if type({name}) is list:"), self._propagation(place, name):
            self._line(f"{items} = []")
            if _needs_info(item):
                self._line(f"about{item.number} = {self._info(place)}")
            with self._block(f"for {index}, {each} in enumerate({name}):"):
                self._value(item, each, f"({position}, {index})")
                self._line(f"{items}.append({each})")
            self._line(f"{name} = {items}")
        self._line(f"elif {name} is not None: {long_way}" if not place.non_null else f"else: {long_way}")

    def _one_object(self, place: ValuePlan, name: str, position: str, long_way: str) -> None:
        """An object of a known type, unless it is null, or not of that type, or odd."""
        plan = next(iter(place.objects.values()))
        check: Any = plan.type.is_type_of
        record = _record(plan)
        build = f"{name} = o{plan.number}(run, {name}, {position})"
        if _is_lasting(plan):
            kept = self._name("kept", place.number, Kept())
            build = f"{name} = {kept}.get(id({name})) or {kept}.keep(run, o{plan.number}, {name}, {position})"
        if check is None:
            test = f"type({name}) in PLAIN"
        elif record is not None and is_plain(record):
            test = f"type({name}) is {self._name('c', place.number, record)}"
        else:
            verdict = f"t{place.number}"
            is_type_of = self._name("is_type_of", place.number, check)
            about = f"about{place.number}" if place.indices else self._info(place)
            with self._block("try:"):
                self._line(f"{verdict} = type({name}) in PLAIN and {is_type_of}({name}, {about}) is True")
            with self._block("except Exception:"):
                self._line(f"{verdict} = False")
            test = verdict
        with self._block(f"if {test}:"), self._propagation(place, name):
            self._line(build)
        self._line(f"elif {name} is not None: {long_way}" if not place.non_null else f"else: {long_way}")

    def _one_of_several(
        self, place: ValuePlan, members: dict[type, ObjectPlan], name: str, position: str, long_way: str
    ) -> None:
        """An object of a union, by its class, unless it is null, odd, or said to be of another type."""
        table, build = f"u{place.number}", f"b{place.number}_"
        entries = [
            f"{self._name(f'c{place.number}_', plan.number, cls)}: o{plan.number}" for cls, plan in members.items()
        ]
        self._tables.append(f"{table} = {{{', '.join(entries)}}}")
        self._line(f"{build} = {table}.get(type({name}))")
        with (
            self._block(f"if {build} is not None and not hasattr({name}, {TYPE_CAST_ATTRIBUTE!r}):"),
            self._propagation(place, name),
        ):
            self._line(f"{name} = {build}(run, {name}, {position})")
        self._line(f"elif {name} is not None: {long_way}" if not place.non_null else f"else: {long_way}")

    def tables(self) -> None:
        """What the functions look up, behind all of them."""
        self.lines.extend(self._tables)

    def _info(self, place: ValuePlan) -> str:
        return f"raw_info(run, {self._name('f', place.field.number, place.field)}, position)"


def _item(field: FieldPlan) -> str:
    if field.kind is FieldKind.TYPENAME:
        return f"{field.key!r}: {field.parent.name!r}"
    if _is_row_member(field):
        return f"{field.key!r}: b{field.number}"
    now = field.kind in (FieldKind.ATTRIBUTE, FieldKind.RESOLVER, FieldKind.WRAPPED)
    return f"{field.key!r}: a{field.number}" if now else f"{field.key!r}: None"


def _is_row_member(field: FieldPlan) -> bool:
    return field.kind is FieldKind.ATTRIBUTE and _is_simple(field.value)


def _is_simple(place: ValuePlan) -> bool:
    """Whether a value is a leaf, or a list of leaves that may not be null."""
    return place.is_leaf or (place.item is not None and place.item.is_leaf and place.item.non_null)


def _needs_info(place: ValuePlan) -> bool:
    """Whether each object of a list is asked for its type with a function that takes the field's information."""
    if place.item is not None or len(place.objects) != 1:
        return False
    plan = next(iter(place.objects.values()))
    return plan.type.is_type_of is not None and _record(plan) is None


def _record(plan: ObjectPlan) -> type | None:
    """The class of the objects, if they are all instances of one (see `execution.markers`)."""
    found: type | None = getattr(plan.type.is_type_of, "instance_of", None)
    return found


def _union_members(place: ValuePlan) -> dict[type, ObjectPlan]:
    """The plans of a union by the classes of which Strawberry knows at once whose type they are."""
    union = getattr(place.type, "extensions", {}).get("strawberry-definition")
    if not isinstance(union, StrawberryUnion) or type(union).get_type_resolver is not StrawberryUnion.get_type_resolver:
        return {}
    found: dict[type, ObjectPlan] = {}
    for plan in place.objects.values():
        definition: Any = plan.type.extensions.get("strawberry-definition")
        if (
            isinstance(definition, StrawberryObjectDefinition)
            and not (definition.is_type_of or definition.concrete_of or definition.is_graphql_generic)
            and vars(definition.origin).get("__strawberry_definition__") is definition
            and is_plain(definition.origin)
        ):
            found[definition.origin] = plan
    return found


def _is_lasting(plan: ObjectPlan) -> bool:
    """Whether what is made of an object depends on nothing else, and the same objects come again."""
    return getattr(plan.type.is_type_of, "lasting", False) and all(
        field.kind is FieldKind.TYPENAME
        or (
            field.kind is FieldKind.ATTRIBUTE
            and (field.value.is_leaf or all(_is_lasting(inner) for _, inner in field.value.objects_within()))
        )
        for field in plan.fields
    )


class Kept(dict[int, dict[str, Any]]):
    """What was made of lasting objects at one place, by their ids; the objects are kept alive, so ids stay theirs."""

    def __init__(self) -> None:
        super().__init__()
        self._objects: list[Any] = []

    def keep(self, run: Any, build: Callable[[Any, Any, Any], dict[str, Any]], value: Any, position: Any) -> Any:
        """What the function makes of an object, remembered unless that went wrong."""
        errors = len(run.errors)
        built = build(run, value, position)
        if len(run.errors) == errors:
            if len(self) >= _MAX_KEPT:
                self.clear()
                self._objects.clear()
            self[id(value)] = built
            self._objects.append(value)
        return built


class Remembered(dict[Any, Any]):
    """Outputs of a type by the value; made when they are looked up."""

    def __init__(self, leaf: GraphQLLeafType) -> None:
        super().__init__()
        self._output = output_function(leaf)

    def __missing__(self, value: Any) -> Any:
        output = self._output(value)
        if len(self) < _MAX_REMEMBERED:
            self[value] = output
        return output


@lru_cache(maxsize=64)
def remembered(leaf: GraphQLLeafType, may_be_none: bool) -> Remembered:
    """What is remembered of a type, once for all operations: the same days are in most of them."""
    return Remembered(leaf)


def output_function(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    """A type's output function; raises for what it refuses, and `Odd` for values that must not reach it."""
    output = leaf.coerce_output_value
    enum = getattr(leaf, "wrapped_cls", None)

    def guarded(value: Any) -> Any:
        if type(value) not in LEAVES and type(value) is not enum:
            raise Odd
        result = output(value)
        if result is None or result is Undefined:
            raise Odd
        return result

    return guarded


def _members(leaf: GraphQLLeafType) -> dict[Any, str]:
    """The output of each member of a Python enum; empty for other types."""
    enum = getattr(leaf, "wrapped_cls", None)
    if not isinstance(leaf, GraphQLEnumType) or not (isinstance(enum, type) and issubclass(enum, Enum)):
        return {}
    members: dict[Any, str] = {}
    for member in enum:
        try:
            members[member] = leaf.coerce_output_value(member)
        except Exception:  # noqa: BLE001 - said again when such a member is put out
            return {}
    return members
