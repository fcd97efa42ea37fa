"""How an operation is compiled and run.

The generated functions (see `codegen`) build the answer depth first as long as nothing has to be awaited: nested
dictionaries and lists, in which a place that has to be awaited holds None. Whatever has to be awaited is noted in
the `Run`: the parents of batched fields, field by field, and awaitables one by one. Then everything noted is awaited
at once, each result is completed and put in its place, which may note more for the level below; and so on until
nothing is left (see `levels`).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import strawberry
from graphql import DocumentNode, ExecutionResult, OperationDefinitionNode
from graphql.execution.values import VariableValues

from execution.plan.codegen import generate
from execution.plan.plan import Program, ValuePlan
from execution.plan.planner import plan_operation
from execution.plan.shapes import shape
from execution.run.complete import Propagate, complete, read_leaves
from execution.run.levels import finish
from execution.run.rows import made, read_one
from execution.run.run import Run, info, keywords, raw_info
from execution.run.uncompiled import build

_NAMES: dict[str, Any] = {
    "Propagate": Propagate,
    "complete": complete,
    "info": info,
    "keywords": keywords,
    "made": made,
    "raw_info": raw_info,
    "read_leaves": read_leaves,
    "read_one": read_one,
}
"""What generated functions call."""


def program_of(
    schema: strawberry.Schema, document: DocumentNode, operation: OperationDefinitionNode, conditions: dict[str, Any]
) -> Program:
    """The program of an operation for one combination of its `@skip` and `@include` conditions, run field by field.

    Raises `NotCompiled` if it has to be left to graphql-core.
    """
    program = plan_operation(schema, document, operation, conditions)
    for plan in program.objects:
        plan.build = partial(build, plan)
    for place in program.values:
        place.complete = _completer(place)
    return program


def compile_operation(
    schema: strawberry.Schema, document: DocumentNode, operation: OperationDefinitionNode, conditions: dict[str, Any]
) -> Program:
    """The same with functions of its own, and what rows become."""
    program = plan_operation(schema, document, operation, conditions)
    shape(program)
    program.source, names = generate(program)
    names |= _NAMES
    name = program.operation.name
    file = f"<compiled operation {name.value if name else 'without a name'}>"
    exec(compile(program.source, file, "exec", dont_inherit=True), names)  # noqa: S102 - made by codegen, which quotes all names
    for plan in program.objects:
        plan.build = names[f"o{plan.number}"]
    for place in program.values:
        place.complete = names.get(f"v{place.number}") or _completer(place)
    return program


def _completer(place: ValuePlan) -> Callable[[Run, Any, Any], Any]:
    finish = complete if place.field.shape is None else made
    return lambda run, value, position: finish(run, place, value, position)


async def run_program(program: Program, context: Any, root: Any, variables: VariableValues) -> ExecutionResult:
    """Runs a program with coerced variables."""
    run = Run.of(program, context, root, variables)
    data: dict[str, Any] = {}
    for plan in program.roots:
        try:
            run.data = plan.build(run, root, None)
        except Propagate:
            run.data = None
        if run.late or run.batches:
            await finish(run)
        if run.data is None:
            return ExecutionResult(None, run.errors)
        data.update(run.data)
    return ExecutionResult(data, run.errors or None)
