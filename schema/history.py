"""The history of products and of what they have."""

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from domain import history, vocabulary
from domain.filters import EVERYTHING
from domain.paging import DEFAULT_PAGE, check_window
from execution.markers import cost
from resolvers import feed, past
from resolvers.verification import verify_history
from schema.changes import FieldChangeType, shown_differences
from schema.connections import Connection, ListRequest, connection, windowed
from schema.context import Info
from schema.keys import OrganizationId, of_organization
from schema.records import record_type, shown


@record_type(history.PastChange, description="One change of something, as the log of changes tells of it.")
class PastChangeType:
    """An addition of ours."""

    @strawberry.field(
        description=(
            "What became of each member, as far as it changed; what was made or removed has all that is not empty."
        ),
        # They are read with it.
        metadata=cost(weight=0, size=1),
    )
    def changes(self) -> list[FieldChangeType]:
        """The differences."""
        return shown_differences(shown(self).changes)


_Whole = Annotated[
    bool,
    strawberry.argument(description="Whether also of what the product holds and claims, and of what was taken off it."),
]


async def _page(root: Any, info: Info, asked: Callable[..., Any], *, whole: bool = False) -> Any:
    of, operation = past.subject(shown(root), whole=whole), info.context.operation
    request: ListRequest = await asked(EVERYTHING, history.ORDER)
    return connection(await past.page(operation, of, request.window), request, lambda: past.count(operation, of))


def history_field(words: str) -> StrawberryField:
    """The changes of one object, the latest first."""

    @windowed
    async def resolve(root: Any, info: Info, asked: Callable[..., Any]) -> Connection[PastChangeType] | None:
        return await _page(root, info, asked)

    return strawberry.field(resolver=resolve, description=words)


def history_of_product(words: str) -> StrawberryField:
    """The same of a product, or of it with all that it has."""

    @windowed
    async def resolve(
        root: Any, info: Info, asked: Callable[..., Any], whole: _Whole = False
    ) -> Connection[PastChangeType] | None:
        return await _page(root, info, asked, whole=whole)

    return strawberry.field(resolver=resolve, description=words)


@strawberry.type(description="What became of what your organisations own, and what goes on behind it.")
class ChangeFeed:
    """As REST has it."""

    nodes: list[PastChangeType] = strawberry.field(description="The changes, the earliest first.")
    next: str = strawberry.field(
        description="What `after` takes to go on behind these: opaque, never invalid, and never null."
    )

    @strawberry.field(
        description="The last day (UTC) of which all is told that it brought: `becameActive`, `lapsing` and `lapsed`;"
        " null before the first."
    )
    async def days_until(self, info: Info) -> date | None:
        """Whoever counts on days being told of sees how far that is."""
        return await feed.told_until(info.context.operation)


@record_type(history.Verification, description="What was found where a part of the log of changes was looked at.")
class VerificationType:
    """An addition of ours."""


_Kind = Annotated[
    vocabulary.ObjectKind | None,
    strawberry.argument(
        description="Only those of what is of that kind; all but products and what they have if left out."
    ),
]


@windowed
async def _of_organization(
    root: Any,
    info: Info,
    asked: Callable[..., Any],
    organization_id: OrganizationId = None,
    kind: _Kind = None,
) -> Connection[PastChangeType] | None:
    named: dict[str, Any] = {} if kind is None else {"kind": kind}
    command = of_organization(history.ListOrganizationHistory, info.context, organization_id, **named)
    of, operation = (command.organization_id, command.kind), info.context.operation
    request: ListRequest = await asked(EVERYTHING, history.ORDER)
    found = await past.page_of_organization(operation, *of, request.window)
    answer: Any = connection(found, request, lambda: past.count_of_organization(operation, *of))
    return answer


@strawberry.type
class ChangeQueries:
    """The root fields about all changes."""

    history: Connection[PastChangeType] | None = strawberry.field(
        resolver=_of_organization,
        description="The changes of what an organisation whose manager you are has besides products (keys, members,"
        " views, acknowledgements, its own certifications) and of all definitions, the latest first.",
    )

    @strawberry.field(
        description="Whether a part of the log of changes is as it was sealed, and what is stored as it tells: for a"
        " manager. Go on with `after` as long as `next` is not null; what others own is not named."
    )
    async def verification(
        self,
        info: Info,
        organization_id: OrganizationId = None,
        after: Annotated[
            str | None, strawberry.argument(description="Look on behind this `next` of an earlier answer.")
        ] = None,
    ) -> VerificationType | None:
        """The same as REST's."""
        command = of_organization(history.VerifyHistory, info.context, organization_id, since=after)
        return shown(await verify_history(info.context.operation, command, "after"))

    @strawberry.field(
        description="What became of the products of your organisations and of what they hold and claim, the earliest"
        " first: each change once, whatever is written meanwhile, about a second after it was made. A publishable key"
        " sees none."
    )
    async def changes(
        self,
        info: Info,
        first: Annotated[
            int | None, strawberry.argument(description=f"How many, 1 to 100; {DEFAULT_PAGE} if left out.")
        ] = None,
        after: Annotated[
            str | None, strawberry.argument(description="Continue behind this `next` of an earlier answer.")
        ] = None,
    ) -> ChangeFeed | None:
        """The same as REST's, without waiting."""
        size, _ = check_window(first, after, None, None)
        found = await feed.changes_behind(info.context.operation, "after", after, size)
        answer: Any = ChangeFeed(nodes=shown(found.changes), next=found.next)
        return answer
