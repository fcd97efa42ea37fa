"""The compiled programs of one operation, one for each combination of its conditions that came up."""

from dataclasses import dataclass, field
from typing import Any

import strawberry
from graphql import DocumentNode, OperationDefinitionNode
from graphql.execution.values import VariableValues

from execution.compiled import Program
from execution.plan import NotCompiled, condition_variables
from execution.variables import VariableReader

MAX_PROGRAMS = 8
"""Programs of one operation. Each two-valued condition may double their number; those beyond are not compiled."""


@dataclass(slots=True, eq=False)
class Programs:
    """What was compiled of an operation so far, kept with its document."""

    runs: int = 0
    """How often the operation was run, as long as nothing was compiled."""
    variables: VariableReader | None = None
    """Reads the variables of the operation; made at its first run."""
    conditions: tuple[str, ...] | None = None
    """The variables that decide about `@skip` and `@include`; None until somebody looked."""
    reason: str = ""
    """Why the operation is never compiled."""
    found: dict[tuple[Any, ...], Program | str] = field(default_factory=dict)
    """By the values of the conditions: the program, or why there is none."""

    def look_up(self, variables: VariableValues) -> Program | str | None:
        """The program for a run with these variables, or why there is none, or None if nobody tried."""
        if self.reason:
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
    ) -> Program | str:
        """Compile the operation for a run with these variables; the reason if that cannot be done."""
        try:
            if self.conditions is None:
                self.conditions = condition_variables(document, operation)
        except NotCompiled as reason:
            self.reason = str(reason)
            return self.reason
        values = tuple([variables.coerced.get(name) for name in self.conditions])
        if len(self.found) >= MAX_PROGRAMS:
            return f"more than {MAX_PROGRAMS} combinations of conditions"
        program: Program | str
        try:
            conditions = {name: value for name, value in zip(self.conditions, values, strict=True) if value is not None}
            program = Program(schema, document, operation, conditions)
        except NotCompiled as reason:
            program = str(reason)
        self.found[values] = program
        return program
