"""How SQLite gets at the rows of a filtered list.

SQLite chooses an index by average figures, if it has any, and never by the values at hand: for a country that one row
in a million has, it may well walk all of them in the order asked for. So it is told. There are two good ways:

- few rows pass some condition: take the keys of those from that condition's index, look the rows up, sort them;
- many rows pass every condition: walk the index of the order, which soon finds as many as the page has.

By GTIN, the assignments of one organisation or brand are found along its products, whose GTINs often lie together.

What is archived is in none of those indexes: a filter that says something of it is left to SQLite.

Which it is shows by counting the keys of each condition, up to `FEW`: one short statement before the page. Nothing is
counted where the index of the order answers the whole filter by itself. PostgreSQL knows the values' frequencies, and
is left alone.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, Table, bindparam, func, literal_column, select, tuple_, union_all
from sqlalchemy.sql.expression import ColumnElement

from db.engine.database import Database
from db.sql.filters import (
    COLUMN_OF,
    DAYS,
    MEMBER_OF,
    OF_PRODUCTS,
    acknowledgements_of,
    condition,
    entries_of,
    is_acknowledgement,
    is_entry,
    is_of_entries,
    is_of_product,
    listed,
)
from db.sql.reads import Read
from db.sql.tables import ASSIGNED, archived, live, products
from db.sql.types import Exists, Unindexed
from domain.filters import ACKNOWLEDGED, Condition, Either, Every, Where, single_conditions

FEW = 6000
"""Looking up and sorting so many rows takes as long as finding a page by walking, where so many of a million pass."""

_POINTS = frozenset({"eq", "in"})
_RANGES = frozenset({"eq", "in", "gte", "lte", "lt", "null", "known", "open_gte"})


class Index(NamedTuple):
    """An index of a list, by the name that it has on SQLite, and the members in whose order it is."""

    name: str
    members: tuple[str, ...]


class AccessPath(NamedTuple):
    """How a page is read: along an index, by the keys of a condition if there is one.

    Or along the products of an `owner`, or a brand, which is a condition, and what is assigned to each.
    """

    walk: str
    keys: Where | None = None
    owner: Condition | None = None


class Indexed(NamedTuple):
    """What is to be known of a list: its table, its key, and its indexes, the most selective first."""

    table: Table
    key: tuple[str, ...]
    indexes: tuple[Index, ...]


def indexes_of(table: Table, key: tuple[str, ...]) -> Indexed:
    """What `db.sql.tables` says of the indexes of a list with that key; all of them end with what is archived."""
    # SQLite counts the indexes that it makes by itself: first that of the primary key, then that of the unique id.
    own = [Index(f"sqlite_autoindex_{table.name}_{at}", of) for at, of in ((2, ("id",)), (1, key))]
    declared = [
        Index(index.name, tuple(MEMBER_OF.get(column.key, column.key) for column in index.columns)[:-1])
        for index in table.info["indexes"]
    ]
    return Indexed(table, key, (*own, *declared))


def are_told(database: Database) -> bool:
    """Whether the database is told the way to the rows of lists."""
    return database.dialect.name == "sqlite" and database.has_indexes


async def access_path(
    database: Database, indexed: Indexed, shape: Where, values: dict[str, Any], order: tuple[str, ...]
) -> AccessPath:
    """The way to a page of the filter in that order, of which every member is named."""
    walk, is_whole = walked(indexed, shape, order)
    if is_whole:
        return AccessPath(walk)
    keys = await few_keys(database, indexed, shape, values)
    return AccessPath(walk, keys, _owner(indexed, shape, order) if keys is None else None)


def _owner(indexed: Indexed, shape: Where, order: tuple[str, ...]) -> Condition | None:
    """The condition on the one owner of all that passes, where its products lead in the order."""
    owner = owner_among(indexed.table, shape) if order == indexed.key else None
    return owner if owner is not None and owner.operator == "eq" else None


async def few_keys(database: Database, indexed: Indexed, shape: Where, values: dict[str, Any]) -> Where | None:
    """The conditions that the fewest rows pass, if those are few; None when no index says so."""
    found = candidates(indexed, shape)
    if not found:
        return None
    counts: tuple[int, ...] = (await database.fetch(_counts(indexed, shape), **values, most=FEW + 1))[0]
    fewest = min(counts)
    return found[counts.index(fewest)] if fewest <= FEW else None


@lru_cache(maxsize=512)
def walked(indexed: Indexed, shape: Where, order: tuple[str, ...]) -> tuple[str, bool]:
    """The index to walk for an order, and whether every row on the way passes the filter."""
    tests = _together(shape)
    fixed = {test.member for test in tests if isinstance(test, Condition) and test.operator == "eq"}
    best, lead = indexed.indexes[0], -1
    for index in indexed.indexes:
        for length in range(len(index.members)):
            if length and index.members[length - 1] not in fixed:
                break
            rest = tuple(name for name in order if name not in index.members[:length])
            if length > lead and index.members[length:][: len(rest)] == rest:
                best, lead = index, length
    assert lead >= 0, f"no index is in the order of {order}"
    is_whole = all(
        isinstance(test, Condition)
        and (
            (test.member in best.members[:lead] and test.operator == "eq")
            or (test.member == best.members[lead] and test.operator in _RANGES - {"in"})
        )
        for test in tests
    )
    return best.name, is_whole


@lru_cache(maxsize=512)
def candidates(indexed: Indexed, shape: Where) -> tuple[Where, ...]:
    """The parts of a filter that an index can answer, each of which must hold."""
    tests = _together(shape)
    found: list[Where] = []
    for index in indexed.indexes:
        part = _answered(index, tests)
        # One that says less than another need not be counted.
        if part is not None and not any(_has_all(each, part) for each in found):
            found = [each for each in found if not _has_all(part, each)] + [part]
    found += [
        test for test in tests if is_of_entries(test) or is_of_product(test, indexed.table) or _is_of_acknowledged(test)
    ]
    for test in tests:
        if isinstance(test, Condition) and test.operator == "some":
            found += [Condition(test.member, "some", part) for part in candidates(_assigned(test.member), test.value)]
    found += [
        test for test in tests if isinstance(test, Either) and all(candidates(indexed, part) for part in test.parts)
    ]
    return tuple(found)


def _is_of_acknowledged(test: Where) -> bool:
    return isinstance(test, Condition) and test.member == ACKNOWLEDGED


def _assigned(member: str) -> Indexed:
    """What products have, as a list of its own."""
    return of_assignments(ASSIGNED[member])


@lru_cache(maxsize=8)
def of_assignments(table: Table) -> Indexed:
    """Assignments of a kind as a list."""
    return indexes_of(table, tuple(column.key for column in table.primary_key))


@lru_cache(maxsize=512)
def is_scanned(indexed: Indexed, shape: Where) -> bool:
    """Whether all rows are read to count those that pass: no index finds them, and none has all that is asked."""
    own = {*indexed.table.c.keys(), *COLUMN_OF, *DAYS}
    asked = {test.member if test.member in own else "gtin" for test in single_conditions(shape)}
    return not candidates(indexed, shape) and not any(asked <= set(index.members) for index in indexed.indexes)


def _has_all(more: Where, less: Where) -> bool:
    return set(_together(less)) <= set(_together(more))


def _answered(index: Index, tests: Sequence[Where]) -> Where | None:
    """The conditions that one range of the index answers, or one range for each value of a list."""
    parts: list[Where] = []
    for member in index.members:
        own = [test for test in tests if isinstance(test, Condition) and test.member == member]
        own = [test for test in own if test.operator in _RANGES]
        parts += own
        if not any(test.operator in _POINTS for test in own):
            break
    return Every(tuple(parts)) if parts else None


def _together(shape: Where) -> tuple[Where, ...]:
    return shape.parts if isinstance(shape, Every) else (shape,)


@lru_cache(maxsize=512)
def _counts(indexed: Indexed, shape: Where) -> Read[tuple[int, ...]]:
    limited = [keys(indexed, part).limit(bindparam("most")).subquery() for part in candidates(indexed, shape)]
    return Read(
        select(*(select(func.count()).select_from(each).scalar_subquery() for each in limited)), tuple, scans=True
    )


@lru_cache(maxsize=256)
def counted_by_keys(indexed: Indexed, shape: Where) -> Read[int] | None:
    """How many rows pass the filter, by an index that answers all of it; None when there is none."""
    for part in candidates(indexed, shape):
        if not isinstance(part, Either) and _has_all(part, shape):
            found = keys(indexed, part)
            if isinstance(part, Condition) and part.operator in ("has_any", "some"):
                found = found.distinct()
            number: ColumnElement[int] = func.count()
            if _is_of_entries_alone(part):
                # Entries are there of all rows. Those that are archived are seldom many.
                number = func.count() - archived_that_pass(indexed.table, part)
            elif _is_by_entries(part):
                found = _live_of(indexed, found)
            return Read(select(number).select_from(found.subquery()), _first, scans=True)
    return None


def _is_of_entries_alone(part: Where) -> bool:
    return is_of_entries(part.value if isinstance(part, Condition) and part.operator == "some" else part)


def archived_that_pass(table: Table, part: Where) -> ColumnElement[int]:
    """How many archived rows pass."""
    found = select(func.count()).select_from(table).where(archived(table), condition(part, table))
    return found.with_hint(table, f"INDEXED BY ix_{table.name}_archived", "sqlite").scalar_subquery()


def _is_by_entries(part: Where) -> bool:
    """Whether its keys come from what is inside JSON columns, which those of the archived have as well."""
    match part:
        case Every(parts) | Either(parts):
            return any(map(_is_by_entries, parts))
        case Condition(_, "some", inner):
            return _is_by_entries(inner)
    return is_of_entries(part)


def _live_of(indexed: Indexed, found: Select[Any]) -> Select[Any]:
    """Those of the keys whose rows are not archived."""
    table, of = indexed.table, found.subquery()
    own: Select[Any] = select(literal_column("1")).where(*(table.c[name] == of.c[name] for name in indexed.key))
    own = own.with_hint(table, f"INDEXED BY {_key_index(indexed)}", "sqlite").where(live(table))
    return select(of).where(Exists(own.correlate(of).scalar_subquery()))


def _first(row: Sequence[Any]) -> int:
    return int(row[0])


def keys(indexed: Indexed, part: Where) -> Select[Any]:
    """The keys of the rows that pass such a part, from its index alone; one that passes twice comes twice."""
    if isinstance(part, Either):
        # The first candidate of each alternative, for the indexes are in the order of what they leave.
        each = [keys(indexed, candidates(indexed, alternative)[0]) for alternative in part.parts]
        together = union_all(*each).subquery()
        return select(*(together.c[name] for name in indexed.key))
    if isinstance(part, Condition) and is_of_entries(part):
        entries = entries_of(part, indexed.table.name)
        return select(*(entries.c[name] for name in indexed.key)).where(is_entry(part, entries))
    if isinstance(part, Condition) and part.operator == "some":
        return select(keys(_assigned(part.member), part.value).subquery().c.gtin)
    if isinstance(part, Condition) and _is_of_acknowledged(part):
        taken_on = acknowledgements_of(indexed.table)
        found = select(*(taken_on.c[name] for name in indexed.key))
        found = found.where(is_acknowledgement(part, taken_on, indexed.table), live(indexed.table))
        found = found.with_hint(taken_on, f"INDEXED BY ix_{taken_on.name}_until", "sqlite")
        return found.with_hint(indexed.table, f"INDEXED BY {_key_index(indexed)}", "sqlite")
    if isinstance(part, Condition) and is_of_product(part, indexed.table):
        found = select(*(indexed.table.c[name] for name in indexed.key))
        return along_owner(found, indexed.table, part)
    found = select(*(indexed.table.c[name] for name in indexed.key)).where(listed(part, indexed.table))
    return found.with_hint(indexed.table, f"INDEXED BY {_index_of(indexed, part)}", "sqlite")


def owner_among(table: Table, shape: Where) -> Condition | None:
    """The condition on the products of all that passes, if there is one: they lead to all of it."""
    found = [test for test in _together(shape) if isinstance(test, Condition) and is_of_product(test, table)]
    return min(found, key=lambda test: [*OF_PRODUCTS].index(test.member), default=None)


def besides_owner(shape: Where, owner: Condition | None) -> Where:
    """What is left to be asked of rows that are found along the products of that owner."""
    return shape if owner is None else Every(tuple(test for test in _together(shape) if test != owner))


def along_owner(rows: Select[Any], table: Table, owner: Condition) -> Select[Any]:
    """The rows, found along the products of their owners."""
    # Not the other way round: no product is looked for by an assignment's GTIN.
    rows = rows.where(listed(owner, products), table.c.gtin == Unindexed(products.c.gtin))
    rows = rows.with_hint(products, f"INDEXED BY ix_products_{OF_PRODUCTS[owner.member]}", "sqlite")
    return rows.with_hint(table, f"INDEXED BY sqlite_autoindex_{table.name}_1", "sqlite")


def _key_index(indexed: Indexed) -> str:
    return next(index.name for index in indexed.indexes if index.members[: len(indexed.key)] == indexed.key)


def _index_of(indexed: Indexed, part: Where) -> str:
    tests = _together(part)
    return next(index.name for index in indexed.indexes if _answered(index, tests) == Every(tuple(tests)))


def along(rows: Select[Any], indexed: Indexed, path: AccessPath) -> Select[Any]:
    """The rows, found along that path; the order must not be one that an index gives when there are keys."""
    if path.owner is not None:
        return along_owner(rows, indexed.table, path.owner)
    if path.keys is None:
        return rows.with_hint(indexed.table, f"INDEXED BY {path.walk}", "sqlite")
    rows = rows.where(_among_keys(indexed, path.keys))
    return rows.with_hint(indexed.table, f"INDEXED BY {_key_index(indexed)}", "sqlite")


def _among_keys(indexed: Indexed, part: Where) -> ColumnElement[bool]:
    """Whether a row's key is one of those that pass the part."""
    found = keys(indexed, part).subquery()
    wanted = select(*(found.c[name] for name in indexed.key))
    columns = [indexed.table.c[name] for name in indexed.key]
    return columns[0].in_(wanted) if len(columns) == 1 else tuple_(*columns).in_(wanted)
