"""Running a GraphQL document: from its text and variables to data and errors.

An operation is compiled when its document comes again, or if it is not a small one (see `compiled`).
If it cannot be compiled, graphql-core runs it, which converts arguments for each object and takes ten times as long for
a field: such an operation has to be a small one. `Executor.counts` tells how often either happened, and why.

graphql-core is called directly: Strawberry's own entry point validates every request again, runs the first of
several operations when none is named, and cannot say whether an error came before or during execution. What
Strawberry puts into resolvers works unchanged (arguments, permissions, `exception_handlers`); what it hangs
around its entry point would be skipped in silence, so a schema that relies on it is refused.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
import strawberry
from graphql import ExecutionResult, GraphQLError, OperationType
from graphql.execution.values import VariableValues
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.documents.cache import DocumentCache
from execution.documents.cost import Charge
from execution.documents.document import Document, Operation, check_length, nested_too_deeply
from execution.documents.limits import DocumentLimits, judge_variables, too_costly
from execution.documents.literals import Split, placed, split
from execution.documents.measure import warnings
from execution.documents.reader import DocumentReader
from execution.documents.sizes import FREE_VALUES
from execution.errors import Refusal, RequestError, with_code
from execution.plan.plan import NotCompiled, Program
from execution.plan.planner import condition_variables, graphql_schema
from execution.plan.variables import VariableReader
from execution.run.compiled import compile_operation, program_of, run_program
from execution.run.explain import explain
from execution.run.interpreted import interpret, require_small
from execution.run.rows import plain
from execution.run.stopping import Gone, stoppable

# Until Python 3.12 a member of an enum is found by a function written in Python.
_QUERY = OperationType.QUERY


class Admitted(msgspec.Struct):
    """An operation that may be run with these variables."""

    document: Document
    operation: Operation
    variables: Mapping[str, Any]
    values: VariableValues
    """The variables, coerced."""
    charge: Charge
    warnings: list[GraphQLError]
    """For what it would have been refused if its limits did more than warn."""


class TooCostly(RequestError):
    """The operation costs more than its limit, and was not run."""

    def __init__(self, operation: Admitted) -> None:
        super().__init__(Refusal.LIMIT, operation.warnings)
        self.operation = operation
        """What would have been run."""


@dataclass(slots=True)
class Counts:
    """How operations were run since the start."""

    compiled: int = 0
    uncompiled: int = 0
    """Runs of programs that were not worth compiling yet."""
    interpreted: Counter[str] = field(default_factory=Counter)
    """Runs by graphql-core, by reason."""
    shared: int = 0
    """Documents that differed only in literals from one that was kept, and shared its programs."""


class Executor:
    """Runs documents against one schema.

    `timeout` is in seconds, from the first time that an operation has to wait; None sets no end to it. Without
    `introspection`, nothing tells what the schema holds. An operation that costs no more than `run_uncompiled` is
    compiled when its document comes again; others at once. Raises `ValueError` for a schema that needs parts of
    Strawberry's own entry point (extensions, custom directives, `@defer`, an execution class).
    """

    def __init__(
        self,
        schema: strawberry.Schema,
        limits: DocumentLimits | None = None,
        *,
        timeout: float | None = 10.0,
        cache: DocumentCache | None = None,
        introspection: bool = True,
        run_uncompiled: int = 100,
    ) -> None:
        needs_more = schema.extensions or schema.directives or schema.config.enable_experimental_incremental_execution
        if needs_more or schema.execution_context_class is not StrawberryGraphQLCoreExecutionContext:
            raise ValueError(
                "Schema extensions, custom directives, incremental delivery and an execution of its own are not run by"
                " this executor; remove them from the schema."
            )
        self.schema = schema
        self.limits = limits or DocumentLimits()
        self.timeout = timeout
        self._run_uncompiled = run_uncompiled
        self.cache = cache if cache is not None else DocumentCache()
        self._schema = graphql_schema(schema)
        self._reader = DocumentReader(self._schema, self.limits, introspection=introspection)
        self._hide_suggestions = not introspection
        self.counts = Counts()

    def prepare(self, source: str, limits: DocumentLimits | None = None) -> Document:
        """The document of a text, from the cache or read now. Raises `RequestError` if it may not be run.

        `limits` are those of the caller, instead of the usual ones; the same object for callers with the same.
        """
        limits = limits or self.limits
        document = self.cache.get(source)
        if document is None:
            check_length(source, limits)
            parts = split(source)
            document = parts and self._alike(source, parts)
            if document is None:
                document = self._reader.read(source, limits)
                document.shape = parts and parts.shape
                self.cache.put(document)
        if document.limits is not limits:
            try:
                document.accept(limits)
            except RequestError:
                if document.like is None:
                    raise
                return self._reader.read(source, limits)
        return document

    def _alike(self, source: str, parts: Split) -> Document | None:
        """The document of a text that differs only in literals from one that is kept."""
        like = self.cache.like(parts.shape)
        document = like and self._reader.alike(like, source, parts.literals)
        self.counts.shared += document is not None
        return document

    def _by_itself(self, document: Document, operation: Operation) -> tuple[Document, Operation]:
        """A document that shares programs, read from its own text: what is refused has the places of that."""
        alone = self._reader.read(document.source, document.limits)
        return alone, alone.select(operation.name)

    def admit(
        self,
        document: Document,
        operation: Operation,
        variables: Mapping[str, Any],
        limits: DocumentLimits | None = None,
    ) -> Admitted:
        """The operation with its variables coerced and its cost known.

        Raises `RequestError` for variables that do not fit, and for what costs too much.
        """
        limits = limits or self.limits
        if document.like is None:
            return self._admit(document, operation, variables, limits)
        with suppress(RequestError):
            admitted = self._admit(document, operation, variables, limits)
            if not admitted.warnings:
                return admitted
        return self._admit(*self._by_itself(document, operation), variables, limits)

    def _admit(
        self, document: Document, operation: Operation, variables: Mapping[str, Any], limits: DocumentLimits
    ) -> Admitted:
        held = judge_variables(variables, limits) if variables else 0
        values = self._coerce(operation, variables)
        values.coerced.update(document.literals)
        charge = operation.cost.fixed
        if charge is None or held > FREE_VALUES:
            charge = _charge(operation, values)
        warned = warnings(operation.node, operation.measure, limits) if limits.warn_only else []
        if charge.cost <= limits.max_cost:
            return Admitted(document, operation, variables, values, charge, warned)
        warned.append(too_costly(operation.node, charge.cost, limits))
        admitted = Admitted(document, operation, variables, values, charge, warned)
        if not limits.warn_only:
            raise TooCostly(admitted)
        return admitted

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
        `RequestError` when nothing was run (see `admit`) or when the operation was stopped.
        """
        result = await self.run_admitted(self.admit(document, operation, variables or {}), context, root)
        return ExecutionResult(plain(result.data), result.errors)

    async def run_admitted(
        self, admitted: Admitted, context: Any = None, root: Any = None, gone: Gone | None = None
    ) -> ExecutionResult:
        """Run an operation that was admitted; see `run`. Its data are for msgspec to write: not all are dictionaries.

        A query is stopped once `gone` returns, with `Abandoned`. A mutation never is: whoever sent one expects the
        change, even if the answer cannot be received any more.
        """
        document, operation, values = admitted.document, admitted.operation, admitted.values
        program = operation.programs.look_up(values)
        once = False
        if program is None:
            is_kept = (document.like or document).is_kept
            once = not is_kept and admitted.charge.cost <= self._run_uncompiled
            # Reading a document, planning, compiling and running may each take long: others have a turn in between.
            await asyncio.sleep(0)
            program = self._plan(document, operation, values, once=once)
            await asyncio.sleep(0)
        if isinstance(program, Program):
            if program.source:
                self.counts.compiled += 1
            else:
                self.counts.uncompiled += 1
            running = run_program(program, context, root, values)
        else:
            self.counts.interpreted[str(program)] += 1
            require_small(program, operation, admitted.charge.cost)
            if document.like is not None:
                document, operation = self._by_itself(document, operation)
            running = interpret(self.schema, document, operation, admitted.variables, context, root)
        try:
            result = await stoppable(running, gone if operation.kind is _QUERY else None, self.timeout)
        except TimeoutError:
            raise RequestError.of(
                Refusal.TIMEOUT,
                "OPERATION_TIMED_OUT",
                f"The operation was stopped after {self.timeout:g} seconds; ask for fewer objects at once.",
            ) from None
        except RecursionError:
            raise nested_too_deeply("The answer is nested too deeply") from None
        finally:
            if once and isinstance(program, Program):
                program.end()
        if result.errors and document.like is not None:
            result = ExecutionResult(result.data, placed(result.errors, document.like.source, document.source))
        return result

    def explain(
        self,
        document: Document,
        operation: Operation,
        conditions: Mapping[str, bool] | None = None,
        *,
        with_source: bool = False,
    ) -> str:
        """How an operation would be run, in words; for these values of its `@skip` and `@include` variables.

        Variables that are not given are taken to be true. `with_source` adds the generated Python.
        """
        if document.like is not None:
            document, operation = self._by_itself(document, operation)
        try:
            names = condition_variables(document.ast, operation.node)
            values = {name: (conditions or {}).get(name, True) for name in names}
            program = compile_operation(self.schema, document.ast, operation.node, values)
            return explain(program, with_source=with_source)
        except NotCompiled as reason:
            return f"run by graphql-core: {reason}"

    def _plan(
        self, document: Document, operation: Operation, values: VariableValues, *, once: bool
    ) -> Program | NotCompiled:
        """The program for a run with these variables, or the reason why there is none; for a run `once` not kept."""
        programs = operation.programs
        weight = programs.weight
        make = partial(program_of if once else compile_operation, self.schema, document.ast, operation.node)
        program = programs.plan(document.ast, operation.node, values, make, keep=not once)
        self.cache.charge(document, programs.weight - weight)
        return program

    def _coerce(self, operation: Operation, variables: Mapping[str, Any]) -> VariableValues:
        """The coerced variables. Raises `RequestError` if they do not fit."""
        reader = operation.programs.variables
        if reader is None:
            reader = operation.programs.variables = VariableReader(
                self._schema, operation.node, hide_suggestions=self._hide_suggestions
            )
        values = reader.read(variables, self.limits.max_errors)
        if isinstance(values, list):
            raise RequestError(Refusal.VARIABLES, [with_code(error, "BAD_USER_INPUT") for error in values])
        return values


def _charge(operation: Operation, values: VariableValues) -> Charge:
    try:
        return operation.cost.of(values.coerced)
    except RecursionError:
        raise nested_too_deeply("The document is nested too deeply to be followed") from None
