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
from keyword import iskeyword
from typing import Any, cast

from graphql import default_field_resolver
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE

from execution.plan.classes import class_of, is_lasting, record_of, union_classes
from execution.plan.leaves import output_of, usual_test
from execution.plan.outputs import (
    PLAIN,
    REMEMBERED,
    UNREAD,
    Kept,
    is_plain,
)
from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan, Program, ValuePlan

# Strawberry lets an object be cast to another type than that of its class.
_IS_ITSELF = f"not hasattr({{0}}, {TYPE_CAST_ATTRIBUTE!r})"

_NAMES: dict[str, Any] = {
    "PLAIN": PLAIN,
    "Unread": UNREAD,
    **{kind.__name__: kind for kind in REMEMBERED},
}


def generate(program: Program) -> tuple[str, dict[str, Any]]:
    """The source of a program's functions, and the names that it needs beside those of `execution.run`."""
    writer = _Writer(program.default_resolver)
    for object_plan in program.objects:
        writer.object(object_plan)
        for field in object_plan.fields:
            if field.kind in (FieldKind.ASYNC_RESOLVER, FieldKind.BATCHED) and field.shape is None:
                writer.awaited(field.value)
    return "\n".join([*writer.lines, *writer.tables, ""]), writer.names


class _Writer:
    def __init__(self, default_resolver: Callable[[Any, str], Any]) -> None:
        self.lines: list[str] = []
        self.names = dict(_NAMES)
        self._default_resolver = default_resolver
        self.tables: list[str] = []
        """What the functions look up, behind all of them."""
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

    @contextmanager
    def _if(self, test: str, place: ValuePlan, name: str, long_way: str) -> Iterator[None]:
        """What is in `with` is done with a value that passes the test; others go the long way, but for null."""
        with self._block(f"if {test}:"), self._propagation(place, name):
            yield
        self._line(f"else: {long_way}" if place.non_null else f"elif {name} is not None: {long_way}")

    def object(self, plan: ObjectPlan) -> None:
        """The function that makes the dictionary for one object."""
        with self._block(f"def o{plan.number}(run, x, position):  # {plan.type.name}"):
            row: list[FieldPlan] = []
            again = record_of(plan) is not None
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
            for field in fields:
                self._line(f"a{field.number} = {self._attribute(field)}")
            for field in fields:
                self._line(f"b{field.number} = {output_of(self._name, field.value, f'a{field.number}')}")
        with self._block("except Exception:"):
            row = self._name("row", fields[0].number, fields)
            targets = "".join(f"b{field.number}, " for field in fields)
            read = ", ".join(["Unread"] * len(fields) if again else found)
            self._line(f"{targets}= read_leaves(run, {row}, [{read}], x, position)")

    def _attribute(self, field: FieldPlan) -> str:
        name = cast("Any", field.field).python_name
        if self._default_resolver is getattr and name.isascii() and name.isidentifier() and not iskeyword(name):
            return f"x.{name}"
        self.names["default_resolver"] = self._default_resolver
        return f"default_resolver(x, {name!r})"

    def _field(self, field: FieldPlan) -> None:
        """A field that has its value at once but is no leaf attribute."""
        name = f"a{field.number}"
        if field.kind is FieldKind.ATTRIBUTE:
            found = self._attribute(field)
        elif field.kind in (FieldKind.RESOLVER, FieldKind.WRAPPED):
            found = self._call(field)
        elif _is_read(field):
            found = self._read(field)
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
        fixed = None if field.arguments is None else field.arguments.fixed
        if fixed is not None:
            arguments = f"**{self._name('k', field.number, fixed)}" if fixed else ""
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
        elif field.kind is FieldKind.ASYNC_RESOLVER and field.shape is None:
            self._try_to_get("a", self._call(field))
            place = self._name("p", field.value.number, field.value)
            self._line(f"run.late.append(({place}, (a, o, position)))")

    def _read(self, field: FieldPlan) -> str:
        plan, shaped = self._name("f", field.number, field), self._name("shape", field.number, field.shape)
        return f"read_one(run, {plan}, {shaped}, position)"

    def awaited(self, place: ValuePlan) -> None:
        """The function that gives an awaited value its final form."""
        with self._block(f"def v{place.number}(run, a, position):  # {place.field.name}"):
            self._value(place, "a", "position")
            self._line("return a")

    def _value(self, place: ValuePlan, name: str, position: str) -> None:
        """Replace the value in a variable by its final form, in place."""
        plan = self._name("p", place.number, place)
        long_way = f"{name} = complete(run, {plan}, {name}, {position})"
        if place.field.shape is not None or any(inner.made for inner in place.objects_within()):
            self._line(f"{name} = made(run, {plan}, {name}, {position})")
        elif place.item is not None:
            self._list(place, place.item, name, position, long_way)
        elif place.is_leaf:
            self._leaf(place, name, long_way)
        elif len(place.objects) == 1 and not hasattr(place.type, "resolve_type"):
            self._one_object(place, name, position, long_way)
        elif members := union_classes(place):
            self._one_of_several(place, members, name, position, long_way)
        else:
            self._line(long_way)

    def _leaf(self, place: ValuePlan, name: str, long_way: str) -> None:
        usual = usual_test(place, name)
        self._line(f"if not ({usual}): {long_way}" if usual else long_way)

    def _list(self, place: ValuePlan, item: ValuePlan, name: str, position: str, long_way: str) -> None:
        each, index, items = f"x{item.number}", f"i{item.number}", f"l{item.number}"
        with self._if(f"type({name}) is list", place, name, long_way):
            self._line(f"{items} = []")
            with self._block(f"for {index}, {each} in enumerate({name}):"):
                self._value(item, each, f"({position}, {index})")
                self._line(f"{items}.append({each})")
            self._line(f"{name} = {items}")

    def _one_object(self, place: ValuePlan, name: str, position: str, long_way: str) -> None:
        """An object of a known type, unless it is null, or not of that type, or odd."""
        plan = next(iter(place.objects.values()))
        test = self._is_of(plan, place, name)
        if test is None:
            self._line(long_way)
            return
        build = f"{name} = o{plan.number}(run, {name}, {position})"
        if is_lasting(plan):
            kept = self._name("kept", place.number, Kept())
            build = f"{name} = {kept}.get(id({name})) or {kept}.keep(run, o{plan.number}, {name}, {position})"
        with self._if(test, place, name, long_way):
            self._line(build)

    def _is_of(self, plan: ObjectPlan, place: ValuePlan, name: str) -> str | None:
        """The expression for whether an object is surely of a type; None if its type has to be asked."""
        if plan.type.is_type_of is None:
            return f"type({name}) in PLAIN"
        record, own = record_of(plan), class_of(plan)
        if record is not None and is_plain(record):
            return f"type({name}) is {self._name('c', place.number, record)}"
        if own is not None:
            return f"type({name}) is {self._name('c', place.number, own)} and {_IS_ITSELF.format(name)}"
        return None

    def _one_of_several(
        self, place: ValuePlan, members: dict[type, ObjectPlan], name: str, position: str, long_way: str
    ) -> None:
        """An object of a union, by its class, unless it is null, odd, or said to be of another type."""
        table, build = f"u{place.number}", f"b{place.number}_"
        entries = [
            f"{self._name(f'c{place.number}_', plan.number, cls)}: o{plan.number}" for cls, plan in members.items()
        ]
        self.tables.append(f"{table} = {{{', '.join(entries)}}}")
        self._line(f"{build} = {table}.get(type({name}))")
        with self._if(f"{build} is not None and {_IS_ITSELF.format(name)}", place, name, long_way):
            self._line(f"{name} = {build}(run, {name}, {position})")


def _item(field: FieldPlan) -> str:
    if field.kind is FieldKind.TYPENAME:
        return f"{field.key!r}: {field.parent.name!r}"
    if _is_row_member(field):
        return f"{field.key!r}: b{field.number}"
    now = field.kind in (FieldKind.ATTRIBUTE, FieldKind.RESOLVER, FieldKind.WRAPPED) or _is_read(field)
    return f"{field.key!r}: a{field.number}" if now else f"{field.key!r}: None"


def _is_read(field: FieldPlan) -> bool:
    """Whether it is made of rows, by a key of its own."""
    return field.kind is FieldKind.ASYNC_RESOLVER and field.shape is not None


def _is_row_member(field: FieldPlan) -> bool:
    return field.kind is FieldKind.ATTRIBUTE and field.value.is_leaf
