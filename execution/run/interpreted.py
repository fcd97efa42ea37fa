"""What is not compiled and so run by graphql-core, which takes ten times as long for a field: small operations."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLResolveInfo
from graphql.execution import Executor as GraphQLExecutor
from strawberry.execution import optimized_is_awaitable

from execution.documents.document import Document, Operation
from execution.documents.limits import TOO_LARGE
from execution.errors import Refusal, RequestError
from execution.markers import SCOPED
from execution.plan.plan import NotCompiled, TooManyFields
from execution.plan.planner import graphql_schema

MAX_INTERPRETED = 200
"""The most that an operation may cost which graphql-core runs in the event loop, where nothing else is done meanwhile.
Introspection by itself runs in a thread and may cost what any operation may."""


def require_small(reason: NotCompiled, operation: Operation, cost: int) -> None:
    """Raises `RequestError` for what graphql-core would take too long for."""
    if isinstance(reason, TooManyFields):
        raise RequestError.of(
            Refusal.LIMIT,
            TOO_LARGE,
            f"The operation has {reason} that an interface or union may be; select fewer fields.",
        )
    if cost > MAX_INTERPRETED and not _is_introspection(operation):
        message = (
            f"The operation costs {cost}, the limit is {MAX_INTERPRETED} for one that is run field by field"
            f" ({reason}); ask for the schema in a request of its own, and give each condition a value."
        )
        extensions = {"code": "QUERY_TOO_COSTLY", "requested": cost, "limit": MAX_INTERPRETED}
        raise RequestError(Refusal.LIMIT, [GraphQLError(message, extensions=extensions)])


def _is_introspection(operation: Operation) -> bool:
    """Whether nothing is asked but what the schema holds."""
    measure = operation.measure
    return measure.introspection_depth > 0 and measure.depth <= 1


class _Contexts:
    """Gives fields that have a context of their own that, and all below them, as a compiled run does."""

    def __init__(self) -> None:
        self._of: dict[tuple[str | int, ...], Any] = {}
        """By path, of the fields that have one."""

    def resolve(self, following: Any, root: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        """What comes next, with the context of the place."""
        path = tuple(info.path.as_list())
        around = (path[:end] for end in range(len(path), 0, -1))
        context = next((self._of[outer] for outer in around if outer in self._of), info.context)
        known = info.parent_type.fields.get(info.field_name)
        field = None if known is None else known.extensions.get("strawberry-definition")
        scoped = None if field is None else field.metadata.get(SCOPED)
        if scoped is not None and scoped.is_asked(info.field_nodes[0]):
            asked = {name: given[argument] for argument, name in scoped.arguments.items() if argument in given}
            context = self._of[path] = scoped.make(context, asked)
        return following(root, info._replace(context=context), **given)


async def interpret(
    schema: strawberry.Schema,
    document: Document,
    operation: Operation,
    variables: Mapping[str, Any],
    context: Any,
    root: Any,
) -> ExecutionResult:
    """The answer of graphql-core. Introspection by itself runs in a thread."""
    executor_class = cast("type[GraphQLExecutor[Any]]", schema.execution_context_class)
    execution = executor_class.build(
        graphql_schema(schema),
        document.ast,
        root_value=root,
        context_value=context,
        raw_variable_values=dict(variables),
        operation_name=operation.name,
        is_awaitable=cast("Any", optimized_is_awaitable),
        middleware=None if _is_introspection(operation) else [_Contexts()],
    )
    assert not isinstance(execution, list)  # its variables were coerced before
    result: Any
    try:
        if _is_introspection(operation):
            result = await asyncio.to_thread(execution.execute_operation)
        else:
            result = execution.execute_operation()
        if not isinstance(result, ExecutionResult):
            result = await result
        # A field that failed at once leaves its siblings running: nothing of an operation may outlive its answer.
        while execution.background_futures:
            await asyncio.wait(list(execution.background_futures))
    except asyncio.CancelledError:
        for future in execution.background_futures:
            # Its cancellation is nobody's to retrieve.
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
            future.cancel()
        raise
    return cast("ExecutionResult", result)
