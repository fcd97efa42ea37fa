"""Counts of assignments by what they have in common.

One statement in two steps. The first reads the assignments that pass the filter and counts them by columns of their
own; the second has only its few rows to deal with: it looks up what definitions say, unfolds lists of countries and
adds up.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    Column,
    ColumnElement,
    Date,
    Select,
    Table,
    bindparam,
    func,
    null,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FromClause, FunctionElement

from db import paths
from db.definitions import Definitions, with_definitions
from db.engine.database import Database
from db.sql import tables
from db.sql.filters import LAPSES, is_of_archived, listed, take_apart
from db.sql.reads import Read, Row
from db.sql.tables import certification_assignments, certifications, claim_assignments, claims
from db.sql.types import DayBefore, ListItems, Unindexed
from domain.filters import EVERYTHING, Condition, Every, Where, single_conditions
from domain.stats import (
    MAX_GROUPS,
    CertificationGroup,
    CertificationGrouping,
    ClaimGroup,
    ClaimGrouping,
    ExpiryBucket,
    Stats,
)
from domain.vocabulary import Vocabulary

# Columns that indexes begin with or hold, so that counting by one of them touches no row.
_INDEXED = frozenset({"gtin", "certification_id", "verification_status", "claim_id", "source"})
_DAYS = ("valid_from", "expiration_date", "lapses_on", "expiry_date", "audit_date")
_MOSTLY = ("open_gte", "open_lte", "known", "null")
# Conditions that so many rows pass that going to each of them through an index takes longer than reading all.
_MANY = frozenset(
    {
        ("verification_status", "eq"),
        ("verification_status", "in"),
        ("source", "eq"),
        ("source", "in"),
        *((member, operator) for member in _DAYS for operator in _MOSTLY),
    }
)


class _StartOf(FunctionElement[date]):
    """The first day of the month, quarter or year in which a date lies."""

    type = Date()
    inherit_cache = False

    def __init__(self, bucket: ExpiryBucket, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.bucket = bucket


@compiles(_StartOf, "sqlite")
def _start_of_sqlite(element: _StartOf, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = (compiler.process(clause, **options) for clause in element.clauses)
    match element.bucket:
        case ExpiryBucket.YEAR:
            return f"substr({column}, 1, 4) || '-01-01'"
        case ExpiryBucket.MONTH:
            return f"substr({column}, 1, 7) || '-01'"
        case ExpiryBucket.QUARTER:
            # Of twelve months in a row of texts, each stands where the first of its quarter is written.
            months = "010101040404070707101010"
            return f"substr({column}, 1, 5) || substr('{months}', substr({column}, 6, 2) * 2 - 1, 2) || '-01'"


@compiles(_StartOf, "postgresql")
def _start_of_postgresql(element: _StartOf, compiler: SQLCompiler, **options: Any) -> str:
    (column,) = (compiler.process(clause, **options) for clause in element.clauses)
    # Of a date, date_trunc would make a moment in the server's time zone first.
    return f"date_trunc('{element.bucket.value}', {column}::timestamp)::date"


class _Earliest(FunctionElement[date]):
    """The earliest of dates, in a form that takes SQLite a third of the time of `lapse`; NULL where all are missing."""

    type = Date()
    inherit_cache = True


@compiles(_Earliest, "sqlite")
def _earliest_sqlite(element: _Earliest, compiler: SQLCompiler, **options: Any) -> str:
    known = ", ".join(f"ifnull({compiler.process(each, **options)}, '~')" for each in element.clauses)
    return f"nullif(min({known}), '~')"


@compiles(_Earliest, "postgresql")
def _earliest_postgresql(element: _Earliest, compiler: SQLCompiler, **options: Any) -> str:
    return f"least({compiler.process(element.clauses, **options)})"


class _Key(NamedTuple):
    """What assignments are grouped by: a column of theirs, or what it leads to."""

    column: str
    """Of the assignment, or else of its product."""
    looked_up: Column[Any] | None = None
    """The column of the definition that the assignment's column names."""
    unfolded: bool = False
    """Whether the column is a list, of which each item counts."""
    defined: str = ""
    """What the value is the id of, as `Definitions` calls it."""

    @property
    def is_whole(self) -> bool:
        """Whether what has one value of the column is one group, and no other is in it."""
        return self.looked_up is None and not self.unfolded


class _Counted(NamedTuple):
    """How one kind of assignments is counted: the groupings in the order of the group's members."""

    group: Callable[..., CertificationGroup | ClaimGroup]
    keys: Mapping[Vocabulary, _Key]


_COUNTED = {
    certification_assignments: _Counted(
        CertificationGroup,
        {
            CertificationGrouping.STATUS: _Key("verification_status"),
            CertificationGrouping.BODY: _Key("certification_id", certifications.c.body_id, defined="bodies"),
            CertificationGrouping.CERTIFICATION: _Key("certification_id", defined="certifications"),
            CertificationGrouping.COUNTRY: _Key("certificate_countries", unfolded=True),
            CertificationGrouping.ISSUING_BODY: _Key("issuing_body"),
            CertificationGrouping.ORGANIZATION: _Key("organization_id"),
            CertificationGrouping.BRAND: _Key("brand"),
        },
    ),
    claim_assignments: _Counted(
        ClaimGroup,
        {
            ClaimGrouping.SOURCE: _Key("source"),
            ClaimGrouping.CATEGORY: _Key("claim_id", claims.c.category),
            ClaimGrouping.CLAIM: _Key("claim_id", defined="claims"),
            ClaimGrouping.ORGANIZATION: _Key("organization_id"),
            ClaimGrouping.BRAND: _Key("brand"),
        },
    ),
}


async def of_assignments(
    database: Database,
    table: Table,
    where: Where,
    by: Collection[Vocabulary],
    bucket: ExpiryBucket | None,
    *,
    products: bool = False,
) -> Stats:
    """The groups of the assignments that pass the filter, whose conditions on definitions are settled.

    Where asked, it counts the different products of each, which takes several times as long.
    """
    shape, values = take_apart(where)
    is_guided = paths.are_told(database) and not is_of_archived(shape)
    owner = paths.owner_among(table, shape) if is_guided else None
    read = _counts(table, shape, owner, frozenset(by), bucket, products)
    group, keys = _COUNTED[table]

    async def counted(known: Definitions) -> Stats:
        rows = await database.fetch(read, **values, limit=MAX_GROUPS + 1)
        # Without anything to group by, nothing is still one row, of nothing.
        rows = rows if rows and rows[0][-1] else []
        # PostgreSQL adds integers up to a decimal number.
        groups = [
            group(*_members(known, keys.values(), row), *_period(starts, bucket), int(size), _number(different))
            for *row, starts, size, different, _, _ in rows
        ]
        different, total = rows[0][-2:] if rows else (0 if products else None, 0)
        return Stats(int(total), _number(different), groups[:MAX_GROUPS], len(groups) > MAX_GROUPS)

    return await with_definitions(database, counted)


def _number(counted: Any) -> int | None:
    return None if counted is None else int(counted)


def _members(known: Definitions, keys: Iterable[_Key], values: Row) -> list[Any]:
    return [
        getattr(known, key.defined)[value] if key.defined and value is not None else value
        for key, value in zip(keys, values, strict=True)
    ]


def _period(first: date | None, bucket: ExpiryBucket | None) -> tuple[date | None, date | None]:
    return (None, None) if first is None or bucket is None else (first, bucket.last_day(first))


@lru_cache(maxsize=512)
def _counts(
    table: Table,
    shape: Where,
    owner: Condition | None,
    by: frozenset[Vocabulary],
    bucket: ExpiryBucket | None,
    products: bool,
) -> Read[Row]:
    keys = _COUNTED[table].keys
    names = {keys[grouping].column for grouping in by}
    if products and not all(keys[grouping].is_whole for grouping in by):
        # Several of the first step's groups become one, which may have products in common.
        names.add("gtin")
    counted = _counted(table, names, shape, owner, bucket, products)
    source: FromClause = counted
    values: list[ColumnElement[Any] | None] = []
    for grouping, key in keys.items():
        value: ColumnElement[Any] | None = None
        if grouping in by:
            value = counted.c[key.column]
            if key.looked_up is not None:
                definitions = key.looked_up.table
                source = source.join(definitions, definitions.c.id == value)
                value = key.looked_up
            elif key.unfolded:
                items = ListItems(value).table_valued("value", name="country")
                source = source.outerjoin(items, true())
                value = items.c.value
        values.append(value)
    every: ColumnElement[Any] = null()
    if products:
        # SQLite finds what is different in the order of the key, and sorts nothing.
        different = _passing(select(table.c.gtin), table, shape, owner).distinct().subquery()
        every = select(func.count()).select_from(different).scalar_subquery()
    return _summed(source, counted, values, bucket, every)


def _counted(
    table: Table,
    names: Collection[str],
    shape: Where,
    owner: Condition | None,
    bucket: ExpiryBucket | None,
    products: bool,
) -> CTE:
    product = tables.products
    source = table if all(name in table.c for name in names) else table.join(product, product.c.gtin == table.c.gtin)
    columns: list[ColumnElement[Any]] = [(table if name in table.c else product).c[name] for name in sorted(names)]
    looked_at = {*names, *(test.member for test in single_conditions(shape))}
    is_in_index = len(names) <= 1 and bucket is None and looked_at <= _INDEXED
    if not is_in_index:
        # SQLite would follow an index in the order of the groups, and fetch each row from elsewhere, which takes four
        # times as long as sorting them all.
        columns = [Unindexed(column).label(column.name) for column in columns]
    if bucket is not None:
        columns.append(_StartOf(bucket, _lapse(table)).label("starts"))
    counts = [func.count().label("size")]
    if products and "gtin" not in names:
        counts.append(func.count(table.c.gtin.distinct()).label("products"))
    rows = _passing(select(*columns, *counts).select_from(source), table, shape, owner, is_in_index=is_in_index)
    if source is not table and shape == EVERYTHING and owner is None:
        # Nor would it find the products any quicker in an index's order.
        rows = rows.with_hint(table, f"INDEXED BY sqlite_autoindex_{table.name}_1", "sqlite")
    return rows.group_by(*columns).cte("counted")


def _passing(
    rows: Select[Any], table: Table, shape: Where, owner: Condition | None, *, is_in_index: bool = False
) -> Select[Any]:
    scanned = not is_in_index and not paths.candidates(paths.of_assignments(table), _helpful(shape))
    unhelpful = _MANY if owner is None else _MANY | LAPSES
    passing = rows.where(listed(paths.besides_owner(shape, owner), table, unhelpful, scanned=scanned))
    return passing if owner is None else paths.along_owner(passing, table, owner)


def _helpful(shape: Where) -> Where:
    """The conditions by which rows are found."""
    parts = shape.parts if isinstance(shape, Every) else (shape,)
    return Every(
        tuple(part for part in parts if not (isinstance(part, Condition) and (part.member, part.operator) in _MANY))
    )


def _lapse(table: Table) -> ColumnElement[Any]:
    of = table.c
    if "expiry_date" not in of:
        return of.expiration_date
    return _Earliest(of.expiration_date, of.expiry_date, DayBefore(of.withdrawn_on))


def _summed(
    source: FromClause,
    counted: CTE,
    keys: Sequence[ColumnElement[Any] | None],
    bucket: ExpiryBucket | None,
    every_product: ColumnElement[Any],
) -> Read[Row]:
    starts = None if bucket is None else counted.c.starts
    grouped = [column for column in (starts, *keys) if column is not None]
    size = func.sum(counted.c.size)
    different: ColumnElement[Any] = null()
    if "gtin" in counted.c:
        different = func.count(counted.c.gtin.distinct())
    elif "products" in counted.c:
        different = func.sum(counted.c.products)
    # The databases disagree about where NULL belongs, so it is put last.
    order = [part for column in grouped for part in (column.is_(None), column)]
    behind = 0 if starts is None else 2
    statement = (
        select(
            *(null() if column is None else column for column in keys),
            null() if starts is None else starts,
            size,
            different,
            every_product,
            select(func.sum(counted.c.size)).scalar_subquery(),
        )
        .select_from(source)
        .group_by(*grouped)
        .order_by(*order[:behind], size.desc(), *order[behind:])
        .limit(bindparam("limit"))
    )
    return Read(statement, tuple, scans=True)
