"""Counts of assignments by what they have in common.

One statement in two steps. The first reads the assignments that pass the filter and counts them by columns of their
own; the second has only its few rows to deal with: it looks up what definitions say, unfolds lists of countries and
adds up.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Date,
    String,
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

from db.definitions import Definitions, with_definitions
from db.engine.database import Database
from db.sql.filters import condition, take_apart
from db.sql.reads import Read, Row
from db.sql.tables import certification_assignments, certifications, claim_assignments, claims
from db.sql.types import Unindexed, earlier
from domain.filters import Condition, Either, Every, Not, Where
from domain.stats import (
    MAX_GROUPS,
    CertificationGroup,
    CertificationGrouping,
    ClaimGroup,
    ClaimGrouping,
    ExpiryBucket,
    G,
    Stats,
)

# Columns that indexes begin with or hold, so that counting by one of them touches no row.
_INDEXED = frozenset({"gtin", "certification_id", "verification_status", "claim_id", "source"})
_MOSTLY = ("open_gte", "known", "null")
# Conditions that so many rows pass that going to each of them through an index takes longer than reading all.
_MANY = frozenset(
    {
        ("verification_status", "eq"),
        ("verification_status", "in"),
        ("source", "eq"),
        ("source", "in"),
        *((member, operator) for member in ("expiration_date", "lapses_on") for operator in _MOSTLY),
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


class _Items(FunctionElement[str]):
    """The items of a JSON list of texts, as a table with the column `value`."""

    type = String()
    inherit_cache = True


@compiles(_Items, "sqlite")
def _items_sqlite(element: _Items, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(_Items, "postgresql")
def _items_postgresql(element: _Items, compiler: SQLCompiler, **options: Any) -> str:
    return f"jsonb_array_elements_text({compiler.process(element.clauses, **options)})"


async def of_certification_assignments(
    database: Database, where: Where, by: Collection[CertificationGrouping], bucket: ExpiryBucket | None
) -> Stats[CertificationGroup]:
    """The groups of the assignments that pass the filter, whose conditions on definitions are settled."""
    shape, values = take_apart(where)
    read = _of_certifications(shape, frozenset(by), bucket)

    async def counted(known: Definitions) -> Stats[CertificationGroup]:
        rows = await _rows(database, read, values)
        return _stats(
            rows,
            [
                CertificationGroup(
                    status,
                    None if body is None else known.bodies[body],
                    None if certification is None else known.certifications[certification],
                    country,
                    *_period(starts, bucket),
                    int(size),
                )
                for status, body, certification, country, starts, size, _ in rows
            ],
        )

    return await with_definitions(database, counted)


async def of_claim_assignments(
    database: Database, where: Where, by: Collection[ClaimGrouping], bucket: ExpiryBucket | None
) -> Stats[ClaimGroup]:
    """The groups of the assignments that pass the filter, whose conditions on definitions are settled."""
    shape, values = take_apart(where)
    read = _of_claims(shape, frozenset(by), bucket)

    async def counted(known: Definitions) -> Stats[ClaimGroup]:
        rows = await _rows(database, read, values)
        return _stats(
            rows,
            [
                ClaimGroup(
                    source,
                    category,
                    None if claim is None else known.claims[claim],
                    *_period(starts, bucket),
                    int(size),
                )
                for source, category, claim, starts, size, _ in rows
            ],
        )

    return await with_definitions(database, counted)


async def _rows(database: Database, read: Read[Row], values: dict[str, Any]) -> list[Row]:
    rows = await database.fetch(read, **values, limit=MAX_GROUPS + 1)
    # Without anything to group by, nothing is still one row, of nothing.
    return rows if rows and rows[0][-1] else []


def _period(first: date | None, bucket: ExpiryBucket | None) -> tuple[date | None, date | None]:
    return (None, None) if first is None or bucket is None else (first, bucket.last_day(first))


def _stats(rows: Sequence[Row], groups: list[G]) -> Stats[G]:
    # PostgreSQL adds integers up to a decimal number.
    total = int(rows[0][-1]) if rows else 0
    return Stats(total, groups[:MAX_GROUPS], len(groups) > MAX_GROUPS)


@lru_cache(maxsize=256)
def _of_certifications(shape: Where, by: frozenset[CertificationGrouping], bucket: ExpiryBucket | None) -> Read[Row]:
    columns = {
        CertificationGrouping.STATUS: "verification_status",
        CertificationGrouping.BODY: "certification_id",
        CertificationGrouping.CERTIFICATION: "certification_id",
        CertificationGrouping.COUNTRY: "certificate_countries",
    }
    counted = _counted(certification_assignments, {columns[key] for key in by}, shape, bucket)
    source: FromClause = counted
    body: ColumnElement[Any] | None = None
    country: ColumnElement[Any] | None = None
    if CertificationGrouping.BODY in by:
        source = source.join(certifications, certifications.c.id == counted.c.certification_id)
        body = certifications.c.body_id
    if CertificationGrouping.COUNTRY in by:
        items = _Items(counted.c.certificate_countries).table_valued("value", name="country")
        source = source.outerjoin(items, true())
        country = items.c.value
    keys = [
        counted.c.verification_status if CertificationGrouping.STATUS in by else None,
        body,
        counted.c.certification_id if CertificationGrouping.CERTIFICATION in by else None,
        country,
    ]
    return _summed(source, counted, keys, bucket)


@lru_cache(maxsize=256)
def _of_claims(shape: Where, by: frozenset[ClaimGrouping], bucket: ExpiryBucket | None) -> Read[Row]:
    columns = {ClaimGrouping.SOURCE: "source", ClaimGrouping.CATEGORY: "claim_id", ClaimGrouping.CLAIM: "claim_id"}
    counted = _counted(claim_assignments, {columns[key] for key in by}, shape, bucket)
    source: FromClause = counted
    if ClaimGrouping.CATEGORY in by:
        source = source.join(claims, claims.c.id == counted.c.claim_id)
    keys = [
        counted.c.source if ClaimGrouping.SOURCE in by else None,
        claims.c.category if ClaimGrouping.CATEGORY in by else None,
        counted.c.claim_id if ClaimGrouping.CLAIM in by else None,
    ]
    return _summed(source, counted, keys, bucket)


def _counted(table: Table, names: Collection[str], shape: Where, bucket: ExpiryBucket | None) -> CTE:
    columns: list[ColumnElement[Any]] = [table.c[name] for name in sorted(names)]
    in_index = len(names) == 1 and bucket is None and _INDEXED.issuperset({*names, *_members(shape)})
    if not in_index:
        # SQLite would follow an index in the order of the groups, and fetch each row from elsewhere, which takes four
        # times as long as sorting them all.
        columns = [Unindexed(column).label(column.name) for column in columns]
    if bucket is not None:
        columns.append(_StartOf(bucket, _lapse(table)).label("starts"))
    rows = select(*columns, func.count().label("size")).select_from(table).where(condition(shape, table, _MANY))
    return rows.group_by(*columns).cte("counted")


def _lapse(table: Table) -> ColumnElement[Any]:
    day = table.c.expiration_date
    return earlier(day, table.c.expiry_date) if "expiry_date" in table.c else day


def _members(shape: Where) -> Iterator[str]:
    match shape:
        case Every(parts) | Either(parts):
            for part in parts:
                yield from _members(part)
        case Not(part) | (Condition() as part):
            yield part.member


def _summed(
    source: FromClause, counted: CTE, keys: Sequence[ColumnElement[Any] | None], bucket: ExpiryBucket | None
) -> Read[Row]:
    starts = None if bucket is None else counted.c.starts
    grouped = [column for column in (starts, *keys) if column is not None]
    size = func.sum(counted.c.size)
    # The databases disagree about where NULL belongs, so it is put last.
    order = [part for column in grouped for part in (column.is_(None), column)]
    behind = 0 if starts is None else 2
    statement = (
        select(
            *(null() if column is None else column for column in keys),
            null() if starts is None else starts,
            size,
            select(func.sum(counted.c.size)).scalar_subquery(),
        )
        .select_from(source)
        .group_by(*grouped)
        .order_by(*order[:behind], size.desc(), *order[behind:])
        .limit(bindparam("limit"))
    )
    return Read(statement, tuple, scans=True)
