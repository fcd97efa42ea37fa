"""The other days of assignments and who issued certificates, with indexes for lists by them."""

from alembic import op

revision = "0014"
down_revision = "0013"

_DAYS = {
    "certification_assignments": {"begins": "valid_from", "expires": "expiry_date", "audited": "audit_date"},
    "claim_assignments": {"begins": "valid_from"},
}
_KEYS = {"certification_assignments": "certification_id", "claim_assignments": "claim_id"}
_ISSUER = "ix_certification_assignments_issuer"


def upgrade() -> None:
    # As in revision 0008.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    endless, kept = ("'~'", "") if is_sqlite else ("'5874897-12-31'::date", " STORED")
    for table, days in _DAYS.items():
        added = [
            f"ADD COLUMN {name} DATE GENERATED ALWAYS AS (coalesce({day}, {endless})){kept}"
            for name, day in days.items()
        ]
        # PostgreSQL writes the table anew, once; SQLite adds one column at a time.
        for columns in added if is_sqlite else [", ".join(added)]:
            op.execute(f"ALTER TABLE {table} {columns}")
        for name in days:
            op.create_index(op.f(f"ix_{table}_{name}"), table, [name, "gtin", _KEYS[table]])
    op.create_index(op.f(_ISSUER), "certification_assignments", ["issuing_body", "gtin", "certification_id"])


def downgrade() -> None:
    op.drop_index(op.f(_ISSUER), table_name="certification_assignments")
    for table, days in _DAYS.items():
        for name in days:
            op.drop_index(op.f(f"ix_{table}_{name}"), table_name=table)
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
