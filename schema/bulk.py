"""Bulk forms of the mutations of assignments: up to 100 rows at once, each with its own result."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import strawberry

from domain.changes import Change
from domain.commands import (
    AssignCertification,
    AssignClaim,
    PatchCertificationAssignment,
    PatchClaimAssignment,
    RemoveCertification,
    RemoveClaim,
)
from domain.errors import DomainError, InvalidInput
from domain.preconditions import Expected
from domain.validation import Command
from domain.vocabulary import BulkPolicy
from execution.markers import cost
from resolvers import certifications, claims, operation
from resolvers.operation import WriteOperation, check_rows
from schema.certifications import (
    AssignCertificationInput,
    AssignCertificationResult,
    CertificationAssigned,
    CertificationAssignmentPatched,
    CertificationRemoved,
    PatchCertificationAssignmentInput,
    PatchCertificationAssignmentResult,
    RemoveCertificationInput,
    RemoveCertificationResult,
)
from schema.claims import (
    AssignClaimInput,
    AssignClaimResult,
    ClaimAssigned,
    ClaimAssignmentPatched,
    ClaimRemoved,
    PatchClaimAssignmentInput,
    PatchClaimAssignmentResult,
    RemoveClaimInput,
    RemoveClaimResult,
)
from schema.context import Info
from schema.inputs import patch_members, sent_members
from schema.problems import ForbiddenProblem, ValidationProblem, as_mutation, member_of

MAX_ROW_VIOLATIONS = 10
"""How many violations of a row are named: of a hundred bad rows nobody reads more."""

C = TypeVar("C", bound=Command)
T = TypeVar("T")

Policy = Annotated[BulkPolicy, strawberry.argument(description="What becomes of the other rows when some are refused.")]


@strawberry.interface(description="What became of the rows of a bulk mutation.")
class Rows:
    """What all bulk mutations answer. `done` and `refused` add up to the number of rows."""

    dry_run: bool = strawberry.field(description="Whether this only shows what would be done: nothing was stored.")
    done: int = strawberry.field(description="How many rows were done.")
    refused: int = strawberry.field(description="How many rows were not.")


@strawberry.interface(name="Row", description="What became of one row of a bulk mutation.")
class RowType:
    """What is the same for every row."""

    index: int = strawberry.field(description="Its place in the input, from 0.")


@strawberry.type(description="What became of one row of `assignClaims`.")
class AssignClaimRow(RowType):
    """A row of `assignClaims`."""

    result: AssignClaimResult = strawberry.field(description="What `assignClaim` would answer to it.")


@strawberry.type(description="What became of each row of `assignClaims`.")
class AssignClaimRows(Rows):
    """Answer of `assignClaims`."""

    rows: list[AssignClaimRow] = strawberry.field(description="All rows, in the order of the input.")


AssignClaimsResult = Annotated[
    AssignClaimRows | ValidationProblem | ForbiddenProblem,
    strawberry.union("AssignClaimsResult", description="What became of `assignClaims`."),
]


@strawberry.type(description="What became of one row of `patchClaimAssignments`.")
class PatchClaimAssignmentRow(RowType):
    """A row of `patchClaimAssignments`."""

    result: PatchClaimAssignmentResult = strawberry.field(description="What `patchClaimAssignment` would answer to it.")


@strawberry.type(description="What became of each row of `patchClaimAssignments`.")
class PatchClaimAssignmentRows(Rows):
    """Answer of `patchClaimAssignments`."""

    rows: list[PatchClaimAssignmentRow] = strawberry.field(description="All rows, in the order of the input.")


PatchClaimAssignmentsResult = Annotated[
    PatchClaimAssignmentRows | ValidationProblem | ForbiddenProblem,
    strawberry.union("PatchClaimAssignmentsResult", description="What became of `patchClaimAssignments`."),
]


@strawberry.type(description="What became of one row of `removeClaims`.")
class RemoveClaimRow(RowType):
    """A row of `removeClaims`."""

    result: RemoveClaimResult = strawberry.field(description="What `removeClaim` would answer to it.")


@strawberry.type(description="What became of each row of `removeClaims`.")
class RemoveClaimRows(Rows):
    """Answer of `removeClaims`."""

    rows: list[RemoveClaimRow] = strawberry.field(description="All rows, in the order of the input.")


RemoveClaimsResult = Annotated[
    RemoveClaimRows | ValidationProblem | ForbiddenProblem,
    strawberry.union("RemoveClaimsResult", description="What became of `removeClaims`."),
]


@strawberry.type(description="What became of one row of `assignCertifications`.")
class AssignCertificationRow(RowType):
    """A row of `assignCertifications`."""

    result: AssignCertificationResult = strawberry.field(description="What `assignCertification` would answer to it.")


@strawberry.type(description="What became of each row of `assignCertifications`.")
class AssignCertificationRows(Rows):
    """Answer of `assignCertifications`."""

    rows: list[AssignCertificationRow] = strawberry.field(description="All rows, in the order of the input.")


AssignCertificationsResult = Annotated[
    AssignCertificationRows | ValidationProblem | ForbiddenProblem,
    strawberry.union("AssignCertificationsResult", description="What became of `assignCertifications`."),
]


@strawberry.type(description="What became of one row of `patchCertificationAssignments`.")
class PatchCertificationAssignmentRow(RowType):
    """A row of `patchCertificationAssignments`."""

    result: PatchCertificationAssignmentResult = strawberry.field(
        description="What `patchCertificationAssignment` would answer to it."
    )


@strawberry.type(description="What became of each row of `patchCertificationAssignments`.")
class PatchCertificationAssignmentRows(Rows):
    """Answer of `patchCertificationAssignments`."""

    rows: list[PatchCertificationAssignmentRow] = strawberry.field(description="All rows, in the order of the input.")


PatchCertificationAssignmentsResult = Annotated[
    PatchCertificationAssignmentRows | ValidationProblem | ForbiddenProblem,
    strawberry.union(
        "PatchCertificationAssignmentsResult", description="What became of `patchCertificationAssignments`."
    ),
]


@strawberry.type(description="What became of one row of `removeCertifications`.")
class RemoveCertificationRow(RowType):
    """A row of `removeCertifications`."""

    result: RemoveCertificationResult = strawberry.field(description="What `removeCertification` would answer to it.")


@strawberry.type(description="What became of each row of `removeCertifications`.")
class RemoveCertificationRows(Rows):
    """Answer of `removeCertifications`."""

    rows: list[RemoveCertificationRow] = strawberry.field(description="All rows, in the order of the input.")


RemoveCertificationsResult = Annotated[
    RemoveCertificationRows | ValidationProblem | ForbiddenProblem,
    strawberry.union("RemoveCertificationsResult", description="What became of `removeCertifications`."),
]


async def _in_bulk(
    info: Info,
    input: list[Any],
    policy: BulkPolicy,
    parse: Callable[[Any], C],
    write: WriteOperation[C, Any],
    success: Callable[[Change[Any, Any]], Any],
    rows: Callable[..., T],
    row: Callable[..., Any],
) -> T:
    """Does each row of the input, and shows what became of it as the single form shows it."""
    check_rows(len(input))
    outcomes = await write.in_bulk(info.context.operation, [_row(item, parse) for item in input], policy)
    results: list[Any] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, DomainError):
            results.append(member_of(outcome, info.context, "input", str(index)))
        else:
            results.append(success(outcome))
    refused = sum(isinstance(outcome, DomainError) for outcome in outcomes)
    return rows(
        dry_run=info.context.operation.dry_run,
        done=len(outcomes) - refused,
        refused=refused,
        rows=[row(index=index, result=result) for index, result in enumerate(results)],
    )


def _row(input: Any, parse: Callable[[Any], C]) -> operation.BulkRow[C]:
    command: C | InvalidInput
    try:
        command = parse(input)
    except InvalidInput as refusal:
        command = InvalidInput(refusal.violations[:MAX_ROW_VIOLATIONS])
    version = getattr(input, "if_match", None)
    return operation.BulkRow(command, None if version is None else Expected(version=version))


@strawberry.type
class BulkMutations:
    """The root fields that change many assignments at once."""

    @strawberry.mutation(
        description="Puts claims on products that your organisation owns.", metadata=cost(size="input")
    )
    @as_mutation
    async def assign_claims(
        self,
        info: Info,
        input: Annotated[
            list[AssignClaimInput], strawberry.argument(description="Which claims on which products; at most 100 rows.")
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> AssignClaimsResult:
        """`assignClaim` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: AssignClaim.parse(sent_members(row)),
            claims.assign_claim,
            ClaimAssigned.of,
            AssignClaimRows,
            AssignClaimRow,
        )

    @strawberry.mutation(
        description="Changes what is recorded about claims that your products make.", metadata=cost(size="input")
    )
    @as_mutation
    async def patch_claim_assignments(
        self,
        info: Info,
        input: Annotated[
            list[PatchClaimAssignmentInput],
            strawberry.argument(description="Which assignments, and what changes; at most 100 rows."),
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> PatchClaimAssignmentsResult:
        """`patchClaimAssignment` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: PatchClaimAssignment.parse(patch_members(row)),
            claims.patch_claim_assignment,
            ClaimAssignmentPatched.of,
            PatchClaimAssignmentRows,
            PatchClaimAssignmentRow,
        )

    @strawberry.mutation(
        description="Takes claims off products that your organisation owns.", metadata=cost(size="input")
    )
    @as_mutation
    async def remove_claims(
        self,
        info: Info,
        input: Annotated[
            list[RemoveClaimInput], strawberry.argument(description="Which claims of which products; at most 100 rows.")
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> RemoveClaimsResult:
        """`removeClaim` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: RemoveClaim.parse(sent_members(row)),
            claims.remove_claim,
            ClaimRemoved.of,
            RemoveClaimRows,
            RemoveClaimRow,
        )

    @strawberry.mutation(
        description="Puts certifications on products that your organisation owns.", metadata=cost(size="input")
    )
    @as_mutation
    async def assign_certifications(
        self,
        info: Info,
        input: Annotated[
            list[AssignCertificationInput],
            strawberry.argument(description="Which certifications on which products; at most 100 rows."),
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> AssignCertificationsResult:
        """`assignCertification` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: AssignCertification.parse(sent_members(row)),
            certifications.assign_certification,
            CertificationAssigned.of,
            AssignCertificationRows,
            AssignCertificationRow,
        )

    @strawberry.mutation(
        description="Changes what is recorded about certifications that your products hold.",
        metadata=cost(size="input"),
    )
    @as_mutation
    async def patch_certification_assignments(
        self,
        info: Info,
        input: Annotated[
            list[PatchCertificationAssignmentInput],
            strawberry.argument(description="Which assignments, and what changes; at most 100 rows."),
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> PatchCertificationAssignmentsResult:
        """`patchCertificationAssignment` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: PatchCertificationAssignment.parse(patch_members(row)),
            certifications.patch_certification_assignment,
            CertificationAssignmentPatched.of,
            PatchCertificationAssignmentRows,
            PatchCertificationAssignmentRow,
        )

    @strawberry.mutation(
        description="Takes certifications off products that your organisation owns.", metadata=cost(size="input")
    )
    @as_mutation
    async def remove_certifications(
        self,
        info: Info,
        input: Annotated[
            list[RemoveCertificationInput],
            strawberry.argument(description="Which certifications of which products; at most 100 rows."),
        ],
        policy: Policy = BulkPolicy.REJECT_ALL,
    ) -> RemoveCertificationsResult:
        """`removeCertification` for many."""
        return await _in_bulk(
            info,
            input,
            policy,
            lambda row: RemoveCertification.parse(sent_members(row)),
            certifications.remove_certification,
            CertificationRemoved.of,
            RemoveCertificationRows,
            RemoveCertificationRow,
        )
