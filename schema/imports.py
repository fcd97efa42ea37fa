"""Imports of files in GraphQL: how far they are, and what became of their rows. Files themselves come by REST."""

from typing import Annotated

import strawberry

from domain.importing import Import
from domain.short_id import parse_short_id
from execution.markers import cost
from resolvers import imports
from schema.context import Info
from schema.records import record_type, shown
from schema.scalars import Json


@record_type(Import, description="A file that is put in, or was.")
class ImportType:
    """An import as GraphQL shows it."""

    columns: Json
    map: Json
    counts: Json

    @strawberry.field(description="How many rows made something.")
    def made(self) -> int:
        """Of rows."""
        return _rows(self, "made")

    @strawberry.field(description="How many rows changed something and made nothing.")
    def changed(self) -> int:
        """Of rows."""
        return _rows(self, "changed")

    @strawberry.field(description="How many rows said what is there already.")
    def left(self) -> int:
        """Of rows."""
        return _rows(self, "left")

    @strawberry.field(description="How many rows were refused.")
    def refused(self) -> int:
        """Of rows."""
        return _rows(self, "refused")

    @strawberry.field(description="How many seconds it may still take; null while that cannot be told, and at its end.")
    def remaining_seconds(self, info: Info) -> int | None:
        """By how long it took so far."""
        found: Import = shown(self)
        return found.remaining_seconds(info.context.operation.now)


def _rows(found: ImportType, outcome: str) -> int:
    counted: Import = shown(found)
    return counted.counts.get("rows", {}).get(outcome, 0)


@strawberry.type
class ImportQueries:
    """The root fields about imports."""

    @strawberry.field(name="import", description="One import of your organisation; null when there is none.")
    async def one_import(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")]
    ) -> ImportType | None:
        """An import by its id."""
        return shown(await imports.import_if_any(info.context.operation, parse_short_id(id)))

    @strawberry.field(
        description="The newest hundred imports of your organisation, the newest first.",
        metadata=cost(size=imports.MOST),
    )
    async def imports(self, info: Info) -> list[ImportType] | None:
        """They are few."""
        return shown(await imports.latest_imports(info.context.operation))
