"""Saved views in GraphQL: what they are, and the pages of their lists."""

from collections.abc import Callable
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from domain import views as commands
from domain.errors import AlreadyExists, NotFound
from domain.short_id import parse_short_id
from domain.vocabulary import ViewKind
from execution.markers import cost
from resolvers import views
from resolvers.listed import LISTS
from schema.changes import success_type
from schema.connections import Connection, ListRequest, connection, windowed
from schema.context import Info
from schema.keys import OrganizationId, of_organization, own_organization
from schema.mutations import Mutation, Wording
from schema.objects import CertificationAssignmentType, ClaimAssignmentType, ProductType
from schema.records import record_type, shown
from schema.times import IN_TIME, in_time


def _pages(kind: ViewKind, of: type, words: str) -> StrawberryField:
    """The pages of the list of a view of that kind."""
    answer: Any = Connection[of] | None  # type: ignore[valid-type]

    @in_time
    @windowed
    async def resolve(root: Any, info: Info, asked: Callable[..., Any]) -> answer:
        view: commands.SavedView = shown(root)
        if view.kind is not kind:
            return None
        operation, listed = info.context.operation, LISTS[kind]
        request: ListRequest = await asked(commands.conditions_of(view, operation.today), commands.order_of(view))
        page = await listed.page(operation, request.where, request.order, request.window)
        return connection(page, request, lambda: listed.total(operation, request.where))

    told = f"{words}; null for a view of another kind."
    return strawberry.field(resolver=resolve, description=told, metadata=IN_TIME)


@record_type(commands.SavedView, description="A list of an organisation under a name.")
class SavedViewType:
    """An addition of ours."""

    products = _pages(ViewKind.PRODUCTS, ProductType, "The products that it is a list of")
    certifications = _pages(
        ViewKind.CERTIFICATIONS, CertificationAssignmentType, "The certifications of products that it is a list of"
    )
    claims = _pages(ViewKind.CLAIMS, ClaimAssignmentType, "The claims of products that it is a list of")

    @strawberry.field(description="Why its list cannot be shown any more; null while it can be.")
    def problem(self, info: Info) -> str | None:
        """What no longer parses."""
        return commands.problem_of(shown(self), info.context.operation.today)


@strawberry.type
class ViewQueries:
    """The root fields about saved views."""

    @strawberry.field(description="One saved view; null when no organisation of yours has it.")
    async def view(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> SavedViewType | None:
        """A view by its id."""
        return shown(await views.view_if_any(info.context.operation, parse_short_id(id)))

    @strawberry.field(
        description="The saved views of an organisation of yours, by name.", metadata=cost(size=commands.MAX_VIEWS)
    )
    async def views(self, info: Info, organization_id: OrganizationId = None) -> list[SavedViewType] | None:
        """All of them."""
        command = of_organization(commands.ListViews, info.context, organization_id)
        return shown(await views.list_views(info.context.operation, command))


MUTATIONS = [
    Mutation(
        operation=views.create_view,
        asks="A list under a name.",
        defaults={"organization_id": own_organization},
        success=success_type("ViewCreated", "The view was saved.", "view", SavedViewType, "The new view."),
        refusals=(NotFound, AlreadyExists),
        words=Wording(
            "Saves a view: a list of an organisation whose editor or manager you are, under a name.", "The view."
        ),
    ),
    Mutation(
        operation=views.patch_view,
        asks="Which view to change, and how. A view cannot become a list of something else.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "ViewPatched", "The view is as asked for.", "view", SavedViewType, "The view after the change."
        ),
        refusals=(NotFound, AlreadyExists),
        words=Wording(
            "Changes a saved view of an organisation whose editor or manager you are.", "Which view, and what changes."
        ),
    ),
    Mutation(
        operation=views.remove_view,
        asks="Which view to remove.",
        defaults={"organization_id": own_organization},
        success=success_type(
            "ViewRemoved", "The view is gone; nothing else is.", "removed", SavedViewType, "The view as it was."
        ),
        words=Wording(
            "Removes a saved view of an organisation whose editor or manager you are, and nothing that its list shows.",
            "Which view.",
        ),
    ),
]
