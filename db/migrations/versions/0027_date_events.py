"""What days bring: told of once in the log, and how far that has come."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("changes", sa.Column("day", sa.Date()))
    condition = sa.text("day IS NOT NULL")
    columns = ["gtin", "object_id", "operation", "day"]
    op.create_index(
        op.f("uq_changes_day"), "changes", columns, unique=True, sqlite_where=condition, postgresql_where=condition
    )
    begins = ["valid_from", "gtin", "certification_id"]
    op.create_index(op.f("ix_earlier_certificates_begins"), "earlier_certificates", begins)
    op.create_table(
        "date_events",
        sa.Column("id", sa.Integer(), autoincrement=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("turn", text(64), nullable=False),
        sa.Column("behind_gtin", text(14), nullable=False),
        sa.Column("behind_id", text(22), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_date_events")),
    )


def downgrade() -> None:
    op.drop_table("date_events")
    op.drop_index(op.f("ix_earlier_certificates_begins"), "earlier_certificates")
    op.drop_index(op.f("uq_changes_day"), "changes")
    op.drop_column("changes", "day")
