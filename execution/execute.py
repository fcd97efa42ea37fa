"""Running a GraphQL document: from its text and variables to data and errors.

graphql-core is called directly: Strawberry's own entry point validates every request again, runs the first of
several operations when none is named, and cannot say whether an error came before or during execution. What
Strawberry puts into resolvers works unchanged (arguments, permissions, `exception_handlers`); what it hangs
around its entry point would be skipped in silence, so a schema that relies on it is refused.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution import Executor as GraphQLExecutor
from strawberry.execution import optimized_is_awaitable

from execution.documents import Document, DocumentCache, DocumentReader, Operation
from execution.errors import Refusal, RequestError, with_code
from execution.limits import Limits, is_nested_deeper


class Executor:
    """Runs documents against one schema.

    `timeout` is in seconds and covers everything an operation does; None sets no end to it. Raises
    `ValueError` for a schema that needs parts of Strawberry's own entry point (extensions, custom directives,
    `@defer`).
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: Limits | None = None,
        *,
        timeout: float | None = 10.0,
        cache: DocumentCache | None = None,
    ) -> None:
        if schema.extensions or schema.directives or schema.config.enable_experimental_incremental_execution:
            raise ValueError(
                "Schema extensions, custom directives and incremental delivery are not run by this executor; "
                "remove them from the schema."
            )
        self.schema = schema
        self.limits = limits or Limits()
        self.timeout = timeout
        self.cache = cache if cache is not None else DocumentCache()
        # Strawberry keeps graphql-core's schema, which this executor runs, in a private attribute.
        self._schema = schema._schema  # noqa: SLF001
        self._reader = DocumentReader(self._schema, self.limits)

    def prepare(self, source: str) -> Document:
        """The document of a text, from the cache or read now. Raises `RequestError` if it may not be run."""
        document = self.cache.get(source)
        if document is None:
            document = self._reader.read(source)
            self.cache.put(document)
        return document

    async def run(
        self,
        document: Document,
        operation: Operation,
        variables: Mapping[str, Any] | None = None,
        context: Any = None,
        root: Any = None,
    ) -> ExecutionResult:
        """Run one operation of a prepared document; fields that failed are in the result's `errors`.

        `context` belongs to this operation alone: batched fields keep what they gather in it. Raises
        `RequestError` when nothing was run (subscriptions, variables that do not fit) or when the operation
        was stopped.
        """
        if operation.kind is OperationType.SUBSCRIPTION:
            raise RequestError.of(
                Refusal.OPERATION,
                "SUBSCRIPTION_NOT_SUPPORTED",
                "Subscriptions are not answered by this endpoint; send a query and ask again later.",
            )
        execution = self._begin(document, operation, variables or {}, context, root)
        try:
            async with asyncio.timeout(self.timeout):
                return await _finish(execution)
        except TimeoutError:
            raise RequestError.of(
                Refusal.TIMEOUT,
                "OPERATION_TIMED_OUT",
                f"The operation was stopped after {self.timeout:g} seconds; ask for fewer objects at once.",
            ) from None
        except RecursionError:
            raise RequestError.of(
                Refusal.LIMIT, "QUERY_TOO_DEEP", "The answer is nested too deeply; nest fewer levels."
            ) from None

    def _begin(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], context: Any, root: Any
    ) -> GraphQLExecutor[Any]:
        """Coerce the variables. Raises `RequestError` if they do not fit."""
        limit = self.limits.max_variables_depth
        if is_nested_deeper(variables, limit):
            raise RequestError.of(
                Refusal.LIMIT,
                "VARIABLES_TOO_DEEP",
                f"The variables nest more than {limit} levels deep; send flatter values.",
            )
        executor_class = cast("type[GraphQLExecutor[Any]]", self.schema.execution_context_class)
        execution = executor_class.build(
            self._schema,
            document.ast,
            root_value=root,
            context_value=context,
            raw_variable_values=dict(variables),
            operation_name=operation.name,
            max_coercion_errors=self.limits.max_errors,
            is_awaitable=cast("Any", optimized_is_awaitable),
        )
        if isinstance(execution, list):
            raise RequestError(Refusal.VARIABLES, [with_code(error, "BAD_USER_INPUT") for error in execution])
        return execution


async def _finish(execution: GraphQLExecutor[Any]) -> ExecutionResult:
    try:
        result: Any = execution.execute_operation()
        if not isinstance(result, ExecutionResult):
            result = await result
        # A field that failed at once leaves its siblings running: nothing of an operation may outlive its
        # answer.
        while execution.background_futures:
            await asyncio.wait(list(execution.background_futures))
    except asyncio.CancelledError:
        for future in execution.background_futures:
            future.cancel()
        raise
    return cast("ExecutionResult", result)


def present_plainly(error: GraphQLError) -> dict[str, Any]:
    """The wire form of an error as GraphQL defines it. Hides nothing: for tests and tools alone."""
    return cast("dict[str, Any]", error.formatted)
