"""Running declared reads: what they find is the answer's own dictionaries, with all that is below them.

A read fills lists that are part of the answer already. Where one fails, that is noted by its field, and what was made
is gone through once more (`made`): so errors cost, and only they do.
"""

from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from time import perf_counter
from typing import Any, cast

import msgspec
import strawberry
from strawberry.execution import optimized_is_awaitable as is_awaitable

from execution.plan.plan import FieldPlan, Shape, ValuePlan
from execution.run.complete import Propagate, complete, fail
from execution.run.run import HELD, Position, ResolveInfo, Run, context_of, keywords
from execution.run.steps import resumed, together

Lists = dict[Any, Any]
Level = Iterable[tuple[FieldPlan, Lists]]
"""Fields that are made of rows, and for each the lists that it is to fill, by the keys of its read."""


def read_one(run: Run, field: FieldPlan, shape: Shape, position: Position) -> Any:
    """What a field at the root has, by its argument, at once if nothing has to be waited for.

    Raises what is wrong with the argument; that or the awaitable raises what befell the read.
    """
    rows = shape.rows
    key = keywords(run, field, position)[rows.key]
    if rows.parse is not None:
        key = rows.parse(key)
    into: Lists = {key: []}
    context = context_of(run, field)
    filling = _fill(run, rows.source.reader(context), ((field, into),))
    if rows.source.waits(context):
        return _found_late(run, field, into[key], filling)
    try:
        step = filling.send(None)
    except StopIteration:
        return _found(run, field, into[key])
    return _found_late(run, field, into[key], resumed(filling, step))


def _found(run: Run, field: FieldPlan, made: list[Any]) -> Any:
    if run.failed:
        error = run.failed.pop(field, None)
        if error is not None:
            raise error
    if field.value.item is not None:
        return made
    return made[0] if made else None


async def _found_late(run: Run, field: FieldPlan, made: list[Any], filling: Awaitable[None]) -> Any:
    await filling
    return _found(run, field, made)


async def read_all(run: Run, field: FieldPlan, shape: Shape, parents: Sequence[Any]) -> list[Any]:
    """What a relation has, for each of the parents."""
    name = shape.rows.key
    keys = [getattr(parent, name) for parent in parents]
    into: Lists = {key: [] for key in keys}
    await _fill(run, shape.rows.source.reader(context_of(run, field)), ((field, into),))
    return [_found(run, field, into[key]) for key in keys]


class Items:
    """What the items of a page become, for whoever has their rows: a form as `db.sql.shapes` takes it."""

    def __init__(self, run: Run, context: Any, shape: Shape) -> None:
        self._run = run
        self.reader = shape.rows.source.reader(context)
        self.shape = shape
        self.below: list[Lists] = [{} for _ in shape.children]

    async def finish(self) -> None:
        """Reads what lies below the items."""
        await _fill(self._run, self.reader, zip(self.shape.children, self.below, strict=True))


def items(info: strawberry.Info[Any, Any]) -> Items | None:
    """What the items of the page become that a field gives; None where they are to be records."""
    raw: Any = info._raw_info  # noqa: SLF001 - Strawberry's information says nothing of the plan
    if type(raw) is not ResolveInfo:
        return None
    # Where graphql-core has a path, a compiled run has what it can be made of.
    field, _, run = cast("tuple[FieldPlan, Position, Run]", raw[4])
    return None if field.items is None else Items(run, info.context, field.items)


async def _fill(run: Run, reader: Any, level: Level) -> None:
    """Fills the lists of fields, and those that these leave below them, level by level. Notes which failed."""
    while level:
        waiting: list[Coroutine[Any, Any, None]] = []
        following: list[tuple[FieldPlan, Lists]] = []
        for field, into in level:
            if not into:
                continue
            shape: Any = field.shape
            if perf_counter() - run.since > HELD:
                await run.give_way()
            below: list[Lists] = [{} for _ in shape.children] if shape.children else []
            try:
                late = shape.rows.source.fill(reader, shape, into, below)
            except Exception as error:  # noqa: BLE001 - an error of the field, for each of its parents
                run.failed[field] = error
                continue
            if late is not None:
                waiting.append(_late(run, field, into, late))
            elif field.value.item is None:
                _look_for_none(run, field, into)
            if below:
                following += zip(shape.children, below)  # noqa: B905 - naming it takes a third of the loop's time
        if waiting:
            await together(waiting)
        level = following


async def _late(run: Run, field: FieldPlan, into: Lists, filling: Awaitable[None]) -> None:
    try:
        await filling
    except Exception as error:  # noqa: BLE001 - an error of the field, for each of its parents
        run.failed[field] = error
    else:
        _look_for_none(run, field, into)


def _look_for_none(run: Run, field: FieldPlan, into: Lists) -> None:
    """Notes a field that has not an object for each of its parents."""
    if field.value.item is None and not all(into.values()):
        run.failed[field] = None


def made(run: Run, place: ValuePlan, value: Any, position: Position) -> Any:
    """The final value of a field that was read. Raises `Propagate` instead of a null not allowed."""
    if value is None or isinstance(value, Exception) or is_awaitable(value):
        return complete(run, place, value, position)
    return _mended(run, place, plain(value), position) if run.failed else value


def plain(value: Any) -> Any:
    """An answer of dictionaries and lists alone."""
    if isinstance(value, msgspec.Struct):
        return {each.encode_name: plain(getattr(value, each.name)) for each in msgspec.structs.fields(value)}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def _mended(run: Run, place: ValuePlan, value: Any, position: Position) -> Any:
    """The value with nulls where something below it failed."""
    try:
        error = run.failed.get(place.field) if place is place.field.value else None
        if error is not None or value == {}:
            return fail(run, place, error, position) if error else complete(run, place, None, position)
        if place.item is not None:
            return [_mended(run, place.item, each, (position, index)) for index, each in enumerate(value)]
        (plan,) = place.objects.values()
        below = [field for field in plan.fields if field.shape is not None]
        return {**value, **{f.key: _mended(run, f.value, value[f.key], position) for f in below}}
    except Propagate:
        if place.non_null:
            raise
        return None
