"""Any value at any place: what graphql-core's `complete_value` does, for the cases that generated code leaves out.

Generated code contains the cases that happen all the time. An exception, a null, a value of an unusual type, an
awaitable, an interface, an object whose class is no type of its union come here.
"""

from collections.abc import AsyncIterable, Sequence
from typing import Any, NamedTuple, cast

from graphql import (
    GraphQLError,
    GraphQLResolveInfo,
    Undefined,
    default_type_resolver,
    is_abstract_type,
    located_error,
)
from graphql.execution import Executor as GraphQLExecutor
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor import invalid_return_type_error
from graphql.pyutils import is_iterable
from graphql.pyutils.is_awaitable import is_async_iterable
from strawberry.execution import optimized_is_awaitable as is_awaitable

from execution.plan.outputs import UNREAD, learn
from execution.plan.plan import FieldPlan, ObjectPlan, ValuePlan
from execution.run.run import Position, Run, raw_info, response_path
from execution.run.steps import resumed


class Propagate(Exception):
    """A place that may not be null is: the nearest place around it that may be becomes null. Already reported."""


class _Typed(NamedTuple):
    """An object of a known type."""

    plan: ObjectPlan
    value: Any


def complete(run: Run, place: ValuePlan, value: Any, position: Position) -> Any:
    """The final value of a place, whatever was found for it. Raises `Propagate` instead of a null not allowed."""
    try:
        if is_awaitable(value):
            run.late.append((place, (value, None, position)))
            return None
        return _complete(run, place, value, position)
    except Propagate:
        if place.non_null:
            raise
        return None
    except Exception as error:  # noqa: BLE001 - whatever fails is an error of the field
        return fail(run, place, error, position)


def fail(run: Run, place: ValuePlan, error: Exception, position: Position) -> None:
    """Report an error of a place. Raises `Propagate` if the place may not be null."""
    path = response_path(place.path, position)
    if run.reports(path[: place.nullable_depth]):
        run.errors.append(located_error(error, place.field.nodes, list(path)))
    if place.non_null:
        raise Propagate


def _complete(run: Run, place: ValuePlan, value: Any, position: Position) -> Any:
    if isinstance(value, Exception):
        raise value
    if value is None or value is Undefined:
        if place.non_null:
            raise TypeError(f"Cannot return null for non-nullable field {place.field.name}.")
        return None
    if place.item is not None:
        return _complete_list(run, place, place.item, value, position)
    if place.is_leaf:
        return GraphQLExecutor.complete_leaf_value(place.leaf, value)
    if type(value) is _Typed:
        return value.plan.build(run, value.value, position)
    return _complete_object(run, place, value, position)


def _complete_list(run: Run, place: ValuePlan, item: ValuePlan, value: Any, position: Position) -> list[Any] | None:
    if is_async_iterable(value):
        run.late.append((place, (_collect(value), None, position)))
        return None
    if not is_iterable(value):
        raise GraphQLError(f"Expected Iterable, but did not find one for field '{place.field.name}'.")
    return [complete(run, item, each, (position, index)) for index, each in enumerate(value)]


async def _collect(items: AsyncIterable[Any]) -> list[Any]:
    return [item async for item in items]


def _complete_object(run: Run, place: ValuePlan, value: Any, position: Position) -> Any:
    outer = position
    for _ in range(place.indices):
        outer = outer[0]
    typing = _typed(run, place, value, raw_info(run, place.field, outer))
    try:
        step = typing.send(None)
    except StopIteration as stop:
        plan: ObjectPlan = stop.value.plan
        return plan.build(run, value, position)
    run.late.append((place, (resumed(typing, step), None, position)))
    return None


async def _typed(run: Run, place: ValuePlan, value: Any, about: GraphQLResolveInfo[Any]) -> _Typed:
    """The value with the plan for its concrete type. Waits only where the type has to be awaited."""
    if is_abstract_type(place.type):
        name: Any = (place.type.resolve_type or default_type_resolver)(value, about, place.type)
        plan = _plan_of_name(run, place, await name if is_awaitable(name) else name, value, about)
    else:
        plan = next(iter(place.objects.values()))
    if plan.type.is_type_of is not None:
        verdict: Any = plan.type.is_type_of(value, about)
        if not (await verdict if is_awaitable(verdict) else verdict):
            raise invalid_return_type_error(plan.type, value, _details(place.field))
    learn(type(value))
    return _Typed(plan, value)


def _plan_of_name(run: Run, place: ValuePlan, name: Any, value: Any, about: GraphQLResolveInfo[Any]) -> ObjectPlan:
    plan = place.objects.get(name) if isinstance(name, str) else None
    if plan is None:
        # It knows all that can be wrong with a name, and says so.
        GraphQLExecutor.ensure_valid_runtime_type(
            cast("Any", run.program), name, cast("Any", place.type), _details(place.field), about, value
        )
        raise GraphQLError(f"Abstract type '{place.type}' was resolved to the unknown type '{name}'.")
    return plan


def _details(field: FieldPlan) -> list[FieldDetails]:
    return [FieldDetails(node, None) for node in field.nodes]


def read_leaves(run: Run, fields: Sequence[FieldPlan], found: list[Any], source: Any, position: Position) -> list[Any]:
    """The long way through a row of attributes, one by one; taken when anything about them was odd.

    `found` has what was read already.
    """
    default = run.program.default_resolver
    values = []
    for each, value in zip(fields, found, strict=True):
        if value is UNREAD:
            try:
                value = default(source, cast("Any", each.field).python_name)  # noqa: PLW2901
            except Exception as error:  # noqa: BLE001 - an error of this field
                value = error  # noqa: PLW2901
        values.append(complete(run, each.value, value, position))
    return values
