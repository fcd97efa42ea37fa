"""The state of one run of a compiled operation, and what its resolvers are told.

A position tells apart the objects at one place of the plan: linked pairs `(position of the outer list, index)`, None
outside of lists. With the place's path it gives the response path, which is put together only for errors and for
resolvers that ask for it.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter
from typing import Any, Self, cast

import msgspec
import strawberry
from graphql import GraphQLError, GraphQLResolveInfo, get_argument_values
from graphql.execution.values import VariableValues
from graphql.pyutils import Path, gather_with_cancel
from graphql.type import GraphQLResolveInfoHelpers
from strawberry.execution import optimized_is_awaitable as is_awaitable
from strawberry.schema.schema import _OperationContextAwareGraphQLResolveInfo

from execution.plan.plan import FieldPlan, Program, Scope, Step, ValuePlan

Position = Any
"""None, or `(position, index)`."""
Entry = tuple[Any, dict[str, Any] | None, Position]
"""An awaitable or a parent of a batched field, the object to put its result into if that is at hand, its position."""


MAX_ERRORS = 100
"""Failed fields that are named. An argument may fail its field for each of thousands of parents."""
HELD = 0.01
"""Seconds after which a run lets others have their turn in the event loop, between two pieces of its work."""


class Run(msgspec.Struct, eq=False):
    """The state of one run of one operation."""

    program: Program
    context: Any
    root: Any
    variables: VariableValues
    batches: list[list[Entry]]
    """By batched field: the parents that wait for it."""
    since: float
    """When it last gave others their turn."""
    data: Any = None
    """The answer so far; inside a mutation, the part of the root field that is being run."""
    errors: list[GraphQLError] = []
    nulled: set[tuple[str | int, ...]] = set()
    """Paths that errors made null; what fails below them later is not reported."""
    failed: dict[FieldPlan, Exception | None] = {}
    """What befell reads below others (see `execution.run.rows`); None where only some found nothing."""
    late: list[tuple[ValuePlan, Entry]] = []
    """What has to be awaited for a single place."""
    arguments: dict[int, dict[str, Any]] = {}
    """By field: its arguments, coerced when the first object needs them."""
    info_tail: tuple[Any, ...] | None = None
    """What resolvers are told of the run, if any was told."""
    contexts: dict[int, Any] = {}
    """By field that has a context of its own: that, once it was asked for."""

    @classmethod
    def of(cls, program: Program, context: Any, root: Any, variables: VariableValues) -> Self:
        """A run that begins now."""
        return cls(program, context, root, variables, [[] for _ in program.batches], perf_counter())

    def reports(self, position: tuple[str | int, ...]) -> bool:
        """Whether an error that makes the place at this path null is to be reported.

        It is not where it lies within a place that is null already, nor beyond `MAX_ERRORS`.
        """
        nulled = self.nulled
        if any(position[:length] in nulled for length in range(len(position) + 1)):
            return False
        nulled.add(position)
        if len(self.errors) < MAX_ERRORS:
            return True
        if len(self.errors) == MAX_ERRORS:
            message = f"More fields failed than the {MAX_ERRORS} that are named; they are null, too."
            self.errors.append(GraphQLError(message, extensions={"code": "ERRORS_LEFT_OUT"}))
        return False

    async def give_way(self) -> None:
        """Let others have their turn; then is also when the operation may be stopped."""
        await asyncio.sleep(0)
        self.since = perf_counter()

    def put(self, path: Sequence[str | int], value: Any) -> None:
        """Put a value where its path says, unless something around it has become null."""
        if not path:
            self.data = value
            return
        node = self.data
        for key in path[:-1]:
            if node is None:
                return
            node = node[key]
        if node is not None:
            node[path[-1]] = value

    def erase(self, place: ValuePlan, position: Position) -> None:
        """Make the nearest place that may be null so, because this one failed after its parent was finished."""
        self.put(response_path(place.path, position)[: place.nullable_depth], None)


def _track(values: Sequence[Any]) -> None:
    """What a resolver abandons is settled, so that its failure is not reported as never retrieved."""
    futures = [asyncio.ensure_future(value) for value in values if is_awaitable(value)]
    if futures:
        _abandoned.add(settled := asyncio.gather(*futures, return_exceptions=True))
        settled.add_done_callback(_abandoned.discard)


_abandoned: set[asyncio.Future[Any]] = set()
_HELPERS = GraphQLResolveInfoHelpers(gather=lambda values: gather_with_cancel(*values), track=_track)


class ResolveInfo(_OperationContextAwareGraphQLResolveInfo):
    """Strawberry's information for resolvers, whose path is put together when it is read."""

    __slots__ = ()

    @property
    def path(self) -> Path:
        """The response path of the field."""
        field, position, _ = cast("tuple[FieldPlan, Position, Run]", self[4])
        return _typed_path(field.path, position)


_new = tuple.__new__


def raw_info(run: Run, field: FieldPlan, position: Position) -> GraphQLResolveInfo[Any]:
    """graphql-core's information about one field of one object."""
    tail = run.info_tail if field.scope is None else None
    if tail is None:
        program = run.program
        schema, of_operation = (program.schema, program.fragments), (program.operation, run.variables.coerced)
        tail = (*schema, run.root, *of_operation, context_of(run, field), is_awaitable, None, _HELPERS, None)
        if field.scope is None:
            run.info_tail = tail
    return _new(ResolveInfo, (*field.head, (field, position, run), *tail))  # type: ignore[return-value]


def context_of(run: Run, field: FieldPlan) -> Any:
    """The context in which a field is resolved. Raises what its arguments are refused for."""
    return run.context if field.scope is None else _context_in(run, field.scope)


def _context_in(run: Run, scope: Scope) -> Any:
    number = scope.field.number
    if number not in run.contexts:
        outer = run.context if scope.outer is None else _context_in(run, scope.outer)
        run.contexts[number] = scope.make(outer, keywords(run, scope.field, None))
    return run.contexts[number]


def info(run: Run, field: FieldPlan, position: Position) -> strawberry.Info[Any, Any]:
    """Strawberry's information about one field of one object."""
    return run.program.info_class(raw_info(run, field, position), field.field)  # type: ignore[arg-type]


def response_path(steps: tuple[Step, ...], position: Position) -> tuple[str | int, ...]:
    """The keys and indices that lead to a place."""
    path: list[str | int] = []
    for step in reversed(steps):
        if step is None:
            position, index = position
            path.append(index)
        else:
            path.append(step[0])
    return tuple(reversed(path))


def _typed_path(steps: tuple[Step, ...], position: Position) -> Path:
    path: Any = None
    for key, step in zip(response_path(steps, position), steps, strict=True):
        path = Path(path, key, step and step[1])
    return cast("Path", path)


def keywords(run: Run, field: FieldPlan, position: Position) -> dict[str, Any]:
    """The arguments of a field, as its function takes them; the same for all objects. Raises what coercion raises."""
    arguments = run.arguments.get(field.number)
    if arguments is None:
        if field.arguments is None:
            arguments = get_argument_values(field.definition, field.nodes[0], run.variables)
        else:
            arguments = field.arguments.of(run.variables, lambda: info(run, field, position))
        run.arguments[field.number] = arguments
    return arguments
