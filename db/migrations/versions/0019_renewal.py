"""Suspensions and withdrawals of certificates, and the certificates that renewals replaced."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0019"
down_revision = "0018"

_TABLE = "certification_assignments"
_DAYS = ("held_since", "suspended_from", "suspended_until", "withdrawn_on")
_LAPSE_INDEXES = {
    "certification_lapses": ["certification_id", "lapses", "gtin", "archived_at"],
    "status_lapses": ["verification_status", "lapses", "gtin", "certification_id", "archived_at"],
    "lapses": ["lapses", "gtin", "certification_id", "archived_at"],
}
_HALTS = ["halts", "gtin", "certification_id", "archived_at"]


def _earlier(first: str, second: str) -> str:
    return f"CASE WHEN ({second} < {first} OR {first} IS NULL) THEN {second} ELSE {first} END"


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _compute(**columns: str) -> None:
    """Adds days that are computed, a missing one behind all others, as in revision 0008."""
    endless, kept = ("'~'", "") if _is_sqlite() else ("'5874897-12-31'::date", " STORED")
    added = [
        f"ADD COLUMN {name} DATE GENERATED ALWAYS AS (coalesce({day}, {endless})){kept}"
        for name, day in columns.items()
    ]
    # PostgreSQL writes the table anew, once; SQLite adds one column at a time.
    for each in added if _is_sqlite() else [", ".join(added)]:
        op.execute(f"ALTER TABLE {_TABLE} {each}")


def _create(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(f"ix_{_TABLE}_{name}"), _TABLE, columns, sqlite_where=condition, postgresql_where=condition)


def _drop_lapses() -> None:
    for name in _LAPSE_INDEXES:
        op.drop_index(op.f(f"ix_{_TABLE}_{name}"), table_name=_TABLE)
    op.execute(f"ALTER TABLE {_TABLE} DROP COLUMN lapses")


def _index_lapses() -> None:
    for name, columns in _LAPSE_INDEXES.items():
        _create(name, columns, "archived_at IS NULL")


def upgrade() -> None:
    for name in _DAYS:
        op.add_column(_TABLE, sa.Column(name, sa.Date()))
    op.add_column(_TABLE, sa.Column("standing_reason", text(255), server_default="", nullable=False))
    _drop_lapses()
    before = "date(withdrawn_on, '-1 day')" if _is_sqlite() else "withdrawn_on - 1"
    _compute(
        lapses=_earlier(_earlier("expiration_date", "expiry_date"), before),
        halts=_earlier("suspended_from", "withdrawn_on"),
    )
    _index_lapses()
    _create("halts", _HALTS, "halts < '~'" if _is_sqlite() else "halts < '5874897-12-31'::date")
    op.create_table(
        "earlier_certificates",
        sa.Column("gtin", text(14), nullable=False),
        sa.Column("certification_id", text(22), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date()),
        sa.Column("expiration_date", sa.Date()),
        sa.Column("expiry_date", sa.Date()),
        sa.Column("certificate_number", text(100), nullable=False),
        sa.Column("issuing_body", text(255), nullable=False),
        sa.Column("verification_url", text(2000), nullable=False),
        sa.Column("verification_status", sa.String(32), nullable=False),
        sa.Column("scope", text(), nullable=False),
        sa.Column("certification_value", text(255), nullable=False),
        sa.Column("audit_date", sa.Date()),
        sa.Column("initial_certification_date", sa.Date()),
        sa.Column("certificate_countries", document, nullable=False),
        *(sa.Column(name, sa.Date()) for name in _DAYS),
        sa.Column("standing_reason", text(255), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gtin", "certification_id", "number", name=op.f("pk_earlier_certificates")),
        sa.ForeignKeyConstraint(
            ["gtin", "certification_id"],
            [f"{_TABLE}.gtin", f"{_TABLE}.certification_id"],
            name=op.f("fk_earlier_certificates_gtin_certification_id"),
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("earlier_certificates")
    op.drop_index(op.f(f"ix_{_TABLE}_halts"), table_name=_TABLE)
    op.execute(f"ALTER TABLE {_TABLE} DROP COLUMN halts")
    _drop_lapses()
    _compute(lapses=_earlier("expiration_date", "expiry_date"))
    _index_lapses()
    for name in (*_DAYS, "standing_reason"):
        op.drop_column(_TABLE, name)
