"""Who is told by mail how often, and when next."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("user_id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("period", sa.String(32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "organization_id", name=op.f("pk_digests")),
        sa.ForeignKeyConstraint(
            ["user_id", "organization_id"],
            ["memberships.user_id", "memberships.organization_id"],
            name=op.f("fk_digests_user_id_organization_id"),
            ondelete="CASCADE",
        ),
    )
    op.create_index(op.f("ix_digests_due_at"), "digests", ["due_at"])


def downgrade() -> None:
    op.drop_table("digests")
