"""Mutations, each said once: its fields, single and bulk, and the types that they answer with follow from it.

A mutation whose operation is `remove_claim` is the field `removeClaim`, whose answers are the union
`RemoveClaimResult`. Its bulk form is the field `removeClaims`, whose answers are the union `RemoveClaimsResult`; a
member of that is `RemoveClaimRows`, which has a `RemoveClaimRow` for each row.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import GenericAlias
from typing import Annotated, Any, NamedTuple, Optional, Union

import strawberry
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import capitalize_first, to_camel_case

from domain.changes import Change
from domain.errors import AlreadyExists, DomainError, Forbidden, InvalidInput, NotApplied, NotFound, PreconditionFailed
from domain.preconditions import Expected
from domain.validation import Command
from domain.vocabulary import BulkPolicy
from execution.markers import cost
from resolvers.operation import BulkRow, WriteOperation, check_rows
from schema.changes import Success
from schema.classes import class_of, plain_field
from schema.context import GraphQLContext, Info
from schema.inputs import input_of, sent_members
from schema.problems import member_of, problem_types

MAX_ROW_VIOLATIONS = 10
"""How many violations of a row are named: of a hundred bad rows nobody reads more."""

DryRun = Annotated[
    bool,
    strawberry.argument(
        description=(
            "Judge everything and say what would change, but change nothing: the answer is that of a real run,"
            " except that what it shows is not stored. No Idempotency-Key is used up."
        )
    ),
]
Policy = Annotated[BulkPolicy, strawberry.argument(description="What becomes of the other rows when some are refused.")]


class Wording(NamedTuple):
    """What a form of a mutation says of itself, and of its input."""

    description: str
    input: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutation:
    """A mutation. Besides for `refusals`, any may be refused as `Forbidden` or `InvalidInput`."""

    operation: WriteOperation[Any, Any]
    asks: str
    """What its input says of itself."""
    success: type[Success]
    words: Wording
    bulk: Wording | None = None
    """Of its bulk form, if it has one."""
    refusals: tuple[type[DomainError], ...] = (NotFound,)
    versioned: str = ""
    """What it changes, if that counts its changes: the input has `if_match` then."""
    defaults: Mapping[str, Callable[[GraphQLContext], Any]] = dataclasses.field(default_factory=dict)
    """What members are that may be left out, where the caller decides it."""

    @cached_property
    def input(self) -> type:
        """The type of its input."""
        return input_of(self.operation.command, self.asks, versioned=self.versioned, optional=self.defaults)

    def parse(self, input: Any, context: GraphQLContext) -> Command:
        """The command. Raises `InvalidInput`."""
        members = sent_members(input)
        if self.defaults:
            members |= {name: default(context) for name, default in self.defaults.items() if name not in members}
        command: Command = self.operation.command.parse(members)
        return command


@strawberry.interface(description="What became of the rows of a bulk mutation.")
class Rows:
    """What all bulk mutations answer. `done` and `refused` add up to the number of rows."""

    dry_run: bool = plain_field("Whether this only shows what would be done: nothing was stored.")
    done: int = plain_field("How many rows were done.")
    refused: int = plain_field("How many rows were not.")


@strawberry.interface(name="Row", description="What became of one row of a bulk mutation.")
class RowType:
    """What is the same for every row."""

    index: int = plain_field("Its place in the input, from 0.")


def mutation_type(mutations: Iterable[Mutation], description: str) -> type:
    """The root of mutations, each in its single form and, behind it, in its bulk form."""
    fields = []
    for mutation in mutations:
        result = _result_type(mutation)
        fields.append(_single_field(mutation, result))
        if mutation.bulk is not None:
            fields.append(_bulk_field(mutation, mutation.bulk, result))
    return create_type("Mutation", fields, description=description)


def _result_type(mutation: Mutation) -> Any:
    # Its answer holds a secret, so a repetition is refused.
    again = [AlreadyExists] if mutation.operation.is_shown_once else []
    refusals = [*mutation.refusals, *again, InvalidInput, Forbidden]
    if mutation.bulk is not None:
        refusals.append(NotApplied)
    if mutation.versioned:
        refusals.append(PreconditionFailed)
    return _union(mutation.operation.name, mutation.success, refusals)


def _union(name: str, success: type, refusals: Iterable[type[DomainError]]) -> Any:
    field = to_camel_case(name)
    union = strawberry.union(f"{capitalize_first(field)}Result", description=f"What became of `{field}`.")
    return Annotated[Union[success, *problem_types(refusals)], union]


def _single_field(mutation: Mutation, result: Any) -> StrawberryField:
    input_type: Any = Annotated[mutation.input, strawberry.argument(description=mutation.words.input)]
    # Null, when something fails, does not take away what other mutations of the document have done.
    answer: Any = Optional[result]  # noqa: UP045 - of a union that has a name

    async def resolve(info: Info, input: input_type, dry_run: DryRun = False) -> answer:
        context = info.context
        # Mutations run one after the other, each under its own name in the answer.
        await context.begin_mutation(info, getattr(input, "if_match", None), dry_run=dry_run)
        try:
            change = await mutation.operation(context.operation, mutation.parse(input, context))
        except DomainError as error:
            return _refused(error, context)
        return mutation.success.of(change)

    resolve.__name__ = mutation.operation.name
    return strawberry.mutation(resolver=resolve, description=mutation.words.description)


def _bulk_field(mutation: Mutation, words: Wording, result: Any) -> StrawberryField:
    name = f"{mutation.operation.name}s"
    row_type, rows_type = _row_types(mutation.operation.name, name, result)
    input_type: Any = Annotated[list[mutation.input], strawberry.argument(description=words.input)]  # type: ignore[name-defined]
    answer: Any = Optional[_union(name, rows_type, [InvalidInput, Forbidden])]  # noqa: UP045 - as above

    async def resolve(
        info: Info, input: input_type, policy: Policy = BulkPolicy.REJECT_ALL, dry_run: DryRun = False
    ) -> answer:
        context = info.context
        await context.begin_mutation(info, None, dry_run=dry_run)
        try:
            check_rows(len(input))
            rows = [_row(mutation, item, context) for item in input]
            outcomes = await mutation.operation.in_bulk(context.operation, rows, policy)
        except DomainError as error:
            return _refused(error, context)
        refused = sum(isinstance(outcome, DomainError) for outcome in outcomes)
        return rows_type(
            dry_run=dry_run,
            done=len(outcomes) - refused,
            refused=refused,
            rows=[
                row_type(index=index, result=_shown(mutation, outcome, context, index))
                for index, outcome in enumerate(outcomes)
            ],
        )

    resolve.__name__ = name
    return strawberry.mutation(resolver=resolve, description=words.description, metadata=cost(size="input"))


def _row_types(name: str, bulk_name: str, result: Any) -> tuple[type, type]:
    """A row of a bulk form, and all of them."""
    field, bulk_field = to_camel_case(name), to_camel_case(bulk_name)
    kind = capitalize_first(field)
    answers = plain_field(f"What `{field}` would answer to it.")
    row = class_of(f"{kind}Row", {"result": result}, {"result": answers}, RowType)
    row = strawberry.type(row, description=f"What became of one row of `{bulk_field}`.")
    each = plain_field("All rows, in the order of the input.")
    rows = class_of(f"{kind}Rows", {"rows": GenericAlias(list, (row,))}, {"rows": each}, Rows)
    return row, strawberry.type(rows, description=f"What became of each row of `{bulk_field}`.")


def _row(mutation: Mutation, input: Any, context: GraphQLContext) -> BulkRow[Command]:
    command: Command | InvalidInput
    try:
        command = mutation.parse(input, context)
    except InvalidInput as refusal:
        command = InvalidInput(refusal.violations[:MAX_ROW_VIOLATIONS])
    version = getattr(input, "if_match", None)
    return BulkRow(command, None if version is None else Expected(version=version))


def _shown(mutation: Mutation, outcome: Change[Any, Any] | DomainError, context: GraphQLContext, index: int) -> Any:
    """What became of a row, as the single form shows it."""
    if isinstance(outcome, DomainError):
        return member_of(outcome, context, "input", str(index))
    return mutation.success.of(outcome)


def _refused(error: DomainError, context: GraphQLContext) -> Any:
    """A refusal as a member of the result union. Raises it where there is none."""
    member = member_of(error, context, "input")
    if member is None:
        raise error
    return member
