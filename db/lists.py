"""Pages of long lists: filtered, ordered, continued behind a position. One statement a page.

Statements are kept by what decides their text: the list, the filter's shape, the order and whether there is a position.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Generic

from sqlalchemy import FromClause, Select, Table, bindparam, func, select, tuple_
from sqlalchemy.sql.expression import ColumnElement

from db import definitions, paths
from db.engine.database import Database
from db.paths import AccessPath
from db.sql import tables
from db.sql.filters import COLUMN_OF, LAPSES, Bound, condition, is_of_archived, positive, take_apart, take_together
from db.sql.filters import listed as passing
from db.sql.reads import Owners, R, Read, Row
from db.sql.shapes import shaped
from db.sql.types import Unindexed, among, open_end, text_list
from domain.commands import NumberedPage
from domain.filters import EVERYTHING, NOTHING, Where
from domain.listing import Numbered
from domain.paging import Made, Order, Page, Window, cut


class Listed(Generic[R]):
    """A table that is shown as a list: the statement of its records and the key that ends every order.

    The key of assignments is the GTIN and the definition, which is one of `definitions`.
    """

    def __init__(
        self,
        table: Table,
        rows: Select[Any],
        build: type[R],
        key: tuple[str, ...],
        definitions: str = "",
    ) -> None:
        self.table = table
        self.rows = rows
        self.build = build
        self.key = key
        self.indexed = paths.indexes_of(table, key)
        self.definitions = definitions

    def read(self, rows: Select[Any], *, scans: bool) -> Read[R]:
        """The read of such rows."""
        return Read(rows, self.build, defined=self.definitions, scans=scans)

    @property
    def definition(self) -> str:
        """The column that names the definition of an assignment."""
        return self.key[1]

    def definition_of(self, record: Any) -> str:
        """The id of the definition of an assignment."""
        return str(getattr(record, self.definition.removesuffix("_id")).id)


async def page(
    database: Database,
    listed: Listed[R],
    owners: Owners,
    where: Where,
    order: Order,
    window: Window,
) -> Page[R]:
    """One page of the records that pass the filter, whose conditions on definitions are settled.

    `owners` as for `Database.fetch`. Items are `Made` where the window has a form for them.
    """
    if where == NOTHING:
        return Page([], more=False)
    shape, values = take_apart(positive(where, listed.table))
    path = None
    if shape != EVERYTHING and paths.are_told(database) and not is_of_archived(shape):
        path = await paths.access_path(database, listed.indexed, shape, values, order.names)
    read, form = page_read(listed, shape, order, window, path), window.form
    if form is not None:
        read, fill = shaped(read, form.shape, form.reader.form, order.members)
    records = read.compiled(database.dialect).records

    def make(rows: list[Row], known: definitions.Definitions | None) -> Page[R]:
        part = cut(rows, window)
        # The filter knows which definitions are hidden; this is for one that came after it was made.
        own, found = definitions.seen([*part.items], read, owners, known)
        if form is None:
            return Page(records(own, found, owners), part.more)
        items: list[Any] = []
        fill(own, found, owners, form.reader.today, {None: items}, form.below)
        return Page(Made(items, lambda index: records([own[index]], found, owners)[0]), part.more)

    return await definitions.made(database, read, make, {**values, **placing(window)})


async def count(database: Database, listed: Listed[R], where: Where) -> int:
    """How many records pass the filter."""
    if where == NOTHING:
        return 0
    shape, values = take_apart(positive(where, listed.table))
    keys = owner = None
    if shape != EVERYTHING and paths.are_told(database) and not is_of_archived(shape):
        by_keys = paths.counted_by_keys(listed.indexed, shape)
        if by_keys is not None:
            return (await database.fetch(by_keys, **values))[0]
        keys = await paths.few_keys(database, listed.indexed, shape, values)
        owner = paths.owner_among(listed.table, shape) if keys is None else None
    return (await database.fetch(_count(listed, shape, AccessPath("", keys, owner)), **values))[0]


async def counted_together(database: Database, listed: Listed[R], wheres: Sequence[Where]) -> list[int]:
    """How many records pass each of the filters, by one look at what all of them have in common."""
    asked = list(dict.fromkeys(where for where in wheres if where != NOTHING))
    # Citus has no subqueries in what is counted.
    if len(asked) < 2 or database.sharded or any(map(is_of_archived, asked)):
        return [await count(database, listed, where) for where in wheres]
    common, besides, values = take_together([positive(where, listed.table) for where in asked])
    keys = owner = None
    if paths.are_told(database):
        keys = await paths.few_keys(database, listed.indexed, common, values)
        owner = paths.owner_among(listed.table, common) if keys is None else None
    read = _counted_together(listed, common, besides, AccessPath("", keys, owner))
    numbers = dict(zip(asked, (await database.fetch(read, **values))[0], strict=True))
    return [numbers.get(where, 0) for where in wheres]


async def numbered(
    database: Database,
    listed: Listed[R],
    owners: Owners,
    where: Where,
    page: NumberedPage,
    by: str,
    descending: bool,
) -> Numbered[R]:
    """A numbered page of the records that pass the filter, and how many do; ties are ordered by the key."""
    shape, values = take_apart(where)
    total = 0 if where == NOTHING else (await database.fetch(_count(listed, shape, AccessPath("")), **values))[0]
    if not total:
        return Numbered([], 0)
    read = _numbered(listed, shape, by, descending)
    place = {"limit": page.page_size, "offset": page.offset}
    return Numbered(await definitions.fetch(database, read, owners, **values, **place), total)


def page_read(listed: Listed[R], shape: Where, order: Order, window: Window, path: AccessPath | None = None) -> Read[R]:
    """The statement of a page; its parameters are the values of the filter, `limit`, and the position as p0, p1, ..."""
    return _page(listed, shape, order.names, *_shape_of(order, window), path)


def _shape_of(order: Order, window: Window) -> tuple[bool, bool]:
    return order.descending == window.backward, window.position is not None


def placing(window: Window) -> dict[str, Any]:
    """The values of a statement that reads one item more than a page has, behind a position if there is one."""
    position = {f"p{index}": value for index, value in enumerate(window.position or ())}
    return {**position, "limit": window.size + 1}


async def first_of_each(
    database: Database,
    listed: Listed[R],
    owners: Owners,
    ids: Sequence[str],
    where: Where,
    order: Order,
    window: Window,
) -> dict[str, list[R]]:
    """For each definition the first records of the window and one more, in the window's direction; one statement."""
    found: dict[str, list[R]] = {id: [] for id in ids}
    if not ids:
        return found
    shape, values = take_apart(positive(where, listed.table))
    build = _first_of_each_on_sqlite if database.dialect.name == "sqlite" else _first_of_each_on_postgresql
    if database.sharded or not database.has_indexes:
        build = _first_of_each_of_all
    read = build(listed, shape, order.names, *_shape_of(order, window))
    records = await definitions.fetch(database, read, owners, **values, **placing(window), parents=ids)
    for record in records:
        found[listed.definition_of(record)].append(record)
    return found


async def of_products(
    database: Database, listed: Listed[R], owners: Owners, gtins: Sequence[str], where: Where
) -> list[R]:
    """Of what these products have, what passes the filter, in the order of its definitions; one statement."""
    if where == NOTHING or not gtins:
        return []
    shape, values = take_apart(positive(where, listed.table))
    return await definitions.fetch(database, _of_products(listed, shape), owners, **values, parents=gtins)


@lru_cache(maxsize=256)
def _of_products(listed: Listed[R], shape: Where) -> Read[R]:
    # A product has a handful of them, whatever else an index would find.
    rows = listed.rows.where(among(listed.table.c.gtin, "parents"), condition(shape, listed.table))
    rows = rows.with_hint(listed.table, f"INDEXED BY sqlite_autoindex_{listed.table.name}_1", "sqlite")
    return Read(rows, listed.build, defined=listed.definitions, ranked=True)


async def counts(database: Database, listed: Listed[Any], ids: Sequence[str], where: Where) -> dict[str, int]:
    """For each definition how many records pass the filter; one statement."""
    shape, values = take_apart(positive(where, listed.table))
    found = await database.fetch(_counts(listed, shape), **values, parents=ids) if ids else []
    return dict.fromkeys(ids, 0) | dict(found)


@lru_cache(maxsize=256)
def _first_of_each_on_sqlite(
    listed: Listed[R], shape: Where, names: tuple[str, ...], ascending: bool, behind: bool
) -> Read[R]:
    # SQLite has no LATERAL, but takes a list of GTINs that is looked up for each definition.
    parent = func.json_each(text_list("parents")).table_valued("value", name="parent")
    inner = listed.table.alias("inside")
    columns = order_columns(inner, names)
    top = select(inner.c.gtin).where(
        inner.c[listed.definition] == parent.c.value, passing(shape, inner), *beyond(columns, ascending, behind)
    )
    top = top.order_by(*directed(columns, ascending)).limit(bindparam("limit")).correlate(parent)
    rows = listed.rows.where(listed.table.c[listed.definition] == parent.c.value, listed.table.c.gtin.in_(top))
    outside = [Unindexed(column) for column in order_columns(listed.table, names)]
    return listed.read(rows.order_by(*directed(outside, ascending)), scans=True)


@lru_cache(maxsize=256)
def _first_of_each_on_postgresql(
    listed: Listed[R], shape: Where, names: tuple[str, ...], ascending: bool, behind: bool
) -> Read[R]:
    parent: Any = func.unnest(text_list("parents")).column_valued("parent")
    columns = order_columns(listed.table, names)
    top = listed.rows.add_columns(*(column.label(f"by{at}") for at, column in enumerate(columns))).where(
        listed.table.c[listed.definition] == parent, passing(shape, listed.table), *beyond(columns, ascending, behind)
    )
    lateral = top.order_by(*directed(columns, ascending)).limit(bindparam("limit")).lateral("top")
    shown, outside = [*lateral.c][: -len(columns)], [*lateral.c][-len(columns) :]
    rows = select(*shown).select_from(parent.scalar_alias, lateral).order_by(*directed(outside, ascending))
    return listed.read(rows, scans=True)


@lru_cache(maxsize=256)
def _first_of_each_of_all(
    listed: Listed[R], shape: Where, names: tuple[str, ...], ascending: bool, behind: bool
) -> Read[R]:
    # Citus has no LATERAL with a LIMIT, and it gains nothing without an index. This reads all rows of the definitions
    # that pass the filter.
    columns = order_columns(listed.table, names)
    definition = listed.table.c[listed.definition]
    place = func.row_number().over(partition_by=definition, order_by=directed(columns, ascending))
    placed = (
        listed.rows.add_columns(*(column.label(f"by{at}") for at, column in enumerate(columns)), place.label("place"))
        .where(among(definition, "parents"), passing(shape, listed.table), *beyond(columns, ascending, behind))
        .subquery("placed")
    )
    *found, number = placed.c
    shown, outside = found[: -len(columns)], found[-len(columns) :]
    rows = select(*shown).where(number <= bindparam("limit")).order_by(*directed(outside, ascending))
    return listed.read(rows, scans=True)


@lru_cache(maxsize=256)
def _counts(listed: Listed[Any], shape: Where) -> Read[tuple[str, int]]:
    definition = listed.table.c[listed.definition]
    counted = select(definition, func.count()).where(among(definition, "parents"), passing(shape, listed.table))
    return Read(counted.group_by(definition), tuple, scans=True)


@lru_cache(maxsize=512)
def _page(
    listed: Listed[R], shape: Where, names: tuple[str, ...], ascending: bool, behind: bool, path: AccessPath | None
) -> Read[R]:
    columns = order_columns(listed.table, names)
    bound = Bound(names[0], is_lower=ascending) if behind else None
    asked = shape if path is None else paths.besides_owner(shape, path.owner)
    rows = listed.rows.where(passing(asked, listed.table, bound=bound), *beyond(columns, ascending, behind))
    if path is not None:
        rows = paths.along(rows, listed.indexed, path)
        if path.keys is not None:
            columns = [Unindexed(column) for column in columns]
        elif path.owner is not None:
            # The walk begins at the product where the page does.
            columns = [tables.products.c.gtin, *columns[1:]]
            rows = rows.where(*beyond(columns, ascending, behind))
    rows = rows.order_by(*directed(columns, ascending)).limit(bindparam("limit"))
    return listed.read(rows, scans=shape != EVERYTHING)


@lru_cache(maxsize=256)
def _numbered(listed: Listed[R], shape: Where, by: str, descending: bool) -> Read[R]:
    first, *ties = order_columns(listed.table, (by, *listed.key))
    rows = listed.rows.where(passing(shape, listed.table)).order_by(*directed([first], not descending), *ties)
    return listed.read(rows.limit(bindparam("limit")).offset(bindparam("offset")), scans=True)


@lru_cache(maxsize=256)
def _count(listed: Listed[Any], shape: Where, path: AccessPath) -> Read[int]:
    if shape == EVERYTHING:
        # SQLite counts all rows without reading them.
        number = func.count() - paths.archived_that_pass(listed.table, EVERYTHING)
        return Read(select(number).select_from(listed.table), lambda row: int(row[0]), scans=True)
    scanned = path.keys is None and path.owner is None and paths.is_scanned(listed.indexed, shape)
    counted = _passing(select(func.count()), listed, shape, path, scanned=scanned)
    return Read(counted, lambda row: int(row[0]), scans=True)


@lru_cache(maxsize=256)
def _counted_together(
    listed: Listed[Any], common: Where, besides: tuple[Where, ...], path: AccessPath
) -> Read[list[int]]:
    numbers: list[Any] = [func.count().filter(condition(each, listed.table, LAPSES)) for each in besides]
    scanned = path.keys is None and path.owner is None and not paths.candidates(listed.indexed, common)
    return Read(_passing(select(*numbers), listed, common, path, scanned=scanned), list, scans=True)


def _passing(counts: Select[Any], listed: Listed[Any], shape: Where, path: AccessPath, *, scanned: bool) -> Select[Any]:
    """What is counted of the rows that pass, found along the path if it has keys or an owner."""
    is_told = path.keys is not None or path.owner is not None
    unhelpful = LAPSES if is_told or scanned else frozenset()
    asked = paths.besides_owner(shape, path.owner)
    counts = counts.select_from(listed.table).where(passing(asked, listed.table, unhelpful, scanned=scanned))
    return paths.along(counts, listed.indexed, path) if is_told else counts


def order_columns(source: FromClause, names: Sequence[str]) -> list[ColumnElement[Any]]:
    """The columns by which a list is ordered."""
    return [source.c[COLUMN_OF.get(name, name)] for name in names]


def directed(columns: Sequence[ColumnElement[Any]], ascending: bool) -> list[ColumnElement[Any]]:
    """The columns, all in one direction, so that an index can be read either way."""
    return [column.asc() if ascending else column.desc() for column in columns]


def beyond(columns: Sequence[ColumnElement[Any]], ascending: bool, behind: bool) -> list[ColumnElement[bool]]:
    """The condition that a row lies beyond the position given as parameters p0, p1, ..., if one is given."""
    if not behind:
        return []
    row = tuple_(*columns)
    position = tuple_(*(_placed(column, f"p{index}") for index, column in enumerate(columns)))
    return [row > position if ascending else row < position]


def _placed(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    value: ColumnElement[Any] = bindparam(name, type_=column.type)
    return open_end(value) if column.key in COLUMN_OF.values() else value
