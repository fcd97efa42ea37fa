"""Webhooks: where changes are sent to, and how far each has come."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("view_id", text(22)),
        sa.Column("url", text(2000), nullable=False),
        sa.Column("description", text(255), nullable=False),
        sa.Column("types", document, nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("problem", text(255), nullable=False),
        sa.Column("tested_at", sa.DateTime(timezone=True)),
        sa.Column("replayed_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("secret", text(70), nullable=False),
        sa.Column("secret_before", text(70), nullable=False),
        sa.Column("rotated_at", sa.DateTime(timezone=True)),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("ahead", document, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("test_id", text(50), nullable=False),
        sa.Column("deliveries", document, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_webhooks_organization_id")),
        sa.ForeignKeyConstraint(["view_id"], ["views.id"], name=op.f("fk_webhooks_view_id"), ondelete="CASCADE"),
    )
    op.create_index(op.f("ix_webhooks_organization_id"), "webhooks", ["organization_id"])
    op.create_index(op.f("ix_webhooks_view_id"), "webhooks", ["view_id"])


def downgrade() -> None:
    op.drop_table("webhooks")
