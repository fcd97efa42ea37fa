"""Dates and moments of PostgreSQL stay within the years 1 to 9999; infinity, which stood for their ends, is mended.

SQLite keeps them as texts, among which there never was an infinity.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ENDS = {
    sa.Date: ("date", "0001-01-01", "9999-12-31"),
    sa.DateTime: ("timestamptz", "0001-01-01 00:00:00+00", "9999-12-31 23:59:59.999999+00"),
}


def _columns(table: str) -> list[tuple[str, str, str, str]]:
    """The dates and moments of a table that are written, each with its type and its first and last value."""
    return [
        (column["name"], *ends)
        for column in sa.inspect(op.get_bind()).get_columns(table)
        for kind, ends in _ENDS.items()
        if isinstance(column["type"], kind) and "computed" not in column
    ]


def _guarded() -> list[tuple[str, list[tuple[str, str, str, str]]]]:
    if op.get_bind().dialect.name == "sqlite":
        return []
    found = [(table, _columns(table)) for table in sorted(sa.inspect(op.get_bind()).get_table_names())]
    return [(table, columns) for table, columns in found if columns]


def upgrade() -> None:
    for table, columns in _guarded():
        for name, kind, first, last in columns:
            op.execute(
                f"UPDATE {table} SET {name} = greatest(least({name}, {kind} '{last}'), {kind} '{first}')"  # noqa: S608 - names of columns
                f" WHERE {name} NOT BETWEEN {kind} '{first}' AND {kind} '{last}'"
            )
        within = " AND ".join(
            f"{name} BETWEEN {kind} '{first}' AND {kind} '{last}'" for name, kind, first, last in columns
        )
        op.create_check_constraint(op.f(f"ck_{table}_years"), table, within)


def downgrade() -> None:
    for table, _ in _guarded():
        op.drop_constraint(op.f(f"ck_{table}_years"), table, type_="check")
