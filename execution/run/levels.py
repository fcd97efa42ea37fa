"""Awaiting what a run has noted, level by level.

All parents of a batched field are one call of its function; so are the parents of several such fields that ask the
same function with the same arguments.
"""

import inspect
from collections.abc import Coroutine, Hashable, Iterable
from itertools import repeat
from time import perf_counter
from types import CoroutineType
from typing import Any

from strawberry.execution import optimized_is_awaitable as is_awaitable

from execution.batched import call_batch, frozen
from execution.plan.plan import FieldPlan, ValuePlan
from execution.run.complete import Propagate
from execution.run.rows import read_all
from execution.run.run import HELD, Entry, Run, info, keywords, response_path
from execution.run.steps import resumed, together


async def finish(run: Run) -> None:
    """Await everything that was noted, until nothing is left.

    What takes long is interrupted between two pieces of work, a call or the completion of a parent's field.
    """
    calls: list[_Call] = []
    try:
        while run.late or any(run.batches):
            calls = _noted(run)
            if len(calls) == 1:
                await calls[0].settle(run)
            else:
                await _settle(run, calls)
            await _deliver(run, calls)
    except BaseException:
        # Python would warn about coroutines that were never begun.
        for value in [*(entry[0] for _, entry in run.late), *(call.value for call in calls)]:
            if inspect.iscoroutine(value) and inspect.getcoroutinestate(value) == inspect.CORO_CREATED:
                value.close()
        raise


class _Call:
    """Something to await: a single value, or the results for all parents of batched fields that ask the same."""

    __slots__ = ("field", "parts", "results", "value")

    def __init__(self, place: ValuePlan, entries: list[Entry], value: Coroutine[Any, Any, Any] | None = None) -> None:
        self.field = place.field
        self.parts = [(place, entries)]
        """Where the results go; each entry has the value that was noted, or the parent."""
        self.value = value
        """The single value; None stands for a batch."""
        self.results: Iterable[Any]
        """What came of it, in the order of the entries."""

    def begin(self, run: Run) -> Coroutine[Any, Any, Any]:
        """The call. Raises what is wrong with its arguments."""
        if self.value is not None:
            return self.value
        field = self.field
        if field.shape is not None:
            return read_all(run, field, field.shape, [entry[0] for entry in self.parts[0][1]])
        first = self.parts[0][1][0]
        batched: Any = field.field
        taken: Any = field.arguments
        arguments = taken.fixed
        if arguments is None:
            arguments = keywords(run, field, first[2])
        if batched.takes_info:
            arguments = {**arguments, "info": info(run, field, first[2])}
        parents = [entry[0] for _, entries in self.parts for entry in entries]
        return call_batch(batched.batch_function, parents, arguments)

    async def settle(self, run: Run, begun: Any = None) -> None:
        """Await it, or the rest of it."""
        result: Any = None
        try:
            if begun is None:
                running = self.begin(run)
                try:
                    begun = resumed(running, running.send(None))
                except StopIteration as stop:
                    result = stop.value
            if begun is not None:
                result = await begun
                # While it waited others had their turn: a write's commit takes as long as a whole run may.
                run.since = perf_counter()
            self.results = result if self.value is None else (result,)
        except Exception as error:  # noqa: BLE001 - each result is reported as an error of the field
            self.results = repeat(error)


def _coroutine(value: Any) -> Coroutine[Any, Any, Any]:
    return value if type(value) is CoroutineType else _value_of(value)


async def _value_of(value: Any) -> Any:
    return await value if is_awaitable(value) else value


def _noted(run: Run) -> list[_Call]:
    """The calls for what was noted by now."""
    calls = []
    if run.late:
        calls = [_Call(place, [entry], _coroutine(entry[0])) for place, entry in run.late]
        run.late = []
    if not any(run.batches):
        return calls
    program = run.program
    sharing: dict[Hashable, _Call] = {}
    for field in program.batches:
        entries = run.batches[field.batch]
        if not entries:
            continue
        run.batches[field.batch] = []
        call = _Call(field.value, entries)
        if program.shared_batches:
            first = sharing.setdefault(_question(run, field, entries), call)
            if first is not call:
                first.parts += call.parts
                continue
        calls.append(call)
    return calls


def _question(run: Run, field: FieldPlan, entries: list[Entry]) -> Hashable:
    """What a batched field asks; equal ones are asked together."""
    try:
        arguments = keywords(run, field, entries[0][2])
    except Exception:  # noqa: BLE001 - raised again by the call
        return field.number
    return field.question, frozen(arguments)


async def _settle(run: Run, calls: list[_Call]) -> None:
    """Await calls, concurrently if that gains anything.

    A call that never has to wait gains nothing from a task of its own, which costs more than many a query on an
    embedded database. So calls run here, one after another, until one of their field was seen to wait.
    """
    waiting: list[_Call] = []
    for call in calls:
        field = call.field
        if field.waits:
            waiting.append(call)
            continue
        try:
            running = call.begin(run)
            step = running.send(None)
        except StopIteration as stop:
            call.results = stop.value if call.value is None else (stop.value,)
        except Exception as error:  # noqa: BLE001 - each result is reported as an error of the field
            call.results = repeat(error)
        else:
            field.waits = True
            await call.settle(run, resumed(running, step))
        if perf_counter() - run.since > HELD:
            await run.give_way()
    if not waiting:
        return
    await together(call.settle(run) for call in waiting)


async def _deliver(run: Run, calls: list[_Call]) -> None:
    """Complete each result and put it in its place."""
    for call in calls:
        results = iter(call.results)
        for place, entries in call.parts:
            complete, key = place.complete, place.field.key
            # Naming `strict` costs more than all else here.
            for (_, target, position), result in zip(entries, results):  # noqa: B905
                if perf_counter() - run.since > HELD:
                    await run.give_way()
                try:
                    value = complete(run, result, position)
                except Propagate:
                    run.erase(place, position)
                    continue
                if target is None:
                    run.put(response_path(place.path, position), value)
                else:
                    target[key] = value
