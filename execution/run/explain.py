"""How a compiled operation runs, in words: its levels, and what each field costs."""

from collections.abc import Iterator

from graphql import print_ast

from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan, Program, ValuePlan

_AWAITED = (FieldKind.ASYNC_RESOLVER, FieldKind.BATCHED)


def explain(program: Program, *, with_source: bool = False) -> str:
    """The plan of a program: level by level what is awaited, and below each what is read or called on the way.

    `with_source` adds the generated Python with its line numbers, to which tracebacks refer.
    """
    name = program.operation.name
    lines = [f"{program.operation.operation.value} {name.value if name else '(without a name)'}: compiled"]
    lines += [f"for {name} = {value}" for name, value in program.conditions.items()]
    lines.append(
        f"{len(program.fields)} fields, {len(program.batches)} batched, {len(program.source)} characters of Python"
    )
    level: list[tuple[str, ObjectPlan]] = [("", root) for root in program.roots]
    lines += ["", "at once"]
    for way, root in level:
        lines += _object(way, root, 1)
    awaited = [found for way, root in level for found in _awaited(way, root)]
    number = 0
    while awaited:
        number += 1
        together = " one after another" if program.operation.operation.value == "mutation" and number == 1 else ""
        lines += ["", f"level {number}: {len(awaited)} awaited{together or ' together'}"]
        below: list[tuple[str, FieldPlan]] = []
        for way, field in awaited:
            lines.append(f"  {way}: {_described(field)}")
            for type_name, inner in field.value.objects_within():
                lines += _object(type_name, inner, 2)
                below += _awaited(way + _lists(field.value), inner)
        awaited = below
    if with_source:
        lines += ["", *(f"{number:4} {line}" for number, line in enumerate(program.source.splitlines(), 1))]
    return "\n".join(lines)


def _described(field: FieldPlan) -> str:
    if field.kind is FieldKind.BATCHED:
        shared = "one call for all objects of the level"
        return f"batched {field.name}, {shared}{_arguments(field)}"
    return f"{field.kind.value} {field.name}, a call for each object{_arguments(field)}"


def _arguments(field: FieldPlan) -> str:
    given = ", ".join(print_ast(argument) for argument in field.nodes[0].arguments or ())
    return f" ({given})" if given else ""


def _object(title: str, plan: ObjectPlan, indent: int) -> list[str]:
    """What is done for an object while nothing has to be awaited."""
    pad = "  " * indent
    lines = []
    inlined = [
        f.key for f in plan.fields if f.kind in (FieldKind.ATTRIBUTE, FieldKind.TYPENAME) and not f.value.has_objects
    ]
    if inlined:
        lines.append(f"{pad}{plan.type.name} inlined: {', '.join(inlined)}")
    for field in plan.fields:
        if field.kind in _AWAITED:
            continue
        if field.kind in (FieldKind.RESOLVER, FieldKind.WRAPPED):
            lines.append(f"{pad}{plan.type.name} calls: {field.key}, {_described(field)}")
        for _, inner in field.value.objects_within():
            lines.append(f"{pad}{plan.type.name}.{field.key}{_lists(field.value)}")
            lines += _object(title, inner, indent + 1)
    return lines


def _awaited(way: str, plan: ObjectPlan) -> Iterator[tuple[str, FieldPlan]]:
    """The fields below an object that are awaited next, with the way to them."""
    for field in plan.fields:
        here = f"{way}.{field.key}" if way else field.key
        if field.kind in _AWAITED:
            yield here, field
        else:
            for _, inner in field.value.objects_within():
                yield from _awaited(here + _lists(field.value), inner)


def _lists(place: ValuePlan) -> str:
    depth = 0
    while place.item is not None:
        depth, place = depth + 1, place.item
    return "[]" * depth
