"""The day on which a certificate lapses, the earlier of its two ends, with indexes for lists by it."""

from alembic import op

revision = "0010"
down_revision = "0009"

_TABLE = "certification_assignments"
_KEY = ["gtin", "certification_id"]
_INDEXES = {
    "certification_lapses": ["certification_id", "lapses", "gtin"],
    "status_lapses": ["verification_status", "lapses", *_KEY],
    "lapses": ["lapses", *_KEY],
}
# What a list asks of a status and an end, it asks of the day on which assignments lapse.
_REPLACED = {"status_ends": ["verification_status", "ends", *_KEY]}


def upgrade() -> None:
    # As in revision 0008.
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    endless, kept = ("'~'", "") if is_sqlite else ("'5874897-12-31'::date", " STORED")
    earlier = (
        "CASE WHEN (expiry_date < expiration_date OR expiration_date IS NULL) THEN expiry_date ELSE expiration_date END"
    )
    op.execute(
        f"ALTER TABLE {_TABLE} ADD COLUMN lapses DATE GENERATED ALWAYS AS (coalesce({earlier}, {endless})){kept}"
    )
    for name, columns in _INDEXES.items():
        op.create_index(op.f(f"ix_{_TABLE}_{name}"), _TABLE, columns)
    for name in _REPLACED:
        op.drop_index(op.f(f"ix_{_TABLE}_{name}"), table_name=_TABLE)


def downgrade() -> None:
    for name, columns in _REPLACED.items():
        op.create_index(op.f(f"ix_{_TABLE}_{name}"), _TABLE, columns)
    for name in _INDEXES:
        op.drop_index(op.f(f"ix_{_TABLE}_{name}"), table_name=_TABLE)
    op.execute(f"ALTER TABLE {_TABLE} DROP COLUMN lapses")
