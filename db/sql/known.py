"""The tables of products and of what they have, as they were known at a moment: what the log of changes says.

A statement over them becomes one over the last version of each row by then. So filters, orders, pages and statistics
are the statements that they are, and what is asked by GTIN is found by an index of the log.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    Alias,
    ColumnElement,
    FromClause,
    Select,
    Subquery,
    Table,
    bindparam,
    case,
    exists,
    func,
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
from db.sql.types import Document, ListItems, MapEntries, Unindexed, UtcDateTime
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


def _archived_at(told: FromClause) -> ColumnElement[Any]:
    """When the product of what is told of was archived, as was known then."""
    product = changes.alias()
    archived = select(_Member(product.c.record, products.c.archived_at))
    archived = archived.where(product.c.gtin == told.c.gtin, _last(product, ObjectKind.PRODUCT))
    return archived.correlate(told).scalar_subquery()


def _has_product(told: FromClause) -> ColumnElement[bool]:
    """Of what was there before the log, some may be known for longer than its product."""
    product = changes.alias()
    found = exists().where(product.c.gtin == told.c.gtin, _by_then(product, ObjectKind.PRODUCT))
    return found.correlate(told)


def _object(table: Table, kind: ObjectKind) -> Subquery:
    """A table of which the log has each row as a kind of object."""
    told = changes.alias()
    kept: dict[str, ColumnElement[Any]] = {"id": told.c.object_id, "gtin": told.c.gtin}
    conditions = [_last(told, kind)]
    if table is not products:
        kept["archived_at"] = _archived_at(told)
        conditions.append(_has_product(told))
    for column in table.columns:
        if column.computed is None and column.key not in kept:
            value: Any = _Member(told.c.record, column)
            default: Any = column.server_default
            # It came when there were versions already.
            kept[column.key] = value if default is None else func.coalesce(value, default.arg, type_=column.type)
    stored = select(*(value.label(name) for name, value in kept.items())).where(*conditions).subquery()
    follows = {each.key: each.computed.sqltext for each in table.columns if each.computed is not None}
    return _select(table, {**stored.c, **follows}).select_from(stored).subquery(table.name)


def _acknowledged(table: Table, assigned: Subquery) -> Subquery:
    """Who had taken on lapses of what was assigned; the log has no definition of them."""
    told = changes.alias()
    kept: dict[str, ColumnElement[Any]] = {
        **{name: told.c[name] for name in ("gtin", "user_id")},
        "id": told.c.object_id,
        "api_key_id": case((told.c.user_id.is_(None), func.nullif(told.c.credential_id, ""))),
    }
    for column in table.columns:
        if column.key not in kept:
            kept[column.key] = assigned.c[column.key] if column.primary_key else _Member(told.c.record, column)
    of_it = assigned.c.gtin == told.c.gtin, assigned.c.id == told.c.object_id
    return _select(table, kept).where(_last(told, ObjectKind.ACKNOWLEDGEMENT), *of_it).subquery(table.name)


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
def _known() -> Mapping[FromClause, Subquery]:
    """The tables as they were known then."""
    found: dict[FromClause, Subquery] = {table: _object(table, kind) for table, kind in _KINDS.items()}
    for noun, table in ASSIGNED.items():
        found[ACKNOWLEDGED[noun]] = _acknowledged(ACKNOWLEDGED[noun], found[table])
    for inside, table in _INSIDE.items():
        found[inside] = _inside(inside, found[table])
    found[earlier_certificates] = _since(earlier_certificates, earlier_certificates.c.replaced_at)
    found[changes] = _since(changes, changes.c.at)
    return found


def as_known(statement: Select[Any]) -> Select[Any]:
    """The same statement over the tables as they were known at the moment given as the parameter `AT`."""
    aliases: dict[FromClause, FromClause] = {}

    def known(source: Any) -> FromClause | None:
        if source in _known():
            return _known()[source]
        if isinstance(source, Alias) and source.element in _known():
            if source not in aliases:
                aliases[source] = _known()[source.element].alias(source.name)
            return aliases[source]
        return None

    def replaced(element: Any, **_: Any) -> Any:
        if isinstance(element, FromClause):
            return known(element)
        source = known(getattr(element, "table", None))
        return None if source is None else source.c[element.key]

    return cast("Select[Any]", replacement_traverse(statement, {}, replaced))
