"""What of the objects that a field gives will be read, so that no more has to be fetched.

A plan knows which attributes of each object it reads. A field with a function of its own may read others: it names them
in its metadata, as in `strawberry.field(metadata=reads("valid_from"))`, or else everything counts as read.
"""

from collections.abc import Iterator
from typing import Any, cast

import strawberry

from execution.markers import READS
from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan
from execution.run.run import ResolveInfo

Names = frozenset[str] | None
"""Names of attributes; None for all of them."""


def wanted(info: strawberry.Info[Any, Any], type_name: str) -> Names:
    """The attributes that will be read of the objects of a type which the field gives, itself or in pages and lists.

    None when everything may be read, as under graphql-core.
    """
    raw: Any = info._raw_info  # noqa: SLF001 - Strawberry's information says nothing of the plan
    if type(raw) is not ResolveInfo:
        return None
    # Where graphql-core has a path, a compiled run has what it can be made of.
    field: FieldPlan = raw[4][0]  # type: ignore[assignment]
    if field.wanted is None:
        field.wanted = wanted_of(field)
    return field.wanted.get(type_name, frozenset())


def wanted_of(*fields: FieldPlan) -> dict[str, Names]:
    """By type, the attributes that will be read of what these fields give together."""
    found: dict[str, Names] = {}
    for plan in _objects(fields):
        name = plan.type.name
        known = found.get(name, frozenset())
        read = _read(plan)
        found[name] = None if known is None or read is None else known | read
    return found


def _objects(fields: tuple[FieldPlan, ...]) -> Iterator[ObjectPlan]:
    """The objects that the fields give, and all below them: any function may hand on what its object holds."""
    for field in fields:
        for plan in field.value.objects_within():
            yield plan
            yield from _objects(tuple(plan.fields))


def _read(plan: ObjectPlan) -> Names:
    names: set[str] = set()
    for field in plan.fields:
        if field.kind is FieldKind.ATTRIBUTE:
            names.add(cast("Any", field.field).python_name)
        elif field.kind is not FieldKind.TYPENAME:
            declared = field.field.metadata.get(READS) if field.field is not None else None
            if declared is None:
                return None
            names.update(declared)
    return frozenset(names)
