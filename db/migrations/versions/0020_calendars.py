"""Calendars of saved views, and how early organisations want to hear that something lapses."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import document, text

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "calendars",
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("view_id", text(22), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", text(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendars")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_calendars_organization_id")),
        sa.ForeignKeyConstraint(["view_id"], ["views.id"], name=op.f("fk_calendars_view_id"), ondelete="CASCADE"),
        sa.UniqueConstraint("digest", name=op.f("uq_calendars_digest")),
    )
    op.create_index(op.f("ix_calendars_organization_id"), "calendars", ["organization_id"])
    op.create_index(op.f("ix_calendars_view_id"), "calendars", ["view_id"])
    op.create_table(
        "lead_times",
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("certification_id", text(22), nullable=False),
        sa.Column("days", document, nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "certification_id", name=op.f("pk_lead_times")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_lead_times_organization_id")),
    )


def downgrade() -> None:
    op.drop_table("lead_times")
    op.drop_table("calendars")
