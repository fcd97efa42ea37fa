"""What mutations that succeed have in common: they say what they changed, or would change."""

from typing import Any

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.changes import Change, differences
from schema.scalars import Json, as_json


@strawberry.type(name="FieldChange", description="One member that a mutation changed, or one key of the metadata.")
class FieldChangeType:
    """A difference as GraphQL shows it."""

    path: list[str] = strawberry.field(
        description="The way to it in the changed object, for example `[scope]` or `[metadata, order_id]`."
    )
    before: Json | None = strawberry.field(description="What it was; null when there was nothing.")
    after: Json | None = strawberry.field(description="What it is now; null when there is nothing any more.")


@strawberry.interface(description="What a mutation did or, on a dry run, would do.")
class Success:
    """What every mutation answers that was not refused. `change` is what its operation answered."""

    change: strawberry.Private[Change[Any, Any]]

    @strawberry.field(description="Whether this only shows what would be done: nothing was stored.")
    def dry_run(self) -> bool:
        """Whether it was rolled back."""
        return self.change.dry_run

    @strawberry.field(
        description=(
            "What became of each member, as far as it changed; empty when everything was as asked for already."
            " Of an object that was made or removed, the members that are not empty."
        )
    )
    def changes(self) -> list[FieldChangeType]:
        """The differences, which are only looked for when they are asked for."""
        return [
            FieldChangeType(
                path=[to_camel_case(found.path[0]), *found.path[1:]],
                before=as_json(found.before),
                after=as_json(found.after),
            )
            for found in differences(self.change.before, self.change.after)
        ]
