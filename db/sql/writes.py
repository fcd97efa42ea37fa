"""Inserts, updates and deletes, compiled once for each dialect and set of columns."""

from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Dialect,
    Select,
    Table,
    TableValuedAlias,
    bindparam,
    column,
    func,
    select,
    true,
)
from sqlalchemy.sql.dml import Delete, Update

from db.sql.compiled import Compiled, compile_statement
from db.sql.tables import live, products
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


@lru_cache(maxsize=256)
def insert_owned(
    dialect: Dialect, table: Table, columns: tuple[str, ...], unique: tuple[str, ...], *, many: bool = False
) -> Compiled:
    """Inserts a row about a live product of the organisation `owner`, where no other has equal values in `unique`.

    PostgreSQL's answers with the ids of the rows that are stored, and may be run twice, when nobody knows whether the
    first time was: the row itself, by its `id`, is not in its way. With `many` it takes a list of such `rows`, and
    leaves out, too, those whose product somebody has locked: the others should not wait for that.
    """
    if dialect.name == "sqlite":
        # Where there is no such product, the column may not be NULL. `INSERT ... SELECT` takes SQLite a quarter longer.
        owned = select(products.c.gtin).where(*_owned(bindparam("gtin"), bindparam("owner"))).scalar_subquery()
        statement = _insert(dialect, table).inline().values(gtin=owned).on_conflict_do_nothing(index_elements=unique)
        return compile_statement(statement, dialect, columns)
    if many:
        values = _owned_rows(table, columns, unique)
    else:
        # The product's own GTIN, not that which was sent: so it is seen to be about one shard, where there are several.
        sent = (products.c.gtin if name == "gtin" else bindparam(name, type_=table.c[name].type) for name in columns)
        values = select(*sent).where(*_owned(bindparam("gtin"), bindparam("owner"))).select_from(products)
        values = values.with_for_update(read=True, key_share=True)
    statement = _insert(dialect, table).from_select(columns, values)
    own = statement.excluded.id
    statement = statement.on_conflict_do_update(index_elements=unique, set_={"id": own}, where=table.c.id == own)
    return compile_statement(statement.returning(table.c.id), dialect)


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
    return rows.render_derived("given", with_types=True)


def _owned_rows(table: Table, columns: tuple[str, ...], unique: tuple[str, ...]) -> Select[Any]:
    given = _rows(
        *(column(name, table.c[name].type) for name in columns), column("owner", products.c.organization_id.type)
    )
    # Looked up for each row, whatever is thought of how many there are; and nobody waits for a product.
    owned = select(products.c.gtin).where(*_owned(given.c.gtin, given.c.owner))
    free = owned.with_for_update(read=True, key_share=True, skip_locked=True).lateral()
    # In one order, so that no two statements wait for each other.
    return select(*(given.c[name] for name in columns)).join(free, true()).order_by(*(given.c[name] for name in unique))


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
