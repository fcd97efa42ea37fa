"""Saved views of organisations."""

import sqlalchemy as sa
from alembic import op

from db.migrations.columns import text

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("id", text(22), nullable=False),
        sa.Column("organization_id", text(22), nullable=False),
        sa.Column("name", text(255), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("where", text(4000), nullable=False),
        sa.Column("ordering", text(50), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_views")),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"], name=op.f("fk_views_organization_id")),
    )
    op.create_index(op.f("uq_views_name"), "views", ["organization_id", "name"], unique=True)


def downgrade() -> None:
    op.drop_table("views")
