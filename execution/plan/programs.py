"""The compiled programs of one operation, one for each combination of its conditions that came up."""

from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import DocumentNode, OperationDefinitionNode
from graphql.execution.values import VariableValues

from execution.plan.plan import NotCompiled, condition_variables
from execution.plan.program import Program
from execution.plan.variables import VariableReader
from execution.run.compiled import compile_operation

MAX_PROGRAMS = 8
"""Programs of one operation. Each two-valued condition may double their number; those beyond are not kept."""


@dataclass(slots=True, eq=False)
class Programs:
    """What was compiled of an operation so far, kept with its document."""

    variables: VariableReader | None = None
    """Reads the variables of the operation; made at its first run."""
    conditions: tuple[str, ...] | None = None
    """The variables that decide about `@skip` and `@include`; None until somebody looked."""
    reason: NotCompiled | None = None
    """Why the operation is never compiled."""
    found: dict[tuple[Any, ...], Program | NotCompiled] = field(default_factory=dict)
    """By the values of the conditions: the program, or why there is none."""

    def look_up(self, variables: VariableValues) -> Program | NotCompiled | None:
        """The program for a run with these variables, or why there is none, or None if it has to be compiled."""
        if self.reason is not None:
            return self.reason
        if self.conditions is None:
            return None
        return self.found.get(tuple([variables.coerced.get(name) for name in self.conditions]))

    def compile(
        self,
        schema: strawberry.Schema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
    ) -> Program | NotCompiled:
        """Compile the operation for a run with these variables; the reason if that cannot be done."""
        try:
            if self.conditions is None:
                self.conditions = condition_variables(document, operation)
        except NotCompiled as reason:
            self.reason = reason.with_traceback(None)
            return self.reason
        values = tuple([variables.coerced.get(name) for name in self.conditions])
        program: Program | NotCompiled
        try:
            conditions = {name: value for name, value in zip(self.conditions, values, strict=True) if value is not None}
            program = compile_operation(schema, document, operation, conditions)
        except NotCompiled as reason:
            program = reason.with_traceback(None)
        if len(self.found) < MAX_PROGRAMS:
            self.found[values] = program
        return program
