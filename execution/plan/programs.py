"""The programs of one operation: one for each combination of its conditions that came up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode
from graphql.execution.values import VariableValues

from execution.plan.plan import NotCompiled, Program
from execution.plan.planner import condition_variables
from execution.plan.variables import VariableReader

MAX_PROGRAMS = 8
"""Programs of one operation. Each two-valued condition may double their number; those beyond are not kept."""


@dataclass(slots=True, eq=False)
class Programs:
    """What was planned of an operation so far, kept with its document."""

    variables: VariableReader | None = None
    """Reads the variables of the operation; made at its first run."""
    conditions: tuple[str, ...] | None = None
    """The variables that decide about `@skip` and `@include`; None until somebody looked."""
    found: dict[tuple[Any, ...], Program | NotCompiled] = field(default_factory=dict)
    """By the values of the conditions: the program, or why there is none."""

    def look_up(self, variables: VariableValues) -> Program | NotCompiled | None:
        """The program for a run with these variables, or why there is none, or None if it has to be planned."""
        if self.conditions is None:
            return None
        return self.found.get(self._values(variables))

    def plan(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: VariableValues,
        make: Callable[[dict[str, Any]], Program],
        *,
        keep: bool,
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
        if keep and len(self.found) < MAX_PROGRAMS:
            self.found[self._values(variables)] = program
        return program

    @property
    def weight(self) -> int:
        """That of the programs that are kept."""
        return sum(program.weight for program in self.found.values() if isinstance(program, Program))

    def _values(self, variables: VariableValues) -> tuple[Any, ...]:
        return tuple(map(variables.coerced.get, self.conditions)) if self.conditions else ()
