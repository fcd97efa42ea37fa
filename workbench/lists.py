"""The lists: filtered by what the address says, in pages, with the columns that were chosen."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from domain.certificates import stands
from domain.cursors import cursor_at, read_cursor
from domain.errors import AlreadyExists, InvalidInput
from domain.filters import EVERYTHING, every
from domain.paging import Order, Page, Window
from domain.records import CertificationAssignment, ClaimAssignment, Product
from domain.short_id import is_short_id
from domain.text import fold, folded
from domain.validity import standing
from domain.views import CreateView, ListViews, SavedView, order_by, problem_of
from domain.vocabulary import Standing, ViewKind
from resolvers import acknowledgements, bodies, calendars, certifications, claims, views
from resolvers.cursors import cursor_secret
from resolvers.definitions import DefinitionKind, definitions_that_match
from resolvers.listed import LISTS
from resolvers.operation import Context
from workbench.bulk import CHANGED
from workbench.filters import FIELDS, WHOSE, Filtered, read, said_of, told
from workbench.forms import FilledForm, FormMember, read_form, refused_form
from workbench.parts import Choice
from workbench.rendering import below, moved, page
from workbench.texts import catalogue, text

NAMES: Mapping[str, ViewKind] = {
    "certificates": ViewKind.CERTIFICATIONS,
    "claims": ViewKind.CLAIMS,
    "products": ViewKind.PRODUCTS,
}
"""What each list is called in the address."""

PAGE = 50


class ListColumns(NamedTuple):
    """What a list can show of each row, in this order."""

    every: tuple[str, ...]
    usual: tuple[str, ...]
    orders: Mapping[str, str]
    """Column -> the order that it stands for."""
    order: str
    """The one that is used unless the address says otherwise."""


_ORDERS = {"gtin": "gtin", "lapses_on": "lapses_on", "valid_from": "valid_from", "updated_at": "updated_at"}

COLUMNS: Mapping[ViewKind, ListColumns] = {
    ViewKind.CERTIFICATIONS: ListColumns(
        (
            *("product", "gtin", "brand", "certification", "body", "certificate_number", "issuing_body"),
            *("status", "standing", "valid_from", "lapses_on", "countries", "taken_on", "updated_at"),
        ),
        ("product", "certification", "certificate_number", "status", "standing", "lapses_on", "taken_on"),
        {**_ORDERS, "issuing_body": "issuing_body"},
        "lapses_on",
    ),
    ViewKind.CLAIMS: ListColumns(
        (
            *("product", "gtin", "brand", "claim", "category", "source", "evidence"),
            *("standing", "valid_from", "lapses_on", "taken_on", "updated_at"),
        ),
        ("product", "claim", "source", "evidence", "standing", "lapses_on", "taken_on"),
        _ORDERS,
        "lapses_on",
    ),
    ViewKind.PRODUCTS: ListColumns(
        ("product", "gtin", "brand", "country_of_origin", "net_content", "data_source", "updated_at"),
        ("product", "gtin", "brand", "country_of_origin", "updated_at"),
        {"product": "name", "gtin": "gtin", "brand": "brand", "updated_at": "updated_at"},
        "name",
    ),
}


class ListRow(NamedTuple):
    """One row: the product, and of assignments what it holds or claims."""

    product: Product | None
    gtin: str
    of: Any
    standing: Standing | None = None
    taken_on: Any = None


class ListPart(NamedTuple):
    """A page of a list, and the cursors of those around it."""

    rows: Sequence[ListRow]
    before: str | None
    after: str | None
    total: int | None
    """None where it was not counted, and the list does not end here."""


def listing(name: str) -> Callable[[Request], Awaitable[Response]]:
    """The page of the list of that name."""

    async def answer(request: Request) -> Response:
        return await _listed(request, name, FilledForm({}))

    return answer


async def _listed(request: Request, name: str, saving: FilledForm) -> Response:
    """The list of that name as the address has it, with the form that saves it as a view."""
    kind = NAMES[name]
    context: Context = request.state.context
    typed = request.query_params
    filtered = read(kind, LISTS[kind].of, typed, context.today)
    own = [view for view in await _views(context) if view.kind is kind]
    view = next((each for each in own if each.id == typed.get("view")), None)
    ordering = typed.get("order") or (view.ordering if view is not None else "") or COLUMNS[kind].order
    columns = _columns(COLUMNS[kind], typed.getlist("column"))
    known = await choices(context, [field.name for field in FIELDS[kind]])
    shown, wrong = None, filtered.wrong | _unknown(filtered.values, known)
    if not wrong:
        try:
            shown = await _shown(context, kind, filtered, typed, order_by(LISTS[kind].of, ordering))
        except InvalidInput as error:
            places = {each.path[0] for each in error.violations if each.path}
            wrong["page" if places & {"after", "before"} else "order"] = said_of(error)
    return page(
        request,
        "list.html",
        only_total=request.headers.get("hx-target") == "total",
        status=400 if wrong else saving.status,
        name=name,
        kind=kind,
        fields=FIELDS[kind],
        choices=known,
        values=defaultdict(str, filtered.values),
        text=filtered.text if view is None else _with_view(filtered, view),
        wrong=defaultdict(str, wrong),
        view=view,
        told=filter_in_words(view, known, context.today) if view is not None else [],
        views=own,
        ordering=ordering,
        columns=columns,
        every_column=COLUMNS[kind],
        bulk=CHANGED[kind],
        shown=shown,
        address=_address(below(request, f"/app/{name}"), typed, filtered),
        saving=saving,
    )


def saving(name: str) -> Callable[[Request], Awaitable[Response]]:
    """What saves the list of that name, as its address has it, as a view of the organisation."""
    kind = NAMES[name]

    async def answer(request: Request) -> Response:
        context: Context = request.state.context
        entered = await read_form(request)
        asked = {
            "organization_id": context.caller.organization.id,
            "name": entered.one("name"),
            "kind": kind.value,
            "where": entered.one("where") or "{}",
            "ordering": entered.one("order"),
        }
        try:
            saved = await views.create_view(context, CreateView.parse(asked))
        except (AlreadyExists, InvalidInput) as error:
            form = refused_form({"name": entered.one("name")}, error, [FormMember("name", "text")])
            return await _listed(request, name, form)
        return moved(request, f"/app/{name}?view={saved.after.id}")

    return answer


def filter_in_words(view: SavedView, known: Mapping[str, Sequence[Choice]], today: date) -> list[tuple[str, Any]]:
    """What a view shows, field by field as the list asks for it; as JSON only what no field asks for."""
    if problem_of(view, today) is not None:
        return [(text("fields.where"), view.where)]
    found, left = told(view.kind, view.where)
    words: list[tuple[str, Any]] = []
    for field, value in found:
        shown: Any = dict(known.get(field.name, ())).get(value, value)
        if field.kind == "number":
            shown = text("list.days", count=int(value))
        elif field.kind == "day":
            shown = date.fromisoformat(value[:10])
        elif f"choices.{field.name}.{value.lower()}" in catalogue():
            shown = text(f"choices.{field.name}.{value.lower()}")
        words.append((text(f"fields.{field.name}"), shown))
    return words + [(text("fields.where"), msgspec.json.encode(each).decode()) for each in left]


async def _views(context: Context) -> list[SavedView]:
    return await views.list_views(context, ListViews(organization_id=context.caller.organization.id))


def _with_view(filtered: Filtered, view: SavedView) -> str:
    """The filter of a view, and what narrows it down further."""
    return view.where if filtered.text == "{}" else f'{{"and":[{view.where},{filtered.text}]}}'


def _columns(known: ListColumns, chosen: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in known.every if name in chosen) or known.usual


def _address(path: str, typed: Any, filtered: Filtered) -> Callable[..., str]:
    """What makes an address of the list at a path like this one with some of it changed, from the first page on."""
    kept = {name: value for name, value in filtered.values.items() if (name, value) != (WHOSE, "mine")}
    if "view" in typed:
        kept["view"] = typed["view"]
    if "order" in typed:
        kept["order"] = typed["order"]

    def address(**changes: str) -> str:
        members = {**kept, **changes}
        pairs = [(name, value) for name, value in members.items() if value]
        pairs += [("column", column) for column in typed.getlist("column")]
        return f"{path}?{urlencode(pairs)}"

    return address


async def _shown(context: Context, kind: ViewKind, filtered: Filtered, typed: Any, order: Order) -> ListPart:
    where = filtered.where
    if "view" in typed:
        where = every([where, await views.narrowed_by(context, typed["view"], kind)])
    secret = await cursor_secret(context)
    backward = "before" in typed
    member = "before" if backward else "after"
    position = read_cursor(secret, order, typed[member], member) if member in typed else None
    found: Page[Any] = await LISTS[kind].page(context, where, order, Window(PAGE, backward, position))
    continued = position is not None
    has_next, has_previous = (continued, found.more) if backward else (found.more, continued)

    def cursor(at: int) -> str:
        return cursor_at(secret, order, order.key(found.items[at]))

    total: int | None = len(found.items)
    if has_next or has_previous:
        total = await LISTS[kind].total(context, where) if "total" in typed else None
    before = cursor(0) if has_previous and found.items else None
    after = cursor(-1) if has_next and found.items else None
    return ListPart(await rows_of(context, kind, found.items), before, after, total)


async def rows_of(context: Context, kind: ViewKind, items: Sequence[Any]) -> list[ListRow]:
    """The rows of records of a list."""
    if kind is ViewKind.PRODUCTS:
        return [ListRow(product, product.gtin, product) for product in items]
    of = acknowledgements.of_certifications if kind is ViewKind.CERTIFICATIONS else acknowledgements.of_claims
    taken_on = await of(context, items)
    lapses = await calendars.with_products(context, items)
    return [
        ListRow(lapse.product, lapse.assignment.gtin, lapse.assignment, standing_of(lapse.assignment, context), said)
        for lapse, said in zip(lapses, taken_on, strict=True)
    ]


def standing_of(item: CertificationAssignment | ClaimAssignment, context: Context) -> Standing:
    """How an assignment stands today."""
    if isinstance(item, ClaimAssignment):
        return standing(item.valid_from, item.lapses_on, context.today)
    return stands(item, context.today)


_DEFINED: Mapping[str, DefinitionKind[Any]] = {
    "certification": certifications.KIND,
    "body": bodies.KIND,
    "claim": claims.KIND,
}


def _unknown(typed: Mapping[str, str], known: Mapping[str, Sequence[Choice]]) -> dict[str, str]:
    """Why nothing would pass: what is asked for by a code that nothing has."""
    return {
        name: text("list.unknown")
        for name, value in typed.items()
        if name in _DEFINED and not is_short_id(value) and fold(value) not in {folded(code) for code, _ in known[name]}
    }


async def choices(context: Context, fields: Collection[str]) -> dict[str, list[Choice]]:
    """For those of the fields that have any: what is defined, by its name; and the caller's organisations."""
    kinds = {name: kind for name, kind in _DEFINED.items() if name in fields}
    found = {name: await definitions_that_match(context, kind, EVERYTHING) for name, kind in kinds.items()}
    made = {
        name: sorted(
            ((each.code or each.id, getattr(each, "label", "") or getattr(each, "name", each.code)) for each in some),
            key=lambda choice: choice[1].casefold(),
        )
        for name, some in found.items()
    }
    made[WHOSE] = [(each.id, each.name) for each in context.caller.organizations]
    return made
