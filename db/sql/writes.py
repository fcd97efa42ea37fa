"""Inserts, updates and deletes, compiled once for each dialect and set of columns."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    CTE,
    ColumnClause,
    ColumnElement,
    Dialect,
    Select,
    Table,
    TableValuedAlias,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.dml import Delete, Update

from db.sql.compiled import Compiled, compile_statement
from db.sql.tables import changes, live, products
from db.sql.types import Document

_MAX_VARIANTS = 256

_changes: WeakKeyDictionary[Update | Delete, dict[tuple[Dialect, tuple[str, ...]], Compiled]] = WeakKeyDictionary()


@lru_cache(maxsize=256)
def insert(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> Compiled:
    """Inserts; an integrity error where a row is in the way."""
    return compile_statement(_insert(dialect, table), dialect, columns)


@lru_cache(maxsize=256)
def insert_unless(
    dialect: Dialect, table: Table, columns: tuple[str, ...], unique: tuple[str, ...] | None = None
) -> Compiled:
    """Inserts where no row has equal values in the columns of `unique`; None: in the columns of any unique index."""
    statement = _insert(dialect, table)
    return compile_statement(statement.on_conflict_do_nothing(index_elements=unique), dialect, columns)


@lru_cache(maxsize=64)
def insert_unless_at_once(dialect: Dialect, table: Table, columns: tuple[str, ...], count: int) -> str:
    """The text of `insert_unless` for so many rows, with the parameters of all of them one behind the other.

    It takes SQLite two thirds of the time of a statement for each, and Python's lock is free all the while.
    """
    # SQLAlchemy would take a thousandth of a second for each of its rows.
    into, _, rest = insert_unless(dialect, table, columns).sql.partition(" VALUES ")
    row, _, unless = rest.rpartition(" ON CONFLICT ")
    return f"{into} VALUES {', '.join([row] * count)} ON CONFLICT {unless}"


ENTRY = tuple(column.name for column in changes.c if column.name not in ("seq", "xid", "day"))
"""The columns of the log that a row of it is given, if somebody did what it tells of."""


@lru_cache(maxsize=256)
def insert_owned(dialect: Dialect, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> Compiled:
    """Inserts a row about a live product of the organisation `owner`, where no other has equal values in `unique`.

    PostgreSQL's tells of it in the log as well, of which it is given the columns, too; see `_logged`.
    """
    if dialect.name == "sqlite":
        # Where there is no such product, the column may not be NULL. `INSERT ... SELECT` takes SQLite a quarter longer.
        owned = select(products.c.gtin).where(*_owned(bindparam("gtin"), bindparam("owner"))).scalar_subquery()
        statement = _insert(dialect, table).inline().values(gtin=owned).on_conflict_do_nothing(index_elements=unique)
        return compile_statement(statement, dialect, columns)
    sent = (bindparam(name, type_=table.c[name].type) for name in columns)
    values = select(*sent).where(*_owned(bindparam("gtin"), bindparam("owner"))).select_from(products)
    values = values.with_for_update(read=True, key_share=True)
    entry = select(*(bindparam(name, type_=changes.c[name].type) for name in ENTRY))
    return _logged(dialect, table, columns, unique, values, entry.select_from)


@lru_cache(maxsize=256)
def insert_given(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> Compiled:
    """Inserts a list of `rows`, all in one statement, where no row has equal values in the columns of a unique index.

    It takes PostgreSQL half the time of a statement for each. It answers with a row for each that is stored: where
    tables are sharded, the number that it tells besides is that of the rows given.
    """
    given = _rows(*(column(name, table.c[name].type) for name in columns))
    statement = _insert(dialect, table).from_select(columns, select(*(given.c[name] for name in columns)))
    return compile_statement(statement.on_conflict_do_nothing().returning(*table.primary_key), dialect)


def _rows(*columns: ColumnClause[Any]) -> TableValuedAlias:
    """The list of `rows` that a statement of PostgreSQL is given, as a table."""
    rows = func.jsonb_to_recordset(bindparam("rows", type_=Document)).table_valued(*columns)
    return rows.render_derived("sent", with_types=True)


@lru_cache(maxsize=256)
def insert_many_owned(dialect: Dialect, table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> Compiled:
    """The same as `insert_owned` on PostgreSQL for a list of `rows`, without those whose product somebody has locked.

    The others should not wait for that.
    """
    names = dict.fromkeys((*columns, "owner", *ENTRY))
    given = select(_rows(*(column(name, _type(table, name)) for name in names))).cte("given")
    # Looked up for each row, whatever is thought of how many there are; and nobody waits for a product.
    owned = select(products.c.gtin).where(*_owned(given.c.gtin, given.c.owner))
    free = owned.with_for_update(read=True, key_share=True, skip_locked=True).lateral()
    # In one order, so that no two statements wait for each other.
    values = select(*(given.c[name] for name in columns)).join(free, true())
    values = values.order_by(*(given.c[name] for name in unique))

    def entries(stored: CTE) -> Select[Any]:
        return select(*(given.c[name] for name in ENTRY)).join(stored, stored.c.id == given.c.id)

    return _logged(dialect, table, columns, unique, values, entries)


def _type(table: Table, name: str) -> Any:
    if name == "owner":
        return products.c.organization_id.type
    return (table.c[name] if name in table.c else changes.c[name]).type


def _logged(
    dialect: Dialect,
    table: Table,
    columns: tuple[str, ...],
    unique: tuple[str, ...],
    values: Select[Any],
    entries: Callable[[CTE], Select[Any]],
) -> Compiled:
    """Inserts rows where nothing is in the way, with the rows of the log that tell of them; answers their ids.

    It may be run twice, when nobody knows whether the first time was: the row itself, by its `id`, is not in its way,
    and is not told of again.
    """
    # The one that both have is the same.
    assert {*ENTRY} & {*columns} == {"gtin"}
    statement = _insert(dialect, table).from_select(columns, values)
    own = statement.excluded.id
    statement = statement.on_conflict_do_update(index_elements=unique, set_={"id": own}, where=table.c.id == own)
    # What PostgreSQL has locked before, it did not insert just now.
    is_new: ColumnElement[bool] = literal_column(f"{table.name}.xmax = 0").label("is_new")
    stored = statement.returning(table.c.id, is_new).cte("stored")
    told = _insert(dialect, changes).from_select(ENTRY, entries(stored).where(stored.c.is_new)).cte("told")
    return compile_statement(select(stored.c.id).add_cte(told), dialect)


def _owned(gtin: ColumnElement[Any], owner: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    return products.c.gtin == gtin, products.c.organization_id == owner, live(products)


@lru_cache(maxsize=256)
def upsert(dialect: Dialect, table: Table, columns: tuple[str, ...], key: str) -> Compiled:
    """Inserts; where the key exists, the other columns are overwritten."""
    statement = _insert(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name != key}
    return compile_statement(statement.on_conflict_do_update(index_elements=[key], set_=others), dialect, columns)


def change(dialect: Dialect, statement: Update | Delete, names: tuple[str, ...] = ()) -> Compiled:
    """An update or delete that is given values of those names: its parameters, and columns to set.

    What is compiled lives as long as the statement: one in a module is compiled once, one made in a function each time.
    """
    variants = _changes.setdefault(statement, {})
    compiled = variants.get((dialect, names))
    if compiled is None:
        # Which members a patch may change is the caller's choice; it must not fill the memory.
        if len(variants) >= _MAX_VARIANTS:
            variants.clear()
        compiled = variants[dialect, names] = compile_statement(statement, dialect, names)
    return compiled


def _insert(dialect: Dialect, table: Table) -> Any:
    # Only the database in use is imported: each costs a start dozens of milliseconds.
    if dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)
