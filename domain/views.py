"""Saved views: a list of an organisation under a name, with what narrows it down and what it is ordered by."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar

import msgspec
from pydantic import Field, WithJsonSchema

from domain import patch
from domain.errors import InvalidInput, Violation
from domain.filter_input import Path, read_where
from domain.filters import Where
from domain.lists import CERTIFICATION_ASSIGNMENTS, CLAIM_ASSIGNMENTS, PRODUCTS, List
from domain.members import given, given_to, kept
from domain.paging import Order
from domain.people import Within
from domain.record_commands import PatchCommand, RecordCommand, changes
from domain.records import Id, Record
from domain.short_id import ShortId, ShortIdField
from domain.text import fold
from domain.validation import JSON_TEXT, Command, Moment, Text, Text50
from domain.vocabulary import ViewKind

MAX_VIEWS = 100
"""How many views an organisation may have."""

LIST_OF: Mapping[ViewKind, List] = {
    ViewKind.PRODUCTS: PRODUCTS,
    ViewKind.CERTIFICATIONS: CERTIFICATION_ASSIGNMENTS,
    ViewKind.CLAIMS: CLAIM_ASSIGNMENTS,
}
"""What each kind is a list of."""

_Name = Annotated[Text, Field(min_length=1, max_length=255)]
_Where = Annotated[Text, Field(max_length=4_000), WithJsonSchema(JSON_TEXT)]


class SavedView(Record, frozen=True):
    """A named list. `where` stays as it was sent, so that days from today on are counted from each day anew."""

    id: Id
    organization_id: Annotated[ShortId, kept("The id of the organisation that it is of")]
    name: Annotated[
        _Name, given("Its name, which no other view of the organisation has", example="Organic, lapsing soon")
    ]
    kind: Annotated[ViewKind, given("What it is a list of", example="certifications", patchable=False)]
    where: Annotated[
        _Where,
        given(
            "Which of them: the `where` of the list in GraphQL as a JSON text, as exports take it; `{}` for all",
            example='{"lapsesWithin": {"days": 90}}',
        ),
    ]
    ordering: Annotated[
        Text50,
        given(
            "By which member to sort, with a hyphen before it the other way round",
            none="for the usual order, by GTIN",
            rule="one of those by which the list is ordered in GraphQL, however that is spelled",
            example="lapses_on",
        ),
    ]
    created_at: Annotated[datetime, kept("When it was saved first", example="2026-03-31T12:00:00+00:00")]
    updated_at: Annotated[datetime, kept("When it last changed", example="2026-03-31T12:00:00+00:00")]

    @property
    def of(self) -> List:
        """The list that it is of."""
        return LIST_OF[self.kind]


def conditions_of(view: SavedView, today: date, path: Path = ("view", "where")) -> Where:
    """What narrows the list of a view down on a day. Raises `InvalidInput` where that does not parse (any more)."""
    return read_where(view.of.fields, view.where, today, path)


def order_of(view: SavedView, path: Path = ("view", "ordering")) -> Order:
    """The order of the list of a view. Raises `InvalidInput` for one that there is not (any more)."""
    return order_by(view.of, view.ordering, path)


def order_by(of: List, ordering: str, path: Path = ("ordering",)) -> Order:
    """The order of a list by a member, with a hyphen before it the other way round; an empty text is the usual one.

    Raises `InvalidInput` for one that there is not.
    """
    orders, name = of.orders, _plain(ordering.removeprefix("-"))
    if not ordering:
        return orders.usual
    found = next((field for field in orders.fields if _plain(field.name) == name), None)
    if found is None:
        known = ", ".join(field.name.lower() for field in orders.fields)
        message = f"Input should be one of {known}, with a hyphen before it for the other direction"
        raise InvalidInput([Violation(path, message, "enum")])
    return orders.by(found, descending=ordering.startswith("-"))


def _plain(name: str) -> str:
    return fold(name).replace("_", "")


def check(view: SavedView, today: date) -> None:
    """Raises `InvalidInput` that names what of a view's list does not parse, as its command calls it."""
    wrong: list[Violation] = []
    for judge in (lambda: conditions_of(view, today, ("where",)), lambda: order_of(view, ("ordering",))):
        try:
            judge()
        except InvalidInput as error:
            wrong += error.violations
    if wrong:
        raise InvalidInput(wrong)


def problem_of(view: SavedView, today: date) -> str | None:
    """Why the list of a stored view cannot be shown, which was possible when it was saved; None while it can be."""
    try:
        check(view, today)
    except InvalidInput as error:
        return error.detail
    return None


ViewId = Annotated[ShortIdField, Field(description="The id of the view.")]


class ListViews(Command):
    """The views of an organisation."""

    organization_id: ShortIdField


class GetView(Command):
    """One view."""

    organization_id: Within
    view_id: ViewId


class CreateView(RecordCommand):
    """Save a view."""

    given: ClassVar = {member.name: member for member in given_to(SavedView)}

    organization_id: Within
    name: _Name
    kind: ViewKind
    where: _Where = "{}"
    ordering: Text50 = ""


class RestoreView(CreateView):
    """Save a view that was exported, as it was."""

    view_id: ViewId
    created_at: Moment
    updated_at: Moment


def restoring(view: SavedView) -> RestoreView:
    """What saves a view as it was. Raises `InvalidInput` for one that cannot have been."""
    return RestoreView.parse({**msgspec.structs.asdict(view), "view_id": view.id})


@changes(SavedView, null=patch.UNCHANGED)
class PatchView(PatchCommand):
    """Change a view, but not what it is a list of."""

    organization_id: Within
    view_id: ViewId


class RemoveView(Command):
    """Remove a view."""

    organization_id: Within
    view_id: ViewId
