"""What mutations that succeed have in common: they say what they changed, or would change."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import strawberry
from strawberry.utils.str_converters import to_camel_case

from domain.changes import Change, FieldChange, differences
from schema.classes import class_of, plain_field
from schema.scalars import Json, as_json


@strawberry.type(name="FieldChange", description="One member that was changed, or one key of the metadata.")
class FieldChangeType:
    """A difference as GraphQL shows it."""

    path: list[str] = strawberry.field(
        description="The way to it in the changed object, for example `[scope]` or `[metadata, order_id]`."
    )
    before: Json | None = strawberry.field(description="What it was; null when there was nothing.")
    after: Json | None = strawberry.field(description="What it became; null when there is nothing any more.")


def shown_differences(differences: Iterable[FieldChange]) -> list[FieldChangeType]:
    """Differences as GraphQL shows them."""
    return [
        FieldChangeType(
            path=[to_camel_case(found.path[0]), *found.path[1:]],
            before=as_json(found.before),
            after=as_json(found.after),
        )
        for found in differences
    ]


@strawberry.interface(description="What a mutation did or, on a dry run, would do.")
class Success:
    """What every mutation answers that was not refused. `change` is what its operation answered."""

    change: strawberry.Private[Change[Any, Any]]
    shows: ClassVar[str]
    """The field that shows the changed object as it is now, or as it was if it is gone."""

    @classmethod
    def of(cls, change: Change[Any, Any]) -> Self:
        """What the operation answered."""
        record = change.before if change.after is None else change.after
        return cls(**{"change": change, cls.shows: record})

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
        return shown_differences(differences(self.change.before, self.change.after))


class ShownOnce:
    """The success of what makes a record and a secret, which is only told where it was made, and in no change."""

    shows: ClassVar[str]
    tells: ClassVar[tuple[str, str]]
    """The field of the secret, and the member of what was made that has it."""

    @classmethod
    def of(cls: Any, change: Change[Any, Any]) -> Any:
        """What the operation answered, without the secret on a dry run: it leads nowhere."""
        made, (field, member) = change.after, cls.tells
        secret = None if change.dry_run else getattr(made, member)
        stored = Change(change.before, made.entry, dry_run=change.dry_run)
        return cls(**{"change": stored, cls.shows: made.entry, field: secret})


def success_type(name: str, description: str, shows: str, shown: type, words: str, **others: Any) -> type[Success]:
    """The success of a mutation: its field `shows` is the changed object, `others` are more fields."""
    members = {"shows": shows, shows: plain_field(words), **others}
    made: type[Success] = class_of(name, {shows: shown}, members, Success)
    return strawberry.type(made, description=description)
