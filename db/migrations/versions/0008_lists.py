"""Indexes for the filters and orders of lists, and tables of what is inside JSON columns, kept by triggers."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0008"
down_revision = "0007"

# Table, its JSON column, its kind, the table of entries, and the columns that name the row.
_ENTRIES = (
    ("products", "metadata", "map", "product_metadata", ("gtin",)),
    ("certification_assignments", "metadata", "map", "certification_assignment_metadata", ("gtin", "certification_id")),
    (
        "certification_assignments",
        "certificate_countries",
        "list",
        "certification_assignment_countries",
        ("gtin", "certification_id"),
    ),
    ("claim_assignments", "metadata", "map", "claim_assignment_metadata", ("gtin", "claim_id")),
)
_ASSIGNMENTS = ("certification_assignments", "claim_assignments")
_INDEXES = (
    ("certification_assignments", "certification", ("certification_id", "gtin")),
    ("certification_assignments", "certification_ends", ("certification_id", "ends", "gtin")),
    ("certification_assignments", "status_ends", ("verification_status", "ends", "gtin", "certification_id")),
    ("certification_assignments", "ends", ("ends", "gtin", "certification_id")),
    ("certification_assignments", "updated", ("updated_at", "gtin", "certification_id")),
    ("certification_assignments", "number", ("certificate_number", "gtin", "certification_id")),
    ("claim_assignments", "claim", ("claim_id", "gtin")),
    ("claim_assignments", "claim_ends", ("claim_id", "ends", "gtin")),
    ("claim_assignments", "source_ends", ("source", "ends", "gtin", "claim_id")),
    ("claim_assignments", "ends", ("ends", "gtin", "claim_id")),
    ("claim_assignments", "updated", ("updated_at", "gtin", "claim_id")),
    ("products", "organization", ("organization_id", "gtin")),
    ("products", "brand", ("brand", "gtin")),
    ("products", "country", ("country_of_origin", "gtin")),
    ("products", "source", ("data_source", "gtin")),
    ("products", "updated", ("updated_at", "gtin")),
    ("products", "search_text", ("search_text",)),
)
# What the new ones begin with.
_REPLACED = (
    ("certification_assignments", "certification_id"),
    ("claim_assignments", "claim_id"),
    ("products", "organization_id"),
)


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    # SQLite can add a column only if it is computed when it is read, PostgreSQL only one that is stored.
    endless, kept = ("'~'", "") if is_sqlite else ("'5874897-12-31'::date", " STORED")
    for table in _ASSIGNMENTS:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN ends DATE GENERATED ALWAYS AS (coalesce(expiration_date, {endless})){kept}"
        )
    for table, column in _REPLACED:
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
    for table, name, columns in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{name}"), table, list(columns))
    for table, column, kind, entries, key in _ENTRIES:
        _make_entries(kind, entries, key)
        op.execute(_fill(is_sqlite, kind, entries, key, f"{table}.{column}", f"{table}.", f"{table}, "))
        if is_sqlite:
            _keep_on_sqlite(table, column, kind, entries, key)
        else:
            _keep_on_postgresql(table, column, kind, entries, key)


def _make_entries(kind: str, entries: str, key: tuple[str, ...]) -> None:
    columns = [("key", 40), ("value", 500)] if kind == "map" else [("country", 2)]
    columns += [(name, 14 if name == "gtin" else 22) for name in key]
    op.create_table(
        entries,
        *(sa.Column(name, text(length), nullable=False) for name, length in columns),
        sa.PrimaryKeyConstraint(*(name for name, _ in columns), name=op.f(f"pk_{entries}")),
        sqlite_with_rowid=False,
    )


def _parts(kind: str) -> str:
    return "key, value" if kind == "map" else "value"


def _names(kind: str) -> str:
    return "key, value" if kind == "map" else "country"


def _unfolded(is_sqlite: bool, kind: str, json: str) -> str:
    if is_sqlite:
        return f"json_each({json})"
    return f"jsonb_each_text({json})" if kind == "map" else f"jsonb_array_elements_text({json}) AS unfolded(value)"


def _fill(is_sqlite: bool, kind: str, entries: str, key: tuple[str, ...], json: str, row: str, source: str) -> str:
    """Inserts the entries of one JSON value, or of those of a table; a country that is named twice counts once."""
    return (
        f"INSERT INTO {entries} ({_names(kind)}, {', '.join(key)})"  # noqa: S608 - names from above
        f" SELECT DISTINCT {_parts(kind)}, {', '.join(row + name for name in key)}"
        f" FROM {source}{_unfolded(is_sqlite, kind, json)}"
        # In the order of the key, so that a million of them are written from one end to the other.
        f" ORDER BY {_parts(kind)}, {', '.join(row + name for name in key)}"
    )


def _clear(is_sqlite: bool, kind: str, entries: str, key: tuple[str, ...], json: str) -> str:
    own = " AND ".join(f"{name} = OLD.{name}" for name in key)
    return (
        f"DELETE FROM {entries} WHERE {own} AND ({_names(kind)}) IN"  # noqa: S608 - names from above
        f" (SELECT {_parts(kind)} FROM {_unfolded(is_sqlite, kind, json)})"
    )


def _keep_on_sqlite(table: str, column: str, kind: str, entries: str, key: tuple[str, ...]) -> None:
    empty = "'{}'" if kind == "map" else "'[]'"
    fill = _fill(True, kind, entries, key, f"NEW.{column}", "NEW.", "")
    clear = _clear(True, kind, entries, key, f"OLD.{column}")
    for event, condition, work in (
        ("INSERT", f"NEW.{column} <> {empty}", [fill]),
        (f"UPDATE OF {column}", f"NEW.{column} <> OLD.{column}", [clear, fill]),
        ("DELETE", f"OLD.{column} <> {empty}", [clear]),
    ):
        op.execute(
            f"CREATE TRIGGER {entries}_{event.split()[0].lower()} AFTER {event} ON {table} WHEN {condition}"
            f" BEGIN {''.join(f'{statement}; ' for statement in work)}END"
        )


def _keep_on_postgresql(table: str, column: str, kind: str, entries: str, key: tuple[str, ...]) -> None:
    empty = "'{}'::jsonb" if kind == "map" else "'[]'::jsonb"
    op.execute(
        f"CREATE FUNCTION keep_{entries}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF TG_OP <> 'INSERT' THEN {_clear(False, kind, entries, key, f'OLD.{column}')}; END IF;"
        f" IF TG_OP <> 'DELETE' THEN {_fill(False, kind, entries, key, f'NEW.{column}', 'NEW.', '')}; END IF;"
        " RETURN NULL; END $$"
    )
    for event, condition in (
        ("INSERT", f"NEW.{column} <> {empty}"),
        (f"UPDATE OF {column}", f"NEW.{column} <> OLD.{column}"),
        ("DELETE", f"OLD.{column} <> {empty}"),
    ):
        op.execute(
            f"CREATE TRIGGER {entries}_{event.split()[0].lower()} AFTER {event} ON {table} FOR EACH ROW"
            f" WHEN ({condition}) EXECUTE FUNCTION keep_{entries}()"
        )


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, _, _, entries, _ in _ENTRIES:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER {entries}_{event}" + ("" if is_sqlite else f" ON {table}"))
        if not is_sqlite:
            op.execute(f"DROP FUNCTION keep_{entries}")
        op.drop_table(entries)
    for table, name, _ in _INDEXES:
        op.drop_index(op.f(f"ix_{table}_{name}"), table_name=table)
    for table, column in _REPLACED:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    for table in _ASSIGNMENTS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN ends")
