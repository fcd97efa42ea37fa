"""Running an operation as it was planned, without functions of its own.

Making those takes as long as running a small operation four times, and most documents that are new never come again.
What is done here for each field is what generated functions do at once for an object (see `execution.plan.codegen`).
"""

from typing import Any, cast

from graphql import default_field_resolver

from execution.plan.plan import FieldKind, FieldPlan, ObjectPlan
from execution.run.complete import complete
from execution.run.run import Position, Run, info, keywords, raw_info

_AT_ONCE = (FieldKind.ATTRIBUTE, FieldKind.RESOLVER, FieldKind.WRAPPED)


def build(plan: ObjectPlan, run: Run, source: Any, position: Position) -> dict[str, Any]:
    """The part of the answer that an object is; notes what is awaited. Raises `Propagate`."""
    made: dict[str, Any] = {}
    for field in plan.fields:
        if field.kind in _AT_ONCE:
            made[field.key] = complete(run, field.value, _value(run, field, source, position), position)
        else:
            made[field.key] = field.parent.name if field.kind is FieldKind.TYPENAME else None
    for field in plan.fields:
        if field.kind is FieldKind.BATCHED:
            run.batches[field.batch].append((source, made, position))
        elif field.kind is FieldKind.ASYNC_RESOLVER:
            run.late.append((field.value, (_value(run, field, source, position), made, position)))
    return made


def _value(run: Run, field: FieldPlan, source: Any, position: Position) -> Any:
    """What a field has, an awaitable maybe. A value that is an exception is a failure, wherever it comes from."""
    known = cast("Any", field.field)
    try:
        if field.kind is FieldKind.ATTRIBUTE:
            return run.program.default_resolver(source, known.python_name)
        given = dict(keywords(run, field, position)) if field.definition.args else {}
        if field.kind is FieldKind.WRAPPED:
            resolve = field.definition.resolve or default_field_resolver
            return resolve(source, raw_info(run, field, position), **given)
        resolver = known.base_resolver
        for parameter in (resolver.parent_parameter, resolver.root_parameter):
            if parameter:
                given[parameter.name] = source
        if resolver.info_parameter:
            given[resolver.info_parameter.name] = info(run, field, position)
        return resolver.wrapped_func(*((source,) if resolver.self_parameter else ()), **given)
    except Exception as error:  # noqa: BLE001 - an error of the field
        return error
