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
    lines += ["", "at once", *(line for root in program.roots for line in _object(root, 1))]
    awaited = [found for root in program.roots for found in _awaited("", root)]
    together = "one after another" if program.operation.operation.value == "mutation" else "together"
    number = 0
    while awaited:
        number += 1
        lines += ["", f"level {number}: {len(awaited)} awaited {together}"]
        together = "together"
        below: list[tuple[str, FieldPlan]] = []
        for way, field in awaited:
            lines.append(f"  {way}: {_described(field)}")
            if field.shape is not None:
                lines += _shaped(field, 2)
                continue
            for inner in field.value.objects_within():
                lines += _object(inner, 2)
                below += _awaited(way + _lists(field.value), inner)
        awaited = below
    if with_source:
        lines += ["", *(f"{number:4} {line}" for number, line in enumerate(program.source.splitlines(), 1))]
    return "\n".join(lines)


def _described(field: FieldPlan) -> str:
    calls = "one call for all objects of the level" if field.kind is FieldKind.BATCHED else "a call for each object"
    given = ", ".join(print_ast(argument) for argument in field.nodes[0].arguments or ())
    return f"{field.kind.value} {field.name}, {calls}{given and f' ({given})'}"


def _shaped(field: FieldPlan, indent: int) -> list[str]:
    """What is made of the rows of a field, and of those that are read below it."""
    pad = "  " * indent
    (plan,) = field.value.objects_within()
    lines = [f"{pad}{plan.type.name} made of rows: {', '.join(inner.key for inner in plan.fields)}"]
    for inner in plan.fields:
        if inner.shape is not None:
            lines += [f"{pad}{plan.type.name}.{inner.key}: one read for all", *_shaped(inner, indent + 1)]
    return lines


def _object(plan: ObjectPlan, indent: int) -> list[str]:
    """What is done for an object while nothing has to be awaited."""
    pad = "  " * indent
    lines = []
    at_once = [field for field in plan.fields if field.kind in (FieldKind.ATTRIBUTE, FieldKind.TYPENAME)]
    inlined = [field.key for field in at_once if not field.value.objects_within()]
    if inlined:
        lines.append(f"{pad}{plan.type.name} inlined: {', '.join(inlined)}")
    for field in plan.fields:
        if field.kind in _AWAITED:
            continue
        if field.kind in (FieldKind.RESOLVER, FieldKind.WRAPPED):
            lines.append(f"{pad}{plan.type.name} calls: {field.key}, {_described(field)}")
        for inner in field.value.objects_within():
            lines.append(f"{pad}{plan.type.name}.{field.key}{_lists(field.value)}")
            lines += _object(inner, indent + 1)
    return lines


def _awaited(way: str, plan: ObjectPlan) -> Iterator[tuple[str, FieldPlan]]:
    """The fields below an object that are awaited next, with the way to them."""
    for field in plan.fields:
        here = f"{way}.{field.key}" if way else field.key
        if field.kind in _AWAITED:
            yield here, field
        else:
            for inner in field.value.objects_within():
                yield from _awaited(here + _lists(field.value), inner)


def _lists(place: ValuePlan) -> str:
    depth = 0
    while place.item is not None:
        depth, place = depth + 1, place.item
    return "[]" * depth
