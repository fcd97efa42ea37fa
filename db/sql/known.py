"""The tables of products and of what they have, as they were known at a moment: what the log of changes says.

A statement over them becomes one over the last version of each row by then. So filters, orders, pages and statistics
are the statements that they are, and what is asked by GTIN is found by an index of the log.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    CTE,
    Alias,
    ColumnElement,
    FromClause,
    ScalarSelect,
    Select,
    String,
    Subquery,
    Table,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.sql.visitors import replacement_traverse

from db.sql.tables import (
    ACKNOWLEDGED,
    ASSIGNED,
    certification_assignment_countries,
    certification_assignment_metadata,
    certification_assignments,
    changes,
    claim_assignment_metadata,
    claim_assignments,
    earlier_certificates,
    product_metadata,
    products,
)
from db.sql.types import Document, GivenTexts, ListItems, MapEntries, Unindexed, UtcDateTime, text_list
from domain.vocabulary import ObjectKind

AT = "known_at"
"""The parameter of what is made here: the moment."""

_KINDS = {
    products: ObjectKind.PRODUCT,
    certification_assignments: ObjectKind.CERTIFICATION_ASSIGNMENT,
    claim_assignments: ObjectKind.CLAIM_ASSIGNMENT,
}
"""What the rows of these tables are in the log."""

_INSIDE = {
    product_metadata: products,
    certification_assignment_metadata: certification_assignments,
    certification_assignment_countries: certification_assignments,
    claim_assignment_metadata: claim_assignments,
}
"""What triggers keep of these tables' JSON columns."""


class _Member(FunctionElement[Any]):
    """A member of a record in the log, as a column has it."""

    inherit_cache = False

    def __init__(self, record: ColumnElement[Any], column: ColumnElement[Any]) -> None:
        super().__init__(record)
        self.name = column.key
        self.type = column.type


@compiles(_Member, "sqlite")
def _member_sqlite(element: _Member, compiler: SQLCompiler, **options: Any) -> str:
    value = f"json_extract({compiler.process(element.clauses, **options)}, '$.{element.name}')"
    if not isinstance(element.type, UtcDateTime):
        return value
    # The column has no zone, and always the fraction of a second, which JSON leaves out where there is none.
    fraction = f"coalesce(nullif(rtrim(substr({value}, 20), 'Z'), ''), '.000000')"
    return f"replace(substr({value}, 1, 19), 'T', ' ') || {fraction}"


@compiles(_Member, "postgresql")
def _member_postgresql(element: _Member, compiler: SQLCompiler, **options: Any) -> str:
    record = compiler.process(element.clauses, **options)
    if element.type is Document:
        # A JSON null is none of SQL's.
        return f"nullif({record} -> '{element.name}', 'null')"
    value = f"{record} ->> '{element.name}'"
    # A text may have its collation behind it, which no cast takes.
    kind, _, collation = element.type.compile(compiler.dialect).partition(" COLLATE ")
    return f"(({value}) COLLATE {collation})" if collation else f"CAST({value} AS {kind})"


def _by_then(of: FromClause, kind: ObjectKind) -> ColumnElement[bool]:
    # The GTIN finds what is asked, or nothing does: of one kind there may be millions. What a day brings is no version.
    by_then = of.c.at <= bindparam(AT, type_=UtcDateTime())
    return by_then & (Unindexed(of.c.kind) == kind.value) & of.c.day.is_(None)


def _is_version(of: FromClause, kind: ObjectKind) -> ColumnElement[bool]:
    """The same of the next row of an index, whose order is kept."""
    # Of what PostgreSQL cannot judge it takes half to pass. Where it expects one row it would sort all versions.
    is_one = case((of.c.kind == kind.value, of.c.day.is_(None)), else_=False)
    return (of.c.at <= bindparam(AT, type_=UtcDateTime())) & is_one


def _last(told: FromClause, kind: ObjectKind) -> ColumnElement[bool]:
    """That a row of the log is the last version by then of an object of that kind, which has not been removed."""
    later = changes.alias()
    newer = exists().where(
        later.c.gtin == told.c.gtin,
        later.c.object_id == told.c.object_id,
        tuple_(later.c.at, later.c.seq) > tuple_(told.c.at, told.c.seq),
        _by_then(later, kind),
    )
    return _by_then(told, kind) & told.c.record.is_not(None) & ~newer.correlate(told)


class _Versions(NamedTuple):
    """Where the last versions by then of a kind of objects are found."""

    told: FromClause
    """The rows of the log that they are."""
    gtin: ColumnElement[Any]
    conditions: Sequence[ColumnElement[bool]]
    archived_at: ColumnElement[Any]
    """When the product of each was archived."""


def _scanned(kind: ObjectKind) -> _Versions:
    """Among all versions."""
    told, product, any_product = changes.alias(), changes.alias(), changes.alias()
    conditions = [_last(told, kind)]
    if kind is not ObjectKind.PRODUCT:
        # Of what was there before the log, some may be known for longer than its product.
        has = exists().where(any_product.c.gtin == told.c.gtin, _by_then(any_product, ObjectKind.PRODUCT))
        conditions.append(has.correlate(told))
    of_product = product.c.gtin == told.c.gtin, _last(product, ObjectKind.PRODUCT)
    return _Versions(told, told.c.gtin, conditions, _archived_at(product, *of_product))


def _sought(kind: ObjectKind, by: str) -> _Versions:
    """By an index of the log, object by object: of each the last version alone is read."""
    told = changes.alias()
    if kind is ObjectKind.PRODUCT:
        found, object_id = _asked(by), "product_id"
    else:
        found, object_id = _objects(by), "object_id"
    conditions = [told.c.seq == _newest(found.c.gtin, found.c[object_id], kind), told.c.record.is_not(None)]
    if kind is not ObjectKind.PRODUCT:
        # Whatever is told of it is told of its kind, or of who has taken on its lapse.
        of, kinds = changes.alias(), (kind, ObjectKind.ACKNOWLEDGEMENT)
        place = of.c.gtin == found.c.gtin, of.c.object_id == found.c.object_id
        told_of = _first(of.c.kind, *place, by=(of.c.at.desc(), of.c.seq.desc()))
        conditions.append(told_of.in_([literal_column(f"'{each.value}'", String()) for each in kinds]))
    return _Versions(told, found.c.gtin, conditions, found.c.archived_at)


def _archived_at(product: FromClause, *where: ColumnElement[bool]) -> ColumnElement[Any]:
    """When a product was archived, by that version of it."""
    member = _Member(product.c.record, products.c.archived_at)
    return select(member).where(*where).correlate_except(product).scalar_subquery()


@cache
def _asked(by: str) -> CTE:
    """The products that are asked for, as far as they were known by then: each is the first that has its GTIN."""
    of, product = changes.alias(), changes.alias()
    if by == "key":
        given: FromClause = select(bindparam(by, type_=String()).label("value")).subquery()
    else:
        given = GivenTexts(text_list(by)).table_valued("value")
    gtin = given.c.value
    first = _first(of.c.object_id, of.c.gtin == gtin, _is_version(of, ObjectKind.PRODUCT), by=(of.c.at, of.c.seq))
    found = select(gtin.label("gtin"), first.label("product_id")).select_from(given).subquery()
    last = product.c.seq == _newest(found.c.gtin, found.c.product_id, ObjectKind.PRODUCT)
    return select(*found.c, _archived_at(product, last).label("archived_at")).cte("asked")


@cache
def _objects(by: str) -> CTE:
    """All that is told of with these products, one found behind the other; last comes a row without any."""
    asked, of = _asked(by), changes.alias()
    first = _first(of.c.object_id, of.c.gtin == asked.c.gtin, by=(of.c.object_id,))
    found = select(*asked.c, first.label("object_id")).where(asked.c.product_id.is_not(None))
    objects = found.cte("objects", recursive=True)
    behind = of.c.gtin == objects.c.gtin, of.c.object_id > objects.c.object_id
    following = _first(of.c.object_id, *behind, by=(of.c.object_id,))
    more = select(*(objects.c[each.key] for each in asked.c), following).where(objects.c.object_id.is_not(None))
    return objects.union_all(more)


def _newest(gtin: ColumnElement[Any], id: ColumnElement[Any], kind: ObjectKind) -> ScalarSelect[Any]:
    """The number of an object's last version by then."""
    of = changes.alias()
    place = of.c.gtin == gtin, of.c.object_id == id
    return _first(of.c.seq, *place, _is_version(of, kind), by=(of.c.at.desc(), of.c.seq.desc()))


def _first(
    column: ColumnElement[Any], *where: ColumnElement[bool], by: Sequence[ColumnElement[Any]]
) -> ScalarSelect[Any]:
    """The column of the first of these rows of the log, in an order that an index has."""
    # As a parameter, PostgreSQL would take it for a tenth of all rows.
    one = select(column).where(*where).order_by(*by).limit(literal_column("1"))
    return one.correlate_except(column.table).scalar_subquery()


def _object(table: Table, kind: ObjectKind, by: str) -> Subquery:
    """A table of which the log has each row as a kind of object."""
    source = _sought(kind, by) if by else _scanned(kind)
    told = source.told
    kept: dict[str, ColumnElement[Any]] = {"id": told.c.object_id, "gtin": source.gtin}
    if table is not products:
        kept["archived_at"] = source.archived_at
    for column in table.columns:
        if column.computed is None and column.key not in kept:
            value: Any = _Member(told.c.record, column)
            default: Any = column.server_default
            # It came when there were versions already.
            kept[column.key] = value if default is None else func.coalesce(value, default.arg, type_=column.type)
    stored = select(*(value.label(name) for name, value in kept.items())).where(*source.conditions).subquery()
    follows = {each.key: each.computed.sqltext for each in table.columns if each.computed is not None}
    return _select(table, {**stored.c, **follows}).select_from(stored).subquery(table.name)


def _acknowledged(table: Table, assigned: Subquery, by: str) -> Subquery:
    """Who had taken on lapses of what was assigned; the log has no definition of them."""
    told, kind = changes.alias(), ObjectKind.ACKNOWLEDGEMENT
    kept: dict[str, ColumnElement[Any]] = {
        **{name: assigned.c[name] for name in ("gtin", "id")},
        "user_id": told.c.user_id,
        "api_key_id": case((told.c.user_id.is_(None), func.nullif(told.c.credential_id, ""))),
    }
    for column in table.columns:
        if column.key not in kept:
            kept[column.key] = assigned.c[column.key] if column.primary_key else _Member(told.c.record, column)
    if by:
        of_it = [told.c.seq == _newest(assigned.c.gtin, assigned.c.id, kind), told.c.record.is_not(None)]
    else:
        of_it = [assigned.c.gtin == told.c.gtin, assigned.c.id == told.c.object_id, _last(told, kind)]
    return _select(table, kept).where(*of_it).subquery(table.name)


def _inside(table: Table, of: Subquery) -> Subquery:
    """What was inside a JSON column."""
    if "country" in table.c:
        items = ListItems(of.c.certificate_countries).table_valued("value")
        own = {"country": items.c.value}
    else:
        items = MapEntries(of.c.metadata).table_valued("key", "value")
        own = {"key": items.c.key, "value": items.c.value}
    return _select(table, {**of.c, **own}).select_from(of.join(items, true())).subquery(table.name)


def _select(table: Table, values: Mapping[str, ColumnElement[Any]]) -> Select[Any]:
    """The columns of a table, made of these."""
    return select(*(values[name].label(name) for name in table.c.keys()))  # noqa: SIM118 - a collection of columns


def _since(table: Table, at: ColumnElement[Any]) -> Subquery:
    """A table whose rows stay as they are, with those that were there by then."""
    return select(table).where(at <= bindparam(AT, type_=UtcDateTime())).subquery(table.name)


@cache
def _known(by: str) -> Mapping[FromClause, Subquery]:
    """The tables as they were known then."""
    found: dict[FromClause, Subquery] = {table: _object(table, kind, by) for table, kind in _KINDS.items()}
    for noun, table in ASSIGNED.items():
        found[ACKNOWLEDGED[noun]] = _acknowledged(ACKNOWLEDGED[noun], found[table], by)
    for inside, table in _INSIDE.items():
        found[inside] = _inside(inside, found[table])
    found[earlier_certificates] = _since(earlier_certificates, earlier_certificates.c.replaced_at)
    found[changes] = _since(changes, changes.c.at)
    return found


def as_known(statement: Select[Any], by: str = "") -> Select[Any]:
    """The same statement over the tables as they were known at the moment given as the parameter `AT`.

    `by` is the parameter with the GTIN, `key`, or with all of them, `keys`, of a statement that asks for nothing else.
    """
    aliases: dict[FromClause, FromClause] = {}
    tables = _known(by)

    def known(source: Any) -> FromClause | None:
        if source in tables:
            return tables[source]
        if isinstance(source, Alias) and source.element in tables:
            if source not in aliases:
                aliases[source] = tables[source.element].alias(source.name)
            return aliases[source]
        return None

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, FromClause):
            return known(element)
        source = known(getattr(element, "table", None))
        return None if source is None else source.c[element.key]

    return cast("Select[Any]", replacement_traverse(statement, {}, replaced))
