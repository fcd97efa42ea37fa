"""Awaiting what a run has noted, level by level.

All parents of a batched field are one call of its function; so are the parents of several such fields that ask the
same function with the same arguments.
"""

import asyncio
import inspect
from collections.abc import Coroutine, Hashable, Sequence
from time import perf_counter
from typing import Any, cast

from strawberry.execution import optimized_is_awaitable as is_awaitable

from execution.batched import BatchedField, call_batch, frozen
from execution.plan.plan import FieldPlan, ValuePlan
from execution.run.complete import Propagate
from execution.run.run import HELD, Entry, Late, Position, Run, info, keywords, response_path
from execution.run.steps import resumed


async def finish(run: Run) -> None:
    """Await everything that was noted, until nothing is left.

    What takes long is interrupted between two pieces of work, a call or the completion of a parent's field.
    """
    program, batched = run.program, run.program.plan.batches
    try:
        while True:
            waiting = [field for field in batched if run.batches[field.batch]]
            if run.late:
                if waiting or len(run.late) > 1:
                    await _all(run)
                else:
                    await _one(run)
            elif not waiting:
                return
            elif program.shared_batches or _any_waits(waiting):
                await _all(run)
            else:
                await _one_after_another(run, waiting)
    except BaseException:
        _close([late[0] for late in run.late])
        raise


def _any_waits(fields: list[FieldPlan]) -> bool:
    # A loop, because `any` with a generator costs as much as all else that is done between two levels.
    for field in fields:  # noqa: SIM110
        if field.waits:
            return True
    return False


async def _one(run: Run) -> None:
    """A single place, and nothing beside it."""
    call = _LateCall(run.late.pop())
    await call.settle()
    await call.deliver(run)


async def _all(run: Run) -> None:
    """Everything that was noted by now: single places and batches."""
    late, run.late = run.late, []
    batches, failed = _batch_calls(run)
    calls: list[_LateCall | _BatchCall] = [*map(_LateCall, late), *batches]
    if len(calls) == 1:
        await calls[0].settle()
    else:
        await _settle(run, calls)
    for call in calls:
        if perf_counter() - run.since > HELD:
            await run.give_way()
        await call.deliver(run)
    for field, entries, error in failed:
        await _deliver_batch(run, [(field, entries)], error)


async def _one_after_another(run: Run, fields: list[FieldPlan]) -> None:
    """Batches of which none was ever seen to wait, as on an embedded database."""
    found = []
    for field in fields:
        entries, run.batches[field.batch] = run.batches[field.batch], []
        found.append((field, entries, await _result(run, field, entries)))
        if perf_counter() - run.since > HELD:
            await run.give_way()
    for field, entries, result in found:
        await _deliver_batch(run, [(field, entries)], result)


async def _result(run: Run, field: FieldPlan, entries: list[Entry]) -> Any:
    """What a batch function gives for these parents: its results, or the exception that it raises."""
    try:
        arguments = field.fixed_keywords
        if arguments is None:
            arguments = keywords(run, field, entries[0][2])
        running = _asked(run, field, [entry[0] for entry in entries], entries[0][2], arguments)
        try:
            step = running.send(None)
        except StopIteration as stop:
            return stop.value
        field.waits = True
        return await resumed(running, step)
    except Exception as error:  # noqa: BLE001 - reported as an error of the field
        return error


def _asked(
    run: Run, field: FieldPlan, parents: list[Any], position: Position, arguments: dict[str, Any]
) -> Coroutine[Any, Any, Sequence[Any]]:
    """The call of a batch function."""
    batched: Any = field.field
    if batched.takes_info:
        arguments = {**arguments, "info": info(run, field, position)}
    return call_batch(batched.batch_function, parents, arguments)


class _Call:
    """Something to await, for one field. Its result is what came of it, a value or an exception."""

    __slots__ = ("awaitable", "field", "result")

    def __init__(self, awaitable: Any, field: FieldPlan) -> None:
        self.awaitable = awaitable
        self.field = field
        self.result: Any = None

    async def settle(self) -> None:
        """Await it."""
        try:
            self.result = await self.awaitable
        except Exception as error:  # noqa: BLE001 - reported as an error of the field
            self.result = error


class _LateCall(_Call):
    """The value of a single place."""

    __slots__ = ("place", "position", "target")

    def __init__(self, late: Late) -> None:
        value, self.place, self.target, self.position = late
        super().__init__(value if is_awaitable(value) else _known(value), self.place.field)

    async def deliver(self, run: Run) -> None:
        """Complete the value and put it in its place."""
        place: ValuePlan = self.place
        try:
            value = place.complete(run, self.result, self.position)
        except Propagate:
            run.erase(place, self.position)
            return
        if self.target is not None:
            self.target[place.field.key] = value
        else:
            run.put(response_path(place.path, self.position), value)


async def _known(value: Any) -> Any:
    return value


class _BatchCall(_Call):
    """The results for all parents of one batched field, or of several that ask the same."""

    __slots__ = ("members",)

    def __init__(self, run: Run, members: list[tuple[FieldPlan, list[Entry]]], arguments: dict[str, Any]) -> None:
        self.members = members
        field, entries = members[0]
        parents = [entry[0] for _, entries in members for entry in entries]
        super().__init__(_asked(run, field, parents, entries[0][2], arguments), field)

    async def deliver(self, run: Run) -> None:
        """Complete each parent's result and put it in its place."""
        await _deliver_batch(run, self.members, self.result)


async def _deliver_batch(run: Run, members: list[tuple[FieldPlan, list[Entry]]], results: Any) -> None:
    if isinstance(results, Exception):
        results = [results] * sum(len(entries) for _, entries in members)
    start = 0
    for field, entries in members:
        place, complete, key = field.value, field.value.complete, field.key
        for number, (_, target, position) in enumerate(entries, start):
            if perf_counter() - run.since > HELD:
                await run.give_way()
            try:
                target[key] = complete(run, results[number], position)
            except Propagate:
                run.erase(place, position)
        start += len(entries)


def _batch_calls(run: Run) -> tuple[list[_BatchCall], list[tuple[FieldPlan, list[Entry], Exception]]]:
    """The calls of batch functions, and the fields whose arguments fail, for each of their parents."""
    groups: dict[Hashable, tuple[list[tuple[FieldPlan, list[Entry]]], dict[str, Any]]] = {}
    failed: list[tuple[FieldPlan, list[Entry], Exception]] = []
    shared = run.program.shared_batches
    for field in run.program.plan.batches:
        entries = run.batches[field.batch]
        if not entries:
            continue
        run.batches[field.batch] = []
        try:
            arguments = field.fixed_keywords
            if arguments is None:
                arguments = keywords(run, field, entries[0][2])
        except Exception as error:  # noqa: BLE001 - each parent's field fails with it
            failed.append((field, entries, error))
            continue
        key: Hashable = field.number
        if shared:
            key = (cast("BatchedField", field.field).batch_function, frozen(arguments))
        groups.setdefault(key, ([], arguments))[0].append((field, entries))
    return [_BatchCall(run, members, arguments) for members, arguments in groups.values()], failed


async def _settle(run: Run, calls: list[_LateCall | _BatchCall]) -> None:
    """Await several calls, concurrently if that gains anything.

    A call that never has to wait gains nothing from a task of its own, which costs more than many a query on an
    embedded database. So calls run here, one after another, until one of their field was seen to wait.
    """
    waiting: list[_LateCall | _BatchCall] = []
    tasks: list[asyncio.Task[None]] = []
    try:
        for call in calls:
            if call.field.waits:
                waiting.append(call)
            else:
                await _watched(call)
                if perf_counter() - run.since > HELD:
                    await run.give_way()
        if waiting:
            # The first needs no task: this one would only wait for it.
            tasks = [asyncio.create_task(call.settle()) for call in waiting[1:]]
            await waiting[0].settle()
            for task in tasks:
                await task
    except BaseException:
        for task in tasks:
            task.cancel()
        _close([call.awaitable for call in calls])
        raise


async def _watched(call: _LateCall | _BatchCall) -> None:
    """Await a call here, and note on its field if it has to wait."""
    running = call.settle()
    try:
        step = running.send(None)
    except StopIteration:
        return
    call.field.waits = True
    await resumed(running, step)


def _close(awaitables: list[Any]) -> None:
    """Close the coroutines that were never begun, about which Python would warn."""
    for awaitable in awaitables:
        if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED:
            awaitable.close()
