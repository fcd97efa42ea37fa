"""Anything by its id, as Relay and other caches of clients ask for it again."""

from typing import Annotated

import strawberry

from domain.errors import InvalidInput
from domain.short_id import ShortId, parse_short_id
from execution.markers import cost
from resolvers import nodes
from schema.context import Info
from schema.records import shown


@strawberry.interface(description="Anything that has an id of its own, by which it can be read again.")
class Node:
    """As in the Relay specification of object identification."""

    id: strawberry.ID = strawberry.field(description="Its id, 22 characters; nothing else has the same.")


@strawberry.type
class NodeQueries:
    """The root fields that find anything."""

    @strawberry.field(description="Whatever has this id; null when nothing has that you may see.")
    async def node(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The id of anything.")]
    ) -> Node | None:
        """One object."""
        return shown((await nodes.nodes_of_ids(info.context.operation, [parse_short_id(id)]))[0])

    @strawberry.field(
        description=(
            "Whatever has each of these ids, in their order; null in the place of an id that nothing has that you may"
            " see. In the place of what cannot be an id stands null as well, and `errors` names it."
        ),
        metadata=cost(size="ids"),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of anything, at most 100.")],
    ) -> list[Node | None] | None:
        """Several objects."""
        nodes.check_number_of_ids(len(ids))
        places = [_read(id, index) for index, id in enumerate(ids)]
        wanted = [place for place in places if not isinstance(place, InvalidInput)]
        found = dict(zip(wanted, await nodes.nodes_of_ids(info.context.operation, wanted), strict=True))
        # An error in the place of an item fails that item alone.
        return shown([place if isinstance(place, InvalidInput) else found[place] for place in places])


def _read(id: str, index: int) -> ShortId | InvalidInput:
    try:
        return parse_short_id(id)
    except InvalidInput as error:
        return InvalidInput([violation._replace(path=("ids", index)) for violation in error.violations])
