"""A compiled operation, and the programs of one operation: one for each combination of its conditions that came up."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import strawberry
from graphql import DocumentNode, OperationDefinitionNode
from graphql.execution.values import VariableValues

from execution.batched import BatchedField
from execution.plan.plan import NotCompiled, Plan
from execution.plan.planner import condition_variables
from execution.plan.variables import VariableReader

MAX_PROGRAMS = 8
"""Programs of one operation. Each two-valued condition may double their number; those beyond are not kept."""


class Program:
    """One operation, for one combination of its `@skip` and `@include` conditions; made by `compile_operation`."""

    def __init__(self, schema: strawberry.Schema, plan: Plan, conditions: dict[str, Any]) -> None:
        self.plan = plan
        self.conditions = conditions
        self.source = ""
        """The generated Python, to whose lines tracebacks refer."""
        self.info_class = schema.config.info_class
        self.default_resolver: Callable[[Any, str], Any] = schema.config.default_resolver
        functions = Counter(cast("BatchedField", field.field).batch_function for field in plan.batches)
        self.shared_batches = {function for function, uses in functions.items() if uses > 1}
        """Batch functions that several fields of the operation use, so that they may share calls."""

    @property
    def weight(self) -> int:
        """Its memory in characters of a document's text, which take more than ten times that of generated Python.

        A place that remembers lasting objects counts for what it may come to hold.
        """
        return 100 + len(self.source) // 12 + 300 * self.source.count(".keep(")


@dataclass(slots=True, eq=False)
class Programs:
    """What was compiled of an operation so far, kept with its document."""

    variables: VariableReader | None = None
    """Reads the variables of the operation; made at its first run."""
    conditions: tuple[str, ...] | None = None
    """The variables that decide about `@skip` and `@include`; None until somebody looked."""
    found: dict[tuple[Any, ...], Program | NotCompiled] = field(default_factory=dict)
    """By the values of the conditions: the program, or why there is none."""

    def look_up(self, variables: VariableValues) -> Program | NotCompiled | None:
        """The program for a run with these variables, or why there is none, or None if it has to be compiled."""
        if self.conditions is None:
            return None
        return self.found.get(tuple([variables.coerced.get(name) for name in self.conditions]))

    def compile(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        make: Callable[[dict[str, Any]], Program],
    ) -> Program | NotCompiled:
        """The program that `make` makes for a run with these variables; the reason if that cannot be done."""
        program: Program | NotCompiled
        try:
            if self.conditions is None:
                # Nothing decides about an operation that is never compiled.
                self.conditions = ()
                self.conditions = condition_variables(document, operation)
            given = {name: variables.coerced.get(name) for name in self.conditions}
            program = make({name: value for name, value in given.items() if value is not None})
        except NotCompiled as reason:
            program = reason.with_traceback(None)
        if len(self.found) < MAX_PROGRAMS:
            self.found[tuple([variables.coerced.get(name) for name in self.conditions or ()])] = program
        return program
